//! Frames of SPDY/3.1, as far as port forwarding uses them: streams are opened with headers, carry data and end.
//!
//! Control frames: a bit that is set, 15 bits of version, 16 of type, 8 of flags, 24 of length. Data frames: a bit that is
//! not, 31 of stream, flags, length.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use super::headers::{self, Headers};

const VERSION: u16 = 3;
const CONTROL: u16 = 0x8000;
const HEAD_BYTES: usize = 8;
/// The flag that ends a direction of a stream.
const FIN: u8 = 1;

const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;
const GOAWAY: u16 = 7;

/// Bytes of one frame. Clients write pieces of 32 KiB.
const FRAME_BYTES_MAX: usize = 1024 * 1024;

/// What a client says.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// Opens a stream.
    Open { stream: u32, headers: Headers },
    /// Data, and perhaps the end of it.
    Data { stream: u32, bytes: Bytes, is_last: bool },
    /// Neither end goes on with a stream.
    Reset { stream: u32 },
    /// Wants to hear the number again.
    Ping { number: u32 },
    /// Opens no more streams.
    Leave,
}

/// Takes frames out of bytes.
pub(super) struct Reader {
    waiting: BytesMut,
    headers: headers::Reader,
}

impl Reader {
    pub(super) fn new() -> Reader {
        Reader { waiting: BytesMut::new(), headers: headers::Reader::new() }
    }

    /// Bytes that arrived.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// The next whole frame that says something; an error when the peer does not speak the protocol.
    pub(super) fn next(&mut self) -> Result<Option<Said>, &'static str> {
        while let Some((head, payload)) = self.frame()? {
            let said = match head.kind {
                None => {
                    let is_last = head.flags & FIN != 0;
                    Some(Said::Data { stream: head.stream, bytes: payload, is_last })
                }
                Some(kind) => self.control(kind, payload)?,
            };
            if said.is_some() {
                return Ok(said);
            }
        }
        Ok(None)
    }

    fn frame(&mut self) -> Result<Option<(Head, Bytes)>, &'static str> {
        let Some(mut head) = self.waiting.get(..HEAD_BYTES) else { return Ok(None) };
        let word = head.get_u32();
        let length = head.get_u32();
        let flags = length.to_be_bytes()[0];
        let length = usize::try_from(length & 0x00ff_ffff).map_err(|_| "a long frame")?;
        if length > FRAME_BYTES_MAX {
            return Err("a long frame");
        }
        if self.waiting.len() < HEAD_BYTES + length {
            return Ok(None);
        }
        let (first, second) = ((word >> 16) as u16, (word & 0xffff) as u16);
        let is_control = first & CONTROL != 0;
        if is_control && first & !CONTROL != VERSION {
            return Err("another version");
        }
        let kind = is_control.then_some(second);
        self.waiting.advance(HEAD_BYTES);
        Ok(Some((Head { kind, stream: word, flags }, self.waiting.split_to(length).freeze())))
    }

    fn control(&mut self, kind: u16, mut payload: Bytes) -> Result<Option<Said>, &'static str> {
        let number = |payload: &mut Bytes| payload.try_get_u32().map_err(|_| "a short frame");
        Ok(match kind {
            SYN_STREAM => {
                let stream = number(&mut payload)?;
                // The stream that this one belongs to, and how urgent it is.
                let (_, _) = (number(&mut payload)?, payload.try_get_u16().map_err(|_| "a short frame")?);
                Some(Said::Open { stream, headers: self.headers.read(&payload)? })
            }
            RST_STREAM => Some(Said::Reset { stream: number(&mut payload)? }),
            PING => Some(Said::Ping { number: number(&mut payload)? }),
            GOAWAY => Some(Said::Leave),
            // Settings and windows: nothing here depends on them.
            _ => None,
        })
    }
}

struct Head {
    /// The type of a control frame; `None` for data.
    kind: Option<u16>,
    /// The stream of a data frame.
    stream: u32,
    flags: u8,
}

/// Writes frames.
pub(super) struct Writer {
    headers: headers::Writer,
}

impl Writer {
    pub(super) fn new() -> Writer {
        Writer { headers: headers::Writer::new() }
    }

    /// Accepts a stream.
    pub(super) fn reply(&mut self, stream: u32) -> Bytes {
        let mut payload = stream.to_be_bytes().to_vec();
        payload.extend(self.headers.none());
        control(SYN_REPLY, &payload)
    }

    /// Gives a number back.
    pub(super) fn pong(number: u32) -> Bytes {
        control(PING, &number.to_be_bytes())
    }

    /// Data of a stream, and perhaps the end of it.
    pub(super) fn data(stream: u32, bytes: &[u8], is_last: bool) -> Bytes {
        framed(stream, if is_last { FIN } else { 0 }, bytes)
    }
}

fn control(kind: u16, payload: &[u8]) -> Bytes {
    framed(u32::from(CONTROL | VERSION) << 16 | u32::from(kind), 0, payload)
}

fn framed(word: u32, flags: u8, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEAD_BYTES + payload.len());
    frame.put_u32(word);
    // Nothing is written that is longer than what is read.
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX) & 0x00ff_ffff;
    frame.put_u32(u32::from(flags) << 24 | length);
    frame.put_slice(payload);
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame that opens stream 1, as Go's SPDY library writes it first on a connection.
    fn open(headers: &[u8]) -> Vec<u8> {
        let mut payload = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        payload.extend_from_slice(headers);
        control(SYN_STREAM, &payload).to_vec()
    }

    #[test]
    fn frames_are_read_in_pieces() {
        let mut bytes = open(&headers::tests::STREAM);
        bytes.extend(Writer::data(1, b"hello", false));
        bytes.extend(control(9, &[0; 8]));
        bytes.extend(Writer::data(1, b"", true));
        bytes.extend(Writer::pong(7));
        bytes.extend(control(RST_STREAM, &[0, 0, 0, 1, 0, 0, 0, 5]));
        bytes.extend(control(GOAWAY, &[0; 8]));
        let mut reader = Reader::new();
        let mut said = Vec::new();
        for byte in bytes {
            reader.push(&[byte]);
            said.extend(reader.next().expect("the protocol"));
        }
        let Said::Open { stream: 1, headers } = said.remove(0) else { panic!("{said:?}") };
        assert_eq!(headers.get("port").map(String::as_str), Some("80"));
        let data = |text: &'static str, is_last| Said::Data { stream: 1, bytes: text.into(), is_last };
        assert_eq!(
            said,
            [data("hello", false), data("", true), Said::Ping { number: 7 }, Said::Reset { stream: 1 }, Said::Leave]
        );
    }

    #[test]
    fn what_is_not_spdy_is_an_error() {
        let refused = |bytes: &[u8]| {
            let mut reader = Reader::new();
            reader.push(bytes);
            reader.next().is_err()
        };
        assert!(refused(&[0x80, 2, 0, 1, 0, 0, 0, 0]), "another version");
        assert!(refused(&[0, 0, 0, 1, 0, 0xff, 0xff, 0xff]), "a frame of 16 MiB");
        assert!(refused(&open(b"no deflate stream")), "headers that are not compressed");
        assert!(refused(&control(PING, &[1])), "half a number");
    }
}
