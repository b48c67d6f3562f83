//! Computes expressions for a row.

use std::cmp::Ordering;

use crate::ast::Op;
use crate::bind::Node;
use crate::error::{Error, Result};
use crate::exec;
use crate::session::Env;
use crate::time;
use crate::types::Type;
use crate::value::{self, Value, compare, rescale};

/// The row in hand, and those of the queries around.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) row: &'a [Value],
    pub(crate) aggregates: &'a [Value],
    /// The row that was to be inserted.
    pub(crate) inserted: &'a [Value],
    pub(crate) parent: Option<&'a Rows<'a>>,
}

impl<'a> Rows<'a> {
    pub(crate) fn of(row: &'a [Value], parent: Option<&'a Rows<'a>>) -> Rows<'a> {
        Rows { row, aggregates: &[], inserted: &[], parent }
    }

    fn column(&self, depth: usize, at: usize) -> Value {
        let mut here = Some(self);
        for _ in 0..depth {
            here = here.and_then(|rows| rows.parent);
        }
        here.and_then(|rows| rows.row.get(at)).cloned().unwrap_or(Value::Null)
    }
}

fn truth(value: Option<bool>) -> Value {
    value.map_or(Value::Null, Value::bool)
}

/// Computes an expression.
///
/// # Errors
/// 1690 where a number grows too large, 1242 where a query gives too much.
pub(crate) fn eval(node: &Node, rows: &Rows<'_>, env: &Env<'_>) -> Result<Value> {
    let of = |node: &Node| eval(node, rows, env);
    Ok(match node {
        Node::Const(value) => value.clone(),
        Node::Column(depth, at) => rows.column(*depth, *at),
        Node::Aggregate(at) => rows.aggregates.get(*at).cloned().unwrap_or(Value::Null),
        Node::Inserted(at) => rows.inserted.get(*at).cloned().unwrap_or(Value::Null),
        Node::Variable(name) => env.session.variable(name).unwrap_or(Value::Null),
        Node::Not(inner) => truth(of(inner)?.truth().map(|t| !t)),
        Node::Negative(inner) => negative(of(inner)?)?,
        Node::Binary(op, a, b) => binary(*op, a, b, rows, env)?,
        Node::IsNull(inner, negated) => Value::bool(of(inner)?.is_null() != *negated),
        Node::IsTrue(inner, wanted, negated) => Value::bool((of(inner)?.truth() == Some(*wanted)) != *negated),
        Node::In(inner, list, negated) => {
            let value = of(inner)?;
            let all = list.iter().map(of).collect::<Result<Vec<_>>>()?;
            truth(contains(&value, &all).map(|found| found != *negated))
        }
        Node::Like(inner, pattern, negated) => match (of(inner)?, of(pattern)?) {
            (Value::Null, _) | (_, Value::Null) => Value::Null,
            (text, pattern) => Value::bool(like(&text.to_string(), &pattern.to_string()) != *negated),
        },
        Node::Call(function, args) => {
            let args = args.iter().map(of).collect::<Result<Vec<_>>>()?;
            (function.run)(&args, env)?
        }
        Node::Case(subject, whens, otherwise) => {
            let subject = subject.as_ref().map(|node| of(node)).transpose()?;
            for (when, then) in whens {
                let when = of(when)?;
                let hit = match &subject {
                    Some(subject) => compare(subject, &when) == Some(Ordering::Equal),
                    None => when.truth() == Some(true),
                };
                if hit {
                    return of(then);
                }
            }
            otherwise.as_ref().map_or(Ok(Value::Null), |node| of(node))?
        }
        Node::Cast(inner, ty) => cast(of(inner)?, ty),
        Node::Interval(inner, count, unit, negative) => interval(&of(inner)?, &of(count)?, unit, *negative),
        Node::Scalar(plan) => {
            let mut result = exec::run(plan, env, Some(rows))?;
            if result.len() > 1 {
                return Err(Error::new(1242, "21000", "Subquery returns more than 1 row"));
            }
            result.pop().and_then(|row| row.first().cloned()).unwrap_or(Value::Null)
        }
        Node::Exists(plan) => Value::bool(!exec::run(plan, env, Some(rows))?.is_empty()),
        Node::InQuery(inner, plan, negated) => {
            let value = of(inner)?;
            let all: Vec<Value> =
                exec::run(plan, env, Some(rows))?.iter().filter_map(|row| row.first().cloned()).collect();
            truth(contains(&value, &all).map(|found| found != *negated))
        }
    })
}

/// Whether a value is one of several; unknown if NULL hides it.
fn contains(value: &Value, all: &[Value]) -> Option<bool> {
    if all.is_empty() {
        return Some(false);
    }
    if value.is_null() {
        return None;
    }
    if all.iter().any(|other| compare(value, other) == Some(Ordering::Equal)) {
        return Some(true);
    }
    if all.iter().any(Value::is_null) { None } else { Some(false) }
}

fn too_large(kind: &str, text: String) -> Error {
    Error::new(1690, "22003", format!("{kind} value is out of range in '{text}'"))
}

fn negative(value: Value) -> Result<Value> {
    Ok(match value {
        Value::Null => Value::Null,
        Value::Int(n) => Value::Int(n.checked_neg().ok_or_else(|| too_large("BIGINT", format!("-({n})")))?),
        Value::Decimal(n, scale) => Value::Decimal(-n, scale),
        other => Value::Double(-other.number()),
    })
}

fn binary(op: Op, a: &Node, b: &Node, rows: &Rows<'_>, env: &Env<'_>) -> Result<Value> {
    let left = eval(a, rows, env)?;
    match op {
        Op::And => {
            if left.truth() == Some(false) {
                return Ok(Value::bool(false));
            }
            let right = eval(b, rows, env)?.truth();
            return Ok(match (left.truth(), right) {
                (_, Some(false)) => Value::bool(false),
                (Some(true), Some(true)) => Value::bool(true),
                _ => Value::Null,
            });
        }
        Op::Or => {
            if left.truth() == Some(true) {
                return Ok(Value::bool(true));
            }
            let right = eval(b, rows, env)?.truth();
            return Ok(match (left.truth(), right) {
                (_, Some(true)) => Value::bool(true),
                (Some(false), Some(false)) => Value::bool(false),
                _ => Value::Null,
            });
        }
        _ => {}
    }
    let right = eval(b, rows, env)?;
    let compared = |test: fn(Ordering) -> bool| truth(compare(&left, &right).map(test));
    Ok(match op {
        Op::Equal => compared(Ordering::is_eq),
        Op::NotEqual => compared(Ordering::is_ne),
        Op::Less => compared(Ordering::is_lt),
        Op::LessEqual => compared(Ordering::is_le),
        Op::Greater => compared(Ordering::is_gt),
        Op::GreaterEqual => compared(Ordering::is_ge),
        Op::Same => Value::bool(match (left.is_null(), right.is_null()) {
            (true, true) => true,
            (false, false) => compare(&left, &right) == Some(Ordering::Equal),
            _ => false,
        }),
        Op::Xor => truth(left.truth().zip(right.truth()).map(|(a, b)| a != b)),
        _ => arithmetic(op, &left, &right)?,
    })
}

/// `+ - * / DIV %`.
///
/// # Errors
/// 1690: the result is too large.
pub(crate) fn arithmetic(op: Op, a: &Value, b: &Value) -> Result<Value> {
    if a.is_null() || b.is_null() {
        return Ok(Value::Null);
    }
    let sign = match op {
        Op::Add => "+",
        Op::Subtract => "-",
        Op::Multiply => "*",
        Op::Divide => "/",
        Op::Modulo => "%",
        _ => "DIV",
    };
    let large = |kind: &str| too_large(kind, format!("({a} {sign} {b})"));
    if matches!(op, Op::Divide | Op::Modulo | Op::Whole) && b.number() == 0.0 {
        return Ok(Value::Null);
    }
    let (Some((x, xs)), Some((y, ys))) = (a.exact(), b.exact()) else {
        let (x, y) = (a.number(), b.number());
        let result = match op {
            Op::Add => x + y,
            Op::Subtract => x - y,
            Op::Multiply => x * y,
            Op::Divide => x / y,
            Op::Modulo => x % y,
            _ => return Ok(Value::Int((x / y).trunc() as i64)),
        };
        return if result.is_finite() { Ok(Value::Double(result)) } else { Err(large("DOUBLE")) };
    };
    let whole = xs == 0 && ys == 0 && !matches!(a, Value::Decimal(..)) && !matches!(b, Value::Decimal(..));
    let scale = xs.max(ys);
    let both = || Some((rescale(x, xs, scale)?, rescale(y, ys, scale)?));
    let result = match op {
        Op::Add => both().and_then(|(x, y)| x.checked_add(y)).map(|n| (n, scale)),
        Op::Subtract => both().and_then(|(x, y)| x.checked_sub(y)).map(|n| (n, scale)),
        Op::Multiply => {
            let to = (xs + ys).min(value::SCALE_MAX);
            x.checked_mul(y).and_then(|n| rescale(n, xs + ys, to)).map(|n| (n, to))
        }
        Op::Divide => divide(x, xs, y, ys),
        Op::Modulo => both().map(|(x, y)| (x % y, scale)),
        _ => both().map(|(x, y)| (x / y, 0)),
    };
    let (digits, scale) = result.ok_or_else(|| large(if whole { "BIGINT" } else { "DECIMAL" }))?;
    if op == Op::Whole || whole && op != Op::Divide {
        return i64::try_from(digits).map(Value::Int).map_err(|_| large("BIGINT"));
    }
    Ok(Value::Decimal(digits, scale))
}

/// Places that a division has more than its dividend.
pub(crate) const DIVISION_PLACES: u8 = 4;

pub(crate) fn divide(x: i128, xs: u8, y: i128, ys: u8) -> Option<(i128, u8)> {
    let to = (xs + DIVISION_PLACES).min(value::SCALE_MAX);
    // One place more than is kept, for rounding.
    let dividend = x.checked_mul(10i128.checked_pow(u32::from(to + 1 + ys - xs))?)?;
    Some((rescale(dividend / y, to + 1, to)?, to))
}

/// CAST: what does not fit becomes what is nearest, or NULL for times.
pub(crate) fn cast(value: Value, ty: &Type) -> Value {
    if value.is_null() {
        return value;
    }
    match ty {
        Type::Int(..) | Type::Bool => match value.exact() {
            Some((n, scale)) => {
                Value::Int(rescale(n, scale, 0).and_then(|n| i64::try_from(n).ok()).unwrap_or(i64::MAX))
            }
            None if matches!(value, Value::Text(_)) => Value::Int(value.number().trunc() as i64),
            None => Value::Int(value.number().round() as i64),
        },
        Type::Decimal(_, scale) => {
            let exact = value.exact().or_else(|| value::parse_decimal(&value.number().to_string()));
            let digits = exact.and_then(|(n, from)| rescale(n, from, *scale)).unwrap_or(0);
            Value::Decimal(digits, *scale)
        }
        Type::Float | Type::Double => Value::Double(value.number()),
        Type::Char(n) | Type::Varchar(n) => {
            Value::text(value.to_string().chars().take(*n as usize).collect::<String>())
        }
        Type::Text(_) => Value::text(value.to_string()),
        Type::Date => value.moment().map_or(Value::Null, |m| Value::Date(m.div_euclid(time::DAY_MICROS) as i32)),
        Type::DateTime(n) | Type::Timestamp(n) => value.moment().map_or(Value::Null, |m| Value::DateTime(m, *n)),
        Type::Time(n) => match &value {
            Value::DateTime(m, _) => Value::Time(m.rem_euclid(time::DAY_MICROS), *n),
            other => time::parse_time(&other.to_string()).map_or(Value::Null, |(m, _)| Value::Time(m, *n)),
        },
    }
}

fn interval(of: &Value, count: &Value, unit: &str, negative: bool) -> Value {
    let (Some(moment), false) = (of.moment(), count.is_null()) else { return Value::Null };
    let number = if negative { -count.number() } else { count.number() };
    let months = |each: i64| time::add_months(moment, (number.round() as i64).saturating_mul(each));
    let micros = |each: i64| moment.checked_add((number * each as f64) as i64);
    let result = match unit {
        "YEAR" => months(12),
        "QUARTER" => months(3),
        "MONTH" => months(1),
        "WEEK" => micros(7 * time::DAY_MICROS),
        "DAY" => micros(time::DAY_MICROS),
        "HOUR" => micros(3600 * time::SECOND_MICROS),
        "MINUTE" => micros(60 * time::SECOND_MICROS),
        "SECOND" => micros(time::SECOND_MICROS),
        _ => micros(1),
    };
    let clock = matches!(unit, "MICROSECOND" | "SECOND" | "MINUTE" | "HOUR");
    let Some(result) = result.filter(|m| time::is_day(m.div_euclid(time::DAY_MICROS))) else { return Value::Null };
    let date_only = match of {
        Value::Date(_) => !clock,
        Value::Text(text) => !clock && !text.contains(':'),
        _ => false,
    };
    let shown = if date_only {
        Value::Date(result.div_euclid(time::DAY_MICROS) as i32)
    } else {
        let places = if let Value::DateTime(_, places) = of { *places } else { 0 };
        Value::DateTime(result, places)
    };
    if matches!(of, Value::Text(_)) { Value::text(shown.to_string()) } else { shown }
}

/// LIKE: `%` for anything, `_` for one character, `\` for themselves; without regard to case.
pub(crate) fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = value::fold(text).chars().collect();
    let pattern: Vec<char> = value::fold(pattern).chars().collect();
    let (mut t, mut p) = (0, 0);
    // Where the last % was, and how much it has taken.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        let escaped = pattern.get(p) == Some(&'\\') && p + 1 < pattern.len();
        let one = if escaped { pattern.get(p + 1) } else { pattern.get(p) };
        match one {
            Some('%') if !escaped => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == text[t] || *c == '_' && !escaped => {
                t += 1;
                p += if escaped { 2 } else { 1 };
            }
            _ => match star {
                Some((after, taken)) => {
                    star = Some((after, taken + 1));
                    (p, t) = (after, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (text, pattern, hit) in [
            ("Alice", "a%", true),
            ("Alice", "%c_", true),
            ("10%", "10\\%", true),
            ("100", "10\\%", false),
            ("", "%", true),
            ("ab", "a", false),
            ("abcabd", "%abd", true),
        ] {
            assert_eq!(like(text, pattern), hit, "{text} {pattern}");
        }
    }

    #[test]
    fn exact_arithmetic() {
        let run = |op, a, b| arithmetic(op, &a, &b).map(|v| v.to_string()).map_err(|e| e.code);
        assert_eq!(run(Op::Divide, Value::Int(10), Value::Int(3)), Ok("3.3333".into()));
        assert_eq!(run(Op::Divide, Value::Int(1), Value::Int(0)), Ok("NULL".into()));
        assert_eq!(run(Op::Add, Value::Decimal(11, 1), Value::Decimal(225, 2)), Ok("3.35".into()));
        assert_eq!(run(Op::Add, Value::text("1"), Value::Int(1)), Ok("2".into()));
        assert_eq!(run(Op::Add, Value::Int(i64::MAX), Value::Int(1)), Err(1690));
        assert_eq!(run(Op::Modulo, Value::Int(-7), Value::Int(3)), Ok("-1".into()));
    }
}
