//! Tables: what `kubectl get` prints (pkg/printers/internalversion, `metav1.Table`).
//!
//! A kind's table is data: its columns, and a function that makes the cells of an object. A test holds the columns
//! against those of a recorded server.

mod admission;
mod apps;
mod batch;
mod endpoints;
mod machinery;
mod node;
mod others;
mod pod;
mod policy;
mod resource;
mod service;
mod storage;

use api::Object;
use json::{Value, json};
use simulation::Time;

use crate::custom;
use crate::strategy::Strategy;

/// A column.
pub struct Column {
    /// The heading, before clients write it in capitals.
    pub name: &'static str,
    /// `string` or `integer`.
    pub kind: &'static str,
    /// `name` for the name of the object.
    pub format: &'static str,
    /// 0 is always shown, 1 only with `-o wide`.
    pub priority: u8,
}

const fn column(name: &'static str, kind: &'static str, format: &'static str, priority: u8) -> Column {
    Column { name, kind, format, priority }
}

/// The name of the object.
const NAME: Column = column("Name", "string", "name", 0);
/// How long ago it was created.
const AGE: Column = shown("Age");

/// A column that is always shown.
const fn shown(name: &'static str) -> Column {
    column(name, "string", "", 0)
}

/// A number that is always shown.
const fn number(name: &'static str) -> Column {
    column(name, "integer", "", 0)
}

/// A column of `-o wide`.
const fn wide(name: &'static str) -> Column {
    column(name, "string", "", 1)
}

/// How the objects of a kind become rows.
pub struct Printer {
    /// The row in the table of kinds.
    kind: &'static api::Kind,
    /// The columns.
    columns: &'static [Column],
    /// The cells of an object at a time.
    cells: fn(&Object, Time) -> Vec<Value>,
}

static PRINTERS: &[&Printer] = &[
    &others::CONFIG_MAPS,
    &endpoints::ENDPOINTS,
    &others::EVENTS,
    &policy::LIMIT_RANGES,
    &others::NAMESPACES,
    &node::NODES,
    &storage::CLAIMS,
    &storage::VOLUMES,
    &pod::PODS,
    &machinery::POD_TEMPLATES,
    &apps::REPLICATION_CONTROLLERS,
    &policy::QUOTAS,
    &others::SECRETS,
    &others::SERVICE_ACCOUNTS,
    &service::SERVICES,
    &admission::MUTATING_POLICIES,
    &admission::MUTATING_BINDINGS,
    &admission::MUTATING_WEBHOOKS,
    &admission::VALIDATING_POLICIES,
    &admission::VALIDATING_BINDINGS,
    &admission::VALIDATING_WEBHOOKS,
    &others::DEFINITIONS,
    &machinery::API_SERVICES,
    &apps::CONTROLLER_REVISIONS,
    &apps::DAEMON_SETS,
    &apps::DEPLOYMENTS,
    &apps::REPLICA_SETS,
    &apps::STATEFUL_SETS,
    &policy::AUTOSCALERS,
    &policy::AUTOSCALERS_V1,
    &machinery::CERTIFICATES,
    &batch::CRON_JOBS,
    &batch::JOBS,
    &others::LEASES,
    &endpoints::ENDPOINT_SLICES,
    &others::EVENTS_V1,
    &machinery::FLOW_SCHEMAS,
    &machinery::PRIORITY_LEVELS,
    &machinery::RUNTIME_CLASSES,
    &policy::INGRESS_CLASSES,
    &policy::INGRESSES,
    &service::ADDRESSES,
    &policy::NETWORK_POLICIES,
    &service::RANGES,
    &policy::DISRUPTION_BUDGETS,
    &policy::CLUSTER_ROLE_BINDINGS,
    &policy::CLUSTER_ROLES,
    &policy::ROLE_BINDINGS,
    &policy::ROLES,
    &resource::CLASSES,
    &resource::CLAIMS,
    &resource::TEMPLATES,
    &resource::SLICES,
    &policy::PRIORITY_CLASSES,
    &storage::DRIVERS,
    &storage::NODES,
    &storage::CAPACITIES,
    &storage::CLASSES,
    &storage::ATTACHMENTS,
    &storage::ATTRIBUTES,
    &machinery::COMPONENT_STATUSES,
];

/// What a kind without a printer of its own shows (`rest.DefaultTableConvertor`).
const fn plain(kind: &'static api::Kind) -> Printer {
    const COLUMNS: &[Column] = &[NAME, column("Created At", "date", "", 0)];
    Printer {
        kind,
        columns: COLUMNS,
        cells: |object, _| vec![object.name().into(), object.at("metadata.creationTimestamp").clone()],
    }
}

static DEFAULT: Printer = plain(&api::kinds::CONFIG_MAPS);

fn printer(kind: &api::Kind) -> &'static Printer {
    PRINTERS.iter().find(|p| std::ptr::eq(p.kind, kind)).copied().unwrap_or(&DEFAULT)
}

/// What each row carries of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Include {
    /// Nothing.
    None,
    /// Its metadata.
    Metadata,
    /// All of it.
    Object,
}

