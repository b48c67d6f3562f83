//! Tokens of service accounts for pods: asked for once, renewed when most of their time is over
//! (`pkg/kubelet/token`).

use std::cell::RefCell;
use std::collections::BTreeMap;

use api::{Object, kinds};
use json::{Value, json};
use simulation::{Duration, Time};

use super::Source;
use crate::limits::TOKEN_AGE_MAX;
use crate::spec;

/// Seconds that a token holds unless the pod says otherwise.
const EXPIRATION_SECONDS_DEFAULT: i64 = 3600;

struct Token {
    text: String,
    renew_at: Time,
    expires_at: Time,
}

/// The tokens of one pod, by audience and duration.
#[derive(Default)]
pub(crate) struct Tokens(RefCell<BTreeMap<(String, i64), Token>>);

impl Tokens {
    /// When the first of them is to be renewed.
    pub(super) fn due(&self) -> Option<Time> {
        self.0.borrow().values().map(|token| token.renew_at).min()
    }
}

/// The token that a projection asks for.
pub(super) async fn of_pod(source: &Source<'_>, content: &Value) -> Result<String, String> {
    let seconds = content["expirationSeconds"].as_i64().unwrap_or(EXPIRATION_SECONDS_DEFAULT);
    let key = (spec::text(content, "audience").to_owned(), seconds);
    let now = source.sim.now();
    let held = source.tokens.0.borrow().get(&key).map(|held| (held.text.clone(), held.renew_at, held.expires_at));
    if let Some((text, renew_at, _)) = &held
        && now < *renew_at
    {
        return Ok(text.clone());
    }
    match (fetch(source, &key).await, held) {
        (Ok(token), _) => {
            let text = token.text.clone();
            source.tokens.0.borrow_mut().insert(key, token);
            Ok(text)
        }
        // The old one does as long as it holds.
        (Err(_), Some((text, _, expires_at))) if now < expires_at => Ok(text),
        (Err(error), _) => Err(format!("failed to fetch token: {error}")),
    }
}

async fn fetch(source: &Source<'_>, (audience, seconds): &(String, i64)) -> Result<Token, client::Error> {
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
            "expirationSeconds": seconds,
            "boundObjectRef": { "apiVersion": "v1", "kind": "Pod", "name": pod.name(), "uid": pod.uid() },
        },
    });
    if !audience.is_empty() {
        request["spec"]["audiences"] = json!([audience]);
    }
    let (kind, namespace) = (&kinds::SERVICE_ACCOUNTS, pod.namespace());
    let made = source.client.create_sub(kind, namespace, account, "token", Object::new(request)).await?;
    let lifetime = Duration::from_secs(u64::try_from(*seconds).unwrap_or(0));
    let now = source.sim.now();
    Ok(Token {
        text: made.str("status.token").to_owned(),
        renew_at: now + (lifetime / 5 * 4).min(TOKEN_AGE_MAX),
        expires_at: Time::parse_rfc3339(made.str("status.expirationTimestamp")).unwrap_or(now + lifetime),
    })
}
