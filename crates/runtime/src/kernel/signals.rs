//! Signals of Linux, as far as programs here meet them.

#![allow(missing_docs, reason = "the names are those of signal.h")]

pub const HUP: u32 = 1;
pub const INT: u32 = 2;
pub const QUIT: u32 = 3;
pub const KILL: u32 = 9;
pub const PIPE: u32 = 13;
pub const TERM: u32 = 15;
pub const CHLD: u32 = 17;
pub const WINCH: u32 = 28;
/// The highest number.
pub const MAX: u32 = 64;

/// What a process does with a signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Disposition {
    /// End the process, unless the signal is one that is ignored by default.
    #[default]
    Default,
    /// Nothing.
    Ignore,
    /// Remember it and interrupt the call that blocks.
    Catch,
}

/// Whether a signal does nothing by default.
pub fn is_ignored_by_default(signal: u32) -> bool {
    matches!(signal, CHLD | WINCH | 23 | 18) // URG, CONT
}

/// The number of a name such as `SIGTERM`, `TERM` or `15`.
pub fn parse(name: &str) -> Option<u32> {
    const NAMES: &[(&str, u32)] = &[
        ("HUP", HUP),
        ("INT", INT),
        ("QUIT", QUIT),
        ("ABRT", 6),
        ("KILL", KILL),
        ("USR1", 10),
        ("USR2", 12),
        ("PIPE", PIPE),
        ("ALRM", 14),
        ("TERM", TERM),
        ("CHLD", CHLD),
        ("WINCH", WINCH),
    ];
    let short = name.strip_prefix("SIG").unwrap_or(name);
    let named = NAMES.iter().find(|(n, _)| *n == short).map(|(_, number)| *number);
    named.or_else(|| short.parse().ok()).filter(|number| (1..=MAX).contains(number))
}
