//! `sh`: a POSIX shell without fork.
//!
//! WASI has no fork, so what must run beside the shell (stages of pipelines, background lists, most substitutions) is
//! started as another process: a program as itself, anything else as a new shell that gets the variables, the functions
//! and the commands as text. `( ... )` in the foreground runs inside, on a copy of the state.

mod arith;
mod ast;
mod builtins;
mod exec;
mod expand;
mod interactive;
mod parse;
mod print;
mod redirect;
mod spawn;

use std::collections::BTreeMap;
use std::io::Write;
use std::rc::Rc;

use self::ast::Command;
use self::exec::Flow;

/// The descriptor that stands for the buffer of a substitution that runs inside the shell.
const CAPTURE_FD: u32 = u32::MAX;

/// A variable.
#[derive(Clone, Debug, Default)]
struct Var {
    value: Option<String>,
    exported: bool,
    readonly: bool,
}

/// `set -e` and so on.
#[derive(Clone, Copy, Debug, Default)]
struct ShellOptions {
    errexit: bool,
    nounset: bool,
    xtrace: bool,
    noglob: bool,
    pipefail: bool,
}

/// A background job.
#[derive(Clone, Debug)]
struct Job {
    number: usize,
    pid: u32,
    text: String,
    status: Option<i32>,
}

/// The state of a shell.
#[derive(Clone)]
pub struct Shell {
    vars: BTreeMap<String, Var>,
    functions: BTreeMap<String, Rc<Command>>,
    positional: Vec<String>,
    arg0: String,
    status: i32,
    /// The status of the last substitution of the command that is being prepared.
    substituted: Option<i32>,
    options: ShellOptions,
    /// Our descriptors behind the script's.
    fds: BTreeMap<u32, u32>,
    capture: Vec<u8>,
    traps: BTreeMap<String, String>,
    jobs: Vec<Job>,
    last_background: Option<u32>,
    interactive: bool,
    /// Above 0 where a failure does not end the script: conditions.
    conditional: usize,
    depth: usize,
    locals: Vec<Vec<(String, Option<Var>)>>,
}

/// Runs the shell; `args[0]` is its name.
pub fn main(args: &[String]) -> i32 {
    let mut shell =
        Shell::new(args.first().map_or("sh", |a| a.rsplit('/').next().unwrap_or(a)).trim_start_matches('-'));
    for (name, value) in std::env::vars() {
        shell.vars.insert(name, Var { value: Some(value), exported: true, readonly: false });
    }
    let cwd = std::env::current_dir().map_or_else(|_| "/".to_owned(), |p| p.to_string_lossy().into_owned());
    shell.vars.insert("PWD".to_owned(), Var { value: Some(cwd), exported: true, readonly: false });
    let status = shell.start(&args[1..]);
    shell.finish(status)
}

impl Shell {
    fn new(arg0: &str) -> Shell {
        Shell {
            vars: BTreeMap::new(),
            functions: BTreeMap::new(),
            positional: Vec::new(),
            arg0: arg0.to_owned(),
            status: 0,
            substituted: None,
            options: ShellOptions::default(),
            fds: BTreeMap::from([(0, 0), (1, 1), (2, 2)]),
            capture: Vec::new(),
            traps: BTreeMap::new(),
            jobs: Vec::new(),
            last_background: None,
            interactive: false,
            conditional: 0,
            depth: 0,
            locals: Vec::new(),
        }
    }

