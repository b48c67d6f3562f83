//! The everyday programs of the machine, one file each.
//!
//! A tool is a row of [`TOOLS`]: names, synopsis, what it does, and the function that runs it.

mod basename;
mod bash;
mod cat;
mod chmod;
mod clear;
mod cp;
mod curl;
mod cut;
mod date;
mod diff;
mod encode;
mod environment;
mod find;
mod grep;
mod head;
mod host;
mod io;
mod ls;
mod mkdir;
mod mv;
mod options;
mod pager;
mod plain;
mod rm;
mod sed;
mod seq;
mod sleep;
mod sort;
mod tail;
mod tee;
mod touch;
mod tr;
mod unbuilt;
mod uniq;
mod visual;
mod watch;
mod wc;
mod which;
mod xargs;

pub(crate) use ls::grid;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use machine::{BrokenPipe, Ctx, Program, Programs};

/// How a tool ends: its exit code, or because nobody reads what it writes.
pub(crate) type Outcome = Result<i32, BrokenPipe>;

/// A tool.
pub(crate) struct Tool {
    /// Its names; the first is its own.
    names: &'static [&'static str],
    /// Its synopsis, for `--help`.
    usage: &'static str,
    /// What it does, for `--help`.
    about: &'static str,
    run: fn(Ctx, Vec<String>) -> LocalBoxFuture<'static, Outcome>,
}

macro_rules! rows {
    ($($names:expr, $usage:literal, $about:literal, $run:path;)*) => {
        &[$(Tool { names: &$names, usage: $usage, about: $about, run: |ctx, args| Box::pin($run(ctx, args)) },)*]
    };
}

