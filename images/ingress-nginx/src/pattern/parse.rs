//! Reads expressions.

/// The largest number in `{n,m}`.
const REPEATS_MAX: usize = 1_000;
/// Groups within groups: reading them takes stack, of which a guest has little.
const DEPTH_MAX: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
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
pub(super) struct Piece {
    pub(super) node: Node,
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) lazy: bool,
}

pub(super) struct Parser {
    chars: Vec<char>,
    at: usize,
    groups: usize,
}

impl Parser {
    pub(super) fn new(text: &str) -> Parser {
        Parser { chars: text.chars().collect(), at: 0, groups: 0 }
    }

    /// All of it; none if it is wrong.
    pub(super) fn whole(&mut self) -> Option<Vec<Vec<Piece>>> {
        let alternatives = self.alternatives(0)?;
        (self.at == self.chars.len()).then_some(alternatives)
    }

    /// Groups with a number.
    pub(super) fn groups(&self) -> usize {
        self.groups
    }

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
            Some((min, max)) => Some((number(min)?, number(max)?)).filter(|(min, max)| min <= max),
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
        match class(c) {
            Some(items) => Some(Node::Set { negated: false, items }),
            None => literal(c).map(Node::Char),
        }
    }

    fn set(&mut self) -> Option<Node> {
        let negated = self.takes('^');
        let mut items = Vec::new();
        let mut is_first = true;
        loop {
            let c = match self.next()? {
                ']' if !is_first => return Some(Node::Set { negated, items }),
                '[' if matches!(self.peek(), Some(':')) => {
                    items.extend(self.posix()?);
                    is_first = false;
                    continue;
                }
                // Collating elements, which PCRE refuses too.
                '[' if matches!(self.peek(), Some('.' | '=')) => return None,
                '\\' => {
                    let c = self.next()?;
                    if let Some(more) = class(c) {
                        items.extend(more);
                        is_first = false;
                        continue;
                    }
                    literal(c)?
                }
                c => c,
            };
            is_first = false;
            let mut end = c;
            if self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']') {
                self.at += 1;
                end = match self.next()? {
                    '\\' => self.next().and_then(literal)?,
                    end => end,
                };
            }
            if end < c {
                return None;
            }
            items.push((c, end));
        }
    }

    /// `[:alnum:]`, from its colon on.
    fn posix(&mut self) -> Option<Vec<(char, char)>> {
        self.at += 1;
        let negated = self.takes('^');
        let end = self.chars[self.at..].windows(2).position(|two| two == [':', ']'])? + self.at;
        let name: String = self.chars[self.at..end].iter().collect();
        self.at = end + 2;
        let items = match name.as_str() {
            // Case does not count.
            "alpha" | "lower" | "upper" => vec![('A', 'Z'), ('a', 'z')],
            "alnum" => vec![('0', '9'), ('A', 'Z'), ('a', 'z')],
            "word" => WORD.to_vec(),
            "digit" => DIGIT.to_vec(),
            "xdigit" => vec![('0', '9'), ('A', 'F'), ('a', 'f')],
            "space" => SPACE.to_vec(),
            "blank" => vec![('\t', '\t'), (' ', ' ')],
            "cntrl" => vec![('\0', '\x1f'), ('\x7f', '\x7f')],
            "graph" => vec![('!', '~')],
            "print" => vec![(' ', '~')],
            "punct" => vec![('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
            _ => return None,
        };
        Some(if negated { opposite(&items) } else { items })
    }
}

const DIGIT: &[(char, char)] = &[('0', '9')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
const SPACE: &[(char, char)] = &[('\t', '\r'), (' ', ' ')];

/// `\d`, `\w`, `\s` and their opposites.
fn class(c: char) -> Option<Vec<(char, char)>> {
    match c {
        'd' => Some(DIGIT.to_vec()),
        'w' => Some(WORD.to_vec()),
        's' => Some(SPACE.to_vec()),
        'D' => Some(opposite(DIGIT)),
        'W' => Some(opposite(WORD)),
        'S' => Some(opposite(SPACE)),
        _ => None,
    }
}

/// What a backslash before a character means; none for what is not known.
fn literal(c: char) -> Option<char> {
    match c {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        'f' => Some('\x0c'),
        c if c.is_ascii_alphanumeric() => None,
        c => Some(c),
    }
}

/// All characters that are in none of these ranges, which are of ASCII and in order.
fn opposite(items: &[(char, char)]) -> Vec<(char, char)> {
    let (mut all, mut from) = (Vec::new(), '\0');
    for (first, last) in items {
        if from < *first {
            all.push((from, char::from(*first as u8 - 1)));
        }
        from = char::from(*last as u8 + 1);
    }
    all.push((from, char::MAX));
    all
}
