//! The part of nginx's configuration that the stand-in understands.

use std::collections::BTreeMap;
use std::fmt;

use crate::variables::{self, Known};

/// A directive with its block, if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// The directives inside.
    pub block: Option<Vec<Directive>>,
    /// Where it stands: `FILE:LINE`.
    pub place: String,
}

/// Why a configuration is refused; displays as nginx says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn error<T>(what: String) -> Result<T, ConfigError> {
    Err(ConfigError(what))
}

/// One word, `{`, `}` or `;`, with its line.
struct Lexer<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
    file: &'a str,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Open,
    Close,
    Semicolon,
    End,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Token, ConfigError> {
        loop {
            match self.chars.peek().copied() {
                None => return Ok(Token::End),
                Some('\n') => {
                    self.line += 1;
                    self.chars.next();
                }
                Some(c) if c.is_whitespace() => {
                    self.chars.next();
                }
                Some('#') => while self.chars.next_if(|c| *c != '\n').is_some() {},
                Some(_) => break,
            }
        }
        match self.chars.next() {
            Some('{') => Ok(Token::Open),
            Some('}') => Ok(Token::Close),
            Some(';') => Ok(Token::Semicolon),
            Some(quote @ ('"' | '\'')) => self.quoted(quote),
            Some(first) => {
                let mut word = String::from(first);
                while let Some(c) = self.chars.next_if(|c| !c.is_whitespace() && !matches!(c, '{' | ';')) {
                    word.push(c);
                    // ${name} is part of a word.
                    if c == '$' && self.chars.peek() == Some(&'{') {
                        word.extend(self.chars.by_ref().take_while(|c| *c != '}'));
                        word.push('}');
                    }
                }
                Ok(Token::Word(word))
            }
            None => Ok(Token::End),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<Token, ConfigError> {
        let mut word = String::new();
        while let Some(c) = self.chars.next() {
            match c {
                c if c == quote => return Ok(Token::Word(word)),
                '\\' => match self.chars.next() {
                    Some('n') => word.push('\n'),
                    Some('t') => word.push('\t'),
                    Some(c) => word.push(c),
                    None => break,
                },
                c => {
                    self.line += usize::from(c == '\n');
                    word.push(c);
                }
            }
        }
        let (file, line) = (self.file, self.line);
        error(format!("unexpected end of file, expecting \";\" or \"}}\" in {file}:{line}"))
    }
}

/// Reads a file's directives.
///
/// # Errors
/// nginx's words for what is wrong.
pub fn parse(text: &str, file: &str) -> Result<Vec<Directive>, ConfigError> {
    let mut lexer = Lexer { chars: text.chars().peekable(), line: 1, file };
    block(&mut lexer, true)
}

fn block(lexer: &mut Lexer<'_>, top: bool) -> Result<Vec<Directive>, ConfigError> {
    let mut directives = Vec::new();
    let mut words: Vec<String> = Vec::new();
    loop {
        let token = lexer.next()?;
        let (file, line) = (lexer.file, lexer.line);
        let place = format!("{file}:{line}");
        match token {
            Token::Word(word) => words.push(word),
            Token::Semicolon if words.is_empty() => return error(format!("unexpected \";\" in {place}")),
            Token::Semicolon => {
                let name = words.remove(0);
                directives.push(Directive { name, args: std::mem::take(&mut words), block: None, place });
            }
            Token::Open if words.is_empty() => return error(format!("unexpected \"{{\" in {place}")),
            Token::Open => {
                let inner = block(lexer, false)?;
                let name = words.remove(0);
                directives.push(Directive { name, args: std::mem::take(&mut words), block: Some(inner), place });
            }
            Token::Close if top || !words.is_empty() => return error(format!("unexpected \"}}\" in {place}")),
            Token::Close => return Ok(directives),
            Token::End if top && words.is_empty() => return Ok(directives),
            Token::End => return error(format!("unexpected end of file, expecting \"}}\" in {place}")),
        }
    }
}

/// A `location`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The path.
    pub path: String,
    /// Whether only the very path matches.
    pub exact: bool,
    /// Directives that hold here, those of the blocks around included.
    pub settings: Settings,
}

