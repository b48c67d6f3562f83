//! How many tests passed and failed, read from what the runners print.

use std::ops::AddAssign;

/// Numbers of tests.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl Counts {
    /// One check that held or did not.
    pub(crate) fn one(passed: bool) -> Self {
        Self { passed: u64::from(passed), failed: u64::from(!passed) }
    }

    /// Adds what a line of output says, if it is a summary: Rust's `test result: ok. 3 passed; 0 failed; ...` or the
    /// `3 passed, 0 failed` of our own runners.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(counts) = summary(line.trim()) {
            *self += counts;
        }
    }
}

fn summary(line: &str) -> Option<Counts> {
    let rest = match line.strip_prefix("test result: ") {
        Some(rest) => rest.split_once(". ")?.1,
        None => line,
    };
    let mut parts = rest.split([';', ',']).map(str::trim);
    let passed = parts.next()?.strip_suffix(" passed")?.parse().ok()?;
    let failed = parts.next()?.strip_suffix(" failed")?.parse().ok()?;
    Some(Counts { passed, failed })
}

#[cfg(test)]
mod tests {
    use super::Counts;

    fn check(line: &str, passed: u64, failed: u64) {
        let mut counts = Counts::default();
        counts.read(line);
        assert_eq!(counts, Counts { passed, failed }, "{line}");
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
}
