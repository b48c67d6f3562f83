//! Regular expressions as paths of an Ingress use them: a part of PCRE, by backtracking.
//!
//! Known: literals, `.`, classes with `\d \w \s`, their opposites and `[:alnum:]` and the like, `^ $`, groups with and without a
//! number, alternatives, greedy and lazy repetition. Letters match in either case, as `~*` and `(?i)` say.
//!
//! An expression becomes a list of instructions, and what is still to be tried lies on a heap: a guest's stack is small.

mod parse;

use parse::{Node, Parser, Piece};

/// Steps that one match may take, as PCRE has its match limit: nginx answers 500 beyond it.
const STEPS_MAX: usize = 200_000;
/// Ways that may be left to try.
const WAYS_MAX: usize = 100_000;
/// Instructions of one expression; repeated groups are written out.
const INSTRUCTIONS_MAX: usize = 5_000;

/// The match needs more than it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMuch;

/// What takes one character.
#[derive(Clone, Debug, PartialEq, Eq)]
enum One {
    Char(char),
    Any,
    Set { negated: bool, items: Vec<(char, char)> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    One(One),
    /// So many of the same, without a way back for each.
    Many {
        one: One,
        min: usize,
        max: usize,
        lazy: bool,
    },
    Start,
    End,
    /// Notes where it is: an end of a group, or the beginning of a repetition.
    Mark(usize),
    /// A repetition that took nothing is none.
    Moved(usize),
    /// This way first, and then that one.
    Split(usize, usize),
    Jump(usize),
}

/// A compiled expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    steps: Vec<Step>,
    groups: usize,
    marks: usize,
}

impl Pattern {
    /// Compiles an expression; none if it is wrong, or has what is not known here.
    pub fn new(text: &str) -> Option<Pattern> {
        let text = text.strip_prefix("(?i)").unwrap_or(text);
        let mut parser = Parser::new(text);
        let alternatives = parser.whole()?;
        let groups = parser.groups();
        let mut pattern = Pattern { steps: Vec::new(), groups, marks: 2 * (groups + 1) };
        pattern.alternatives(&alternatives)?;
        Some(pattern)
    }

    /// The first match anywhere: the whole and each group, empty where a group took no part.
    ///
    /// # Errors
    /// [`TooMuch`] if it cannot be found within [`STEPS_MAX`].
    pub fn find(&self, text: &str) -> Result<Option<Vec<String>>, TooMuch> {
        let text: Vec<char> = text.chars().collect();
        let mut run = Run { pattern: self, text: &text, marks: vec![None; self.marks], ways: Vec::new(), steps: 0 };
        // What begins with `^` is at the beginning or nowhere.
        let last = if self.steps.first() == Some(&Step::Start) { 0 } else { text.len() };
        for start in 0..=last {
            run.marks.fill(None);
            let Some(end) = run.matches(start)? else { continue };
            (run.marks[0], run.marks[1]) = (Some(start), Some(end));
            let part = |pair: &[Option<usize>]| match pair {
                [Some(a), Some(b)] => text.get(*a..*b).map_or(String::new(), |part| part.iter().collect()),
                _ => String::new(),
            };
            return Ok(Some(run.marks[..2 * (self.groups + 1)].chunks(2).map(part).collect()));
        }
        Ok(None)
    }

    fn put(&mut self, step: Step) -> Option<usize> {
        self.steps.push(step);
        (self.steps.len() <= INSTRUCTIONS_MAX).then(|| self.steps.len() - 1)
    }

    fn alternatives(&mut self, all: &[Vec<Piece>]) -> Option<()> {
        let mut ends = Vec::new();
        for (index, pieces) in all.iter().enumerate() {
            let is_last = index + 1 == all.len();
            let split = if is_last { None } else { Some(self.put(Step::Split(0, 0))?) };
            pieces.iter().try_for_each(|piece| self.piece(piece))?;
            if let Some(split) = split {
                ends.push(self.put(Step::Jump(0))?);
                self.steps[split] = Step::Split(split + 1, self.steps.len());
            }
        }
        let after = self.steps.len();
        ends.into_iter().for_each(|end| self.steps[end] = Step::Jump(after));
        Some(())
    }

    fn piece(&mut self, piece: &Piece) -> Option<()> {
        let Piece { node, min, max, lazy } = piece;
        let one = match node {
            Node::Char(c) => Some(One::Char(*c)),
            Node::Any => Some(One::Any),
            Node::Set { negated, items } => Some(One::Set { negated: *negated, items: items.clone() }),
            _ => None,
        };
        match one {
            Some(one) if (*min, *max) == (1, 1) => self.put(Step::One(one)).map(drop),
            Some(one) => self.put(Step::Many { one, min: *min, max: *max, lazy: *lazy }).map(drop),
            None => self.repeated(node, *min, *max, *lazy),
        }
    }

