//! The directive `Header` (mod_headers): what it does to the headers of an answer.

/// What one directive does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Holds for errors and redirects as well.
    pub always: bool,
    /// What happens to the header.
    pub action: Action,
    /// Its name.
    pub name: String,
    /// What it is set to; empty for `unset`.
    pub value: String,
}

/// What happens to a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It has this value only.
    Set,
    /// It has this value if it has none.
    SetIfEmpty,
    /// It comes once more.
    Add,
    /// The value follows after a comma.
    Append,
    /// As `Append`, unless the value is there already.
    Merge,
    /// It goes.
    Unset,
}

/// What a directive turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// This.
    Header(Header),
    /// One that never holds: no variable is ever set here.
    Never,
    /// Something that is not built: what to call it.
    Missing(String),
}

/// Reads the words after `Header`.
///
/// # Errors
/// The original's words.
pub fn parse(args: &[String]) -> Result<Parsed, String> {
    let first = args.first().map_or(String::new(), |first| first.to_ascii_lowercase());
    let always = first == "always";
    let args = if always || first == "onsuccess" { &args[1..] } else { args };
    let name = args.get(1).cloned().unwrap_or_default();
    let action = match args.first().map_or(String::new(), |action| action.to_ascii_lowercase()).as_str() {
        "set" => Action::Set,
        "setifempty" => Action::SetIfEmpty,
        "add" => Action::Add,
        "append" => Action::Append,
        "merge" => Action::Merge,
        "unset" => Action::Unset,
        missing @ ("echo" | "note" | "edit" | "edit*") => return Ok(Parsed::Missing(missing.to_owned())),
        _ => {
            let text = "first argument must be 'add', 'set', 'setifempty', 'append', 'merge', 'unset', 'echo', 'note', 'edit', or 'edit*'.";
            return Err(text.to_owned());
        }
    };
    let rest = args.get(2..).unwrap_or_default();
    let (value, condition) = match (action, rest) {
        (Action::Unset, []) => (String::new(), None),
        (Action::Unset, [condition]) => (String::new(), Some(condition)),
        (Action::Unset, _) => return Err("header unset takes two arguments".to_owned()),
        (_, []) => return Err("Header requires three arguments".to_owned()),
        (_, [value]) => (value.clone(), None),
        (_, [value, condition]) => (value.clone(), Some(condition)),
        _ => return Err("Too many arguments to directive".to_owned()),
    };
    if value.replace("%%", "").contains('%') || value.starts_with("expr=") {
        return Ok(Parsed::Missing(format!("value {value}")));
    }
    let header = Parsed::Header(Header { always, action, name, value: value.replace("%%", "%") });
    match condition.map(String::as_str) {
        None => Ok(header),
        Some(condition) if condition.starts_with("env=!") => Ok(header),
        Some(condition) if condition.starts_with("env=") => Ok(Parsed::Never),
        Some(other) => Ok(Parsed::Missing(format!("condition {other}"))),
    }
}

/// Changes the headers of an answer. `Date` and `Server` come after all directives and are never changed.
pub fn apply(directives: &[Header], headers: &mut Vec<(String, String)>, status: u16) {
    let success = (200..300).contains(&status) || status == 304;
    for directive in directives.iter().filter(|directive| directive.always || success) {
        let Header { action, name, value, .. } = directive;
        if name.eq_ignore_ascii_case("date") || name.eq_ignore_ascii_case("server") {
            continue;
        }
        let old = headers.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
        match (action, old) {
            (Action::SetIfEmpty, Some(_)) => {}
            (Action::Merge, Some(index)) if headers[index].1.split(',').any(|part| part.trim() == value) => {}
            (Action::Append | Action::Merge, Some(index)) => {
                headers[index].1 = format!("{}, {value}", headers[index].1)
            }
            (Action::Unset, _) => headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name)),
            (Action::Set, Some(_)) => {
                headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
                headers.push((name.clone(), value.clone()));
            }
            _ => headers.push((name.clone(), value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Parsed, String> {
        parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_header_is_set_and_unset() {
        let lines = ["set X a", "add X b", "append X c", "unset ETag", "unset Server", "always set Y d"];
        let directives: Vec<Header> = lines
            .iter()
            .map(|line| match read(line) {
                Ok(Parsed::Header(header)) => header,
                other => panic!("{line}: {other:?}"),
            })
            .collect();
        let answer = |status| {
            let mut headers = ["Server: s", "ETag: e"].map(|h| h.split_once(": ").expect("a header")).to_vec();
            let mut headers: Vec<_> = headers.drain(..).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            apply(&directives, &mut headers, status);
            headers.iter().map(|(n, v)| format!("{n}: {v}")).collect::<Vec<_>>().join("|")
        };
        assert_eq!(answer(200), "Server: s|X: a, c|X: b|Y: d");
        assert_eq!(answer(404), "Server: s|ETag: e|Y: d");
    }

    #[test]
    fn conditions_and_what_is_missing() {
        assert_eq!(read("set X v env=y"), Ok(Parsed::Never));
        assert!(matches!(read("set X v env=!y"), Ok(Parsed::Header(_))));
        assert!(matches!(
            read("always unset X"),
            Ok(Parsed::Header(Header { always: true, action: Action::Unset, .. }))
        ));
        assert_eq!(read("edit X a b"), Ok(Parsed::Missing("edit".into())));
        assert_eq!(read("set X %D"), Ok(Parsed::Missing("value %D".into())));
        assert_eq!(read("set X"), Err("Header requires three arguments".into()));
    }
}