/// Directives that locations inherit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `root`.
    pub root: String,
    /// `alias`, instead of the root.
    pub alias: Option<String>,
    /// `index`.
    pub index: Vec<String>,
    /// `return CODE [TEXT]`.
    pub answer: Option<(u16, String)>,
    /// `add_header`.
    pub headers: Vec<(String, String)>,
    /// `default_type`.
    pub default_type: String,
    /// `proxy_pass`.
    pub proxy: Option<String>,
    /// `proxy_set_header`: names and values, in which variables stand.
    pub proxy_headers: Vec<(String, String)>,
    /// `try_files`.
    pub try_files: Vec<String>,
    /// `autoindex on`.
    pub autoindex: bool,
    /// `error_page`.
    pub error_pages: BTreeMap<u16, String>,
    /// `access_log off`.
    pub access_log: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            root: "/etc/nginx/html".to_owned(),
            alias: None,
            index: vec!["index.html".to_owned()],
            answer: None,
            headers: Vec::new(),
            default_type: "text/plain".to_owned(),
            proxy: None,
            proxy_headers: Vec::new(),
            try_files: Vec::new(),
            autoindex: false,
            error_pages: BTreeMap::new(),
            access_log: true,
        }
    }
}

/// A `server`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Virtual {
    /// Ports.
    pub ports: Vec<u16>,
    /// Names.
    pub names: Vec<String>,
    /// Locations.
    pub locations: Vec<Location>,
    /// What holds outside of them.
    pub settings: Settings,
}

/// Everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The servers.
    pub servers: Vec<Virtual>,
    /// Types by extension.
    pub types: BTreeMap<String, String>,
    /// What was read over: sentences for the error log.
    pub warnings: Vec<String>,
}

/// Directives that change nothing here.
const IGNORED: &[&str] = &[
    "user",
    "worker_processes",
    "error_log",
    "pid",
    "events",
    "sendfile",
    "keepalive_timeout",
    "log_format",
    "tcp_nopush",
    "tcp_nodelay",
    "gzip",
    "charset",
    "server_tokens",
    "daemon",
    "worker_connections",
    "types_hash_max_size",
    "client_max_body_size",
    "proxy_http_version",
    "proxy_connect_timeout",
    "proxy_read_timeout",
    "expires",
    "large_client_header_buffers",
    "worker_rlimit_nofile",
    "load_module",
    "resolver",
    "multi_accept",
    "use",
];

/// Reads the configuration from a file, with its includes; `read` gives a file's text, `list` the files of a pattern.
///
/// # Errors
/// nginx's words for what is wrong.
pub fn load(
    file: &str,
    read: &dyn Fn(&str) -> Option<String>,
    list: &dyn Fn(&str) -> Vec<String>,
) -> Result<Config, ConfigError> {
    let Some(text) = read(file) else {
        return error(format!("open() \"{file}\" failed (2: No such file or directory)"));
    };
    let mut loader = Loader { config: Config::default(), unknown: Vec::new(), makes_variables: false, read, list };
    loader.directives(parse(&text, file)?, &mut Settings::default(), None)?;
    loader.check_unknown()?;
    Ok(loader.config)
}

struct Loader<'a> {
    config: Config,
    /// Variables that nginx does not have itself, and where they stand.
    unknown: Vec<(String, String)>,
    /// Whether a directive was skipped that makes variables, or texts for `$1`.
    makes_variables: bool,
    read: &'a dyn Fn(&str) -> Option<String>,
    list: &'a dyn Fn(&str) -> Vec<String>,
}

