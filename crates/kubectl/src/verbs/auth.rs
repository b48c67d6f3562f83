//! `kubectl auth`: may I, who am I, and roles as files say (`kubectl/pkg/cmd/auth`).

mod reconcile;
mod rules;

use std::rc::Rc;

use json::{Value, json};

use crate::failure::{Failure, Outcome};
use crate::flags::common::PRINT;
use crate::flags::{Action, Args, COMMAND, Command, Flag, HelpTo, switch, text};
use crate::printers::output::{self, Format};
use crate::printers::tabwriter::TABLE;
use crate::rest::Rest;
use crate::session::Session;

/// The commands.
pub static AUTH: Command = Command {
    name: "auth",
    short: "Inspect authorization",
    long: "Inspect authorization.",
    commands: &[&CAN_I, &reconcile::RECONCILE, &WHOAMI],
    action: Action::Group(HelpTo::Err),
    ..COMMAND
};

static CAN_I_FLAGS: &[Flag] = &[
    switch("all-namespaces", "Ask for all namespaces.").short('A'),
    switch("list", "List everything that is allowed."),
    switch("no-headers", "With --list, leave the headings out."),
    switch("quiet", "Print nothing; the exit code answers.").short('q'),
    text("subresource", "", "A subresource such as log or scale."),
];

static CAN_I: Command = Command {
    name: "can-i",
    usage: "VERB [TYPE | TYPE/NAME | NONRESOURCEURL]",
    short: "Check whether an action is allowed",
    long: "Ask the server whether you, or with --as somebody else, may do something.",
    examples: &[
        ("May I make pods in any namespace?", "kubectl auth can-i create pods --all-namespaces"),
        (
            "May this service account list pods?",
            "kubectl auth can-i list pods --as=system:serviceaccount:dev:foo -n prod",
        ),
        ("What may I do here?", "kubectl auth can-i --list"),
    ],
    flags: &[CAN_I_FLAGS],
    action: Action::Run(|session, args| Box::pin(can_i(session, args))),
    ..COMMAND
};

static WHOAMI: Command = Command {
    name: "whoami",
    usage: "",
    short: "Experimental: Check self subject attributes",
    long: "Ask the server who it takes you for, with --as after impersonation.",
    flags: &[PRINT],
    action: Action::Run(|session, args| Box::pin(whoami(session, args))),
    ..COMMAND
};

const RESOURCE_VERBS: &[&str] = &[
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "use",
    "bind",
    "impersonate",
    "*",
    "approve",
    "sign",
    "escalate",
    "attest",
];
const PATH_VERBS: &[&str] = &["get", "put", "post", "head", "options", "delete", "patch", "*"];
/// Resources that no discovery lists.
const UNLISTED: &[&str] = &["users", "groups"];

async fn can_i(session: Rc<Session>, args: Args) -> Outcome {
    if args.on("list") {
        if !args.words.is_empty() {
            return Err(Failure::message("list option must be specified with no arguments"));
        }
        if args.on("quiet") || args.on("all-namespaces") || !args.text("subresource").is_empty() {
            return Err(Failure::message(
                "list option can't be specified with neither quiet, all-namespaces nor subresource options",
            ));
        }
        return list(&session, &args).await;
    }
    let [verb, what] = args.words.as_slice() else {
        return Err(Failure::message(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
        ));
    };
    let rest = session.rest(&args)?;
    let subresource = args.text("subresource");
    let namespace = if args.on("all-namespaces") { "" } else { rest.namespace() };
    let spec = if what.starts_with('/') {
        if !subresource.is_empty() {
            return Err(Failure::message("--subresource can not be used with NonResourceURL"));
        }
        if !PATH_VERBS.contains(&verb.as_str()) {
            warn(&session, &format!("verb '{verb}' is not a known verb")).await;
        }
        json!({"nonResourceAttributes": {"verb": verb, "path": what}})
    } else {
        let (word, name) = what.split_once('/').unwrap_or((what, ""));
        let (group, resource) = resource(&session, &rest, word, !args.on("all-namespaces")).await?;
        if !args.on("all-namespaces") && !RESOURCE_VERBS.contains(&verb.as_str()) {
            warn(&session, &format!("verb '{verb}' is not a known verb")).await;
        }
        let mut attributes = json!({"verb": verb, "resource": resource});
        for (field, value) in
            [("namespace", namespace), ("group", &group), ("subresource", subresource), ("name", name)]
        {
            if !value.is_empty() {
                attributes[field] = value.into();
            }
        }
        json!({"resourceAttributes": attributes})
    };
    if args.on("no-headers") {
        return Err(Failure::message("--no-headers cannot be set without --list specified"));
    }
    let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec});
    let answer = rest.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review).await?;
    let status = &answer["status"];
    let allowed = status["allowed"] == true;
    if !args.on("quiet") {
        let mut text = if allowed { "yes" } else { "no" }.to_owned();
        for field in ["reason", "evaluationError"] {
            if let (false, Some(why)) = (allowed, status[field].as_str().filter(|why| !why.is_empty())) {
                text += &format!(" - {why}");
            }
        }
        session.out(text + "\n").await?;
    }
    if allowed { Ok(()) } else { Err(Failure::Exit(1)) }
}

