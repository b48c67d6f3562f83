//! Files of environment variables: `NAME='value'` (`pkg/kubelet/util/env`).
//!
//! A small part of what a shell takes: values stand in single quotes and may span lines, `#` begins a comment, and nothing
//! is expanded.

use crate::limits::ENV_FILE_LINE_BYTES_MAX;

/// The value of `key`; empty if the file does not have it.
///
/// # Errors
/// When a line up to it cannot be read, or is too long.
pub(crate) fn value(text: &str, key: &str) -> Result<String, String> {
    let fits = |line: &&str| line.len() < ENV_FILE_LINE_BYTES_MAX;
    let mut lines = text.lines().take_while(fits).enumerate();
    while let Some((at, line)) = lines.next() {
        let number = at + 1;
        let bad = |what: &str| Err(format!("invalid environment variable format at line {number}: {what}"));
        let line = line.trim_start_matches([' ', '\t']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, given)) = line.split_once('=') else { return bad("missing '='") };
        if name.trim_end_matches([' ', '\t']).is_empty() {
            return bad("empty variable name");
        }
        if name.ends_with([' ', '\t']) {
            return bad("whitespace before '=' is not allowed");
        }
        // As in a shell, a blank there ends the value.
        if given.starts_with([' ', '\t']) {
            if name == key {
                return Ok(String::new());
            }
            continue;
        }
        let Some(mut rest) = given.strip_prefix('\'') else { return bad("value must be enclosed in single quotes") };
        let mut found = String::new();
        while !rest.contains('\'') {
            found.push_str(rest);
            found.push('\n');
            let Some((_, next)) = lines.next() else {
                return Err(format!(
                    "invalid environment variable format starting at line {number}: unclosed single quote"
                ));
            };
            rest = next;
        }
        let (last, behind) = rest.split_once('\'').expect("a quote was found just above");
        found.push_str(last);
        let behind = behind.trim_start_matches([' ', '\t']);
        if !behind.is_empty() && !behind.starts_with('#') {
            return bad("unexpected content after closing quote");
        }
        if name == key {
            return Ok(found);
        }
    }
    if text.lines().all(|line| fits(&line)) {
        Ok(String::new())
    } else {
        Err("error reading environment variable file: bufio.Scanner: token too long".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let text = "# a comment\n\n  A='one' # inline\nB='two\nlines $A'\nEMPTY= 'x'\nC='three'";
        for (key, expected) in [("A", "one"), ("B", "two\nlines $A"), ("C", "three"), ("EMPTY", ""), ("NO", "")] {
            assert_eq!(value(text, key).as_deref(), Ok(expected), "{key}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_ends_the_reading() {
        let long = format!("A='one'\n#{}\nB='two'", "x".repeat(64 * 1024 - 1));
        assert_eq!(value(&long, "A").as_deref(), Ok("one"));
        assert_eq!(
            value(&long, "B").unwrap_err(),
            "error reading environment variable file: bufio.Scanner: token too long"
        );
        assert_eq!(value(&long.replacen('x', "", 1), "B").as_deref(), Ok("two"));
    }

    #[test]
    fn refusals() {
        let bad = |text: &str| value(text, "X").unwrap_err();
        assert_eq!(bad("A"), "invalid environment variable format at line 1: missing '='");
        assert_eq!(bad("='x'"), "invalid environment variable format at line 1: empty variable name");
        assert_eq!(
            bad("\nA ='x'"),
            "invalid environment variable format at line 2: whitespace before '=' is not allowed"
        );
        assert_eq!(
            bad("A=x"),
            "invalid environment variable format at line 1: value must be enclosed in single quotes"
        );
        assert_eq!(bad("A='x"), "invalid environment variable format starting at line 1: unclosed single quote");
        assert_eq!(
            bad("A='x'y"),
            "invalid environment variable format at line 1: unexpected content after closing quote"
        );
    }
}
