//! Regular expressions as paths of an Ingress use them: a part of PCRE, by backtracking.
//!
//! Known: literals, `.`, classes with `\d \w \s`, `^ $`, groups with and without a number, alternatives, greedy and lazy
//! repetition. Letters match in either case, as `~*` and `(?i)` say.

/// Steps that one match may take; a pattern that needs more does not match.
const STEPS_MAX: usize = 100_000;
/// The largest number in `{n,m}`.
const REPEATS_MAX: usize = 1_000;
/// Groups within groups.
const DEPTH_MAX: usize = 50;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Char(char),
    Any,
    Set {
        negated: bool,
        items: Vec<(char, char)>,
    },
    Start,
    End,
    /// With its number, unless it captures nothing.
    Group(Option<usize>, Vec<Vec<Piece>>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    node: Node,
    min: usize,
    max: usize,
    lazy: bool,
}

/// A compiled expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    alternatives: Vec<Vec<Piece>>,
    groups: usize,
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    groups: usize,
}

impl Pattern {
    /// Compiles an expression; none if it is wrong, or has what is not known here.
    pub fn new(text: &str) -> Option<Pattern> {
        let text = text.strip_prefix("(?i)").unwrap_or(text);
        let mut parser = Parser { chars: text.chars().map(fold).collect(), at: 0, groups: 0 };
        let alternatives = parser.alternatives(0)?;
        (parser.at == parser.chars.len()).then_some(Pattern { alternatives, groups: parser.groups })
    }

    /// The first match anywhere: the whole and each group, empty where a group took no part.
    pub fn find(&self, text: &str) -> Option<Vec<String>> {
        let original: Vec<char> = text.chars().collect();
        let folded: Vec<char> = original.iter().copied().map(fold).collect();
        let mut run = Run { text: &folded, groups: vec![None; self.groups + 1], steps: 0 };
        for start in 0..=folded.len() {
            run.groups.fill(None);
            let mut end = None;
            let is_found = run.any(&self.alternatives, start, &mut |_, at| {
                end = Some(at);
                true
            });
            if is_found {
                run.groups[0] = Some((start, end.unwrap_or(start)));
                let part = |range: &Option<(usize, usize)>| {
                    range.map_or(String::new(), |(a, b)| original[a..b].iter().collect())
                };
                return Some(run.groups.iter().map(part).collect());
            }
        }
        None
    }
}

fn fold(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    fn takes(&mut self, c: char) -> bool {
        let is_next = self.peek() == Some(c);
        self.at += usize::from(is_next);
        is_next
    }

    fn alternatives(&mut self, depth: usize) -> Option<Vec<Vec<Piece>>> {
        let mut all = vec![Vec::new()];
        while let Some(c) = self.peek() {
            match c {
                ')' if depth > 0 => break,
                '|' => {
                    self.at += 1;
                    all.push(Vec::new());
                }
                _ => {
                    let piece = self.piece(depth)?;
                    all.last_mut()?.push(piece);
                }
            }
        }
        Some(all)
    }

    fn piece(&mut self, depth: usize) -> Option<Piece> {
        let node = match self.next()? {
            '.' => Node::Any,
            '^' => Node::Start,
            '$' => Node::End,
            '[' => self.set()?,
            '(' => self.group(depth)?,
            '\\' => self.escape()?,
            '*' | '+' | '?' | ')' => return None,
            c => Node::Char(c),
        };
        let (min, max) = match self.peek() {
            Some('*') => (0, usize::MAX),
            Some('+') => (1, usize::MAX),
            Some('?') => (0, 1),
            Some('{') if self.chars.get(self.at + 1).is_some_and(char::is_ascii_digit) => self.braces()?,
            _ => return Some(Piece { node, min: 1, max: 1, lazy: false }),
        };
        self.at += 1;
        if self.peek() == Some('+') {
            return None; // possessive
        }
        let lazy = self.takes('?');
        Some(Piece { node, min, max, lazy })
    }

    /// Leaves off at the closing brace.
    fn braces(&mut self) -> Option<(usize, usize)> {
        let end = self.chars[self.at..].iter().position(|c| *c == '}')? + self.at;
        let text: String = self.chars[self.at + 1..end].iter().collect();
        self.at = end;
        let number = |text: &str| text.parse::<usize>().ok().filter(|n| *n <= REPEATS_MAX);
        match text.split_once(',') {
            None => number(&text).map(|n| (n, n)),
            Some((min, "")) => Some((number(min)?, usize::MAX)),
            Some((min, max)) => Some((number(min)?, number(max)?)),
        }
    }

    fn group(&mut self, depth: usize) -> Option<Node> {
        if depth >= DEPTH_MAX {
            return None;
        }
        let number = if self.takes('?') {
            if !self.takes(':') {
                return None; // looking ahead and behind, names
            }
            None
        } else {
            self.groups += 1;
            Some(self.groups)
        };
        let alternatives = self.alternatives(depth + 1)?;
        self.takes(')').then_some(Node::Group(number, alternatives))
    }

    fn escape(&mut self) -> Option<Node> {
        let c = self.next()?;
        if let Some((negated, items)) = class(c) {
            return Some(Node::Set { negated, items });
        }
        match c {
            'n' => Some(Node::Char('\n')),
            't' => Some(Node::Char('\t')),
            c if c.is_ascii_alphanumeric() => None,
            c => Some(Node::Char(c)),
        }
    }

    fn set(&mut self) -> Option<Node> {
        let negated = self.takes('^');
        let mut items = Vec::new();
        loop {
            let c = match self.next()? {
                ']' if !items.is_empty() => return Some(Node::Set { negated, items }),
                '\\' => {
                    let c = self.next()?;
                    if let Some((false, more)) = class(c) {
                        items.extend(more);
                        continue;
                    }
                    c
                }
                c => c,
            };
            if self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']') {
                self.at += 1;
                let end = self.next()?;
                items.push((c, end));
            } else {
                items.push((c, c));
            }
        }
    }
}

