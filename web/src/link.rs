//! The page's end of the bridge: starts the worker, sends to it, hears from it, and replaces it when it dies.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::Interval;
use js_sys::{Array, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};
use yew::Callback;

use crate::protocol::{FromWorker, PROTOCOL, ToWorker};

/// The element of index.html that names the worker's script, relative to the page: it works under a sub-path.
const LOADER: &str = "[rel=kubonsai-worker]";
/// The variable in which index.html leaves the worker that it starts.
const EARLY_WORKER: &str = "kubonsaiWorker";
/// Real time between two questions whether the worker lives, in milliseconds.
const PING_MS: u32 = 4_000;
/// Questions that may stay unanswered before the worker is given up.
const PINGS_UNANSWERED_MAX: u32 = 4;
/// Workers that may die within a visit before the page says that it makes no sense.
const DEATHS_MAX: u32 = 3;

/// What the page hears through the link.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// A message.
    Message(Box<FromWorker>),
    /// The worker died and a new one is there; what was open must be opened again.
    Restarted,
    /// It keeps dying.
    GaveUp,
    /// It could not be started at all, or is of another build.
    Unusable {
        /// The page and the worker are of different builds.
        other_build: bool,
    },
}

struct Inner {
    loader: String,
    worker: RefCell<Option<Worker>>,
    /// Messages from before the worker said hello.
    waiting: RefCell<Vec<String>>,
    ready: Cell<bool>,
    pings: Cell<u32>,
    deaths: Cell<u32>,
    heard: Callback<Heard>,
    listeners: RefCell<Vec<Box<dyn std::any::Any>>>,
    ping: RefCell<Option<Interval>>,
}

/// A handle to the link.
#[derive(Clone)]
pub struct Link(Rc<Inner>);

impl PartialEq for Link {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Link {
    /// Starts the page's worker.
    pub fn start(heard: Callback<Heard>) -> Link {
        Link::start_at(loader().unwrap_or_default(), heard)
    }

    /// Starts the worker at an address.
    pub fn start_at(loader: String, heard: Callback<Heard>) -> Link {
        let link = Link(Rc::new(Inner {
            loader,
            worker: RefCell::default(),
            waiting: RefCell::default(),
            ready: Cell::new(false),
            pings: Cell::new(0),
            deaths: Cell::new(0),
            heard,
            listeners: RefCell::default(),
            ping: RefCell::default(),
        }));
        link.spawn();
        let pinged = link.clone();
        *link.0.ping.borrow_mut() = Some(Interval::new(PING_MS, move || pinged.ping()));
        link
    }

    /// Sends a message; kept until the worker is there.
    pub fn send(&self, message: &ToWorker) {
        let text = json::to_string(message).expect("messages are plain data");
        if self.0.ready.get() {
            self.post(&text);
        } else {
            self.0.waiting.borrow_mut().push(text);
        }
    }

    fn post(&self, text: &str) {
        if let Some(worker) = &*self.0.worker.borrow() {
            // Text can always be cloned into a message.
            let _ = worker.post_message(&text.into());
        }
    }

    fn spawn(&self) {
        self.0.ready.set(false);
        self.0.pings.set(0);
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let (made, early) = match take_early_worker(&self.0.loader) {
            Some((worker, early)) => (Ok(worker), early),
            None => (Worker::new_with_options(&self.0.loader, &options), Vec::new()),
        };
        let Ok(worker) = made else {
            self.0.heard.emit(Heard::Unusable { other_build: false });
            return;
        };
        let link = self.clone();
        let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| link.hear(&event.data()));
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let link = self.clone();
        let on_error = Closure::<dyn Fn(ErrorEvent)>::new(move |event: ErrorEvent| {
            event.prevent_default();
            link.died();
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        *self.0.listeners.borrow_mut() = vec![Box::new(on_message), Box::new(on_error)];
        *self.0.worker.borrow_mut() = Some(worker);
        for data in early {
            self.hear(&data);
        }
    }

    fn hear(&self, data: &JsValue) {
        self.0.pings.set(0);
        let Some(text) = data.as_string() else { return };
        match json::from_str::<FromWorker>(&text) {
            Ok(FromWorker::Hello { protocol }) if protocol == PROTOCOL => {
                self.0.ready.set(true);
                let waiting = std::mem::take(&mut *self.0.waiting.borrow_mut());
                for text in waiting {
                    self.post(&text);
                }
                self.0.heard.emit(Heard::Message(Box::new(FromWorker::Hello { protocol })));
            }
            // Its coming is what it says.
            Ok(FromWorker::Alive) => {}
            Ok(FromWorker::Hello { .. }) | Err(_) => self.0.heard.emit(Heard::Unusable { other_build: true }),
            Ok(message) => self.0.heard.emit(Heard::Message(Box::new(message))),
        }
    }

    fn ping(&self) {
        if !self.0.ready.get() {
            return;
        }
        let unanswered = self.0.pings.get();
        if unanswered >= PINGS_UNANSWERED_MAX {
            self.died();
            return;
        }
        self.0.pings.set(unanswered + 1);
        self.send(&ToWorker::Ping);
    }

    fn died(&self) {
        let worker = self.0.worker.borrow_mut().take();
        let Some(worker) = worker else { return };
        // Its listeners are dropped with the next worker's start, not while one of them runs.
        worker.set_onmessage(None);
        worker.set_onerror(None);
        worker.terminate();
        let deaths = self.0.deaths.get() + 1;
        self.0.deaths.set(deaths);
        if deaths > DEATHS_MAX {
            self.0.heard.emit(Heard::GaveUp);
            return;
        }
        let link = self.clone();
        gloo_timers::callback::Timeout::new(0, move || {
            link.spawn();
            link.0.heard.emit(Heard::Restarted);
        })
        .forget();
    }
}

fn loader() -> Option<String> {
    web_sys::window()?.document()?.query_selector(LOADER).ok()??.get_attribute("href")
}

/// The worker that index.html started while the page was still loading, with what it has said so far. Only once: the
/// next one is made here.
fn take_early_worker(loader: &str) -> Option<(Worker, Vec<JsValue>)> {
    if Some(loader) != self::loader().as_deref() {
        return None;
    }
    let window = web_sys::window()?;
    let worker: Worker = Reflect::get(&window, &EARLY_WORKER.into()).ok()?.dyn_into().ok()?;
    Reflect::set(&window, &EARLY_WORKER.into(), &JsValue::UNDEFINED).ok()?;
    let early = Reflect::get(&worker, &"early".into()).ok().map(|early| Array::from(&early).to_vec());
    Some((worker, early.unwrap_or_default()))
}
