//! Terminals: a line discipline between a person's keys and a program (`man 4 termios`, the parts that shells use).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Context;

use bytes::Bytes;
use simulation::notify::Waiters;
use vfs::Errno;

use super::{PipeWriter, signals};
use crate::limits::TERMINAL_INPUT_BYTES_MAX;

/// Takes what a program prints. Never blocks.
pub trait Sink {
    /// Takes all of `bytes`.
    fn write(&self, bytes: &[u8]);
}

/// Where a terminal's output goes.
pub enum Output {
    /// To someone who reads at leisure: the program waits when it is full.
    Pipe(PipeWriter),
    /// To something that always takes it.
    Sink(Rc<dyn Sink>),
}

type OnSignal = Rc<dyn Fn(u32)>;

/// A terminal. Without further settings it is cooked: lines, echo, Ctrl-C.
pub struct Tty {
    line: RefCell<Vec<u8>>,
    ready: RefCell<VecDeque<u8>>,
    /// Ctrl-D on an empty line: the next read gives the end, once.
    end_of_file: Cell<bool>,
    hung_up: Cell<bool>,
    raw: Cell<bool>,
    size: Cell<(u16, u16)>,
    output: Output,
    waiters: Waiters,
    on_signal: RefCell<Option<OnSignal>>,
}

/// Columns and rows until someone says otherwise.
const DEFAULT_SIZE: (u16, u16) = (80, 24);
const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const CTRL_U: u8 = 21;
const CTRL_W: u8 = 23;
const CTRL_BACKSLASH: u8 = 28;
const DELETE: u8 = 127;
const BACKSPACE: u8 = 8;

impl Tty {
    /// A terminal whose output goes to `output`.
    pub fn new(output: Output) -> Rc<Tty> {
        Rc::new(Tty {
            line: RefCell::default(),
            ready: RefCell::default(),
            end_of_file: Cell::new(false),
            hung_up: Cell::new(false),
            raw: Cell::new(false),
            size: Cell::new(DEFAULT_SIZE),
            output,
            waiters: Waiters::default(),
            on_signal: RefCell::default(),
        })
    }

    /// Who is told of Ctrl-C and of a change of size.
    pub(crate) fn set_on_signal(&self, f: OnSignal) {
        *self.on_signal.borrow_mut() = Some(f);
    }

    fn signal(&self, number: u32) {
        let f = self.on_signal.borrow().clone();
        if let Some(f) = f {
            f(number);
        }
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        self.size.get()
    }

