//! Regular expressions of grep and sed: basic and extended, by backtracking.

use crate::pattern::class;

/// Steps that one match may take; a pattern that needs more does not match.
const STEPS_MAX: usize = 200_000;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Char(char),
    Any,
    Set { negated: bool, items: Vec<(char, char)> },
    Start,
    End,
    WordStart,
    WordEnd,
    WordBoundary,
    Group(usize, Vec<Vec<Piece>>),
    Back(usize),
}

/// A node with how often it may repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    node: Node,
    min: usize,
    max: usize,
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Regex {
    alternatives: Vec<Vec<Piece>>,
    groups: usize,
    ignore_case: bool,
}

/// Where the whole and each group matched, in characters.
pub type Groups = Vec<Option<(usize, usize)>>;

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
    extended: bool,
    groups: usize,
    depth: usize,
}

impl Regex {
    /// Compiles an expression.
    ///
    /// # Errors
    /// A sentence about the expression.
    pub fn new(text: &str, extended: bool, ignore_case: bool) -> Result<Regex, String> {
        let folded = if ignore_case { text.to_lowercase() } else { text.to_owned() };
        let chars: Vec<char> = folded.chars().collect();
        let mut parser = Parser { chars: &chars, at: 0, extended, groups: 0, depth: 0 };
        let alternatives = parser.alternatives()?;
        if parser.at < chars.len() {
            return Err("Unmatched ) or \\)".to_owned());
        }
        Ok(Regex { alternatives, groups: parser.groups, ignore_case })
    }

    /// Compiles plain text.
    pub fn fixed(text: &str, ignore_case: bool) -> Regex {
        let folded = if ignore_case { text.to_lowercase() } else { text.to_owned() };
        let pieces = folded.chars().map(|c| Piece { node: Node::Char(c), min: 1, max: 1 }).collect();
        Regex { alternatives: vec![pieces], groups: 0, ignore_case }
    }

    /// The first match at or after a position.
    pub fn find(&self, text: &[char], from: usize) -> Option<Groups> {
        let folded: Vec<char>;
        let haystack = if self.ignore_case {
            folded = text.iter().map(|c| c.to_lowercase().next().unwrap_or(*c)).collect();
            &folded[..]
        } else {
            text
        };
        for start in from..=haystack.len() {
            let mut run = Run { text: haystack, groups: vec![None; self.groups + 1], steps: 0 };
            let mut end = None;
            if run.alternatives(&self.alternatives, start, &mut |_, at| {
                end = Some(at);
                true
            }) {
                run.groups[0] = end.map(|end| (start, end));
                return Some(run.groups);
            }
        }
        None
    }

    /// Whether it matches somewhere.
    pub fn is_match(&self, text: &str) -> bool {
        self.find(&text.chars().collect::<Vec<_>>(), 0).is_some()
    }
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Whether an operator stands here: bare in extended expressions, after a backslash in basic ones.
    fn operator(&self, op: char) -> Option<usize> {
        if self.extended {
            (self.peek() == Some(op)).then_some(1)
        } else {
            (self.peek() == Some('\\') && self.chars.get(self.at + 1) == Some(&op)).then_some(2)
        }
    }

