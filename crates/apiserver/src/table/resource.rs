//! Devices and claims of them.

use api::{Kind, Object, kinds};

use super::{AGE, Column, NAME, Printer, age, shown};

/// Kinds of which nothing but the name is shown.
const fn named(kind: &'static Kind) -> Printer {
    const COLUMNS: &[Column] = &[NAME, AGE];
    Printer { kind, columns: COLUMNS, cells: |object, now| vec![object.name().into(), age(object, now)] }
}

pub static CLASSES: Printer = named(&kinds::DEVICE_CLASSES);
pub static TEMPLATES: Printer = named(&kinds::RESOURCE_CLAIM_TEMPLATES);

pub static CLAIMS: Printer = Printer {
    kind: &kinds::RESOURCE_CLAIMS,
    columns: &[NAME, shown("State"), AGE],
    cells: |object, now| vec![object.name().into(), state(object).into(), age(object, now)],
};

/// `resourceClaimState`.
fn state(claim: &Object) -> String {
    let mut words = Vec::new();
    if claim.is_deleting() {
        words.push("deleted");
    }
    if claim.at("status.allocation").is_object() {
        words.push("allocated");
        if !claim.list("status.reservedFor").is_empty() {
            words.push("reserved");
        }
    } else if !claim.is_deleting() {
        words.push("pending");
    }
    words.join(",")
}

pub static SLICES: Printer = Printer {
    kind: &kinds::RESOURCE_SLICES,
    columns: &[NAME, shown("Node"), shown("Driver"), shown("Pool"), AGE],
    cells: |object, now| {
        vec![
            object.name().into(),
            object.str("spec.nodeName").into(),
            object.str("spec.driver").into(),
            object.str("spec.pool.name").into(),
            age(object, now),
        ]
    },
};
