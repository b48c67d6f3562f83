//! Keys of any kind, and when they end.

use super::{Access, Answer, Call, Command, NO_KEY, NOT_INTEGER, SYNTAX, lower};
use crate::resp::{Bytes, Reply};
use crate::store::{Value, fits, members, ranked};

/// The table.
pub const COMMANDS: &[Command] = &[
    Command { name: "copy", arity: -3, access: Access::Grow, run: copy },
    Command { name: "dbsize", arity: 1, access: Access::Read, run: dbsize },
    Command { name: "del", arity: -2, access: Access::Write, run: delete },
    Command { name: "exists", arity: -2, access: Access::Read, run: exists },
    Command { name: "expire", arity: -3, access: Access::Write, run: expire },
    Command { name: "expireat", arity: -3, access: Access::Write, run: expire },
    Command { name: "expiretime", arity: 2, access: Access::Read, run: time_left },
    Command { name: "flushall", arity: -1, access: Access::Write, run: flush },
    Command { name: "flushdb", arity: -1, access: Access::Write, run: flush },
    Command { name: "keys", arity: 2, access: Access::Read, run: keys },
    Command { name: "persist", arity: 2, access: Access::Write, run: persist },
    Command { name: "pexpire", arity: -3, access: Access::Write, run: expire },
    Command { name: "pexpireat", arity: -3, access: Access::Write, run: expire },
    Command { name: "pttl", arity: 2, access: Access::Read, run: time_left },
    Command { name: "randomkey", arity: 1, access: Access::Read, run: random_key },
    Command { name: "rename", arity: 3, access: Access::Write, run: rename },
    Command { name: "renamenx", arity: 3, access: Access::Write, run: rename },
    Command { name: "scan", arity: -2, access: Access::Read, run: scan },
    Command { name: "hscan", arity: -3, access: Access::Read, run: scan },
    Command { name: "sscan", arity: -3, access: Access::Read, run: scan },
    Command { name: "zscan", arity: -3, access: Access::Read, run: scan },
    Command { name: "touch", arity: -2, access: Access::Read, run: exists },
    Command { name: "ttl", arity: 2, access: Access::Read, run: time_left },
    Command { name: "type", arity: 2, access: Access::Read, run: kind },
    Command { name: "unlink", arity: -2, access: Access::Write, run: delete },
];

fn copy(c: &mut Call<'_>) -> Answer {
    let (from, to, now) = (c.word(1).clone(), c.word(2).clone(), c.now);
    let replace = match c.words.get(3).map(|w| lower(w)).as_deref() {
        None => false,
        Some("replace") => true,
        Some(_) => return Err(SYNTAX.to_owned()),
    };
    let Some(entry) = c.db().get(&from, now).cloned() else { return Ok(Reply::Int(0)) };
    if c.db().get(&to, now).is_some() && !replace {
        return Ok(Reply::Int(0));
    }
    c.db().set(to, entry.value, entry.expires, now);
    c.changed(1);
    Ok(Reply::Int(1))
}

fn dbsize(c: &mut Call<'_>) -> Answer {
    let now = c.now;
    Ok(Reply::count(c.db().live(now).len()))
}

fn delete(c: &mut Call<'_>) -> Answer {
    let (words, now) = (c.words, c.now);
    let gone = words[1..].iter().filter(|key| c.db().remove(key, now).is_some()).count();
    c.changed(gone);
    Ok(Reply::count(gone))
}

fn exists(c: &mut Call<'_>) -> Answer {
    let (words, now) = (c.words, c.now);
    Ok(Reply::count(words[1..].iter().filter(|key| c.db().get(key, now).is_some()).count()))
}

/// EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT with NX, XX, GT, LT.
fn expire(c: &mut Call<'_>) -> Answer {
    let (name, key, now) = (c.lower(0), c.word(1).clone(), c.now);
    let amount = c.int(2)?;
    let invalid = || format!("ERR invalid expire time in '{name}' command");
    let millis = if name.starts_with('p') { Some(amount) } else { amount.checked_mul(1000) }.ok_or_else(invalid)?;
    let base = if name.ends_with("at") { 0 } else { i64::try_from(now).unwrap_or(0) };
    let end = base.checked_add(millis).ok_or_else(invalid)?;
    let end = u64::try_from(end).unwrap_or(0);
    let conditions: Vec<String> = c.words[3..].iter().map(|w| lower(w)).collect();
    let Some(entry) = c.db().get(&key, now) else { return Ok(Reply::Int(0)) };
    for condition in conditions {
        let holds = match (condition.as_str(), entry.expires) {
            ("nx", before) => before.is_none(),
            ("xx", before) => before.is_some(),
            ("gt", before) => before.is_some_and(|b| end > b),
            ("lt", before) => before.is_none_or(|b| end < b),
            (other, _) => return Err(format!("ERR Unsupported option {other}")),
        };
        if !holds {
            return Ok(Reply::Int(0));
        }
    }
    if end <= now {
        c.db().remove(&key, now);
        c.instead = Some(vec![vec![b"DEL".to_vec(), key]]);
    } else {
        c.db().set_end(&key, Some(end));
        c.instead = Some(vec![ends_at(key, end)]);
    }
    c.changed(1);
    Ok(Reply::Int(1))
}

/// The request that sets the end of a key whenever it is read.
pub fn ends_at(key: Bytes, end: u64) -> Vec<Bytes> {
    vec![b"PEXPIREAT".to_vec(), key, end.to_string().into_bytes()]
}

/// TTL, PTTL, EXPIRETIME.
fn time_left(c: &mut Call<'_>) -> Answer {
    let (name, key, now) = (c.lower(0), c.word(1).clone(), c.now);
    let Some(entry) = c.db().get(&key, now) else { return Ok(Reply::Int(-2)) };
    let Some(end) = entry.expires else { return Ok(Reply::Int(-1)) };
    let millis = match name.as_str() {
        "expiretime" => return Ok(Reply::Int(i64::try_from(end / 1000).unwrap_or(i64::MAX))),
        _ => end.saturating_sub(now),
    };
    let shown = if name == "pttl" { millis } else { (millis + 500) / 1000 };
    Ok(Reply::Int(i64::try_from(shown).unwrap_or(i64::MAX)))
}

fn flush(c: &mut Call<'_>) -> Answer {
    if c.words.len() > 2 || c.words.get(1).is_some_and(|w| !matches!(lower(w).as_str(), "async" | "sync")) {
        return Err(SYNTAX.to_owned());
    }
    let gone = match c.lower(0).as_str() {
        "flushall" => c.store.databases.iter_mut().map(|db| db.clear()).sum(),
        _ => c.db().clear(),
    };
    c.changed(gone.max(1));
    Ok(Reply::ok())
}

fn keys(c: &mut Call<'_>) -> Answer {
    let (pattern, now) = (c.word(1).clone(), c.now);
    Ok(Reply::texts(c.db().live(now).keys().filter(|key| fits(&pattern, key)).cloned()))
}

fn persist(c: &mut Call<'_>) -> Answer {
    let (key, now) = (c.word(1).clone(), c.now);
    let had = c.db().get(&key, now).and_then(|entry| entry.expires.take()).is_some();
    c.changed(usize::from(had));
    Ok(Reply::truth(had))
}

fn random_key(c: &mut Call<'_>) -> Answer {
    let (now, random) = (c.now, c.random);
    let live = c.db().live(now);
    let at = usize::try_from(random % (live.len().max(1) as u64)).unwrap_or(0);
    Ok(Reply::option(live.keys().nth(at).cloned()))
}

fn rename(c: &mut Call<'_>) -> Answer {
    let (from, to, now) = (c.word(1).clone(), c.word(2).clone(), c.now);
    let only_new = c.lower(0) == "renamenx";
    if c.db().get(&from, now).is_none() {
        return Err(NO_KEY.to_owned());
    }
    if only_new && c.db().get(&to, now).is_some() {
        return Ok(Reply::Int(0));
    }
    if let Some(entry) = c.db().remove(&from, now) {
        c.db().set(to, entry.value, entry.expires, now);
    }
    c.changed(1);
    Ok(if only_new { Reply::Int(1) } else { Reply::ok() })
}

