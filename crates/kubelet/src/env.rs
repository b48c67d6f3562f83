//! Environments of containers (`makeEnvironmentVariables`, `pkg/kubelet/envvars`).

use std::collections::BTreeMap;

use api::quantity::Quantity;
use api::{Object, kinds};
use base64::Engine as _;
use client::Client;
use json::Value;

use crate::{env_file, spec};

/// A file of a volume: its path on the node and what is in it, if it is there. None if the pod has no such volume.
pub(crate) type FileOf<'a> = dyn Fn(&str, &str) -> Option<(String, Option<String>)> + 'a;

/// What the downward API tells of a pod that is about to run.
pub(crate) struct Facts<'a> {
    pub(crate) pod: &'a Object,
    pub(crate) pod_ip: &'a str,
    pub(crate) host_ip: &'a str,
    /// Of the node, for limits that are not set: milli-CPUs and bytes.
    pub(crate) allocatable: (i64, i64),
    /// Bytes of storage that the node has for pods.
    pub(crate) storage_bytes: i64,
}

/// The container's variables in order of name, service variables included. The error is the sentence of the event.
pub(crate) async fn of_container(
    client: &Client,
    facts: &Facts<'_>,
    container: &Value,
    services: &[Object],
    files: &FileOf<'_>,
) -> Result<Vec<(String, String)>, String> {
    let pod = facts.pod;
    let links = pod.at("spec.enableServiceLinks").as_bool().unwrap_or(true);
    let service_env = of_services(services, pod.namespace(), links);
    let mut cache = Cache { client, namespace: pod.namespace(), read: BTreeMap::new() };
    let mut env: BTreeMap<String, String> = BTreeMap::new();
    for source in spec::items(container, "envFrom") {
        let prefix = spec::text(source, "prefix");
        for kind in ["configMapRef", "secretRef"] {
            if source[kind].is_null() {
                continue;
            }
            let Some(data) = cache.data(kind, &source[kind]).await? else { continue };
            env.extend(data.iter().map(|(key, value)| (format!("{prefix}{key}"), value.clone())));
        }
    }
    for var in spec::items(container, "env") {
        let name = spec::name(var).to_owned();
        let literal = spec::text(var, "value");
        let value = if literal.is_empty() && !var["valueFrom"].is_null() {
            match from_source(&mut cache, facts, container, &var["valueFrom"], files).await? {
                Some(value) => value,
                None => continue, // optional and absent
            }
        } else {
            expand(literal, |wanted| env.get(wanted).or_else(|| service_env.get(wanted)).cloned())
        };
        env.insert(name, value);
    }
    for (name, value) in service_env {
        env.entry(name).or_insert(value);
    }
    Ok(env.into_iter().collect())
}

async fn from_source(
    cache: &mut Cache<'_>,
    facts: &Facts<'_>,
    container: &Value,
    source: &Value,
    files: &FileOf<'_>,
) -> Result<Option<String>, String> {
    if let Some(path) = source["fieldRef"]["fieldPath"].as_str() {
        return field(facts, path).map(Some);
    }
    if !source["resourceFieldRef"].is_null() {
        return resource(facts, container, &source["resourceFieldRef"]).map(Some);
    }
    for (kind, what) in [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")] {
        let reference = &source[kind];
        if reference.is_null() {
            continue;
        }
        let Some(data) = cache.data(kind, reference).await? else { return Ok(None) };
        let key = spec::text(reference, "key");
        return match data.get(key) {
            Some(value) => Ok(Some(value.clone())),
            None if reference["optional"].as_bool() == Some(true) => Ok(None),
            None => {
                Err(format!("couldn't find key {key} in {what} {}/{}", facts.pod.namespace(), spec::name(reference)))
            }
        };
    }
    if !source["fileKeyRef"].is_null() {
        return from_file(files, &source["fileKeyRef"]);
    }
    Ok(Some(String::new()))
}

fn from_file(files: &FileOf<'_>, reference: &Value) -> Result<Option<String>, String> {
    let (volume, key) = (spec::text(reference, "volumeName"), spec::text(reference, "key"));
    let found = files(volume, spec::text(reference, "path"));
    let (path, content) =
        found.ok_or_else(|| format!("cannot find the volume \"{volume}\" referenced by FileKeyRef"))?;
    let value = content.and_then(|text| env_file::value(&text, key).ok());
    match value.ok_or("couldn't parse env file")? {
        value if !value.is_empty() => Ok(Some(value)),
        _ if reference["optional"].as_bool() == Some(true) => Ok(None),
        _ => Err(format!("environment variable key \"{key}\" not found in file \"{path}\"")),
    }
}

/// ConfigMaps and Secrets of one namespace, read once.
struct Cache<'a> {
    client: &'a Client,
    namespace: &'a str,
    read: BTreeMap<String, BTreeMap<String, String>>,
}

