//! `kubectl diff` (`kubectl/pkg/cmd/diff`): what an apply would change, as `diff -u -N` prints it.
//!
//! The comparison itself is built in; `KUBECTL_EXTERNAL_DIFF` names another program, which gets the two directories.

use std::rc::Rc;

use json::Value;

use super::apply;
use crate::failure::{Failure, Outcome};
use crate::flags::common::{FILES, SELECTOR, field_manager};
use crate::flags::{Action, Args, COMMAND, Command, Flag, int, slice, switch, text};
use crate::printers::output::hide_managed_fields;
use crate::rest::{APPLY_PATCH, MERGE_PATCH, Rest, STRATEGIC_PATCH, with_query};
use crate::session::Session;
use crate::targets::{self, Named, Query, Target, has_files};
use crate::unified;

static FLAGS: &[Flag] = &[
    int("concurrency", "1", "Objects that are asked for at the same time."),
    field_manager("kubectl-client-side-apply"),
    switch("force-conflicts", "With --server-side, take fields over from other managers."),
    switch("prune", "Also show what an apply with --prune would delete."),
    slice("prune-allowlist", "Types that --prune may delete."),
    switch("server-side", "Let the server merge."),
    switch("show-managed-fields", "Keep managedFields."),
    text("show-secret-values", "false", "Show the values of secrets.").bare("true"),
];

/// The command.
pub static DIFF: Command = Command {
    name: "diff",
    usage: "-f FILENAME",
    short: "Diff the live version against a would-be applied version",
    long: "Show what an apply of the files would change. The exit code is 0 when nothing would, 1 when something would, and greater when it cannot be told.",
    examples: &[
        ("A file", "kubectl diff -f pod.yaml"),
        ("From standard input", "cat service.yaml | kubectl diff -f -"),
    ],
    flags: &[FLAGS, FILES, SELECTOR],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

/// Failures have exit code 2: 1 means that there are differences.
async fn run(session: Rc<Session>, args: Args) -> Outcome {
    match compare(&session, &args).await {
        Ok(true) => Err(Failure::Exit(1)),
        Ok(false) => Ok(()),
        Err(Failure::Exit(code)) => Err(Failure::Exit(code)),
        Err(failure) => {
            session.err(failure.render().0).await;
            Err(Failure::Exit(2))
        }
    }
}

/// An object as it is and as it would be.
struct Pair {
    file: String,
    live: String,
    merged: String,
}

/// Prints the differences; whether there are any.
async fn compare(session: &Rc<Session>, args: &Args) -> Outcome<bool> {
    if !args.words.is_empty() {
        return Err(args.usage(format!("Unexpected args: [{}]", args.words.join(" "))));
    }
    if !has_files(args) {
        return Err(Failure::message("must specify one of -f and -k"));
    }
    if args.on("prune") {
        return Err(Failure::message(simulation::stub!("kubectl diff", "--prune")));
    }
    let rest = session.rest(args)?;
    let query = Query::from_args(&rest, args, &[]).await?;
    let (wanted, failures) = targets::resolve(&rest, &query).await?;
    Failure::several(failures)?;
    let mut pairs = Vec::new();
    for target in wanted {
        let Target::Named(named) = target else { continue };
        pairs.push(pair(&rest, args, &named).await?);
    }
    pairs.sort_by(|a, b| a.file.cmp(&b.file));
    let number = || 1_000_000_000 + session.sim.random_below(3_000_000_000);
    let (live, merged) = (format!("/tmp/LIVE-{}", number()), format!("/tmp/MERGED-{}", number()));
    match session.place.env("KUBECTL_EXTERNAL_DIFF").filter(|program| !program.is_empty()) {
        Some(program) => with_program(session, &program, &pairs, (&live, &merged)).await,
        None => built_in(session, &pairs, (&live, &merged)).await,
    }
}

async fn built_in(session: &Session, pairs: &[Pair], (live, merged): (&str, &str)) -> Outcome<bool> {
    let mut out = String::new();
    let stamp = session.now().rfc3339().replace('T', " ").replace('Z', ".000000000 +0000");
    for pair in pairs {
        let hunks = unified::hunks(&pair.live, &pair.merged);
        if hunks.is_empty() {
            continue;
        }
        let (old, new) = (format!("{live}/{}", pair.file), format!("{merged}/{}", pair.file));
        out += &format!("diff -u -N {old} {new}\n--- {old}\t{stamp}\n+++ {new}\t{stamp}\n{hunks}");
    }
    let differs = !out.is_empty();
    session.out(out).await?;
    Ok(differs)
}

/// Gives the two directories to a program; words of its name that are plain are passed on, as kubectl does.
async fn with_program(session: &Session, program: &str, pairs: &[Pair], (live, merged): (&str, &str)) -> Outcome<bool> {
    let is_plain = |word: &&str| word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '='));
    let mut parts = program.split_whitespace();
    let mut words: Vec<String> = parts.next().map(str::to_owned).into_iter().collect();
    words.extend(parts.filter(is_plain).map(str::to_owned));
    words.extend([live.to_owned(), merged.to_owned()]);
    for pair in pairs {
        for (directory, text) in [(live, &pair.live), (merged, &pair.merged)] {
            let path = format!("{directory}/{}", pair.file);
            session.place.write_file(&path, text.as_bytes()).map_err(Failure::message)?;
        }
    }
    let name = words[0].clone();
    let code = session.place.run(words).await;
    for pair in pairs {
        for directory in [live, merged] {
            session.place.remove_file(&format!("{directory}/{}", pair.file));
        }
    }
    match code {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        Some(code) => Err(Failure::Exit(code)),
        None => Err(Failure::message(format!(
            "failed to run {}: exec: {}: executable file not found in $PATH",
            crate::flags::parse::go_quote(&name),
            crate::flags::parse::go_quote(&name)
        ))),
    }
}

