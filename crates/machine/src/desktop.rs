//! What a program can ask of the person's screen beside the terminal: a window to edit a text in, a page to look at.
//!
//! A [`Desktop`] belongs to a terminal that someone sits at. Scripts have none, and their programs refuse by name.

use futures_util::future::LocalBoxFuture;

/// The windows beside a terminal.
pub trait Desktop {
    /// Opens a text in a window.
    fn edit(&self, file: EditFile) -> Box<dyn EditWindow>;

    /// Shows something. The program goes on at once.
    fn show(&self, what: Show);
}

/// A text to be edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditFile {
    /// Where it is, absolute, for the window's title and the choice of colours.
    pub path: String,
    /// The text.
    pub text: String,
    /// It can be looked at only.
    pub read_only: bool,
}

/// What the person did in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditEvent {
    /// Saved; the window stays.
    Saved(String),
    /// Closed it. Nothing follows.
    Closed,
    /// There is no screen that could show a window. Nothing follows.
    Unavailable,
}

/// A window with a text in it. Dropping it closes it.
pub trait EditWindow {
    /// What the person does next.
    fn next(&mut self) -> LocalBoxFuture<'_, EditEvent>;
}

/// Something to be shown beside the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Show {
    /// A page at a URL, as reached from this machine.
    Url(String),
    /// The dashboard of the cluster.
    Dashboard,
}
