//! Commands of a session and of the server: a row each.

use crate::commands::{Answer, WRONG_TYPE, find, float, integer, lower, tables};
use crate::core::{Blocked, Core, Found};
use crate::resp::{Bytes, Reply};
use crate::store::{DATABASES, fits};
use crate::{info, saving, shutdown};

/// A command that is not about keys alone.
pub struct Own {
    /// Its name in lower case.
    pub name: &'static str,
    /// As that of a command on keys.
    pub arity: i32,
    /// What does it, for the client with a number.
    pub run: fn(&mut Core, u64, &[Bytes]) -> Answer,
}

/// The table.
pub const OWN: &[Own] = &[
    Own { name: "auth", arity: -2, run: auth },
    Own { name: "bgrewriteaof", arity: 1, run: rewrite },
    Own { name: "bgsave", arity: -1, run: saving::save_beside },
    Own { name: "blpop", arity: -3, run: pop_or_wait },
    Own { name: "brpop", arity: -3, run: pop_or_wait },
    Own { name: "client", arity: -2, run: client },
    Own { name: "command", arity: -1, run: command },
    Own { name: "config", arity: -2, run: config },
    Own { name: "discard", arity: 1, run: discard },
    Own { name: "echo", arity: 2, run: echo },
    Own { name: "exec", arity: 1, run: exec },
    Own { name: "hello", arity: -1, run: hello },
    Own { name: "info", arity: -1, run: info::info },
    Own { name: "lastsave", arity: 1, run: last_save },
    Own { name: "multi", arity: 1, run: multi },
    Own { name: "ping", arity: -1, run: ping },
    Own { name: "psubscribe", arity: -2, run: subscribe },
    Own { name: "publish", arity: 3, run: publish },
    Own { name: "pubsub", arity: -2, run: pubsub },
    Own { name: "punsubscribe", arity: -1, run: unsubscribe },
    Own { name: "quit", arity: -1, run: quit },
    Own { name: "role", arity: 1, run: role },
    Own { name: "save", arity: 1, run: saving::save },
    Own { name: "select", arity: 2, run: select },
    Own { name: "shutdown", arity: -1, run: shutdown::shutdown },
    Own { name: "subscribe", arity: -2, run: subscribe },
    Own { name: "time", arity: 1, run: time },
    Own { name: "unsubscribe", arity: -1, run: unsubscribe },
];

fn text(word: &[u8]) -> String {
    String::from_utf8_lossy(word).into_owned()
}

/// What the original says to a subcommand that it has not; one that it has is refused by name.
fn no_subcommand(name: &str, word: &[u8], refused: &[&str]) -> String {
    let sub = lower(word);
    if refused.contains(&sub.as_str()) {
        return format!("ERR kubonsai does not support {name} {} (redis) yet", sub.to_uppercase());
    }
    format!("ERR unknown subcommand '{}'. Try {name} HELP.", text(word))
}

fn auth(core: &mut Core, id: u64, words: &[Bytes]) -> Answer {
    let (user, password) = match words {
        [_, password] => ("default".to_owned(), password),
        [_, user, password] if core.major() >= 6 => (text(user), password),
        _ => return Err("ERR syntax error".to_owned()),
    };
    let needed = core.config.get("requirepass").as_bytes().to_vec();
    if needed.is_empty() && words.len() == 2 {
        return Err(if core.major() >= 6 {
            "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
        } else {
            "ERR Client sent AUTH, but no password is set"
        }
        .to_owned());
    }
    if user != "default" || !needed.is_empty() && *password != needed {
        return Err(if core.major() >= 6 {
            "WRONGPASS invalid username-password pair or user is disabled."
        } else {
            "ERR invalid password"
        }
        .to_owned());
    }
    if let Some(session) = core.sessions.get_mut(&id) {
        session.allowed = true;
    }
    Ok(Reply::ok())
}

fn rewrite(core: &mut Core, _: u64, _: &[Bytes]) -> Answer {
    let what = if core.disk.as_ref().is_some_and(|disk| disk.appends()) { "BGREWRITEAOF" } else { "the AOF rewrite" };
    Err(format!("ERR kubonsai does not support {what} (redis) yet"))
}

