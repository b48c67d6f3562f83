//! `kubectl config` (`kubectl/pkg/cmd/config`).

use std::rc::Rc;

use json::{Value, json};

use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, HelpTo, switch, switch_on, text};
use crate::kubeconfig::{self as kc, Config, SECTIONS};
use crate::printers::output::{self, FORMATS, Format};
use crate::printers::tabwriter::TABLE;
use crate::session::Session;

/// The parent command.
pub static CONFIG: Command = Command {
    name: "config",
    usage: "SUBCOMMAND",
    short: "Modify kubeconfig files",
    long: "Show and change the kubeconfig: the file that names clusters, users and contexts.

 The file of --kubeconfig counts, or those of $KUBECONFIG, or ~/.kube/config.",
    commands: &[
        &CURRENT_CONTEXT,
        &DELETE_CLUSTER,
        &DELETE_CONTEXT,
        &DELETE_USER,
        &GET_CLUSTERS,
        &GET_CONTEXTS,
        &GET_USERS,
        &RENAME_CONTEXT,
        &SET,
        &SET_CLUSTER,
        &SET_CONTEXT,
        &SET_CREDENTIALS,
        &UNSET,
        &USE_CONTEXT,
        &VIEW,
    ],
    action: Action::Group(HelpTo::Err),
    ..COMMAND
};

macro_rules! command {
    ($id:ident $name:literal $aliases:tt $usage:literal $short:literal $flags:expr, $run:ident) => {
        static $id: Command = Command {
            name: $name,
            aliases: &$aliases,
            usage: $usage,
            short: $short,
            long: concat!($short, "."),
            flags: $flags,
            action: Action::Run(|session, args| Box::pin($run(session, args))),
            ..COMMAND
        };
    };
}

static VIEW_FLAGS: &[Flag] = &[
    switch("flatten", "Put files that are referred to into the configuration."),
    switch_on("merge", "Merge all files."),
    switch("minify", "Only what the current context uses."),
    text("output", "yaml", "Output format.").short('o'),
    switch("raw", "Show certificates and secrets."),
    switch_on("allow-missing-template-keys", "Print nothing where a template names a missing field."),
    text("template", "", "The template for -o=go-template."),
];
static LIST_FLAGS: &[Flag] =
    &[switch("no-headers", "Leave the header line out."), text("output", "", "'name' prints only names.").short('o')];
static CONTEXT_FLAGS: &[Flag] = &[switch("current", "Change the current context.")];

command!(VIEW "view" [] "[flags]" "Display merged kubeconfig settings or a specified kubeconfig file" &[VIEW_FLAGS], view);
command!(CURRENT_CONTEXT "current-context" [] "[flags]" "Display the current-context" &[], current_context);
command!(USE_CONTEXT "use-context" ["use"] "CONTEXT_NAME" "Set the current-context in a kubeconfig file" &[], use_context);
command!(GET_CONTEXTS "get-contexts" [] "[(-o|--output=)name)]" "Describe one or many contexts" &[LIST_FLAGS], get_contexts);
command!(GET_CLUSTERS "get-clusters" [] "[flags]" "Display clusters defined in the kubeconfig" &[], get_clusters);
command!(GET_USERS "get-users" [] "[flags]" "Display users defined in the kubeconfig" &[], get_users);
command!(SET_CONTEXT "set-context" [] "[NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]" "Set a context entry in kubeconfig" &[CONTEXT_FLAGS], set_context);
command!(SET_CLUSTER "set-cluster" [] "NAME [--server=server]" "Set a cluster entry in kubeconfig" &[], set_cluster);
command!(SET_CREDENTIALS "set-credentials" [] "NAME [--token=bearer_token]" "Set a user entry in kubeconfig" &[], set_credentials);
command!(RENAME_CONTEXT "rename-context" [] "CONTEXT_NAME NEW_NAME" "Rename a context from the kubeconfig file" &[], rename_context);
command!(SET "set" [] "PROPERTY_NAME PROPERTY_VALUE" "Set an individual value in a kubeconfig file" &[], set);
command!(UNSET "unset" [] "PROPERTY_NAME" "Unset an individual value in a kubeconfig file" &[], unset);
command!(DELETE_CLUSTER "delete-cluster" [] "NAME" "Delete the specified cluster from the kubeconfig" &[], delete_cluster);
command!(DELETE_CONTEXT "delete-context" [] "NAME" "Delete the specified context from the kubeconfig" &[], delete_context);
command!(DELETE_USER "delete-user" [] "NAME" "Delete the specified user from the kubeconfig" &[], delete_user);

