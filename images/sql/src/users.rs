//! Accounts, their passwords and what they may do.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::ast::{Account, Statement};
use crate::catalog::{Catalog, Change, SYSTEM_DATABASES, User};
use crate::error::{Error, Result};
use crate::eval::{like, like_exactly};
use crate::session::{Outcome, Session, Work};

/// Privileges that GRANT may name, in the order of SHOW GRANTS.
const PRIVILEGES: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "RELOAD",
    "SHUTDOWN",
    "PROCESS",
    "FILE",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "SHOW DATABASES",
    "SUPER",
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "EXECUTE",
    "REPLICATION SLAVE",
    "REPLICATION CLIENT",
    "CREATE VIEW",
    "SHOW VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "CREATE USER",
    "EVENT",
    "TRIGGER",
    "CREATE TABLESPACE",
    "CREATE ROLE",
    "DROP ROLE",
];

/// What ALL is stored as.
const ALL: &str = "ALL";
/// WITH GRANT OPTION.
const OPTION: &str = "GRANT OPTION";

/// The digest of the digest of a password, as `caching_sha2_password` compares it; empty for no password.
pub(crate) fn digest(password: &str) -> Vec<u8> {
    if password.is_empty() { Vec::new() } else { Sha256::digest(Sha256::digest(password.as_bytes())).to_vec() }
}

/// The account that may do everything.
pub(crate) fn root() -> User {
    let all = [ALL, OPTION].map(str::to_owned).into();
    User { digest: Vec::new(), grants: [((None, None), all)].into() }
}

/// The account that a client of this name and address is: the one with the most exact host.
pub(crate) fn find<'a>(catalog: &'a Catalog, user: &str, host: &str) -> Option<(&'a Account, &'a User)> {
    let fits = |account: &Account| account.name == user && (account.host == host || like(host, &account.host));
    let exact = |account: &Account| (account.host == host, account.host.trim_end_matches('%').len());
    catalog.users.iter().filter(|(account, _)| fits(account)).max_by_key(|(account, _)| exact(account))
}

/// Whether an account may do something to a table, a database, or everything.
pub(crate) fn may(
    catalog: &Catalog,
    account: &Account,
    privilege: &str,
    db: Option<&str>,
    table: Option<&str>,
) -> bool {
    let Some(user) = catalog.users.get(account) else { return false };
    user.grants.iter().any(|((on_db, on_table), privileges)| {
        let covers = match (on_db, on_table) {
            (None, _) => true,
            (Some(pattern), None) => db.is_some_and(|db| like_exactly(db, pattern)),
            (Some(name), Some(on)) => db == Some(name.as_str()) && table == Some(on.as_str()),
        };
        covers && (privileges.contains(privilege) || privileges.contains(ALL) && privilege != OPTION)
    })
}

/// Whether an account sees a database at all.
pub(crate) fn may_see(catalog: &Catalog, account: &Account, db: &str) -> bool {
    if matches!(db, "information_schema" | "performance_schema") {
        return true;
    }
    let Some(user) = catalog.users.get(account) else { return false };
    user.grants.iter().any(|((on_db, _), privileges)| {
        !privileges.is_empty()
            && on_db.as_ref().is_none_or(|pattern| like_exactly(db, pattern) && !SYSTEM_DATABASES.contains(&db))
    })
}

/// Whether an account sees a table.
pub(crate) fn may_see_table(catalog: &Catalog, account: &Account, db: &str, table: &str) -> bool {
    PRIVILEGES.iter().any(|privilege| may(catalog, account, privilege, Some(db), Some(table)))
}

/// MySQL's refusal of a database.
pub(crate) fn no_database_access(account: &Account, db: &str) -> Error {
    Error::new(
        1044,
        "42000",
        format!("Access denied for user '{}'@'{}' to database '{db}'", account.name, account.host),
    )
}

fn failed(what: &str, account: &Account) -> Error {
    Error::new(1396, "HY000", format!("Operation {what} failed for '{}'@'{}'", account.name, account.host))
}

