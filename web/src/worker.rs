//! The worker's side of the platform: messages, timers, files of the site and storage around a [`Session`].
//!
//! Everything that decides anything is in [`crate::session`]; this file only carries.

use std::cell::RefCell;
use std::rc::Rc;

use cluster::{Input, Language};
use futures_util::FutureExt as _;
use futures_util::future::{self, LocalBoxFuture};
use gloo_timers::callback::Timeout;
use js_sys::Promise;
use lesson::{CourseOutline, Lesson, Shelf};
use simulation::{ExternalError, Time};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, MessageEvent, MessagePort};

use crate::courses;
use crate::lock;
use crate::protocol::{FromWorker, PROTOCOL, ToWorker};
use crate::saved::{BUILD, SavedSession};
use crate::session::{Next, Seed, Session};
use crate::site;
use crate::storage::Storage;

/// Longest real time between two ticks while something is due, in milliseconds: browsers clamp longer timers anyway.
const TIMER_MS_MAX: f64 = 60_000.0;
/// Real time between the first prompt's leaving for the page and the fetching of the rest, in milliseconds: the page
/// has asked for all that it needs by then, and shows the prompt first.
const REST_DELAY_MS: u32 = 100;
/// A world that goes on within so many real milliseconds has not answered yet: a request takes two.
const ANSWER_MS: f64 = 5.0;
/// Real time between an input and its being saved, in milliseconds.
const SAVE_DELAY_MS: u32 = 400;

// The worker comes in parts: this one, the code that no shell without a cluster needs, and what hardly any cluster needs
// (xtask/src/split). The loader (web/js/worker.js) has both functions.
#[wasm_bindgen]
extern "C" {
    /// Fetches the rest, if nobody did; the promise is kept when it is here, or when it could not be had.
    ///
    /// # Errors
    /// There is no such loader: Trunk alone built this, and nothing is missing.
    #[wasm_bindgen(catch, js_name = kubonsaiFetchRest)]
    fn fetch_rest() -> Result<Promise, JsValue>;
    /// Returns when a part is here, and throws when it cannot be had. Code that needs it calls this by itself.
    #[wasm_bindgen(js_name = kubonsaiLoadPart)]
    fn load_part(part: u32);
}

/// The number of the rest among the parts (xtask/src/split/rules.rs).
const REST: u32 = 1;

thread_local! {
    static WORKER: RefCell<Option<Rc<RefCell<Worker>>>> = const { RefCell::new(None) };
}

struct Worker {
    scope: DedicatedWorkerGlobalScope,
    session: Option<Session>,
    courses: Vec<CourseOutline>,
    /// The courses while they are being read.
    loading: Option<Loading>,
    storage: Storage,
    tick: Option<Timeout>,
    /// Calls [`tick`] as soon as what came before is done.
    again: MessagePort,
    /// It will.
    again_soon: bool,
    save: Option<Timeout>,
    /// Something happened that is not saved yet.
    dirty: bool,
    /// The learner did something that is not saved yet and would be missed ([`is_deed`]).
    deed: bool,
    /// A session from a file or a link, for when its lesson is opened.
    handed: Option<SavedSession>,
    /// Lessons asked for so far: one that was asked for earlier comes too late.
    asked: u32,
    /// Lessons opened so far: what was asked for an earlier one comes too late.
    openings: u32,
    /// The session is this tab's to save.
    owned: bool,
    /// The rest of the code was asked for.
    whole: bool,
    /// What the page speaks; none until it said so.
    language: Option<Language>,
}

/// The catalogue on its way.
type Loading = future::Shared<LocalBoxFuture<'static, Rc<Shelf>>>;

type Shared = Rc<RefCell<Worker>>;

