//! Commands that are part of the shell because they change it or look into it.

pub(crate) mod control;
mod declare;
mod dirs;
mod jobs;
mod lookup;
mod misc;
mod options;
pub(crate) mod output;
mod read;
pub(crate) mod test;

pub(crate) use lookup::file_of;

use futures_util::future::LocalBoxFuture;

use crate::exec::Exec;
use crate::shell::Shell;

/// Runs a builtin; `args[0]` is its name.
pub(crate) type Run = for<'a> fn(&'a mut Shell, &'a [String]) -> LocalBoxFuture<'a, Exec>;

/// A builtin.
pub(crate) struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// Its synopsis, for `help`.
    pub usage: &'static str,
    /// What it does, in one line, for `help`.
    pub about: &'static str,
    pub run: Run,
}

macro_rules! rows {
    ($($name:literal, $usage:literal, $about:literal, $run:path;)*) => {
        &[$(Builtin { name: $name, usage: $usage, about: $about, run: |sh, args| Box::pin($run(sh, args)) },)*]
    };
}

/// All builtins in order of name.
pub(crate) const BUILTINS: &[Builtin] = rows![
    ".", ". filename [arguments]", "Run the commands of a file in this shell.", control::source;
    ":", ":", "Do nothing, successfully.", control::colon;
    "[", "[ arg... ]", "Evaluate a condition.", test::run;
    "alias", "alias [name[=value] ... ]", "Define or show aliases.", lookup::alias;
    "bg", "bg [job_spec ...]", "Continue a job in the background.", jobs::bg;
    "break", "break [n]", "Leave a loop.", control::leave_loop;
    "builtin", "builtin [shell-builtin [arg ...]]", "Run a builtin, not a function of that name.", lookup::builtin;
    "cd", "cd [-L|[-P [-e]] [-@]] [dir]", "Change the working directory.", dirs::cd;
    "command", "command [-pVv] command [arg ...]", "Run or describe a command, not a function.", lookup::command;
    "continue", "continue [n]", "Go on with the next turn of a loop.", control::leave_loop;
    "declare", "declare [-aAgilnrux] [-p] [name[=value] ...]", "Declare variables and their attributes.", declare::declare;
    "dirs", "dirs", "Show the directory stack.", dirs::dirs;
    "disown", "disown [jobspec ...]", "Forget jobs.", jobs::disown;
    "echo", "echo [-neE] [arg ...]", "Write arguments to standard output.", output::echo;
    "eval", "eval [arg ...]", "Run arguments as a command.", control::eval;
    "exec", "exec [command [argument ...]] [redirection ...]", "Replace the shell, or change its streams.", control::exec;
    "exit", "exit [n]", "Leave the shell.", control::exit;
    "export", "export [-fn] [name[=value] ...] or export -p", "Give variables to programs.", declare::export;
    "false", "false", "Do nothing, unsuccessfully.", control::no;
    "fg", "fg [job_spec]", "Continue a job in the foreground.", jobs::fg;
    "getopts", "getopts optstring name [arg ...]", "Parse options of a script.", misc::getopts;
    "hash", "hash [-r]", "Remembered places of programs (none are kept).", misc::hash;
    "help", "help [pattern ...]", "Describe builtins.", misc::help;
    "history", "history [-c] [n]", "Show or clear the history.", misc::history;
    "jobs", "jobs [-lp] [jobspec ...]", "Show the jobs.", jobs::jobs;
    "kill", "kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]", "Send a signal.", jobs::kill;
    "let", "let arg [arg ...]", "Evaluate arithmetic.", control::arithmetic;
    "local", "local [option] name[=value] ...", "Declare variables of a function.", declare::local;
    "logout", "logout [n]", "Leave a login shell.", control::exit;
    "mapfile", "mapfile [-t] [array]", "Read lines into an array.", read::mapfile;
    "popd", "popd", "Remove a directory from the stack.", dirs::popd;
    "printf", "printf [-v var] format [arguments]", "Write formatted arguments.", output::printf;
    "ps", "ps [-ef] [aux]", "Show the processes.", jobs::ps;
    "pushd", "pushd [dir]", "Add a directory to the stack.", dirs::pushd;
    "pwd", "pwd [-LP]", "Print the working directory.", dirs::pwd;
    "read", "read [-ers] [-a array] [-d delim] [-n nchars] [-p prompt] [-t timeout] [name ...]", "Read a line.", read::read;
    "readarray", "readarray [-t] [array]", "Read lines into an array.", read::mapfile;
    "readonly", "readonly [name[=value] ...] or readonly -p", "Make variables unchangeable.", declare::readonly;
    "return", "return [n]", "Leave a function.", control::leave_function;
    "set", "set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]", "Set options and positional parameters.", options::set;
    "shift", "shift [n]", "Drop positional parameters.", control::shift;
    "shopt", "shopt [-pqsu] [optname ...]", "Set further options.", options::shopt;
    "source", "source filename [arguments]", "Run the commands of a file in this shell.", control::source;
    "test", "test [expr]", "Evaluate a condition.", test::run;
    "times", "times", "Show the processor time used (not modelled).", misc::times;
    "trap", "trap [-lp] [[arg] signal_spec ...]", "Run a command at the end or on a signal.", control::trap;
    "true", "true", "Do nothing, successfully.", control::colon;
    "type", "type [-afptP] name [name ...]", "Tell what a name leads to.", lookup::kind;
    "typeset", "typeset [-aAgilnrux] [-p] name[=value] ...", "Declare variables and their attributes.", declare::declare;
    "umask", "umask [mode]", "Show or set the file mode mask.", misc::umask;
    "unalias", "unalias [-a] name [name ...]", "Remove aliases.", lookup::unalias;
    "unset", "unset [-f] [-v] [name ...]", "Remove variables or functions.", declare::unset;
    "wait", "wait [pid or jobspec ...]", "Wait for jobs.", jobs::wait;
];

/// The builtin of that name.
pub(crate) fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|b| b.name == name)
}

/// The usage lines after an error of use.
pub(crate) async fn usage(sh: &Shell, name: &str) -> Exec {
    if let Some(builtin) = find(name) {
        sh.err(format!("{name}: usage: {}\n", builtin.usage)).await;
    }
    Ok(2)
}

/// `name: -x: invalid option` and the usage.
pub(crate) async fn bad_option(sh: &Shell, name: &str, option: &str) -> Exec {
    sh.complain(&format!("{name}: {option}: invalid option")).await;
    usage(sh, name).await
}
