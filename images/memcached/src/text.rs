//! The text protocol.

use crate::cache::{Cache, Mode, VALUE_BYTES_MAX};

/// Bytes of the longest key.
const KEY_BYTES_MAX: usize = 250;
/// Bytes of the longest line.
const LINE_BYTES_MAX: usize = 8 * 1024;

/// A value that is being received: what to do with it when it is there.
#[derive(Debug)]
struct Store {
    mode: Mode,
    key: Vec<u8>,
    flags: u32,
    end: i64,
    length: usize,
    quiet: bool,
}

/// A client's bytes.
#[derive(Debug, Default)]
pub struct Session {
    input: Vec<u8>,
    store: Option<Store>,
    /// Bytes of a value that is refused and still to come.
    skip: usize,
    /// Whether the connection is to be closed.
    pub closing: bool,
}

/// What `stats` says about the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    /// The time, in seconds since 1970.
    pub now: u64,
    /// Seconds since the start.
    pub uptime: u64,
    /// Open connections.
    pub connections: usize,
    /// Connections so far.
    pub connected: u64,
}

impl Session {
    /// Takes bytes that came, and gives what to answer.
    pub fn receive(&mut self, bytes: &[u8], cache: &mut Cache, version: &str, facts: Facts) -> Vec<u8> {
        self.input.extend_from_slice(bytes);
        let mut out = Vec::new();
        // A client that asks for more than a connection keeps is closed there; no need to fill the memory for it.
        while !self.closing && out.len() <= net::OUTPUT_BYTES_MAX {
            let skipped = self.skip.min(self.input.len());
            self.input.drain(..skipped);
            self.skip -= skipped;
            if let Some(store) = &self.store {
                if self.input.len() < store.length + 2 {
                    break;
                }
                let Some(store) = self.store.take() else { break };
                self.finish(store, cache, facts.now, &mut out);
                continue;
            }
            let Some(end) = self.input.iter().position(|b| *b == b'\n') else {
                if self.input.len() > LINE_BYTES_MAX {
                    out.extend(b"CLIENT_ERROR line too long\r\n");
                    self.closing = true;
                }
                break;
            };
            let line: Vec<u8> = self.input.drain(..=end).collect();
            if let Some(answer) = self.line(line.trim_ascii_end(), cache, version, facts) {
                out.extend(answer);
                out.extend(b"\r\n");
            }
        }
        out
    }

    /// Stores the value that is whole now.
    fn finish(&mut self, store: Store, cache: &mut Cache, now: u64, out: &mut Vec<u8>) {
        let value: Vec<u8> = self.input.drain(..store.length).collect();
        let answer = if self.input.starts_with(b"\r\n") {
            self.input.drain(..2);
            cache.store(store.mode, &store.key, store.flags, store.end, value, now)
        } else {
            // What follows up to the end of the line belongs to no command.
            let rest = self.input.iter().position(|b| *b == b'\n').map_or(self.input.len(), |end| end + 1);
            self.input.drain(..rest);
            "CLIENT_ERROR bad data chunk"
        };
        if !store.quiet || answer.starts_with("CLIENT_ERROR") {
            out.extend(answer.bytes());
            out.extend(b"\r\n");
        }
    }

    /// Answers one line, without the last line's end; `None` if nothing is to be said yet.
    fn line(&mut self, line: &[u8], cache: &mut Cache, version: &str, facts: Facts) -> Option<Vec<u8>> {
        let words: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
        let (name, args) = words.split_first().map_or((&b""[..], &[][..]), |(name, args)| (*name, args));
        let name = std::str::from_utf8(name).unwrap_or("");
        let quiet = args.last() == Some(&&b"noreply"[..]);
        let answer = match name {
            "get" | "gets" if !args.is_empty() => return Some(get(args, name == "gets", cache, facts.now)),
            "set" | "add" | "replace" | "append" | "prepend" | "cas" => {
                return self.begin(name, args, cache).map(Vec::from);
            }
            "incr" | "decr" if args.len() >= 2 => count(name, args, cache, facts.now),
            "delete" if !args.is_empty() => {
                let gone = cache.delete(args[0], facts.now);
                cache.counts.add(if gone { "delete_hits" } else { "delete_misses" });
                if gone { "DELETED" } else { "NOT_FOUND" }.to_owned()
            }
            "touch" if args.len() >= 2 => match number(args[1]) {
                Some(end) if cache.touch(args[0], end, facts.now) => "TOUCHED".to_owned(),
                Some(_) => "NOT_FOUND".to_owned(),
                None => "CLIENT_ERROR invalid exptime argument".to_owned(),
            },
            "flush_all" => {
                cache.counts.add("cmd_flush");
                cache.flush(args.first().and_then(|delay| number(delay)).unwrap_or(0), facts.now);
                "OK".to_owned()
            }
            "stats" if args.is_empty() => stats(cache, version, facts),
            "stats" | "gat" | "gats" | "mg" | "ms" | "md" | "ma" | "mn" | "me" | "slabs" | "lru" | "lru_crawler"
            | "watch" | "cache_memlimit" | "shutdown" => {
                let line = String::from_utf8_lossy(line);
                format!("SERVER_ERROR kubonsai does not support {line} (memcached) yet")
            }
            "version" => format!("VERSION {version}"),
            "verbosity" => "OK".to_owned(),
            "quit" => {
                self.closing = true;
                return None;
            }
            _ => "ERROR".to_owned(),
        };
        (!quiet).then(|| answer.into_bytes())
    }

