//! What strict decoding complains of: fields that nobody knows, and fields that stand twice.
//!
//! Upstream: `k8s.io/apimachinery/pkg/runtime/serializer/json`, `sigs.k8s.io/json`, and `addStrictDecodingWarnings` of
//! `k8s.io/apiserver/pkg/endpoints/handlers`. Objects from inside the cluster are values and say nothing twice.

use std::collections::BTreeSet;

use api::strict;

/// As many complaints are told.
const COMPLAINTS_MAX: usize = 100;

/// What the sentence of the YAML decoder begins with; a line for each complaint follows.
const YAML: &str = "yaml: unmarshal errors:\n";
/// As [`YAML`], where the decoder turns YAML into JSON.
const YAML_TO_JSON: &str = "error converting YAML to JSON: yaml: unmarshal errors:\n";

/// The text of a body.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    /// It was a value, or a message.
    None,
    /// JSON.
    Json(&'a [u8]),
    /// YAML.
    Yaml(&'a [u8]),
}

/// All complaints about a request, in upstream's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaints(Vec<String>);

impl Complaints {
    /// Those about an object of a kind of Kubernetes: `unknown` are the places of fields that it does not have.
    pub fn of_object(text: Text<'_>, unknown: &[String]) -> Complaints {
        match text {
            Text::Json(json) => Complaints(in_order(json, unknown)),
            Text::None | Text::Yaml(_) => Complaints::of_custom(text, unknown),
        }
    }

    /// Those about a custom object: the decoder knows no fields, so that all may stand twice, and what is not known is found
    /// out afterwards.
    pub fn of_custom(text: Text<'_>, unknown: &[String]) -> Complaints {
        let mut all = Complaints::of_text(text);
        all.extend(unknown.iter().map(|path| format!("unknown field {path:?}")));
        all
    }

    /// Those about fields that stand twice, in a text whose fields all count.
    pub fn of_text(text: Text<'_>) -> Complaints {
        let mut all = Complaints::default();
        match text {
            Text::None => {}
            Text::Json(json) => {
                all.extend(strict::repeated(json).iter().map(|path| format!("duplicate field {path:?}")))
            }
            Text::Yaml(yaml) => all.0.extend(in_yaml(yaml).map(|lines| format!("{YAML}{lines}"))),
        }
        all
    }

    /// Those about a JSON patch: its operations have four fields.
    pub fn of_operations(json: &[u8]) -> Complaints {
        let keys = strict::keys(json);
        let is_unknown = |path: &str| {
            let field = path.split_once("].").map_or("", |(_, field)| field);
            let field = &field[..field.find(['.', '[']).unwrap_or(field.len())];
            !field.is_empty() && !["op", "path", "from", "value"].contains(&field)
        };
        let unknown: Vec<String> = keys.into_iter().map(|key| key.path).filter(|path| is_unknown(path)).collect();
        let mut all = Complaints::default();
        all.extend(in_order(json, &unknown).into_iter().map(|complaint| format!("json patch {complaint}")));
        all
    }

    /// That about a configuration for server-side apply.
    pub fn of_configuration(yaml: &[u8]) -> Complaints {
        Complaints(in_yaml(yaml).map(|lines| format!("{YAML_TO_JSON}{lines}")).into_iter().collect())
    }

    /// Adds others.
    pub fn extend(&mut self, others: impl IntoIterator<Item = String>) {
        let room = COMPLAINTS_MAX.saturating_sub(self.0.len());
        self.0.extend(others.into_iter().take(room));
    }

    /// The decoder's sentence, if there is anything to complain of.
    pub fn error(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| format!("strict decoding error: {}", self.0.join(", ")))
    }

    /// The complaints alone, if there are any.
    pub fn alone(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join(", "))
    }

    /// A warning each; of what YAML repeats, one for each line.
    pub fn warnings(&self) -> Vec<String> {
        let lines = |complaint: &String| -> Vec<String> {
            match complaint.strip_prefix(YAML).or_else(|| complaint.strip_prefix(YAML_TO_JSON)) {
                Some(lines) => lines.split('\n').map(|line| line.trim().to_owned()).collect(),
                None => vec![complaint.clone()],
            }
        };
        self.0.iter().flat_map(lines).collect()
    }
}

