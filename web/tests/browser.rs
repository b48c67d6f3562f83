//! Tests that need a browser's engine: `wasm-pack test --headless --chrome web`.

#![cfg(target_arch = "wasm32")]

use std::cell::RefCell;
use std::rc::Rc;

use cluster::{Input, LogEntry};
use gloo_timers::callback::Timeout;
use js_sys::{Array, Promise};
use runtime::abi::{Reply, Syscall};
use runtime::engine::{Engine as _, Kernel, LoadError, MemoryBudget, Process, Step, Trap, WasmiEngine};
use simulation::Time;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web::link::{Heard, Link};
use web::protocol::{FromWorker, PROTOCOL, ToWorker};
use web::saved::{BUILD, SavedSession};
use web::screens::Screens;
use web::session::Seed;
use web::storage::Storage;
use yew::Callback;

wasm_bindgen_test_configure!(run_in_browser);

async fn sleep(milliseconds: u32) {
    let promise = Promise::new(&mut |resolve, _| {
        Timeout::new(milliseconds, move || {
            let _ = resolve.call0(&JsValue::UNDEFINED);
        })
        .forget();
    });
    JsFuture::from(promise).await.expect("a timeout does not fail");
}

// --- the bridge to the worker ---

/// The address of a worker with this script.
fn worker_of(script: &str) -> String {
    let parts = Array::of1(&script.into());
    let options = web_sys::BlobPropertyBag::new();
    options.set_type("text/javascript");
    let blob = web_sys::Blob::new_with_str_sequence_and_options(&parts, &options).expect("a blob of text");
    web_sys::Url::create_object_url_with_blob(&blob).expect("an address of a blob")
}

type HeardList = Rc<RefCell<Vec<Heard>>>;

fn link_to(script: &str) -> (Link, HeardList) {
    let list = HeardList::default();
    let inner = Rc::clone(&list);
    let link = Link::start_at(worker_of(script), Callback::from(move |heard| inner.borrow_mut().push(heard)));
    (link, list)
}

async fn wait_for(list: &HeardList, what: impl Fn(&Heard) -> bool) {
    for _ in 0..200 {
        if list.borrow().iter().any(&what) {
            return;
        }
        sleep(20).await;
    }
    panic!("not heard in time; heard {:?}", list.borrow());
}

fn is_catalogue(heard: &Heard) -> bool {
    matches!(heard, Heard::Message(message) if matches!(**message, FromWorker::Catalogue { .. }))
}

/// A worker that starts late and dies at one message; it speaks the page's own protocol.
const LATE: &str = r#"
    onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message === "catalogue") postMessage('{"catalogue":{"courses":[]}}');
        if (message === "stepEvent") throw new Error("a test ends this worker");
    };
    setTimeout(() => postMessage('{"hello":{"protocol":PROTOCOL}}'), 100);
"#;

#[wasm_bindgen_test]
async fn what_is_said_before_the_worker_is_there_reaches_it() {
    let (link, heard) = link_to(&LATE.replace("PROTOCOL", &PROTOCOL.to_string()));
    link.send(&ToWorker::Catalogue);
    wait_for(&heard, is_catalogue).await;
}

#[wasm_bindgen_test]
async fn a_worker_that_dies_is_replaced() {
    let (link, heard) = link_to(&LATE.replace("PROTOCOL", &PROTOCOL.to_string()));
    link.send(&ToWorker::StepEvent);
    wait_for(&heard, |h| *h == Heard::Restarted).await;
    link.send(&ToWorker::Catalogue);
    wait_for(&heard, is_catalogue).await;
}

#[wasm_bindgen_test]
async fn a_worker_that_keeps_dying_is_given_up() {
    let (_link, heard) = link_to("throw new Error('a test ends this worker');");
    wait_for(&heard, |h| *h == Heard::GaveUp).await;
}

