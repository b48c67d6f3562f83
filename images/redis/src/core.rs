//! The server without its sockets: sessions, requests in, bytes for each session out.

use std::collections::{BTreeMap, BTreeSet};

use crate::commands::{Access, Answer, Call, Command, arity_fits, find, lower};
use crate::config::Config;
use crate::disk::Disk;
use crate::refused::REFUSED;
use crate::resp::{Bytes, REQUEST_BYTES_MAX, Reply, Sender, parse_request};
use crate::session::{self, Own};
use crate::shutdown::Stop;
use crate::store::Store;

/// How often the server looks for keys that have ended and that nobody asks for, as `hz 10`.
const SWEEP_MILLIS: u64 = 100;

/// A client that waits for an element of a list.
pub struct Blocked {
    /// The words of BLPOP or BRPOP.
    pub words: Vec<Bytes>,
    /// Its place among all that ever waited: who came first is served first.
    pub order: u64,
    /// When it stops to wait, in ms since 1970; `None` waits for ever.
    pub until: Option<u64>,
}

/// What is known about a client.
#[derive(Default)]
pub struct Session {
    /// The selected database.
    pub number: usize,
    /// Whether it may do anything.
    pub allowed: bool,
    /// CLIENT SETNAME.
    pub name: Bytes,
    /// `ADDRESS:PORT`.
    pub address: String,
    /// The requests between MULTI and EXEC.
    pub queue: Option<Vec<Vec<Bytes>>>,
    /// Whether one of them was refused.
    pub spoilt: bool,
    /// SUBSCRIBE.
    pub channels: BTreeSet<Bytes>,
    /// PSUBSCRIBE.
    pub patterns: BTreeSet<Bytes>,
    /// What it waits for.
    pub blocked: Option<Blocked>,
    /// Whether the connection ends when everything is written.
    pub closing: bool,
    /// Bytes that came and are no whole request yet.
    pub input: Bytes,
    /// Bytes to write.
    pub output: Bytes,
}

impl Session {
    /// Whether it listens to channels, and may do little else.
    pub fn listens(&self) -> bool {
        !self.channels.is_empty() || !self.patterns.is_empty()
    }
}

/// The server.
pub struct Core {
    /// `8.0.2`.
    pub version: String,
    /// The settings.
    pub config: Config,
    /// All data.
    pub store: Store,
    /// The files.
    pub disk: Option<Disk>,
    /// Clients by number, in the order in which they came.
    pub sessions: BTreeMap<u64, Session>,
    /// When it started, in ms since 1970.
    pub started: u64,
    /// The time of the request, in ms since 1970.
    pub now: u64,
    /// A number by chance.
    pub random: u64,
    /// When it last saved, in ms since 1970, and what the changes were then.
    pub saved: (u64, u64),
    /// When a snapshot failed that no client waited for, in ms since 1970; none if the last one did not.
    pub failed_save: Option<u64>,
    /// How many waits there were so far.
    pub waits: u64,
    /// When it last looked for keys that have ended, in ms since 1970.
    pub swept: u64,
    /// That it is to end.
    pub stop: Option<Stop>,
    /// Requests so far.
    pub requests: u64,
    /// Connections so far.
    pub connections: u64,
    /// Lines for the log.
    pub log: Vec<String>,
}

impl Core {
    /// A server without data.
    pub fn new(version: &str, config: Config, now: u64) -> Core {
        Core {
            version: version.to_owned(),
            config,
            store: Store::default(),
            disk: None,
            sessions: BTreeMap::new(),
            started: now,
            now,
            random: now,
            saved: (now, 0),
            failed_save: None,
            waits: 0,
            swept: 0,
            stop: None,
            requests: 0,
            connections: 0,
            log: Vec::new(),
        }
    }

    /// The first number of the version.
    pub fn major(&self) -> u32 {
        self.version.split('.').next().and_then(|m| m.parse().ok()).unwrap_or(7)
    }

    /// Whether the version is at least this one.
    pub fn since(&self, major: u32, minor: u32) -> bool {
        let mut parts = self.version.split('.').filter_map(|p| p.parse::<u32>().ok());
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
    }

    /// Whether no more clients are let in.
    pub fn full(&self) -> bool {
        self.sessions.len() as u64 >= self.config.number("maxclients")
    }

    /// A new client with the number of its connection.
    pub fn connect(&mut self, id: u64, address: String) {
        self.connections += 1;
        let allowed = self.config.get("requirepass").is_empty();
        self.sessions.insert(id, Session { allowed, address, ..Session::default() });
    }

