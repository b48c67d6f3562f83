//! Breaking prose into lines, as `github.com/mitchellh/go-wordwrap` does, which kubectl prints with.

const NO_BREAK_SPACE: char = '\u{a0}';

/// The text with lines of at most `limit` characters; words that are longer stay whole.
pub fn wrap(limit: usize, text: &str) -> String {
    let mut out = String::new();
    let (mut word, mut space) = (String::new(), String::new());
    // Lengths in characters: of the line so far, of the word, of the space before it.
    let (mut line, mut word_len, mut space_len) = (0, 0, 0);
    for c in text.chars() {
        if c == '\n' {
            if word.is_empty() && line + space_len > limit {
                space.clear();
            }
            out.push_str(&space);
            out.push_str(&word);
            out.push('\n');
            (line, word_len, space_len) = (0, 0, 0);
            word.clear();
            space.clear();
        } else if c.is_whitespace() && c != NO_BREAK_SPACE {
            if space.is_empty() || !word.is_empty() {
                line += space_len + word_len;
                out.push_str(&space);
                out.push_str(&word);
                word.clear();
                space.clear();
                (word_len, space_len) = (0, 0);
            }
            space.push(c);
            space_len += 1;
        } else {
            word.push(c);
            word_len += 1;
            if line + space_len + word_len > limit && word_len < limit {
                out.push('\n');
                line = 0;
                space.clear();
                space_len = 0;
            }
        }
    }
    if !word.is_empty() || line + space_len <= limit {
        out.push_str(&space);
        out.push_str(&word);
    }
    out
}

/// Every line moved to the right by `amount`, empty ones too.
pub fn indent(amount: usize, text: &str) -> String {
    let pad = " ".repeat(amount);
    format!("{pad}{}", text.replace('\n', &format!("\n{pad}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces() {
        for (limit, text, wrapped) in [
            (10, "", ""),
            (10, "one two three", "one two\nthree"),
            (7, "one two three", "one two\nthree"),
            (5, "abcdefghij k", "abcdefghij\nk"),
            (10, "one\ntwo three four", "one\ntwo three\nfour"),
            (10, "one\n\n  two\n", "one\n\n  two\n"),
            (4, "ab  cd", "ab\ncd"),
            (6, "aé bé cé", "aé bé\ncé"),
        ] {
            assert_eq!(wrap(limit, text), wrapped, "{text:?}");
        }
        assert_eq!(indent(2, "a\n\nb\n"), "  a\n  \n  b\n  ");
    }
}
