//! Whether an expression makes sense, and of which types its parts are (cel-go/checker/checker.go).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ast::{Expr, Fold, Kind, qualified_name};
use crate::declarations::{Overload, function, named_type};
use crate::issue::Issue;
use crate::schema::escape;
use crate::types::{Mapping, Type, instantiate, most_general};
use crate::value::Value;

/// What was found out about an expression.
pub(crate) struct Checked {
    /// The type of each node, by its number.
    pub types: Vec<Type>,
    /// The variables that are spoken of.
    pub used: BTreeSet<String>,
    /// What is wrong.
    pub issues: Vec<Issue>,
}

/// Checks a tree of `count` nodes; names that stand for types or for functions with dots are made what they are.
pub(crate) fn check(expr: &mut Expr, count: usize, variables: &[(String, Type)]) -> Checked {
    let mut checker = Checker {
        types: vec![Type::Error; count],
        mapping: Mapping::default(),
        fresh: 0,
        scopes: variables.to_vec(),
        outer: variables.len(),
        used: BTreeSet::new(),
        issues: Vec::new(),
    };
    checker.check(expr);
    for t in &mut checker.types {
        *t = checker.mapping.substitute(t, true);
    }
    if checker.issues.is_empty() {
        literals(expr, &mut checker.issues);
        mixed(expr, &checker.types, &mut checker.issues);
    }
    Checked { types: checker.types, used: checker.used, issues: checker.issues }
}

struct Checker {
    types: Vec<Type>,
    mapping: Mapping,
    fresh: u32,
    scopes: Vec<(String, Type)>,
    outer: usize,
    used: BTreeSet<String>,
    issues: Vec<Issue>,
}

impl Checker {
    fn complain(&mut self, at: usize, message: String) {
        self.issues.push(Issue { at, message });
    }

    fn mismatch(&mut self, at: usize, wanted: &Type, found: &Type) {
        self.complain(at, format!("expected type '{wanted}' but found '{found}'"));
    }

    fn undeclared(&mut self, at: usize, name: &str) -> Type {
        self.complain(at, format!("undeclared reference to '{name}' (in container '')"));
        Type::Error
    }

    fn var(&mut self) -> Type {
        self.fresh += 1;
        Type::Var(self.fresh - 1)
    }

    fn check(&mut self, expr: &mut Expr) -> Type {
        let found = self.type_of(expr);
        self.types[expr.id] = found.clone();
        found
    }

    fn type_of(&mut self, expr: &mut Expr) -> Type {
        let at = expr.at;
        if let Some(name) = qualified_name(expr)
            && let Some(found) = self.named(&name, &mut expr.kind)
        {
            return found;
        }
        match &mut expr.kind {
            Kind::Literal(value) => value.type_of(),
            Kind::Ident(name) => self.undeclared(at, &name.clone()),
            Kind::Select { operand, field, test } => {
                let found = self.select(at, operand, field, false);
                let found = if *test { Type::Bool } else { found };
                self.mapping.substitute(&found, false)
            }
            Kind::Call { .. } => self.call(expr),
            Kind::List(items) => {
                let mut of = None;
                for (item, optional) in items {
                    let found = self.check(item);
                    let found = self.optional(item.at, found, *optional);
                    of = Some(self.join(of, found));
                }
                let of = of.unwrap_or_else(|| self.var());
                Type::list(of)
            }
            Kind::Map(entries) => {
                let (mut keys, mut values) = (None, None);
                for (key, value, optional) in entries {
                    let found = self.check(key);
                    keys = Some(self.join(keys, found));
                    let found = self.check(value);
                    let found = self.optional(value.at, found, *optional);
                    values = Some(self.join(values, found));
                }
                let key = keys.unwrap_or_else(|| self.var());
                Type::map(key, values.unwrap_or_else(|| self.var()))
            }
            Kind::Message(name) => self.undeclared(at, &name.clone()),
            Kind::Fold(fold) => self.fold(fold),
        }
    }

    /// A variable or the name of a type.
    fn named(&mut self, name: &str, kind: &mut Kind) -> Option<Type> {
        if let Some(i) = self.scopes.iter().rposition(|(known, _)| known == name) {
            if i < self.outer {
                self.used.insert(name.to_owned());
            }
            // `authorizer.requestResource` is one name.
            if name.contains('.') {
                *kind = Kind::Ident(name.to_owned());
            }
            return Some(self.scopes[i].1.clone());
        }
        let found = named_type(name)?;
        *kind = Kind::Literal(Value::Type(found.clone()));
        Some(Type::Type(Arc::new(found)))
    }

    fn optional(&mut self, at: usize, found: Type, optional: bool) -> Type {
        if !optional {
            return found;
        }
        let (inner, was) = found.unwrap_optional();
        if !was && !matches!(inner, Type::Dyn) {
            self.mismatch(at, &Type::optional(inner.clone()), &inner);
        }
        inner
    }

