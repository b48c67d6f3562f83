//! Hashes.

use super::{Access, Answer, Call, Command, decimal, float, integer};
use crate::resp::{Bytes, Reply};

/// The table.
pub const COMMANDS: &[Command] = &[
    Command { name: "hdel", arity: -3, access: Access::Write, run: delete },
    Command { name: "hexists", arity: 3, access: Access::Read, run: exists },
    Command { name: "hget", arity: 3, access: Access::Read, run: get },
    Command { name: "hgetall", arity: 2, access: Access::Read, run: all },
    Command { name: "hincrby", arity: 4, access: Access::Grow, run: count },
    Command { name: "hincrbyfloat", arity: 4, access: Access::Grow, run: count_float },
    Command { name: "hkeys", arity: 2, access: Access::Read, run: all },
    Command { name: "hlen", arity: 2, access: Access::Read, run: length },
    Command { name: "hmget", arity: -3, access: Access::Read, run: get_many },
    Command { name: "hmset", arity: -4, access: Access::Grow, run: set },
    Command { name: "hset", arity: -4, access: Access::Grow, run: set },
    Command { name: "hsetnx", arity: 4, access: Access::Grow, run: set_new },
    Command { name: "hstrlen", arity: 3, access: Access::Read, run: text_length },
    Command { name: "hvals", arity: 2, access: Access::Read, run: all },
];

fn delete(c: &mut Call<'_>) -> Answer {
    let (key, words) = (c.word(1).clone(), c.words);
    let Some(hash) = c.hash(&key)? else { return Ok(Reply::Int(0)) };
    let gone = words[2..].iter().filter(|field| hash.remove(field).is_some()).count();
    c.changed_at(&key, gone);
    Ok(Reply::count(gone))
}

/// The value of the field that the second word names.
fn field(c: &mut Call<'_>) -> Result<Option<Bytes>, String> {
    let (key, field) = (c.word(1).clone(), c.word(2).clone());
    Ok(c.hash(&key)?.and_then(|hash| hash.get(&field).cloned()))
}

fn exists(c: &mut Call<'_>) -> Answer {
    Ok(Reply::truth(field(c)?.is_some()))
}

fn get(c: &mut Call<'_>) -> Answer {
    Ok(Reply::option(field(c)?))
}

fn text_length(c: &mut Call<'_>) -> Answer {
    Ok(Reply::count(field(c)?.map_or(0, |text| text.len())))
}

/// HGETALL, HKEYS, HVALS.
fn all(c: &mut Call<'_>) -> Answer {
    let (name, key) = (c.lower(0), c.word(1).clone());
    let Some(hash) = c.hash(&key)? else { return Ok(Reply::Array(Vec::new())) };
    let (fields, values) = (name != "hvals", name != "hkeys");
    let pick = |(f, v): (&Bytes, &Bytes)| [fields.then(|| f.clone()), values.then(|| v.clone())];
    Ok(Reply::texts(hash.iter().flat_map(pick).flatten()))
}

fn count(c: &mut Call<'_>) -> Answer {
    let (key, name, step) = (c.word(1).clone(), c.word(2).clone(), c.int(3)?);
    let before = match field(c)? {
        Some(text) => integer(&text).ok_or("ERR hash value is not an integer")?,
        None => 0,
    };
    let after = before.checked_add(step).ok_or("ERR increment or decrement would overflow")?;
    c.make_hash(&key)?.insert(name, after.to_string().into_bytes());
    c.changed(1);
    Ok(Reply::Int(after))
}

fn count_float(c: &mut Call<'_>) -> Answer {
    let (key, name, step) = (c.word(1).clone(), c.word(2).clone(), c.word(3).clone());
    if c.float(3)?.is_infinite() {
        return Err("ERR value is NaN or Infinity".to_owned());
    }
    let before = field(c)?.unwrap_or_else(|| b"0".to_vec());
    if float(&before).ok_or("ERR hash value is not a float")?.is_infinite() {
        return Err("ERR increment would produce NaN or Infinity".to_owned());
    }
    let text = decimal::sum(&before, &step).ok_or("ERR hash value is not a float")?.into_bytes();
    c.make_hash(&key)?.insert(name.clone(), text.clone());
    c.instead = Some(vec![vec![b"HSET".to_vec(), key, name, text.clone()]]);
    c.changed(1);
    Ok(Reply::Bulk(text))
}

fn length(c: &mut Call<'_>) -> Answer {
    let key = c.word(1).clone();
    Ok(Reply::count(c.hash(&key)?.map_or(0, |hash| hash.len())))
}

fn get_many(c: &mut Call<'_>) -> Answer {
    let (key, words) = (c.word(1).clone(), c.words);
    let hash = c.hash(&key)?;
    let value = |field: &Bytes| hash.as_ref().and_then(|hash| hash.get(field).cloned());
    Ok(Reply::Array(words[2..].iter().map(|field| Reply::option(value(field))).collect()))
}

/// HSET and HMSET.
fn set(c: &mut Call<'_>) -> Answer {
    let (name, key, words) = (c.lower(0), c.word(1).clone(), c.words);
    if !words.len().is_multiple_of(2) {
        return Err(format!("ERR wrong number of arguments for '{name}' command"));
    }
    let hash = c.make_hash(&key)?;
    let pairs = words[2..].chunks_exact(2);
    let new = pairs.filter(|pair| hash.insert(pair[0].clone(), pair[1].clone())).count();
    c.changed(words.len() / 2 - 1);
    Ok(if name == "hmset" { Reply::ok() } else { Reply::count(new) })
}

fn set_new(c: &mut Call<'_>) -> Answer {
    let (key, name, text) = (c.word(1).clone(), c.word(2).clone(), c.word(3).clone());
    if field(c)?.is_some() {
        return Ok(Reply::Int(0));
    }
    c.make_hash(&key)?.insert(name, text);
    c.changed(1);
    Ok(Reply::Int(1))
}

#[cfg(test)]
mod tests {
    use crate::commands::tests::cases;

    #[test]
    fn hashes() {
        cases(
            1,
            r#"
            HSET h name Ann age 30 => (integer) 2
            HSET h age 31 => (integer) 0
            HGETALL h => 1) "name" 2) "Ann" 3) "age" 4) "31"
            HKEYS h => 1) "name" 2) "age"
            HVALS h => 1) "Ann" 2) "31"
            HGET h none => (nil)
            HMGET h name none => 1) "Ann" 2) (nil)
            HINCRBY h age 2 => (integer) 33
            HINCRBY h name 2 => (error) ERR hash value is not an integer
            HINCRBYFLOAT h age 0.1 => "33.1"
            HINCRBYFLOAT h age 0.2 => "33.3"
            HINCRBYFLOAT h age inf => (error) ERR value is NaN or Infinity
            HINCRBYFLOAT h name 1 => (error) ERR hash value is not a float
            HSETNX h name x => (integer) 0
            HSET h a b odd => (error) ERR wrong number of arguments for 'hset' command
            HLEN h => (integer) 2
            HDEL h name age none => (integer) 2
            EXISTS h => (integer) 0
            HGETALL h => (empty array)
            "#,
        );
    }
}
