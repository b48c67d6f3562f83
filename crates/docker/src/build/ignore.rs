//! `.dockerignore` (`github.com/moby/patternmatcher`): which files of a folder are not sent to a build.

/// The patterns of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ignore(Vec<(Vec<String>, bool)>);

impl Ignore {
    pub(crate) fn parse(text: &str) -> Ignore {
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let pattern = |line: &str| {
            let (line, is_kept) = line.strip_prefix('!').map_or((line, false), |rest| (rest.trim(), true));
            let parts = line.split('/').filter(|part| !part.is_empty() && *part != ".");
            (parts.map(str::to_owned).collect::<Vec<_>>(), is_kept)
        };
        Ignore(lines.map(pattern).filter(|(parts, _)| !parts.is_empty()).collect())
    }

    /// Whether a path below the folder, e.g. `a/b`, is left out: the last pattern that fits it or a folder above decides.
    pub(crate) fn leaves_out(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let mut is_out = false;
        for (pattern, is_kept) in &self.0 {
            let pattern: Vec<&str> = pattern.iter().map(String::as_str).collect();
            if (1..=parts.len()).any(|length| fits(&pattern, &parts[..length])) {
                is_out = !is_kept;
            }
        }
        is_out
    }
}

fn fits(pattern: &[&str], path: &[&str]) -> bool {
    matches(pattern, path, |part| *part == "**", |part, name| part_fits(part, name))
}

/// Whether one part of a path fits a pattern with `*`, `?` and `[...]` (Go's `filepath.Match`).
pub(crate) fn part_fits(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    matches(&tokens(pattern), &name, |token| *token == Token::Any, Token::is)
}

/// Whether items fit a pattern in which some stand for any number of them. Only the last of those is ever tried again, so that it
/// takes at most the product of both lengths.
fn matches<P, N>(pattern: &[P], items: &[N], is_any: impl Fn(&P) -> bool, is_one: impl Fn(&P, &N) -> bool) -> bool {
    let (mut at, mut item, mut back) = (0, 0, None);
    while item < items.len() {
        match pattern.get(at) {
            Some(part) if is_any(part) => {
                back = Some((at + 1, item));
                at += 1;
            }
            Some(part) if is_one(part, &items[item]) => {
                at += 1;
                item += 1;
            }
            _ => {
                let Some((after, from)) = back else { return false };
                back = Some((after, from + 1));
                (at, item) = (after, from + 1);
            }
        }
    }
    pattern[at..].iter().all(is_any)
}

/// What stands in a pattern for characters of a name.
#[derive(Debug, PartialEq)]
enum Token {
    /// `*`
    Any,
    /// `?`
    One,
    /// `[...]`: characters, ranges, and whether they are those that are not meant.
    Set(Vec<char>, bool),
    Char(char),
    /// A set that has no end.
    Nothing,
}

impl Token {
    fn is(&self, c: &char) -> bool {
        match self {
            Token::Any | Token::Nothing => false,
            Token::One => true,
            Token::Char(own) => own == c,
            Token::Set(set, is_not) => {
                let in_range = set.windows(3).any(|w| w[1] == '-' && (w[0]..=w[2]).contains(c));
                (set.contains(c) || in_range) != *is_not
            }
        }
    }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        found.push(match first {
            '*' => Token::Any,
            '?' => Token::One,
            '[' => match rest.split_once(']') {
                Some((set, after)) => {
                    rest = after;
                    let (set, is_not) = set.strip_prefix('^').map_or((set, false), |set| (set, true));
                    Token::Set(set.chars().collect(), is_not)
                }
                None => Token::Nothing,
            },
            '\\' => match rest.chars().next() {
                Some(c) => {
                    rest = &rest[c.len_utf8()..];
                    Token::Char(c)
                }
                None => Token::Char('\\'),
            },
            c => Token::Char(c),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_fits_decides() {
        let ignore = Ignore::parse("# comment\n*.log\n**/tmp\nnode_modules/\n!keep.log\n/docs/*.md\n");
        for (path, is_out) in [
            ("a.log", true),
            ("keep.log", false),
            ("sub/a.log", false),
            ("a/b/tmp/x", true),
            ("tmp", true),
            ("node_modules/x/y.js", true),
            ("docs/a.md", true),
            ("docs/sub/a.md", false),
            ("Dockerfile", false),
        ] {
            assert_eq!(ignore.leaves_out(path), is_out, "{path}");
        }
        assert!(part_fits("a[0-9]?", "a5x") && !part_fits("a[^0-9]", "a5"));
        assert!(part_fits("*.t\\*", "a.b.t*") && !part_fits("*[a", "xa") && part_fits("**", ""));
    }

    #[test]
    fn many_stars_take_no_longer_than_they_must() {
        assert!(!part_fits(&format!("{}b", "*a".repeat(500)), &"a".repeat(5_000)));
        let pattern = format!("{}b", "**/a/".repeat(60));
        assert!(!Ignore::parse(&pattern).leaves_out(&["a"; 120].join("/")));
        assert!(Ignore::parse("a/**/b/**/c").leaves_out("a/x/b/b/y/c"));
    }
}
