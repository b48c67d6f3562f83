//! Takes away requests for certificates that are over or that nobody answers (`pkg/controller/certificates/cleaner`).
//!
//! Difference: whether a certificate has expired is not looked at; its request goes an hour after the approval in any case.

use std::time::Duration;

use api::{Kind, Object, kinds};
use client::Event;
use json::Value;
use simulation::Time;

use crate::change::{Change, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

/// All requests are looked at so often, from the start of the controllers on.
const POLLING_INTERVAL: Duration = Duration::from_secs(3_600);
/// After its certificate was issued, or it was denied or has failed.
const ENDED_EXPIRATION: Duration = Duration::from_secs(3_600);
/// After it was made, or approved without anyone who signs.
const PENDING_EXPIRATION: Duration = Duration::from_secs(24 * 3_600);

pub(crate) static CLEANER: Controller = Controller {
    name: "certificatesigningrequest-cleaner-controller",
    component: "certificatesigningrequest-cleaner-controller",
    follows: Follows::Kinds(&[&kinds::CERTIFICATE_SIGNING_REQUESTS]),
    wake,
    reports_refusals: false,
    reconcile,
};

fn wake(_: &View<'_>, _: &Kind, event: &Event) -> Vec<Wake> {
    match event {
        Event::Deleted(_) => Vec::new(),
        Event::Added(request) | Event::Modified { new: request, .. } => vec![Wake::now(request)],
    }
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some(request) = view.get(&kinds::CERTIFICATE_SIGNING_REQUESTS, key) else { return Ok(Vec::new()) };
    let Some(end) = end(request) else { return Ok(Vec::new()) };
    // It goes at the first look after its time.
    let looks = end.saturating_since(view.started).as_secs() / POLLING_INTERVAL.as_secs() + 1;
    let look = view.started + POLLING_INTERVAL.saturating_mul(u32::try_from(looks).unwrap_or(u32::MAX));
    let rest = look.saturating_since(view.now);
    if !rest.is_zero() {
        return Ok(vec![Change::After(rest)]);
    }
    Ok(vec![Change::from(Write::delete(&kinds::CERTIFICATE_SIGNING_REQUESTS, request))])
}

/// When the time of a request is over.
fn end(request: &Object) -> Option<Time> {
    let conditions = request.list("status.conditions");
    if conditions.is_empty() {
        return time(request.at("metadata.creationTimestamp")).map(|made| made + PENDING_EXPIRATION);
    }
    let is_issued = !request.str("status.certificate").is_empty();
    let ends = conditions.iter().filter_map(|condition| {
        let after = match condition["type"].as_str().unwrap_or("") {
            "Denied" | "Failed" => ENDED_EXPIRATION,
            "Approved" if is_issued => ENDED_EXPIRATION,
            "Approved" => PENDING_EXPIRATION,
            _ => return None,
        };
        time(&condition["lastUpdateTime"]).map(|at| at + after)
    });
    ends.min()
}

fn time(value: &Value) -> Option<Time> {
    value.as_str().and_then(Time::parse_rfc3339)
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;
    use crate::cache::Caches;
    use crate::change::describe;

    /// What is done about a request of 00:00 at a time of the same or the next day; the controllers began at 23:30.
    fn plan(at: &str, status: Value) -> String {
        let request = Object::new(json!({ "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": { "name": "jane", "uid": "u", "creationTimestamp": "2026-11-22T00:00:00Z" }, "status": status }));
        let caches = Caches::with(&[request]);
        let mut view = View::new(&caches, Time::parse_rfc3339(at).unwrap());
        view.started = Time::parse_rfc3339("2026-11-21T23:30:00Z").unwrap();
        describe(&reconcile(&view, "jane").unwrap())
    }

    #[test]
    fn each_state_has_its_time() {
        let condition = |kind: &str| json!([{ "type": kind, "lastUpdateTime": "2026-11-22T00:10:00Z" }]);
        let gone = "delete CertificateSigningRequest jane";
        assert_eq!(plan("2026-11-22T01:29:00Z", json!({ "conditions": condition("Denied") })), "after 60s");
        assert_eq!(plan("2026-11-22T01:30:00Z", json!({ "conditions": condition("Denied") })), gone);
        let issued = json!({ "conditions": condition("Approved"), "certificate": "eA==" });
        assert_eq!(plan("2026-11-22T01:30:00Z", issued), gone);
        assert_eq!(plan("2026-11-23T00:30:00Z", json!({ "conditions": condition("Approved") })), gone);
        assert_eq!(plan("2026-11-23T00:29:59Z", json!({ "conditions": condition("Approved") })), "after 1s");
        assert_eq!(plan("2026-11-23T00:30:00Z", json!({})), gone);
    }
}