fn last_save(core: &mut Core, _: u64, _: &[Bytes]) -> Answer {
    Ok(Reply::Int(i64::try_from(core.saved.0 / 1000).unwrap_or(i64::MAX)))
}

/// The first element of a list with the list's name, for BLPOP and BRPOP; `None` if it is empty.
fn pop(core: &mut Core, id: u64, words: &[Bytes], key: &Bytes) -> Result<Option<Reply>, String> {
    let number = core.sessions.get(&id).map_or(0, |session| session.number);
    let name = if lower(&words[0]) == "blpop" { "lpop" } else { "rpop" };
    let Some(command) = find(name) else { return Ok(None) };
    match core.run(command, number, &[name.as_bytes().to_vec(), key.clone()])? {
        Reply::Bulk(element) => Ok(Some(Reply::texts([key.clone(), element]))),
        Reply::Nil => Ok(None),
        _ => Err(WRONG_TYPE.to_owned()),
    }
}

/// The first element for a client that waits already. A list of another kind now, or one that cannot be written, may
/// change again: it goes on waiting.
pub fn pop_waiting(core: &mut Core, id: u64, words: &[Bytes]) -> Option<Reply> {
    words[1..words.len() - 1].iter().find_map(|key| pop(core, id, words, key).ok().flatten())
}

/// When a wait of so many seconds ends, in ms since 1970; `None` waits for ever.
fn wait_end(word: &[u8], now: u64) -> Result<Option<u64>, String> {
    let Some(seconds) = float(word) else {
        return Err("ERR timeout is not a float or out of range".to_owned());
    };
    let millis = (seconds * 1000.0).ceil();
    if millis < 0.0 {
        return Err("ERR timeout is negative".to_owned());
    }
    // The original counts in signed numbers of 64 bits.
    if millis > (i64::MAX as u64).saturating_sub(now) as f64 {
        return Err("ERR timeout is out of range".to_owned());
    }
    Ok((millis > 0.0).then(|| now.saturating_add(millis as u64)))
}

/// BLPOP and BRPOP.
fn pop_or_wait(core: &mut Core, id: u64, words: &[Bytes]) -> Answer {
    let until = wait_end(&words[words.len() - 1], core.now)?;
    for key in &words[1..words.len() - 1] {
        if let Some(reply) = pop(core, id, words, key)? {
            return Ok(reply);
        }
    }
    core.waits += 1;
    let order = core.waits;
    if let Some(session) = core.sessions.get_mut(&id) {
        if session.queue.is_some() {
            return Ok(Reply::NilArray);
        }
        session.blocked = Some(Blocked { words: words.to_vec(), order, until });
    }
    Ok(Reply::Several(Vec::new()))
}

fn client(core: &mut Core, id: u64, words: &[Bytes]) -> Answer {
    let line = |(number, session): (&u64, &crate::core::Session)| {
        let (address, name, db) = (&session.address, text(&session.name), session.number);
        format!("id={number} addr={address} laddr= fd=8 name={name} db={db}\n")
    };
    match (lower(&words[1]).as_str(), words.get(2)) {
        ("id", _) => Ok(Reply::Int(i64::try_from(id).unwrap_or(i64::MAX))),
        ("getname", _) => {
            let name = core.sessions.get(&id).map(|s| s.name.clone()).filter(|name| !name.is_empty());
            Ok(Reply::option(name))
        }
        ("setname", Some(name)) => {
            if let Some(session) = core.sessions.get_mut(&id) {
                session.name.clone_from(name);
            }
            Ok(Reply::ok())
        }
        ("setinfo" | "no-evict" | "no-touch", Some(_)) => Ok(Reply::ok()),
        ("list", _) => Ok(Reply::text(core.sessions.iter().map(line).collect::<String>())),
        ("info", _) => Ok(Reply::text(core.sessions.get_key_value(&id).map(line).unwrap_or_default())),
        _ => Err(no_subcommand("CLIENT", &words[1], &["kill", "pause", "unpause", "reply", "tracking", "unblock"])),
    }
}

