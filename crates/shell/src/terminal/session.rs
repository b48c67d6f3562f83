//! The life of an interactive shell: prompt, line, command, and again.

use std::rc::Rc;

use machine::{Ctx, Tty};
use simulation::TraceKind;

use super::device::Device;
use super::prompt::{DEFAULT_PS1, DEFAULT_PS2, expand};
use crate::Processes;
use crate::editor::complete::{Completion, LIST_ASKS_ABOVE, complete};
use crate::editor::{Action, Editor, Key, Screen};
use crate::exec::Flow;
use crate::hints::{hints, misspelt};
use crate::race::{Either, race};
use crate::shell::{Place, Shell};
use crate::syntax::{Parser, SyntaxError};
use crate::vars::Value;
use crate::words::Language;

const PASTE_ON: &str = "\x1b[?2004h";
const PASTE_OFF: &str = "\x1b[?2004l";
/// The first file that an interactive shell reads.
const RC_FILE: &str = ".bashrc";
/// Exit status of a line whose command was not found.
const NOT_FOUND: i32 = 127;

/// What came of asking for a line.
enum Line {
    Text(String),
    Interrupted,
    End,
    HungUp,
}

struct Session {
    device: Rc<Device>,
    shell: Shell,
    editor: Editor,
    screen: Screen,
    /// The shell ended by itself: its jobs go on.
    left: bool,
}

/// Runs a shell until it ends.
pub(super) async fn run(device: Rc<Device>, ctx: Ctx, tty: Tty) {
    let ctx = Ctx { stdin: device.reader(), stdout: device.writer(), stderr: device.writer(), tty: Some(tty), ..ctx };
    let mut shell = Shell::recorded(ctx, Processes::default());
    shell.interactive = true;
    shell.place = Place::Prompt;
    shell.tty_name = "pts/0".into();
    for (name, value) in [("PS1", DEFAULT_PS1), ("PS2", DEFAULT_PS2)] {
        if shell.vars.scalar(name).is_none() {
            shell.vars.entry(name).value = Value::Scalar(value.into());
        }
    }
    let mut session = Session {
        device: Rc::clone(&device),
        shell,
        editor: Editor::default(),
        screen: Screen::default(),
        left: false,
    };
    session.run().await;
    device.end();
}

/// Whether the text is the beginning of a command.
pub(super) fn needs_more(text: &str, shell: &Shell) -> bool {
    let body = text.trim_end_matches('\n');
    if (body.len() - body.trim_end_matches('\\').len()) % 2 == 1 {
        return true;
    }
    let mut parser = Parser::new(text, Some(&shell.aliases), true);
    loop {
        match parser.next_command() {
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(error) => return matches!(error, SyntaxError::Incomplete(_)),
        }
    }
}

impl Drop for Session {
    /// The terminal was closed under the shell: its jobs are told, as by SIGHUP.
    fn drop(&mut self) {
        if !self.left {
            self.shell.jobs.0.iter().for_each(|job| job.kill.send(1));
        }
    }
}

impl Session {
    async fn run(&mut self) {
        self.read_rc().await;
        loop {
            self.report_jobs();
            let text = match self.command().await {
                Line::Text(text) => text,
                Line::Interrupted => {
                    self.shell.status = 130;
                    continue;
                }
                Line::End => {
                    self.device.show("exit\r\n");
                    break;
                }
                Line::HungUp => return,
            };
            if text.trim().is_empty() {
                continue;
            }
            let Some(text) = self.recall(text) else { continue };
            self.take_exports();
            self.shell.history.borrow_mut().push(&text);
            self.shell.sim.trace(TraceKind::Learner { what: text.trim_end().to_owned() });
            if self.execute(&text).await {
                break;
            }
            self.take_exports();
            self.hint(&text);
        }
        let code = self.shell.status;
        self.shell.run_exit_trap(code).await;
        self.left = true;
    }

    /// Variables that were set from outside the shell.
    fn take_exports(&mut self) {
        for (name, value) in self.device.take_exports() {
            // One that the learner made read-only stays as it is.
            if self.shell.vars.set(&name, value).is_ok() {
                self.shell.vars.entry(&name).exported = true;
            }
        }
    }

