//! From a [`Reply`] to the guest's memory.

use std::net::Ipv4Addr;

use bytes::Bytes;
use vfs::Errno;

use super::memory::{put, u32_at};
use super::{Event, Fdstat, Filestat, Reply};

/// Where the answer of a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "pointers, named after what goes there")]
pub enum Out {
    None,
    U32(u32),
    Pair(u32, u32),
    Triple(u32, u32, u32),
    U64(u32),
    /// Scattered bytes and their count.
    Vectors {
        vectors: Vec<(u32, u32)>,
        count: Option<u32>,
    },
    /// As above with what a receiving call tells besides.
    Received {
        vectors: Vec<(u32, u32)>,
        count: u32,
        flags: u32,
        address: Option<(u32, bool)>,
        port: Option<u32>,
    },
    /// As many bytes as fit. With `full_length` the length is told even so, and not fitting is `ERANGE`.
    Buffer {
        at: u32,
        max: u32,
        used: u32,
        full_length: bool,
    },
    /// Bytes that must fit, else `ENAMETOOLONG`.
    Exact {
        at: u32,
        length: u32,
    },
    Strings {
        pointers: u32,
        buffer: u32,
    },
    StringsSizes {
        count: u32,
        bytes: u32,
    },
    Filestat(u32),
    Fdstat(u32),
    Prestat(u32),
    Events {
        at: u32,
        count: u32,
    },
    Address {
        address: (u32, bool),
        kind: Option<u32>,
        port: u32,
    },
    Addresses {
        at: u32,
        max: u32,
        count: u32,
    },
    /// A chain of prepared `addrinfo` records.
    Addrinfo {
        list: u32,
        max: u32,
        count: u32,
        port: u16,
    },
}

/// Writes a reply; gives the errno for the guest.
pub fn encode(out: &Out, reply: Reply, memory: &mut [u8]) -> u16 {
    match write(out, reply, memory) {
        Ok(()) => 0,
        Err(errno) => errno.number(),
    }
}

