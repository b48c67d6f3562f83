//! What a pod may show registries: its `imagePullSecrets` (`pkg/credentialprovider`, `getPullSecretsForPod`).
//!
//! Differences: the node itself has no logins, and patterns in the names of registries (`*.example.com`) match nothing.

use api::{Object, kinds};
use base64::Engine as _;
use client::{Client, EventRecorder};
use json::Value;

use crate::cri::Login;
use crate::spec;

/// The domain of an image whose name has none.
const HUB: &str = "docker.io";
/// Names by which people know it.
const HUB_NAMES: [&str; 3] = ["index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];

/// Reads pull secrets.
pub(crate) struct Keyring {
    pub(crate) client: Client,
}

impl Keyring {
    /// The logins for the registry of an image, in the order in which they are to be tried.
    pub(crate) async fn of(&self, pod: &Object, image: &str, recorder: &EventRecorder) -> Vec<Login> {
        let names = pod.list("spec.imagePullSecrets").iter().map(spec::name).filter(|name| !name.is_empty());
        let (mut logins, mut failed) = (Vec::new(), Vec::new());
        for name in names {
            match self.client.get(&kinds::SECRETS, pod.namespace(), name).await {
                Ok(secret) => logins.extend(of_secret(&secret, image)),
                Err(_) => failed.push(name),
            }
        }
        if !failed.is_empty() {
            let text = format!(
                "Unable to retrieve some image pull secrets ({}); attempting to pull the image may not succeed.",
                failed.join(", ")
            );
            recorder.event(pod, "Warning", "FailedToRetrieveImagePullSecret", &text);
        }
        // The narrowest entry goes first, as upstream's keyring sorts them.
        logins.sort_by(|(a, _), (b, _)| b.cmp(a));
        logins.into_iter().map(|(_, login)| login).collect()
    }
}

/// What a secret has for an image: the place that the login is for, and the login.
fn of_secret(secret: &Object, image: &str) -> Vec<(String, Login)> {
    let field = |key: &str| secret.at("data").get(key).and_then(Value::as_str).and_then(decoded);
    let parsed = |text: Option<String>| text.and_then(|text| json::from_slice::<Value>(text.as_bytes()).ok());
    let entries = match secret.str("type") {
        "kubernetes.io/dockerconfigjson" => parsed(field(".dockerconfigjson")).map(|file| file["auths"].clone()),
        "kubernetes.io/dockercfg" => parsed(field(".dockercfg")),
        _ => None,
    };
    let entries = entries.unwrap_or_default();
    let all = entries.as_object().into_iter().flatten();
    let fitting = all.filter_map(|(place, entry)| Some((place_of(place), login(entry)?)));
    let wanted = place_of(&full(image));
    fitting.filter(|(place, _)| wanted == *place || wanted.starts_with(&format!("{place}/"))).collect()
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).ok()?).ok()
}

fn login(entry: &Value) -> Option<Login> {
    let text = |field: &str| entry[field].as_str().unwrap_or("").to_owned();
    let auth = decoded(&text("auth")).unwrap_or_default();
    let (user, password) = match auth.split_once(':') {
        Some((user, password)) => (user.to_owned(), password.to_owned()),
        None => (text("username"), text("password")),
    };
    (!user.is_empty()).then_some(Login { user, password })
}

/// An image's name with its registry, without its tag.
fn full(image: &str) -> String {
    let image = image.split('@').next().unwrap_or(image);
    let image = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    };
    match image.split_once('/') {
        Some((domain, _)) if domain.contains(['.', ':']) || domain == "localhost" => image.to_owned(),
        _ => format!("{HUB}/{image}"),
    }
}

/// A registry, perhaps with a path, without what a URL has around it.
fn place_of(text: &str) -> String {
    let text = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let (domain, path) = text.split_once('/').unwrap_or((text, ""));
    let domain = if HUB_NAMES.contains(&domain) { HUB } else { domain };
    // `/v1/` and `/v2/` are of the registry's interface, not of a name.
    let path = path.strip_prefix("v1/").or_else(|| path.strip_prefix("v2/")).unwrap_or(path);
    let path = if matches!(path, "v1" | "v2") { "" } else { path };
    format!("{domain}/{path}").trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    fn encoded(text: &str) -> String {
        base64::engine::general_purpose::STANDARD.encode(text)
    }

    fn users(auths: &Value, image: &str) -> Vec<String> {
        let file = json!({"auths": auths.clone()}).to_string();
        let secret = json!({"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": encoded(&file)}});
        of_secret(&Object::new(secret), image).into_iter().map(|(_, login)| login.user).collect()
    }

    #[test]
    fn a_login_is_for_a_registry() {
        let auths = json!({
            "https://index.docker.io/v1/": {"auth": encoded("hub:x")},
            "ghcr.io": {"username": "cat", "password": "x"},
            "quay.io/team": {"username": "team", "password": "x"},
            "broken.io": {"auth": "?"},
        });
        for (image, expected) in
            [("nginx", "hub"), ("hub/app:v1", "hub"), ("ghcr.io/cat/app@sha256:0", "cat"), ("quay.io/team/app", "team")]
        {
            assert_eq!(users(&auths, image), [expected], "{image}");
        }
        for image in ["gcr.io/x/y", "quay.io/teams/app", "broken.io/x", "ghcr.io.evil/x"] {
            assert_eq!(users(&auths, image), Vec::<String>::new(), "{image}");
        }
    }
}
