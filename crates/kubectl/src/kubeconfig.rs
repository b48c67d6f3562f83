//! The kubeconfig: which server, which user, which namespace (`client-go/tools/clientcmd`).

use json::{Map, Value, json};

use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::session::Session;

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// URL of the API server.
    pub server: String,
    /// Namespace to work in.
    pub namespace: String,
    /// Whether the namespace was asked for with `-n`.
    pub namespace_given: bool,
    /// Bearer token, if there is one.
    pub token: Option<String>,
    /// Whom to act as: headers and their values.
    pub impersonate: Vec<(String, String)>,
}

/// Whom to act as, as headers: flags win over the user of the kubeconfig.
fn impersonation(args: &Args, user: &Value) -> Outcome<Vec<(String, String)>> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut headers = Vec::new();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            headers.push((name.to_owned(), value.to_owned()));
        }
    };
    add("impersonate-user", or(args.text("as"), text(user, "as")));
    add("impersonate-uid", or(args.text("as-uid"), text(user, "as-uid")));
    let groups = if args.changed("as-group") { args.list("as-group") } else { texts(&user["as-groups"]) };
    groups.iter().for_each(|group| add("impersonate-group", group));
    for (key, values) in user["as-user-extra"].as_object().into_iter().flatten() {
        texts(values).iter().for_each(|value| add(&extra(key), value));
    }
    for pair in args.list("as-user-extra") {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::message(format!(
                "invalid argument format, must be in the format of key=value: {pair}"
            )));
        };
        add(&extra(key), value);
    }
    Ok(headers)
}

/// The header of an extra field.
fn extra(key: &str) -> String {
    format!("impersonate-extra-{}", crate::rest::escape(&key.to_lowercase()))
}

/// The sections of a kubeconfig, and the name under which an entry holds its body.
pub const SECTIONS: &[(&str, &str)] = &[("clusters", "cluster"), ("contexts", "context"), ("users", "user")];

struct File {
    path: String,
    value: Option<Value>,
}

/// The kubeconfig files that count, in order.
pub struct Config {
    files: Vec<File>,
}

impl Config {
    /// Reads the file of `--kubeconfig`, or those of `$KUBECONFIG`, or `~/.kube/config`.
    ///
    /// # Errors
    /// The file of `--kubeconfig` must exist; every file must be YAML.
    pub fn load(session: &Session, args: &Args) -> Outcome<Config> {
        let explicit = args.text("kubeconfig");
        if !explicit.is_empty() && session.place.stat(&session.absolute(explicit)).is_none() {
            return Err(Failure::message(format!("stat {explicit}: no such file or directory")));
        }
        Self::load_lenient(session, args)
    }

    /// As [`Config::load`], but a missing file is an empty one.
    pub fn load_lenient(session: &Session, args: &Args) -> Outcome<Config> {
        let explicit = args.text("kubeconfig");
        let paths: Vec<String> = if !explicit.is_empty() {
            vec![explicit.to_owned()]
        } else if let Some(list) = session.place.env("KUBECONFIG").filter(|l| !l.is_empty()) {
            list.split(':').filter(|p| !p.is_empty()).map(str::to_owned).collect()
        } else {
            let home = session.place.env("HOME").unwrap_or_else(|| "/home/learner".into());
            vec![format!("{}/.kube/config", home.trim_end_matches('/'))]
        };
        let mut files = Vec::new();
        for path in paths {
            let value = match session.place.read_file(&session.absolute(&path)) {
                Ok(bytes) => Some(read(&path, &bytes)?),
                Err(_) => None,
            };
            files.push(File { path, value });
        }
        Ok(Config { files })
    }

    /// All files merged: the first to name a thing wins.
    pub fn merged(&self) -> Value {
        let mut merged = empty();
        for value in self.files.iter().filter_map(|f| f.value.as_ref()) {
            for (section, _) in SECTIONS {
                for entry in list(value, section) {
                    if find(&merged, section, name(entry)).is_none() {
                        push(&mut merged, section, entry.clone());
                    }
                }
            }
            if text(&merged, "current-context").is_empty() {
                merged["current-context"] = text(value, "current-context").into();
            }
        }
        merged
    }

    /// The connection that flags and files describe.
    pub fn connection(&self, args: &Args) -> Outcome<Connection> {
        let config = self.merged();
        let chosen = match args.text("context") {
            "" => text(&config, "current-context"),
            given => given,
        };
        let context = find(&config, "contexts", chosen).map(|c| c["context"].clone());
        if context.is_none() && !chosen.is_empty() {
            return Err(Failure::Plain(format!(
                "Error in configuration: context was not found for specified context: {chosen}"
            )));
        }
        let context = context.unwrap_or_else(|| json!({}));
        let cluster_name = or(args.text("cluster"), text(&context, "cluster"));
        let cluster = find(&config, "clusters", cluster_name).map(|c| c["cluster"].clone());
        if cluster.is_none() && !args.text("cluster").is_empty() {
            return Err(Failure::message(format!("no server found for cluster \"{cluster_name}\"")));
        }
        let user_name = or(own_user(args), text(&context, "user"));
        let user = find(&config, "users", user_name).map(|u| u["user"].clone());
        if user.is_none() && !own_user(args).is_empty() {
            return Err(Failure::message(format!("auth info \"{user_name}\" does not exist")));
        }
        let server = or(args.text("server"), cluster.as_ref().map_or("", |c| text(c, "server")));
        let token = or(args.text("token"), user.as_ref().map_or("", |u| text(u, "token")));
        let namespace = or(args.text("namespace"), text(&context, "namespace"));
        Ok(Connection {
            server: or(server, "http://localhost:8080").trim_end_matches('/').to_owned(),
            namespace: or(namespace, "default").to_owned(),
            namespace_given: !args.text("namespace").is_empty(),
            token: (!token.is_empty()).then(|| token.to_owned()),
            impersonate: impersonation(args, user.as_ref().unwrap_or(&Value::Null))?,
        })
    }

