//! Laws 1 and 2 as text: no ambient clock, thread, file, socket, environment or random source in the core, and no
//! unordered iteration. Clippy knows most of it (clippy.toml); this also sees what clippy cannot, such as a crate that
//! opts out.

use super::{Finding, Source};
use crate::tidy::edges::ALLOWED;

/// Names that may not appear in code of the core, and what to use instead.
const FORBIDDEN: [(&str, &str); 16] = [
    ("Instant::now", "ask simulation::Sim::now"),
    ("SystemTime", "ask simulation::Sim::now"),
    ("std::thread", "spawn a task on simulation::Sim"),
    ("thread_local!", "pass it by value"),
    ("std::fs", "use the vfs crate, or take bytes by value"),
    ("std::net::Tcp", "use the network crate"),
    ("std::net::Udp", "use the network crate"),
    ("std::process::", "programs are machine::Program"),
    ("std::env::", "take it by value"),
    ("rand::rng", "draw from simulation::Sim"),
    ("getrandom", "draw from simulation::Sim"),
    ("HashMap", "use BTreeMap or IndexMap"),
    ("HashSet", "use BTreeSet or IndexSet"),
    ("RandomState", "use BTreeMap or IndexMap"),
    ("select!", "use select_biased!: the other one chooses by chance"),
    ("println!", "write to the Writer that was passed in"),
];

/// Attributes with which a crate would leave the law.
const OPT_OUTS: [&str; 2] = ["clippy::disallowed_methods", "clippy::disallowed_types"];

/// Checks the Rust code of the core crates.
#[must_use]
pub fn check(sources: &[Source]) -> Vec<Finding> {
    sources.iter().filter(|source| source.is("rs") && in_core(&source.path)).flat_map(check_source).collect()
}

/// Whether a path is code of a crate of the map. Its tests/ folder beside src/ may do as it likes.
fn in_core(path: &str) -> bool {
    ALLOWED.iter().any(|(name, _)| path.starts_with(&format!("crates/{name}/src/")))
}

fn check_source(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut in_tests = source.path.ends_with("/tests.rs") || source.path.contains("/tests/");
    for (index, line) in source.text.lines().enumerate() {
        // By custom the test module is the last thing in a file; tests may read recordings from disk.
        in_tests |= line.trim_start().starts_with("#[cfg(test)]");
        let code = code_of(line);
        for (name, instead) in FORBIDDEN {
            let harmless = in_tests && (name.starts_with("std::") || name == "println!");
            if !harmless && has_word(code, name) {
                found.push(source.finding(index + 1, format!("`{name}` in the core: {instead}")));
            }
        }
        if !in_tests && OPT_OUTS.iter().any(|lint| code.contains(lint)) {
            found.push(
                source.finding(index + 1, "only crates/cli, crates/catalogue, web and xtask may opt out of the law"),
            );
        }
    }
    found
}

/// A line without its comment. A `//` inside a string ends it too early, which only hides code after an address.
fn code_of(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// Whether `name` stands in `code` and is not the end of a longer name (`select!` in `my_select!`).
fn has_word(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&[Source::new(path, text)]).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn finds_ambient_things_in_the_core() {
        let text = "let a = Instant::now();\nuse std::collections::HashMap;\nfutures::select! {}\nlet b = 1;\n";
        assert_eq!(lines("crates/etcd/src/lib.rs", text), [1, 2, 3]);
        assert_eq!(lines("crates/etcd/src/lib.rs", "#![allow(clippy::disallowed_methods)]\n"), [1]);
    }

    #[test]
    fn leaves_shells_comments_and_test_files_alone() {
        assert_eq!(lines("crates/cli/src/main.rs", "Instant::now();\n"), [0; 0]);
        assert_eq!(lines("crates/etcd/src/lib.rs", "// unlike Instant::now\nselect_biased! {}\n"), [0; 0]);
        let tests = "fn a() {}\n#[cfg(test)]\nmod tests {\n  std::fs::read(\"x\");\n  HashMap::new();\n}\n";
        assert_eq!(lines("crates/etcd/src/lib.rs", tests), [5]);
        assert_eq!(lines("crates/api/src/yaml/tests.rs", "std::fs::read(\"x\");\nInstant::now();\n"), [2]);
    }
}
