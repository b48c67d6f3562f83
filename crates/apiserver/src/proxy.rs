//! Subresources that leave the server: logs, exec, attach and port-forward go to the kubelet of the pod's node, proxies
//! to a pod (pkg/registry/core/{pod,service,node}/rest, k8s.io/apimachinery/pkg/util/proxy).
//!
//! Differences: proxies speak plain HTTP only; upgraded connections pass through as they are.

use api::Object;
use api::http::{Body, Method, Request, Response, StatusCode, TransportError, Uri, header};
use api::kinds::{ENDPOINTS, NODES, PODS, SERVICES};
use api::status::Status;

use crate::failure;
use crate::registry::Context;
use crate::request::{Head, Query, Target, decode};
use crate::value::{int, list, text};

/// The port of kubelets, as messages name it.
const KUBELET_PORT: u16 = 10_250;

// --- to kubelets ---

/// `log`, `exec`, `attach`, `portforward` of a pod.
pub async fn kubelet(cx: &Context<'_>, head: Head, target: &Target, body: Body) -> Result<Response, Status> {
    crate::admission::asked::about_connection(cx, &head, target)?;
    let pod = cx.require(&PODS, &target.namespace, &target.name)?.value.clone();
    let sub = target.subresource.as_str();
    let allowed: &[Method] = if sub == "log" { &[Method::GET] } else { &[Method::GET, Method::POST] };
    if !allowed.contains(&head.method) {
        return Err(Status::method_not_allowed());
    }
    let place = format!("{}/{}", pod.namespace(), pod.name());
    let path = match sub {
        "portforward" => format!("/portForward/{place}"),
        _ => {
            let container = container(&pod, head.query.get("container"))?;
            let verb = match sub {
                "log" => "containerLogs",
                other => other,
            };
            format!("/{verb}/{place}/{container}")
        }
    };
    let node = pod.str("spec.nodeName");
    if node.is_empty() {
        // A pod without a node has no log yet; everything else needs a node to talk to.
        return if sub == "log" {
            Ok(crate::wire::text(StatusCode::OK, ""))
        } else {
            Err(Status::bad_request(format!("pod {} does not have a host assigned", pod.name())))
        };
    }
    let request = forwarded(&head, with_query(&path, &kubelet_query(&head.query)), body)?;
    let answer = cx.server.config.nodes.kubelet(node, request).await;
    let answer = answer.map_err(|error| kubelet_failed(cx, node, &path, error))?;
    if sub == "log" && answer.status().as_u16() >= 400 { Err(refused_log(answer)) } else { Ok(answer) }
}

/// A kubelet's refusal of a log as a Status (`GenericHttpResponseChecker`).
fn refused_log(answer: Response) -> Status {
    let code = answer.status().as_u16();
    let bytes = answer.into_body().into_bytes().unwrap_or_default();
    let words = String::from_utf8_lossy(&bytes).trim().to_owned();
    match code {
        400 => Status::bad_request(words),
        404 => Status::failure(404, "NotFound", "the server could not find the requested resource".to_owned()),
        _ => {
            let message = format!("an error on the server ({words:?}) has prevented the request from succeeding");
            Status::failure(code, "InternalError", message)
        }
    }
}

/// The parameters as they came, without the container: it is part of the kubelet's path.
fn kubelet_query(query: &Query) -> String {
    let pairs = query.pairs().filter(|(key, _)| *key != "container");
    pairs.map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect::<Vec<_>>().join("&")
}

