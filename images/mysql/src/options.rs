//! The command line of the clients.

/// Where to log in, and as whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// The host; empty for this machine.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// The password; empty for none.
    pub password: String,
    /// The database; empty for none.
    pub database: String,
}

impl Login {
    /// Whether the original would use its socket.
    pub fn local(&self) -> bool {
        self.host.is_empty() || self.host == "localhost"
    }
}

/// What a client is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Where to.
    pub login: Login,
    /// `-e`.
    pub execute: Option<String>,
    /// `-B`, `-s`.
    pub batch: bool,
    /// `-t`.
    pub table: bool,
    /// `-N`.
    pub no_names: bool,
    /// `-E`.
    pub vertical: bool,
    /// `-f`.
    pub force: bool,
    /// `-v`.
    pub verbose: bool,
    /// Whether the password stood on the command line.
    pub warn: bool,
    /// `-p` without a password.
    pub ask: bool,
    /// `-V`.
    pub version: bool,
    /// `--help`.
    pub help: bool,
    /// What is left.
    pub words: Vec<String>,
}

/// Options that change nothing here.
const IGNORED: &[&str] = &[
    "--no-auto-rehash",
    "--skip-auto-rehash",
    "--comments",
    "--default-character-set",
    "--protocol",
    "--socket",
    "--connect-timeout",
    "--get-server-public-key",
    "--ssl-mode",
    "--no-defaults",
    "--no-beep",
    "--unbuffered",
    "--skip-ssl",
    "--wait",
];

/// Short options with a value.
const VALUED: &str = "uhPDeS";

/// Reads a command line.
///
/// # Errors
/// The line for an option that is unknown or not built.
pub fn read(args: &[String], program: &str, env: impl Fn(&str) -> Option<String>) -> Result<Options, String> {
    let mut o = Options::default();
    o.login.port = env("MYSQL_TCP_PORT").and_then(|port| port.parse().ok()).unwrap_or(3306);
    o.login.host = env("MYSQL_HOST").unwrap_or_default();
    o.login.user = "root".to_owned();
    o.login.password = env("MYSQL_PWD").unwrap_or_default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if let Some(long) = arg.strip_prefix("--").filter(|long| !long.is_empty()) {
            let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v.to_owned())));
            read_long(&mut o, &name.replace('_', "-"), value, &mut rest, program)?;
        } else if let Some(short) = arg.strip_prefix('-').filter(|short| !short.is_empty()) {
            read_short(&mut o, short, &mut rest, program)?;
        } else {
            o.words.push(arg.clone());
        }
    }
    Ok(o)
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| {
        format!(
            "Unknown suffix '{}' used for variable 'port' (value '{text}').",
            text.trim_start_matches(|c: char| c.is_ascii_digit())
        )
    })
}

fn read_long<'a>(
    o: &mut Options,
    name: &str,
    value: Option<String>,
    rest: &mut impl Iterator<Item = &'a String>,
    program: &str,
) -> Result<(), String> {
    let mut need = |value: Option<String>| {
        value
            .or_else(|| rest.next().cloned())
            .ok_or_else(|| format!("{program}: [ERROR] {program}: option '--{name}' requires an argument."))
    };
    match name {
        "user" => o.login.user = need(value)?,
        "host" => o.login.host = need(value)?,
        "port" => o.login.port = port(&need(value)?)?,
        "database" => o.login.database = need(value)?,
        "execute" => o.execute = Some(need(value)?),
        "password" => match value {
            Some(password) => (o.login.password, o.warn) = (password, true),
            None => o.ask = true,
        },
        "batch" | "silent" => o.batch = true,
        "table" => o.table = true,
        "skip-column-names" => o.no_names = true,
        "vertical" => o.vertical = true,
        "force" => o.force = true,
        "verbose" => o.verbose = true,
        "version" => o.version = true,
        "help" => o.help = true,
        "defaults-extra-file"
        | "defaults-file"
        | "login-path"
        | "html"
        | "xml"
        | "safe-updates"
        | "delimiter"
        | "prompt"
        | "init-command"
        | "raw"
        | "tee"
        | "pager"
        | "quick"
        | "ssl-ca"
        | "ssl-cert"
        | "ssl-key" => {
            return Err(format!("kubonsai does not support the option --{name} ({program}) yet"));
        }
        other if IGNORED.contains(&format!("--{other}").as_str()) => {
            if matches!(other, "socket" | "protocol" | "default-character-set" | "connect-timeout") {
                need(value)?;
            }
        }
        other => return Err(format!("{program}: [ERROR] unknown option '--{other}'.")),
    }
    Ok(())
}

fn read_short<'a>(
    o: &mut Options,
    short: &str,
    rest: &mut impl Iterator<Item = &'a String>,
    program: &str,
) -> Result<(), String> {
    for (at, flag) in short.char_indices() {
        let behind = &short[at + flag.len_utf8()..];
        if flag == 'p' {
            if behind.is_empty() {
                o.ask = true;
            } else {
                (o.login.password, o.warn) = (behind.to_owned(), true);
            }
            return Ok(());
        }
        if VALUED.contains(flag) {
            let value = match behind {
                "" => rest
                    .next()
                    .cloned()
                    .ok_or_else(|| format!("{program}: [ERROR] {program}: option '-{flag}' requires an argument."))?,
                there => there.to_owned(),
            };
            match flag {
                'u' => o.login.user = value,
                'h' => o.login.host = value,
                'P' => o.login.port = port(&value)?,
                'D' => o.login.database = value,
                'e' => o.execute = Some(value),
                _ => {}
            }
            return Ok(());
        }
        match flag {
            'B' | 's' => o.batch = true,
            't' => o.table = true,
            'N' => o.no_names = true,
            'E' => o.vertical = true,
            'f' => o.force = true,
            'v' => o.verbose = true,
            'V' => o.version = true,
            'A' | 'n' | 'C' | 'c' => {}
            '?' | 'I' => o.help = true,
            'H' | 'X' | 'r' | 'q' | 'U' | 'i' | 'G' | 'w' => {
                return Err(format!("kubonsai does not support the option -{flag} ({program}) yet"));
            }
            other => return Err(format!("{program}: [ERROR] unknown option '-{other}'.")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(line: &str) -> Result<Options, String> {
        read(&line.split(' ').map(str::to_owned).collect::<Vec<_>>(), "mysql", |_| None)
    }

    #[test]
    fn the_command_line() {
        let o = read_line("-h mysql -ppassword -uroot -P3307 shop").expect("valid");
        assert_eq!((o.login.host.as_str(), o.login.password.as_str(), o.login.port), ("mysql", "password", 3307));
        assert_eq!((o.login.user.as_str(), o.words.as_slice(), o.warn), ("root", &["shop".to_owned()][..], true));
        let o = read_line("-p -Ne x --skip-column-names").expect("valid");
        assert!(o.ask && o.no_names && o.execute.as_deref() == Some("x") && !o.warn);
        assert_eq!(read_line("--bogus"), Err("mysql: [ERROR] unknown option '--bogus'.".to_owned()));
        assert!(read_line("--xml").expect_err("refused").contains("the option --xml"));
    }
}
