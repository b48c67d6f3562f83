//! `mysql`: statements of the command line, of the input, or at a prompt.

use std::io::{BufRead, Read, Write};
use std::time::Instant;

use sql::Error;

use crate::connection::{Answer, Connection};
use crate::draw;
use crate::options::{self, Login, Options};
use crate::server::SOCKET;

/// The client.
struct Client {
    options: Options,
    connection: Connection,
    /// At a prompt.
    interactive: bool,
    /// Tabs instead of boxes.
    silent: bool,
    database: Option<String>,
}

/// What is left of an input that breaks off in a statement, and what it breaks off in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Inside {
    Nothing,
    Quote(char),
    Comment,
}

/// How a statement ends.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// A statement, and whether its rows go one field a line.
    Statement(String, bool),
    /// A command of the client, like `\s` or `exit`, and its word.
    Command(char, String),
}

/// Reads a password without showing it.
pub fn ask_password() -> String {
    print!("Enter password: ");
    let _ = std::io::stdout().flush();
    let raw = proc::tty_raw(0, true).is_ok();
    let mut typed = Vec::new();
    let mut byte = [0u8; 1];
    while matches!(std::io::stdin().lock().read(&mut byte), Ok(1)) {
        match byte[0] {
            b'\r' | b'\n' | 4 => break,
            3 => std::process::exit(1),
            8 | 127 => drop(typed.pop()),
            other => typed.push(other),
        }
    }
    if raw {
        let _ = proc::tty_raw(0, false);
    }
    println!();
    String::from_utf8_lossy(&typed).into_owned()
}

/// The next line of the terminal; none at its end. `typed` keeps what comes behind it.
///
/// # Errors
/// `EINTR` for a caught signal, which the standard library's reader would try again after.
fn typed_line(typed: &mut Vec<u8>) -> std::io::Result<Option<String>> {
    loop {
        if let Some(end) = typed.iter().position(|b| *b == b'\n') {
            let rest = typed.split_off(end + 1);
            let line = std::mem::replace(typed, rest);
            return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
        }
        let mut buffer = [0u8; 1024];
        match proc::file(0).read(&mut buffer)? {
            0 => return Ok(None),
            count => typed.extend_from_slice(&buffer[..count]),
        }
    }
}

/// An error as the clients print it.
fn complaint(error: &Error, line: Option<usize>) -> String {
    let place = line.map_or(String::new(), |line| format!(" at line {line}"));
    format!("ERROR {} ({}){place}: {}", error.code, error.state, error.text)
}

/// Runs the client; its exit code.
pub fn run(args: &[String], version: &str) -> i32 {
    let mut options = match options::read(args, "mysql", |name| std::env::var(name).ok()) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return 2;
        }
    };
    if options.version || options.help {
        println!("mysql  Ver {version} for Linux on x86_64 ({})", crate::COMMENT);
        if options.help {
            println!("Usage: mysql [OPTIONS] [database]");
        }
        return 0;
    }
    if options.warn {
        eprintln!("mysql: [Warning] Using a password on the command line interface can be insecure.");
    }
    if options.ask {
        options.login.password = ask_password();
    }
    if let Some(database) = options.words.first() {
        options.login.database.clone_from(database);
    }
    let connection = match Connection::open(&options.login) {
        Ok(connection) => connection,
        Err(error) => {
            eprintln!("{}", complaint(&error, None));
            return 1;
        }
    };
    let terminals = proc::is_tty(0) && proc::is_tty(1);
    let interactive = terminals && options.execute.is_none() && !options.batch;
    let silent = (!terminals || options.batch) && !options.table;
    let database = Some(options.login.database.clone()).filter(|db| !db.is_empty());
    let mut client = Client { options, connection, interactive, silent, database };
    match client.options.execute.clone() {
        Some(text) => client.batch(&mut text.as_bytes()),
        None if interactive => client.prompt(),
        None => client.batch(&mut std::io::stdin().lock()),
    }
}

impl Client {
    /// Runs statements without a prompt, and stops at the first that fails.
    fn batch(&mut self, input: &mut impl BufRead) -> i32 {
        let mut text = String::new();
        let mut line = Vec::new();
        // Errors name the line that a statement begins in.
        let (mut number, mut begun) = (0, 1);
        loop {
            line.clear();
            let ended = !matches!(input.read_until(b'\n', &mut line), Ok(count) if count > 0);
            number += 1;
            if text.is_empty() {
                begun = number;
            }
            text.push_str(&String::from_utf8_lossy(&line));
            let (mut pieces, left) = pieces(&text);
            text = left;
            if ended && !text.trim().is_empty() {
                pieces.push(Piece::Statement(text.trim().to_owned(), false));
            }
            for piece in pieces {
                match self.piece(&piece) {
                    Ok(true) => return 0,
                    Ok(false) => {}
                    Err(error) => {
                        eprintln!("{}", complaint(&error, Some(begun)));
                        if !self.options.force {
                            return 1;
                        }
                    }
                }
                begun = number;
            }
            if ended {
                return 0;
            }
        }
    }

