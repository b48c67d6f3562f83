//! Pipelines and background jobs: each stage is a task of its own, joined by bounded pipes.

use std::collections::BTreeMap;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use machine::{Reader, pipe};
use simulation::Time;
use simulation::notify::Signal;

use super::{Exec, Flow};
use crate::jobs::JobState;
use crate::own_task::OwnTask;
use crate::race::{Either, race};
use crate::shell::Shell;
use crate::streams::Fd;
use crate::syntax::ast::{AndOr, Command, Compound, Item, List, Pipeline};
use crate::vars::Value;

impl Shell {
    pub(super) fn run_pipeline<'a>(&'a mut self, pipeline: &'a Pipeline) -> LocalBoxFuture<'a, Exec> {
        Box::pin(async move {
            let start = self.sim.now();
            self.tested += u32::from(pipeline.negated);
            let result = match pipeline.stages.as_slice() {
                [] => Ok(0),
                [one] => self.run_command(one).await,
                stages => self.run_stages(stages).await,
            };
            self.tested -= u32::from(pipeline.negated);
            if pipeline.timed {
                self.report_time(start).await;
            }
            let code = result?;
            let code = if pipeline.negated { i32::from(code == 0) } else { code };
            self.status = code;
            if self.interrupt.is_raised() {
                return Err(Flow::Interrupt);
            }
            let counts = pipeline.stages.len() > 1 || pipeline.stages.first().is_some_and(|c| leaves_on_failure(c));
            if code != 0 && self.options.errexit && self.tested == 0 && !pipeline.negated && counts {
                return Err(Flow::Exit(code));
            }
            Ok(code)
        })
    }

    /// `time`: virtual time has passed, processors are not modelled on this machine.
    async fn report_time(&self, start: Time) {
        let real = self.sim.now().saturating_since(start);
        let (minutes, seconds) = (real.as_secs() / 60, real.as_secs() % 60);
        let millis = real.subsec_millis();
        self.err(format!("\nreal\t{minutes}m{seconds}.{millis:03}s\nuser\t0m0.000s\nsys\t0m0.000s\n")).await;
    }

    async fn run_stages(&mut self, stages: &[Rc<Command>]) -> Exec {
        let mut tasks = Vec::new();
        let mut input = self.stdin();
        for (i, stage) in stages.iter().enumerate() {
            let mut child = self.fork();
            child.fds.insert(0, Fd::reader(input));
            input = Reader::empty();
            if i + 1 < stages.len() {
                let (reader, writer) = pipe();
                child.fds.insert(1, Fd::writer(writer));
                input = reader;
            }
            let stage = Rc::clone(stage);
            tasks.push(OwnTask::spawn(&self.sim, async move {
                let code = child.run_stage(&stage).await;
                drop(child);
                code
            }));
        }
        drop(input);
        let mut codes = Vec::new();
        for task in tasks {
            codes.push(task.await.unwrap_or(130));
        }
        let statuses: BTreeMap<i64, String> = (0..).zip(codes.iter().map(i32::to_string)).collect();
        self.vars.entry("PIPESTATUS").value = Value::Array(statuses);
        let last = codes.last().copied().unwrap_or(0);
        let failed = codes.iter().rev().find(|c| **c != 0).copied().unwrap_or(0);
        Ok(if self.options.pipefail { failed } else { last })
    }

    async fn run_stage(&mut self, stage: &Rc<Command>) -> i32 {
        match self.run_command(stage).await {
            Ok(code) | Err(Flow::Exit(code) | Flow::Return(code) | Flow::Fail(code)) => code,
            Err(Flow::Break(_) | Flow::Continue(_)) => 0,
            Err(Flow::Interrupt) => 130,
        }
    }

    /// Starts an and-or list in the background.
    pub(super) async fn start_job(&mut self, and_or: &AndOr, text: Rc<str>) -> Exec {
        let process = self.processes.begin(self.pid, text.to_string(), self.tty_name.clone(), self.sim.now());
        let mut child = self.fork();
        child.pid = process.pid;
        child.interrupt = Signal::new(); // Ctrl-C is for the foreground
        child.fds.insert(0, Fd::reader(Reader::empty()));
        let list = List(vec![Item { and_or: and_or.clone(), background: false, text: Rc::clone(&text) }]);
        let state = Rc::new(JobState::default());
        let (pid, kill) = (process.pid, process.kill.clone());
        let number = self.jobs.add(pid, text, Rc::clone(&state), kill.clone());
        self.sim.spawn(async move {
            let code = match race(child.run_fork(&list), kill.wait()).await {
                Either::Left(code) => code,
                Either::Right(signal) => 128 + signal,
            };
            drop(child);
            drop(process);
            state.finish(code);
        });
        self.last_background = Some(pid);
        self.status = 0;
        if self.interactive {
            self.err(format!("[{number}] {pid}\n")).await;
        }
        Ok(0)
    }
}

/// With `set -e` these leave the shell themselves; the others contain commands that already did.
fn leaves_on_failure(command: &Command) -> bool {
    match command {
        Command::Simple(_) => true,
        Command::Compound(compound, _) => {
            matches!(compound, Compound::Subshell(_) | Compound::Cond(_) | Compound::Arith(_))
        }
        Command::Function(..) => false,
    }
}
