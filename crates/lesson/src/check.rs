//! `checks.yaml`: what must be true, and the hint for each thing that is not.

use api::kinds::{self, KINDS};
use api::selector::LabelSelector;
use serde::{Deserialize, Serialize};

use crate::words::nearest;
use crate::yaml::{Part, Written};
use crate::{Facts, Text};

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
    /// An answer that the app must give over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpClause>,
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

/// A GET from outside the cluster that must be answered so. It is asked inside the world, when the cluster changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpClause {
    /// `http://host:port/path`, with `{Kind/name:path}` for a field of an object of v1 in `default`.
    pub url: String,
    /// HTTP status, 200 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The body contains this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
}

impl HttpClause {
    /// Names it among the clauses of a lesson.
    pub fn key(&self) -> String {
        json::to_string(self).expect("strings and numbers serialise")
    }

    /// The URL with its fields filled in; none while an object or a field is missing.
    pub fn url_now(&self, facts: &dyn Facts) -> Option<String> {
        let mut url = String::new();
        for part in url_parts(&self.url).ok()? {
            match part {
                UrlPart::Text(text) => url.push_str(text),
                UrlPart::Field { kind, name, path } => {
                    let object = facts.objects("v1", kind, "default").into_iter().find(|o| o.name() == name)?;
                    url.push_str(&crate::path::text(crate::path::lookup(object.value(), path).ok()?.first()?));
                }
            }
        }
        Some(url)
    }

    /// Whether this is the answer that was hoped for.
    pub fn accepts(&self, status: u16, body: &str) -> bool {
        status == self.status.unwrap_or(200) && self.contains.as_deref().is_none_or(|part| body.contains(part))
    }
}

enum UrlPart<'a> {
    Text(&'a str),
    Field { kind: &'a str, name: &'a str, path: &'a str },
}

/// Splits a URL at its fields. The error is a sentence for the author.
fn url_parts(url: &str) -> Result<Vec<UrlPart<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = url;
    while let Some((text, after)) = rest.split_once('{') {
        let whole = after.split_once('}').and_then(|(field, rest)| {
            let (object, path) = field.split_once(':')?;
            let (kind, name) = object.split_once('/')?;
            Some((UrlPart::Field { kind, name, path }, rest))
        });
        let (field, after) = whole.ok_or_else(|| format!("http: {url:?}: fields are written {{Kind/name:path}}"))?;
        parts.extend([UrlPart::Text(text), field]);
        rest = after;
    }
    parts.push(UrlPart::Text(rest));
    Ok(parts)
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
    /// So many different ends of flows have matched, for example pods behind a Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub different: Option<usize>,
}

impl Checks {
    /// The clauses that are asked over HTTP, also those inside of `any`.
    pub fn http_clauses(&self) -> Vec<&HttpClause> {
        fn collect<'a>(clauses: &'a [Clause], found: &mut Vec<&'a HttpClause>) {
            for clause in clauses {
                found.extend(&clause.http);
                collect(&clause.any, found);
            }
        }
        let mut found = Vec::new();
        self.checks.iter().for_each(|check| collect(&check.all, &mut found));
        found
    }
}

impl Written for Checks {
    const PARTS: &'static [Part] = &[Part::of::<Check>("checks")];
}

impl Written for Check {
    const PARTS: &'static [Part] = &[Part::of::<Text>("text"), Part::of::<Clause>("all")];
}

impl Written for Clause {
    const PARTS: &'static [Part] = &[
        Part::of::<Text>("hint"),
        Part::of::<ObjectClause>("object"),
        Part::of::<TraceClause>("trace"),
        Part::of::<OutputClause>("output"),
        Part::of::<HttpClause>("http"),
        Part::of::<Clause>("any"),
    ];
}

impl Written for ObjectClause {
    const PARTS: &'static [Part] = &[Part::of::<Expect>("where")];
}

impl Written for Expect {}
impl Written for OutputClause {}
impl Written for HttpClause {}
impl Written for TraceClause {}

/// Problems with the paths of the values that have them.
struct Found<'a> {
    id: &'a str,
    problems: Vec<(String, String)>,
}

impl Found<'_> {
    fn add(&mut self, path: &str, message: &str) {
        self.problems.push((path.to_owned(), format!("check {:?}: {message}", self.id)));
    }
}

impl Check {
    /// What is wrong with it, as sentences.
    pub fn problems(&self) -> Vec<String> {
        self.located_problems("").into_iter().map(|(_, message)| message).collect()
    }

    /// What is wrong with it, which stands at `path`: paths and sentences.
    pub(crate) fn located_problems(&self, path: &str) -> Vec<(String, String)> {
        let mut found = Found { id: &self.id, problems: Vec::new() };
        if self.all.is_empty() {
            found.add(path, "there is no clause in `all`");
        }
        for (language, text) in [("ja", &self.text.ja), ("en", &self.text.en)] {
            if text.trim().is_empty() {
                found.add(&format!("{path}.text.{language}"), &format!("text.{language} is empty"));
            }
        }
        for (index, clause) in self.all.iter().enumerate() {
            clause.collect_problems(&format!("{path}.all[{index}]"), &mut found);
        }
        found.problems
    }
}

