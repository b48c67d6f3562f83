//! What the page knows, and how it changes: one pure reducer.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use cluster::LogPiece;
use lesson::{Block, CourseOutline, Lesson};
use serde::{Deserialize, Serialize};
use yew::Reducible;

use crate::chain::Chain;
use crate::components::tour;
use crate::editors::Editors;
use crate::map::{Anchor, Motion, Places, focus};
use crate::picture::Picture;
use crate::protocol::{CheckState, FromWorker, Inspection, Subject};
use crate::requests::Requests;
use crate::text::{Language, T};
use crate::visits::History;

/// Terminals at most.
pub const TERMINALS_MAX: u8 = 6;

/// Notices shown at once; the oldest go first.
const NOTICES_MAX: usize = 4;

/// Text of a log that the inspector keeps, in bytes; older text is dropped first.
const LOG_BYTES_MAX: usize = 128 * 1024;

/// Where the page is, as in the address behind `#`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Route {
    /// The catalogue.
    #[default]
    Home,
    /// A lesson.
    Lesson {
        /// Folder of the course.
        course: String,
        /// Folder of the lesson.
        lesson: String,
    },
    /// A page of a course.
    Page {
        /// Folder of the course.
        course: String,
        /// Name of the page.
        page: String,
    },
}

impl Route {
    /// Reads `#/course/lesson` and `#/course/pages/page`.
    pub fn parse(hash: &str) -> Route {
        let mut parts = hash.trim_start_matches('#').trim_matches('/').split('/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(course), Some(lesson), None) if !course.is_empty() && !lesson.is_empty() => {
                Route::Lesson { course: course.to_owned(), lesson: lesson.to_owned() }
            }
            (Some(course), Some("pages"), Some(page)) if !course.is_empty() && parts.next().is_none() => {
                Route::Page { course: course.to_owned(), page: page.to_owned() }
            }
            _ => Route::Home,
        }
    }

    /// As in an address.
    pub fn hash(&self) -> String {
        match self {
            Route::Home => "#/".to_owned(),
            Route::Lesson { course, lesson } => format!("#/{course}/{lesson}"),
            Route::Page { course, page } => format!("#/{course}/pages/{page}"),
        }
    }
}

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// As in the `data-theme` attribute.
    pub fn name(self) -> &'static str {
        match self {
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

/// The three parts of a lesson on a narrow screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// The text.
    #[default]
    Lesson,
    /// The map.
    Map,
    /// The dock: terminals, browser and the rest.
    Terminal,
}

/// What the dock below the map shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// The terminals.
    #[default]
    Terminals,
    /// The browser of the learner's machine.
    Browser,
    /// What the last command set in motion.
    Chain,
    /// Requests on the network and their ways.
    Requests,
    /// An object.
    Inspector,
}

/// What the inspector shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspected {
    /// The object; none: an overview of all.
    pub subject: Option<Subject>,
    /// The object as it is; none while it does not exist (any more).
    pub object: Option<Box<Inspection>>,
    /// Its log, if that is looked at.
    pub log: LogPiece,
}

/// What is remembered between visits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preferences {
    /// Language.
    pub language: Language,
    /// Theme.
    pub theme: Theme,
    /// Share of the width that the lesson takes, in percent.
    pub lesson_percent: f64,
    /// Share of the height that the terminals take, in percent.
    pub terminal_percent: f64,
    /// Checks reached, by `course/lesson`.
    #[serde(default)]
    pub reached: BTreeMap<String, BTreeSet<String>>,
    /// The step that was open, by `course/lesson`.
    #[serde(default)]
    pub steps: BTreeMap<String, usize>,
    /// The tour was taken or declined.
    #[serde(default)]
    pub toured: bool,
    /// Terminals say what they show, to a screen reader.
    #[serde(default)]
    pub screen_reader: bool,
    /// Answers given to questions, by `course/lesson` and the question's id.
    #[serde(default)]
    pub answers: BTreeMap<String, BTreeMap<String, Vec<usize>>>,
}

/// A lesson that is open.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenLesson {
    /// Folder of its course.
    pub course: String,
    /// The lesson.
    pub lesson: Rc<Lesson>,
    /// 0 is the introduction, then the steps from 1.
    pub step: usize,
    /// How its checks stand.
    pub checks: Vec<CheckState>,
    /// The session is ready for input.
    pub live: bool,
    /// Counts openings: screens of an earlier one are not those of this one.
    pub opening: u32,
}

