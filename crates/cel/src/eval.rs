//! What an expression comes to, and what that costs (cel-go/interpreter).
//!
//! A value that is wrong is an error that `&&`, `||` and so `all` and `exists` may pass over, as upstream. Costs are counted as
//! upstream's tracker counts them: one for a name and for each step into it, ten for a list, thirty for a map, and for calls
//! what [`crate::cost`] says.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::access::Host;
use crate::ast::{Expr, Fold, Kind};
use crate::cost;
use crate::functions;
use crate::value::{Key, Value};

/// What an expression costs to look at a name or to step into it.
const STEP: u64 = 1;
/// What a list costs.
const LIST: u64 = 10;
/// What a map costs.
const MAP: u64 = 30;

/// The name of what a host composes.
const VARIABLES: &str = "variables";

/// How many values an evaluation may look at inside of others: what costs say of lists inside of lists is their length alone, and
/// a few steps make lists of lists that nobody lives to compare.
const LOOKED_AT_MAX: u64 = 20_000_000;

/// Functions that look at everything inside of what they are called on.
const DEEP: [&str; 10] = [
    "_==_",
    "_!=_",
    "@in",
    "indexOf",
    "lastIndexOf",
    "distinct",
    "format",
    "sets.contains",
    "sets.equivalent",
    "sets.intersects",
];

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The expression costs more than it may; trying again cannot help.
    TooCostly,
    /// Something is wrong, in cel-go's words.
    Failed(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Failure::TooCostly => "operation cancelled: actual cost limit exceeded",
            Failure::Failed(why) => why,
        })
    }
}

pub(crate) type Evaluated = Result<Value, Failure>;

fn failed<T>(why: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Failed(why.into()))
}

/// An evaluation under way.
pub(crate) struct Evaluation<'a> {
    scopes: Vec<(&'a str, Value)>,
    /// What it has cost.
    pub cost: u64,
    limit: u64,
    /// How many values may still be looked at inside of others.
    left: u64,
    /// Who computes what is asked for.
    host: Option<&'a dyn Host>,
}

