//! The part of `httpd.conf` that the stand-in understands.

use std::collections::BTreeMap;

use net::http::reason;

use crate::header::{self, Header, Parsed};
use crate::include::{self, Disk};
use crate::pages::is_url;

/// What the server does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `Listen`: ports in order.
    pub ports: Vec<u16>,
    /// `DocumentRoot`.
    pub root: String,
    /// `ServerName`; without one the server complains.
    pub server_name: Option<String>,
    /// `DirectoryIndex`.
    pub index: Vec<String>,
    /// `Options Indexes`: folders without an index are listed.
    pub listings: bool,
    /// `CustomLog` names the format `combined`, and not `common`.
    pub combined: bool,
    /// `LogFormat`: format by name.
    pub formats: BTreeMap<String, String>,
    /// `Alias`: prefix of the path, folder.
    pub aliases: Vec<(String, String)>,
    /// `Redirect`: status, prefix of the path, target; a status that is no redirect has none.
    pub redirects: Vec<(u16, String, Option<String>)>,
    /// `ServerAdmin`.
    pub admin: String,
    /// `Header`.
    pub headers: Vec<Header>,
    /// `ErrorDocument`: an address, a path or a text.
    pub error_documents: BTreeMap<u16, String>,
    /// What was read over: sentences for the error log.
    pub warnings: Vec<String>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            ports: Vec::new(),
            root: "/usr/local/apache2/htdocs".to_owned(),
            server_name: None,
            index: vec!["index.html".to_owned()],
            listings: false,
            combined: false,
            formats: BTreeMap::new(),
            aliases: Vec::new(),
            redirects: Vec::new(),
            admin: "[no address given]".to_owned(),
            headers: Vec::new(),
            error_documents: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }
}

/// Directives, in lower case, that change nothing here.
const IGNORED: &[&str] = &[
    "serverroot",
    "user",
    "group",
    "loglevel",
    "typesconfig",
    "loadmodule",
    "timeout",
    "keepalive",
    "keepalivetimeout",
    "maxkeepaliverequests",
    "hostnamelookups",
    "pidfile",
    "enablesendfile",
    "enablemmap",
    "traceenable",
    "startservers",
    "minsparethreads",
    "mutex",
    "maxsparethreads",
    "threadsperchild",
    "maxrequestworkers",
    "maxconnectionsperchild",
    "addlanguage",
    "sslrandomseed",
    "directoryslash",
    "fileetag",
];

/// Blocks, in lower case, whose directives do not hold for the documents.
const SKIPPED_BLOCKS: &[&str] = &["files", "filesmatch", "ifdefine", "limit", "limitexcept", "if"];

/// How deeply files may include one another.
const INCLUDE_DEPTH_MAX: usize = 20;
/// The formats that the access log can have.
const COMMON: &str = "%h %l %u %t \"%r\" %>s %b";
const COMBINED: &str = "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"";

/// Reads a configuration.
///
/// # Errors
/// Apache's words for what is wrong.
pub fn load(file: &str, disk: Disk<'_>) -> Result<Config, String> {
    if (disk.read)(file).is_none() {
        return Err(format!("httpd: Could not open configuration file {file}: No such file or directory"));
    }
    let mut config = Config::default();
    take(&mut config, file, disk, 0).map_err(|wrong| match wrong {
        Wrong::Structure(what) => format!("httpd: {what}"),
        Wrong::Directive(what) => format!("AH00526: {what}"),
    })?;
    if config.ports.is_empty() {
        return Err("no listening sockets available, shutting down\nAH00015: Unable to open logs".to_owned());
    }
    Ok(config)
}

/// The two ways in which the original says what is wrong: while it reads the files, and when it does what they say.
enum Wrong {
    Structure(String),
    Directive(String),
}

/// An open block: its name as written, its line, and whether what is in it does not hold.
struct Block {
    name: String,
    line: usize,
    hidden: bool,
}

