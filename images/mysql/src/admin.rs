//! `mysqladmin`.

use sql::Error;

use crate::client::{ask_password, duration};
use crate::connection::{Answer, Connection};
use crate::draw;
use crate::options::{self, Login};
use crate::server::SOCKET;

/// Runs the client; its exit code.
pub fn run(args: &[String], version: &str) -> i32 {
    let mut options = match options::read(args, "mysqladmin", |name| std::env::var(name).ok()) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return 2;
        }
    };
    if options.version || options.words.is_empty() {
        println!("mysqladmin  Ver {version} for Linux on x86_64 ({})", crate::COMMENT);
        return i32::from(!options.version);
    }
    if options.warn {
        eprintln!("mysqladmin: [Warning] Using a password on the command line interface can be insecure.");
    }
    if options.ask {
        options.login.password = ask_password();
    }
    let ping = options.words[0] == "ping";
    let mut connection = match Connection::open(&options.login) {
        Ok(connection) => connection,
        // Whoever says no is there.
        Err(error) if ping && error.code == 1045 => {
            println!("mysqld is alive");
            return 0;
        }
        Err(error) => {
            unconnected(&options.login, &error);
            return 1;
        }
    };
    let mut words = options.words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if let Err(error) = command(&mut connection, word, &mut words) {
            eprintln!("mysqladmin: {error}");
            return 1;
        }
    }
    0
}

fn unconnected(login: &Login, error: &Error) {
    let host = if login.local() { "localhost" } else { &login.host };
    eprintln!("mysqladmin: connect to server at '{host}' failed\nerror: '{}'", error.text);
    match error.code {
        2002 => eprintln!("Check that mysqld is running and that the socket: '{SOCKET}' exists!"),
        2003 => {
            eprintln!("Check that mysqld is running on {host} and that the port is {}.", login.port);
            eprintln!("You can check this by doing 'telnet {host} {}'", login.port);
        }
        _ => {}
    }
}

fn command<'a>(
    connection: &mut Connection,
    word: &str,
    words: &mut impl Iterator<Item = &'a str>,
) -> Result<(), String> {
    let mut name = || words.next().map(|name| name.replace('`', "``")).ok_or("Too few arguments to command".to_owned());
    match word {
        "ping" => {
            connection.plain(0x0e).map_err(|error| error.text)?;
            println!("mysqld is alive");
        }
        "status" => println!("{}", connection.plain(9).map_err(|error| error.text)?),
        "version" => {
            let counted = connection.plain(9).map_err(|error| error.text)?;
            let (uptime, rest) = counted.strip_prefix("Uptime: ").and_then(|t| t.split_once("  ")).unwrap_or(("0", ""));
            println!("Server version\t\t{}\nProtocol version\t10", connection.version);
            println!("Uptime:\t\t\t{}\n\n{rest}", duration(uptime.parse().unwrap_or(0)));
        }
        "create" => {
            let name = name()?;
            let failed = |error: Error| format!("CREATE DATABASE failed; error: '{}'", error.text);
            connection.query(&format!("CREATE DATABASE `{name}`")).map_err(failed)?;
        }
        "drop" => {
            let name = name()?;
            let failed = |error: Error| format!("DROP DATABASE {name} failed;\nerror: '{}'", error.text);
            connection.query(&format!("DROP DATABASE `{name}`")).map_err(failed)?;
            println!("Database \"{name}\" dropped");
        }
        "variables" | "processlist" => {
            let sql = if word == "variables" { "SHOW VARIABLES" } else { "SHOW PROCESSLIST" };
            if let Answer::Rows { columns, rows, .. } = connection.query(sql).map_err(|error| error.text)? {
                print!("{}", draw::table(&columns, &rows, true));
            }
        }
        "debug" | "extended-status" | "flush-hosts" | "flush-logs" | "flush-privileges" | "flush-status"
        | "flush-tables" | "kill" | "password" | "refresh" | "reload" | "shutdown" | "start-replica"
        | "stop-replica" => {
            return Err(format!("kubonsai does not support {word} (mysqladmin) yet"));
        }
        other => return Err(format!("Unknown command: '{other}'")),
    }
    Ok(())
}
