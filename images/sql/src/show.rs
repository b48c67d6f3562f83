//! SHOW and DESCRIBE.

use crate::ast::{Account, Name, Show};
use crate::catalog::{Column, Default, PRIMARY, SYSTEM_DATABASES, Table};
use crate::error::{Error, Result};
use crate::eval::like;
use crate::foreign;
use crate::plan::OutColumn;
use crate::session::{Env, Outcome};
use crate::types::Type;
use crate::value::{Row, Value};
use crate::{system, users, variables};

fn rows(columns: &[&str], rows: Vec<Vec<Value>>) -> Outcome {
    let column = |(at, name): (usize, &&str)| {
        let values = || rows.iter().map(move |row| &row[at]);
        let whole =
            values().any(|v| matches!(v, Value::Int(_))) && values().all(|v| matches!(v, Value::Int(_) | Value::Null));
        OutColumn {
            name: (*name).to_owned(),
            ty: if whole { Type::Int(8, false) } else { Type::Varchar(64) },
            nullable: rows.is_empty() || values().any(Value::is_null),
            table: String::new(),
            db: String::new(),
        }
    };
    let columns = columns.iter().enumerate().map(column).collect();
    Outcome::Rows { columns, rows: rows.into_iter().map(Row::from).collect() }
}

/// Answers SHOW.
///
/// # Errors
/// 1049, 1146: what it asks for is not there.
pub(crate) fn run(env: &Env<'_>, what: &Show, pattern: Option<&str>) -> Result<Outcome> {
    let fits = |name: &str| pattern.is_none_or(|pattern| like(name, pattern));
    let titled = |name: String| pattern.map_or(name.clone(), |pattern| format!("{name} ({pattern})"));
    match what {
        Show::Databases => {
            let all =
                databases(env).into_iter().filter(|name| fits(name)).map(|name| vec![Value::text(name)]).collect();
            Ok(rows(&[&titled("Database".to_owned())], all))
        }
        Show::Tables { db, full } => {
            let db = db.clone().or_else(|| env.session.database.clone()).ok_or_else(Error::no_database)?;
            if !users::may_see(env.catalog, &env.session.account, &db) {
                return Err(users::no_database_access(&env.session.account, &db));
            }
            let kind = if SYSTEM_DATABASES.contains(&db.as_str()) { "SYSTEM VIEW" } else { "BASE TABLE" };
            let names = tables(env, &db)?.into_iter().filter(|name| fits(name));
            let all = names.map(|name| {
                let mut row = vec![Value::text(name)];
                row.extend(full.then(|| Value::text(kind)));
                row
            });
            let title = titled(format!("Tables_in_{db}"));
            let titles = [title.as_str(), "Table_type"];
            Ok(rows(&titles[..if *full { 2 } else { 1 }], all.collect()))
        }
        Show::Columns { table, full } => columns(env, table, *full, pattern),
        Show::CreateTable(name) => {
            let table = own_table(env, name)?;
            let text = create_table(&name.name, table);
            Ok(rows(&["Table", "Create Table"], vec![vec![Value::text(&name.name), Value::text(text)]]))
        }
        Show::CreateDatabase(name) => {
            if !env.catalog.has_database(name) {
                return Err(Error::unknown_database(name));
            }
            let text = format!(
                "CREATE DATABASE `{name}` /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci */ /*!80016 DEFAULT ENCRYPTION='N' */"
            );
            Ok(rows(&["Database", "Create Database"], vec![vec![Value::text(name), Value::text(text)]]))
        }
        Show::Indexes(name) => indexes(env, name),
        Show::Variables => {
            let all = variables::all(env).into_iter().filter(|(name, _)| fits(name));
            let all = all.map(|(name, value)| vec![Value::text(name), Value::text(value)]).collect();
            Ok(rows(&["Variable_name", "Value"], all))
        }
        Show::Status => Err(Error::refused("kubonsai does not support SHOW STATUS (mysql) yet")),
        Show::ProcessList => {
            let session = env.session;
            let row = vec![
                Value::Int(session.id.into()),
                Value::text(&session.user),
                Value::text(&session.host),
                session.database.as_ref().map_or(Value::Null, Value::text),
                Value::text("Query"),
                Value::Int(0),
                Value::text("init"),
                Value::text("SHOW PROCESSLIST"),
            ];
            Ok(rows(&["Id", "User", "Host", "db", "Command", "Time", "State", "Info"], vec![row]))
        }
        Show::Grants(account) => grants(env, account.as_ref()),
        Show::Warnings | Show::Errors => {
            let wanted = |level: &str| *what == Show::Warnings || level == "Error";
            let all = env.session.warnings.iter().filter(|(level, _)| wanted(level));
            let all = all
                .map(|(level, e)| vec![Value::text(level), Value::Int(e.code.into()), Value::text(&e.text)])
                .collect();
            Ok(rows(&["Level", "Code", "Message"], all))
        }
        Show::Engines => Err(Error::refused("kubonsai does not support SHOW ENGINES (mysql) yet")),
    }
}

