//! Pathname expansion over the machine's files.

use super::{Field, pattern};
use crate::exec::Flow;
use crate::shell::Shell;

/// Names that one pattern may give; above this the pattern stays as it is.
const GLOB_NAMES_MAX: usize = 100_000;

impl Shell {
    /// Adds the names that match the field, or its text.
    pub(super) fn expand_path(&self, field: Field, out: &mut Vec<String>) -> Result<(), Flow> {
        if self.options.noglob || !pattern::is_pattern(&field.pattern) {
            out.push(field.text);
            return Ok(());
        }
        let names = self.glob(&field.pattern);
        if names.is_empty() {
            if !self.options.nullglob {
                out.push(field.text);
            }
            return Ok(());
        }
        out.extend(names);
        Ok(())
    }

    /// The paths that match, in byte order.
    pub(crate) fn glob(&self, pat: &str) -> Vec<String> {
        let (mut found, rest) = match pat.strip_prefix('/') {
            Some(rest) => (vec!["/".to_owned()], rest),
            None => (vec![String::new()], pat),
        };
        let pieces: Vec<&str> = rest.split('/').collect();
        for (i, piece) in pieces.iter().enumerate() {
            let last = i + 1 == pieces.len();
            let mut next = Vec::new();
            for base in &found {
                self.glob_piece(base, piece, last, &mut next);
                if next.len() > GLOB_NAMES_MAX {
                    return Vec::new();
                }
            }
            found = next;
        }
        found
    }

    fn glob_piece(&self, base: &str, piece: &str, last: bool, next: &mut Vec<String>) {
        let view = self.fs.at(&self.cwd);
        let keep = |path: String, next: &mut Vec<String>| {
            next.push(if last { path } else { format!("{path}/") });
        };
        if piece.is_empty() {
            next.push(base.to_owned()); // a slash at the end, or a doubled one
            return;
        }
        if !pattern::is_pattern(piece) {
            let path = format!("{base}{}", pattern::unescape(piece));
            let there = if last { view.lstat(&path).is_ok() } else { view.is_dir(&path) };
            if there {
                keep(path, next);
            }
            return;
        }
        let Ok(entries) = view.readdir(if base.is_empty() { "." } else { base }) else { return };
        for entry in entries {
            let hidden = entry.name.starts_with('.') && !piece.starts_with('.') && !self.options.dotglob;
            if hidden || !pattern::matches(piece, &entry.name) {
                continue;
            }
            let path = format!("{base}{}", entry.name);
            if last || view.is_dir(&path) {
                keep(path, next);
            }
        }
    }
}
