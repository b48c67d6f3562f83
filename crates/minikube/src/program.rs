//! The program: finds the command, reads its flags, runs it.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use machine::{Ctx, Program, Programs};

use crate::command::{Command, GLOBAL_FLAGS, Parsed, help, parse};
use crate::commands::COMMANDS;
use crate::host::ClusterHost;
use crate::out::{self, Style};
use crate::settings;

/// What a running command has.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) ctx: Ctx,
    pub(crate) host: Rc<dyn ClusterHost>,
    pub(crate) parsed: Parsed,
}

impl Call {
    /// The cluster that is meant.
    pub(crate) fn profile(&self) -> &str {
        self.parsed.value("profile")
    }

    /// Where the kubeconfig is.
    pub(crate) fn kubeconfig(&self) -> String {
        self.ctx.path(&crate::kubeconfig::path(|name| self.ctx.var(name)))
    }

    /// A line on standard output.
    pub(crate) async fn step(&self, style: Style, text: impl AsRef<str>) {
        out::step(&self.ctx, style, text).await;
    }

    /// A line on standard error.
    pub(crate) async fn error(&self, style: Style, text: impl AsRef<str>) {
        out::error(&self.ctx, style, text).await;
    }

    /// Says that there is no such cluster; the value is minikube's exit code for it.
    pub(crate) async fn no_profile(&self) -> i32 {
        let name = self.profile();
        self.step(
            Style::Shrug,
            format!("Profile \"{name}\" not found. Run \"minikube profile list\" to view all profiles."),
        )
        .await;
        self.start_tip().await;
        EXIT_NO_PROFILE
    }

    /// How to start the cluster that is meant.
    pub(crate) async fn start_tip(&self) {
        let name = self.profile();
        let flag = if name == crate::DEFAULT_PROFILE { String::new() } else { format!(" -p {name}") };
        self.step(Style::Workaround, format!("To start a cluster, run: \"minikube start{flag}\"")).await;
    }

    /// `Exiting due to REASON: message`; the value is the exit code given.
    pub(crate) async fn give_up(&self, reason: &str, code: i32, message: impl AsRef<str>) -> i32 {
        out::give_up(&self.ctx, reason, message.as_ref(), None).await;
        code
    }
}

/// minikube's exit code when a profile does not exist.
const EXIT_NO_PROFILE: i32 = 85;
/// minikube's exit code for a wrong command line.
const EXIT_USAGE: i32 = 14;

struct Minikube(Rc<dyn ClusterHost>);

/// Installs minikube.
pub fn install(programs: &mut Programs, host: Rc<dyn ClusterHost>) {
    programs.install(Rc::new(Minikube(host)));
}

impl Program for Minikube {
    fn names(&self) -> &[&str] {
        &["minikube"]
    }

    fn run(self: Rc<Self>, ctx: Ctx, args: Vec<String>) -> LocalBoxFuture<'static, i32> {
        Box::pin(async move { run(Rc::clone(&self.0), ctx, args.get(1..).unwrap_or(&[])).await })
    }

    fn complete(self: Rc<Self>, ctx: Ctx, words: Vec<String>) -> LocalBoxFuture<'static, Vec<String>> {
        Box::pin(async move { complete(&self.0, &ctx, &words).await })
    }
}

async fn run(host: Rc<dyn ClusterHost>, ctx: Ctx, words: &[String]) -> i32 {
    // Global flags may stand before the command.
    let position = words.iter().position(|w| !w.starts_with('-'));
    let position = match (position, words.first().map(String::as_str)) {
        (Some(1), Some("-p" | "--profile")) => words.iter().skip(2).position(|w| !w.starts_with('-')).map(|i| i + 2),
        (position, _) => position,
    };
    let Some(position) = position else {
        if words.iter().any(|w| w == "--version" || w == "-v") {
            let _ = ctx.out(format!("minikube version: {}\n", crate::VERSION)).await;
            return 0;
        }
        let _ = ctx.out(overview()).await;
        return 0;
    };
    let name = words[position].as_str();
    if name == "help" {
        let topic = words.get(position + 1).and_then(|topic| find(topic));
        let _ = ctx.out(topic.map_or_else(overview, help)).await;
        return 0;
    }
    let Some(command) = find(name) else {
        ctx.err(unknown_command(name)).await;
        return EXIT_USAGE;
    };
    let mut rest: Vec<String> = words[..position].to_vec();
    rest.extend_from_slice(&words[position + 1..]);
    match parse(&[command.flags, GLOBAL_FLAGS], &rest) {
        Err(problem) => {
            ctx.err(format!("Error: {problem}\nSee 'minikube {name} --help' for usage.\n")).await;
            EXIT_USAGE
        }
        Ok(parsed) if parsed.is_on("help") => {
            let _ = ctx.out(help(command)).await;
            0
        }
        Ok(mut parsed) => {
            if parsed.value("profile").is_empty() {
                let chosen = settings::profile(&ctx);
                parsed.values.insert("profile".into(), chosen);
            }
            (command.run)(Call { ctx, host, parsed }).await
        }
    }
}

fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().copied().find(|c| c.name == name || c.aliases.contains(&name))
}

fn overview() -> String {
    let mut text = String::from("minikube provisions and manages local Kubernetes clusters.\n\nCommands:\n");
    for command in COMMANDS {
        text.push_str(&format!("  {:<14} {}\n", command.name, command.help.lines().next().unwrap_or("")));
    }
    text.push_str("\nUse \"minikube <command> --help\" for more information about a given command.\n");
    text
}

fn unknown_command(name: &str) -> String {
    let close: Vec<&str> = COMMANDS.iter().map(|c| c.name).filter(|known| is_close(name, known)).collect();
    let mut text = format!("Error: unknown command \"{name}\" for \"minikube\"\n");
    if !close.is_empty() {
        text.push_str("\nDid you mean this?\n");
        for name in close {
            text.push_str(&format!("\t{name}\n"));
        }
        text.push('\n');
    }
    text.push_str("Run 'minikube --help' for usage.\n");
    text
}

/// cobra's rule: an edit distance of at most 2, or a common beginning.
fn is_close(typed: &str, known: &str) -> bool {
    known.starts_with(&typed.to_lowercase()) || machine::distance(typed, known) <= 2
}

/// Words that follow a command.
static WORDS: &[(&str, &[&str])] = &[
    ("addons", &["list", "enable", "disable"]),
    ("image", &["build", "load", "ls", "pull", "push", "rm", "save", "tag"]),
    ("node", &["list", "add", "start", "stop", "delete"]),
    ("profile", &["list"]),
    ("service", &["list"]),
];

async fn complete(host: &Rc<dyn ClusterHost>, ctx: &Ctx, words: &[String]) -> Vec<String> {
    let Some(last) = words.last() else { return Vec::new() };
    if words.len() == 2 {
        let names = COMMANDS.iter().map(|c| c.name.to_owned());
        return names.filter(|name| name.starts_with(last.as_str())).collect();
    }
    let before = words.get(words.len() - 2).map_or("", String::as_str);
    let mut found: Vec<String> = match (words[1].as_str(), before) {
        _ if last.starts_with('-') => {
            let flags = find(&words[1]).map_or(&[][..], |c| c.flags);
            flags.iter().chain(GLOBAL_FLAGS).map(|f| format!("--{}", f.name)).collect()
        }
        (_, "-p" | "--profile") => host.profiles(),
        ("addons", "enable" | "disable") => crate::commands::addons::names().map(str::to_owned).collect(),
        ("node", "start" | "stop" | "delete") => {
            let status = host.status(&settings::profile(ctx));
            status.map(|s| s.nodes.into_iter().map(|n| n.name).collect()).unwrap_or_default()
        }
        ("profile", "profile") => host.profiles().into_iter().chain(["list".to_owned()]).collect(),
        (command, before) if command == before => {
            let row = WORDS.iter().find(|(name, _)| *name == command);
            let mut all: Vec<String> =
                row.map_or(&[][..], |(_, words)| words).iter().map(|w| (*w).to_owned()).collect();
            if command == "service" {
                all.extend(services(host, ctx).await);
            }
            all
        }
        _ => Vec::new(),
    };
    found.retain(|word| word.starts_with(last.as_str()));
    found
}

/// The Services of the default namespace.
async fn services(host: &Rc<dyn ClusterHost>, ctx: &Ctx) -> Vec<String> {
    let status = host.status(&settings::profile(ctx)).filter(|s| s.running);
    let Some(transport) = status.and_then(|s| ctx.host.api(&s.server).ok()) else { return Vec::new() };
    let client = client::Client::new(transport, "minikube");
    let list = client.list(&api::kinds::SERVICES, "default", &client::ListOptions::default()).await;
    list.map(|list| list.items.iter().map(|s| s.name().to_owned()).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_answered_with_what_was_meant() {
        assert_eq!(
            unknown_command("statr"),
            "Error: unknown command \"statr\" for \"minikube\"\n\nDid you mean this?\n\tstart\n\tstatus\n\nRun 'minikube --help' for usage.\n"
        );
    }

    #[test]
    fn flags_are_read_as_pflag_reads_them() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let start = find("start").expect("start exists");
        let read = |text: &str| parse(&[start.flags, GLOBAL_FLAGS], &words(text));
        let parsed = read("--nodes=2 -p two").expect("fine");
        assert_eq!((parsed.value("nodes"), parsed.value("profile")), ("2", "two"));
        assert_eq!(read("--nope"), Err("unknown flag: --nope".into()));
        assert_eq!(read("-x"), Err("unknown shorthand flag: 'x' in -x".into()));
        assert_eq!(read("--nodes"), Err("flag needs an argument: --nodes".into()));
    }
}
