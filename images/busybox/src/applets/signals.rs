//! Names of signals.

const NAMES: &[(u32, &str)] = &[
    (1, "HUP"),
    (2, "INT"),
    (3, "QUIT"),
    (4, "ILL"),
    (5, "TRAP"),
    (6, "ABRT"),
    (7, "BUS"),
    (8, "FPE"),
    (9, "KILL"),
    (10, "USR1"),
    (11, "SEGV"),
    (12, "USR2"),
    (13, "PIPE"),
    (14, "ALRM"),
    (15, "TERM"),
    (17, "CHLD"),
    (18, "CONT"),
    (19, "STOP"),
    (20, "TSTP"),
    (28, "WINCH"),
];

/// The name of a number, without SIG.
pub fn name(signal: u32) -> Option<&'static str> {
    NAMES.iter().find(|(number, _)| *number == signal).map(|(_, name)| *name)
}

/// The number of `TERM`, `SIGTERM` or `15`.
pub fn parse(text: &str) -> Option<u32> {
    let upper = text.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    match short.parse::<u32>() {
        Ok(number) if number <= 64 => Some(number),
        Ok(_) => None,
        Err(_) => NAMES.iter().find(|(_, name)| *name == short).map(|(number, _)| *number),
    }
}

/// Numbers and names.
pub fn all() -> impl Iterator<Item = (u32, &'static str)> {
    NAMES.iter().copied()
}
