//! `-o`: which printer, and printing with it.

use std::cell::Cell;
use std::rc::Rc;

use json::{Value, json};

use super::columns::Columns;
use crate::discovery::Resource;
use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::gotemplate::GoTemplate;
use crate::goval;
use crate::jsonpath;
use crate::session::Session;

/// A printer of whole objects.
#[derive(Clone, Debug)]
pub enum Printer {
    /// `json`.
    Json,
    /// `yaml`.
    Yaml,
    /// `kyaml`.
    KYaml,
    /// `name`.
    Name,
    /// `jsonpath` and its relatives; the second says whether results are JSON.
    JsonPath(jsonpath::Template, String, bool),
    /// `go-template` and its relatives.
    GoTemplate(GoTemplate),
    /// `custom-columns` and its relative.
    Columns(Columns),
}

/// What `-o` asks for.
#[derive(Clone, Debug)]
pub enum Format {
    /// The command's own output.
    Human,
    /// The command's own output with more columns.
    Wide,
    /// Whole objects.
    Objects(Printer),
}

/// The formats of most commands.
pub const FORMATS: &str =
    "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml";
/// The formats of `get`.
pub const GET_FORMATS: &str = "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml";

/// Reads `-o` and `--template`.
pub fn format(session: &Session, args: &Args, allowed: &str) -> Outcome<Format> {
    let output = args.text("output");
    let (name, inline) = match output.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (output, None),
    };
    let template = inline.filter(|t| !t.is_empty()).unwrap_or_else(|| args.text("template"));
    let unknown = || {
        Failure::message(format!(
            "unable to match a printer suitable for the output format \"{output}\", allowed formats are: {allowed}"
        ))
    };
    let takes_template = matches!(
        name,
        "jsonpath"
            | "jsonpath-as-json"
            | "jsonpath-file"
            | "go-template"
            | "go-template-file"
            | "template"
            | "templatefile"
            | "custom-columns"
            | "custom-columns-file"
    );
    if inline.is_some() && !takes_template {
        return Err(unknown());
    }
    let allow_missing = args.on("allow-missing-template-keys");
    let printer = match name {
        "" if !args.text("template").is_empty() => go_template(args.text("template"), allow_missing)?,
        "" => return Ok(Format::Human),
        "wide" if allowed == GET_FORMATS => return Ok(Format::Wide),
        "json" => Printer::Json,
        "yaml" => Printer::Yaml,
        "name" => Printer::Name,
        "kyaml" => Printer::KYaml,
        "custom-columns" | "custom-columns-file" if allowed != GET_FORMATS => return Err(unknown()),
        "custom-columns" => Printer::Columns(Columns::parse(inline.unwrap_or(""), args.on("no-headers"))?),
        "custom-columns-file" => Printer::Columns(Columns::parse_file(&read(session, inline.unwrap_or(""))?)?),
        _ if takes_template && template.is_empty() => {
            return Err(Failure::message("template format specified but no template given"));
        }
        "jsonpath" => json_path(template, allow_missing, false)?,
        "jsonpath-as-json" => json_path(template, allow_missing, true)?,
        "jsonpath-file" => json_path(&read(session, template)?, allow_missing, false)?,
        "go-template" | "template" => go_template(template, allow_missing)?,
        "go-template-file" | "templatefile" => go_template(&read(session, template)?, allow_missing)?,
        _ => return Err(unknown()),
    };
    Ok(Format::Objects(printer))
}

