//! Versions (k8s.io/apiserver/pkg/cel/library/semverlib.go, github.com/blang/semver).

use std::cmp::Ordering;
use std::sync::Arc;

use super::Found;
use super::quantity::order;
use crate::value::Value;

/// A version in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Semver {
    numbers: [u64; 3],
    prerelease: Vec<String>,
}

impl Semver {
    /// How two versions are ordered.
    #[must_use]
    pub fn compare(&self, other: &Semver) -> Ordering {
        let by_prerelease = || match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let parts = self.prerelease.iter().zip(&other.prerelease);
                let first = parts.map(|(a, b)| compare_part(a, b)).find(|o| *o != Ordering::Equal);
                first.unwrap_or_else(|| self.prerelease.len().cmp(&other.prerelease.len()))
            }
        };
        self.numbers.cmp(&other.numbers).then_with(by_prerelease)
    }
}

fn compare_part(a: &str, b: &str) -> Ordering {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

pub(super) fn call(name: &str, args: &[Value]) -> Option<Found> {
    let number = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let found = match (name, args) {
        ("isSemver", [Value::String(text)]) => Value::Bool(parse(text).is_ok()),
        ("isSemver", [Value::String(text), Value::Bool(loose)]) => Value::Bool(read(text, *loose).is_ok()),
        ("semver", [Value::String(text)]) => return Some(parse(text).map(|v| Value::Semver(Arc::new(v)))),
        ("semver", [Value::String(text), Value::Bool(loose)]) => {
            return Some(read(text, *loose).map(|v| Value::Semver(Arc::new(v))));
        }
        ("isGreaterThan", [Value::Semver(a), Value::Semver(b)]) => Value::Bool(a.compare(b) == Ordering::Greater),
        ("isLessThan", [Value::Semver(a), Value::Semver(b)]) => Value::Bool(a.compare(b) == Ordering::Less),
        ("compareTo", [Value::Semver(a), Value::Semver(b)]) => Value::Int(order(a.compare(b))),
        ("major", [Value::Semver(v)]) => number(v.numbers[0]),
        ("minor", [Value::Semver(v)]) => number(v.numbers[1]),
        ("patch", [Value::Semver(v)]) => number(v.numbers[2]),
        _ => return None,
    };
    Some(Ok(found))
}

fn read(text: &str, loose: bool) -> Result<Semver, String> {
    if !loose {
        return parse(text);
    }
    // A leading `v`, missing numbers and leading zeros are forgiven.
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let mut parts: Vec<&str> = numbers.splitn(3, '.').collect();
    if parts.len() < 3 && rest.is_empty() {
        parts.resize(3, "0");
    }
    let plain = |part: &&str| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0".to_owned(),
        other => other.to_owned(),
    };
    let numbers: Vec<String> = parts.iter().map(plain).collect();
    parse(&format!("{}{rest}", numbers.join(".")))
}

fn parse(text: &str) -> Result<Semver, String> {
    if text.is_empty() {
        return Err("Version string empty".into());
    }
    let parts: Vec<&str> = text.splitn(3, '.').collect();
    let [major, minor, patch] = parts.as_slice() else { return Err("No Major.Minor.Patch elements found".into()) };
    let (patch, build) = patch.split_once('+').map_or((*patch, None), |(patch, build)| (patch, Some(build)));
    let (patch, prerelease) = patch.split_once('-').map_or((patch, None), |(patch, pre)| (patch, Some(pre)));
    let mut numbers = [0; 3];
    for (i, (part, name)) in [(*major, "major"), (*minor, "minor"), (patch, "patch")].into_iter().enumerate() {
        let shown = name[..1].to_uppercase() + &name[1..];
        if part.is_empty() || !part.chars().all(|c| c.is_ascii_digit()) {
            return Err(format!("Invalid character(s) found in {name} number {part:?}"));
        }
        if part.len() > 1 && part.starts_with('0') {
            return Err(format!("{shown} number must not contain leading zeroes {part:?}"));
        }
        numbers[i] = part.parse().map_err(|_| format!("{shown} number out of range"))?;
    }
    let identifiers = |text: Option<&str>, what: &str| -> Result<Vec<String>, String> {
        let parts: Vec<String> = text.map(|t| t.split('.').map(str::to_owned).collect()).unwrap_or_default();
        let is_right = |p: &String| !p.is_empty() && p.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        match parts.iter().find(|p| !is_right(p)) {
            Some(p) if p.is_empty() => Err(format!("{what} is empty")),
            Some(p) => Err(format!("Invalid character(s) found in {} {p:?}", what.to_lowercase())),
            None => Ok(parts),
        }
    };
    identifiers(build, "Build meta data")?;
    Ok(Semver { numbers, prerelease: identifiers(prerelease, "Prerelease")? })
}
