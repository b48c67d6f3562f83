//! The one argument that `pause` knows; it ignores all others.

/// Whether an argument asks for the version: `-v` in either case.
pub fn asks_version(argument: &[u8]) -> bool {
    argument.eq_ignore_ascii_case(b"-v")
}

#[cfg(test)]
mod tests {
    use super::asks_version;

    #[test]
    fn only_v_means_something() {
        let cases: [(&[u8], bool); 6] =
            [(b"-v", true), (b"-V", true), (b"--version", false), (b"-vv", false), (b"sleep", false), (b"", false)];
        for (argument, asks) in cases {
            assert_eq!(asks_version(argument), asks);
        }
    }
}