fn read(session: &Session, file: &str) -> Outcome<String> {
    let bytes = session
        .place
        .read_file(&session.absolute(file))
        .map_err(|why| Failure::message(format!("error reading --template {file}, open {file}: {why}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn json_path(template: &str, allow_missing: bool, as_json: bool) -> Outcome<Printer> {
    let mut parsed = jsonpath::Template::parse(template)
        .map_err(|why| Failure::message(format!("error parsing jsonpath {template}, {why}")))?;
    parsed.allow_missing = allow_missing;
    Ok(Printer::JsonPath(parsed, template.to_owned(), as_json))
}

fn go_template(template: &str, allow_missing: bool) -> Outcome<Printer> {
    GoTemplate::parse(template, allow_missing).map(Printer::GoTemplate)
}

/// What a printer printed: text, and perhaps a failure after it.
pub type Printed = (String, Outcome);

impl Printer {
    /// Whether managedFields are hidden unless asked for.
    pub fn hides_managed_fields(&self) -> bool {
        matches!(self, Printer::Json | Printer::Yaml | Printer::KYaml | Printer::Name)
    }

    /// Prints one object or list of a type that kubectl was built with: as JSON, its fields come as Go declares them.
    pub fn print_typed(&self, object: &Value) -> Printed {
        match self {
            Printer::Json => (goval::typed_json_indent(object, "    ") + "\n", Ok(())),
            _ => self.print(object),
        }
    }

    /// Prints one object or list.
    pub fn print(&self, object: &Value) -> Printed {
        match self {
            Printer::Json => (goval::json_indent(object, "    ") + "\n", Ok(())),
            Printer::Yaml => (api::yaml::emit(object), Ok(())),
            Printer::KYaml => (super::kyaml::emit(object), Ok(())),
            Printer::Name => (names(object), Ok(())),
            Printer::JsonPath(template, source, as_json) => {
                let result = if *as_json { template.execute_as_json(object) } else { template.execute(object) };
                match result {
                    Ok(text) => (text, Ok(())),
                    Err(why) => (String::new(), Err(json_path_failure(source, &why, object))),
                }
            }
            Printer::GoTemplate(template) => match template.execute(object) {
                Ok(text) => (text, Ok(())),
                Err((report, failure)) => (report, Err(failure)),
            },
            Printer::Columns(columns) => match columns.print(&objects(object)) {
                Ok(text) => (text, Ok(())),
                Err(failure) => (String::new(), Err(failure)),
            },
        }
    }
}

fn json_path_failure(source: &str, why: &str, object: &Value) -> Failure {
    Failure::Message(format!(
        "error executing jsonpath {}: Error executing template: {why}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{source}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n\n",
        crate::flags::parse::go_quote(source),
        goval::sharp(object)
    ))
}

/// The objects of a list, or the object itself.
fn objects(object: &Value) -> Vec<&Value> {
    let is_list = object.get("kind").and_then(Value::as_str).is_some_and(|k| k.ends_with("List"));
    match object.get("items").and_then(Value::as_array) {
        Some(items) if is_list => items.iter().collect(),
        _ => vec![object],
    }
}

fn names(object: &Value) -> String {
    objects(object).into_iter().map(|o| format!("{}\n", title(o))).collect()
}

/// `deployment.apps/web`, from an object's own apiVersion and kind.
pub fn title(object: &Value) -> String {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or("");
    let name = object.get("metadata").and_then(|m| m.get("name")).and_then(Value::as_str).unwrap_or("");
    let kind = text("kind").to_lowercase();
    match text("apiVersion").split_once('/') {
        Some((group, _)) => format!("{kind}.{group}/{name}"),
        None => format!("{kind}/{name}"),
    }
}

/// Removes `metadata.managedFields` from an object or from every item of a list.
pub fn hide_managed_fields(object: &mut Value) {
    if let Some(items) = object.get_mut("items").and_then(Value::as_array_mut) {
        items.iter_mut().for_each(hide_managed_fields);
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
}

/// The list that stands for several objects.
pub fn as_list(items: Vec<Value>) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
}

/// How commands that change something report: `deployment.apps/web scaled (dry run)`, or the object with `-o`.
pub struct Reporter {
    session: Rc<Session>,
    format: Format,
    show_managed: bool,
    suffix: &'static str,
    /// Whether an object was printed that the next one is separated from.
    has_printed: Cell<bool>,
    /// Whether upstream makes a printer for each object, so that none knows of another.
    is_each_alone: bool,
}

impl Reporter {
    /// Reads `-o` and `--dry-run`.
    pub fn new(session: &Rc<Session>, args: &Args, dry_run: DryRun) -> Outcome<Reporter> {
        let format = format(session, args, FORMATS)?;
        let show_managed = args.on("show-managed-fields");
        let (has_printed, is_each_alone) = (Cell::new(false), false);
        let suffix = dry_run.suffix();
        Ok(Reporter { session: Rc::clone(session), format, show_managed, suffix, has_printed, is_each_alone })
    }

    /// Prints YAML documents without a line between them, as the commands do that make a printer for each object.
    #[must_use]
    pub fn each_alone(self) -> Reporter {
        Reporter { is_each_alone: true, ..self }
    }

    /// Whether whole objects are printed.
    pub fn prints_objects(&self) -> bool {
        !matches!(self.format, Format::Human)
    }

    /// Reports on one object; `what` is `created`, `scaled`, ...
    pub async fn report(&self, resource: &Resource, object: &Value, what: &str) -> Outcome {
        self.report_with(resource, object, what, Printer::print).await
    }

    /// Reports on one object of a type that kubectl was built with, see [`Printer::print_typed`].
    pub async fn report_typed(&self, resource: &Resource, object: &Value, what: &str) -> Outcome {
        self.report_with(resource, object, what, Printer::print_typed).await
    }

    /// Whether several objects are printed as one list, by [`Reporter::list`]: as whole objects, not as names.
    pub fn prints_list(&self) -> bool {
        matches!(&self.format, Format::Objects(printer) if !matches!(printer, Printer::Name))
    }

    /// Prints the objects of a command that prints them together: one alone, several as a list.
    pub async fn list(&self, mut objects: Vec<Value>) -> Outcome {
        let Format::Objects(printer) = &self.format else { return Ok(()) };
        if printer.hides_managed_fields() && !self.show_managed {
            objects.iter_mut().for_each(hide_managed_fields);
        }
        let (text, outcome) = match objects.as_slice() {
            [] => return Ok(()),
            [one] => printer.print(one),
            _ if matches!(printer, Printer::Json) => (list_json(objects), Ok(())),
            _ => printer.print(&json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": objects})),
        };
        self.session.out(text).await?;
        outcome
    }

    async fn report_with(
        &self,
        resource: &Resource,
        object: &Value,
        what: &str,
        print: fn(&Printer, &Value) -> Printed,
    ) -> Outcome {
        let name = object.get("metadata").and_then(|m| m.get("name")).and_then(Value::as_str).unwrap_or("");
        match &self.format {
            Format::Human | Format::Wide => {
                let kind = group_kind_lower(object).unwrap_or_else(|| resource.group_kind_lower());
                self.session.out(format!("{kind}/{name} {what}{}\n", self.suffix)).await
            }
            Format::Objects(printer) => {
                let mut shown = object.clone();
                if shown.get("kind").is_none() {
                    shown["apiVersion"] = resource.api_version().into();
                    shown["kind"] = resource.kind.clone().into();
                }
                if printer.hides_managed_fields() && !self.show_managed {
                    hide_managed_fields(&mut shown);
                }
                let is_next = self.has_printed.replace(!self.is_each_alone);
                if is_next && matches!(printer, Printer::Yaml) {
                    self.session.out("---\n".to_owned()).await?;
                }
                let (text, outcome) = print(printer, &shown);
                self.session.out(text).await?;
                outcome
            }
        }
    }
}

/// `deployment.apps`, as the object itself says it: a subresource has a kind of its own.
fn group_kind_lower(object: &Value) -> Option<String> {
    let kind = object.get("kind").and_then(Value::as_str).filter(|kind| !kind.is_empty())?.to_lowercase();
    let version = object.get("apiVersion").and_then(Value::as_str)?;
    Some(version.split_once('/').map_or(kind.clone(), |(group, _)| format!("{kind}.{group}")))
}

/// A list that Go declares, of objects that it reads as maps: only its own fields are not in alphabetical order.
fn list_json(objects: Vec<Value>) -> String {
    let items = goval::json_indent(&objects.into(), "    ").replace('\n', "\n    ");
    format!(
        "{{\n    \"kind\": \"List\",\n    \"apiVersion\": \"v1\",\n    \"metadata\": {{}},\n    \"items\": {items}\n}}\n"
    )
}

/// `--dry-run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DryRun {
    /// For real.
    None,
    /// Nothing is sent.
    Client,
    /// Sent, not kept.
    Server,
}

impl DryRun {
    /// Reads the flag. A bare `--dry-run` means `client`, with a warning.
    pub async fn from_args(session: &Session, args: &Args) -> Outcome<DryRun> {
        match args.text("dry-run") {
            "none" | "" => Ok(DryRun::None),
            "client" => Ok(DryRun::Client),
            "server" => Ok(DryRun::Server),
            "unchanged" | "true" => {
                session.err("W --dry-run is deprecated and can be replaced with --dry-run=client.\n").await;
                Ok(DryRun::Client)
            }
            "false" => Ok(DryRun::None),
            other => Err(Failure::message(format!(
                "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
            ))),
        }
    }

    /// What messages end with.
    pub fn suffix(self) -> &'static str {
        match self {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        }
    }

    /// The `dryRun` parameter of requests.
    pub fn parameter(self) -> &'static str {
        if self == DryRun::Server { "All" } else { "" }
    }
}
