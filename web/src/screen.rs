//! Joins bytes into text across the pieces in which they come.

/// Keeps the beginning of a character whose end has not come yet.
#[derive(Clone, Debug, Default)]
pub struct Utf8Joiner {
    rest: Vec<u8>,
}

impl Utf8Joiner {
    /// The text that is complete; bytes that are no UTF-8 become replacement characters.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.rest.extend_from_slice(bytes);
        let mut out = String::new();
        loop {
            match std::str::from_utf8(&self.rest) {
                Ok(text) => {
                    out.push_str(text);
                    self.rest.clear();
                    return out;
                }
                Err(error) => {
                    let valid = error.valid_up_to();
                    out.push_str(&String::from_utf8_lossy(&self.rest[..valid]));
                    match error.error_len() {
                        Some(bad) => {
                            out.push(char::REPLACEMENT_CHARACTER);
                            self.rest.drain(..valid + bad);
                        }
                        None => {
                            self.rest.drain(..valid);
                            return out;
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_survive_being_cut() {
        let mut joiner = Utf8Joiner::default();
        let bytes = "端末a".as_bytes();
        let text: String = bytes.iter().map(|b| joiner.push(&[*b])).collect();
        assert_eq!(text, "端末a");
        assert_eq!(joiner.push(b"\xffb"), "\u{fffd}b");
    }
}