    fn repeated(&mut self, node: &Node, min: usize, max: usize, lazy: bool) -> Option<()> {
        for _ in 0..min {
            self.node(node)?;
        }
        if max == usize::MAX {
            let mark = self.marks;
            self.marks += 1;
            let split = self.put(Step::Split(0, 0))?;
            self.put(Step::Mark(mark))?;
            self.node(node)?;
            self.put(Step::Moved(mark))?;
            self.put(Step::Jump(split))?;
            self.steps[split] = either(split + 1, self.steps.len(), lazy);
            return Some(());
        }
        let mut splits = Vec::new();
        for _ in min..max {
            splits.push(self.put(Step::Split(0, 0))?);
            self.node(node)?;
        }
        let after = self.steps.len();
        splits.into_iter().for_each(|split| self.steps[split] = either(split + 1, after, lazy));
        Some(())
    }

    fn node(&mut self, node: &Node) -> Option<()> {
        match node {
            Node::Start => self.put(Step::Start).map(drop),
            Node::End => self.put(Step::End).map(drop),
            Node::Group(None, all) => {
                // So that an empty one counts too.
                self.put(Step::Jump(self.steps.len() + 1))?;
                self.alternatives(all)
            }
            Node::Group(Some(number), all) => {
                self.put(Step::Mark(2 * number))?;
                self.alternatives(all)?;
                self.put(Step::Mark(2 * number + 1)).map(drop)
            }
            // These are taken one at a time, in `piece`.
            Node::Char(_) | Node::Any | Node::Set { .. } => None,
        }
    }
}

fn either(more: usize, after: usize, lazy: bool) -> Step {
    if lazy { Step::Split(after, more) } else { Step::Split(more, after) }
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

impl One {
    fn takes(&self, c: char) -> bool {
        match self {
            One::Char(wanted) => c == *wanted || lower(c) == lower(*wanted),
            One::Any => c != '\n',
            One::Set { negated, items } => {
                let upper = c.to_uppercase().next().unwrap_or(c);
                let has = |c: char| items.iter().any(|(a, b)| (*a..=*b).contains(&c));
                (has(c) || has(lower(c)) || has(upper)) != *negated
            }
        }
    }
}

/// What is tried when the way that was taken leads nowhere.
enum Way {
    /// Goes on with a step at a place.
    At(usize, usize),
    /// A mark as it was.
    Mark(usize, Option<usize>),
    /// One less of many that were taken: the next step, at least from here, and now here.
    Less(usize, usize, usize),
    /// One more of many: the step itself, where it is, and how many more there may be.
    More(usize, usize, usize),
}

struct Run<'a> {
    pattern: &'a Pattern,
    text: &'a [char],
    marks: Vec<Option<usize>>,
    ways: Vec<Way>,
    steps: usize,
}

