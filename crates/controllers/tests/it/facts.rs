//! The recorded facts: what the controllers of Kubernetes v1.36.3 wrote for the same commands, without times, hashes
//! and intermediate counts. One section a kind, `$` lines where a command was run.

/// Compares with a recording; prints both in full where they differ.
pub fn check(name: &str, recorded: &str, ours: &str) {
    if recorded == ours {
        return;
    }
    let (mut theirs, mut mine) = (recorded.lines(), ours.lines());
    loop {
        match (theirs.next(), mine.next()) {
            (Some(a), Some(b)) if a == b => println!("  {a}"),
            (None, None) => break,
            (a, b) => println!("- {}\n+ {}", a.unwrap_or(""), b.unwrap_or("")),
        }
    }
    panic!("{name} differs from the recording (-: Kubernetes, +: ours)");
}
