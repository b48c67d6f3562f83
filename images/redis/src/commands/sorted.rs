//! Sorted sets.

use std::ops::Bound;

use super::{Access, Answer, Call, Command, SYNTAX, float, lower, range, show};
use crate::resp::{Bytes, Reply};
use crate::store::ranked;

/// The table.
pub const COMMANDS: &[Command] = &[
    Command { name: "zadd", arity: -4, access: Access::Grow, run: add },
    Command { name: "zcard", arity: 2, access: Access::Read, run: size },
    Command { name: "zcount", arity: 4, access: Access::Read, run: count },
    Command { name: "zincrby", arity: 4, access: Access::Grow, run: increase },
    Command { name: "zpopmax", arity: -2, access: Access::Write, run: pop },
    Command { name: "zpopmin", arity: -2, access: Access::Write, run: pop },
    Command { name: "zrange", arity: -4, access: Access::Read, run: part },
    Command { name: "zrangebyscore", arity: -4, access: Access::Read, run: by_score },
    Command { name: "zrank", arity: -3, access: Access::Read, run: rank },
    Command { name: "zrem", arity: -3, access: Access::Write, run: remove },
    Command { name: "zremrangebyscore", arity: 4, access: Access::Write, run: remove_by_score },
    Command { name: "zrevrange", arity: -4, access: Access::Read, run: part },
    Command { name: "zrevrangebyscore", arity: -4, access: Access::Read, run: by_score },
    Command { name: "zrevrank", arity: -3, access: Access::Read, run: rank },
    Command { name: "zscore", arity: 3, access: Access::Read, run: score },
];

fn text(score: f64) -> Bytes {
    show(score).into_bytes()
}

/// ZADD with NX, XX, GT, LT, CH.
fn add(c: &mut Call<'_>) -> Answer {
    let (key, words) = (c.word(1).clone(), c.words);
    let mut at = 2;
    let mut flags = Vec::new();
    while at < words.len() && matches!(lower(&words[at]).as_str(), "nx" | "xx" | "gt" | "lt" | "ch" | "incr") {
        flags.push(lower(&words[at]));
        at += 1;
    }
    let on = |flag: &str| flags.iter().any(|f| f == flag);
    if on("incr") {
        return Err("ERR kubonsai does not support ZADD INCR (redis) yet".to_owned());
    }
    if at == words.len() || !(words.len() - at).is_multiple_of(2) {
        return Err(SYNTAX.to_owned());
    }
    if on("nx") && (on("xx") || on("gt") || on("lt")) || on("gt") && on("lt") {
        return Err("ERR GT, LT, and/or NX options at the same time are not compatible".to_owned());
    }
    let scores: Option<Vec<f64>> = words[at..].iter().step_by(2).map(|word| float(word)).collect();
    let scores = scores.ok_or(super::NOT_FLOAT)?;
    let sorted = c.make_sorted(&key)?;
    let (mut new, mut changed) = (0, 0);
    for (score, member) in scores.into_iter().zip(words[at + 1..].iter().step_by(2)) {
        let before = sorted.get(member).copied();
        let skip = match before {
            None => on("xx"),
            Some(before) => on("nx") || on("gt") && score <= before || on("lt") && score >= before,
        };
        if skip || before == Some(score) {
            continue;
        }
        sorted.insert(member.clone(), score);
        if before.is_none() { new += 1 } else { changed += 1 }
    }
    let ch = on("ch");
    c.changed_at(&key, new + changed);
    Ok(Reply::count(if ch { new + changed } else { new }))
}

fn size(c: &mut Call<'_>) -> Answer {
    let key = c.word(1).clone();
    Ok(Reply::count(c.sorted(&key)?.map_or(0, |sorted| sorted.len())))
}

/// `5`, `(5`, `-inf`.
fn bound(word: &[u8]) -> Result<Bound<f64>, String> {
    let (open, number) = match word.strip_prefix(b"(") {
        Some(number) => (true, number),
        None => (false, word),
    };
    let number = float(number).ok_or("ERR min or max is not a float")?;
    Ok(if open { Bound::Excluded(number) } else { Bound::Included(number) })
}

