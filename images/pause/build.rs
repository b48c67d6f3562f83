//! As little memory as there can be: a program that only waits has no heap, so it needs its stack, its texts and not the rest of
//! a page of 64 KiB (the proposal custom-page-sizes). Every pod has one, and there may be ten thousand.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("wasi") {
        println!("cargo::rustc-link-arg=-zstack-size=2048");
        println!("cargo::rustc-link-arg=--page-size=1");
    }
}
