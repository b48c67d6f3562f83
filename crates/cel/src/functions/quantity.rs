//! Quantities (k8s.io/apiserver/pkg/cel/library/quantity.go).

use std::cmp::Ordering;

use api::quantity::{Format, Quantity};

use super::Found;
use crate::value::Value;

pub(super) fn call(name: &str, args: &[Value]) -> Option<Found> {
    let zero = Quantity::new(0, Format::Decimal);
    let found = match (name, args) {
        ("isQuantity", [Value::String(text)]) => Value::Bool(Quantity::parse(text).is_ok()),
        ("quantity", [Value::String(text)]) => {
            return Some(Quantity::parse(text).map(Value::Quantity).map_err(|why| why.to_string()));
        }
        ("sign", [Value::Quantity(q)]) => Value::Int(order(q.cmp(&zero))),
        ("isGreaterThan", [Value::Quantity(a), Value::Quantity(b)]) => Value::Bool(a > b),
        ("isLessThan", [Value::Quantity(a), Value::Quantity(b)]) => Value::Bool(a < b),
        ("compareTo", [Value::Quantity(a), Value::Quantity(b)]) => Value::Int(order(a.cmp(b))),
        ("asApproximateFloat", [Value::Quantity(q)]) => Value::Double(q.as_f64()),
        ("isInteger", [Value::Quantity(q)]) => Value::Bool(integer(*q).is_some()),
        ("asInteger", [Value::Quantity(q)]) => {
            return Some(integer(*q).map(Value::Int).ok_or_else(|| "cannot convert value to integer".into()));
        }
        ("add", [Value::Quantity(a), Value::Quantity(b)]) => Value::Quantity(*a + *b),
        ("sub", [Value::Quantity(a), Value::Quantity(b)]) => Value::Quantity(*a - *b),
        ("add", [Value::Quantity(a), Value::Int(n)]) => Value::Quantity(*a + Quantity::new(*n, Format::Decimal)),
        ("sub", [Value::Quantity(a), Value::Int(n)]) => Value::Quantity(*a - Quantity::new(*n, Format::Decimal)),
        _ => return None,
    };
    Some(Ok(found))
}

/// -1, 0 or 1.
pub(super) fn order(order: Ordering) -> i64 {
    order as i64
}

fn integer(q: Quantity) -> Option<i64> {
    (Quantity::new(q.value(), q.format()) == q).then(|| q.value())
}
