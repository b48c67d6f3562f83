//! Tables that the server makes of what it knows: `information_schema` and `mysql.user`.

use crate::catalog::{SYSTEM_DATABASES, Table};
use crate::error::{Error, Result};
use crate::session::Env;
use crate::show;
use crate::types::{BIGINT, Type};
use crate::users;
use crate::value::{Row, Value};

/// Tables by database.
const TABLES: &[(&str, &str)] = &[
    ("information_schema", "COLUMNS"),
    ("information_schema", "SCHEMATA"),
    ("information_schema", "TABLES"),
    ("mysql", "user"),
];

/// The tables of a system database.
pub(crate) fn names(db: &str) -> Vec<String> {
    TABLES.iter().filter(|(of, _)| *of == db).map(|(_, name)| (*name).to_owned()).collect()
}

type Columns = Vec<(&'static str, Type)>;

/// The columns and rows of one.
///
/// # Errors
/// 1235: MySQL may have it, and this engine has not.
pub(crate) fn table(env: &Env<'_>, db: &str, name: &str) -> Result<(Columns, Vec<Row>)> {
    match (db.to_ascii_lowercase().as_str(), name.to_ascii_uppercase().as_str()) {
        ("information_schema", "SCHEMATA") => {
            let columns = vec![
                ("CATALOG_NAME", text()),
                ("SCHEMA_NAME", text()),
                ("DEFAULT_CHARACTER_SET_NAME", text()),
                ("DEFAULT_COLLATION_NAME", text()),
            ];
            let row = |name: String| {
                Row::from([
                    Value::text("def"),
                    Value::text(name),
                    Value::text("utf8mb4"),
                    Value::text("utf8mb4_0900_ai_ci"),
                ])
            };
            Ok((columns, show::databases(env).into_iter().map(row).collect()))
        }
        ("information_schema", "TABLES") => Ok(tables(env)),
        ("information_schema", "COLUMNS") => Ok(columns(env)),
        ("mysql", "USER") => {
            env.session.check(env.catalog, "SELECT", "mysql", Some("user"))?;
            let columns = vec![
                ("Host", text()),
                ("User", text()),
                ("plugin", text()),
                ("account_locked", text()),
                ("password_expired", text()),
            ];
            let row = |account: &crate::ast::Account| {
                Row::from([
                    Value::text(&account.host),
                    Value::text(&account.name),
                    Value::text("caching_sha2_password"),
                    Value::text("N"),
                    Value::text("N"),
                ])
            };
            let mut accounts: Vec<_> = env.catalog.users.keys().collect();
            accounts.sort_by_key(|account| (&account.host, &account.name));
            Ok((columns, accounts.into_iter().map(row).collect()))
        }
        _ => Err(Error::refused(format!("kubonsai does not support the table {db}.{name} (mysql) yet"))),
    }
}

fn text() -> Type {
    Type::Varchar(64)
}

/// Every table that the account sees, with its database and name.
fn seen<'a>(env: &Env<'a>) -> Vec<(&'a String, &'a String, &'a Table)> {
    let all = env
        .catalog
        .databases
        .iter()
        .flat_map(|(db, tables)| tables.iter().map(move |(name, table)| (db, name, &**table)));
    all.filter(|(db, name, _)| users::may_see_table(env.catalog, &env.session.account, db, name)).collect()
}

fn tables(env: &Env<'_>) -> (Columns, Vec<Row>) {
    let columns = vec![
        ("TABLE_CATALOG", text()),
        ("TABLE_SCHEMA", text()),
        ("TABLE_NAME", text()),
        ("TABLE_TYPE", text()),
        ("ENGINE", text()),
        ("TABLE_ROWS", BIGINT),
        ("AUTO_INCREMENT", BIGINT),
        ("CREATE_TIME", Type::DateTime(0)),
        ("TABLE_COLLATION", text()),
        ("TABLE_COMMENT", text()),
    ];
    let own = seen(env).into_iter().map(|(db, name, table)| {
        let auto = table.columns.iter().any(|c| c.auto_increment);
        Row::from([
            Value::text("def"),
            Value::text(db),
            Value::text(name),
            Value::text("BASE TABLE"),
            Value::text("InnoDB"),
            Value::Int(table.count() as i64),
            if auto { Value::Int(table.counters.auto.get()) } else { Value::Null },
            Value::DateTime(table.created, 0),
            Value::text("utf8mb4_0900_ai_ci"),
            Value::text(&table.comment),
        ])
    });
    let system = TABLES.iter().filter(|(db, _)| SYSTEM_DATABASES.contains(db)).map(|(db, name)| {
        let kind = if *db == "mysql" { "BASE TABLE" } else { "SYSTEM VIEW" };
        let null = Value::Null;
        Row::from([
            Value::text("def"),
            Value::text(db),
            Value::text(name),
            Value::text(kind),
            null.clone(),
            Value::Int(0),
            null.clone(),
            null.clone(),
            null,
            Value::text(""),
        ])
    });
    (columns, system.chain(own).collect())
}

fn columns(env: &Env<'_>) -> (Columns, Vec<Row>) {
    let columns = vec![
        ("TABLE_CATALOG", text()),
        ("TABLE_SCHEMA", text()),
        ("TABLE_NAME", text()),
        ("COLUMN_NAME", text()),
        ("ORDINAL_POSITION", BIGINT),
        ("COLUMN_DEFAULT", text()),
        ("IS_NULLABLE", text()),
        ("DATA_TYPE", text()),
        ("COLUMN_TYPE", text()),
        ("COLUMN_KEY", text()),
        ("EXTRA", text()),
        ("COLUMN_COMMENT", text()),
    ];
    let mut rows = Vec::new();
    for (db, name, table) in seen(env) {
        for (at, column) in table.columns.iter().enumerate() {
            let ty = column.ty.name();
            let plain = ty.split(['(', ' ']).next().unwrap_or("").to_owned();
            rows.push(Row::from([
                Value::text("def"),
                Value::text(db),
                Value::text(name),
                Value::text(&column.name),
                Value::Int(at as i64 + 1),
                show::default_text(column),
                Value::text(if column.not_null { "NO" } else { "YES" }),
                Value::text(plain),
                Value::text(ty),
                Value::text(show::key_kind(table, column)),
                Value::text(show::extra(column)),
                Value::text(&column.comment),
            ]));
        }
    }
    (columns, rows)
}
