//! The server's side of the protocol: greeting, login, commands, results.

use std::rc::Rc;

use sql::{Engine, Error, OutColumn, Outcome, Row, Server, Session, Type};

use crate::auth;
use crate::wire::{self, Framed, Reader, capability, status};

/// What the server can do.
const CAPABILITIES: u32 = 1
    | capability::FOUND_ROWS
    | 4
    | capability::CONNECT_WITH_DB
    | capability::PROTOCOL_41
    | capability::TRANSACTIONS
    | capability::SECURE_CONNECTION
    | capability::MULTI_STATEMENTS
    | capability::MULTI_RESULTS
    | capability::PLUGIN_AUTH
    | capability::AUTH_LENGTH;

/// utf8mb4_0900_ai_ci.
const CHARSET: u8 = 255;

/// What the server has counted, for COM_STATISTICS.
#[derive(Debug, Default)]
pub struct Counts {
    /// Connections that are open.
    pub threads: usize,
    /// Statements so far.
    pub questions: u64,
    /// When it started, in microseconds since 1970.
    pub started: i64,
}

/// How far a login is.
#[derive(Debug)]
enum State {
    /// The greeting is sent.
    Greeted,
    /// Another proof was asked for.
    Switched {
        user: String,
        db: Option<String>,
    },
    In,
}

/// A client.
#[derive(Debug)]
pub struct Peer {
    session: Session,
    state: State,
    nonce: [u8; auth::NONCE_BYTES],
    capabilities: u32,
    input: Vec<u8>,
    /// What is to be sent.
    pub output: Vec<u8>,
    /// Whether the connection ends when it is sent.
    pub closing: bool,
    number: u8,
}

impl Peer {
    /// Greets a client.
    pub fn new(id: u32, host: &str, server: &Rc<Server>, seed: &str) -> Peer {
        let nonce = auth::nonce(seed);
        let mut peer = Peer {
            session: Session::new(id, host, server),
            state: State::Greeted,
            nonce,
            capabilities: 0,
            input: Vec::new(),
            output: Vec::new(),
            closing: false,
            number: 0,
        };
        let mut hello = vec![10];
        wire::zero_ended(server.version.as_bytes(), &mut hello);
        hello.extend_from_slice(&id.to_le_bytes());
        wire::zero_ended(&nonce[..8], &mut hello);
        let [a, b, c, d] = CAPABILITIES.to_le_bytes();
        hello.extend_from_slice(&[a, b, CHARSET]);
        hello.extend_from_slice(&status::AUTOCOMMIT.to_le_bytes());
        hello.extend_from_slice(&[c, d, auth::NONCE_BYTES as u8 + 1]);
        hello.extend_from_slice(&[0; 10]);
        wire::zero_ended(&nonce[8..], &mut hello);
        wire::zero_ended(auth::PLUGIN.as_bytes(), &mut hello);
        peer.send(&hello);
        peer
    }

    /// The session.
    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    fn send(&mut self, message: &[u8]) {
        wire::frame(message, &mut self.number, &mut self.output);
    }

    /// Takes bytes and answers the messages that are whole.
    pub fn receive(&mut self, bytes: &[u8], engine: &mut Engine, counts: &mut Counts, now: i64) {
        self.input.extend_from_slice(bytes);
        let mut at = 0;
        while !self.closing {
            let most = if matches!(self.state, State::In) { wire::MESSAGE_BYTES_MAX } else { wire::LOGIN_BYTES_MAX };
            match wire::unframe(&self.input[at..], most) {
                Framed::Partial => break,
                Framed::TooLong => {
                    self.error(&Error::new(1153, "08S01", "Got a packet bigger than 'max_allowed_packet' bytes"));
                    self.closing = true;
                }
                Framed::Whole(message, number, used) => {
                    at += used;
                    self.number = number.wrapping_add(1);
                    self.session.now = now;
                    self.message(&message, engine, counts);
                }
            }
        }
        // Taken away once, however many messages came together.
        self.input.drain(..at);
    }

    fn message(&mut self, message: &[u8], engine: &mut Engine, counts: &mut Counts) {
        match std::mem::replace(&mut self.state, State::In) {
            State::Greeted => {
                if self.log_in(message, engine).is_none() {
                    self.error(&Error::new(1043, "08S01", "Bad handshake"));
                    self.closing = true;
                }
            }
            State::Switched { user, db } => self.prove(&user, db, message, engine),
            State::In => self.command(message, engine, counts),
        }
    }

