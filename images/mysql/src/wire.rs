//! Packets of MySQL's protocol, and what they are made of.

/// Bytes of a packet at most; a longer message goes in several.
const PACKET_BYTES_MAX: usize = 0xff_ffff;

/// Bytes of a message at most: max_allowed_packet.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of a message at most before its sender has logged in: there may be many who never do.
pub const LOGIN_BYTES_MAX: usize = 64 * 1024;

/// What both sides can do.
pub mod capability {
    /// The affected rows of UPDATE are those found.
    pub const FOUND_ROWS: u32 = 0x2;
    /// A database is named at login.
    pub const CONNECT_WITH_DB: u32 = 0x8;
    /// This protocol.
    pub const PROTOCOL_41: u32 = 0x200;
    /// Status flags are sent.
    pub const TRANSACTIONS: u32 = 0x2000;
    /// Passwords are hashed with a nonce.
    pub const SECURE_CONNECTION: u32 = 0x8000;
    /// Several statements in one query.
    pub const MULTI_STATEMENTS: u32 = 0x1_0000;
    /// Several results of one query.
    pub const MULTI_RESULTS: u32 = 0x2_0000;
    /// The way to log in is named.
    pub const PLUGIN_AUTH: u32 = 0x8_0000;
    /// The length of the proof is a number of variable length.
    pub const AUTH_LENGTH: u32 = 0x20_0000;
}

/// Flags of the server's status.
pub mod status {
    /// A transaction is open.
    pub const IN_TRANSACTION: u16 = 1;
    /// Each statement is a transaction.
    pub const AUTOCOMMIT: u16 = 2;
    /// Another result follows.
    pub const MORE_RESULTS: u16 = 8;
}

/// Puts a message into packets; the number goes on.
pub fn frame(message: &[u8], number: &mut u8, out: &mut Vec<u8>) {
    let mut rest = message;
    loop {
        let (now, later) = rest.split_at(rest.len().min(PACKET_BYTES_MAX));
        out.extend_from_slice(&(now.len() as u32).to_le_bytes()[..3]);
        out.push(*number);
        out.extend_from_slice(now);
        *number = number.wrapping_add(1);
        rest = later;
        if now.len() < PACKET_BYTES_MAX {
            return;
        }
    }
}

/// What came of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Framed {
    /// It is not whole yet.
    Partial,
    /// The message, the number of its last packet, and how many bytes it took.
    Whole(Vec<u8>, u8, usize),
    /// It is longer than messages may be.
    TooLong,
}

/// Takes the first message of some bytes; it may have so many bytes at most. Nothing is copied before it is whole.
pub fn unframe(bytes: &[u8], bytes_max: usize) -> Framed {
    let (mut at, mut total) = (0, 0);
    let mut packets = Vec::new();
    let number = loop {
        let Some([a, b, c, number]) = bytes.get(at..at + 4) else { return Framed::Partial };
        let length = usize::from(*a) | usize::from(*b) << 8 | usize::from(*c) << 16;
        total += length;
        if total > bytes_max {
            return Framed::TooLong;
        }
        let Some(body) = bytes.get(at + 4..at + 4 + length) else { return Framed::Partial };
        packets.push(body);
        at += 4 + length;
        if length < PACKET_BYTES_MAX {
            break *number;
        }
    };
    Framed::Whole(packets.concat(), number, at)
}

/// Writes a number of variable length.
pub fn number(n: u64, out: &mut Vec<u8>) {
    match n {
        0..=250 => out.push(n as u8),
        251..=0xffff => {
            out.push(0xfc);
            out.extend_from_slice(&n.to_le_bytes()[..2]);
        }
        0x1_0000..=0xff_ffff => {
            out.push(0xfd);
            out.extend_from_slice(&n.to_le_bytes()[..3]);
        }
        _ => {
            out.push(0xfe);
            out.extend_from_slice(&n.to_le_bytes());
        }
    }
}

/// Writes bytes behind their length.
pub fn bytes(b: &[u8], out: &mut Vec<u8>) {
    number(b.len() as u64, out);
    out.extend_from_slice(b);
}

/// Writes bytes and a zero.
pub fn zero_ended(b: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b);
    out.push(0);
}

/// Reads the parts of a message.
#[derive(Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// So many bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (now, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(now)
    }

    /// One byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    /// A number of so many bytes.
    pub fn fixed(&mut self, count: usize) -> Option<u64> {
        Some(self.take(count)?.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    /// A number of variable length.
    pub fn number(&mut self) -> Option<u64> {
        match self.byte()? {
            n @ 0..=250 => Some(u64::from(n)),
            0xfc => self.fixed(2),
            0xfd => self.fixed(3),
            0xfe => self.fixed(8),
            _ => None,
        }
    }

    /// Bytes behind their length.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = usize::try_from(self.number()?).ok()?;
        self.take(count)
    }

    /// Text behind its length.
    pub fn text(&mut self) -> Option<String> {
        self.bytes().map(|b| String::from_utf8_lossy(b).into_owned())
    }

    /// Text up to a zero.
    pub fn zero_ended(&mut self) -> Option<String> {
        let end = self.0.iter().position(|b| *b == 0)?;
        let text = String::from_utf8_lossy(&self.0[..end]).into_owned();
        self.0 = &self.0[end + 1..];
        Some(text)
    }

    /// The rest as text.
    pub fn rest(&mut self) -> String {
        String::from_utf8_lossy(std::mem::take(&mut self.0)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_go_through_packets() {
        for length in [0, 5, PACKET_BYTES_MAX, PACKET_BYTES_MAX + 3] {
            let message = vec![7u8; length];
            let (mut out, mut number) = (Vec::new(), 0);
            frame(&message, &mut number, &mut out);
            assert_eq!(unframe(&out[..out.len() - 1], MESSAGE_BYTES_MAX), Framed::Partial);
            let used = out.len();
            assert_eq!(unframe(&out, MESSAGE_BYTES_MAX), Framed::Whole(message, number - 1, used));
            // The head tells that it is too long, whatever has come of it.
            let less = length.saturating_sub(1);
            assert_eq!(unframe(&out[..4], less.min(PACKET_BYTES_MAX - 1)) == Framed::TooLong, length > 0);
        }
    }

    #[test]
    fn numbers_of_variable_length() {
        for n in [0, 250, 251, 0xffff, 0x1_0000, 0xff_ffff, 0x100_0000, u64::MAX] {
            let mut out = Vec::new();
            number(n, &mut out);
            assert_eq!(Reader(&out).number(), Some(n));
        }
    }
}