#[wasm_bindgen_test]
async fn a_worker_of_another_build_is_not_talked_to() {
    let (_link, heard) = link_to(r#"postMessage('{"hello":{"protocol":99}}');"#);
    wait_for(&heard, |h| *h == Heard::Unusable { other_build: true }).await;
}

// --- storage ---

fn saved(lesson: &str) -> SavedSession {
    let start = Time::from_nanos(1_800_000_000_000_000_000);
    let seed = Seed { course: "basics".to_owned(), lesson: lesson.to_owned(), seed: 9_007_199_254_740_991, start };
    let log = vec![LogEntry { at: start, input: Input::Keys { id: 1, text: "端末\r".to_owned() } }];
    SavedSession { build: BUILD.to_owned(), seed, log, reached: Some(start) }
}

#[wasm_bindgen_test]
async fn sessions_come_back_as_they_were_saved() {
    let storage = Storage::default();
    assert_eq!(storage.load("basics", "nothing").await.expect("storage is there"), None);
    for lesson in ["one", "two"] {
        storage.save(saved(lesson)).await.expect("storage is there");
    }
    assert_eq!(storage.load("basics", "one").await.expect("storage is there"), Some(saved("one")));
    let mut changed = saved("one");
    changed.log.clear();
    storage.save(changed.clone()).await.expect("storage is there");
    assert_eq!(storage.load("basics", "one").await.expect("storage is there"), Some(changed));
    assert_eq!(storage.load("basics", "two").await.expect("storage is there"), Some(saved("two")));
}

#[wasm_bindgen_test]
async fn a_log_that_grows_or_is_another_comes_back_as_it_was_saved() {
    let storage = Storage::default();
    let long = |entries: i64, word: &str| {
        let mut session = saved("long");
        let entry = |n| LogEntry {
            at: Time::from_nanos(1_800_000_000_000_000_000 + n),
            input: Input::Keys { id: 1, text: format!("{word} {n}") },
        };
        session.log = (0..entries).map(entry).collect();
        session
    };
    // Across the ends of pieces, and back before them.
    for (entries, word) in
        [(1, "ls"), (127, "ls"), (128, "ls"), (129, "ls"), (700, "ls"), (300, "ls"), (310, "cd"), (256, "ls")]
    {
        storage.save(long(entries, word)).await.expect("storage is there");
        let loaded = Storage::default().load("basics", "long").await.expect("storage is there");
        assert_eq!(loaded, Some(long(entries, word)), "{entries} of {word}");
    }
    // Nothing of it is found where another lesson is looked for.
    assert_eq!(storage.load("basics", "lon").await.expect("storage is there"), None);
}

// --- the terminal's glue ---

#[wasm_bindgen_test]
async fn a_missing_terminal_bundle_is_an_error_and_no_crash() {
    let document = web_sys::window().and_then(|window| window.document()).expect("tests run in a page");
    let place = document.create_element("div").expect("a valid name").unchecked_into();
    let screens = Screens::default();
    screens.write(1, "early");
    let opened = screens.open(1, place, JsValue::UNDEFINED, |_| {}, |_, _| {}).await;
    assert!(opened.is_err(), "the test server has no js/terminal.js");
    assert_eq!(screens.size(1), None);
    screens.close_all();
}

// --- the engine, in the tab ---

/// Counts to a million, then exits with 7.
const COUNT: &str = r#"(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (local $i i32)
        (loop $again
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 1000000))))
        (call $exit (i32.const 7))))"#;

const ENDLESS: &str = r#"(module (memory (export "memory") 1)
    (func (export "_start") (loop $again (br $again))))"#;

const RECURSIVE: &str = r#"(module (memory (export "memory") 1)
    (func $again (export "_start") (call $again) (call $again)))"#;

struct NoKernel;

impl Kernel for NoKernel {
    fn advance(&mut self, _fuel: u64) {}
    fn syscall(&mut self, _call: &Syscall) -> Option<Reply> {
        None
    }
}

fn spawn(text: &str) -> Box<dyn Process> {
    let bytes = wat::parse_str(text).expect("a valid module");
    let module = WasmiEngine::default().load(&bytes).expect("a module that can be run");
    module.spawn(&MemoryBudget::new(16 * 1024 * 1024)).expect("memory enough")
}

#[wasm_bindgen_test]
fn a_guest_runs_in_slices_of_fuel() {
    let mut process = spawn(COUNT);
    let mut slices = 0;
    loop {
        match process.run(100_000, &mut NoKernel) {
            Step::OutOfFuel => slices += 1,
            Step::Exited(code) => break assert_eq!(code, 7),
            other => panic!("{other:?}"),
        }
    }
    assert!(slices > 10, "{slices} slices");
}

#[wasm_bindgen_test]
fn an_endless_guest_gives_the_tab_back() {
    let mut process = spawn(ENDLESS);
    for _ in 0..50 {
        assert!(matches!(process.run(10_000, &mut NoKernel), Step::OutOfFuel));
    }
}

#[wasm_bindgen_test]
fn endless_recursion_ends_the_guest_and_not_the_tab() {
    let mut process = spawn(RECURSIVE);
    let end = (0..10_000).map(|_| process.run(100_000, &mut NoKernel)).find(|step| !matches!(step, Step::OutOfFuel));
    assert!(matches!(end, Some(Step::Trapped(Trap::StackOverflow))), "{end:?}");
}

#[wasm_bindgen_test]
fn what_is_no_program_is_refused() {
    assert!(matches!(WasmiEngine::default().load(b"#!/bin/sh\n"), Err(LoadError::NotWasm)));
}
