//! The page: state, worker link and the components around them.

use std::rc::Rc;

use cluster::{Effect, Input};
use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use lesson::{Block, Clock};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::window;
use yew::prelude::*;

use crate::components::divider::Divider;
use crate::components::dock::Dock;
use crate::components::editor_pane::EditorPane;
use crate::components::header::Header;
use crate::components::home::Home;
use crate::components::lesson_pane::LessonPane;
use crate::components::map_view::MapView;
use crate::components::notices::Notices;
use crate::components::page_view::PageView;
use crate::components::session_menu::{Banner, ShareDialog};
use crate::components::tour::TourCard;
use crate::handover;
use crate::link::{Heard, Link};
use crate::mailbox::Mailbox;
use crate::offline;
use crate::preferences;
use crate::protocol::{FromWorker, Purpose, Subject, ToWorker};
use crate::saved::SavedSession;
use crate::screens::Screens;
use crate::shortcuts::use_shortcuts;
use crate::state::{Action, Notice, Pane, Route, State, View};
use crate::text::{T, fill};

/// The element of index.html that the page lives in.
const PLACE: &str = "app";

/// Real time between what the page was opened for and the copy that is kept of it, in milliseconds.
const OFFLINE_DELAY_MS: u32 = 2_000;

/// Mounts the page.
pub fn start() {
    console_error_panic_hook::set_once();
    let place = window().and_then(|w| w.document()).and_then(|d| d.get_element_by_id(PLACE));
    if let Some(place) = place {
        place.set_inner_html("");
        yew::Renderer::<App>::with_root(place).render();
    }
}

fn current_route() -> Route {
    Route::parse(&window().and_then(|w| w.location().hash().ok()).unwrap_or_default())
}

/// What opening a lesson takes: the seed and the time of a new session.
fn open_message(course: &str, lesson: &str, fresh: bool) -> ToWorker {
    ToWorker::Open {
        course: course.to_owned(),
        lesson: lesson.to_owned(),
        fresh,
        // 53 bits: a number that JSON and JavaScript hold exactly.
        seed: (js_sys::Math::random() * 9_007_199_254_740_991.0) as u64,
        now_unix_ms: js_sys::Date::now() as i64,
    }
}

/// The whole page.
#[component]
pub fn App() -> Html {
    let state = use_reducer(|| State::new(current_route(), preferences::load()));
    let screens = use_memo((), |()| Screens::default());
    let link = use_link(&state, &screens);
    use_routes(&state);
    use_preferences(&state);
    use_language(&state, &link);
    use_open_lesson(&state, &link, &screens);
    use_link_address(&state, &link);
    use_shortcuts();
    use_offline(&state);
    use_step_marks(&state, &link);
    use_step_clock(&state, &link);
    let language = state.preferences.language;
    let send = {
        let link = link.clone();
        Callback::from(move |message: ToWorker| link.send(&message))
    };
    let pace = {
        let (state, send) = (state.clone(), send.clone());
        Callback::from(move |(paused, factor): (bool, f64)| {
            state.dispatch(Action::Pace { paused, factor });
            send.emit(ToWorker::Pace { paused, factor });
        })
    };
    let step = {
        let send = send.clone();
        Callback::from(move |()| send.emit(ToWorker::StepEvent))
    };
    let reset = {
        let (state, link, screens) = (state.clone(), link.clone(), screens.clone());
        Callback::from(move |()| {
            let Route::Lesson { course, lesson } = &state.route else { return };
            let sure = window().and_then(|w| w.confirm_with_message(state.t(T::ResetConfirm)).ok());
            if sure == Some(true) {
                screens.close_all();
                state.dispatch(Action::Reset);
                link.send(&open_message(course, lesson, true));
            }
        })
    };
    html! {
        <div class="page" data-theme={state.preferences.theme.name()} lang={language.code()} data-worker={state.courses.is_some().then_some("ready")}>
            <Header state={state.clone()} {pace} {step} {reset} send={send.clone()} />
            { banners(&state, &send) }
            { match &state.route {
                Route::Home => html! { <Home state={state.clone()} /> },
                Route::Lesson { .. } => lesson_view(&state, &screens, send),
                Route::Page { course, page } => html! {
                    <PageView state={state.clone()} course={course.clone()} page={page.clone()} copy={Callback::from(copy_text)} />
                },
            } }
            <TourCard state={state.clone()} />
            <Notices state={state.clone()} />
            if let Some(link) = &state.shared {
                <ShareDialog state={state.clone()} link={link.clone()} copy={Callback::from(copy_text)} />
            }
        </div>
    }
}

