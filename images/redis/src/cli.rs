//! `redis-cli`: one command, commands of the input, or a prompt.

use std::io::{BufRead, Read, Write};
use std::net::SocketAddrV4;
use std::time::Instant;

use net::TcpStream;

use crate::commands::lower;
use crate::format::{quoted, raw, shown};
use crate::resp::{Bytes, Reply, encode_request, parse_reply, split_words};

/// What the command line says.
#[derive(Clone, Debug, PartialEq)]
struct Options {
    host: String,
    port: u16,
    user: Option<String>,
    password: Option<String>,
    number: i64,
    repeat: u64,
    interval: f64,
    /// `--raw`, `--no-raw`.
    raw: Option<bool>,
    /// `-x`: the last word comes from the input.
    last_from_input: bool,
    /// `-e`: an error is the exit code.
    error_code: bool,
    /// `--scan` with its pattern.
    scan: Option<String>,
    /// Whether `-a` is warned of.
    warn: bool,
    command: Vec<Bytes>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            host: "127.0.0.1".to_owned(),
            port: 6379,
            user: None,
            password: None,
            number: 0,
            repeat: 1,
            interval: 0.0,
            raw: None,
            last_from_input: false,
            error_code: false,
            scan: None,
            warn: false,
            command: Vec::new(),
        }
    }
}

/// Reads the command line.
///
/// # Errors
/// What is printed before the program ends with 1.
fn options(args: &[String]) -> Result<Options, String> {
    let mut o = Options::default();
    let (mut rest, mut quiet) = (args.iter(), false);
    while let Some(arg) = rest.next() {
        let mut value = || rest.next().cloned().ok_or_else(|| unrecognized(arg));
        match arg.as_str() {
            "-h" => o.host = value()?,
            "-p" => o.port = value()?.parse().map_err(|_| "Invalid server port.".to_owned())?,
            "-a" | "--pass" => (o.password, o.warn) = (Some(value()?), true),
            "--user" => o.user = Some(value()?),
            "-n" => o.number = value()?.parse().unwrap_or(0),
            "-r" => o.repeat = value()?.parse().unwrap_or(u64::MAX),
            "-i" => o.interval = value()?.parse().unwrap_or(0.0),
            "-u" => uri(&value()?, &mut o)?,
            "-x" => o.last_from_input = true,
            "-e" => o.error_code = true,
            "-c" | "-2" => {}
            "--raw" => o.raw = Some(true),
            "--no-raw" => o.raw = Some(false),
            "--no-auth-warning" => quiet = true,
            "--scan" => o.scan = Some("*".to_owned()),
            "--pattern" => o.scan = Some(value()?),
            "-3"
            | "-s"
            | "-t"
            | "-d"
            | "-D"
            | "-X"
            | "--csv"
            | "--json"
            | "--stat"
            | "--latency"
            | "--bigkeys"
            | "--memkeys"
            | "--hotkeys"
            | "--pipe"
            | "--rdb"
            | "--eval"
            | "--cluster"
            | "--tls"
            | "--askpass"
            | "--latency-history"
            | "--intrinsic-latency"
            | "--replica"
            | "--quoted-input"
            | "--show-pushes" => {
                return Err(format!("kubonsai does not support the option {arg} (redis-cli) yet"));
            }
            option if option.starts_with('-') && option.len() > 1 && o.command.is_empty() => {
                return Err(unrecognized(option));
            }
            word => {
                o.command.push(word.as_bytes().to_vec());
                o.command.extend(rest.by_ref().map(|word| word.as_bytes().to_vec()));
            }
        }
    }
    o.warn &= !quiet;
    Ok(o)
}

fn unrecognized(option: &str) -> String {
    format!("Unrecognized option or bad number of args for: '{option}'")
}

