//! The client's side of the protocol.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4};

use net::TcpStream;
use sql::Error;

use crate::auth;
use crate::options::Login;
use crate::server::SOCKET;
use crate::wire::{self, Framed, Reader, capability, status};

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its title.
    pub name: String,
    /// Whether it stands at the right.
    pub number: bool,
    /// Whether it may be NULL.
    pub nullable: bool,
}

/// A result of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Rows.
    Rows {
        /// Their columns.
        columns: Vec<Column>,
        /// Fields; none is NULL.
        rows: Vec<Vec<Option<String>>>,
        /// How many warnings there are.
        warnings: u64,
    },
    /// A change.
    Done {
        /// Rows that changed.
        affected: u64,
        /// How many warnings there are.
        warnings: u64,
        /// The server's words.
        info: String,
    },
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
    number: u8,
    /// The server's version.
    pub version: String,
    /// Its number of the connection.
    pub id: u32,
}

fn lost() -> Error {
    Error::new(2013, "HY000", "Lost connection to MySQL server during query")
}

fn text_of(reader: &mut Reader<'_>) -> Error {
    let code = reader.fixed(2).unwrap_or(0) as u16;
    let mut state = "HY000";
    if reader.0.first() == Some(&b'#') {
        let said = reader.take(6).unwrap_or_default();
        // States are few, and an error keeps a name that lives as long as the program.
        state = STATES.iter().find(|s| s.as_bytes() == &said[1..]).copied().unwrap_or("HY000");
    }
    Error::new(code, state, reader.rest())
}

/// The states that errors have.
const STATES: &[&str] = &[
    "01000", "08004", "08S01", "21000", "21S01", "22001", "22003", "22004", "22007", "23000", "28000", "3D000",
    "40001", "42000", "42S01", "42S02", "42S21", "42S22", "HY000",
];

impl Connection {
    /// Connects and logs in.
    ///
    /// # Errors
    /// 2002, 2003, 2005: nobody is there; 1045, 1049, ... from the server.
    pub fn open(login: &Login) -> Result<Connection, Error> {
        // Without unix sockets, the server of the same machine is at its address.
        let address = if login.local() {
            Ipv4Addr::LOCALHOST
        } else {
            let found = net::resolve(&login.host).ok().and_then(|all| all.first().copied());
            found
                .ok_or_else(|| Error::new(2005, "HY000", format!("Unknown MySQL server host '{}' (-2)", login.host)))?
        };
        let stream = TcpStream::connect(SocketAddrV4::new(address, login.port)).map_err(|error| {
            let number = linux_number(&error);
            if login.local() {
                let text = format!("Can't connect to local MySQL server through socket '{SOCKET}' (2)");
                return Error::new(2002, "HY000", text);
            }
            Error::new(
                2003,
                "HY000",
                format!("Can't connect to MySQL server on '{}:{}' ({number})", login.host, login.port),
            )
        })?;
        let mut connection = Connection { stream, input: Vec::new(), number: 0, version: String::new(), id: 0 };
        connection.log_in(login)?;
        Ok(connection)
    }

    fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        let mut out = Vec::new();
        wire::frame(message, &mut self.number, &mut out);
        self.stream.write_all(&out).map_err(|_| lost())
    }

    fn receive(&mut self) -> Result<Vec<u8>, Error> {
        loop {
            match wire::unframe(&self.input, wire::MESSAGE_BYTES_MAX) {
                Framed::Whole(message, number, used) => {
                    self.input.drain(..used);
                    self.number = number.wrapping_add(1);
                    return Ok(message);
                }
                Framed::TooLong => {
                    return Err(Error::new(2020, "HY000", "Got packet bigger than 'max_allowed_packet' bytes"));
                }
                Framed::Partial => {}
            }
            let mut buffer = [0u8; 8192];
            match self.stream.read(&mut buffer) {
                Ok(count) if count > 0 => self.input.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                _ => return Err(lost()),
            }
        }
    }

    fn log_in(&mut self, login: &Login) -> Result<(), Error> {
        let bad = || Error::new(2012, "HY000", "Error in server handshake");
        let hello = self.receive()?;
        let mut reader = Reader(&hello);
        if reader.byte() == Some(0xff) {
            return Err(text_of(&mut reader));
        }
        self.version = reader.zero_ended().ok_or_else(bad)?;
        self.id = reader.fixed(4).ok_or_else(bad)? as u32;
        let mut nonce = reader.take(8).ok_or_else(bad)?.to_vec();
        reader.take(1 + 2 + 1 + 2 + 2 + 1 + 10).ok_or_else(bad)?;
        nonce.extend_from_slice(reader.take(auth::NONCE_BYTES - 8).ok_or_else(bad)?);
        reader.take(1);
        let plugin = reader.zero_ended().unwrap_or_default();
        let mut capabilities = 1
            | 4
            | capability::PROTOCOL_41
            | capability::TRANSACTIONS
            | capability::SECURE_CONNECTION
            | capability::MULTI_RESULTS
            | capability::PLUGIN_AUTH;
        if !login.database.is_empty() {
            capabilities |= capability::CONNECT_WITH_DB;
        }
        let proof = if plugin == auth::PLUGIN { auth::proof(&login.password, &nonce) } else { Vec::new() };
        let mut message = capabilities.to_le_bytes().to_vec();
        message.extend_from_slice(&(wire::MESSAGE_BYTES_MAX as u32).to_le_bytes());
        message.push(255);
        message.extend_from_slice(&[0; 23]);
        wire::zero_ended(login.user.as_bytes(), &mut message);
        message.push(proof.len() as u8);
        message.extend_from_slice(&proof);
        if !login.database.is_empty() {
            wire::zero_ended(login.database.as_bytes(), &mut message);
        }
        wire::zero_ended(auth::PLUGIN.as_bytes(), &mut message);
        self.send(&message)?;
        self.finish_login(login)
    }

    fn finish_login(&mut self, login: &Login) -> Result<(), Error> {
        loop {
            let message = self.receive()?;
            let mut reader = Reader(&message);
            match reader.byte() {
                Some(0) => return Ok(()),
                Some(0xff) => return Err(text_of(&mut reader)),
                Some(0xfe) => {
                    let plugin = reader.zero_ended().unwrap_or_default();
                    if plugin != auth::PLUGIN {
                        let text = format!("kubonsai does not support the authentication plugin {plugin} (mysql) yet");
                        return Err(Error::new(2059, "HY000", text));
                    }
                    let nonce = reader.take(auth::NONCE_BYTES).unwrap_or_default().to_vec();
                    self.send(&auth::proof(&login.password, &nonce))?;
                }
                Some(1) if reader.0 == [3] => {}
                Some(1) => {
                    let text = "kubonsai does not support caching_sha2_password's full authentication (mysql) yet";
                    return Err(Error::new(2061, "HY000", text));
                }
                _ => return Err(lost()),
            }
        }
    }

    /// Asks for a command's answer as it comes.
    ///
    /// # Errors
    /// 2013: the connection is lost.
    pub fn plain(&mut self, command: u8) -> Result<String, Error> {
        self.number = 0;
        self.send(&[command])?;
        let message = self.receive()?;
        Ok(String::from_utf8_lossy(&message).into_owned())
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// The server's, and 2013 if the connection is lost.
    pub fn query(&mut self, sql: &str) -> Result<Answer, Error> {
        self.number = 0;
        let mut message = vec![3];
        message.extend_from_slice(sql.as_bytes());
        self.send(&message)?;
        let mut answer = self.answer()?;
        while answer.1 {
            answer = self.answer()?;
        }
        Ok(answer.0)
    }

    /// One result, and whether another follows.
    fn answer(&mut self) -> Result<(Answer, bool), Error> {
        let message = self.receive()?;
        let mut reader = Reader(&message);
        match message.first() {
            Some(0) => {
                reader.byte();
                let affected = reader.number().unwrap_or(0);
                reader.number();
                let flags = reader.fixed(2).unwrap_or(0) as u16;
                let warnings = reader.fixed(2).unwrap_or(0);
                Ok((Answer::Done { affected, warnings, info: reader.rest() }, flags & status::MORE_RESULTS != 0))
            }
            Some(0xff) => {
                reader.byte();
                Err(text_of(&mut reader))
            }
            None => Err(lost()),
            Some(_) => self.rows(reader.number().unwrap_or(0)),
        }
    }

    fn rows(&mut self, count: u64) -> Result<(Answer, bool), Error> {
        let mut columns = Vec::new();
        for _ in 0..count {
            let message = self.receive()?;
            columns.push(column(&message).ok_or_else(lost)?);
        }
        self.receive()?;
        let mut rows = Vec::new();
        loop {
            let message = self.receive()?;
            if message.first() == Some(&0xfe) && message.len() < 9 {
                let mut reader = Reader(&message[1..]);
                let warnings = reader.fixed(2).unwrap_or(0);
                let flags = reader.fixed(2).unwrap_or(0) as u16;
                return Ok((Answer::Rows { columns, rows, warnings }, flags & status::MORE_RESULTS != 0));
            }
            let mut reader = Reader(&message);
            let mut row = Vec::new();
            for _ in 0..columns.len() {
                if reader.0.first() == Some(&0xfb) {
                    reader.byte();
                    row.push(None);
                } else {
                    row.push(Some(reader.text().ok_or_else(lost)?));
                }
            }
            rows.push(row);
        }
    }
}

fn column(message: &[u8]) -> Option<Column> {
    let mut reader = Reader(message);
    for _ in 0..4 {
        reader.bytes()?;
    }
    let name = reader.text()?;
    reader.bytes()?;
    reader.take(1 + 2 + 4)?;
    let ty = reader.byte()?;
    let flags = reader.fixed(2)?;
    let number = matches!(ty, 0..=5 | 8 | 9 | 13 | 246);
    Some(Column { name, number, nullable: flags & 1 == 0 })
}

/// The number that Linux has for an error: WASI counts its own.
fn linux_number(error: &std::io::Error) -> i32 {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => 111,
        ErrorKind::TimedOut => 110,
        ErrorKind::NetworkUnreachable => 101,
        ErrorKind::HostUnreachable => 113,
        _ => error.raw_os_error().unwrap_or(5),
    }
}
