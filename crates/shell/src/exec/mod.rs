//! Running: lists, and-or lists, texts. Compound and simple commands are in their own files.

mod compound;
mod cond;
mod pipeline;
mod program;
mod redirect;
mod simple;

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;

pub(crate) use program::{Target, script_shell};

use crate::shell::{Place, Shell};
use crate::syntax::ast::{AndOr, List};
use crate::syntax::{Parser, SyntaxError};

/// Why a command did not simply give its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// `break n`.
    Break(u32),
    /// `continue n`.
    Continue(u32),
    /// `return n`.
    Return(i32),
    /// `exit n`, `set -e`, a broken pipe.
    Exit(i32),
    /// The rest of the line is given up: bad substitutions and the like.
    Fail(i32),
    /// Ctrl-C.
    Interrupt,
}

/// An exit code, or a reason to leave the surrounding commands.
pub type Exec = Result<i32, Flow>;

/// Functions, subshells and sourced files inside each other.
pub(crate) const CALL_DEPTH_MAX: u32 = 100;
/// Of so many nested calls one continues in a task of its own, see [`crate::own_task`].
pub(crate) const CALLS_PER_TASK: u32 = 4;

impl Shell {
    /// Runs a script to its end; the value is the exit code of the shell.
    pub async fn run_script(&mut self, text: &str) -> i32 {
        let flow = self.run_text(text).await;
        let code = match flow {
            Ok(code) | Err(Flow::Exit(code) | Flow::Return(code) | Flow::Fail(code)) => code,
            Err(Flow::Break(_) | Flow::Continue(_)) => 0,
            Err(Flow::Interrupt) => 130,
        };
        self.run_exit_trap(code).await
    }

    /// Runs the trap for EXIT, if there is one; gives the exit code of the shell.
    pub(crate) async fn run_exit_trap(&mut self, code: i32) -> i32 {
        let Some(action) = self.traps.remove("EXIT") else { return code };
        self.status = code;
        match Box::pin(self.run_text(&action)).await {
            Err(Flow::Exit(code)) => code,
            _ => code,
        }
    }

    /// Parses and runs a text, one complete command after another.
    pub(crate) async fn run_text(&mut self, text: &str) -> Exec {
        let aliases = self.aliases.clone();
        let with_aliases = self.interactive || self.options.expand_aliases;
        let mut parser = Parser::new(text, with_aliases.then_some(&aliases), false);
        loop {
            let parsed = parser.next_command();
            for (line, warning) in std::mem::take(&mut parser.warnings) {
                self.line = line;
                self.complain(&warning).await;
            }
            let list = match parsed {
                Ok(Some(list)) => list,
                Ok(None) => return Ok(self.status),
                Err(error) => return self.syntax_error(&error, &parser).await,
            };
            if self.options.noexec {
                continue;
            }
            match self.run_recorded(&list).await {
                Ok(_) => {}
                Err(Flow::Fail(code)) if self.subshell_depth == 0 => {
                    self.status = code;
                    if self.options.errexit {
                        return Err(Flow::Exit(code));
                    }
                }
                Err(flow) => return Err(flow),
            }
        }
    }

    /// Runs a list and tells the trace what came of it, if this shell does that.
    async fn run_recorded(&mut self, list: &List) -> Exec {
        let Some(recorder) = self.record.take() else { return self.run_list(list).await };
        recorder.begin();
        let result = self.run_list(list).await;
        let code = match &result {
            Ok(code) | Err(Flow::Exit(code) | Flow::Return(code) | Flow::Fail(code)) => *code,
            Err(Flow::Break(_) | Flow::Continue(_)) => 0,
            Err(Flow::Interrupt) => 130,
        };
        recorder.end(&self.sim, code);
        self.record = Some(recorder);
        result
    }

    /// Says what is wrong with a text, in bash's words.
    pub(crate) async fn syntax_error(&mut self, error: &SyntaxError, parser: &Parser<'_>) -> Exec {
        self.status = 2;
        let (line, message) = error.describe(parser.last_line());
        let prefix = match &self.place {
            Place::Prompt => "bash: ".to_owned(),
            Place::Script { name, origin } => format!("{name}: {origin}line {line}: "),
        };
        let mut text = format!("{prefix}{message}\n");
        if self.place != Place::Prompt && matches!(error, SyntaxError::Unexpected(..)) {
            text.push_str(&format!("{prefix}`{}'\n", parser.line_text(line)));
        }
        self.err(text).await;
        Err(Flow::Fail(2))
    }

    /// Runs a list in a fork that has been made already: the exit code of that fork.
    pub(crate) async fn run_fork(&mut self, list: &List) -> i32 {
        if self.subshell_depth > CALL_DEPTH_MAX {
            self.complain(&format!("more than {CALL_DEPTH_MAX} subshells inside each other")).await;
            return 1;
        }
        let code = match self.run_list(list).await {
            Ok(code) | Err(Flow::Exit(code) | Flow::Return(code) | Flow::Fail(code)) => code,
            Err(Flow::Break(_) | Flow::Continue(_)) => 0,
            Err(Flow::Interrupt) => 130,
        };
        self.run_exit_trap(code).await
    }

    /// Runs a list.
    pub(crate) fn run_list<'a>(&'a mut self, list: &'a List) -> LocalBoxFuture<'a, Exec> {
        Box::pin(async move {
            for item in &list.0 {
                if self.interrupt.is_raised() {
                    return Err(Flow::Interrupt);
                }
                if item.background {
                    self.start_job(&item.and_or, Rc::clone(&item.text)).await?;
                } else {
                    self.run_and_or(&item.and_or).await?;
                }
            }
            Ok(self.status)
        })
    }

    pub(crate) async fn run_and_or(&mut self, and_or: &AndOr) -> Exec {
        let last = and_or.rest.len();
        self.tested += u32::from(last > 0);
        let first = self.run_pipeline(&and_or.first).await;
        self.tested -= u32::from(last > 0);
        let mut code = first?;
        for (i, (and, pipeline)) in and_or.rest.iter().enumerate() {
            if *and != (code == 0) {
                continue;
            }
            let inner = i + 1 < last;
            self.tested += u32::from(inner);
            let result = self.run_pipeline(pipeline).await;
            self.tested -= u32::from(inner);
            code = result?;
        }
        Ok(code)
    }
}