/// A warning with an empty line after it, as upstream's.
async fn warn(session: &Session, text: &str) {
    session.err(format!("Warning: {text}\n\n")).await;
}

/// The group and name of a resource; a word that means none is asked for as it is.
async fn resource(session: &Session, rest: &Rest, word: &str, namespaced: bool) -> Outcome<(String, String)> {
    if word == "*" {
        return Ok((String::new(), word.to_owned()));
    }
    if let Some(found) = rest.discovery().await?.find(word) {
        if namespaced && !found.namespaced {
            let place = if found.group.is_empty() { String::new() } else { format!(" in group '{}'", found.group) };
            warn(session, &format!("resource '{}' is not namespace scoped{place}", found.plural)).await;
        }
        return Ok((found.group.clone(), found.plural.clone()));
    }
    if !UNLISTED.contains(&word) {
        let (name, group) = word.split_once('.').unwrap_or((word, ""));
        let place = if group.is_empty() { String::new() } else { format!(" in group '{group}'") };
        warn(session, &format!("the server doesn't have a resource type '{name}'{place}")).await;
    }
    Ok((String::new(), word.to_owned()))
}

/// A rule for one resource, or for one path.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rule {
    verbs: Vec<String>,
    group: String,
    resource: String,
    name: Option<String>,
    path: Option<String>,
}

impl Rule {
    /// As Go's generated code prints one, by which the list is sorted.
    fn sort_key(&self) -> String {
        let (groups, resources) =
            if self.path.is_some() { ("", "") } else { (self.group.as_str(), self.resource.as_str()) };
        format!(
            "&PolicyRule{{Verbs:[{}],APIGroups:[{groups}],Resources:[{resources}],ResourceNames:[{}],NonResourceURLs:[{}],}}",
            self.verbs.join(" "),
            self.name.as_deref().unwrap_or(""),
            self.path.as_deref().unwrap_or("")
        )
    }

    fn line(&self) -> String {
        let what = match self.resource.split_once('/') {
            _ if self.group.is_empty() => self.resource.clone(),
            Some((resource, subresource)) => format!("{resource}.{}/{subresource}", self.group),
            None => format!("{}.{}", self.resource, self.group),
        };
        format!(
            "{what}\t[{}]\t[{}]\t[{}]\n",
            self.path.as_deref().unwrap_or(""),
            self.name.as_deref().unwrap_or(""),
            self.verbs.join(" ")
        )
    }
}

async fn list(session: &Rc<Session>, args: &Args) -> Outcome {
    let rest = session.rest(args)?;
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": rest.namespace()},
    });
    let answer = rest.post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", &review).await?;
    if answer["status"]["incomplete"] == true {
        let why = answer["status"]["evaluationError"].as_str().unwrap_or("");
        warn(session, &format!("the list may be incomplete: {why}")).await;
    }
    let mut rules = compact(&answer["status"]);
    rules.sort_by_key(Rule::sort_key);
    let mut text = String::new();
    if !args.on("no-headers") {
        text += "Resources\tNon-Resource URLs\tResource Names\tVerbs\n";
    }
    text.extend(rules.iter().map(Rule::line));
    session.out(TABLE.layout(&text)).await
}

