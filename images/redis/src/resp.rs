//! The protocol, RESP2: requests and answers as bytes.

/// Bytes of the longest word that is read; the original has 512 MB, a container's memory is smaller.
const WORD_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of the longest request, and of what a client may send ahead, as `client-query-buffer-limit`: 1 GB there.
pub const REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes in which a line has to end, as the original's `PROTO_INLINE_MAX_SIZE`.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// Words of a request at most.
const WORDS_MAX: usize = 1024 * 1024;

/// One word of a request or an answer: any bytes.
pub type Bytes = Vec<u8>;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `+OK`.
    Simple(String),
    /// `-ERR ...`.
    Error(String),
    /// `:1`.
    Int(i64),
    /// `$4 text`.
    Bulk(Bytes),
    /// `$-1`.
    Nil,
    /// `*-1`: a wait that ended without anything, a transaction that was not made.
    NilArray,
    /// `*2 ...`.
    Array(Vec<Reply>),
    /// Several answers to one request, as to SUBSCRIBE; none while a client waits.
    Several(Vec<Reply>),
}

impl Reply {
    /// `+OK`.
    pub fn ok() -> Reply {
        Reply::Simple("OK".to_owned())
    }

    /// A bulk string of some text.
    pub fn text(text: impl AsRef<[u8]>) -> Reply {
        Reply::Bulk(text.as_ref().to_vec())
    }

    /// A bulk string, or nil.
    pub fn option(text: Option<Bytes>) -> Reply {
        text.map_or(Reply::Nil, Reply::Bulk)
    }

    /// An array of bulk strings.
    pub fn texts(all: impl IntoIterator<Item = Bytes>) -> Reply {
        Reply::Array(all.into_iter().map(Reply::Bulk).collect())
    }

    /// 1 or 0.
    pub fn truth(yes: bool) -> Reply {
        Reply::Int(i64::from(yes))
    }

    /// A number of things.
    pub fn count(n: usize) -> Reply {
        Reply::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }

    /// Appends the bytes on the wire.
    pub fn encode(&self, out: &mut Bytes) {
        match self {
            Reply::Simple(text) => out.extend(format!("+{text}\r\n").bytes()),
            // What a client sent stands in some of them, and must not begin an answer of its own.
            Reply::Error(text) => out.extend(format!("-{}\r\n", text.replace(['\r', '\n'], " ")).bytes()),
            Reply::Int(n) => out.extend(format!(":{n}\r\n").bytes()),
            Reply::Nil => out.extend(b"$-1\r\n"),
            Reply::NilArray => out.extend(b"*-1\r\n"),
            Reply::Bulk(bytes) => {
                out.extend(format!("${}\r\n", bytes.len()).bytes());
                out.extend(bytes);
                out.extend(b"\r\n");
            }
            Reply::Array(all) => {
                out.extend(format!("*{}\r\n", all.len()).bytes());
                all.iter().for_each(|reply| reply.encode(out));
            }
            Reply::Several(all) => all.iter().for_each(|reply| reply.encode(out)),
        }
    }
}

/// Appends a request as clients and the append-only file write it.
pub fn encode_request(words: &[Bytes], out: &mut Bytes) {
    Reply::texts(words.iter().cloned()).encode(out);
}

/// Who sends a request, which decides how long it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A client that has not given its password: AUTH and HELLO are short.
    Stranger,
    /// A client.
    Client,
    /// The append-only file, which the server wrote itself.
    File,
}

impl Sender {
    /// Words of a request and bytes of a word at most that a stranger may send, as in the original.
    const STRANGER: (usize, usize) = (10, 16_384);

    /// Why a request of so many words is not read.
    fn refuse_words(self, count: i64) -> Option<&'static str> {
        match usize::try_from(count).unwrap_or(0) {
            count if count > WORDS_MAX && self != Sender::File => Some("invalid multibulk length"),
            count if count > Sender::STRANGER.0 && self == Sender::Stranger => Some("unauthenticated multibulk length"),
            _ => None,
        }
    }

    /// Why a word is not read that would end at some byte of its request.
    fn refuse_word(self, length: usize, end: usize) -> Option<&'static str> {
        match self {
            Sender::File => None,
            _ if length > WORD_BYTES_MAX || end > REQUEST_BYTES_MAX => Some("invalid bulk length"),
            Sender::Stranger if length > Sender::STRANGER.1 => Some("unauthenticated bulk length"),
            _ => None,
        }
    }
}

/// What reading found in the bytes so far: what it is and how many bytes it took, or `None` while not all is there.
pub type Parsed<T> = Result<Option<(T, usize)>, String>;

