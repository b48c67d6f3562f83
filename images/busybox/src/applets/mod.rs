//! The applets: a row in the table and a file each.

mod awk;
mod base64;
mod basename;
mod cat;
mod chmod;
mod clear;
mod copy;
mod curl;
mod cut;
mod date;
mod df;
mod dirname;
mod du;
mod echo;
mod env;
mod expr;
mod find;
mod grep;
mod head;
mod hexdump;
mod hostname;
mod id;
mod kill;
mod ln;
mod ls;
mod mkdir;
mod mktemp;
mod nc;
mod nslookup;
mod numbers;
mod printf;
mod ps;
mod pwd;
mod readlink;
mod refused;
mod remove;
mod sed;
mod seq;
pub mod signals;
mod sleep;
mod sort;
mod stat;
mod sum;
mod tail;
mod tar;
mod tee;
mod test;
mod timeout;
mod touch;
mod tr;
mod truth;
mod uname;
mod uniq;
mod uptime;
mod wc;
mod wget;
mod which;
mod xargs;
mod yes;

pub use crate::applet::{Applet, Io};

macro_rules! applets {
    ($($name:literal $folder:literal $run:path, $usage:literal $($in_shell:ident)?;)*) => {
        const APPLETS: &[Applet] = &[$(Applet {
            name: $name, folder: $folder, run: $run, usage: $usage, in_shell: applets!(@$($in_shell)?),
        },)*];
    };
    (@in_shell) => { true };
    (@) => { false };
}

