//! `kubectl get` (`kubectl/pkg/cmd/get`).

use std::rc::Rc;

use json::Value;

use crate::discovery::Resource;
use crate::failure::{Failure, Outcome};
use crate::flags::common::{ALL_NAMESPACES, CHUNK_SIZE, FIELD_SELECTOR, FILES, PRINT, SELECTOR};
use crate::flags::{Action, Args, COMMAND, Command, Flag, slice, switch, switch_on, text};
use crate::printers::output::{self, Format, GET_FORMATS, Printer};
use crate::printers::table::{self, Options, TablePrinter};
use crate::rest::{Rest, TABLE, with_query};
use crate::session::Session;
use crate::sorting;
use crate::targets::{self, Query, Target, has_files};

static FLAGS: &[Flag] = &[
    switch("ignore-not-found", "Exit with 0 and say nothing when the object does not exist."),
    slice("label-columns", "Labels to show as columns, e.g. -L app,tier.").short('L'),
    switch("no-headers", "Leave the header line out."),
    switch("output-watch-events", "Show what kind of event each line of a watch stands for."),
    text("raw", "", "Ask the server for this path and print the answer as it is."),
    switch_on("server-print", "Let the server make the table."),
    switch("show-kind", "Write the type before each name."),
    switch("show-labels", "Show all labels in the last column."),
    text("sort-by", "", "Sort by this field, a JSONPath such as '{.metadata.name}'."),
    text("subresource", "", "Read this subresource of the object, e.g. status or scale."),
    switch("watch", "After the list, show changes as they happen.").short('w'),
    switch("watch-only", "Show changes as they happen, without the list before."),
];

/// The command.
pub static GET: Command = Command {
    name: "get",
    usage: "[(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file|custom-columns|custom-columns-file|wide] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags]",
    short: "Display one or many resources",
    long: "Display one or many resources.

 Prints a table with the most important facts about each object. Without -n or -A, only the objects of the current namespace are shown.

 With -o the objects can be printed whole (json, yaml), by name, or through a template of your own.

Use \"kubectl api-resources\" for a complete list of supported resources.",
    examples: &[
        ("The pods of this namespace", "kubectl get pods"),
        ("The pods with their nodes and addresses", "kubectl get pods -o wide"),
        ("One deployment as YAML", "kubectl get deployment web -o yaml"),
        ("Deployments and services in one go", "kubectl get deployments,services"),
        ("Several objects by type and name", "kubectl get deployment/web service/web"),
        ("The object that a file describes", "kubectl get -f pod.yaml"),
        ("One field of one object", "kubectl get pod web-1 -o jsonpath='{.status.phase}'"),
        ("Columns of your own", "kubectl get pods -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image"),
        ("Pods of all namespaces", "kubectl get pods --all-namespaces"),
        ("Pods as they change", "kubectl get pods --watch"),
    ],
    flags: &[FLAGS, ALL_NAMESPACES, CHUNK_SIZE, FIELD_SELECTOR, FILES, PRINT, SELECTOR],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

struct Get {
    args: Args,
    rest: Rest,
    format: Format,
}

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    validate(&session, &args).await?;
    let rest = session.rest(&args)?;
    if args.changed("raw") {
        return raw(&rest, args.text("raw")).await;
    }
    let format = output::format(&session, &args, GET_FORMATS)?;
    let get = Get { args, rest, format };
    match (&get.format, get.args.on("watch") || get.args.on("watch-only")) {
        (_, true) => get.watch().await,
        (Format::Objects(printer), false) => get.whole(printer).await,
        _ => get.tables().await,
    }
}

async fn validate(session: &Session, args: &Args) -> Outcome {
    let output = args.text("output");
    if args.on("output-watch-events") && !(args.on("watch") || args.on("watch-only")) {
        return Err(Failure::message("--output-watch-events option can only be used with --watch or --watch-only"));
    }
    if args.changed("raw") {
        if has_files(args) || !args.words.is_empty() {
            return Err(Failure::message("arguments may not be passed when --raw is specified"));
        }
        if args.on("watch") || args.on("watch-only") || args.changed("selector") {
            return Err(Failure::message(
                "--raw may not be specified with other flags that filter the server request or alter the output",
            ));
        }
        if !output.is_empty() {
            return Err(Failure::message("--raw and --output are mutually exclusive"));
        }
        return Ok(());
    }
    if args.on("show-labels") && !matches!(output, "" | "wide") {
        return Err(Failure::message(format!("--show-labels option cannot be used with {output} printer")));
    }
    if args.words.is_empty() && !has_files(args) {
        session
            .err("You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of supported resources.\n\n")
            .await;
        return Err(args.usage(
            "Required resource not specified.\nUse \"kubectl explain <resource>\" for a detailed description of that resource (e.g. kubectl explain pods).",
        ));
    }
    Ok(())
}

async fn raw(rest: &Rest, path: &str) -> Outcome {
    if !path.starts_with('/') {
        return Err(Failure::message(format!(
            "--raw must be a valid URL path: parse {}: invalid URI for request",
            crate::flags::parse::go_quote(path)
        )));
    }
    let response = rest.call(api::http::Method::GET, path, "application/json, */*", None).await?;
    let bytes = crate::rest::bytes_of(response.into_body()).await;
    rest.session.out_bytes(bytes).await
}

