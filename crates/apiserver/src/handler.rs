//! From a request to its answer (k8s.io/apiserver/pkg/endpoints/handlers).

use std::cell::{Cell, RefCell};

use api::http::{Body, Method, Response, StatusCode, header};
use api::status::Status;
use api::{Object, ObjectList};
use json::{Value, json};
use simulation::Duration;

use crate::negotiate::{Format, Shape, resource_format};
use crate::patch::Patch;
use crate::registry::delete;
use crate::registry::update::{Part, same_object};
use crate::registry::{Context, decode, options, watch};
use crate::request::{Head, Route, Target, route};
use crate::server::Server;
use crate::table::{self, Include};
use crate::{
    aggregator, authentication, authorization, computed, custom, discovery, failure, health, managed, metrics, openapi,
    strategy, wire,
};

/// Answers one request.
pub async fn handle(server: &Server, head: Head, body: Body) -> Response {
    let path = head.uri.path().to_owned();
    let route = route(&path, &custom::served(server));
    let caller = head.caller();
    let manager = match managed::manager(&head, head.header(header::USER_AGENT)) {
        Ok(manager) => manager,
        Err(status) => return wire::failure(status),
    };
    let user = match authentication::user(&Context::internal(server), &head) {
        Ok(user) => user,
        Err(status) => return wire::failure(status),
    };
    let cx = Context {
        server,
        caller: &caller,
        user: Some(&user),
        manager: &manager,
        dry_run: Cell::new(false),
        query: Some(&head.query),
        warnings: RefCell::default(),
    };
    let target = match &route {
        Route::Resource(target) => Some(target),
        _ => None,
    };
    if let Some(review) = authorization::review(&route, &path) {
        return review.answer(&cx, &user, &head, body).unwrap_or_else(wire::failure);
    }
    if let Err(status) = authorization::check(&cx, &user, &head, target) {
        return wire::failure(status);
    }
    if let Some(target) = target
        && needs_quorum(target, &head)
        && !server.etcd.can_commit()
        && server.sim.timeout(ETCD_TIME_MAX, server.etcd.led()).await.is_err()
    {
        return wire::failure(failure::etcd_timed_out());
    }
    match route {
        Route::Discovery(segments) => discovery::answer(&head, &segments, server),
        Route::Resource(target) if aggregator::is_foreign(target.kind.group) => match aggregator::refusal(server) {
            Some(refusal) => refusal,
            None => metrics::answer(&cx, &head, &target).await.unwrap_or_else(wire::failure),
        },
        Route::Resource(target) => resource(&cx, &head, &target, body).await,
        Route::UnknownResource => wire::failure(Status::no_such_path()),
        Route::Other => other(server, &head, &path).await,
    }
}

/// etcd's members answer within this time or not at all: five seconds, and twice the time of an election (`ReqTimeout`).
const ETCD_TIME_MAX: Duration = Duration::from_secs(7);

/// Whether a request is about what is newest: then etcd's members have to agree on it. What names a version is read from the
/// server's own copy, and so is what is watched.
fn needs_quorum(target: &Target, head: &Head) -> bool {
    let is_watch = target.watch_prefix || head.query.flag("watch");
    let from_copy = head.method == Method::GET && (is_watch || !head.query.get("resourceVersion").is_empty());
    !from_copy && !aggregator::is_foreign(target.kind.group)
}

