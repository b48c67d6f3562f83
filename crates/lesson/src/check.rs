//! `checks.yaml`: what must be true, and the hint for each thing that is not.

use serde::{Deserialize, Serialize};

use crate::Text;

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checks {
    /// In the order in which they are shown where the text does not place them.
    pub checks: Vec<Check>,
}

/// One thing for the learner to reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Named by a `check` fence in the text.
    pub id: String,
    /// What is true when it is reached, as a short sentence.
    pub text: Text,
    /// All of these must hold. The first that does not gives the hint.
    pub all: Vec<Clause>,
}

/// One condition with its hint. Exactly one of the kinds is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Shown while the condition does not hold: what is missing and how to go on.
    pub hint: Text,
    /// Objects of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectClause>,
    /// Something that happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceClause>,
    /// Something that a command put on the screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputClause>,
    /// Any one of these, for goals that can be reached in several ways.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any: Vec<Clause>,
}

/// Objects that must exist (or must not) with certain values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ObjectClause {
    /// `apiVersion`, `v1` if left out.
    #[serde(default = "core_v1")]
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Namespace, `default` if left out; `*` for all.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// Only this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only objects with these labels (a label selector).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// What must hold of an object for it to count.
    #[serde(default, skip_serializing_if = "Vec::is_empty", rename = "where")]
    pub expect: Vec<Expect>,
    /// Exactly so many; left out: at least one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
}

fn core_v1() -> String {
    "v1".to_owned()
}

fn default_namespace() -> String {
    "default".to_owned()
}

/// A comparison. Exactly one of the operators is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Path into the object, see the author's guide.
    pub path: String,
    /// Some value at the path reads so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<String>,
    /// Some value at the path contains this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// Some value at the path is a number of at least this.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "atLeast")]
    pub at_least: Option<i64>,
    /// Something is there (true) or nothing is (false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
}

/// A command has ended since the lesson began that put this on the screen. Whatever command it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputClause {
    /// The output contains all of these.
    pub contains: Vec<String>,
    /// The command ended with this exit code; left out: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
}

/// Something that must have happened since the lesson began. Every field that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceClause {
    /// `call`, `write`, `flow`, `container` or `learner`.
    #[serde(rename = "type")]
    pub event: String,
    /// Who: the caller of a call, the start of a flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// HTTP method of a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path of a call begins so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// HTTP status of a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Some hop or the end of a flow begins so; the subject of a write or container event (`namespace/name`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The end of a call's path, for subresources such as `/log`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
}

impl Check {
    /// What is wrong with it, as sentences.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.all.is_empty() {
            problems.push(format!("check {:?} has no clause in `all`", self.id));
        }
        for (language, text) in [("ja", &self.text.ja), ("en", &self.text.en)] {
            if text.trim().is_empty() {
                problems.push(format!("check {:?}: text.{language} is empty", self.id));
            }
        }
        for clause in &self.all {
            clause.collect_problems(&self.id, &mut problems);
        }
        problems
    }
}

impl Clause {
    fn collect_problems(&self, id: &str, problems: &mut Vec<String>) {
        let kinds =
            [self.object.is_some(), self.trace.is_some(), self.output.is_some(), !self.any.is_empty()].map(usize::from);
        if kinds.iter().sum::<usize>() != 1 {
            problems.push(format!("check {id:?}: a clause needs exactly one of `object`, `trace`, `output` and `any`"));
        }
        if self.output.as_ref().is_some_and(|o| o.contains.is_empty() && o.code.is_none()) {
            problems.push(format!("check {id:?}: `output` needs something that it contains, or a code"));
        }
        if self.hint.ja.trim().is_empty() || self.hint.en.trim().is_empty() {
            problems.push(format!("check {id:?}: a clause needs a hint in ja and en"));
        }
        for expect in self.object.iter().flat_map(|o| &o.expect) {
            let operators = usize::from(expect.equals.is_some())
                + usize::from(expect.contains.is_some())
                + usize::from(expect.at_least.is_some())
                + usize::from(expect.exists.is_some());
            if operators != 1 {
                problems.push(format!(
                    "check {id:?}: `{}` needs exactly one of equals, contains, atLeast, exists",
                    expect.path
                ));
            }
            if let Err(error) = crate::path::lookup(&serde_json::Value::Null, &expect.path) {
                problems.push(format!("check {id:?}: {error}"));
            }
        }
        if let Some(trace) = &self.trace
            && !["call", "write", "flow", "container", "learner"].contains(&trace.event.as_str())
        {
            problems.push(format!("check {id:?}: unknown trace type {:?}", trace.event));
        }
        for inner in &self.any {
            inner.collect_problems(id, problems);
        }
    }
}