/// `redis://[user:]password@host:port/db`.
fn uri(text: &str, o: &mut Options) -> Result<(), String> {
    let rest = text.strip_prefix("redis://").ok_or("Invalid URI scheme")?;
    let (login, place) = rest.rsplit_once('@').map_or((None, rest), |(login, place)| (Some(login), place));
    if let Some(login) = login {
        match login.split_once(':') {
            Some((user, password)) if !user.is_empty() => {
                (o.user, o.password) = (Some(user.to_owned()), Some(password.to_owned()));
            }
            Some((_, password)) => o.password = Some(password.to_owned()),
            None => o.password = Some(login.to_owned()),
        }
        o.warn = true;
    }
    let (place, number) = place.split_once('/').unwrap_or((place, ""));
    let (host, port) = place.split_once(':').unwrap_or((place, "6379"));
    if !host.is_empty() {
        o.host = host.to_owned();
    }
    o.port = port.parse().map_err(|_| "Invalid server port.".to_owned())?;
    o.number = number.parse().unwrap_or(0);
    Ok(())
}

/// A connection and what has come over it.
struct Connection {
    stream: TcpStream,
    bytes: Bytes,
}

impl Connection {
    fn send(&mut self, words: &[Bytes]) -> std::io::Result<()> {
        let mut out = Vec::new();
        encode_request(words, &mut out);
        self.stream.write_all(&out)
    }

    /// The next answer.
    fn receive(&mut self) -> Result<Reply, String> {
        loop {
            if let Some((reply, used)) = parse_reply(&self.bytes)? {
                self.bytes.drain(..used);
                return Ok(reply);
            }
            let mut buffer = [0u8; 4096];
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err("Server closed the connection".to_owned()),
                Ok(count) => self.bytes.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("I/O error: {}", proc::Errno::from_io(&error))),
            }
        }
    }

    fn ask(&mut self, words: &[&str]) -> Result<Reply, String> {
        let words: Vec<Bytes> = words.iter().map(|w| w.as_bytes().to_vec()).collect();
        self.send(&words).map_err(|_| "Server closed the connection".to_owned())?;
        self.receive()
    }
}

/// The client.
struct Client {
    options: Options,
    version: String,
    connection: Option<Connection>,
    /// The selected database.
    number: i64,
    /// Between MULTI and EXEC.
    transaction: bool,
    /// Answers for people.
    pretty: bool,
}

/// Runs the client; its exit code.
pub fn run(args: &[String], version: &str) -> i32 {
    if matches!(args.first().map(String::as_str), Some("-v" | "--version")) {
        println!("redis-cli {version}");
        return 0;
    }
    if matches!(args.first().map(String::as_str), Some("--help")) {
        println!("redis-cli {version}\n\nUsage: redis-cli [OPTIONS] [cmd [arg [arg ...]]]");
        return 0;
    }
    let mut options = match options(args) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return 1;
        }
    };
    if options.warn {
        eprintln!("Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.");
    }
    if options.password.is_none() {
        options.password = std::env::var("REDISCLI_AUTH").ok();
    }
    let pretty = options.raw.map_or_else(|| proc::is_tty(1), |raw| !raw);
    let number = options.number;
    let mut client =
        Client { options, version: version.to_owned(), connection: None, number, transaction: false, pretty };
    if let Some(pattern) = client.options.scan.clone() {
        return client.scan(&pattern);
    }
    if client.options.command.is_empty() {
        return client.read_commands();
    }
    let mut words = client.options.command.clone();
    if client.options.last_from_input {
        let mut last = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut last);
        words.push(last);
    }
    if !client.connect() {
        return 1;
    }
    for round in 0..client.options.repeat {
        if round > 0 && client.options.interval > 0.0 {
            std::thread::sleep(std::time::Duration::from_secs_f64(client.options.interval));
        }
        match client.issue(&words) {
            Ok(failed) if failed && client.options.error_code => return 1,
            Ok(_) => {}
            Err(error) => {
                eprintln!("Error: {error}");
                return 1;
            }
        }
    }
    0
}

