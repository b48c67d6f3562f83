//! The windows beside the terminals: what programs ask for goes out as [`Effect`]s, what the person does comes back as
//! inputs, which are logged like keys. So a replay has the same answers at the same moments.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::task::Poll;

use api::http::{Transport, TransportError};
use futures_util::future::LocalBoxFuture;
use machine::{Desktop, EditEvent, EditFile, EditWindow, Host, Show};
use serde::{Deserialize, Serialize};
use simulation::notify::Waiters;
use simulation::{Sim, TraceKind};

/// Effects that nobody has taken yet; the oldest give way.
const EFFECTS_MAX: usize = 100;
/// Longest text that an editor window takes, in bytes: as much as an object of the API may have.
pub const EDIT_BYTES_MAX: usize = 1_500_000;

/// What the page should show. Nothing of it is part of the session: it follows from the inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// Opens an editor window. Answered by `SaveEdit`, `CloseEdit` and `RefuseEdit`.
    #[serde(rename_all = "camelCase")]
    Edit {
        /// Number of the window.
        id: u32,
        /// The terminal whose program waits for it.
        terminal: u8,
        /// The file.
        path: String,
        /// Its text.
        text: String,
        /// It cannot be saved.
        read_only: bool,
    },
    /// Closes an editor window: the program that had opened it has ended.
    EditEnded {
        /// Number of the window.
        id: u32,
    },
    /// Opens a URL, as reached from the learner's machine, in the browser pane.
    Browse {
        /// The terminal that it was asked for in.
        terminal: u8,
        /// The URL.
        url: String,
    },
    /// Opens the inspector on the whole cluster.
    Dashboard {
        /// The terminal that it was asked for in.
        terminal: u8,
    },
}

struct State {
    sim: Sim,
    last_id: Cell<u32>,
    effects: RefCell<VecDeque<Effect>>,
    open: RefCell<BTreeMap<u32, Rc<Window>>>,
}

/// All windows of a world.
#[derive(Clone)]
pub(crate) struct Windows(Rc<State>);

#[derive(Default)]
struct Window {
    events: RefCell<VecDeque<EditEvent>>,
    waiters: Waiters,
}

impl Windows {
    pub(crate) fn new(sim: &Sim) -> Windows {
        Windows(Rc::new(State {
            sim: sim.clone(),
            last_id: Cell::new(0),
            effects: RefCell::default(),
            open: RefCell::default(),
        }))
    }

    /// The host of a terminal's programs: `host`, with windows.
    pub(crate) fn beside(&self, terminal: u8, host: Rc<dyn Host>) -> Rc<dyn Host> {
        Rc::new(Seated { host, desktop: Rc::new(Seat { windows: self.clone(), terminal }) })
    }

    pub(crate) fn take(&self) -> Vec<Effect> {
        self.0.effects.borrow_mut().drain(..).collect()
    }

    /// The person did something in a window. A window that has gone takes no notice.
    pub(crate) fn happened(&self, id: u32, event: EditEvent) {
        if let EditEvent::Saved(new) = &event {
            if new.len() > EDIT_BYTES_MAX {
                self.0.sim.trace(TraceKind::Limit { limit: "EDIT_BYTES_MAX".into(), what: "editor window".into() });
                return;
            }
            // Who opens the window later (after a replay) sees what was saved.
            for effect in &mut *self.0.effects.borrow_mut() {
                if let Effect::Edit { id: of, text, .. } = effect
                    && *of == id
                {
                    text.clone_from(new);
                }
            }
        }
        let window = self.0.open.borrow().get(&id).cloned();
        if let Some(window) = window {
            window.events.borrow_mut().push_back(event);
            window.waiters.wake_all();
        }
    }

    fn push(&self, effect: Effect) {
        let mut effects = self.0.effects.borrow_mut();
        if effects.len() >= EFFECTS_MAX {
            effects.pop_front();
            self.0.sim.trace(TraceKind::Limit { limit: "EFFECTS_MAX".into(), what: "windows".into() });
        }
        effects.push_back(effect);
    }

    /// A window's program has ended.
    fn ended(&self, id: u32) {
        self.0.open.borrow_mut().remove(&id);
        let mut effects = self.0.effects.borrow_mut();
        let untaken = effects.iter().position(|e| matches!(e, Effect::Edit { id: of, .. } if *of == id));
        match untaken {
            Some(at) => drop(effects.remove(at)),
            None => {
                drop(effects);
                self.push(Effect::EditEnded { id });
            }
        }
    }
}

/// A terminal's place.
struct Seat {
    windows: Windows,
    terminal: u8,
}

impl Desktop for Seat {
    fn edit(&self, file: EditFile) -> Box<dyn EditWindow> {
        let state = &self.windows.0;
        let id = state.last_id.get() + 1;
        state.last_id.set(id);
        let window = Rc::new(Window::default());
        state.open.borrow_mut().insert(id, Rc::clone(&window));
        let EditFile { path, text, read_only } = file;
        self.windows.push(Effect::Edit { id, terminal: self.terminal, path, text, read_only });
        Box::new(Open { windows: self.windows.clone(), id, window })
    }

    fn show(&self, what: Show) {
        let terminal = self.terminal;
        self.windows.push(match what {
            Show::Url(url) => Effect::Browse { terminal, url },
            Show::Dashboard => Effect::Dashboard { terminal },
        });
    }
}

/// A window that a program holds.
struct Open {
    windows: Windows,
    id: u32,
    window: Rc<Window>,
}

impl EditWindow for Open {
    fn next(&mut self) -> LocalBoxFuture<'_, EditEvent> {
        Box::pin(std::future::poll_fn(|cx| match self.window.events.borrow_mut().pop_front() {
            Some(event) => Poll::Ready(event),
            None => {
                self.window.waiters.register(cx);
                Poll::Pending
            }
        }))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.windows.ended(self.id);
    }
}

/// A host with a desktop.
struct Seated {
    host: Rc<dyn Host>,
    desktop: Rc<Seat>,
}

impl Host for Seated {
    fn api(&self, server: &str) -> Result<Rc<dyn Transport>, TransportError> {
        self.host.api(server)
    }

    fn desktop(&self) -> Option<Rc<dyn Desktop>> {
        Some(Rc::clone(&self.desktop) as Rc<dyn Desktop>)
    }
}