impl Cache<'_> {
    /// The data of a reference; none if it is optional and absent.
    async fn data(&mut self, field: &str, reference: &Value) -> Result<Option<&BTreeMap<String, String>>, String> {
        let secret = field.starts_with("secret");
        let name = spec::name(reference);
        let key = format!("{secret}/{name}");
        if !self.read.contains_key(&key) {
            let kind = if secret { &kinds::SECRETS } else { &kinds::CONFIG_MAPS };
            let object = match self.client.get(kind, self.namespace, name).await {
                Ok(object) => object,
                Err(error) if error.is_not_found() => {
                    let optional = reference["optional"].as_bool() == Some(true);
                    let message = format!("{} \"{name}\" not found", kind.singular);
                    return if optional { Ok(None) } else { Err(message) };
                }
                Err(error) => return Err(error.to_string()),
            };
            self.read.insert(key.clone(), texts(&object, secret));
        }
        Ok(self.read.get(&key))
    }
}

fn texts(object: &Object, secret: bool) -> BTreeMap<String, String> {
    let data = object.at("data").as_object().into_iter().flatten();
    let decode = |value: &str| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(value).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    data.filter_map(|(key, value)| {
        let value = value.as_str()?;
        Some((key.to_string(), if secret { decode(value) } else { value.to_owned() }))
    })
    .collect()
}