impl Client {
    /// Connects, signs in and selects; complaints are printed.
    fn connect(&mut self) -> bool {
        let (host, port) = (self.options.host.clone(), self.options.port);
        let refused = |what: &str| {
            eprintln!("Could not connect to Redis at {host}:{port}: {what}");
            false
        };
        let address = match net::resolve(&host) {
            Ok(all) if !all.is_empty() => all[0],
            _ => return refused("Name or service not known"),
        };
        let stream = match TcpStream::connect(SocketAddrV4::new(address, port)) {
            Ok(stream) => stream,
            Err(error) => return refused(&proc::Errno::from_io(&error).to_string()),
        };
        let mut connection = Connection { stream, bytes: Vec::new() };
        if let Some(password) = &self.options.password {
            let words = match &self.options.user {
                Some(user) => vec!["AUTH", user, password],
                None => vec!["AUTH", password],
            };
            match connection.ask(&words) {
                Ok(Reply::Error(text)) => eprintln!("AUTH failed: {text}"),
                Ok(_) => {}
                Err(error) => return refused(&error),
            }
        }
        if self.number != 0 {
            let number = self.number.to_string();
            if let Ok(Reply::Error(text)) = connection.ask(&["SELECT", &number]) {
                eprintln!("SELECT {number} failed: {text}");
                self.number = 0;
            }
        }
        (self.connection, self.transaction) = (Some(connection), false);
        true
    }

    fn prompt(&self) -> String {
        if self.connection.is_none() {
            return "not connected> ".to_owned();
        }
        let place = format!("{}:{}", self.options.host, self.options.port);
        let number = if self.number == 0 { String::new() } else { format!("[{}]", self.number) };
        format!("{place}{number}{}> ", if self.transaction { "(TX)" } else { "" })
    }

    /// Prints an answer.
    fn show(&self, reply: &Reply, pretty: bool) {
        let mut out = match pretty {
            true => shown(reply, self.since(6, 0)).into_bytes(),
            false => [raw(reply), b"\n".to_vec()].concat(),
        };
        let mut stdout = std::io::stdout();
        let _ = stdout.write_all(&out).and_then(|()| stdout.flush());
        out.clear();
    }

    fn since(&self, major: u32, minor: u32) -> bool {
        let mut parts = self.version.split('.').filter_map(|p| p.parse::<u32>().ok());
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
    }

    /// Sends a command and prints the answer; whether that was an error.
    fn issue(&mut self, words: &[Bytes]) -> Result<bool, String> {
        let name = words.first().map(|w| lower(w)).unwrap_or_default();
        let Some(connection) = &mut self.connection else { return Err("Not connected".to_owned()) };
        connection.send(words).map_err(|_| "Server closed the connection".to_owned())?;
        if name == "shutdown" {
            // Either an error comes or the end of the connection, which is what was asked for.
            return match connection.receive() {
                Ok(reply) => {
                    self.show(&reply, self.pretty);
                    Ok(true)
                }
                Err(_) => {
                    self.connection = None;
                    Ok(false)
                }
            };
        }
        let reply = connection.receive()?;
        // These answers are texts for people as they are.
        let plain = name == "info" || name == "client" && words.get(1).is_some_and(|w| lower(w) == "list");
        self.note(&name, words, &reply);
        let failed = matches!(reply, Reply::Error(_));
        if matches!(name.as_str(), "subscribe" | "psubscribe") && !failed {
            return self.listen(reply);
        }
        if plain && !failed {
            let mut stdout = std::io::stdout();
            let text = raw(&reply);
            let _ = stdout.write_all(&text).and_then(|()| stdout.flush());
            if !text.ends_with(b"\n") {
                println!();
            }
        } else {
            self.show(&reply, self.pretty);
        }
        Ok(failed)
    }

    /// What an answer changes in the prompt.
    fn note(&mut self, name: &str, words: &[Bytes], reply: &Reply) {
        match (name, reply) {
            (_, Reply::Error(text)) if text.starts_with("EXECABORT") => self.transaction = false,
            (_, Reply::Error(_)) => {}
            ("select", Reply::Simple(ok)) if ok == "OK" => {
                self.number = words.get(1).and_then(|w| String::from_utf8_lossy(w).parse().ok()).unwrap_or(0);
            }
            ("multi", _) => self.transaction = self.since(6, 2),
            ("exec" | "discard", _) => self.transaction = false,
            _ => {}
        }
    }

    /// Prints messages until the connection ends or Ctrl-C ends the client.
    fn listen(&mut self, first: Reply) -> Result<bool, String> {
        if self.pretty {
            let quit = if self.since(7, 2) { "Ctrl-C to quit or any key to type command" } else { "Ctrl-C to quit" };
            println!("Reading messages... (press {quit})");
        }
        let mut reply = first;
        loop {
            self.show(&reply, self.pretty);
            let Some(connection) = &mut self.connection else { return Ok(false) };
            reply = connection.receive()?;
        }
    }

