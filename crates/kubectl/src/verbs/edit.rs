//! `kubectl edit` (`kubectl/pkg/cmd/util/editor/editoptions.go`): objects as text in an editor, and what was changed in
//! it as patches. A text that the server refuses is opened again with the reasons above it.

use std::rc::Rc;

use api::{Object, schema};
use json::{Value, json};

use super::create::validation;
use crate::editor;
use crate::failure::{Failure, Outcome};
use crate::flags::common::{FILES, PRINT, SAVE_CONFIG, VALIDATE, field_manager};
use crate::flags::{Action, Args, COMMAND, Command, Flag, switch, text};
use crate::goval;
use crate::last_applied;
use crate::manifests::{self, Document};
use crate::printers::output::{DryRun, Reporter, hide_managed_fields};
use crate::rest::{MERGE_PATCH, Rest, STRATEGIC_PATCH, with_query};
use crate::session::Session;
use crate::targets::{self, Info, Query, Target};

static FLAGS: &[Flag] = &[
    field_manager("kubectl-edit"),
    switch("output-patch", "Also print the patch of each object that was edited."),
    text("subresource", "", "Edit this subresource."),
    switch("windows-line-endings", "End lines as Windows does."),
];

/// The command.
pub static EDIT: Command = Command {
    name: "edit",
    usage: "(RESOURCE/NAME | -f FILENAME)",
    short: "Edit a resource on the server",
    long: "Open objects of the server in an editor, and change them when it is closed. The editor is the one that KUBE_EDITOR or EDITOR names, and vi otherwise.",
    examples: &[
        ("A service", "kubectl edit svc/web"),
        ("With another editor", "KUBE_EDITOR=\"nano\" kubectl edit svc/web"),
        ("As JSON", "kubectl edit deployment/web -o json"),
    ],
    flags: &[FLAGS, FILES, PRINT, SAVE_CONFIG, VALIDATE],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

const HEADER: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
";

/// Why a text is opened again: a sentence, and details below it.
struct Reason {
    head: String,
    details: Vec<String>,
}

/// What came of sending the changes.
#[derive(Default)]
struct Results {
    reasons: Vec<Reason>,
    retryable: bool,
    not_found: bool,
}

/// How one text was taken.
enum Round {
    Done,
    Again(Vec<Reason>),
}

/// What becomes of the edited objects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Those of the server are patched.
    Patch,
    /// Those of files are created (`kubectl create --edit`).
    Create,
}

struct Edit<'a> {
    rest: &'a Rest,
    args: &'a Args,
    reporter: &'a Reporter,
    validation: &'static str,
    mode: Mode,
    infos: Vec<Info>,
}

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let reporter = Reporter::new(&session, &args, DryRun::None)?.each_alone();
    let validation = validation(args.text("validate"))?;
    let rest = session.rest(&args)?;
    let query = Query::from_args(&rest, &args, &args.words).await?.all_of_type();
    let infos = targets::fetch(&rest, &query).await?.all()?;
    if infos.is_empty() {
        return Err(Failure::message("edit cancelled, no objects found"));
    }
    let (rest, args, reporter) = (&rest, &args, &reporter);
    Edit { rest, args, reporter, validation, mode: Mode::Patch, infos }.edit().await
}

/// `kubectl create --edit` (`create.RunEditOnCreate`): each object of the files in an editor of its own, and then created.
/// As upstream, neither `--dry-run` nor `--field-manager` nor `--windows-line-endings` means anything here.
pub async fn before_create(session: Rc<Session>, args: Args) -> Outcome {
    let reporter = Reporter::new(&session, &args, DryRun::None)?.each_alone();
    let validation = validation(args.text("validate"))?;
    let rest = session.rest(&args)?;
    let query = Query::from_args(&rest, &args, &[]).await?;
    let (wanted, mut failures) = targets::resolve(&rest, &query).await?;
    for target in wanted {
        let Target::Named(named) = target else { continue };
        let object = Object::new(named.manifest.as_ref().map(|m| m.value.clone()).unwrap_or_default());
        let (rest, args, reporter, infos) = (&rest, &args, &reporter, vec![Info { named, object }]);
        let edited = Edit { rest, args, reporter, validation, mode: Mode::Create, infos }.edit().await;
        match edited {
            Err(failure @ Failure::Transport(..)) => return Err(failure),
            edited => failures.extend(edited.err()),
        }
    }
    Failure::several(failures)
}