fn command(_: &mut Core, _: u64, words: &[Bytes]) -> Answer {
    let names = || tables().map(|c| c.name).chain(OWN.iter().map(|o| o.name));
    match words.get(1).map(|w| lower(w)).as_deref() {
        Some("count") => Ok(Reply::count(names().count())),
        Some("list") => Ok(Reply::texts(names().map(|name| name.as_bytes().to_vec()))),
        // Clients ask when they connect, and use what they get for completion only.
        Some("docs") => Ok(Reply::Array(Vec::new())),
        None => Err("ERR kubonsai does not support COMMAND without a subcommand (redis) yet".to_owned()),
        Some(_) => Err(no_subcommand("COMMAND", &words[1], &["info", "getkeys", "getkeysandflags"])),
    }
}

fn config(core: &mut Core, _: u64, words: &[Bytes]) -> Answer {
    match (lower(&words[1]).as_str(), &words[2..]) {
        ("get", patterns) if !patterns.is_empty() => {
            let patterns: Vec<String> = patterns.iter().map(|p| lower(p)).collect();
            let fitting = core
                .config
                .iter()
                .filter(|(name, _)| patterns.iter().any(|pattern| fits(pattern.as_bytes(), name.as_bytes())));
            Ok(Reply::texts(fitting.flat_map(|(name, value)| [name.as_bytes().to_vec(), value.as_bytes().to_vec()])))
        }
        ("set", pairs) if !pairs.is_empty() && pairs.len().is_multiple_of(2) => {
            let before = core.config.clone();
            for pair in pairs.chunks_exact(2) {
                if let Err(error) = core.config.change(&text(&pair[0]), &text(&pair[1])) {
                    core.config = before;
                    return Err(format!("ERR {error}"));
                }
            }
            Ok(Reply::ok())
        }
        ("resetstat", []) => {
            (core.requests, core.store.evicted) = (0, 0);
            Ok(Reply::ok())
        }
        ("rewrite", []) => Err("ERR The server is running without a config file".to_owned()),
        ("get" | "set", _) => Err(format!("ERR wrong number of arguments for 'config|{}' command", lower(&words[1]))),
        _ => Err(no_subcommand("CONFIG", &words[1], &[])),
    }
}

fn multi(core: &mut Core, id: u64, _: &[Bytes]) -> Answer {
    let Some(session) = core.sessions.get_mut(&id) else { return Ok(Reply::Nil) };
    if session.queue.is_some() {
        return Err("ERR MULTI calls can not be nested".to_owned());
    }
    (session.queue, session.spoilt) = (Some(Vec::new()), false);
    Ok(Reply::ok())
}

fn discard(core: &mut Core, id: u64, _: &[Bytes]) -> Answer {
    match core.sessions.get_mut(&id).and_then(|session| session.queue.take()) {
        Some(_) => Ok(Reply::ok()),
        None => Err("ERR DISCARD without MULTI".to_owned()),
    }
}

fn exec(core: &mut Core, id: u64, _: &[Bytes]) -> Answer {
    let Some(session) = core.sessions.get_mut(&id) else { return Ok(Reply::Nil) };
    let Some(queue) = session.queue.take() else { return Err("ERR EXEC without MULTI".to_owned()) };
    if std::mem::take(&mut session.spoilt) {
        return Err("EXECABORT Transaction discarded because of previous errors.".to_owned());
    }
    let mut all = Vec::new();
    for words in queue {
        let found = Found::of(&lower(&words[0]));
        let reply = match core.perform(id, &found, &words).unwrap_or_else(Reply::Error) {
            // A transaction does not wait.
            Reply::Several(none) if none.is_empty() => {
                if let Some(session) = core.sessions.get_mut(&id) {
                    session.blocked = None;
                }
                Reply::NilArray
            }
            reply => reply,
        };
        all.push(reply);
    }
    Ok(Reply::Array(all))
}

