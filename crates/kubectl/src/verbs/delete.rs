//! `kubectl delete` (`kubectl/pkg/cmd/delete`).

use std::rc::Rc;

use json::{Value, json};

use crate::failure::{Failure, Outcome};
use crate::flags::common::{ALL_NAMESPACES, DRY_RUN, FIELD_SELECTOR, FILES, SELECTOR};
use crate::flags::{Action, Args, COMMAND, Command, Flag, duration, int, switch, switch_on, text};
use crate::printers::output::DryRun;
use crate::rest::{Rest, with_query};
use crate::session::Session;
use crate::targets::{self, Named, Query, Target};
use crate::waiting;

static FLAGS: &[Flag] = &[
    switch("all", "Delete all objects of the given types in the namespace."),
    text("cascade", "background", "What happens to dependents: \"background\", \"orphan\" or \"foreground\".")
        .bare("background"),
    switch("force", "Remove the object at once, without waiting for its pod to stop."),
    int("grace-period", "-1", "Seconds that the object is given to end; negative leaves it to the object."),
    switch("ignore-not-found", "Do not fail when the object does not exist. On by default with --all and selectors."),
    switch("interactive", "Ask before deleting.").short('i'),
    switch("now", "Tell the object to end at once (--grace-period=1)."),
    text("output", "", "'name' prints only names.").short('o'),
    text("raw", "", "Send DELETE to this path of the server."),
    duration("timeout", "0s", "How long to wait for the end; 0 leaves it to the object."),
    switch_on("wait", "Return only when the objects are gone."),
];

/// The command.
pub static DELETE: Command = Command {
    name: "delete",
    usage: "([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)])",
    short: "Delete resources by file names, stdin, resources and names, or by resources and label selector",
    long: "Delete objects by file, by type and name, or by type and label.

 Deleting an object deletes what it owns: deleting a deployment deletes its pods. Pods are given time to end cleanly.",
    examples: &[
        ("What a file describes", "kubectl delete -f ./pod.yaml"),
        ("One deployment", "kubectl delete deployment web"),
        ("A deployment and a service", "kubectl delete deployment/web service/web"),
        ("All services with a label", "kubectl delete services -l app=web"),
        ("All pods of this namespace", "kubectl delete pods --all"),
    ],
    flags: &[FLAGS, ALL_NAMESPACES, DRY_RUN, FIELD_SELECTOR, FILES, SELECTOR],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

struct Delete {
    rest: Rest,
    grace: i64,
    cascade: &'static str,
    dry_run: DryRun,
    names_only: bool,
}

fn cascade(args: &Args) -> Outcome<&'static str> {
    match args.text("cascade") {
        "background" | "true" => Ok("Background"),
        "foreground" => Ok("Foreground"),
        "orphan" | "false" => Ok("Orphan"),
        other => Err(Failure::message(format!(
            "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
        ))),
    }
}

fn grace(args: &Args) -> Outcome<i64> {
    let mut grace = args.int("grace-period");
    if args.on("now") {
        if grace != -1 {
            return Err(Failure::message("--now and --grace-period cannot be specified together"));
        }
        grace = 1;
    }
    match (grace, args.on("force")) {
        (0, false) => Ok(1),
        (g, true) if g < 0 => Ok(0),
        (g, _) => Ok(g),
    }
}

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let grace = grace(&args)?;
    let dry_run = DryRun::from_args(&session, &args).await?;
    let rest = session.rest(&args)?;
    if args.changed("raw") {
        let answer = rest.delete(args.text("raw"), &json!({})).await?;
        return session.out(format!("{answer}\n")).await;
    }
    let query = Query::from_args(&rest, &args, &args.words).await?;
    let (wanted, failures) = targets::resolve(&rest, &query).await?;
    validate(&session, &args, grace).await?;
    let selecting = args.on("all") || args.changed("selector") || args.changed("field-selector");
    let ignore = args.on("ignore-not-found") || (selecting && !args.changed("ignore-not-found"));
    let delete = Delete { rest, grace, cascade: cascade(&args)?, dry_run, names_only: args.text("output") == "name" };
    if args.on("interactive") && dry_run == DryRun::None && !delete.confirm(&query, &wanted).await? {
        return session.out("deletion is cancelled\n").await;
    }
    let (gone, mut failures, found) = delete.all(&query, wanted, failures, ignore).await?;
    if failures.is_empty() && found == 0 {
        return session.out("No resources found\n").await;
    }
    if args.on("wait") && dry_run == DryRun::None && failures.is_empty() {
        let time = match args.duration("timeout") {
            0 => waiting::FOREVER_NANOS,
            time => time,
        };
        for (named, uid) in gone {
            failures.extend(waiting::deleted(&delete.rest, &named, &uid, time).await.err());
        }
    }
    Failure::several(failures)
}

