//! Requests and answers.

use std::io::Write;

use super::status::reason;

/// Bytes of the longest head; longer ones are answered with 431.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Bytes of the largest request body; larger ones are answered with 413.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`.
    pub method: String,
    /// The target as sent, e.g. `/a?b=c`.
    pub target: String,
    /// `HTTP/1.1`.
    pub version: String,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What reading found in the bytes so far.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// Not all of it is there.
    More,
    /// A request, and how many bytes it took.
    Request(Request, usize),
    /// Not a request: the status to answer with.
    Bad(u16),
}

impl Request {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("/")
    }

    /// Whether the connection may serve another request.
    pub fn keep_alive(&self) -> bool {
        match self.header("connection").map(str::to_ascii_lowercase) {
            Some(value) if value.contains("close") => false,
            Some(value) if value.contains("keep-alive") => true,
            _ => self.version == "HTTP/1.1",
        }
    }

    /// Reads a request from the bytes that have come.
    pub fn parse(bytes: &[u8]) -> Parsed {
        let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
            return if bytes.len() > HEAD_BYTES_MAX { Parsed::Bad(431) } else { Parsed::More };
        };
        let Ok(head) = std::str::from_utf8(&bytes[..end]) else { return Parsed::Bad(400) };
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or("").split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Parsed::Bad(400);
        };
        let is_clean = |text: &str| !text.bytes().any(|b| b.is_ascii_control() && b != b'\t');
        if !version.starts_with("HTTP/1.") || !is_token(method) || target.is_empty() || !is_clean(head_line(head)) {
            return Parsed::Bad(400);
        }
        let mut headers = Vec::new();
        for line in lines {
            let Some((name, value)) = line.split_once(':') else { return Parsed::Bad(400) };
            // A blank before the colon, or the end of a line that is none, is read differently by the next one.
            if !is_token(name) || !is_clean(value) {
                return Parsed::Bad(400);
            }
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            version: version.to_owned(),
            headers,
            body: Vec::new(),
        };
        let start = end + 4;
        let length = match framing(&request) {
            Ok(Framing::Length(length)) => length,
            Ok(Framing::Chunked) => {
                return match unchunk(&bytes[start..]) {
                    Err(BadChunk) => Parsed::Bad(400),
                    Ok(None) if bytes.len() - start > BODY_BYTES_MAX => Parsed::Bad(413),
                    Ok(None) => Parsed::More,
                    Ok(Some((body, used))) => {
                        request.body = body;
                        Parsed::Request(request, start + used)
                    }
                };
            }
            Err(status) => return Parsed::Bad(status),
        };
        if bytes.len() < start + length {
            return Parsed::More;
        }
        request.body = bytes[start..start + length].to_vec();
        Parsed::Request(request, start + length)
    }
}

/// The first line of a head.
fn head_line(head: &str) -> &str {
    head.split("\r\n").next().unwrap_or("")
}

/// Whether it can be a method or the name of a header (RFC 9110, 5.6.2).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// How the end of a request's body is known.
enum Framing {
    Length(usize),
    Chunked,
}

/// What a request says of its body; a status if that is contradictory or unknown.
fn framing(request: &Request) -> Result<Framing, u16> {
    let all = |name: &str| -> Vec<&str> {
        let own = request.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.as_str()).collect()
    };
    match (&all("transfer-encoding")[..], &all("content-length")[..]) {
        ([], []) => Ok(Framing::Length(0)),
        ([], [length]) => {
            if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
                return Err(400);
            }
            // A number that no machine word holds is too large as well.
            length.parse().ok().filter(|length| *length <= BODY_BYTES_MAX).map(Framing::Length).ok_or(413)
        }
        ([_], []) if request.version == "HTTP/1.0" => Err(400),
        ([coding], []) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        ([_], []) => Err(501),
        _ => Err(400),
    }
}

/// A chunk's line is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadChunk;

