//! The tree that the parser makes and the executor walks.

use std::cell::OnceCell;
use std::rc::Rc;

/// Commands separated by `;`, `&` or newlines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List(pub Vec<Item>);

/// One and-or list with its terminator.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The pipelines.
    pub and_or: AndOr,
    /// Ended by `&`.
    pub background: bool,
    /// As it was written, for `jobs`.
    pub text: Rc<str>,
}

/// Pipelines joined by `&&` and `||`, which bind equally and to the left.
#[derive(Clone, Debug, PartialEq)]
pub struct AndOr {
    /// The first pipeline.
    pub first: Pipeline,
    /// The others, each with the operator before it: true for `&&`.
    pub rest: Vec<(bool, Pipeline)>,
}

/// Commands joined by `|`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// Preceded by `!`.
    pub negated: bool,
    /// Preceded by `time`.
    pub timed: bool,
    /// At least one, except after a lone `time` or `!`.
    pub stages: Vec<Rc<Command>>,
}

/// One stage of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Assignments, words, redirections.
    Simple(Simple),
    /// `if`, `for`, ... with redirections after it.
    Compound(Compound, Vec<Redirect>),
    /// `name() body`.
    Function(String, Rc<Command>),
}

/// A simple command.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Simple {
    /// `a=1` before the command word.
    pub assigns: Vec<Assign>,
    /// The command word and its arguments.
    pub words: Vec<Arg>,
    /// In the order in which they were written.
    pub redirects: Vec<Redirect>,
    /// Line of the script, from 1.
    pub line: usize,
}

/// An argument of a simple command.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    /// An ordinary word.
    Word(Word),
    /// `a=(1 2)` after `declare`, `local`, `export`, `readonly` or `typeset`.
    Assign(Assign),
}

/// An assignment.
#[derive(Clone, Debug, PartialEq)]
pub struct Assign {
    /// The variable.
    pub name: String,
    /// `a[index]=`.
    pub index: Option<Word>,
    /// `+=`.
    pub append: bool,
    /// The right side.
    pub value: AssignValue,
}

/// The right side of an assignment.
#[derive(Clone, Debug, PartialEq)]
pub enum AssignValue {
    /// `a=word`.
    Scalar(Word),
    /// `a=(x [3]=y)`.
    Array(Vec<(Option<Word>, Word)>),
}

/// A compound command.
#[derive(Clone, Debug, PartialEq)]
pub enum Compound {
    /// `{ list; }`.
    Brace(List),
    /// `( list )`.
    Subshell(List),
    /// `if`, with the `elif` branches in order.
    If {
        /// Condition and body of each branch.
        branches: Vec<(List, List)>,
        /// `else`.
        otherwise: Option<List>,
    },
    /// `for name in words`.
    For {
        /// The variable.
        name: String,
        /// None means `"$@"`.
        words: Option<Vec<Word>>,
        /// The body.
        body: List,
    },
    /// `for ((init; test; step))`.
    ArithFor {
        /// The three expressions.
        parts: [Word; 3],
        /// The body.
        body: List,
    },
    /// `while` and `until`.
    While {
        /// `until`.
        until: bool,
        /// The condition.
        test: List,
        /// The body.
        body: List,
    },
    /// `case`.
    Case {
        /// What is compared.
        word: Word,
        /// The arms.
        arms: Vec<CaseArm>,
    },
    /// `[[ expression ]]`.
    Cond(Cond),
    /// `(( expression ))`.
    Arith(Word),
}

/// One arm of a `case`.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseArm {
    /// Patterns joined by `|`.
    pub patterns: Vec<Word>,
    /// The body.
    pub body: List,
    /// How it ended.
    pub end: CaseEnd,
}

/// What follows an arm of a `case`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseEnd {
    /// `;;`.
    Break,
    /// `;&`: run the next body too.
    FallThrough,
    /// `;;&`: test the next patterns too.
    Continue,
}

/// The expression of `[[ ]]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Cond {
    /// `! x`.
    Not(Box<Cond>),
    /// `x && y`.
    And(Box<Cond>, Box<Cond>),
    /// `x || y`.
    Or(Box<Cond>, Box<Cond>),
    /// `-f word`; a lone word is `-n word`.
    Unary(String, Word),
    /// `left op right`.
    Binary(Word, String, Word),
}

/// A redirection.
#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    /// The number before the operator.
    pub fd: Option<u32>,
    /// Operator and target.
    pub kind: RedirectKind,
}

/// What a redirection does.
#[derive(Clone, Debug, PartialEq)]
pub enum RedirectKind {
    /// `< word`.
    Read(Word),
    /// `> word`; true for `>|`.
    Write(Word, bool),
    /// `>> word`.
    Append(Word),
    /// `<> word`.
    ReadWrite(Word),
    /// `<& word` or `>& word`.
    Duplicate(Word, bool),
    /// `&> word`; true for `&>>`.
    Both(Word, bool),
    /// `<< word`: the body is filled in when its lines have been read.
    HereDoc(Rc<OnceCell<Word>>),
    /// `<<< word`.
    HereString(Word),
}

/// A word before expansion.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Word(pub Vec<Part>);

/// A piece of a word.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Unquoted text: may hold glob characters.
    Literal(String),
    /// Quoted text, and characters after a backslash.
    Quoted(String),
    /// `"..."`.
    Double(Vec<Part>),
    /// `~` or `~user` at the start.
    Tilde(String),
    /// `$name` or `${...}`.
    Param(Box<Param>),
    /// `$(...)` or backticks.
    Command(Rc<List>),
    /// `$((...))`.
    Arith(Word),
    /// `<(...)` (false) or `>(...)` (true): parsed, refused by name when run.
    Process(bool),
}

/// A parameter expansion.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// A name, a positional number or a special character.
    pub name: String,
    /// `${name[index]}`; `@` and `*` are literal words.
    pub index: Option<Word>,
    /// `${!name}`.
    pub indirect: bool,
    /// What is done with the value.
    pub op: ParamOp,
    /// As it was written, for `bad substitution`.
    pub text: String,
}

/// The operation of a parameter expansion.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamOp {
    /// `${name}`.
    Plain,
    /// `${#name}`.
    Length,
    /// `${!prefix*}` and `${!name[@]}`.
    Names,
    /// `${name:-word}` and its kin: operator `-`, `=`, `?` or `+`, and whether the colon was there.
    Default(char, bool, Word),
    /// `${name#pattern}`: suffix instead of prefix, longest instead of shortest.
    Strip {
        /// `%` rather than `#`.
        suffix: bool,
        /// Doubled.
        longest: bool,
        /// The pattern.
        pattern: Word,
    },
    /// `${name/pattern/with}`.
    Replace {
        /// `//`.
        all: bool,
        /// `#` or `%` after the slash.
        anchor: Option<char>,
        /// The pattern.
        pattern: Word,
        /// The replacement.
        with: Word,
    },
    /// `${name:offset:length}`.
    Slice(Word, Option<Word>),
    /// `${name^}`, `^^`, `,`, `,,`: to upper case, all characters.
    Case(bool, bool),
    /// `${name@Q}` and the like.
    Transform(char),
    /// Not an expansion that bash knows.
    Bad,
}

impl Word {
    /// A word of unquoted text.
    pub fn literal(text: &str) -> Self {
        Word(vec![Part::Literal(text.to_owned())])
    }

    /// The text, when the word is nothing but unquoted text.
    pub fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }
}
