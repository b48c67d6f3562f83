//! The part of `httpd.conf` that the stand-in understands.

use std::collections::BTreeMap;

use net::http::reason;

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
    /// `CustomLog` names the format `combined`.
    pub combined: bool,
    /// `Alias`: prefix of the path, folder.
    pub aliases: Vec<(String, String)>,
    /// `Redirect`: status, prefix of the path, target; a status that is no redirect has none.
    pub redirects: Vec<(u16, String, Option<String>)>,
    /// `ServerAdmin`.
    pub admin: String,
    /// `Header set` and `add`.
    pub headers: Vec<(String, String)>,
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
    "allowoverride",
    "errorlog",
    "loglevel",
    "logformat",
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

/// Reads a configuration; `read` gives the text of an included file.
///
/// # Errors
/// Apache's words for what is wrong.
pub fn load(file: &str, read: &dyn Fn(&str) -> Option<String>) -> Result<Config, String> {
    let Some(text) = read(file) else {
        return Err(format!("httpd: Could not open configuration file {file}: No such file or directory"));
    };
    let mut config = Config::default();
    take(&mut config, &text, file, read)?;
    if config.ports.is_empty() {
        return Err("no listening sockets available, shutting down\nAH00015: Unable to open logs".to_owned());
    }
    Ok(config)
}

fn take(config: &mut Config, text: &str, file: &str, read: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
    let mut blocks: Vec<(String, bool)> = Vec::new();
    let joined = text.replace("\\\n", " ");
    for (number, line) in joined.lines().enumerate() {
        let line = line.trim();
        let fail = |what: &str| Err(format!("AH00526: Syntax error on line {} of {file}:\n{what}", number + 1));
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix("</") {
            let name = name.trim_end_matches('>').to_ascii_lowercase();
            match blocks.pop() {
                Some((open, _)) if open == name => continue,
                Some((open, _)) => return fail(&format!("Expected </{open}> but saw </{name}>")),
                None => return fail(&format!("</{name}> without matching <{name}> section")),
            }
        }
        let hidden = blocks.last().is_some_and(|(_, hidden)| *hidden);
        if let Some(head) = line.strip_prefix('<') {
            let args = words(head.trim_end_matches('>'));
            let name = args.first().map_or(String::new(), |n| n.to_ascii_lowercase());
            let root = name == "directory" && args.get(1).is_some_and(|d| d == "/" || d.contains("cgi-bin"));
            let absent = name == "ifmodule" && args.get(1).is_some_and(|m| m.starts_with('!') || absent_module(m));
            let unknown = matches!(name.as_str(), "virtualhost" | "location" | "locationmatch" | "proxy")
                || SKIPPED_BLOCKS.contains(&name.as_str())
                    && name != "ifdefine"
                    && args.get(1).is_none_or(|a| a != ".ht*");
            if unknown && !hidden {
                config.warnings.push(format!("kubonsai does not support <{name}> (httpd) yet: {file}:{}", number + 1));
            }
            let foreign = matches!(name.as_str(), "location" | "locationmatch" | "proxy");
            let skip = hidden || root || absent || foreign || SKIPPED_BLOCKS.contains(&name.as_str());
            blocks.push((name, skip));
            continue;
        }
        if hidden {
            continue;
        }
        let args = words(line);
        if let Err(what) = directive(config, &args, file, number + 1, read) {
            return if what.starts_with("AH00526") { Err(what) } else { fail(&what) };
        }
    }
    match blocks.last() {
        Some((open, _)) => Err(format!("AH00526: Syntax error on line 1 of {file}:\n<{open}> was not closed.")),
        None => Ok(()),
    }
}

/// Modules that the image does not load.
fn absent_module(name: &str) -> bool {
    ["ssl", "proxy", "cgid", "cgi", "rewrite"].iter().any(|m| name.contains(m))
}

fn directive(
    config: &mut Config,
    args: &[String],
    file: &str,
    line: usize,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<(), String> {
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
        "options" => {
            config.listings = args[1..].iter().any(|o| matches!(o.trim_start_matches('+'), "Indexes" | "All"));
        }
        "customlog" => config.combined = args.get(2).is_some_and(|f| f == "combined"),
        "alias" => config.aliases.push((first, absolute(args.get(2).map_or("", String::as_str)))),
        "redirect" => config.redirects.push(redirect(&args[1..])?),
        "redirectpermanent" | "redirecttemp" => {
            let status = if name == "redirectpermanent" { "permanent" } else { "temp" };
            config.redirects.push(redirect(&[&[status.to_owned()], &args[1..]].concat())?);
        }
        "serveradmin" => config.admin = first,
        "header" if matches!(first.as_str(), "set" | "add" | "always") => {
            if let [.., key, value] = &args[1..] {
                config.headers.push((key.clone(), value.clone()));
            }
        }
        "errordocument" => match (first.parse(), args.get(2)) {
            (Ok(status), Some(text)) if text.eq_ignore_ascii_case("default") => {
                config.error_documents.remove(&status);
            }
            (Ok(status), Some(text)) if !reason(status).is_empty() => {
                config.error_documents.insert(status, text.clone());
            }
            _ => return Err(format!("Unsupported HTTP response code {first}")),
        },
        "include" | "includeoptional" => match read(&absolute(&first)) {
            Some(text) => take(config, &text, &absolute(&first), read)?,
            None if name == "include" => {
                return Err(format!(
                    "Could not open configuration file {}: No such file or directory",
                    absolute(&first)
                ));
            }
            None => {}
        },
        "require" if args[1..] == ["all", "granted"] => {}
        known if IGNORED.contains(&known) => {}
        _ => {
            let name = &args[0];
            config.warnings.push(format!("kubonsai does not support the directive {name} (httpd) yet: {file}:{line}"));
        }
    }
    Ok(())
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
        load("/c", &|file| (file == "/c").then(|| text.to_owned()))
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
        assert!(read("Listen 80\n<IfModule a>\n").is_err() && read("Listen 80\n</Directory>\n").is_err());
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
}