    /// `set KEY FLAGS EXPTIME BYTES [noreply]` and its kind; the value follows.
    fn begin(&mut self, name: &str, args: &[&[u8]], cache: &mut Cache) -> Option<&'static str> {
        const BAD: &str = "CLIENT_ERROR bad command line format";
        let numbers = if name == "cas" { 5 } else { 4 };
        if args.len() < numbers {
            return Some("ERROR");
        }
        let (Some(flags), Some(end), Some(length)) = (number(args[1]), number(args[2]), number::<usize>(args[3]))
        else {
            return Some(BAD);
        };
        if args[0].len() > KEY_BYTES_MAX {
            return Some(BAD);
        }
        let mode = match name {
            "set" => Mode::Set,
            "add" => Mode::Add,
            "replace" => Mode::Replace,
            "append" => Mode::Append,
            "prepend" => Mode::Prepend,
            _ => match number(args[4]) {
                Some(unique) => Mode::Cas(unique),
                None => return Some(BAD),
            },
        };
        if length > VALUE_BYTES_MAX {
            self.skip = length.saturating_add(2);
            if mode == Mode::Set {
                cache.drop_old(args[0]);
            }
            return Some("SERVER_ERROR object too large for cache");
        }
        let quiet = args.get(numbers) == Some(&&b"noreply"[..]);
        self.store = Some(Store { mode, key: args[0].to_vec(), flags, end, length, quiet });
        None
    }
}

/// A word that is a number.
fn number<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

fn get(keys: &[&[u8]], unique: bool, cache: &mut Cache, now: u64) -> Vec<u8> {
    if keys.iter().any(|key| key.len() > KEY_BYTES_MAX) {
        return b"CLIENT_ERROR bad command line format".to_vec();
    }
    let mut out = Vec::new();
    for key in keys {
        if out.len() > net::OUTPUT_BYTES_MAX {
            break;
        }
        cache.counts.add("cmd_get");
        match cache.get(key, now) {
            Some(item) => {
                let unique = if unique { format!(" {}", item.unique) } else { String::new() };
                let (flags, bytes) = (item.flags, item.value.len());
                out.extend(b"VALUE ");
                out.extend(*key);
                out.extend(format!(" {flags} {bytes}{unique}\r\n").bytes());
                out.extend(&item.value);
                out.extend(b"\r\n");
                cache.counts.add("get_hits");
            }
            None => cache.counts.add("get_misses"),
        }
    }
    out.extend(b"END");
    out
}

fn count(name: &str, args: &[&[u8]], cache: &mut Cache, now: u64) -> String {
    let Some(step) = number(args[1]) else {
        return "CLIENT_ERROR invalid numeric delta argument".to_owned();
    };
    let answer = cache.count(args[0], step, name == "incr", now);
    let found = answer != "NOT_FOUND";
    cache.counts.add(match (name, found) {
        ("incr", true) => "incr_hits",
        ("incr", false) => "incr_misses",
        (_, true) => "decr_hits",
        (_, false) => "decr_misses",
    });
    answer
}

