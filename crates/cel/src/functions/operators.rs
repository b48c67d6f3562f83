//! Operators (cel-go/common/types/{int,uint,double,string,...}.go).

use std::cmp::Ordering;
use std::sync::Arc;

use super::Found;
use crate::time::checked_timestamp;
use crate::value::{Key, List, Value};

pub(super) fn call(name: &str, args: &[Value]) -> Option<Found> {
    let found = match (name, args) {
        ("_==_", [a, b]) => Ok(Value::Bool(a == b)),
        ("_!=_", [a, b]) => Ok(Value::Bool(a != b)),
        ("!_", [Value::Bool(b)]) => Ok(Value::Bool(!b)),
        ("-_", [Value::Int(n)]) => n.checked_neg().map(Value::Int).ok_or_else(|| "integer overflow".into()),
        ("-_", [Value::Double(d)]) => Ok(Value::Double(-d)),
        ("_<_" | "_<=_" | "_>_" | "_>=_", [a, b]) => return compare(name, a, b),
        ("@in", [item, Value::List(list)]) => Ok(Value::Bool(list.items.contains(item))),
        ("@in", [key, Value::Map(map)]) => Ok(Value::Bool(Key::of(key).is_some_and(|key| map.contains_key(&key)))),
        ("_+_" | "_-_" | "_*_" | "_/_" | "_%_", [Value::Int(a), Value::Int(b)]) => ints(name, *a, *b),
        ("_+_" | "_-_" | "_*_" | "_/_" | "_%_", [Value::Uint(a), Value::Uint(b)]) => uints(name, *a, *b),
        ("_+_", [Value::Double(a), Value::Double(b)]) => Ok(Value::Double(a + b)),
        ("_-_", [Value::Double(a), Value::Double(b)]) => Ok(Value::Double(a - b)),
        ("_*_", [Value::Double(a), Value::Double(b)]) => Ok(Value::Double(a * b)),
        ("_/_", [Value::Double(a), Value::Double(b)]) => Ok(Value::Double(a / b)),
        ("_+_", [Value::String(a), Value::String(b)]) => Ok(Value::from(format!("{a}{b}"))),
        ("_+_", [Value::Bytes(a), Value::Bytes(b)]) => Ok(Value::bytes([&**a, &**b].concat())),
        ("_+_", [Value::List(a), Value::List(b)]) => Ok(Value::List(Arc::new(a.with(b)))),
        ("_+_" | "_-_", [_, _]) => return times(name, args),
        ("type", [value]) => Ok(Value::Type(value.type_of())),
        ("cel.@mapInsert", [Value::Map(map), rest @ ..]) => insert(map, rest),
        _ => return optionals(name, args),
    };
    Some(found)
}

fn compare(name: &str, a: &Value, b: &Value) -> Option<Found> {
    use Ordering::{Equal, Greater, Less};
    let is_number = |v: &Value| matches!(v, Value::Int(_) | Value::Uint(_) | Value::Double(_));
    let is_other = matches!(
        (a, b),
        (Value::Bool(_), Value::Bool(_))
            | (Value::String(_), Value::String(_))
            | (Value::Bytes(_), Value::Bytes(_))
            | (Value::Timestamp(_), Value::Timestamp(_))
            | (Value::Duration(_), Value::Duration(_))
    );
    let are_numbers = is_number(a) && is_number(b);
    if !are_numbers && !is_other {
        return None;
    }
    let Some(order) = a.compare(b) else { return Some(Err("NaN values cannot be ordered".into())) };
    let holds = match name {
        "_<_" => order == Less,
        "_<=_" => matches!(order, Less | Equal),
        "_>_" => order == Greater,
        _ => matches!(order, Greater | Equal),
    };
    Some(Ok(Value::Bool(holds)))
}

fn ints(name: &str, a: i64, b: i64) -> Found {
    let found = match name {
        "_+_" => a.checked_add(b),
        "_-_" => a.checked_sub(b),
        "_*_" => a.checked_mul(b),
        "_/_" if b == 0 => return Err("division by zero".into()),
        "_/_" => a.checked_div(b),
        _ if b == 0 => return Err("modulus by zero".into()),
        _ => a.checked_rem(b),
    };
    found.map(Value::Int).ok_or_else(|| "integer overflow".into())
}

