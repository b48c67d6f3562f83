//! Sets.

use super::{Access, Answer, Call, Command};
use crate::resp::{Bytes, Reply};
use crate::store::{Ordered, Value, members};

/// The table.
pub const COMMANDS: &[Command] = &[
    Command { name: "sadd", arity: -3, access: Access::Grow, run: add },
    Command { name: "scard", arity: 2, access: Access::Read, run: size },
    Command { name: "sdiff", arity: -2, access: Access::Read, run: combine },
    Command { name: "sdiffstore", arity: -3, access: Access::Grow, run: combine },
    Command { name: "sinter", arity: -2, access: Access::Read, run: combine },
    Command { name: "sinterstore", arity: -3, access: Access::Grow, run: combine },
    Command { name: "sismember", arity: 3, access: Access::Read, run: has },
    Command { name: "smembers", arity: 2, access: Access::Read, run: all },
    Command { name: "smismember", arity: -3, access: Access::Read, run: has_many },
    Command { name: "smove", arity: 4, access: Access::Write, run: shift },
    Command { name: "spop", arity: -2, access: Access::Write, run: pop },
    Command { name: "srandmember", arity: -2, access: Access::Read, run: random },
    Command { name: "srem", arity: -3, access: Access::Write, run: remove },
    Command { name: "sunion", arity: -2, access: Access::Read, run: combine },
    Command { name: "sunionstore", arity: -3, access: Access::Grow, run: combine },
];

fn add(c: &mut Call<'_>) -> Answer {
    let (key, words) = (c.word(1).clone(), c.words);
    let set = c.make_set(&key)?;
    let new = words[2..].iter().filter(|member| set.insert((*member).clone(), ())).count();
    c.changed(new);
    Ok(Reply::count(new))
}

fn size(c: &mut Call<'_>) -> Answer {
    let key = c.word(1).clone();
    Ok(Reply::count(c.set(&key)?.map_or(0, |set| set.len())))
}

fn listed(c: &mut Call<'_>, key: &[u8]) -> Result<Vec<Bytes>, String> {
    Ok(c.set(key)?.map(|set| members(set)).unwrap_or_default())
}

/// SUNION, SINTER, SDIFF and those that store.
fn combine(c: &mut Call<'_>) -> Answer {
    let (name, words, now) = (c.lower(0), c.words, c.now);
    let store = name.ends_with("store");
    let keys = &words[if store { 2 } else { 1 }..];
    let mut result = Ordered::default();
    for member in listed(c, &keys[0])? {
        result.insert(member, ());
    }
    for key in &keys[1..] {
        let other = listed(c, key)?;
        if name.starts_with("sunion") {
            for member in other {
                result.insert(member, ());
            }
            continue;
        }
        let keep_common = name.starts_with("sinter");
        for member in members(&result) {
            if other.contains(&member) != keep_common {
                result.remove(&member);
            }
        }
    }
    if !store {
        return Ok(Reply::texts(members(&result)));
    }
    let count = result.len();
    c.db().remove(&words[1], now);
    if count > 0 {
        c.db().set(words[1].clone(), Value::Set(result), None, now);
    }
    c.changed(1);
    Ok(Reply::count(count))
}

fn has(c: &mut Call<'_>) -> Answer {
    let (key, member) = (c.word(1).clone(), c.word(2).clone());
    Ok(Reply::truth(c.set(&key)?.is_some_and(|set| set.get(&member).is_some())))
}

fn has_many(c: &mut Call<'_>) -> Answer {
    let (key, words) = (c.word(1).clone(), c.words);
    let set = c.set(&key)?;
    let has = |member: &Bytes| set.as_ref().is_some_and(|set| set.get(member).is_some());
    Ok(Reply::Array(words[2..].iter().map(|member| Reply::truth(has(member))).collect()))
}

fn all(c: &mut Call<'_>) -> Answer {
    let key = c.word(1).clone();
    Ok(Reply::texts(listed(c, &key)?))
}