/// SCAN and those of one value: everything in one answer, as the original does with small collections, so the cursor
/// is always 0.
fn scan(c: &mut Call<'_>) -> Answer {
    let (name, now) = (c.lower(0), c.now);
    let at = if name == "scan" { 1 } else { 2 };
    if super::integer(c.word(at)).is_none() {
        return Err("ERR invalid cursor".to_owned());
    }
    let (mut pattern, mut wanted) = (b"*".to_vec(), None);
    let mut options = c.words[at + 1..].chunks_exact(2);
    for pair in options.by_ref() {
        match lower(&pair[0]).as_str() {
            "match" => pattern.clone_from(&pair[1]),
            "count" if super::integer(&pair[1]).is_some_and(|n| n < 1) => return Err(SYNTAX.to_owned()),
            "count" if super::integer(&pair[1]).is_some() => {}
            "count" => return Err(NOT_INTEGER.to_owned()),
            "type" if name == "scan" => wanted = Some(lower(&pair[1])),
            _ => return Err(SYNTAX.to_owned()),
        }
    }
    if !options.remainder().is_empty() {
        return Err(SYNTAX.to_owned());
    }
    let key = c.word(1).clone();
    let pairs: Vec<Bytes> = match name.as_str() {
        "hscan" => {
            let hash = c.hash(&key)?.map(|h| h.clone()).unwrap_or_default();
            hash.iter().filter(|(f, _)| fits(&pattern, f)).flat_map(|(f, v)| [f.clone(), v.clone()]).collect()
        }
        "sscan" => {
            let all = c.set(&key)?.map(|s| members(s)).unwrap_or_default();
            all.into_iter().filter(|m| fits(&pattern, m)).collect()
        }
        "zscan" => {
            let all = c.sorted(&key)?.map(|s| ranked(s)).unwrap_or_default();
            let all = all.into_iter().filter(|(m, _)| fits(&pattern, m));
            all.flat_map(|(m, score)| [m, super::show(score).into_bytes()]).collect()
        }
        _ => {
            let live = c.db().live(now).iter();
            let of_kind = live.filter(|(_, e)| wanted.as_ref().is_none_or(|w| w == e.value.kind()));
            of_kind.map(|(key, _)| key).filter(|key| fits(&pattern, key)).cloned().collect()
        }
    };
    Ok(Reply::Array(vec![Reply::text("0"), Reply::texts(pairs)]))
}

fn kind(c: &mut Call<'_>) -> Answer {
    let (key, now) = (c.word(1).clone(), c.now);
    let entry = c.db().get(&key, now);
    Ok(Reply::Simple(entry.map_or("none", |entry: &mut crate::store::Entry| Value::kind(&entry.value)).to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::commands::tests::{cases, play};
    use crate::resp::Reply;
    use crate::store::Store;

    #[test]
    fn keys_of_any_kind() {
        cases(
            1_000,
            r#"
            EXISTS a => (integer) 0
            SET a 1 => OK
            RPUSH l x => (integer) 1
            EXISTS a l a => (integer) 3
            TYPE l => list
            TYPE none => none
            KEYS * => 1) "a" 2) "l"
            SCAN 0 TYPE list => 1) "0" 2) 1) "l"
            SCAN x => (error) ERR invalid cursor
            DBSIZE => (integer) 2
            TTL a => (integer) -1
            TTL none => (integer) -2
            EXPIRE a 10 => (integer) 1
            TTL a => (integer) 10
            EXPIRE a 5 GT => (integer) 0
            PERSIST a => (integer) 1
            RENAME none b => (error) ERR no such key
            RENAME a b => OK
            GET b => "1"
            COPY b c => (integer) 1
            DEL b c none => (integer) 2
            FLUSHALL => OK
            DBSIZE => (integer) 0
            "#,
        );
    }

    #[test]
    fn keys_end_in_time() {
        let mut store = Store::default();
        play(&mut store, 1_000, &["SET a 1 EX 2", "SET b 1 PX 1400"]);
        assert_eq!(play(&mut store, 1_000, &["TTL a"]), Reply::Int(2));
        assert_eq!(play(&mut store, 2_000, &["PTTL b"]), Reply::Int(400));
        assert_eq!(play(&mut store, 2_400, &["GET b"]), Reply::Nil);
        assert_eq!(play(&mut store, 3_000, &["DBSIZE"]), Reply::Int(0));
    }
}
