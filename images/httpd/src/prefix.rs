//! The rule of mod_alias for the paths that `Alias` and `Redirect` name.

/// What follows a prefix in a path, or nothing where the prefix does not hold.
///
/// After the prefix must come the end or a slash, unless the prefix itself ends in one: otherwise `Alias /img /srv/img/` would
/// give `/img../secret` the file `/srv/img/../secret`. Any number of slashes in the one is any number in the other.
pub fn matches<'a>(prefix: &str, path: &'a str) -> Option<&'a str> {
    let (mut left, mut rest) = (prefix, path);
    while let Some(c) = left.chars().next() {
        rest = rest.strip_prefix(c)?;
        left = &left[c.len_utf8()..];
        if c == '/' {
            left = left.trim_start_matches('/');
            rest = rest.trim_start_matches('/');
        }
    }
    let whole = prefix.ends_with('/') || !prefix.is_empty() && (rest.is_empty() || rest.starts_with('/'));
    whole.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_prefix_ends_where_a_name_does() {
        let cases = [
            ("/img", "/img", Some("")),
            ("/img", "/img/a.png", Some("/a.png")),
            ("/img", "/img../secret", None),
            ("/img", "/images", None),
            ("/img/", "/img/a.png", Some("a.png")),
            ("/img/", "/img", None),
            ("/", "/img", Some("img")),
            ("/a/b", "//a///b/c", Some("/c")),
            ("/ä", "/äb", None),
            ("", "/img", None),
        ];
        for (prefix, path, rest) in cases {
            assert_eq!(matches(prefix, path), rest, "{prefix} {path}");
        }
    }
}
