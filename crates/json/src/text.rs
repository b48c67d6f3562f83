//! Strings of a tree, and the names of fields.

use std::cell::RefCell;

/// A string of a tree: up to fifteen bytes in place, longer ones shared.
pub type Text = ecow::EcoString;

/// How many bytes are kept in place.
const INLINE: usize = 15;

/// Names that are remembered to be shared. A power of two; the schema has some 700 names that are too long to be kept in
/// place.
const NAMES_MAX: usize = 1_024;

/// The longest name that is remembered, in bytes: labels and annotations have longer ones, and each but once.
const NAME_MAX: usize = 64;

thread_local! {
    /// The last name seen of each hash. Which ones are in it never shows: a name is equal to its copy.
    static NAMES: RefCell<Vec<Text>> = const { RefCell::new(Vec::new()) };
}

/// The text of a field's name, shared with what used it before.
pub fn name(text: &str) -> Text {
    if text.len() <= INLINE || text.len() > NAME_MAX {
        return text.into();
    }
    remembered(text, || text.into())
}

/// A name that is a text already.
pub(crate) fn shared(text: Text) -> Text {
    if text.len() <= INLINE || text.len() > NAME_MAX {
        return text;
    }
    remembered(&text, || text.clone())
}

fn remembered(text: &str, make: impl FnOnce() -> Text) -> Text {
    let place = hash(text) & (NAMES_MAX - 1);
    NAMES.with_borrow_mut(|names| {
        if names.is_empty() {
            names.resize(NAMES_MAX, Text::new());
        }
        if names[place] != *text {
            names[place] = make();
        }
        names[place].clone()
    })
}

/// FNV-1a, mixed once more because only the low bits are used.
fn hash(text: &str) -> usize {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 15)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_shared() {
        let (first, second) = (name("lastTransitionTime"), name("lastTransitionTime"));
        assert_eq!(first, "lastTransitionTime");
        assert_eq!(first.as_ptr(), second.as_ptr());
        let third = shared("lastTransitionTime".into());
        assert_eq!(first.as_ptr(), third.as_ptr());
    }

    #[test]
    fn short_and_huge_names_are_themselves() {
        assert_eq!(name("spec"), "spec");
        assert!(name("spec").is_inline());
        let huge = "x".repeat(NAME_MAX + 1);
        assert_ne!(name(&huge).as_ptr(), name(&huge).as_ptr(), "not remembered");
    }

    #[test]
    fn more_names_than_places_are_all_right() {
        for round in 0..2 {
            for number in 0..3 * NAMES_MAX {
                let text = format!("a-rather-long-name-{number}");
                assert_eq!(name(&text), text, "round {round}");
            }
        }
    }
}
