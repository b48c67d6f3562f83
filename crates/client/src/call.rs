//! One function a verb.

use std::rc::Rc;

use api::http::{Body, Method, Request, Response, Transport, header};
use api::{Kind, Object, ObjectList};
use json::{Map, Value, json};

use crate::{Error, WatchStream};

/// Selects and pages a list (`metav1.ListOptions`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Label selector in its text form; empty selects all.
    pub label_selector: String,
    /// Field selector in its text form; empty selects all.
    pub field_selector: String,
    /// Objects a page at most; 0 for no limit.
    pub limit: u64,
    /// Where the last page ended.
    pub continue_token: String,
    /// Not older than this revision; empty for the newest.
    pub resource_version: String,
}

impl ListOptions {
    /// Selects by field.
    pub fn fields(selector: impl Into<String>) -> Self {
        ListOptions { field_selector: selector.into(), ..Self::default() }
    }

    /// Selects by label.
    pub fn labels(selector: impl Into<String>) -> Self {
        ListOptions { label_selector: selector.into(), ..Self::default() }
    }

    fn query(&self) -> Query {
        let mut query = Query::default();
        query.add("labelSelector", &self.label_selector);
        query.add("fieldSelector", &self.field_selector);
        if self.limit > 0 {
            query.add("limit", &self.limit.to_string());
        }
        query.add("continue", &self.continue_token);
        query.add("resourceVersion", &self.resource_version);
        query
    }
}

/// What happens to the objects that an object owns (`metav1.DeletionPropagation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They are collected after it.
    Background,
    /// It waits for them.
    Foreground,
    /// They stay, without an owner.
    Orphan,
}

/// `metav1.DeleteOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Seconds before the object is removed; none for its default.
    pub grace_period_seconds: Option<i64>,
    /// Fate of the owned objects; none for the kind's default.
    pub propagation: Option<Propagation>,
    /// Only if it still has this uid.
    pub precondition_uid: Option<String>,
    /// Only if it still has this resource version.
    pub precondition_resource_version: Option<String>,
    /// Check everything and change nothing.
    pub dry_run: bool,
}

impl DeleteOptions {
    fn body(&self) -> Value {
        let mut map = Map::new();
        map.insert("apiVersion".into(), "v1".into());
        map.insert("kind".into(), "DeleteOptions".into());
        if let Some(seconds) = self.grace_period_seconds {
            map.insert("gracePeriodSeconds".into(), seconds.into());
        }
        if let Some(policy) = self.propagation {
            map.insert("propagationPolicy".into(), format!("{policy:?}").into());
        }
        let mut preconditions = Map::new();
        if let Some(uid) = &self.precondition_uid {
            preconditions.insert("uid".into(), uid.clone().into());
        }
        if let Some(version) = &self.precondition_resource_version {
            preconditions.insert("resourceVersion".into(), version.clone().into());
        }
        if !preconditions.is_empty() {
            map.insert("preconditions".into(), preconditions.into());
        }
        if self.dry_run {
            map.insert("dryRun".into(), json!(["All"]));
        }
        map.into()
    }
}

/// The kinds of patch, by content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchType {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' own, which knows the keys of lists.
    Strategic,
    /// Server-side apply.
    Apply,
}

impl PatchType {
    /// As in the content-type header.
    pub fn content_type(self) -> &'static str {
        match self {
            PatchType::Json => "application/json-patch+json",
            PatchType::Merge => "application/merge-patch+json",
            PatchType::Strategic => "application/strategic-merge-patch+json",
            PatchType::Apply => "application/apply-patch+yaml",
        }
    }
}

/// A client with a name of its own. Cloning is cheap.
#[derive(Clone)]
pub struct Client {
    transport: Rc<dyn Transport>,
    user_agent: Rc<str>,
}

impl Client {
    /// A client that says it is `user_agent`, e.g. `kube-scheduler` or `kubectl`.
    pub fn new(transport: Rc<dyn Transport>, user_agent: &str) -> Client {
        Client { transport, user_agent: user_agent.into() }
    }

    /// The same server, asked under another name.
    pub fn with_user_agent(&self, user_agent: &str) -> Client {
        Client { transport: Rc::clone(&self.transport), user_agent: user_agent.into() }
    }

    /// The name this client gives.
    pub fn user_agent(&self) -> &str {
        &self.user_agent
    }

    /// Sends any request, with this client's user agent. Answers of any status come back as they are.
    pub async fn raw(&self, mut request: Request) -> Result<Response, Error> {
        if !request.headers().contains_key(header::USER_AGENT) {
            let agent = header::HeaderValue::from_str(&self.user_agent)
                .unwrap_or_else(|_| header::HeaderValue::from_static("unknown"));
            request.headers_mut().insert(header::USER_AGENT, agent);
        }
        Ok(self.transport.call(request).await?)
    }

    /// Sends a request and turns statuses of 400 and above into [`Error::Status`].
    pub async fn checked(&self, request: Request) -> Result<Response, Error> {
        let response = self.raw(request).await?;
        let code = response.status().as_u16();
        if code < 400 {
            return Ok(response);
        }
        Err(match response.into_body() {
            Body::Object(status) => Error::from_status(code, status.value(), || format!("status {code}")),
            other => Error::from_body(code, &other.into_bytes().unwrap_or_default()),
        })
    }

