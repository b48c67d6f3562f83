//! The terminal as its programs see it: streams, line discipline, and the queues between them and the screen.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use machine::{BrokenPipe, ReadEnd, Reader, Tty, WriteEnd, Writer};
use simulation::notify::{Signal, Waiters};
use simulation::{Sim, TraceKind};

use crate::text::char_width;

/// Keys that are kept until someone reads them; more are dropped with a bell.
pub const TYPEAHEAD_BYTES_MAX: usize = 64 * 1024;
/// Output that waits for the screen; above this, programs wait.
pub const SCREEN_BYTES_MAX: usize = 64 * 1024;

/// Who gets the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Editing,
    Foreground,
}

pub(super) struct Device {
    pub(super) tty: Tty,
    sim: Sim,
    mode: Cell<Mode>,
    /// Keys for the editor.
    typed: RefCell<VecDeque<u8>>,
    /// The line being typed to a program.
    line: RefCell<Vec<u8>>,
    /// Finished lines (or raw keys) for programs.
    ready: RefCell<VecDeque<u8>>,
    /// Ctrl-D on an empty line: the next read sees the end.
    end_of_input: Cell<bool>,
    readable: Waiters,
    interrupt: RefCell<Signal>,
    output: RefCell<VecDeque<u8>>,
    output_waits: Waiters,
    output_room: Waiters,
    /// Variables for the shell that it has not taken yet: the last value of each.
    exports: RefCell<BTreeMap<String, String>>,
    ended: Cell<bool>,
}

impl Device {
    pub(super) fn new(sim: Sim, tty: Tty) -> Device {
        Device {
            tty,
            sim,
            mode: Cell::new(Mode::Editing),
            typed: RefCell::default(),
            line: RefCell::default(),
            ready: RefCell::default(),
            end_of_input: Cell::new(false),
            readable: Waiters::default(),
            interrupt: RefCell::default(),
            output: RefCell::default(),
            output_waits: Waiters::default(),
            output_room: Waiters::default(),
            exports: RefCell::default(),
            ended: Cell::new(false),
        }
    }

    // --- life ---

    pub(super) fn end(&self) {
        self.ended.set(true);
        self.readable.wake_all();
        self.output_waits.wake_all();
        self.output_room.wake_all();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.get() && self.output.borrow().is_empty()
    }

    pub(super) fn is_editing(&self) -> bool {
        self.mode.get() == Mode::Editing
    }

    /// Whether someone waits for keys: the editor, or a program that reads.
    pub(super) fn waits_for_keys(&self) -> bool {
        self.is_editing() || !self.readable.is_empty()
    }

    pub(super) fn columns(&self) -> usize {
        usize::from(self.tty.size().cols).max(1)
    }

    // --- variables ---