/// The members whose scores lie between two bounds.
fn between(c: &mut Call<'_>, key: &[u8], min: &[u8], max: &[u8]) -> Result<Vec<(Bytes, f64)>, String> {
    let (min, max) = (bound(min)?, bound(max)?);
    let mut all = c.sorted(key)?.map(|sorted| ranked(sorted)).unwrap_or_default();
    all.retain(|(_, score)| {
        let low = match min {
            Bound::Excluded(min) => *score > min,
            Bound::Included(min) => *score >= min,
            Bound::Unbounded => true,
        };
        let high = match max {
            Bound::Excluded(max) => *score < max,
            Bound::Included(max) => *score <= max,
            Bound::Unbounded => true,
        };
        low && high
    });
    Ok(all)
}

fn count(c: &mut Call<'_>) -> Answer {
    let words = c.words;
    Ok(Reply::count(between(c, &words[1], &words[2], &words[3])?.len()))
}

fn increase(c: &mut Call<'_>) -> Answer {
    let (key, step, member) = (c.word(1).clone(), c.float(2)?, c.word(3).clone());
    let sorted = c.make_sorted(&key)?;
    let after = sorted.get(&member).copied().unwrap_or(0.0) + step;
    sorted.insert(member, after);
    c.changed(1);
    Ok(Reply::Bulk(text(after)))
}

fn pop(c: &mut Call<'_>) -> Answer {
    let (name, key) = (c.lower(0), c.word(1).clone());
    let count = if c.words.len() > 2 { c.int(2)? } else { 1 };
    let count = usize::try_from(count).map_err(|_| "ERR value is out of range, must be positive".to_owned())?;
    let Some(sorted) = c.sorted(&key)? else { return Ok(Reply::Array(Vec::new())) };
    let mut all = ranked(sorted);
    if name == "zpopmax" {
        all.reverse();
    }
    all.truncate(count);
    for (member, _) in &all {
        sorted.remove(member);
    }
    c.changed_at(&key, all.len());
    Ok(shown(all, true))
}

fn shown(all: Vec<(Bytes, f64)>, scores: bool) -> Reply {
    Reply::texts(all.into_iter().flat_map(|(member, score)| [Some(member), scores.then(|| text(score))]).flatten())
}

/// ZRANGE and ZREVRANGE.
fn part(c: &mut Call<'_>) -> Answer {
    let (name, words) = (c.lower(0), c.words);
    let options: Vec<String> = words[4..].iter().map(|w| lower(w)).collect();
    let on = |option: &str| options.iter().any(|o| o == option);
    if let Some(other) = options.iter().find(|o| !matches!(o.as_str(), "withscores" | "rev" | "byscore")) {
        return match other.as_str() {
            "bylex" | "limit" => {
                Err(format!("ERR kubonsai does not support ZRANGE with {} (redis) yet", other.to_uppercase()))
            }
            _ => Err(SYNTAX.to_owned()),
        };
    }
    let reverse = name == "zrevrange" || on("rev");
    if on("byscore") {
        let (min, max) = if reverse { (3, 2) } else { (2, 3) };
        let mut all = between(c, &words[1], &words[min], &words[max])?;
        if reverse {
            all.reverse();
        }
        return Ok(shown(all, on("withscores")));
    }
    let (start, stop) = (c.int(2)?, c.int(3)?);
    let mut all = c.sorted(&words[1])?.map(|sorted| ranked(sorted)).unwrap_or_default();
    if reverse {
        all.reverse();
    }
    let part = range(start, stop, all.len()).map(|(from, to)| all[from..=to].to_vec()).unwrap_or_default();
    Ok(shown(part, on("withscores")))
}

