//! Headers of SPDY streams: one deflate stream a direction and connection, begun with a dictionary, flushed after each block.

use std::collections::BTreeMap;

use bytes::{Buf as _, Bytes};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

/// Names in lower case, and their values.
pub(super) type Headers = BTreeMap<String, String>;

/// How far back deflate refers.
const WINDOW_BYTES: usize = 32 * 1024;
/// Bytes of the headers of one stream.
const HEADERS_BYTES_MAX: usize = 16 * 1024;
/// The beginning of a zlib stream: the method, and whether a dictionary is named by four more bytes.
const ZLIB_HEAD_BYTES: usize = 2;
const WITH_DICTIONARY: u8 = 0x20;

/// Words of the dictionary (draft-mbelshe-httpbis-spdy-00, section 2.6.10.1) that are written with their length before them.
const WORDS: &str = "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges \
    age allow authorization cache-control connection content-base content-encoding content-language content-length \
    content-location content-md5 content-range content-type date etag expect expires from host if-match \
    if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma \
    proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade \
    user-agent vary via warning www-authenticate method get status";
/// And the rest of it: versions, codes, dates and types.
const REST: &[&str] = &[
    "\0\0\0\x06200 OK\0\0\0\x07version\0\0\0\x08HTTP/1.1\0\0\0\x03url\0\0\0\x06public\0\0\0\nset-cookie\0\0\0\nkeep-alive",
    "\0\0\0\x06origin100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505",
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized",
    "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable",
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT",
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,",
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.",
];

fn dictionary() -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in WORDS.split_whitespace() {
        bytes.extend(u32::try_from(word.len()).unwrap_or(0).to_be_bytes());
        bytes.extend_from_slice(word.as_bytes());
    }
    REST.iter().for_each(|text| bytes.extend_from_slice(text.as_bytes()));
    bytes
}

/// Reads the headers that one end sends.
pub(super) struct Reader {
    inflate: Box<DecompressorOxide>,
    /// What was read last, in a ring.
    window: Vec<u8>,
    at: usize,
    is_begun: bool,
}

impl Reader {
    pub(super) fn new() -> Reader {
        let mut window = dictionary();
        let at = window.len();
        window.resize(WINDOW_BYTES, 0);
        Reader { inflate: Box::default(), window, at, is_begun: false }
    }

    /// The headers of one frame.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Result<Headers, &'static str> {
        if !self.is_begun {
            let head = bytes.get(..ZLIB_HEAD_BYTES).ok_or("no headers")?;
            let named = if head[1] & WITH_DICTIONARY != 0 { 4 } else { return Err("headers without the dictionary") };
            bytes = bytes.get(ZLIB_HEAD_BYTES + named..).ok_or("no headers")?;
            self.is_begun = true;
        }
        let mut plain = Vec::new();
        loop {
            let flags = inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
            let (status, read, written) = decompress(&mut self.inflate, bytes, &mut self.window, self.at, flags);
            plain.extend_from_slice(&self.window[self.at..self.at + written]);
            self.at = (self.at + written) % WINDOW_BYTES;
            bytes = &bytes[read..];
            if plain.len() > HEADERS_BYTES_MAX {
                return Err("long headers");
            }
            match status {
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput => break,
                _ => return Err("headers that are not compressed"),
            }
        }
        parse(plain.into())
    }
}

/// A number of pairs, each of two texts with their lengths before them.
fn parse(mut plain: Bytes) -> Result<Headers, &'static str> {
    let mut headers = Headers::new();
    let number = |plain: &mut Bytes| plain.try_get_u32().map_err(|_| "half a header");
    for _ in 0..number(&mut plain)? {
        let mut text = || {
            let length = number(&mut plain)? as usize;
            if length > plain.len() {
                return Err("half a header");
            }
            Ok(String::from_utf8_lossy(&plain.split_to(length)).into_owned())
        };
        let (name, value) = (text()?, text()?);
        headers.insert(name.to_lowercase(), value);
    }
    Ok(headers)
}

/// Writes headers: not compressed, which deflate has a kind of block for.
pub(super) struct Writer {
    is_begun: bool,
}

impl Writer {
    pub(super) fn new() -> Writer {
        Writer { is_begun: false }
    }

    /// No headers at all: the number of none.
    pub(super) fn none(&mut self) -> Vec<u8> {
        const PLAIN: [u8; 4] = [0; 4];
        // A zlib stream without a dictionary, and blocks that are stored: not the last, length, its complement.
        let mut bytes = if self.is_begun { Vec::new() } else { vec![0x78, 0x01] };
        self.is_begun = true;
        bytes.extend([0, 4, 0, 0xfb, 0xff]);
        bytes.extend(PLAIN);
        // An empty one: readers that are given the stream in pieces hand out what they have when they meet it.
        bytes.extend([0, 0, 0, 0xff, 0xff]);
        bytes
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Name of the dictionary of SPDY/3: its Adler-32, which a zlib stream has after its first two bytes.
    const DICTIONARY: u32 = 0xe3c6_a7c2;

    /// `{port: 80, requestid: 0, streamtype: error}`, as zlib itself compresses it with the dictionary, flushed.
    pub(in super::super) const STREAM: [u8; 50] = [
        0x78, 0xf9, 0xe3, 0xc6, 0xa7, 0xc2, 0x02, 0x25, 0x3a, 0x70, 0x3a, 0x2b, 0x29, 0x4a, 0x4d, 0xcc, 0x85, 0x16,
        0x25, 0xac, 0xa9, 0xa0, 0x80, 0x86, 0x14, 0xcb, 0x45, 0xa0, 0x24, 0xcc, 0x64, 0x61, 0x00, 0x24, 0x39, 0x8b,
        0x20, 0x91, 0x98, 0x09, 0x4a, 0xdc, 0x8c, 0x06, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff,
    ];

    #[test]
    fn the_dictionary_is_the_published_one() {
        let (mut a, mut b) = (1u32, 0u32);
        for byte in dictionary() {
            a = (a + u32::from(byte)) % 65_521;
            b = (b + a) % 65_521;
        }
        assert_eq!(b << 16 | a, DICTIONARY);
    }

    #[test]
    fn headers_are_read() {
        let headers = Reader::new().read(&STREAM).expect("headers");
        let pairs: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("port", "80"), ("requestid", "0"), ("streamtype", "error")]);
    }

    #[test]
    fn headers_that_say_to_be_longer_than_they_are_are_refused() {
        assert!(parse(Bytes::from_static(&[0, 0, 0, 1, 0, 0, 0, 9, b'a'])).is_err());
        assert!(parse(Bytes::from_static(&[0, 0])).is_err());
    }

    #[test]
    fn no_headers_are_a_stored_block() {
        let mut writer = Writer::new();
        let first = writer.none();
        assert_eq!(&first[..2], [0x78, 0x01]);
        assert_eq!(&first[2..], writer.none(), "only the first begins the stream");
    }
}