impl Edit<'_> {
    fn as_json(&self) -> bool {
        self.args.text("output") == "json"
    }

    async fn edit(&self) -> Outcome {
        let original = self.original();
        let (mut reasons, mut last, mut last_file) = (Vec::new(), None::<String>, String::new());
        loop {
            let opened = self.opened(&reasons, &original, last.as_deref());
            let extension = if self.as_json() { ".json" } else { ".yaml" };
            let (edited, file) = match editor::launch(&self.rest.session, &opened, extension).await {
                Ok(done) => done,
                Err((failure, file)) => {
                    return self.keeping(if file.is_empty() { &last_file } else { &file }, failure).await;
                }
            };
            if last.as_deref().is_some_and(|last| same(last, &edited)) {
                return self.keeping(&file, Failure::message("Edit cancelled, no valid changes were saved.")).await;
            }
            self.rest.session.place.remove_file(&last_file);
            match self.take(&original, &edited, &file).await? {
                Round::Done => return Ok(()),
                Round::Again(new) => (reasons, last, last_file) = (new, Some(edited), file),
            }
        }
    }

    /// The text for the editor: why it is there, and the objects or what was made of them the last time.
    fn opened(&self, reasons: &[Reason], original: &str, last: Option<&str>) -> String {
        let ends = |text: String| match self.mode == Mode::Patch && self.args.on("windows-line-endings") {
            true => text.replace('\n', "\r\n"),
            false => text,
        };
        let header = ends(if self.as_json() { String::new() } else { header(reasons) });
        header + &last.map_or_else(|| ends(original.to_owned()), without_comments)
    }

    /// The text that is opened first.
    fn original(&self) -> String {
        let mut value = match self.infos.as_slice() {
            [one] => one.object.value().clone(),
            many => {
                let items: Vec<Value> = many.iter().map(|info| info.object.value().clone()).collect();
                json!({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {}})
            }
        };
        hide_managed_fields(&mut value);
        if self.as_json() { goval::json_indent(&value, "    ") + "\n" } else { api::yaml::emit(&value) }
    }

    /// Checks what was saved and sends it.
    async fn take(&self, original: &str, edited: &str, file: &str) -> Outcome<Round> {
        let session = &self.rest.session;
        if let Err(why) = shape(edited) {
            let info = &self.infos[0].named;
            let (resource, name) = (info.resource.group_resource(), &info.name);
            session.err(format!("error: {resource} \"{name}\" is invalid\n")).await;
            let detail = format!("<nil>: Invalid value: \"The edited file failed validation\": {why}");
            let head = format!("{resource} \"{name}\" was not valid");
            return Ok(Round::Again(vec![Reason { head, details: vec![detail] }]));
        }
        if same(original, edited) {
            session.place.remove_file(file);
            session.err("Edit cancelled, no changes made.\n").await;
            return Ok(Round::Done);
        }
        let mut documents = Vec::new();
        if let Err(failure) = manifests::read(edited, "edited-file", &mut documents) {
            let head = format!("The edited file had a syntax error: {}", failure.bare());
            return Ok(Round::Again(vec![Reason { head, details: Vec::new() }]));
        }
        for document in &documents {
            if let Err(failure) = targets::mapping(self.rest, document).await {
                let head = format!("The edited file had a syntax error: {}", failure.bare());
                return Ok(Round::Again(vec![Reason { head, details: Vec::new() }]));
            }
        }
        if let Some(failure) = documents.iter().find_map(|document| self.check_namespace(document).err()) {
            return self.keeping(file, failure).await.map(|()| Round::Done);
        }
        let mut results = Results::default();
        for document in documents {
            let sent = match self.mode {
                Mode::Patch => self.send(document.value, &mut results).await,
                Mode::Create => self.create(&document).await,
            };
            if let Err(failure) = sent {
                return self.keeping(file, failure).await.map(|()| Round::Done);
            }
        }
        if results.retryable {
            session.err(format!("You can run `kubectl replace -f {file}` to try this update again.\n")).await;
            return Err(Failure::Exit(1));
        }
        if results.not_found {
            session.err(format!("The edits you made on deleted resources have been saved to \"{file}\"\n")).await;
            return Err(Failure::Exit(1));
        }
        if !results.reasons.is_empty() {
            return Ok(Round::Again(results.reasons));
        }
        session.place.remove_file(file);
        Ok(Round::Done)
    }

    /// What is edited stays in the namespace of the command (`resource.RequireNamespace`).
    fn check_namespace(&self, document: &Document) -> Outcome {
        let (own, namespace) = (document.value["metadata"]["namespace"].as_str().unwrap_or(""), self.rest.namespace());
        if own.is_empty() || own == namespace {
            return Ok(());
        }
        Err(Failure::message(format!(
            "the namespace from the provided object \"{own}\" does not match the namespace \"{namespace}\". You must pass '--namespace={own}' to perform this operation."
        )))
    }

    /// Creates one object.
    async fn create(&self, document: &Document) -> Outcome {
        let mut object = document.value.clone();
        if self.args.on("save-config") {
            last_applied::annotate(&mut object);
        }
        let resource = targets::mapping(self.rest, document).await?;
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or(self.rest.namespace());
        let parameters = [("fieldManager", "kubectl-create"), ("fieldValidation", self.validation)];
        let path = with_query(&resource.collection(namespace), &parameters);
        let created = self.rest.post(&path, &object).await?;
        self.reporter.report(&resource, &created, "created").await
    }

    /// Sends the change of one object.
    async fn send(&self, mut edited: Value, results: &mut Results) -> Outcome {
        let uid = Object::new(edited.clone()).uid().to_owned();
        let Some(info) = self.infos.iter().find(|info| info.object.uid() == uid) else {
            return Err(Failure::message(format!("no original object found for {}", goval::json(&edited))));
        };
        let mut original = info.object.value().clone();
        hide_managed_fields(&mut original);
        hide_managed_fields(&mut edited);
        if self.args.on("save-config") {
            last_applied::annotate(&mut edited);
        }
        let resource = &info.named.resource;
        if original == edited {
            return self.reporter.report(resource, &edited, "skipped").await;
        }
        let identity = |o: &Value| (o["apiVersion"].clone(), o["kind"].clone(), o["metadata"]["name"].clone());
        if identity(&original) != identity(&edited) {
            return Err(Failure::message("At least one of apiVersion, kind and name was changed"));
        }
        let definition = schema::definition_of(&resource.api_version(), &resource.kind);
        let (kind, patch) = match definition {
            Some(definition) => {
                let patch = api::patch::two_way_strategic(&original, &edited, Some(definition));
                (STRATEGIC_PATCH, patch.map_err(|why| Failure::message(why.to_string()))?)
            }
            None => (MERGE_PATCH, api::patch::create_merge_patch(&original, &edited)),
        };
        if self.args.on("output-patch") {
            self.rest.session.out(format!("Patch: {}\n", goval::json(&patch))).await?;
        }
        let parameters = [("fieldManager", self.args.text("field-manager")), ("fieldValidation", self.validation)];
        let path = info.named.path_of(self.args.text("subresource"));
        match self.rest.patch(&with_query(&path, &parameters), kind, &patch).await {
            Ok(object) => self.reporter.report(resource, &object, "edited").await,
            Err(failure @ Failure::Status(..)) => {
                let line = refused(&resource.group_resource(), &info.named.name, &failure, results);
                self.rest.session.err(line).await;
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Fails, and says where the text is.
    async fn keeping(&self, file: &str, failure: Failure) -> Outcome {
        let session = &self.rest.session;
        if !file.is_empty() && session.place.stat(file).is_some() {
            session.err(format!("A copy of your changes has been stored to \"{file}\"\n")).await;
        }
        Err(failure)
    }
}

/// Notes what the server said to a change; the line for standard error.
fn refused(resource: &str, name: &str, failure: &Failure, results: &mut Results) -> String {
    match failure {
        Failure::Status(status, _) if status["reason"] == "Invalid" => {
            let causes = status["details"]["causes"].as_array().cloned().unwrap_or_default();
            let part = |cause: &Value, field: &str| cause[field].as_str().unwrap_or("").to_owned();
            let details = causes.iter().map(|c| format!("{}: {}", part(c, "field"), part(c, "message"))).collect();
            results.reasons.push(Reason { head: format!("{resource} \"{name}\" was not valid"), details });
            format!("error: {resource} \"{name}\" is invalid\n")
        }
        failure if failure.is_not_found() => {
            results.not_found = true;
            format!("error: {resource} \"{name}\" could not be found on the server\n")
        }
        failure => {
            results.retryable = true;
            format!("error: {resource} \"{name}\" could not be patched: {}\n", failure.bare())
        }
    }
}

/// The lines above a text.
fn header(reasons: &[Reason]) -> String {
    let mut text = HEADER.to_owned();
    for reason in reasons {
        let colon = if reason.details.is_empty() { "" } else { ":" };
        text.push_str(&format!("# {}{colon}\n", commented(&reason.head)));
        for detail in &reason.details {
            text.push_str(&format!("# * {}\n", commented(detail)));
        }
        text.push_str("#\n");
    }
    text
}

/// A text that stays a comment where it has several lines.
fn commented(text: &str) -> String {
    text.replace("\n#", "\n").replace('\n', "\n# ")
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).map(|line| format!("{line}\n")).collect()
}

/// Whether two texts say the same; comments do not count.
fn same(a: &str, b: &str) -> bool {
    match (value_of(a), value_of(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => without_comments(a) == without_comments(b),
    }
}

fn value_of(text: &str) -> Result<Value, String> {
    let documents = api::yaml::parse(text).map_err(|why| why.to_string())?;
    Ok(documents.into_iter().next().unwrap_or(Value::Null))
}

/// Whether a text can be an object at all.
fn shape(text: &str) -> Result<(), String> {
    let value = value_of(text)?;
    let missing = |name: &str| value[name].as_str().is_none_or(str::is_empty);
    match &value {
        Value::Object(_) if missing("apiVersion") && missing("kind") => {
            Err("[apiVersion not set, kind not set]".to_owned())
        }
        Value::Object(_) if missing("apiVersion") => Err("apiVersion not set".to_owned()),
        Value::Object(_) if missing("kind") => Err("kind not set".to_owned()),
        Value::Object(_) => Ok(()),
        _ => Err("invalid object to validate".to_owned()),
    }
}