async fn pair(rest: &Rest, args: &Args, named: &Named) -> Outcome<Pair> {
    let live = match rest.get(&named.path()).await {
        Ok(live) => Some(live),
        Err(failure) if failure.is_not_found() => None,
        Err(failure) => return Err(failure),
    };
    let mut merged = merged(rest, args, named, live.as_ref()).await?;
    let mut live = live.unwrap_or(Value::Null);
    if !args.on("show-managed-fields") {
        hide_managed_fields(&mut live);
        hide_managed_fields(&mut merged);
    }
    if named.resource.kind == "Secret" && named.resource.group.is_empty() && args.text("show-secret-values") != "true" {
        mask(&mut live, &mut merged);
    }
    let resource = &named.resource;
    let parts = [&resource.group, &resource.version, &resource.kind, &named.namespace, &named.name];
    let file: Vec<&str> = parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let live = if live.is_null() { String::new() } else { api::yaml::emit(&live) };
    Ok(Pair { file: file.join("."), live, merged: api::yaml::emit(&merged) })
}

/// The object as it would be: the server is asked, and keeps nothing.
async fn merged(rest: &Rest, args: &Args, named: &Named, live: Option<&Value>) -> Outcome<Value> {
    let manifest = named.manifest.as_ref().map_or(Value::Null, |document| document.value.clone());
    let manager = ("fieldManager", args.text("field-manager"));
    if args.on("server-side") {
        let force = if args.on("force-conflicts") { "true" } else { "false" };
        let path = with_query(&named.path(), &[("dryRun", "All"), manager, ("force", force)]);
        return rest.patch(&path, APPLY_PATCH, &manifest).await;
    }
    let Some(live) = live else {
        let path = with_query(&named.resource.collection(&named.namespace), &[("dryRun", "All"), manager]);
        return rest.post(&path, &manifest).await;
    };
    // What was applied last stays written down as it is: a manifest without annotations has an empty map, as when applied.
    let mut modified = manifest;
    match modified["metadata"]["annotations"].as_object_mut() {
        Some(annotations) => drop(annotations.remove(crate::last_applied::KEY)),
        None => modified["metadata"]["annotations"] = json::json!({}),
    }
    let (patch, strategic) = apply::three_way(named, &modified, live)?;
    if patch.as_object().is_some_and(json::Map::is_empty) {
        return Ok(live.clone());
    }
    let kind = if strategic { STRATEGIC_PATCH } else { MERGE_PATCH };
    rest.patch(&with_query(&named.path(), &[("dryRun", "All"), manager]), kind, &patch).await
}

/// Hides the values of secrets; that they differ is still to be seen.
fn mask(live: &mut Value, merged: &mut Value) {
    let keys: Vec<String> = [&*live, &*merged]
        .into_iter()
        .filter_map(|secret| secret["data"].as_object())
        .flat_map(|data| data.keys().map(ToString::to_string))
        .collect();
    for key in keys {
        let (old, new) = (live["data"].get(&key).cloned(), merged["data"].get(&key).cloned());
        let differ = old.is_some() && new.is_some() && old != new;
        if old.is_some() {
            live["data"][&key] = if differ { "*** (before)" } else { "***" }.into();
        }
        if new.is_some() {
            merged["data"][&key] = if differ { "*** (after)" } else { "***" }.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use json::json;

    #[test]
    fn secrets_stay_secret() {
        let mut live = json!({"data": {"a": "1", "b": "2", "gone": "3"}});
        let mut merged = json!({"data": {"a": "1", "b": "9", "new": "4"}});
        mask(&mut live, &mut merged);
        assert_eq!(live["data"], json!({"a": "***", "b": "*** (before)", "gone": "***"}));
        assert_eq!(merged["data"], json!({"a": "***", "b": "*** (after)", "new": "***"}));
    }
}
