//! What volumes made from API objects hold: configMap, secret, downwardAPI, projected
//! (`pkg/volume/{configmap,secret,downwardapi,projected}`).

use api::{Kind, Object, kinds};
use base64::Engine as _;
use bytes::Bytes;
use json::Value;

use super::files::{File, Files};
use super::{Source, ownership, tokens};
use crate::{env, spec};

const MODE_DEFAULT: u16 = 0o644;
/// Of a token whose reader is known.
const MODE_OWN: u16 = 0o600;

/// Whether a volume of the spec is made from API objects.
pub(super) fn is_of_api(volume: &Value) -> bool {
    ["configMap", "secret", "downwardAPI", "projected"].iter().any(|kind| !volume[*kind].is_null())
}

/// The files of a volume that is made from API objects.
pub(super) async fn of_volume(source: &Source<'_>, volume: &Value) -> Result<Files, String> {
    for kind in ["configMap", "secret", "downwardAPI"] {
        if !volume[kind].is_null() {
            return part(source, kind, &volume[kind], mode(&volume[kind]["defaultMode"], MODE_DEFAULT)).await;
        }
    }
    let default = mode(&volume["projected"]["defaultMode"], MODE_DEFAULT);
    let mut all = Files::new();
    let mut failed = Vec::new();
    for projected in spec::items(volume, "projected.sources") {
        let Some((kind, content)) = projected.as_object().and_then(|m| m.iter().next()) else { continue };
        match part(source, kind, content, default).await {
            Ok(files) => all.extend(files),
            Err(message) => failed.push(message),
        }
    }
    match &failed[..] {
        [] => Ok(all),
        [only] => Err(only.clone()),
        _ => Err(format!("[{}]", failed.join(", "))),
    }
}

fn mode(value: &Value, default: u16) -> u16 {
    value.as_u64().and_then(|m| u16::try_from(m & 0o777).ok()).unwrap_or(default)
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
    let data = match source.client.get(kind, source.facts.pod.namespace(), name).await {
        Ok(object) => decode(&object, secret),
        Err(error) if error.is_not_found() && optional => Vec::new(),
        Err(error) if error.is_not_found() => return Err(format!("{} \"{name}\" not found", kind.singular)),
        Err(error) => return Err(error.to_string()),
    };
    let items = spec::items(content, "items");
    if items.is_empty() {
        return Ok(data.into_iter().map(|(key, bytes)| (key, File::new(default, bytes))).collect());
    }
    let mut files = Files::new();
    for item in items {
        let key = spec::text(item, "key");
        match data.iter().find(|(k, _)| k == key) {
            Some((_, bytes)) => {
                let file = File::new(mode(&item["mode"], default), bytes.clone());
                files.insert(spec::text(item, "path").to_owned(), file);
            }
            None if optional => {}
            None if secret => return Err(format!("references non-existent secret key: {key}")),
            None => return Err(format!("configmap references non-existent config key: {key}")),
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
        let file = File::new(mode(&item["mode"], default), Bytes::from(text));
        files.insert(spec::text(item, "path").to_owned(), file);
    }
    Ok(files)
}

async fn token(source: &Source<'_>, content: &Value, mode: u16) -> Result<Files, String> {
    let pod = source.facts.pod;
    let text = tokens::of_pod(source, content).await?;
    // With a group the file is opened to it afterwards, so it begins as narrow as can be.
    let owner = ownership::fs_user(pod);
    let narrow = owner.is_some() || ownership::fs_group(pod).is_some();
    let file = File { mode: if narrow { MODE_OWN } else { mode }, bytes: Bytes::from(text), owner };
    Ok(Files::from([(spec::text(content, "path").to_owned(), file)]))
}
