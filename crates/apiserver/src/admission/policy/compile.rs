//! Policies to programs (k8s.io/apiserver/pkg/admission/plugin/cel/compile.go, .../policy/validating/plugin.go).

use api::Object;
use cel::Program;
use cel::types::Type;
use json::Value;

pub use super::environment::Environment;
use crate::value::{list, text};

/// What an expression may come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// A decision.
    Bool,
    /// A message.
    String,
    /// What is annotated, or nothing.
    StringOrNull,
    /// Whatever it is.
    Anything,
}

/// What is wrong with an expression.
#[derive(Clone, Debug)]
pub enum Fault {
    /// What it says.
    Invalid(String),
    /// That no program comes of it.
    Internal(String),
}

impl Fault {
    /// In words.
    pub fn detail(&self) -> &str {
        match self {
            Fault::Invalid(detail) | Fault::Internal(detail) => detail,
        }
    }
}

/// Compiles an expression.
///
/// # Errors
/// What is wrong with it, in upstream's words.
pub fn compile(source: &str, returns: Returns, variables: &[(String, Type)]) -> Result<Program, Fault> {
    let program = cel::compile(source, variables).map_err(|i| Fault::Invalid(format!("compilation failed: {i}")))?;
    let output = program.output();
    let wanted = match returns {
        Returns::Bool if *output != Type::Bool => "bool",
        Returns::String if *output != Type::String => "string",
        Returns::StringOrNull if !matches!(output, Type::String | Type::Null) => "one of [string null_type]",
        _ => "",
    };
    if !wanted.is_empty() {
        return Err(Fault::Invalid(format!("must evaluate to {wanted} but got {}", output.go_name())));
    }
    program.instantiate().map_err(|why| Fault::Internal(format!("program instantiation failed: {why}")))?;
    Ok(program)
}

/// An expression of a policy.
#[derive(Debug)]
pub struct Expression {
    /// As it is written.
    pub source: String,
    /// The program, or what is wrong.
    pub program: Result<Program, String>,
}

impl Expression {
    fn new(source: &str, returns: Returns, variables: &[(String, Type)]) -> Expression {
        let program = compile(source, returns, variables).map_err(|fault| fault.detail().to_owned());
        Expression { source: source.to_owned(), program }
    }
}

/// What an object must keep to.
#[derive(Debug)]
pub struct Validation {
    /// Whether it does.
    pub expression: Expression,
    /// What to say if it does not.
    pub message: String,
    /// What computes what to say.
    pub message_expression: Option<Expression>,
    /// The reason of the status.
    pub reason: Option<String>,
}

/// A policy whose expressions are programs.
#[derive(Debug)]
pub struct Policy {
    /// The policy.
    pub object: Object,
    /// Whether a mistake of the policy refuses the request.
    pub fails: bool,
    /// Whether there are parameters.
    pub has_params: bool,
    /// What must hold for the policy to be asked.
    pub match_conditions: Vec<Expression>,
    /// What expressions share, in their order.
    pub variables: Vec<(String, Expression)>,
    /// What is asked.
    pub validations: Vec<Validation>,
    /// What would be annotated.
    pub audit_annotations: Vec<Expression>,
}

impl Policy {
    /// Compiles a stored policy.
    pub fn new(object: &Object) -> Policy {
        let spec = object.at("spec");
        let has_params = spec["paramKind"].is_object();
        let mut environment = Environment::dynamic(has_params, true);
        let mut variables = Vec::new();
        for variable in list(spec, "variables") {
            let declared = environment.declarations(true);
            let expression = Expression::new(text(variable, "expression"), Returns::Anything, &declared);
            let name = text(variable, "name");
            environment.add_variable(name, expression.program.as_ref().ok().map(Program::output));
            variables.push((name.to_owned(), expression));
        }
        let (all, plain) = (environment.declarations(true), environment.declarations(false));
        let of = |field: &str, inner: &str, returns: Returns| -> Vec<Expression> {
            list(spec, field).iter().map(|item| Expression::new(text(item, inner), returns, &all)).collect()
        };
        let validation = |item: &Value| Validation {
            expression: Expression::new(text(item, "expression"), Returns::Bool, &all),
            message: text(item, "message").trim().to_owned(),
            message_expression: match text(item, "messageExpression") {
                "" => None,
                source => Some(Expression::new(source, Returns::String, &plain)),
            },
            reason: item["reason"].as_str().map(str::to_owned),
        };
        Policy {
            object: object.clone(),
            fails: text(spec, "failurePolicy") != "Ignore",
            has_params,
            match_conditions: of("matchConditions", "expression", Returns::Bool),
            variables,
            validations: list(spec, "validations").iter().map(validation).collect(),
            audit_annotations: of("auditAnnotations", "valueExpression", Returns::StringOrNull),
        }
    }

    /// Whether it was made of this policy as it is now.
    pub fn is_of(&self, object: &Object) -> bool {
        self.object.uid() == object.uid() && self.object.at("spec") == object.at("spec")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What upstream's own tests of its compiler take and refuse (plugin/cel/compile_test.go), in kind.
    #[test]
    fn what_expressions_can_speak_of() {
        let all = Environment::dynamic(true, false).declarations(true);
        for source in [
            "object == null || oldObject == null || object.a == oldObject.a",
            "object.spec.list.isSorted() && url(object.spec.link).getHostname() in ['a', 'b']",
            "request.kind.group == request.requestResource.group && request.userInfo.extra == {'a': ['b']}",
            "request.options == {'what': 'ever'} && request.dryRun == false && request.namespace == 'x'",
            "type(namespaceObject.metadata.creationTimestamp) == google.protobuf.Timestamp",
            "'a' in namespaceObject.metadata.labels && namespaceObject.metadata.UID == '1'",
            "type(namespaceObject.status.conditions[0].lastTransitionTime) == google.protobuf.Timestamp",
            "namespaceObject.spec.finalizers[0] == 'a' && namespaceObject.metadata.generation == 2",
            "authorizer.group('') != null && params.x == 1",
        ] {
            compile(source, Returns::Bool, &all).unwrap_or_else(|fault| panic!("{source}: {}", fault.detail()));
        }
        compile("'replicas: ' + object.spec.replicas", Returns::String, &all).expect("anything may be a text");
        let refused = |source: &str, declared: &[(String, Type)], why: &str| {
            let fault = compile(source, Returns::Bool, declared).expect_err(source);
            assert!(fault.detail().contains(why), "{source}: {}", fault.detail());
        };
        refused("1 < 'a'", &all, "found no matching overload for '_<_' applied to '(int, string)");
        refused("'a'.contains('x'", &all, "Syntax error: missing ')' at");
        refused("request.userInfo.name == ''", &all, "undefined field 'name'");
        refused("namespaceObject.metadata.ownerReferences == []", &all, "undefined field 'ownerReferences'");
        refused("object.x", &all, "must evaluate to bool but got dyn");
        refused("[[1]]", &all, "must evaluate to bool but got list(list(int))");
        refused("timestamp(0)", &all, "must evaluate to bool but got google.protobuf.Timestamp");
        refused("object.a.matches('(')", &all, "");
        let none = Environment::dynamic(false, false).declarations(false);
        refused("params.x == 1", &none, "undeclared reference to 'params'");
        refused("authorizer.group('') != null", &none, "undeclared reference to 'authorizer'");
    }
}
