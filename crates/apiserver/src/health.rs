//! `/healthz`, `/livez`, `/readyz` (k8s.io/apiserver/pkg/server/healthz).

use api::http::{Response, StatusCode};

use crate::request::Query;
use crate::wire;

/// The checks that hold for every one of the three.
const CHECKS: &[&str] = &["ping", "log", ETCD];
/// The check that fails when etcd's members follow nobody.
const ETCD: &str = "etcd";

/// Answers a health path; `None` if it is none. `rest` of the path names one check. `has_etcd` tells whether etcd answers.
pub fn answer(path: &str, query: &Query, has_etcd: bool) -> Option<Response> {
    let mut segments = path.trim_matches('/').splitn(2, '/');
    let endpoint = segments.next().filter(|e| matches!(*e, "healthz" | "livez" | "readyz"))?;
    let mut checks = CHECKS.to_vec();
    if endpoint == "readyz" {
        checks.extend(["informer-sync", "poststarthook/bootstrap-controller", "shutdown"]);
    } else {
        checks.push("poststarthook/bootstrap-controller");
    }
    if let Some(one) = segments.next() {
        return Some(if one == ETCD && !has_etcd {
            let text = "internal server error: error getting data from etcd: context deadline exceeded\n";
            wire::text(StatusCode::INTERNAL_SERVER_ERROR, text)
        } else if checks.contains(&one) {
            wire::text(StatusCode::OK, "ok")
        } else {
            wire::text(StatusCode::NOT_FOUND, "404 page not found\n")
        });
    }
    if has_etcd && !query.has("verbose") {
        return Some(wire::text(StatusCode::OK, "ok"));
    }
    let line = |check: &&str| match *check {
        ETCD if !has_etcd => format!("[-]{ETCD} failed: reason withheld\n"),
        check => format!("[+]{check} ok\n"),
    };
    let mut text: String = checks.iter().map(line).collect();
    text.push_str(&format!("{endpoint} check {}\n", if has_etcd { "passed" } else { "failed" }));
    Some(wire::text(if has_etcd { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }, text))
}