/// The databases that the account sees.
pub(crate) fn databases(env: &Env<'_>) -> Vec<String> {
    let own = env.catalog.databases.keys().cloned();
    let mut all: Vec<String> = own.chain(SYSTEM_DATABASES.iter().map(|name| (*name).to_owned())).collect();
    all.sort();
    all.retain(|name| users::may_see(env.catalog, &env.session.account, name));
    all
}

fn tables(env: &Env<'_>, db: &str) -> Result<Vec<String>> {
    if SYSTEM_DATABASES.contains(&db) {
        return Ok(system::names(db));
    }
    let names = env.catalog.tables(db)?.keys();
    Ok(names.filter(|name| users::may_see_table(env.catalog, &env.session.account, db, name)).cloned().collect())
}

fn own_table<'a>(env: &Env<'a>, name: &Name) -> Result<&'a Table> {
    let db = env.session.db(name)?;
    if SYSTEM_DATABASES.contains(&db.as_str()) {
        return Err(Error::refused("kubonsai does not support SHOW of system tables (mysql) yet"));
    }
    if !users::may_see_table(env.catalog, &env.session.account, &db, &name.name) {
        env.session.check(env.catalog, "SELECT", &db, Some(&name.name))?;
    }
    env.catalog.table(&db, &name.name).map(|table| &**table)
}

/// `PRI`, `UNI`, `MUL`.
pub(crate) fn key_kind(table: &Table, column: &Column) -> &'static str {
    let first = |unique: bool| {
        table.indexes.iter().any(|index| {
            index.name != PRIMARY
                && index.columns[0].eq_ignore_ascii_case(&column.name)
                && (index.unique && index.columns.len() == 1) == unique
        })
    };
    let primary = table.indexes.iter().find(|index| index.name == PRIMARY);
    if primary.is_some_and(|index| index.columns.iter().any(|name| name.eq_ignore_ascii_case(&column.name))) {
        "PRI"
    } else if first(true) {
        "UNI"
    } else if first(false) {
        "MUL"
    } else {
        ""
    }
}

fn places(ty: &Type) -> String {
    match ty {
        Type::DateTime(n) | Type::Timestamp(n) if *n > 0 => format!("({n})"),
        _ => String::new(),
    }
}

/// The default as DESCRIBE shows it.
pub(crate) fn default_text(column: &Column) -> Value {
    match &column.default {
        None => Value::Null,
        Some(Default::Now) => Value::text(format!("CURRENT_TIMESTAMP{}", places(&column.ty))),
        Some(Default::Value(value)) => Value::text(value.to_string()),
    }
}

/// `auto_increment`, `DEFAULT_GENERATED`, ...
pub(crate) fn extra(column: &Column) -> String {
    let mut all = Vec::new();
    if column.auto_increment {
        all.push("auto_increment".to_owned());
    }
    if column.default == Some(Default::Now) {
        all.push("DEFAULT_GENERATED".to_owned());
    }
    if column.on_update_now {
        all.push(format!("on update CURRENT_TIMESTAMP{}", places(&column.ty)));
    }
    all.join(" ")
}

fn columns(env: &Env<'_>, name: &Name, full: bool, pattern: Option<&str>) -> Result<Outcome> {
    let table = own_table(env, name)?;
    let mut all = Vec::new();
    for column in table.columns.iter().filter(|c| pattern.is_none_or(|pattern| like(&c.name, pattern))) {
        let mut row = vec![Value::text(&column.name), Value::text(column.ty.name())];
        if full {
            row.push(if column.ty.is_text() { Value::text("utf8mb4_0900_ai_ci") } else { Value::Null });
        }
        row.push(Value::text(if column.not_null { "NO" } else { "YES" }));
        row.push(Value::text(key_kind(table, column)));
        row.push(default_text(column));
        row.push(Value::text(extra(column)));
        if full {
            row.push(Value::text("select,insert,update,references"));
            row.push(Value::text(&column.comment));
        }
        all.push(row);
    }
    let titles: &[&str] = if full {
        &["Field", "Type", "Collation", "Null", "Key", "Default", "Extra", "Privileges", "Comment"]
    } else {
        &["Field", "Type", "Null", "Key", "Default", "Extra"]
    };
    Ok(rows(titles, all))
}

