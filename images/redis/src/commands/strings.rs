//! Strings and counters.

use super::keys::ends_at;
use super::{Access, Answer, Call, Command, SYNTAX, decimal, float, integer, lower, range};
use crate::resp::{Bytes, Reply};
use crate::store::Value;

/// Bytes of the longest string that SETRANGE and APPEND make, as `proto-max-bulk-len`; a request has no more.
const STRING_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// The table.
pub const COMMANDS: &[Command] = &[
    Command { name: "append", arity: 3, access: Access::Grow, run: append },
    Command { name: "decr", arity: 2, access: Access::Grow, run: count },
    Command { name: "decrby", arity: 3, access: Access::Grow, run: count },
    Command { name: "get", arity: 2, access: Access::Read, run: get },
    Command { name: "getdel", arity: 2, access: Access::Write, run: get_and_delete },
    Command { name: "getex", arity: -2, access: Access::Write, run: get_and_expire },
    Command { name: "getrange", arity: 4, access: Access::Read, run: get_range },
    Command { name: "getset", arity: 3, access: Access::Grow, run: get_and_set },
    Command { name: "incr", arity: 2, access: Access::Grow, run: count },
    Command { name: "incrby", arity: 3, access: Access::Grow, run: count },
    Command { name: "incrbyfloat", arity: 3, access: Access::Grow, run: count_float },
    Command { name: "mget", arity: -2, access: Access::Read, run: get_many },
    Command { name: "mset", arity: -3, access: Access::Grow, run: set_many },
    Command { name: "msetnx", arity: -3, access: Access::Grow, run: set_many },
    Command { name: "psetex", arity: 4, access: Access::Grow, run: set_for },
    Command { name: "set", arity: -3, access: Access::Grow, run: set },
    Command { name: "setex", arity: 4, access: Access::Grow, run: set_for },
    Command { name: "setnx", arity: 3, access: Access::Grow, run: set_new },
    Command { name: "setrange", arity: 4, access: Access::Grow, run: set_range },
    Command { name: "strlen", arity: 2, access: Access::Read, run: length },
    Command { name: "substr", arity: 4, access: Access::Read, run: get_range },
];

/// Where bytes put at a place of a string end. Counted in 64 bits: a guest's own numbers of 32 would wrap.
///
/// # Errors
/// The string would be too long.
fn end_of(offset: u64, bytes: usize) -> Result<usize, String> {
    let end = offset.checked_add(bytes as u64).filter(|end| *end <= STRING_BYTES_MAX);
    let end = end.and_then(|end| usize::try_from(end).ok());
    end.ok_or_else(|| "ERR string exceeds maximum allowed size (proto-max-bulk-len)".to_owned())
}

fn append(c: &mut Call<'_>) -> Answer {
    let (key, text) = (c.word(1).clone(), c.word(2).clone());
    let before = c.string(&key)?.map_or(0, |value| value.len());
    end_of(before as u64, text.len())?;
    let value = c.make_string(&key)?;
    value.extend(text);
    let length = value.len();
    c.changed(1);
    Ok(Reply::count(length))
}

/// INCR, DECR, INCRBY, DECRBY.
fn count(c: &mut Call<'_>) -> Answer {
    let (name, key) = (c.lower(0), c.word(1).clone());
    let step = if c.words.len() == 3 { c.int(2)? } else { 1 };
    let step = if name.starts_with("decr") { step.checked_neg().ok_or("ERR decrement would overflow")? } else { step };
    let before = match c.string(&key)? {
        Some(text) => integer(text).ok_or(super::NOT_INTEGER)?,
        None => 0,
    };
    let after = before.checked_add(step).ok_or("ERR increment or decrement would overflow")?;
    *c.make_string(&key)? = after.to_string().into_bytes();
    c.changed(1);
    Ok(Reply::Int(after))
}

fn count_float(c: &mut Call<'_>) -> Answer {
    let (key, step) = (c.word(1).clone(), c.word(2).clone());
    let before = c.string(&key)?.cloned().unwrap_or_else(|| b"0".to_vec());
    let all = [float(&before), float(&step)];
    if all.contains(&None) {
        return Err(super::NOT_FLOAT.to_owned());
    }
    if all.iter().flatten().any(|number| number.is_infinite()) {
        return Err("ERR increment would produce NaN or Infinity".to_owned());
    }
    let text = decimal::sum(&before, &step).ok_or(super::NOT_FLOAT)?.into_bytes();
    c.make_string(&key)?.clone_from(&text);
    c.instead = Some(vec![vec![b"SET".to_vec(), key, text.clone(), b"KEEPTTL".to_vec()]]);
    c.changed(1);
    Ok(Reply::Bulk(text))
}

fn get(c: &mut Call<'_>) -> Answer {
    let key = c.word(1).clone();
    Ok(Reply::option(c.string(&key)?.cloned()))
}