/// A line without its end, and where the next begins.
fn line(bytes: &[u8], from: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(from..)?;
    let end = rest.iter().position(|b| *b == b'\n')?;
    let line = &rest[..end];
    Some((line.strip_suffix(b"\r").unwrap_or(line), from + end + 1))
}

fn number(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Nothing yet while a line may still end; else the words that end the connection.
fn unfinished<T>(bytes: usize, what: &str) -> Parsed<T> {
    if bytes > LINE_BYTES_MAX { Err(what.to_owned()) } else { Ok(None) }
}

/// Reads a request: an array of bulk strings, or a line of words as people type it.
///
/// # Errors
/// The words that end the connection, without `ERR Protocol error: `.
pub fn parse_request(bytes: &[u8], sender: Sender) -> Parsed<Vec<Bytes>> {
    if bytes.first() != Some(&b'*') {
        return match line(bytes, 0) {
            Some((text, used)) => match split_words(&String::from_utf8_lossy(text)) {
                Some(words) => Ok(Some((words, used))),
                None => Err("unbalanced quotes in request".to_owned()),
            },
            None => unfinished(bytes.len(), "too big inline request"),
        };
    }
    let Some((head, mut at)) = line(bytes, 1) else {
        return unfinished(bytes.len(), "too big mbulk count string");
    };
    let count = number(head).ok_or("invalid multibulk length")?;
    if let Some(what) = sender.refuse_words(count) {
        return Err(what.to_owned());
    }
    // Copied only when all are there: a long request comes in many pieces.
    let mut places = Vec::new();
    for _ in 0..count {
        let Some((head, start)) = line(bytes, at) else {
            return unfinished(bytes.len() - at, "too big bulk count string");
        };
        let Some(length) = head.strip_prefix(b"$") else {
            let got = head.first().map_or(' ', |b| char::from(*b));
            return Err(format!("expected '$', got '{got}'"));
        };
        let length = number(length).and_then(|n| usize::try_from(n).ok()).ok_or("invalid bulk length")?;
        let end = start.checked_add(length).and_then(|end| end.checked_add(2)).ok_or("invalid bulk length")?;
        if let Some(what) = sender.refuse_word(length, end) {
            return Err(what.to_owned());
        }
        if bytes.len() < end {
            return Ok(None);
        }
        places.push(start..start + length);
        at = end;
    }
    Ok(Some((places.into_iter().map(|place| bytes[place].to_vec()).collect(), at)))
}

/// Reads an answer.
///
/// # Errors
/// A byte that begins no answer.
pub fn parse_reply(bytes: &[u8]) -> Parsed<Reply> {
    let Some(kind) = bytes.first() else { return Ok(None) };
    let Some((head, at)) = line(bytes, 1) else { return Ok(None) };
    let text = || String::from_utf8_lossy(head).into_owned();
    match kind {
        b'+' => Ok(Some((Reply::Simple(text()), at))),
        b'-' => Ok(Some((Reply::Error(text()), at))),
        b':' => Ok(Some((Reply::Int(number(head).unwrap_or(0)), at))),
        b'$' => match usize::try_from(number(head).unwrap_or(-1)) {
            Err(_) => Ok(Some((Reply::Nil, at))),
            Ok(length) if bytes.len() < at + length + 2 => Ok(None),
            Ok(length) => Ok(Some((Reply::text(&bytes[at..at + length]), at + length + 2))),
        },
        b'*' => {
            let Ok(count) = usize::try_from(number(head).unwrap_or(-1)) else {
                return Ok(Some((Reply::NilArray, at)));
            };
            let (mut all, mut at) = (Vec::new(), at);
            for _ in 0..count {
                let Some((reply, used)) = parse_reply(&bytes[at..])? else { return Ok(None) };
                all.push(reply);
                at += used;
            }
            Ok(Some((Reply::Array(all), at)))
        }
        other => Err(format!("Protocol error, got \"{}\" as reply type byte", char::from(*other))),
    }
}

/// Splits a line into words; quotation marks hold together, and between double ones `\n`, `\x41`, ... are bytes. `None`
/// if a mark is left open or something follows a closing one.
pub fn split_words(line: &str) -> Option<Vec<Bytes>> {
    let mut words = Vec::new();
    let mut bytes = line.bytes().peekable();
    loop {
        while bytes.next_if(u8::is_ascii_whitespace).is_some() {}
        if bytes.peek().is_none() {
            return Some(words);
        }
        let mut word = Vec::new();
        while let Some(byte) = bytes.next_if(|b| !b.is_ascii_whitespace()) {
            if byte != b'"' && byte != b'\'' {
                word.push(byte);
                continue;
            }
            quoted(&mut bytes, byte, &mut word)?;
            if bytes.peek().is_some_and(|b| !b.is_ascii_whitespace()) {
                return None;
            }
        }
        words.push(word);
    }
}

fn quoted(bytes: &mut std::iter::Peekable<std::str::Bytes<'_>>, quote: u8, word: &mut Bytes) -> Option<()> {
    loop {
        match bytes.next()? {
            byte if byte == quote => return Some(()),
            b'\\' if quote == b'\'' && bytes.peek() == Some(&b'\'') => word.extend(bytes.next()),
            b'\\' if quote == b'"' => match bytes.next()? {
                b'n' => word.push(b'\n'),
                b'r' => word.push(b'\r'),
                b't' => word.push(b'\t'),
                b'a' => word.push(7),
                b'b' => word.push(8),
                b'x' => {
                    let digits = [bytes.next()?, bytes.next()?];
                    let text = std::str::from_utf8(&digits).ok()?;
                    word.push(u8::from_str_radix(text, 16).ok()?);
                }
                other => word.push(other),
            },
            byte => word.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<Bytes> {
        list.iter().map(|w| w.as_bytes().to_vec()).collect()
    }

    #[test]
    fn requests_come_whole_or_not_at_all() {
        let mut bytes = Vec::new();
        encode_request(&words(&["SET", "k", "a\r\nb"]), &mut bytes);
        assert_eq!(parse_request(&bytes, Sender::Client), Ok(Some((words(&["SET", "k", "a\r\nb"]), bytes.len()))));
        for cut in 0..bytes.len() {
            assert_eq!(parse_request(&bytes[..cut], Sender::Client), Ok(None), "{cut}");
        }
        assert_eq!(parse_request(b"PING\r\nrest", Sender::Client), Ok(Some((words(&["PING"]), 6))));
        assert_eq!(parse_request(b"*1\r\n:1\r\n", Sender::Client), Err("expected '$', got ':'".to_owned()));
        assert_eq!(parse_request(b"*x\r\n", Sender::Client), Err("invalid multibulk length".to_owned()));
    }

    #[test]
    fn requests_have_limits() {
        let long = |start: &str| [start.as_bytes(), &b"1".repeat(LINE_BYTES_MAX)].concat();
        let word = |length: usize| format!("*1\r\n${length}\r\n").into_bytes();
        // Two words of 8 MB fill a request, and the third is not waited for.
        let mut sum = b"*3\r\n".to_vec();
        for _ in 0..2 {
            sum.extend(format!("${}\r\n", WORD_BYTES_MAX - 16).bytes());
            sum.resize(sum.len() + WORD_BYTES_MAX - 14, b' ');
        }
        sum.extend(b"$100\r\n");
        for (sender, bytes, what) in [
            (Sender::Client, long("*"), "too big mbulk count string"),
            (Sender::Client, long("*1\r\n$"), "too big bulk count string"),
            (Sender::Client, long("1"), "too big inline request"),
            (Sender::Client, word(WORD_BYTES_MAX + 1), "invalid bulk length"),
            (Sender::Client, sum, "invalid bulk length"),
            (Sender::Stranger, b"*11\r\n".to_vec(), "unauthenticated multibulk length"),
            (Sender::Stranger, word(16_385), "unauthenticated bulk length"),
        ] {
            assert_eq!(parse_request(&bytes, sender), Err(what.to_owned()));
        }
        assert_eq!(parse_request(&word(16_384), Sender::Stranger), Ok(None));
        assert_eq!(parse_request(&word(16_385), Sender::Client), Ok(None));
    }

    #[test]
    fn answers_survive_the_wire() {
        let reply = Reply::Array(vec![
            Reply::ok(),
            Reply::Error("ERR x".into()),
            Reply::Int(-3),
            Reply::Nil,
            Reply::text("a\r\n"),
            Reply::Array(Vec::new()),
            Reply::NilArray,
        ]);
        let mut bytes = Vec::new();
        reply.encode(&mut bytes);
        assert_eq!(parse_reply(&bytes), Ok(Some((reply, bytes.len()))));
        assert_eq!(parse_reply(&bytes[..bytes.len() - 1]), Ok(None));
        let mut bytes = Vec::new();
        Reply::Error("ERR a\r\n+OK".to_owned()).encode(&mut bytes);
        assert_eq!(bytes, b"-ERR a  +OK\r\n");
    }

    #[test]
    fn lines_split_as_people_quote() {
        assert_eq!(split_words(r#"set k "a b\n\x41""#), Some(words(&["set", "k", "a b\nA"])));
        assert_eq!(split_words("get 'it\\'s'"), Some(words(&["get", "it's"])));
        assert_eq!((split_words("get \"x"), split_words("get \"x\"y")), (None, None));
    }
}