    /// Takes bytes that came from a client and answers every whole request in them.
    pub fn receive(&mut self, id: u64, bytes: &[u8], now: u64) {
        self.now = now;
        if let Some(session) = self.sessions.get_mut(&id) {
            session.input.extend_from_slice(bytes);
            // Else one that waits could send without end.
            if session.blocked.is_some() && session.input.len() > REQUEST_BYTES_MAX {
                let address = &session.address;
                self.log.push(format!("# Closing client that reached max query buffer length: id={id} addr={address}"));
                (session.closing, session.blocked, session.input) = (true, None, Vec::new());
            }
        }
        self.work(id);
        self.wake();
    }

    /// Answers whole requests in a client's input.
    pub fn work(&mut self, id: u64) {
        while let Some(session) = self.sessions.get_mut(&id) {
            if session.blocked.is_some() || session.closing || self.stop.is_some() {
                return;
            }
            let sender = if session.allowed { Sender::Client } else { Sender::Stranger };
            match parse_request(&session.input, sender) {
                Ok(None) => return,
                Ok(Some((words, used))) => {
                    session.input.drain(..used);
                    if !words.is_empty() {
                        let reply = self.request(id, &words);
                        self.send(id, &reply);
                        self.keep_output(id);
                    }
                }
                Err(what) => {
                    session.closing = true;
                    self.send(id, &Reply::Error(format!("ERR Protocol error: {what}")));
                }
            }
        }
    }

