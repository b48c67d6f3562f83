//! Webhooks and policies of admission.

use api::{Kind, Object, kinds};
use json::Value;
use simulation::Time;

use super::{AGE, Column, NAME, Printer, age, number, or, shown};

const fn webhooks(kind: &'static Kind) -> Printer {
    const COLUMNS: &[Column] = &[NAME, number("Webhooks"), AGE];
    Printer {
        kind,
        columns: COLUMNS,
        cells: |object, now| vec![object.name().into(), object.list("webhooks").len().into(), age(object, now)],
    }
}

pub static MUTATING_WEBHOOKS: Printer = webhooks(&kinds::MUTATING_WEBHOOK_CONFIGURATIONS);
pub static VALIDATING_WEBHOOKS: Printer = webhooks(&kinds::VALIDATING_WEBHOOK_CONFIGURATIONS);

fn policy(object: &Object, now: Time) -> Vec<Value> {
    let rules = object.list("spec.validations").len() + object.list("spec.mutations").len();
    let parameters = match object.at("spec.paramKind") {
        Value::Null => "<unset>".to_owned(),
        _ => format!("{}/{}", object.str("spec.paramKind.apiVersion"), object.str("spec.paramKind.kind")),
    };
    vec![object.name().into(), rules.into(), parameters.into(), age(object, now)]
}

pub static MUTATING_POLICIES: Printer = Printer {
    kind: &kinds::MUTATING_ADMISSION_POLICIES,
    columns: &[NAME, number("Mutations"), shown("ParamKind"), AGE],
    cells: policy,
};

pub static VALIDATING_POLICIES: Printer = Printer {
    kind: &kinds::VALIDATING_ADMISSION_POLICIES,
    columns: &[NAME, number("Validations"), shown("ParamKind"), AGE],
    cells: policy,
};

const fn bindings(kind: &'static Kind) -> Printer {
    const COLUMNS: &[Column] = &[NAME, shown("PolicyName"), shown("ParamRef"), AGE];
    Printer { kind, columns: COLUMNS, cells: binding }
}

fn binding(object: &Object, now: Time) -> Vec<Value> {
    let parameters = match object.str("spec.paramRef.name") {
        "" if object.at("spec.paramRef.selector").is_object() => {
            api::selector::format_label_selector(object.at("spec.paramRef.selector"))
        }
        "" => "<unset>".to_owned(),
        name => format!("{}/{name}", or(object.str("spec.paramRef.namespace"), "*")),
    };
    vec![object.name().into(), object.str("spec.policyName").into(), parameters.into(), age(object, now)]
}

pub static MUTATING_BINDINGS: Printer = bindings(&kinds::MUTATING_ADMISSION_POLICY_BINDINGS);
pub static VALIDATING_BINDINGS: Printer = bindings(&kinds::VALIDATING_ADMISSION_POLICY_BINDINGS);
