//! Scripts of the native shell, and what they have to print.

use std::process::Command;

/// What a script prints: standard output, then standard error. `options` are those of `kubonsai sh`.
pub fn sh(options: &[&str], script: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_kubonsai"))
        .args(["sh", "--start", "2026-11-21T09:00:00Z"])
        .args(options)
        .args(["-c", script])
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the program starts");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Every line comes, in this order, whatever is between them.
#[track_caller]
pub fn in_order(text: &str, expected: &[&str]) {
    let mut rest = text;
    for line in expected {
        let at = rest.find(line);
        assert!(at.is_some(), "{line:?} is missing, or not in its place, in:\n{text}");
        rest = &rest[at.unwrap_or(0) + line.len()..];
    }
}