impl OpenLesson {
    /// `course/lesson`.
    pub fn key(&self) -> String {
        format!("{}/{}", self.course, self.lesson.id)
    }
}

/// The clock as the worker tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Clock {
    /// Virtual milliseconds since the session began.
    pub elapsed_ms: u64,
    /// Time stands still.
    pub paused: bool,
    /// Virtual seconds a second.
    pub factor: f64,
    /// Slower than asked for.
    pub lagging: bool,
    /// Waiting for a file.
    pub loading: bool,
}

/// Something to tell the learner once.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The text.
    pub text: T,
    /// More, in the words of whoever reports it.
    pub detail: String,
}

/// All that the page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Where we are.
    pub route: Route,
    /// Remembered.
    pub preferences: Preferences,
    /// The courses, once they are known.
    pub courses: Option<Vec<CourseOutline>>,
    /// The open lesson.
    pub open: Option<OpenLesson>,
    /// What is played again, as (done, total), while that goes on.
    pub restoring: Option<(usize, usize)>,
    /// Terminals that are open, in the order of their tabs.
    pub terminals: Vec<u8>,
    /// Terminals that run in the session's world; the others still have to be started.
    pub started: Vec<u8>,
    /// The terminal that is seen.
    pub terminal: u8,
    /// The pane that is seen on a narrow screen.
    pub pane: Pane,
    /// The clock.
    pub clock: Clock,
    /// What the map shows.
    pub picture: Rc<Picture>,
    /// Who sits where on the map.
    pub places: Rc<Places>,
    /// What moves on the map.
    pub motion: Motion,
    /// What the dock shows.
    pub view: View,
    /// What the inspector shows, if it is open.
    pub inspected: Option<Rc<Inspected>>,
    /// What the browser got.
    pub history: Rc<History>,
    /// What the last command set in motion.
    pub chain: Rc<Chain>,
    /// Requests on the network.
    pub requests: Rc<Requests>,
    /// The one that is looked at; none: the newest.
    pub request: Option<u64>,
    /// The step of the chain that is looked at; none: the newest.
    pub chain_at: Option<usize>,
    /// The stop of the tour that is shown, while it goes on.
    pub tour: Option<usize>,
    /// Notices, oldest first.
    pub notices: Vec<Notice>,
    /// Why the lesson of the address cannot be opened.
    pub failed: Option<String>,
    /// Lessons opened so far.
    pub openings: u32,
    /// The session is not being saved.
    pub unsaved: bool,
    /// Another tab has the session; this one is a copy.
    pub copy: bool,
    /// The link to the session that was asked for.
    pub shared: Option<String>,
    /// The editor windows.
    pub editors: Editors,
    /// A newer build of the page is ready.
    pub update: bool,
}

/// Everything that can happen to the page.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The address changed.
    Navigate(Route),
    /// What the worker said, in order.
    Worker(Vec<FromWorker>),
    /// Another language.
    Language(Language),
    /// Light or dark.
    Theme(Theme),
    /// Whether terminals say what they show, to a screen reader.
    ScreenReader(bool),
    /// Another step of the lesson.
    Step(usize),
    /// A stop of the tour; none ends it.
    Tour(Option<usize>),
    /// A question of the lesson was answered.
    Answer {
        /// Its id.
        quiz: String,
        /// The places of the chosen answers.
        chosen: Vec<usize>,
    },
    /// A terminal was opened or chosen.
    ShowTerminal(u8),
    /// A terminal was started in the session's world.
    Started(u8),
    /// A terminal was closed.
    CloseTerminal(u8),
    /// Another pane on a narrow screen.
    Pane(Pane),
    /// Another view in the dock.
    View(View),
    /// The inspector was opened for an object, or for an overview (empty until the worker answers).
    OpenInspector(Option<Subject>),
    /// Another log is looked at, or none: what was there is forgotten.
    ForgetLog,
    /// The browser asks for an address, once or again and again.
    Ask {
        /// The address.
        url: String,
        /// Again and again.
        repeats: bool,
    },
    /// The browser repeats nothing any more.
    StopAsking,
    /// A step of the chain is looked at; none: the newest.
    ChainAt(Option<usize>),
    /// Looks at a request on the network.
    ShowRequest(u64),
    /// The inspector was closed.
    CloseInspector,
    /// The share of the lesson's width, in percent.
    LessonPercent(f64),
    /// The share of the terminals' height, in percent.
    TerminalPercent(f64),
    /// The worker died and its successor plays the log again: nothing can be typed until it is through.
    Restarting,
    /// What moved on the map up to this trace position has arrived.
    Arrived(u64),
    /// The lesson is being started over.
    Reset,
    /// Something to tell.
    Notice(Notice),
    /// A link to the session was made, or its window closed.
    Shared(Option<String>),
    /// A newer build of the page is ready.
    UpdateReady,
    /// Another editor window is looked at.
    ShowEditor(u32),
    /// A notice was read.
    Dismiss(usize),
    /// The pace was set; the worker's word follows.
    Pace {
        /// Time stands still.
        paused: bool,
        /// Virtual seconds a second.
        factor: f64,
    },
}