/// Makes a Table of objects. `headers` is false for all but the first table of a watch.
pub fn make(
    now: Time,
    strategy: &Strategy,
    objects: &[Object],
    metadata: Value,
    include: Include,
    headers: bool,
) -> Object {
    if let Some(custom) = custom::of(strategy.kind) {
        let cells = |object: &Object| custom.cells(object, now);
        return assemble(&custom.columns(), &cells, objects, metadata, include, headers);
    }
    let printer = printer(strategy.kind);
    if std::ptr::eq(strategy.kind, &api::kinds::FLOW_SCHEMAS) {
        // In the order in which they are tried.
        let mut objects = objects.to_vec();
        objects.sort_by_key(|o| (o.int("spec.matchingPrecedence"), o.name().to_owned()));
        return table(printer, now, &objects, metadata, include, headers);
    }
    table(printer, now, objects, metadata, include, headers)
}

fn table(printer: &Printer, now: Time, objects: &[Object], metadata: Value, include: Include, headers: bool) -> Object {
    let column = |c: &Column| json!({"name": c.name, "type": c.kind, "format": c.format, "description": "", "priority": c.priority});
    let columns: Vec<Value> = if headers { printer.columns.iter().map(column).collect() } else { Vec::new() };
    assemble(&columns, &|object| (printer.cells)(object, now), objects, metadata, include, headers)
}

/// A Table of rows whose cells the caller makes.
pub fn assemble(
    columns: &[Value],
    cells: &dyn Fn(&Object) -> Vec<Value>,
    objects: &[Object],
    metadata: Value,
    include: Include,
    headers: bool,
) -> Object {
    let rows: Vec<Value> = objects.iter().map(|object| row(cells, object, include)).collect();
    let columns: Value = if headers { columns.into() } else { Value::Null };
    Object::new(json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": columns, "rows": rows,
    }))
}

/// Makes the Table of a Scale.
pub fn scale(now: Time, scale: &Object, include: Include) -> Object {
    let metadata = json!({"resourceVersion": scale.resource_version()});
    table(&others::SCALES, now, std::slice::from_ref(scale), metadata, include, true)
}

fn row(cells: &dyn Fn(&Object) -> Vec<Value>, object: &Object, include: Include) -> Value {
    // A bookmark is an object without a name: a row without cells.
    let cells = if object.name().is_empty() { Vec::new() } else { cells(object) };
    let mut row = json!({"cells": cells, "object": included(object, include)});
    let done = match object.str("status.phase") {
        _ if object.kind() != "Pod" => return row,
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return row,
    };
    row["conditions"] = json!([{"type": "Completed", "status": "True", "reason": done.0, "message": done.1}]);
    row
}

fn included(object: &Object, include: Include) -> Value {
    match include {
        Include::None => Value::Null,
        Include::Object => object.clone().into_value(),
        Include::Metadata => partial(object).into_bare(),
    }
}

/// `PartialObjectMetadata` of an object.
pub fn partial(object: &Object) -> Object {
    let value = json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.at("metadata"),
    });
    Object::with_managed(value, object.managed().cloned().unwrap_or_default())
}

// --- what many printers need ---

/// How long ago a time in the object was, as ages are printed.
pub fn since(value: &Value, now: Time) -> String {
    match value.as_str().and_then(Time::parse_rfc3339) {
        Some(then) => api::duration::human_nanos(now.as_nanos() - then.as_nanos()),
        None => "<unknown>".to_owned(),
    }
}

/// The age of an object.
fn age(object: &Object, now: Time) -> Value {
    since(object.at("metadata.creationTimestamp"), now).into()
}

/// A text, or what stands for none.
fn or<'a>(text: &'a str, none: &'a str) -> &'a str {
    if text.is_empty() { none } else { text }
}

/// The first three of many, and how many more (`listWithMoreString`).
fn first_three(items: &[String]) -> String {
    match items.len() {
        0 => "<unset>".to_owned(),
        1..=3 => items.join(","),
        count => format!("{} + {} more...", items[..3].join(","), count - 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_printer() {
        for kind in api::kinds::KINDS.iter().chain(api::kinds::VERSIONS) {
            assert!(std::ptr::eq(printer(kind).kind, *kind), "{}", kind.plural);
        }
    }

    #[test]
    fn columns_are_those_of_the_recorded_server() {
        let all = api::kinds::KINDS.iter().chain(api::kinds::VERSIONS).chain(api::kinds::COMPUTED);
        // Nobody reads bindings.
        for kind in all.filter(|kind| kind.kind != "Binding") {
            let path = kind.collection_path("");
            let row =
                include_str!("recorded.txt").lines().find_map(|line| line.split_once('\t').filter(|r| r.0 == path));
            let show = |c: &Column| format!("{}/{}/{}/{}", c.name, c.kind, c.format, c.priority);
            let columns: Vec<String> = printer(kind).columns.iter().map(show).collect();
            assert_eq!(columns.join("\t"), row.unwrap().1, "{path}");
        }
    }
}
