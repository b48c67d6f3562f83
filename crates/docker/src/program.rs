//! The program: finds the command and the engine that is meant, reads the flags, runs it.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use machine::{Ctx, Program};
use simulation::stub;

use crate::command::{Call, Command, Failure, Outcome};
use crate::commands::COMMANDS;
use crate::{Daemon, Machines};

/// docker as a program of a machine.
pub struct Docker(Rc<dyn Machines>);

impl Docker {
    /// With the machines that it can talk to.
    pub fn new(machines: Rc<dyn Machines>) -> Docker {
        Docker(machines)
    }
}

/// Words that begin commands of two.
const GROUPS: &[(&str, &str)] = &[
    ("builder", "Manage builds"),
    ("buildx", "Docker Buildx"),
    ("container", "Manage containers"),
    ("image", "Manage images"),
    ("system", "Manage Docker"),
];

/// What docker has and this has not.
const UNBUILT: &[(&str, &str)] = &[
    ("compose", stub!("docker", "docker compose")),
    ("config", stub!("docker", "docker config")),
    ("context", stub!("docker", "docker context")),
    ("cp", stub!("docker", "docker cp")),
    ("diff", stub!("docker", "docker diff")),
    ("events", stub!("docker", "docker events")),
    ("export", stub!("docker", "docker export")),
    ("import", stub!("docker", "docker import")),
    ("manifest", stub!("docker", "docker manifest")),
    ("network", stub!("docker", "docker network")),
    ("node", stub!("docker", "docker node")),
    ("pause", stub!("docker", "docker pause")),
    ("plugin", stub!("docker", "docker plugin")),
    ("search", stub!("docker", "docker search")),
    ("secret", stub!("docker", "docker secret")),
    ("service", stub!("docker", "docker service")),
    ("stack", stub!("docker", "docker stack")),
    ("stats", stub!("docker", "docker stats")),
    ("swarm", stub!("docker", "docker swarm")),
    ("top", stub!("docker", "docker top")),
    ("trust", stub!("docker", "docker trust")),
    ("unpause", stub!("docker", "docker unpause")),
    ("update", stub!("docker", "docker update")),
    ("volume", stub!("docker", "docker volume")),
];

impl Program for Docker {
    fn names(&self) -> &[&str] {
        &["docker"]
    }

    fn run(self: Rc<Self>, ctx: Ctx, args: Vec<String>) -> LocalBoxFuture<'static, i32> {
        Box::pin(async move {
            let stderr = ctx.stderr.clone();
            match run(&*self.0, ctx, args.get(1..).unwrap_or(&[])).await {
                Ok(code) => code,
                Err(failure) => {
                    if !failure.text.is_empty() {
                        // A broken one is nobody's concern.
                        let _ = stderr.println(&failure.text).await;
                    }
                    failure.code
                }
            }
        })
    }

    fn complete(self: Rc<Self>, ctx: Ctx, words: Vec<String>) -> LocalBoxFuture<'static, Vec<String>> {
        Box::pin(async move { complete(&*self.0, &ctx, &words) })
    }
}

/// The command that words begin with, the name that was typed, and how many words it has.
fn find(words: &[String]) -> Option<(&'static Command, String, usize)> {
    [2, 1].into_iter().filter(|count| words.len() >= *count).find_map(|count| {
        let name = words[..count].join(" ");
        let command = COMMANDS.iter().copied().find(|command| command.names.contains(&name.as_str()))?;
        Some((command, name, count))
    })
}

async fn run(machines: &dyn Machines, ctx: Ctx, words: &[String]) -> Outcome {
    let mut host = ctx.var("DOCKER_HOST").filter(|host| !host.is_empty()).map(str::to_owned);
    let mut words = words;
    // Flags of docker itself stand before the command.
    while let Some((flag, rest)) = words.split_first().filter(|(flag, _)| flag.starts_with('-')) {
        match (flag.as_str(), rest.split_first()) {
            ("-v" | "--version", _) => {
                let _ = ctx.out(format!("Docker version {}, build {}\n", crate::VERSION, crate::commands::BUILD)).await;
                return Ok(0);
            }
            ("--help", _) => {
                let _ = ctx.out(overview()).await;
                return Ok(0);
            }
            ("-H" | "--host", Some((given, rest))) => {
                host = Some(given.clone());
                words = rest;
            }
            _ => {
                return Err(Failure {
                    text: format!(
                        "unknown flag: {flag}\n\nUsage:  docker [OPTIONS] COMMAND [ARG...]\n\nRun 'docker --help' for more information"
                    ),
                    code: 125,
                });
            }
        }
    }
    let Some(first) = words.first() else {
        let _ = ctx.out(overview()).await;
        return Ok(0);
    };
    if first == "help" {
        let found = find(&words[1..]);
        let _ = ctx.out(found.map_or_else(overview, |(command, path, _)| command.help_text(&path))).await;
        return Ok(0);
    }
    let Some((command, path, count)) = find(words) else { return nothing_found(&ctx, words).await };
    let parsed = command.parse(&path, &words[count..])?;
    if parsed.is_on("help") {
        let _ = ctx.out(command.help_text(&path)).await;
        return Ok(0);
    }
    let daemon = daemon(machines, &ctx, host.as_deref())?;
    (command.run)(Call { ctx, daemon, parsed }).await
}

