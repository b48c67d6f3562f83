//! Which part a function belongs to, by its name.

/// Paths of crates and modules, and where their functions go.
pub(crate) struct Rules {
    /// What is not needed for the first prompt.
    pub(crate) rest: &'static [&'static str],
    /// What is needed for it all the same, though a shorter path is in `rest`.
    pub(crate) first: &'static [&'static str],
    /// Ends of names of what is needed for it, whatever it belongs to: methods that are asked of every implementation.
    pub(crate) methods: &'static [&'static str],
}

/// Where a function goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    /// It may be needed for the first prompt.
    First,
    /// It stays in the rest, whoever calls it.
    Rest,
    /// A copy of general code for a type of the rest: where its callers are.
    Either,
}

impl Rules {
    /// The side of a function, by its name as [`plain`] gives it.
    pub(super) fn side(&self, name: &str) -> Side {
        if self.methods.iter().any(|end| name.ends_with(end)) {
            return Side::First;
        }
        if defining(name).any(|path| self.is_rest(path)) {
            return Side::Rest;
        }
        if paths(name).any(|path| self.is_rest(path)) { Side::Either } else { Side::First }
    }

    fn is_rest(&self, path: &str) -> bool {
        let longest =
            |list: &[&str]| list.iter().filter(|prefix| begins(path, prefix)).map(|prefix| prefix.len()).max();
        longest(self.rest) > longest(self.first)
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
    use super::{Rules, Side, plain};

    const RULES: Rules =
        Rules { rest: &["kubectl", "shell::tools"], first: &["shell::tools::table"], methods: &["Program>::names"] };

    fn check(name: &str, side: Side) {
        assert_eq!(RULES.side(name), side, "{name}");
    }

    #[test]
    fn a_function_goes_where_its_path_says() {
        check("kubectl::verbs::get::run::{closure#0}", Side::Rest);
        check("kubectlish::run", Side::First);
        check("shell::parser::parse", Side::First);
        check("shell::tools::grep::run", Side::Rest);
        check("shell::tools::table::find", Side::First);
        check("<shell::tools::grep::Grep as machine::Program>::run", Side::Rest);
        check("<kubectl::Kubectl as machine::Program>::names", Side::First);
        check("memcpy", Side::First);
    }

    #[test]
    fn implementations_of_the_rests_traits_are_in_the_rest() {
        check("<serde_json::Value as kubectl::Printable>::print", Side::Rest);
        check("<fn() -> u8 as kubectl::Printable>::print", Side::Rest);
    }

    #[test]
    fn general_code_over_types_of_the_rest_is_where_it_is_used() {
        check("<alloc::vec::Vec<kubectl::Row>>::push", Side::Either);
        check("core::ptr::drop_in_place::<shell::tools::grep::Grep>", Side::Either);
        check("<alloc::vec::Vec<kubectl::Row> as core::ops::Drop>::drop", Side::Either);
        check("<alloc::vec::Vec<api::Row> as core::ops::Drop>::drop", Side::First);
    }

    #[test]
    fn numbers_of_crates_are_taken_out() {
        assert_eq!(plain("<alloc[3ca501edff3f0c7c]::vec::Vec<[u8; 4]>>::push"), "<alloc::vec::Vec<[u8; 4]>>::push");
        assert_eq!(plain("a::<[u8]>"), "a::<[u8]>");
    }
}