impl Loader<'_> {
    fn directives(
        &mut self,
        all: Vec<Directive>,
        settings: &mut Settings,
        mut server: Option<&mut Virtual>,
    ) -> Result<(), ConfigError> {
        // What a block sets holds in its inner blocks wherever it stands, so plain directives come first.
        let (blocks, plain): (Vec<_>, Vec<_>) = all.into_iter().partition(|d| d.block.is_some());
        // A block with headers for backends of its own inherits none.
        if plain.iter().any(|d| d.name == "proxy_set_header") {
            settings.proxy_headers.clear();
        }
        for directive in plain {
            if directive.name == "include" {
                self.include(&directive, settings, server.as_deref_mut())?;
            } else {
                self.plain(&directive, settings, server.as_deref_mut())?;
            }
        }
        for directive in blocks {
            let Directive { name, args, block, place } = directive;
            let inner = block.unwrap_or_default();
            match name.as_str() {
                "http" => self.directives(inner, settings, None)?,
                "server" => {
                    let mut virtual_server = Virtual::default();
                    let mut own = settings.clone();
                    self.directives(inner, &mut own, Some(&mut virtual_server))?;
                    if virtual_server.ports.is_empty() {
                        virtual_server.ports.push(80);
                    }
                    virtual_server.settings = own;
                    self.config.servers.push(virtual_server);
                }
                "location" => {
                    let mut own = settings.clone();
                    self.directives(inner, &mut own, None)?;
                    let (path, exact) = match args.as_slice() {
                        [path] => (path.clone(), false),
                        [sign, path] if sign == "=" => (path.clone(), true),
                        [sign, path] if sign == "^~" => (path.clone(), false),
                        [sign, path] if sign.starts_with('~') => {
                            self.skip(&format!("location {sign} {path}"), &place);
                            continue;
                        }
                        _ => return error(format!("invalid number of arguments in \"location\" directive in {place}")),
                    };
                    if let Some(server) = server.as_deref_mut() {
                        server.locations.push(Location { path, exact, settings: own });
                    }
                }
                "types" => {
                    for entry in inner {
                        for extension in entry.args {
                            self.config.types.insert(extension, entry.name.clone());
                        }
                    }
                }
                "events" => {}
                "upstream" | "map" | "if" | "stream" | "limit_except" | "split_clients" | "geo" => {
                    self.skip(&name, &place)
                }
                _ => return error(format!("unknown directive \"{name}\" in {place}")),
            }
        }
        Ok(())
    }

    /// Looks at the variables of a directive: what nginx has and this has not is warned of, what nobody has is kept in mind.
    fn check_variables(&mut self, args: &[String], place: &str) {
        for name in args.iter().flat_map(|arg| variables::names(arg)) {
            match variables::known(name) {
                Known::Built => {}
                Known::Named => self.skip(&format!("${name}"), place),
                Known::Nowhere => self.unknown.push((name.to_owned(), place.to_owned())),
            }
        }
    }

    /// Variables that nobody has, when all is read: they are an error, unless a directive that was skipped may have made them.
    fn check_unknown(&mut self) -> Result<(), ConfigError> {
        for (name, place) in std::mem::take(&mut self.unknown) {
            if !self.makes_variables {
                return error(match name.as_str() {
                    "" => "invalid variable name".to_owned() + " in " + &place,
                    name => format!("unknown \"{name}\" variable"),
                });
            }
            self.skip(&format!("${name}"), &place);
        }
        Ok(())
    }

    fn skip(&mut self, what: &str, place: &str) {
        self.makes_variables |= ["set", "map", "geo", "split_clients", "rewrite"].contains(&what);
        self.config.warnings.push(format!("kubonsai does not support \"{what}\" (nginx) yet in {place}"));
    }

    fn include(
        &mut self,
        directive: &Directive,
        settings: &mut Settings,
        mut server: Option<&mut Virtual>,
    ) -> Result<(), ConfigError> {
        for pattern in &directive.args {
            let pattern = if pattern.starts_with('/') { pattern.clone() } else { format!("/etc/nginx/{pattern}") };
            let files = if pattern.contains('*') { (self.list)(&pattern) } else { vec![pattern] };
            for file in files {
                let Some(text) = (self.read)(&file) else {
                    let place = &directive.place;
                    return error(format!("open() \"{file}\" failed (2: No such file or directory) in {place}"));
                };
                self.directives(parse(&text, &file)?, settings, server.as_deref_mut())?;
            }
        }
        Ok(())
    }

    fn plain(
        &mut self,
        directive: &Directive,
        settings: &mut Settings,
        server: Option<&mut Virtual>,
    ) -> Result<(), ConfigError> {
        let Directive { name, args, place, .. } = directive;
        let first = args.first().cloned().unwrap_or_default();
        if ["return", "try_files", "add_header", "proxy_set_header"].contains(&name.as_str()) {
            self.check_variables(args, place);
        }
        match (name.as_str(), server) {
            ("listen", Some(server)) => {
                let port = first.rsplit(':').next().unwrap_or(&first);
                let Ok(port) = port.parse() else {
                    return error(format!("invalid port in \"{first}\" of the \"listen\" directive in {place}"));
                };
                if !server.ports.contains(&port) {
                    server.ports.push(port);
                }
            }
            ("server_name", Some(server)) => server.names.clone_from(args),
            ("root", _) => settings.root = first,
            ("alias", _) => settings.alias = Some(first),
            ("index", _) => settings.index.clone_from(args),
            ("default_type", _) => settings.default_type = first,
            ("autoindex", _) => settings.autoindex = first == "on",
            ("access_log", _) => settings.access_log = first != "off",
            ("proxy_pass", _) => settings.proxy = Some(first),
            ("proxy_set_header", _) => settings.proxy_headers.push((first, args.get(1).cloned().unwrap_or_default())),
            ("try_files", _) => settings.try_files.clone_from(args),
            ("add_header", _) => settings.headers.push((first, args.get(1).cloned().unwrap_or_default())),
            ("error_page", _) => {
                if let Some((page, codes)) = args.split_last() {
                    for code in codes.iter().filter_map(|c| c.parse().ok()) {
                        settings.error_pages.insert(code, page.clone());
                    }
                }
            }
            ("return", _) => {
                let (code, text) = match (first.parse::<u16>(), args.get(1)) {
                    (Ok(code), text) => (code, text.cloned().unwrap_or_default()),
                    (Err(_), _) => (302, first),
                };
                settings.answer = Some((code, text));
            }
            (
                "rewrite" | "deny" | "allow" | "auth_basic" | "fastcgi_pass" | "ssl_certificate" | "set"
                | "proxy_cache" | "limit_req" | "sub_filter" | "stub_status",
                _,
            ) => self.skip(name, place),
            (known, _) if IGNORED.contains(&known) => {}
            ("listen" | "server_name", None) => {
                return error(format!("\"{name}\" directive is not allowed here in {place}"));
            }
            _ => return error(format!("unknown directive \"{name}\" in {place}")),
        }
        Ok(())
    }
}