    fn greet(&self) {
        println!("Welcome to the MySQL monitor.  Commands end with ; or \\g.");
        println!("Your MySQL connection id is {}", self.connection.id);
        println!("Server version: {} {}\n", self.connection.version, crate::COMMENT);
        println!("Type 'help;' or '\\h' for help. Type '\\c' to clear the current input statement.\n");
    }

    fn prompt(&mut self) -> i32 {
        self.greet();
        let _ = proc::on_signal(proc::SIGINT, proc::Disposition::Catch);
        let (mut text, mut typed) = (String::new(), Vec::new());
        loop {
            let inside = unfinished(&text);
            print!(
                "{}",
                match inside {
                    _ if text.trim().is_empty() => "mysql> ".to_owned(),
                    Inside::Quote(quote) => format!("    {quote}> "),
                    Inside::Comment => "   /*> ".to_owned(),
                    Inside::Nothing => "    -> ".to_owned(),
                }
            );
            let _ = std::io::stdout().flush();
            let line = match typed_line(&mut typed) {
                Ok(Some(line)) => line,
                // Ctrl-C gives up the statement that was begun, not the client.
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                    while proc::take_signal().is_some() {}
                    text.clear();
                    typed.clear();
                    println!();
                    continue;
                }
                _ => {
                    println!("Bye");
                    return 0;
                }
            };
            text.push_str(&line);
            let (pieces, left) = pieces(&text);
            text = left;
            for piece in pieces {
                match self.piece(&piece) {
                    Ok(true) => {
                        println!("Bye");
                        return 0;
                    }
                    Ok(false) => {}
                    Err(error) => {
                        println!("{}", complaint(&error, None));
                        if error.code == 2013 {
                            self.again();
                        }
                    }
                }
            }
        }
    }

    /// Connects anew after the connection was lost.
    fn again(&mut self) {
        println!("No connection. Trying to reconnect...");
        let mut login: Login = self.options.login.clone();
        login.database = self.database.clone().unwrap_or_default();
        match Connection::open(&login) {
            Ok(connection) => {
                self.connection = connection;
                println!("Connection id:    {}", self.connection.id);
                println!("Current database: {}\n", self.database.as_deref().unwrap_or("*** NONE ***"));
            }
            Err(error) => println!("{}\n", complaint(&error, None)),
        }
    }

    /// Runs one piece; whether the client ends.
    fn piece(&mut self, piece: &Piece) -> Result<bool, Error> {
        match piece {
            Piece::Statement(sql, vertical) => self.statement(sql, *vertical).map(|()| false),
            Piece::Command('q', _) => Ok(true),
            Piece::Command('s', _) => self.status().map(|()| false),
            Piece::Command('c', _) => Ok(false),
            Piece::Command('u', name) => {
                self.connection.query(&format!("USE `{}`", name.replace('`', "``")))?;
                self.database = Some(name.clone());
                if self.interactive {
                    println!("Database changed");
                }
                Ok(false)
            }
            Piece::Command('h', _) => {
                println!(
                    "\nList of all MySQL commands:\nNote that all text commands must be first on line and end with ';'"
                );
                println!(
                    "clear     (\\c) Clear the current input statement.\nego       (\\G) Send command to mysql server, display result vertically."
                );
                println!("exit      (\\q) Exit mysql. Same as quit.\ngo        (\\g) Send command to mysql server.");
                println!(
                    "help      (\\h) Display this help.\nquit      (\\q) Quit mysql.\nstatus    (\\s) Get status information from the server."
                );
                println!("use       (\\u) Use another database. Takes database name as argument.\n");
                Ok(false)
            }
            Piece::Command(other, _) => {
                println!("kubonsai does not support the command \\{other} (mysql) yet");
                Ok(false)
            }
        }
    }

    fn statement(&mut self, sql: &str, vertical: bool) -> Result<(), Error> {
        let started = Instant::now();
        if self.options.verbose {
            println!("--------------\n{sql}\n--------------\n");
        }
        let answer = self.connection.query(sql)?;
        let seconds = started.elapsed().as_secs_f64();
        let warned = |count: u64| match count {
            0 => String::new(),
            1 => ", 1 warning".to_owned(),
            more => format!(", {more} warnings"),
        };
        match answer {
            Answer::Rows { columns, rows, warnings } => {
                let names = !self.options.no_names;
                let drawn = if rows.is_empty() {
                    String::new()
                } else if vertical || self.options.vertical {
                    draw::vertical(&columns, &rows)
                } else if self.silent {
                    draw::tabs(&columns, &rows, names)
                } else {
                    draw::table(&columns, &rows, names)
                };
                print!("{drawn}");
                if self.interactive {
                    let count = match rows.len() {
                        0 => "Empty set".to_owned(),
                        1 => "1 row in set".to_owned(),
                        more => format!("{more} rows in set"),
                    };
                    println!("{count}{} ({seconds:.2} sec)\n", warned(warnings));
                }
            }
            Answer::Done { affected, warnings, info } if self.interactive => {
                let rows = if affected == 1 { "row" } else { "rows" };
                println!("Query OK, {affected} {rows} affected{} ({seconds:.2} sec)", warned(warnings));
                println!("{info}{}", if info.is_empty() { "" } else { "\n" });
            }
            Answer::Done { .. } => {}
        }
        let _ = std::io::stdout().flush();
        Ok(())
    }

    /// `\s`.
    fn status(&mut self) -> Result<(), Error> {
        let answer = self.connection.query("SELECT DATABASE(), USER()")?;
        let (mut database, mut user) = (String::new(), String::new());
        if let Answer::Rows { rows, .. } = answer
            && let Some([db, who]) = rows.first().map(Vec::as_slice)
        {
            (database, user) = (db.clone().unwrap_or_default(), who.clone().unwrap_or_default());
        }
        let counted = self.connection.plain(9)?;
        let (uptime, rest) = counted.strip_prefix("Uptime: ").and_then(|t| t.split_once("  ")).unwrap_or(("0", ""));
        let version = &self.connection.version;
        println!("--------------");
        println!("mysql  Ver {version} for Linux on x86_64 ({})\n", crate::COMMENT);
        println!("Connection id:\t\t{}", self.connection.id);
        println!("Current database:\t{database}");
        println!("Current user:\t\t{user}");
        println!("SSL:\t\t\tNot in use");
        println!("Current pager:\t\tstdout\nUsing outfile:\t\t''\nUsing delimiter:\t;");
        println!("Server version:\t\t{version} {}", crate::COMMENT);
        println!("Protocol version:\t10");
        if self.options.login.local() {
            println!("Connection:\t\tLocalhost via UNIX socket");
        } else {
            println!("Connection:\t\t{} via TCP/IP", self.options.login.host);
        }
        for what in ["Server", "Db    ", "Client", "Conn. "] {
            println!("{what} characterset:\tutf8mb4");
        }
        if self.options.login.local() {
            println!("UNIX socket:\t\t{SOCKET}");
        } else {
            println!("TCP port:\t\t{}", self.options.login.port);
        }
        println!("Uptime:\t\t\t{}\n\n{rest}\n--------------\n", duration(uptime.trim().parse().unwrap_or(0)));
        Ok(())
    }
}

