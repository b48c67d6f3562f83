//! What the page and the worker say to each other, as JSON text. One enum a direction.
//!
//! Invariant: the page knows the cluster only from these messages; the worker knows the page only from them.

use cluster::Input;
use lesson::{Lesson, Text};
use serde::{Deserialize, Serialize};
use simulation::TraceEvent;

use crate::picture::Picture;

/// Raised when a message changes its meaning. A page and a worker of different builds must not talk.
pub const PROTOCOL: u32 = 1;

/// From the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ToWorker {
    /// Asks for the courses.
    Catalogue,
    /// Opens a lesson, where it was left or anew.
    #[serde(rename_all = "camelCase")]
    Open {
        /// Folder of the course.
        course: String,
        /// Folder of the lesson.
        lesson: String,
        /// Forget what was saved.
        fresh: bool,
        /// Seed for a new session.
        seed: u64,
        /// Wall-clock time for a new session, in milliseconds since 1970.
        now_unix_ms: i64,
    },
    /// The learner did something.
    Input {
        /// What.
        input: Input,
    },
    /// Stops or changes the speed of virtual time.
    Pace {
        /// Time stands still.
        paused: bool,
        /// Virtual seconds a second.
        factor: f64,
    },
    /// Runs the next event (while paused).
    StepEvent,
    /// Shows an object in the inspector and keeps it up to date.
    #[serde(rename_all = "camelCase")]
    Inspect {
        /// `apiVersion`.
        api_version: String,
        /// Kind.
        kind: String,
        /// Namespace, empty for cluster-scoped objects.
        namespace: String,
        /// Name.
        name: String,
    },
    /// The inspector was closed.
    InspectNothing,
    /// Is the worker alive? Answered with [`FromWorker::Alive`].
    Ping,
}

/// From the worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum FromWorker {
    /// The worker is there.
    Hello {
        /// Its [`PROTOCOL`].
        protocol: u32,
    },
    /// The courses.
    Catalogue {
        /// In the order of the catalogue.
        courses: Vec<CourseCard>,
    },
    /// A lesson is open.
    Opened {
        /// Folder of its course.
        course: String,
        /// The lesson.
        lesson: Box<Lesson>,
        /// Inputs that are played again to restore it; 0 for a new session.
        restored: usize,
    },
    /// The session takes inputs from now on.
    Live {
        /// The terminals that are open, by number.
        terminals: Vec<u8>,
    },
    /// A saved session is being played again.
    Restoring {
        /// Inputs played.
        done: usize,
        /// Inputs in all.
        total: usize,
    },
    /// Output for a terminal's screen.
    Output {
        /// Its number.
        terminal: u8,
        /// The text, with escape sequences.
        text: String,
    },
    /// A terminal has ended (`exit`).
    TerminalClosed {
        /// Its number.
        terminal: u8,
    },
    /// The clock.
    #[serde(rename_all = "camelCase")]
    Clock {
        /// Virtual time since the session began, in milliseconds.
        elapsed_ms: u64,
        /// Time stands still.
        paused: bool,
        /// Virtual seconds a second.
        factor: f64,
        /// The tab cannot keep up: virtual time is slower than asked for.
        lagging: bool,
        /// Waiting for a file of the site (an image layer).
        loading: bool,
    },
    /// What the map shows.
    Picture {
        /// The whole of it.
        picture: Box<Picture>,
    },
    /// What happened since the last message.
    Trace {
        /// In order.
        events: Vec<TraceEvent>,
    },
    /// How the checks of the lesson stand.
    Checks {
        /// In the order of checks.yaml.
        checks: Vec<CheckState>,
    },
    /// The object in the inspector.
    Inspection {
        /// None when it does not exist (any more).
        inspection: Option<Inspection>,
    },
    /// The session was saved up to here.
    Saved {
        /// Inputs in the log.
        entries: usize,
    },
    /// The session goes on but is not saved.
    NotSaved {
        /// Why, in the browser's words.
        reason: String,
    },
    /// A lesson cannot be opened.
    Refused {
        /// Why, in English, for a person.
        reason: String,
    },
    /// Something cannot be shown; the session goes on.
    Problem {
        /// What and why, in English, for a person.
        message: String,
    },
    /// Answer to [`ToWorker::Ping`].
    Alive,
}

/// A course in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseCard {
    /// Folder.
    pub id: String,
    /// Title.
    pub title: Text,
    /// One or two sentences.
    pub summary: Text,
    /// Its lessons.
    pub lessons: Vec<LessonCard>,
}

/// A lesson in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LessonCard {
    /// Folder.
    pub id: String,
    /// Title.
    pub title: Text,
    /// One or two sentences.
    pub summary: Text,
    /// About how long it takes.
    pub minutes: u32,
    /// Ids of its checks.
    pub checks: Vec<String>,
}

/// How a check stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckState {
    /// Its id.
    pub id: String,
    /// What it says.
    pub text: Text,
    /// Reached.
    pub reached: bool,
    /// What is missing, while it is not reached.
    pub hint: Option<Text>,
}

/// An object as the inspector shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// Kind.
    pub kind: String,
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// As `kubectl get -o yaml` prints it.
    pub yaml: String,
    /// Its events, oldest first.
    pub events: Vec<EventLine>,
}

/// One event about an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLine {
    /// `Normal` or `Warning`.
    pub level: String,
    /// Reason.
    pub reason: String,
    /// How long ago it was last seen, as kubectl prints ages.
    pub age: String,
    /// How often it was seen.
    pub count: i64,
    /// Who reports it.
    pub from: String,
    /// What happened.
    pub message: String,
}
