//! What the page and the worker say to each other, as JSON text. One enum a direction.
//!
//! Their enums, and those in them, have serde's plain form, `{"variant": ...}`. One with a tag would have to be kept in
//! between until its tag is known, which takes time and a tenth of the page's code.
//!
//! Invariant: the page knows the cluster only from these messages; the worker knows the page only from them.

use cluster::{Effect, Input, Language, LogPiece, Visit};
use lesson::{CourseOutline, Lesson, Text};
use serde::{Deserialize, Serialize};
use simulation::TraceEvent;

use crate::chain::News;
use crate::picture::Picture;
use crate::requests::Request;
use crate::saved::SavedSession;

/// Raised when a message changes its meaning. A page and a worker of different builds must not talk.
pub const PROTOCOL: u32 = 5;

/// From the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
    /// Types a command of the lesson into a terminal.
    Run {
        /// Which.
        terminal: u8,
        /// What.
        command: String,
        /// Columns and rows, when its screen has only just come: it is opened first.
        size: Option<(u16, u16)>,
    },
    /// The page speaks a language: so does the learner's machine, in this session and those that are opened later.
    Language {
        /// Which.
        language: Language,
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
    Inspect {
        /// Which.
        subject: Subject,
    },
    /// The inspector was closed.
    InspectNothing,
    /// Takes the last command back: the session is played again up to it.
    Undo,
    /// Asks for the session, to save it as a file or to make a link of it.
    #[serde(rename_all = "camelCase")]
    Export {
        /// What for.
        purpose: Purpose,
    },
    /// Hands over a session from a file or a link. It is played when its lesson is opened next.
    Hand {
        /// The session.
        session: Box<SavedSession>,
    },
    /// Forgets the session that was handed over.
    DropHanded,
    /// Goes on here with the session that another tab has, as it was saved last.
    TakeOver,
    /// The learner is at a step of the lesson. The session remembers where it was first reached.
    StepBegins {
        /// Its number, from 1.
        step: u16,
    },
    /// Takes the session back to where a step was first reached.
    StepAgain {
        /// Its number, from 1.
        step: u16,
    },
    /// Is the worker alive? Answered with [`FromWorker::Alive`].
    Ping,
}

/// From the worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FromWorker {
    /// The worker is there.
    Hello {
        /// Its [`PROTOCOL`].
        protocol: u32,
    },
    /// The courses.
    Catalogue {
        /// In the order of the catalogue.
        courses: Vec<CourseOutline>,
    },
    /// A lesson is open.
    Opened {
        /// Folder of its course.
        course: String,
        /// The lesson.
        lesson: Box<Lesson>,
        /// Inputs that are played again to restore it; 0 for a new session.
        restored: usize,
        /// They were recorded by another build.
        #[serde(default, rename = "otherBuild")]
        other_build: bool,
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
    /// What the last command set in motion.
    Chain {
        /// What is new of it.
        news: News,
    },
    /// How the checks of the lesson stand.
    Checks {
        /// In the order of checks.yaml.
        checks: Vec<CheckState>,
    },
    /// The object in the inspector.
    Inspection {
        /// None when it does not exist (any more).
        inspection: Option<Box<Inspection>>,
    },
    /// What the browser's visits gave.
    Visits {
        /// In order.
        visits: Vec<Visit>,
    },
    /// Requests on the network that began or changed since the last message.
    Requests {
        /// Oldest first.
        requests: Vec<Request>,
    },
    /// More of the log that the inspector looks at.
    Log {
        /// What came.
        piece: LogPiece,
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
    /// A program asks for a window: an editor, the browser, the inspector.
    Effect {
        /// Which.
        effect: Effect,
    },
    /// The command that was typed for the learner has to wait: another runs in that terminal.
    Busy,
    /// There is no command to take back.
    NothingToUndo,
    /// The session that was asked for.
    Exported {
        /// What for.
        purpose: Purpose,
        /// The session.
        session: Box<SavedSession>,
    },
    /// A session was handed over and can be opened.
    Handed {
        /// Folder of its course.
        course: String,
        /// Folder of its lesson.
        lesson: String,
        /// The learner has a session of this lesson, which it takes the place of.
        replaces: bool,
    },
    /// Whether this is a copy, which is not saved: another tab has the session.
    Copy {
        /// It is one.
        copy: bool,
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

/// What a session is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Purpose {
    /// To save it as a file.
    File,
    /// To make a link of it.
    Link,
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// Which one.
    pub subject: Subject,
    /// The facts that matter for its kind, as (label, value), labels as kubectl prints them.
    pub facts: Vec<(String, String)>,
    /// As `kubectl get -o yaml` prints it.
    pub yaml: String,
    /// Its events, oldest first.
    pub events: Vec<EventLine>,
    /// What owns it, nearest first.
    pub owners: Vec<Subject>,
    /// What it owns or serves.
    pub owned: Vec<Subject>,
    /// Containers whose logs can be read.
    pub containers: Vec<String>,
    /// The scheduler's last word about it, if it is a pod.
    pub decision: Option<Decision>,
}

/// Names an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// `apiVersion`.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// Why the scheduler chose a node, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Decision {
    /// The chosen node.
    pub node: Option<String>,
    /// Why there is none, as the event says it.
    pub message: Option<String>,
    /// The node on which others have to make room for it.
    pub nominated: Option<String>,
    /// What was said about each node; of very many, about the best.
    pub nodes: Vec<NodeVerdict>,
    /// How many more were looked at.
    pub nodes_left_out: usize,
}

/// What the scheduler's plugins said about a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeVerdict {
    /// The node.
    pub name: String,
    /// Filters up to the first refusal.
    pub filters: Vec<FilterVerdict>,
    /// Scores, if it passed.
    pub scores: Vec<ScoreVerdict>,
    /// Their weighted sum.
    pub total: Option<i64>,
    /// Who would have to go, where that would help.
    pub preemption: Option<PreemptionVerdict>,
}

/// Less important pods without which a pod would fit on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PreemptionVerdict {
    /// `namespace/name`, the most important first.
    pub victims: Vec<String>,
    /// How many of them a PodDisruptionBudget speaks for.
    pub violations: usize,
}

/// A filter's word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FilterVerdict {
    /// The plugin.
    pub plugin: String,
    /// The node may have the pod.
    pub passed: bool,
    /// Why not.
    pub reasons: Vec<String>,
}

/// A score.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoreVerdict {
    /// The plugin.
    pub plugin: String,
    /// 0 to 100.
    pub score: i64,
    /// How much it counts.
    pub weight: i64,
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