/// What stays true until it is acted on.
fn banners(state: &UseReducerHandle<State>, send: &Callback<ToWorker>) -> Html {
    let send = send.clone();
    let take_over = Callback::from(move |()| send.emit(ToWorker::TakeOver));
    html! {
        <div class="banners">
            if state.update {
                <Banner text={state.t(T::UpdateReady)} label={state.t(T::UpdateNow)} act={Callback::from(|()| offline::take_update())} />
            }
            if state.copy && state.open.is_some() {
                <Banner text={state.t(T::CopyStrip)} label={state.t(T::TakeOver)} act={take_over} />
            }
        </div>
    }
}

fn copy_text(text: String) {
    if let Some(window) = window() {
        // Denied access to the clipboard leaves it as it was; the text can still be selected.
        let _ = window.navigator().clipboard().write_text(&text);
    }
}

fn lesson_view(state: &UseReducerHandle<State>, screens: &Rc<Screens>, send: Callback<ToWorker>) -> Html {
    let run = {
        let (state, screens, send) = (state.clone(), screens.clone(), send.clone());
        Callback::from(move |(terminal, command): (u8, String)| {
            run_command(&state, &screens, &send, terminal, &command)
        })
    };
    let copy = Callback::from(copy_text);
    let inspect = {
        let (state, send) = (state.clone(), send.clone());
        Callback::from(move |subject: Subject| {
            state.dispatch(Action::OpenInspector(Some(subject.clone())));
            send.emit(ToWorker::Inspect { subject });
        })
    };
    let close = {
        let (state, send) = (state.clone(), send.clone());
        Callback::from(move |()| {
            state.dispatch(Action::CloseInspector);
            send.emit(ToWorker::InspectNothing);
        })
    };
    let again = {
        let (state, screens, send) = (state.clone(), screens.clone(), send.clone());
        Callback::from(move |()| begin_step_again(&state, &screens, &send))
    };
    let set = |action: fn(f64) -> Action| {
        let state = state.clone();
        Callback::from(move |percent: f64| state.dispatch(action(percent)))
    };
    let (left, bottom) = (state.preferences.lesson_percent, state.preferences.terminal_percent);
    let style = format!("--lesson:{left:.2}%;--terminal:{bottom:.2}%");
    let pane = match state.pane {
        Pane::Lesson => "show-lesson",
        Pane::Map => "show-map",
        Pane::Terminal => "show-terminal",
    };
    html! {
        <main class={classes!("work", pane)} ~style={JsValue::from(style)}>
            { pane_tabs(state) }
            <LessonPane state={state.clone()} run={run.clone()} {copy} {again} />
            <Divider vertical={true} label={state.t(T::Divider)} percent={left} moved={set(Action::LessonPercent)} />
            <div class="right">
                <MapView state={state.clone()} inspect={inspect.clone()} />
                <Divider vertical={false} label={state.t(T::Divider)} percent={bottom} from_end={true} moved={set(Action::TerminalPercent)} />
                <Dock state={state.clone()} screens={(**screens).clone()} send={send.clone()} {run} {inspect} {close} />
                { restoring(state) }
            </div>
            <EditorPane state={state.clone()} screens={(**screens).clone()} {send} />
        </main>
    }
}

/// Types a command into a terminal, which is opened first if need be.
fn run_command(
    state: &UseReducerHandle<State>,
    screens: &Screens,
    send: &Callback<ToWorker>,
    terminal: u8,
    command: &str,
) {
    state.dispatch(Action::ShowTerminal(terminal));
    if state.pane == Pane::Lesson {
        state.dispatch(Action::Pane(Pane::Terminal));
    }
    if state.started.contains(&terminal) {
        send.emit(ToWorker::Run { terminal, command: command.to_owned(), size: None });
    } else {
        // Its screen is not there yet. A line that is typed at one width and shown at another is drawn again and again.
        screens.run_when_open(terminal, command);
    }
    if !points_with_fingers() {
        screens.focus(terminal);
    }
}

