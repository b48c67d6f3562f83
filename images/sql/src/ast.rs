//! Statements as they were written.

use crate::catalog::{Column, ForeignKey, Index};
use crate::types::Type;
use crate::value::Value;

/// A table's name, with its database if that was said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Name {
    pub(crate) db: Option<String>,
    pub(crate) name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Or,
    Xor,
    And,
    Equal,
    Same,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Whole,
    Modulo,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Literal(Value),
    Column {
        table: Option<String>,
        name: String,
    },
    Variable(String),
    System(String),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Binary(Op, Box<Expr>, Box<Expr>),
    IsNull(Box<Expr>, bool),
    IsTrue(Box<Expr>, bool, bool),
    In(Box<Expr>, Vec<Expr>, bool),
    InQuery(Box<Expr>, Box<Query>, bool),
    Exists(Box<Query>),
    Scalar(Box<Query>),
    Between(Box<Expr>, Box<Expr>, Box<Expr>, bool),
    Like(Box<Expr>, Box<Expr>, bool),
    Function {
        name: String,
        args: Vec<Expr>,
        distinct: bool,
        separator: Option<String>,
        order: Vec<(Expr, bool)>,
    },
    CountAll,
    Case {
        of: Option<Box<Expr>>,
        whens: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Cast(Box<Expr>, Type),
    /// `expr + INTERVAL n unit`; negative subtracts.
    Interval {
        of: Box<Expr>,
        count: Box<Expr>,
        unit: String,
        negative: bool,
    },
    /// `VALUES(column)` of ON DUPLICATE KEY UPDATE.
    Inserted(String),
    /// `DEFAULT` as a value to insert.
    Default,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    /// `*`, `t.*`.
    All(Option<String>),
    /// An expression, how it was written, and its alias.
    Expr(Expr, String, Option<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    Inner,
    Left,
    Right,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum From {
    Table(Name, Option<String>),
    Derived(Box<Query>, String),
    Join { left: Box<From>, right: Box<From>, kind: Join, on: Option<Expr>, using: Vec<String> },
}

#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Select {
    pub(crate) distinct: bool,
    pub(crate) items: Vec<Item>,
    pub(crate) from: Option<From>,
    pub(crate) filter: Option<Expr>,
    pub(crate) group: Vec<Expr>,
    pub(crate) having: Option<Expr>,
}

/// A SELECT, or several with UNION between them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    pub(crate) first: Select,
    /// The others, and whether equal rows stay.
    pub(crate) unions: Vec<(Select, bool)>,
    pub(crate) order: Vec<(Expr, bool)>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    Rows(Vec<Vec<Expr>>),
    Query(Box<Query>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Insert {
    pub(crate) table: Name,
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) source: Source,
    pub(crate) ignore: bool,
    pub(crate) replace: bool,
    pub(crate) on_duplicate: Vec<(String, Expr)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) table: Name,
    pub(crate) alias: Option<String>,
    /// Empty for DELETE.
    pub(crate) set: Vec<(String, Expr)>,
    pub(crate) filter: Option<Expr>,
    pub(crate) order: Vec<(Expr, bool)>,
    pub(crate) limit: Option<u64>,
}

/// Where an added column goes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Place {
    Last,
    First,
    After(String),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Alter {
    AddColumn(Column, Place),
    /// The old name, what it becomes, where it goes; `Last` leaves it where it is.
    ChangeColumn(String, Column, Place),
    RenameColumn(String, String),
    DropColumn(String),
    AddIndex(Index),
    AddForeignKey(ForeignKey),
    DropIndex(String),
    DropForeignKey(String),
    Rename(Name),
    SetDefault(String, Option<Value>),
    AutoIncrement(i64),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CreateTable {
    pub(crate) name: Name,
    pub(crate) if_not_exists: bool,
    pub(crate) columns: Vec<Column>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) foreign: Vec<ForeignKey>,
    pub(crate) auto_increment: i64,
    pub(crate) comment: String,
    pub(crate) like: Option<Name>,
    pub(crate) query: Option<Query>,
}

/// `'name'@'host'`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) host: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Show {
    Databases,
    Tables { db: Option<String>, full: bool },
    Columns { table: Name, full: bool },
    CreateTable(Name),
    CreateDatabase(String),
    Indexes(Name),
    Variables,
    Status,
    ProcessList,
    Grants(Option<Account>),
    Warnings,
    Errors,
    Engines,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Statement {
    Query(Box<Query>),
    Insert(Box<Insert>),
    Update(Change),
    Delete(Change),
    Truncate(Name),
    CreateDatabase {
        name: String,
        if_not_exists: bool,
    },
    DropDatabase {
        name: String,
        if_exists: bool,
    },
    Use(String),
    CreateTable(Box<CreateTable>),
    DropTable {
        names: Vec<Name>,
        if_exists: bool,
    },
    RenameTable(Vec<(Name, Name)>),
    Alter(Name, Vec<Alter>),
    CreateUser {
        accounts: Vec<(Account, Option<String>)>,
        if_not_exists: bool,
    },
    AlterUser(Vec<(Account, Option<String>)>),
    DropUser {
        accounts: Vec<Account>,
        if_exists: bool,
    },
    Grant {
        privileges: Vec<String>,
        db: Option<String>,
        table: Option<String>,
        accounts: Vec<Account>,
        option: bool,
        revoke: bool,
    },
    Flush,
    Begin,
    Commit,
    Rollback,
    Set(Vec<(String, Expr)>),
    Show(Show, Option<String>),
    Explain,
    Lock,
    Nothing,
}
