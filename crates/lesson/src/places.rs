//! The lines on which the parts of a text stand, for those who say what is wrong with them later.

/// Where the parts of a text stand. Not part of the text: the page does not need it.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// The introduction, then each step.
    pub(crate) parts: Vec<Place>,
    /// The links to the glossary: id and line.
    pub(crate) terms: Vec<(String, usize)>,
    /// The checks that are shown: id and line.
    pub(crate) shown: Vec<(String, usize)>,
}

/// Where the introduction or a step stands.
#[derive(Debug, Default)]
pub(crate) struct Place {
    /// The line of its heading.
    pub(crate) line: usize,
    /// The lines of what [`crate::document::outline`] gives, in the same order.
    pub(crate) marks: Vec<usize>,
    /// Something in it could not be read, so that its outline lacks it.
    pub(crate) is_broken: bool,
}

impl Places {
    /// The part that is being read.
    pub(crate) fn last(&mut self) -> &mut Place {
        if self.parts.is_empty() {
            self.parts.push(Place { line: 1, ..Place::default() });
        }
        self.parts.last_mut().expect("there is one, or it was just pushed")
    }
}
