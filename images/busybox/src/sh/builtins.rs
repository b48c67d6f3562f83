//! Commands that are part of the shell, a row each.

use super::exec::{Flow, Result};
use super::interactive::Line;
use super::print::quote;
use super::{Shell, ShellOptions, Var};
use crate::applets;

/// A builtin.
#[derive(Clone, Copy)]
pub(super) struct Builtin {
    name: &'static str,
    /// What it does; `args[0]` is the name.
    pub(super) run: fn(&mut Shell, &[String]) -> Result<i32>,
    /// POSIX's special builtins: assignments in front of them stay.
    pub(super) special: bool,
}

macro_rules! builtins {
    ($($name:literal $run:ident $($special:ident)?;)*) => {
        const BUILTINS: &[Builtin] = &[$(Builtin { name: $name, run: $run, special: builtins!(@$($special)?) },)*];
    };
    (@special) => { true };
    (@) => { false };
}

builtins! {
    "." source special;
    ":" colon special;
    "alias" colon;
    "bg" no_jobs;
    "break" break_ special;
    "cd" cd;
    "command" command;
    "continue" continue_ special;
    "eval" eval special;
    "exec" colon special;
    "exit" exit special;
    "export" export special;
    "fg" no_jobs;
    "getopts" getopts;
    "hash" colon;
    "jobs" jobs;
    "kill" kill;
    "let" let_;
    "local" local;
    "pwd" pwd;
    "read" read;
    "readonly" readonly special;
    "return" return_ special;
    "set" set special;
    "shift" shift special;
    "source" source special;
    "times" times;
    "trap" trap special;
    "type" type_;
    "ulimit" ulimit;
    "umask" umask;
    "unalias" colon;
    "unset" unset special;
    "wait" wait;
}

/// The builtin of a name.
pub(super) fn find(name: &str) -> Option<Builtin> {
    BUILTINS.iter().copied().find(|b| b.name == name)
}

fn print(shell: &mut Shell, text: &str) -> Result<i32> {
    Ok(i32::from(shell.write(1, text.as_bytes()).is_err()))
}

fn fail(shell: &mut Shell, args: &[String], message: &str, status: i32) -> Result<i32> {
    shell.complain(&format!("{}: {message}", args[0]));
    Ok(status)
}

fn number(shell: &mut Shell, args: &[String], default: i32) -> Result<i32> {
    match args.get(1) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| shell.fatal(&format!("{}: Illegal number: {text}", args[0]))),
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn colon(_: &mut Shell, _: &[String]) -> Result<i32> {
    Ok(0)
}

fn no_jobs(shell: &mut Shell, args: &[String]) -> Result<i32> {
    fail(shell, args, "kubonsai does not support moving jobs to the foreground or background (busybox) yet", 1)
}

fn ulimit(shell: &mut Shell, args: &[String]) -> Result<i32> {
    if args.len() == 1 {
        print(shell, "unlimited\n")
    } else {
        fail(shell, args, "kubonsai does not support limits by ulimit (busybox) yet", 1)
    }
}

fn umask(shell: &mut Shell, args: &[String]) -> Result<i32> {
    if args.len() == 1 {
        print(shell, "0022\n")
    } else {
        fail(shell, args, "kubonsai does not support changing the umask (busybox) yet", 1)
    }
}

fn times(shell: &mut Shell, _: &[String]) -> Result<i32> {
    print(shell, "0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n")
}

fn source(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let Some(file) = args.get(1) else { return fail(shell, args, "filename argument required", 2) };
    match std::fs::read_to_string(file) {
        Err(error) => Err(shell.fatal(&format!("can't open '{file}': {}", proc::Errno::from_io(&error)))),
        Ok(script) => match shell.deeper(|shell| shell.evaluate(&script)) {
            Err(Flow::Return(status)) => Ok(status),
            other => other,
        },
    }
}

fn eval(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let script = args[1..].join(" ");
    shell.deeper(|shell| shell.evaluate(&script))
}

fn break_(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let levels = number(shell, args, 1)?;
    Err(Flow::Break(u32::try_from(levels.max(1)).unwrap_or(1)))
}