/// Runs in the worker's global scope.
pub fn start() {
    console_error_panic_hook::set_once();
    let Ok(scope) = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>() else { return };
    let Ok(channel) = MessageChannel::new() else { return };
    let worker = Rc::new(RefCell::new(Worker {
        scope: scope.clone(),
        session: None,
        courses: Vec::new(),
        loading: None,
        storage: Storage::default(),
        tick: None,
        again: channel.port2(),
        again_soon: false,
        save: None,
        dirty: false,
        deed: false,
        handed: None,
        asked: 0,
        openings: 0,
        owned: false,
        whole: false,
        language: None,
    }));
    WORKER.with(|slot| *slot.borrow_mut() = Some(Rc::clone(&worker)));
    let inner = Rc::clone(&worker);
    let on_again = Closure::<dyn Fn()>::new(move || {
        inner.borrow_mut().again_soon = false;
        tick(&inner);
    });
    channel.port1().set_onmessage(Some(on_again.as_ref().unchecked_ref()));
    on_again.forget();
    let inner = Rc::clone(&worker);
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        let Some(text) = event.data().as_string() else { return };
        match json::from_str::<ToWorker>(&text) {
            Ok(message) => take(&inner, message),
            Err(error) => post(&inner, &FromWorker::Problem { message: format!("unreadable message: {error}") }),
        }
    });
    scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // The listener lives as long as the worker.
    on_message.forget();
    post(&worker, &FromWorker::Hello { protocol: PROTOCOL });
}

fn post(worker: &Shared, message: &FromWorker) {
    let text = json::to_string(message).expect("messages are plain data");
    if let Err(error) = worker.borrow().scope.post_message(&text.into()) {
        web_sys::console::error_2(&"the worker cannot answer".into(), &error);
    }
}

fn take(worker: &Shared, message: ToWorker) {
    let mut deed = false;
    let message = match message {
        ToWorker::Run { terminal, command, size } => {
            if let (Some((cols, rows)), Some(session)) = (size, &mut worker.borrow_mut().session) {
                act(session, ToWorker::Input { input: Input::OpenTerminal { id: terminal, cols, rows } });
            }
            let busy = |session: &mut Session| session.world().is_terminal_busy(terminal);
            if worker.borrow_mut().session.as_mut().is_some_and(busy) {
                post(worker, &FromWorker::Busy);
            }
            ToWorker::Input { input: Input::Keys { id: terminal, text: format!("{command}\r") } }
        }
        other => other,
    };
    match message {
        ToWorker::Ping => return post(worker, &FromWorker::Alive),
        ToWorker::Catalogue => {
            let worker = Rc::clone(worker);
            return spawn_local(async move { send_catalogue(&worker).await });
        }
        ToWorker::Open { course, lesson, fresh, seed, now_unix_ms } => {
            let seed = Seed { course, lesson, seed, start: Time::from_nanos(now_unix_ms / 1_000 * 1_000_000_000) };
            let worker = Rc::clone(worker);
            return spawn_local(async move { open(&worker, seed, fresh, false).await });
        }
        ToWorker::TakeOver => {
            let Some(seed) = worker.borrow().session.as_ref().map(|session| session.seed().clone()) else { return };
            let worker = Rc::clone(worker);
            return spawn_local(async move { open(&worker, seed, false, true).await });
        }
        ToWorker::Hand { session } => {
            let worker = Rc::clone(worker);
            return spawn_local(async move { hand(&worker, *session).await });
        }
        ToWorker::DropHanded => worker.borrow_mut().handed = None,
        ToWorker::Language { language } => speak(worker, language),
        ToWorker::Undo => undo(worker),
        ToWorker::StepAgain { step } => step_again(worker, step),
        other => {
            if let ToWorker::Input { input } = &other {
                // Also what shows nothing: a text saved in an editor.
                worker.borrow_mut().dirty = true;
                deed = is_deed(input);
            }
            let reply = worker.borrow_mut().session.as_mut().and_then(|session| act(session, other));
            if let Some(reply) = reply {
                post(worker, &reply);
            }
        }
    }
    worker.borrow_mut().deed |= deed;
    tick(worker);
}

/// Whether the learner would miss an input if the tab were closed right after it: a command that was entered, a text, a
/// page. Keys of a line that is still being typed can wait a little.
fn is_deed(input: &Input) -> bool {
    match input {
        Input::Keys { text, .. } => text.contains('\r'),
        Input::SaveEdit { .. } | Input::CloseEdit { .. } | Input::Visit { .. } => true,
        _ => false,
    }
}

