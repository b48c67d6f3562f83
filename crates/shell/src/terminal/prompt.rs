//! `PS1`: the escapes that prompts use.

use crate::shell::Shell;

/// The prompt of a new shell: `learner@kubonsai:~$ ` in green and yellow.
pub(super) const DEFAULT_PS1: &str = r"\[\e[32m\]\u@\h\[\e[0m\]:\[\e[33m\]\w\[\e[0m\]\$ ";
/// The prompt of a line that continues another.
pub(super) const DEFAULT_PS2: &str = "> ";

/// A prompt with its escapes resolved.
pub(super) fn expand(shell: &Shell, text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '$' && chars.peek().is_some_and(|c| c.is_ascii_alphabetic() || *c == '_') {
            let mut name = String::new();
            while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                name.push(c);
            }
            out.push_str(shell.vars.scalar(&name).unwrap_or_default());
            continue;
        }
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('u') => out.push_str(shell.vars.scalar("USER").unwrap_or("learner")),
            Some('h' | 'H') => out.push_str("kubonsai"),
            Some('w') => out.push_str(&short(shell)),
            Some('W') => {
                let short = short(shell);
                let base = vfs::path::basename(&short);
                out.push_str(if base.is_empty() { "/" } else { base });
            }
            Some('$') => out.push(if shell.fs.credentials().uid == 0 && shell.vars.scalar("USER") == Some("root") {
                '#'
            } else {
                '$'
            }),
            Some('e') => out.push('\x1b'),
            Some('n') => out.push('\n'),
            Some('a') => out.push('\x07'),
            Some('s') => out.push_str("bash"),
            Some('v') => out.push_str("5.2"),
            Some('#') => out.push_str(&(shell.history.borrow().lines().len() + 1).to_string()),
            Some('j') => out.push_str(&shell.jobs.0.len().to_string()),
            Some('t') => out.push_str(shell.sim.now().rfc3339().get(11..19).unwrap_or_default()),
            Some('[' | ']') => {}
            Some('0') => {
                let mut value = 0;
                for _ in 0..2 {
                    match chars.next_if(|c| c.is_digit(8)).and_then(|c| c.to_digit(8)) {
                        Some(d) => value = value * 8 + d,
                        None => break,
                    }
                }
                out.extend(char::from_u32(value));
            }
            Some('\\') => out.push('\\'),
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
            None => out.push('\\'),
        }
    }
    out
}

fn short(shell: &Shell) -> String {
    let home = shell.vars.scalar("HOME").unwrap_or_default();
    match shell.cwd.strip_prefix(home).filter(|_| home.len() > 1) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("~{rest}"),
        _ => shell.cwd.clone(),
    }
}
