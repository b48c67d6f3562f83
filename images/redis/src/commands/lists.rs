//! Lists.

use super::{Access, Answer, Call, Command, NO_KEY, SYNTAX, range};
use crate::resp::{Bytes, Reply};

/// The table.
pub const COMMANDS: &[Command] = &[
    Command { name: "lindex", arity: 3, access: Access::Read, run: index },
    Command { name: "linsert", arity: 5, access: Access::Grow, run: insert },
    Command { name: "llen", arity: 2, access: Access::Read, run: length },
    Command { name: "lmove", arity: 5, access: Access::Grow, run: shift },
    Command { name: "lpop", arity: -2, access: Access::Write, run: pop },
    Command { name: "lpos", arity: -3, access: Access::Read, run: position },
    Command { name: "lpush", arity: -3, access: Access::Grow, run: push },
    Command { name: "lpushx", arity: -3, access: Access::Grow, run: push },
    Command { name: "lrange", arity: 4, access: Access::Read, run: part },
    Command { name: "lrem", arity: 4, access: Access::Write, run: remove },
    Command { name: "lset", arity: 4, access: Access::Grow, run: set },
    Command { name: "ltrim", arity: 4, access: Access::Write, run: trim },
    Command { name: "rpop", arity: -2, access: Access::Write, run: pop },
    Command { name: "rpoplpush", arity: 3, access: Access::Grow, run: shift },
    Command { name: "rpush", arity: -3, access: Access::Grow, run: push },
    Command { name: "rpushx", arity: -3, access: Access::Grow, run: push },
];

fn place(at: i64, length: usize) -> Option<usize> {
    let at = if at < 0 { i64::try_from(length).ok()? + at } else { at };
    usize::try_from(at).ok().filter(|at| *at < length)
}

fn index(c: &mut Call<'_>) -> Answer {
    let (key, at) = (c.word(1).clone(), c.int(2)?);
    let Some(list) = c.list(&key)? else { return Ok(Reply::Nil) };
    Ok(Reply::option(place(at, list.len()).and_then(|at| list.get(at).cloned())))
}

fn insert(c: &mut Call<'_>) -> Answer {
    let (key, pivot, text) = (c.word(1).clone(), c.word(3).clone(), c.word(4).clone());
    let after = match c.lower(2).as_str() {
        "before" => 0,
        "after" => 1,
        _ => return Err(SYNTAX.to_owned()),
    };
    let Some(list) = c.list(&key)? else { return Ok(Reply::Int(0)) };
    let Some(at) = list.iter().position(|e| *e == pivot) else { return Ok(Reply::Int(-1)) };
    list.insert(at + after, text);
    let length = list.len();
    c.changed(1);
    Ok(Reply::count(length))
}

fn length(c: &mut Call<'_>) -> Answer {
    let key = c.word(1).clone();
    Ok(Reply::count(c.list(&key)?.map_or(0, |list| list.len())))
}

fn pop(c: &mut Call<'_>) -> Answer {
    let (key, left) = (c.word(1).clone(), c.lower(0) == "lpop");
    let count = match c.words.len() {
        2 => None,
        3 => match usize::try_from(c.int(2)?) {
            Ok(count) => Some(count),
            Err(_) => return Err("ERR value is out of range, must be positive".to_owned()),
        },
        _ => return Err(format!("ERR wrong number of arguments for '{}' command", c.lower(0))),
    };
    let Some(list) = c.list(&key)? else {
        return Ok(if count.is_some() { Reply::NilArray } else { Reply::Nil });
    };
    let mut all: Vec<Bytes> = Vec::new();
    while all.len() < count.unwrap_or(1)
        && let Some(element) = if left { list.pop_front() } else { list.pop_back() }
    {
        all.push(element);
    }
    c.changed_at(&key, all.len());
    Ok(if count.is_some() { Reply::texts(all) } else { Reply::option(all.pop()) })
}

/// What LPOS says to a rank that means no element.
const RANK_IS_ZERO: &str = "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list";

/// LPOS with RANK, COUNT, MAXLEN.
fn position(c: &mut Call<'_>) -> Answer {
    let (key, text) = (c.word(1).clone(), c.word(2).clone());
    let (mut rank, mut count, mut most) = (1, None, 0);
    for at in (3..c.words.len()).step_by(2) {
        let option = c.lower(at);
        if at + 1 == c.words.len() {
            return Err(SYNTAX.to_owned());
        }
        let number = c.int(at + 1)?;
        let natural =
            || usize::try_from(number).map_err(|_| format!("ERR {} can't be negative", option.to_uppercase()));
        match option.as_str() {
            "rank" if number == 0 => return Err(RANK_IS_ZERO.to_owned()),
            "rank" => rank = number,
            "count" => count = Some(natural()?),
            "maxlen" => most = natural()?,
            _ => return Err(SYNTAX.to_owned()),
        }
    }
    let places: Vec<usize> = c.list(&key)?.map_or_else(Vec::new, |list| {
        // Zero looks at all of them.
        let most = if most == 0 { list.len() } else { most };
        let skipped = usize::try_from(rank.unsigned_abs() - 1).unwrap_or(usize::MAX);
        let all = list.iter().enumerate();
        let all: Vec<_> = if rank > 0 { all.take(most).collect() } else { all.rev().take(most).collect() };
        all.into_iter().filter(|(_, element)| **element == text).map(|(at, _)| at).skip(skipped).collect()
    });
    Ok(match count {
        None => places.first().map_or(Reply::Nil, |at| Reply::count(*at)),
        Some(count) => {
            let count = if count == 0 { places.len() } else { count };
            Reply::Array(places.into_iter().take(count).map(Reply::count).collect())
        }
    })
}