    /// The type of what is of one type or the other.
    fn join(&mut self, before: Option<Type>, now: Type) -> Type {
        let Some(before) = before else { return now };
        if self.mapping.assignable(&before, &now) {
            return most_general(&before, &now).clone();
        }
        // What may be mixed is decided when the types are known.
        Type::Dyn
    }

    /// A step into something. A field whose name is a word of the language may be called by either of its names.
    fn select(&mut self, at: usize, operand: &mut Expr, field: &mut String, optional: bool) -> Type {
        let found = self.check(operand);
        let (target, was_optional) = self.mapping.substitute(&found, false).unwrap_optional();
        let result = match &target {
            Type::Map(_, value) => (**value).clone(),
            Type::Object(object) => {
                let has = |name: &str| object.fields.contains_key(name);
                if let Some(escaped) = escape(field).filter(|escaped| !has(field) && has(escaped)) {
                    *field = escaped;
                }
                object.fields.get(field).cloned().unwrap_or_else(|| {
                    self.complain(at, format!("undefined field '{field}'"));
                    Type::Error
                })
            }
            Type::Var(_) => {
                self.mapping.assignable(&Type::Dyn, &target);
                Type::Dyn
            }
            Type::Dyn | Type::Error => Type::Dyn,
            other => {
                self.complain(at, format!("type '{other}' does not support field selection"));
                Type::Dyn
            }
        };
        if optional || was_optional { Type::optional(result) } else { result }
    }

    fn call(&mut self, expr: &mut Expr) -> Type {
        let (id, at) = (expr.id, expr.at);
        let Kind::Call { target, function: name, args } = &mut expr.kind else { return Type::Error };
        if name == "_?._" {
            let Kind::Literal(Value::String(field)) = &args[1].kind else { return Type::Error };
            let mut field = field.to_string();
            let found = self.select(at, &mut args[0], &mut field, true);
            args[1].kind = Kind::Literal(Value::from(field));
            return self.mapping.substitute(&found, false);
        }
        let mut found: Vec<Type> = args.iter_mut().map(|arg| self.check(arg)).collect();
        // `a.b()` is a function with a dot in its name, or one that is called on `a`.
        if let Some(prefix) = target.as_deref().and_then(qualified_name) {
            let qualified = format!("{prefix}.{name}");
            if let Some(overloads) = function(&qualified) {
                *target = None;
                name.clone_from(&qualified);
                return self.resolve(at, &qualified, overloads, (false, found));
            }
        }
        let is_member = target.is_some();
        if let Some(target) = target {
            found.insert(0, self.check(target));
        }
        let name = name.clone();
        match function(&name) {
            Some(overloads) => {
                let result = self.resolve(at, &name, overloads, (is_member, found));
                if name == "sum" {
                    let literal = |zero| Expr { id, at, depth: 1, constant: true, kind: Kind::Literal(zero) };
                    args.extend(zero(&result).map(literal));
                }
                result
            }
            None => self.undeclared(at, &name),
        }
    }

    fn resolve(&mut self, at: usize, name: &str, overloads: &[Overload], (member, args): (bool, Vec<Type>)) -> Type {
        let mut result: Option<Type> = None;
        for overload in overloads.iter().filter(|o| o.member == member) {
            let fresh: BTreeMap<char, Type> = overload.letters.iter().map(|c| (*c, self.var())).collect();
            let wanted: Vec<Type> = overload.args.iter().map(|t| instantiate(t, &fresh)).collect();
            if !self.mapping.all_assignable(&args, &wanted) {
                continue;
            }
            let found = self.mapping.substitute(&instantiate(&overload.result, &fresh), false);
            result = Some(match result {
                None => found,
                Some(before) if before == Type::Dyn || before == found => before,
                Some(_) => Type::Dyn,
            });
        }
        if let Some(found) = result {
            return found;
        }
        let mut args: Vec<String> = args.iter().map(|t| self.mapping.substitute(t, true).to_string()).collect();
        let receiver = if member { format!("{}.", args.remove(0)) } else { String::new() };
        let signature = format!("{receiver}({})", args.join(", "));
        self.complain(at, format!("found no matching overload for '{name}' applied to '{signature}'"));
        Type::Error
    }

    fn fold(&mut self, fold: &mut Fold) -> Type {
        let range = self.check(&mut fold.range);
        let accu = self.check(&mut fold.init);
        let range = self.mapping.substitute(&range, false);
        let (var, var2) = match &range {
            Type::List(of) if fold.var2.is_some() => (Type::Int, (**of).clone()),
            Type::List(of) => ((**of).clone(), Type::Error),
            Type::Map(key, value) => ((**key).clone(), (**value).clone()),
            Type::Dyn | Type::Error | Type::Var(_) => {
                self.mapping.assignable(&Type::Dyn, &range);
                (Type::Dyn, Type::Dyn)
            }
            other => {
                let must = "cannot be range of a comprehension (must be list, map, or dynamic)";
                self.complain(fold.range.at, format!("expression of type '{other}' {must}"));
                (Type::Error, Type::Error)
            }
        };
        let outside = self.scopes.len();
        self.scopes.push((fold.accu.clone(), accu.clone()));
        self.scopes.push((fold.var.clone(), var));
        if let Some(name) = &fold.var2 {
            self.scopes.push((name.clone(), var2));
        }
        let found = self.check(&mut fold.condition);
        self.assert(fold.condition.at, &Type::Bool, &found);
        let found = self.check(&mut fold.step);
        self.assert(fold.step.at, &accu, &found);
        self.scopes.truncate(outside + 1);
        let result = self.check(&mut fold.result);
        self.scopes.truncate(outside);
        self.mapping.substitute(&result, false)
    }

