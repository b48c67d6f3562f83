//! The server's settings: defaults, `redis.conf`, the command line, CONFIG GET and SET.

use std::collections::{BTreeMap, BTreeSet};

use crate::defaults::{Known, known, memory};
use crate::resp::split_words;

/// What kind of value a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    /// `100mb`, kept in bytes.
    Memory,
    YesNo,
    OneOf(&'static [&'static str]),
}

/// `maxmemory-policy`.
const POLICIES: &[&str] = &[
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "noeviction",
];

/// What CONFIG SET may do with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Yes,
    /// Nothing, as in the original.
    Immutable,
    /// Nothing without `enable-protected-configs`, as in the original.
    Protected,
    /// Something in the original, nothing here.
    Missing,
}

/// Settings: name, kind, default, what CONFIG SET may do.
const SETTINGS: &[(&str, Kind, &str, Change)] = &[
    ("activerehashing", Kind::YesNo, "yes", Change::Yes),
    ("appendfilename", Kind::Text, "appendonly.aof", Change::Immutable),
    ("appenddirname", Kind::Text, "appendonlydir", Change::Immutable),
    ("appendfsync", Kind::OneOf(&["everysec", "always", "no"]), "everysec", Change::Yes),
    ("appendonly", Kind::YesNo, "no", Change::Missing),
    ("auto-aof-rewrite-percentage", Kind::Number, "100", Change::Yes),
    ("bind", Kind::Text, "* -::*", Change::Missing),
    ("daemonize", Kind::YesNo, "no", Change::Immutable),
    ("databases", Kind::Number, "16", Change::Immutable),
    ("dbfilename", Kind::Text, "dump.rdb", Change::Protected),
    ("dir", Kind::Text, "/data", Change::Protected),
    ("hz", Kind::Number, "10", Change::Yes),
    ("lfu-decay-time", Kind::Number, "1", Change::Yes),
    ("lfu-log-factor", Kind::Number, "10", Change::Yes),
    ("logfile", Kind::Text, "", Change::Immutable),
    ("loglevel", Kind::OneOf(&["debug", "verbose", "notice", "warning"]), "notice", Change::Yes),
    ("maxclients", Kind::Number, "10000", Change::Yes),
    ("maxmemory", Kind::Memory, "0", Change::Yes),
    ("maxmemory-policy", Kind::OneOf(POLICIES), "noeviction", Change::Yes),
    ("maxmemory-samples", Kind::Number, "5", Change::Yes),
    ("notify-keyspace-events", Kind::Text, "", Change::Missing),
    ("port", Kind::Number, "6379", Change::Missing),
    ("protected-mode", Kind::YesNo, "no", Change::Missing),
    ("rdbcompression", Kind::YesNo, "yes", Change::Yes),
    ("requirepass", Kind::Text, "", Change::Yes),
    ("save", Kind::Text, "3600 1 300 100 60 10000", Change::Yes),
    ("slowlog-log-slower-than", Kind::Number, "10000", Change::Yes),
    ("stop-writes-on-bgsave-error", Kind::YesNo, "yes", Change::Yes),
    ("tcp-backlog", Kind::Number, "511", Change::Immutable),
    ("tcp-keepalive", Kind::Number, "300", Change::Yes),
    ("timeout", Kind::Number, "0", Change::Missing),
];

/// Settings that the original has and the stand-in refuses.
const REFUSED: &[&str] = &[
    "aclfile",
    "cluster-config-file",
    "cluster-enabled",
    "include",
    "loadmodule",
    "masterauth",
    "masteruser",
    "rename-command",
    "replicaof",
    "slaveof",
    "tls-cert-file",
    "tls-key-file",
    "tls-port",
    "unixsocket",
    "user",
];

/// Why a server does not start with its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// A file cannot be read: a line of the log.
    Unread(String),
    /// A line is wrong: what is printed.
    Wrong(String),
}

/// The settings of a server.
#[derive(Clone, Debug)]
pub struct Config {
    values: BTreeMap<&'static str, String>,
    /// Whether a `save` line was read: the first one replaces the default.
    save_given: bool,
    /// Settings of the original that were set to something that is missing here.
    missing: BTreeSet<&'static str>,
}

impl Default for Config {
    fn default() -> Config {
        let values = SETTINGS.iter().map(|(name, _, default, _)| (*name, (*default).to_owned())).collect();
        Config { values, save_given: false, missing: BTreeSet::new() }
    }
}

impl Config {
    /// A setting's value.
    pub fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// A setting that is a number.
    pub fn number(&self, name: &str) -> u64 {
        self.get(name).parse().unwrap_or(0)
    }

    /// A setting that is `yes` or `no`.
    pub fn yes(&self, name: &str) -> bool {
        self.get(name) == "yes"
    }

    /// The one address that `bind` names; all of them if it names several or `*`.
    pub fn address(&self) -> std::net::Ipv4Addr {
        // An address that may be missing has a dash before it, and there is no IPv6.
        let all: Vec<&str> = self.get("bind").split(' ').filter(|a| !a.starts_with('-') && !a.contains(':')).collect();
        match all.as_slice() {
            [one] => one.parse().unwrap_or(std::net::Ipv4Addr::UNSPECIFIED),
            _ => std::net::Ipv4Addr::UNSPECIFIED,
        }
    }