fn take(config: &mut Config, file: &str, disk: Disk<'_>, depth: usize) -> Result<(), Wrong> {
    let Some(text) = (disk.read)(file) else { return Ok(()) };
    let structure =
        |line: usize, what: &str| Wrong::Structure(format!("Syntax error on line {line} of {file}: {what}"));
    let mut blocks: Vec<Block> = Vec::new();
    for (line, text) in lines(&text) {
        if let Some(name) = text.strip_prefix("</") {
            let name = name.trim_end_matches('>');
            match blocks.pop() {
                Some(open) if open.name.eq_ignore_ascii_case(name) => {}
                Some(open) => return Err(structure(line, &format!("Expected </{}> but saw </{name}>", open.name))),
                None => return Err(structure(line, &format!("</{name}> without matching <{name}> section"))),
            }
            continue;
        }
        let hidden = blocks.last().is_some_and(|block| block.hidden);
        if let Some(head) = text.strip_prefix('<') {
            let args = words(head.trim_end_matches('>'));
            let name = args.first().cloned().unwrap_or_default();
            let hidden = hidden || hides(config, &args, &format!("{file}:{line}"));
            blocks.push(Block { name, line, hidden });
            continue;
        }
        if hidden {
            continue;
        }
        let args = words(&text);
        if matches!(args[0].to_ascii_lowercase().as_str(), "include" | "includeoptional") {
            include(config, &args, disk, depth).map_err(|wrong| match wrong {
                Wrong::Structure(what) => structure(line, &what),
                directive @ Wrong::Directive(_) => directive,
            })?;
        } else if let Err(what) = directive(config, &args, &format!("{file}:{line}")) {
            return Err(Wrong::Directive(format!("Syntax error on line {line} of {file}:\n{what}")));
        }
    }
    let open: Vec<_> =
        blocks.iter().rev().map(|open| format!("{file}:{}: <{}> was not closed.", open.line, open.name)).collect();
    blocks.first().map_or(Ok(()), |outermost| Err(structure(outermost.line, &open.join("\n"))))
}

/// The lines that say something, with their numbers; a backslash at the end joins the next one.
fn lines(text: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    let mut joined = String::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(line) = line.strip_suffix('\\') {
            joined.push_str(line);
            continue;
        }
        joined.push_str(line);
        let whole = std::mem::take(&mut joined);
        let whole = whole.trim();
        if !whole.is_empty() && !whole.starts_with('#') {
            out.push((index + 1, whole.to_owned()));
        }
    }
    out
}

/// Whether the directives in a block do not hold for the documents; warns where they would in the original.
fn hides(config: &mut Config, args: &[String], place: &str) -> bool {
    let name = args.first().map_or(String::new(), |name| name.to_ascii_lowercase());
    let argument = args.get(1).map_or("", String::as_str);
    let foreign = matches!(name.as_str(), "location" | "locationmatch" | "proxy");
    let skipped = SKIPPED_BLOCKS.contains(&name.as_str());
    if foreign || name == "virtualhost" || skipped && name != "ifdefine" && argument != ".ht*" {
        config.warnings.push(format!("kubonsai does not support <{name}> (httpd) yet: {place}"));
    }
    let root = name == "directory" && (argument == "/" || argument.contains("cgi-bin"));
    let absent = name == "ifmodule" && (argument.starts_with('!') || absent_module(argument));
    root || absent || foreign || skipped
}

fn include(config: &mut Config, args: &[String], disk: Disk<'_>, depth: usize) -> Result<(), Wrong> {
    if depth == INCLUDE_DEPTH_MAX {
        let what = format!("Exceeded maximum include depth of {depth}, There appears to be a recursion.");
        return Err(Wrong::Structure(what));
    }
    let path = absolute(args.get(1).map_or("", String::as_str));
    let optional = args[0].eq_ignore_ascii_case("includeoptional");
    let files = include::files(&path, optional, disk).map_err(Wrong::Structure)?;
    files.iter().try_for_each(|file| take(config, file, disk, depth + 1))
}

/// Modules that the image does not load.
fn absent_module(name: &str) -> bool {
    ["ssl", "proxy", "cgid", "cgi", "rewrite"].iter().any(|m| name.contains(m))
}