fn put32(memory: &mut [u8], at: u32, value: u32) -> Result<(), Errno> {
    put(memory, at, &value.to_le_bytes())
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn write(out: &Out, reply: Reply, memory: &mut [u8]) -> Result<(), Errno> {
    match (out, reply) {
        (_, Reply::Errno(errno)) => Err(errno),
        (Out::None, _) => Ok(()),
        (Out::U32(at), Reply::U32(value)) => put32(memory, *at, value),
        (Out::Pair(a, b), Reply::Pair(x, y)) => {
            put32(memory, *a, x)?;
            put32(memory, *b, y)
        }
        (Out::Triple(a, b, c), Reply::Triple(x, y, z)) => {
            put32(memory, *a, x)?;
            put32(memory, *b, y)?;
            put32(memory, *c, z)
        }
        (Out::U64(at), Reply::U64(value)) => put(memory, *at, &value.to_le_bytes()),
        (Out::Vectors { vectors, count }, Reply::Bytes(bytes)) => {
            scatter(memory, vectors, &bytes)?;
            count.map_or(Ok(()), |at| put32(memory, at, length(&bytes)))
        }
        (Out::Vectors { vectors, count }, Reply::Datagram(bytes, _)) => {
            let taken = scatter(memory, vectors, &bytes)?;
            count.map_or(Ok(()), |at| put32(memory, at, taken))
        }
        (out @ Out::Received { .. }, reply) => write_received(out, reply, memory),
        (Out::Buffer { at, max, used, full_length }, Reply::Bytes(bytes)) => {
            let fits = length(&bytes).min(*max);
            put(memory, *at, &bytes[..fits as usize])?;
            put32(memory, *used, if *full_length { length(&bytes) } else { fits })?;
            if *full_length && fits < length(&bytes) { Err(Errno::Range) } else { Ok(()) }
        }
        (Out::Exact { at, length: room }, Reply::Bytes(bytes)) => {
            if length(&bytes) > *room {
                return Err(Errno::NameTooLong);
            }
            put(memory, *at, &bytes)
        }
        (Out::Strings { pointers, buffer }, Reply::Strings(strings)) => {
            write_strings(memory, *pointers, *buffer, &strings)
        }
        (Out::StringsSizes { count, bytes }, Reply::Strings(strings)) => {
            let total: usize = strings.iter().map(|s| s.len() + 1).sum();
            put32(memory, *count, u32::try_from(strings.len()).unwrap_or(u32::MAX))?;
            put32(memory, *bytes, u32::try_from(total).unwrap_or(u32::MAX))
        }
        (Out::Filestat(at), Reply::Filestat(stat)) => put(memory, *at, &filestat(&stat)),
        (Out::Fdstat(at), Reply::Fdstat(stat)) => put(memory, *at, &fdstat(stat)),
        (Out::Prestat(at), Reply::Bytes(name)) => {
            put32(memory, *at, 0)?; // a directory
            put32(memory, at.checked_add(4).ok_or(Errno::Fault)?, length(&name))
        }
        (Out::Events { at, count }, Reply::Events(events)) => {
            for (i, event) in (0_u32..).zip(&events) {
                put(memory, at.checked_add(i * 32).ok_or(Errno::Fault)?, &event_record(event))?;
            }
            put32(memory, *count, u32::try_from(events.len()).unwrap_or(u32::MAX))
        }
        (Out::Address { address, kind, port }, Reply::Address(value)) => {
            write_ip(memory, *address, *value.ip())?;
            if let Some(kind) = kind {
                put32(memory, *kind, 4)?;
            }
            put32(memory, *port, u32::from(value.port()))
        }
        (Out::Addresses { at, max, count }, Reply::Addresses(addresses)) => {
            let bytes: Vec<u8> = addresses.iter().take(*max as usize).flat_map(Ipv4Addr::octets).collect();
            put(memory, *at, &bytes)?;
            put32(memory, *count, length(&bytes) / 4)
        }
        (Out::Addrinfo { list, max, count, port }, Reply::Addresses(addresses)) => {
            let written = write_addrinfo(memory, *list, *max, *port, &addresses)?;
            put32(memory, *count, written)
        }
        // The kernel answers each call with its own kind of reply; a mismatch is its mistake and not the guest's.
        _ => Err(Errno::Io),
    }
}

fn write_received(out: &Out, reply: Reply, memory: &mut [u8]) -> Result<(), Errno> {
    let Out::Received { vectors, count, flags, address, port } = out else { return Err(Errno::Io) };
    let (bytes, from) = match reply {
        Reply::Bytes(bytes) => (bytes, None),
        Reply::Datagram(bytes, from) => (bytes, Some(from)),
        _ => return Err(Errno::Io),
    };
    let taken = scatter(memory, vectors, &bytes)?;
    put32(memory, *count, taken)?;
    let truncated = u16::from(taken < length(&bytes));
    put(memory, *flags, &truncated.to_le_bytes())?;
    if let (Some(place), Some(from)) = (address, from) {
        write_ip(memory, *place, *from.ip())?;
    }
    match (port, from) {
        (Some(at), Some(from)) => put32(memory, *at, u32::from(from.port())),
        _ => Ok(()),
    }
}

/// Gives how many bytes there was room for.
fn scatter(memory: &mut [u8], vectors: &[(u32, u32)], bytes: &Bytes) -> Result<u32, Errno> {
    let mut rest = &bytes[..];
    for (at, room) in vectors {
        let (now, later) = rest.split_at(rest.len().min(*room as usize));
        put(memory, *at, now)?;
        rest = later;
    }
    Ok(length(bytes) - length(rest))
}

fn write_strings(memory: &mut [u8], pointers: u32, buffer: u32, strings: &[Bytes]) -> Result<(), Errno> {
    let (mut pointer, mut at) = (pointers, buffer);
    for string in strings {
        put32(memory, pointer, at)?;
        put(memory, at, string)?;
        let end = at.checked_add(length(string)).ok_or(Errno::Fault)?;
        put(memory, end, &[0])?;
        at = end.checked_add(1).ok_or(Errno::Fault)?;
        pointer = pointer.checked_add(4).ok_or(Errno::Fault)?;
    }
    Ok(())
}

fn write_ip(memory: &mut [u8], (at, with_family): (u32, bool), ip: Ipv4Addr) -> Result<(), Errno> {
    let mut bytes = Vec::with_capacity(6);
    if with_family {
        bytes.extend([1, 0]); // IPv4
    }
    bytes.extend(ip.octets());
    put(memory, at, &bytes)
}

/// Records: flags u16, family u8, type u8, protocol u8 (padded), addrlen, addr, canonname, canonnamelen, next.
fn write_addrinfo(memory: &mut [u8], list: u32, max: u32, port: u16, addresses: &[Ipv4Addr]) -> Result<u32, Errno> {
    let mut at = list;
    let mut written = 0;
    for ip in addresses.iter().take(max as usize) {
        if at == 0 {
            break;
        }
        let field = |offset: u32| at.checked_add(offset).ok_or(Errno::Fault);
        put(memory, field(2)?, &[1, 2, 1])?; // IPv4, stream, TCP
        put32(memory, field(8)?, 16)?;
        let sockaddr = u32_at(memory, field(12)?)?;
        put(memory, sockaddr, &[1])?;
        put32(memory, sockaddr.checked_add(4).ok_or(Errno::Fault)?, 6)?;
        let data = u32_at(memory, sockaddr.checked_add(8).ok_or(Errno::Fault)?)?;
        put(memory, data, &port.to_be_bytes())?;
        put(memory, data.checked_add(2).ok_or(Errno::Fault)?, &ip.octets())?;
        at = u32_at(memory, field(24)?)?;
        written += 1;
    }
    Ok(written)
}

fn filestat(stat: &Filestat) -> [u8; 64] {
    let mut b = [0; 64];
    let mut u64_to = |at: usize, value: u64| b[at..at + 8].copy_from_slice(&value.to_le_bytes());
    u64_to(0, stat.dev);
    u64_to(8, stat.ino);
    u64_to(16, u64::from(stat.filetype as u8));
    u64_to(24, stat.links);
    u64_to(32, stat.size);
    for (at, time) in [(40, stat.accessed), (48, stat.modified), (56, stat.changed)] {
        u64_to(at, u64::try_from(time.as_nanos()).unwrap_or(0));
    }
    b
}

/// All rights of preview 1.
const ALL_RIGHTS: u64 = (1 << 30) - 1;
/// `fd_seek` and `fd_tell`.
const RIGHTS_TO_SEEK: u64 = 1 << 2 | 1 << 5;

fn fdstat(stat: Fdstat) -> [u8; 24] {
    let mut b = [0; 24];
    b[0] = stat.filetype as u8;
    b[2..4].copy_from_slice(&stat.flags.to_le_bytes());
    let rights = if stat.is_stream { ALL_RIGHTS & !RIGHTS_TO_SEEK } else { ALL_RIGHTS };
    b[8..16].copy_from_slice(&rights.to_le_bytes());
    b[16..24].copy_from_slice(&ALL_RIGHTS.to_le_bytes());
    b
}

fn event_record(event: &Event) -> [u8; 32] {
    let mut b = [0; 32];
    b[0..8].copy_from_slice(&event.userdata.to_le_bytes());
    b[8..10].copy_from_slice(&event.error.map_or(0, Errno::number).to_le_bytes());
    b[10] = event.kind;
    b[16..24].copy_from_slice(&event.bytes.to_le_bytes());
    b[24] = u8::from(event.hangup);
    b
}
