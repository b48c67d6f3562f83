//! BuildKit's plain progress (`util/progress/progressui/printer.go`): one vertex after the other.

use std::cell::RefCell;
use std::collections::VecDeque;

use machine::Writer;
use simulation::{Sim, Time};

/// Lines of a program that an error repeats.
const LAST_LINES: usize = 10;

/// Bytes of a program's output that one step shows (`util/progress/logs`); what comes after is dropped.
const OUTPUT_BYTES_MAX: usize = 2 << 20;

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
    /// The last lines of its program.
    lines: VecDeque<String>,
    /// Bytes that the program printed.
    bytes: usize,
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
        *self.now.borrow_mut() = Vertex { number, name: name.to_owned(), started: self.sim.now(), ..Vertex::default() };
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
        let before = {
            let mut now = self.now.borrow_mut();
            let before = now.bytes;
            now.bytes = before.saturating_add(text.len() + 1);
            before
        };
        if before > OUTPUT_BYTES_MAX {
            return;
        }
        let text = if before + text.len() >= OUTPUT_BYTES_MAX {
            self.now.borrow_mut().bytes = usize::MAX;
            "[output clipped, log limit 2MiB reached]"
        } else {
            text
        };
        let line = format!("{took:.digits$} {text}");
        self.line(&line).await;
        let lines = &mut self.now.borrow_mut().lines;
        if lines.len() == LAST_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
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
            let lines: String = now.lines.iter().map(|line| format!("{line}\n")).collect();
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

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use simulation::{SimConfig, Step, StepLimits};

    use super::*;

    #[test]
    fn a_program_that_prints_without_end_is_clipped_and_its_last_lines_repeated() {
        let sim = Sim::new(SimConfig { seed: 1, start: Time::from_unix_seconds(0) });
        let out = Rc::new(RefCell::new(Vec::new()));
        let (writer, world) = (Writer::into_buffer(Rc::clone(&out)), sim.clone());
        sim.spawn(async move {
            let progress = Progress::new(&world, writer).await;
            progress.begin("RUN few").await;
            for number in 0..12 {
                progress.output(&number.to_string()).await;
            }
            progress.failed("few").await;
            progress.begin("RUN yes").await;
            for _ in 0..40 {
                progress.output(&"y".repeat(100_000)).await;
            }
            progress.failed("many").await;
        });
        while !matches!(sim.step(sim.now(), StepLimits::default()), Step::Idle { .. }) {}
        let text = String::from_utf8_lossy(&out.borrow()).into_owned();
        let (few, many) = text.split_once("\n#2 ").expect("two steps");
        let repeated = few.split_once("------\n").expect("a summary").1;
        assert_eq!(repeated.lines().count(), LAST_LINES + 2, "{repeated}");
        assert!(repeated.contains("0.000 2\n") && repeated.ends_with("0.000 11\n------\n"), "{repeated}");
        assert!(many.len() < 2 * OUTPUT_BYTES_MAX);
        let clipped = "[output clipped, log limit 2MiB reached]\n";
        assert_eq!(many.matches(clipped).count(), 2, "when it happens, and in the summary");
        assert!(many.ends_with(&format!("{clipped}------\n")));
    }
}