    /// Helps after a line that failed because of how it was typed.
    fn hint(&self, text: &str) {
        let status = self.shell.status;
        if status >= 128 {
            return; // ended by a signal, not by what was typed
        }
        let language = Language::of(|name| self.shell.vars.scalar(name));
        let mut said = hints(text, status == 0, language, |name| self.shell.find_program(name).is_some());
        if status == NOT_FOUND && said.is_empty() {
            said.extend(misspelt(text, language, self.shell.base.programs.names()));
        }
        for line in said {
            self.device.show(&format!("{}\r\n", line.replace('\n', "\r\n")));
        }
    }

    async fn read_rc(&mut self) {
        let home = self.shell.vars.scalar("HOME").unwrap_or("/").to_owned();
        let Ok(text) = self.shell.fs.read_to_string(&format!("{home}/{RC_FILE}")) else { return };
        self.execute(&text).await;
        self.shell.status = 0;
    }

    /// Runs a command line in the foreground; true when the shell is to end.
    async fn execute(&mut self, text: &str) -> bool {
        let interrupt = self.device.begin_foreground();
        self.shell.interrupt = interrupt.clone();
        let result = self.shell.run_text(text).await;
        self.device.end_foreground();
        self.shell.loop_depth = 0;
        self.shell.tested = 0;
        match result {
            Ok(_) => {}
            Err(Flow::Exit(code)) => {
                self.shell.status = code;
                return true;
            }
            Err(Flow::Fail(code) | Flow::Return(code)) => self.shell.status = code,
            Err(Flow::Break(_) | Flow::Continue(_)) => self.shell.status = 0,
            Err(Flow::Interrupt) => {
                if self.shell.status == 0 {
                    self.shell.status = 130;
                }
                self.device.show("\r\n");
            }
        }
        false
    }

    fn report_jobs(&mut self) {
        for line in self.shell.jobs.take_finished() {
            self.device.show(&line.replace('\n', "\r\n"));
        }
    }

    /// A whole command: more lines are asked for while it is unfinished.
    async fn command(&mut self) -> Line {
        let mut text = String::new();
        loop {
            let (name, default) = if text.is_empty() { ("PS1", DEFAULT_PS1) } else { ("PS2", DEFAULT_PS2) };
            let prompt = self.shell.vars.scalar(name).unwrap_or(default).to_owned();
            let prompt = expand(&self.shell, &prompt);
            match self.line(&prompt).await {
                Line::Text(line) => {
                    text.push_str(&line);
                    text.push('\n');
                    if text.trim().is_empty() || !needs_more(&text, &self.shell) {
                        return Line::Text(text);
                    }
                }
                Line::End if !text.is_empty() => {
                    self.device.show("\r\n");
                    return Line::Text(text); // the parser says what is missing
                }
                other => return other,
            }
        }
    }

    fn draw(&mut self, prompt: &str) {
        let prompt = self.editor.prompt(prompt);
        let buffer = &self.editor.buffer;
        let bytes = self.screen.draw(&prompt, &buffer.text(), &buffer.before(), self.device.columns());
        self.device.show(&bytes);
    }

    fn leave(&mut self) {
        let bytes = self.screen.leave(self.device.columns());
        self.device.show(&bytes);
        self.device.show(PASTE_OFF);
    }

    async fn line(&mut self, prompt: &str) -> Line {
        self.editor.reset();
        self.screen.forget();
        self.device.show(PASTE_ON);
        self.draw(prompt);
        loop {
            let size = self.device.tty.size();
            let key = match race(self.device.key(), self.device.tty.resized(size)).await {
                Either::Left(Some(key)) => key,
                Either::Left(None) => return Line::HungUp,
                Either::Right(_) => {
                    self.draw(prompt);
                    continue;
                }
            };
            let history = Rc::clone(&self.shell.history);
            let action = self.editor.key(key, &history.borrow());
            match action {
                Action::Draw => self.draw(prompt),
                Action::Nothing => {}
                Action::Bell => {
                    self.draw(prompt);
                    self.device.show("\x07");
                }
                Action::Clear => {
                    self.screen.forget();
                    self.device.show("\x1b[H\x1b[2J");
                    self.draw(prompt);
                }
                Action::Complete(again) => self.complete(prompt, again).await,
                Action::Accept => {
                    self.draw(prompt);
                    self.leave();
                    return Line::Text(self.editor.buffer.text());
                }
                Action::Interrupt => {
                    self.editor.buffer.end();
                    self.draw(prompt);
                    self.device.show("^C");
                    self.leave();
                    return Line::Interrupted;
                }
                Action::End => {
                    self.device.show(PASTE_OFF);
                    return Line::End;
                }
            }
        }
    }