/// Messages about the open session.
fn act(session: &mut Session, message: ToWorker) -> Option<FromWorker> {
    match message {
        ToWorker::Input { input } => {
            if session.is_restoring() || session.input(input, real_ms(), &real_ms) {
                return None;
            }
            Some(FromWorker::Problem { message: "too much was typed while the cluster was busy".to_owned() })
        }
        ToWorker::Pace { paused, factor } => {
            session.tick(real_ms(), &real_ms);
            session.set_pace(paused, factor);
            None
        }
        ToWorker::StepEvent => {
            session.step_event();
            None
        }
        ToWorker::Inspect { subject } => Some(session.inspect(Some(subject))),
        ToWorker::InspectNothing => Some(session.inspect(None)),
        ToWorker::Export { purpose } => {
            (!session.is_restoring()).then(|| FromWorker::Exported { purpose, session: Box::new(session.saved()) })
        }
        ToWorker::StepBegins { step } => {
            session.step_begins(step, real_ms(), &real_ms);
            None
        }
        // The others are not about the open session.
        _ => None,
    }
}

/// Reads the courses, once: who comes while that lasts waits for the same.
async fn load_courses(worker: &Shared) {
    if !worker.borrow().courses.is_empty() {
        return;
    }
    let read = || courses::load().map(Rc::new).boxed_local().shared();
    let loading = worker.borrow_mut().loading.get_or_insert_with(read).clone();
    let loaded = loading.await;
    // What is wrong is said once; where nothing could be read, the next one tries again.
    if worker.borrow_mut().loading.take().is_some() {
        worker.borrow_mut().courses.clone_from(&loaded.courses);
        for message in &loaded.problems {
            post(worker, &FromWorker::Problem { message: message.clone() });
        }
    }
}

async fn send_catalogue(worker: &Shared) {
    load_courses(worker).await;
    let courses = worker.borrow().courses.clone();
    post(worker, &FromWorker::Catalogue { courses });
}

async fn open(worker: &Shared, seed: Seed, fresh: bool, take_over: bool) {
    worker.borrow_mut().asked += 1;
    let asked = worker.borrow().asked;
    load_courses(worker).await;
    let found = find_lesson(worker, &seed).await;
    if worker.borrow().asked != asked {
        return;
    }
    let lesson = match found {
        Ok(lesson) => lesson,
        Err(reason) => return post(worker, &FromWorker::Refused { reason }),
    };
    let opening = {
        let mut worker = worker.borrow_mut();
        worker.openings += 1;
        worker.owned = false;
        worker.openings
    };
    let locking = Rc::clone(worker);
    let (course, id) = (seed.course.clone(), seed.lesson.clone());
    if take_over {
        // The other tab saves no more before what it saved is read.
        own(&locking, opening, &course, &id, true).await;
    } else {
        spawn_local(async move { own(&locking, opening, &course, &id, false).await });
    }
    let storage = worker.borrow().storage.clone();
    let handed = worker.borrow_mut().handed.take().filter(|saved| is_of(saved, &seed));
    let saved = match handed {
        _ if fresh => None,
        Some(handed) => Some(handed),
        None => restore(worker, &storage, &seed).await,
    };
    let saved = saved.unwrap_or_else(|| SavedSession { build: BUILD.to_owned(), seed, log: Vec::new(), reached: None });
    if !saved.log.is_empty() || lesson.setup.profile.is_some() {
        // The rest will be needed at once: waiting for it here does not stop the worker.
        worker.borrow_mut().whole = true;
        if let Ok(coming) = fetch_rest() {
            let _ = JsFuture::from(coming).await;
            load_part(REST);
        }
    }
    play(worker, saved, lesson);
}

/// The lesson of a session, or why there is none.
async fn find_lesson(worker: &Shared, Seed { course, lesson, .. }: &Seed) -> Result<Lesson, String> {
    if !courses::has(&worker.borrow().courses, course, lesson) {
        return Err(format!("there is no lesson {course}/{lesson}"));
    }
    courses::lesson(course, lesson).await
}