/// `\d`, `\w`, `\s`; the case of the letter is gone when it gets here, so the negated ones are not known.
fn class(c: char) -> Option<(bool, Vec<(char, char)>)> {
    match c {
        'd' => Some((false, vec![('0', '9')])),
        'w' => Some((false, vec![('a', 'z'), ('0', '9'), ('_', '_')])),
        's' => Some((false, vec![(' ', ' '), ('\t', '\r')])),
        _ => None,
    }
}

struct Run<'a> {
    text: &'a [char],
    groups: Vec<Option<(usize, usize)>>,
    steps: usize,
}

type Then<'t> = &'t mut dyn FnMut(&mut Run<'_>, usize) -> bool;

impl Run<'_> {
    fn any(&mut self, alternatives: &[Vec<Piece>], at: usize, then: Then<'_>) -> bool {
        alternatives.iter().any(|pieces| self.all(pieces, at, then))
    }

    fn all(&mut self, pieces: &[Piece], at: usize, then: Then<'_>) -> bool {
        match pieces.split_first() {
            None => then(self, at),
            Some((first, rest)) => self.repeat(first, rest, 0, at, then),
        }
    }

    /// `count` repetitions of the piece are behind us.
    fn repeat(&mut self, piece: &Piece, rest: &[Piece], count: usize, at: usize, then: Then<'_>) -> bool {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return false;
        }
        let may_end = count >= piece.min;
        if may_end && piece.lazy && self.all(rest, at, then) {
            return true;
        }
        let goes_on = count < piece.max
            && self.once(&piece.node, at, &mut |run, end| {
                // What matches nothing is not repeated for ever.
                (end > at || !may_end) && run.repeat(piece, rest, count + 1, end, then)
            });
        goes_on || (may_end && !piece.lazy && self.all(rest, at, then))
    }

    fn once(&mut self, node: &Node, at: usize, then: Then<'_>) -> bool {
        let c = self.text.get(at).copied();
        let takes = match node {
            Node::Char(wanted) => c == Some(*wanted),
            Node::Any => c.is_some_and(|c| c != '\n'),
            Node::Set { negated, items } => {
                c.is_some_and(|c| items.iter().any(|(a, b)| (*a..=*b).contains(&c)) != *negated)
            }
            Node::Start => return at == 0 && then(self, at),
            Node::End => return at == self.text.len() && then(self, at),
            Node::Group(number, alternatives) => {
                let Some(number) = *number else { return self.any(alternatives, at, then) };
                let before = self.groups[number];
                let is_found = self.any(alternatives, at, &mut |run, end| {
                    let outer = run.groups[number];
                    run.groups[number] = Some((at, end));
                    let goes_on = then(run, end);
                    if !goes_on {
                        run.groups[number] = outer;
                    }
                    goes_on
                });
                if !is_found {
                    self.groups[number] = before;
                }
                return is_found;
            }
        };
        takes && then(self, at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: Option<&[&str]>) {
        let found = Pattern::new(pattern).expect("a pattern").find(text);
        assert_eq!(found, expected.map(|e| e.iter().map(|s| (*s).to_owned()).collect()), "{pattern} in {text}");
    }

    #[test]
    fn paths_of_ingresses() {
        check("/something(/|$)(.*)", "/something/new", Some(&["/something/new", "/", "new"]));
        check("/something(/|$)(.*)", "/something", Some(&["/something", "", ""]));
        check("/something(/|$)(.*)", "/somethingelse", None);
        check("^/foo/.*/bar/[A-Z0-9]{3}", "/FOO/x/y/bar/ab1", Some(&["/FOO/x/y/bar/ab1"]));
        check("/(.*)", "/v2/Caf\u{e9}", Some(&["/v2/Caf\u{e9}", "v2/Caf\u{e9}"]));
        check(r"/user/(\d+)$", "/user/42", Some(&["/user/42", "42"]));
        check(r"/user/(\d+)$", "/user/me", None);
        check("/(?:a|b)/(.+?)/(.*)", "/b/x/y/z", Some(&["/b/x/y/z", "x", "y/z"]));
        check("/a(b)?c", "/ac", Some(&["/ac", ""]));
        check("/(a*)*b", &format!("/{}", "a".repeat(40)), None);
        check("/v[^/]+/x", "/v1/x", Some(&["/v1/x"]));
    }

    #[test]
    fn what_is_not_known_is_no_pattern() {
        for pattern in ["/(?=x)", "/(a", "/a)", r"/(a)\1", "/a**", "*", "/[a", "/a{3000}"] {
            assert!(Pattern::new(pattern).is_none(), "{pattern}");
        }
    }
}
