//! The kubelet's HTTP API (`pkg/kubelet/server/server.go`): what the API server forwards.
//!
//! `/healthz`, `/pods`, `/stats/summary`, `/containerLogs/{ns}/{pod}/{container}`, `/exec/...`, `/attach/...`, `/portForward/{ns}/{pod}`.

mod logs;
mod portforward;
mod query;
mod stats;
mod streams;

use std::rc::Rc;

use api::http::{Body, HeaderValue, Request, Response, StatusCode, header};
use json::json;

use crate::Kubelet;
use crate::pod::Worker;
use query::Query;

/// A refusal: status and plain text, as upstream writes them.
pub(crate) struct Refusal(StatusCode, String);

impl Refusal {
    fn not_found(message: impl Into<String>) -> Refusal {
        Refusal(StatusCode::NOT_FOUND, message.into())
    }

    fn bad(message: impl Into<String>) -> Refusal {
        Refusal(StatusCode::BAD_REQUEST, message.into())
    }

    fn internal(message: impl Into<String>) -> Refusal {
        Refusal(StatusCode::INTERNAL_SERVER_ERROR, message.into())
    }
}

pub(crate) async fn answer(kubelet: &Kubelet, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let query = Query::parse(request.uri().query().unwrap_or(""));
    // Whoever forwards ports through SPDY names them in its streams.
    let protocols = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let is_tunnel = protocols.iter().any(|p| p.to_str().is_ok_and(|p| p.starts_with("SPDY/")));
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let result = match parts[..] {
        ["healthz"] => Ok(text(StatusCode::OK, "ok")),
        ["pods"] => Ok(pods(kubelet)),
        ["stats", "summary"] => Ok(stats::summary(kubelet)),
        ["containerLogs", namespace, pod, container] => match find(kubelet, namespace, pod) {
            Ok(worker) => logs::answer(kubelet, &worker, container, &query),
            Err(_) => Err(Refusal::not_found(format!("pod \"{pod}\" does not exist"))),
        },
        [kind @ ("exec" | "attach"), namespace, pod, container] => {
            find(kubelet, namespace, pod).and_then(|w| streams::answer(kubelet, &w, kind, container, &query))
        }
        ["portForward", namespace, pod] => {
            find(kubelet, namespace, pod).and_then(|w| portforward::answer(kubelet, &w, &query, is_tunnel))
        }
        _ => Err(Refusal::not_found("404 page not found\n")),
    };
    result.unwrap_or_else(|Refusal(status, message)| text(status, message))
}

fn find(kubelet: &Kubelet, namespace: &str, pod: &str) -> Result<Rc<Worker>, Refusal> {
    kubelet.worker(namespace, pod).ok_or_else(|| Refusal::not_found("pod does not exist"))
}

fn text(status: StatusCode, message: impl Into<String>) -> Response {
    let mut response = Response::new(Body::Bytes(message.into().into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn pods(kubelet: &Kubelet) -> Response {
    let workers = kubelet.0.workers.borrow();
    let items: Vec<_> = workers.values().map(|(worker, _)| worker.pod().value().clone()).collect();
    let list = json!({ "kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items });
    let mut response = Response::new(Body::Object(list.into()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
