//! Gives the guest more stack than others have: statements lie in each other.

/// Bytes of stack. `images/.cargo/config.toml` says what other guests have; the last word counts.
const STACK_BYTES: usize = 512 * 1024;

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "wasi") {
        println!("cargo:rustc-link-arg-bins=-zstack-size={STACK_BYTES}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
