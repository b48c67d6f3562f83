//! Reviews: who am I, may I, what may I (pkg/registry/{authentication,authorization}).

use api::http::{Body, Method, Response, StatusCode};
use api::status::{FieldError, FieldErrors, Status};
use api::{Kind, Object, reviews};
use json::{Value, json};

use super::{Attributes, all_rules, authorize, decide};
use crate::authentication::{User, self_review, token_review};
use crate::negotiate::resource_format;
use crate::registry::{Context, decode};
use crate::request::{Head, Route};
use crate::value::{at, list, map_mut, text};
use crate::wire;

/// Makes the answer to a review.
type Answer = fn(&Context<'_>, &User, Value) -> Result<Object, Status>;

/// Every review and how it is answered.
static ANSWERS: &[(&Kind, Answer)] = &[
    (&reviews::SELF_SUBJECT_REVIEWS, |cx, user, _| Ok(self_review(cx, user))),
    (&reviews::TOKEN_REVIEWS, |cx, _, review| Ok(token_review(cx, review))),
    (&reviews::LOCAL_SUBJECT_ACCESS_REVIEWS, |cx, _, review| {
        access(cx, "LocalSubjectAccessReview", &subject(&review), review)
    }),
    (&reviews::SELF_SUBJECT_ACCESS_REVIEWS, |cx, user, review| access(cx, "SelfSubjectAccessReview", user, review)),
    (&reviews::SELF_SUBJECT_RULES_REVIEWS, rules),
    (&reviews::SUBJECT_ACCESS_REVIEWS, |cx, _, review| access(cx, "SubjectAccessReview", &subject(&review), review)),
];

/// A request to a review.
pub struct Review {
    kind: &'static Kind,
    answer: Answer,
    namespace: String,
}

/// The review that a path leads to.
pub fn review(route: &Route, path: &str) -> Option<Review> {
    if !matches!(route, Route::Other) {
        return None;
    }
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, plural, namespace) = match segments.as_slice() {
        ["apis", group, "v1", plural] => (*group, *plural, ""),
        ["apis", group, "v1", "namespaces", namespace, plural] => (*group, *plural, *namespace),
        _ => return None,
    };
    let (kind, answer) = ANSWERS.iter().find(|(k, _)| k.group == group && k.plural == plural)?;
    (kind.namespaced != namespace.is_empty()).then(|| Review { kind, answer: *answer, namespace: namespace.to_owned() })
}

impl Review {
    /// Its answer.
    pub fn answer(&self, cx: &Context<'_>, user: &User, head: &Head, body: Body) -> Result<Response, Status> {
        let (kind, namespace) = (self.kind, self.namespace.as_str());
        let wanted = Attributes {
            verb: if head.method == Method::POST { "create" } else { "get" },
            group: kind.group,
            resource: kind.plural,
            namespace,
            ..Attributes::default()
        };
        authorize(cx, user, &wanted)?;
        if head.method != Method::POST {
            return Err(Status::method_not_allowed());
        }
        let format = resource_format(head)?;
        let mut asked = decode::object(cx, head, body, kind)?;
        if !namespace.is_empty() && at(&asked, "spec.resourceAttributes").is_object() {
            asked["spec"]["resourceAttributes"]["namespace"] = namespace.into();
        }
        Ok(wire::object(StatusCode::CREATED, (self.answer)(cx, user, asked)?, format))
    }
}

/// The user that a review is about.
fn subject(review: &Value) -> User {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let spec = at(review, "spec");
    User {
        name: text(spec, "user").to_owned(),
        uid: text(spec, "uid").to_owned(),
        groups: texts(at(spec, "groups")),
        extra: crate::value::fields(at(spec, "extra")).map(|(key, value)| (key.to_string(), texts(value))).collect(),
        is_component: false,
    }
}

/// May the user do this?
fn access(cx: &Context<'_>, kind: &str, user: &User, mut review: Value) -> Result<Object, Status> {
    let spec = at(&review, "spec");
    let (resource, path) = (at(spec, "resourceAttributes"), at(spec, "nonResourceAttributes"));
    let mut errors = FieldErrors::new();
    match (resource.is_object(), path.is_object()) {
        (false, false) => errors.push(FieldError::invalid(
            "spec.resourceAttributes",
            Value::Null,
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )),
        (true, true) => errors.push(FieldError::invalid(
            "spec.nonResourceAttributes",
            path.clone(),
            "cannot be specified in combination with resourceAttributes",
        )),
        _ => {}
    }
    if kind != "SelfSubjectAccessReview" && user.name.is_empty() && user.groups.is_empty() {
        errors.push(FieldError::invalid("spec.user", "", "at least one of user or group must be specified"));
    }
    if !errors.is_empty() {
        return Err(Status::invalid("authorization.k8s.io", kind, "", &errors));
    }
    let wanted = if resource.is_object() {
        Attributes {
            verb: text(resource, "verb"),
            group: text(resource, "group"),
            resource: text(resource, "resource"),
            subresource: text(resource, "subresource"),
            namespace: text(resource, "namespace"),
            name: text(resource, "name"),
            path: "",
        }
    } else {
        Attributes { verb: text(path, "verb"), path: text(path, "path"), ..Attributes::default() }
    };
    let decision = decide(cx, user, &wanted);
    let mut status = json!({"allowed": decision.is_some()});
    if let Some(reason) = decision.filter(|r| !r.is_empty()) {
        status["reason"] = reason.into();
    }
    review["kind"] = kind.into();
    review["apiVersion"] = "authorization.k8s.io/v1".into();
    review["metadata"] = json!({});
    review["status"] = status;
    Ok(Object::new(review))
}

/// What may the user do here?
fn rules(cx: &Context<'_>, user: &User, review: Value) -> Result<Object, Status> {
    let namespace = text(&review, "spec.namespace");
    if namespace.is_empty() {
        return Err(Status::bad_request("no namespace on request"));
    }
    let (mut resources, mut paths) = (Vec::new(), Vec::new());
    for rule in all_rules(cx, user, namespace) {
        if !list(&rule.value, "resources").is_empty() {
            let mut out = rule.value.clone();
            map_mut(&mut out).remove("nonResourceURLs");
            resources.push(out);
        }
        if !list(&rule.value, "nonResourceURLs").is_empty() {
            paths.push(json!({"verbs": rule.value["verbs"], "nonResourceURLs": rule.value["nonResourceURLs"]}));
        }
    }
    Ok(Object::new(json!({
        "kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": {},
        "status": {"resourceRules": resources, "nonResourceRules": paths, "incomplete": false},
    })))
}