fn echo(_: &mut Core, _: u64, words: &[Bytes]) -> Answer {
    Ok(Reply::text(&words[1]))
}

fn hello(core: &mut Core, id: u64, words: &[Bytes]) -> Answer {
    match words.get(1).map(|w| integer(w)) {
        None | Some(Some(2)) => {}
        Some(Some(3)) => return Err("NOPROTO kubonsai does not support RESP3 (redis) yet".to_owned()),
        _ => return Err("NOPROTO unsupported protocol version".to_owned()),
    }
    if let Some(at) = words.iter().position(|w| lower(w) == "auth") {
        let credentials: Vec<Bytes> = words[at..].iter().take(3).cloned().collect();
        auth(core, id, &credentials)?;
    }
    if !core.sessions.get(&id).is_some_and(|session| session.allowed) {
        return Err("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time".to_owned());
    }
    let version = core.version.clone();
    let pairs = [
        ("server", Reply::text("redis")),
        ("version", Reply::text(version)),
        ("proto", Reply::Int(2)),
        ("id", Reply::Int(i64::try_from(id).unwrap_or(0))),
        ("mode", Reply::text("standalone")),
        ("role", Reply::text("master")),
        ("modules", Reply::Array(Vec::new())),
    ];
    Ok(Reply::Array(pairs.into_iter().flat_map(|(name, value)| [Reply::text(name), value]).collect()))
}

fn ping(core: &mut Core, id: u64, words: &[Bytes]) -> Answer {
    if words.len() > 2 {
        return Err("ERR wrong number of arguments for 'ping' command".to_owned());
    }
    // Who asks whether the server is well hears that it takes no writes.
    core.can_keep()?;
    if core.sessions.get(&id).is_some_and(|session| session.listens()) {
        let word = words.get(1).cloned().unwrap_or_default();
        return Ok(Reply::texts([b"pong".to_vec(), word]));
    }
    Ok(words.get(1).map_or_else(|| Reply::Simple("PONG".to_owned()), Reply::text))
}

/// SUBSCRIBE and PSUBSCRIBE.
fn subscribe(core: &mut Core, id: u64, words: &[Bytes]) -> Answer {
    let name = lower(&words[0]);
    let Some(session) = core.sessions.get_mut(&id) else { return Ok(Reply::Nil) };
    let mut all = Vec::new();
    for channel in &words[1..] {
        let to = if name == "subscribe" { &mut session.channels } else { &mut session.patterns };
        to.insert(channel.clone());
        let count = session.channels.len() + session.patterns.len();
        all.push(Reply::Array(vec![Reply::text(&name), Reply::text(channel), Reply::count(count)]));
    }
    Ok(Reply::Several(all))
}

/// UNSUBSCRIBE and PUNSUBSCRIBE.
fn unsubscribe(core: &mut Core, id: u64, words: &[Bytes]) -> Answer {
    let name = lower(&words[0]);
    let Some(session) = core.sessions.get_mut(&id) else { return Ok(Reply::Nil) };
    let of = if name == "unsubscribe" { &session.channels } else { &session.patterns };
    let mut which: Vec<Option<Bytes>> = words[1..].iter().cloned().map(Some).collect();
    if which.is_empty() {
        which = of.iter().cloned().map(Some).collect();
    }
    if which.is_empty() {
        which.push(None);
    }
    let mut all = Vec::new();
    for channel in which {
        let from = if name == "unsubscribe" { &mut session.channels } else { &mut session.patterns };
        if let Some(channel) = &channel {
            from.remove(channel);
        }
        let count = session.channels.len() + session.patterns.len();
        all.push(Reply::Array(vec![Reply::text(&name), Reply::option(channel), Reply::count(count)]));
    }
    Ok(Reply::Several(all))
}