fn is_of(saved: &SavedSession, seed: &Seed) -> bool {
    saved.seed.course == seed.course && saved.seed.lesson == seed.lesson
}

/// Begins to play a session; what was open before ends.
fn play(worker: &Shared, saved: SavedSession, lesson: Lesson) {
    let (course, restored) = (saved.seed.course.clone(), saved.log.len());
    let other_build = saved.build != BUILD;
    match Session::new(saved.seed, lesson.clone(), saved.log, saved.reached) {
        Err(reason) => post(worker, &FromWorker::Refused { reason }),
        Ok(mut session) => {
            if let Some(language) = worker.borrow().language {
                session.speak(language, real_ms(), &real_ms);
            }
            worker.borrow_mut().session = Some(session);
            worker.borrow().storage.forget();
            post(worker, &FromWorker::Opened { course, lesson: Box::new(lesson), restored, other_build });
            tick(worker);
        }
    }
}

/// Asks for the session's lock and says whether this is a copy.
async fn own(worker: &Shared, opening: u32, course: &str, lesson: &str, take_over: bool) {
    let losing = Rc::clone(worker);
    let lost = move || owned(&losing, opening, false);
    let held = lock::hold(course, lesson, take_over, lost).await;
    owned(worker, opening, held);
    plan_save(worker);
}

fn owned(worker: &Shared, opening: u32, owned: bool) {
    if worker.borrow().openings == opening {
        worker.borrow_mut().owned = owned;
        post(worker, &FromWorker::Copy { copy: !owned });
    }
}

/// Keeps a session from outside until its lesson is opened.
async fn hand(worker: &Shared, saved: SavedSession) {
    load_courses(worker).await;
    let Seed { course, lesson, .. } = saved.seed.clone();
    if !courses::has(&worker.borrow().courses, &course, &lesson) {
        let message = format!("this is a session of the lesson {course}/{lesson}, which is not here");
        return post(worker, &FromWorker::Problem { message });
    }
    let storage = worker.borrow().storage.clone();
    // Denied storage holds nothing that could be lost.
    let replaces = matches!(storage.load(&course, &lesson).await, Ok(Some(own)) if own.is_begun() && own != saved);
    worker.borrow_mut().handed = Some(saved);
    post(worker, &FromWorker::Handed { course, lesson, replaces });
}

/// The learner's machine speaks as the page does, now and in what is opened later.
fn speak(worker: &Shared, language: Language) {
    let mut worker = worker.borrow_mut();
    worker.language = Some(language);
    worker.dirty = true;
    if let Some(session) = &mut worker.session {
        session.speak(language, real_ms(), &real_ms);
    }
}

/// Plays the session again without its last command.
fn undo(worker: &Shared) {
    let before = {
        let worker = worker.borrow();
        let live = worker.session.as_ref().filter(|session| !session.is_restoring());
        let Some(session) = live else { return };
        session.before_last_command().map(|saved| (saved, session.lesson().clone()))
    };
    match before {
        Some((saved, lesson)) => play(worker, saved, lesson),
        None => post(worker, &FromWorker::NothingToUndo),
    }
}

/// Plays the session again up to where a step was first reached.
fn step_again(worker: &Shared, step: u16) {
    let back = {
        let worker = worker.borrow();
        let live = worker.session.as_ref().filter(|session| !session.is_restoring());
        let Some(session) = live else { return };
        session.until_step(step).map(|saved| (saved, session.lesson().clone()))
    };
    if let Some((saved, lesson)) = back {
        play(worker, saved, lesson);
    }
}

async fn restore(worker: &Shared, storage: &Storage, seed: &Seed) -> Option<SavedSession> {
    match storage.load(&seed.course, &seed.lesson).await {
        Ok(saved) => saved,
        Err(reason) => {
            post(worker, &FromWorker::NotSaved { reason });
            None
        }
    }
}

