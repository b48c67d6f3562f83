//! tr.

use super::echo::unescape;
use crate::applet::{Fail, Io, Options, Outcome, read_all};
use crate::pattern::class;

/// The characters of a set such as `a-z[:digit:]\n`.
fn set(text: &str) -> Vec<char> {
    let (bytes, _) = unescape(text, false);
    let chars: Vec<char> = String::from_utf8_lossy(&bytes).chars().collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        if chars[i] == '[' && chars.get(i + 1) == Some(&':') {
            let rest: String = chars[i + 2..].iter().collect();
            if let Some(end) = rest.find(":]") {
                out.extend(class(&rest[..end]).iter().flat_map(|(from, to)| *from..=*to));
                i += end + 4;
                continue;
            }
        }
        match (chars.get(i + 1), chars.get(i + 2)) {
            (Some('-'), Some(to)) if *to >= chars[i] => {
                out.extend(chars[i]..=*to);
                i += 3;
            }
            _ => {
                out.push(chars[i]);
                i += 1;
            }
        }
    }
    out
}

/// Replaces, deletes or squeezes characters.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options =
        Options::parse(&args[1..], "+cCds", &[("delete", 'd'), ("squeeze-repeats", 's'), ("complement", 'c')])?;
    let Some(first) = options.operands.first() else { return Err(Fail::Message("missing operand".to_owned())) };
    let (first, second) = (set(first), options.operands.get(1).map(|t| set(t)));
    let complement = options.has('c') || options.has('C');
    let inside = |c: char| first.contains(&c) != complement;
    let squeezed = match (&second, options.has('s')) {
        (Some(second), true) => Some(second.clone()),
        _ => None,
    };
    let text = read_all(io.input)?;
    let mut out = String::new();
    for c in String::from_utf8_lossy(&text).chars() {
        let replaced = match &second {
            _ if !inside(c) => c,
            _ if options.has('d') => continue,
            Some(second) => {
                let at = if complement { usize::MAX } else { first.iter().position(|f| *f == c).unwrap_or(0) };
                second.get(at).or(second.last()).copied().unwrap_or(c)
            }
            None => c,
        };
        let squeeze = options.has('s') && squeezed.as_ref().map_or(inside(c), |s| s.contains(&replaced));
        if !(squeeze && out.ends_with(replaced)) {
            out.push(replaced);
        }
    }
    io.out.write_all(out.as_bytes())?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::check;

    #[test]
    fn tr() {
        check("tr", &["a-z", "A-Z"], "abc\n", "ABC\n");
        check("tr", &["-d", "[:space:]"], "a b\n", "ab");
        check("tr", &["-s", " "], "a   b\n", "a b\n");
        check("tr", &["-cd", "0-9\\n"], "a1b2\n", "12\n");
        check("tr", &["\\n", " "], "a\nb\n", "a b ");
    }
}
