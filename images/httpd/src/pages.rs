//! The words, sentences and lists of Apache's own pages, and how it writes paths in them (http_protocol.c, mod_autoindex.c).

use net::http::reason;

/// The words of a status, as Apache has them.
pub fn words(status: u16) -> &'static str {
    match status {
        414 => "Request-URI Too Long",
        418 => "I'm A Teapot",
        other => reason(other),
    }
}

/// What a page says about its status. `admin` is the address of the configuration.
pub fn sentence(status: u16, method: &str, admin: &str) -> String {
    let text = match status {
        400 => "<p>Your browser sent a request that this server could not understand.<br />\n</p>",
        401 => {
            "<p>This server could not verify that you\nare authorized to access the document\nrequested.  Either you supplied the wrong\ncredentials (e.g., bad password), or your\nbrowser doesn't understand how to supply\nthe credentials required.</p>"
        }
        403 => "<p>You don't have permission to access this resource.</p>",
        404 => "<p>The requested URL was not found on this server.</p>",
        405 => {
            return format!("<p>The requested method {} is not allowed for this URL.</p>", escape(method));
        }
        410 => {
            "<p>The requested resource is no longer available on this server and there is no forwarding address.\nPlease remove all references to this resource.</p>"
        }
        418 => "<p>The resulting entity body MAY be short and\nstout.</p>",
        429 => "<p>The user has sent too many requests\nin a given amount of time.</p>",
        451 => "<p>Access to this URL has been denied for legal reasons.<br />\n</p>",
        501 => return format!("<p>{} not supported for current URL.<br />\n</p>", escape(method)),
        503 => {
            "<p>The server is temporarily unable to service your\nrequest due to maintenance downtime or capacity\nproblems. Please try again later.</p>"
        }
        _ => {
            return format!(
                "<p>The server encountered an internal error or\nmisconfiguration and was unable to complete\nyour request.</p>\n<p>Please contact the server administrator at \n {} to inform them of the time this error occurred,\n and the actions you performed just before this error.</p>\n<p>More information about this error may be available\nin the server error log.</p>",
                escape(admin)
            );
        }
    };
    text.to_owned()
}

/// What a page says about another address.
pub fn moved(status: u16, to: &str) -> String {
    let to = escape(to);
    match status {
        303 => format!("<p>The answer to your request is located <a href=\"{to}\">here</a>.</p>"),
        _ => format!("<p>The document has moved <a href=\"{to}\">here</a>.</p>"),
    }
}

/// A page for a status.
pub fn page(status: u16, text: &str) -> String {
    let words = words(status);
    format!(
        "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>{status} {words}</title>\n</head><body>\n<h1>{words}</h1>\n{text}\n</body></html>\n"
    )
}

/// For HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// For a path in an address: `a#b` is `a%23b`.
pub fn escape_path(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"$-_.+!*'(),:;@&=/~".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") }).collect()
}

/// Whether a text is an address of its own: a scheme and two slashes.
pub fn is_url(text: &str) -> bool {
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// A folder's list, as mod_autoindex makes it without decoration. Folders' names end in a slash; what begins with `.ht` is
/// forbidden and so not listed, other names that begin with a dot are.
pub fn listing(path: &str, mut names: Vec<String>) -> String {
    names.retain(|name| !name.starts_with(".ht"));
    names.sort();
    let title = escape(if path == "/" { path } else { path.trim_end_matches('/') });
    let parent = match path.trim_end_matches('/').rsplit_once('/') {
        Some((above, _)) => {
            format!("<li><a href=\"{}/\"> Parent Directory</a></li>\n", escape(&escape_path(above)))
        }
        None => String::new(),
    };
    let line = |name: &String| {
        // A colon in the first part of a path would make a scheme of it.
        let here = if name.contains(':') { "./" } else { "" };
        format!("<li><a href=\"{here}{}\"> {}</a></li>\n", escape(&escape_path(name)), escape(name))
    };
    let lines: String = names.iter().map(line).collect();
    format!(
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<html>\n <head>\n  <title>Index of {title}</title>\n </head>\n <body>\n<h1>Index of {title}</h1>\n<ul>{parent}{lines}</ul>\n</body></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_show_dots_and_escape_paths() {
        let names = ["a#b", ".htaccess", "..data/", "x:y", "a&b"].map(str::to_owned).to_vec();
        let text = listing("/c d/e/", names);
        let expected = "<ul><li><a href=\"/c%20d/\"> Parent Directory</a></li>\n<li><a href=\"..data/\"> ..data/</a></li>\n<li><a href=\"a%23b\"> a#b</a></li>\n<li><a href=\"a&amp;b\"> a&amp;b</a></li>\n<li><a href=\"./x:y\"> x:y</a></li>\n</ul>";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn pages_have_the_originals_sentences() {
        assert_eq!(sentence(501, "FOO", ""), "<p>FOO not supported for current URL.<br />\n</p>");
        assert!(page(410, &sentence(410, "GET", "")).contains("<title>410 Gone</title>"));
        assert!(sentence(500, "GET", "you@example.com").contains("administrator at \n you@example.com to inform"));
        assert!(moved(303, "/a").starts_with("<p>The answer to your request is located "));
        assert!(is_url("http://a/") && !is_url("/a") && !is_url("gone: ://"));
    }
}
