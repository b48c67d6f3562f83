//! A session as bytes for a link: small before it is compressed, because a link has little room.
//!
//! Times are differences in milliseconds, keys stand without their names, everything else of an input is JSON.

use cluster::{Input, LogEntry};
use simulation::{Duration, Time};

use crate::saved::{ENTRIES_MAX, SavedSession};
use crate::session::Seed;

/// Raised when the bytes change their meaning.
const VERSION: u8 = 1;
/// Characters of a whole link: longer ones are cut by chat programs and refused by servers.
pub const LINK_CHARS_MAX: usize = 32 * 1024;
/// What a link unpacks to at most, in bytes.
pub const UNPACKED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// What stands before the bytes behind `#`.
pub const PREFIX: &str = "#share=";

const MILLISECOND: u64 = 1_000_000;
/// An input that is not keys. Terminals are numbered far below.
const OTHER: u8 = 255;
const NO_TIME: u64 = 0;

/// The bytes of a session.
pub fn pack(session: &SavedSession) -> Vec<u8> {
    let mut out = vec![VERSION];
    let Seed { course, lesson, seed, start } = &session.seed;
    for text in [&session.build, course, lesson] {
        put_bytes(&mut out, text.as_bytes());
    }
    put_number(&mut out, *seed);
    put_number(&mut out, start.as_nanos() as u64);
    put_number(&mut out, session.log.len() as u64);
    let mut before = *start;
    for LogEntry { at, input } in &session.log {
        put_number(&mut out, difference(before, *at));
        before = *at;
        match input {
            Input::Keys { id, text } if *id != OTHER => {
                out.push(*id);
                put_bytes(&mut out, text.as_bytes());
            }
            other => {
                out.push(OTHER);
                put_bytes(&mut out, &json::to_vec(other).expect("inputs are plain data"));
            }
        }
    }
    put_number(&mut out, session.reached.map_or(NO_TIME, |reached| difference(before, reached) + 1));
    out
}

/// The session of bytes.
///
/// # Errors
/// Why they are no session, in English.
pub fn unpack(bytes: &[u8]) -> Result<SavedSession, String> {
    read(bytes).ok_or_else(|| "the link is damaged, or of a newer version".to_owned()).and_then(|session| {
        session.check()?;
        Ok(session)
    })
}

fn read(bytes: &[u8]) -> Option<SavedSession> {
    let mut rest = bytes;
    if take(&mut rest, 1)? != [VERSION] {
        return None;
    }
    let [build, course, lesson] = [take_text(&mut rest)?, take_text(&mut rest)?, take_text(&mut rest)?];
    let seed = take_number(&mut rest)?;
    let start = Time::from_nanos(i64::try_from(take_number(&mut rest)?).ok()?);
    let count = usize::try_from(take_number(&mut rest)?).ok().filter(|count| *count <= ENTRIES_MAX)?;
    let mut log = Vec::new();
    let mut before = start;
    for _ in 0..count {
        let at = before + from_difference(take_number(&mut rest)?);
        before = at;
        let input = match take(&mut rest, 1)?[0] {
            OTHER => json::from_str(&take_text(&mut rest)?).ok()?,
            id => Input::Keys { id, text: take_text(&mut rest)? },
        };
        log.push(LogEntry { at, input });
    }
    let reached = match take_number(&mut rest)? {
        NO_TIME => None,
        difference => Some(before + from_difference(difference - 1)),
    };
    rest.is_empty().then_some(SavedSession { build, seed: Seed { course, lesson, seed, start }, log, reached })
}

/// Whole milliseconds are even numbers, others are odd ones of nanoseconds.
fn difference(before: Time, at: Time) -> u64 {
    let nanos = at.saturating_since(before).as_nanos() as u64;
    if nanos.is_multiple_of(MILLISECOND) { nanos / MILLISECOND * 2 } else { nanos * 2 + 1 }
}

fn from_difference(number: u64) -> Duration {
    if number.is_multiple_of(2) { Duration::from_millis(number / 2) } else { Duration::from_nanos(number / 2) }
}

/// Seven bits a byte, the low ones first.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    let count = usize::try_from(take_number(rest)?).ok()?;
    String::from_utf8(take(rest, count)?.to_vec()).ok()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Bytes as the letters that an address may hold (RFC 4648, section 5, without padding).
pub fn to_letters(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            out.push(char::from(ALPHABET[(group >> (18 - 6 * place) & 63) as usize]));
        }
    }
    out
}

/// The bytes of letters; none when a letter is not one of them.
pub fn from_letters(letters: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(letters.len() / 4 * 3);
    for chunk in letters.as_bytes().chunks(4) {
        let mut group = 0_u32;
        for letter in chunk {
            group = group << 6 | ALPHABET.iter().position(|known| known == letter)? as u32;
        }
        group <<= 6 * (4 - chunk.len());
        // One letter alone holds no whole byte.
        let count = chunk.len().checked_sub(1).filter(|count| *count > 0)?;
        out.extend_from_slice(&group.to_be_bytes()[1..=count]);
    }
    Some(out)
}