async fn validate(session: &Session, args: &Args, grace: i64) -> Outcome {
    let output = args.text("output");
    if !matches!(output, "" | "name") {
        return Err(Failure::message(format!("unexpected -o output mode: {output}. We only support '-o name'")));
    }
    if args.on("all") && args.changed("selector") {
        return Err(Failure::message("cannot set --all and --selector at the same time"));
    }
    if args.on("force") && grace > 0 {
        return Err(Failure::message("--force and --grace-period greater than 0 cannot be specified together"));
    }
    if args.on("force") && grace == 0 {
        session
            .err("Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n")
            .await;
    }
    Ok(())
}

type Gone = Vec<(Named, String)>;

impl Delete {
    /// Shows what would be deleted, and asks.
    async fn confirm(&self, query: &Query, wanted: &[Target]) -> Outcome<bool> {
        let mut titles = Vec::new();
        for target in wanted {
            match target {
                Target::Named(named) => titles.push(named.title()),
                Target::Selected { resource, namespace } => {
                    let found = targets::list(&self.rest, query, resource, namespace).await?;
                    titles.extend(found.iter().map(|info| info.named.title()));
                }
            }
        }
        if titles.is_empty() {
            return Ok(true);
        }
        let session = &self.rest.session;
        let list: String = titles.iter().map(|title| format!("{title}\n")).collect();
        let text = format!("You are about to delete the following {} resource(s):\n{list}", titles.len());
        session.out(text + "Do you want to continue? (y/N): ").await?;
        let answer = String::from_utf8_lossy(&session.place.read_in().await).trim().to_lowercase();
        Ok(matches!(answer.as_str(), "y" | "yes"))
    }

    async fn all(
        &self,
        query: &Query,
        wanted: Vec<Target>,
        mut failures: Vec<Failure>,
        ignore: bool,
    ) -> Outcome<(Gone, Vec<Failure>, usize)> {
        let (mut gone, mut found) = (Vec::new(), 0);
        for target in wanted {
            let objects = match target {
                Target::Named(named) => vec![named],
                Target::Selected { resource, namespace } => {
                    match targets::list(&self.rest, query, &resource, &namespace).await {
                        Ok(infos) => infos.into_iter().map(|i| i.named).collect(),
                        Err(failure) => {
                            failures.push(failure);
                            continue;
                        }
                    }
                }
            };
            for named in objects {
                found += 1;
                match self.one(&named).await {
                    Ok(uid) => gone.push((named, uid)),
                    Err(f) if ignore && f.is_not_found() => {}
                    Err(f @ (Failure::Transport(..) | Failure::Exit(_))) => return Err(f),
                    Err(f) => {
                        let source = named.manifest.as_ref().map_or("", |m| m.source.as_str());
                        failures.push(f.while_doing("deleting", source));
                    }
                }
            }
        }
        Ok((gone, failures, found))
    }

    /// Deletes one object; the value is its uid.
    async fn one(&self, named: &Named) -> Outcome<String> {
        if named.name.is_empty() {
            return Err(Failure::message("resource name may not be empty"));
        }
        let mut uid = String::new();
        if self.dry_run != DryRun::Client {
            let mut options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": self.cascade});
            if self.grace >= 0 {
                options["gracePeriodSeconds"] = self.grace.into();
            }
            let path = with_query(&named.path(), &[("dryRun", self.dry_run.parameter())]);
            let answer = self.rest.delete(&path, &options).await?;
            uid = uid_of(&answer).to_owned();
        }
        self.rest.session.out(self.say(named)).await?;
        Ok(uid)
    }

    fn say(&self, named: &Named) -> String {
        if self.names_only {
            return format!("{}\n", named.title());
        }
        let what = if self.grace == 0 { "force deleted" } else { "deleted" };
        let place = match (named.resource.namespaced, named.namespace.as_str()) {
            (true, namespace) => format!(" from {namespace} namespace"),
            _ => String::new(),
        };
        format!("{} \"{}\" {what}{place}{}\n", named.resource.group_kind_lower(), named.name, self.dry_run.suffix())
    }
}

/// The uid in an answer to DELETE: of the object, or of a Status's details.
fn uid_of(answer: &Value) -> &str {
    let of = |part: &str| answer.get(part).and_then(|p| p.get("uid")).and_then(Value::as_str);
    of("metadata").or_else(|| of("details")).unwrap_or("")
}