    fn alternatives(&mut self) -> Result<Vec<Vec<Piece>>, String> {
        self.depth += 1;
        if self.depth > 50 {
            return Err("Regular expression too big".to_owned());
        }
        let mut all = vec![self.sequence()?];
        while let Some(length) = self.operator('|') {
            self.at += length;
            all.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(all)
    }

    fn sequence(&mut self) -> Result<Vec<Piece>, String> {
        let mut pieces: Vec<Piece> = Vec::new();
        while self.peek().is_some() && self.operator('|').is_none() && self.operator(')').is_none() {
            let first = pieces.is_empty();
            let node = self.node(first)?;
            let mut piece = Piece { node, min: 1, max: 1 };
            self.repeat(&mut piece)?;
            pieces.push(piece);
        }
        Ok(pieces)
    }

    fn repeat(&mut self, piece: &mut Piece) -> Result<(), String> {
        loop {
            let (min, max, length) = if self.peek() == Some('*') {
                (0, usize::MAX, 1)
            } else if let Some(length) = self.operator('+') {
                (1, usize::MAX, length)
            } else if let Some(length) = self.operator('?') {
                (0, 1, length)
            } else if let Some(length) = self.operator('{') {
                let (min, max, used) = self.interval(self.at + length)?;
                (min, max, length + used)
            } else {
                return Ok(());
            };
            self.at += length;
            if matches!(piece.node, Node::Start | Node::End) {
                return Err("Invalid preceding regular expression".to_owned());
            }
            piece.min = if piece.min == 0 { 0 } else { min };
            piece.max = if piece.max > 1 && max > 0 { piece.max } else { max };
        }
    }

    fn interval(&self, from: usize) -> Result<(usize, usize, usize), String> {
        let close: &[char] = if self.extended { &['}'] } else { &['\\', '}'] };
        let rest = &self.chars[from..];
        let end = rest.windows(close.len()).position(|w| w == close).ok_or("Unmatched { or \\{")?;
        let text: String = rest[..end].iter().collect();
        let bad = |_| "Invalid content of \\{\\}".to_owned();
        let (min, max) = match text.split_once(',') {
            None => {
                let n = text.parse().map_err(bad)?;
                (n, n)
            }
            Some((min, "")) => (min.parse().map_err(bad)?, usize::MAX),
            Some((min, max)) => (if min.is_empty() { 0 } else { min.parse().map_err(bad)? }, max.parse().map_err(bad)?),
        };
        Ok((min, max, end + close.len()))
    }

    fn node(&mut self, first: bool) -> Result<Node, String> {
        if let Some(length) = self.operator('(') {
            self.at += length;
            self.groups += 1;
            let number = self.groups;
            let inner = self.alternatives()?;
            let length = self.operator(')').ok_or("Unmatched ( or \\(")?;
            self.at += length;
            return Ok(Node::Group(number, inner));
        }
        let c = self.chars[self.at];
        self.at += 1;
        Ok(match c {
            '.' => Node::Any,
            '[' => self.set()?,
            '^' if self.extended || first => Node::Start,
            '$' if self.extended
                || self.at == self.chars.len()
                || self.operator(')').is_some()
                || self.operator('|').is_some() =>
            {
                Node::End
            }
            '\\' => {
                let escaped = self.peek().ok_or("Trailing backslash")?;
                self.at += 1;
                match escaped {
                    'w' => Node::Set { negated: false, items: word() },
                    'W' => Node::Set { negated: true, items: word() },
                    's' => Node::Set { negated: false, items: class("space").to_vec() },
                    'S' => Node::Set { negated: true, items: class("space").to_vec() },
                    'd' if self.extended => Node::Set { negated: false, items: class("digit").to_vec() },
                    'b' => Node::WordBoundary,
                    '<' => Node::WordStart,
                    '>' => Node::WordEnd,
                    'n' => Node::Char('\n'),
                    't' => Node::Char('\t'),
                    digit @ '1'..='9' => Node::Back(digit as usize - '0' as usize),
                    other => Node::Char(other),
                }
            }
            c => Node::Char(c),
        })
    }

    fn set(&mut self) -> Result<Node, String> {
        let negated = self.peek() == Some('^');
        if negated {
            self.at += 1;
        }
        let start = self.at;
        let mut items = Vec::new();
        loop {
            let c = self.peek().ok_or("Unmatched [, [^, [:, [., or [=")?;
            if c == ']' && self.at > start {
                self.at += 1;
                return Ok(Node::Set { negated, items });
            }
            if c == '[' && self.chars.get(self.at + 1) == Some(&':') {
                let rest: String = self.chars[self.at + 2..].iter().collect();
                if let Some(end) = rest.find(":]") {
                    items.extend_from_slice(class(&rest[..end]));
                    self.at += end + 4;
                    continue;
                }
            }
            match (self.chars.get(self.at + 1), self.chars.get(self.at + 2)) {
                (Some('-'), Some(to)) if *to != ']' => {
                    items.push((c, *to));
                    self.at += 3;
                }
                _ => {
                    items.push((c, c));
                    self.at += 1;
                }
            }
        }
    }
}

fn word() -> Vec<(char, char)> {
    let mut items = class("alnum").to_vec();
    items.push(('_', '_'));
    items
}

struct Run<'a> {
    text: &'a [char],
    groups: Groups,
    steps: usize,
}