fn get_and_delete(c: &mut Call<'_>) -> Answer {
    let (key, now) = (c.word(1).clone(), c.now);
    let value = c.string(&key)?.cloned();
    if c.db().remove(&key, now).is_some() {
        c.changed(1);
    }
    Ok(Reply::option(value))
}

/// The end that `EX seconds`, `PX`, `EXAT`, `PXAT` mean, in ms since 1970.
fn end(c: &Call<'_>, unit: &str, at: usize, command: &str) -> Result<u64, String> {
    if at >= c.words.len() {
        return Err(SYNTAX.to_owned());
    }
    let invalid = || format!("ERR invalid expire time in '{command}' command");
    let amount = c.int(at)?;
    let millis = if unit.starts_with('p') { Some(amount) } else { amount.checked_mul(1000) };
    let millis = millis.filter(|n| *n > 0).and_then(|n| u64::try_from(n).ok()).ok_or_else(invalid)?;
    Ok(if unit.ends_with("at") { millis } else { c.now + millis })
}

fn get_and_expire(c: &mut Call<'_>) -> Answer {
    let key = c.word(1).clone();
    let value = c.string(&key)?.cloned();
    let change = match c.words.get(2).map(|w| lower(w)).as_deref() {
        None => None,
        Some("persist") => Some(None),
        Some(unit @ ("ex" | "px" | "exat" | "pxat")) => Some(Some(end(c, unit, 3, "getex")?)),
        Some(_) => return Err(SYNTAX.to_owned()),
    };
    if let (Some(expires), true) = (change, value.is_some()) {
        c.db().set_end(&key, expires);
        c.instead = Some(vec![match expires {
            Some(end) => ends_at(key, end),
            None => vec![b"PERSIST".to_vec(), key],
        }]);
        c.changed(1);
    }
    Ok(Reply::option(value))
}

fn get_range(c: &mut Call<'_>) -> Answer {
    let (key, start, stop) = (c.word(1).clone(), c.int(2)?, c.int(3)?);
    let text = c.string(&key)?.cloned().unwrap_or_default();
    Ok(Reply::text(range(start, stop, text.len()).map_or(&[][..], |(from, to)| &text[from..=to])))
}

fn get_and_set(c: &mut Call<'_>) -> Answer {
    let (key, text, now) = (c.word(1).clone(), c.word(2).clone(), c.now);
    let before = c.string(&key)?.cloned();
    c.db().set(key, Value::Str(text), None, now);
    c.changed(1);
    Ok(Reply::option(before))
}

fn get_many(c: &mut Call<'_>) -> Answer {
    let words = c.words;
    Ok(Reply::Array(words[1..].iter().map(|key| Reply::option(c.string(key).ok().flatten().cloned())).collect()))
}

/// MSET and MSETNX.
fn set_many(c: &mut Call<'_>) -> Answer {
    let (name, words, now) = (c.lower(0), c.words, c.now);
    if words.len().is_multiple_of(2) {
        return Err(format!("ERR wrong number of arguments for '{name}' command"));
    }
    let only_new = name == "msetnx";
    if only_new && words[1..].chunks_exact(2).any(|pair| c.db().get(&pair[0], now).is_some()) {
        return Ok(Reply::Int(0));
    }
    for pair in words[1..].chunks_exact(2) {
        c.db().set(pair[0].clone(), Value::Str(pair[1].clone()), None, now);
    }
    c.changed(words.len() / 2);
    Ok(if only_new { Reply::Int(1) } else { Reply::ok() })
}

/// The request that sets a string with its end whenever it is read.
fn set_until(key: Bytes, text: Bytes, end: u64) -> Vec<Bytes> {
    vec![b"SET".to_vec(), key, text, b"PXAT".to_vec(), end.to_string().into_bytes()]
}

/// SETEX and PSETEX.
fn set_for(c: &mut Call<'_>) -> Answer {
    let (name, key, text, now) = (c.lower(0), c.word(1).clone(), c.word(3).clone(), c.now);
    let end = end(c, if name == "psetex" { "px" } else { "ex" }, 2, &name)?;
    c.db().set(key.clone(), Value::Str(text.clone()), Some(end), now);
    c.instead = Some(vec![set_until(key, text, end)]);
    c.changed(1);
    Ok(Reply::ok())
}

fn set_new(c: &mut Call<'_>) -> Answer {
    let (key, text, now) = (c.word(1).clone(), c.word(2).clone(), c.now);
    if c.db().get(&key, now).is_some() {
        return Ok(Reply::Int(0));
    }
    c.db().set(key, Value::Str(text), None, now);
    c.changed(1);
    Ok(Reply::Int(1))
}

