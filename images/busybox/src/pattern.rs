//! Shell patterns: `*`, `?`, `[...]`.

/// One element of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Element {
    Char(char),
    Any,
    Star,
    Set { negated: bool, items: Vec<(char, char)> },
}

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Element>);

impl Pattern {
    /// Compiles characters, each with whether it was quoted and so stands for itself.
    pub fn new(chars: &[(char, bool)]) -> Pattern {
        let mut out = Vec::new();
        let mut i = 0;
        while i < chars.len() {
            let (c, quoted) = chars[i];
            i += 1;
            out.push(match c {
                _ if quoted => Element::Char(c),
                '*' => Element::Star,
                '?' => Element::Any,
                '\\' if i < chars.len() => {
                    i += 1;
                    Element::Char(chars[i - 1].0)
                }
                '[' => match set(&chars[i..]) {
                    Some((element, used)) => {
                        i += used;
                        element
                    }
                    None => Element::Char('['),
                },
                c => Element::Char(c),
            });
        }
        Pattern(out)
    }

    /// Compiles plain text.
    pub fn parse(text: &str) -> Pattern {
        Pattern::new(&text.chars().map(|c| (c, false)).collect::<Vec<_>>())
    }

    /// Whether it matches a whole text.
    pub fn matches(&self, text: &str) -> bool {
        matches(&self.0, &text.chars().collect::<Vec<_>>())
    }
}

fn set(chars: &[(char, bool)]) -> Option<(Element, usize)> {
    let mut i = 0;
    let negated = matches!(chars.first(), Some(('!' | '^', false)));
    if negated {
        i += 1;
    }
    let start = i;
    let mut items = Vec::new();
    loop {
        let (c, _) = *chars.get(i)?;
        if c == ']' && i > start {
            return Some((Element::Set { negated, items }, i + 1));
        }
        if c == '[' && chars.get(i + 1).map(|c| c.0) == Some(':') {
            let rest: String = chars[i + 2..].iter().map(|c| c.0).collect();
            if let Some(end) = rest.find(":]") {
                items.extend_from_slice(class(&rest[..end]));
                i += 4 + end;
                continue;
            }
        }
        match (chars.get(i + 1), chars.get(i + 2)) {
            (Some(('-', _)), Some((to, _))) if *to != ']' => {
                items.push((c, *to));
                i += 3;
            }
            _ => {
                items.push((c, c));
                i += 1;
            }
        }
    }
}

/// The ranges of a POSIX class.
pub fn class(name: &str) -> &'static [(char, char)] {
    match name {
        "alpha" => &[('a', 'z'), ('A', 'Z')],
        "digit" => &[('0', '9')],
        "alnum" => &[('a', 'z'), ('A', 'Z'), ('0', '9')],
        "upper" => &[('A', 'Z')],
        "lower" => &[('a', 'z')],
        "space" => &[(' ', ' '), ('\t', '\r')],
        "blank" => &[(' ', ' '), ('\t', '\t')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "xdigit" => &[('0', '9'), ('a', 'f'), ('A', 'F')],
        "print" => &[(' ', '~')],
        "cntrl" => &[('\0', '\u{1f}'), ('\u{7f}', '\u{7f}')],
        _ => &[],
    }
}

fn one(element: &Element, c: char) -> bool {
    match element {
        Element::Char(own) => *own == c,
        Element::Any => true,
        Element::Star => false,
        Element::Set { negated, items } => items.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated,
    }
}

/// Backtracks to the last star only, so it takes no more than the product of the lengths.
fn matches(pattern: &[Element], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&Element::Star) {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|e| one(e, text[t])) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|e| *e == Element::Star)
}

/// The paths that a pattern of characters matches, sorted; none if it matches nothing.
pub fn glob(chars: &[(char, bool)]) -> Vec<String> {
    let mut paths = vec![String::new()];
    let mut rest = chars;
    while !rest.is_empty() {
        let slashes = rest.iter().take_while(|c| c.0 == '/').count();
        if slashes > 0 {
            paths.iter_mut().for_each(|p| p.push('/'));
            rest = &rest[slashes..];
            continue;
        }
        let end = rest.iter().position(|c| c.0 == '/').unwrap_or(rest.len());
        let (component, after) = rest.split_at(end);
        rest = after;
        let plain: String = component.iter().map(|c| c.0).collect();
        if !component.iter().any(|(c, quoted)| !quoted && matches!(c, '*' | '?' | '[')) {
            paths.iter_mut().for_each(|p| p.push_str(&plain));
            continue;
        }
        let pattern = Pattern::new(component);
        let mut next = Vec::new();
        for path in &paths {
            let folder = if path.is_empty() { "." } else { path.as_str() };
            let mut names: Vec<String> = std::fs::read_dir(folder)
                .into_iter()
                .flatten()
                .filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned()))
                .filter(|n| (!n.starts_with('.') || plain.starts_with('.')) && pattern.matches(n))
                .collect();
            names.sort();
            next.extend(names.into_iter().map(|n| format!("{path}{n}")));
        }
        paths = next;
    }
    paths.retain(|p| std::fs::symlink_metadata(p).is_ok());
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match() {
        for (pattern, text, expected) in [
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txt2", false),
            ("a?c", "abc", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[[:digit:]]*", "1a", true),
            ("\\*", "*", true),
            ("a*b*c", "aXbYbZc", true),
            ("[", "[", true),
            ("", "", true),
        ] {
            assert_eq!(Pattern::parse(pattern).matches(text), expected, "{pattern} {text}");
        }
    }
}