fn load(session: &Session, args: &Args) -> Outcome<Config> {
    Config::load_lenient(session, args)
}

/// The wrong number of words: help on standard output, then the complaint.
async fn wrong_words(session: &Session, args: &Args, command: &'static Command) -> Failure {
    let help = crate::flags::help::command(command, &args.path);
    match session.out(help).await {
        Ok(()) => Failure::message(format!("Unexpected args: [{}]", args.words.join(" "))),
        Err(failure) => failure,
    }
}

async fn view(session: Rc<Session>, args: Args) -> Outcome {
    if !args.words.is_empty() {
        return Err(args.usage(format!("unexpected arguments: [{}]", args.words.join(" "))));
    }
    let mut config = load(&session, &args)?.merged();
    if args.on("minify") {
        config = minify(&config, &args)?;
    }
    if !args.on("raw") {
        hide_secrets(&mut config);
    }
    let config = kc::tidy(&config);
    if !args.changed("output") && args.text("template").is_empty() {
        return session.out(api::yaml::emit(&config)).await;
    }
    match output::format(&session, &args, FORMATS)? {
        Format::Objects(output::Printer::Json) => session.out(ordered_json(&config)).await,
        Format::Objects(printer) => {
            let (text, outcome) = printer.print(&config);
            session.out(text).await?;
            outcome
        }
        _ => session.out(api::yaml::emit(&config)).await,
    }
}

