//! The law of the arrows: a crate uses only what the map allows.

use xtask::tidy::edges;

#[test]
fn every_arrow_is_on_the_map() {
    let found = edges::read().expect("cargo metadata works in a workspace that compiled");
    assert!(found.len() > edges::ALLOWED.len(), "the manifests were read: {found:?}");
    let wrong: Vec<String> = edges::check(&found).iter().map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
