//! `kubectl label` and `kubectl annotate` (`kubectl/pkg/cmd/{label,annotate}`).

use std::collections::BTreeMap;
use std::rc::Rc;

use api::Object;
use json::Value;

use crate::failure::{Failure, Outcome};
use crate::flags::common::{ALL_NAMESPACES, DRY_RUN, FIELD_SELECTOR, FILES, PRINT, SELECTOR, field_manager};
use crate::flags::parse::go_quote;
use crate::flags::{Action, Args, COMMAND, Command, Flag, switch, text};
use crate::printers::output::{DryRun, Reporter};
use crate::rest::{MERGE_PATCH, with_query};
use crate::session::Session;
use crate::targets::{self, Info, Query, has_files};
use crate::verbs::rollout::history::CHANGE_CAUSE;

static FLAGS: &[Flag] = &[
    switch("all", "All objects of the given types in the namespace."),
    switch("list", "Show what there is."),
    switch("local", "Work on the file alone, without the server."),
    switch("overwrite", "Allow values to be changed."),
    text("resource-version", "", "Only change the object when it is at this version."),
];
static LABEL_MANAGER: &[Flag] = &[field_manager("kubectl-label")];
static ANNOTATE_MANAGER: &[Flag] = &[field_manager("kubectl-annotate")];

/// `kubectl label`.
pub static LABEL: Command = Command {
    name: "label",
    usage: "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
    short: "Update the labels on a resource",
    long: "Change the labels of objects: KEY=VALUE sets one, KEY- removes one.",
    examples: &[
        ("Set a label", "kubectl label pods web-1 tier=front"),
        ("Change one that is there", "kubectl label --overwrite pods web-1 tier=back"),
        ("Remove one", "kubectl label pods web-1 tier-"),
        ("All pods of the namespace", "kubectl label pods --all env=prod"),
    ],
    flags: &[FLAGS, LABEL_MANAGER, ALL_NAMESPACES, DRY_RUN, FIELD_SELECTOR, FILES, PRINT, SELECTOR],
    action: Action::Run(|session, args| Box::pin(run(session, args, Kind::Label))),
    ..COMMAND
};

/// `kubectl annotate`.
pub static ANNOTATE: Command = Command {
    name: "annotate",
    usage: "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
    short: "Update the annotations on a resource",
    long: "Change the annotations of objects: KEY=VALUE sets one, KEY- removes one.",
    examples: &[
        ("Set an annotation", "kubectl annotate pods web-1 description='my frontend'"),
        ("Change one that is there", "kubectl annotate --overwrite pods web-1 description='my new frontend'"),
        ("Remove one", "kubectl annotate pods web-1 description-"),
    ],
    flags: &[FLAGS, ANNOTATE_MANAGER, ALL_NAMESPACES, DRY_RUN, FIELD_SELECTOR, FILES, PRINT, SELECTOR],
    action: Action::Run(|session, args| Box::pin(run(session, args, Kind::Annotation))),
    ..COMMAND
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Label,
    Annotation,
}

impl Kind {
    fn word(self) -> &'static str {
        if self == Kind::Label { "label" } else { "annotation" }
    }

    fn field(self) -> &'static str {
        if self == Kind::Label { "labels" } else { "annotations" }
    }
}

/// What is to change.
struct Changes {
    set: BTreeMap<String, String>,
    remove: Vec<String>,
}

