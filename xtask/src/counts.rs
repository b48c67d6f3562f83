//! How many tests passed and failed, and which failed, read from what the runners print.

use std::ops::AddAssign;

/// Names of failures that are kept: more of them is another kind of trouble.
const NAMES_MAX: usize = 40;

/// Numbers of tests, and the names of those that failed as far as they are known.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) names: Vec<String>,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        other.names.into_iter().for_each(|name| self.name(name));
    }
}

impl Counts {
    /// One check that held or did not, and what to say if not.
    pub(crate) fn one(passed: bool, name: &str) -> Self {
        let names = if passed { Vec::new() } else { vec![name.to_owned()] };
        Self { passed: u64::from(passed), failed: u64::from(!passed), names }
    }

    /// Adds what a line of output says, if it is a summary: Rust's `test result: ok. 3 passed; 0 failed; ...` or the
    /// `3 passed, 0 failed` of our own runners; and the name of a test that failed.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(counts) = summary(line.trim()) {
            *self += counts;
        } else if let Some(name) = failure(line) {
            self.name(name);
        }
    }

    fn name(&mut self, name: String) {
        if self.names.len() < NAMES_MAX && !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    /// Prints which failed, a line each: the end of the output is what people look at.
    pub(crate) fn print_failures(&self) {
        for name in &self.names {
            println!("failed: {name}");
        }
    }
}

/// The name in `---- module::test stdout ----` of Rust's tests, or in `FAILED  name` of our own runners.
fn failure(line: &str) -> Option<String> {
    let rust = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----"));
    let ours = || line.strip_prefix("FAILED ");
    Some(rust.or_else(ours)?.trim().to_owned())
}

fn summary(line: &str) -> Option<Counts> {
    let rest = match line.strip_prefix("test result: ") {
        Some(rest) => rest.split_once(". ")?.1,
        None => line,
    };
    let mut parts = rest.split([';', ',']).map(str::trim);
    let passed = parts.next()?.strip_suffix(" passed")?.parse().ok()?;
    let failed = parts.next()?.strip_suffix(" failed")?.parse().ok()?;
    Some(Counts { passed, failed, names: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::Counts;

    fn check(line: &str, passed: u64, failed: u64) {
        let mut counts = Counts::default();
        counts.read(line);
        assert_eq!((counts.passed, counts.failed), (passed, failed), "{line}");
    }

    #[test]
    fn reads_the_summaries_of_every_runner() {
        check("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s", 12, 0);
        check("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out", 3, 2);
        check("test result: ok. 4 passed; 0 failed; 0 ignored; 0 filtered out; finished in 0.02s", 4, 0);
        check("7 passed, 1 failed", 7, 1);
        check("test foo ... ok", 0, 0);
        check("it says 7 passed, 1 failed", 0, 0);
    }

    #[test]
    fn names_what_failed() {
        let mut counts = Counts::default();
        for line in [
            "test shell::tests::runs ... ok",
            "---- shell::tests::stops stdout ----",
            "thread 'shell::tests::stops' panicked at crates/shell/src/tests.rs:3:5:",
            "failures:",
            "    shell::tests::stops",
            "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out",
            "FAILED  page.spec.mjs: time stops, steps and runs faster (3.0 s)",
        ] {
            counts.read(line);
        }
        counts += Counts::one(false, "format");
        counts += Counts::one(true, "lint");
        assert_eq!(
            counts.names,
            ["shell::tests::stops", "page.spec.mjs: time stops, steps and runs faster (3.0 s)", "format"]
        );
        assert_eq!((counts.passed, counts.failed), (2, 2));
    }
}