fn shift(c: &mut Call<'_>) -> Answer {
    let (from, to, member) = (c.word(1).clone(), c.word(2).clone(), c.word(3).clone());
    c.set(&to)?;
    if c.set(&from)?.and_then(|set| set.remove(&member)).is_none() {
        return Ok(Reply::Int(0));
    }
    c.make_set(&to)?.insert(member, ());
    c.changed_at(&from, 1);
    Ok(Reply::Int(1))
}

/// So many members by chance, each once.
fn chosen(c: &mut Call<'_>, key: &[u8], count: usize) -> Result<Vec<Bytes>, String> {
    /// A step that visits the members in an order that does not show.
    const STEP: u64 = 6_364_136_223_846_793_005;
    let mut all = listed(c, key)?;
    let mut random = c.random;
    let mut out = Vec::new();
    while out.len() < count && !all.is_empty() {
        let at = usize::try_from((random >> 33) % all.len() as u64).unwrap_or(0);
        out.push(all.remove(at));
        random = random.wrapping_mul(STEP).wrapping_add(1);
    }
    Ok(out)
}

fn pop(c: &mut Call<'_>) -> Answer {
    let key = c.word(1).clone();
    let count = if c.words.len() > 2 { Some(c.int(2)?) } else { None };
    let Ok(most) = usize::try_from(count.unwrap_or(1)) else {
        return Err("ERR value is out of range, must be positive".to_owned());
    };
    let gone = chosen(c, &key, most)?;
    if let Some(set) = c.set(&key)? {
        for member in &gone {
            set.remove(member);
        }
    }
    if !gone.is_empty() {
        let words = [b"SREM".to_vec(), key.clone()].into_iter().chain(gone.iter().cloned());
        c.instead = Some(vec![words.collect()]);
        c.changed_at(&key, gone.len());
    }
    Ok(if count.is_some() { Reply::texts(gone) } else { Reply::option(gone.into_iter().next()) })
}

fn random(c: &mut Call<'_>) -> Answer {
    let key = c.word(1).clone();
    if c.words.len() == 2 {
        return Ok(Reply::option(chosen(c, &key, 1)?.pop()));
    }
    match usize::try_from(c.int(2)?) {
        Ok(count) => Ok(Reply::texts(chosen(c, &key, count)?)),
        Err(_) => Err("ERR kubonsai does not support SRANDMEMBER with a negative count (redis) yet".to_owned()),
    }
}

fn remove(c: &mut Call<'_>) -> Answer {
    let (key, words) = (c.word(1).clone(), c.words);
    let Some(set) = c.set(&key)? else { return Ok(Reply::Int(0)) };
    let gone = words[2..].iter().filter(|member| set.remove(member).is_some()).count();
    c.changed_at(&key, gone);
    Ok(Reply::count(gone))
}

#[cfg(test)]
mod tests {
    use crate::commands::tests::{cases, play};
    use crate::resp::Reply;

    #[test]
    fn members_are_chosen_once_each() {
        let mut store = crate::store::Store::default();
        let some = play(&mut store, 1, &["SADD s a b c d", "SPOP s 3"]);
        let Reply::Array(mut all) = some else { panic!("{some:?}") };
        assert_eq!((all.len(), play(&mut store, 1, &["SCARD s"])), (3, Reply::Int(1)));
        all.push(play(&mut store, 1, &["SRANDMEMBER s"]));
        for member in ["a", "b", "c", "d"] {
            assert!(all.contains(&Reply::text(member)), "{member} of {all:?}");
        }
    }

    #[test]
    fn sets() {
        cases(
            1,
            r#"
            SADD s a b c => (integer) 3
            SADD s a => (integer) 0
            SADD t b c d => (integer) 3
            SMEMBERS s => 1) "a" 2) "b" 3) "c"
            SCARD s => (integer) 3
            SISMEMBER s a => (integer) 1
            SMISMEMBER s a x => 1) (integer) 1 2) (integer) 0
            SINTER s t => 1) "b" 2) "c"
            SUNION s t => 1) "a" 2) "b" 3) "c" 4) "d"
            SDIFF s t => 1) "a"
            SINTERSTORE u s t => (integer) 2
            SMOVE s t a => (integer) 1
            SREM s b c => (integer) 2
            EXISTS s => (integer) 0
            SRANDMEMBER none => (nil)
            "#,
        );
    }
}
