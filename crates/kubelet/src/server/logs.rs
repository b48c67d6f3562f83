//! Container logs (`GetKubeletContainerLogs`).

use std::rc::Rc;

use api::http::{Body, Chunk, HeaderValue, Response, header};
use bytes::Bytes;
use futures_util::StreamExt as _;
use json::Value;
use simulation::{Duration, Time};

use super::{Query, Refusal};
use crate::Kubelet;
use crate::cri::{Id, LogOptions};
use crate::pod::Worker;
use crate::spec;

pub(super) fn answer(
    kubelet: &Kubelet,
    worker: &Rc<Worker>,
    container: &str,
    query: &Query,
) -> Result<Response, Refusal> {
    let pod = worker.pod();
    if spec::find(&pod, container).is_none() {
        let message = format!("container \"{container}\" not found in pod \"{}\"", pod.name());
        return Err(Refusal::not_found(message));
    }
    let since_time = match query.get("sinceTime") {
        None | Some("") => None,
        Some(text) => {
            Some(Time::parse_rfc3339(text).ok_or_else(|| Refusal::bad(format!("invalid sinceTime: {text}")))?)
        }
    };
    let since_seconds = query.number("sinceSeconds")?.map(|s| kubelet.0.sim.now() - Duration::from_secs(s));
    let options = LogOptions {
        follow: query.flag(&["follow"]),
        tail_lines: query.number("tailLines")?,
        since: since_time.or(since_seconds),
        timestamps: query.flag(&["timestamps"]),
        limit_bytes: query.number("limitBytes")?,
    };
    let id = container_id(worker, pod.name(), container, query.flag(&["previous"])).map_err(Refusal::bad)?;
    let shared = &kubelet.0.shared;
    // Upstream has begun to answer before it looks, so this is a text like any other.
    let gone = |_| {
        let text = format!("unable to retrieve container logs for {}://{id}", shared.config.runtime());
        futures_util::stream::iter([Bytes::from(text)]).boxed_local()
    };
    let pieces = shared.runtime.logs(&id, options).unwrap_or_else(gone);
    let mut response = Response::new(Body::Stream(pieces.map(Chunk::Bytes).boxed_local()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Ok(response)
}

/// Which container's log is meant, from the pod's status (`validateContainerLogStatus`).
fn container_id(worker: &Worker, pod: &str, container: &str, previous: bool) -> Result<Id, String> {
    let status = worker.status();
    let all = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];
    let found = all.iter().flat_map(|list| spec::items(&status, list)).find(|s| spec::name(s) == container);
    let Some(status) = found else {
        return Err(format!("container \"{container}\" in pod \"{pod}\" is not available"));
    };
    let id_of = |value: &Value| value.as_str().and_then(|id| id.split_once("://")).map(|(_, id)| id.to_owned());
    let last = &status["lastState"]["terminated"];
    let (running, ended) = (&status["state"]["running"], &status["state"]["terminated"]);
    let waiting = |reason: &str| format!("container \"{container}\" in pod \"{pod}\" is waiting to start: {reason}");
    if previous {
        return id_of(&last["containerID"])
            .ok_or_else(|| format!("previous terminated container \"{container}\" in pod \"{pod}\" not found"));
    }
    let id = if !running.is_null() {
        id_of(&status["containerID"])
    } else if !ended.is_null() {
        id_of(&ended["containerID"]).or_else(|| id_of(&last["containerID"]))
    } else if !last.is_null() {
        id_of(&last["containerID"])
    } else {
        return Err(match status["state"]["waiting"]["reason"].as_str() {
            Some("ErrImagePull") => waiting("image can't be pulled"),
            Some("ImagePullBackOff") => waiting("trying and failing to pull image"),
            Some(reason) => waiting(reason),
            None => format!("container \"{container}\" in pod \"{pod}\" is waiting to start - no logs yet"),
        });
    };
    id.ok_or_else(|| format!("container \"{container}\" in pod \"{pod}\" is terminated"))
}