    /// The path of the file in which an entry stands, or where a new one goes.
    pub fn path_of(&self, section: &str, entry: &str) -> &str {
        let holds = |f: &&File| f.value.as_ref().is_some_and(|v| find(v, section, entry).is_some());
        self.files.iter().find(holds).map_or_else(|| self.default_path(), |f| &f.path)
    }

    /// The file that takes new entries: the first that exists, otherwise the last.
    pub fn default_path(&self) -> &str {
        let existing = self.files.iter().find(|f| f.value.is_some());
        existing.or(self.files.last()).map_or("", |f| &f.path)
    }

    /// Changes one file and writes it.
    pub fn change(&mut self, session: &Session, path: &str, edit: impl FnOnce(&mut Value)) -> Outcome {
        let file = self.files.iter_mut().find(|f| f.path == path);
        let Some(file) = file else { return Ok(()) };
        let mut value = file.value.take().unwrap_or_else(empty);
        edit(&mut value);
        let text = api::yaml::emit(&tidy(&value));
        session
            .place
            .write_file(&session.absolute(path), text.as_bytes())
            .map_err(|why| Failure::message(format!("open {path}: {why}")))?;
        file.value = Some(value);
        Ok(())
    }
}

fn read(path: &str, bytes: &[u8]) -> Outcome<Value> {
    let text = String::from_utf8_lossy(bytes);
    let values = api::yaml::parse(&text)
        .map_err(|why| Failure::message(format!("error loading config file \"{path}\": yaml: {}", why.problem)))?;
    Ok(values.into_iter().next().filter(Value::is_object).unwrap_or_else(empty))
}

/// A kubeconfig with nothing in it.
pub fn empty() -> Value {
    json!({"apiVersion": "v1", "kind": "Config", "clusters": [], "contexts": [], "users": [], "current-context": ""})
}

/// As kubectl writes it: empty sections are null.
pub fn tidy(config: &Value) -> Value {
    let mut tidy = config.clone();
    for (section, _) in SECTIONS {
        if list(config, section).is_empty() {
            tidy[*section] = Value::Null;
        } else if let Some(entries) = tidy[*section].as_array_mut() {
            entries.sort_by(|a, b| name(a).cmp(name(b)));
        }
    }
    tidy["apiVersion"] = "v1".into();
    tidy["kind"] = "Config".into();
    tidy["current-context"] = text(config, "current-context").into();
    if let Some(map) = tidy.as_object_mut() {
        map.remove("preferences");
    }
    tidy
}

/// The entries of a section.
pub fn list<'a>(config: &'a Value, section: &str) -> &'a [Value] {
    config.get(section).and_then(Value::as_array).map_or(&[][..], json::Array::as_slice)
}

/// An entry by name.
pub fn find<'a>(config: &'a Value, section: &str, wanted: &str) -> Option<&'a Value> {
    list(config, section).iter().find(|e| name(e) == wanted && !wanted.is_empty())
}

/// The name of an entry.
pub fn name(entry: &Value) -> &str {
    text(entry, "name")
}

/// Adds an entry to a section.
pub fn push(config: &mut Value, section: &str, entry: Value) {
    match config.get_mut(section).and_then(Value::as_array_mut) {
        Some(entries) => entries.push(entry),
        None => config[section] = json!([entry]),
    }
}

/// The body of an entry, made if it is missing; true when it was there.
pub fn body_mut<'a>(config: &'a mut Value, section: &str, body: &str, wanted: &str) -> (&'a mut Map, bool) {
    let existed = find(config, section, wanted).is_some();
    if !existed {
        push(config, section, json!({"name": wanted, body: {}}));
    }
    let entries = config[section].as_array_mut().expect("it holds at least the entry");
    let entry = entries.iter_mut().find(|e| name(e) == wanted).expect("found or pushed above");
    if !entry[body].is_object() {
        entry[body] = json!({});
    }
    (entry[body].as_object_mut().expect("just made an object"), existed)
}

/// A text field, empty if absent.
pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or("")
}

fn or<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}
/// `--user`, where it means an entry of the file: bindings have a flag of their own with that name.
fn own_user(args: &Args) -> &str {
    if args.path.ends_with("binding") { "" } else { args.text("user") }
}
