//! Commands and flags as data. One row gives parsing, help, completion and the exact errors.
//!
//! Upstream: spf13/pflag and spf13/cobra, `k8s.io/kubectl/pkg/util/templates` for the layout of help.

pub mod common;
pub mod help;
pub mod parse;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;

use crate::failure::Outcome;
use crate::session::Session;
pub use parse::Args;

/// The type of a flag's value, as pflag checks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagType {
    /// `--x`, `--x=false`.
    Bool,
    /// Text; the last one counts.
    Text,
    /// An integer of 64 bits.
    Int,
    /// An integer of 32 bits.
    Int32,
    /// A Go duration.
    Duration,
    /// Comma-separated, repeatable (`StringSlice`).
    Slice,
    /// Repeatable, commas kept (`StringArray`).
    Array,
}

/// One flag.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// Long name.
    pub name: &'static str,
    /// Shorthand.
    pub short: Option<char>,
    /// Type.
    pub kind: FlagType,
    /// Default, as help prints it inside the quotes.
    pub default: &'static str,
    /// Value when the flag is given without one; none when a value must follow.
    pub bare: Option<&'static str>,
    /// What it does, in our words.
    pub help: &'static str,
    /// Left out of help.
    pub hidden: bool,
}

impl Flag {
    const fn new(name: &'static str, kind: FlagType, default: &'static str, help: &'static str) -> Flag {
        let bare = if matches!(kind, FlagType::Bool) { Some("true") } else { None };
        Flag { name, short: None, kind, default, bare, help, hidden: false }
    }

    /// With a shorthand.
    pub const fn short(mut self, short: char) -> Flag {
        self.short = Some(short);
        self
    }

    /// With a value that stands for the bare flag.
    pub const fn bare(mut self, value: &'static str) -> Flag {
        self.bare = Some(value);
        self
    }

    /// Left out of help.
    pub const fn hidden(mut self) -> Flag {
        self.hidden = true;
        self
    }
}

/// A boolean flag that is false by default.
pub const fn switch(name: &'static str, help: &'static str) -> Flag {
    Flag::new(name, FlagType::Bool, "false", help)
}
/// A boolean flag that is true by default.
pub const fn switch_on(name: &'static str, help: &'static str) -> Flag {
    Flag::new(name, FlagType::Bool, "true", help)
}
/// A text flag.
pub const fn text(name: &'static str, default: &'static str, help: &'static str) -> Flag {
    Flag::new(name, FlagType::Text, default, help)
}
/// An integer flag.
pub const fn int(name: &'static str, default: &'static str, help: &'static str) -> Flag {
    Flag::new(name, FlagType::Int, default, help)
}
/// A 32-bit integer flag.
pub const fn int32(name: &'static str, default: &'static str, help: &'static str) -> Flag {
    Flag::new(name, FlagType::Int32, default, help)
}
/// A duration flag.
pub const fn duration(name: &'static str, default: &'static str, help: &'static str) -> Flag {
    Flag::new(name, FlagType::Duration, default, help)
}
/// A comma-separated, repeatable flag.
pub const fn slice(name: &'static str, help: &'static str) -> Flag {
    Flag::new(name, FlagType::Slice, "", help)
}
/// A repeatable flag.
pub const fn array(name: &'static str, help: &'static str) -> Flag {
    Flag::new(name, FlagType::Array, "", help)
}

/// What a command does.
pub type Run = fn(Rc<Session>, Args) -> LocalBoxFuture<'static, Outcome>;

/// What a command does when it is called.
#[derive(Clone, Copy)]
pub enum Action {
    /// Runs.
    Run(Run),
    /// Only a parent of commands: prints its help to standard output or standard error and fails.
    Group(HelpTo),
    /// Not built: refuses with this sentence.
    Refuse(&'static str),
}

/// Where a bare group prints its help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelpTo {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// One command.
#[derive(Clone, Copy)]
pub struct Command {
    /// Name.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// What follows the name in the usage line; empty for none.
    pub usage: &'static str,
    /// One line, for the parent's list.
    pub short: &'static str,
    /// What help begins with, in our words.
    pub long: &'static str,
    /// Examples: pairs of comment and command line.
    pub examples: &'static [(&'static str, &'static str)],
    /// Flags, in groups that several commands share.
    pub flags: &'static [&'static [Flag]],
    /// Flags that must be given (cobra's `MarkFlagRequired`).
    pub required: &'static [&'static str],
    /// Sub-commands.
    pub commands: &'static [&'static Command],
    /// What it does.
    pub action: Action,
}

/// A row to start from.
pub const COMMAND: Command = Command {
    name: "",
    aliases: &[],
    usage: "",
    short: "",
    long: "",
    examples: &[],
    flags: &[],
    required: &[],
    commands: &[],
    action: Action::Group(HelpTo::Err),
};

impl Command {
    /// The command's own flags.
    pub fn own_flags(&self) -> impl Iterator<Item = &'static Flag> + use<> {
        self.flags.iter().flat_map(|group| group.iter())
    }

    /// The flag of that name, own or global.
    pub fn flag(&self, name: &str) -> Option<&'static Flag> {
        self.own_flags().chain(common::GLOBAL).find(|f| f.name == name)
    }

    /// The flag of that shorthand, own or global.
    pub fn shorthand(&self, short: char) -> Option<&'static Flag> {
        self.own_flags().chain(common::GLOBAL).find(|f| f.short == Some(short))
    }

    /// The sub-command of that name or alias.
    pub fn child(&self, name: &str) -> Option<&'static Command> {
        self.commands.iter().copied().find(|c| c.name == name || c.aliases.contains(&name))
    }
}