applets! {
    "[" "usr/bin" test::run, "EXPRESSION ]" in_shell;
    "arch" "bin" uname::arch, "";
    "awk" "usr/bin" awk::run, "[-F SEP] [-v VAR=VALUE] PROGRAM [FILE]...";
    "base64" "bin" base64::run, "[-d] [-w COL] [FILE]";
    "basename" "usr/bin" basename::run, "FILE [SUFFIX]" in_shell;
    "cat" "bin" cat::run, "[-nbvteA] [FILE]...";
    "chgrp" "bin" chmod::chgrp, "[-R] GROUP FILE...";
    "chmod" "bin" chmod::run, "[-R] MODE FILE...";
    "chown" "bin" chmod::chown, "[-R] USER[:GROUP] FILE...";
    "clear" "usr/bin" clear::run, "";
    "cp" "bin" copy::cp, "[-arf] SOURCE... DEST";
    "curl" "usr/bin" curl::run, "[options] URL";
    "cut" "usr/bin" cut::run, "[-b|-c|-f LIST] [-d SEP] [-s] [FILE]...";
    "date" "bin" date::run, "[-u] [-d TIME] [+FMT]";
    "df" "bin" df::run, "[-h] [FILE]...";
    "dirname" "usr/bin" dirname::run, "FILE" in_shell;
    "du" "usr/bin" du::run, "[-sh] [FILE]...";
    "echo" "bin" echo::run, "[-neE] [ARG]..." in_shell;
    "egrep" "bin" grep::egrep, "[-ivnclqowhHrE] PATTERN [FILE]...";
    "env" "usr/bin" env::run, "[-i] [-u NAME] [NAME=VALUE]... [PROG ARGS]";
    "expr" "usr/bin" expr::run, "EXPRESSION" in_shell;
    "false" "bin" truth::no, "" in_shell;
    "fgrep" "bin" grep::fgrep, "[-ivnclqowhHr] PATTERN [FILE]...";
    "find" "usr/bin" find::run, "[PATH]... [-name P] [-type T] [-maxdepth N] [-exec CMD ;]";
    "free" "usr/bin" refused::run, "";
    "grep" "bin" grep::run, "[-ivnclqowhHrEFABC] PATTERN [FILE]...";
    "gunzip" "bin" refused::run, "";
    "gzip" "bin" refused::run, "";
    "head" "usr/bin" head::run, "[-n N] [-c N] [FILE]...";
    "hexdump" "usr/bin" hexdump::run, "[-C] [FILE]...";
    "hostname" "bin" hostname::run, "[-i]";
    "id" "usr/bin" id::run, "[-u] [-g] [-n]";
    "ifconfig" "sbin" refused::run, "";
    "ip" "sbin" refused::run, "";
    "kill" "bin" kill::run, "[-l] [-SIG] PID...";
    "killall" "usr/bin" kill::killall, "[-SIG] NAME...";
    "less" "usr/bin" cat::pager, "[FILE]...";
    "ln" "bin" ln::run, "[-sf] TARGET... LINK";
    "ls" "bin" ls::run, "[-1AaCdFhilnRrSt] [FILE]...";
    "md5sum" "usr/bin" sum::md5, "[FILE]...";
    "mkdir" "bin" mkdir::run, "[-p] [-m MODE] DIRECTORY...";
    "mktemp" "bin" mktemp::run, "[-d] [TEMPLATE]";
    "more" "bin" cat::pager, "[FILE]...";
    "mount" "bin" df::mount, "";
    "mv" "bin" copy::mv, "[-f] SOURCE... DEST";
    "nc" "usr/bin" nc::run, "[-luvz] [-w SEC] [-p PORT] [HOST] [PORT]";
    "netstat" "bin" refused::run, "";
    "nl" "usr/bin" cat::nl, "[FILE]...";
    "nproc" "usr/bin" uname::nproc, "";
    "nslookup" "usr/bin" nslookup::run, "[-type=QUERY_TYPE] HOST [DNS_SERVER]";
    "od" "usr/bin" hexdump::od, "[-c] [-x] [FILE]...";
    "pgrep" "usr/bin" ps::pgrep, "NAME";
    "pidof" "bin" ps::pidof, "NAME";
    "ping" "bin" refused::run, "";
    "printenv" "bin" env::printenv, "[VARIABLE]...";
    "printf" "usr/bin" printf::run, "FORMAT [ARG]..." in_shell;
    "ps" "bin" ps::run, "[-ef] [aux] [-o COL]";
    "pwd" "bin" pwd::run, "";
    "readlink" "usr/bin" readlink::run, "[-f] FILE";
    "realpath" "usr/bin" readlink::realpath, "FILE...";
    "rm" "bin" remove::rm, "[-irf] FILE...";
    "rmdir" "bin" remove::rmdir, "[-p] DIRECTORY...";
    "sed" "bin" sed::run, "[-n] [-E] [-i] [-e CMD]... [FILE]...";
    "seq" "usr/bin" seq::run, "[-w] [-s SEP] [FIRST [INC]] LAST";
    "sha256sum" "usr/bin" sum::sha256, "[FILE]...";
    "sleep" "bin" sleep::run, "N[smhd]...";
    "sort" "usr/bin" sort::run, "[-nrufhk] [-t CHAR] [FILE]...";
    "stat" "bin" stat::run, "[-c FMT] FILE...";
    "sync" "bin" truth::yes, "";
    "tac" "usr/bin" cat::tac, "[FILE]...";
    "tail" "usr/bin" tail::run, "[-f] [-n N] [-c N] [FILE]...";
    "tar" "bin" tar::run, "c|x|t [-vO] [-f FILE] [-C DIR] [FILE]...";
    "tee" "usr/bin" tee::run, "[-a] [FILE]...";
    "telnet" "usr/bin" refused::run, "";
    "test" "usr/bin" test::run, "EXPRESSION" in_shell;
    "timeout" "usr/bin" timeout::run, "[-s SIG] SECS PROG ARGS";
    "top" "usr/bin" refused::run, "";
    "touch" "bin" touch::run, "[-c] FILE...";
    "tr" "usr/bin" tr::run, "[-cds] STRING1 [STRING2]";
    "traceroute" "usr/bin" refused::run, "";
    "true" "bin" truth::yes, "" in_shell;
    "tty" "usr/bin" id::tty, "";
    "uname" "bin" uname::run, "[-amnrspvio]";
    "uniq" "usr/bin" uniq::run, "[-cdu] [INPUT]";
    "unzip" "usr/bin" refused::run, "";
    "uptime" "usr/bin" uptime::run, "";
    "usleep" "bin" sleep::micro, "N";
    "vi" "bin" refused::run, "";
    "watch" "bin" refused::run, "";
    "wc" "usr/bin" wc::run, "[-clwm] [FILE]...";
    "wget" "usr/bin" wget::run, "[-qSO FILE] [--spider] [-T SEC] URL";
    "which" "usr/bin" which::run, "COMMAND...";
    "whoami" "usr/bin" id::whoami, "";
    "xargs" "usr/bin" xargs::run, "[-n N] [-I REPL] [PROG ARGS]";
    "yes" "usr/bin" yes::run, "[STRING]";
}

/// The row of a name.
pub fn find(name: &str) -> Option<&'static Applet> {
    APPLETS.iter().find(|a| a.name == name)
}

/// The names of all applets.
pub fn names() -> impl Iterator<Item = &'static str> {
    APPLETS.iter().map(|a| a.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The links that images get; the packer reads this file.
    const LINKS: &str = include_str!("../../applets.txt");

    #[test]
    fn every_applet_has_its_link() {
        let mut links: Vec<String> = APPLETS.iter().map(|a| format!("{}/{}", a.folder, a.name)).collect();
        links.extend(["bin/sh".to_owned(), "bin/ash".to_owned()]);
        links.sort();
        assert_eq!(LINKS.lines().collect::<Vec<_>>(), links, "applets.txt is out of date");
        assert!(APPLETS.iter().map(|a| a.name).is_sorted());
    }
}
