//! Rules about text: length of files, stray spaces, notes to oneself, names of machines.

use super::{Finding, Source};

/// Source files are split by idea before they reach this many lines.
const FILE_LINES_MAX: usize = 800;

/// Extensions of files that people write.
const WRITTEN: [&str; 13] = ["rs", "md", "toml", "js", "mjs", "ts", "css", "html", "json", "sh", "yaml", "ftl", "yml"];

/// Files that programs write.
const GENERATED: [&str; 2] = ["Cargo.lock", "package-lock.json"];

/// Folders of data that is kept byte for byte: recordings and expected outputs.
const DATA: [&str; 2] = ["tests/oracle/", "crates/api/data/"];

/// Markers of unfinished work; an unbuilt part refuses by name through `stub!`. Put together here, so that this file
/// does not find itself.
const MARKERS: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("todo", "!("),
    concat!("unimpl", "emented!("),
];

/// Text that belongs to one machine or one network, never to the project.
const MACHINE: [&str; 9] = [
    concat!("registry.", "npmjs.org"),
    concat!("registry.", "yarnpkg.com"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("files.", "pythonhosted.org"),
    concat!("/root/", "."),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
    concat!("/tmp/", "bash_jobs"),
];

/// Checks every written file.
#[must_use]
pub fn check(sources: &[Source]) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in sources {
        let is_data = DATA.iter().any(|dir| source.path.starts_with(dir));
        if is_data {
            continue;
        }
        machine_names(source, &mut found);
        if GENERATED.contains(&source.path.as_str()) || source.path.starts_with("images/Cargo.lock") {
            continue;
        }
        if WRITTEN.iter().any(|extension| source.is(extension)) {
            long_file(source, &mut found);
            lines(source, &mut found);
        }
    }
    found
}

fn machine_names(source: &Source, found: &mut Vec<Finding>) {
    for (number, line) in numbered(source) {
        for name in MACHINE {
            // A path of a machine starts a word: `images/work/` is a folder of ours.
            let starts_word = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "./_-$}".contains(c));
            if line.find(name).is_some_and(|at| !name.starts_with('/') || starts_word(at)) {
                found.push(source.finding(number, format!("`{name}` belongs to one machine or network")));
            }
        }
    }
    if source.path == "package-lock.json" && source.text.contains("\"resolved\"") {
        found.push(source.finding(0, "has download addresses; .npmrc leaves them out: run npm install again"));
    }
}

fn long_file(source: &Source, found: &mut Vec<Finding>) {
    let lines = source.text.lines().count();
    let is_source = ["rs", "js", "mjs", "css", "html"].iter().any(|extension| source.is(extension));
    if is_source && lines > FILE_LINES_MAX {
        found.push(source.finding(0, format!("{lines} lines; split it by idea before {FILE_LINES_MAX}")));
    }
}

fn lines(source: &Source, found: &mut Vec<Finding>) {
    for (number, line) in numbered(source) {
        if line.ends_with([' ', '\t']) {
            found.push(source.finding(number, "space at the end of the line"));
        }
        if source.is("md") {
            continue;
        }
        if let Some(marker) = MARKERS.into_iter().find(|marker| line.contains(marker)) {
            found.push(source.finding(number, format!("`{marker}`: build it, or refuse by name with stub!")));
        }
    }
    if !source.text.is_empty() && !source.text.ends_with('\n') {
        found.push(source.finding(0, "no newline at the end"));
    }
}

fn numbered(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    source.text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        check(&[Source::new(path, text)]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn finds_each_kind_of_stray_text() {
        assert_eq!(messages("a.rs", "let x = 1; \n"), ["a.rs:1: space at the end of the line"]);
        assert_eq!(messages("a.rs", "x"), ["a.rs: no newline at the end"]);
        assert_eq!(messages("a.rs", &"x\n".repeat(801)), ["a.rs: 801 lines; split it by idea before 800"]);
        assert_eq!(messages("a.rs", concat!("// TO", "DO later\n")).len(), 1);
        assert_eq!(messages("x/README.md", concat!("see /wo", "rk/x\n")).len(), 1);
        assert_eq!(messages("package-lock.json", "{\"resolved\": 1}\n").len(), 1);
    }

    #[test]
    fn leaves_clean_text_and_data_alone() {
        assert_eq!(messages("a.rs", "fn a() {}\n"), [""; 0]);
        assert_eq!(messages("a.rs", concat!("// images/wo", "rk/x\n")), [""; 0]);
        assert_eq!(messages("tests/oracle/x.json", "trailing  "), [""; 0]);
        assert_eq!(messages("picture.bin", "x"), [""; 0]);
    }
}
