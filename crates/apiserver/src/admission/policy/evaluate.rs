//! What the expressions of a policy say of a request (k8s.io/apiserver/pkg/admission/plugin/policy/validating/validator.go,
//! .../plugin/cel/{condition,composition,activation}.go, .../webhook/matchconditions).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use api::Object;
use api::text::go_quote;
use cel::access::{About, Access, Decision};
use cel::schema::plain;
use cel::value::Value;
use cel::{Failure, Host};

use super::compile::{Expression, Policy, Validation};
use super::request::Shared;
use crate::authentication::User;
use crate::authorization::{self, Attributes};
use crate::registry::Context;

/// What all expressions of a kind may cost for one request (`RuntimeCELCostBudget`).
const COST_MAX: u64 = 10_000_000;
/// What the conditions of a policy may cost (`RuntimeCELCostBudgetMatchConditions`).
const CONDITIONS_COST_MAX: u64 = 2_500_000;
/// How long a message may be that an expression makes (`MaxEvaluatedMessageExpressionSizeBytes`).
const MESSAGE_BYTES_MAX: usize = 5 * 1024;

const OUT_OF_BUDGET: &str =
    "validation failed due to running out of cost budget, no further validation rules will be run";

/// What comes of a policy.
pub enum Action {
    /// A validation does not hold.
    Deny {
        /// Why.
        message: String,
        /// The reason of the status.
        reason: Option<String>,
    },
    /// Something that should have been annotated could not be computed.
    AnnotationFailed(String),
}

/// The values of the variables for one binding.
pub struct Input<'a> {
    cx: &'a Context<'a>,
    policy: &'a Policy,
    shared: &'a Shared,
    params: Value,
}

impl<'a> Input<'a> {
    /// What a policy is asked with.
    pub fn new(cx: &'a Context<'a>, policy: &'a Policy, shared: &'a Shared, params: Option<&Object>) -> Input<'a> {
        Input { cx, policy, shared, params: params.map_or(Value::Null, |object| plain(object.value())) }
    }

    fn values(&self, request: &Value, namespace: Value) -> Vec<(&'static str, Value)> {
        let shared = self.shared;
        let mut values = vec![
            ("object", shared.object.clone()),
            ("oldObject", shared.old.clone()),
            ("request", request.clone()),
            ("namespaceObject", namespace),
            ("authorizer", Value::authorizer()),
            ("authorizer.requestResource", Value::resource_check(shared.resource.clone())),
        ];
        if self.policy.has_params {
            values.push(("params", self.params.clone()));
        }
        values
    }
}

/// One go through expressions, which share their variables and what they may cost.
struct Pass<'a> {
    input: &'a Input<'a>,
    values: Vec<(&'static str, Value)>,
    budget: u64,
    computed: RefCell<BTreeMap<String, Result<Value, Failure>>>,
    /// What the variables have cost that the present expression asked for.
    composed_cost: Cell<u64>,
}

/// Nothing more can be asked.
struct OutOfBudget;

impl<'a> Pass<'a> {
    fn new(input: &'a Input<'a>, budget: u64) -> Pass<'a> {
        let values = input.values(&input.shared.request, input.shared.namespace.clone());
        Pass { input, values, budget, computed: RefCell::default(), composed_cost: Cell::new(0) }
    }

    /// Asks an expression: its value, or what is wrong.
    fn ask(&mut self, expression: &Expression) -> Result<Result<Value, String>, OutOfBudget> {
        let program = match &expression.program {
            Ok(program) => program,
            Err(why) => return Ok(Err(format!("compilation error: {why}"))),
        };
        let outcome = program.eval_with(&self.values, Some(&*self), cel::PER_CALL_COST_MAX);
        let cost = self.composed_cost.take().saturating_add(outcome.cost);
        self.budget = self.budget.checked_sub(cost).ok_or(OutOfBudget)?;
        let source = &expression.source;
        Ok(outcome.result.map_err(|why| format!("expression '{source}' resulted in error: {why}")))
    }
}

impl Host for Pass<'_> {
    fn variable(&self, name: &str) -> Option<Result<Value, Failure>> {
        if let Some(known) = self.computed.borrow().get(name) {
            return Some(known.clone());
        }
        // Of two of a name the later counts.
        let (_, expression) = self.input.policy.variables.iter().rfind(|(known, _)| known == name)?;
        let wrong = |what: &str, why: &str| {
            Failure::Failed(format!("composited variable {} fails to {what}: {why}", go_quote(name)))
        };
        let found = match &expression.program {
            Err(why) => Err(wrong("compile", why)),
            Ok(program) => {
                let outcome = program.eval_with(&self.values, Some(self), cel::PER_CALL_COST_MAX);
                self.composed_cost.set(self.composed_cost.get().saturating_add(outcome.cost));
                outcome.result.map_err(|why| wrong("evaluate", &why.to_string()))
            }
        };
        self.computed.borrow_mut().insert(name.to_owned(), found.clone());
        Some(found)
    }

    fn check(&self, wanted: &Access, verb: &str) -> Decision {
        let account = wanted.account.as_ref().map(|(namespace, name)| User::service_account(namespace, name));
        let Some(user) = account.as_ref().or(self.input.cx.user) else { return Decision::default() };
        let attributes = match &wanted.about {
            About::Path(path) => Attributes { verb, path, ..Attributes::default() },
            About::Resource(about) => Attributes {
                verb,
                group: &about.group,
                resource: &about.resource,
                subresource: &about.subresource,
                namespace: &about.namespace,
                name: &about.name,
                path: "",
            },
            About::Nothing | About::Group(_) => return Decision::default(),
        };
        let reason = authorization::decide(self.input.cx, user, &attributes);
        Decision { allowed: reason.is_some(), reason: reason.unwrap_or_default() }
    }
}