/// All tools.
const TOOLS: &[Tool] = rows![
    ["base64"], "[OPTION]... [FILE]", "Encode or decode base64 (-d, -w COLS).", encode::base64;
    ["basename"], "NAME [SUFFIX]", "Print NAME without the directories before it.", basename::basename;
    ["cat"], "[OPTION]... [FILE]...", "Write files to standard output (-n numbers the lines).", cat::run;
    ["chmod"], "[-R] MODE FILE...", "Change the permissions of files.", chmod::run;
    ["clear"], "", "Clear the screen.", clear::run;
    ["cp"], "[-r] [-f] [-v] SOURCE... DEST", "Copy files.", cp::run;
    ["curl"], "[options...] <url>", "Transfer a URL (http only).", curl::run;
    ["cut"], "-b LIST | -c LIST | -f LIST [-d DELIM] [-s] [FILE]...", "Print parts of lines.", cut::run;
    ["date"], "[-u] [-d STRING] [-I[FMT]] [+FORMAT]", "Print the (virtual) date and time.", date::run;
    ["diff"], "[-u] [-q] FILE1 FILE2", "Compare files line by line.", diff::run;
    ["dirname"], "NAME...", "Print the directories of NAME.", basename::dirname;
    ["echo"], "[-neE] [STRING]...", "Write arguments to standard output.", plain::echo;
    ["env"], "[-i] [-u NAME] [NAME=VALUE]... [COMMAND [ARG]...]", "Run a command with other variables, or print them.", environment::env;
    ["false"], "", "Do nothing, unsuccessfully.", plain::no;
    ["find"], "[PATH...] [EXPRESSION]", "Search for files.", find::run;
    ["grep", "egrep", "fgrep"], "[OPTION]... PATTERNS [FILE]...", "Print lines that match.", grep::run;
    ["head"], "[-n LINES] [-c BYTES] [FILE]...", "Print the first part of files.", head::run;
    ["hostname"], "", "Print the name of this machine.", host::hostname;
    ["id"], "[-u] [-g] [-n]", "Print who you are.", host::id;
    ["less", "more"], "[FILE]...", "Show files a screen at a time.", pager::run;
    ["ln"], "[-s] [-f] TARGET LINK", "Make links.", touch::ln;
    ["ls"], "[-aAl1RdhrtSF] [FILE]...", "List files.", ls::run;
    ["mkdir"], "[-p] [-m MODE] DIRECTORY...", "Make directories.", mkdir::mkdir;
    ["mktemp"], "[-d] [TEMPLATE]", "Make a file of a new name.", mkdir::mktemp;
    ["mv"], "[-f] [-n] SOURCE... DEST", "Rename or move files.", mv::run;
    ["nproc"], "", "Print the number of processors.", host::nproc;
    ["printenv"], "[NAME]...", "Print environment variables.", environment::printenv;
    ["printf"], "FORMAT [ARGUMENT]...", "Write formatted arguments.", plain::printf;
    ["pwd"], "", "Print the working directory.", plain::pwd;
    ["readlink", "realpath"], "[-f] FILE", "Print where a link leads.", basename::readlink;
    ["rm"], "[-rfv] FILE...", "Remove files.", rm::rm;
    ["rmdir"], "DIRECTORY...", "Remove empty directories.", rm::rmdir;
    ["sed"], "[-n] [-i] [-E] [-e] SCRIPT [FILE]...", "Edit a stream of lines.", sed::run;
    ["seq"], "[-s STRING] [-w] [FIRST [STEP]] LAST", "Print numbers.", seq::run;
    ["sha256sum"], "[FILE]...", "Print SHA-256 digests.", encode::sha256sum;
    ["sleep"], "NUMBER[smhd]...", "Wait.", sleep::sleep;
    ["sort"], "[-nrufVh] [-k KEY] [-t SEP] [-o FILE] [FILE]...", "Sort lines.", sort::run;
    ["sudo"], "COMMAND [ARG]...", "Run a command (the learner may do everything already).", environment::sudo;
    ["tac"], "[FILE]...", "Print lines in reverse order.", tail::tac;
    ["tail"], "[-n LINES] [-c BYTES] [-f] [FILE]...", "Print the last part of files.", tail::run;
    ["tee"], "[-a] [FILE]...", "Copy standard input to files and to standard output.", tee::run;
    ["test", "["], "EXPRESSION", "Evaluate a condition.", plain::test;
    ["timeout"], "DURATION COMMAND [ARG]...", "Run a command for at most this long.", sleep::timeout;
    ["touch"], "[-c] FILE...", "Make files, or renew their time.", touch::touch;
    ["tr"], "[-cds] SET1 [SET2]", "Replace or delete characters.", tr::run;
    ["true"], "", "Do nothing, successfully.", plain::yes_code;
    ["uname"], "[-asnrvm]", "Print what this machine is.", host::uname;
    ["uniq"], "[-cdu] [INPUT]", "Merge equal neighbouring lines.", uniq::run;
    ["vi", "vim", "view", "nano"], "[FILE]...", "Edit files in a window beside the terminal.", visual::run;
    ["watch"], "[-n SECONDS] COMMAND", "Run a command again and again.", watch::run;
    ["wc"], "[-lwcm] [FILE]...", "Count lines, words and bytes.", wc::run;
    ["wget"], "[-q] [-O FILE] URL", "Download a URL (http only).", curl::wget;
    ["which"], "[-a] NAME...", "Print where programs are.", which::run;
    ["whoami"], "", "Print the name of the user.", host::whoami;
    ["xargs"], "[-n MAX] [-I STR] [-r] [COMMAND [ARG]...]", "Run a command with arguments from standard input.", xargs::run;
    ["yes"], "[STRING]", "Print a line without end.", plain::yes;
];

impl Program for &'static Tool {
    fn names(&self) -> &[&str] {
        self.names
    }

    fn run(self: Rc<Self>, ctx: Ctx, args: Vec<String>) -> LocalBoxFuture<'static, i32> {
        let tool = *self;
        Box::pin(async move {
            let outcome = if args.get(1).is_some_and(|a| a == "--help") && args[0] != "echo" {
                let text = format!("Usage: {} {}\n{}\n", args[0], tool.usage, tool.about);
                ctx.out(text).await.map(|()| 0)
            } else {
                (tool.run)(ctx, args).await
            };
            outcome.unwrap_or(141)
        })
    }
}

/// Installs the tools, `bash` and the programs that are refused by name.
pub fn install(programs: &mut Programs) {
    for tool in TOOLS {
        programs.install(Rc::new(tool));
    }
    programs.install(Rc::new(bash::Bash::default()));
    programs.install(Rc::new(unbuilt::Unbuilt));
}

/// The directory that a program is installed in.
pub(crate) fn home_of(name: &str) -> &'static str {
    let system =
        TOOLS.iter().any(|t| t.names.contains(&name)) || bash::NAMES.contains(&name) || unbuilt::is_system(name);
    if system { "/usr/bin" } else { "/usr/local/bin" }
}