fn publish(core: &mut Core, _: u64, words: &[Bytes]) -> Answer {
    let (channel, message) = (&words[1], &words[2]);
    let mut count = 0;
    for session in core.sessions.values_mut() {
        if session.channels.contains(channel) {
            Reply::texts([b"message".to_vec(), channel.clone(), message.clone()]).encode(&mut session.output);
            count += 1;
        }
        for pattern in session.patterns.iter().filter(|pattern| fits(pattern, channel)) {
            Reply::texts([b"pmessage".to_vec(), pattern.clone(), channel.clone(), message.clone()])
                .encode(&mut session.output);
            count += 1;
        }
    }
    Ok(Reply::count(count))
}

fn pubsub(core: &mut Core, _: u64, words: &[Bytes]) -> Answer {
    let listeners = |channel: &Bytes| core.sessions.values().filter(|s| s.channels.contains(channel)).count();
    match lower(&words[1]).as_str() {
        "channels" => {
            let pattern = words.get(2).cloned().unwrap_or_else(|| b"*".to_vec());
            let all: std::collections::BTreeSet<_> = core.sessions.values().flat_map(|s| s.channels.iter()).collect();
            Ok(Reply::texts(all.into_iter().filter(|channel| fits(&pattern, channel)).cloned()))
        }
        "numsub" => {
            let pair = |channel: &Bytes| [Reply::text(channel), Reply::count(listeners(channel))];
            Ok(Reply::Array(words[2..].iter().flat_map(pair).collect()))
        }
        "numpat" => Ok(Reply::count(core.sessions.values().map(|s| s.patterns.len()).sum())),
        _ => Err(no_subcommand("PUBSUB", &words[1], &["shardchannels", "shardnumsub"])),
    }
}

fn quit(core: &mut Core, id: u64, _: &[Bytes]) -> Answer {
    if let Some(session) = core.sessions.get_mut(&id) {
        session.closing = true;
    }
    Ok(Reply::ok())
}

fn role(_: &mut Core, _: u64, _: &[Bytes]) -> Answer {
    Ok(Reply::Array(vec![Reply::text("master"), Reply::Int(0), Reply::Array(Vec::new())]))
}

fn select(core: &mut Core, id: u64, words: &[Bytes]) -> Answer {
    let number = integer(&words[1]).ok_or("ERR value is not an integer or out of range")?;
    let Some(number) = usize::try_from(number).ok().filter(|n| *n < DATABASES) else {
        return Err("ERR DB index is out of range".to_owned());
    };
    if let Some(session) = core.sessions.get_mut(&id) {
        session.number = number;
    }
    Ok(Reply::ok())
}