fn stats(cache: &Cache, version: &str, facts: Facts) -> String {
    let mut out = String::new();
    let mut put = |name: &str, value: &str| out.push_str(&format!("STAT {name} {value}\r\n"));
    put("pid", &proc::id().to_string());
    put("uptime", &facts.uptime.to_string());
    put("time", &facts.now.to_string());
    put("version", version);
    put("curr_connections", &facts.connections.to_string());
    put("total_connections", &facts.connected.to_string());
    for name in [
        "cmd_get",
        "cmd_set",
        "cmd_flush",
        "get_hits",
        "get_misses",
        "delete_misses",
        "delete_hits",
        "incr_misses",
        "incr_hits",
        "decr_misses",
        "decr_hits",
    ] {
        put(name, &cache.counts.get(name).to_string());
    }
    put("limit_maxbytes", &cache.limit_bytes.to_string());
    put("bytes", &cache.bytes.to_string());
    put("curr_items", &cache.len().to_string());
    put("total_items", &cache.counts.get("total_items").to_string());
    put("evictions", &cache.counts.get("evictions").to_string());
    out + "END"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(session: &mut Session, cache: &mut Cache, text: &str) -> String {
        let facts = Facts { now: 1_000, ..Facts::default() };
        let out = session.receive(text.as_bytes(), cache, "1.6.38", facts);
        String::from_utf8(out).expect("text").replace("\r\n", "|")
    }

    #[test]
    fn a_conversation() {
        let (mut session, mut cache) = (Session::default(), Cache::new(1 << 20));
        for (text, expected) in [
            ("get a\r\n", "END|"),
            ("set a 5 0 3\r\nabc\r\n", "STORED|"),
            ("get a b\r\n", "VALUE a 5 3|abc|END|"),
            ("add a 0 0 1\r\nx\r\n", "NOT_STORED|"),
            ("replace none 0 0 1\r\nx\r\n", "NOT_STORED|"),
            ("append a 0 0 1\r\nd\r\nprepend a 0 0 1\r\n_\r\nget a\r\n", "STORED|STORED|VALUE a 5 5|_abcd|END|"),
            ("gets a\r\n", "VALUE a 5 5 3|_abcd|END|"),
            ("cas a 0 0 1 2\r\nx\r\n", "EXISTS|"),
            ("cas a 0 0 1 3\r\nx\r\n", "STORED|"),
            ("incr a 1\r\n", "CLIENT_ERROR cannot increment or decrement non-numeric value|"),
            ("set n 0 0 2\r\n10\r\nincr n 5\r\ndecr n 9\r\nget n\r\n", "STORED|15|6|VALUE n 0 2|6 |END|"),
            ("incr none 1\r\n", "NOT_FOUND|"),
            ("delete a\r\ndelete a\r\n", "DELETED|NOT_FOUND|"),
            ("set q 0 0 1 noreply\r\nx\r\nget q\r\n", "VALUE q 0 1|x|END|"),
            ("set b 0 0 1\r\nlong\r\n", "CLIENT_ERROR bad data chunk|"),
            ("set b 0 0\r\n", "ERROR|"),
            ("set b x 0 1\r\n", "CLIENT_ERROR bad command line format|"),
            ("touch q 10\r\nflush_all\r\nget q\r\n", "TOUCHED|OK|END|"),
            ("version\r\nbogus\r\n", "VERSION 1.6.38|ERROR|"),
            ("mg a v\r\n", "SERVER_ERROR kubonsai does not support mg a v (memcached) yet|"),
        ] {
            assert_eq!(say(&mut session, &mut cache, text), expected, "{text}");
        }
        let stats = say(&mut session, &mut cache, "stats\r\n");
        assert!(
            stats.contains("|STAT get_hits 5|STAT get_misses 3|") && stats.ends_with("|STAT evictions 0|END|"),
            "{stats}"
        );
        assert_eq!((say(&mut session, &mut cache, "quit\r\nget a\r\n").as_str(), session.closing), ("", true));
    }

    #[test]
    fn keys_and_values_are_any_bytes() {
        let (mut session, mut cache) = (Session::default(), Cache::new(1 << 20));
        let facts = Facts { now: 1_000, ..Facts::default() };
        let said = b"set \xfe\x01 0 0 3\r\n\xff\x00\x80\r\nget \xfe\x01\r\nget \xef\xbf\xbd\x01\r\n";
        let answer = session.receive(said, &mut cache, "1.6.38", facts);
        assert_eq!(answer, b"STORED\r\nVALUE \xfe\x01 0 3\r\n\xff\x00\x80\r\nEND\r\nEND\r\n");
    }

    #[test]
    fn values_come_in_pieces_or_are_too_large() {
        let (mut session, mut cache) = (Session::default(), Cache::new(4 << 20));
        assert_eq!(say(&mut session, &mut cache, "set a 0 0 4\r\na\r"), "");
        assert_eq!(say(&mut session, &mut cache, "\nb\r\nget a\r\n"), "STORED|VALUE a 0 4|a|b|END|");
        let big = format!("set b 0 0 {}\r\n{}", VALUE_BYTES_MAX + 1, "x".repeat(VALUE_BYTES_MAX));
        assert_eq!(say(&mut session, &mut cache, &big), "SERVER_ERROR object too large for cache|");
        assert_eq!(say(&mut session, &mut cache, "x\r\nget b\r\n"), "END|");
        let (add, set) = (big.replace("set b", "add a") + "x\r\n", big.replace("set b", "set a") + "x\r\n");
        assert_eq!(say(&mut session, &mut cache, &add), "SERVER_ERROR object too large for cache|");
        assert_eq!(say(&mut session, &mut cache, "get a\r\n"), "VALUE a 0 4|a|b|END|");
        assert_eq!(say(&mut session, &mut cache, &set), "SERVER_ERROR object too large for cache|");
        assert_eq!(say(&mut session, &mut cache, "get a\r\n"), "END|", "what was there is out of date");
    }
}