type Next<'n> = &'n mut dyn FnMut(&mut Run<'_>, usize) -> bool;

impl Run<'_> {
    fn alternatives(&mut self, all: &[Vec<Piece>], at: usize, next: Next<'_>) -> bool {
        all.iter().any(|pieces| self.sequence(pieces, at, next))
    }

    fn sequence(&mut self, pieces: &[Piece], at: usize, next: Next<'_>) -> bool {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return false;
        }
        match pieces.split_first() {
            None => next(self, at),
            Some((piece, rest)) => self.piece(piece, rest, at, 0, next),
        }
    }

    /// Tries to match a piece once more, then what follows; greedy.
    fn piece(&mut self, piece: &Piece, rest: &[Piece], at: usize, count: usize, next: Next<'_>) -> bool {
        if let Some(single) = self.single(&piece.node) {
            return self.run_of(single, piece, rest, at, next);
        }
        if count < piece.max {
            let matched = self.node(&piece.node, at, &mut |run, end| {
                // An empty repetition would go on for ever.
                (end > at || count < piece.min) && run.piece(piece, rest, end, count + 1, next)
            });
            if matched {
                return true;
            }
        }
        count >= piece.min && self.sequence(rest, at, next)
    }

    /// The test of a node that matches exactly one character.
    fn single<'n>(&self, node: &'n Node) -> Option<&'n Node> {
        matches!(node, Node::Char(_) | Node::Any | Node::Set { .. }).then_some(node)
    }

    fn run_of(&mut self, node: &Node, piece: &Piece, rest: &[Piece], at: usize, next: Next<'_>) -> bool {
        let mut end = at;
        while end - at < piece.max && self.text.get(end).is_some_and(|c| one(node, *c)) {
            end += 1;
        }
        loop {
            if end - at < piece.min {
                return false;
            }
            if self.sequence(rest, end, next) {
                return true;
            }
            if end == at {
                return false;
            }
            end -= 1;
        }
    }

    fn is_word(&self, at: usize) -> bool {
        self.text.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_')
    }

    fn node(&mut self, node: &Node, at: usize, next: Next<'_>) -> bool {
        let before = at > 0 && self.is_word(at - 1);
        let here = self.is_word(at);
        match node {
            Node::Start => at == 0 && next(self, at),
            Node::End => at == self.text.len() && next(self, at),
            Node::WordStart => !before && here && next(self, at),
            Node::WordEnd => before && !here && next(self, at),
            Node::WordBoundary => before != here && next(self, at),
            Node::Group(number, inner) => {
                let saved = self.groups[*number];
                let matched = self.alternatives(inner, at, &mut |run, end| {
                    let before = run.groups[*number];
                    run.groups[*number] = Some((at, end));
                    if next(run, end) {
                        return true;
                    }
                    run.groups[*number] = before;
                    false
                });
                if !matched {
                    self.groups[*number] = saved;
                }
                matched
            }
            Node::Back(number) => {
                let Some((from, to)) = self.groups.get(*number).copied().flatten() else { return false };
                let length = to - from;
                self.text.get(at..at + length) == Some(&self.text[from..to]) && next(self, at + length)
            }
            single => self.text.get(at).is_some_and(|c| one(single, *c)) && next(self, at + 1),
        }
    }
}

fn one(node: &Node, c: char) -> bool {
    match node {
        Node::Char(own) => *own == c,
        Node::Any => c != '\n',
        Node::Set { negated, items } => items.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, extended: bool, text: &str) -> Option<String> {
        let chars: Vec<char> = text.chars().collect();
        let groups = Regex::new(pattern, extended, false).expect(pattern).find(&chars, 0)?;
        groups[0].map(|(from, to)| chars[from..to].iter().collect())
    }

    #[test]
    fn expressions_match() {
        for (pattern, extended, text, expected) in [
            ("b.*d", false, "abcde", Some("bcd")),
            ("^a", false, "ba", None),
            ("a$", false, "ba", Some("a")),
            ("a+", false, "a+", Some("a+")),
            ("a+", true, "caat", Some("aa")),
            ("a\\+", false, "caat", Some("aa")),
            ("(ab|cd)+e", true, "xabcde", Some("abcde")),
            ("\\(a\\)\\1", false, "baa", Some("aa")),
            ("[0-9]{2,3}", true, "a1234", Some("123")),
            ("[^[:space:]]+", true, " ab ", Some("ab")),
            ("\\bfoo\\b", true, "a foo b", Some("foo")),
            ("x*", false, "aaa", Some("")),
            ("colou?r", true, "color", Some("color")),
            ("(a*)*b", true, "aaaaaaaaaaaaaaaaaaaaaaac", None),
            ("a|b|", true, "c", Some("")),
            ("v=[12]", false, "| v=2", Some("v=2")),
        ] {
            assert_eq!(found(pattern, extended, text).as_deref(), expected, "{pattern} {text}");
        }
        assert!(Regex::new("(a", true, false).is_err() && Regex::new("[a", false, false).is_err());
        assert!(Regex::new("ABC", false, true).expect("a pattern").is_match("xaBcx"));
    }
}
