//! BuildKit's plain progress (`util/progress/progressui/printer.go`): one vertex after the other.

use std::cell::RefCell;

use machine::Writer;
use simulation::{Sim, Time};

/// Lines of a program that an error repeats.
const LAST_LINES: usize = 10;

/// Where progress is printed.
pub(crate) struct Progress {
    sim: Sim,
    out: Writer,
    now: RefCell<Vertex>,
}

#[derive(Default)]
struct Vertex {
    number: usize,
    name: String,
    started: Time,
    lines: Vec<String>,
}

fn seconds(took: f64) -> String {
    format!("{took:.1}s")
}

impl Progress {
    pub(crate) async fn new(sim: &Sim, out: Writer) -> Progress {
        let progress = Progress { sim: sim.clone(), out, now: RefCell::default() };
        progress.print("#0 building with \"default\" instance using docker driver\n").await;
        progress
    }

    async fn print(&self, text: &str) {
        // A reader that has gone is no reason to stop a build.
        let _ = self.out.print(text).await;
    }

    fn took(&self) -> f64 {
        self.sim.now().saturating_since(self.now.borrow().started).as_secs_f64()
    }

    /// A vertex begins.
    pub(crate) async fn begin(&self, name: &str) {
        let number = self.now.borrow().number + 1;
        *self.now.borrow_mut() = Vertex { number, name: name.to_owned(), started: self.sim.now(), lines: Vec::new() };
        self.print(&format!("\n#{number} {name}\n")).await;
    }

    /// A line below it.
    pub(crate) async fn line(&self, text: &str) {
        let number = self.now.borrow().number;
        self.print(&format!("#{number} {text}\n")).await;
    }

    /// Something that is done, with the time that it took if that is worth telling.
    pub(crate) async fn step(&self, text: &str, since: Time) {
        let took = self.sim.now().saturating_since(since).as_secs_f64();
        let took = if took > 0.01 { format!(" {}", seconds(took)) } else { String::new() };
        self.line(&format!("{text}{took} done")).await;
    }

    /// A line that a program printed.
    pub(crate) async fn output(&self, text: &str) {
        let took = self.took();
        let digits = if took < 10.0 { 3 } else { usize::from(took < 100.0) + 1 };
        let line = format!("{took:.digits$} {text}");
        self.line(&line).await;
        self.now.borrow_mut().lines.push(line);
    }

    pub(crate) async fn done(&self) {
        let took = self.took();
        self.line(&format!("DONE {}", seconds(took))).await;
    }

    pub(crate) async fn cached(&self) {
        self.line("CACHED").await;
    }

    /// The vertex failed: its error, and once more what it was with the last that it printed.
    pub(crate) async fn failed(&self, why: &str) {
        self.line(&format!("ERROR: {why}")).await;
        let text = {
            let now = self.now.borrow();
            let from = now.lines.len().saturating_sub(LAST_LINES);
            let lines: String = now.lines[from..].iter().map(|line| format!("{line}\n")).collect();
            format!("------\n > {}:\n{lines}------\n", now.name)
        };
        self.print(&text).await;
    }

    /// The lines of a Dockerfile around an error (`solver/errdefs/source.go`).
    pub(crate) async fn source(&self, file: &str, text: &str, (first, last): (usize, usize)) {
        let lines: Vec<&str> = text.split('\n').collect();
        let (mut start, mut end) = (first.max(1), last.clamp(1, lines.len()));
        let pad = if start == end { 4 } else { 2 };
        let mut padded = 0;
        while padded < pad {
            if start > 1 {
                start -= 1;
                padded += 1;
            }
            if end != lines.len() {
                end += 1;
                padded += 1;
            }
            padded += 1;
        }
        let mut shown = format!("{file}:{first}\n--------------------\n");
        for number in start..=end {
            let mark = if (first..=last).contains(&number) { ">>>" } else { "   " };
            shown.push_str(&format!(" {number:>3} | {mark} {}\n", lines[number - 1]));
        }
        shown.push_str("--------------------\n");
        self.print(&shown).await;
    }
}
