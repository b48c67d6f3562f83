//! `redis-server`: sockets, signals, the log.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use net::http::civil;
use net::{Event, Hub, Unsent};

use crate::config::{Config, Unusable};
use crate::core::Core;
use crate::disk::Disk;
use crate::shutdown::Stop;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// A line of the log: `1:M 21 Nov 2026 02:38:39.123 * text`; the text begins with its level's mark.
fn say(role: char, text: &str) {
    let c = civil(SystemTime::now());
    println!(
        "{}:{role} {:02} {} {} {:02}:{:02}:{:02}.{:03} {text}",
        proc::id(),
        c.day,
        c.month_name(),
        c.year,
        c.hour,
        c.minute,
        c.second,
        c.millis
    );
}

/// Runs the server until it is told to end; its exit code.
pub fn run(args: &[String], version: &str) -> i32 {
    match args.first().map(String::as_str) {
        Some("-v" | "--version") => {
            println!("Redis server v={version} sha=00000000:0 malloc=libc bits=64 build=0");
            return 0;
        }
        Some("-h" | "--help") => {
            println!("Usage: ./redis-server [/path/to/redis.conf] [options] [-]");
            return 0;
        }
        _ => {}
    }
    let mut config = Config::default();
    if let Ok(folder) = std::env::current_dir() {
        let _ = config.set("dir", &folder.to_string_lossy());
    }
    let file = match config.arguments(args, version, &|file| std::fs::read_to_string(file).ok()) {
        Ok(file) => file,
        Err(Unusable::Unread(line)) => {
            say('C', &line);
            return 1;
        }
        Err(Unusable::Wrong(text)) => {
            eprintln!("{text}");
            return 1;
        }
    };
    let mut core = Core::new(version, config, now());
    // Before 7.2 what is said at the start was a warning.
    let mark = if core.since(7, 2) { '*' } else { '#' };
    say('C', &format!("{mark} oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo"));
    let pid = proc::id();
    say('C', &format!("{mark} Redis version={version}, bits=64, commit=00000000, modified=0, pid={pid}, just started"));
    match file {
        Some(_) => say('C', &format!("{mark} Configuration loaded")),
        None if args.is_empty() => {
            say(
                'C',
                "# Warning: no config file specified, using the default config. In order to specify a config file use redis-server /path/to/redis.conf",
            );
        }
        None => say('C', &format!("{mark} Configuration loaded")),
    }
    start(&mut core)
}

fn start(core: &mut Core) -> i32 {
    if core.since(6, 2) {
        say('M', "* monotonic clock: POSIX clock_gettime");
    }
    let port = u16::try_from(core.config.number("port")).unwrap_or(0);
    let mut hub = match Hub::bind_at(std::net::SocketAddrV4::new(core.config.address(), port)) {
        Ok(hub) => hub,
        Err(error) => {
            unheard(core, port, &error).iter().for_each(|line| say('M', line));
            return 1;
        }
    };
    core.config.warnings().iter().for_each(|warning| say('M', &format!("# {warning}")));
    say('M', &format!("* Running mode=standalone, port={port}."));
    say('M', if core.since(7, 2) { "* Server initialized" } else { "# Server initialized" });
    if let Err(error) = std::env::set_current_dir(core.config.get("dir")) {
        let what = proc::Errno::from_io(&error);
        say('M', &format!("# Can't chdir to '{}': {what}", core.config.get("dir")));
        return 1;
    }
    let mut say_loading = |text: &str| say('M', text);
    match Disk::open(&core.config, &core.version, &mut core.store, now(), &mut say_loading) {
        Ok(disk) => core.disk = Some(disk),
        Err(error) => {
            say('M', &format!("# Fatal error loading the DB, check server logs. Exiting. {error}"));
            return 1;
        }
    }
    core.saved = (now(), core.store.changes);
    say('M', if core.since(7, 2) { "* Ready to accept connections tcp" } else { "* Ready to accept connections" });
    for signal in [proc::SIGTERM, proc::SIGINT] {
        let _ = proc::on_signal(signal, proc::Disposition::Catch);
    }
    serve(core, &mut hub)
}

/// What is logged when the server cannot listen.
fn unheard(core: &Core, port: u16, error: &std::io::Error) -> [String; 2] {
    let address = core.config.get("bind").split(' ').next().unwrap_or("*");
    let what = net::listen_error(error);
    let kind = if core.since(7, 2) { "tcp" } else { "TCP" };
    [
        format!("# Warning: Could not create server TCP listening socket {address}:{port}: bind: {what}"),
        format!("# Failed listening on port {port} ({kind}), aborting."),
    ]
}

fn serve(core: &mut Core, hub: &mut Hub) -> i32 {
    loop {
        if let Some(signal) = proc::take_signal() {
            let name = if signal == proc::SIGINT { "SIGINT" } else { "SIGTERM" };
            let seconds = now() / 1000;
            println!("{}:signal-handler ({seconds}) Received {name} scheduling shutdown...", proc::id());
            core.stop = Some(Stop::default());
        }
        let due = if core.stop.is_some() { Some(0) } else { core.due() };
        let at_most = due.map(|due| Duration::from_millis(due.saturating_sub(now())));
        let Ok(events) = hub.wait(at_most) else { return 1 };
        for event in events {
            match event {
                Event::Opened(id, _) if core.full() => {
                    let _ = hub.send(id, b"-ERR max number of clients reached\r\n");
                    hub.close(id);
                }
                Event::Opened(id, peer) => core.connect(id, peer.to_string()),
                Event::Data(id, bytes) => core.receive(id, &bytes, now()),
                Event::Closed(id) => drop(core.sessions.remove(&id)),
            }
        }
        if core.due().is_some_and(|due| due <= now()) {
            core.tick(now());
        }
        core.now = now();
        let ended = core.stop.take().is_some_and(|stop| core.shut_down(stop));
        deliver(core, hub);
        core.log.drain(..).for_each(|line| say('M', &line));
        if ended {
            return 0;
        }
    }
}

/// Writes what clients have to get; those that are done, gone, or do not read are closed.
fn deliver(core: &mut Core, hub: &mut Hub) {
    let mut gone = Vec::new();
    for (id, session) in &mut core.sessions {
        let output = std::mem::take(&mut session.output);
        let sent = hub.send(*id, &output);
        if sent == Err(Unsent::Full) {
            let address = &session.address;
            core.log.push(format!(
                "# Client id={id} addr={address} scheduled to be closed ASAP for overcoming of output buffer limits."
            ));
        }
        if sent.is_err() || session.closing {
            gone.push(*id);
        }
    }
    for id in gone {
        core.sessions.remove(&id);
        hub.close(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named() {
        let error = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        for (version, kind) in [("7.4.0", "tcp"), ("7.0.15", "TCP"), ("6.2.14", "TCP")] {
            let core = Core::new(version, Config::default(), 0);
            let warning =
                "# Warning: Could not create server TCP listening socket *:6379: bind: Address already in use";
            let failed = format!("# Failed listening on port 6379 ({kind}), aborting.");
            assert_eq!(unheard(&core, 6379, &error), [warning.to_owned(), failed]);
        }
    }
}
