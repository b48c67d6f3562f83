//! `/healthz`, `/livez`, `/readyz` (k8s.io/apiserver/pkg/server/healthz).

use api::http::{Response, StatusCode};

use crate::request::Query;
use crate::wire;

/// The checks that hold for every one of the three.
const CHECKS: &[&str] = &["ping", "log", "etcd"];

/// Answers a health path; `None` if it is none. `rest` of the path names one check.
pub fn answer(path: &str, query: &Query) -> Option<Response> {
    let mut segments = path.trim_matches('/').splitn(2, '/');
    let endpoint = segments.next().filter(|e| matches!(*e, "healthz" | "livez" | "readyz"))?;
    let mut checks = CHECKS.to_vec();
    if endpoint == "readyz" {
        checks.extend(["informer-sync", "poststarthook/bootstrap-controller", "shutdown"]);
    } else {
        checks.push("poststarthook/bootstrap-controller");
    }
    if let Some(one) = segments.next() {
        return Some(if checks.contains(&one) {
            wire::text(StatusCode::OK, "ok")
        } else {
            wire::text(StatusCode::NOT_FOUND, "404 page not found\n")
        });
    }
    if !query.has("verbose") {
        return Some(wire::text(StatusCode::OK, "ok"));
    }
    let mut text: String = checks.iter().map(|check| format!("[+]{check} ok\n")).collect();
    text.push_str(&format!("{endpoint} check passed\n"));
    Some(wire::text(StatusCode::OK, text))
}