/// Complaints in the order of the text. Nobody looks into a field that is not known, or counts how often it is there.
fn in_order(json: &[u8], unknown: &[String]) -> Vec<String> {
    if unknown.is_empty() && strict::repeated(json).is_empty() {
        return Vec::new();
    }
    let unknown: BTreeSet<&str> = unknown.iter().map(String::as_str).collect();
    let (mut all, mut said) = (Vec::new(), BTreeSet::new());
    // The unknown field whose keys are passed over.
    let mut inside: Option<String> = None;
    for key in strict::keys(json) {
        let rest = inside.as_deref().and_then(|outer| key.path.strip_prefix(outer));
        if rest.is_some_and(|rest| rest.starts_with(['.', '['])) {
            continue;
        }
        let is_unknown = unknown.contains(key.path.as_str());
        inside = is_unknown.then(|| key.path.clone());
        let complaint = match (is_unknown, key.is_repeated) {
            (true, _) => format!("unknown field {:?}", key.path),
            (false, true) => format!("duplicate field {:?}", key.path),
            (false, false) => continue,
        };
        if all.len() < COMPLAINTS_MAX && said.insert(complaint.clone()) {
            all.push(complaint);
        }
    }
    all
}

/// The lines of the decoder about keys that stand twice.
fn in_yaml(yaml: &[u8]) -> Option<String> {
    let (_, repeated) = api::yaml::parse_document_strict(&String::from_utf8_lossy(yaml)).ok()?;
    (!repeated.is_empty()).then(|| format!("  {}", repeated.join("\n  ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(of: &[&str]) -> Vec<String> {
        of.iter().map(|path| (*path).to_owned()).collect()
    }

    #[test]
    fn of_a_known_kind_in_the_order_of_the_text() {
        // What upstream's test/integration/apiserver/field_validation_test.go expects of such an object.
        let json = br#"{"metadata": {"name": "a", "name": "b", "odd": 1},
            "spec": {"z": {"in": 1, "in": 2}, "dupe": 1, "dupe": 2, "paused": true, "paused": false}}"#;
        let found = Complaints::of_object(Text::Json(json), &paths(&["metadata.odd", "spec.dupe", "spec.z"]));
        let wanted = "strict decoding error: duplicate field \"metadata.name\", unknown field \"metadata.odd\", \
            unknown field \"spec.z\", unknown field \"spec.dupe\", duplicate field \"spec.paused\"";
        assert_eq!(found.error().as_deref(), Some(wanted));
        assert_eq!(found.warnings().len(), 5);
    }

    #[test]
    fn of_a_custom_kind_what_stands_twice_comes_first() {
        let json = br#"{"spec": {"odd": 1, "odd": 2}}"#;
        let found = Complaints::of_custom(Text::Json(json), &paths(&["spec.odd"]));
        assert_eq!(found.warnings(), ["duplicate field \"spec.odd\"", "unknown field \"spec.odd\""]);
    }

    #[test]
    fn of_yaml_a_line_each() {
        let yaml = b"spec:\n  a: 1\n  a: 2\n  odd: 1\n  odd: 2\n";
        let found = Complaints::of_object(Text::Yaml(yaml), &paths(&["spec.odd"]));
        let wanted = "strict decoding error: yaml: unmarshal errors:\n  line 3: key \"a\" already set in map\n  \
            line 5: key \"odd\" already set in map, unknown field \"spec.odd\"";
        assert_eq!(found.error().as_deref(), Some(wanted));
        let lines = ["line 3: key \"a\" already set in map", "line 5: key \"odd\" already set in map"];
        assert_eq!(found.warnings()[..2], lines);
        assert_eq!(Complaints::of_configuration(yaml).warnings(), lines);
    }

    #[test]
    fn of_the_operations_of_a_patch() {
        let json = br#"[{"op": "add", "path": "/a", "foo": {"x": 1, "x": 1}, "value": {"y": 1}},
            {"op": "add", "path": "/a", "path": "/b", "value": {"y": 1, "y": 2}}]"#;
        let wanted = [
            "json patch unknown field \"[0].foo\"",
            "json patch duplicate field \"[1].path\"",
            "json patch duplicate field \"[1].value.y\"",
        ];
        assert_eq!(Complaints::of_operations(json).warnings(), wanted);
    }

    #[test]
    fn there_is_an_end_to_complaining() {
        let many: Vec<String> = (0..1_000).map(|i| format!("{{\"a\": {i}, \"a\": 0}}")).collect();
        let json = format!("{{\"list\": [{}]}}", many.join(","));
        assert_eq!(Complaints::of_object(Text::Json(json.as_bytes()), &[]).warnings().len(), COMPLAINTS_MAX);
        assert_eq!(Complaints::of_text(Text::None).error(), None);
    }
}