    fn log_in(&mut self, message: &[u8], engine: &mut Engine) -> Option<()> {
        let mut reader = Reader(message);
        self.capabilities = reader.fixed(4)? as u32;
        if self.capabilities & capability::PROTOCOL_41 == 0 {
            return None;
        }
        reader.take(4 + 1 + 23)?;
        let user = reader.zero_ended()?;
        let proof = if self.capabilities & capability::AUTH_LENGTH != 0 {
            reader.bytes()?
        } else {
            let count = reader.byte()?;
            reader.take(usize::from(count))?
        };
        let db = if self.capabilities & capability::CONNECT_WITH_DB != 0 { reader.zero_ended() } else { None };
        let plugin = if self.capabilities & capability::PLUGIN_AUTH != 0 { reader.zero_ended() } else { None };
        let db = db.filter(|db| !db.is_empty());
        if plugin.as_deref() == Some(auth::PLUGIN) {
            self.prove(&user, db, proof, engine);
            return Some(());
        }
        let mut ask = vec![0xfe];
        wire::zero_ended(auth::PLUGIN.as_bytes(), &mut ask);
        let nonce = self.nonce;
        wire::zero_ended(&nonce, &mut ask);
        self.send(&ask);
        self.state = State::Switched { user, db };
        Some(())
    }

    fn prove(&mut self, user: &str, db: Option<String>, proof: &[u8], engine: &mut Engine) {
        let nonce = self.nonce;
        if !engine.login(&mut self.session, user, |digest| auth::proves(proof, digest, &nonce)) {
            let with = if proof.is_empty() { "NO" } else { "YES" };
            let host = self.session.host.clone();
            let text = format!("Access denied for user '{user}'@'{host}' (using password: {with})");
            self.error(&Error::new(1045, "28000", text));
            self.closing = true;
            return;
        }
        if !proof.is_empty() {
            // The digest was known: nothing more is wanted of the client.
            self.send(&[1, 3]);
        }
        if let Some(db) = db
            && let Err(error) = engine.execute(&mut self.session, &format!("USE `{}`", db.replace('`', "``")))
        {
            self.error(&error);
            self.closing = true;
            return;
        }
        self.ok(0, 0, "", false);
    }

    fn command(&mut self, message: &[u8], engine: &mut Engine, counts: &mut Counts) {
        let (kind, rest) = message.split_first().map_or((0, &[][..]), |(kind, rest)| (*kind, rest));
        counts.questions += 1;
        match kind {
            0x01 => self.closing = true,
            0x02 => {
                let name = String::from_utf8_lossy(rest).replace('`', "``");
                match engine.execute(&mut self.session, &format!("USE `{name}`")) {
                    Ok(_) => self.ok(0, 0, "", false),
                    Err(error) => self.error(&error),
                }
            }
            0x03 => self.query(&String::from_utf8_lossy(rest), engine),
            0x09 => {
                let seconds = ((self.session.now - counts.started) / 1_000_000).max(0);
                let text = format!("Uptime: {seconds}  Threads: {}  Questions: {}", counts.threads, counts.questions);
                self.send(text.as_bytes());
            }
            0x0e => self.ok(0, 0, "", false),
            0x1f => {
                self.session.reset();
                self.ok(0, 0, "", false);
            }
            0x16..=0x19 => {
                self.error(&Error::refused(
                    "kubonsai does not support prepared statements of the protocol (mysql) yet",
                ));
            }
            other => self.error(&Error::refused(format!(
                "kubonsai does not support the command {other} of the protocol (mysql) yet"
            ))),
        }
    }

    fn query(&mut self, text: &str, engine: &mut Engine) {
        let several = self.capabilities & capability::MULTI_STATEMENTS != 0;
        let statements = if several { sql::split(text) } else { vec![text] };
        // Nothing is a statement too, and has its own complaint.
        let statements = if statements.is_empty() { vec![text] } else { statements };
        let count = statements.len();
        for (at, statement) in statements.into_iter().enumerate() {
            let more = at + 1 < count;
            match engine.execute(&mut self.session, statement) {
                Ok(Outcome::Rows { columns, rows }) => self.rows(&columns, &rows, more),
                Ok(Outcome::Done { affected, last_insert_id, info }) => self.ok(affected, last_insert_id, &info, more),
                Err(error) => {
                    self.error(&error);
                    return;
                }
            }
        }
    }

    fn status(&self, more: bool) -> u16 {
        let flags = [
            (self.session.in_transaction(), status::IN_TRANSACTION),
            (self.session.autocommit(), status::AUTOCOMMIT),
            (more, status::MORE_RESULTS),
        ];
        flags.into_iter().filter(|(set, _)| *set).map(|(_, flag)| flag).sum()
    }

    fn warnings(&self) -> u16 {
        u16::try_from(self.session.warning_count()).unwrap_or(u16::MAX)
    }

