//! A server with a world around it, and short ways to ask it.

use std::rc::Rc;

use api::Object;
use api::http::{Body, Chunk, Request, Response, Transport, header};
use apiserver::{ApiServer, Config};
use futures_util::StreamExt as _;
use json::{Value, json};
use simulation::{Sim, SimConfig, Step, StepLimits, Time};

/// A server in its own world.
pub struct Harness {
    pub sim: Sim,
    pub server: ApiServer,
}

pub const START: Time = Time::from_unix_seconds(1_795_230_000);

impl Harness {
    pub fn new() -> Self {
        Self::with(Config::default())
    }

    pub fn with(config: Config) -> Self {
        let sim = Sim::new(SimConfig { seed: 1, start: START });
        let server = ApiServer::new(sim.clone(), config);
        let harness = Harness { sim, server };
        harness.ok("POST", "/api/v1/namespaces/default/serviceaccounts", json!({"metadata": {"name": "default"}}));
        harness
    }

    /// Sends a request and lets the world run until it is answered.
    pub fn send(&self, request: Request) -> Response {
        self.wait(self.server.call(request)).expect("the server is in this process")
    }

    /// Lets the world run until a future is done; time stands still.
    pub fn wait<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> T {
        let slot = Rc::new(std::cell::RefCell::new(None));
        let inner = Rc::clone(&slot);
        self.sim.spawn(async move {
            let value = future.await;
            *inner.borrow_mut() = Some(value);
        });
        while self.sim.step(self.sim.now(), StepLimits::default()) == Step::Busy {}
        slot.take().expect("the future is done without time passing")
    }

    pub fn request(method: &str, path: &str, body: Body, headers: &[(&str, &str)]) -> Request {
        let mut builder = http::Request::builder().method(method).uri(path).header(header::USER_AGENT, "test/v1");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(body).expect("a valid request")
    }

    pub fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.call_with(method, path, body, &[])
    }

    pub fn call_with(&self, method: &str, path: &str, body: Value, headers: &[(&str, &str)]) -> (u16, Value) {
        let body = if body.is_null() { Body::Empty } else { Body::Object(Object::new(body)) };
        let response = self.send(Self::request(method, path, body, headers));
        let code = response.status().as_u16();
        (code, value(response))
    }

    #[track_caller]
    pub fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (code, value) = self.call(method, path, body);
        assert!(code < 300, "{method} {path}: {code} {value}");
        value
    }

    pub fn get(&self, path: &str) -> Value {
        self.ok("GET", path, Value::Null)
    }

    /// `CODE REASON: MESSAGE` of a refusal.
    pub fn refusal(&self, method: &str, path: &str, body: Value) -> String {
        let (code, value) = self.call(method, path, body);
        let text = |field: &str| value[field].as_str().unwrap_or("-").to_owned();
        format!("{code} {}: {}", text("reason"), text("message"))
    }

    /// Opens a watch.
    pub fn watch(&self, path: &str) -> Watch {
        let response = self.send(Self::request("GET", path, Body::Empty, &[]));
        match response.into_body() {
            Body::Stream(stream) => Watch(stream),
            other => panic!("not a stream: {other:?}"),
        }
    }

    /// Lets time pass.
    pub fn sleep(&self, seconds: u64) {
        let until = self.sim.now() + simulation::Duration::from_secs(seconds);
        while self.sim.step(until, StepLimits::default()) == Step::Busy {}
        self.sim.advance_to(until);
    }
}

pub struct Watch(pub futures_util::stream::LocalBoxStream<'static, Chunk>);

impl Watch {
    /// The events that are there now.
    pub fn now(&mut self) -> Vec<(&'static str, Object)> {
        let mut events = Vec::new();
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        while let std::task::Poll::Ready(Some(chunk)) = self.0.poll_next_unpin(&mut cx) {
            if let Chunk::Event { event, object } = chunk {
                events.push((event, object));
            }
        }
        events
    }

    /// `TYPE name` of each event that is there now.
    pub fn names(&mut self) -> Vec<String> {
        self.now().iter().map(|(event, object)| format!("{event} {}", object.name())).collect()
    }
}

pub fn value(response: Response) -> Value {
    match response.into_body() {
        Body::Object(object) => object.into_value(),
        Body::List(list) => list.to_value(),
        Body::Bytes(bytes) => json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned().into())),
        other => panic!("no whole body: {other:?}"),
    }
}

pub fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "nginx", "image": "nginx:1.25"}]}})
}

pub fn deployment(name: &str) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}, "creationTimestamp": null},
                "spec": {"containers": [{"name": "nginx", "image": "nginx:1.25", "resources": {}}]},
            },
        },
        "status": {},
    })
}
