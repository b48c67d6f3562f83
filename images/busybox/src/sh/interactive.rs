//! Commands from a terminal or another input.

use std::io::{ErrorKind, Read};

use super::Shell;
use super::exec::Flow;
use super::parse::{ParseError, parse};

impl Shell {
    /// Reads commands from standard input until it ends.
    pub(super) fn read_commands(&mut self) -> i32 {
        if self.interactive {
            let _ = proc::on_signal(proc::SIGINT, proc::Disposition::Catch);
            let _ = proc::on_signal(proc::SIGTERM, proc::Disposition::Ignore);
        }
        let mut text = String::new();
        loop {
            self.report_jobs();
            self.prompt(text.is_empty());
            match self.read_line() {
                Line::Interrupted => {
                    text.clear();
                    self.status = 130;
                    let _ = self.write(2, b"\n");
                    continue;
                }
                Line::End => {
                    if self.interactive && text.is_empty() {
                        let _ = self.write(2, b"\n");
                    }
                    if !text.trim().is_empty() {
                        let result = self.evaluate(&text);
                        self.status = self.ended(result);
                    }
                    return self.status;
                }
                Line::Text(line) => text.push_str(&line),
            }
            if matches!(parse(&text), Err(ParseError::Incomplete(_))) || text.ends_with("\\\n") {
                continue;
            }
            let script = std::mem::take(&mut text);
            match self.evaluate(&script) {
                Ok(_) => {}
                Err(Flow::Exit(status)) => return status,
                Err(Flow::Error(status)) if !self.interactive => return status,
                Err(_) => {}
            }
        }
    }

    fn prompt(&mut self, first: bool) {
        if !self.interactive {
            return;
        }
        let set = self.get(if first { "PS1" } else { "PS2" });
        let text = match set {
            Some(text) => self.prompt_escapes(&text),
            None if !first => "> ".to_owned(),
            None if self.arg0 == "bash" => self.prompt_escapes("\\u@\\h:\\w\\$ "),
            None => self.prompt_escapes("\\w \\$ "),
        };
        let _ = self.write(2, text.as_bytes());
    }

    fn prompt_escapes(&self, text: &str) -> String {
        let sign = if proc::user().0 == 0 { "#" } else { "$" };
        let cwd = self.get("PWD").unwrap_or_default();
        let home = self.get("HOME").filter(|h| h.len() > 1);
        let short = match home.and_then(|home| cwd.strip_prefix(&home).map(str::to_owned)) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("~{rest}"),
            _ => cwd.clone(),
        };
        let user = self.get("USER").unwrap_or_else(|| "root".to_owned());
        let last = cwd.rsplit('/').next().filter(|l| !l.is_empty()).unwrap_or("/").to_owned();
        text.replace("\\u", &user)
            .replace("\\h", proc::hostname().split('.').next().unwrap_or(""))
            .replace("\\w", &short)
            .replace("\\W", &last)
            .replace("\\$", sign)
            .replace("\\n", "\n")
            .replace("\\[", "")
            .replace("\\]", "")
    }

    /// One line, read byte by byte: what follows may be for a command.
    pub(super) fn read_line(&mut self) -> Line {
        let Some(own) = self.fds.get(&0).copied() else { return Line::End };
        let mut file = proc::file(own);
        let mut bytes = Vec::new();
        let mut byte = [0u8];
        loop {
            match file.read(&mut byte) {
                Ok(0) if bytes.is_empty() => return Line::End,
                Ok(0) => break,
                Ok(_) => {
                    bytes.push(byte[0]);
                    if byte[0] == b'\n' {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    if self.interactive {
                        while proc::take_signal().is_some() {}
                        return Line::Interrupted;
                    }
                    if let Err(flow) = self.signals() {
                        self.status = self.ended(Err(flow));
                        return Line::End;
                    }
                }
                Err(_) => return Line::End,
            }
        }
        Line::Text(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Says which background jobs have ended since the last prompt.
    fn report_jobs(&mut self) {
        self.poll_jobs();
        let (done, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.jobs).into_iter().partition(|j| j.status.is_some());
        self.jobs = rest;
        if self.interactive {
            for job in done {
                let state = match job.status {
                    Some(0) => "Done".to_owned(),
                    Some(status) => format!("Done({status})"),
                    None => String::new(),
                };
                let _ = self.write(2, format!("[{}]+  {state:<24}{}\n", job.number, job.text).as_bytes());
            }
        }
    }

    pub(super) fn poll_jobs(&mut self) {
        for job in self.jobs.iter_mut().filter(|j| j.status.is_none()) {
            match proc::try_wait(job.pid) {
                Ok(Some(ended)) => job.status = Some(ended.status.cast_signed()),
                Ok(None) => {}
                Err(_) => job.status = Some(127),
            }
        }
    }
}

/// What reading a line gave.
pub(super) enum Line {
    /// A line with its end, if it had one.
    Text(String),
    /// The end of the input.
    End,
    /// Ctrl-C.
    Interrupted,
}