/// Does what a directive says; `place` is its file and line.
fn directive(config: &mut Config, args: &[String], place: &str) -> Result<(), String> {
    let name = args[0].to_ascii_lowercase();
    let first = args.get(1).cloned().unwrap_or_default();
    match name.as_str() {
        "listen" => match first.rsplit(':').next().unwrap_or(&first).parse() {
            Ok(port) => config.ports.push(port),
            Err(_) => return Err("Port must be specified".to_owned()),
        },
        "documentroot" if !std::path::Path::new(&absolute(&first)).is_dir() && cfg!(target_os = "wasi") => {
            return Err(format!("DocumentRoot '{first}' is not a directory, or is not readable"));
        }
        "documentroot" => config.root = absolute(&first),
        "servername" => config.server_name = Some(first),
        "directoryindex" => config.index = args[1..].to_vec(),
        "options" => options(config, &args[1..])?,
        "allowoverride" if first.eq_ignore_ascii_case("none") => {}
        "errorlog" if matches!(first.as_str(), "/proc/self/fd/2" | "/dev/stderr") => {}
        "logformat" | "customlog" => log(config, args, place),
        "alias" => config.aliases.push((first, absolute(args.get(2).map_or("", String::as_str)))),
        "redirect" => config.redirects.push(redirect(&args[1..])?),
        "redirectpermanent" | "redirecttemp" => {
            let status = if name == "redirectpermanent" { "permanent" } else { "temp" };
            config.redirects.push(redirect(&[&[status.to_owned()], &args[1..]].concat())?);
        }
        "serveradmin" => config.admin = first,
        "header" => match header::parse(&args[1..])? {
            Parsed::Header(header) => config.headers.push(header),
            Parsed::Never => {}
            Parsed::Missing(what) => {
                config.warnings.push(format!("kubonsai does not support Header {what} (httpd) yet: {place}"));
            }
        },
        "errordocument" => match (first.parse(), args.get(2)) {
            (Ok(status), Some(text)) if text.eq_ignore_ascii_case("default") => {
                config.error_documents.remove(&status);
            }
            (Ok(status), Some(text)) if !reason(status).is_empty() => {
                config.error_documents.insert(status, text.clone());
            }
            _ => return Err(format!("Unsupported HTTP response code {first}")),
        },
        "require" if args[1..] == ["all", "granted"] => {}
        known if IGNORED.contains(&known) => {}
        _ => {
            let name = &args[0];
            config.warnings.push(format!("kubonsai does not support the directive {name} (httpd) yet: {place}"));
        }
    }
    Ok(())
}

/// `Options`: all that hold, or with `+` and `-` what changes.
fn options(config: &mut Config, args: &[String]) -> Result<(), String> {
    const KNOWN: &[&str] = &[
        "indexes",
        "includes",
        "includesnoexec",
        "followsymlinks",
        "symlinksifownermatch",
        "execcgi",
        "multiviews",
        "none",
        "all",
    ];
    let relative = |option: &&String| option.starts_with(['+', '-']);
    if args.iter().any(|option| relative(&option)) && !args.iter().all(|option| relative(&option)) {
        return Err("Either all Options must start with + or -, or no Option may.".to_owned());
    }
    if args.first().is_some_and(|option| !relative(&option)) {
        config.listings = false;
    }
    for option in args {
        let name = option.trim_start_matches(['+', '-']).to_ascii_lowercase();
        if !KNOWN.contains(&name.as_str()) {
            return Err(format!("Illegal option {}", option.trim_start_matches(['+', '-'])));
        }
        if matches!(name.as_str(), "indexes" | "all") {
            config.listings = !option.starts_with('-');
        }
    }
    Ok(())
}

/// `LogFormat` and `CustomLog`: the access log goes to standard output, in one of two formats.
fn log(config: &mut Config, args: &[String], place: &str) {
    let [name, first, rest @ ..] = args else { return };
    match (name.to_ascii_lowercase().as_str(), rest) {
        ("logformat", [nickname, ..]) => {
            config.formats.insert(nickname.clone(), first.clone());
        }
        ("customlog", [format]) if matches!(first.as_str(), "/proc/self/fd/1" | "/dev/stdout") => {
            match config.formats.get(format).unwrap_or(format).as_str() {
                COMMON => config.combined = false,
                COMBINED => config.combined = true,
                _ => {
                    let what = format!("kubonsai does not support the log format {format} (httpd) yet: {place}");
                    config.warnings.push(what);
                }
            }
        }
        _ => config.warnings.push(format!("kubonsai does not support {name} {first} (httpd) yet: {place}")),
    }
}

