//! Where Go's JSON decoder stops, in its words.
//!
//! A second reading, for the words only: ours counts lines and has its own. Upstream: `encoding/json/scanner.go`.

/// Values inside each other that are followed; deeper ones are not judged.
const DEPTH_MAX: usize = 128;

/// What is wrong with the stream of values in a text, as kubectl shows it: `json: offset 16: invalid character '"' after
/// object key:value pair`. The offset counts bytes from the text's start, the offending one included; it is named while it
/// is not settled that the stream is JSON.
pub fn of_stream(text: &str, settled: bool) -> Option<String> {
    let mut scan = Scan::new(text.as_bytes());
    loop {
        scan.space();
        scan.peek()?;
        match scan.value() {
            Ok(()) => {}
            Err(Stop::End) => return Some("unexpected EOF".to_owned()),
            Err(Stop::TooDeep) => return None,
            Err(Stop::Character(context)) => {
                let shown = quoted(scan.peek()?);
                let place = if settled { String::new() } else { format!("json: offset {}: ", scan.at + 1) };
                return Some(format!("{place}invalid character {shown} {context}"));
            }
        }
    }
}

/// What is wrong with a text that is to be one value, in the words of `json.Unmarshal`: `unexpected end of JSON input`,
/// `invalid character 'o' in literal null (expecting 'u')`. Nothing if it is one, or too deep to be judged.
pub fn of_value(bytes: &[u8]) -> Option<String> {
    let mut scan = Scan::new(bytes);
    let context = match scan.value() {
        Ok(()) => {
            scan.space();
            "after top-level value".to_owned()
        }
        Err(Stop::End) => return Some("unexpected end of JSON input".to_owned()),
        Err(Stop::TooDeep) => return None,
        Err(Stop::Character(context)) => context,
    };
    Some(format!("invalid character {} {context}", quoted(scan.peek()?)))
}

enum Stop {
    End,
    TooDeep,
    Character(String),
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

/// A byte as Go quotes a character.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        b'\\' => r"'\\'".to_owned(),
        0..=0x1f | 0x7f => format!("'\\x{byte:02x}'"),
        0x80..=0xa0 | 0xad => format!("'\\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}

fn refuse<T>(context: &str) -> Result<T, Stop> {
    Err(Stop::Character(context.to_owned()))
}

impl Scan<'_> {
    fn new(bytes: &[u8]) -> Scan<'_> {
        Scan { bytes, at: 0, depth: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The next byte that is no space, which stays.
    fn next(&mut self) -> Result<u8, Stop> {
        self.space();
        self.peek().ok_or(Stop::End)
    }

    fn value(&mut self) -> Result<(), Stop> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Stop::TooDeep);
        }
        match self.next()? {
            b'{' => self.object()?,
            b'[' => self.array()?,
            b'"' => self.string()?,
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            b'n' => self.literal("null")?,
            b'-' | b'0'..=b'9' => self.number()?,
            _ => return refuse("looking for beginning of value"),
        }
        self.depth -= 1;
        Ok(())
    }

    fn object(&mut self) -> Result<(), Stop> {
        self.at += 1;
        if self.next()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            match self.next()? {
                b'"' => self.string()?,
                _ => return refuse("looking for beginning of object key string"),
            }
            match self.next()? {
                b':' => self.at += 1,
                _ => return refuse("after object key"),
            }
            self.value()?;
            match self.next()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return refuse("after object key:value pair"),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn array(&mut self) -> Result<(), Stop> {
        self.at += 1;
        if self.next()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value()?;
            match self.next()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return refuse("after array element"),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<(), Stop> {
        loop {
            self.at += 1;
            match self.peek().ok_or(Stop::End)? {
                b'"' => break,
                b'\\' => self.escape()?,
                0..=0x1f => return refuse("in string literal"),
                _ => {}
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Ends on the last byte of the escape.
    fn escape(&mut self) -> Result<(), Stop> {
        self.at += 1;
        match self.peek().ok_or(Stop::End)? {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => return Ok(()),
            b'u' => {}
            _ => return refuse("in string escape code"),
        }
        for _ in 0..4 {
            self.at += 1;
            if !self.peek().ok_or(Stop::End)?.is_ascii_hexdigit() {
                return refuse("in \\u hexadecimal character escape");
            }
        }
        Ok(())
    }

    fn literal(&mut self, word: &str) -> Result<(), Stop> {
        for expected in word.bytes() {
            if self.peek().ok_or(Stop::End)? != expected {
                return refuse(&format!("in literal {word} (expecting '{}')", char::from(expected)));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Stop> {
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn digits(&mut self, context: &str) -> Result<(), Stop> {
        if !self.peek().ok_or(Stop::End)?.is_ascii_digit() {
            return refuse(context);
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::of_value;

    #[test]
    fn one_value_is_refused_as_go_does() {
        for (text, words) in [
            ("nonsense", "invalid character 'o' in literal null (expecting 'u')"),
            ("", "unexpected end of JSON input"),
            ("{\"a\":", "unexpected end of JSON input"),
            ("{} x", "invalid character 'x' after top-level value"),
            ("hello", "invalid character 'h' looking for beginning of value"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
        ] {
            assert_eq!(of_value(text.as_bytes()).as_deref(), Some(words), "{text}");
        }
        assert_eq!(of_value(b" {\"a\": [1, -2.5e3, \"\\u00e9\"]} \n"), None);
    }
}