/// Encodes a query component.
fn encode(text: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~' | b'/' | b':');
    text.bytes().map(|b| if keep(b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The container that is meant: the named one, or the only one (`validateContainer`).
fn container(pod: &Object, wanted: &str) -> Result<String, Status> {
    let names = |field: &str| pod.list(field).iter().map(|c| text(c, "name"));
    let all = || names("spec.initContainers").chain(names("spec.containers")).chain(names("spec.ephemeralContainers"));
    let name = pod.name();
    if !wanted.is_empty() {
        return if all().any(|n| n == wanted) {
            Ok(wanted.to_owned())
        } else {
            Err(Status::bad_request(format!("container {wanted} is not valid for pod {name}")))
        };
    }
    let mut plain = names("spec.containers");
    match (plain.next(), plain.next()) {
        (Some(only), None) => Ok(only.to_owned()),
        (None, _) => Err(Status::bad_request(format!("a container name must be specified for pod {name}"))),
        _ => {
            let list = all().collect::<Vec<_>>().join(" ");
            let why = format!("a container name must be specified for pod {name}, choose one of: [{list}]");
            Err(Status::bad_request(why))
        }
    }
}

fn kubelet_failed(cx: &Context<'_>, node: &str, path: &str, error: TransportError) -> Status {
    let ip = cx.find(&NODES, "", node).and_then(|n| {
        let addresses = n.value.list("status.addresses");
        addresses.iter().find(|a| text(a, "type") == "InternalIP").map(|a| text(a, "address").to_owned())
    });
    let Some(ip) = ip else {
        return failure::not_found(&NODES, node);
    };
    let why = dial_error(&format!("{ip}:{KUBELET_PORT}"), error);
    // As upstream, without a reason: clients print the message alone.
    Status::failure(
        500,
        "",
        match path.starts_with("/containerLogs/") {
            true => format!("Get \"https://{ip}:{KUBELET_PORT}{path}\": {why}"),
            false => format!("error dialing backend: {why}"),
        },
    )
}

/// A failed connection in the words of Go's net package.
fn dial_error(address: &str, error: TransportError) -> String {
    match error {
        TransportError::Refused => format!("dial tcp {address}: connect: connection refused"),
        TransportError::Unreachable => format!("dial tcp {address}: connect: no route to host"),
        TransportError::Timeout => format!("dial tcp {address}: i/o timeout"),
        TransportError::Closed => "EOF".to_owned(),
        TransportError::Unsupported(what) => what.to_owned(),
    }
}

// --- proxies ---

/// `pods/NAME[:PORT]/proxy/...`, `services/[SCHEME:]NAME[:PORT]/proxy/...`, `nodes/NAME/proxy/...`.
pub async fn proxy(cx: &Context<'_>, head: Head, target: &Target, body: Body) -> Result<Response, Status> {
    if target.rest.is_empty() && !head.uri.path().ends_with('/') && matches!(head.method, Method::GET | Method::HEAD) {
        // Relative links in the answer only work below the directory.
        return Ok(redirect(&head));
    }
    crate::admission::asked::about_connection(cx, &head, target)?;
    let (scheme, name, port) = split_name(&target.name)
        .ok_or_else(|| Status::bad_request(format!("invalid {} request {:?}", target.kind.singular, target.name)))?;
    let path = if target.rest.is_empty() { "/".to_owned() } else { trailing(&head, &target.rest) };
    let query = head.uri.query().unwrap_or("").to_owned();
    if std::ptr::eq(target.kind, &NODES) {
        let node = cx.require(&NODES, "", name)?.value.name().to_owned();
        let request = forwarded(&head, with_query(&path, &query), body)?;
        let answer = cx.server.config.nodes.kubelet(&node, request).await;
        return answer.map_err(|error| unreachable(&dial_error(&node, error)));
    }
    let (ip, port) = if std::ptr::eq(target.kind, &SERVICES) {
        service_endpoint(cx, &target.namespace, name, port)?
    } else {
        pod_address(cx, &target.namespace, name, port)?
    };
    if scheme == "https" {
        return Err(Status::not_built(simulation::stub!("kube-apiserver", "proxies to https ports")));
    }
    let request = forwarded(&head, with_query(&path, &query), body)?;
    let answer = cx.server.config.nodes.http(&ip, port, request).await;
    answer.map_err(|error| unreachable(&dial_error(&format!("{ip}:{port}"), error)))
}

/// Keeps the slash at the end of the original path.
fn trailing(head: &Head, rest: &str) -> String {
    if head.uri.path().ends_with('/') && !rest.ends_with('/') { format!("{rest}/") } else { rest.to_owned() }
}

fn unreachable(why: &str) -> Status {
    Status::unavailable(format!("error trying to reach service: {why}"))
}

fn redirect(head: &Head) -> Response {
    let query = head.uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    if let Ok(value) = header::HeaderValue::from_str(&format!("{}/{query}", head.uri.path())) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// `name`, `name:port`, `scheme:name:port` (`utilnet.SplitSchemeNamePort`).
fn split_name(text: &str) -> Option<(&str, &str, &str)> {
    let parts: Vec<&str> = text.split(':').collect();
    let (scheme, name, port) = match parts.as_slice() {
        [name] => ("", *name, ""),
        [name, port] => ("", *name, *port),
        [scheme @ ("" | "http" | "https"), name, port] => (*scheme, *name, *port),
        _ => return None,
    };
    (!name.is_empty()).then_some((scheme, name, port))
}

/// Where a pod is reached (`pod.ResourceLocation`).
fn pod_address(cx: &Context<'_>, namespace: &str, name: &str, port: &str) -> Result<(String, u16), Status> {
    let pod = cx.require(&PODS, namespace, name)?.value.clone();
    let first = || {
        let ports = pod.list("spec.containers").iter().flat_map(|c| list(c, "ports"));
        ports.filter_map(|p| int(p, "containerPort")).next()
    };
    let number = match port {
        "" => first().and_then(|p| u16::try_from(p).ok()).unwrap_or(80),
        text => text.parse().map_err(|_| unreachable(&format!("address {text}: invalid port")))?,
    };
    match pod.list("status.podIPs").first().map_or(pod.str("status.podIP"), |ip| text(ip, "ip")) {
        "" => Err(Status::bad_request("address not allowed")),
        ip => Ok((ip.to_owned(), number)),
    }
}

/// A ready endpoint of a Service (`service.ResourceLocation`), drawn by chance as upstream does.
fn service_endpoint(cx: &Context<'_>, namespace: &str, name: &str, port: &str) -> Result<(String, u16), Status> {
    let mut wanted = port;
    let service;
    if let Ok(number) = port.parse::<i64>() {
        service = cx.require(&SERVICES, namespace, name)?.value.clone();
        let found = service.list("spec.ports").iter().find(|p| int(p, "port") == Some(number));
        let none = || Status::unavailable(format!("no service port {number} found for service {name:?}"));
        wanted = text(found.ok_or_else(none)?, "name");
    }
    let endpoints = cx.require(&ENDPOINTS, namespace, name)?.value.clone();
    let mut candidates = Vec::new();
    for subset in endpoints.list("subsets") {
        let port = list(subset, "ports").iter().find(|p| text(p, "name") == wanted).and_then(|p| int(p, "port"));
        let Some(port) = port.and_then(|p| u16::try_from(p).ok()) else { continue };
        candidates.extend(list(subset, "addresses").iter().map(|a| (text(a, "ip").to_owned(), port)));
    }
    if candidates.is_empty() {
        return Err(Status::unavailable(format!("no endpoints available for service {name:?}")));
    }
    let drawn = cx.server.sim.random_below(candidates.len() as u64) as usize;
    Ok(candidates.swap_remove(drawn))
}

fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// The request as the node or pod gets it: same method, headers and body, another path.
fn forwarded(head: &Head, path: String, body: Body) -> Result<Request, Status> {
    let uri: Uri = path.parse().map_err(|_| Status::bad_request(format!("invalid path {:?}", decode(&path, false))))?;
    let mut request = Request::new(body);
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = head.headers.clone();
    Ok(request)
}