fn push(c: &mut Call<'_>) -> Answer {
    let (name, key, words) = (c.lower(0), c.word(1).clone(), c.words);
    if name.ends_with('x') && c.list(&key)?.is_none() {
        return Ok(Reply::Int(0));
    }
    let list = c.make_list(&key)?;
    for text in &words[2..] {
        if name.starts_with('l') { list.push_front(text.clone()) } else { list.push_back(text.clone()) }
    }
    let length = list.len();
    c.changed(words.len() - 2);
    Ok(Reply::count(length))
}

fn part(c: &mut Call<'_>) -> Answer {
    let (key, start, stop) = (c.word(1).clone(), c.int(2)?, c.int(3)?);
    let Some(list) = c.list(&key)? else { return Ok(Reply::Array(Vec::new())) };
    let part = range(start, stop, list.len()).map(|(from, to)| list.range(from..=to).cloned().collect());
    let part: Vec<Bytes> = part.unwrap_or_default();
    Ok(Reply::texts(part))
}

fn remove(c: &mut Call<'_>) -> Answer {
    let (key, count, text) = (c.word(1).clone(), c.int(2)?, c.word(3).clone());
    let Some(list) = c.list(&key)? else { return Ok(Reply::Int(0)) };
    let most = if count == 0 { usize::MAX } else { usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX) };
    let mut places: Vec<usize> = list.iter().enumerate().filter(|(_, e)| **e == text).map(|(at, _)| at).collect();
    if count < 0 {
        places.reverse();
    }
    places.truncate(most);
    places.sort_unstable();
    for at in places.iter().rev() {
        list.remove(*at);
    }
    c.changed_at(&key, places.len());
    Ok(Reply::count(places.len()))
}

fn set(c: &mut Call<'_>) -> Answer {
    let (key, at, text) = (c.word(1).clone(), c.int(2)?, c.word(3).clone());
    let list = c.list(&key)?.ok_or(NO_KEY)?;
    let at = place(at, list.len()).ok_or("ERR index out of range")?;
    list[at] = text;
    c.changed(1);
    Ok(Reply::ok())
}

/// LMOVE and RPOPLPUSH.
fn shift(c: &mut Call<'_>) -> Answer {
    let (from, to) = (c.word(1).clone(), c.word(2).clone());
    let left = |c: &Call<'_>, at: usize| match c.lower(at).as_str() {
        "left" => Ok(true),
        "right" => Ok(false),
        _ => Err(SYNTAX.to_owned()),
    };
    let (out_left, in_left) = if c.words.len() == 5 { (left(c, 3)?, left(c, 4)?) } else { (false, true) };
    c.list(&to)?;
    let Some(list) = c.list(&from)? else { return Ok(Reply::Nil) };
    let Some(element) = (if out_left { list.pop_front() } else { list.pop_back() }) else { return Ok(Reply::Nil) };
    let list = c.make_list(&to)?;
    if in_left {
        list.push_front(element.clone())
    } else {
        list.push_back(element.clone())
    }
    c.changed_at(&from, 1);
    Ok(Reply::Bulk(element))
}

fn trim(c: &mut Call<'_>) -> Answer {
    let (key, start, stop) = (c.word(1).clone(), c.int(2)?, c.int(3)?);
    if let Some(list) = c.list(&key)? {
        match range(start, stop, list.len()) {
            Some((from, to)) => {
                list.truncate(to + 1);
                list.drain(..from);
            }
            None => list.clear(),
        }
        c.changed_at(&key, 1);
    }
    Ok(Reply::ok())
}

#[cfg(test)]
mod tests {
    use crate::commands::tests::cases;

    #[test]
    fn lists() {
        cases(
            1,
            r#"
            RPUSH l a b c => (integer) 3
            LPUSH l z => (integer) 4
            LRANGE l 0 -1 => 1) "z" 2) "a" 3) "b" 4) "c"
            LRANGE none 0 -1 => (empty array)
            LLEN l => (integer) 4
            LINDEX l -1 => "c"
            LSET l 0 y => OK
            LSET l 9 y => (error) ERR index out of range
            LINSERT l BEFORE b x => (integer) 5
            LPOS l x => (integer) 2
            RPUSH p a b a a => (integer) 4
            LPOS p a RANK 2 => (integer) 2
            LPOS p a RANK -1 => (integer) 3
            LPOS p a COUNT 0 => 1) (integer) 0 2) (integer) 2 3) (integer) 3
            LPOS p a COUNT 5 MAXLEN 2 => 1) (integer) 0
            LPOS p a COUNT -1 => (error) ERR COUNT can't be negative
            LPOS p a MAXLEN 2 RANK 2 => (nil)
            LPOS p a RANK => (error) ERR syntax error
            DEL p => (integer) 1
            LREM l 1 x => (integer) 1
            LPOP l => "y"
            RPOP l 2 => 1) "c" 2) "b"
            LPUSHX none a => (integer) 0
            RPOPLPUSH l m => "a"
            EXISTS l => (integer) 0
            LPOP l => (nil)
            RPUSH m b c => (integer) 3
            LTRIM m 1 -1 => OK
            LRANGE m 0 -1 => 1) "b" 2) "c"
            LMOVE m m LEFT RIGHT => "b"
            LRANGE m 0 -1 => 1) "c" 2) "b"
            "#,
        );
    }
}
