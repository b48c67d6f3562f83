//! `mysqld`: its options, its socket, its log, its end.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use net::{Event, Hub, Unsent};
use sql::{Engine, Server};

use crate::log;
use crate::protocol::{Counts, Peer};

/// Where the data lie.
pub const FOLDER: &str = "/var/lib/mysql";
/// What the log of the data is called.
const DATA: &str = "kubonsai.log";
/// The path of the original's socket. There are no such sockets here: who means it is at 127.0.0.1.
pub const SOCKET: &str = "/var/run/mysqld/mysqld.sock";
/// Clients at once: max_connections.
const CLIENTS_MAX: usize = 151;

/// The options of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `--datadir`.
    pub folder: String,
    /// `--port`.
    pub port: u16,
    /// `--bind-address`.
    pub address: Ipv4Addr,
}

impl Settings {
    /// Reads the command line.
    ///
    /// # Errors
    /// The words for an option that is unknown or not built.
    pub fn read(args: &[String]) -> Result<Settings, String> {
        let mut settings = Settings { folder: FOLDER.to_owned(), port: 3306, address: Ipv4Addr::UNSPECIFIED };
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            let (name, value) = arg.split_once('=').map_or((arg.as_str(), None), |(n, v)| (n, Some(v.to_owned())));
            match name.replace('_', "-").as_str() {
                "--datadir" | "-h" => settings.folder = value.or_else(|| rest.next().cloned()).unwrap_or_default(),
                "--port" | "-P" => {
                    let value = value.or_else(|| rest.next().cloned()).unwrap_or_default();
                    settings.port = value
                        .parse()
                        .map_err(|_| format!("Unknown suffix '{value}' used for variable 'port' (value '{value}')."))?;
                }
                "--bind-address" => {
                    let value = value.unwrap_or_default();
                    settings.address = value.parse().unwrap_or(Ipv4Addr::UNSPECIFIED);
                }
                // One character set, one user and no name look-up: what these ask for is so.
                "--user"
                | "-u"
                | "--character-set-server"
                | "--collation-server"
                | "--skip-name-resolve"
                | "--console" => {
                    if matches!(name, "-u") && value.is_none() {
                        rest.next();
                    }
                }
                other => return Err(format!("kubonsai does not support the option {other} (mysqld) yet")),
            }
        }
        Ok(settings)
    }

    /// The path of the data.
    pub fn data(&self) -> std::path::PathBuf {
        Path::new(&self.folder).join(DATA)
    }

    /// What the server says of itself.
    pub fn server(&self, version: &str) -> Server {
        Server {
            version: version.to_owned(),
            comment: crate::COMMENT.to_owned(),
            hostname: proc::hostname(),
            port: self.port,
            socket: SOCKET.to_owned(),
            folder: format!("{}/", self.folder.trim_end_matches('/')),
        }
    }
}

/// Where options lie in files, as in the image's `my.cnf`.
const OPTION_FOLDER: &str = "/etc/mysql/conf.d";

/// The options of a file's section `[mysqld]`, as if they were on the command line.
fn file_options(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut all = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            inside = matches!(section.trim_end_matches(']'), "mysqld" | "server");
        } else if inside && !line.is_empty() && !line.starts_with(['#', ';', '!']) {
            let (name, value) = line.split_once('=').map_or((line, None), |(n, v)| (n.trim(), Some(v.trim())));
            let value = value.map_or(String::new(), |v| format!("={}", v.trim_matches(['"', '\''])));
            all.push(format!("--{name}{value}"));
        }
    }
    all
}

/// The options of the files, and behind them those of the command line.
pub fn all_options(args: &[String]) -> Vec<String> {
    let entries = std::fs::read_dir(OPTION_FOLDER).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "cnf")).collect();
    paths.sort();
    let texts = paths.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    texts.flat_map(|text| file_options(&text)).chain(args.iter().cloned()).collect()
}

/// Runs the server until it is told to end; its exit code.
pub fn run(args: &[String], version: &str) -> i32 {
    if args.iter().any(|arg| matches!(arg.as_str(), "-V" | "--version")) {
        println!("/usr/sbin/mysqld  Ver {version} for Linux on x86_64 ({})", crate::COMMENT);
        return 0;
    }
    if args.iter().any(|arg| arg == "--initialize-insecure" || arg == "--initialize") {
        eprintln!("kubonsai does not support --initialize without the entrypoint (mysqld) yet");
        return 1;
    }
    let settings = match Settings::read(&all_options(args)) {
        Ok(settings) => settings,
        Err(error) => {
            log::server("ERROR", 0, &error);
            log::server("ERROR", 10_119, "Aborting");
            return 1;
        }
    };
    start(&settings, version)
}