impl<'a> Evaluation<'a> {
    pub fn new(variables: &[(&'a str, Value)], host: Option<&'a dyn Host>, limit: u64) -> Evaluation<'a> {
        Evaluation { scopes: variables.to_vec(), cost: 0, limit, left: LOOKED_AT_MAX, host }
    }

    /// A field of `variables`, which only the host has; `None` if it is about something else.
    fn composed(&mut self, operand: &Expr, field: &str) -> Result<Option<Value>, Failure> {
        let Some(host) = self.host else { return Ok(None) };
        let is_hidden = self.scopes.iter().any(|(known, _)| *known == VARIABLES);
        if is_hidden || !matches!(&operand.kind, Kind::Ident(name) if name == VARIABLES) {
            return Ok(None);
        }
        self.pay(STEP)?;
        match host.variable(field) {
            Some(found) => found.map(Some),
            None => failed(format!("no such key: {field}")),
        }
    }

    fn pay(&mut self, cost: u64) -> Result<(), Failure> {
        self.cost = self.cost.saturating_add(cost);
        if self.cost > self.limit { Err(Failure::TooCostly) } else { Ok(()) }
    }

    /// Looks at all that is inside of a value, as who made or compares it does.
    fn look(&mut self, value: &Value) -> Result<(), Failure> {
        let size = match value {
            Value::String(text) => text.len() as u64 / 16,
            Value::Bytes(bytes) => bytes.len() as u64 / 16,
            _ => 1,
        };
        self.left = self.left.checked_sub(size).ok_or(Failure::TooCostly)?;
        match value {
            Value::List(list) => list.items.iter().try_for_each(|item| self.look(item)),
            Value::Map(map) => map.values().try_for_each(|value| self.look(value)),
            Value::Optional(Some(inner)) => self.look(inner),
            _ => Ok(()),
        }
    }

    pub fn eval(&mut self, expr: &'a Expr) -> Evaluated {
        match &expr.kind {
            Kind::Literal(value) => Ok(value.clone()),
            _ if expr.constant => {
                let before = self.cost;
                let value = self.eval_parts(expr);
                self.cost = before;
                value
            }
            _ => self.eval_parts(expr),
        }
    }

    fn eval_parts(&mut self, expr: &'a Expr) -> Evaluated {
        match &expr.kind {
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Ident(name) => {
                self.pay(STEP)?;
                match self.scopes.iter().rfind(|(known, _)| known == name) {
                    Some((_, value)) => Ok(value.clone()),
                    None => failed(format!("no such attribute(s): {name}")),
                }
            }
            Kind::Select { operand, field, test } => {
                if let Some(value) = self.composed(operand, field)? {
                    if *test {
                        return Ok(Value::Bool(true));
                    }
                    self.pay(STEP)?;
                    return Ok(value);
                }
                let value = self.operand(operand)?;
                if *test {
                    return presence(&value, field);
                }
                self.pay(STEP)?;
                select(&value, &Value::from(field.as_str()))
            }
            Kind::Call { target, function, args } => self.call(target.as_deref(), function, args),
            Kind::List(items) => {
                let mut found = Vec::new();
                for (item, optional) in items {
                    let value = self.eval(item)?;
                    match value {
                        Value::Optional(inner) if *optional => found.extend(inner.map(|v| (*v).clone())),
                        value => found.push(value),
                    }
                }
                self.pay(LIST)?;
                found.iter().try_for_each(|item| self.look(item))?;
                Ok(Value::list(found))
            }
            Kind::Map(entries) => self.map(entries),
            Kind::Message(name) => failed(format!("unknown type: {name}")),
            Kind::Fold(fold) => self.fold(fold),
        }
    }

    /// What is stepped into; the first step into what is no name costs as much as a name.
    fn operand(&mut self, expr: &'a Expr) -> Evaluated {
        let value = self.eval(expr)?;
        self.pay(if expr.kind.is_path() { 0 } else { STEP })?;
        Ok(value)
    }

    fn map(&mut self, entries: &'a [(Expr, Expr, bool)]) -> Evaluated {
        let mut found = BTreeMap::new();
        for (key, value, optional) in entries {
            let (key, mut value) = (self.eval(key)?, self.eval(value)?);
            if let (Value::Optional(inner), true) = (&value, *optional) {
                let Some(inner) = inner else { continue };
                value = (**inner).clone();
            }
            let Some(key) = Key::of(&key) else { return failed(format!("unsupported key type: {}", key.type_of())) };
            self.look(&value)?;
            found.insert(key, value);
        }
        self.pay(MAP)?;
        Ok(Value::Map(Arc::new(found)))
    }

    fn call(&mut self, target: Option<&'a Expr>, function: &'a str, args: &'a [Expr]) -> Evaluated {
        match function {
            "_&&_" => return self.logical(args, false),
            "_||_" => return self.logical(args, true),
            "_?_:_" => {
                let Value::Bool(condition) = self.eval(&args[0])? else { return failed("no such overload") };
                let branch = &args[if condition { 1 } else { 2 }];
                let value = self.eval(branch)?;
                // A path is part of the choice, and only the steps into it count.
                self.cost -= if branch.kind.is_path() { STEP } else { 0 };
                return Ok(value);
            }
            "@not_strictly_false" => {
                let value = self.eval(&args[0]);
                self.pay(1)?;
                return match value {
                    Ok(value @ Value::Bool(_)) => Ok(value),
                    Err(Failure::TooCostly) => Err(Failure::TooCostly),
                    _ => Ok(Value::Bool(true)),
                };
            }
            "_[_]" | "_[?_]" | "_?._" => {
                if let ("_?._", Kind::Literal(Value::String(field))) = (function, &args[1].kind)
                    && let Some(value) = self.composed(&args[0], field)?
                {
                    self.pay(STEP)?;
                    return Ok(Value::some(value));
                }
                let (value, index) = (self.operand(&args[0])?, self.eval(&args[1])?);
                // A path that is an index is part of the path, and only the steps into it count.
                self.cost -= if args[1].kind.is_path() { STEP } else { 0 };
                if function == "_[_]" {
                    self.pay(STEP)?;
                    return select(&value, &index);
                }
                let found = select_optional(&value, &index)?;
                self.pay(if found == Value::Optional(None) { 0 } else { STEP })?;
                return Ok(found);
            }
            "or" | "orValue" => {
                let Some(target) = target else { return failed("no such overload") };
                let Value::Optional(inner) = self.eval(target)? else { return failed("no such overload") };
                return match inner {
                    None => self.eval(&args[0]),
                    Some(value) if function == "orValue" => Ok((*value).clone()),
                    some => Ok(Value::Optional(some)),
                };
            }
            _ => {}
        }
        let mut values = Vec::with_capacity(args.len() + 1);
        let mut failure = None;
        for arg in target.into_iter().chain(args) {
            // Costs count for a call whose arguments are wrong, too.
            values.push(match self.eval(arg) {
                Ok(value) => value,
                Err(Failure::TooCostly) => return Err(Failure::TooCostly),
                Err(why) => {
                    failure = failure.or(Some(why));
                    Value::Null
                }
            });
        }
        if let Some(why) = failure {
            self.pay(cost::of_call(function, &values, None))?;
            return Err(why);
        }
        if DEEP.contains(&function) {
            values.iter().try_for_each(|value| self.look(value))?;
        }
        let result = match (function, values.as_slice(), self.host) {
            ("check", [Value::Access(wanted), Value::String(verb)], Some(host)) => {
                // Paid before, so that nobody is asked too often.
                self.pay(cost::AUTHORIZATION)?;
                return Ok(Value::Decision(Arc::new(host.check(wanted, verb))));
            }
            _ => functions::call(function, &values),
        };
        if let Ok(made @ (Value::List(_) | Value::Map(_) | Value::String(_))) = &result {
            self.look(made)?;
        }
        if function == "@in" && args[1].constant {
            return result.map_err(Failure::Failed);
        }
        self.pay(cost::of_call(function, &values, result.as_ref().ok()))?;
        result.map_err(Failure::Failed)
    }

    /// `&&` and `||`: one side that decides is enough, whatever the other is. `decisive` is what ends it.
    fn logical(&mut self, args: &'a [Expr], decisive: bool) -> Evaluated {
        let mut error = None;
        for arg in args {
            match self.eval(arg) {
                Ok(Value::Bool(value)) if value == decisive => return Ok(Value::Bool(decisive)),
                Ok(Value::Bool(_)) => {}
                Ok(_) => error = error.or(Some(Failure::Failed("no such overload".into()))),
                Err(Failure::TooCostly) => return Err(Failure::TooCostly),
                Err(failure) => error = error.or(Some(failure)),
            }
        }
        error.map_or(Ok(Value::Bool(!decisive)), Err)
    }

    fn fold(&mut self, fold: &'a Fold) -> Evaluated {
        let range = self.eval(&fold.range)?;
        let items: Vec<(Value, Value)> = match &range {
            Value::List(list) => {
                let index = |i: usize| Value::Int(i64::try_from(i).unwrap_or(i64::MAX));
                list.items.iter().enumerate().map(|(i, item)| (index(i), item.clone())).collect()
            }
            Value::Map(map) => map.iter().map(|(key, value)| (key.value(), value.clone())).collect(),
            _ => return failed("no such overload"),
        };
        let by_index = matches!(range, Value::List(_)) && fold.var2.is_none();
        let outside = self.scopes.len();
        let mut accu = self.eval(&fold.init);
        for (first, second) in items {
            self.scopes.truncate(outside);
            if matches!(accu, Err(Failure::TooCostly)) {
                return accu;
            }
            let (first, second) = if by_index { (second, Value::Null) } else { (first, second) };
            self.scopes.push((&fold.var, first));
            if let Some(name) = &fold.var2 {
                self.scopes.push((name, second));
            }
            // An error that is accumulated may still be decided away by a later element.
            let Ok(go_on) = self.with_accu(fold, &accu, &fold.condition) else { break };
            if go_on == Value::Bool(false) {
                break;
            }
            accu = self.step(fold, accu, &fold.step);
        }
        self.scopes.truncate(outside);
        let result = self.with_accu(fold, &accu, &fold.result);
        self.scopes.truncate(outside);
        result
    }

    /// One more time through a loop. A list or map that grows is not copied each time: only the loop knows it.
    fn step(&mut self, fold: &'a Fold, accu: Evaluated, part: &'a Expr) -> Evaluated {
        let Kind::Call { function, args, .. } = &part.kind else { return self.with_accu(fold, &accu, part) };
        let is_accu = |expr: &Expr| matches!(&expr.kind, Kind::Ident(name) if *name == fold.accu);
        match (function.as_str(), args.as_slice(), accu) {
            ("_?_:_", [condition, yes, no], Ok(accu)) if is_accu(no) => {
                let Value::Bool(holds) = self.eval(condition)? else { return failed("no such overload") };
                if holds {
                    return self.step(fold, Ok(accu), yes);
                }
                Ok(accu)
            }
            ("_+_", [first, Expr { kind: Kind::List(items), constant, .. }], Ok(Value::List(mut list)))
                if is_accu(first) =>
            {
                for (item, _) in items {
                    let value = self.eval(item)?;
                    self.look(&value)?;
                    Arc::make_mut(&mut list).items.push(value);
                }
                self.pay(STEP + if *constant { 0 } else { LIST } + 1)?;
                Ok(Value::List(list))
            }
            ("cel.@mapInsert", [first, key, value], Ok(Value::Map(mut map))) if is_accu(first) => {
                let (key, value) = (self.eval(key)?, self.eval(value)?);
                self.look(&value)?;
                self.pay(STEP + 1)?;
                let Some(own) = Key::of(&key) else {
                    return failed(format!("unsupported key type: {}", key.type_of().name()));
                };
                if map.contains_key(&own) {
                    return failed(format!("insert failed: key {} already exists", shown(&key)));
                }
                Arc::make_mut(&mut map).insert(own, value);
                Ok(Value::Map(map))
            }
            (_, _, accu) => self.with_accu(fold, &accu, part),
        }
    }

    /// Evaluates a part of a loop, in which the accumulated value has its name.
    fn with_accu(&mut self, fold: &'a Fold, accu: &Evaluated, part: &'a Expr) -> Evaluated {
        let value = match accu {
            Ok(value) => value.clone(),
            Err(failure) => return self.with_failure(fold, failure, part),
        };
        // Below the loop's own names, which may hide it (`optMap` names it itself).
        self.scopes.push((&fold.accu, value));
        let result = self.eval(part);
        self.scopes.pop();
        result
    }

    /// The same for an accumulated error: only `&&` and `||` look past it.
    fn with_failure(&mut self, fold: &'a Fold, failure: &Failure, part: &'a Expr) -> Evaluated {
        let Kind::Call { function, args, .. } = &part.kind else { return Err(failure.clone()) };
        match function.as_str() {
            "@not_strictly_false" => {
                let is_negated = matches!(&args[0].kind, Kind::Call { .. });
                self.pay(STEP + 1 + u64::from(is_negated))?;
                Ok(Value::Bool(true))
            }
            "_&&_" | "_||_" if matches!(&args[0].kind, Kind::Ident(name) if *name == fold.accu) => {
                self.pay(STEP)?;
                match self.eval(&args[1]) {
                    Ok(Value::Bool(value)) if value == (function == "_||_") => Ok(Value::Bool(value)),
                    Err(Failure::TooCostly) => Err(Failure::TooCostly),
                    _ => Err(failure.clone()),
                }
            }
            _ => Err(failure.clone()),
        }
    }
}

/// `has(value.field)`.
fn presence(value: &Value, field: &str) -> Evaluated {
    let key = Key::String(field.into());
    match value {
        Value::Map(map) => Ok(Value::Bool(map.contains_key(&key))),
        Value::Optional(None) => Ok(Value::Bool(false)),
        Value::Optional(Some(inner)) => presence(inner, field),
        _ => failed("no such overload"),
    }
}

/// `value[index]` and `value.field`.
fn select(value: &Value, index: &Value) -> Evaluated {
    match value {
        Value::Map(map) => match Key::of(index) {
            Some(key) => map.get(&key).cloned().map_or_else(|| failed(format!("no such key: {}", shown(index))), Ok),
            None => failed("no such overload"),
        },
        Value::List(list) => match position(index) {
            Some(at) => {
                let found = usize::try_from(at).ok().and_then(|at| list.items.get(at));
                found.cloned().map_or_else(|| failed(format!("index out of bounds: {at}")), Ok)
            }
            None => failed(format!("unsupported index type '{}' in list", index.type_of().name())),
        },
        Value::Optional(_) => select_optional(value, index),
        _ => failed("no such overload"),
    }
}

/// `value[?index]` and `value.?field`.
fn select_optional(value: &Value, index: &Value) -> Evaluated {
    match value {
        Value::Optional(None) => Ok(Value::Optional(None)),
        Value::Optional(Some(inner)) => select_optional(inner, index),
        Value::Map(map) => {
            let found = Key::of(index).and_then(|key| map.get(&key));
            Ok(Value::Optional(found.map(|v| Arc::new(v.clone()))))
        }
        Value::List(list) => {
            let found = position(index).and_then(|at| list.items.get(usize::try_from(at).ok()?));
            Ok(Value::Optional(found.map(|v| Arc::new(v.clone()))))
        }
        _ => failed("no such overload"),
    }
}

fn position(index: &Value) -> Option<i64> {
    match Key::of(index) {
        Some(Key::Int(at)) => Some(at),
        _ => None,
    }
}

fn shown(key: &Value) -> String {
    functions::convert::to_string(key).unwrap_or_default()
}
