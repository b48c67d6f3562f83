//! DNS messages as they travel (RFC 1035): as much as resolvers and nslookup need.

use std::net::Ipv4Addr;

use crate::journey as told;

/// Record and question types.
pub mod qtype {
    /// A host address.
    pub const A: u16 = 1;
    /// A canonical name.
    pub const CNAME: u16 = 5;
    /// A pointer from an address to a name.
    pub const PTR: u16 = 12;
    /// An IPv6 address; the cluster has none.
    pub const AAAA: u16 = 28;
    /// A service's port and target.
    pub const SRV: u16 = 33;
}

/// Response codes.
pub mod rcode {
    /// The name exists, whether or not it has records of the type asked for.
    pub const NOERROR: u8 = 0;
    /// The server failed.
    pub const SERVFAIL: u8 = 2;
    /// The name does not exist.
    pub const NXDOMAIN: u8 = 3;
    /// The server does not do this.
    pub const NOTIMP: u8 = 4;
}

const CLASS_IN: u16 = 1;
const LABEL_BYTES_MAX: usize = 63;
/// The longest name, in bytes, without the last dot.
pub(crate) const NAME_BYTES_MAX: usize = 253;
/// Records of one answer that the packet trace tells.
const RECORDS_TOLD_MAX: usize = 16;
const POINTER_JUMPS_MAX: usize = 16;

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Identifies the exchange.
    pub id: u16,
    /// Lower-case name without the last dot.
    pub name: String,
    /// See [`qtype`].
    pub qtype: u16,
    /// Recursion desired: echoed.
    pub recursion: bool,
}

/// The data of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// A
    Address(Ipv4Addr),
    /// CNAME
    Alias(String),
    /// PTR
    Pointer(String),
    /// SRV: priority, weight, port, target.
    Service(u16, u16, u16, String),
}

/// One record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Owner name.
    pub name: String,
    /// Seconds to live.
    pub ttl: u32,
    /// What it says.
    pub data: Data,
}

/// What an answer means to a resolver that asked for addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The name exists; the list may be empty.
    Addresses(Vec<Ipv4Addr>),
    /// NXDOMAIN.
    NoSuchName,
    /// Any other failure: another server may know.
    Failed,
}

/// A question for the addresses of `name`; none if it is no valid name.
pub fn query(id: u16, name: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(32);
    header(&mut out, id, 0x0100, 0);
    put_name(&mut out, name)?;
    put_u16(&mut out, qtype::A);
    put_u16(&mut out, CLASS_IN);
    Some(out)
}

/// Reads a question; none if it is malformed.
pub fn read_question(bytes: &[u8]) -> Option<Question> {
    let flags = u16_at(bytes, 2)?;
    let is_query = flags & 0xf800 == 0;
    if !is_query || u16_at(bytes, 4)? != 1 {
        return None;
    }
    let (name, at) = name_at(bytes, 12)?;
    let qtype = u16_at(bytes, at)?;
    Some(Question { id: u16_at(bytes, 0)?, name, qtype, recursion: flags & 0x0100 != 0 })
}

/// An answer to `question`.
pub fn respond(question: &Question, code: u8, records: &[Record]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    // Response, authoritative; recursion is desired as asked and available.
    let flags = 0x8480 | (u16::from(question.recursion) << 8) | u16::from(code);
    header(&mut out, question.id, flags, u16::try_from(records.len()).unwrap_or(u16::MAX));
    put_question(&mut out, question);
    for record in records {
        put_record(&mut out, record);
    }
    out
}

/// Reads an answer to the question `id`; none if it is another's or malformed.
pub fn read_answer(bytes: &[u8], id: u16) -> Option<Answer> {
    let flags = u16_at(bytes, 2)?;
    if u16_at(bytes, 0)? != id || flags & 0x8000 == 0 {
        return None;
    }
    match (flags & 0x000f) as u8 {
        rcode::NOERROR => {}
        rcode::NXDOMAIN => return Some(Answer::NoSuchName),
        _ => return Some(Answer::Failed),
    }
    let (questions, answers) = (u16_at(bytes, 4)?, u16_at(bytes, 6)?);
    let mut at = 12;
    for _ in 0..questions {
        at = name_at(bytes, at)?.1 + 4;
    }
    let mut addresses = Vec::new();
    for _ in 0..answers {
        at = name_at(bytes, at)?.1;
        let (kind, length) = (u16_at(bytes, at)?, usize::from(u16_at(bytes, at + 8)?));
        let data = bytes.get(at + 10..at + 10 + length)?;
        if let (qtype::A, &[a, b, c, d]) = (kind, data) {
            addresses.push(Ipv4Addr::new(a, b, c, d));
        }
        at += 10 + length;
    }
    Some(Answer::Addresses(addresses))
}

