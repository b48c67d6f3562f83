//! Which part a function belongs to, by its name.

/// Paths of crates and modules, and where their functions go.
pub(crate) struct Rules {
    /// The parts after the first, in the order in which a learner comes to need them.
    pub(crate) parts: &'static [PartRules],
    /// What is needed for the first prompt all the same, though a shorter path is in a part.
    pub(crate) first: &'static [&'static str],
    /// Ends of names of what is needed for it, whatever it belongs to: methods that are asked of every implementation.
    pub(crate) methods: &'static [&'static str],
}

/// One part after the first.
pub(crate) struct PartRules {
    /// Names its file.
    pub(crate) name: &'static str,
    /// What no earlier part needs.
    pub(crate) paths: &'static [&'static str],
}

/// Where a function goes. Parts are counted from the first, which is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    /// It stays in this part, whoever calls it: in the first, wherever it is called.
    Own(usize),
    /// A copy of general code for a type of this part: where its callers are.
    Callers(usize),
}

impl Side {
    /// The part that it has to do with.
    pub(super) fn part(self) -> usize {
        match self {
            Self::Own(part) | Self::Callers(part) => part,
        }
    }
}

impl Rules {
    /// The side of a function, by its name as [`plain`] gives it.
    pub(super) fn side(&self, name: &str) -> Side {
        if self.methods.iter().any(|end| name.ends_with(end)) {
            return Side::Own(0);
        }
        let latest = |part: usize, path: &str| part.max(self.part(path));
        match defining(name).fold(0, latest) {
            0 => match paths(name).fold(0, latest) {
                0 => Side::Own(0),
                part => Side::Callers(part),
            },
            part => Side::Own(part),
        }
    }

    /// The part that a path belongs to: the longest entry decides.
    fn part(&self, path: &str) -> usize {
        let longest =
            |list: &[&str]| list.iter().filter(|prefix| begins(path, prefix)).map(|prefix| prefix.len()).max();
        let parts = self.parts.iter().map(|part| longest(part.paths));
        let lengths = std::iter::once(longest(self.first)).chain(parts).enumerate();
        lengths.filter_map(|(part, length)| Some((length?, part))).max().map_or(0, |(_, part)| part)
    }
}

/// Whether a path is another or below it.
fn begins(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The name without the numbers that tell versions of a crate apart: `core[1a2b]::fmt` is `core::fmt`.
pub(super) fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(open) = rest.find('[') {
        let (before, after) = rest.split_at(open);
        plain.push_str(before);
        let inside = after[1..].split(']').next().unwrap_or_default();
        if inside.len() > 8 && inside.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            rest = &after[inside.len() + 2..];
        } else {
            plain.push('[');
            rest = &after[1..];
        }
    }
    plain + rest
}

/// Every path in a name, from its crate on.
fn paths(name: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    name.split(move |c| !is_part(c)).filter(|path| !path.starts_with(':') && path.contains("::"))
}

/// The paths that say where a function is written: of the type it belongs to, and of the trait.
/// `<kubectl::Get as machine::Program>::run` gives both, `<alloc::vec::Vec<kubectl::Row>>::push` the first alone.
fn defining(name: &str) -> impl Iterator<Item = &str> {
    let outer = paths(name).next().into_iter();
    outer.chain(of_trait(name))
}

/// The path after the ` as ` of an implementation.
fn of_trait(name: &str) -> Option<&str> {
    if !name.starts_with('<') {
        return None;
    }
    let mut depth = 0_usize;
    for (at, c) in name.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if !name[..at].ends_with('-') => depth = depth.checked_sub(1)?,
            ' ' if depth == 1 && name[at..].starts_with(" as ") => return paths(&name[at + 4..]).next(),
            _ => {}
        }
        if depth == 0 {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{PartRules, Rules, Side, plain};

    const RULES: Rules = Rules {
        parts: &[
            PartRules { name: "rest", paths: &["kubectl", "shell::tools"] },
            PartRules { name: "rare", paths: &["cel", "kubectl::rare"] },
        ],
        first: &["shell::tools::table"],
        methods: &["Program>::names"],
    };

    fn check(name: &str, side: Side) {
        assert_eq!(RULES.side(name), side, "{name}");
    }

    #[test]
    fn a_function_goes_where_its_path_says() {
        check("kubectl::verbs::get::run::{closure#0}", Side::Own(1));
        check("kubectlish::run", Side::Own(0));
        check("shell::parser::parse", Side::Own(0));
        check("shell::tools::grep::run", Side::Own(1));
        check("shell::tools::table::find", Side::Own(0));
        check("<shell::tools::grep::Grep as machine::Program>::run", Side::Own(1));
        check("<kubectl::Kubectl as machine::Program>::names", Side::Own(0));
        check("kubectl::rare::run", Side::Own(2));
        check("memcpy", Side::Own(0));
    }

    #[test]
    fn implementations_of_a_parts_traits_are_in_it() {
        check("<serde_json::Value as kubectl::Printable>::print", Side::Own(1));
        check("<fn() -> u8 as kubectl::Printable>::print", Side::Own(1));
        check("<kubectl::Get as cel::Typed>::kind", Side::Own(2));
    }

    #[test]
    fn general_code_over_types_of_a_part_is_where_it_is_used() {
        check("<alloc::vec::Vec<kubectl::Row>>::push", Side::Callers(1));
        check("core::ptr::drop_in_place::<shell::tools::grep::Grep>", Side::Callers(1));
        check("<alloc::vec::Vec<kubectl::Row> as core::ops::Drop>::drop", Side::Callers(1));
        check("<alloc::vec::Vec<api::Row> as core::ops::Drop>::drop", Side::Own(0));
        check("<alloc::collections::BTreeMap<kubectl::Row, cel::Value>>::insert", Side::Callers(2));
    }

    #[test]
    fn numbers_of_crates_are_taken_out() {
        assert_eq!(plain("<alloc[3ca501edff3f0c7c]::vec::Vec<[u8; 4]>>::push"), "<alloc::vec::Vec<[u8; 4]>>::push");
        assert_eq!(plain("a::<[u8]>"), "a::<[u8]>");
    }
}