impl Clause {
    fn collect_problems(&self, path: &str, found: &mut Found<'_>) {
        let Clause { object, trace, output, http, any, .. } = self;
        let kinds = [object.is_some(), trace.is_some(), output.is_some(), http.is_some(), !any.is_empty()];
        if kinds.iter().filter(|given| **given).count() != 1 {
            found.add(path, "a clause needs exactly one of `object`, `trace`, `output`, `http` and `any`");
        }
        if self.hint.ja.trim().is_empty() || self.hint.en.trim().is_empty() {
            found.add(&format!("{path}.hint"), "a clause needs a hint in ja and en");
        }
        if let Some(http) = http {
            http.collect_problems(&format!("{path}.http"), found);
        }
        if let Some(trace) = trace {
            trace.collect_problems(&format!("{path}.trace"), found);
        }
        if output.as_ref().is_some_and(|o| o.contains.is_empty() && o.code.is_none()) {
            found.add(&format!("{path}.output"), "`output` needs something that it contains, or a code");
        }
        if let Some(object) = object {
            object.collect_problems(&format!("{path}.object"), found);
        }
        for (index, inner) in any.iter().enumerate() {
            inner.collect_problems(&format!("{path}.any[{index}]"), found);
        }
    }
}

impl HttpClause {
    fn collect_problems(&self, path: &str, found: &mut Found<'_>) {
        let path = format!("{path}.url");
        if !self.url.starts_with("http://") {
            found.add(&path, "http: the url begins with http://");
        }
        match url_parts(&self.url) {
            Err(error) => found.add(&path, &error),
            Ok(parts) => {
                for part in parts {
                    if let UrlPart::Field { kind, .. } = part
                        && let Some(message) = unknown_kind("v1", kind)
                    {
                        found.add(&path, &format!("http: {message}"));
                    }
                }
            }
        }
    }
}

impl TraceClause {
    fn collect_problems(&self, path: &str, found: &mut Found<'_>) {
        if self.different.is_some() && self.event != "flow" {
            found.add(&format!("{path}.different"), "`different` counts the ends of flows");
        }
        if !["call", "write", "flow", "container", "learner"].contains(&self.event.as_str()) {
            found.add(&format!("{path}.type"), &format!("unknown trace type {:?}", self.event));
        }
    }
}

impl ObjectClause {
    fn collect_problems(&self, path: &str, found: &mut Found<'_>) {
        if let Some(message) = unknown_kind(&self.api_version, &self.kind) {
            found.add(&format!("{path}.kind"), &message);
        }
        if let Some(Err(error)) = self.selector.as_deref().map(LabelSelector::parse) {
            found.add(&format!("{path}.selector"), &format!("selector: {error}"));
        }
        for (index, expect) in self.expect.iter().enumerate() {
            let path = format!("{path}.where[{index}]");
            let operators = [
                expect.equals.is_some(),
                expect.contains.is_some(),
                expect.at_least.is_some(),
                expect.exists.is_some(),
            ];
            if operators.iter().filter(|given| **given).count() != 1 {
                let words = "needs exactly one of equals, contains, atLeast, exists";
                found.add(&path, &format!("`{}` {words}", expect.path));
            }
            if let Err(error) = crate::path::lookup(&json::Value::Null, &expect.path) {
                found.add(&path, &error);
            }
        }
    }
}

/// What to say of a kind that checks cannot look at; none of those that they can. They see the kinds that are built in,
/// not those that a CustomResourceDefinition adds.
fn unknown_kind(api_version: &str, kind: &str) -> Option<String> {
    if kinds::by_kind(api_version, kind).is_some() {
        return None;
    }
    if let Some(row) = KINDS.iter().find(|row| row.kind == kind) {
        return Some(format!("the kind {kind} is not in {api_version}: write apiVersion: {}", row.api_version()));
    }
    Some(match nearest(kind, KINDS.iter().map(|row| row.kind)) {
        Some(meant) => format!("there is no kind {kind:?}: did you mean {meant}?"),
        None => {
            format!("there is no kind {kind:?} in {api_version}. For kinds that a lesson adds use `output` or `trace`")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(clause: &str) -> Vec<String> {
        let yaml = format!("id: a\ntext: {{ja: x, en: x}}\nall:\n- hint: {{ja: x, en: x}}\n  {clause}\n");
        let value = api::yaml::parse(&yaml).expect("YAML").remove(0);
        let check: Check = json::from_value(value).expect("a check");
        check.problems()
    }

    #[test]
    fn kinds_that_there_are_not_are_named() {
        for (clause, expected) in [
            (
                "object: {apiVersion: apps/v1, kind: Deploment}",
                "there is no kind \"Deploment\": did you mean Deployment?",
            ),
            ("object: {kind: Deployment}", "the kind Deployment is not in v1: write apiVersion: apps/v1"),
            ("object: {apiVersion: e.org/v1, kind: CronTab}", "there is no kind \"CronTab\" in e.org/v1. For kinds"),
            ("any: [{hint: {ja: x, en: x}, object: {kind: Pods}}]", "there is no kind \"Pods\": did you mean Pod?"),
            (
                "http: {url: 'http://x:{Servce/web:spec.x}/'}",
                "http: there is no kind \"Servce\": did you mean Service?",
            ),
        ] {
            let said = said(clause);
            let expected = format!("check \"a\": {expected}");
            assert!(said.len() == 1 && said[0].starts_with(&expected), "{clause}: {said:?}");
        }
        assert_eq!(said("object: {apiVersion: apps/v1, kind: Deployment}"), Vec::<String>::new());
    }

    #[test]
    fn a_selector_that_cannot_be_read_is_not_left_out() {
        assert!(said("object: {kind: Pod, selector: app in}")[0].starts_with("check \"a\": selector: "));
    }
}
