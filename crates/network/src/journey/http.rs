//! Reads along on a connection: the first lines of HTTP/1.1 requests and of their answers.

/// Bytes of a first line that are looked at. Of a longer one the beginning is told.
const LINE_BYTES_MAX: usize = 512;
/// The methods by which a request is known.
const METHODS: [&str; 8] = ["GET ", "HEAD ", "POST ", "PUT ", "PATCH ", "DELETE ", "OPTIONS ", "CONNECT "];

/// What a connection is at, as far as its first lines tell.
#[derive(Debug, Default)]
pub(super) enum Exchange {
    /// Nothing was written yet, or an answer has begun.
    #[default]
    Idle,
    /// A first line is being written.
    Asking(Vec<u8>),
    /// A request was written; its answer's first line is read.
    Awaiting(Vec<u8>),
    /// Another protocol.
    Opaque,
}

/// The first line of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
}

impl Exchange {
    /// What the asking side wrote; gives a request that has begun with it.
    pub(super) fn wrote(&mut self, bytes: &[u8], is_first: bool) -> Option<Asked> {
        let line = match self {
            Exchange::Idle if could_be_request(bytes) => line_of(Vec::new(), bytes),
            Exchange::Idle if is_first => {
                *self = Exchange::Opaque;
                return None;
            }
            Exchange::Asking(begun) => line_of(std::mem::take(begun), bytes),
            // The rest of a body.
            Exchange::Idle | Exchange::Awaiting(_) | Exchange::Opaque => return None,
        };
        let Some(end) = end_of(&line) else {
            *self = Exchange::Asking(line);
            return None;
        };
        let text = String::from_utf8_lossy(&line[..end]).into_owned();
        let mut words = text.split(' ');
        let is_cut = end == LINE_BYTES_MAX;
        match (words.next(), words.next(), words.next()) {
            (Some(method), Some(path), version) if is_cut || version.is_some_and(|v| v.starts_with("HTTP/1.")) => {
                *self = Exchange::Awaiting(Vec::new());
                Some(Asked { method: method.to_owned(), path: path.to_owned() })
            }
            _ => {
                *self = Exchange::Opaque;
                None
            }
        }
    }

    /// What the asking side read; gives the status of an answer that has begun with it.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<u16> {
        let Exchange::Awaiting(begun) = self else { return None };
        let line = line_of(std::mem::take(begun), bytes);
        let Some(end) = end_of(&line) else {
            *self = Exchange::Awaiting(line);
            return None;
        };
        let text = String::from_utf8_lossy(&line[..end]).into_owned();
        let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.parse::<u16>().ok());
        *self = match status {
            None | Some(101) => Exchange::Opaque,
            // Another answer follows.
            Some(100..200) => Exchange::Awaiting(Vec::new()),
            Some(_) => Exchange::Idle,
        };
        status.filter(|status| *status == 101 || *status >= 200)
    }
}

fn could_be_request(bytes: &[u8]) -> bool {
    METHODS.iter().any(|method| {
        let length = method.len().min(bytes.len());
        length > 0 && bytes[..length] == method.as_bytes()[..length]
    })
}

/// What was seen before and what came, as much as is looked at.
fn line_of(mut line: Vec<u8>, bytes: &[u8]) -> Vec<u8> {
    let room = LINE_BYTES_MAX + 2 - line.len().min(LINE_BYTES_MAX + 2);
    line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    line
}

/// Where the first line ends, or where it is cut; none while more has to come.
fn end_of(line: &[u8]) -> Option<usize> {
    let end = line.windows(2).position(|pair| pair == b"\r\n");
    end.or_else(|| (line.len() >= LINE_BYTES_MAX).then_some(LINE_BYTES_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Option<Asked> {
        let (method, path) = text.split_once(' ')?;
        Some(Asked { method: method.to_owned(), path: path.to_owned() })
    }

    #[test]
    fn lines_are_read_in_pieces_and_one_exchange_after_the_other() {
        let mut exchange = Exchange::default();
        assert_eq!(exchange.wrote(b"GE", true), None);
        assert_eq!(exchange.wrote(b"T /a?b HTTP/1.1\r\nHost: x\r\n\r\n", false), asked("GET /a?b"));
        assert_eq!(exchange.wrote(b"GET is in the body", false), None);
        assert_eq!(exchange.read(b"HTTP/1.1 1"), None);
        assert_eq!(exchange.read(b"00 Continue\r\n\r\n"), None);
        assert_eq!(exchange.read(b"HTTP/1.1 503 Service Unavailable\r\n"), Some(503));
        assert_eq!(exchange.read(b"HTTP/1.1 200 in the body\r\n"), None);
        assert_eq!(exchange.wrote(b"POST /c HTTP/1.1\r\n", false), asked("POST /c"));
        assert_eq!(exchange.read(b"HTTP/1.0 201 Created\r\n"), Some(201));
    }

    #[test]
    fn other_protocols_are_left_alone() {
        for first in ["*1\r\n$4\r\nPING\r\n", "GET key\r\n", "\u{16}\u{3}\u{1}"] {
            let mut exchange = Exchange::default();
            assert_eq!(exchange.wrote(first.as_bytes(), true), None);
            assert_eq!(exchange.wrote(b"GET / HTTP/1.1\r\n", false), None, "{first:?}");
            assert_eq!(exchange.read(b"HTTP/1.1 200 OK\r\n"), None);
        }
    }

    #[test]
    fn a_long_line_is_cut() {
        let mut exchange = Exchange::default();
        let path = format!("/{}", "x".repeat(2 * LINE_BYTES_MAX));
        let seen = exchange.wrote(format!("GET {path} HTTP/1.1\r\n").as_bytes(), true).expect("a request");
        assert_eq!(seen.path.len(), LINE_BYTES_MAX - "GET ".len());
    }
}
