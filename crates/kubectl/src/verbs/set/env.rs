//! `kubectl set env`.

use std::rc::Rc;

use json::{Value, json};

use super::{COMMON, objects, send};
use crate::failure::{Failure, Outcome};
use crate::flags::parse::go_quote;
use crate::flags::{Action, Args, COMMAND, Command, Flag, array, slice, switch, switch_on, text};
use crate::podspec;
use crate::printers::output::{DryRun, Reporter};
use crate::rest::Rest;
use crate::session::Session;
use crate::targets::has_files;

static FLAGS: &[Flag] = &[
    text("containers", "*", "Which containers, with wildcards.").short('c'),
    array("env", "A variable, as KEY=VALUE.").short('e'),
    text("from", "", "Take the variables from this config map or secret, e.g. configmap/settings."),
    slice("keys", "Only these keys of --from."),
    switch("list", "Show the variables."),
    switch_on("overwrite", "Allow values to be changed."),
    text("prefix", "", "Put this before the names of the variables."),
    switch("resolve", "With --list, show what references stand for."),
];

/// The command.
pub static ENV: Command = Command {
    name: "env",
    usage: "RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N",
    short: "Update environment variables on a pod template",
    long: "Set, remove or list the environment variables of containers.",
    examples: &[
        ("Set a variable", "kubectl set env deployment/web STORAGE_DIR=/local"),
        ("Remove it", "kubectl set env deployment/web STORAGE_DIR-"),
        ("Show all", "kubectl set env deployment/web --list"),
        ("From a config map", "kubectl set env deployment/web --from=configmap/settings"),
    ],
    flags: &[FLAGS, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let dry_run = DryRun::from_args(&session, &args).await?;
    let reporter = Reporter::new(&session, &args, dry_run)?;
    let is_pair = |w: &String| w.contains('=') || (w.ends_with('-') && w.len() > 1);
    let (mut pairs, words): (Vec<String>, Vec<String>) = args.words.iter().cloned().partition(is_pair);
    pairs.extend(args.list("env"));
    if words.is_empty() && !has_files(&args) {
        return Err(Failure::message(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    let rest = session.rest(&args)?;
    let (mut set, remove) = read_pairs(&pairs)?;
    if args.changed("from") {
        set.extend(from(&rest, &args).await?);
    }
    let infos = objects(&session, &rest, &args, &words).await?;
    if set.is_empty() && remove.is_empty() && !args.on("list") {
        return Err(Failure::message("at least one environment variable must be provided"));
    }
    for info in infos {
        if args.on("list") {
            session.out(list(info.object.value())).await?;
            continue;
        }
        let mut changed = info.object.value().clone();
        if let Some(spec) = podspec::of_mut(&mut changed) {
            podspec::each_container(spec, |container| {
                if matches_name(args.text("containers"), podspec::name(container)) {
                    update(container, &set, &remove);
                }
            });
        }
        let words = ("env updated", "failed to patch env update to pod template: ");
        send(&rest, &args, &info, changed, (&reporter, dry_run), words).await?;
    }
    Ok(())
}

/// Variables to set, as the JSON of `env` entries, and names to remove.
fn read_pairs(pairs: &[String]) -> Outcome<(Vec<Value>, Vec<String>)> {
    let (mut set, mut remove) = (Vec::new(), Vec::new());
    for pair in pairs {
        match pair.split_once('=') {
            Some((name, value)) => {
                let problems = api::names::env_var_name(name);
                if !problems.is_empty() {
                    return Err(Failure::message(format!(
                        "{} is not a valid key name: {}",
                        go_quote(name),
                        problems.join(",")
                    )));
                }
                set.push(json!({"name": name, "value": value}));
            }
            None => remove.push(pair.trim_end_matches('-').to_owned()),
        }
    }
    Ok((set, remove))
}

/// `--from=configmap/name`: a reference for every key.
async fn from(rest: &Rest, args: &Args) -> Outcome<Vec<Value>> {
    let source = args.text("from");
    let (kind, name) = source.split_once('/').unwrap_or((source, ""));
    let resource = rest.resource(kind).await?;
    let field = match resource.kind.as_str() {
        "ConfigMap" => "configMapKeyRef",
        "Secret" => "secretKeyRef",
        other => return Err(Failure::message(format!("unsupported resource specified in --from: {other}"))),
    };
    let object = rest.get(&resource.object(rest.namespace(), name)).await?;
    let keys = args.list("keys");
    let mut variables = Vec::new();
    for key in object["data"].as_object().into_iter().flat_map(|m| m.keys()) {
        if !keys.is_empty() && !keys.iter().any(|k| k == key) {
            continue;
        }
        let variable = key.as_str().to_uppercase().replace(['-', '.'], "_");
        if variable != *key {
            rest.session.err(format!("Warning: key {key} transferred to {variable}\n")).await;
        }
        let name_of = format!("{}{variable}", args.text("prefix"));
        variables.push(json!({"name": name_of, "valueFrom": {field: {"name": name, "key": key}}}));
    }
    Ok(variables)
}

fn matches_name(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((head, tail)) => name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail),
        None => pattern == name,
    }
}

fn update(container: &mut Value, set: &[Value], remove: &[String]) {
    let mut env = container.get("env").and_then(Value::as_array).cloned().unwrap_or_default();
    env.retain(|v| !remove.iter().any(|r| v["name"] == r.as_str()));
    for variable in set {
        match env.iter_mut().find(|v| v["name"] == variable["name"]) {
            Some(existing) => *existing = variable.clone(),
            None => env.push(variable.clone()),
        }
    }
    match (env.is_empty(), container.as_object_mut()) {
        (true, Some(map)) => drop(map.remove("env")),
        _ => container["env"] = Value::Array(env),
    }
}

/// The text of `--list`.
fn list(object: &Value) -> String {
    let kind = object["kind"].as_str().unwrap_or("");
    let name = object["metadata"]["name"].as_str().unwrap_or("");
    let mut text = String::new();
    for container in podspec::of(object).into_iter().flat_map(podspec::containers) {
        text.push_str(&format!("# {kind} {name}, container {}\n", podspec::name(container)));
        for variable in container.get("env").and_then(Value::as_array).into_iter().flatten() {
            text.push_str(&line(variable));
        }
    }
    text
}

fn line(variable: &Value) -> String {
    let name = variable["name"].as_str().unwrap_or("");
    let reference = |field: &str, title: &str| {
        let r = variable.get("valueFrom")?.get(field)?;
        let (of, key) = (r["name"].as_str().unwrap_or(""), r["key"].as_str().unwrap_or(""));
        Some(format!("# {name} from {title} {of}, key {key}\n"))
    };
    if let Some(line) = reference("configMapKeyRef", "configmap").or_else(|| reference("secretKeyRef", "secret")) {
        return line;
    }
    if let Some(path) = variable["valueFrom"]["fieldRef"]["fieldPath"].as_str() {
        return format!("# {name} from field path {path}\n");
    }
    format!("{name}={}\n", variable["value"].as_str().unwrap_or(""))
}