impl Run<'_> {
    fn count(&mut self, steps: usize) -> Result<(), TooMuch> {
        self.steps += steps;
        if self.steps > STEPS_MAX || self.ways.len() > WAYS_MAX { Err(TooMuch) } else { Ok(()) }
    }

    /// Where a match that begins at a place ends.
    fn matches(&mut self, start: usize) -> Result<Option<usize>, TooMuch> {
        self.ways.clear();
        let (mut step, mut at) = (0, start);
        loop {
            self.count(1)?;
            let pattern = self.pattern;
            let Some(now) = pattern.steps.get(step) else { return Ok(Some(at)) };
            let next = match now {
                Step::One(one) => self.text.get(at).is_some_and(|c| one.takes(*c)).then(|| (step + 1, at + 1)),
                Step::Many { one, min, max, lazy } => self.many(one, (*min, *max), *lazy, step, at)?,
                Step::Start => (at == 0).then_some((step + 1, at)),
                Step::End => {
                    let is_end = at == self.text.len() || (at + 1 == self.text.len() && self.text[at] == '\n');
                    is_end.then_some((step + 1, at))
                }
                Step::Mark(mark) => {
                    self.ways.push(Way::Mark(*mark, self.marks[*mark]));
                    self.marks[*mark] = Some(at);
                    Some((step + 1, at))
                }
                Step::Moved(mark) => (self.marks[*mark] != Some(at)).then_some((step + 1, at)),
                Step::Split(first, second) => {
                    self.ways.push(Way::At(*second, at));
                    Some((*first, at))
                }
                Step::Jump(to) => Some((*to, at)),
            };
            match next {
                Some(next) => (step, at) = next,
                None => match self.other_way()? {
                    Some(other) => (step, at) = other,
                    None => return Ok(None),
                },
            }
        }
    }

    /// Takes as many as it can, or as few.
    fn many(
        &mut self,
        one: &One,
        (min, max): (usize, usize),
        lazy: bool,
        step: usize,
        at: usize,
    ) -> Result<Option<(usize, usize)>, TooMuch> {
        let wanted = if lazy { min } else { max };
        let taken = self.text[at..].iter().take(wanted).take_while(|c| one.takes(**c)).count();
        self.count(taken)?;
        if taken < min {
            return Ok(None);
        }
        if lazy && max > min {
            self.ways.push(Way::More(step, at + taken, max - min));
        } else if taken > min {
            self.ways.push(Way::Less(step + 1, at + min, at + taken));
        }
        Ok(Some((step + 1, at + taken)))
    }

    /// The way that was left last.
    fn other_way(&mut self) -> Result<Option<(usize, usize)>, TooMuch> {
        while let Some(way) = self.ways.pop() {
            self.count(1)?;
            match way {
                Way::At(step, at) => return Ok(Some((step, at))),
                Way::Mark(mark, before) => self.marks[mark] = before,
                Way::Less(next, least, at) => {
                    if at - 1 > least {
                        self.ways.push(Way::Less(next, least, at - 1));
                    }
                    return Ok(Some((next, at - 1)));
                }
                Way::More(step, at, left) => {
                    let Some(Step::Many { one, .. }) = self.pattern.steps.get(step) else { continue };
                    if self.text.get(at).is_some_and(|c| one.takes(*c)) {
                        if left > 1 {
                            self.ways.push(Way::More(step, at + 1, left.saturating_sub(1)));
                        }
                        return Ok(Some((step + 1, at + 1)));
                    }
                }
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: Option<&[&str]>) {
        let found = Pattern::new(pattern).expect("a pattern").find(text).expect("few steps");
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
        check("/v[^/]+/x", "/v1/x", Some(&["/v1/x"]));
    }

    #[test]
    fn what_is_not_known_is_no_pattern() {
        for pattern in [
            "/(?=x)",
            "/(a",
            "/a)",
            r"/(a)\1",
            "/a**",
            "*",
            "/[a",
            "/a{3000}",
            r"/\bx",
            "/[z-a]",
            "/[[:nonsense:]]",
            "/(((a{9}){999}){999}){999}",
        ] {
            assert!(Pattern::new(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn long_paths_need_no_stack() {
        let long = "a/B".repeat(6_000);
        check("/something(/|$)(.*)", &format!("/something/{long}"), Some(&[&format!("/something/{long}"), "/", &long]));
        let short = "a/B".repeat(1_500);
        check("/((a|/|b)+)$", &format!("/{short}"), Some(&[&format!("/{short}"), &short, "B"]));
        check("^/x", &format!("/{long}"), None);
    }

    #[test]
    fn what_takes_too_long_is_said() {
        let text = format!("/{}", "a".repeat(40));
        assert_eq!(Pattern::new("/(a*)*b").expect("a pattern").find(&text), Err(TooMuch));
    }

    #[test]
    fn classes_and_their_opposites() {
        check(r"^/(\D+)(\d+)$", "/Ab12", Some(&["/Ab12", "Ab", "12"]));
        check(r"^/(\D+)$", "/12", None);
        check(r"^/(\W)(\w)(\S)$", "/-Aa", Some(&["/-Aa", "-", "A", "a"]));
        check(r"^/[\D]$", "/1", None);
        check(r"^/[^\W_]+$", "/aZ9", Some(&["/aZ9"]));
        check(r"^/[[:alnum:]]+$", "/aZ9", Some(&["/aZ9"]));
        check(r"^/[[:alnum:]]+$", "/a:", None);
        check(r"^/[[:^digit:]x]+$", "/a1", None);
        check(r"^/[\--/]$", "/.", Some(&["/."]));
        check("^/[a-c]{2,3}$", "/ABC", Some(&["/ABC"]));
        check("^/[^a-c]$", "/B", None);
    }

    #[test]
    fn repetitions_are_greedy_or_not() {
        check("/(a{2,3})(a*)", "/aaaa", Some(&["/aaaa", "aaa", "a"]));
        check("/(a{2,3}?)(a*)", "/aaaa", Some(&["/aaaa", "aa", "aa"]));
        check("/(a+?)(b|$)", "/aaab", Some(&["/aaab", "aaa", "b"]));
        check("/(?:ab){2}c", "/ababc", Some(&["/ababc"]));
        check("/(?:ab){2}c", "/abc", None);
        check("/(x|xy)(z?)$", "/xyz", Some(&["/xyz", "xy", "z"]));
        check("/(a|b*)*c", "/abbc", Some(&["/abbc", "bb"]));
    }
}