fn time(core: &mut Core, _: u64, _: &[Bytes]) -> Answer {
    let (seconds, micros) = (core.now / 1000, core.now % 1000 * 1000);
    Ok(Reply::texts([seconds.to_string().into_bytes(), micros.to_string().into_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::resp::{parse_reply, split_words};

    /// Sends lines as a client and gives what it has got by then, as redis-cli shows it.
    fn say(core: &mut Core, id: u64, lines: &[&str]) -> String {
        for line in lines {
            let mut bytes = Vec::new();
            crate::resp::encode_request(&split_words(line).expect("words"), &mut bytes);
            core.receive(id, &bytes, core.now);
        }
        got(core, id)
    }

    /// A client that has just connected.
    fn client(core: &mut Core) -> u64 {
        let id = core.connections + 1;
        core.connect(id, format!("10.244.0.9:{id}"));
        id
    }

    fn got(core: &mut Core, id: u64) -> String {
        let mut bytes = std::mem::take(&mut core.sessions.get_mut(&id).expect("a session").output);
        let mut out = String::new();
        while let Ok(Some((reply, used))) = parse_reply(&bytes) {
            out.push_str(&crate::format::shown(&reply, true));
            bytes.drain(..used);
        }
        out.trim_end().replace('\n', " ")
    }

    fn core(version: &str, settings: &[(&str, &str)]) -> Core {
        let mut config = Config::default();
        settings.iter().for_each(|(name, value)| config.set(name, value).expect("valid"));
        Core::new(version, config, 1_000_000)
    }

    #[test]
    fn unknown_wrong_and_refused_commands() {
        let mut core = core("8.0.2", &[]);
        let id = client(&mut core);
        let unknown = "(error) ERR unknown command 'foo', with args beginning with: 'bar' ";
        assert_eq!(say(&mut core, id, &["foo bar"]), unknown.trim_end());
        let (name, args) = ("n".repeat(200), "a".repeat(100));
        let long = say(&mut core, id, &[&format!("{name} {args} {args} {args}")]);
        let shown = format!("'{args}' '{}'", "a".repeat(25));
        let expected = format!("(error) ERR unknown command '{}', with args beginning with: {shown}", "n".repeat(128));
        assert_eq!(long, expected);
        assert_eq!(say(&mut core, id, &["GET"]), "(error) ERR wrong number of arguments for 'get' command");
        assert_eq!(
            say(&mut core, id, &["XADD s * a b"]),
            "(error) ERR kubonsai does not support the command XADD (redis) yet"
        );
        assert_eq!(say(&mut core, id, &["CONFIG x"]), "(error) ERR unknown subcommand 'x'. Try CONFIG HELP.");
        assert_eq!(say(&mut core, id, &["CONFIG GET maxmemory-p*"]), "1) \"maxmemory-policy\" 2) \"noeviction\"");
        core.receive(id, b"*1\r\n:1\r\n", 1);
        assert_eq!(got(&mut core, id), "(error) ERR Protocol error: expected '$', got ':'");
        assert!(OWN.iter().all(|own| find(own.name).is_none()));
    }

    #[test]
    fn a_password_is_asked_for() {
        let mut core = core("7.2.4", &[("requirepass", "s3cret")]);
        let id = client(&mut core);
        assert_eq!(say(&mut core, id, &["GET a"]), "(error) NOAUTH Authentication required.");
        let wrong = "(error) WRONGPASS invalid username-password pair or user is disabled.";
        assert_eq!(say(&mut core, id, &["AUTH x"]), wrong);
        assert_eq!(say(&mut core, id, &["AUTH default s3cret", "PING"]), "OK PONG");
    }

    #[test]
    fn transactions() {
        let mut core = core("7.2.4", &[]);
        let id = client(&mut core);
        let lines = ["MULTI", "SET a 1", "INCR a", "LPUSH a x", "EXEC"];
        let wrong = "3) (error) WRONGTYPE Operation against a key holding the wrong kind of value";
        assert_eq!(say(&mut core, id, &lines), format!("OK QUEUED QUEUED QUEUED 1) OK 2) (integer) 2 {wrong}"));
        let spoilt = say(&mut core, id, &["MULTI", "NOSUCH", "EXEC"]);
        assert!(spoilt.ends_with("(error) EXECABORT Transaction discarded because of previous errors."), "{spoilt}");
        assert_eq!(say(&mut core, id, &["EXEC"]), "(error) ERR EXEC without MULTI");
    }

    #[test]
    fn messages_reach_those_who_listen() {
        let mut core = core("7.2.4", &[]);
        let (a, b, c) = (client(&mut core), client(&mut core), client(&mut core));
        assert_eq!(say(&mut core, a, &["SUBSCRIBE news"]), "1) \"subscribe\" 2) \"news\" 3) (integer) 1");
        say(&mut core, b, &["PSUBSCRIBE n*"]);
        assert_eq!(
            say(&mut core, c, &["PUBLISH news hi", "PUBSUB NUMSUB news"]),
            "(integer) 2 1) \"news\" 2) (integer) 1"
        );
        assert_eq!(got(&mut core, a), "1) \"message\" 2) \"news\" 3) \"hi\"");
        assert_eq!(got(&mut core, b), "1) \"pmessage\" 2) \"n*\" 3) \"news\" 4) \"hi\"");
        assert!(say(&mut core, a, &["GET x"]).starts_with("(error) ERR Can't execute 'get': only (P|S)SUBSCRIBE"));
    }

    #[test]
    fn workers_wait_for_their_queue() {
        let mut core = core("7.2.4", &[]);
        let (a, b, c) = (client(&mut core), client(&mut core), client(&mut core));
        assert_eq!(say(&mut core, a, &["BLPOP job 0"]), "");
        assert_eq!(say(&mut core, b, &["BLPOP job 5"]), "");
        say(&mut core, c, &["RPUSH job apple"]);
        assert_eq!((got(&mut core, a), got(&mut core, b)), ("1) \"job\" 2) \"apple\"".into(), String::new()));
        assert_eq!(core.due(), Some(1_005_000));
        core.tick(1_005_000);
        assert_eq!((got(&mut core, b), core.sessions[&b].blocked.is_some()), ("(nil)".into(), false));
    }

    #[test]
    fn answers_that_nobody_reads_end_the_client() {
        let mut core = core("7.2.4", &[]);
        let id = client(&mut core);
        say(&mut core, id, &["SETRANGE k 8388607 x"]);
        core.receive(id, &b"GET k\r\n".repeat(1000), 1);
        let session = &core.sessions[&id];
        assert!(session.closing && session.output.len() < 2 * net::OUTPUT_BYTES_MAX);
    }

    #[test]
    fn who_waits_longest_is_served_first() {
        let mut core = core("7.2.4", &[]);
        let (a, b, c) = (client(&mut core), client(&mut core), client(&mut core));
        say(&mut core, b, &["BLPOP job 0"]);
        say(&mut core, a, &["BLPOP job 0"]);
        say(&mut core, c, &["SET job x"]);
        assert_eq!(
            (got(&mut core, a), got(&mut core, b)),
            (String::new(), String::new()),
            "a wrong type is not theirs"
        );
        say(&mut core, c, &["DEL job", "RPUSH job 1"]);
        assert_eq!((got(&mut core, a), got(&mut core, b)), (String::new(), "1) \"job\" 2) \"1\"".into()));
        say(&mut core, b, &["BLPOP job 0"]);
        say(&mut core, c, &["RPUSH job 2"]);
        assert_eq!(got(&mut core, a), "1) \"job\" 2) \"2\"");
    }

    #[test]
    fn strangers_and_those_who_wait_cannot_fill_the_memory() {
        let mut core = core("7.2.4", &[("requirepass", "s3cret")]);
        let id = client(&mut core);
        core.receive(id, b"*11\r\n", 1);
        assert_eq!(got(&mut core, id), "(error) ERR Protocol error: unauthenticated multibulk length");
        let id = client(&mut core);
        say(&mut core, id, &["AUTH s3cret", "BLPOP k 0"]);
        core.receive(id, &vec![b'x'; crate::resp::REQUEST_BYTES_MAX], 1);
        assert!(core.sessions[&id].blocked.is_some());
        core.receive(id, b"x", 1);
        assert!(core.sessions[&id].closing && core.sessions[&id].input.is_empty());
    }

    #[test]
    fn waits_end_or_are_out_of_range() {
        let mut core = core("7.2.4", &[]);
        let id = client(&mut core);
        for seconds in ["1e300", "inf", "9223372036854775.807"] {
            let line = format!("BLPOP k {seconds}");
            assert_eq!(say(&mut core, id, &[&line]), "(error) ERR timeout is out of range", "{seconds}");
        }
        assert_eq!(say(&mut core, id, &["BLPOP k -1"]), "(error) ERR timeout is negative");
        assert_eq!((wait_end(b"0.0001", 7), wait_end(b"0", 7)), (Ok(Some(8)), Ok(None)));
    }

    #[test]
    fn memory_is_kept_by_the_policy() {
        let mut core = core("8.0.2", &[("maxmemory", "1mb"), ("maxmemory-policy", "noeviction")]);
        let id = client(&mut core);
        let big = format!("x{}", "y".repeat(100_000));
        say(&mut core, id, &[&format!("SET a {big}"), &format!("SET b {big}")]);
        assert_eq!(say(&mut core, id, &["SET c 1"]), "(error) OOM command not allowed when used memory > 'maxmemory'.");
        assert_eq!(
            say(&mut core, id, &["CONFIG SET maxmemory-policy allkeys-lru", "SET c 1", "DBSIZE"]),
            "OK OK (integer) 2"
        );
    }
}