/// One part of a table: what it is of, and the server's answer.
struct Part {
    resource: Rc<Resource>,
    table: Value,
}

impl Get {
    async fn query(&self) -> Outcome<Query> {
        Ok(Query::from_args(&self.rest, &self.args, &self.args.words).await?.all_of_type())
    }

    fn options(&self, resource: &Resource, with_kind: bool) -> Options {
        let args = &self.args;
        Options {
            wide: matches!(self.format, Format::Wide),
            no_headers: args.on("no-headers"),
            with_namespace: args.on("all-namespaces") && resource.namespaced,
            kind: (with_kind || args.on("show-kind")).then(|| resource.group_kind_lower()),
            show_labels: args.on("show-labels"),
            label_columns: args.list("label-columns"),
        }
    }

    fn with_objects(&self, path: &str) -> String {
        let wanted = self.args.on("server-print") && !self.args.text("sort-by").is_empty();
        with_query(path, &[("includeObject", if wanted { "Object" } else { "" })])
    }

    /// Reads for the human eye: the table that the server makes, or with `--server-print=false` the objects.
    async fn read(&self, path: &str) -> Outcome<Value> {
        if self.args.on("server-print") { self.rest.get_table(path).await } else { self.rest.get(path).await }
    }

    async fn part(&self, target: &Target, query: &Query) -> Outcome<Part> {
        let (path, resource) = match target {
            Target::Named(named) => (named.path_of(&query.subresource), &named.resource),
            Target::Selected { resource, namespace } => (targets::list_path(query, resource, namespace), resource),
        };
        let result = self.read(&self.with_objects(&path)).await;
        let mut answer = match (result, target) {
            (Ok(answer), _) => answer,
            (Err(f), Target::Named(named)) => return Err(targets::or_no_namespace(&self.rest, named, f).await),
            (Err(f), Target::Selected { resource, .. }) => return Err(targets::selector_failure(f, resource, query)),
        };
        self.follow_pages(&path, &mut answer).await?;
        let table = self.as_table(answer);
        Ok(Part { resource: Rc::clone(resource), table })
    }

    /// Long lists come in parts.
    async fn follow_pages(&self, path: &str, answer: &mut Value) -> Outcome {
        loop {
            let token = answer["metadata"]["continue"].as_str().unwrap_or("").to_owned();
            if token.is_empty() {
                return Ok(());
            }
            let mut next = self.read(&self.with_objects(&with_query(path, &[("continue", &token)]))).await?;
            answer["metadata"] = next["metadata"].take();
            for field in ["rows", "items"] {
                if let (Some(more), Some(all)) = (next[field].as_array_mut(), answer[field].as_array_mut()) {
                    all.append(more);
                }
            }
        }
    }

    fn as_table(&self, answer: Value) -> Value {
        if table::is_table(&answer) {
            return answer;
        }
        let now = self.rest.session.now();
        match answer.get("items").and_then(Value::as_array) {
            Some(items) => table::fallback(items, now),
            None => table::fallback(std::slice::from_ref(&answer), now),
        }
    }

    async fn tables(&self) -> Outcome {
        let query = self.query().await?;
        let (wanted, mut failures) = targets::resolve(&self.rest, &query).await?;
        let bulk = wanted.iter().any(|target| matches!(target, Target::Selected { .. }));
        if bulk && !query.subresource.is_empty() {
            return Err(Failure::message(targets::NO_BULK));
        }
        let mut parts = Vec::new();
        for target in &wanted {
            match self.part(target, &query).await {
                Ok(part) => parts.push(part),
                Err(f) if f.is_not_found() && self.args.on("ignore-not-found") => {}
                Err(f @ Failure::Transport(..)) => return Err(f),
                Err(f) => failures.push(f),
            }
        }
        let sort_by = self.args.text("sort-by");
        if !sort_by.is_empty() {
            parts.iter_mut().for_each(|part| sorting::sort_rows(&mut part.table, sort_by));
        }
        let text = self.lay_out(&parts);
        let session = &self.rest.session;
        if text.is_empty() && failures.is_empty() && !self.args.on("ignore-not-found") {
            let namespaced = !self.args.on("all-namespaces") && parts.iter().all(|p| p.resource.namespaced);
            let place = if namespaced { format!(" in {} namespace.", self.rest.namespace()) } else { String::new() };
            session.err(format!("No resources found{place}\n")).await;
        }
        session.out(text).await?;
        Failure::several(failures)
    }

    /// One table for each run of parts of the same type, with empty lines between.
    fn lay_out(&self, parts: &[Part]) -> String {
        let with_kind = parts
            .iter()
            .any(|p| p.resource.kind != parts[0].resource.kind || p.resource.group != parts[0].resource.group);
        let mut out = String::new();
        let mut rest = parts;
        while let Some(first) = rest.first() {
            let run = rest.iter().take_while(|p| p.resource == first.resource).count();
            let mut printer = TablePrinter::new(self.options(&first.resource, with_kind));
            let cells: String = rest[..run].iter().map(|p| printer.cells(&p.table, None)).collect();
            if !cells.is_empty() {
                if !out.is_empty() && !self.args.on("no-headers") {
                    out.push('\n');
                }
                out.push_str(&printer.layout(&cells));
            }
            rest = &rest[run..];
        }
        out
    }

