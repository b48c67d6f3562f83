//! Tokens of service accounts (`pkg/registry/core/serviceaccount/storage/token.go`, `pkg/serviceaccount/claims.go`).

use api::http::{Body, Method, Response, StatusCode};
use api::kinds::{NAMESPACES, NODES, PODS, SECRETS, SERVICE_ACCOUNTS};
use api::status::{FieldError, FieldErrors, Status};
use api::{Object, jwt};
use json::{Value, json};
use simulation::Duration;

use crate::negotiate::resource_format;
use crate::registry::{Context, decode};
use crate::request::{Head, Target};
use crate::value::{at, int, text};
use crate::{failure, subresource, wire};

pub const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
const SECONDS_DEFAULT: i64 = 3_600;
const SECONDS_MIN: i64 = 600;

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
    let token = jwt::sign(&key(cx), &claims);
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

/// The key of this cluster's tokens.
fn key(cx: &Context<'_>) -> Vec<u8> {
    let uid = cx.require(&NAMESPACES, "", "kube-system").map(|o| o.value.uid().to_owned()).unwrap_or_default();
    jwt::key(&uid)
}

/// What a token says, if this cluster signed it and it is its time. One of a Secret has no time.
pub fn verified(cx: &Context<'_>, token: &str) -> Option<Value> {
    let claims = jwt::verified(&key(cx), token)?;
    let now = cx.server.sim.now().unix_seconds();
    let in_time =
        int(&claims, "exp").is_some_and(|end| now < end) && int(&claims, "nbf").is_some_and(|start| start <= now);
    match text(&claims, "iss") {
        ISSUER if in_time => Some(claims),
        jwt::LEGACY_ISSUER => Some(claims),
        _ => None,
    }
}