/// Whether the focus of a terminal would open a keyboard on the screen, over what is to be seen.
fn points_with_fingers() -> bool {
    let query = window().and_then(|window| window.match_media("(pointer: coarse)").ok().flatten());
    query.is_some_and(|query| query.matches())
}

/// Takes the session back to where the step began, if the learner is sure.
fn begin_step_again(state: &UseReducerHandle<State>, screens: &Screens, send: &Callback<ToWorker>) {
    let Some(step) = state.open.as_ref().and_then(|open| u16::try_from(open.step).ok()).filter(|step| *step > 0) else {
        return;
    };
    let sure = window().and_then(|w| w.confirm_with_message(state.t(T::StepAgainConfirm)).ok());
    if sure == Some(true) {
        screens.close_all();
        state.dispatch(Action::Restarting);
        send.emit(ToWorker::StepAgain { step });
    }
}

/// On narrow screens: which part is seen, with the checks always in sight.
fn pane_tabs(state: &UseReducerHandle<State>) -> Html {
    let (reached, total) =
        state.open.as_ref().map_or((0, 0), |o| (o.checks.iter().filter(|c| c.reached).count(), o.checks.len()));
    let tabs = [(Pane::Lesson, T::Lesson), (Pane::Map, T::Map), (Pane::Terminal, T::Terminal)].map(|(pane, text)| {
        let on = state.pane == pane;
        let handle = state.clone();
        let choose = Callback::from(move |_: MouseEvent| handle.dispatch(Action::Pane(pane)));
        html! {
            <button type="button" role="tab" class={classes!(on.then_some("on"))} aria-selected={on.to_string()} onclick={choose}>
                { state.t(text) }
            </button>
        }
    });
    html! {
        <div class="pane-tabs">
            <div role="tablist">{ for tabs }</div>
            <span class="progress" role="status">{ fill(state.t(T::Checks), reached, total) }</span>
        </div>
    }
}

/// What covers map and terminals until the session lives.
fn restoring(state: &UseReducerHandle<State>) -> Html {
    let words = match (&state.failed, state.restoring) {
        (Some(reason), _) => {
            return html! {
                <div class="cover" role="alert">
                    <div>
                        <p>{ state.t(T::Problem) }</p>
                        <pre lang="en">{ reason.clone() }</pre>
                        <a class="next" href="#/">{ state.t(T::AllLessons) }</a>
                    </div>
                </div>
            };
        }
        (None, None) if state.open.is_some() => return html! {},
        (None, None) => state.t(T::Loaded).to_owned(),
        (None, Some((_, 0))) => state.t(T::Preparing).to_owned(),
        (None, Some((done, total))) => fill(state.t(T::Restoring), done, total),
    };
    html! { <div class="cover" role="status">{ words }</div> }
}

/// Starts the worker and takes in what it says.
#[hook]
fn use_link(state: &UseReducerHandle<State>, screens: &Rc<Screens>) -> Link {
    let (dispatcher, screens) = (state.dispatcher(), screens.clone());
    let link = use_memo((), move |()| {
        let slot: Rc<std::cell::RefCell<Option<Link>>> = Rc::default();
        let inner = Rc::clone(&slot);
        let mailbox = {
            let dispatcher = dispatcher.clone();
            Mailbox::new(Callback::from(move |messages| dispatcher.dispatch(Action::Worker(messages))))
        };
        let link = Link::start(Callback::from(move |heard: Heard| match heard {
            Heard::Message(message) => match &*message {
                FromWorker::Output { terminal, text } => screens.write(*terminal, text),
                FromWorker::Opened { .. } => {
                    mark("opened");
                    screens.close_all();
                    mailbox.put(*message);
                }
                FromWorker::Effect { effect } => {
                    if let Some(link) = &*inner.borrow() {
                        show_window(&dispatcher, link, effect);
                    }
                    mailbox.put(*message);
                }
                FromWorker::Live { .. } => {
                    mark("live");
                    mailbox.put(*message);
                }
                FromWorker::Exported { purpose, session } => exported(&dispatcher, *purpose, session),
                FromWorker::Handed { course, lesson, replaces } => {
                    if let Some(link) = &*inner.borrow() {
                        handed(link, course, lesson, *replaces);
                    }
                }
                _ => mailbox.put(*message),
            },
            Heard::Restarted => {
                mailbox.deliver();
                dispatcher.dispatch(Action::Restarting);
                dispatcher.dispatch(Action::Notice(Notice { text: T::Crashed, detail: String::new() }));
                if let Some(link) = &*inner.borrow() {
                    link.send(&ToWorker::Catalogue);
                    if let Route::Lesson { course, lesson } = current_route() {
                        link.send(&open_message(&course, &lesson, false));
                    }
                }
            }
            Heard::GaveUp => {
                dispatcher.dispatch(Action::Notice(Notice { text: T::CrashedOften, detail: String::new() }))
            }
            Heard::Unusable { other_build } => {
                let text = if other_build { T::BuildMismatch } else { T::WorkerFailed };
                dispatcher.dispatch(Action::Notice(Notice { text, detail: String::new() }));
            }
        }));
        link.send(&ToWorker::Catalogue);
        *slot.borrow_mut() = Some(link.clone());
        link
    });
    (*link).clone()
}

