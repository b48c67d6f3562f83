//! The part of `httpd.conf` that the stand-in understands.

use std::collections::BTreeMap;

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
    /// `Redirect`: status, prefix of the path, target.
    pub redirects: Vec<(u16, String, String)>,
    /// `Header set` and `add`.
    pub headers: Vec<(String, String)>,
    /// `ErrorDocument`: a path, or a text after a quotation mark.
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
    "serveradmin",
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
        "redirect" | "redirectpermanent" => {
            let status = match first.as_str() {
                _ if name == "redirectpermanent" => 301,
                "permanent" => 301,
                "temp" => 302,
                other => other.parse().unwrap_or(302),
            };
            if let [.., from, to] = &args[1..] {
                config.redirects.push((status, from.clone(), to.clone()));
            }
        }
        "header" if matches!(first.as_str(), "set" | "add" | "always") => {
            if let [.., key, value] = &args[1..] {
                config.headers.push((key.clone(), value.clone()));
            }
        }
        "errordocument" => {
            if let Ok(status) = first.parse() {
                config.error_documents.insert(status, args.get(2).cloned().unwrap_or_default());
            }
        }
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
}
