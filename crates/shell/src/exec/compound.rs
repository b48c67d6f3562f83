//! Compound commands and functions.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use super::{CALL_DEPTH_MAX, CALLS_PER_TASK, Exec, Flow};
use crate::expand::pattern;
use crate::own_task::OwnTask;
use crate::shell::Shell;
use crate::syntax::ast::{CaseArm, CaseEnd, Command, Compound, List, Word};
use crate::text::quote;

/// Virtual time that one turn of a loop takes. A loop that only waits for something must let time pass, or it would
/// wait for ever in a world whose clock moves from event to event.
const LOOP_TURN: Duration = Duration::from_micros(100);

/// What a loop does after its body.
enum Turn {
    Next,
    Leave,
}

impl Shell {
    pub(crate) fn run_command<'a>(&'a mut self, command: &'a Rc<Command>) -> LocalBoxFuture<'a, Exec> {
        Box::pin(async move {
            match &**command {
                Command::Simple(simple) => self.run_simple(simple).await,
                Command::Function(name, body) => {
                    self.functions.insert(name.clone(), Rc::clone(body));
                    self.status = 0;
                    Ok(0)
                }
                Command::Compound(compound, redirects) if redirects.is_empty() => self.run_compound(compound).await,
                Command::Compound(compound, redirects) => {
                    let saved = self.fds.clone();
                    let result = match self.redirect(redirects).await {
                        Ok(()) => self.run_compound(compound).await,
                        Err(flow) => flow,
                    };
                    self.fds = saved;
                    if let Ok(code) = result {
                        self.status = code;
                    }
                    result
                }
            }
        })
    }

    async fn run_compound(&mut self, compound: &Compound) -> Exec {
        let code = match compound {
            Compound::Brace(list) => self.run_list(list).await?,
            Compound::Subshell(list) => {
                let mut child = self.fork();
                let list = list.clone();
                let task = OwnTask::spawn(&self.sim, async move { child.run_fork(&list).await });
                let code = task.await.unwrap_or(130);
                if self.interrupt.is_raised() {
                    return Err(Flow::Interrupt);
                }
                code
            }
            Compound::If { branches, otherwise } => self.run_if(branches, otherwise.as_ref()).await?,
            Compound::For { name, words, body } => self.run_for(name, words.as_deref(), body).await?,
            Compound::ArithFor { parts, body } => self.run_arith_for(parts, body).await?,
            Compound::While { until, test, body } => self.run_while(*until, test, body).await?,
            Compound::Case { word, arms } => self.run_case(word, arms).await?,
            Compound::Cond(cond) => self.cond(cond).await?,
            Compound::Arith(word) => {
                let text = self.expand_text(word).await?;
                if self.options.xtrace {
                    self.trace_line(&format!("(( {text} ))")).await;
                }
                match crate::expand::arith::evaluate(&text, self) {
                    Ok(value) => i32::from(value == 0),
                    Err(message) => {
                        self.complain(&format!("((: {message}")).await;
                        1
                    }
                }
            }
        };
        self.status = code;
        Ok(code)
    }

    /// Runs a condition: its failure is not an error.
    async fn test_list(&mut self, list: &List) -> Exec {
        self.tested += 1;
        let result = self.run_list(list).await;
        self.tested -= 1;
        result
    }

    async fn run_if(&mut self, branches: &[(List, List)], otherwise: Option<&List>) -> Exec {
        for (test, body) in branches {
            if self.test_list(test).await? == 0 {
                return self.run_list(body).await;
            }
        }
        match otherwise {
            Some(body) => self.run_list(body).await,
            None => Ok(0),
        }
    }

    /// The end of a turn: `break`, `continue`, Ctrl-C, and time passes.
    async fn turn(&mut self, result: Exec, code: &mut i32) -> Result<Turn, Flow> {
        match result {
            Ok(value) => *code = value,
            Err(Flow::Break(n)) => {
                *code = 0;
                return if n > 1 { Err(Flow::Break(n - 1)) } else { Ok(Turn::Leave) };
            }
            Err(Flow::Continue(n)) => {
                *code = 0;
                if n > 1 {
                    return Err(Flow::Continue(n - 1));
                }
            }
            Err(flow) => return Err(flow),
        }
        self.sim.sleep(LOOP_TURN).await;
        if self.interrupt.is_raised() {
            return Err(Flow::Interrupt);
        }
        Ok(Turn::Next)
    }

