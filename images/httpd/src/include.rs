//! The files that `Include` means: one, all of a folder, or those that a pattern with `*` and `?` matches.

/// The files and folders that a configuration is read from.
#[derive(Clone, Copy)]
pub struct Disk<'a> {
    /// A file's text.
    pub read: &'a dyn Fn(&str) -> Option<String>,
    /// The names in a folder, if it is one.
    pub list: &'a dyn Fn(&str) -> Option<Vec<String>>,
}

/// How deeply folders may lie in one another: below is probably a link to one above.
const FOLDER_DEPTH_MAX: usize = 20;

/// The files, in the order in which they are read.
///
/// # Errors
/// The original's words where there must be one.
pub fn files(path: &str, optional: bool, disk: Disk<'_>) -> Result<Vec<String>, String> {
    let mut found = vec![String::new()];
    for part in path.trim_end_matches('/').split('/').skip(1) {
        if !part.contains(['*', '?']) {
            found.iter_mut().for_each(|path| path.push_str(&format!("/{part}")));
            continue;
        }
        let mut next = Vec::new();
        for folder in &found {
            let Some(mut names) = (disk.list)(folder) else {
                if optional {
                    continue;
                }
                return Err(format!("Could not open directory {folder}: No such file or directory"));
            };
            names.retain(|name| !name.starts_with('.') && matches(part, name));
            names.sort();
            if names.is_empty() && !optional {
                return Err(format!(
                    "No matches for the wildcard '{part}' in '{folder}', failing (use IncludeOptional if required)"
                ));
            }
            next.extend(names.into_iter().map(|name| format!("{folder}/{name}")));
        }
        found = next;
    }
    let mut files = Vec::new();
    for path in &found {
        let before = files.len();
        below(path, 0, disk, &mut files)?;
        if files.len() == before && !optional && (disk.list)(path).is_none() {
            return Err(format!("Could not open configuration file {path}: No such file or directory"));
        }
    }
    Ok(files)
}

/// A file, or all files below a folder, also those that begin with a dot.
fn below(path: &str, depth: usize, disk: Disk<'_>, files: &mut Vec<String>) -> Result<(), String> {
    if depth > FOLDER_DEPTH_MAX {
        return Err(format!(
            "Directory '{path}' exceeds the maximum include directory nesting level of {FOLDER_DEPTH_MAX}. You have probably a recursion somewhere."
        ));
    }
    let Some(mut names) = (disk.list)(path) else {
        files.extend((disk.read)(path).map(|_| path.to_owned()));
        return Ok(());
    };
    names.sort();
    names.iter().try_for_each(|name| below(&format!("{path}/{name}"), depth + 1, disk, files))
}

/// Whether a name matches a pattern with `*` and `?`.
fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.chars().next(), name.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            let rest = &pattern[1..];
            name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| matches(rest, &name[at..]))
        }
        (Some(p), Some(n)) if p == '?' || p == n => matches(&pattern[p.len_utf8()..], &name[n.len_utf8()..]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_and_folders() {
        let read = |path: &str| path.ends_with(".conf").then(String::new);
        let list = |path: &str| match path {
            "/c" => Some(vec!["a".to_owned(), ".b".to_owned()]),
            "/c/a" => Some(["z.conf", "y.conf", "x.txt", ".h.conf"].map(str::to_owned).to_vec()),
            "/d" => Some(Vec::new()),
            path if path.starts_with("/loop") => Some(vec!["loop".to_owned()]),
            _ => None,
        };
        let disk = Disk { read: &read, list: &list };
        let both = Ok(vec!["/c/a/y.conf".to_owned(), "/c/a/z.conf".to_owned()]);
        assert_eq!(files("/c/a/*.conf", false, disk), both);
        assert_eq!(files("/c/*/?.conf", true, disk), both);
        // A folder by its name brings all that it has.
        let all = ["/c/a/.h.conf", "/c/a/y.conf", "/c/a/z.conf"].map(str::to_owned).to_vec();
        assert_eq!(files("/c/a", false, disk), Ok(all));
        assert_eq!(files("/d/*.conf", true, disk), Ok(Vec::new()));
        let what = "No matches for the wildcard '*.conf' in '/d', failing (use IncludeOptional if required)";
        assert_eq!(files("/d/*.conf", false, disk), Err(what.to_owned()));
        assert!(files("/e/*", false, disk).is_err_and(|what| what.starts_with("Could not open directory /e: ")));
        assert_eq!(files("/e/*", true, disk), Ok(Vec::new()));
        assert!(files("/loop", false, disk).is_err_and(|what| what.ends_with("recursion somewhere.")));
        assert!(files("/d/x", false, disk).is_err_and(|what| what.ends_with("/d/x: No such file or directory")));
    }
}
