//! What runs on the learner's machine: numbers, names and the way to end it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Poll;

use simulation::Time;
use simulation::notify::Waiters;

/// The first process number that is given out.
const FIRST_PID: u32 = 1001;

/// Signals that can be sent, as `kill -l` numbers them.
pub const SIGNALS: &[(&str, i32)] =
    &[("HUP", 1), ("INT", 2), ("QUIT", 3), ("KILL", 9), ("USR1", 10), ("USR2", 12), ("PIPE", 13), ("TERM", 15)];

/// The number of a signal by name (with or without `SIG`) or number.
pub fn signal_number(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse::<i32>() {
        return (0..=64).contains(&number).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    SIGNALS.iter().find(|(n, _)| *n == name).map(|(_, number)| *number)
}

/// A way to end a process.
#[derive(Clone, Default)]
pub struct Kill(Rc<(Cell<Option<i32>>, Waiters)>);

impl Kill {
    /// Sends a signal; the first one counts.
    pub fn send(&self, signal: i32) {
        if self.0.0.get().is_none() {
            self.0.0.set(Some(signal));
            self.0.1.wake_all();
        }
    }

    /// Completes with the signal.
    pub async fn wait(&self) -> i32 {
        std::future::poll_fn(|cx| match self.0.0.get() {
            Some(signal) => Poll::Ready(signal),
            None => {
                self.0.1.register(cx);
                Poll::Pending
            }
        })
        .await
    }
}

/// A running process.
#[derive(Clone)]
pub struct Process {
    /// Who started it.
    pub parent: u32,
    /// The command line.
    pub command: String,
    /// Its terminal, e.g. `pts/0`; `?` without one.
    pub tty: String,
    /// When it started.
    pub started: Time,
    /// Ends it.
    pub kill: Kill,
}

#[derive(Default)]
struct Table {
    next: u32,
    running: BTreeMap<u32, Process>,
}

/// The machine's processes, shared by its terminals.
#[derive(Clone, Default)]
pub struct Processes(Rc<RefCell<Table>>);

/// A process in the table; it leaves the table when this is dropped.
pub struct Running {
    /// Its number.
    pub pid: u32,
    /// Ends it.
    pub kill: Kill,
    table: Processes,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.table.0.borrow_mut().running.remove(&self.pid);
    }
}

impl Processes {
    /// Enters a process.
    pub fn begin(&self, parent: u32, command: String, tty: String, started: Time) -> Running {
        let mut table = self.0.borrow_mut();
        let pid = table.next.max(FIRST_PID);
        table.next = pid + 1;
        let kill = Kill::default();
        table.running.insert(pid, Process { parent, command, tty, started, kill: kill.clone() });
        Running { pid, kill, table: self.clone() }
    }

    /// The process of that number.
    pub fn get(&self, pid: u32) -> Option<Process> {
        self.0.borrow().running.get(&pid).cloned()
    }

    /// All of them in order of number.
    pub fn list(&self) -> Vec<(u32, Process)> {
        self.0.borrow().running.iter().map(|(pid, p)| (*pid, p.clone())).collect()
    }
}
