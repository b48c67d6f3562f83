//! What the targets have in common.

/// Between the parts of an input that has several.
const SEPARATOR: &str = "\n%%\n";

/// An input as text; none if it is none.
pub fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// The parts of an input, which lines of `%%` separate.
pub fn parts(data: &[u8]) -> impl Iterator<Item = &str> {
    text(data).into_iter().flat_map(|text| text.split(SEPARATOR))
}
