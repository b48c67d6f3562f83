//! `.dockerignore` (`github.com/moby/patternmatcher`): which files of a folder are not sent to a build.

/// The patterns of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ignore(Vec<(Vec<String>, bool)>);

impl Ignore {
    pub(crate) fn parse(text: &str) -> Ignore {
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let pattern = |line: &str| {
            let (line, is_kept) = line.strip_prefix('!').map_or((line, false), |rest| (rest.trim(), true));
            let parts = line.split('/').filter(|part| !part.is_empty() && *part != ".");
            (parts.map(str::to_owned).collect::<Vec<_>>(), is_kept)
        };
        Ignore(lines.map(pattern).filter(|(parts, _)| !parts.is_empty()).collect())
    }

    /// Whether a path below the folder, e.g. `a/b`, is left out: the last pattern that fits it or a folder above decides.
    pub(crate) fn leaves_out(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let mut is_out = false;
        for (pattern, is_kept) in &self.0 {
            let pattern: Vec<&str> = pattern.iter().map(String::as_str).collect();
            if (1..=parts.len()).any(|length| fits(&pattern, &parts[..length])) {
                is_out = !is_kept;
            }
        }
        is_out
    }
}

fn fits(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=path.len()).any(|skip| fits(rest, &path[skip..])),
        (Some((first, pattern)), Some((name, path))) => part_fits(first, name) && fits(pattern, path),
        _ => false,
    }
}

/// Whether one part of a path fits a pattern with `*`, `?` and `[...]` (Go's `filepath.Match`).
pub(crate) fn part_fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    part(&pattern, &name)
}

fn part(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|skip| part(rest, &name[skip..])),
        Some(('?', rest)) => !name.is_empty() && part(rest, &name[1..]),
        Some(('[', rest)) => {
            let (Some(end), Some(c)) = (rest.iter().position(|c| *c == ']'), name.first()) else { return false };
            let (set, is_not) = match &rest[..end] {
                ['^', set @ ..] => (set, true),
                set => (set, false),
            };
            let in_range = set.windows(3).any(|w| w[1] == '-' && (w[0]..=w[2]).contains(c));
            (set.contains(c) || in_range) != is_not && part(&rest[end + 1..], &name[1..])
        }
        Some(('\\', rest)) if !rest.is_empty() => name.first() == rest.first() && part(&rest[1..], &name[1..]),
        Some((c, rest)) => name.first() == Some(c) && part(rest, &name[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_fits_decides() {
        let ignore = Ignore::parse("# comment\n*.log\n**/tmp\nnode_modules/\n!keep.log\n/docs/*.md\n");
        for (path, is_out) in [
            ("a.log", true),
            ("keep.log", false),
            ("sub/a.log", false),
            ("a/b/tmp/x", true),
            ("tmp", true),
            ("node_modules/x/y.js", true),
            ("docs/a.md", true),
            ("docs/sub/a.md", false),
            ("Dockerfile", false),
        ] {
            assert_eq!(ignore.leaves_out(path), is_out, "{path}");
        }
        assert!(part_fits("a[0-9]?", "a5x") && !part_fits("a[^0-9]", "a5"));
    }
}