/// The engine that is meant: the machine's own, unless a host is named.
fn daemon(machines: &dyn Machines, ctx: &Ctx, host: Option<&str>) -> Result<Daemon, Failure> {
    let Some(host) = host else {
        let own = machines.local(&ctx.net);
        return own.ok_or_else(|| cannot_connect("unix:///var/run/docker.sock"));
    };
    let (scheme, address) = host.split_once("://").unwrap_or(("tcp", host));
    match scheme {
        "unix" => machines.local(&ctx.net).ok_or_else(|| cannot_connect(host)),
        "tcp" => machines.at(address).ok_or_else(|| cannot_connect(host)),
        _ => Err(format!("unable to parse docker host `{host}`").into()),
    }
}

fn cannot_connect(host: &str) -> Failure {
    format!("Cannot connect to the Docker daemon at {host}. Is the docker daemon running?").into()
}

async fn nothing_found(ctx: &Ctx, words: &[String]) -> Outcome {
    let first = words[0].as_str();
    if let Some((_, refusal)) = UNBUILT.iter().find(|(name, _)| *name == first) {
        return Err(format!("docker: {refusal}").into());
    }
    if GROUPS.iter().any(|(name, _)| *name == first) {
        return match words.get(1).filter(|word| !word.starts_with('-')) {
            None => {
                let _ = ctx.out(group(first)).await;
                Ok(0)
            }
            Some(word) => match UNBUILT.iter().find(|(name, _)| name == word) {
                Some((_, refusal)) => Err(format!("docker: {refusal}").into()),
                None => Err(format!("docker: unknown command: docker {first} {word}\n\nUsage:  docker {first} COMMAND\n\nRun 'docker {first} --help' for more information").into()),
            },
        };
    }
    Err(format!("docker: unknown command: docker {first}\n\nRun 'docker --help' for more information").into())
}

fn group(name: &str) -> String {
    let help = GROUPS.iter().find(|(group, _)| *group == name).map_or("", |(_, help)| help);
    let mut text = format!("Usage:  docker {name} COMMAND\n\n{help}\n\nCommands:\n");
    let of = |command: &&'static Command| {
        let names = command.names.iter();
        names.filter_map(|full| full.strip_prefix(name)?.strip_prefix(' ')).next().map(|short| (short, command.help))
    };
    let mut rows: Vec<(&str, &str)> = COMMANDS.iter().filter_map(of).collect();
    rows.sort_unstable();
    for (short, help) in rows {
        text.push_str(&format!("  {short:<11} {help}\n"));
    }
    text + &format!("\nRun 'docker {name} COMMAND --help' for more information on a command.\n")
}

fn overview() -> String {
    let mut text =
        String::from("Usage:  docker [OPTIONS] COMMAND\n\nA self-sufficient runtime for containers\n\nCommands:\n");
    let mut rows: Vec<(&str, &str)> = COMMANDS.iter().map(|command| (command.names[0], command.help)).collect();
    rows.retain(|(name, _)| !name.contains(' '));
    rows.sort_unstable();
    for (name, help) in rows {
        text.push_str(&format!("  {name:<11} {help}\n"));
    }
    text.push_str("\nManagement Commands:\n");
    for (name, help) in GROUPS {
        text.push_str(&format!("  {name:<11} {help}\n"));
    }
    text + "\nRun 'docker COMMAND --help' for more information on a command.\n"
}

fn complete(machines: &dyn Machines, ctx: &Ctx, words: &[String]) -> Vec<String> {
    let Some(last) = words.last() else { return Vec::new() };
    let before: Vec<String> = words[1..words.len() - 1].to_vec();
    let mut found: Vec<String> = match find(&before) {
        Some((command, ..)) if last.starts_with('-') => {
            command.flags.iter().map(|flag| format!("--{}", flag.name)).collect()
        }
        Some((command, ..)) => {
            let host = ctx.var("DOCKER_HOST").filter(|host| !host.is_empty());
            let Ok(daemon) = daemon(machines, ctx, host) else { return Vec::new() };
            if command.usage.contains("CONTAINER") {
                daemon.shown().into_iter().map(|container| container.name).collect()
            } else if command.usage.contains("IMAGE") {
                daemon.images().entries().into_iter().flat_map(|stored| stored.tags).collect()
            } else {
                Vec::new()
            }
        }
        None => {
            let prefix = before.first().map_or(String::new(), |group| format!("{group} "));
            let names = COMMANDS.iter().flat_map(|command| command.names.iter());
            let names = names.filter_map(|name| name.strip_prefix(&prefix)).filter(|name| !name.contains(' '));
            let groups = GROUPS.iter().map(|(name, _)| *name).filter(|_| before.is_empty());
            names.chain(groups).map(str::to_owned).collect()
        }
    };
    found.retain(|word| word.starts_with(last.as_str()));
    found.sort();
    found.dedup();
    found
}
