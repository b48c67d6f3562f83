//! The one shape of every controller: what it follows, what wakes it, and one pure look at one key.

use std::time::Duration;

use api::{Kind, Object};
use client::Event;

use crate::change::{Change, Retry};
use crate::view::View;

/// A row in the table of controllers.
pub(crate) struct Controller {
    /// As in `--controllers`; ends its user agent, so the trace shows who acts.
    pub(crate) name: &'static str,
    /// The source of its events.
    pub(crate) component: &'static str,
    /// Kinds that it looks at.
    pub(crate) follows: Follows,
    /// The keys that a change calls for. `view` already shows the change.
    pub(crate) wake: fn(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake>,
    /// Whether a refused write is looked at again at once, with [`View::failure`] telling of it, before the pause.
    pub(crate) reports_refusals: bool,
    /// What is to be done about a key. Pure: depends on nothing but its arguments.
    pub(crate) reconcile: fn(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry>,
}

/// A choice of kinds.
pub(crate) enum Follows {
    /// These.
    Kinds(&'static [&'static Kind]),
    /// Every kind of the table but these.
    AllBut(&'static [&'static Kind]),
}

impl Follows {
    /// Whether a kind is among them.
    pub(crate) fn contains(&self, kind: &Kind) -> bool {
        match self {
            Follows::Kinds(kinds) => kinds.contains(&kind),
            Follows::AllBut(kinds) => !kinds.contains(&kind),
        }
    }
}

/// A key that is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wake {
    pub(crate) key: String,
    pub(crate) after: Duration,
}

impl Wake {
    /// Look at this object.
    pub(crate) fn now(object: &Object) -> Wake {
        Wake::key(object.key())
    }

    /// Look at this object in a while.
    pub(crate) fn after(object: &Object, after: Duration) -> Wake {
        Wake { key: object.key(), after }
    }

    /// Look at this key.
    pub(crate) fn key(key: impl Into<String>) -> Wake {
        Wake { key: key.into(), after: Duration::ZERO }
    }
}