    async fn object(&self, method: Method, path: String, body: Body) -> Result<Object, Error> {
        let response = self.checked(build(method, path, "application/json", body)).await?;
        match response.into_body() {
            Body::Object(object) => Ok(object),
            other => decode(other).map(Object::new),
        }
    }

    /// Reads one object.
    pub async fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Object, Error> {
        self.object(Method::GET, kind.object_path(namespace, name), Body::Empty).await
    }

    /// Reads one object's subresource, e.g. `scale`.
    pub async fn get_sub(&self, kind: &Kind, namespace: &str, name: &str, sub: &str) -> Result<Object, Error> {
        self.object(Method::GET, format!("{}/{sub}", kind.object_path(namespace, name)), Body::Empty).await
    }

    /// Reads a collection; an empty `namespace` means all.
    pub async fn list(&self, kind: &Kind, namespace: &str, options: &ListOptions) -> Result<ObjectList, Error> {
        let path = options.query().on(kind.collection_path(namespace));
        let response = self.checked(build(Method::GET, path, "application/json", Body::Empty)).await?;
        match response.into_body() {
            Body::List(list) => Ok(list),
            Body::Object(object) => Ok(ObjectList::from_value(object.into_value())),
            other => decode(other).map(ObjectList::from_value),
        }
    }

    /// Follows a collection from `options.resource_version` on, with bookmarks.
    pub async fn watch(&self, kind: &Kind, namespace: &str, options: &ListOptions) -> Result<WatchStream, Error> {
        let mut query = options.query();
        query.add("watch", "true");
        query.add("allowWatchBookmarks", "true");
        let path = query.on(kind.collection_path(namespace));
        WatchStream::new(self.checked(build(Method::GET, path, "application/json", Body::Empty)).await?)
    }

    /// Creates an object in `namespace`.
    pub async fn create(&self, kind: &Kind, namespace: &str, object: Object) -> Result<Object, Error> {
        self.object(Method::POST, kind.collection_path(namespace), Body::Object(object)).await
    }

    /// Posts to a subresource, e.g. `binding` or `eviction`.
    pub async fn create_sub(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        sub: &str,
        object: Object,
    ) -> Result<Object, Error> {
        let path = format!("{}/{sub}", kind.object_path(namespace, name));
        self.object(Method::POST, path, Body::Object(object)).await
    }

    /// Replaces an object; its resource version must be current if it is set.
    pub async fn update(&self, kind: &Kind, object: Object) -> Result<Object, Error> {
        let path = kind.object_path(object.namespace(), object.name());
        self.object(Method::PUT, path, Body::Object(object)).await
    }

    /// Replaces a subresource, e.g. `status` or `scale`.
    pub async fn update_sub(&self, kind: &Kind, sub: &str, object: Object) -> Result<Object, Error> {
        let path = format!("{}/{sub}", kind.object_path(object.namespace(), object.name()));
        self.object(Method::PUT, path, Body::Object(object)).await
    }

    /// Patches an object or, with a `sub`, one of its subresources.
    pub async fn patch(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        sub: &str,
        patch_type: PatchType,
        patch: &Value,
    ) -> Result<Object, Error> {
        let mut path = kind.object_path(namespace, name);
        if !sub.is_empty() {
            path = format!("{path}/{sub}");
        }
        let request = build(Method::PATCH, path, patch_type.content_type(), Body::Object(Object::new(patch.clone())));
        match self.checked(request).await?.into_body() {
            Body::Object(object) => Ok(object),
            other => decode(other).map(Object::new),
        }
    }

    /// Deletes an object. The answer is the object (when it is still being deleted) or a Status.
    pub async fn delete(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Object, Error> {
        let body = Body::Object(Object::new(options.body()));
        self.object(Method::DELETE, kind.object_path(namespace, name), body).await
    }

    /// Deletes every selected object of a namespace.
    pub async fn delete_collection(
        &self,
        kind: &Kind,
        namespace: &str,
        options: &DeleteOptions,
        list: &ListOptions,
    ) -> Result<(), Error> {
        let path = list.query().on(kind.collection_path(namespace));
        let body = Body::Object(Object::new(options.body()));
        self.checked(build(Method::DELETE, path, "application/json", body)).await.map(|_| ())
    }
}

fn decode(body: Body) -> Result<Value, Error> {
    let bytes = body.into_bytes().ok_or_else(|| Error::Decode("a stream where an object was due".into()))?;
    json::from_slice(&bytes).map_err(|e| Error::Decode(e.to_string()))
}

fn build(method: Method, path: String, content_type: &'static str, body: Body) -> Request {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    // Names with characters that no URI holds are percent-encoded by `encode`, so this cannot fail for valid kinds.
    *request.uri_mut() = path.parse().or_else(|_| encode_path(&path).parse()).unwrap_or_default();
    let headers = request.headers_mut();
    headers.insert(header::ACCEPT, header::HeaderValue::from_static("application/json"));
    if !matches!(request.body(), Body::Empty) {
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    }
    request
}

fn encode_path(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path: Vec<String> = path.split('/').map(encode).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    path.join("/") + &query
}

/// Percent-encodes everything but unreserved characters.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A query string in the making.
#[derive(Default)]
struct Query(String);

impl Query {
    fn add(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            let separator = if self.0.is_empty() { '?' } else { '&' };
            self.0.push_str(&format!("{separator}{key}={}", encode(value)));
        }
    }

    fn on(&self, path: String) -> String {
        path + &self.0
    }
}