/// Asks a policy.
pub fn validate(input: &Input<'_>) -> Vec<Action> {
    let policy = input.policy;
    let failed = |message: String| if policy.fails { vec![Action::Deny { message, reason: None }] } else { Vec::new() };
    match conditions_hold(input) {
        Ok(true) => {}
        Ok(false) => return Vec::new(),
        Err(why) => return failed(why),
    }
    let mut pass = Pass::new(input, COST_MAX);
    let mut results = Vec::new();
    for validation in &policy.validations {
        match pass.ask(&validation.expression) {
            Ok(result) => results.push((validation, result)),
            Err(OutOfBudget) => return failed(OUT_OF_BUDGET.into()),
        }
    }
    let messages = messages(input, pass.budget);
    let mut actions = Vec::new();
    for (i, (validation, result)) in results.into_iter().enumerate() {
        match (result, &messages) {
            (Err(message), _) => actions.extend(failed(message)),
            (Ok(_), Err(OutOfBudget)) => actions.extend(failed(format!("failed messageExpression: {OUT_OF_BUDGET}"))),
            (Ok(Value::Bool(true)), _) => {}
            (Ok(_), Ok(messages)) => {
                let message = messages[i].clone().unwrap_or_else(|| complaint(validation));
                let reason = validation.reason.clone();
                actions.push(Action::Deny { message, reason });
            }
        }
    }
    match annotations(input) {
        Ok(found) => actions.extend(found),
        // As upstream: what the validations said is lost.
        Err(OutOfBudget) => return failed(OUT_OF_BUDGET.into()),
    }
    actions
}

/// Whether all conditions hold; one that does not is enough, whatever is wrong with others.
fn conditions_hold(input: &Input<'_>) -> Result<bool, String> {
    let conditions = &input.policy.match_conditions;
    if conditions.is_empty() {
        return Ok(true);
    }
    let fails = input.policy.fails;
    let mut pass = Pass::new(input, CONDITIONS_COST_MAX);
    pass.values = input.values(&input.shared.request_as_asked, Value::Null);
    let mut found = Vec::new();
    for condition in conditions {
        match pass.ask(condition) {
            Ok(result) => found.push(result),
            Err(OutOfBudget) if fails => return Err(OUT_OF_BUDGET.into()),
            Err(OutOfBudget) => return Ok(false),
        }
    }
    if found.iter().any(|result| matches!(result, Ok(Value::Bool(false)))) {
        return Ok(false);
    }
    let mut errors: Vec<String> = Vec::new();
    for why in found.into_iter().filter_map(Result::err) {
        if !errors.contains(&why) {
            errors.push(why);
        }
    }
    match errors.as_slice() {
        [] => Ok(true),
        _ if !fails => Ok(false),
        [one] => Err(one.clone()),
        several => Err(format!("[{}]", several.join(", "))),
    }
}

/// What the policy's own expressions say of its validations; `None` where they say nothing that can be shown.
fn messages(input: &Input<'_>, budget: u64) -> Result<Vec<Option<String>>, OutOfBudget> {
    let mut pass = Pass::new(input, budget);
    let mut found = Vec::new();
    for validation in &input.policy.validations {
        let Some(expression) = &validation.message_expression else {
            found.push(None);
            continue;
        };
        found.push(match pass.ask(expression)? {
            Ok(Value::String(text)) => {
                let text = text.trim();
                let fits = !text.is_empty() && text.len() <= MESSAGE_BYTES_MAX && !text.contains('\n');
                fits.then(|| text.to_owned())
            }
            _ => None,
        });
    }
    Ok(found)
}

/// What is said of a validation that does not hold and whose expression says nothing.
fn complaint(validation: &Validation) -> String {
    match validation.message.as_str() {
        "" => format!("failed expression: {}", validation.expression.source.trim()),
        message => message.to_owned(),
    }
}

/// What is wrong with the annotations; those that could be made are made for nobody.
fn annotations(input: &Input<'_>) -> Result<Vec<Action>, OutOfBudget> {
    let mut pass = Pass::new(input, COST_MAX);
    let mut failed = Vec::new();
    for annotation in &input.policy.audit_annotations {
        if let (Err(why), true) = (pass.ask(annotation)?, input.policy.fails) {
            failed.push(Action::AnnotationFailed(why));
        }
    }
    Ok(failed)
}