/// Reads an answer as the packet trace tells it; none if it is malformed.
pub fn read_records(bytes: &[u8]) -> Option<told::Answer> {
    match (u16_at(bytes, 2)? & 0x000f) as u8 {
        rcode::NOERROR => {}
        rcode::NXDOMAIN => return Some(told::Answer::NoSuchName),
        _ => return Some(told::Answer::Failed),
    }
    let mut at = 12;
    for _ in 0..u16_at(bytes, 4)? {
        at = name_at(bytes, at)?.1 + 4;
    }
    let mut records = Vec::new();
    for _ in 0..u16_at(bytes, 6)? {
        if records.len() == RECORDS_TOLD_MAX {
            records.push("...".to_owned());
            break;
        }
        at = name_at(bytes, at)?.1;
        let (kind, length) = (u16_at(bytes, at)?, usize::from(u16_at(bytes, at + 8)?));
        let data = at + 10;
        records.push(match (kind, bytes.get(data..data + length)?) {
            (qtype::A, &[a, b, c, d]) => format!("A {}", Ipv4Addr::new(a, b, c, d)),
            (qtype::CNAME, _) => format!("CNAME {}", name_at(bytes, data)?.0),
            (qtype::PTR, _) => format!("PTR {}", name_at(bytes, data)?.0),
            (qtype::SRV, _) => format!("SRV {}:{}", name_at(bytes, data + 6)?.0, u16_at(bytes, data + 4)?),
            (other, _) => format!("TYPE{other}"),
        });
        at = data + length;
    }
    Some(told::Answer::Records(records))
}

fn header(out: &mut Vec<u8>, id: u16, flags: u16, answers: u16) {
    for word in [id, flags, 1, answers, 0, 0] {
        put_u16(out, word);
    }
}

fn put_question(out: &mut Vec<u8>, question: &Question) {
    if put_name(out, &question.name).is_none() {
        out.push(0);
    }
    put_u16(out, question.qtype);
    put_u16(out, CLASS_IN);
}

fn put_record(out: &mut Vec<u8>, record: &Record) {
    let mut data = Vec::new();
    let kind = match &record.data {
        Data::Address(address) => {
            data.extend_from_slice(&address.octets());
            qtype::A
        }
        Data::Alias(name) => {
            let _ = put_name(&mut data, name);
            qtype::CNAME
        }
        Data::Pointer(name) => {
            let _ = put_name(&mut data, name);
            qtype::PTR
        }
        Data::Service(priority, weight, port, target) => {
            [*priority, *weight, *port].iter().for_each(|word| put_u16(&mut data, *word));
            let _ = put_name(&mut data, target);
            qtype::SRV
        }
    };
    if put_name(out, &record.name).is_none() {
        out.push(0);
    }
    put_u16(out, kind);
    put_u16(out, CLASS_IN);
    out.extend_from_slice(&record.ttl.to_be_bytes());
    put_u16(out, u16::try_from(data.len()).unwrap_or(0));
    out.extend_from_slice(&data);
}

/// Writes a name; none, with nothing written, if it is no valid one.
fn put_name(out: &mut Vec<u8>, name: &str) -> Option<()> {
    let name = name.trim_end_matches('.');
    let fits = |label: &str| !label.is_empty() && label.len() <= LABEL_BYTES_MAX;
    if name.len() > NAME_BYTES_MAX || !name.split('.').all(fits) {
        return None;
    }
    for label in name.split('.') {
        out.push(u8::try_from(label.len()).ok()?);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    Some(())
}

/// The lower-case name at an offset and the offset after it; follows compression pointers.
fn name_at(bytes: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut at, mut end, mut jumps) = (start, None, 0);
    let mut labels: Vec<String> = Vec::new();
    let mut room = NAME_BYTES_MAX + 1;
    loop {
        let length = usize::from(*bytes.get(at)?);
        if length == 0 {
            return Some((labels.join(".").to_ascii_lowercase(), end.unwrap_or(at + 1)));
        }
        if length & 0xc0 == 0xc0 {
            jumps += 1;
            if jumps > POINTER_JUMPS_MAX {
                return None;
            }
            end.get_or_insert(at + 2);
            at = usize::from(u16_at(bytes, at)? & 0x3fff);
        } else {
            room = room.checked_sub(length + 1)?;
            labels.push(String::from_utf8_lossy(bytes.get(at + 1..at + 1 + length)?).into_owned());
            at += 1 + length;
        }
    }
}

fn put_u16(out: &mut Vec<u8>, word: u16) {
    out.extend_from_slice(&word.to_be_bytes());
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_and_answers_round_trip() {
        let question = read_question(&query(7, "Web.Default.svc.cluster.local.").unwrap()).unwrap();
        assert_eq!(question.name, "web.default.svc.cluster.local");
        assert_eq!(question.qtype, qtype::A);
        let address = Ipv4Addr::new(10, 96, 0, 9);
        let record = Record { name: question.name.clone(), ttl: 30, data: Data::Address(address) };
        let bytes = respond(&question, rcode::NOERROR, &[record]);
        assert_eq!(read_answer(&bytes, 7), Some(Answer::Addresses(vec![address])));
        assert_eq!(read_answer(&bytes, 8), None, "another exchange");
        assert_eq!(read_answer(&respond(&question, rcode::NXDOMAIN, &[]), 7), Some(Answer::NoSuchName));
    }

    #[test]
    fn bad_bytes_are_refused() {
        assert_eq!(query(1, "a..b"), None);
        assert_eq!(query(1, &"x".repeat(64)), None);
        assert_eq!(read_question(&[0; 5]), None);
        // A pointer to itself.
        let looped = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12];
        assert_eq!(read_question(&looped), None);
    }
}