    // --- completion ---

    async fn complete(&mut self, prompt: &str, again: bool) {
        let before = self.editor.buffer.before();
        let completion = complete(&self.shell, &before).await;
        match completion.candidates.as_slice() {
            [] => self.device.show("\x07"),
            [one] => {
                let blank = if one.closes { " " } else { "" };
                let text = format!("{}{blank}", one.text);
                self.editor.buffer.replace_before(completion.replaces, &text);
                self.draw(prompt);
            }
            _ => {
                let common = completion.common();
                let typed: String =
                    before.chars().rev().take(completion.replaces).collect::<Vec<_>>().into_iter().rev().collect();
                if common.chars().count() > typed.chars().count() || (common != typed && !common.is_empty() && !again) {
                    self.editor.buffer.replace_before(completion.replaces, &common);
                    self.draw(prompt);
                } else if again {
                    self.list(prompt, &completion).await;
                } else {
                    self.device.show("\x07");
                }
            }
        }
    }

    async fn list(&mut self, prompt: &str, completion: &Completion) {
        let columns = self.device.columns();
        let bytes = self.screen.leave(columns);
        self.device.show(&bytes);
        let count = completion.candidates.len();
        let mut wanted = true;
        if count > LIST_ASKS_ABOVE {
            self.device.show(&format!("Display all {count} possibilities? (y or n)"));
            wanted = loop {
                match self.device.key().await {
                    Some(Key::Char('y' | 'Y' | ' ')) | Some(Key::Tab) => break true,
                    Some(Key::Char('n' | 'N') | Key::Ctrl('c') | Key::Backspace) | None => break false,
                    Some(_) => self.device.show("\x07"),
                }
            };
            self.device.show("\r\n");
        }
        if wanted {
            self.device.show(&completion.list(columns).replace('\n', "\r\n"));
        }
        self.screen.forget();
        self.draw(prompt);
    }

    // --- history expansion ---

    /// `!!`, `!$`, `!n`, `!-n` and `!prefix`; none if there is no such line (it has been said).
    fn recall(&mut self, text: String) -> Option<String> {
        if !text.contains('!') {
            return Some(text);
        }
        let lines = self.shell.history.borrow().lines().to_vec();
        let first = self.shell.history.borrow().first_number();
        let last = lines.last().cloned();
        let mut out = String::new();
        let mut quoted = false;
        let mut rest = text.as_str();
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            if c == '\'' {
                quoted = !quoted;
            }
            if c == '\\' && !quoted {
                let next = after.chars().next().map_or(0, char::len_utf8);
                out.push_str(&rest[..1 + next]);
                rest = &after[next..];
                continue;
            }
            if c != '!' || quoted {
                out.push(c);
                rest = after;
                continue;
            }
            let word: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_./".contains(*c)).collect();
            let (found, used) = match after.chars().next() {
                Some('!') => (last.clone(), 1),
                Some('$') => (last.as_ref().and_then(|l| l.split_whitespace().last().map(str::to_owned)), 1),
                _ if word.is_empty() || !out.trim().is_empty() && !word.starts_with('-') => {
                    out.push('!');
                    rest = after;
                    continue;
                }
                _ => {
                    let found = match word.parse::<i64>() {
                        Ok(n) if n < 0 => lines.len().checked_sub(n.unsigned_abs() as usize).and_then(|i| lines.get(i)),
                        Ok(n) => usize::try_from(n).ok().and_then(|n| n.checked_sub(first)).and_then(|i| lines.get(i)),
                        Err(_) => lines.iter().rev().find(|l| l.starts_with(&word)),
                    };
                    (found.cloned(), word.len())
                }
            };
            let Some(found) = found else {
                self.device.show(&format!("bash: !{}: event not found\r\n", &after[..used]));
                self.shell.status = 1;
                return None;
            };
            out.push_str(&found);
            rest = &after[used..];
        }
        if out != text {
            self.device.show(&out.replace('\n', "\r\n"));
        }
        Some(out)
    }
}
