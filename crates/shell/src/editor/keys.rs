//! Keys from bytes.

/// What was pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A printable character.
    Char(char),
    /// Ctrl with a letter (lower case) or `_`.
    Ctrl(char),
    /// Alt (or Escape before) with a character.
    Alt(char),
    /// Enter.
    Enter,
    /// Tab.
    Tab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Home.
    Home,
    /// End.
    End,
    /// Ctrl-Left.
    WordLeft,
    /// Ctrl-Right.
    WordRight,
    /// A text that was pasted.
    Paste(String),
    /// A sequence that means nothing here.
    Unknown,
}

const PASTE_START: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// The first key of the bytes and how many it took; none if the bytes end within it.
pub fn next(bytes: &[u8]) -> Option<(Key, usize)> {
    let first = *bytes.first()?;
    match first {
        b'\r' | b'\n' => Some((Key::Enter, 1)),
        b'\t' => Some((Key::Tab, 1)),
        0x7f | 0x08 => Some((Key::Backspace, 1)),
        0x1b => escape(bytes),
        0x00 => Some((Key::Unknown, 1)),
        0x01..=0x1a => Some((Key::Ctrl(char::from(first - 1 + b'a')), 1)),
        0x1f => Some((Key::Ctrl('_'), 1)),
        0x1c..=0x1e => Some((Key::Unknown, 1)),
        _ => character(bytes),
    }
}

fn character(bytes: &[u8]) -> Option<(Key, usize)> {
    let length = match bytes[0] {
        0x00..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => return Some((Key::Unknown, 1)),
    };
    if bytes.len() < length {
        return None;
    }
    match std::str::from_utf8(&bytes[..length]).ok().and_then(|t| t.chars().next()) {
        Some(c) => Some((Key::Char(c), length)),
        None => Some((Key::Unknown, 1)),
    }
}

fn escape(bytes: &[u8]) -> Option<(Key, usize)> {
    if bytes.starts_with(PASTE_START) {
        let rest = &bytes[PASTE_START.len()..];
        let end = rest.windows(PASTE_END.len()).position(|w| w == PASTE_END)?;
        let text = String::from_utf8_lossy(&rest[..end]).into_owned();
        return Some((Key::Paste(text), PASTE_START.len() + end + PASTE_END.len()));
    }
    match bytes.get(1)? {
        b'[' => {
            let end = bytes[2..].iter().position(|b| (0x40..=0x7e).contains(b))? + 2;
            Some((control_sequence(&bytes[2..=end]), end + 1))
        }
        b'O' => Some((arrow(*bytes.get(2)?), 3)),
        0x7f | 0x08 => Some((Key::Alt('\x08'), 2)),
        0x1b => Some((Key::Unknown, 1)),
        _ => match character(&bytes[1..])? {
            (Key::Char(c), length) => Some((Key::Alt(c), length + 1)),
            (_, length) => Some((Key::Unknown, length + 1)),
        },
    }
}

fn arrow(letter: u8) -> Key {
    match letter {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        _ => Key::Unknown,
    }
}

fn control_sequence(body: &[u8]) -> Key {
    match body {
        b"3~" => Key::Delete,
        b"1~" | b"7~" => Key::Home,
        b"4~" | b"8~" => Key::End,
        b"1;5C" | b"1;3C" | b"5C" => Key::WordRight,
        b"1;5D" | b"1;3D" | b"5D" => Key::WordLeft,
        [letter] => arrow(*letter),
        _ => Key::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_from_bytes() {
        for (bytes, key) in [
            (&b"a"[..], Key::Char('a')),
            ("あ".as_bytes(), Key::Char('あ')),
            (b"\x1b[A", Key::Up),
            (b"\x1bOD", Key::Left),
            (b"\x1b[3~", Key::Delete),
            (b"\x1b[1;5C", Key::WordRight),
            (b"\x01", Key::Ctrl('a')),
            (b"\x1bb", Key::Alt('b')),
            (b"\x1b[200~a\nb\x1b[201~", Key::Paste("a\nb".into())),
            (b"\x1b[99x", Key::Unknown),
        ] {
            assert_eq!(next(bytes), Some((key, bytes.len())), "{bytes:?}");
        }
        for unfinished in [&b"\x1b"[..], b"\x1b[", b"\x1b[20", b"\x1b[200~a", &"あ".as_bytes()[..2]] {
            assert_eq!(next(unfinished), None, "{unfinished:?}");
        }
    }
}