async fn other(server: &Server, head: &Head, path: &str) -> Response {
    if let Some(response) = health::answer(path, &head.query, server.etcd.can_commit()) {
        return response;
    }
    if let Some(response) = openapi::answer(server, path, head.header(header::ACCEPT)).await {
        return response;
    }
    match path.trim_end_matches('/') {
        "/version" => {
            let body = Body::Bytes(version(&server.config.version).into());
            wire::build(StatusCode::OK, "application/json", body)
        }
        "" => {
            let value = json!({"paths": ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"]});
            let body = Body::Bytes(wire::json_text(&value, true).into());
            wire::build(StatusCode::OK, "application/json", body)
        }
        _ => wire::text(StatusCode::NOT_FOUND, "404 page not found\n"),
    }
}

/// `version.Info`: always indented.
fn version(git_version: &str) -> String {
    let mut numbers = git_version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or("1"), numbers.next().unwrap_or("0"));
    let compatible = minor.parse::<u32>().map_or(0, |m| m.saturating_sub(1));
    let fields = [
        ("major", major.to_owned()),
        ("minor", minor.to_owned()),
        ("emulationMajor", major.to_owned()),
        ("emulationMinor", minor.to_owned()),
        ("minCompatibilityMajor", major.to_owned()),
        ("minCompatibilityMinor", compatible.to_string()),
        ("gitVersion", git_version.to_owned()),
        ("gitCommit", "7b29fb077260554429dcef8234272e9fd25fcfbd".to_owned()),
        ("gitTreeState", "clean".to_owned()),
        ("buildDate", "2026-08-01T00:00:00Z".to_owned()),
        ("goVersion", "go1.26.6".to_owned()),
        ("compiler", "gc".to_owned()),
        ("platform", "linux/amd64".to_owned()),
    ];
    let lines: Vec<String> = fields.iter().map(|(key, value)| format!("  \"{key}\": \"{value}\"")).collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

async fn resource(cx: &Context<'_>, head: &Head, target: &Target, body: Body) -> Response {
    match options::dry_run(head) {
        Ok(dry_run) => cx.dry_run.set(dry_run),
        Err(status) => return wire::failure(status),
    }
    cx.warnings.borrow_mut().extend(strategy::of(target.kind).deprecated.map(str::to_owned));
    cx.warnings.borrow_mut().extend(custom::of(target.kind).and_then(custom::Custom::deprecation));
    let mut response = dispatch(cx, head, target, body).await.unwrap_or_else(wire::failure);
    for warning in cx.warnings.take() {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = header::HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
    response
}

async fn dispatch(cx: &Context<'_>, head: &Head, target: &Target, body: Body) -> Result<Response, Status> {
    if !target.subresource.is_empty() {
        return crate::subresource::answer(cx, head, target, body).await;
    }
    if api::kinds::COMPUTED.iter().any(|computed| std::ptr::eq(*computed, target.kind)) {
        return computed::answer(cx, head, target, body);
    }
    let format = resource_format(head)?;
    let strategy = strategy::of(target.kind);
    let place = (target.namespace.as_str(), target.name.as_str());
    let named = !target.name.is_empty();
    let answer = match (&head.method, named) {
        (&Method::GET, _) if target.watch_prefix || head.query.flag("watch") => {
            return watch_answer(cx, head, target, format);
        }
        (&Method::GET, true) => cx.require(target.kind, place.0, place.1)?.value.clone(),
        (&Method::GET, false) => return list_answer(cx, head, target, format),
        (&Method::POST, false) => {
            if target.kind.namespaced && target.namespace.is_empty() {
                return Err(Status::method_not_allowed());
            }
            let object = decode::object(cx, head, body, target.kind)?;
            let created = cx.create(strategy, place.0, object)?;
            return Ok(shaped(cx, head, target, StatusCode::CREATED, created, format));
        }
        (&Method::PUT, true) => {
            let new = decode::object(cx, head, body, target.kind)?;
            if strategy.create_on_update && cx.find(target.kind, place.0, place.1).is_none() {
                same_object(target.kind, place.1, &new, "")?;
                let created = cx.create(strategy, place.0, new)?;
                return Ok(shaped(cx, head, target, StatusCode::CREATED, created, format));
            }
            let meant = |old: &Object| same_object(target.kind, place.1, &new, old.uid()).map(|()| new);
            cx.update(strategy, Part::Main, place, meant)?
        }
        (&Method::PATCH, true) => {
            let patch = Patch::read(head, body)?;
            if patch.is_apply() && cx.find(target.kind, place.0, place.1).is_none() {
                let created = patch.create(cx, strategy, place)?;
                return Ok(shaped(cx, head, target, StatusCode::CREATED, created, format));
            }
            cx.update(strategy, Part::Main, place, |old| patch.apply(cx, strategy, Part::Main, old))?
        }
        (&Method::DELETE, true) => {
            let options = options::of_delete(cx, head, body)?;
            delete::answer(strategy, cx.delete(strategy, place, &options)?)
        }
        (&Method::DELETE, false) => {
            let options = options::of_delete(cx, head, body)?;
            let list = cx.delete_collection(strategy, place.0, &head.query, &options)?;
            return Ok(wire::list(list, format));
        }
        _ => return Err(Status::method_not_allowed()),
    };
    Ok(shaped(cx, head, target, StatusCode::OK, answer, format))
}

/// One object in the negotiated shape.
pub fn shaped(
    cx: &Context<'_>,
    head: &Head,
    target: &Target,
    code: StatusCode,
    object: Object,
    format: Format,
) -> Response {
    let object = match format.shape {
        _ if object.kind() == "Status" => object,
        Shape::Plain => object,
        Shape::Partial => table::partial(&object),
        Shape::Table => {
            let metadata = json!({"resourceVersion": object.resource_version()});
            let (now, strategy) = (cx.server.sim.now(), strategy::of(target.kind));
            table::make(now, strategy, std::slice::from_ref(&object), metadata, include(head), true)
        }
    };
    wire::object(code, object, format)
}

fn list_answer(cx: &Context<'_>, head: &Head, target: &Target, format: Format) -> Result<Response, Status> {
    let list = cx.list(strategy::of(target.kind), &target.namespace, &head.query)?;
    Ok(shaped_list(cx, head, target, list, format))
}

/// Many objects in the negotiated shape.
pub fn shaped_list(cx: &Context<'_>, head: &Head, target: &Target, mut list: ObjectList, format: Format) -> Response {
    match format.shape {
        Shape::Plain => {}
        Shape::Partial => {
            list.items = list.items.iter().map(table::partial).collect();
            list.api_version = "meta.k8s.io/v1".into();
            list.kind = "PartialObjectMetadataList".into();
        }
        Shape::Table => {
            let (items, strategy) = (std::mem::take(&mut list.items), strategy::of(target.kind));
            let metadata = list.to_value()["metadata"].take();
            let table = table::make(cx.server.sim.now(), strategy, &items, metadata, include(head), true);
            return wire::object(StatusCode::OK, table, format);
        }
    }
    wire::list(list, format)
}

/// What the rows of a Table carry.
pub fn include(head: &Head) -> Include {
    match head.query.get("includeObject") {
        "None" => Include::None,
        "Object" => Include::Object,
        _ => Include::Metadata,
    }
}

fn watch_answer(cx: &Context<'_>, head: &Head, target: &Target, format: Format) -> Result<Response, Status> {
    let strategy = strategy::of(target.kind);
    let transform: watch::Transform = match format.shape {
        Shape::Plain => watch::unchanged(),
        Shape::Partial => Box::new(|object| table::partial(&object)),
        Shape::Table => {
            let (include, sim) = (include(head), cx.server.sim.clone());
            let mut headers = true;
            Box::new(move |object| {
                let metadata = json!({"resourceVersion": object.resource_version()});
                let headers = std::mem::replace(&mut headers, false);
                table::make(sim.now(), strategy, std::slice::from_ref(&object), metadata, include, headers)
            })
        }
    };
    let stream = cx.watch(strategy, (&target.namespace, &target.name), &head.query, transform)?;
    let mut response = wire::build(StatusCode::OK, "application/json", Body::Stream(Box::pin(stream)));
    if format.shape != Shape::Plain {
        let value = header::HeaderValue::from_static("application/json;stream=watch");
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    Ok(response)
}

/// A value that only some answers need.
pub fn success(code: u16) -> Object {
    let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"});
    status["code"] = Value::from(code);
    Object::new(status)
}