    /// Ends a client whose answers are more than a connection keeps, before they fill the memory. They stay, so that
    /// the connection sees it and says so.
    fn keep_output(&mut self, id: u64) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.closing |= session.output.len() > net::OUTPUT_BYTES_MAX;
        }
    }

    /// Puts an answer into a client's output.
    pub fn send(&mut self, id: u64, reply: &Reply) {
        if let Some(session) = self.sessions.get_mut(&id) {
            reply.encode(&mut session.output);
        }
    }

    /// Answers one request.
    pub fn request(&mut self, id: u64, words: &[Bytes]) -> Reply {
        self.requests += 1;
        let name = lower(&words[0]);
        let found = Found::of(&name);
        let refusal = self.refusal(id, &name, &found, words);
        let Some(session) = self.sessions.get_mut(&id) else { return Reply::Several(Vec::new()) };
        if let Some(text) = refusal {
            session.spoilt |= session.queue.is_some();
            return Reply::Error(text);
        }
        let at_once = matches!(name.as_str(), "multi" | "exec" | "discard" | "watch" | "quit" | "reset");
        if let Some(queue) = session.queue.as_mut().filter(|_| !at_once) {
            queue.push(words.to_vec());
            return Reply::Simple("QUEUED".to_owned());
        }
        self.perform(id, &found, words).unwrap_or_else(Reply::Error)
    }

    /// Why a request is not even tried.
    fn refusal(&self, id: u64, name: &str, found: &Found, words: &[Bytes]) -> Option<String> {
        let session = self.sessions.get(&id)?;
        let arity = match found {
            Found::Key(command) => command.arity,
            Found::Own(own) => own.arity,
            Found::Refused => {
                return Some(format!("ERR kubonsai does not support the command {} (redis) yet", name.to_uppercase()));
            }
            Found::Unknown => return Some(self.unknown(words)),
        };
        if !arity_fits(arity, words.len()) {
            return Some(format!("ERR wrong number of arguments for '{name}' command"));
        }
        if !session.allowed && !matches!(name, "auth" | "hello" | "quit" | "reset") {
            return Some("NOAUTH Authentication required.".to_owned());
        }
        let listening = ["subscribe", "psubscribe", "unsubscribe", "punsubscribe", "ping", "quit", "reset"];
        if session.listens() && !listening.contains(&name) {
            return Some(format!(
                "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
            ));
        }
        None
    }

    fn unknown(&self, words: &[Bytes]) -> String {
        /// Bytes of the name, and of all arguments, that the answer repeats.
        const SHOWN_BYTES_MAX: usize = 128;
        let cut = |word: &Bytes, most: usize| String::from_utf8_lossy(&word[..word.len().min(most)]).into_owned();
        let (open, close, after) = if self.major() >= 7 { ('\'', '\'', " ") } else { ('`', '`', ", ") };
        let mut rest = String::new();
        for word in &words[1..] {
            if rest.len() >= SHOWN_BYTES_MAX {
                break;
            }
            rest.push_str(&format!("{open}{}{close}{after}", cut(word, SHOWN_BYTES_MAX - rest.len())));
        }
        let name = cut(&words[0], SHOWN_BYTES_MAX);
        format!("ERR unknown command {open}{name}{close}, with args beginning with: {rest}")
    }

    /// Does what a request asks.
    pub fn perform(&mut self, id: u64, found: &Found, words: &[Bytes]) -> Answer {
        match found {
            Found::Own(own) => (own.run)(self, id, words),
            Found::Key(command) => {
                let number = self.sessions.get(&id).map_or(0, |session| session.number);
                self.run(command, number, words)
            }
            Found::Refused | Found::Unknown => Err(self.unknown(words)),
        }
    }

    /// Runs a command on keys: makes room before, writes to the append-only file after.
    pub fn run(&mut self, command: &Command, number: usize, words: &[Bytes]) -> Answer {
        if command.access != Access::Read {
            self.can_keep()?;
        }
        if command.access == Access::Grow {
            self.make_room()?;
        }
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let before = self.store.changes;
        let (now, random) = (self.now, self.random);
        let mut call = Call { store: &mut self.store, number, words, now, random, instead: None };
        let answer = (command.run)(&mut call);
        let instead = call.instead;
        // What ended made room for what the command put there, so it goes first.
        self.forget_ended();
        if self.store.changes != before {
            self.append(number, &instead.unwrap_or_else(|| vec![words.to_vec()]));
        }
        answer
    }

    /// Writes to the append-only file which keys ended: nothing ends while it is read again.
    fn forget_ended(&mut self) {
        for (number, key) in self.store.take_ended() {
            self.append(number, &[vec![b"DEL".to_vec(), key]]);
        }
    }

    /// Writes requests to the append-only file if there is one.
    fn append(&mut self, number: usize, requests: &[Vec<Bytes>]) {
        let Some(disk) = &mut self.disk else { return };
        if let Err(error) = disk.append(number, requests) {
            self.log.push(format!("# Error writing to the AOF file: {}", proc::Errno::from_io(&error)));
        }
    }

    /// Evicts keys until `maxmemory` is kept; those that have ended anyway go first.
    fn make_room(&mut self) -> Result<(), String> {
        let most = usize::try_from(self.config.number("maxmemory")).unwrap_or(usize::MAX);
        if most == 0 {
            return Ok(());
        }
        if self.store.used_bytes() > most {
            self.store.sweep(self.now);
            self.forget_ended();
        }
        while self.store.used_bytes() > most {
            let policy = self.config.get("maxmemory-policy").to_owned();
            let Some((number, key)) = self.store.evict(&policy, self.random) else {
                return Err("OOM command not allowed when used memory > 'maxmemory'.".to_owned());
            };
            self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            // A key that comes back after a restart would be evicted again.
            self.append(number, &[vec![b"DEL".to_vec(), key]]);
        }
        Ok(())
    }

    /// Answers clients that wait for lists, in the order in which they began to, as far as there is something for them.
    pub fn wake(&mut self) {
        // What a served client sent ahead may put something there for one that was passed over.
        while self.wake_once() {}
    }

    /// One round; whether a client was answered.
    fn wake_once(&mut self) -> bool {
        let blocked = self.sessions.iter().filter_map(|(id, s)| s.blocked.as_ref().map(|b| (b.order, *id)));
        let mut waiting: Vec<(u64, u64)> = blocked.collect();
        waiting.sort_unstable();
        let mut woken = false;
        for (order, id) in waiting {
            let session = self.sessions.get_mut(&id);
            let Some(blocked) = session.and_then(|s| s.blocked.take_if(|b| b.order == order)) else { continue };
            let reply = match session::pop_waiting(self, id, &blocked.words) {
                Some(reply) => reply,
                None if blocked.until.is_some_and(|until| until <= self.now) => Reply::NilArray,
                None => {
                    if let Some(session) = self.sessions.get_mut(&id) {
                        session.blocked = Some(blocked);
                    }
                    continue;
                }
            };
            woken = true;
            self.send(id, &reply);
            self.work(id);
        }
        woken
    }

    /// When something is due that no client asks for, in ms since 1970: the end of a wait or of a key, or a snapshot.
    pub fn due(&self) -> Option<u64> {
        let waits = self.sessions.values().filter_map(|s| s.blocked.as_ref()?.until);
        let ends = self.store.next_end().map(|end| end.max(self.swept + SWEEP_MILLIS));
        waits.chain(self.save_due().map(|(at, ..)| at)).chain(ends).min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now: u64) {
        self.now = now;
        self.wake();
        if now >= self.swept + SWEEP_MILLIS {
            self.swept = now;
            self.store.sweep(now);
            self.forget_ended();
        }
        self.save_when_due();
    }
}

/// What a name means.
pub enum Found {
    /// A command on keys.
    Key(&'static Command),
    /// A command of the session or the server.
    Own(&'static Own),
    /// A command that the original has.
    Refused,
    /// No command.
    Unknown,
}

impl Found {
    /// Looks a name up.
    pub fn of(name: &str) -> Found {
        if let Some(command) = find(name) {
            return Found::Key(command);
        }
        match session::OWN.iter().find(|own| own.name == name) {
            Some(own) => Found::Own(own),
            None if REFUSED.contains(&name) => Found::Refused,
            None => Found::Unknown,
        }
    }
}