/// JSON in the order of Go's struct.
fn ordered_json(config: &Value) -> String {
    let mut lines = Vec::new();
    for field in ["kind", "apiVersion", "clusters", "users", "contexts", "current-context"] {
        let text = crate::goval::json_indent(&config[field], "    ").replace('\n', "\n    ");
        lines.push(format!("    \"{field}\": {}", name_first(&text)));
    }
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

/// In each entry the name comes before the body.
fn name_first(text: &str) -> String {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let mut start = None;
    for i in 0..lines.len() {
        match lines[i].trim() {
            "{" if lines[i].starts_with("        {") => start = Some(i + 1),
            line if line.starts_with("\"name\":") && lines[i].starts_with("            \"") => {
                if let Some(at) = start.filter(|at| *at < i) {
                    let name = lines.remove(i).trim_end_matches(',').to_owned() + ",";
                    lines.insert(at, name);
                    lines[i] = lines[i].trim_end_matches(',').to_owned();
                }
                start = None;
            }
            _ => {}
        }
    }
    lines.join("\n")
}

fn minify(config: &Value, args: &Args) -> Outcome<Value> {
    let chosen = match args.text("context") {
        "" => kc::text(config, "current-context"),
        given => given,
    };
    if chosen.is_empty() {
        return Err(Failure::message("current-context must exist in order to minify"));
    }
    let Some(context) = kc::find(config, "contexts", chosen) else {
        return Err(Failure::message(format!("cannot locate context {chosen}")));
    };
    let mut small = kc::empty();
    small["current-context"] = chosen.into();
    kc::push(&mut small, "contexts", context.clone());
    for (section, field) in [("clusters", "cluster"), ("users", "user")] {
        if let Some(entry) = kc::find(config, section, kc::text(&context["context"], field)) {
            kc::push(&mut small, section, entry.clone());
        }
    }
    Ok(small)
}

/// Fields that are not shown, and what stands for them.
static SECRETS: &[(&str, &str, &str, &str)] = &[
    ("clusters", "cluster", "certificate-authority-data", "DATA+OMITTED"),
    ("users", "user", "client-certificate-data", "DATA+OMITTED"),
    ("users", "user", "client-key-data", "DATA+OMITTED"),
    ("users", "user", "token", "REDACTED"),
    ("users", "user", "password", "REDACTED"),
];

fn hide_secrets(config: &mut Value) {
    for (section, body, field, shown) in SECRETS {
        for entry in config[*section].as_array_mut().into_iter().flatten() {
            if entry[*body].get(*field).is_some() {
                entry[*body][*field] = (*shown).into();
            }
        }
    }
}

async fn current_context(session: Rc<Session>, args: Args) -> Outcome {
    let config = load(&session, &args)?.merged();
    match kc::text(&config, "current-context") {
        "" => Err(Failure::message("current-context is not set")),
        name => session.out(format!("{name}\n")).await,
    }
}

async fn use_context(session: Rc<Session>, args: Args) -> Outcome {
    let [name] = args.words.as_slice() else {
        return Err(wrong_words(&session, &args, &USE_CONTEXT).await);
    };
    let mut config = load(&session, &args)?;
    if kc::find(&config.merged(), "contexts", name).is_none() {
        return Err(Failure::message(format!("no context exists with the name: \"{name}\"")));
    }
    let path = config.default_path().to_owned();
    config.change(&session, &path, |value| value["current-context"] = name.as_str().into())?;
    session.out(format!("Switched to context \"{name}\".\n")).await
}

async fn get_contexts(session: Rc<Session>, args: Args) -> Outcome {
    let config = load(&session, &args)?.merged();
    let names_only = match args.text("output") {
        "" => false,
        "name" => true,
        other => return Err(Failure::message(format!("output must be one of '' or 'name': {other}"))),
    };
    let current = kc::text(&config, "current-context");
    let mut entries: Vec<&Value> = kc::list(&config, "contexts").iter().collect();
    entries.sort_by(|a, b| kc::name(a).cmp(kc::name(b)));
    let mut missing = Vec::new();
    if !args.words.is_empty() {
        let has = |name: &String| entries.iter().any(|e| kc::name(e) == name);
        missing = args.words.iter().filter(|n| !has(n)).cloned().collect();
        entries.retain(|e| args.words.iter().any(|w| w == kc::name(e)));
    }
    let mut text = String::new();
    if !names_only && !args.on("no-headers") {
        text.push_str("CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n");
    }
    for entry in entries {
        let (name, context) = (kc::name(entry), &entry["context"]);
        if names_only {
            text.push_str(&format!("{name}\n"));
            continue;
        }
        let mark = if name == current { "*" } else { "" };
        let cells =
            [mark, name, kc::text(context, "cluster"), kc::text(context, "user"), kc::text(context, "namespace")];
        text.push_str(&(cells.join("\t") + "\n"));
    }
    session.out(if names_only { text } else { TABLE.layout(&text) }).await?;
    Failure::several(missing.iter().map(|n| Failure::message(format!("context {n} not found"))).collect())
}

async fn names(session: &Session, args: &Args, section: &str) -> Outcome {
    let config = load(session, args)?.merged();
    let mut all: Vec<&str> = kc::list(&config, section).iter().map(kc::name).collect();
    all.sort_unstable();
    let lines: String = all.iter().map(|n| format!("{n}\n")).collect();
    session.out(format!("NAME\n{lines}")).await
}

async fn get_clusters(session: Rc<Session>, args: Args) -> Outcome {
    names(&session, &args, "clusters").await
}

async fn get_users(session: Rc<Session>, args: Args) -> Outcome {
    names(&session, &args, "users").await
}

async fn set_context(session: Rc<Session>, args: Args) -> Outcome {
    let mut config = load(&session, &args)?;
    let merged = config.merged();
    let name = match (args.words.as_slice(), args.on("current")) {
        ([name], false) => name.clone(),
        ([], true) => match kc::text(&merged, "current-context") {
            "" => return Err(Failure::message("no current context is set")),
            name => name.to_owned(),
        },
        ([_, ..], true) => return Err(Failure::message("cannot specify both a context name and --current")),
        ([], false) => return Err(Failure::message("you must specify a non-empty context name or --current")),
        _ => return Err(wrong_words(&session, &args, &SET_CONTEXT).await),
    };
    let changes = [("cluster", "cluster"), ("user", "user"), ("namespace", "namespace")];
    let existed = put(&session, &mut config, ("contexts", "context", &name), &args, &changes)?;
    let what = if existed { "modified" } else { "created" };
    session.out(format!("Context \"{name}\" {what}.\n")).await
}

/// Writes flags into an entry; true when the entry was there.
fn put(
    session: &Session,
    config: &mut Config,
    (section, body, name): (&str, &str, &str),
    args: &Args,
    changes: &[(&str, &str)],
) -> Outcome<bool> {
    let path = config.path_of(section, name).to_owned();
    let mut existed = false;
    config.change(session, &path, |value| {
        let (map, was) = kc::body_mut(value, section, body, name);
        existed = was;
        for (flag, field) in changes {
            if args.changed(flag) {
                match args.text(flag) {
                    "" => drop(map.remove(*field)),
                    "true" if *flag == "insecure-skip-tls-verify" => drop(map.insert((*field).into(), true.into())),
                    text => drop(map.insert((*field).into(), text.into())),
                }
            }
        }
    })?;
    Ok(existed)
}

async fn set_cluster(session: Rc<Session>, args: Args) -> Outcome {
    let [name] = args.words.as_slice() else {
        return Err(wrong_words(&session, &args, &SET_CLUSTER).await);
    };
    let mut config = load(&session, &args)?;
    let changes = [
        ("server", "server"),
        ("certificate-authority", "certificate-authority"),
        ("insecure-skip-tls-verify", "insecure-skip-tls-verify"),
        ("tls-server-name", "tls-server-name"),
    ];
    put(&session, &mut config, ("clusters", "cluster", name), &args, &changes)?;
    session.out(format!("Cluster \"{name}\" set.\n")).await
}

async fn set_credentials(session: Rc<Session>, args: Args) -> Outcome {
    let [name] = args.words.as_slice() else {
        return Err(wrong_words(&session, &args, &SET_CREDENTIALS).await);
    };
    let mut config = load(&session, &args)?;
    let changes = [
        ("token", "token"),
        ("username", "username"),
        ("password", "password"),
        ("client-certificate", "client-certificate"),
        ("client-key", "client-key"),
    ];
    put(&session, &mut config, ("users", "user", name), &args, &changes)?;
    session.out(format!("User \"{name}\" set.\n")).await
}

async fn rename_context(session: Rc<Session>, args: Args) -> Outcome {
    let [old, new] = args.words.as_slice() else {
        return Err(wrong_words(&session, &args, &RENAME_CONTEXT).await);
    };
    let mut config = load(&session, &args)?;
    let merged = config.merged();
    if kc::find(&merged, "contexts", old).is_none() {
        return Err(Failure::message(format!(
            "cannot rename the context \"{old}\", it's not in {}",
            config.default_path()
        )));
    }
    if kc::find(&merged, "contexts", new).is_some() {
        return Err(Failure::message(format!(
            "cannot rename the context \"{old}\", the context \"{new}\" already exists in {}",
            config.default_path()
        )));
    }
    let path = config.path_of("contexts", old).to_owned();
    config.change(&session, &path, |value| {
        for entry in value["contexts"].as_array_mut().into_iter().flatten() {
            if kc::name(entry) == old {
                entry["name"] = new.as_str().into();
            }
        }
        if kc::text(value, "current-context") == old {
            value["current-context"] = new.as_str().into();
        }
    })?;
    session.out(format!("Context \"{old}\" renamed to \"{new}\".\n")).await
}

/// The section, name and field of `clusters.c1.server`.
fn property(path: &str) -> Outcome<(&'static str, &'static str, String, Option<String>)> {
    let mut parts = path.splitn(3, '.');
    let section = parts.next().unwrap_or("");
    let Some((section, body)) = SECTIONS.iter().find(|(s, _)| *s == section) else {
        return Err(Failure::message(format!(
            "unable to locate path {path:?}: unable to parse path \"{path}\" at \"{section}\""
        )));
    };
    Ok((section, body, parts.next().unwrap_or("").to_owned(), parts.next().map(str::to_owned)))
}

async fn set(session: Rc<Session>, args: Args) -> Outcome {
    let [path, value] = args.words.as_slice() else {
        return Err(wrong_words(&session, &args, &SET).await);
    };
    let mut config = load(&session, &args)?;
    if path == "current-context" {
        let file = config.default_path().to_owned();
        config.change(&session, &file, |c| c["current-context"] = value.as_str().into())?;
    } else {
        let (section, body, name, field) = property(path)?;
        let file = config.path_of(section, &name).to_owned();
        config.change(&session, &file, |c| {
            let (map, _) = kc::body_mut(c, section, body, &name);
            let value = match value.as_str() {
                "true" => json!(true),
                "false" => json!(false),
                text => text.into(),
            };
            map.insert(field.unwrap_or_default().into(), value);
        })?;
    }
    session.out(format!("Property \"{path}\" set.\n")).await
}

async fn unset(session: Rc<Session>, args: Args) -> Outcome {
    let [path] = args.words.as_slice() else {
        return Err(wrong_words(&session, &args, &UNSET).await);
    };
    let mut config = load(&session, &args)?;
    if path == "current-context" {
        let file = config.default_path().to_owned();
        config.change(&session, &file, |c| c["current-context"] = "".into())?;
    } else {
        let (section, body, name, field) = property(path)?;
        let file = config.path_of(section, &name).to_owned();
        config.change(&session, &file, |c| match &field {
            Some(field) => drop(kc::body_mut(c, section, body, &name).0.remove(field)),
            None => remove(c, section, &name),
        })?;
    }
    session.out(format!("Property \"{path}\" unset.\n")).await
}

fn remove(config: &mut Value, section: &str, name: &str) {
    if let Some(entries) = config[section].as_array_mut() {
        entries.retain(|e| kc::name(e) != name);
    }
}

async fn delete(session: &Session, args: &Args, section: &str, what: &str) -> Outcome {
    let [name] = args.words.as_slice() else {
        return Err(Failure::message(format!("Unexpected args: [{}]", args.words.join(" "))));
    };
    let mut config = load(session, args)?;
    let merged = config.merged();
    let path = config.default_path().to_owned();
    if kc::find(&merged, section, name).is_none() {
        return Err(Failure::message(format!("cannot delete {what} {name}, not in {path}")));
    }
    if section == "contexts" && kc::text(&merged, "current-context") == name {
        session
            .err("warning: this removed your active context, use \"kubectl config use-context\" to select a different one\n")
            .await;
    }
    let file = config.path_of(section, name).to_owned();
    config.change(session, &file, |c| remove(c, section, name))?;
    session.out(format!("deleted {what} {name} from {path}\n")).await
}

async fn delete_cluster(session: Rc<Session>, args: Args) -> Outcome {
    delete(&session, &args, "clusters", "cluster").await
}

async fn delete_context(session: Rc<Session>, args: Args) -> Outcome {
    delete(&session, &args, "contexts", "context").await
}

async fn delete_user(session: Rc<Session>, args: Args) -> Outcome {
    delete(&session, &args, "users", "user").await
}
