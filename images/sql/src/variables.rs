//! `@@name` and SHOW VARIABLES: what the server tells of itself.

use crate::error::{Error, Result};
use crate::session::Env;
use crate::users;
use crate::value::Value;

/// Settings that are always the same here. Sorted.
const FIXED: &[(&str, &str)] = &[
    ("basedir", "/usr/"),
    ("bind_address", "*"),
    ("character_set_client", "utf8mb4"),
    ("character_set_connection", "utf8mb4"),
    ("character_set_database", "utf8mb4"),
    ("character_set_results", "utf8mb4"),
    ("character_set_server", "utf8mb4"),
    ("collation_connection", "utf8mb4_0900_ai_ci"),
    ("collation_database", "utf8mb4_0900_ai_ci"),
    ("collation_server", "utf8mb4_0900_ai_ci"),
    ("default_storage_engine", "InnoDB"),
    ("lower_case_table_names", "0"),
    ("max_allowed_packet", "67108864"),
    ("read_only", "OFF"),
    (
        "sql_mode",
        "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
    ),
    ("system_time_zone", "UTC"),
    ("time_zone", "SYSTEM"),
    ("transaction_isolation", "REPEATABLE-READ"),
];

/// Numbers among them.
const NUMBERS: &[&str] = &["lower_case_table_names", "max_allowed_packet", "port"];

/// All settings and their values, sorted.
pub(crate) fn all(env: &Env<'_>) -> Vec<(String, String)> {
    let server = &env.session.server;
    let mut all: Vec<(String, String)> = FIXED.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let autocommit = if env.session.autocommit { "ON" } else { "OFF" };
    let own = [
        ("autocommit", autocommit.to_owned()),
        ("datadir", server.folder.clone()),
        ("hostname", server.hostname.clone()),
        ("port", server.port.to_string()),
        ("socket", server.socket.clone()),
        ("version", server.version.clone()),
        ("version_comment", server.comment.clone()),
    ];
    all.extend(own.map(|(n, v)| (n.to_owned(), v)));
    all.sort();
    all
}

/// The value of `@@name`.
///
/// # Errors
/// 1193: there is none of this name here.
pub(crate) fn get(env: &Env<'_>, name: &str) -> Result<Value> {
    if name == "global.autocommit" {
        return Ok(Value::Int(1));
    }
    let name = name.rsplit('.').next().unwrap_or(name);
    let found = all(env).into_iter().find(|(n, _)| n == name);
    let Some((_, value)) = found else {
        return Err(Error::refused(format!("kubonsai does not support the system variable {name} (mysql) yet")));
    };
    Ok(match value.as_str() {
        "ON" => Value::Int(1),
        "OFF" => Value::Int(0),
        number if NUMBERS.contains(&name) => Value::Int(number.parse().unwrap_or(0)),
        text => Value::text(text),
    })
}

/// Settings that a session has and the server has not.
const SESSION_ONLY: &[&str] = &["sql_log_bin"];

/// Whether a setting may be set to a value: it must be what it is already.
///
/// # Errors
/// 1227, 1228 for those of the server, 1235 for settings that cannot be changed here.
pub(crate) fn set(env: &Env<'_>, name: &str, value: &Value) -> Result<()> {
    if let Some(("global" | "persist", own)) = name.split_once('.') {
        if SESSION_ONLY.contains(&own) {
            let text = format!("Variable '{own}' is a SESSION variable and can't be used with SET GLOBAL");
            return Err(Error::new(1228, "HY000", text));
        }
        if !users::may(env.catalog, &env.session.account, "SUPER", None, None) {
            let text = "Access denied; you need (at least one of) the SUPER or SYSTEM_VARIABLES_ADMIN privilege(s) for this operation";
            return Err(Error::new(1227, "42000", text));
        }
        if own == "autocommit" {
            let on = value.truth() == Some(true) || value.to_string().eq_ignore_ascii_case("ON");
            let refused = || Error::refused("kubonsai does not support SET GLOBAL autocommit (mysql) yet");
            return if on { Ok(()) } else { Err(refused()) };
        }
    }
    let name = name.rsplit('.').next().unwrap_or(name);
    // What clients and dumps set, and what changes no answer here.
    const HARMLESS: &[&str] =
        &["foreign_key_checks", "sql_log_bin", "sql_notes", "unique_checks", "wait_timeout", "interactive_timeout"];
    let known = get(env, name);
    let same = known.is_ok_and(|there| there.to_string().eq_ignore_ascii_case(&value.to_string()));
    if same || HARMLESS.contains(&name) && name != "foreign_key_checks" {
        return Ok(());
    }
    Err(Error::refused(format!("kubonsai does not support setting {name} (mysql) yet")))
}
