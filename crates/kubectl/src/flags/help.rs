//! `--help`, in the layout of `k8s.io/kubectl/pkg/util/templates`. The words are ours.

use super::{Command, Flag, FlagType, common};

/// The groups of `kubectl --help`, in its order.
pub struct Group {
    /// Heading.
    pub title: &'static str,
    /// Members.
    pub commands: &'static [&'static Command],
}

/// The help of one command.
pub fn command(command: &Command, path: &str) -> String {
    let mut out = format!("{}\n", command.long.trim_end());
    if !command.aliases.is_empty() {
        let names: Vec<&str> = std::iter::once(command.name).chain(command.aliases.iter().copied()).collect();
        out.push_str(&format!("\nAliases:\n{}\n", names.join(", ")));
    }
    if !command.examples.is_empty() {
        let blocks: Vec<String> = command.examples.iter().map(|(why, line)| format!("  # {why}\n  {line}\n")).collect();
        out.push_str(&format!("\nExamples:\n{}", blocks.join("  \n")));
    }
    if !command.commands.is_empty() {
        out.push_str(&format!("\nAvailable Commands:\n{}", list(command.commands)));
    }
    let options = options(command.own_flags());
    if !options.is_empty() {
        out.push_str(&format!("\nOptions:\n{options}"));
    }
    let usage = if command.usage.is_empty() { String::new() } else { format!(" {}", command.usage) };
    out.push_str(&format!("\nUsage:\n  {path}{usage} [options]\n\n"));
    if !command.commands.is_empty() {
        out.push_str(&format!("Use \"{path} <command> --help\" for more information about a given command.\n"));
    }
    out.push_str(GLOBAL_HINT);
    out
}

const GLOBAL_HINT: &str =
    "Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n";

/// The help of `kubectl` itself.
pub fn root(intro: &str, groups: &[Group]) -> String {
    let mut out = format!("{intro}\n");
    for group in groups {
        out.push_str(&format!("\n{}:\n{}", group.title, list(group.commands)));
    }
    out.push_str("\nUsage:\n  kubectl [flags] [options]\n\n");
    out.push_str("Use \"kubectl <command> --help\" for more information about a given command.\n");
    out.push_str(GLOBAL_HINT);
    out
}

/// `kubectl options`.
pub fn globals() -> String {
    format!("The following options can be passed to any command:\n\n{}", options(common::GLOBAL.iter()))
}

fn list(commands: &[&Command]) -> String {
    let width = commands.iter().map(|c| c.name.len()).max().unwrap_or(0).max(11);
    commands.iter().map(|c| format!("  {:width$}   {}\n", c.name, c.short)).collect()
}

fn options(flags: impl Iterator<Item = &'static Flag>) -> String {
    let mut flags: Vec<&Flag> = flags.filter(|f| !f.hidden).collect();
    flags.sort_by_key(|f| f.name);
    let blocks: Vec<String> = flags.iter().map(|f| option(f)).collect();
    blocks.join("\n")
}

fn option(flag: &Flag) -> String {
    let short = flag.short.map(|c| format!("-{c}, ")).unwrap_or_default();
    let default = match flag.kind {
        FlagType::Text => format!("'{}'", flag.default),
        FlagType::Slice | FlagType::Array => format!("[{}]", flag.default),
        _ => flag.default.to_owned(),
    };
    format!("    {short}--{}={default}:\n\t{}\n", flag.name, flag.help)
}