/// The statement that makes a table.
fn create_table(name: &str, table: &Table) -> String {
    let mut lines = Vec::new();
    for column in &table.columns {
        let mut line = format!("  `{}` {}", column.name, column.ty.name());
        if column.not_null {
            line.push_str(" NOT NULL");
        } else if matches!(column.ty, Type::Timestamp(_)) {
            line.push_str(" NULL");
        }
        match &column.default {
            None if column.not_null || column.auto_increment || matches!(column.ty, Type::Text(_)) => {}
            None => line.push_str(" DEFAULT NULL"),
            Some(Default::Now) => line.push_str(&format!(" DEFAULT CURRENT_TIMESTAMP{}", places(&column.ty))),
            Some(Default::Value(value)) => {
                line.push_str(&format!(" DEFAULT '{}'", value.to_string().replace('\'', "''")))
            }
        }
        if column.on_update_now {
            line.push_str(&format!(" ON UPDATE CURRENT_TIMESTAMP{}", places(&column.ty)));
        }
        if column.auto_increment {
            line.push_str(" AUTO_INCREMENT");
        }
        if !column.comment.is_empty() {
            line.push_str(&format!(" COMMENT '{}'", column.comment.replace('\'', "''")));
        }
        lines.push(line);
    }
    for index in &table.indexes {
        let columns: Vec<String> = index.columns.iter().map(|c| format!("`{c}`")).collect();
        let columns = columns.join(",");
        lines.push(match (index.name.as_str(), index.unique) {
            (PRIMARY, _) => format!("  PRIMARY KEY ({columns})"),
            (name, true) => format!("  UNIQUE KEY `{name}` ({columns})"),
            (name, false) => format!("  KEY `{name}` ({columns})"),
        });
    }
    lines.extend(table.foreign.iter().map(|key| format!("  {}", foreign::definition(key))));
    let mut options = "ENGINE=InnoDB".to_owned();
    let auto = table.counters.auto.get();
    if auto > 1 && table.columns.iter().any(|c| c.auto_increment) {
        options.push_str(&format!(" AUTO_INCREMENT={auto}"));
    }
    options.push_str(" DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci");
    if !table.comment.is_empty() {
        options.push_str(&format!(" COMMENT='{}'", table.comment.replace('\'', "''")));
    }
    format!("CREATE TABLE `{name}` (\n{}\n) {options}", lines.join(",\n"))
}

fn indexes(env: &Env<'_>, name: &Name) -> Result<Outcome> {
    let table = own_table(env, name)?;
    let mut all = Vec::new();
    for index in &table.indexes {
        for (at, column) in index.columns.iter().enumerate() {
            let nullable = table.column(column).is_some_and(|at| !table.columns[at].not_null);
            all.push(vec![
                Value::text(&name.name),
                Value::Int(i64::from(!index.unique)),
                Value::text(&index.name),
                Value::Int(at as i64 + 1),
                Value::text(column),
                Value::text("A"),
                Value::Int(table.count() as i64),
                Value::Null,
                Value::Null,
                Value::text(if nullable { "YES" } else { "" }),
                Value::text("BTREE"),
                Value::text(""),
                Value::text(""),
                Value::text("YES"),
                Value::Null,
            ]);
        }
    }
    let titles = [
        "Table",
        "Non_unique",
        "Key_name",
        "Seq_in_index",
        "Column_name",
        "Collation",
        "Cardinality",
        "Sub_part",
        "Packed",
        "Null",
        "Index_type",
        "Comment",
        "Index_comment",
        "Visible",
        "Expression",
    ];
    Ok(rows(&titles, all))
}

fn grants(env: &Env<'_>, account: Option<&Account>) -> Result<Outcome> {
    let account = account.unwrap_or(&env.session.account);
    if *account != env.session.account {
        env.session.check(env.catalog, "SELECT", "mysql", None)?;
    }
    let Some(user) = env.catalog.users.get(account) else {
        let text = format!("There is no such grant defined for user '{}' on host '{}'", account.name, account.host);
        return Err(Error::new(1141, "42000", text));
    };
    let all = users::grants(account, user).into_iter().map(|line| vec![Value::text(line)]).collect();
    Ok(rows(&[&format!("Grants for {}@{}", account.name, account.host)], all))
}