fn continue_(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let levels = number(shell, args, 1)?;
    Err(Flow::Continue(u32::try_from(levels.max(1)).unwrap_or(1)))
}

fn return_(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let status = shell.status;
    let status = number(shell, args, status)?;
    Err(Flow::Return(status & 0xff))
}

fn exit(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let status = shell.status;
    let status = number(shell, args, status)?;
    Err(Flow::Exit(status & 0xff))
}

fn cd(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let to = match args.get(1).map(String::as_str) {
        None => match shell.get("HOME") {
            Some(home) => home,
            None => return fail(shell, args, "HOME not set", 2),
        },
        Some("-") => shell.get("OLDPWD").unwrap_or_else(|| "/".to_owned()),
        Some(path) => path.to_owned(),
    };
    let from = shell.get("PWD").unwrap_or_else(|| "/".to_owned());
    let target = absolute(&from, &to);
    if let Err(error) = proc::chdir(&target) {
        if shell.arg0 == "bash" {
            return fail(shell, args, &format!("{to}: {error}"), 1);
        }
        return fail(shell, args, &format!("can't cd to {to}: {error}"), 2);
    }
    shell.set("OLDPWD", &from)?;
    shell.set("PWD", &target)?;
    if args.get(1).is_some_and(|a| a == "-") {
        print(shell, &format!("{target}\n"))?;
    }
    Ok(0)
}

