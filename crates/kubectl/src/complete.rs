//! The Tab key: commands, flags, types and live names (`kubectl/pkg/util/completion`).

use std::rc::Rc;

use json::Value;

use crate::flags::parse::{self, Args, Parsed};
use crate::flags::{Command, common};
use crate::rest::{Rest, with_query};
use crate::session::Session;
use crate::tree;
use crate::{pods, podspec};

/// Names offered at most.
const NAMES_MAX: &str = "200";

/// What the words of a command name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    /// A type and then names, or type/name.
    Objects,
    /// Pods, or type/name.
    Pods,
    /// Nodes.
    Nodes,
    /// Types only.
    Types,
    /// Contexts of the kubeconfig.
    Contexts,
}

/// Commands whose words can be completed.
static COMMANDS: &[(&str, Words)] = &[
    ("kubectl get", Words::Objects),
    ("kubectl describe", Words::Objects),
    ("kubectl delete", Words::Objects),
    ("kubectl edit", Words::Objects),
    ("kubectl label", Words::Objects),
    ("kubectl annotate", Words::Objects),
    ("kubectl scale", Words::Objects),
    ("kubectl expose", Words::Objects),
    ("kubectl patch", Words::Objects),
    ("kubectl wait", Words::Objects),
    ("kubectl autoscale", Words::Objects),
    ("kubectl set image", Words::Objects),
    ("kubectl set env", Words::Objects),
    ("kubectl set resources", Words::Objects),
    ("kubectl rollout history", Words::Objects),
    ("kubectl rollout pause", Words::Objects),
    ("kubectl rollout restart", Words::Objects),
    ("kubectl rollout resume", Words::Objects),
    ("kubectl rollout status", Words::Objects),
    ("kubectl rollout undo", Words::Objects),
    ("kubectl logs", Words::Pods),
    ("kubectl exec", Words::Pods),
    ("kubectl attach", Words::Pods),
    ("kubectl port-forward", Words::Pods),
    ("kubectl top pod", Words::Pods),
    ("kubectl top node", Words::Nodes),
    ("kubectl cordon", Words::Nodes),
    ("kubectl uncordon", Words::Nodes),
    ("kubectl drain", Words::Nodes),
    ("kubectl taint", Words::Objects),
    ("kubectl explain", Words::Types),
    ("kubectl config use-context", Words::Contexts),
    ("kubectl config get-contexts", Words::Contexts),
    ("kubectl config delete-context", Words::Contexts),
];

/// Commands whose object is followed by `container=image`.
const IMAGES: &[&str] = &["kubectl set image"];

/// Completions of the last word; `words` are those after `kubectl`. Whole words come back.
pub async fn complete(session: &Rc<Session>, words: &[String]) -> Vec<String> {
    let Some((last, before)) = words.split_last() else { return Vec::new() };
    let (command, path, rest) = parse::find(&tree::ROOT, before);
    let mut found = candidates(session, command, &path, &rest, last).await;
    found.retain(|c| c.starts_with(last.as_str()));
    found.sort();
    found.dedup();
    found
}

async fn candidates(
    session: &Rc<Session>,
    command: &'static Command,
    path: &str,
    rest: &[String],
    last: &str,
) -> Vec<String> {
    if rest.iter().any(|w| w == "--") {
        return Vec::new();
    }
    let args = read(rest, path);
    if let Some((name, _)) = last.strip_prefix("--").and_then(|word| word.split_once('=')) {
        let Some(flag) = command.flag(name) else { return Vec::new() };
        let found = values(session, &args, path, flag.name).await;
        return found.into_iter().map(|value| format!("--{name}={value}")).collect();
    }
    if last.starts_with('-') {
        return flags(command);
    }
    if let Some(flag) = rest.last().and_then(|w| wanting_value(command, w)) {
        return values(session, &args, path, flag).await;
    }
    if !command.commands.is_empty() && args.words.is_empty() {
        let mut names: Vec<String> = command.commands.iter().map(|c| c.name.to_owned()).collect();
        if std::ptr::eq(command, &tree::ROOT) {
            names.retain(|n| n != "options");
        }
        return names;
    }
    let row = COMMANDS.iter().find(|(name, _)| *name == path);
    match row {
        Some((_, kind)) => named(session, &args, path, *kind, last).await,
        None => Vec::new(),
    }
}

/// The words before, read as far as they can be.
fn read(rest: &[String], path: &str) -> Args {
    let mut words: Vec<String> = path.split(' ').skip(1).map(str::to_owned).collect();
    words.extend(rest.iter().cloned());
    match parse::parse(&tree::ROOT, &words) {
        Ok(Parsed::Run(_, args)) => args,
        _ => Args::of_words(rest.iter().filter(|w| !w.starts_with('-')).cloned().collect()),
    }
}

fn flags(command: &Command) -> Vec<String> {
    let all = command.own_flags().chain(common::GLOBAL).filter(|f| !f.hidden);
    let mut names: Vec<String> = all.map(|f| format!("--{}", f.name)).collect();
    names.push("--help".to_owned());
    names
}

/// The flag whose value comes next.
fn wanting_value(command: &Command, word: &str) -> Option<&'static str> {
    let flag = match word.strip_prefix("--") {
        Some(name) => command.flag(name)?,
        None => command.shorthand(word.strip_prefix('-')?.chars().last()?)?,
    };
    flag.bare.is_none().then_some(flag.name)
}

