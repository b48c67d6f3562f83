//! Rules about manifests: licence and lints inherited, every dependency declared once with a reason.

use super::{Finding, Source};

/// Workspaces of their own, with dependencies of their own.
const OTHERS: [&str; 3] = ["images/", "tests/fuzz/", "tests/kube/"];

/// Checks the workspace's manifest and every member's.
#[must_use]
pub fn check(sources: &[Source]) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in sources {
        if source.path == "Cargo.toml" {
            reasons(source, &mut found);
        } else if source.path.ends_with("/Cargo.toml") && !OTHERS.iter().any(|other| source.path.starts_with(other)) {
            member(source, &mut found);
        }
    }
    found
}

/// Every outside dependency has the reason for it beside it.
fn reasons(source: &Source, found: &mut Vec<Finding>) {
    let mut inside = false;
    for (index, line) in source.text.lines().enumerate() {
        if line.starts_with('[') {
            inside = line == "[workspace.dependencies]";
            continue;
        }
        let is_entry = inside && line.contains('=') && !line.trim_start().starts_with('#');
        let is_ours = line.contains("path = ");
        let has_reason = line.rsplit_once('#').is_some_and(|(_, reason)| reason.trim().len() >= 8);
        if is_entry && !is_ours && !has_reason {
            found.push(source.finding(index + 1, "a dependency without the reason for it: add `# why`"));
        }
    }
}

fn member(source: &Source, found: &mut Vec<Finding>) {
    let has = |line: &str| source.text.lines().any(|found| found.replace(' ', "") == line);
    if !has("license.workspace=true") {
        found.push(source.finding(0, "no `license.workspace = true`"));
    }
    if !source.text.contains("[lints]\nworkspace = true") {
        found.push(source.finding(0, "no `[lints] workspace = true`"));
    }
    let mut section = "";
    for (index, line) in source.text.lines().enumerate() {
        if line.starts_with('[') {
            section = line;
        }
        let is_entry = section.ends_with("dependencies]") && line.contains('=') && !line.starts_with(['#', '[']);
        if is_entry && !line.contains("workspace = true") {
            found.push(source.finding(index + 1, "declare it in [workspace.dependencies] and inherit it"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_a_reason_for_outside_dependencies_only() {
        let text = "[workspace.dependencies]\napi = { path = \"crates/api\" }\nhttp = \"1\" # request and response types\n\
                    tar = \"0.4\"\n[profile.dev]\ndebug = 1\n";
        let found = check(&[Source::new("Cargo.toml", text)]);
        assert_eq!(found.iter().map(|finding| finding.line).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn wants_members_to_inherit() {
        let good = "[package]\nname = \"x\"\nlicense.workspace = true\n\n[lints]\nworkspace = true\n\n[dependencies]\n\
                    http.workspace = true\n";
        let good = good.replace("http.workspace = true", "http = { workspace = true, features = [] }");
        assert_eq!(check(&[Source::new("crates/x/Cargo.toml", &good)]), []);
        let bad = "[package]\nname = \"x\"\n[dependencies]\nhttp = \"1\"\n";
        assert_eq!(check(&[Source::new("crates/x/Cargo.toml", bad)]).len(), 3);
    }
}
