//! The image's entrypoint: the first start makes the accounts and the database that the environment names.
//!
//! The original starts a server for it and is its client; here it is the server's engine itself that runs the statements.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use sql::{Engine, Session};

use crate::log::{self, complain, note};
use crate::server::{self, Settings};

/// Files that the first start runs.
const SCRIPTS: &str = "/docker-entrypoint-initdb.d";

/// What the environment says.
#[derive(Debug, Default)]
struct Wanted {
    root_password: String,
    root_host: String,
    database: String,
    user: String,
    password: String,
    empty_allowed: bool,
    random: bool,
}

/// Runs a command, or the server after its first start.
pub fn run(command: &[String], version: &str, package: &str) -> i32 {
    let own = match command.first().map(String::as_str) {
        None => return 0,
        Some(first) if first.starts_with('-') => command,
        Some("mysqld") => &command[1..],
        Some(_) => return proc::exec(command, "/usr/local/bin/docker-entrypoint.sh: line 456"),
    };
    let help = |arg: &String| matches!(arg.as_str(), "-?" | "--help" | "--print-defaults" | "-V" | "--version");
    if own.iter().any(help) {
        return server::run(own, version);
    }
    note(&format!("Entrypoint script for MySQL Server {package} started."));
    let settings = match Settings::read(&server::all_options(own)) {
        Ok(settings) => settings,
        Err(error) => {
            let command = command.join(" ");
            complain(
                "ERROR",
                &format!(
                    "mysqld failed while attempting to check config\n\tcommand was: {command} --verbose --help\n\t{error}"
                ),
            );
            return 1;
        }
    };
    match prepare(&settings, version) {
        Ok(()) => server::run(own, version),
        Err(error) => {
            complain("ERROR", &error);
            1
        }
    }
}

/// A variable, or the text of the file that NAME_FILE names.
fn variable(name: &str, default: &str) -> Result<String, String> {
    let file_name = format!("{name}_FILE");
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (set(name), set(&file_name)) {
        (Some(_), Some(_)) => Err(format!("Both {name} and {file_name} are set (but are exclusive)")),
        (Some(value), None) => Ok(value),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(&path);
            let failed = |e: std::io::Error| {
                format!("/usr/local/bin/docker-entrypoint.sh: line 43: {path}: {}", proc::Errno::from_io(&e))
            };
            Ok(text.map_err(failed)?.trim_end_matches('\n').to_owned())
        }
        (None, None) => Ok(default.to_owned()),
    }
}

fn wanted() -> Result<Wanted, String> {
    let set = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    Ok(Wanted {
        root_host: variable("MYSQL_ROOT_HOST", "%")?,
        database: variable("MYSQL_DATABASE", "")?,
        user: variable("MYSQL_USER", "")?,
        password: variable("MYSQL_PASSWORD", "")?,
        root_password: variable("MYSQL_ROOT_PASSWORD", "")?,
        empty_allowed: set("MYSQL_ALLOW_EMPTY_PASSWORD"),
        random: set("MYSQL_RANDOM_ROOT_PASSWORD"),
    })
}

const CHOICES: &str = "\n    - MYSQL_ROOT_PASSWORD\n    - MYSQL_ALLOW_EMPTY_PASSWORD\n    - MYSQL_RANDOM_ROOT_PASSWORD";

fn check(wanted: &Wanted) -> Result<(), String> {
    if wanted.root_password.is_empty() && !wanted.empty_allowed && !wanted.random {
        return Err(format!(
            "Database is uninitialized and password option is not specified\n    You need to specify one of the following as an environment variable:{CHOICES}"
        ));
    }
    if wanted.user == "root" {
        return Err(format!(
            "MYSQL_USER=\"root\", MYSQL_USER and MYSQL_PASSWORD are for configuring a regular user and cannot be used for the root user\n    Remove MYSQL_USER=\"root\" and use one of the following to control the root user password:{CHOICES}"
        ));
    }
    if !wanted.user.is_empty() && wanted.password.is_empty() {
        complain("Warn", "MYSQL_USER specified, but missing MYSQL_PASSWORD; MYSQL_USER will not be created");
    } else if wanted.user.is_empty() && !wanted.password.is_empty() {
        complain("Warn", "MYSQL_PASSWORD specified, but missing MYSQL_USER; MYSQL_PASSWORD will be ignored");
    }
    Ok(())
}

fn prepare(settings: &Settings, version: &str) -> Result<(), String> {
    let wanted = wanted()?;
    let system = Path::new(&settings.folder).join("mysql");
    if system.is_dir() {
        return Ok(());
    }
    check(&wanted)?;
    if wanted.random {
        return Err("kubonsai does not support MYSQL_RANDOM_ROOT_PASSWORD (mysql) yet".to_owned());
    }
    note("Initializing database files");
    let failed = |error: std::io::Error| {
        format!("Unable to start server: {}: {}", settings.folder, proc::Errno::from_io(&error))
    };
    std::fs::create_dir_all(&settings.folder).map_err(failed)?;
    if !empty(settings).map_err(failed)? {
        log::server("ERROR", 10_457, "--initialize specified but the data directory has files in it. Aborting.");
        return Err("Unable to start server.".to_owned());
    }
    let mut engine = Engine::open(&settings.data()).map_err(failed)?;
    let server = Rc::new(settings.server(version));
    let mut session = Session::new(1, "localhost", &server);
    session.now = log::now_micros();
    engine.login_as_server(&mut session);
    // From now on the data are there: what fails later is not tried again by the next start, as in the original.
    std::fs::create_dir_all(&system).map_err(failed)?;
    note("Database files initialized");
    note("Starting temporary server");
    note("Temporary server started.");
    set_up(&mut engine, &mut session, &wanted)?;
    println!();
    scripts(&mut engine, &mut session, &wanted)?;
    note("Stopping temporary server");
    note("Temporary server stopped");
    println!();
    note("MySQL init process done. Ready for start up.");
    println!();
    Ok(())
}

