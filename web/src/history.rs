//! Undo: where in the log of a session its last command begins. What was before it is played again.

use cluster::{Input, LogEntry};

/// Keys that end a line at a terminal: Enter, and the two that abandon it (Ctrl-C, Ctrl-D).
const ENDS_OF_LINE: [char; 4] = ['\r', '\n', '\u{3}', '\u{4}'];

/// The place of the first key of the last line that was entered; none if no line was. Everything from there on goes
/// when the command is undone: what was typed later, in whatever terminal, was typed into a world that had it.
pub fn last_command(log: &[LogEntry]) -> Option<usize> {
    let keys = |entry: &LogEntry, ends: &[char]| match &entry.input {
        Input::Keys { id, text } => Some((*id, text.contains(ends))),
        _ => None,
    };
    let entered = log.iter().rposition(|entry| matches!(keys(entry, &ENDS_OF_LINE[..2]), Some((_, true))))?;
    let (terminal, _) = keys(&log[entered], &[])?;
    let mut begin = entered;
    for (index, entry) in log[..entered].iter().enumerate().rev() {
        match keys(entry, &ENDS_OF_LINE) {
            Some((id, true)) if id == terminal => break,
            Some((id, false)) if id == terminal => begin = index,
            _ => {}
        }
    }
    Some(begin)
}

#[cfg(test)]
mod tests {
    use simulation::Time;

    use super::*;

    fn log(keys: &[(u8, &str)]) -> Vec<LogEntry> {
        let open = Input::OpenTerminal { id: 1, cols: 80, rows: 24 };
        let typed = keys.iter().map(|(id, text)| Input::Keys { id: *id, text: (*text).to_owned() });
        std::iter::once(open)
            .chain(typed)
            .enumerate()
            .map(|(second, input)| LogEntry { at: Time::from_unix_seconds(second as i64), input })
            .collect()
    }

    #[test]
    fn the_last_command_begins_with_its_first_key() {
        for (keys, expected) in [
            (&[][..], None),
            (&[(1, "l")], None),
            (&[(1, "ls\r")], Some(1)),
            (&[(1, "l"), (1, "s"), (1, "\r")], Some(1)),
            (&[(1, "ls\r"), (1, "p"), (1, "s"), (1, "\r")], Some(2)),
            // What came after it goes with it.
            (&[(1, "ls\r"), (1, "ps\r"), (1, "x")], Some(2)),
            (&[(1, "watch ls\r"), (1, "\u{3}")], Some(1)),
            // A line that was given up is not a part of the next one.
            (&[(1, "wrong"), (1, "\u{3}"), (1, "ls\r")], Some(3)),
            // Other terminals are other lines.
            (&[(1, "ls\r"), (1, "p"), (2, "echo\r"), (1, "s\r")], Some(2)),
            (&[(2, "kubectl proxy\r"), (1, "curl\r")], Some(2)),
        ] {
            assert_eq!(last_command(&log(keys)), expected, "{keys:?}");
        }
    }
}
