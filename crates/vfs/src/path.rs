//! Pure text operations on paths. Nothing here looks at a tree.

/// `path` seen from `base`: `path` itself when it is absolute. Not normalised.
pub fn join(base: &str, path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else if path.is_empty() {
        base.to_owned()
    } else if base.ends_with('/') {
        format!("{base}{path}")
    } else {
        format!("{base}/{path}")
    }
}

/// Removes `.`, `..` and doubled slashes by text alone (links are not looked at). Always absolute; never above `/`.
pub fn normalize(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The last component: `""` for `/`.
pub fn basename(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

/// Everything before the last component, as `dirname` prints it.
pub fn dirname(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rfind('/') {
        Some(0) => "/",
        Some(at) => trimmed[..at].trim_end_matches('/'),
        None if trimmed.is_empty() && path.starts_with('/') => "/",
        None => ".",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_operations() {
        assert_eq!(join("/a", "b"), "/a/b");
        assert_eq!(join("/", "b"), "/b");
        assert_eq!(join("/a", "/b"), "/b");
        assert_eq!(normalize("/a/./b//../c/"), "/a/c");
        assert_eq!(normalize("../../x"), "/x");
        assert_eq!(normalize("/"), "/");
        for (path, base, dir) in
            [("/a/b", "b", "/a"), ("/a", "a", "/"), ("a", "a", "."), ("/", "", "/"), ("a/b/", "b", "a"), ("", "", ".")]
        {
            assert_eq!((basename(path), dirname(path)), (base, dir), "{path}");
        }
    }
}
