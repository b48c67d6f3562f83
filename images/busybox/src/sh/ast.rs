//! What a script is, once it is read.

use std::cell::RefCell;
use std::rc::Rc;

/// Commands one after the other.
pub type List = Vec<Item>;

/// One and-or list, in the foreground or the background.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The first pipeline.
    pub first: Pipeline,
    /// Those after `&&` (true) and `||` (false).
    pub rest: Vec<(bool, Pipeline)>,
    /// Whether it ended with `&`.
    pub background: bool,
}

/// `[!] a | b | c`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// Whether its status is negated.
    pub negated: bool,
    /// The stages.
    pub commands: Vec<Command>,
}

/// One command.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Assignments, words, redirections.
    Simple {
        /// `NAME=value` in front.
        assigns: Vec<(String, Word)>,
        /// Name and arguments.
        words: Vec<Word>,
        /// In order.
        redirects: Vec<Redirect>,
    },
    /// A compound command.
    Compound {
        /// Which.
        kind: Compound,
        /// In order.
        redirects: Vec<Redirect>,
    },
    /// `name() body`.
    Function {
        /// Its name.
        name: String,
        /// Its body.
        body: Rc<Command>,
    },
}

/// A compound command.
#[derive(Clone, Debug, PartialEq)]
pub enum Compound {
    /// `{ ...; }`
    Brace(List),
    /// `( ... )`
    Subshell(List),
    /// `if ...; then ...; elif ...; else ...; fi`
    If(Vec<(List, List)>, Option<List>),
    /// `while` (false) or `until` (true).
    Loop(bool, List, List),
    /// `for name [in words]; do ...; done`; without `in` the positional parameters.
    For(String, Option<Vec<Word>>, List),
    /// `case word in pattern) ...;; esac`
    Case(Word, Vec<(Vec<Word>, List)>),
}

/// A word in its parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Word(pub Vec<Part>);

/// A part of a word.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Text as it stands; patterns in it match files.
    Text(String),
    /// Text that was quoted.
    Quoted(String),
    /// `"..."`
    Double(Vec<Part>),
    /// `$name`, `${name...}`
    Param(Param),
    /// `$(...)`
    Command(List),
    /// `$((...))`
    Arith(Word),
}

/// A parameter expansion.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// The name; a digit or a sign for special ones.
    pub name: String,
    /// `${#name}`.
    pub length: bool,
    /// The operator (`:-`, `%%`, ...) and its word.
    pub op: Option<(String, Word)>,
}

/// Where a redirection leads.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// `<`
    Read(Word),
    /// `>`
    Write(Word),
    /// `>>`
    Append(Word),
    /// `<>`
    ReadWrite(Word),
    /// `>&` and `<&`: a number or `-`.
    Dup(Word),
    /// `<<`; its body follows later in the text.
    Here(Rc<RefCell<Word>>),
    /// `<<<`
    HereString(Word),
}

/// A redirection.
#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    /// The descriptor.
    pub fd: u32,
    /// Where it leads.
    pub target: Target,
    /// Whether it was `&>`: 2 goes there as well.
    pub both: bool,
}

impl Word {
    /// The text, if the word is nothing but unquoted text.
    pub fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}
