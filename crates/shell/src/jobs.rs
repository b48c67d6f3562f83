//! Background jobs of one shell.

use std::cell::Cell;
use std::rc::Rc;
use std::task::Poll;

use simulation::notify::Waiters;

use crate::process::Kill;

/// How a job stands.
#[derive(Default)]
pub struct JobState {
    code: Cell<Option<i32>>,
    waiters: Waiters,
}

impl JobState {
    /// The exit code, if it has ended.
    pub fn code(&self) -> Option<i32> {
        self.code.get()
    }

    /// Says that it has ended.
    pub fn finish(&self, code: i32) {
        self.code.set(Some(code));
        self.waiters.wake_all();
    }

    /// Waits for the end.
    pub async fn wait(&self) -> i32 {
        std::future::poll_fn(|cx| match self.code.get() {
            Some(code) => Poll::Ready(code),
            None => {
                self.waiters.register(cx);
                Poll::Pending
            }
        })
        .await
    }
}

/// A background job.
#[derive(Clone)]
pub struct Job {
    /// `%1`.
    pub number: u32,
    /// Process number.
    pub pid: u32,
    /// The command.
    pub text: Rc<str>,
    /// How it stands.
    pub state: Rc<JobState>,
    /// Ends it.
    pub kill: Kill,
}

impl Job {
    /// As `jobs` words its state.
    pub fn describe(&self) -> String {
        match self.state.code() {
            None => "Running".into(),
            Some(0) => "Done".into(),
            Some(129) => "Hangup".into(),
            Some(130) => "Interrupt".into(),
            Some(137) => "Killed".into(),
            Some(143) => "Terminated".into(),
            Some(code) => format!("Exit {code}"),
        }
    }
}

/// The jobs of a shell, oldest first.
#[derive(Clone, Default)]
pub struct Jobs(pub Vec<Job>);

impl Jobs {
    /// Adds a job and gives its number.
    pub fn add(&mut self, pid: u32, text: Rc<str>, state: Rc<JobState>, kill: Kill) -> u32 {
        let number = self.0.iter().map(|j| j.number).max().unwrap_or(0) + 1;
        self.0.push(Job { number, pid, text, state, kill });
        number
    }

    /// `+` for the current job, `-` for the one before.
    pub fn mark(&self, number: u32) -> char {
        let mut newest = self.0.iter().rev().map(|j| j.number);
        if newest.next() == Some(number) {
            '+'
        } else if newest.next() == Some(number) {
            '-'
        } else {
            ' '
        }
    }

    /// A line of `jobs`.
    pub fn line(&self, job: &Job) -> String {
        let ampersand = if job.state.code().is_none() { " &" } else { "" };
        format!("[{}]{}  {:<23} {}{ampersand}\n", job.number, self.mark(job.number), job.describe(), job.text)
    }

    /// `%1`, `%+`, `%-`, `%name`, or a process number.
    pub fn find(&self, spec: &str) -> Option<&Job> {
        let Some(rest) = spec.strip_prefix('%') else {
            let pid = spec.parse::<u32>().ok()?;
            return self.0.iter().find(|j| j.pid == pid);
        };
        match rest {
            "" | "+" | "%" => self.0.last(),
            "-" => self.0.iter().rev().nth(1).or(self.0.last()),
            _ => match rest.parse::<u32>() {
                Ok(number) => self.0.iter().find(|j| j.number == number),
                Err(_) => self.0.iter().rev().find(|j| match rest.strip_prefix('?') {
                    Some(part) => j.text.contains(part),
                    None => j.text.starts_with(rest),
                }),
            },
        }
    }

    /// Lines for the jobs that have ended, which are then forgotten.
    pub fn take_finished(&mut self) -> Vec<String> {
        let lines = self.0.iter().filter(|j| j.state.code().is_some()).map(|j| self.line(j)).collect();
        self.0.retain(|j| j.state.code().is_none());
        lines
    }
}
