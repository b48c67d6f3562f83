//! Redirections.

use machine::Reader;
use vfs::OpenOptions;

use super::Exec;
use crate::expand::Fields;
use crate::shell::Shell;
use crate::streams::Fd;
use crate::syntax::ast::{Part, Redirect, RedirectKind, Word};

impl Shell {
    /// Applies redirections to the open descriptors. On failure: how the command ends instead.
    pub(super) async fn redirect(&mut self, redirects: &[Redirect]) -> Result<(), Exec> {
        for redirect in redirects {
            self.redirect_one(redirect).await?;
        }
        Ok(())
    }

    async fn redirect_one(&mut self, redirect: &Redirect) -> Result<(), Exec> {
        let input = |fd: Option<u32>| fd.unwrap_or(0);
        let output = |fd: Option<u32>| fd.unwrap_or(1);
        match &redirect.kind {
            RedirectKind::Read(word) => {
                let path = self.target(word).await?;
                let fd = self.open_file(&path, OpenOptions::READ).await?;
                self.fds.insert(input(redirect.fd), fd);
            }
            RedirectKind::Write(word, force) => {
                let path = self.target(word).await?;
                if self.options.noclobber && !force && self.fs.at(&self.cwd).is_file(&path) {
                    return self.redirect_error(&format!("{path}: cannot overwrite existing file")).await;
                }
                let fd = self.open_file(&path, OpenOptions::CREATE).await?;
                self.fds.insert(output(redirect.fd), fd);
            }
            RedirectKind::Append(word) => {
                let path = self.target(word).await?;
                let fd = self.open_file(&path, OpenOptions::APPEND).await?;
                self.fds.insert(output(redirect.fd), fd);
            }
            RedirectKind::ReadWrite(word) => {
                let path = self.target(word).await?;
                let options = OpenOptions { read: true, write: true, create: true, ..OpenOptions::READ };
                let fd = self.open_file(&path, options).await?;
                self.fds.insert(input(redirect.fd), fd);
            }
            RedirectKind::Both(word, append) => {
                let path = self.target(word).await?;
                self.both_to(&path, *append).await?;
            }
            RedirectKind::Duplicate(word, out) => {
                let text = self.target(word).await?;
                let fd = redirect.fd.unwrap_or(u32::from(*out));
                self.duplicate(fd, &text, *out, redirect.fd.is_none()).await?;
            }
            RedirectKind::HereDoc(slot) => {
                let body = slot.get().cloned().unwrap_or_default();
                let mut fields = Fields::new("", false);
                fields.quoted("");
                self.expand_parts(&body.0, true, &mut fields).await.map_err(Err)?;
                let text = fields.finish_one().text;
                self.fds.insert(input(redirect.fd), Fd::reader(Reader::from_bytes(text)));
            }
            RedirectKind::HereString(word) => {
                let mut text = self.expand_text(word).await.map_err(Err)?;
                text.push('\n');
                self.fds.insert(input(redirect.fd), Fd::reader(Reader::from_bytes(text)));
            }
        }
        Ok(())
    }

    async fn redirect_error<T>(&self, message: &str) -> Result<T, Exec> {
        self.complain(message).await;
        Err(Ok(1))
    }

    /// The one word that a target must expand to.
    async fn target(&mut self, word: &Word) -> Result<String, Exec> {
        let mut texts = Vec::new();
        self.expand_word(word, &mut texts).await.map_err(Err)?;
        match (texts.pop(), texts.is_empty()) {
            (Some(text), true) => Ok(text),
            _ => self.redirect_error(&format!("{}: ambiguous redirect", shown(word))).await,
        }
    }

    async fn both_to(&mut self, path: &str, append: bool) -> Result<(), Exec> {
        let options = if append { OpenOptions::APPEND } else { OpenOptions::CREATE };
        let fd = self.open_file(path, options).await?;
        self.fds.insert(1, fd.clone());
        self.fds.insert(2, fd);
        Ok(())
    }

    async fn duplicate(&mut self, fd: u32, text: &str, out: bool, may_be_path: bool) -> Result<(), Exec> {
        if text == "-" {
            self.fds.remove(&fd);
            return Ok(());
        }
        let (number, moves) = match text.strip_suffix('-') {
            Some(number) => (number, true),
            None => (text, false),
        };
        let Ok(from) = number.parse::<u32>() else {
            if out && may_be_path {
                return self.both_to(text, false).await;
            }
            return self.redirect_error(&format!("{text}: ambiguous redirect")).await;
        };
        let Some(source) = self.fds.get(&from).cloned() else {
            return self.redirect_error(&format!("{from}: Bad file descriptor")).await;
        };
        self.fds.insert(fd, source);
        if moves && from != fd {
            self.fds.remove(&from);
        }
        Ok(())
    }

    /// Opens a path; `/dev/tty` and `/dev/std*` mean this shell's own streams.
    async fn open_file(&mut self, path: &str, options: OpenOptions) -> Result<Fd, Exec> {
        let known = match path {
            "/dev/stdin" => self.fds.get(&0).cloned(),
            "/dev/stdout" => self.fds.get(&1).cloned(),
            "/dev/stderr" => self.fds.get(&2).cloned(),
            "/dev/tty" if self.base.tty.is_some() => {
                Some(Fd { read: Some(self.base.stdin.clone()), write: Some(self.base.stdout.clone()), failure: None })
            }
            _ => path
                .strip_prefix("/dev/fd/")
                .and_then(|n| n.parse::<u32>().ok())
                .and_then(|n| self.fds.get(&n).cloned()),
        };
        if let Some(fd) = known {
            return Ok(fd);
        }
        let view = self.fs.at(&self.cwd);
        if view.is_dir(path) && !options.write {
            // bash opens it; the reader is told EISDIR.
            return self.redirect_error(&format!("{path}: Is a directory")).await;
        }
        match view.open(path, options) {
            Ok(handle) => Ok(Fd::file(handle)),
            Err(errno) => self.redirect_error(&format!("{path}: {errno}")).await,
        }
    }

    /// Says which redirected file could not be written, after the command.
    pub(super) async fn report_failures(&mut self, name: &str) -> bool {
        let mut failed = false;
        for fd in [1, 2] {
            let failure = self.fds.get(&fd).and_then(|f| f.failure.clone()).and_then(|f| f.take());
            if let Some(errno) = failure {
                failed = true;
                self.complain(&format!("{name}: write error: {errno}")).await;
            }
        }
        failed
    }
}

/// A word as it was written, roughly: for error messages.
fn shown(word: &Word) -> String {
    word.0
        .iter()
        .map(|part| match part {
            Part::Literal(text) | Part::Quoted(text) => text.clone(),
            Part::Param(param) => param.text.clone(),
            Part::Tilde(user) => format!("~{user}"),
            Part::Double(inner) => format!("\"{}\"", shown(&Word(inner.clone()))),
            Part::Command(_) => "$(...)".into(),
            Part::Arith(_) => "$((...))".into(),
            Part::Process(_) => "<(...)".into(),
        })
        .collect()
}
