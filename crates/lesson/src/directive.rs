//! The fences `focus` and `clock`: what the page does when a step is shown.

use api::selector::LabelSelector;

use crate::document::{Clock, Focus};

/// The parts that can be focused, by their names in the trace.
const PARTS: [&str; 8] = [
    "learner",
    "kubectl",
    "kube-apiserver",
    "etcd",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
];
/// Virtual seconds a second; above this a learner sees nothing happen any more.
const SPEED_FACTOR_MAX: u32 = 100;

/// `kube-scheduler`, `Pod`, `Service/web` or `Pod app=web`.
pub(crate) fn focus(source: &str) -> Result<Focus, String> {
    let source = source.trim();
    if PARTS.contains(&source) {
        return Ok(Focus::Part { name: source.to_owned() });
    }
    let (subject, selector) = source.split_once(' ').map_or((source, None), |(s, rest)| (s, Some(rest.trim())));
    let (kind, name) = subject.split_once('/').map_or((subject, None), |(kind, name)| (kind, Some(name)));
    if !kind.starts_with(|c: char| c.is_ascii_uppercase()) || !kind.chars().all(|c| c.is_ascii_alphanumeric()) {
        let parts = PARTS.join(", ");
        return Err(format!("focus: {source:?} is neither a kind (Pod, Service/web, Pod app=web) nor one of {parts}"));
    }
    if let Some(Err(error)) = selector.map(LabelSelector::parse) {
        return Err(format!("focus: {error}"));
    }
    Ok(Focus::Object { kind: kind.to_owned(), name: name.map(str::to_owned), selector: selector.map(str::to_owned) })
}

/// `pause`, `1x`, `10x`.
pub(crate) fn clock(source: &str) -> Result<Clock, String> {
    let source = source.trim();
    if source == "pause" {
        return Ok(Clock::Pause);
    }
    match source.strip_suffix('x').and_then(|number| number.parse().ok()) {
        Some(factor @ 1..=SPEED_FACTOR_MAX) => Ok(Clock::Speed { factor }),
        _ => Err(format!("clock: {source:?} is neither `pause` nor a speed from `1x` to `{SPEED_FACTOR_MAX}x`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_kinds_names_and_labels() {
        let object = |kind: &str, name: Option<&str>, selector: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            Ok(Focus::Object { kind: kind.into(), name: owned(name), selector: owned(selector) })
        };
        assert_eq!(focus("etcd\n"), Ok(Focus::Part { name: "etcd".into() }));
        assert_eq!(focus("Pod"), object("Pod", None, None));
        assert_eq!(focus("Service/web"), object("Service", Some("web"), None));
        assert_eq!(focus("Pod app=web,tier!=db"), object("Pod", None, Some("app=web,tier!=db")));
        assert!(focus("the scheduler").is_err());
        assert!(focus("Pod app in").is_err());
    }

    #[test]
    fn speeds() {
        assert_eq!(clock("pause"), Ok(Clock::Pause));
        assert_eq!(clock("10x"), Ok(Clock::Speed { factor: 10 }));
        for wrong in ["0x", "fast", "1000x", "1.5x", ""] {
            assert!(clock(wrong).is_err(), "{wrong}");
        }
    }
}