    fn scan(&mut self, pattern: &str) -> i32 {
        if !self.connect() {
            return 1;
        }
        let Some(connection) = &mut self.connection else { return 1 };
        match connection.ask(&["SCAN", "0", "MATCH", pattern]) {
            Ok(Reply::Array(parts)) => {
                if let Some(Reply::Array(keys)) = parts.get(1) {
                    for key in keys {
                        let text = raw(key);
                        println!("{}", if self.pretty { quoted(&text) } else { String::from_utf8_lossy(&text).into() });
                    }
                }
                0
            }
            Ok(reply) => {
                self.show(&reply, true);
                1
            }
            Err(error) => {
                eprintln!("Error: {error}");
                1
            }
        }
    }

    /// Reads commands from a terminal, with a prompt, or from another input.
    fn read_commands(&mut self) -> i32 {
        let prompts = proc::is_tty(0);
        let connected = self.connect();
        if !connected && !prompts {
            return 1;
        }
        let stdin = std::io::stdin();
        loop {
            if prompts {
                print!("{}", self.prompt());
                let _ = std::io::stdout().flush();
            }
            let mut line = String::new();
            if !matches!(stdin.lock().read_line(&mut line), Ok(count) if count > 0) {
                if prompts {
                    println!();
                }
                return 0;
            }
            let Some(words) = split_words(&line) else {
                println!("Invalid argument(s)");
                continue;
            };
            let Some(name) = words.first().map(|w| lower(w)) else { continue };
            match name.as_str() {
                "quit" | "exit" => return 0,
                "clear" => print!("\u{1b}[H\u{1b}[2J"),
                "help" | "?" => println!("kubonsai does not support help (redis-cli) yet"),
                _ => self.one(&words, prompts),
            }
        }
    }

    /// Issues one line's command; connects anew once if the server has gone since.
    fn one(&mut self, words: &[Bytes], prompts: bool) {
        if self.connection.is_none() && !self.connect() {
            return;
        }
        let started = Instant::now();
        if let Err(first) = self.issue(words) {
            self.connection = None;
            if !self.connect() {
                return;
            }
            if let Err(error) = self.issue(words) {
                eprintln!("Error: {error} ({first})");
                self.connection = None;
            }
        }
        /// Seconds from which on a command is told to have been slow.
        const SLOW_SECONDS: f64 = 0.5;
        let seconds = started.elapsed().as_secs_f64();
        if prompts && seconds >= SLOW_SECONDS {
            println!("({seconds:.2}s)");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        options(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_command_line() {
        let o = read("-h redis -p 7000 -a pw -n 2 SET k -1").expect("valid");
        assert_eq!((o.host.as_str(), o.port, o.number, o.warn), ("redis", 7000, 2, true));
        assert_eq!(o.command, [b"SET".to_vec(), b"k".to_vec(), b"-1".to_vec()]);
        let o = read("-u redis://:pw@h:1/3 ping").expect("valid");
        assert_eq!((o.host.as_str(), o.port, o.number, o.password.as_deref()), ("h", 1, 3, Some("pw")));
        assert!(!read("-a pw --no-auth-warning").expect("valid").warn);
        assert_eq!(read("--bogus"), Err("Unrecognized option or bad number of args for: '--bogus'".to_owned()));
        assert!(read("--bigkeys").expect_err("refused").contains("does not support the option --bigkeys"));
    }

    #[test]
    fn the_prompt_tells_the_state() {
        let mut client = Client {
            options: Options::default(),
            version: "7.2.4".into(),
            connection: None,
            number: 0,
            transaction: false,
            pretty: true,
        };
        assert_eq!(client.prompt(), "not connected> ");
        client.note("select", &[b"select".to_vec(), b"3".to_vec()], &Reply::ok());
        client.note("multi", &[], &Reply::ok());
        assert_eq!((client.number, client.transaction), (3, true));
        client.note("exec", &[], &Reply::Array(Vec::new()));
        assert!(!client.transaction);
    }
}
