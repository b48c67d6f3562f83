//! Sessions, their transactions, and who runs which statement.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::rc::Rc;

use crate::ast::{Account, Name, Statement};
use crate::bind::Binder;
use crate::catalog::{Catalog, Change};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::eval::{Rows, eval};
use crate::plan::{self, OutColumn};
use crate::value::{Row, Value};
use crate::{alter, ddl, exec, foreign, parse, show, users, variables, write};

/// Warnings of a statement that are kept: max_error_count.
const WARNINGS_MAX: usize = 1024;

/// What the server says of itself.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// `9.4.0`.
    pub version: String,
    /// Behind the version where it greets.
    pub comment: String,
    /// The name of the host.
    pub hostname: String,
    /// The port.
    pub port: u16,
    /// The path of the socket.
    pub socket: String,
    /// The folder of the data.
    pub folder: String,
}

/// What was asked of a transaction so far.
#[derive(Debug, Default)]
struct Transaction {
    /// Everything as it was when the transaction began, and its own changes.
    view: Catalog,
    changes: Vec<Change>,
}

/// A client's session.
#[derive(Debug, Default)]
pub struct Session {
    /// Its number.
    pub id: u32,
    /// The database in use.
    pub database: Option<String>,
    /// Microseconds since 1970, set before each statement.
    pub now: i64,
    /// The address of the client.
    pub host: String,
    /// The name that the client gave.
    pub user: String,
    pub(crate) account: Account,
    pub(crate) server: Rc<Server>,
    pub(crate) last_insert_id: i64,
    pub(crate) row_count: i64,
    pub(crate) found_rows: i64,
    pub(crate) autocommit: bool,
    pub(crate) warnings: Vec<(&'static str, Error)>,
    /// Warnings of expressions, which see the session only to read it.
    noted: RefCell<Vec<Error>>,
    variables: BTreeMap<String, Value>,
    transaction: Option<Transaction>,
}

impl Session {
    /// A session that nobody has logged in to.
    pub fn new(id: u32, host: &str, server: &Rc<Server>) -> Session {
        Session { id, host: host.to_owned(), server: Rc::clone(server), autocommit: true, ..Session::default() }
    }

    /// Makes it what it was when its client had just logged in; the database in use stays.
    pub fn reset(&mut self) {
        let before = std::mem::take(self);
        *self = Session {
            database: before.database,
            now: before.now,
            user: before.user,
            account: before.account,
            ..Session::new(before.id, &before.host, &before.server)
        };
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// Whether every statement is a transaction of its own.
    pub fn autocommit(&self) -> bool {
        self.autocommit
    }

    /// How many warnings the last statement left.
    pub fn warning_count(&self) -> usize {
        self.warnings.len()
    }

    pub(crate) fn variable(&self, name: &str) -> Option<Value> {
        self.variables.get(name).cloned()
    }

    pub(crate) fn account_text(&self) -> String {
        format!("{}@{}", self.account.name, self.account.host)
    }

    pub(crate) fn user_text(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }

    /// Leaves a warning while an expression is computed.
    pub(crate) fn warn(&self, error: Error) {
        let mut noted = self.noted.borrow_mut();
        if noted.len() < WARNINGS_MAX {
            noted.push(error);
        }
    }

    /// The database of a table's name.
    pub(crate) fn db(&self, name: &Name) -> Result<String> {
        name.db.clone().or_else(|| self.database.clone()).ok_or_else(Error::no_database)
    }

    /// Whether the account may do something to a table, or to a database as a whole.
    ///
    /// # Errors
    /// 1044, 1142: it may not.
    pub(crate) fn check(&self, catalog: &Catalog, privilege: &str, db: &str, table: Option<&str>) -> Result<()> {
        if users::may(catalog, &self.account, privilege, Some(db), table) {
            return Ok(());
        }
        Err(match table {
            Some(table) => {
                let text = format!(
                    "{privilege} command denied to user '{}'@'{}' for table '{table}'",
                    self.account.name, self.host
                );
                Error::new(1142, "42000", text)
            }
            None => users::no_database_access(&self.account, db),
        })
    }

    /// Whether the account may do something everywhere.
    pub(crate) fn check_all(&self, catalog: &Catalog, privilege: &str) -> Result<()> {
        if users::may(catalog, &self.account, privilege, None, None) {
            return Ok(());
        }
        let text = format!("Access denied; you need (at least one of) the {privilege} privilege(s) for this operation");
        Err(Error::new(1227, "42000", text))
    }
}

/// What an expression may look at.
#[derive(Clone, Copy)]
pub(crate) struct Env<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) session: &'a Session,
}