/// Runs what is due, tells the page, and plans the next call.
fn tick(worker: &Shared) {
    let (messages, next, requests) = {
        let mut worker = worker.borrow_mut();
        worker.tick = None;
        let Some(session) = &mut worker.session else { return };
        let now = real_ms();
        let next = session.tick(now, &real_ms);
        let requests = session.world().external_requests();
        (session.messages(real_ms()), next, requests)
    };
    for message in &messages {
        post(worker, message);
    }
    // What the learner sees has changed: a reload should come back to it.
    if messages
        .iter()
        .any(|m| matches!(m, FromWorker::Live { .. } | FromWorker::Output { .. } | FromWorker::Picture { .. }))
    {
        worker.borrow_mut().dirty = true;
    }
    if messages.iter().any(|m| matches!(m, FromWorker::Output { .. })) {
        plan_rest(worker);
    }
    // What was done is kept once it is answered: saving takes longer than most answers.
    let rests = !matches!(next, Next::Now) && !matches!(next, Next::After(ms) if ms < ANSWER_MS);
    if rests && std::mem::take(&mut worker.borrow_mut().deed) {
        let worker = Rc::clone(worker);
        spawn_local(async move { save(&worker).await });
    }
    plan_save(worker);
    for request in requests {
        let worker = Rc::clone(worker);
        spawn_local(async move {
            let answer = match site::fetch(&request.path).await {
                Ok(Some(bytes)) => Ok(bytes.into()),
                Ok(None) => Err(ExternalError::NotFound),
                Err(error) => Err(ExternalError::Unavailable(error)),
            };
            if let Some(session) = &mut worker.borrow_mut().session {
                session.world().external_reply(request.id, answer);
            }
            tick(&worker);
        });
    }
    let after = match next {
        Next::Now => return tick_soon(worker),
        Next::After(ms) => ms.min(TIMER_MS_MAX),
        Next::Never => return,
    };
    let again = Rc::clone(worker);
    let timer = Timeout::new(after.ceil() as u32, move || tick_soon(&again));
    worker.borrow_mut().tick = Some(timer);
}

/// Calls [`tick`] after what came before, by a message to oneself. A timer that is set while a timer's function runs
/// waits 4 ms or more, in every browser; one set while a message is taken does not.
fn tick_soon(worker: &Shared) {
    let mut worker = worker.borrow_mut();
    worker.tick = None;
    if !std::mem::replace(&mut worker.again_soon, true) {
        let _ = worker.again.post_message(&JsValue::NULL);
    }
}

/// Real time in milliseconds, from `performance.now()`.
fn real_ms() -> f64 {
    let scope: Result<DedicatedWorkerGlobalScope, _> = js_sys::global().dyn_into();
    scope.ok().and_then(|scope| scope.performance()).map_or(0.0, |performance| performance.now())
}

/// After the first prompt the rest is fetched: the first command will want it.
fn plan_rest(worker: &Shared) {
    if !std::mem::replace(&mut worker.borrow_mut().whole, true) {
        Timeout::new(REST_DELAY_MS, || drop(fetch_rest())).forget();
    }
}

fn plan_save(worker: &Shared) {
    let due = {
        let worker = worker.borrow();
        let live = worker.session.as_ref().is_some_and(|session| !session.is_restoring());
        worker.save.is_none() && worker.dirty && worker.owned && live
    };
    if due {
        let inner = Rc::clone(worker);
        let timer = Timeout::new(SAVE_DELAY_MS, move || {
            inner.borrow_mut().save = None;
            spawn_local(async move { save(&inner).await });
        });
        worker.borrow_mut().save = Some(timer);
    }
}

async fn save(worker: &Shared) {
    let (storage, saved) = {
        let mut worker = worker.borrow_mut();
        let live = worker.session.as_ref().filter(|session| worker.owned && !session.is_restoring());
        let Some(saved) = live.map(Session::saved) else { return };
        worker.dirty = false;
        worker.deed = false;
        (worker.storage.clone(), saved)
    };
    let entries = saved.log.len();
    let message = match storage.save(saved).await {
        Ok(()) => FromWorker::Saved { entries },
        Err(reason) => FromWorker::NotSaved { reason },
    };
    post(worker, &message);
}