    /// What is said about settings that are read and change nothing here.
    pub fn warnings(&self) -> Vec<String> {
        let without = [
            ("daemonize", "no"),
            ("logfile", ""),
            ("notify-keyspace-events", ""),
            ("protected-mode", "no"),
            ("timeout", "0"),
        ];
        let set = without.into_iter().filter(|(name, value)| self.get(name) != *value);
        set.map(|(name, _)| name).chain(self.missing.iter().copied()).map(unsupported).collect()
    }

    /// `save`: seconds and changes.
    pub fn save_points(&self) -> Vec<(u64, u64)> {
        let numbers: Vec<u64> = self.get("save").split(' ').filter_map(|n| n.parse().ok()).collect();
        numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.values.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Sets a value.
    ///
    /// # Errors
    /// Redis' words for what is wrong with it.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let lower = name.to_ascii_lowercase();
        match known(&lower, value) {
            Some(Known::Default) => return Ok(()),
            _ if REFUSED.contains(&lower.as_str()) => return Err(unsupported(&lower)),
            Some(Known::Other(name)) => {
                self.missing.insert(name);
                return Ok(());
            }
            None => {}
        }
        let Some((name, kind, _, _)) = SETTINGS.iter().find(|(n, ..)| *n == lower) else {
            return Err("Bad directive or wrong number of arguments".to_owned());
        };
        let value = match kind {
            Kind::Text => value.to_owned(),
            Kind::Number => match value.parse::<u64>() {
                Ok(n) => n.to_string(),
                Err(_) => return Err("argument couldn't be parsed into an integer".to_owned()),
            },
            Kind::Memory => memory(value).ok_or("argument must be a memory value")?.to_string(),
            Kind::YesNo => match value.to_ascii_lowercase() {
                word if word == "yes" || word == "no" => word,
                _ => return Err("argument must be 'yes' or 'no'".to_owned()),
            },
            Kind::OneOf(all) => match value.to_ascii_lowercase() {
                word if all.contains(&word.as_str()) => word,
                _ => return Err(format!("argument(s) must be one of the following: {}", all.join(", "))),
            },
        };
        self.values.insert(name, value);
        Ok(())
    }

    /// CONFIG SET.
    ///
    /// # Errors
    /// The answer of the server, without `ERR`.
    pub fn change(&mut self, name: &str, value: &str) -> Result<(), String> {
        let lower = name.to_ascii_lowercase();
        let failed = |what: &str| Err(format!("CONFIG SET failed (possibly related to argument '{name}') - {what}"));
        let Some((_, _, _, change)) = SETTINGS.iter().find(|(n, ..)| *n == lower) else {
            return match known(&lower, value) {
                Some(Known::Default) => Ok(()),
                None if !REFUSED.contains(&lower.as_str()) => {
                    Err(format!("Unknown option or number of arguments for CONFIG SET - '{name}'"))
                }
                _ => failed(&unsupported(&lower)),
            };
        };
        match change {
            Change::Yes => self.set(&lower, value).or_else(|what| failed(&what)),
            Change::Immutable => failed("can't set immutable config"),
            Change::Protected => failed("can't set protected config"),
            Change::Missing if self.get(&lower).eq_ignore_ascii_case(value) => Ok(()),
            Change::Missing => failed(&unsupported(&lower)),
        }
    }

    /// One line: a name and its values.
    fn line(&mut self, words: &[String]) -> Result<(), String> {
        let Some((name, values)) = words.split_first() else { return Ok(()) };
        if values.is_empty() {
            return Err("wrong number of arguments".to_owned());
        }
        if name.eq_ignore_ascii_case("save") {
            let given = values.join(" ");
            let before = if self.save_given { self.get("save").to_owned() } else { String::new() };
            self.save_given = true;
            return self.set("save", format!("{before} {given}").trim());
        }
        self.set(name, &values.join(" "))
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// What the server prints before it ends.
    pub fn read(&mut self, text: &str, version: &str) -> Result<(), String> {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let words = split_words(line).map(|w| w.iter().map(|w| String::from_utf8_lossy(w).into_owned()).collect());
            let taken = match words {
                Some(words) => self.line(&Vec::<String>::from_iter::<Vec<String>>(words)),
                None => Err("Unbalanced quotes in configuration line".to_owned()),
            };
            if let Err(what) = taken {
                return Err(format!(
                    "\n*** FATAL CONFIG FILE ERROR (Redis {version}) ***\nReading the configuration file, at line {}\n>>> '{line}'\n{what}",
                    number + 1
                ));
            }
        }
        Ok(())
    }

