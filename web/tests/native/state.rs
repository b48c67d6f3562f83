//! The reducer of the page.

use std::rc::Rc;

use cluster::LogPiece;
use lesson::Text;
use simulation::{TraceEvent, TraceKind};
use web::chain::Reader;
use web::map::{Anchor, Part};
use web::protocol::{CheckState, FromWorker, Inspection, Subject};
use web::state::{Action, Notice, Pane, Preferences, Route, State, Theme, View};
use web::text::{Language, T};
use yew::Reducible;

use crate::lessons::lesson;

fn preferences() -> Preferences {
    Preferences {
        language: Language::En,
        theme: Theme::Light,
        lesson_percent: 38.0,
        terminal_percent: 38.0,
        reached: Default::default(),
        steps: Default::default(),
        toured: false,
        screen_reader: false,
        answers: Default::default(),
    }
}

fn route() -> Route {
    Route::Lesson { course: "basics".to_owned(), lesson: "deploy-app".to_owned() }
}

fn page() -> Route {
    Route::Page { course: "basics".to_owned(), page: "road-on".to_owned() }
}

fn after(state: State, actions: impl IntoIterator<Item = Action>) -> Rc<State> {
    actions.into_iter().fold(Rc::new(state), Reducible::reduce)
}

fn heard(message: FromWorker) -> Action {
    Action::Worker(vec![message])
}

fn opened(restored: usize) -> Action {
    heard(FromWorker::Opened {
        course: "basics".to_owned(),
        lesson: Box::new(lesson("deploy-app")),
        restored,
        other_build: false,
    })
}

fn check(id: &str, reached: bool) -> CheckState {
    CheckState { id: id.to_owned(), text: Text::default(), reached, hint: None }
}

fn live(terminals: &[u8]) -> Action {
    heard(FromWorker::Live { terminals: terminals.to_vec() })
}

#[test]
fn addresses_are_read_as_they_are_written() {
    for (hash, expected) in [
        ("", Route::Home),
        ("#/", Route::Home),
        ("#/basics", Route::Home),
        ("#/basics/deploy-app", route()),
        ("#/basics/deploy-app/", route()),
        ("#/a/b/c", Route::Home),
        ("#/basics/pages/road-on", page()),
        ("#/basics/pages/road-on/x", Route::Home),
    ] {
        assert_eq!(Route::parse(hash), expected, "{hash}");
    }
    assert_eq!(Route::parse(&route().hash()), route());
    assert_eq!(Route::parse(&page().hash()), page());
}

#[test]
fn a_restored_session_comes_back_to_its_step_and_terminals() {
    let mut saved = preferences();
    saved.steps.insert("basics/deploy-app".to_owned(), 2);
    let state = after(State::new(route(), saved.clone()), [opened(5), live(&[1, 2])]);
    let open = state.open.as_ref().unwrap();
    assert_eq!((open.step, open.live, state.terminals.as_slice()), (2, true, &[1, 2][..]));
    assert_eq!(state.restoring, None);
    // A new session begins at the beginning; a step that is no more is the last.
    assert_eq!(after(State::new(route(), saved.clone()), [opened(0)]).open.as_ref().unwrap().step, 0);
    saved.steps.insert("basics/deploy-app".to_owned(), 99);
    let last = lesson("deploy-app").text["en"].steps.len();
    assert_eq!(after(State::new(route(), saved), [opened(1)]).open.as_ref().unwrap().step, last);
}

#[test]
fn checks_once_reached_are_remembered() {
    let reached = |state: &State| state.preferences.reached["basics/deploy-app"].iter().cloned().collect::<Vec<_>>();
    let checks = |states: &[(&str, bool)]| {
        heard(FromWorker::Checks { checks: states.iter().map(|(id, reached)| check(id, *reached)).collect() })
    };
    let state = after(
        State::new(route(), preferences()),
        [opened(0), live(&[]), checks(&[("a", true), ("b", false)]), checks(&[("a", false), ("b", true)])],
    );
    assert_eq!(reached(&state), ["a", "b"]);
    let state = Reducible::reduce(state, Action::Reset);
    assert!(!state.preferences.reached.contains_key("basics/deploy-app"));
    assert!(state.open.is_none());
}