impl State {
    /// The page as it starts.
    pub fn new(route: Route, preferences: Preferences) -> State {
        State {
            route,
            preferences,
            courses: None,
            open: None,
            restoring: None,
            terminals: vec![1],
            started: Vec::new(),
            terminal: 1,
            pane: Pane::default(),
            clock: Clock { factor: 1.0, ..Clock::default() },
            picture: Rc::default(),
            places: Rc::default(),
            motion: Motion::default(),
            view: View::default(),
            inspected: None,
            history: Rc::default(),
            chain: Rc::default(),
            requests: Rc::default(),
            request: None,
            chain_at: None,
            tour: None,
            notices: Vec::new(),
            failed: None,
            openings: 0,
            unsaved: false,
            copy: false,
            shared: None,
            editors: Editors::default(),
            update: false,
        }
    }

    /// A text in the language of the page.
    pub fn t(&self, text: T) -> &'static str {
        text.get(self.preferences.language)
    }

    fn leave_lesson(&mut self) {
        self.open = None;
        self.failed = None;
        self.restoring = None;
        self.terminals = vec![1];
        self.started = Vec::new();
        self.terminal = 1;
        self.pane = Pane::default();
        self.clock = Clock { factor: 1.0, ..Clock::default() };
        self.picture = Rc::default();
        self.places = Rc::default();
        self.motion = Motion::default();
        self.copy = false;
        self.shared = None;
        self.view = View::default();
        self.inspected = None;
        self.history = Rc::default();
        self.chain = Rc::default();
        self.chain_at = None;
        self.requests = Rc::default();
        self.request = None;
        self.editors = Editors::default();
        self.tour = None;
    }

    fn hear(&mut self, message: FromWorker) {
        match message {
            FromWorker::Catalogue { courses } => self.courses = Some(courses),
            FromWorker::Opened { course, lesson, restored, other_build } => {
                self.opened(course, *lesson, restored);
                if other_build {
                    self.notice(Notice { text: T::OtherBuild, detail: String::new() });
                }
            }
            FromWorker::Live { terminals } => {
                self.restoring = None;
                if let Some(open) = &mut self.open {
                    open.live = true;
                }
                self.terminals = if terminals.is_empty() { vec![1] } else { terminals.clone() };
                self.started = terminals;
                if !self.terminals.contains(&self.terminal) {
                    self.terminal = self.terminals[0];
                }
            }
            FromWorker::Restoring { done, total } => self.restoring = Some((done, total)),
            FromWorker::Clock { elapsed_ms, paused, factor, lagging, loading } => {
                self.clock = Clock { elapsed_ms, paused, factor, lagging, loading };
            }
            FromWorker::Picture { picture } => {
                let mut places = (*self.places).clone();
                places.update(&picture);
                self.places = Rc::new(places);
                self.picture = Rc::new(*picture);
            }
            FromWorker::Trace { events } => self.motion.take_in(&events),
            FromWorker::Chain { news } => {
                if Rc::make_mut(&mut self.chain).hear(news) {
                    self.chain_at = None;
                }
            }
            FromWorker::Visits { visits } => {
                let history = Rc::make_mut(&mut self.history);
                visits.into_iter().for_each(|visit| history.take_in(visit, &self.picture, &self.places));
            }
            FromWorker::Requests { requests } => Rc::make_mut(&mut self.requests).take_in(requests),
            FromWorker::Log { piece } => self.log(piece),
            FromWorker::Checks { checks } => self.checked(checks),
            FromWorker::Inspection { inspection } => {
                // What comes after the learner turned to something else is not for it.
                if let Some(inspected) = &mut self.inspected
                    && inspection.as_ref().is_none_or(|i| Some(&i.subject) == inspected.subject.as_ref())
                {
                    Rc::make_mut(inspected).object = inspection;
                }
            }
            FromWorker::TerminalClosed { terminal } => self.close_terminal(terminal),
            FromWorker::NotSaved { reason } => {
                if !std::mem::replace(&mut self.unsaved, true) {
                    self.notice(Notice { text: T::NotSaved, detail: reason });
                }
            }
            FromWorker::Saved { .. } => self.unsaved = false,
            FromWorker::Effect { effect } => self.editors.hear(&effect),
            FromWorker::Copy { copy } => self.copy = copy,
            FromWorker::Busy => self.notice(Notice { text: T::TerminalBusy, detail: String::new() }),
            FromWorker::NothingToUndo => self.notice(Notice { text: T::NothingToUndo, detail: String::new() }),
            FromWorker::Refused { reason } => self.failed = Some(reason),
            FromWorker::Problem { message } => self.notice(Notice { text: T::Problem, detail: message }),
            FromWorker::Hello { .. }
            | FromWorker::Output { .. }
            | FromWorker::Alive
            | FromWorker::Exported { .. }
            | FromWorker::Handed { .. } => {}
        }
    }

    fn opened(&mut self, course: String, lesson: Lesson, restored: usize) {
        let key = format!("{course}/{}", lesson.id);
        let steps = lesson.text.get("en").map_or(0, |d| d.steps.len());
        let step = self.preferences.steps.get(&key).copied().unwrap_or(0).min(steps);
        let step = if restored > 0 { step } else { 0 };
        self.openings += 1;
        self.failed = None;
        // What was seen of an earlier session is not of this one.
        self.motion = Motion::default();
        self.history = Rc::default();
        self.chain = Rc::default();
        self.chain_at = None;
        self.requests = Rc::default();
        self.request = None;
        self.inspected = None;
        if self.view == View::Inspector {
            self.view = View::Terminals;
        }
        self.editors = Editors::default();
        let lesson = Rc::new(lesson);
        let opening = self.openings;
        self.open = Some(OpenLesson { course, lesson, step, checks: Vec::new(), live: false, opening });
        self.restoring = Some((0, restored));
    }

    fn checked(&mut self, checks: Vec<CheckState>) {
        let Some(open) = &mut self.open else { return };
        let reached = checks.iter().filter(|c| c.reached).map(|c| c.id.clone());
        self.preferences.reached.entry(open.key()).or_default().extend(reached);
        open.checks = checks;
    }

    fn log(&mut self, piece: LogPiece) {
        let Some(inspected) = &mut self.inspected else { return };
        let log = &mut Rc::make_mut(inspected).log;
        log.text.push_str(&piece.text);
        log.ended |= piece.ended;
        if log.text.len() > LOG_BYTES_MAX {
            let cut = log.text.ceil_char_boundary(log.text.len() - LOG_BYTES_MAX);
            log.text.drain(..cut);
        }
    }

    /// The things on the map that the eye should go to: those that the looked-at step of the chain is about, else those
    /// that the lesson's step points at.
    pub fn focus(&self) -> Vec<Anchor> {
        match (self.view, self.chain_at.and_then(|at| self.chain.steps.get(at))) {
            (View::Chain, Some(step)) => step.anchors.clone(),
            (View::Requests, _) => self.way().to_vec(),
            _ => self.step_blocks().iter().flat_map(|block| focus::anchors(block, &self.picture)).collect(),
        }
    }

    /// The way of the request that is looked at, on the map.
    pub fn way(&self) -> &[Anchor] {
        let looks = self.view == View::Requests;
        self.requests.chosen(self.request).filter(|_| looks).map_or(&[], |request| &request.path)
    }

    /// The blocks of the step that is shown.
    pub fn step_blocks(&self) -> &[Block] {
        let document = self.open.as_ref().and_then(|open| {
            let text = open.lesson.text.get(self.preferences.language.code())?;
            Some((text, open.step))
        });
        match document {
            None => &[],
            Some((text, 0)) => &text.intro,
            Some((text, step)) => text.steps.get(step - 1).map_or(&[], |step| &step.blocks),
        }
    }

    fn notice(&mut self, notice: Notice) {
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
            if self.notices.len() > NOTICES_MAX {
                self.notices.remove(0);
            }
        }
    }

    fn close_terminal(&mut self, id: u8) {
        self.terminals.retain(|t| *t != id);
        self.started.retain(|t| *t != id);
        if self.terminal == id {
            self.terminal = self.terminals.last().copied().unwrap_or(0);
        }
    }
}

impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut next = (*self).clone();
        match action {
            Action::Navigate(route) => {
                if next.route != route {
                    next.leave_lesson();
                    next.route = route;
                }
            }
            Action::Worker(messages) => messages.into_iter().for_each(|message| next.hear(message)),
            Action::Language(language) => next.preferences.language = language,
            Action::Theme(theme) => next.preferences.theme = theme,
            Action::ScreenReader(on) => next.preferences.screen_reader = on,
            Action::Step(step) => {
                if let Some(open) = &mut next.open {
                    open.step = step;
                    next.preferences.steps.insert(open.key(), step);
                }
            }
            Action::Tour(stop) => tour::show(&mut next, stop),
            Action::Answer { quiz, chosen } => {
                if let Some(open) = &next.open {
                    next.preferences.answers.entry(open.key()).or_default().insert(quiz, chosen);
                }
            }
            Action::ShowTerminal(id) => {
                if (1..=TERMINALS_MAX).contains(&id) {
                    if !next.terminals.contains(&id) {
                        next.terminals.push(id);
                        next.terminals.sort_unstable();
                    }
                    next.terminal = id;
                    next.view = View::Terminals;
                }
            }
            Action::Started(id) => {
                if !next.started.contains(&id) {
                    next.started.push(id);
                }
            }
            Action::CloseTerminal(id) => next.close_terminal(id),
            Action::Pane(pane) => next.pane = pane,
            Action::View(view) => {
                next.view = view;
                next.pane = Pane::Terminal;
            }
            Action::ShowRequest(id) => {
                next.request = Some(id);
                next.view = View::Requests;
                next.pane = Pane::Terminal;
            }
            Action::OpenInspector(subject) => {
                next.inspected = Some(Rc::new(Inspected { subject, ..Inspected::default() }));
                next.view = View::Inspector;
                next.pane = Pane::Terminal;
            }
            Action::CloseInspector => {
                next.inspected = None;
                if next.view == View::Inspector {
                    next.view = View::Terminals;
                }
            }
            Action::ForgetLog => {
                if let Some(inspected) = &mut next.inspected {
                    Rc::make_mut(inspected).log = LogPiece::default();
                }
            }
            Action::Ask { url, repeats } => Rc::make_mut(&mut next.history).ask(&url, repeats),
            Action::StopAsking => Rc::make_mut(&mut next.history).stop(),
            Action::ChainAt(at) => next.chain_at = at.filter(|at| *at < next.chain.steps.len()),
            Action::LessonPercent(percent) => next.preferences.lesson_percent = percent.clamp(22.0, 62.0),
            Action::TerminalPercent(percent) => next.preferences.terminal_percent = percent.clamp(18.0, 75.0),
            Action::Arrived(seq) => next.motion.settle(seq),
            Action::Restarting => {
                if let Some(open) = &mut next.open {
                    open.live = false;
                    next.restoring = Some((0, 0));
                }
            }
            Action::Reset => {
                if let Some(open) = &next.open {
                    let key = open.key();
                    next.preferences.reached.remove(&key);
                    next.preferences.steps.remove(&key);
                    next.preferences.answers.remove(&key);
                }
                next.leave_lesson();
            }
            Action::Notice(notice) => next.notice(notice),
            Action::UpdateReady => next.update = true,
            Action::ShowEditor(id) => next.editors.show(id),
            Action::Shared(link) => next.shared = link,
            Action::Dismiss(index) => {
                if index < next.notices.len() {
                    next.notices.remove(index);
                }
            }
            Action::Pace { paused, factor } => {
                next.clock.paused = paused;
                next.clock.factor = factor;
            }
        }
        Rc::new(next)
    }
}
