//! The kubeconfig: each cluster adds its entries and becomes the current context; deleting it takes them away
//! (minikube's `pkg/minikube/kubeconfig`).

use json::{Value, json};
use vfs::Vfs;

/// Where it is unless `$KUBECONFIG` says otherwise, below the home folder.
const BELOW_HOME: &str = ".kube/config";

/// Where the kubeconfig of an environment is: the first file of `$KUBECONFIG`, or the one in the home folder.
pub fn path<'a>(var: impl Fn(&str) -> Option<&'a str>) -> String {
    let given = var("KUBECONFIG").and_then(|list| list.split(':').find(|part| !part.is_empty()));
    match given {
        Some(path) => path.to_owned(),
        None => format!("{}/{BELOW_HOME}", var("HOME").unwrap_or("/home/learner").trim_end_matches('/')),
    }
}

const LISTS: [&str; 3] = ["clusters", "contexts", "users"];

fn read(fs: &Vfs, path: &str) -> Value {
    let text = fs.read_to_string(path).unwrap_or_default();
    let parsed = api::yaml::parse(&text).ok().and_then(|documents| documents.into_iter().next());
    parsed.filter(Value::is_object).unwrap_or_else(|| {
        json!({
            "apiVersion": "v1", "kind": "Config", "clusters": [], "contexts": [], "current-context": "",
            "preferences": {}, "users": [],
        })
    })
}

fn save(fs: &Vfs, path: &str, config: &Value) -> Result<(), String> {
    let folder = vfs::path::dirname(path);
    fs.mkdir_all(folder).map_err(|e| format!("{folder}: {}", e.message()))?;
    fs.write(path, api::yaml::emit(config)).map_err(|e| format!("{path}: {}", e.message()))?;
    fs.chmod(path, 0o600).map_err(|e| format!("{path}: {}", e.message()))
}

fn without(config: &mut Value, name: &str) {
    for list in LISTS {
        if let Some(entries) = config.get_mut(list).and_then(Value::as_array_mut) {
            entries.retain(|entry| entry.get("name").and_then(Value::as_str) != Some(name));
        }
    }
}

/// Adds a cluster and makes it the current context, in a namespace if that is to be named.
///
/// # Errors
/// The file cannot be written.
pub fn write(fs: &Vfs, path: &str, name: &str, server: &str, namespace: Option<&str>) -> Result<(), String> {
    let mut config = read(fs, path);
    without(&mut config, name);
    let context = match namespace {
        Some(namespace) => json!({ "cluster": name, "namespace": namespace, "user": name }),
        None => json!({ "cluster": name, "user": name }),
    };
    let entries = [
        ("clusters", json!({ "name": name, "cluster": { "server": server } })),
        ("contexts", json!({ "name": name, "context": context })),
        ("users", json!({ "name": name, "user": {} })),
    ];
    for (list, entry) in entries {
        if !config.get(list).is_some_and(Value::is_array) {
            config[list] = json!([]);
        }
        if let Some(entries) = config[list].as_array_mut() {
            entries.push(entry);
        }
    }
    config["current-context"] = name.into();
    save(fs, path, &config)
}

/// Takes a cluster's entries away.
///
/// # Errors
/// The file cannot be written.
pub fn remove(fs: &Vfs, path: &str, name: &str) -> Result<(), String> {
    if !fs.exists(path) {
        return Ok(());
    }
    let mut config = read(fs, path);
    without(&mut config, name);
    if config.get("current-context").and_then(Value::as_str) == Some(name) {
        config["current-context"] = "".into();
    }
    save(fs, path, &config)
}

/// The current context; none if it is empty or there is no kubeconfig.
pub fn current_context(fs: &Vfs, path: &str) -> Option<String> {
    read(fs, path).get("current-context").and_then(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// Makes a cluster's context the current one.
///
/// # Errors
/// There is no such context, or the file cannot be written.
pub fn use_context(fs: &Vfs, path: &str, name: &str) -> Result<(), String> {
    let mut config = read(fs, path);
    let contexts = config.get("contexts").and_then(Value::as_array).cloned().unwrap_or_default();
    if !contexts.iter().any(|entry| entry.get("name").and_then(Value::as_str) == Some(name)) {
        return Err(format!("context {name:?} does not exist"));
    }
    config["current-context"] = name.into();
    save(fs, path, &config)
}

/// Whether a cluster has its entry, pointing at `server`.
pub fn is_configured(fs: &Vfs, path: &str, name: &str, server: &str) -> bool {
    let config = read(fs, path);
    let clusters = config.get("clusters").and_then(Value::as_array).cloned().unwrap_or_default();
    clusters.iter().any(|entry| {
        entry.get("name").and_then(Value::as_str) == Some(name)
            && entry.get("cluster").and_then(|c| c.get("server")).and_then(Value::as_str) == Some(server)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use simulation::{Sim, SimConfig, Time};

    const PATH: &str = "/home/learner/.kube/config";

    fn fs() -> Vfs {
        let fs = Vfs::new(Sim::new(SimConfig { seed: 1, start: Time::default() }));
        fs.mkdir_all("/home/learner").expect("empty tree");
        fs
    }

    #[test]
    fn clusters_come_and_go_beside_what_is_there() {
        let fs = fs();
        write(&fs, PATH, "minikube", "https://192.168.49.2:8443", Some("default")).expect("written");
        write(&fs, PATH, "two", "https://192.168.58.2:8443", None).expect("written");
        assert!(is_configured(&fs, PATH, "minikube", "https://192.168.49.2:8443"));
        let text = fs.read_to_string(PATH).expect("there");
        assert!(text.contains("current-context: two\n"), "{text}");
        remove(&fs, PATH, "two").expect("written");
        let text = fs.read_to_string(PATH).expect("there");
        assert!(text.contains("current-context: \"\"\n"), "{text}");
        assert!(is_configured(&fs, PATH, "minikube", "https://192.168.49.2:8443"));
        assert!(!is_configured(&fs, PATH, "two", "https://192.168.58.2:8443"));
    }

    #[test]
    fn the_environment_says_where_it_is() {
        let home = |name: &str| (name == "HOME").then_some("/home/x");
        assert_eq!(path(home), format!("/home/x/{BELOW_HOME}"));
        let both = |name: &str| Some(if name == "HOME" { "/home/x" } else { ":/a/b:/c" });
        assert_eq!(path(both), "/a/b");
    }
}