/// What a statement gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Rows.
    Rows {
        /// Their columns.
        columns: Vec<OutColumn>,
        /// The rows.
        rows: Vec<Row>,
    },
    /// A change.
    Done {
        /// Rows that changed.
        affected: u64,
        /// The first AUTO_INCREMENT that was made, or 0.
        last_insert_id: u64,
        /// MySQL's words about it.
        info: String,
    },
}

impl Outcome {
    pub(crate) fn done(affected: u64) -> Outcome {
        Outcome::Done { affected, last_insert_id: 0, info: String::new() }
    }
}

/// Changes in the making.
pub(crate) struct Work {
    pub(crate) catalog: Catalog,
    pub(crate) changes: Vec<Change>,
}

impl Work {
    /// Makes a change.
    pub(crate) fn change(&mut self, change: Change) {
        self.catalog.apply(&change);
        self.changes.push(change);
    }
}

/// All data, and the log of it.
#[derive(Debug, Default)]
pub struct Engine {
    catalog: Catalog,
    disk: Option<Disk>,
}

impl Engine {
    /// Opens the data of a log, or begins one.
    ///
    /// # Errors
    /// Of the file.
    pub fn open(path: &Path) -> io::Result<Engine> {
        let mut catalog = Catalog::default();
        let disk = Disk::open(path, &mut catalog)?;
        Ok(Engine { catalog, disk: Some(disk) })
    }

    /// The account that a client logs in to, if `proves` says so of the digest of its password.
    pub fn login(&self, session: &mut Session, user: &str, proves: impl Fn(&[u8]) -> bool) -> bool {
        let Some((account, found)) = users::find(&self.catalog, user, &session.host) else { return false };
        if !proves(&found.digest) {
            return false;
        }
        session.account = account.clone();
        user.clone_into(&mut session.user);
        true
    }

    /// Lets a session do everything, as the server itself does at its first start.
    pub fn login_as_server(&mut self, session: &mut Session) {
        session.account = Account { name: "root".to_owned(), host: "localhost".to_owned() };
        "root".clone_into(&mut session.user);
        if !self.catalog.users.contains_key(&session.account) {
            let root = users::root();
            self.catalog.users.insert(session.account.clone(), root.clone());
            if let Some(disk) = &mut self.disk {
                // If it cannot be kept, the first statement cannot either, and says so.
                let _ = disk.append(&[Change::User(session.account.clone(), Some(root))], &self.catalog);
            }
        }
    }

    /// Gives up what a session has not committed.
    pub fn leave(&mut self, session: &mut Session) {
        session.transaction = None;
    }

    /// Runs one statement.
    ///
    /// # Errors
    /// MySQL's; the statement has then changed nothing.
    pub fn execute(&mut self, session: &mut Session, sql: &str) -> Result<Outcome> {
        let statement = parse::statement(sql)?;
        let result = self.statement(session, &statement);
        let noted = session.noted.take();
        session.warnings.extend(noted.into_iter().map(|error| ("Warning", error)));
        if !matches!(statement, Statement::Show(..)) {
            if let Ok(Outcome::Done { affected, .. }) = &result {
                session.row_count = *affected as i64;
            } else {
                session.row_count = -1;
            }
        }
        result
    }