/// SET with NX, XX, GET, KEEPTTL, EX, PX, EXAT, PXAT.
fn set(c: &mut Call<'_>) -> Answer {
    let (key, text, now) = (c.word(1).clone(), c.word(2).clone(), c.now);
    let (mut expires, mut new, mut old, mut give, mut keep) = (None, false, false, false, false);
    let mut at = 3;
    while at < c.words.len() {
        match c.lower(at).as_str() {
            "nx" => new = true,
            "xx" => old = true,
            "get" => give = true,
            "keepttl" => keep = true,
            unit @ ("ex" | "px" | "exat" | "pxat") if expires.is_none() => {
                at += 1;
                expires = Some(end(c, unit, at, "set")?);
            }
            _ => return Err(SYNTAX.to_owned()),
        }
        at += 1;
    }
    if new && old || keep && expires.is_some() {
        return Err(SYNTAX.to_owned());
    }
    let before = if give { c.string(&key)?.cloned() } else { None };
    let there = c.db().get(&key, now).map(|entry| entry.expires);
    let answer = |done: bool| match (give, done) {
        (true, _) => Reply::option(before.clone()),
        (false, true) => Reply::ok(),
        (false, false) => Reply::Nil,
    };
    if new && there.is_some() || old && there.is_none() {
        return Ok(answer(false));
    }
    if keep {
        expires = there.flatten();
    }
    c.db().set(key.clone(), Value::Str(text.clone()), expires, now);
    c.instead = Some(vec![match expires {
        Some(end) => set_until(key, text, end),
        None => vec![b"SET".to_vec(), key, text],
    }]);
    c.changed(1);
    Ok(answer(true))
}

fn set_range(c: &mut Call<'_>) -> Answer {
    let (key, offset, text) = (c.word(1).clone(), c.int(2)?, c.word(3).clone());
    let offset = u64::try_from(offset).map_err(|_| "ERR offset is out of range".to_owned())?;
    if text.is_empty() {
        return Ok(Reply::count(c.string(&key)?.map_or(0, |value| value.len())));
    }
    let end = end_of(offset, text.len())?;
    let value = c.make_string(&key)?;
    value.resize(value.len().max(end), 0);
    value[end - text.len()..end].copy_from_slice(&text);
    let length = value.len();
    c.changed(1);
    Ok(Reply::count(length))
}

fn length(c: &mut Call<'_>) -> Answer {
    let key = c.word(1).clone();
    Ok(Reply::count(c.string(&key)?.map_or(0, |text| text.len())))
}

#[cfg(test)]
mod tests {
    use super::{STRING_BYTES_MAX, end_of};
    use crate::commands::tests::{cases, play};
    use crate::resp::Reply;
    use crate::store::Store;

    #[test]
    fn strings_have_a_longest_length() {
        let too_long = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
        assert_eq!(end_of(u64::MAX, 1), Err(too_long.to_owned()));
        assert_eq!(end_of(3, 4), Ok(7));
        let mut store = Store::default();
        let fill = format!("SETRANGE k {} x", STRING_BYTES_MAX - 1);
        assert_eq!(play(&mut store, 1, &[&fill]), Reply::Int(8 * 1024 * 1024));
        for line in ["APPEND k y", "SETRANGE k 4294967295 abc", "SETRANGE k 9223372036854775807 abc"] {
            assert_eq!(play(&mut store, 1, &[line]), Reply::Error(too_long.to_owned()), "{line}");
        }
        assert_eq!(play(&mut store, 1, &["STRLEN k"]), Reply::Int(8 * 1024 * 1024));
    }

    #[test]
    fn strings_and_counters() {
        cases(
            5_000,
            r#"
            SET k "a b" => OK
            GET k => "a b"
            GET none => (nil)
            SET k x NX => (nil)
            SET k x XX GET => "a b"
            SET k x EX 0 => (error) ERR invalid expire time in 'set' command
            SET k x EX => (error) ERR syntax error
            SET k x BOGUS => (error) ERR syntax error
            INCR k => (error) ERR value is not an integer or out of range
            INCR n => (integer) 1
            INCRBY n 41 => (integer) 42
            DECRBY n 2 => (integer) 40
            INCRBYFLOAT n 0.5 => "40.5"
            INCRBYFLOAT n inf => (error) ERR increment would produce NaN or Infinity
            INCRBYFLOAT f 0.1 => "0.1"
            INCRBYFLOAT f 0.2 => "0.3"
            INCRBYFLOAT f 1e20 => "100000000000000000000"
            INCRBYFLOAT f x => (error) ERR value is not a valid float
            SET big 9223372036854775807 => OK
            INCR big => (error) ERR increment or decrement would overflow
            APPEND k yz => (integer) 3
            GETRANGE k -2 -1 => "yz"
            SETRANGE k 1 -- => (integer) 3
            STRLEN k => (integer) 3
            MSET a 1 b 2 => OK
            MGET a none b => 1) "1" 2) (nil) 3) "2"
            GETSET a 9 => "1"
            GETDEL a => "9"
            SETEX t 10 v => OK
            TTL t => (integer) 10
            SET t v KEEPTTL => OK
            TTL t => (integer) 10
            LPUSH k 1 => (error) WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}