    fn start(&mut self, args: &[String]) -> i32 {
        let mut rest = args;
        let mut command = false;
        let mut force_interactive = false;
        let mut from_input = false;
        while let Some(arg) = rest.first().filter(|a| a.len() > 1 && (a.starts_with('-') || a.starts_with('+'))) {
            rest = &rest[1..];
            if arg == "--" {
                break;
            }
            if arg.starts_with("--") {
                continue;
            }
            for letter in arg[1..].chars() {
                match letter {
                    'c' => command = true,
                    'i' => force_interactive = true,
                    's' => from_input = true,
                    'l' => {}
                    'o' => {
                        if let Some((name, more)) = rest.split_first() {
                            rest = more;
                            self.set_option_name(name, arg.starts_with('-'));
                        }
                    }
                    other => {
                        if !self.set_option(other, arg.starts_with('-')) {
                            self.complain(&format!("illegal option -{other}"));
                            return 2;
                        }
                    }
                }
            }
        }
        if command {
            let Some((script, rest)) = rest.split_first() else {
                self.complain("-c requires an argument");
                return 2;
            };
            if let Some((name, rest)) = rest.split_first() {
                self.arg0.clone_from(name);
                self.positional = rest.to_vec();
            }
            return self.run_script(script);
        }
        if let Some((file, rest)) = rest.split_first().filter(|_| !from_input) {
            self.positional = rest.to_vec();
            return match std::fs::read_to_string(file) {
                Ok(script) => {
                    self.arg0.clone_from(file);
                    self.run_script(&script)
                }
                Err(error) => {
                    self.complain(&format!("can't open '{file}': {}", proc::Errno::from_io(&error)));
                    2
                }
            };
        }
        self.positional = rest.to_vec();
        self.interactive = force_interactive || proc::is_tty(0);
        self.read_commands()
    }

    /// Runs a whole script; gives its status.
    fn run_script(&mut self, script: &str) -> i32 {
        let result = self.evaluate(script);
        self.ended(result)
    }

    fn ended(&mut self, result: Result<i32, Flow>) -> i32 {
        match result {
            Ok(status) | Err(Flow::Exit(status) | Flow::Return(status)) => status,
            Err(Flow::Error(status)) => status,
            Err(Flow::Break(_) | Flow::Continue(_)) => self.status,
        }
    }

    /// Parses and runs some text.
    fn evaluate(&mut self, script: &str) -> Result<i32, Flow> {
        match parse::parse(script) {
            Ok(list) => self.list(&list),
            Err(error) => {
                self.complain(&error.to_string());
                self.status = 2;
                Err(Flow::Error(2))
            }
        }
    }

    /// What happens on the way out: the EXIT trap.
    fn finish(&mut self, status: i32) -> i32 {
        self.status = status;
        match self.traps.remove("EXIT") {
            Some(action) if !action.is_empty() => match self.evaluate(&action) {
                Err(Flow::Exit(status)) => status,
                _ => status,
            },
            _ => status,
        }
    }

    /// The value of a variable or a special parameter.
    fn get(&self, name: &str) -> Option<String> {
        match name {
            "?" => return Some(self.status.to_string()),
            "$" => return Some(proc::id().to_string()),
            "PPID" => return Some(proc::parent_id().to_string()),
            "!" => return self.last_background.map(|pid| pid.to_string()),
            "#" => return Some(self.positional.len().to_string()),
            "0" => return Some(self.arg0.clone()),
            "@" | "*" => return (!self.positional.is_empty()).then(|| self.positional.join(" ")),
            "-" => return Some(self.option_letters()),
            "RANDOM" => return Some(self.random().to_string()),
            _ => {}
        }
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            return name.parse::<usize>().ok().and_then(|n| self.positional.get(n - 1)).cloned();
        }
        self.vars.get(name).and_then(|v| v.value.clone())
    }

    fn random(&self) -> u32 {
        let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
        ((nanos / 1000) ^ proc::id().wrapping_mul(2_654_435_761)) % 32_768
    }

    /// Sets a variable.
    fn set(&mut self, name: &str, value: &str) -> Result<(), Flow> {
        if self.vars.get(name).is_some_and(|v| v.readonly) {
            return Err(self.fatal(&format!("{name}: is read only")));
        }
        self.vars.entry(name.to_owned()).or_default().value = Some(value.to_owned());
        Ok(())
    }

    /// Writes to one of the script's descriptors.
    fn write(&mut self, fd: u32, bytes: &[u8]) -> std::io::Result<()> {
        match self.fds.get(&fd) {
            Some(&CAPTURE_FD) => {
                self.capture.extend_from_slice(bytes);
                Ok(())
            }
            Some(own) => proc::file(*own).write_all(bytes),
            None => Err(proc::Errno::BADF.into()),
        }
    }

    /// Complains as a shell does: `sh: message`.
    fn complain(&mut self, message: &str) {
        let line = format!("{}: {message}\n", self.arg0);
        let _ = self.write(2, line.as_bytes());
    }

    /// Complains about something that ends a script.
    fn fatal(&mut self, message: &str) -> Flow {
        self.complain(message);
        self.status = 2;
        Flow::Error(2)
    }
}

#[cfg(test)]
mod tests;