    fn statement(&mut self, session: &mut Session, statement: &Statement) -> Result<Outcome> {
        if !matches!(statement, Statement::Show(..)) {
            session.warnings.clear();
        }
        match statement {
            Statement::Nothing => Err(Error::new(1065, "42000", "Query was empty")),
            Statement::Query(query) => {
                self.begin_implicitly(session);
                let catalog = session.transaction.as_ref().map_or(&self.catalog, |t| &t.view);
                let env = Env { catalog, session };
                let plan = plan::query(&env, query, None)?;
                let rows = exec::run(&plan, &env, None)?;
                session.found_rows = rows.len() as i64;
                Ok(Outcome::Rows { columns: plan.columns, rows })
            }
            Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_) => self.write(session, statement),
            Statement::Show(what, like) => {
                let catalog = session.transaction.as_ref().map_or(&self.catalog, |t| &t.view);
                show::run(&Env { catalog, session }, what, like.as_deref())
            }
            Statement::Use(name) => self.use_database(session, name),
            Statement::Set(all) => self.set(session, all),
            Statement::Begin => {
                self.commit(session)?;
                session.transaction = Some(Transaction { view: self.catalog.clone(), changes: Vec::new() });
                Ok(Outcome::done(0))
            }
            Statement::Commit => self.commit(session).map(|()| Outcome::done(0)),
            Statement::Rollback => {
                session.transaction = None;
                Ok(Outcome::done(0))
            }
            Statement::Flush => Ok(Outcome::done(0)),
            Statement::Explain => Err(Error::refused("kubonsai does not support EXPLAIN of a statement (mysql) yet")),
            Statement::Lock => {
                Err(Error::refused("kubonsai does not support LOCK TABLES and UNLOCK TABLES (mysql) yet"))
            }
            _ => self.define(session, statement),
        }
    }

    fn begin_implicitly(&self, session: &mut Session) {
        if !session.autocommit && session.transaction.is_none() {
            session.transaction = Some(Transaction { view: self.catalog.clone(), changes: Vec::new() });
        }
    }

    fn use_database(&self, session: &mut Session, name: &str) -> Result<Outcome> {
        if !self.catalog.has_database(name) {
            return Err(if users::may_see(&self.catalog, &session.account, name) {
                Error::unknown_database(name)
            } else {
                users::no_database_access(&session.account, name)
            });
        }
        if !users::may_see(&self.catalog, &session.account, name) {
            return Err(users::no_database_access(&session.account, name));
        }
        session.database = Some(name.to_owned());
        Ok(Outcome::done(0))
    }

    fn set(&mut self, session: &mut Session, all: &[(String, crate::ast::Expr)]) -> Result<Outcome> {
        for (name, expr) in all {
            let catalog = session.transaction.as_ref().map_or(&self.catalog, |t| &t.view);
            let env = Env { catalog, session };
            let node = Binder::new(&env, Rc::default(), "field list").bind(expr)?.node;
            let value = eval(&node, &Rows::of(&[], None), &env)?;
            if let Some(name) = name.strip_prefix('@') {
                session.variables.insert(name.to_owned(), value);
            } else if matches!(name.as_str(), "autocommit" | "session.autocommit" | "local.autocommit") {
                let on = value.truth() == Some(true) || value.to_string().eq_ignore_ascii_case("ON");
                if on {
                    self.commit(session)?;
                }
                session.autocommit = on;
            } else {
                variables::set(&env, name, &value)?;
            }
        }
        Ok(Outcome::done(0))
    }

    /// Commits what the session's transaction has changed.
    fn commit(&mut self, session: &mut Session) -> Result<()> {
        let Some(transaction) = session.transaction.take() else { return Ok(()) };
        if transaction.changes.is_empty() {
            return Ok(());
        }
        self.check_definitions(&transaction)?;
        // The transaction's copies of tables would keep the rows from being changed in place.
        drop(transaction.view);
        self.catalog.merge(&transaction.changes)?;
        if !matches!(foreign::holds(&self.catalog, &transaction.changes), Ok(true)) {
            self.catalog.undo(&transaction.changes);
            return Err(Error::deadlock());
        }
        self.keep(&transaction.changes)
    }

    /// Whether the tables that a transaction has changed are still what they were; copies of one table share its counters.
    fn check_definitions(&self, transaction: &Transaction) -> Result<()> {
        for change in &transaction.changes {
            let Change::Row { db, table, .. } = change else { continue };
            let same = match (transaction.view.table(db, table), self.catalog.table(db, table)) {
                (Ok(own), Ok(there)) => Rc::ptr_eq(&own.counters, &there.counters),
                _ => false,
            };
            if !same {
                return Err(Error::new(1412, "HY000", "Table definition has changed, please retry transaction"));
            }
        }
        Ok(())
    }

    fn keep(&mut self, changes: &[Change]) -> Result<()> {
        let Some(disk) = &mut self.disk else { return Ok(()) };
        if changes.is_empty() {
            return Ok(());
        }
        disk.append(changes, &self.catalog).map_err(|error| {
            self.catalog.undo(changes);
            let (number, what) = match error.kind() {
                io::ErrorKind::StorageFull => (28, "No space left on device".to_owned()),
                io::ErrorKind::ReadOnlyFilesystem => (30, "Read-only file system".to_owned()),
                _ => (5, error.to_string()),
            };
            Error::new(3, "HY000", format!("Error writing file './kubonsai.log' (OS errno {number} - {what})"))
        })
    }

    fn write(&mut self, session: &mut Session, statement: &Statement) -> Result<Outcome> {
        self.begin_implicitly(session);
        let inside = session.transaction.is_some();
        let catalog = match &mut session.transaction {
            Some(transaction) => std::mem::take(&mut transaction.view),
            None => std::mem::take(&mut self.catalog),
        };
        let mut work = Work { catalog, changes: Vec::new() };
        let result = match statement {
            Statement::Insert(insert) => write::insert(&mut work, session, insert),
            Statement::Update(change) => write::update(&mut work, session, change),
            Statement::Delete(change) => write::delete(&mut work, session, change),
            _ => Ok(Outcome::done(0)),
        };
        if result.is_err() {
            work.catalog.undo(&work.changes);
            work.changes.clear();
        }
        match &mut session.transaction {
            Some(transaction) => {
                transaction.view = work.catalog;
                transaction.changes.append(&mut work.changes);
            }
            None => self.catalog = work.catalog,
        }
        let outcome = result?;
        if !inside {
            self.keep(&work.changes)?;
        }
        if let Outcome::Done { last_insert_id, .. } = &outcome
            && *last_insert_id > 0
        {
            session.last_insert_id = last_insert_id.cast_signed();
        }
        Ok(outcome)
    }

    /// Runs what changes definitions: it commits what came before, and cannot be taken back.
    fn define(&mut self, session: &mut Session, statement: &Statement) -> Result<Outcome> {
        self.commit(session)?;
        let mut work = Work { catalog: self.catalog.clone(), changes: Vec::new() };
        let outcome = match statement {
            Statement::Alter(name, all) => alter::run(&mut work, session, name, all)?,
            Statement::CreateUser { .. }
            | Statement::AlterUser(_)
            | Statement::DropUser { .. }
            | Statement::Grant { .. } => users::run(&mut work, session, statement)?,
            other => ddl::run(&mut work, session, other)?,
        };
        let before = std::mem::replace(&mut self.catalog, work.catalog);
        if let Err(error) = self.keep(&work.changes) {
            self.catalog = before;
            return Err(error);
        }
        if let Statement::DropDatabase { name, .. } = statement
            && session.database.as_ref() == Some(name)
        {
            session.database = None;
        }
        Ok(outcome)
    }
}