    fn ok(&mut self, affected: u64, last_insert_id: u64, info: &str, more: bool) {
        let mut message = vec![0];
        wire::number(affected, &mut message);
        wire::number(last_insert_id, &mut message);
        message.extend_from_slice(&self.status(more).to_le_bytes());
        message.extend_from_slice(&self.warnings().to_le_bytes());
        message.extend_from_slice(info.as_bytes());
        self.send(&message);
    }

    fn error(&mut self, error: &Error) {
        let mut message = vec![0xff];
        message.extend_from_slice(&error.code.to_le_bytes());
        message.push(b'#');
        message.extend_from_slice(error.state.as_bytes());
        message.extend_from_slice(error.text.as_bytes());
        self.send(&message);
    }

    fn end_of_part(&mut self, more: bool) {
        let mut message = vec![0xfe];
        message.extend_from_slice(&self.warnings().to_le_bytes());
        message.extend_from_slice(&self.status(more).to_le_bytes());
        self.send(&message);
    }

    fn rows(&mut self, columns: &[OutColumn], rows: &[Row], more: bool) {
        let mut count = Vec::new();
        wire::number(columns.len() as u64, &mut count);
        self.send(&count);
        for column in columns {
            self.send(&definition(column));
        }
        self.end_of_part(false);
        for row in rows {
            let mut message = Vec::new();
            for value in row.iter() {
                match value.shown() {
                    Some(text) => wire::bytes(text.as_bytes(), &mut message),
                    None => message.push(0xfb),
                }
            }
            self.send(&message);
        }
        self.end_of_part(more);
    }
}

/// The protocol's number of a type, and the bytes that it shows at most.
fn type_number(ty: &Type) -> (u8, u32) {
    match ty {
        Type::Bool => (1, 1),
        Type::Int(1, _) => (1, 4),
        Type::Int(2, _) => (2, 6),
        Type::Int(3, _) => (9, 9),
        Type::Int(4, _) => (3, 11),
        Type::Int(..) => (8, 20),
        Type::Decimal(digits, _) => (246, u32::from(*digits) + 2),
        Type::Float => (4, 12),
        Type::Double => (5, 22),
        Type::Char(n) => (254, n.saturating_mul(4)),
        Type::Varchar(n) => (253, n.saturating_mul(4)),
        Type::Text(_) => (252, u32::MAX),
        Type::Date => (10, 10),
        Type::DateTime(_) => (12, 26),
        Type::Timestamp(_) => (7, 26),
        Type::Time(_) => (11, 17),
    }
}

fn definition(column: &OutColumn) -> Vec<u8> {
    let mut message = Vec::new();
    let (number, length) = type_number(&column.ty);
    for text in ["def", &column.db, &column.table, &column.table, &column.name, &column.name] {
        wire::bytes(text.as_bytes(), &mut message);
    }
    message.push(0x0c);
    // Numbers and times are of the character set "binary".
    let text = matches!(column.ty, Type::Char(_) | Type::Varchar(_) | Type::Text(_));
    message.extend_from_slice(&(if text { u16::from(CHARSET) } else { 63 }).to_le_bytes());
    message.extend_from_slice(&length.to_le_bytes());
    message.push(number);
    let flags =
        u16::from(!column.nullable) | if text { 0 } else { 0x80 } | if column.ty.is_number() { 0x8000 } else { 0 };
    message.extend_from_slice(&flags.to_le_bytes());
    let places = match column.ty {
        Type::Decimal(_, scale) => scale,
        Type::Double | Type::Float => 31,
        _ => 0,
    };
    message.extend_from_slice(&[places, 0, 0]);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_not_logged_in_may_not_say_much() {
        let server = Rc::new(Server { version: "9.7.0".to_owned(), ..Server::default() });
        let (mut engine, mut counts) = (Engine::default(), Counts::default());
        let mut peer = Peer::new(8, "10.0.0.1", &server, "seed");
        peer.output.clear();
        // The head of a message of 64 KiB and one byte.
        peer.receive(&[1, 0, 1, 1], &mut engine, &mut counts, 0);
        assert!(peer.closing);
        assert_eq!(peer.output[4..7], [0xff, 0x81, 0x04]);
        let mut peer = Peer::new(9, "10.0.0.1", &server, "seed");
        peer.state = State::In;
        peer.output.clear();
        // Two messages at once, and the beginning of a third.
        peer.receive(&[1, 0, 0, 0, 0x0e, 1, 0, 0, 0, 0x0e, 1, 0, 1, 0], &mut engine, &mut counts, 0);
        assert!(!peer.closing && counts.questions == 2 && peer.input == [1, 0, 1, 0]);
    }
}
