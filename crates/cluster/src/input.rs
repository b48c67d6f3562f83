//! What goes into a world and what comes out of it.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll};

use machine::{BrokenPipe, WriteEnd};
use serde::{Deserialize, Serialize};
use simulation::Time;

/// Something that the learner does. Together with its time, an entry of the session log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Input {
    /// Opens a terminal.
    OpenTerminal {
        /// Its number, from 1.
        id: u8,
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// Closes a terminal; what runs in it gets a hang-up.
    CloseTerminal {
        /// Its number.
        id: u8,
    },
    /// Keys typed into a terminal.
    Keys {
        /// Its number.
        id: u8,
        /// As a terminal sends them: text and escape sequences.
        text: String,
    },
    /// A terminal changed its size.
    Resize {
        /// Its number.
        id: u8,
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// The person saved the text of an editor window ([`crate::Effect::Edit`]); the window stays open.
    SaveEdit {
        /// Number of the window.
        id: u32,
        /// The whole text.
        text: String,
    },
    /// The person closed an editor window.
    CloseEdit {
        /// Number of the window.
        id: u32,
    },
    /// There is nothing to show an editor window with; what asked for it refuses by name.
    RefuseEdit {
        /// Number of the window.
        id: u32,
    },
    /// Asks for a page with the browser of the learner's machine; ends what it repeated before.
    #[serde(rename_all = "camelCase")]
    Visit {
        /// The address.
        url: String,
        /// Asks again so often, in virtual milliseconds.
        every_ms: Option<u64>,
    },
    /// The browser repeats nothing any more.
    StopVisits,
    /// Looks at the log of a pod in the inspector; ends looking at another.
    FollowLog {
        /// `namespace/name` of the pod.
        pod: String,
        /// The container, empty for the only one.
        container: String,
    },
    /// Looks at no log any more.
    CloseLog,
    /// The learner's machine speaks a language from here on: `LANG` of its shells, of those that are open too. A log
    /// without this is of a machine that speaks English.
    Language {
        /// Which.
        language: Language,
    },
    /// A step of the lesson begins here. The world takes no notice; a replay up to here begins it again.
    Step {
        /// Its number, from 1.
        step: u16,
    },
}

/// A language of the learner's machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Japanese.
    Ja,
    /// English.
    #[default]
    En,
}

impl Language {
    /// The locale of that language, as in the variable `LANG`.
    pub fn locale(self) -> &'static str {
        match self {
            Language::Ja => "ja_JP.UTF-8",
            Language::En => "en_US.UTF-8",
        }
    }
}

/// One line of the session log: a world is its config and these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Virtual time of the input.
    pub at: Time,
    /// The input.
    pub input: Input,
}

/// Where output belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The screen of a terminal.
    Terminal(u8),
    /// Standard output of a script.
    Stdout,
    /// Standard error of a script.
    Stderr,
}

/// A piece of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Where it belongs.
    pub stream: Stream,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Output that nobody has taken yet, in bytes; above this, programs wait as for a slow terminal.
pub const OUTPUT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Collects output until the shell of the world takes it.
#[derive(Clone, Default)]
pub(crate) struct Outbox(Rc<OutboxState>);

#[derive(Default)]
struct OutboxState {
    pieces: RefCell<Vec<Output>>,
    bytes: std::cell::Cell<usize>,
    writable: simulation::notify::Waiters,
}

impl Outbox {
    pub(crate) fn take(&self) -> Vec<Output> {
        self.0.bytes.set(0);
        let pieces = std::mem::take(&mut *self.0.pieces.borrow_mut());
        self.0.writable.wake_all();
        pieces
    }

    pub(crate) fn push(&self, stream: Stream, bytes: &[u8]) {
        self.0.bytes.set(self.0.bytes.get() + bytes.len());
        let mut pieces = self.0.pieces.borrow_mut();
        match pieces.last_mut() {
            Some(last) if last.stream == stream => last.bytes.extend_from_slice(bytes),
            _ => pieces.push(Output { stream, bytes: bytes.to_vec() }),
        }
    }

    /// A writing end for `stream`.
    pub(crate) fn end(&self, stream: Stream) -> OutboxEnd {
        OutboxEnd { outbox: self.clone(), stream }
    }
}

pub(crate) struct OutboxEnd {
    outbox: Outbox,
    stream: Stream,
}

impl WriteEnd for OutboxEnd {
    fn poll_write(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<Result<usize, BrokenPipe>> {
        let room = OUTPUT_BYTES_MAX.saturating_sub(self.outbox.0.bytes.get());
        if room == 0 {
            self.outbox.0.writable.register(cx);
            return Poll::Pending;
        }
        let take = room.min(bytes.len());
        self.outbox.push(self.stream, &bytes[..take]);
        Poll::Ready(Ok(take))
    }

    fn is_tty(&self) -> bool {
        matches!(self.stream, Stream::Terminal(_))
    }
}
