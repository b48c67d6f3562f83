//! What goes wrong, with the number, the state and the words of MySQL's own errors.

/// An error as the protocol sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// MySQL's number.
    pub code: u16,
    /// SQLSTATE, five characters.
    pub state: &'static str,
    /// The words.
    pub text: String,
}

/// What a statement gives, or why it does not.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of MySQL's list.
    pub fn new(code: u16, state: &'static str, text: impl Into<String>) -> Error {
        Error { code, state, text: text.into() }
    }

    /// What MySQL has and this engine has not. The words begin as all refusals do, so that they are found and listed.
    pub fn refused(text: impl Into<String>) -> Error {
        Error::new(1235, "42000", text)
    }

    pub(crate) fn unknown_database(name: &str) -> Error {
        Error::new(1049, "42000", format!("Unknown database '{name}'"))
    }

    pub(crate) fn no_database() -> Error {
        Error::new(1046, "3D000", "No database selected")
    }

    pub(crate) fn no_table(db: &str, name: &str) -> Error {
        Error::new(1146, "42S02", format!("Table '{db}.{name}' doesn't exist"))
    }

    pub(crate) fn unknown_column(name: &str, place: &str) -> Error {
        Error::new(1054, "42S22", format!("Unknown column '{name}' in '{place}'"))
    }

    pub(crate) fn deadlock() -> Error {
        Error::new(1213, "40001", "Deadlock found when trying to get lock; try restarting transaction")
    }

    pub(crate) fn no_key(name: &str) -> Error {
        Error::new(1091, "42000", format!("Can't DROP '{name}'; check that column/key exists"))
    }
}