/// Whether the folder of the data has nothing in it that a first start would hide. A log without the folder `mysql` is of a
/// first start that was killed before it had made anything: it is begun anew.
fn empty(settings: &Settings) -> std::io::Result<bool> {
    let data = settings.data();
    let mut own = false;
    for entry in std::fs::read_dir(&settings.folder)? {
        let name = entry?.file_name();
        if data.file_name() == Some(name.as_os_str()) {
            own = true;
        } else if name != "lost+found" && !name.to_string_lossy().starts_with('.') {
            return Ok(false);
        }
    }
    if own {
        std::fs::remove_file(&data)?;
    }
    Ok(true)
}

/// A text as a literal.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn execute(engine: &mut Engine, session: &mut Session, sql: &str) -> Result<(), String> {
    session.now = log::now_micros();
    match engine.execute(session, sql) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("ERROR {} ({}) at line 1: {}", error.code, error.state, error.text)),
    }
}

fn set_up(engine: &mut Engine, session: &mut Session, wanted: &Wanted) -> Result<(), String> {
    let password = literal(&wanted.root_password);
    let mut statements = vec![format!("ALTER USER 'root'@'localhost' IDENTIFIED BY {password}")];
    if !wanted.root_host.is_empty() && wanted.root_host != "localhost" {
        let account = format!("'root'@{}", literal(&wanted.root_host));
        statements.push(format!("CREATE USER {account} IDENTIFIED BY {password}"));
        statements.push(format!("GRANT ALL ON *.* TO {account} WITH GRANT OPTION"));
    }
    for statement in statements {
        execute(engine, session, &statement)?;
    }
    let name = wanted.database.replace('`', "``");
    if !wanted.database.is_empty() {
        note(&format!("Creating database {}", wanted.database));
        execute(engine, session, &format!("CREATE DATABASE IF NOT EXISTS `{name}`"))?;
    }
    if !wanted.user.is_empty() && !wanted.password.is_empty() {
        let user = literal(&wanted.user);
        note(&format!("Creating user {}", wanted.user));
        execute(engine, session, &format!("CREATE USER {user}@'%' IDENTIFIED BY {}", literal(&wanted.password)))?;
        if !wanted.database.is_empty() {
            note(&format!("Giving user {} access to schema {}", wanted.user, wanted.database));
            execute(engine, session, &format!("GRANT ALL ON `{}`.* TO {user}@'%'", name.replace('_', "\\_")))?;
        }
    }
    Ok(())
}

/// Runs the files that were laid beside the image, in their order.
fn scripts(engine: &mut Engine, session: &mut Session, wanted: &Wanted) -> Result<(), String> {
    let Ok(entries) = std::fs::read_dir(SCRIPTS) else { return Ok(()) };
    let hidden = |path: &PathBuf| path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    let mut paths: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| !hidden(path)).collect();
    paths.sort();
    if !wanted.database.is_empty() {
        execute(engine, session, &format!("USE `{}`", wanted.database.replace('`', "``")))?;
    }
    for path in paths {
        let shown = path.display();
        let name = path.to_string_lossy();
        if name.ends_with(".sql") {
            note(&format!("/usr/local/bin/docker-entrypoint.sh: running {shown}"));
            let text = std::fs::read_to_string(&path).map_err(|e| format!("{shown}: {}", proc::Errno::from_io(&e)))?;
            for statement in sql::split(&text) {
                execute(engine, session, statement)?;
            }
            println!();
        } else if [".sh", ".sql.gz", ".sql.bz2", ".sql.xz", ".sql.zst"].iter().any(|end| name.ends_with(end)) {
            return Err(
                "kubonsai does not support scripts and packed files of /docker-entrypoint-initdb.d (mysql) yet"
                    .to_owned(),
            );
        } else {
            complain("Warn", &format!("/usr/local/bin/docker-entrypoint.sh: ignoring {shown}"));
        }
        println!();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_start_that_was_killed_is_begun_anew() {
        let folder = std::env::temp_dir().join(format!("kubonsai-entrypoint-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let settings = Settings::read(&[format!("--datadir={}", folder.display())]).expect("valid");
        assert!(empty(&settings).expect("readable"));
        std::fs::write(settings.data(), "begun").expect("written");
        assert!(empty(&settings).expect("readable") && !settings.data().exists());
        // What belongs to somebody else stays, and so does the log beside it.
        std::fs::write(settings.data(), "begun").expect("written");
        std::fs::write(folder.join("ibdata1"), "").expect("written");
        assert!(!empty(&settings).expect("readable") && settings.data().exists());
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
