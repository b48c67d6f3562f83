//! What volumes made from API objects hold: configMap, secret, downwardAPI, projected.

use api::{Kind, Object, kinds};
use base64::Engine as _;
use bytes::Bytes;
use json::{Value, json};

use super::Source;
use super::files::Files;
use crate::{env, spec};

const MODE_DEFAULT: u16 = 0o644;

/// The files of a volume; none when it is not made from API objects. Tokens are only asked for `first`.
pub(super) async fn of_volume(source: &Source<'_>, volume: &Value, first: bool) -> Option<Result<Files, String>> {
    for kind in ["configMap", "secret", "downwardAPI"] {
        if !volume[kind].is_null() {
            return Some(part(source, kind, &volume[kind], mode(&volume[kind], MODE_DEFAULT)).await);
        }
    }
    if volume["projected"].is_null() {
        return None;
    }
    let default = mode(&volume["projected"], MODE_DEFAULT);
    let has_token = |s: &Value| !s["serviceAccountToken"].is_null();
    if !first && spec::items(volume, "projected.sources").iter().any(has_token) {
        return None; // tokens are not renewed: they hold as long as the pod
    }
    let mut all = Files::new();
    for projected in spec::items(volume, "projected.sources") {
        let Some((kind, content)) = projected.as_object().and_then(|m| m.iter().next()) else { continue };
        match part(source, kind, content, default).await {
            Ok(files) => all.extend(files),
            Err(message) => return Some(Err(message)),
        }
    }
    Some(Ok(all))
}

fn mode(value: &Value, default: u16) -> u16 {
    let own = value["defaultMode"].as_u64().or_else(|| value["mode"].as_u64());
    own.and_then(|m| u16::try_from(m & 0o777).ok()).unwrap_or(default)
}

async fn part(source: &Source<'_>, kind: &str, content: &Value, mode: u16) -> Result<Files, String> {
    match kind {
        "configMap" => object(source, &kinds::CONFIG_MAPS, spec::name(content), content, mode).await,
        // A secret is called `secretName` in a volume and `name` in a projection.
        "secret" => {
            let name = match spec::text(content, "secretName") {
                "" => spec::name(content),
                name => name,
            };
            object(source, &kinds::SECRETS, name, content, mode).await
        }
        "downwardAPI" => downward(source, content, mode),
        "serviceAccountToken" => token(source, content, mode).await,
        other => Err(format!("{}: {other}", simulation::stub!("kubelet", "projections of this type"))),
    }
}

async fn object(
    source: &Source<'_>,
    kind: &'static Kind,
    name: &str,
    content: &Value,
    default: u16,
) -> Result<Files, String> {
    let optional = content["optional"].as_bool() == Some(true);
    let secret = kind.plural == "secrets";
    let object = match source.client.get(kind, source.facts.pod.namespace(), name).await {
        Ok(object) => object,
        Err(error) if error.is_not_found() && optional => return Ok(Files::new()),
        Err(error) if error.is_not_found() => return Err(format!("{} \"{name}\" not found", kind.singular)),
        Err(error) => return Err(error.to_string()),
    };
    let data = decode(&object, secret);
    let items = spec::items(content, "items");
    if items.is_empty() {
        return Ok(data.into_iter().map(|(key, bytes)| (key, (default, bytes))).collect());
    }
    let mut files = Files::new();
    for item in items {
        let key = spec::text(item, "key");
        match data.iter().find(|(k, _)| k == key) {
            Some((_, bytes)) => {
                files.insert(spec::text(item, "path").to_owned(), (mode(item, default), bytes.clone()));
            }
            None if optional => {}
            None => {
                let what = if secret { "secret" } else { "config" };
                return Err(format!("references non-existent {what} key: {key}"));
            }
        }
    }
    Ok(files)
}

fn decode(object: &Object, secret: bool) -> Vec<(String, Bytes)> {
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default();
    let field = |path: &str, encoded: bool| {
        let entries = object.at(path).as_object().into_iter().flatten();
        let bytes = move |v: &Value| {
            let text = v.as_str()?;
            Some(if encoded { base64(text) } else { text.as_bytes().to_vec() })
        };
        entries.filter_map(|(k, v)| Some((k.to_string(), Bytes::from(bytes(v)?)))).collect::<Vec<_>>()
    };
    let mut all = field("data", secret);
    if !secret {
        all.extend(field("binaryData", true));
    }
    all
}

fn downward(source: &Source<'_>, content: &Value, default: u16) -> Result<Files, String> {
    let mut files = Files::new();
    for item in spec::items(content, "items") {
        let text = match item["fieldRef"]["fieldPath"].as_str() {
            Some(path) => env::field(source.facts, path)?,
            None => env::resource(source.facts, &Value::Null, &item["resourceFieldRef"])?,
        };
        files.insert(spec::text(item, "path").to_owned(), (mode(item, default), Bytes::from(text)));
    }
    Ok(files)
}

async fn token(source: &Source<'_>, content: &Value, mode: u16) -> Result<Files, String> {
    let pod = source.facts.pod;
    let account = match pod.str("spec.serviceAccountName") {
        "" => "default",
        name => name,
    };
    let mut request = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {
            "audiences": [],
            "expirationSeconds": content["expirationSeconds"].as_i64().unwrap_or(3600),
            "boundObjectRef": { "apiVersion": "v1", "kind": "Pod", "name": pod.name(), "uid": pod.uid() },
        },
    });
    if let Some(audience) = content["audience"].as_str().filter(|a| !a.is_empty()) {
        request["spec"]["audiences"] = json!([audience]);
    }
    let namespace = pod.namespace();
    let made =
        source.client.create_sub(&kinds::SERVICE_ACCOUNTS, namespace, account, "token", Object::new(request)).await;
    let made = made.map_err(|error| format!("failed to fetch token: {error}"))?;
    let text = made.str("status.token").to_owned();
    Ok(Files::from([(spec::text(content, "path").to_owned(), (mode, Bytes::from(text)))]))
}
