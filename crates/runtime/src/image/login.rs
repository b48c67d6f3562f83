//! Who somebody is to a registry.

use std::fmt;

/// A user of a registry with the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The account. Any password goes with it: there is nobody else in this world.
    pub user: String,
    /// The password or token.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.user) // passwords do not go into texts
    }
}