impl Virtual {
    /// The settings for a path: an exact location, else the longest prefix, else the server's own.
    pub fn settings_for(&self, path: &str) -> (&Settings, &str) {
        let exact = self.locations.iter().find(|l| l.exact && l.path == path);
        let prefix = || {
            let matching = self.locations.iter().filter(|l| !l.exact && path.starts_with(&l.path));
            matching.max_by_key(|l| l.path.len())
        };
        match exact.or_else(prefix) {
            Some(location) => (&location.settings, &location.path),
            None => (&self.settings, "/"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str) -> Result<Config, ConfigError> {
        let text = text.to_owned();
        load("/etc/nginx/nginx.conf", &move |file| (file == "/etc/nginx/nginx.conf").then(|| text.clone()), &|_| {
            Vec::new()
        })
    }

    #[test]
    fn variables_are_known_or_refused() {
        let with = |directives: &str| load_text(&format!("http {{ server {{ listen 80; {directives} }} }}"));
        let unknown = |directives: &str| with(directives).expect_err("no such variable").0;
        assert_eq!(unknown("add_header X-Port $prot;"), "unknown \"prot\" variable");
        assert_eq!(unknown("return 200 a$;"), "invalid variable name in /etc/nginx/nginx.conf:1");
        let warned = |directives: &str| with(directives).expect("a configuration").warnings.concat();
        assert_eq!(warned("add_header X-Host $hostname; return 200 \"$server_port $arg_a $1\";"), "");
        assert!(warned("proxy_set_header X-Id $request_id;").contains("does not support \"$request_id\""));
        // Who made it is skipped, and said.
        assert!(warned("set $mine 1; return 200 $mine;").contains("does not support \"$mine\""));
    }

    #[test]
    fn servers_and_locations() {
        let config = load_text(
            "http { root /srv; types { text/html html htm; }
             server { listen 8080; listen [::]:8080; location / { index a.html; } location = /x { return 200 \"hi\\n\"; } location /api/ { proxy_pass http://b; } } }",
        )
        .expect("a configuration");
        let server = &config.servers[0];
        assert_eq!(server.ports, [8080]);
        assert_eq!(server.settings_for("/x").0.answer, Some((200, "hi\n".to_owned())));
        assert_eq!(server.settings_for("/api/v1").0.proxy.as_deref(), Some("http://b"));
        assert_eq!(
            (server.settings_for("/").0.root.as_str(), server.settings_for("/").0.index[0].as_str()),
            ("/srv", "a.html")
        );
        assert_eq!(config.types["htm"], "text/html");
    }

    #[test]
    fn headers_for_backends_are_inherited_as_a_whole() {
        let config = load_text(
            "http { proxy_set_header A 1; server { location /a { proxy_pass http://b; }
             location /b { proxy_set_header B 2; proxy_set_header C 3; proxy_pass http://b; } } }",
        )
        .expect("a configuration");
        let names = |path: &str| -> Vec<String> {
            let headers = &config.servers[0].settings_for(path).0.proxy_headers;
            headers.iter().map(|(name, value)| format!("{name}={value}")).collect()
        };
        assert_eq!((names("/a"), names("/b")), (vec!["A=1".to_owned()], vec!["B=2".to_owned(), "C=3".to_owned()]));
    }

    #[test]
    fn complaints_are_nginxs() {
        for (text, message) in [
            ("http { foo on; }", "unknown directive \"foo\" in /etc/nginx/nginx.conf:1"),
            ("http {\nserver {\n", "unexpected end of file, expecting \"}\" in /etc/nginx/nginx.conf:3"),
            ("http { } }", "unexpected \"}\" in /etc/nginx/nginx.conf:1"),
            (
                "http { include none.conf; }",
                "open() \"/etc/nginx/none.conf\" failed (2: No such file or directory) in /etc/nginx/nginx.conf:1",
            ),
        ] {
            assert_eq!(load_text(text).unwrap_err().0, message);
        }
    }
}