    fn assert(&mut self, at: usize, wanted: &Type, found: &Type) {
        if !self.mapping.assignable(wanted, found) {
            self.mismatch(at, wanted, found);
        }
    }
}

/// What the sum of nothing is.
fn zero(of: &Type) -> Option<Value> {
    Some(match of {
        Type::Uint => Value::Uint(0),
        Type::Double => Value::Double(0.0),
        Type::Duration => Value::Duration(0),
        _ => return None,
    })
}

/// Lists and maps that are written out hold one type each, but for what is formatted (`ValidateHomogeneousAggregateLiterals`).
fn mixed(expr: &Expr, types: &[Type], issues: &mut Vec<Issue>) {
    if matches!(&expr.kind, Kind::Call { function, .. } if function == "format") {
        return;
    }
    let mut same = |all: Vec<(&Expr, bool)>| {
        let of = |(e, optional): &(&Expr, bool)| match optional {
            true => types[e.id].unwrap_optional().0,
            false => types[e.id].clone(),
        };
        let Some(first) = all.first().map(of) else { return };
        if let Some(other) = all.iter().find(|e| !is_same(&of(e), &first)) {
            let message = format!("expected type '{first}' but found '{}'", of(other));
            issues.push(Issue { at: other.0.at, message });
        }
    };
    match &expr.kind {
        Kind::List(items) => same(items.iter().map(|(e, o)| (e, *o)).collect()),
        Kind::Map(entries) => {
            same(entries.iter().map(|(k, _, _)| (k, false)).collect());
            same(entries.iter().map(|(_, v, o)| (v, *o)).collect());
        }
        _ => {}
    }
    expr.kind.children().into_iter().for_each(|child| mixed(child, types, issues));
}

/// Whether types are the same, where what was never said fits everything inside of others.
fn is_same(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::List(a), Type::List(b)) => is_inner_same(a, b),
        (Type::Map(k1, v1), Type::Map(k2, v2)) => is_inner_same(k1, k2) && is_inner_same(v1, v2),
        (Type::Opaque(n1, p1), Type::Opaque(n2, p2)) => n1 == n2 && p1.iter().zip(p2).all(|(a, b)| is_inner_same(a, b)),
        (Type::Type(_), Type::Type(_)) => true,
        _ => a == b,
    }
}

fn is_inner_same(a: &Type, b: &Type) -> bool {
    matches!(a, Type::Dyn) || matches!(b, Type::Dyn) || is_same(a, b)
}

/// Texts that are written out as times, durations and regular expressions are right (cel-go/cel/validator.go).
fn literals(expr: &Expr, issues: &mut Vec<Issue>) {
    let mut visit = |expr: &Expr| {
        let Kind::Call { target, function, args } = &expr.kind else { return };
        let argument = match (function.as_str(), target) {
            ("timestamp" | "duration", None) => args.first(),
            ("matches", Some(_)) => args.first(),
            ("matches", None) => args.get(1),
            _ => None,
        };
        let Some(Expr { kind: Kind::Literal(given), at, .. }) = argument else { return };
        let fails = match (function.as_str(), given) {
            ("matches", Value::String(text)) => crate::functions::regex(text).is_err(),
            ("matches", _) => false,
            _ => crate::functions::call(function, std::slice::from_ref(given)).is_err(),
        };
        if fails {
            issues.push(Issue { at: *at, message: format!("invalid {function} argument") });
        }
    };
    walk(expr, &mut visit);
}

/// What a program cannot be made of: searches for what is no regular expression (`program instantiation`).
pub(crate) fn makeable(expr: &Expr) -> Result<(), String> {
    let mut found = Ok(());
    walk(expr, &mut |expr| {
        let Kind::Call { function, args, .. } = &expr.kind else { return };
        if let ("find" | "findAll", Some(Kind::Literal(Value::String(pattern)))) =
            (function.as_str(), args.first().map(|arg| &arg.kind))
            && let Err(why) = crate::functions::regex(pattern)
            && found.is_ok()
        {
            found = Err(format!("error parsing regexp: {why}"));
        }
    });
    found
}

fn walk(expr: &Expr, visit: &mut impl FnMut(&Expr)) {
    visit(expr);
    expr.kind.children().into_iter().for_each(|child| walk(child, visit));
}