/// `Redirect [status] prefix [target]`, as mod_alias reads it.
fn redirect(args: &[String]) -> Result<(u16, String, Option<String>), String> {
    let status = match args.first().map(|first| first.to_ascii_lowercase()).as_deref() {
        Some("permanent") => Some(301),
        Some("temp") => Some(302),
        Some("seeother") => Some(303),
        Some("gone") => Some(410),
        Some(number) => number.parse().ok(),
        None => None,
    };
    let (status, rest) = match status {
        Some(status) => (status, &args[1..]),
        None if args.len() > 2 => return Err("Redirect: invalid first argument (of three)".to_owned()),
        None => (302, args),
    };
    match (rest, (300..400).contains(&status)) {
        ([from, to], true) if to.starts_with('/') || is_url(to) => Ok((status, from.clone(), Some(to.clone()))),
        ([_, _], true) => Err("Redirect to non-URL".to_owned()),
        ([_], true) => Err("URL to redirect to is missing".to_owned()),
        ([from], false) => Ok((status, from.clone(), None)),
        ([_, _], false) => Err("Redirect URL not valid for this status".to_owned()),
        _ => Err("Redirect takes one, two or three arguments, an optional status, then document to be redirected and destination URL".to_owned()),
    }
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/usr/local/apache2/{path}") }
}

