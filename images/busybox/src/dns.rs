//! Questions to name servers and their answers, as they travel (RFC 1035) and as nslookup prints them.

use std::net::Ipv4Addr;

/// The types that can be asked for, as `-type=` names them.
pub const TYPES: [(&str, u16); 10] = [
    ("SOA", 6),
    ("NS", 2),
    ("A", A),
    ("AAAA", AAAA),
    ("CNAME", 5),
    ("MX", 15),
    ("TXT", 16),
    ("PTR", PTR),
    ("SRV", 33),
    ("ANY", 255),
];
/// A host address.
pub const A: u16 = 1;
/// An address of version 6.
pub const AAAA: u16 = 28;
/// The name of an address.
pub const PTR: u16 = 12;

const LABEL_BYTES_MAX: usize = 63;
const NAME_BYTES_MAX: usize = 253;
const POINTER_JUMPS_MAX: usize = 16;
const CODES: [&str; 11] = [
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
    "NOTZONE",
];

/// A question; none if there is no such name.
pub fn question(id: u16, kind: u16, name: &str) -> Option<Vec<u8>> {
    let name = name.trim_end_matches('.');
    let fits = |label: &str| !label.is_empty() && label.len() <= LABEL_BYTES_MAX;
    if name.len() > NAME_BYTES_MAX || !name.split('.').all(fits) {
        return None;
    }
    let mut out = Vec::new();
    // Recursion is desired, and there is one question.
    for word in [id, 0x0100, 1, 0, 0, 0] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    for label in name.split('.') {
        out.push(u8::try_from(label.len()).ok()?);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    for word in [kind, 1] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    Some(out)
}

/// The name that stands for an address.
pub fn reversed(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("{d}.{c}.{b}.{a}.in-addr.arpa")
}

/// An answer.
#[derive(Clone, Copy)]
pub struct Reply<'a>(pub &'a [u8]);

impl Reply<'_> {
    /// The number of the question.
    pub fn id(self) -> Option<u16> {
        self.word(0)
    }

    /// What became of the question: a code and its name.
    pub fn code(self) -> (u8, String) {
        let code = self.0.get(3).copied().unwrap_or(0) & 0x0f;
        (code, CODES.get(usize::from(code)).map_or_else(|| code.to_string(), |name| (*name).to_owned()))
    }

    /// Whether the server answers for itself.
    pub fn is_authoritative(self) -> bool {
        self.0.get(2).is_some_and(|flags| flags & 4 != 0)
    }

    /// Its records as lines; none if they cannot be read.
    pub fn lines(self) -> Option<String> {
        let mut at = 12;
        for _ in 0..self.word(4)? {
            at = self.name(at)?.1 + 4;
        }
        let mut out = String::new();
        for _ in 0..self.word(6)? {
            let (owner, start) = self.name(at)?;
            let (kind, length, data) = (self.word(start)?, usize::from(self.word(start + 8)?), start + 10);
            out += &self.record(&owner, kind, data, self.0.get(data..data + length)?)?;
            at = data + length;
        }
        Some(out)
    }

    fn record(self, owner: &str, kind: u16, at: usize, data: &[u8]) -> Option<String> {
        Some(match (kind, data) {
            (A, &[a, b, c, d]) => format!("Name:\t{owner}\nAddress: {}\n", Ipv4Addr::new(a, b, c, d)),
            (2, _) => format!("{owner}\tnameserver = {}\n", self.name(at)?.0),
            (5, _) => format!("{owner}\tcanonical name = {}\n", self.name(at)?.0),
            (PTR, _) => format!("{owner}\tname = {}\n", self.name(at)?.0),
            (15, _) => format!("{owner}\tmail exchanger = {} {}\n", self.word(at)?, self.name(at + 2)?.0),
            (16, _) => {
                let length = usize::from(*data.first()?);
                format!("{owner}\ttext = \"{}\"\n", String::from_utf8_lossy(data.get(1..=length)?))
            }
            (33, _) => {
                let numbers = format!("{} {} {}", self.word(at)?, self.word(at + 2)?, self.word(at + 4)?);
                format!("{owner}\tservice = {numbers} {}\n", self.name(at + 6)?.0)
            }
            // Nobody in a cluster has an address of version 6, or tells of its zone.
            _ => String::new(),
        })
    }

    fn word(self, at: usize) -> Option<u16> {
        Some(u16::from_be_bytes([*self.0.get(at)?, *self.0.get(at + 1)?]))
    }

    /// The name at an offset, and the offset after it.
    fn name(self, start: usize) -> Option<(String, usize)> {
        let (mut at, mut end, mut jumps) = (start, None, 0);
        let mut labels = Vec::new();
        loop {
            let length = usize::from(*self.0.get(at)?);
            if length == 0 {
                return Some((labels.join("."), end.unwrap_or(at + 1)));
            }
            if length & 0xc0 == 0xc0 {
                jumps += 1;
                if jumps > POINTER_JUMPS_MAX {
                    return None;
                }
                end.get_or_insert(at + 2);
                at = usize::from(self.word(at)? & 0x3fff);
            } else {
                labels.push(String::from_utf8_lossy(self.0.get(at + 1..at + 1 + length)?).into_owned());
                at += 1 + length;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_names_in_pieces() {
        let bytes = question(7, A, "web.default.").expect("a name");
        assert_eq!(bytes[12..], *b"\x03web\x07default\0\0\x01\0\x01");
        assert_eq!((question(1, A, "a..b"), question(1, A, &"x".repeat(64))), (None, None));
        assert_eq!(reversed(Ipv4Addr::new(10, 96, 0, 1)), "1.0.96.10.in-addr.arpa");
    }

    #[test]
    fn answers_are_read_through_pointers() {
        let mut bytes = question(7, A, "web").expect("a name");
        bytes[2..4].copy_from_slice(&[0x84, 0]);
        bytes[7] = 2;
        bytes.extend_from_slice(b"\xc0\x0c\0\x05\0\x01\0\0\0\x1e\0\x05\x02db\xc0\x0c");
        bytes.extend_from_slice(b"\xc0\x0c\0\x01\0\x01\0\0\0\x1e\0\x04\x0a\x60\0\x01");
        let reply = Reply(&bytes);
        assert_eq!((reply.id(), reply.code(), reply.is_authoritative()), (Some(7), (0, "NOERROR".into()), true));
        let lines = reply.lines().expect("it can be read");
        assert_eq!(lines, "web\tcanonical name = db.web\nName:\tweb\nAddress: 10.96.0.1\n");
        // A name that points to itself, and one that is cut off.
        let looped = [0, 7, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xc0, 12];
        assert_eq!((Reply(&looped).lines(), Reply(&bytes[..30]).lines()), (None, None));
    }
}