fn start(settings: &Settings, version: &str) -> i32 {
    log::server("System", 15_015, "MySQL Server - start.");
    let id = proc::id();
    log::server("System", 10_116, &format!("/usr/sbin/mysqld (mysqld {version}) starting as process {id}"));
    let failed = |text: &str| {
        log::server("ERROR", 10_119, "Aborting");
        log::server(
            "System",
            10_910,
            &format!("/usr/sbin/mysqld: Shutdown complete (mysqld {version})  {}.", crate::COMMENT),
        );
        let _ = text;
        1
    };
    if !Path::new(&settings.folder).join("mysql").is_dir() {
        log::server(
            "ERROR",
            13_276,
            &format!("Failed to set datadir to '{}/': it was never initialized", settings.folder),
        );
        return failed("");
    }
    let mut engine = match Engine::open(&settings.data()) {
        Ok(engine) => engine,
        Err(error) => {
            log::server(
                "ERROR",
                10_187,
                &format!("Could not open file '{}' for error logging: {error}", settings.data().display()),
            );
            return failed("");
        }
    };
    let mut hub = match Hub::bind_at(SocketAddrV4::new(settings.address, settings.port)) {
        Ok(hub) => hub,
        Err(error) => {
            let what = net::listen_error(&error);
            log::server("ERROR", 10_262, &format!("Can't start server: Bind on TCP/IP port: {what}"));
            let port = settings.port;
            log::server(
                "ERROR",
                10_257,
                &format!("Do you already have another mysqld server running on port: {port} ?"),
            );
            return failed("");
        }
    };
    for signal in [proc::SIGTERM, proc::SIGINT] {
        let _ = proc::on_signal(signal, proc::Disposition::Catch);
    }
    let server = Rc::new(settings.server(version));
    log::server(
        "System",
        10_931,
        &format!(
            "/usr/sbin/mysqld: ready for connections. Version: '{version}'  socket: '{SOCKET}'  port: {}  {}.",
            settings.port,
            crate::COMMENT
        ),
    );
    serve(&mut engine, &mut hub, &server)
}

/// The name of a client's address: the machine itself is localhost.
fn host(peer: SocketAddrV4) -> String {
    if peer.ip().is_loopback() { "localhost".to_owned() } else { peer.ip().to_string() }
}

fn serve(engine: &mut Engine, hub: &mut Hub, server: &Rc<Server>) -> i32 {
    /// The original's first connection after its own.
    const FIRST_ID: u32 = 8;
    let mut peers: BTreeMap<u64, Peer> = BTreeMap::new();
    let mut counts = Counts { started: log::now_micros(), ..Counts::default() };
    let mut next_id = FIRST_ID;
    let chance = RandomState::new();
    loop {
        if proc::take_signal().is_some() {
            let version = &server.version;
            log::server(
                "System",
                13_172,
                &format!("Received SHUTDOWN from user <via user signal>. Shutting down mysqld (Version: {version})."),
            );
            log::server(
                "System",
                10_910,
                &format!("/usr/sbin/mysqld: Shutdown complete (mysqld {version})  {}.", crate::COMMENT),
            );
            log::server("System", 15_016, "MySQL Server - end.");
            return 0;
        }
        let Ok(events) = hub.wait(None::<Duration>) else { return 1 };
        for event in events {
            match event {
                Event::Opened(id, _) if peers.len() >= CLIENTS_MAX => {
                    let _ = hub.send(id, b"\x17\0\0\0\xff\x10\x04Too many connections");
                    hub.close(id);
                }
                Event::Opened(id, address) => {
                    let seed = format!("{:x} {next_id} {}", chance.hash_one(next_id), log::now_micros());
                    peers.insert(id, Peer::new(next_id, &host(address), server, &seed));
                    next_id = next_id.wrapping_add(1);
                    counts.threads = peers.len();
                }
                Event::Data(id, bytes) => {
                    if let Some(peer) = peers.get_mut(&id) {
                        peer.receive(&bytes, engine, &mut counts, log::now_micros());
                    }
                }
                Event::Closed(id) => {
                    if let Some(mut peer) = peers.remove(&id) {
                        engine.leave(peer.session());
                    }
                    counts.threads = peers.len();
                }
            }
        }
        deliver(engine, hub, &mut peers);
        counts.threads = peers.len();
    }
}

/// Sends what clients have to get, and closes those that are done.
fn deliver(engine: &mut Engine, hub: &mut Hub, peers: &mut BTreeMap<u64, Peer>) {
    let mut gone = Vec::new();
    for (id, peer) in peers.iter_mut() {
        let sent = hub.send(*id, &std::mem::take(&mut peer.output));
        if sent == Err(Unsent::Full) {
            log::server("Warning", 10_914, "Aborted connection: a client left too much unread");
        }
        if sent.is_err() || peer.closing {
            engine.leave(peer.session());
            gone.push(*id);
        }
    }
    for id in gone {
        peers.remove(&id);
        hub.close(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line() {
        let read = |line: &str| Settings::read(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        let settings = read("--datadir=/data --port=3307 --character-set-server=utf8mb4").expect("valid");
        assert_eq!((settings.folder.as_str(), settings.port), ("/data", 3307));
        let text = "[client]\nport=1\n[mysqld]\n# no\nport = 3308\nskip_name_resolve\n\n[mysqldump]\nquick\n";
        assert_eq!(file_options(text), ["--port=3308", "--skip_name_resolve"]);
        assert_eq!(Settings::read(&file_options(text)).map(|s| s.port), Ok(3308));
        assert!(read("--log-bin").expect_err("refused").contains("the option --log-bin"));
    }
}