/// A path from the root without `.` and `..`.
pub(super) fn absolute(from: &str, to: &str) -> String {
    let joined = if to.starts_with('/') { to.to_owned() } else { format!("{from}/{to}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn pwd(shell: &mut Shell, _: &[String]) -> Result<i32> {
    let cwd = shell.get("PWD").unwrap_or_else(|| "/".to_owned());
    print(shell, &format!("{cwd}\n"))
}

fn command(shell: &mut Shell, args: &[String]) -> Result<i32> {
    match args.get(1).map(String::as_str) {
        None => Ok(0),
        Some("-v" | "-V") => {
            let Some(name) = args.get(2) else { return Ok(0) };
            let known = shell.functions.contains_key(name) || find(name).is_some();
            match shell.find_program(name) {
                _ if known => print(shell, &format!("{name}\n")),
                Some(file) => print(shell, &format!("{file}\n")),
                None => Ok(127),
            }
        }
        Some("-p") => command(shell, &args[1..]),
        Some(name) => {
            let rest = &args[1..];
            match find(name) {
                Some(builtin) => (builtin.run)(shell, rest),
                None => shell.program(rest, &[]),
            }
        }
    }
}

fn type_(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let mut status = 0;
    for name in &args[1..] {
        let text = if shell.functions.contains_key(name) {
            format!("{name} is a function\n")
        } else if find(name).is_some() {
            format!("{name} is a shell builtin\n")
        } else if let Some(file) = shell.find_program(name) {
            format!("{name} is {file}\n")
        } else {
            status = 127;
            format!("{name}: not found\n")
        };
        print(shell, &text)?;
    }
    Ok(status)
}

fn declare(shell: &mut Shell, args: &[String], change: fn(&mut Var)) -> Result<i32> {
    for arg in args[1..].iter().filter(|a| !a.starts_with('-')) {
        let (name, value) = arg.split_once('=').map_or((arg.as_str(), None), |(n, v)| (n, Some(v)));
        if !is_name(name) {
            return Err(shell.fatal(&format!("{}: {name}: bad variable name", args[0])));
        }
        if let Some(value) = value {
            shell.set(name, value)?;
        }
        change(shell.vars.entry(name.to_owned()).or_default());
    }
    Ok(0)
}

fn export(shell: &mut Shell, args: &[String]) -> Result<i32> {
    if args.len() == 1 || args[1] == "-p" {
        let lines: String = shell
            .vars
            .iter()
            .filter(|(_, v)| v.exported)
            .filter_map(|(n, v)| Some(format!("export {n}={}\n", quote(v.value.as_ref()?))))
            .collect();
        return print(shell, &lines);
    }
    if args[1] == "-n" {
        return declare(shell, &args[1..], |v| v.exported = false);
    }
    declare(shell, args, |v| v.exported = true)
}

fn readonly(shell: &mut Shell, args: &[String]) -> Result<i32> {
    declare(shell, args, |v| v.readonly = true)
}

fn local(shell: &mut Shell, args: &[String]) -> Result<i32> {
    if shell.locals.is_empty() {
        return Err(shell.fatal("local: not in a function"));
    }
    for arg in &args[1..] {
        let (name, value) = arg.split_once('=').map_or((arg.as_str(), None), |(n, v)| (n, Some(v)));
        let before = shell.vars.get(name).cloned();
        if let Some(locals) = shell.locals.last_mut() {
            locals.push((name.to_owned(), before));
        }
        if let Some(value) = value {
            shell.set(name, value)?;
        }
    }
    Ok(0)
}

fn unset(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let functions = args.get(1).is_some_and(|a| a == "-f");
    for name in args[1..].iter().filter(|a| !a.starts_with('-')) {
        if functions {
            shell.functions.remove(name);
        } else if shell.vars.get(name).is_some_and(|v| v.readonly) {
            return Err(shell.fatal(&format!("unset: {name}: is read only")));
        } else {
            shell.vars.remove(name);
        }
    }
    Ok(0)
}

fn shift(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let count = usize::try_from(number(shell, args, 1)?).unwrap_or(0);
    if count > shell.positional.len() {
        return fail(shell, args, "can't shift that many", 1);
    }
    shell.positional.drain(..count);
    Ok(0)
}

fn let_(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let mut value = 0;
    for arg in &args[1..] {
        value = shell.arithmetic(arg)?;
    }
    Ok(i32::from(value == 0))
}

impl ShellOptions {
    fn flag(&mut self, letter: char) -> Option<&mut bool> {
        Some(match letter {
            'e' => &mut self.errexit,
            'u' => &mut self.nounset,
            'x' => &mut self.xtrace,
            'f' => &mut self.noglob,
            _ => return None,
        })
    }
}

impl Shell {
    /// Sets an option by its letter; false if there is none.
    pub(super) fn set_option(&mut self, letter: char, on: bool) -> bool {
        match self.options.flag(letter) {
            Some(flag) => {
                *flag = on;
                true
            }
            // These change nothing here.
            None => matches!(letter, 'm' | 'h' | 'a' | 'b' | 'C' | 'v' | 'n'),
        }
    }

    /// Sets an option by its name; false if there is none.
    pub(super) fn set_option_name(&mut self, name: &str, on: bool) -> bool {
        let letter = match name {
            "errexit" => 'e',
            "nounset" => 'u',
            "xtrace" => 'x',
            "noglob" => 'f',
            "pipefail" => {
                self.options.pipefail = on;
                return true;
            }
            "monitor" | "vi" | "emacs" => 'm',
            _ => return false,
        };
        self.set_option(letter, on)
    }

    /// `$-`.
    pub(super) fn option_letters(&self) -> String {
        let o = self.options;
        let all = [(o.errexit, 'e'), (o.noglob, 'f'), (self.interactive, 'i'), (o.nounset, 'u'), (o.xtrace, 'x')];
        all.into_iter().filter(|(on, _)| *on).map(|(_, letter)| letter).collect()
    }
}

fn set(shell: &mut Shell, args: &[String]) -> Result<i32> {
    if args.len() == 1 {
        let lines: String =
            shell.vars.iter().filter_map(|(n, v)| Some(format!("{n}={}\n", quote(v.value.as_ref()?)))).collect();
        return print(shell, &lines);
    }
    let mut rest = &args[1..];
    while let Some(arg) = rest.first().cloned() {
        let on = arg.starts_with('-');
        if arg == "--" {
            shell.positional = rest[1..].to_vec();
            return Ok(0);
        }
        if !(on || arg.starts_with('+')) || arg.len() < 2 {
            shell.positional = rest.to_vec();
            return Ok(0);
        }
        rest = &rest[1..];
        for letter in arg[1..].chars() {
            let known = if letter == 'o' {
                let name = rest.first().cloned().unwrap_or_default();
                rest = rest.get(1..).unwrap_or(&[]);
                name.is_empty() || shell.set_option_name(&name, on)
            } else {
                shell.set_option(letter, on)
            };
            if !known {
                return Err(shell.fatal(&format!("set: illegal option -{letter}")));
            }
        }
    }
    Ok(0)
}

fn read(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let mut names = Vec::new();
    let (mut raw, mut prompt) = (false, String::new());
    let mut rest = args[1..].iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-r" => raw = true,
            "-p" => prompt = rest.next().cloned().unwrap_or_default(),
            "-s" => {}
            "-n" | "-t" | "-u" | "-d" => {
                return fail(shell, args, "kubonsai does not support read's -n, -t, -u and -d (busybox) yet", 2);
            }
            name => names.push(name.to_owned()),
        }
    }
    if !prompt.is_empty() {
        let _ = shell.write(2, prompt.as_bytes());
    }
    let mut line = String::new();
    let mut ended = false;
    loop {
        match shell.read_line() {
            Line::Text(text) => line.push_str(&text),
            Line::End => ended = true,
            Line::Interrupted => return Err(Flow::Error(130)),
        }
        if ended || raw || !line.ends_with("\\\n") {
            break;
        }
        line.truncate(line.len() - 2);
    }
    let ended = ended || !line.ends_with('\n');
    let line = line.strip_suffix('\n').unwrap_or(&line).to_owned();
    if names.is_empty() {
        names.push("REPLY".to_owned());
    }
    let ifs = shell.get("IFS").unwrap_or_else(|| " \t\n".to_owned());
    for (name, value) in names.iter().zip(split_read(&line, names.len(), &ifs, raw)) {
        shell.set(name, &value)?;
    }
    Ok(i32::from(ended))
}