    /// The window has another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        if self.size.replace((columns, rows)) != (columns, rows) {
            self.signal(signals::WINCH);
        }
    }

    /// Raw: bytes as they come, without echo and signals. The output keeps turning `\n` into `\r\n`.
    pub fn set_raw(&self, raw: bool) {
        self.raw.set(raw);
        if raw {
            let line = std::mem::take(&mut *self.line.borrow_mut());
            self.ready.borrow_mut().extend(line);
            self.waiters.wake_all();
        }
    }

    /// Bytes that a person typed.
    pub fn input(&self, bytes: &[u8]) {
        for byte in bytes {
            if self.raw.get() { self.accept(&[*byte]) } else { self.cook(*byte) }
        }
        self.waiters.wake_all();
    }

    fn accept(&self, bytes: &[u8]) {
        let mut ready = self.ready.borrow_mut();
        let room = TERMINAL_INPUT_BYTES_MAX.saturating_sub(ready.len());
        ready.extend(&bytes[..bytes.len().min(room)]);
    }

    fn cook(&self, byte: u8) {
        match byte {
            CTRL_C | CTRL_BACKSLASH => {
                self.line.borrow_mut().clear();
                self.echo(if byte == CTRL_C { b"^C" } else { b"^\\" });
                self.signal(if byte == CTRL_C { signals::INT } else { signals::QUIT });
            }
            CTRL_D => {
                let line = std::mem::take(&mut *self.line.borrow_mut());
                if line.is_empty() { self.end_of_file.set(true) } else { self.accept(&line) }
            }
            b'\r' | b'\n' => {
                let mut line = std::mem::take(&mut *self.line.borrow_mut());
                line.push(b'\n');
                self.echo(b"\n");
                self.accept(&line);
            }
            DELETE | BACKSPACE => self.erase(1),
            CTRL_U => self.erase(usize::MAX),
            CTRL_W => {
                let count = {
                    let line = self.line.borrow();
                    let end = line.iter().rposition(|b| *b != b' ').map_or(0, |at| at + 1);
                    let start = line[..end].iter().rposition(|b| *b == b' ').map_or(0, |at| at + 1);
                    String::from_utf8_lossy(&line[start..]).chars().count()
                };
                self.erase(count);
            }
            _ => {
                if self.line.borrow().len() < TERMINAL_INPUT_BYTES_MAX {
                    self.line.borrow_mut().push(byte);
                    self.echo(&[byte]);
                }
            }
        }
    }

    /// Removes up to `count` characters from the end of the line.
    fn erase(&self, count: usize) {
        for _ in 0..count {
            let removed = {
                let mut line = self.line.borrow_mut();
                // The continuation bytes of a UTF-8 character go with its first byte.
                while line.last().is_some_and(|b| b & 0xc0 == 0x80) {
                    line.pop();
                }
                line.pop().is_some()
            };
            if !removed {
                return;
            }
            self.echo(b"\x08 \x08");
        }
    }

    /// What does not fit on a full terminal is not echoed.
    fn echo(&self, bytes: &[u8]) {
        let _ = self.try_write(bytes);
    }

    /// The person is gone: programs read the end and get SIGHUP.
    pub fn hang_up(&self) {
        if !self.hung_up.replace(true) {
            self.signal(signals::HUP);
            self.waiters.wake_all();
        }
    }

    /// The session is over: whoever reads the output sees its end.
    pub(crate) fn close(&self) {
        self.hang_up();
        if let Output::Pipe(pipe) = &self.output {
            pipe.close();
        }
    }

    /// What a program reads. None = would block; empty = the end.
    pub fn try_read(&self, max: usize) -> Option<Bytes> {
        let mut ready = self.ready.borrow_mut();
        if ready.is_empty() {
            return (self.end_of_file.take() || self.hung_up.get() || max == 0).then(Bytes::new);
        }
        let mut count = ready.len().min(max);
        if !self.raw.get()
            && let Some(end) = ready.iter().take(count).position(|b| *b == b'\n')
        {
            count = end + 1; // a line at a time
        }
        Some(ready.drain(..count).collect())
    }

    /// What a program prints. None = would block.
    pub fn try_write(&self, bytes: &[u8]) -> Option<Result<usize, Errno>> {
        let room = match &self.output {
            Output::Pipe(pipe) if pipe.is_broken() => return Some(Err(Errno::Io)),
            Output::Pipe(pipe) => pipe.room(),
            Output::Sink(_) => usize::MAX,
        };
        let mut cooked = Vec::with_capacity(bytes.len());
        let mut taken = 0;
        for byte in bytes {
            let width = if *byte == b'\n' { 2 } else { 1 };
            if cooked.len() + width > room {
                break;
            }
            if *byte == b'\n' {
                cooked.push(b'\r');
            }
            cooked.push(*byte);
            taken += 1;
        }
        if taken == 0 && !bytes.is_empty() {
            return None;
        }
        match &self.output {
            Output::Pipe(pipe) => {
                let _ = pipe.try_write(&cooked); // there was room for all of it
            }
            Output::Sink(sink) => sink.write(&cooked),
        }
        Some(Ok(taken))
    }

    pub(crate) fn is_readable(&self) -> bool {
        self.end_of_file.get() || self.hung_up.get() || !self.ready.borrow().is_empty()
    }

    pub(crate) fn is_writable(&self) -> bool {
        match &self.output {
            Output::Pipe(pipe) => pipe.is_broken() || pipe.room() > 1,
            Output::Sink(_) => true,
        }
    }

    pub(crate) fn register(&self, cx: &Context<'_>) {
        self.waiters.register(cx);
        if let Output::Pipe(pipe) = &self.output {
            pipe.register(cx);
        }
    }
}
