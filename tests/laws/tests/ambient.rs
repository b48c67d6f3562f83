//! Laws 1 and 2: no ambient clock, thread, file, socket or random source, and no unordered iteration in the core.

use xtask::tidy::{Source, ambient, sources};

#[test]
fn the_core_owns_nothing_ambient() {
    let sources = sources();
    let found: Vec<String> = ambient::check(&sources).iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn clippy_knows_the_law_and_every_core_crate_listens() {
    let sources = sources();
    let text = |path: &str| -> &Source {
        sources.iter().find(|source| source.path == path).unwrap_or_else(|| panic!("{path} exists"))
    };
    for name in ["std::time::Instant::now", "std::time::SystemTime::now", "std::collections::HashMap"] {
        assert!(text("clippy.toml").text.contains(name), "clippy.toml does not disallow {name}");
    }
    for lint in ["disallowed_methods", "disallowed_types"] {
        assert!(text("Cargo.toml").text.contains(&format!("{lint} = \"deny\"")), "{lint} is not denied");
    }
}