/// Splits a line for `read`: the last name gets all the rest.
fn split_read(line: &str, count: usize, ifs: &str, raw: bool) -> Vec<String> {
    let mut chars: Vec<(char, bool)> = Vec::new();
    let mut input = line.chars();
    while let Some(c) = input.next() {
        match c {
            '\\' if !raw => chars.extend(input.next().map(|c| (c, false))),
            c => chars.push((c, ifs.contains(c))),
        }
    }
    let is_white = |(c, separates): &(char, bool)| *separates && c.is_whitespace();
    let mut values = Vec::new();
    let mut at = 0;
    while values.len() < count {
        while chars.get(at).is_some_and(is_white) {
            at += 1;
        }
        if values.len() + 1 == count {
            let end = chars.iter().rposition(|c| !is_white(c)).map_or(at, |i| i + 1);
            values.push(chars.get(at..end.max(at)).unwrap_or(&[]).iter().map(|c| c.0).collect());
            break;
        }
        let mut value = String::new();
        while let Some((c, false)) = chars.get(at) {
            value.push(*c);
            at += 1;
        }
        while chars.get(at).is_some_and(is_white) {
            at += 1;
        }
        if chars.get(at).is_some_and(|c| c.1 && !is_white(c)) {
            at += 1;
        }
        values.push(value);
    }
    values
}

fn trap(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let mut rest = &args[1..];
    if rest.first().is_some_and(|a| a == "--") {
        rest = &rest[1..];
    }
    if rest.is_empty() {
        let lines: String = shell.traps.iter().map(|(n, a)| format!("trap -- {} {n}\n", quote(a))).collect();
        return print(shell, &lines);
    }
    let (action, names) = if rest.len() == 1 { ("-".to_owned(), rest) } else { (rest[0].clone(), &rest[1..]) };
    for name in names {
        let signal = applets::signals::parse(name);
        let key = match signal {
            _ if name == "EXIT" || name == "0" => "EXIT",
            Some(signal) => applets::signals::name(signal).unwrap_or(""),
            None => return fail(shell, args, &format!("{name}: invalid signal specification"), 1),
        };
        let disposition = match action.as_str() {
            "-" => proc::Disposition::Default,
            "" => proc::Disposition::Ignore,
            _ => proc::Disposition::Catch,
        };
        if let Some(signal) = signal.filter(|s| *s != 0) {
            let _ = proc::on_signal(signal, disposition);
        }
        if action == "-" {
            shell.traps.remove(key);
        } else {
            shell.traps.insert(key.to_owned(), action.clone());
        }
    }
    Ok(0)
}