/// ZRANGEBYSCORE and ZREVRANGEBYSCORE with WITHSCORES and LIMIT.
fn by_score(c: &mut Call<'_>) -> Answer {
    let (name, words) = (c.lower(0), c.words);
    let reverse = name == "zrevrangebyscore";
    let (min, max) = if reverse { (3, 2) } else { (2, 3) };
    let (mut scores, mut offset, mut limit) = (false, 0, -1);
    let mut at = 4;
    while at < words.len() {
        match lower(&words[at]).as_str() {
            "withscores" => scores = true,
            "limit" if at + 2 < words.len() => {
                (offset, limit) = (c.int(at + 1)?, c.int(at + 2)?);
                at += 2;
            }
            _ => return Err(SYNTAX.to_owned()),
        }
        at += 1;
    }
    let mut all = between(c, &words[1], &words[min], &words[max])?;
    if reverse {
        all.reverse();
    }
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(shown(all.into_iter().skip(offset).take(limit).collect(), scores))
}

/// ZRANK and ZREVRANK with WITHSCORE.
fn rank(c: &mut Call<'_>) -> Answer {
    let with_score = match c.words.get(3).map(|w| lower(w)).as_deref() {
        None => false,
        Some("withscore") if c.words.len() == 4 => true,
        Some(_) => return Err(SYNTAX.to_owned()),
    };
    let (name, key, member) = (c.lower(0), c.word(1).clone(), c.word(2).clone());
    let mut all = c.sorted(&key)?.map(|sorted| ranked(sorted)).unwrap_or_default();
    if name == "zrevrank" {
        all.reverse();
    }
    Ok(match (all.iter().position(|(m, _)| *m == member), with_score) {
        (None, false) => Reply::Nil,
        (None, true) => Reply::NilArray,
        (Some(at), false) => Reply::count(at),
        (Some(at), true) => Reply::Array(vec![Reply::count(at), Reply::text(show(all[at].1))]),
    })
}

fn remove(c: &mut Call<'_>) -> Answer {
    let (key, words) = (c.word(1).clone(), c.words);
    let Some(sorted) = c.sorted(&key)? else { return Ok(Reply::Int(0)) };
    let gone = words[2..].iter().filter(|member| sorted.remove(*member).is_some()).count();
    c.changed_at(&key, gone);
    Ok(Reply::count(gone))
}

fn remove_by_score(c: &mut Call<'_>) -> Answer {
    let words = c.words;
    let gone = between(c, &words[1], &words[2], &words[3])?;
    if let Some(sorted) = c.sorted(&words[1])? {
        for (member, _) in &gone {
            sorted.remove(member);
        }
    }
    c.changed_at(&words[1], gone.len());
    Ok(Reply::count(gone.len()))
}

fn score(c: &mut Call<'_>) -> Answer {
    let (key, member) = (c.word(1).clone(), c.word(2).clone());
    Ok(Reply::option(c.sorted(&key)?.and_then(|sorted| sorted.get(&member).copied()).map(text)))
}

#[cfg(test)]
mod tests {
    use crate::commands::tests::cases;

    #[test]
    fn sorted_sets() {
        cases(
            1,
            r#"
            ZADD z 2 b 1 a 3 c => (integer) 3
            ZADD z XX 5 none => (integer) 0
            ZADD z CH 2.5 b => (integer) 1
            ZADD z x b => (error) ERR value is not a valid float
            ZRANGE z 0 -1 WITHSCORES => 1) "a" 2) "1" 3) "b" 4) "2.5" 5) "c" 6) "3"
            ZREVRANGE z 0 0 => 1) "c"
            ZRANGE z 0 0 REV => 1) "c"
            ZRANGEBYSCORE z (1 +inf LIMIT 0 1 => 1) "b"
            ZCOUNT z -inf 2.5 => (integer) 2
            ZINCRBY z 10 a => "11"
            ZRANK z a => (integer) 2
            ZRANK z a x => (error) ERR syntax error
            ZRANK z none WITHSCORE => (nil)
            ZREVRANK z a => (integer) 0
            ZSCORE z none => (nil)
            ZPOPMIN z => 1) "b" 2) "2.5"
            ZREM z a c => (integer) 2
            EXISTS z => (integer) 0
            "#,
        );
    }
}