#[test]
fn answers_to_questions_are_kept_until_the_lesson_is_started_over() {
    let answer = Action::Answer { quiz: "quiz-1".to_owned(), chosen: vec![2] };
    let state = after(State::new(route(), preferences()), [opened(0), answer]);
    assert_eq!(state.preferences.answers["basics/deploy-app"]["quiz-1"], [2]);
    assert!(Reducible::reduce(state, Action::Reset).preferences.answers.is_empty());
}

#[test]
fn the_tour_shows_each_part_and_is_offered_once() {
    let state =
        after(State::new(route(), preferences()), [opened(0), Action::View(View::Chain), Action::Tour(Some(1))]);
    assert_eq!((state.tour, state.pane, state.view), (Some(1), Pane::Map, View::Terminals));
    assert!(!state.preferences.toured);
    for end in [Action::Tour(None), Action::Tour(Some(99))] {
        let state = after((*state).clone(), [end]);
        assert_eq!((state.tour, state.pane, state.preferences.toured), (None, Pane::Lesson, true));
    }
}

#[test]
fn terminals_open_and_close() {
    let state = after(
        State::new(route(), preferences()),
        [opened(0), live(&[]), Action::ShowTerminal(3), Action::ShowTerminal(2), Action::ShowTerminal(99)],
    );
    assert_eq!(state.terminals, [1, 2, 3]);
    let state = after((*state).clone(), [Action::ShowTerminal(3), heard(FromWorker::TerminalClosed { terminal: 3 })]);
    assert_eq!((state.terminals.as_slice(), state.terminal), (&[1, 2][..], 2));
    let state = after((*state).clone(), [Action::CloseTerminal(2), Action::CloseTerminal(1)]);
    assert!(state.terminals.is_empty());
    assert_eq!(after((*state).clone(), [Action::ShowTerminal(1)]).terminals, [1]);
}

#[test]
fn another_lesson_starts_clean() {
    let state = after(
        State::new(route(), preferences()),
        [opened(0), live(&[1, 2]), Action::Pane(Pane::Map), Action::OpenInspector(None), Action::Navigate(Route::Home)],
    );
    assert!(state.open.is_none() && state.inspected.is_none());
    assert_eq!((state.pane, state.terminals.as_slice()), (Pane::Lesson, &[1][..]));
}

fn subject(name: &str) -> Subject {
    Subject {
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        namespace: "default".to_owned(),
        name: name.to_owned(),
    }
}

#[test]
fn the_inspector_shows_what_was_asked_for_last() {
    let told = |name: &str| {
        let inspection = Inspection { subject: subject(name), ..Inspection::default() };
        heard(FromWorker::Inspection { inspection: Some(Box::new(inspection)) })
    };
    let log = |text: &str| heard(FromWorker::Log { piece: LogPiece { text: text.to_owned(), ended: false } });
    let state = after(
        State::new(route(), preferences()),
        [opened(0), Action::OpenInspector(Some(subject("a"))), told("a"), log("one\n"), log("two\n"), told("b")],
    );
    let inspected = state.inspected.as_ref().unwrap();
    assert_eq!(inspected.object.as_ref().map(|o| o.subject.name.as_str()), Some("a"));
    assert_eq!((inspected.log.text.as_str(), state.view, state.pane), ("one\ntwo\n", View::Inspector, Pane::Terminal));
    let state = after((*state).clone(), [Action::ForgetLog]);
    assert_eq!(state.inspected.as_ref().unwrap().log, LogPiece::default());
    let state = after((*state).clone(), [Action::CloseInspector, told("a")]);
    assert!(state.inspected.is_none() && state.view == View::Terminals);
}

#[test]
fn a_terminal_that_is_chosen_is_seen() {
    let state = after(State::new(route(), preferences()), [opened(0), live(&[1]), Action::View(View::Browser)]);
    assert_eq!(state.view, View::Browser);
    assert_eq!(after((*state).clone(), [Action::ShowTerminal(1)]).view, View::Terminals);
}