/// Flags with a few possible values. A flag that means something else in another command names the command.
static CHOICES: &[(&str, &str, &[&str])] = &[
    ("", "cascade", &["background", "orphan", "foreground"]),
    ("", "dry-run", &["none", "server", "client"]),
    ("", "image-pull-policy", &["Always", "IfNotPresent", "Never"]),
    ("", "output", &["json", "yaml", "wide", "name", "jsonpath=", "go-template=", "custom-columns="]),
    ("", "restart", &["Always", "OnFailure", "Never"]),
    ("kubectl expose", "type", &["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
    ("kubectl patch", "type", &["json", "merge", "strategic"]),
    ("", "validate", &["strict", "warn", "ignore"]),
];

async fn values(session: &Rc<Session>, args: &Args, path: &str, flag: &str) -> Vec<String> {
    let choices = CHOICES.iter().find(|(command, name, _)| *name == flag && (command.is_empty() || *command == path));
    if let Some((_, _, values)) = choices {
        return values.iter().map(|value| (*value).to_owned()).collect();
    }
    match flag {
        "namespace" => names(session, args, "namespaces").await,
        "context" => contexts(session, args),
        "container" => containers(session, args).await,
        "image" => images(session, args).await,
        _ => Vec::new(),
    }
}

/// The containers of the pod that is named, or of the workload's pods.
async fn containers(session: &Rc<Session>, args: &Args) -> Vec<String> {
    let (Ok(rest), Some(word)) = (session.rest(args), args.words.first()) else { return Vec::new() };
    let Ok(object) = pods::object_of(&rest, word).await else { return Vec::new() };
    let spec = if object.kind() == "Pod" { "spec" } else { "spec.template.spec" };
    let lists = ["initContainers", "containers"].map(|list| object.list(&format!("{spec}.{list}")).to_vec());
    lists.iter().flatten().map(|container| podspec::name(container).to_owned()).collect()
}

/// The images that the nodes have.
async fn images(session: &Rc<Session>, args: &Args) -> Vec<String> {
    let Ok(rest) = session.rest(args) else { return Vec::new() };
    let Ok(answer) = rest.get("/api/v1/nodes").await else { return Vec::new() };
    let nodes = answer["items"].as_array().cloned().unwrap_or_default();
    let images = nodes.iter().flat_map(|node| node["status"]["images"].as_array().cloned().unwrap_or_default());
    let names = images.flat_map(|image| image["names"].as_array().cloned().unwrap_or_default());
    names.filter_map(|name| name.as_str().filter(|name| !name.contains('@')).map(str::to_owned)).collect()
}

fn contexts(session: &Session, args: &Args) -> Vec<String> {
    let config = crate::kubeconfig::Config::load_lenient(session, args).map(|c| c.merged()).unwrap_or_default();
    crate::kubeconfig::list(&config, "contexts").iter().map(|e| crate::kubeconfig::name(e).to_owned()).collect()
}

async fn named(session: &Rc<Session>, args: &Args, path: &str, kind: Words, last: &str) -> Vec<String> {
    match kind {
        Words::Contexts if args.words.is_empty() => contexts(session, args),
        Words::Contexts => Vec::new(),
        Words::Nodes => names(session, args, "nodes").await,
        Words::Types if args.words.is_empty() => types(session, args).await,
        Words::Types => Vec::new(),
        _ if last.contains('/') => {
            let kind = last.split('/').next().unwrap_or("").to_owned();
            let found = names(session, args, &kind).await;
            found.into_iter().map(|name| format!("{kind}/{name}")).collect()
        }
        Words::Pods if args.words.is_empty() => {
            let mut found = names(session, args, "pods").await;
            found.extend(["deployment/", "pod/", "replicaset/", "service/"].map(str::to_owned));
            found
        }
        Words::Pods => Vec::new(),
        // `set image deployment/web <container>=`: what comes behind the object are its containers.
        Words::Objects if IMAGES.contains(&path) && args.words.first().is_some_and(|word| word.contains('/')) => {
            containers(session, args).await.into_iter().map(|name| format!("{name}=")).collect()
        }
        Words::Objects => match args.words.first() {
            None => types(session, args).await,
            Some(kind) if kind.contains('/') => Vec::new(),
            Some(kind) => {
                let mut found = names(session, args, kind).await;
                found.retain(|name| !args.words[1..].contains(name));
                found
            }
        },
    }
}

async fn types(session: &Rc<Session>, args: &Args) -> Vec<String> {
    let Ok(rest) = session.rest(args) else { return Vec::new() };
    let Ok(discovery) = rest.discovery().await else { return Vec::new() };
    let listable = discovery.resources.iter().filter(|r| r.can("list"));
    let mut found: Vec<String> = Vec::new();
    for resource in listable {
        let taken = found.contains(&resource.plural);
        found.push(if taken { resource.group_resource() } else { resource.plural.clone() });
    }
    found
}

async fn names(session: &Rc<Session>, args: &Args, kind: &str) -> Vec<String> {
    let Ok(rest) = session.rest(args) else { return Vec::new() };
    list_names(&rest, args, kind).await.unwrap_or_default()
}

async fn list_names(rest: &Rest, args: &Args, kind: &str) -> crate::failure::Outcome<Vec<String>> {
    let discovery = rest.discovery().await?;
    let Some(resource) = discovery.find(kind) else { return Ok(Vec::new()) };
    let namespace = if args.on("all-namespaces") { "" } else { rest.namespace() };
    let answer = rest.get(&with_query(&resource.collection(namespace), &[("limit", NAMES_MAX)])).await?;
    let items = answer.get("items").and_then(Value::as_array).map_or(&[][..], json::Array::as_slice);
    Ok(items.iter().filter_map(|i| i.pointer("/metadata/name")?.as_str().map(str::to_owned)).collect())
}