/// Decodes a chunked body; gives how many bytes it took, and nothing while it is not whole.
pub(crate) fn unchunk(mut bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, BadChunk> {
    let (mut body, whole) = (Vec::new(), bytes.len());
    loop {
        let Some((line, chunk)) = first_line(bytes)? else { return Ok(None) };
        let size = std::str::from_utf8(line).ok().and_then(|line| line.split(';').next()).unwrap_or("").trim();
        let is_number = size.bytes().all(|b| b.is_ascii_hexdigit());
        let size = usize::from_str_radix(size, 16).ok().filter(|_| is_number).ok_or(BadChunk)?;
        bytes = chunk;
        if size == 0 {
            break;
        }
        let (Some(data), Some(rest)) = (bytes.get(..size), bytes.get(size..)) else { return Ok(None) };
        body.extend_from_slice(data);
        match first_line(rest)? {
            None => return Ok(None),
            Some(([], rest)) => bytes = rest,
            Some(_) => return Err(BadChunk),
        }
    }
    // Headers may follow; nobody here wants them.
    while let Some((header, rest)) = first_line(bytes)? {
        bytes = rest;
        if header.is_empty() {
            return Ok(Some((body, whole - bytes.len())));
        }
    }
    Ok(None)
}

/// A line and the rest.
type Two<'a> = (&'a [u8], &'a [u8]);

/// The line that bytes begin with, and what comes after it.
fn first_line(bytes: &[u8]) -> Result<Option<Two<'_>>, BadChunk> {
    match bytes.iter().take(HEAD_BYTES_MAX).position(|b| *b == b'\n') {
        Some(end) if end > 0 && bytes[end - 1] == b'\r' => Ok(Some((&bytes[..end - 1], &bytes[end + 1..]))),
        Some(_) => Err(BadChunk),
        None if bytes.len() >= HEAD_BYTES_MAX => Err(BadChunk),
        None => Ok(None),
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body in the pieces in which it is written.
    pub body: Vec<Vec<u8>>,
    /// Whether to send it chunked rather than with its length.
    pub chunked: bool,
    /// The words of the status where a server has others than [`reason`].
    pub words: Option<&'static str>,
}

impl Response {
    /// An answer with a body.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Response { status, headers, body: vec![body.into()], chunked: false, words: None }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Response {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Bytes of the body.
    pub fn body_bytes(&self) -> usize {
        self.body.iter().map(Vec::len).sum()
    }

    /// The bytes on the wire; `head_only` leaves the body out, as for HEAD.
    pub fn to_bytes(&self, head_only: bool) -> Vec<u8> {
        let words = match self.words.unwrap_or_else(|| reason(self.status)) {
            // As Go names one that it does not know.
            "" if self.words.is_none() => format!("status code {}", self.status),
            words => words.to_owned(),
        };
        let mut out = format!("HTTP/1.1 {} {words}\r\n", self.status).into_bytes();
        let mut put = |text: String| out.write_all(text.as_bytes()).expect("writing to memory succeeds");
        for (name, value) in &self.headers {
            put(format!("{name}: {value}\r\n"));
        }
        if self.chunked {
            put("Transfer-Encoding: chunked\r\n".to_owned());
        } else if !self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case("content-length"))
            && !matches!(self.status, 101 | 304)
        {
            put(format!("Content-Length: {}\r\n", self.body_bytes()));
        }
        put("\r\n".to_owned());
        if head_only {
            return out;
        }
        for piece in &self.body {
            if self.chunked {
                out.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            }
            out.extend_from_slice(piece);
            if self.chunked {
                out.extend_from_slice(b"\r\n");
            }
        }
        if self.chunked {
            out.extend_from_slice(b"0\r\n\r\n");
        }
        out
    }
}

/// The bytes that the path of a target means: `%20` is a blank.
pub fn decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = path.get(i + 1..i + 3).and_then(|h| u8::from_str_radix(h, 16).ok());
        match (bytes[i], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                i += 3;
            }
            (byte, _) => {
                out.push(byte);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_parse() {
        let text = b"GET /a?b HTTP/1.1\r\nHost: x\r\nUser-Agent: curl/8\r\n\r\nrest";
        let Parsed::Request(request, used) = Request::parse(text) else { panic!("a request") };
        assert_eq!((request.path(), request.header("HOST"), used), ("/a", Some("x"), text.len() - 4));
        assert!(request.keep_alive());
        assert_eq!(Request::parse(b"GET / HTTP/1.1\r\n"), Parsed::More);
        assert_eq!(Request::parse(b"hello\r\n\r\n"), Parsed::Bad(400));
        let post = b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nab";
        assert_eq!(Request::parse(post), Parsed::More);
        let chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let Parsed::Request(request, _) = Request::parse(chunked) else { panic!("a request") };
        assert_eq!(request.body, b"abc");
    }

    #[test]
    fn what_two_could_read_differently_is_refused() {
        let status = |more: &str| match Request::parse(
            format!("POST / HTTP/1.1\r\nHost: x\r\n{more}\r\n0\r\n\r\n").as_bytes(),
        ) {
            Parsed::Bad(status) => status,
            _ => 200,
        };
        for (more, expected) in [
            ("Content-Length: 1\r\n", 200),
            ("Transfer-Encoding: chunked\r\n", 200),
            ("A: b\nC: d\r\n", 400),
            ("A: b\rC: d\r\n", 400),
            ("A: b\0\r\n", 400),
            ("A : b\r\n", 400),
            ("A: b\r\n folded\r\n", 400),
            ("Transfer-Encoding: gzip, chunked\r\n", 501),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
            ("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400),
            ("Content-Length: 1\r\nContent-Length: 2\r\n", 400),
            ("Content-Length: +1\r\n", 400),
            ("Content-Length: 99999999999999999999\r\n", 413),
        ] {
            assert_eq!(status(more), expected, "{more:?}");
        }
        assert_eq!(Request::parse(b"GET /a\rb HTTP/1.1\r\n\r\n"), Parsed::Bad(400));
        assert_eq!(Request::parse(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), Parsed::Bad(400));
    }

    #[test]
    fn chunks_are_put_together() {
        assert_eq!(unchunk(b"3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\nrest"), Ok(Some((b"abc".to_vec(), 23))));
        for more in ["", "3", "3\r\nab", "3\r\nabc", "3\r\nabc\r\n0\r\n", "3\r\nabc\r\n0\r\nA: b\r\n"] {
            assert_eq!(unchunk(more.as_bytes()), Ok(None), "{more:?}");
        }
        for bad in ["x\r\n", "\r\n", "+3\r\nabc\r\n", "3\r\nabcd\r\n", "3\nabc"] {
            assert_eq!(unchunk(bad.as_bytes()), Err(BadChunk), "{bad:?}");
        }
    }

    #[test]
    fn answers_are_written() {
        let mut response = Response::new(200, "text/plain", "hi");
        assert_eq!(
            response.to_bytes(false),
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
        );
        response.chunked = true;
        assert!(response.to_bytes(false).ends_with(b"2\r\nhi\r\n0\r\n\r\n"));
        assert!(Response::new(302, "a", "").to_bytes(false).starts_with(b"HTTP/1.1 302 Found\r\n"));
        response.status = 599;
        assert!(response.to_bytes(false).starts_with(b"HTTP/1.1 599 status code 599\r\n"));
        response.words = Some("");
        assert!(response.to_bytes(false).starts_with(b"HTTP/1.1 599 \r\n"));
    }
}