#[test]
fn a_step_of_the_chain_is_looked_at_until_another_chain_begins() {
    let reader = std::cell::RefCell::new(Reader::default());
    let events = |seq: u64, command: &str| {
        let time = simulation::Time::from_unix_seconds(1);
        let write = TraceKind::Write {
            by: "kubectl".to_owned(),
            op: "ADDED".to_owned(),
            kind: "Service".to_owned(),
            namespace: "default".to_owned(),
            name: "web".to_owned(),
            revision: 1,
        };
        let kinds = [TraceKind::Learner { what: command.to_owned() }, write];
        let events: Vec<_> = kinds.into_iter().map(|kind| TraceEvent { seq, time, kind }).collect();
        reader.borrow_mut().take_in(&events);
        heard(FromWorker::Chain { news: reader.borrow_mut().news().expect("a chain begins") })
    };
    let state = after(
        State::new(route(), preferences()),
        [opened(0), events(1, "kubectl expose web"), Action::View(View::Chain), Action::ChainAt(Some(0))],
    );
    assert_eq!(state.focus(), state.chain.steps[0].anchors);
    assert!(!state.focus().is_empty());
    assert_eq!(after((*state).clone(), [Action::ChainAt(Some(99))]).chain_at, None);
    let state = after((*state).clone(), [events(3, "kubectl expose other")]);
    assert_eq!((state.chain_at, state.chain.command.as_str()), (None, "kubectl expose other"));
    assert!(state.focus().is_empty());
}

#[test]
fn notices_are_said_once_and_can_be_dismissed() {
    let not_saved = || heard(FromWorker::NotSaved { reason: "denied".to_owned() });
    let state = after(State::new(route(), preferences()), [not_saved(), not_saved()]);
    assert_eq!(state.notices, [Notice { text: T::NotSaved, detail: "denied".to_owned() }]);
    assert!(state.unsaved);
    let state = after((*state).clone(), [Action::Dismiss(0), Action::Dismiss(7), not_saved()]);
    assert!(state.notices.is_empty(), "a reader is not told twice");
    assert!(!after((*state).clone(), [heard(FromWorker::Saved { entries: 1 })]).unsaved);
}

#[test]
fn a_lesson_that_cannot_be_opened_says_why() {
    let refused = heard(FromWorker::Refused { reason: "there is no lesson a/b".to_owned() });
    let state = after(State::new(route(), preferences()), [refused]);
    assert_eq!(state.failed.as_deref(), Some("there is no lesson a/b"));
    assert_eq!(after((*state).clone(), [Action::Navigate(Route::Home)]).failed, None);
}

#[test]
fn dividers_leave_room_for_both_sides() {
    let state =
        after(State::new(route(), preferences()), [Action::LessonPercent(-5.0), Action::TerminalPercent(200.0)]);
    assert!(state.preferences.lesson_percent > 15.0 && state.preferences.terminal_percent < 85.0);
}

#[test]
fn a_request_that_is_looked_at_stands_out_on_the_map() {
    let request = |id: u64, pod: &str| web::requests::Request {
        id,
        from: "learner".to_owned(),
        goal: "web".to_owned(),
        end: web::requests::End::Good,
        status: 200,
        took_us: 1,
        rows: Vec::new(),
        path: vec![Anchor::Part(Part::You), Anchor::Pod("default".to_owned(), pod.to_owned())],
    };
    let requests = vec![request(7, "a"), request(9, "b")];
    let told = after(State::new(route(), preferences()), [opened(0), heard(FromWorker::Requests { requests })]);
    assert!(told.way().is_empty(), "nothing is drawn while nobody looks");
    let newest = Rc::clone(&told).reduce(Action::View(View::Requests));
    assert_eq!(newest.way()[1], Anchor::Pod("default".to_owned(), "b".to_owned()));
    let chosen = newest.reduce(Action::ShowRequest(7));
    assert_eq!((chosen.view, chosen.pane), (View::Requests, Pane::Terminal));
    assert_eq!(chosen.focus()[1], Anchor::Pod("default".to_owned(), "a".to_owned()));
    assert!(chosen.reduce(opened(0)).requests.chosen(None).is_none(), "another session has other requests");
}
