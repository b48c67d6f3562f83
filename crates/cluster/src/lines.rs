//! The lines between the parts of a cluster and its API server, for tests to cut, slow down and break.
//!
//! Without the feature `faults` there is nothing here: a line is what it leads to.

use std::rc::Rc;

use api::http::Transport;

/// Makes the line of a part from the way to the API server. The part is named by its user agent, a machine by `node/` and
/// its name.
#[cfg(feature = "faults")]
pub type Leads = Rc<dyn Fn(&str, Rc<dyn Transport>) -> Rc<dyn Transport>>;

/// What makes the lines of a world.
#[derive(Clone, Default)]
pub(crate) struct Lines {
    #[cfg(feature = "faults")]
    pub(crate) leads: Option<Leads>,
}

impl Lines {
    /// The line on which `part` reaches the API server at the end of `way`.
    #[cfg(feature = "faults")]
    pub(crate) fn lead(&self, part: &str, way: Rc<dyn Transport>) -> Rc<dyn Transport> {
        match &self.leads {
            Some(leads) => leads(part, way),
            None => way,
        }
    }

    /// The line on which a part reaches the API server at the end of `way`.
    #[cfg(not(feature = "faults"))]
    #[allow(clippy::unused_self, reason = "the same call with and without faults")]
    pub(crate) fn lead(&self, _: &str, way: Rc<dyn Transport>) -> Rc<dyn Transport> {
        way
    }
}