async fn run(session: Rc<Session>, args: Args, kind: Kind) -> Outcome {
    let dry_run = DryRun::from_args(&session, &args).await?;
    let reporter = Reporter::new(&session, &args, dry_run)?;
    let reporter = if kind == Kind::Label { reporter.each_alone() } else { reporter };
    let (words, pairs) = split(&args.words, kind)?;
    let changes = read_changes(&pairs, kind)?;
    if words.is_empty() && !has_files(&args) {
        return Err(Failure::message(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    if changes.set.is_empty() && changes.remove.is_empty() && !args.on("list") {
        return Err(Failure::message(format!("at least one {} update is required", kind.word())));
    }
    if args.on("local") && !words.is_empty() {
        return Err(Failure::message(
            "can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set",
        ));
    }
    let found = if args.on("local") {
        let infos = targets::as_written(&session, &args).await?;
        targets::Found { single: infos.len() == 1, infos, failures: Vec::new() }
    } else {
        let rest = session.rest(&args)?;
        let query = Query::from_args(&rest, &args, &words).await?;
        targets::fetch(&rest, &query).await?
    };
    if !found.single && args.changed("resource-version") {
        return Err(Failure::message("--resource-version may only be used with a single resource"));
    }
    let mut failures = found.failures;
    for info in found.infos {
        let outcome = if args.on("list") {
            list(&session, &info, kind, found.single).await
        } else {
            change(&session, &args, &info, kind, &changes, dry_run, &reporter).await
        };
        match outcome {
            Err(failure @ Failure::Exit(_)) => return Err(failure),
            other => failures.extend(other.err()),
        }
    }
    Failure::several(failures)
}

/// Types and names come first, then pairs.
fn split(words: &[String], kind: Kind) -> Outcome<(Vec<String>, Vec<String>)> {
    let is_pair = |w: &String| w.contains('=') || w.ends_with('-');
    let at = words.iter().position(is_pair).unwrap_or(words.len());
    let (names, pairs) = words.split_at(at);
    if let Some(name) = pairs.iter().find(|w| !is_pair(w)) {
        return Err(Failure::message(format!(
            "all resources must be specified before {} changes: {name}",
            kind.word()
        )));
    }
    Ok((names.to_vec(), pairs.to_vec()))
}

fn read_changes(pairs: &[String], kind: Kind) -> Outcome<Changes> {
    let mut changes = Changes { set: BTreeMap::new(), remove: Vec::new() };
    for pair in pairs {
        match pair.split_once('=') {
            Some((key, value)) => {
                if kind == Kind::Label {
                    check_label(pair, value)?;
                } else if key.is_empty() {
                    return Err(Failure::message(format!("invalid annotation format: {pair}")));
                }
                changes.set.insert(key.to_owned(), value.to_owned());
            }
            None => changes.remove.push(pair.trim_end_matches('-').to_owned()),
        }
    }
    if changes.remove.iter().any(|key| changes.set.contains_key(key)) {
        let article = if kind == Kind::Label { "a label" } else { "an annotation" };
        return Err(Failure::message(format!("can not both modify and remove {article} in the same command")));
    }
    Ok(changes)
}

fn check_label(pair: &str, value: &str) -> Outcome {
    if value.contains('=') {
        return Err(Failure::message(format!("invalid label spec: {pair}")));
    }
    let problems = api::names::label_value(value);
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::message(format!("invalid label value: {}: {}", go_quote(pair), problems.join(";"))))
}

async fn list(session: &Session, info: &Info, kind: Kind, single: bool) -> Outcome {
    let mut text = String::new();
    if !single {
        let resource = &info.named.resource;
        text.push_str(&format!(
            "Listing {} for {}.{}/{}:\n",
            kind.field(),
            resource.kind,
            resource.group,
            info.named.name
        ));
    }
    let map = api_map(&info.object, kind);
    let indent = if single { "" } else { " " };
    map.iter().for_each(|(k, v)| text.push_str(&format!("{indent}{k}={v}\n")));
    session.out(text).await
}

fn api_map(object: &Object, kind: Kind) -> BTreeMap<String, String> {
    if kind == Kind::Label { object.labels() } else { object.annotations() }
}

async fn change(
    session: &Rc<Session>,
    args: &Args,
    info: &Info,
    kind: Kind,
    changes: &Changes,
    dry_run: DryRun,
    reporter: &Reporter,
) -> Outcome {
    let old = api_map(&info.object, kind);
    if !args.on("overwrite") {
        refuse_overwriting(&old, changes, kind)?;
    }
    for key in
        changes.remove.iter().filter(|k| kind == Kind::Label && !old.contains_key(*k) && dry_run != DryRun::Client)
    {
        session.out(format!("label \"{key}\" not found.\n")).await?;
    }
    let mut new = info.object.clone();
    let added = changes.set.iter().filter(|(k, v)| old.get(*k) != Some(v)).count();
    let removed = changes.remove.iter().filter(|k| old.contains_key(*k)).count();
    for (key, value) in &changes.set {
        match kind {
            Kind::Label => new.set_label(key, value),
            Kind::Annotation => new.set_annotation(key, value),
        }
    }
    if let Some(map) = new.make_mut()["metadata"][kind.field()].as_object_mut() {
        changes.remove.iter().for_each(|key| drop(map.remove(key)));
    }
    let mut patch = api::patch::create_merge_patch(info.object.value(), new.value());
    if args.changed("resource-version") {
        patch["metadata"]["resourceVersion"] = args.text("resource-version").into();
    }
    let mut shown: Value = new.into_value();
    let changed = added + removed > 0 || kind == Kind::Annotation;
    if dry_run != DryRun::Client && changed && !args.on("local") {
        let rest = session.rest(args)?;
        let path = with_query(
            &info.named.path(),
            &[("dryRun", dry_run.parameter()), ("fieldManager", args.text("field-manager"))],
        );
        shown = rest.patch(&path, MERGE_PATCH, &patch).await?;
    }
    let what = match (kind, added > 0, removed > 0) {
        (Kind::Annotation, ..) => "annotated",
        (_, true, true) => "modified",
        (_, true, false) => "labeled",
        (_, false, true) => "unlabeled",
        (_, false, false) => "not labeled",
    };
    reporter.report(&info.named.resource, &shown, what).await
}

fn refuse_overwriting(old: &BTreeMap<String, String>, changes: &Changes, kind: Kind) -> Outcome {
    let mut lines = Vec::new();
    for (key, value) in &changes.set {
        // Why a revision was made may always be said anew.
        if key == CHANGE_CAUSE {
            continue;
        }
        if let Some(current) = old.get(key).filter(|c| *c != value) {
            lines.push(format!("'{key}' already has a value ({current})"));
        }
    }
    match (lines.is_empty(), kind) {
        (true, _) => Ok(()),
        (false, Kind::Label) => {
            Failure::several(lines.iter().map(|l| Failure::message(format!("{l}, and --overwrite is false"))).collect())
        }
        (false, Kind::Annotation) => Err(Failure::message(format!(
            "--overwrite is false but found the following declared annotation(s): {}",
            lines.join("; ")
        ))),
    }
}