    async fn whole(&self, printer: &Printer) -> Outcome {
        let query = self.query().await?;
        let found = targets::fetch(&self.rest, &query).await?;
        let single = found.single;
        let ignore = self.args.on("ignore-not-found");
        let mut failures: Vec<Failure> = found.failures.into_iter().filter(|f| !(ignore && f.is_not_found())).collect();
        if single && !failures.is_empty() {
            return Failure::several(failures);
        }
        let mut objects: Vec<Value> = found.infos.into_iter().map(|i| i.object.into_value()).collect();
        if objects.is_empty() && ignore {
            return Failure::several(failures);
        }
        let sort_by = self.args.text("sort-by");
        if !sort_by.is_empty() {
            sorting::sort_objects(&mut objects, sort_by);
        }
        let mut shown = match (single, objects.len()) {
            (true, 1) => objects.remove(0),
            _ => output::as_list(objects),
        };
        if printer.hides_managed_fields() && !self.args.on("show-managed-fields") {
            output::hide_managed_fields(&mut shown);
        }
        let (text, outcome) = printer.print(&shown);
        self.rest.session.out(text).await?;
        failures.extend(outcome.err());
        Failure::several(failures)
    }

    async fn watch(&self) -> Outcome {
        let query = self.query().await?;
        let (wanted, failures) = targets::resolve(&self.rest, &query).await?;
        Failure::several(failures)?;
        let [target] = wanted.as_slice() else {
            return Err(Failure::message("you may only specify a single resource type"));
        };
        let human = !matches!(self.format, Format::Objects(_));
        let accept = if human && self.args.on("server-print") { TABLE } else { crate::rest::JSON };
        let (resource, list_path, watch_path) = self.watch_paths(target, &query);
        let mut printer = TablePrinter::new(self.options(&resource, false));
        let mut version = "0".to_owned();
        let first = if human { self.read(&list_path).await } else { self.rest.get(&list_path).await };
        let first = match first {
            Err(f) if f.is_not_found() && self.args.on("ignore-not-found") => return Ok(()),
            other => other.map_err(|f| targets::selector_failure(f, &resource, &query))?,
        };
        let is_list = matches!(target, Target::Selected { .. });
        if is_list {
            version = first["metadata"]["resourceVersion"].as_str().unwrap_or("0").to_owned();
        }
        if !self.args.on("watch-only") {
            self.show(&mut printer, "ADDED", first, &resource).await?;
        }
        let path = with_query(&watch_path, &[("resourceVersion", &version), ("watch", "true")]);
        let mut events = self.rest.watch(&path, accept).await?;
        // A watch of one object begins with an ADDED event for what has just been shown.
        let mut skip_first = !is_list;
        while let Some((kind, object)) = events.next().await {
            if kind == "ERROR" {
                return Err(Failure::Status(Box::new(object), String::new()));
            }
            if kind != "BOOKMARK" && !std::mem::take(&mut skip_first) {
                self.show(&mut printer, &kind, object, &resource).await?;
            }
        }
        Ok(())
    }

    fn watch_paths(&self, target: &Target, query: &Query) -> (Rc<Resource>, String, String) {
        match target {
            Target::Named(named) => {
                let collection = named.resource.collection(&named.namespace);
                let selector = format!("metadata.name={}", named.name);
                (Rc::clone(&named.resource), named.path(), with_query(&collection, &[("fieldSelector", &selector)]))
            }
            Target::Selected { resource, namespace } => {
                let labels = query.labels.as_deref().unwrap_or("");
                let selectors = [("labelSelector", labels), ("fieldSelector", query.fields.as_str())];
                let path = with_query(&resource.collection(namespace), &selectors);
                (Rc::clone(resource), path.clone(), path)
            }
        }
    }

    async fn show(&self, printer: &mut TablePrinter, event: &str, object: Value, resource: &Rc<Resource>) -> Outcome {
        let text = match &self.format {
            Format::Objects(format) => {
                let objects = match object.get("items").and_then(Value::as_array) {
                    Some(items) => items.clone(),
                    None => vec![object].into(),
                };
                let mut text = String::new();
                for object in objects {
                    let mut value = targets::info(object, resource).object.into_value();
                    if format.hides_managed_fields() && !self.args.on("show-managed-fields") {
                        output::hide_managed_fields(&mut value);
                    }
                    let (printed, outcome) = format.print(&value);
                    if matches!(format, Printer::Yaml) {
                        text.push_str("---\n");
                    }
                    text.push_str(&printed);
                    outcome?;
                }
                text
            }
            _ => {
                let event = self.args.on("output-watch-events").then_some(event);
                printer.print(&self.as_table(object), event)
            }
        };
        self.rest.session.out(text).await
    }
}
