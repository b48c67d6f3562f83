//! LimitRanges: what pods get that say nothing, and how much or how little they may ask for (plugin/pkg/admission/limitranger).

use api::kinds::{LIMIT_RANGES, PERSISTENT_VOLUME_CLAIMS, PODS};
use api::pod_resources::{self, Counted};
use api::quota::Amounts;
use api::status::Status;
use api::{Kind, Quantity};
use json::{Value, json};

use crate::failure;
use crate::registry::Context;
use crate::strategy::child;
use crate::value::{at, fields, list, list_mut, map_mut, metadata_mut, text};

/// The annotation that says what was filled in.
const ANNOTATION: &str = "kubernetes.io/limit-ranger";

/// Fills in what a pod leaves out, and refuses what is too much or too little.
pub fn admit(cx: &Context<'_>, kind: &'static Kind, namespace: &str, object: &mut Value) -> Result<(), Status> {
    let is_pod = *kind == PODS;
    if !is_pod && *kind != PERSISTENT_VOLUME_CLAIMS {
        return Ok(());
    }
    let mut problems = Vec::new();
    for range in cx.all(&LIMIT_RANGES, namespace) {
        let items = range.list("spec.limits");
        if is_pod {
            items.iter().filter(|item| item["type"] == "Container").for_each(|item| fill_in(object, item));
        }
        items.iter().for_each(|item| check(object, item, is_pod, &mut problems));
    }
    match problems.as_slice() {
        [] => Ok(()),
        [one] => Err(failure::forbidden(kind, text(object, "metadata.name"), one)),
        several => Err(failure::forbidden(kind, text(object, "metadata.name"), &format!("[{}]", several.join(", ")))),
    }
}

fn fill_in(pod: &mut Value, item: &Value) {
    let mut told = Vec::new();
    for field in ["spec.containers", "spec.initContainers"] {
        let word = if field == "spec.containers" { "container" } else { "init container" };
        for container in list_mut(pod, field) {
            for (which, source, what) in [("requests", "defaultRequest", "request"), ("limits", "default", "limit")] {
                let own = map_mut(child(child(container, "resources"), which));
                let missing: Vec<(&json::Text, &Value)> =
                    fields(at(item, source)).filter(|(name, _)| !own.contains_key(*name)).collect();
                let names: Vec<&str> = missing.iter().map(|(name, _)| name.as_str()).collect();
                own.extend(missing.iter().map(|(name, value)| ((*name).clone(), (*value).clone())));
                if !names.is_empty() {
                    told.push(format!("{} {what} for {word} {}", names.join(", "), text(container, "name")));
                }
            }
        }
    }
    if !told.is_empty() {
        let annotations = metadata_mut(pod).entry("annotations").or_insert_with(|| json!({}));
        let text = format!("LimitRanger plugin set: {}", told.join("; "));
        map_mut(annotations).insert(ANNOTATION.into(), text.into());
    }
}

fn amount(value: Option<&Value>) -> Option<Quantity> {
    Quantity::from_value(value?).ok()
}

/// The amounts that one thing asks for and is limited to, of a resource.
struct Asked {
    request: Option<Quantity>,
    limit: Option<Quantity>,
}

fn check(object: &Value, item: &Value, is_pod: bool, problems: &mut Vec<String>) {
    let kind = text(item, "type");
    let asked_by = |container: &Value, name: &str| {
        let of = |which: &str| amount(at(container, "resources").get(which).and_then(|map| map.get(name)));
        Asked { request: of("requests"), limit: of("limits") }
    };
    let limits = ["min", "max", "maxLimitRequestRatio"];
    let mut names: Vec<&json::Text> = limits.iter().flat_map(|f| fields(at(item, f)).map(|(name, _)| name)).collect();
    names.sort();
    names.dedup();
    for name in names {
        match kind {
            "Container" if is_pod => {
                for container in list(object, "spec.containers").iter().chain(list(object, "spec.initContainers")) {
                    compare(item, name, &asked_by(container, name), problems);
                }
            }
            "Pod" if is_pod => {
                // As upstream's own copy of the rule: what the spec says, without the overhead.
                let counted = Counted { without_overhead: true, ..Counted::default() };
                let of = |all: Amounts| all.get(name.as_str()).copied();
                let asked = Asked {
                    request: of(pod_resources::requests(object, counted)),
                    limit: of(pod_resources::limits(object, counted)),
                };
                compare(item, name, &asked, problems);
            }
            "PersistentVolumeClaim" if !is_pod => {
                let request = amount(at(object, "spec.resources.requests").get(name.as_str()));
                compare(item, name, &Asked { request, limit: request }, problems);
            }
            _ => {}
        }
    }
}

fn compare(item: &Value, name: &str, asked: &Asked, problems: &mut Vec<String>) {
    let kind = text(item, "type");
    let bound = |field: &str| amount(at(item, field).get(name));
    if let Some(least) = bound("min") {
        let head = format!("minimum {name} usage per {kind} is {least}");
        match (asked.request, asked.limit) {
            (None, _) => problems.push(format!("{head}.  No request is specified")),
            (Some(request), _) if request < least => problems.push(format!("{head}, but request is {request}")),
            (_, Some(limit)) if limit < least => problems.push(format!("{head}, but limit is {limit}")),
            _ => {}
        }
    }
    if let Some(most) = bound("max") {
        let head = format!("maximum {name} usage per {kind} is {most}");
        match (asked.request, asked.limit) {
            (_, None) => problems.push(format!("{head}.  No limit is specified")),
            (_, Some(limit)) if limit > most && kind != "PersistentVolumeClaim" => {
                problems.push(format!("{head}, but limit is {limit}"));
            }
            (Some(request), _) if request > most => problems.push(format!("{head}, but request is {request}")),
            _ => {}
        }
    }
    if let (Some(ratio), Some(request), Some(limit)) = (bound("maxLimitRequestRatio"), asked.request, asked.limit)
        && !request.is_zero()
        && limit.as_f64() / request.as_f64() > ratio.as_f64()
    {
        let actual = limit.as_f64() / request.as_f64();
        problems.push(format!(
            "{name} max limit to request ratio per {kind} is {ratio}, but provided ratio is {actual:.6}"
        ));
    }
}