    async fn run_body(&mut self, body: &List) -> Exec {
        self.loop_depth += 1;
        let result = self.run_list(body).await;
        self.loop_depth -= 1;
        result
    }

    async fn run_for(&mut self, name: &str, words: Option<&[Word]>, body: &List) -> Exec {
        let values = match words {
            Some(words) => self.expand_words(words).await?,
            None => self.positional.clone(),
        };
        let mut code = 0;
        let shown = values.iter().map(|v| quote(v)).collect::<Vec<_>>().join(" ");
        for value in values {
            if self.options.xtrace {
                self.trace_line(&format!("for {name} in {shown}")).await;
            }
            if let Err(message) = self.assign(name, value) {
                self.complain(&message).await;
                return Err(Flow::Fail(1));
            }
            let result = self.run_body(body).await;
            if let Turn::Leave = self.turn(result, &mut code).await? {
                break;
            }
        }
        Ok(code)
    }

    async fn run_arith_for(&mut self, parts: &[Word; 3], body: &List) -> Exec {
        let [init, test, step] = parts;
        let mut code = 0;
        self.expand_arith(init).await?;
        loop {
            let text = self.expand_text(test).await?;
            if !text.trim().is_empty() && self.arith(&text).await? == 0 {
                return Ok(code);
            }
            let result = self.run_body(body).await;
            if let Turn::Leave = self.turn(result, &mut code).await? {
                return Ok(code);
            }
            self.expand_arith(step).await?;
        }
    }

    async fn run_while(&mut self, until: bool, test: &List, body: &List) -> Exec {
        let mut code = 0;
        loop {
            self.loop_depth += 1;
            let tested = self.test_list(test).await;
            self.loop_depth -= 1;
            let go_on = match tested {
                Ok(value) => (value == 0) != until,
                other => {
                    if let Turn::Leave = self.turn(other, &mut code).await? {
                        return Ok(code);
                    }
                    continue;
                }
            };
            if !go_on {
                return Ok(code);
            }
            let result = self.run_body(body).await;
            if let Turn::Leave = self.turn(result, &mut code).await? {
                return Ok(code);
            }
        }
    }

    async fn run_case(&mut self, word: &Word, arms: &[CaseArm]) -> Exec {
        let text = self.expand_text(word).await?;
        if self.options.xtrace {
            self.trace_line(&format!("case {} in", quote(&text))).await;
        }
        let mut code = 0;
        let mut falling = false;
        for arm in arms {
            let mut matched = falling;
            for pat in &arm.patterns {
                if matched {
                    break;
                }
                let pat = self.expand_pattern(pat).await?;
                matched = pattern::matches(&pat, &text);
            }
            if !matched {
                continue;
            }
            code = if arm.body.0.is_empty() { 0 } else { self.run_list(&arm.body).await? };
            match arm.end {
                CaseEnd::Break => return Ok(code),
                CaseEnd::FallThrough => falling = true,
                CaseEnd::Continue => falling = false,
            }
        }
        Ok(code)
    }

    /// Calls a function with arguments.
    pub(crate) async fn call_function(&mut self, name: &str, body: &Rc<Command>, args: Vec<String>) -> Exec {
        if self.call_depth >= CALL_DEPTH_MAX {
            self.complain(&format!("{name}: maximum function nesting level exceeded ({CALL_DEPTH_MAX})")).await;
            return Err(Flow::Fail(1));
        }
        let outer = std::mem::replace(&mut self.positional, args);
        let loops = std::mem::take(&mut self.loop_depth);
        self.function_names.push(name.to_owned());
        self.call_depth += 1;
        self.vars.push_frame();
        let result = if self.call_depth.is_multiple_of(CALLS_PER_TASK) {
            let body = Rc::clone(body);
            self.in_own_task(|shell| Box::pin(async move { shell.run_command(&body).await })).await
        } else {
            self.run_command(body).await
        };
        self.vars.pop_frame();
        self.call_depth -= 1;
        self.function_names.pop();
        self.loop_depth = loops;
        self.positional = outer;
        match result {
            Err(Flow::Return(code)) => Ok(code),
            other => other,
        }
    }

    /// A line of `set -x`.
    pub(crate) async fn trace_line(&self, text: &str) {
        let ps4 = self.vars.scalar("PS4").unwrap_or("+ ").to_owned();
        let first = ps4.chars().next().unwrap_or('+').to_string();
        let prefix = first.repeat(self.subshell_depth.min(3) as usize);
        self.err(format!("{prefix}{ps4}{text}\n")).await;
    }
}