/// Breaks rules down to one resource and one name each, and puts the verbs of the same together.
fn compact(status: &Value) -> Vec<Rule> {
    let texts = |rule: &Value, field: &str| -> Vec<String> {
        let all = rule[field].as_array().into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let rules = |field: &str| status[field].as_array().cloned().unwrap_or_default();
    let mut out: Vec<Rule> = Vec::new();
    for rule in rules("nonResourceRules") {
        for path in texts(&rule, "nonResourceURLs") {
            for verb in texts(&rule, "verbs") {
                out.push(Rule { verbs: vec![verb], path: Some(path.clone()), ..Rule::default() });
            }
        }
    }
    for rule in rules("resourceRules") {
        let names: Vec<Option<String>> = match texts(&rule, "resourceNames") {
            none if none.is_empty() => vec![None],
            names => names.into_iter().map(Some).collect(),
        };
        for group in texts(&rule, "apiGroups") {
            for resource in texts(&rule, "resources") {
                for (verb, name) in
                    texts(&rule, "verbs").into_iter().flat_map(|v| names.iter().map(move |n| (v.clone(), n)))
                {
                    let same = |r: &&mut Rule| {
                        r.path.is_none() && r.group == group && r.resource == resource && r.name == *name
                    };
                    match out.iter_mut().find(same) {
                        Some(rule) if rule.verbs.contains(&verb) => {}
                        Some(rule) => rule.verbs.push(verb),
                        None => out.push(Rule {
                            verbs: vec![verb],
                            group: group.clone(),
                            resource: resource.clone(),
                            name: name.clone(),
                            path: None,
                        }),
                    }
                }
            }
        }
    }
    out
}

async fn whoami(session: Rc<Session>, args: Args) -> Outcome {
    if !args.words.is_empty() {
        return Err(args.usage(format!("Unexpected args: [{}]", args.words.join(" "))));
    }
    let format = output::format(&session, &args, output::FORMATS)?;
    let rest = session.rest(&args)?;
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let answer = rest.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &review).await?;
    if let Format::Objects(printer) = &format {
        let (text, outcome) = printer.print(&answer);
        session.out(text).await?;
        return outcome;
    }
    let info = &answer["status"]["userInfo"];
    let list = |value: &Value| {
        let all = value.as_array().into_iter().flatten();
        format!("[{}]", all.filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
    };
    let mut text = "ATTRIBUTE\tVALUE\n".to_owned();
    for (title, field) in [("Username", "username"), ("UID", "uid")] {
        if let Some(value) = info[field].as_str().filter(|v| !v.is_empty()) {
            text += &format!("{title}\t{value}\n");
        }
    }
    if info["groups"].is_array() {
        text += &format!("Groups\t{}\n", list(&info["groups"]));
    }
    for (key, value) in info["extra"].as_object().into_iter().flatten() {
        text += &format!("Extra: {key}\t{}\n", list(value));
    }
    session.out(TABLE.layout(&text)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_come_one_by_one_with_their_verbs_together() {
        let status = json!({
            "resourceRules": [
                {"verbs": ["get", "list"], "apiGroups": ["", "apps"], "resources": ["pods/log"]},
                {"verbs": ["list", "watch"], "apiGroups": [""], "resources": ["pods/log"]},
                {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a", "b"]},
            ],
            "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz"]}],
        });
        let lines: Vec<String> = compact(&status).iter().map(Rule::line).collect();
        assert_eq!(
            lines,
            [
                "\t[/healthz]\t[]\t[get]\n",
                "pods/log\t[]\t[]\t[get list watch]\n",
                "pods.apps/log\t[]\t[]\t[get list]\n",
                "secrets\t[]\t[a]\t[get]\n",
                "secrets\t[]\t[b]\t[get]\n",
            ]
        );
    }
}
