//! Tokens of service accounts (`pkg/registry/core/serviceaccount/storage/token.go`, `pkg/serviceaccount/claims.go`).
//!
//! Difference: signed with HMAC-SHA256 and not with RSA.

use api::Object;
use api::http::{Body, Method, Response, StatusCode};
use api::kinds::{NAMESPACES, NODES, PODS, SECRETS, SERVICE_ACCOUNTS};
use api::status::{FieldError, FieldErrors, Status};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use json::{Value, json};
use sha2::{Digest as _, Sha256};
use simulation::Duration;

use crate::negotiate::resource_format;
use crate::registry::{Context, decode};
use crate::request::{Head, Target};
use crate::value::{at, int, text};
use crate::{failure, subresource, wire};

pub const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
const SECONDS_DEFAULT: i64 = 3_600;
const SECONDS_MIN: i64 = 600;
const HMAC_BLOCK_BYTES: usize = 64;

/// Answers `serviceaccounts/token`.
pub fn create(cx: &Context<'_>, head: &Head, target: &Target, body: Body) -> Result<Response, Status> {
    if head.method != Method::POST {
        return Err(Status::method_not_allowed());
    }
    let format = resource_format(head)?;
    let account = cx.require(&SERVICE_ACCOUNTS, &target.namespace, &target.name)?.value.clone();
    let mut request = decode::any(head, body)?;
    subresource::ask(cx, target, &request)?;
    let seconds = int(&request, "spec.expirationSeconds").unwrap_or(SECONDS_DEFAULT);
    if seconds < SECONDS_MIN {
        let mut errors = FieldErrors::new();
        let why = "may not specify a duration less than 10 minutes";
        errors.push(FieldError::invalid("spec.expirationSeconds", seconds, why));
        return Err(Status::invalid("authentication.k8s.io", "TokenRequest", &target.name, &errors));
    }
    let audiences = match at(&request, "spec.audiences") {
        Value::Array(list) if !list.is_empty() => Value::Array(list.clone()),
        _ => json!([ISSUER]),
    };
    let bound = bound_object(cx, &target.namespace, at(&request, "spec.boundObjectRef"))?;
    let now = cx.server.sim.now();
    let expires = now + Duration::from_secs(seconds.unsigned_abs());
    let claims = claims(cx, &account, bound.as_ref(), &audiences, expires.unix_seconds());
    let token = sign(&key(cx), &claims);
    request["kind"] = "TokenRequest".into();
    request["apiVersion"] = "authentication.k8s.io/v1".into();
    request["metadata"] = json!({ "name": target.name, "namespace": target.namespace });
    request["spec"]["audiences"] = audiences;
    request["spec"]["expirationSeconds"] = seconds.into();
    request["status"] = json!({ "token": token, "expirationTimestamp": expires.rfc3339() });
    Ok(wire::object(StatusCode::CREATED, Object::new(request), format))
}

/// The object with which a token ends.
fn bound_object(cx: &Context<'_>, namespace: &str, reference: &Value) -> Result<Option<Object>, Status> {
    let (kind, namespace) = match text(reference, "kind") {
        "" => return Ok(None),
        "Pod" => (&PODS, namespace),
        "Secret" => (&SECRETS, namespace),
        "Node" => (&NODES, ""),
        other => {
            let version = text(reference, "apiVersion");
            let version = if version.contains('/') { version.to_owned() } else { format!("/{version}") };
            let why = format!("cannot bind token for object of type {version}, Kind={other}");
            return Err(Status::bad_request(why));
        }
    };
    let object = cx.require(kind, namespace, text(reference, "name"))?.value.clone();
    let uid = text(reference, "uid");
    if !uid.is_empty() && uid != object.uid() {
        let why = format!(
            "the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated"
        );
        return Err(failure::conflict(kind, object.name(), &why));
    }
    Ok(Some(object))
}

fn claims(cx: &Context<'_>, account: &Object, bound: Option<&Object>, audiences: &Value, expires: i64) -> Value {
    let now = cx.server.sim.now().unix_seconds();
    let mut about = json!({
        "namespace": account.namespace(),
        "serviceaccount": { "name": account.name(), "uid": account.uid() },
    });
    if let Some(object) = bound {
        about[object.kind().to_lowercase()] = json!({ "name": object.name(), "uid": object.uid() });
        if object.kind() == "Pod" {
            about["node"] = json!({ "name": object.str("spec.nodeName") });
        }
    }
    json!({
        "aud": audiences,
        "exp": expires,
        "iat": now,
        "iss": ISSUER,
        "jti": cx.server.sim.uid(),
        "kubernetes.io": about,
        "nbf": now,
        "sub": format!("system:serviceaccount:{}:{}", account.namespace(), account.name()),
    })
}

/// One key a cluster: from the uid of its first namespace.
fn key(cx: &Context<'_>) -> Vec<u8> {
    let uid = cx.require(&NAMESPACES, "", "kube-system").map(|o| o.value.uid().to_owned()).unwrap_or_default();
    Sha256::digest(format!("service account signing key {uid}")).to_vec()
}

/// A JSON web token.
fn sign(key: &[u8], claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(hmac(key, signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// What a token says, if this server signed it and it is its time.
pub fn verified(cx: &Context<'_>, token: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let json = |part: &str| json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    if json(head)?["alg"] != "HS256" || URL_SAFE_NO_PAD.decode(signature).ok()? != hmac(&key(cx), signed.as_bytes()) {
        return None;
    }
    let claims = json(claims)?;
    let now = cx.server.sim.now().unix_seconds();
    let in_time =
        int(&claims, "exp").is_some_and(|end| now < end) && int(&claims, "nbf").is_some_and(|start| start <= now);
    (in_time && text(&claims, "iss") == ISSUER).then_some(claims)
}

/// RFC 2104 with SHA-256; the key is no longer than a block.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let padded =
        |byte: u8| -> Vec<u8> { (0..HMAC_BLOCK_BYTES).map(|i| key.get(i).copied().unwrap_or(0) ^ byte).collect() };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_of_rfc_4231() {
        let hex: String = hmac(b"Jefe", b"what do ya want for nothing?").iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn tokens_have_three_parts() {
        let token = sign(b"key", &json!({"sub": "x"}));
        let parts: Vec<&str> = token.split('.').collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(URL_SAFE_NO_PAD.decode(parts[1]).unwrap(), br#"{"sub":"x"}"#);
    }
}
