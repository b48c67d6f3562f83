//! A smaller stack than the other guests have: everything must fit into one page of 64 KiB.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("wasi") {
        println!("cargo::rustc-link-arg=-zstack-size=16384");
    }
}