/// CREATE USER, ALTER USER, DROP USER, GRANT and REVOKE.
///
/// # Errors
/// 1227, 1396, 1410: it may not, or there is no such account.
pub(crate) fn run(work: &mut Work, session: &mut Session, statement: &Statement) -> Result<Outcome> {
    match statement {
        Statement::CreateUser { accounts, if_not_exists } => {
            session.check_all(&work.catalog, "CREATE USER")?;
            for (account, password) in accounts {
                if work.catalog.users.contains_key(account) {
                    if !if_not_exists {
                        return Err(failed("CREATE USER", account));
                    }
                    let text = format!("Authorization ID '{}'@'{}' already exists.", account.name, account.host);
                    session.warnings.push(("Note", Error::new(3163, "HY000", text)));
                    continue;
                }
                let user = User { digest: digest(password.as_deref().unwrap_or("")), ..User::default() };
                work.change(Change::User(account.clone(), Some(user)));
            }
        }
        Statement::AlterUser(accounts) => {
            for (account, password) in accounts {
                if *account != session.account {
                    session.check_all(&work.catalog, "CREATE USER")?;
                }
                let Some(user) = work.catalog.users.get(account) else { return Err(failed("ALTER USER", account)) };
                let mut user = user.clone();
                if let Some(password) = password {
                    user.digest = digest(password);
                }
                work.change(Change::User(account.clone(), Some(user)));
            }
        }
        Statement::DropUser { accounts, if_exists } => {
            session.check_all(&work.catalog, "CREATE USER")?;
            for account in accounts {
                if work.catalog.users.contains_key(account) {
                    work.change(Change::User(account.clone(), None));
                } else if !if_exists {
                    return Err(failed("DROP USER", account));
                }
            }
        }
        Statement::Grant { privileges, db, table, accounts, option, revoke } => {
            session.check_all(&work.catalog, OPTION)?;
            for account in accounts {
                let Some(user) = work.catalog.users.get(account) else {
                    return Err(match revoke {
                        true => failed("REVOKE", account),
                        false => Error::new(1410, "42000", "You are not allowed to create a user with GRANT"),
                    });
                };
                let mut user = user.clone();
                let there = user.grants.entry((db.clone(), table.clone())).or_default();
                change_grants(there, privileges, *revoke)?;
                if *option && !revoke {
                    there.insert(OPTION.to_owned());
                }
                if there.is_empty() {
                    user.grants.remove(&(db.clone(), table.clone()));
                }
                work.change(Change::User(account.clone(), Some(user)));
            }
        }
        _ => {}
    }
    Ok(Outcome::done(0))
}

fn change_grants(there: &mut BTreeSet<String>, privileges: &[String], revoke: bool) -> Result<()> {
    for privilege in privileges {
        match privilege.as_str() {
            "USAGE" => {}
            ALL if revoke => there.clear(),
            ALL => {
                let option = there.contains(OPTION);
                there.clear();
                there.insert(ALL.to_owned());
                if option {
                    there.insert(OPTION.to_owned());
                }
            }
            one if PRIVILEGES.contains(&one) || one == OPTION => {
                if !revoke {
                    if !there.contains(ALL) || one == OPTION {
                        there.insert(one.to_owned());
                    }
                    continue;
                }
                if one != OPTION && there.remove(ALL) {
                    there.extend(PRIVILEGES.iter().map(|p| (*p).to_owned()));
                }
                there.remove(one);
            }
            other => {
                return Err(Error::refused(format!("kubonsai does not support the privilege {other} (mysql) yet")));
            }
        }
    }
    Ok(())
}

/// The lines of SHOW GRANTS.
pub(crate) fn grants(account: &Account, user: &User) -> Vec<String> {
    let to = format!("`{}`@`{}`", account.name, account.host);
    let mut lines = Vec::new();
    if !user.grants.contains_key(&(None, None)) {
        lines.push(format!("GRANT USAGE ON *.* TO {to}"));
    }
    for ((db, table), privileges) in &user.grants {
        let place = match (db, table) {
            (None, _) => "*.*".to_owned(),
            (Some(db), None) => format!("`{db}`.*"),
            (Some(db), Some(table)) => format!("`{db}`.`{table}`"),
        };
        let what = match (privileges.contains(ALL), db.is_some()) {
            (true, true) => "ALL PRIVILEGES".to_owned(),
            (true, false) => PRIVILEGES.join(", "),
            _ => PRIVILEGES.iter().filter(|p| privileges.contains(**p)).copied().collect::<Vec<_>>().join(", "),
        };
        let option = if privileges.contains(OPTION) { " WITH GRANT OPTION" } else { "" };
        lines.push(format!("GRANT {} ON {place} TO {to}{option}", if what.is_empty() { "USAGE" } else { &what }));
    }
    lines
}