    /// Reads the command line: a file first, then `--name value ...`. Gives the file's name.
    ///
    /// # Errors
    /// What the server prints before it ends.
    pub fn arguments(
        &mut self,
        args: &[String],
        version: &str,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<String>, Unusable> {
        let mut args = args;
        let mut file = None;
        if let Some((first, rest)) = args.split_first().filter(|(first, _)| !first.starts_with('-')) {
            let Some(text) = read(first) else {
                return Err(Unusable::Unread(format!(
                    "# Fatal error, can't open config file '{first}': No such file or directory"
                )));
            };
            self.read(&text, version).map_err(Unusable::Wrong)?;
            (file, args) = (Some(first.clone()), rest);
        }
        let mut text = String::new();
        for arg in args {
            match arg.strip_prefix("--") {
                Some(name) => text.push_str(&format!("\n{name}")),
                None if arg.is_empty() || arg.contains(' ') && !arg.contains('"') => {
                    text.push_str(&format!(" \"{arg}\""));
                }
                None => text.push_str(&format!(" {arg}")),
            }
        }
        self.read(&text, version).map_err(Unusable::Wrong)?;
        Ok(file)
    }
}

/// The sentence to refuse a setting with.
fn unsupported(name: &str) -> String {
    format!("kubonsai does not support the setting {name} (redis) yet")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_original_are_no_bad_directives() {
        let mut config = Config::default();
        let text = "pidfile /var/run/redis_6379.pid\nclient-output-buffer-limit replica 256mb 64mb 60\ncluster-enabled no\nauto-aof-rewrite-min-size 67108864\nio-threads 4\nlua-time-limit 100\n";
        config.read(text, "7").expect("valid");
        let sentence = |name: &str| format!("kubonsai does not support the setting {name} (redis) yet");
        assert_eq!(config.warnings(), [sentence("io-threads"), sentence("lua-time-limit")]);
        assert_eq!(
            config.read("cluster-enabled yes", "7").expect_err("refused").lines().last(),
            Some(&*sentence("cluster-enabled"))
        );
        for (name, value, what) in [
            ("appendonly", "yes", &*sentence("appendonly")),
            ("io-threads", "4", &*sentence("io-threads")),
            ("rename-command", "x", &*sentence("rename-command")),
            ("dir", "/tmp", "can't set protected config"),
            ("databases", "3", "can't set immutable config"),
        ] {
            let expected = format!("CONFIG SET failed (possibly related to argument '{name}') - {what}");
            assert_eq!(config.change(name, value), Err(expected));
        }
        assert_eq!((config.change("protected-mode", "no"), config.change("lua-time-limit", "5000")), (Ok(()), Ok(())));
        assert!(config.change("bogus", "1").expect_err("unknown").starts_with("Unknown option"));
    }

    #[test]
    fn the_file_of_the_tutorial() {
        let mut config = Config::default();
        config.read("maxmemory 2mb\nmaxmemory-policy allkeys-lru \n", "8.0.2").expect("valid");
        assert_eq!((config.get("maxmemory"), config.get("maxmemory-policy")), ("2097152", "allkeys-lru"));
        let error = config.read("# x\nbogus 1\n", "8.0.2").expect_err("unknown");
        assert!(error.ends_with("at line 2\n>>> 'bogus 1'\nBad directive or wrong number of arguments"), "{error}");
        assert!(
            config.read("replicaof a 1", "8").expect_err("refused").contains("does not support the setting replicaof")
        );
    }

    #[test]
    fn the_command_line() {
        let mut config = Config::default();
        let args = |list: &[&str]| list.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>();
        let read = |file: &str| (file == "/r.conf").then(|| "port 7000\nsave 900 1\nsave 60 100\n".to_owned());
        let all = args(&["/r.conf", "--appendonly", "yes", "--requirepass", "a b"]);
        assert_eq!(config.arguments(&all, "7", &read), Ok(Some("/r.conf".to_owned())));
        assert_eq!((config.number("port"), config.yes("appendonly"), config.get("requirepass")), (7000, true, "a b"));
        assert_eq!(config.save_points(), [(900, 1), (60, 100)]);
        config.arguments(&args(&["--save", ""]), "7", &read).expect("valid");
        let unread = "# Fatal error, can't open config file '/none': No such file or directory";
        let error = Config::default().arguments(&args(&["/none"]), "7", &read);
        assert_eq!(error, Err(Unusable::Unread(unread.to_owned())));
        assert!(config.change("port", "1").is_err() && config.change("maxmemory", "1k").is_ok());
        assert_eq!(config.get("maxmemory"), "1000");
    }

    #[test]
    fn addresses_and_what_changes_nothing() {
        let mut config = Config::default();
        assert_eq!((config.address().to_string(), config.warnings()), ("0.0.0.0".to_owned(), Vec::new()));
        config.read("bind 127.0.0.1 -::1\ntimeout 300\n", "7").expect("valid");
        assert_eq!(config.address().to_string(), "127.0.0.1");
        assert_eq!(config.warnings(), ["kubonsai does not support the setting timeout (redis) yet"]);
        config.read("bind 127.0.0.1 10.0.0.1", "7").expect("valid");
        assert_eq!(config.address().to_string(), "0.0.0.0");
    }

    #[test]
    fn no_save_points() {
        let mut config = Config::default();
        let args = ["--save".to_owned(), String::new()];
        config.arguments(&args, "7", &|_| None).expect("valid");
        assert_eq!(config.save_points(), []);
    }
}