/// Opens what a program of the learner's machine asks for, beside the editor windows.
fn show_window(dispatcher: &UseReducerDispatcher<State>, link: &Link, effect: &Effect) {
    match effect {
        Effect::Dashboard { .. } => dispatcher.dispatch(Action::OpenInspector(None)),
        Effect::Browse { url, .. } => {
            dispatcher.dispatch(Action::View(View::Browser));
            dispatcher.dispatch(Action::Ask { url: url.clone(), repeats: false });
            link.send(&ToWorker::Input { input: Input::Visit { url: url.clone(), every_ms: None } });
        }
        Effect::Edit { .. } | Effect::EditEnded { .. } => {}
    }
}

/// Keeps a copy of the page, once it shows what it was opened for: what the learner waits for comes first.
#[hook]
fn use_offline(state: &UseReducerHandle<State>) {
    let dispatcher = state.dispatcher();
    let shown = state.failed.is_some()
        || match state.route {
            Route::Lesson { .. } => state.open.as_ref().is_some_and(|open| open.live),
            _ => state.courses.is_some(),
        };
    let kept = use_mut_ref(|| false);
    use_effect_with(shown, move |shown| {
        if *shown && !kept.replace(true) {
            let keep = move || offline::keep(move || dispatcher.dispatch(Action::UpdateReady));
            Timeout::new(OFFLINE_DELAY_MS, keep).forget();
        }
    });
}

/// Marks a moment; from `opened` to `live` is what restoring a session takes.
fn mark(name: &str) {
    if let Some(performance) = window().and_then(|window| window.performance()) {
        // A browser that keeps no marks is not measured.
        let _ = performance.mark(name);
    }
}

/// Saves the session as a file, or shows a link to it.
fn exported(dispatcher: &UseReducerDispatcher<State>, purpose: Purpose, session: &SavedSession) {
    if purpose == Purpose::File {
        return handover::export(session);
    }
    let (dispatcher, session) = (dispatcher.clone(), session.clone());
    spawn_local(async move {
        dispatcher.dispatch(match handover::link_to(&session).await {
            Ok(link) => Action::Shared(Some(link)),
            Err(detail) => Action::Notice(Notice { text: T::Problem, detail }),
        });
    });
}

/// Opens the lesson of a session that was handed over, unless the learner keeps the one that is there.
fn handed(link: &Link, course: &str, lesson: &str, replaces: bool) {
    let Some(window) = window() else { return };
    let words = T::ReplaceConfirm.get(preferences::load().language);
    if replaces && window.confirm_with_message(words).ok() != Some(true) {
        link.send(&ToWorker::DropHanded);
    }
    let route = Route::Lesson { course: course.to_owned(), lesson: lesson.to_owned() };
    if current_route() == route {
        link.send(&open_message(course, lesson, false));
    } else {
        // In place of a link's address, so that going back does not open the link again.
        let _ = window.location().replace(&route.hash());
    }
}

