//! Taints of nodes and the tolerations of pods (`component-helpers/scheduling/corev1`).

use json::Value;

/// Whether a toleration covers a taint.
pub fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or("").to_owned();
    let (effect, key) = (text(toleration, "effect"), text(toleration, "key"));
    let effect_fits = effect.is_empty() || effect == text(taint, "effect");
    let key_fits = key.is_empty() || key == text(taint, "key");
    let value_fits = match text(toleration, "operator").as_str() {
        "" | "Equal" => text(toleration, "value") == text(taint, "value"),
        "Exists" => true,
        _ => false,
    };
    effect_fits && key_fits && value_fits
}

/// Whether one of the tolerations covers the taint.
pub fn are_tolerated(tolerations: &[Value], taint: &Value) -> bool {
    tolerations.iter().any(|toleration| tolerates(toleration, taint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use json::json;

    #[test]
    fn tolerations_cover_taints() {
        let taint = json!({"key": "dedicated", "value": "gpu", "effect": "NoSchedule"});
        for (toleration, covers) in [
            (json!({"key": "dedicated", "value": "gpu"}), true),
            (json!({"key": "dedicated", "value": "cpu"}), false),
            (json!({"key": "dedicated", "operator": "Exists"}), true),
            (json!({"key": "dedicated", "operator": "Exists", "effect": "NoExecute"}), false),
            (json!({"operator": "Exists"}), true),
            (json!({"key": "other", "operator": "Exists"}), false),
        ] {
            assert_eq!(are_tolerated(std::slice::from_ref(&toleration), &taint), covers, "{toleration}");
        }
    }
}
