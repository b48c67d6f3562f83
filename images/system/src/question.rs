//! What a DNS message asks, as far as a log line and a counter need it.

/// Bytes before the first question.
pub const HEADER_BYTES: usize = 12;

/// The first question of a message: `name.` in lower case, and its type.
pub fn read(message: &[u8]) -> Option<(String, u16)> {
    let mut rest = message.get(HEADER_BYTES..)?;
    let mut name = String::new();
    loop {
        let (length, tail) = rest.split_first()?;
        let length = usize::from(*length);
        if length == 0 {
            rest = tail;
            break;
        }
        // Labels of a question are never pointers.
        let label = tail.get(..length).filter(|_| length < 64)?;
        name.push_str(&String::from_utf8_lossy(label).to_ascii_lowercase());
        name.push('.');
        rest = &tail[length..];
    }
    let kind = u16::from_be_bytes([*rest.first()?, *rest.get(1)?]);
    Some((if name.is_empty() { ".".to_owned() } else { name }, kind))
}

/// How a type is written.
pub fn type_name(kind: u16) -> String {
    let known = [(1, "A"), (5, "CNAME"), (12, "PTR"), (16, "TXT"), (28, "AAAA"), (33, "SRV")];
    known.iter().find(|(number, _)| *number == kind).map_or_else(|| format!("TYPE{kind}"), |(_, n)| (*n).to_owned())
}

/// How the answer's response code is written.
pub fn code_name(message: &[u8]) -> &'static str {
    match message.get(3).map(|flags| flags & 0xf) {
        Some(0) => "NOERROR",
        Some(2) => "SERVFAIL",
        Some(3) => "NXDOMAIN",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_read() {
        let mut message = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        message.extend(b"\x03Web\x07default\x00\x00\x1c\x00\x01");
        assert_eq!(read(&message), Some(("web.default.".to_owned(), 28)));
        assert_eq!((type_name(28), type_name(99), code_name(&message)), ("AAAA".into(), "TYPE99".into(), "NOERROR"));
        for length in 0..message.len() - 3 {
            assert_eq!(read(&message[..length]), None, "{length}");
        }
        message[HEADER_BYTES] = 0xc0;
        assert_eq!(read(&message), None);
    }
}
