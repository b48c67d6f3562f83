//! Processes, terminals and signals of a process.

use std::fmt::Write as _;
use std::rc::Rc;

use bytes::Bytes;
use vfs::Errno;

use super::fd::Kind;
use super::signals::{self, Disposition};
use super::{Answer, Kernel, fuel_time};
use crate::abi::{Reply, Syscall};
use crate::process::{Proc, SpawnRequest};

/// Stands for "leave this descriptor closed" in `proc_spawn`.
const NO_FD: u32 = u32::MAX;

impl Kernel<'_> {
    pub(super) fn process_call(&mut self, call: &Syscall) -> Result<Reply, Errno> {
        use Syscall as S;
        match call {
            S::Hostname => Ok(Reply::Bytes(Bytes::copy_from_slice(self.jail.hostname.as_bytes()))),
            S::Getpid => Ok(Reply::U32(self.proc.pid)),
            S::Getppid => Ok(Reply::U32(self.proc.parent.get())),
            S::Getuid => {
                let files = self.proc.files.borrow();
                let who = files.credentials();
                Ok(Reply::Pair(who.uid, who.gid))
            }
            S::Getgroups => {
                let files = self.proc.files.borrow();
                let groups = files.credentials().groups.iter();
                Ok(Reply::Bytes(groups.map(|gid| format!("{gid}\n")).collect::<String>().into()))
            }
            S::ProcList => Ok(Reply::Bytes(self.list().into())),
            S::Spawn { path, argv, env, cwd, fds } => self.spawn(path.as_deref(), argv, env, cwd, fds),
            S::Kill { pid, signal } => self.kill(*pid, *signal),
            S::Raise { signal } => {
                self.proc.deliver(check(*signal)?, false);
                Ok(Reply::Ok)
            }
            S::TtyGet { fd } => match &self.description(*fd)?.kind {
                Kind::Tty(tty) => {
                    let (columns, rows) = tty.size();
                    Ok(Reply::Pair(u32::from(columns), u32::from(rows)))
                }
                _ => Err(Errno::NotTty),
            },
            S::TtySet { fd, raw } => match &self.description(*fd)?.kind {
                Kind::Tty(tty) => {
                    tty.set_raw(*raw);
                    Ok(Reply::Ok)
                }
                _ => Err(Errno::NotTty),
            },
            S::SignalHandle { signal, mode } => {
                let signal = check(*signal)?;
                let disposition = match mode {
                    _ if signal == signals::KILL => return Err(Errno::Invalid),
                    0 => Disposition::Default,
                    1 => Disposition::Ignore,
                    2 => Disposition::Catch,
                    _ => return Err(Errno::Invalid),
                };
                self.proc.dispositions.borrow_mut().insert(signal, disposition);
                Ok(Reply::Ok)
            }
            S::SignalTake => {
                let mut pending = self.proc.pending.borrow_mut();
                let signal = pending.pop_first().unwrap_or(0);
                if pending.is_empty() {
                    self.proc.interrupted.set(false);
                }
                Ok(Reply::U32(signal))
            }
            _ => Err(Errno::NotSupportedCall),
        }
    }

    fn spawn(&self, path: Option<&str>, argv: &[Bytes], env: &[Bytes], cwd: &str, fds: &[u32]) -> Result<Reply, Errno> {
        let mut own = Vec::new();
        for (i, fd) in (0_u32..).zip(fds) {
            if *fd != NO_FD {
                // 3 is the root directory in every process.
                let number = if i < super::ROOT_FD { i } else { i + 1 };
                own.push((number, self.description(*fd)?));
            }
        }
        let files = self.proc.files.borrow().clone();
        let files = if cwd.is_empty() { files } else { files.at(cwd) };
        if !files.is_dir(".") {
            return Err(Errno::NotFound);
        }
        let ignored = {
            let dispositions = self.proc.dispositions.borrow();
            dispositions.iter().filter(|(_, d)| **d == Disposition::Ignore).map(|(s, _)| *s).collect()
        };
        let request = SpawnRequest {
            path: path.map(str::to_owned),
            argv: argv.to_vec(),
            env: env.to_vec(),
            files,
            fds: own,
            tty: self.proc.tty.clone(),
            parent: self.proc.pid,
            ignored,
        };
        match self.jail.spawn(request) {
            Ok(child) => Ok(Reply::U32(child.pid)),
            Err(error) => Err(error.errno()),
        }
    }

    pub(super) fn wait(&mut self, pid: u32, no_hang: bool) -> Answer {
        let children = self.jail.children(self.proc.pid);
        let mut wanted = children.iter().filter(|c| pid == 0 || c.pid == pid).peekable();
        if wanted.peek().is_none() {
            return Some(Err(Errno::NoChild));
        }
        match wanted.find_map(|c| Some((c.pid, c.status.get()?))) {
            Some((pid, status)) => {
                self.jail.reap(pid);
                Some(Ok(Reply::Pair(status.cast_unsigned(), pid)))
            }
            None if no_hang => Some(Ok(Reply::Pair(0, 0))),
            None => None,
        }
    }

    fn kill(&self, pid: u32, signal: u32) -> Result<Reply, Errno> {
        let targets: Vec<Rc<Proc>> = match pid {
            0 => self.jail.same_terminal(self.proc),
            pid => self.jail.find(pid).into_iter().collect(),
        };
        if targets.is_empty() {
            return Err(Errno::NoProcess);
        }
        if signal == 0 {
            return Ok(Reply::Ok);
        }
        let signal = check(signal)?;
        for target in targets {
            target.deliver(signal, false);
        }
        Ok(Reply::Ok)
    }

    fn list(&self) -> String {
        let mut text = String::new();
        for proc in self.jail.processes() {
            let state = if proc.status.get().is_some() {
                "Z"
            } else if proc.pid == self.proc.pid {
                "R"
            } else {
                "S"
            };
            let argv: Vec<_> = proc.argv.iter().map(|a| String::from_utf8_lossy(a)).collect();
            let _ = writeln!(
                text,
                "{}\t{}\t{}\t{state}\t{}\t{}\t{}\t{}",
                proc.pid,
                proc.parent.get(),
                proc.files.borrow().credentials().uid,
                proc.started.as_nanos(),
                fuel_time(proc.fuel.get()).as_nanos(),
                proc.memory.get(),
                argv.join("\x1f")
            );
        }
        text
    }
}

fn check(signal: u32) -> Result<u32, Errno> {
    if (1..=signals::MAX).contains(&signal) { Ok(signal) } else { Err(Errno::Invalid) }
}