fn uints(name: &str, a: u64, b: u64) -> Found {
    let found = match name {
        "_+_" => a.checked_add(b),
        "_-_" => a.checked_sub(b),
        "_*_" => a.checked_mul(b),
        "_/_" if b == 0 => return Err("division by zero".into()),
        "_/_" => a.checked_div(b),
        _ if b == 0 => return Err("modulus by zero".into()),
        _ => a.checked_rem(b),
    };
    found.map(Value::Uint).ok_or_else(|| "unsigned integer overflow".into())
}

fn times(name: &str, args: &[Value]) -> Option<Found> {
    let timestamp =
        |nanos: i128| checked_timestamp(nanos).map(Value::Timestamp).ok_or_else(|| "timestamp overflow".to_owned());
    let duration = |nanos: Option<i64>| nanos.map(Value::Duration).ok_or_else(|| "duration overflow".to_owned());
    Some(match (name, args) {
        ("_+_", [Value::Duration(a), Value::Duration(b)]) => duration(a.checked_add(*b)),
        ("_-_", [Value::Duration(a), Value::Duration(b)]) => duration(a.checked_sub(*b)),
        ("_+_", [Value::Duration(d), Value::Timestamp(t)] | [Value::Timestamp(t), Value::Duration(d)]) => {
            timestamp(t + i128::from(*d))
        }
        ("_-_", [Value::Timestamp(t), Value::Duration(d)]) => timestamp(t - i128::from(*d)),
        ("_-_", [Value::Timestamp(a), Value::Timestamp(b)]) => duration(i64::try_from(a - b).ok()),
        _ => return None,
    })
}

/// What a two-variable comprehension makes a map with.
fn insert(map: &Arc<std::collections::BTreeMap<Key, Value>>, rest: &[Value]) -> Found {
    let more: Vec<(Key, Value)> = match rest {
        [key, value] => {
            let key = Key::of(key).ok_or_else(|| format!("unsupported key type: {}", key.type_of()))?;
            vec![(key, value.clone())]
        }
        [Value::Map(more)] => more.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        _ => return Err("no such overload".into()),
    };
    let mut all = (**map).clone();
    for (key, value) in more {
        if all.contains_key(&key) {
            let shown = super::convert::to_string(&key.value()).unwrap_or_default();
            return Err(format!("insert failed: key {shown} already exists"));
        }
        all.insert(key, value);
    }
    Ok(Value::Map(Arc::new(all)))
}

fn optionals(name: &str, args: &[Value]) -> Option<Found> {
    let value = match (name, args) {
        ("optional.of", [value]) => Value::some(value.clone()),
        ("optional.ofNonZeroValue", [value]) if value.is_zero() => Value::Optional(None),
        ("optional.ofNonZeroValue", [value]) => Value::some(value.clone()),
        ("optional.none", []) => Value::Optional(None),
        ("value", [Value::Optional(None)]) => return Some(Err("optional.none() dereference".into())),
        ("value", [Value::Optional(Some(value))]) => (**value).clone(),
        ("hasValue", [Value::Optional(value)]) => Value::Bool(value.is_some()),
        ("first", [Value::List(list)]) => Value::Optional(list.items.first().map(|v| Arc::new(v.clone()))),
        ("last", [Value::List(list)]) => Value::Optional(list.items.last().map(|v| Arc::new(v.clone()))),
        ("optional.unwrap" | "unwrapOpt", [Value::List(list)]) => unwrap(list),
        _ => return None,
    };
    Some(Ok(value))
}

fn unwrap(list: &List) -> Value {
    let present = list.items.iter().filter_map(|item| match item {
        Value::Optional(inner) => inner.as_ref().map(|v| (**v).clone()),
        other => Some(other.clone()),
    });
    Value::list(present.collect())
}