/// `1 hour 2 min 3 sec`.
pub fn duration(seconds: u64) -> String {
    let mut out = String::new();
    let mut left = seconds;
    for (each, name) in [(86_400, "day"), (3_600, "hour")] {
        if left >= each {
            let count = left / each;
            out.push_str(&format!("{count} {name}{} ", if count == 1 { "" } else { "s" }));
            left %= each;
        }
    }
    if seconds >= 60 {
        out.push_str(&format!("{} min ", left / 60));
        left %= 60;
    }
    format!("{out}{left} sec")
}

/// Cuts an input into what can be run, and what is left.
fn pieces(text: &str) -> (Vec<Piece>, String) {
    let mut all = Vec::new();
    let mut rest = text;
    loop {
        let (used, piece) = first_piece(rest);
        match piece {
            Some(piece) => {
                all.extend(Some(piece).filter(|p| *p != Piece::Statement(String::new(), false)));
                rest = &rest[used..];
            }
            None => return (all, if rest.trim().is_empty() { String::new() } else { rest.to_owned() }),
        }
    }
}

/// Commands that need no semicolon, by their first word.
fn word_command(line: &str) -> Option<Piece> {
    let line = line.trim().trim_end_matches(';').trim();
    let (word, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = argument.trim().trim_matches(['`', '\'', '"']).to_owned();
    match word.to_ascii_lowercase().as_str() {
        "exit" | "quit" => Some(Piece::Command('q', String::new())),
        "status" => Some(Piece::Command('s', String::new())),
        "help" | "?" => Some(Piece::Command('h', String::new())),
        "clear" => Some(Piece::Command('c', String::new())),
        "use" if !argument.is_empty() => Some(Piece::Command('u', argument)),
        "source" | "delimiter" | "tee" | "notee" | "pager" | "nopager" | "prompt" | "rehash" | "system" | "connect"
        | "edit" | "warnings" => Some(Piece::Command(word.chars().next().unwrap_or('?'), argument)),
        _ => None,
    }
}

/// The first piece of an input, and how many bytes it took.
fn first_piece(text: &str) -> (usize, Option<Piece>) {
    let begin = text.len() - text.trim_start().len();
    let line_end = text[begin..].find('\n').map_or(text.len(), |end| begin + end + 1);
    // A line that has not ended may go on; the whole of -e and of the last line has no end.
    let line = &text[begin..line_end];
    let until = line.find(';').map_or(line_end, |end| begin + end + 1);
    if let Some(command) = word_command(&text[begin..until]) {
        return (until, Some(command));
    }
    let mut inside = Inside::Nothing;
    let mut at = begin;
    while let Some(c) = text[at..].chars().next() {
        let after = at + c.len_utf8();
        if inside == Inside::Nothing && c == '\\' {
            let Some(kind) = text[after..].chars().next() else { return (0, None) };
            let end = after + kind.len_utf8();
            let statement = text[begin..at].trim().to_owned();
            return (
                end,
                Some(match kind {
                    'g' | 'G' => Piece::Statement(statement, kind == 'G'),
                    'u' => {
                        let own_end = text[end..].find('\n').map_or(text.len(), |n| end + n + 1);
                        let name = text[end..own_end].trim().trim_end_matches(';').to_owned();
                        return (own_end, Some(Piece::Command('u', name)));
                    }
                    '?' => Piece::Command('h', String::new()),
                    other => Piece::Command(other, String::new()),
                }),
            );
        }
        if inside == Inside::Nothing && c == ';' {
            return (after, Some(Piece::Statement(text[begin..at].trim().to_owned(), false)));
        }
        let (next, now) = step(text, at, inside);
        (at, inside) = (next, now);
    }
    (0, None)
}

/// Goes on by one character, or by a comment.
fn step(text: &str, at: usize, inside: Inside) -> (usize, Inside) {
    let rest = &text[at..];
    let Some(c) = rest.chars().next() else { return (text.len(), inside) };
    let after = at + c.len_utf8();
    match inside {
        Inside::Quote(_) if c == '\\' => (text[after..].chars().next().map_or(after, |d| after + d.len_utf8()), inside),
        Inside::Quote(quote) => (after, if c == quote { Inside::Nothing } else { inside }),
        Inside::Comment if rest.starts_with("*/") => (at + 2, Inside::Nothing),
        Inside::Comment => (after, inside),
        Inside::Nothing if matches!(c, '\'' | '"' | '`') => (after, Inside::Quote(c)),
        Inside::Nothing if rest.starts_with("/*") => (at + 2, Inside::Comment),
        Inside::Nothing if c == '#' || rest.starts_with("-- ") || rest.starts_with("--\n") => {
            (rest.find('\n').map_or(text.len(), |end| at + end), Inside::Nothing)
        }
        Inside::Nothing => (after, inside),
    }
}

fn unfinished(text: &str) -> Inside {
    let (mut at, mut inside) = (0, Inside::Nothing);
    while at < text.len() {
        (at, inside) = step(text, at, inside);
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_cut_into_statements() {
        let statement = |text: &str, vertical| Piece::Statement(text.to_owned(), vertical);
        let command = |c, word: &str| Piece::Command(c, word.to_owned());
        assert_eq!(
            pieces("select 1; select ';' \\G sel"),
            (vec![statement("select 1", false), statement("select ';'", true)], " sel".into())
        );
        assert_eq!(
            pieces("use shop\nshow tables;\n"),
            (vec![command('u', "shop"), statement("show tables", false)], String::new())
        );
        assert_eq!(pieces("exit\n").0, [command('q', "")]);
        assert_eq!(pieces("select\n1 \\u shop\nselect 2;").0, [command('u', "shop"), statement("select 2", false)]);
        assert_eq!(pieces("\\s\n").0, [command('s', "")]);
        assert_eq!(pieces("select 'a\n"), (vec![], "select 'a\n".into()));
        assert_eq!(
            (unfinished("select 'a\n"), unfinished("select 1 -- it's\n")),
            (Inside::Quote('\''), Inside::Nothing)
        );
    }

    #[test]
    fn times() {
        assert_eq!(
            (duration(5), duration(62), duration(7_325)),
            ("5 sec".into(), "1 min 2 sec".into(), "2 hours 2 min 5 sec".into())
        );
    }
}