/// Splits at blanks; quotation marks hold words together.
fn words(line: &str) -> Vec<String> {
    let (mut out, mut word, mut quote, mut any) = (Vec::new(), String::new(), None, false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', Some(_)) => word.extend(chars.next()),
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                any = true;
            }
            (c, None) if c.is_whitespace() => {
                if any || !word.is_empty() {
                    out.push(std::mem::take(&mut word));
                }
                any = false;
            }
            (c, _) => word.push(c),
        }
    }
    if any || !word.is_empty() {
        out.push(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let file = |file: &str| match file {
            "/c" => Some(text.to_owned()),
            "/d/1.conf" => Some("Header set X v\nHeader always unset Y\nHeader set Z w env=y\n".to_owned()),
            "/d/2.conf" => Some("Include /d/*.conf\n".to_owned()).filter(|_| text.contains("recursion")),
            "/wrong" => Some("<IfModule a>\n</Directory>\n".to_owned()),
            _ => None,
        };
        let list = |folder: &str| match folder {
            "/d" => Some(["2.conf", "1.conf", "3.txt"].map(str::to_owned).to_vec()),
            _ => None,
        };
        load("/c", Disk { read: &file, list: &list })
    }

    #[test]
    fn the_file_of_the_image_is_understood() {
        let config = read(include_str!("../rootfs/usr/local/apache2/conf/httpd.conf")).expect("valid");
        assert_eq!((config.ports, config.root.as_str()), (vec![80], "/usr/local/apache2/htdocs"));
        assert!(config.listings && !config.combined && config.server_name.is_none());
        assert_eq!(config.warnings, [""; 0]);
    }

    #[test]
    fn what_is_wrong_is_said_as_apache_says_it() {
        let error = read("Listen 80\nListen x\n").expect_err("no port");
        assert_eq!(error, "AH00526: Syntax error on line 2 of /c:\nPort must be specified");
        let wrong = |text: &str| read(text).expect_err("wrong");
        assert_eq!(
            wrong("Listen 80\n<IfModule a>\n<Directory /x>\n</IfModule>\n"),
            "httpd: Syntax error on line 4 of /c: Expected </Directory> but saw </IfModule>"
        );
        assert_eq!(
            wrong("Listen 80\n<IfModule a>\n"),
            "httpd: Syntax error on line 2 of /c: /c:2: <IfModule> was not closed."
        );
        assert_eq!(
            wrong("</Directory>\n"),
            "httpd: Syntax error on line 1 of /c: </Directory> without matching <Directory> section"
        );
        assert_eq!(
            wrong("Listen 80\nInclude /wrong\n"),
            "httpd: Syntax error on line 2 of /c: Syntax error on line 2 of /wrong: Expected </IfModule> but saw </Directory>"
        );
        assert_eq!(
            wrong("Listen \\\n 80\nListen x\n"),
            "AH00526: Syntax error on line 3 of /c:\nPort must be specified"
        );
        let config =
            read("Listen 8080\nRewriteEngine On\nRequire all granted\nRequire all denied\nServerName \"a b\"\n")
                .expect("valid");
        assert_eq!(
            config.warnings,
            ["RewriteEngine (httpd) yet: /c:2", "Require (httpd) yet: /c:4"]
                .map(|what| format!("kubonsai does not support the directive {what}"))
        );
        assert_eq!(config.server_name.as_deref(), Some("a b"));
    }

    #[test]
    fn redirects_have_a_status() {
        let config = read("Listen 80\nRedirect gone /a\nRedirect 410 /b\nRedirect seeother /c http://x/\nRedirect /d /e\nRedirectPermanent /f /g\n").expect("valid");
        let redirects: Vec<_> =
            config.redirects.iter().map(|(s, from, to)| (*s, from.as_str(), to.as_deref())).collect();
        let expected = [
            (410, "/a", None),
            (410, "/b", None),
            (303, "/c", Some("http://x/")),
            (302, "/d", Some("/e")),
            (301, "/f", Some("/g")),
        ];
        assert_eq!(redirects, expected);
        let wrong = |line: &str| read(&format!("Listen 80\n{line}\n")).expect_err("wrong");
        assert_eq!(wrong("Redirect 301 /a"), "AH00526: Syntax error on line 2 of /c:\nURL to redirect to is missing");
        assert!(wrong("Redirect gone /a /b").ends_with(":\nRedirect URL not valid for this status"));
        assert!(wrong("ErrorDocument 999 x").ends_with(":\nUnsupported HTTP response code 999"));
    }

    #[test]
    fn options_change_what_they_name() {
        let listings = |lines: &str| read(&format!("Listen 80\n{lines}\n")).map(|config| config.listings);
        assert_eq!(listings("Options Indexes\nOptions +FollowSymLinks"), Ok(true));
        assert_eq!(listings("Options Indexes\nOptions -Indexes"), Ok(false));
        assert_eq!(listings("Options Indexes\nOptions FollowSymLinks"), Ok(false));
        assert!(listings("Options +Indexes None").is_err_and(|what| what.contains("must start with + or -")));
        assert!(listings("Options Listing").is_err_and(|what| what.ends_with("\nIllegal option Listing")));
    }

    #[test]
    fn files_are_included() {
        let config = read("Listen 80\nIncludeOptional /d/*.conf\nIncludeOptional /e/*.conf\n").expect("valid");
        let headers: Vec<_> = config.headers.iter().map(|header| (header.name.as_str(), header.always)).collect();
        assert_eq!(headers, [("X", false), ("Y", true)]);
        let wrong = |line: &str| read(&format!("Listen 80\n{line}\n")).expect_err("wrong");
        assert!(
            wrong("Include /e/*.conf")
                .ends_with("line 2 of /c: Could not open directory /e: No such file or directory")
        );
        assert!(wrong("Include /e/f").ends_with("Could not open configuration file /e/f: No such file or directory"));
        assert!(wrong("Include /d/*.conf # recursion").ends_with("There appears to be a recursion."));
    }

    #[test]
    fn what_is_ignored_is_named() {
        let config = read("Listen 80\nAllowOverride All\nLogFormat \"%h\" short\nCustomLog /proc/self/fd/1 short\nCustomLog logs/a common\nErrorLog logs/e\nHeader edit X a b\nAllowOverride none\n").expect("valid");
        let expected = [
            "the directive AllowOverride (httpd) yet: /c:2",
            "the log format short (httpd) yet: /c:4",
            "CustomLog logs/a (httpd) yet: /c:5",
            "the directive ErrorLog (httpd) yet: /c:6",
            "Header edit (httpd) yet: /c:7",
        ];
        assert_eq!(config.warnings, expected.map(|what| format!("kubonsai does not support {what}")));
        let config = read("Listen 80\nLogFormat \"%h %l %u %t \\\"%r\\\" %>s %b \\\"%{Referer}i\\\" \\\"%{User-Agent}i\\\"\" all\nCustomLog /dev/stdout all\n").expect("valid");
        assert!(config.combined && config.warnings.is_empty());
    }
}