fn jobs(shell: &mut Shell, _: &[String]) -> Result<i32> {
    shell.poll_jobs();
    let lines: String = shell
        .jobs
        .iter()
        .map(|job| {
            let state = if job.status.is_some() { "Done" } else { "Running" };
            format!("[{}]+  {state:<24}{}\n", job.number, job.text)
        })
        .collect();
    shell.jobs.retain(|j| j.status.is_none());
    print(shell, &lines)
}

fn wait(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let mut status = 0;
    let pids: Vec<u32> = if args.len() == 1 {
        shell.jobs.iter().filter(|j| j.status.is_none()).map(|j| j.pid).collect()
    } else {
        args[1..].iter().filter_map(|a| job_pid(shell, a)).collect()
    };
    for pid in pids {
        status = match shell.jobs.iter().find(|j| j.pid == pid).and_then(|j| j.status) {
            Some(status) => status,
            None => shell.wait_for(pid)?,
        };
        shell.jobs.retain(|j| j.pid != pid);
    }
    Ok(if args.len() == 1 { 0 } else { status })
}

fn job_pid(shell: &Shell, text: &str) -> Option<u32> {
    match text.strip_prefix('%') {
        Some(number) => {
            let number: Option<usize> = number.parse().ok();
            let job = shell.jobs.iter().rev().find(|j| number.is_none_or(|n| n == j.number));
            job.map(|j| j.pid)
        }
        None => text.parse().ok(),
    }
}

fn kill(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let args: Vec<String> = args
        .iter()
        .map(|a| {
            if a.starts_with('%') { job_pid(shell, a).map_or_else(|| a.clone(), |p| p.to_string()) } else { a.clone() }
        })
        .collect();
    match applets::find("kill") {
        Some(applet) => {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut io = applets::Io { input: &mut std::io::empty(), out: &mut out, err: &mut err };
            let status = applet.run(&mut io, &args);
            let _ = shell.write(2, &err);
            let _ = shell.write(1, &out);
            Ok(status)
        }
        None => Ok(127),
    }
}

fn getopts(shell: &mut Shell, args: &[String]) -> Result<i32> {
    let (Some(spec), Some(name)) = (args.get(1), args.get(2)) else {
        return fail(shell, args, "usage: getopts optstring var [arg]", 2);
    };
    let words = if args.len() > 3 { args[3..].to_vec() } else { shell.positional.clone() };
    // OPTIND counts words; the place inside a word is kept beside it.
    let index: usize = shell.get("OPTIND").and_then(|v| v.parse().ok()).unwrap_or(1);
    let inner: usize = shell.get("__OPTPOS").and_then(|v| v.parse().ok()).unwrap_or(1);
    let word = words.get(index - 1).cloned().unwrap_or_default();
    if word.len() < 2 || !word.starts_with('-') || word == "--" {
        if word == "--" {
            shell.set("OPTIND", &(index + 1).to_string())?;
        }
        shell.set(name, "?")?;
        return Ok(1);
    }
    let letter = word[inner..].chars().next().unwrap_or('?');
    let end = inner + letter.len_utf8();
    let (mut next, mut position) = if end >= word.len() { (index + 1, 1) } else { (index, end) };
    let found = spec.find(letter).filter(|_| letter != ':');
    let takes = found.is_some_and(|i| spec[i + letter.len_utf8()..].starts_with(':'));
    let mut value = letter.to_string();
    if found.is_none() {
        shell.complain(&format!("Illegal option -{letter}"));
        value = "?".to_owned();
    } else if takes {
        let argument = if end < word.len() { Some(word[end..].to_owned()) } else { words.get(index).cloned() };
        next = if end < word.len() { index + 1 } else { index + 2 };
        position = 1;
        match argument {
            Some(argument) => shell.set("OPTARG", &argument)?,
            None => {
                shell.complain(&format!("No arg for -{letter} option"));
                value = "?".to_owned();
            }
        }
    }
    shell.set("OPTIND", &next.to_string())?;
    shell.set("__OPTPOS", &position.to_string())?;
    shell.set(name, &value)?;
    Ok(0)
}
