//! Query strings.

use super::Refusal;

/// The parameters of a request, in order.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(text: &str) -> Query {
        let pairs = text.split('&').filter(|p| !p.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        });
        Query(pairs.collect())
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    pub(super) fn all(&self, key: &str) -> Vec<String> {
        self.0.iter().filter(|(k, _)| k == key).map(|(_, v)| v.clone()).collect()
    }

    /// Whether any of the names is given as true.
    pub(super) fn flag(&self, names: &[&str]) -> bool {
        names.iter().any(|name| matches!(self.get(name), Some("true" | "1" | "True" | "t")))
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<u64>, Refusal> {
        match self.get(key) {
            None | Some("") => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| Refusal::bad(format!("invalid {key}: {text}"))),
        }
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes() {
        let query = Query::parse("command=sh&command=-c&command=echo%20a%2Bb+c&tty=true&tailLines=3&x");
        assert_eq!(query.all("command"), ["sh", "-c", "echo a+b c"]);
        assert!(query.flag(&["tty"]) && !query.flag(&["x", "y"]));
        assert!(matches!(query.number("tailLines"), Ok(Some(3))));
        assert!(query.number("command").is_err());
    }
}
