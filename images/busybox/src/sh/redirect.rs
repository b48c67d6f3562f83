//! Redirections: a table from the script's descriptors to ours.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};

use super::Shell;
use super::ast::{Redirect, Target, Word};
use super::exec::{Flow, Result};

/// Bytes of a here-document that go through a pipe; longer ones go through a file, as nobody reads the pipe yet.
const PIPE_BYTES_MAX: usize = 32 * 1024;

impl Shell {
    /// Applies redirections in order and notes what was opened. On failure gives the status (or worse) to end with.
    pub(super) fn redirect(
        &mut self,
        redirects: &[Redirect],
        opened: &mut Vec<u32>,
    ) -> std::result::Result<(), Result<i32>> {
        for redirect in redirects {
            let own = match &redirect.target {
                Target::Dup(word) => match self.text(word).map_err(Err)?.as_str() {
                    "-" => None,
                    number => match number.parse().ok().and_then(|fd: u32| self.fds.get(&fd).copied()) {
                        Some(own) => Some(own),
                        None => return Err(self.bad(&format!("{number}: bad file descriptor"))),
                    },
                },
                target => {
                    let own = self.open_target(target)?;
                    opened.push(own);
                    Some(own)
                }
            };
            match own {
                Some(own) => self.fds.insert(redirect.fd, own),
                None => self.fds.remove(&redirect.fd),
            };
            if redirect.both
                && let Some(own) = own
            {
                self.fds.insert(2, own);
            }
        }
        Ok(())
    }

    fn bad(&mut self, message: &str) -> Result<i32> {
        self.complain(message);
        Ok(1)
    }

    fn open_target(&mut self, target: &Target) -> std::result::Result<u32, Result<i32>> {
        let mut options = OpenOptions::new();
        let (word, verb) = match target {
            Target::Here(body) => {
                let body = body.borrow().clone();
                let text = self.text(&body).map_err(Err)?;
                return self.here(&text);
            }
            Target::HereString(word) => {
                let text = self.text(word).map_err(Err)?;
                return self.here(&format!("{text}\n"));
            }
            Target::Read(word) => {
                options.read(true);
                (word, "open")
            }
            Target::Write(word) => {
                options.write(true).create(true).truncate(true);
                (word, "create")
            }
            Target::Append(word) => {
                options.append(true).create(true);
                (word, "create")
            }
            Target::ReadWrite(word) | Target::Dup(word) => {
                options.read(true).write(true).create(true);
                (word, "open")
            }
        };
        self.open_file(word, &options, verb)
    }

    fn open_file(&mut self, word: &Word, options: &OpenOptions, verb: &str) -> std::result::Result<u32, Result<i32>> {
        let file = self.text(word).map_err(Err)?;
        match options.open(&file) {
            Ok(opened) => Ok(proc::into_fd(opened)),
            Err(error) => Err(self.bad(&format!("can't {verb} {file}: {}", proc::Errno::from_io(&error)))),
        }
    }

    fn here(&mut self, text: &str) -> std::result::Result<u32, Result<i32>> {
        if text.len() <= PIPE_BYTES_MAX
            && let Ok((read, write)) = proc::pipe()
        {
            let _ = proc::owned_file(write).write_all(text.as_bytes());
            return Ok(read);
        }
        here_file(text).map_err(|error| {
            let flow: Flow = self.fatal(&format!("can't create here-document: {}", proc::Errno::from_io(&error)));
            Err(flow)
        })
    }
}

fn here_file(text: &str) -> std::io::Result<u32> {
    let path = format!("/tmp/.sh-here-{}-{}", proc::id(), text.len());
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
    let _ = std::fs::remove_file(&path);
    file.write_all(text.as_bytes())?;
    file.seek(SeekFrom::Start(0))?;
    Ok(proc::into_fd(file))
}

/// Reads to the end; caught signals do not matter here, they are looked at after the command.
pub(super) fn read_retrying(file: &File, bytes: &mut Vec<u8>) {
    let mut buffer = [0u8; 4096];
    let mut reader = file;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
