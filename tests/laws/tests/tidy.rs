//! Everything else that `cargo xtask tidy` checks, so that `cargo test` alone tells it.

#[test]
fn the_tree_is_tidy() {
    let found = xtask::tidy::check_tree().expect("the tree can be read");
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}