    pub(super) fn export(&self, name: &str, value: &str) {
        self.exports.borrow_mut().insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn take_exports(&self) -> BTreeMap<String, String> {
        std::mem::take(&mut *self.exports.borrow_mut())
    }

    // --- the screen ---

    /// Shows bytes at once: echo and the editor, which are never many.
    pub(super) fn show(&self, text: &str) {
        self.output.borrow_mut().extend(text.as_bytes());
        self.output_waits.wake_all();
    }

    /// Carries output to the screen until the end.
    pub(super) async fn pump(self: Rc<Self>, screen: Writer) {
        loop {
            let chunk = std::future::poll_fn(|cx| {
                let mut output = self.output.borrow_mut();
                if output.is_empty() {
                    if self.ended.get() {
                        return Poll::Ready(None);
                    }
                    self.output_waits.register(cx);
                    return Poll::Pending;
                }
                Poll::Ready(Some(output.drain(..).collect::<Vec<u8>>()))
            })
            .await;
            let Some(chunk) = chunk else { return };
            self.output_room.wake_all();
            if screen.write_all(&chunk).await.is_err() {
                self.end();
                return;
            }
        }
    }

    /// The stream that programs write to.
    pub(super) fn writer(self: &Rc<Self>) -> Writer {
        Writer::new(Screen(Rc::clone(self)))
    }

    /// The stream that programs read from.
    pub(super) fn reader(self: &Rc<Self>) -> Reader {
        Reader::new(Keyboard(Rc::clone(self)))
    }

    // --- keys ---

    pub(super) fn keys(&self, bytes: &[u8]) {
        let kept = self.typed.borrow().len() + self.ready.borrow().len() + self.line.borrow().len();
        if kept + bytes.len() > TYPEAHEAD_BYTES_MAX {
            self.show("\x07");
            self.sim.trace(TraceKind::Limit { limit: "TYPEAHEAD_BYTES_MAX".into(), what: "terminal".into() });
            return;
        }
        match self.mode.get() {
            Mode::Editing => self.typed.borrow_mut().extend(bytes),
            Mode::Foreground if self.tty.is_raw() => self.ready.borrow_mut().extend(bytes),
            Mode::Foreground => bytes.iter().for_each(|b| self.cooked(*b)),
        }
        self.readable.wake_all();
    }

    /// One key through the line discipline.
    fn cooked(&self, byte: u8) {
        match byte {
            0x03 => {
                self.line.borrow_mut().clear();
                self.ready.borrow_mut().clear();
                self.show("^C");
                let interrupt = self.interrupt.borrow().clone();
                interrupt.raise();
            }
            0x04 => {
                let line = std::mem::take(&mut *self.line.borrow_mut());
                if line.is_empty() {
                    self.end_of_input.set(true);
                } else {
                    self.ready.borrow_mut().extend(line);
                }
            }
            b'\r' | b'\n' => {
                let line = std::mem::take(&mut *self.line.borrow_mut());
                self.show("\r\n");
                let mut ready = self.ready.borrow_mut();
                ready.extend(line);
                ready.push_back(b'\n');
            }
            0x1a => self.show(concat!("^Z\r\n", simulation::stub!("shell", "stopping jobs with Ctrl-Z"), "\r\n")),
            0x7f | 0x08 => self.erase(1),
            0x15 => self.erase(usize::MAX),
            0x17 => {
                let line = String::from_utf8_lossy(&self.line.borrow()).into_owned();
                let kept = line.trim_end().rfind(' ').map_or(0, |i| i + 1);
                self.erase(line[kept..].chars().count());
            }
            _ => {
                self.line.borrow_mut().push(byte);
                match byte {
                    b'\t' => self.show("\t"),
                    0..=0x1f => self.show(&format!("^{}", char::from(byte + 0x40))),
                    _ => {
                        self.output.borrow_mut().push_back(byte);
                        self.output_waits.wake_all();
                    }
                }
            }
        }
    }

    fn erase(&self, count: usize) {
        let mut line = self.line.borrow_mut();
        let text = String::from_utf8_lossy(&line).into_owned();
        let mut chars: Vec<char> = text.chars().collect();
        let mut columns = 0;
        for _ in 0..count {
            match chars.pop() {
                Some(c) if c.is_control() => columns += 2,
                Some(c) => columns += char_width(c),
                None => break,
            }
        }
        *line = chars.into_iter().collect::<String>().into_bytes();
        drop(line);
        self.show(&"\x08 \x08".repeat(columns));
    }

    /// A command begins: keys go to it; the signal is raised by Ctrl-C.
    pub(super) fn begin_foreground(&self) -> Signal {
        let signal = Signal::new();
        *self.interrupt.borrow_mut() = signal.clone();
        self.mode.set(Mode::Foreground);
        self.end_of_input.set(false);
        signal
    }

    /// What was typed before the command began belongs to it, if it reads at all.
    fn take_typed_ahead(&self) {
        let typed: Vec<u8> = self.typed.borrow_mut().drain(..).collect();
        if self.tty.is_raw() {
            self.ready.borrow_mut().extend(typed);
        } else {
            typed.into_iter().for_each(|b| self.cooked(b));
        }
    }

    /// The command has ended: what it did not read is for the editor.
    pub(super) fn end_foreground(&self) {
        self.tty.set_raw(false);
        self.mode.set(Mode::Editing);
        let mut typed = self.typed.borrow_mut();
        let ready: Vec<u8> = self.ready.borrow_mut().drain(..).collect();
        let line = std::mem::take(&mut *self.line.borrow_mut());
        let later: Vec<u8> = typed.drain(..).collect();
        typed.extend(ready);
        typed.extend(line);
        typed.extend(later);
    }

    /// The next key for the editor; none when the terminal was closed.
    pub(super) async fn key(&self) -> Option<crate::editor::Key> {
        std::future::poll_fn(|cx| {
            if self.ended.get() {
                return Poll::Ready(None);
            }
            let mut typed = self.typed.borrow_mut();
            match crate::editor::next_key(typed.make_contiguous()) {
                Some((key, used)) => {
                    typed.drain(..used);
                    Poll::Ready(Some(key))
                }
                None => {
                    self.readable.register(cx);
                    Poll::Pending
                }
            }
        })
        .await
    }
}

struct Screen(Rc<Device>);

impl WriteEnd for Screen {
    fn poll_write(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<Result<usize, BrokenPipe>> {
        let device = &self.0;
        if device.ended.get() {
            return Poll::Ready(Err(BrokenPipe));
        }
        let mut output = device.output.borrow_mut();
        let room = SCREEN_BYTES_MAX.saturating_sub(output.len());
        if room == 0 {
            device.output_room.register(cx);
            return Poll::Pending;
        }
        let take = room.min(bytes.len());
        for byte in &bytes[..take] {
            if *byte == b'\n' && !device.tty.is_raw() {
                output.push_back(b'\r');
            }
            output.push_back(*byte);
        }
        drop(output);
        device.output_waits.wake_all();
        Poll::Ready(Ok(take))
    }

    fn is_tty(&self) -> bool {
        true
    }
}

struct Keyboard(Rc<Device>);

impl ReadEnd for Keyboard {
    fn poll_read(&self, cx: &Context<'_>, max: usize) -> Poll<Bytes> {
        let device = &self.0;
        if device.ready.borrow().is_empty() {
            device.take_typed_ahead();
        }
        let mut ready = device.ready.borrow_mut();
        if ready.is_empty() {
            if device.ended.get() || device.end_of_input.take() {
                return Poll::Ready(Bytes::new());
            }
            device.readable.register(cx);
            return Poll::Pending;
        }
        // One line at most, as a cooked terminal gives them.
        let line = if device.tty.is_raw() {
            ready.len()
        } else {
            ready.iter().position(|b| *b == b'\n').map_or(ready.len(), |i| i + 1)
        };
        let take = max.min(line);
        Poll::Ready(ready.drain(..take).collect::<Vec<u8>>().into())
    }

    fn is_tty(&self) -> bool {
        true
    }
}
