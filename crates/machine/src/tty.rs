//! A terminal's state that programs can see and change.

use std::cell::Cell;
use std::rc::Rc;
use std::task::{Context, Poll};

use simulation::notify::Waiters;

/// Size in character cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TtySize {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

struct State {
    size: Cell<TtySize>,
    raw: Cell<bool>,
    resized: Waiters,
}

/// The controlling terminal of a program. The terminal itself (keys, line discipline, screen) belongs to the shell.
#[derive(Clone)]
pub struct Tty(Rc<State>);

impl Tty {
    /// A terminal in cooked mode.
    pub fn new(size: TtySize) -> Tty {
        Tty(Rc::new(State { size: Cell::new(size), raw: Cell::new(false), resized: Waiters::default() }))
    }

    /// The present size.
    pub fn size(&self) -> TtySize {
        self.0.size.get()
    }

    /// Changes the size and tells who waits for it.
    pub fn resize(&self, size: TtySize) {
        if self.0.size.replace(size) != size {
            self.0.resized.wake_all();
        }
    }

    /// Whether keys reach the program as they are: no echo, no lines, no Ctrl-C.
    pub fn is_raw(&self) -> bool {
        self.0.raw.get()
    }

    /// Switches raw mode. A program that switches it on switches it off before it ends; the shell does so too.
    pub fn set_raw(&self, raw: bool) {
        self.0.raw.set(raw);
    }

    /// Completes with the new size when it is no longer `known`.
    pub async fn resized(&self, known: TtySize) -> TtySize {
        std::future::poll_fn(|cx: &mut Context<'_>| {
            let size = self.size();
            if size != known {
                return Poll::Ready(size);
            }
            self.0.resized.register(cx);
            Poll::Pending
        })
        .await
    }
}