/// Takes in the session of an address that is a link to one.
#[hook]
fn use_link_address(state: &UseReducerHandle<State>, link: &Link) {
    let (dispatcher, link) = (state.dispatcher(), link.clone());
    use_effect_with((), move |()| {
        let look = move || {
            let fragment = window().and_then(|w| w.location().hash().ok()).unwrap_or_default();
            if !handover::is_link(&fragment) {
                return;
            }
            let (dispatcher, link) = (dispatcher.clone(), link.clone());
            spawn_local(async move {
                match handover::from_link(&fragment).await {
                    Ok(session) => link.send(&ToWorker::Hand { session: Box::new(session) }),
                    Err(detail) => dispatcher.dispatch(Action::Notice(Notice { text: T::SessionUnreadable, detail })),
                }
            });
        };
        look();
        let listener = window().map(|window| EventListener::new(window.unchecked_ref(), "hashchange", move |_| look()));
        move || drop(listener)
    });
}

/// Follows the address.
#[hook]
fn use_routes(state: &UseReducerHandle<State>) {
    let dispatcher = state.dispatcher();
    use_effect_with((), move |()| {
        let listener = window().map(|window| {
            EventListener::new(window.unchecked_ref(), "hashchange", move |_| {
                dispatcher.dispatch(Action::Navigate(current_route()));
            })
        });
        move || drop(listener)
    });
}

/// Remembers preferences and tells the document its language and title.
#[hook]
fn use_preferences(state: &UseReducerHandle<State>) {
    let title = match &state.open {
        Some(open) => format!("{} - Kubonsai", open.lesson.title.get(state.preferences.language.code())),
        None => "Kubonsai".to_owned(),
    };
    use_effect_with((state.preferences.clone(), title), |(preferences, title)| {
        preferences::save(preferences);
        if let Some(document) = window().and_then(|w| w.document()) {
            document.set_title(title);
            if let Some(root) = document.document_element() {
                let _ = root.set_attribute("lang", preferences.language.code());
                let _ = root.set_attribute("data-theme", preferences.theme.name());
            }
        }
    });
}

/// Tells the worker which language the page speaks: before it opens anything, when the reader chooses another, and with
/// every opening again, because the worker may be a new one.
#[hook]
fn use_language(state: &UseReducerHandle<State>, link: &Link) {
    let link = link.clone();
    let opening = state.open.as_ref().map(|open| open.opening);
    use_effect_with((state.preferences.language, opening), move |(language, _)| {
        link.send(&ToWorker::Language { language: (*language).into() });
    });
}

/// Opens the lesson that the address names.
#[hook]
fn use_open_lesson(state: &UseReducerHandle<State>, link: &Link, screens: &Rc<Screens>) {
    let (link, screens) = (link.clone(), screens.clone());
    use_effect_with(state.route.clone(), move |route| {
        if let Route::Lesson { course, lesson } = route {
            screens.close_all();
            link.send(&open_message(course, lesson, false));
        }
    });
}

/// Tells the session at which step the learner is, so that it can be begun again.
#[hook]
fn use_step_marks(state: &UseReducerHandle<State>, link: &Link) {
    let link = link.clone();
    let at = state.open.as_ref().filter(|open| open.live && open.step > 0).map(|open| (open.opening, open.step));
    use_effect_with(at, move |at| {
        if let Some(step) = at.and_then(|(_, step)| u16::try_from(step).ok()) {
            link.send(&ToWorker::StepBegins { step });
        }
    });
}

/// Sets the clock as the step asks for when it is shown.
#[hook]
fn use_step_clock(state: &UseReducerHandle<State>, link: &Link) {
    let (state, link) = (state.clone(), link.clone());
    let at = state.open.as_ref().filter(|open| open.live).map(|open| (open.opening, open.step));
    use_effect_with(at, move |at| {
        let clock = at.and_then(|_| {
            state
                .step_blocks()
                .iter()
                .find_map(|block| if let Block::Clock(clock) = block { Some(*clock) } else { None })
        });
        if let Some(clock) = clock {
            let (paused, factor) = match clock {
                Clock::Pause => (true, state.clock.factor),
                Clock::Speed { factor } => (false, f64::from(factor)),
            };
            state.dispatch(Action::Pace { paused, factor });
            link.send(&ToWorker::Pace { paused, factor });
        }
    });
}