/// `$(NAME)` becomes the value, `$$` one dollar; unknown names stay as they are.
pub(crate) fn expand(text: &str, lookup: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(next) = after.strip_prefix('$') {
            out.push('$');
            rest = next;
        } else if let Some((name, next)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            match lookup(name) {
                Some(value) => out.push_str(&value),
                None => out.push_str(&format!("$({name})")),
            }
            rest = next;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The value of a downward API field.
pub(crate) fn field(facts: &Facts<'_>, path: &str) -> Result<String, String> {
    let pod = facts.pod;
    if let Some((map, key)) = path.strip_suffix("']").and_then(|p| p.split_once("['")) {
        return match map {
            "metadata.labels" => Ok(pod.label(key).unwrap_or("").to_owned()),
            "metadata.annotations" => Ok(pod.annotation(key).unwrap_or("").to_owned()),
            _ => Err(format!("fieldPath \"{path}\" does not support subscript")),
        };
    }
    Ok(match path {
        "metadata.name" | "metadata.namespace" | "metadata.uid" | "spec.nodeName" | "spec.serviceAccountName" => {
            pod.str(path).to_owned()
        }
        "metadata.labels" => quoted(&pod.labels()),
        "metadata.annotations" => quoted(&pod.annotations()),
        "status.hostIP" | "status.hostIPs" => facts.host_ip.to_owned(),
        "status.podIP" | "status.podIPs" => facts.pod_ip.to_owned(),
        _ => return Err(format!("unsupported fieldPath: {path}")),
    })
}

fn quoted(map: &BTreeMap<String, String>) -> String {
    let lines: Vec<String> = map.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
    lines.join("\n")
}

/// The value of a downward API resource, in units of its divisor.
pub(crate) fn resource(facts: &Facts<'_>, container: &Value, reference: &Value) -> Result<String, String> {
    let name = spec::text(reference, "resource");
    let named = spec::text(reference, "containerName");
    let container = if named.is_empty() {
        container
    } else {
        spec::find(facts.pod, named).ok_or_else(|| format!("container {named} not found"))?
    };
    let (list, what) = name.split_once('.').ok_or_else(|| format!("unsupported container resource : {name}"))?;
    let set = Quantity::from_value(&spec::api_at(container, "resources")[list][what]).ok();
    let set = set.filter(|_| !spec::api_at(container, "resources")[list][what].is_null());
    let (cpu_milli, memory_bytes) = facts.allocatable;
    let milli = match (set, list, what) {
        (Some(quantity), _, "cpu") => quantity.milli_value(),
        (Some(quantity), ..) => quantity.value().saturating_mul(1000),
        (None, "limits", "cpu") => cpu_milli,
        (None, "limits", "memory") => memory_bytes.saturating_mul(1000),
        (None, "limits", "ephemeral-storage") => facts.storage_bytes.saturating_mul(1000),
        (None, "requests", _) => 0,
        _ => return Err(format!("unsupported container resource : {name}")),
    };
    let divisor = match spec::text(reference, "divisor") {
        "" | "0" => 1000,
        text => Quantity::parse(text).map_err(|e| e.to_string())?.milli_value().max(1),
    };
    // Rounded up, as upstream does.
    Ok(((milli + divisor - 1) / divisor).to_string())
}

/// Variables that tell where Services are.
pub(crate) fn of_services(services: &[Object], namespace: &str, links: bool) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    let master = |s: &Object| s.namespace() == "default" && s.name() == "kubernetes";
    let has_ip = |s: &&Object| !matches!(s.str("spec.clusterIP"), "" | "None");
    let mut wanted: Vec<&Object> = services.iter().filter(has_ip).filter(|s| master(s)).collect();
    if links {
        wanted.extend(services.iter().filter(has_ip).filter(|s| s.namespace() == namespace && !master(s)));
    }
    for service in wanted {
        let prefix = service.name().replace('-', "_").to_uppercase();
        let ip = service.str("spec.clusterIP");
        let mut set = |name: String, value: String| env.insert(format!("{prefix}_{name}"), value);
        set("SERVICE_HOST".into(), ip.into());
        for (index, port) in service.list("spec.ports").iter().enumerate() {
            let number = port["port"].as_i64().unwrap_or(0);
            let upper = port["protocol"].as_str().unwrap_or("TCP").to_uppercase();
            let lower = upper.to_lowercase();
            let url = format!("{lower}://{ip}:{number}");
            if index == 0 {
                set("SERVICE_PORT".into(), number.to_string());
                set("PORT".into(), url.clone());
            }
            if let Some(name) = port["name"].as_str().filter(|n| !n.is_empty()) {
                set(format!("SERVICE_PORT_{}", name.replace('-', "_").to_uppercase()), number.to_string());
            }
            let port_name = format!("PORT_{number}_{upper}");
            set(format!("{port_name}_PROTO"), lower);
            set(format!("{port_name}_PORT"), number.to_string());
            set(format!("{port_name}_ADDR"), ip.into());
            set(port_name, url);
        }
    }
    env
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    #[test]
    fn references_are_expanded() {
        let lookup = |name: &str| (name == "A").then(|| "1".to_owned());
        for (text, expected) in
            [("x$(A)y", "x1y"), ("$$(A)", "$(A)"), ("$(B)", "$(B)"), ("$A $", "$A $"), ("$(A", "$(A")]
        {
            assert_eq!(expand(text, lookup), expected);
        }
    }

    #[test]
    fn services_become_variables() {
        let service = |namespace: &str, name: &str, spec: Value| {
            Object::new(json!({"metadata": {"namespace": namespace, "name": name}, "spec": spec}))
        };
        let services = [
            service(
                "default",
                "kubernetes",
                json!({"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443}]}),
            ),
            service("shop", "my-db", json!({"clusterIP": "10.96.3.4", "ports": [{"port": 53, "protocol": "UDP"}]})),
            service("shop", "headless", json!({"clusterIP": "None"})),
            service("other", "x", json!({"clusterIP": "10.96.3.5", "ports": [{"port": 1}]})),
        ];
        let lines: Vec<String> =
            of_services(&services, "shop", true).iter().map(|(k, v)| format!("{k}={v}\n")).collect();
        expect_test::expect![[r#"
            KUBERNETES_PORT=tcp://10.96.0.1:443
            KUBERNETES_PORT_443_TCP=tcp://10.96.0.1:443
            KUBERNETES_PORT_443_TCP_ADDR=10.96.0.1
            KUBERNETES_PORT_443_TCP_PORT=443
            KUBERNETES_PORT_443_TCP_PROTO=tcp
            KUBERNETES_SERVICE_HOST=10.96.0.1
            KUBERNETES_SERVICE_PORT=443
            KUBERNETES_SERVICE_PORT_HTTPS=443
            MY_DB_PORT=udp://10.96.3.4:53
            MY_DB_PORT_53_UDP=udp://10.96.3.4:53
            MY_DB_PORT_53_UDP_ADDR=10.96.3.4
            MY_DB_PORT_53_UDP_PORT=53
            MY_DB_PORT_53_UDP_PROTO=udp
            MY_DB_SERVICE_HOST=10.96.3.4
            MY_DB_SERVICE_PORT=53
        "#]]
        .assert_eq(&lines.concat());
        assert_eq!(of_services(&services, "shop", false).len(), 8);
    }

    #[test]
    fn downward_resources() {
        let pod = Object::new(json!({"metadata": {"name": "p", "labels": {"a": "b"}}}));
        let facts = Facts {
            pod: &pod,
            pod_ip: "10.244.0.2",
            host_ip: "192.168.49.2",
            allocatable: (2000, 4096),
            storage_bytes: 9,
        };
        let container = json!({"resources": {"requests": {"cpu": "250m", "memory": "64Mi"}}});
        let get = |name: &str, divisor: &str| {
            resource(&facts, &container, &json!({"resource": name, "divisor": divisor})).unwrap()
        };
        assert_eq!(get("requests.cpu", ""), "1");
        assert_eq!(get("requests.cpu", "1m"), "250");
        assert_eq!(get("requests.memory", "1Mi"), "64");
        assert_eq!(get("limits.cpu", ""), "2");
        assert_eq!(get("limits.memory", "1"), "4096");
        assert_eq!(field(&facts, "metadata.labels['a']").unwrap(), "b");
        assert_eq!(field(&facts, "metadata.labels").unwrap(), "a=\"b\"");
        assert!(field(&facts, "spec.x").is_err());
    }
}
