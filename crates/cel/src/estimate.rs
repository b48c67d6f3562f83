//! What an expression can cost at most, for any object that its schema allows (cel-go/checker/cost.go,
//! k8s.io/apiserver/pkg/cel/library/cost.go): definitions with rules that could cost too much are refused.

use std::collections::BTreeMap;

use crate::Program;
use crate::ast::{Expr, Fold, Kind};
use crate::cost::{AUTHORIZATION, REGEX, TRAVERSAL, of_selector, part};
use crate::declarations::{CIDR, IP, QUANTITY, SEMVER};
use crate::schema::Declaration;
use crate::types::Type;
use crate::value::Value;

const LIST: u64 = 10;
const MAP: u64 = 30;
/// How long the regular expression behind a format may be (`MaxNameFormatRegexSize`).
const FORMAT_REGEX_CHARS: f64 = 128.0;

/// How large something is: characters, bytes, elements.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Size {
    min: u64,
    max: u64,
}

const UNKNOWN: Size = Size { min: 0, max: u64::MAX };

impl Size {
    fn of(size: u64) -> Size {
        Size { min: size, max: size }
    }

    fn plus(self, other: Size) -> Size {
        Size { min: self.min.saturating_add(other.min), max: self.max.saturating_add(other.max) }
    }

    fn times(self, other: Size) -> Size {
        Size { min: self.min.saturating_mul(other.min), max: self.max.saturating_mul(other.max) }
    }

    fn or(self, other: Size) -> Size {
        Size { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    /// What it costs to look at all of it.
    fn cost(self, factor: f64) -> u64 {
        part(self.max, factor)
    }
}

/// How large the keys (or places) and the values of a container are.
#[derive(Clone, Copy, Debug)]
struct Entry {
    is_list: bool,
    key: Size,
    value: Size,
}

/// What is known of a name inside of a loop.
struct Local<'a> {
    name: &'a str,
    path: Vec<String>,
    size: Option<Size>,
    entry: Option<Entry>,
}

impl Program {
    /// What one evaluation can cost at most, if `self` is declared so.
    #[must_use]
    pub fn cost_max(&self, own: &Declaration) -> u64 {
        let mut estimate = Estimate {
            types: &self.types,
            own,
            paths: BTreeMap::new(),
            sizes: BTreeMap::new(),
            entries: BTreeMap::new(),
            locals: Vec::new(),
        };
        estimate.cost(&self.expr)
    }
}

struct Estimate<'a> {
    types: &'a [Type],
    own: &'a Declaration,
    paths: BTreeMap<usize, Vec<String>>,
    sizes: BTreeMap<usize, Size>,
    entries: BTreeMap<usize, Entry>,
    locals: Vec<Local<'a>>,
}

impl<'a> Estimate<'a> {
    fn type_of(&self, expr: &Expr) -> &'a Type {
        &self.types[expr.id]
    }

    fn local(&self, expr: &Expr) -> Option<&Local<'a>> {
        let Kind::Ident(name) = &expr.kind else { return None };
        self.locals.iter().rfind(|local| local.name == name)
    }

    /// The fields and elements by which `self` is gone into; empty if it is not.
    fn path(&self, expr: &Expr) -> Vec<String> {
        let known = || self.paths.get(&expr.id).cloned().unwrap_or_default();
        self.local(expr).map_or_else(known, |local| local.path.clone())
    }

    fn extend_path(&mut self, expr: &Expr, of: &Expr, step: &str) {
        let mut path = self.path(of);
        path.push(step.to_owned());
        self.paths.insert(expr.id, path);
    }

    /// What the schema says of a place.
    fn declared(&self, path: &[String]) -> Option<Size> {
        let (_, steps) = path.split_first()?;
        let mut at = self.own;
        for step in steps {
            at = match step.as_str() {
                "@items" | "@values" => at.elements.as_deref()?,
                "@keys" if at.elements.is_some() => return Some(Size::of(0)),
                name => at.fields.get(name)?,
            };
        }
        Some(Size { min: 0, max: at.elements_max })
    }

    fn size(&mut self, expr: &Expr) -> Option<Size> {
        if let Some(size) = self.sizes.get(&expr.id) {
            return Some(*size);
        }
        let written = match &expr.kind {
            // The name of a type is a path of no steps, and so as large as `self`.
            Kind::Literal(Value::Type(_)) => Some(self.own.elements_max),
            Kind::Literal(value) => Some(value.size()),
            Kind::List(items) => Some(items.len() as u64),
            Kind::Map(entries) => Some(entries.len() as u64),
            _ => None,
        };
        if let Some(size) = written {
            return Some(Size::of(size));
        }
        if let Some(size) = self.declared(&self.path(expr)) {
            self.sizes.insert(expr.id, size);
            return Some(size);
        }
        match self.type_of(expr) {
            Type::Bool | Type::Int | Type::Uint | Type::Double | Type::Timestamp | Type::Duration => Some(Size::of(1)),
            _ => self.local(expr).and_then(|local| local.size),
        }
    }

    fn size_or_unknown(&mut self, expr: &Expr) -> Size {
        self.size(expr).unwrap_or(UNKNOWN)
    }

    fn entry(&self, expr: &Expr) -> Option<Entry> {
        self.entries.get(&expr.id).copied().or_else(|| self.local(expr).and_then(|local| local.entry))
    }

    fn cost(&mut self, expr: &'a Expr) -> u64 {
        match &expr.kind {
            Kind::Literal(Value::Type(_)) => 1,
            Kind::Literal(_) | Kind::Message(_) => 0,
            Kind::Ident(name) => {
                let path = self.local(expr).map_or_else(|| vec![name.clone()], |local| local.path.clone());
                self.paths.insert(expr.id, path);
                1
            }
            Kind::Select { operand, test: true, .. } => self.cost(operand),
            Kind::Select { operand, field, .. } => {
                let cost = self.cost(operand);
                self.extend_path(expr, operand, field);
                cost + u64::from(matches!(self.type_of(operand), Type::Map(..) | Type::Object(_)))
            }
            Kind::List(items) => {
                let (mut cost, mut value) = (0u64, Size { min: u64::MAX, max: 0 });
                for (item, _) in items {
                    cost = cost.saturating_add(self.cost(item));
                    value = value.or(self.size_or_unknown(item));
                }
                value.min = value.min.min(value.max);
                self.entries.insert(expr.id, Entry { is_list: true, key: Size::of(1), value });
                cost.saturating_add(LIST)
            }
            Kind::Map(entries) => {
                let empty = Size { min: u64::MAX, max: 0 };
                let (mut cost, mut keys, mut values) = (0u64, empty, empty);
                for (key, value, _) in entries {
                    cost = cost.saturating_add(self.cost(key)).saturating_add(self.cost(value));
                    keys = keys.or(self.size_or_unknown(key));
                    values = values.or(self.size_or_unknown(value));
                }
                (keys.min, values.min) = (keys.min.min(keys.max), values.min.min(values.max));
                self.entries.insert(expr.id, Entry { is_list: false, key: keys, value: values });
                cost.saturating_add(MAP)
            }
            Kind::Call { target, function, args } => self.call(expr, target.as_deref(), function, args),
            Kind::Fold(fold) => self.fold(expr, fold),
        }
    }

    fn call(&mut self, expr: &'a Expr, target: Option<&'a Expr>, function: &'a str, args: &'a [Expr]) -> u64 {
        let mut costs = Vec::new();
        for arg in args {
            costs.push(self.cost(arg));
        }
        let sum = costs.iter().fold(0u64, |sum, cost| sum.saturating_add(*cost));
        match (function, args) {
            ("dyn", [arg]) => {
                if let Some(size) = self.size(arg) {
                    self.sizes.insert(expr.id, size);
                }
                if let Some(entry) = self.entry(arg) {
                    self.entries.insert(expr.id, entry);
                }
                return sum.saturating_add(1);
            }
            ("_?_:_", [_, yes, no]) => {
                let size = self.size_or_unknown(yes).or(self.size_or_unknown(no));
                self.sizes.insert(expr.id, size);
                if let (Some(a), Some(b)) = (self.entry(yes), self.entry(no)) {
                    let entry = Entry { is_list: a.is_list, key: a.key.or(b.key), value: a.value.or(b.value) };
                    self.entries.insert(expr.id, entry);
                }
                return costs[0].saturating_add(costs[1].max(costs[2]));
            }
            ("_&&_" | "_||_", _) => return sum,
            _ => {}
        }
        let target_cost = target.map_or(0, |target| self.cost(target));
        let (cost, mut size) = self.function(expr, target, function, args);
        if function == "_[_]" {
            let entry = self.entry(&args[0]);
            size = entry.map(|entry| entry.value);
            let is_map = matches!(self.type_of(&args[0]), Type::Map(..));
            self.extend_path(expr, &args[0], if is_map { "@values" } else { "@items" });
        }
        if let Some(size) = size.or_else(|| self.size(expr)) {
            self.sizes.insert(expr.id, size);
        }
        target_cost.saturating_add(cost).saturating_add(sum)
    }

    /// What a call costs without its arguments, and how large what comes out is, if that follows from it.
    fn function(&mut self, expr: &Expr, target: Option<&Expr>, name: &str, args: &[Expr]) -> (u64, Option<Size>) {
        // What is looked at: the receiver, or the first argument of a function.
        let subject = target.or(args.first()).map_or(UNKNOWN, |e| self.size_or_unknown(e));
        let first = args.first().map_or(UNKNOWN, |e| self.size_or_unknown(e));
        let second = args.get(1).map_or(UNKNOWN, |e| self.size_or_unknown(e));
        let of = args.first().map_or(&Type::Dyn, |e| self.type_of(e));
        let is_text = matches!(of, Type::String | Type::Bytes | Type::Dyn);
        // Which ways to call an operator fit is decided by both sides.
        let may_be = |i: usize, list: bool| match args.get(i).map(|e| self.type_of(e)) {
            Some(Type::String | Type::Bytes | Type::Dyn) => true,
            Some(Type::List(_)) => list,
            _ => false,
        };
        let (are_texts, are_long) = (may_be(0, false) && may_be(1, false), may_be(0, true) && may_be(1, true));
        let addresses = Size { min: 4, max: 16 };
        match name {
            "check" => (AUTHORIZATION, None),
            "fieldSelector" | "labelSelector" => (of_selector(first.max), None),
            "isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf" => (self.each(target), None),
            "url" | "lowerAscii" | "upperAscii" | "substring" | "trim" => (subject.cost(TRAVERSAL), Some(subject)),
            "replace" => (subject.cost(2.0 * TRAVERSAL), Some(replaced(subject, first, second))),
            "split" => (subject.cost(2.0 * TRAVERSAL), Some(Size { min: 0, max: split_max(subject, args) })),
            "join" => {
                let size = self.joined(target, args);
                (size.cost(TRAVERSAL), Some(size))
            }
            "find" | "findAll" | "matches" => {
                let pattern = if target.is_some() { first } else { second };
                let text = subject.plus(Size::of(1)).cost(TRAVERSAL);
                let found = (name != "matches").then_some(Size { min: 0, max: subject.max });
                (text.saturating_mul(pattern.cost(REGEX)), found)
            }
            "ip" if target.is_some() => (1, None),
            "ip" | "cidr" | "isIP" | "isCIDR" | "quantity" | "isQuantity" | "semver" | "isSemver" => {
                (subject.cost(TRAVERSAL), None)
            }
            "slice" => {
                let at = |i: usize, default: u64| args.get(i).and_then(written).unwrap_or(default);
                allocated(1.0, Size::of(at(1, subject.max).saturating_sub(at(0, 0))))
            }
            "lists.range" => allocated(1.0, Size::of(args.first().and_then(written).unwrap_or(u64::MAX))),
            "reverse" => allocated(1.0, subject),
            #[expect(clippy::cast_precision_loss, reason = "a few levels")]
            "flatten" => {
                let levels = args.first().map_or(1, |levels| written(levels).unwrap_or(u64::MAX));
                allocated(levels as f64, subject)
            }
            "distinct" => allocated(2.0, subject.times(subject)),
            "sort" | "@sortByAssociatedKeys" => {
                let keys = if name == "sort" { target } else { args.first() };
                let of = keys.map_or(&Type::Dyn, |keys| self.type_of(keys));
                let texts = matches!(of, Type::List(of) if matches!(**of, Type::String | Type::Bytes));
                let size = keys.map_or(UNKNOWN, |keys| self.size_or_unknown(keys));
                allocated(if texts { 2.0 + TRAVERSAL } else { 2.0 }, size.times(size))
            }
            "ip.isCanonical" => (subject.cost(2.0 * TRAVERSAL), None),
            "containsIP" | "containsCIDR" => {
                let mut cost = addresses.plus(addresses).cost(TRAVERSAL);
                if name == "containsCIDR" {
                    cost += addresses.cost(TRAVERSAL) + 1;
                }
                let parse = if is_text { first.cost(TRAVERSAL) } else { 0 };
                (cost.saturating_add(parse), None)
            }
            "validate" => (part(first.cost(TRAVERSAL), FORMAT_REGEX_CHARS * REGEX), None),
            "_==_" if matches!(of, Type::Opaque(QUANTITY | IP | CIDR | SEMVER, _)) => (1, None),
            "_==_" | "_!=_" => (part(first.max.min(second.max), TRAVERSAL), None),
            "_<_" | "_<=_" | "_>_" | "_>=_" if are_texts => (self.compared(first, second, of), None),
            "format" => (subject.cost(TRAVERSAL), None),
            "bytes" if is_text => {
                (first.cost(TRAVERSAL), Some(Size { min: first.min, max: first.max.saturating_mul(4) }))
            }
            "string" if matches!(of, Type::Bytes | Type::Dyn) => {
                (first.cost(TRAVERSAL), Some(Size { min: first.min / 4, max: first.max }))
            }
            "strings.quote" => (
                first.cost(TRAVERSAL),
                Some(Size { min: first.min + 2, max: first.max.saturating_mul(2).saturating_add(2) }),
            ),
            "startsWith" | "endsWith" => (first.cost(TRAVERSAL), None),
            "@in" => match args.get(1).map(|e| self.type_of(e)) {
                Some(Type::Map(..)) => (1, None),
                _ => (second.max, None),
            },
            "contains" => (subject.cost(TRAVERSAL).saturating_mul(first.cost(TRAVERSAL)), None),
            "_+_" if are_long => self.added(expr, args, (first, second), of),
            _ => (1, None),
        }
    }

    /// Texts that are compared to one another, numbers if they may be that.
    fn compared(&self, first: Size, second: Size, of: &Type) -> u64 {
        let texts = part(first.max.min(second.max), TRAVERSAL);
        if matches!(of, Type::Dyn) { texts.max(1) } else { texts }
    }

    fn added(&mut self, expr: &Expr, args: &[Expr], (first, second): (Size, Size), of: &Type) -> (u64, Option<Size>) {
        let size = first.plus(second);
        if let (Some(a), Some(b)) = (self.entry(&args[0]), self.entry(&args[1])) {
            let entry = Entry { is_list: a.is_list, key: a.key.or(b.key), value: a.value.or(b.value) };
            self.entries.insert(expr.id, entry);
        }
        match of {
            Type::List(_) => (1, Some(size)),
            _ => (size.cost(TRAVERSAL).max(1), Some(size)),
        }
    }

    /// Every element of a list is looked at once, or every character of a text.
    fn each(&mut self, target: Option<&Expr>) -> u64 {
        let Some(target) = target else { return 1 };
        let size = self.size_or_unknown(target);
        match self.type_of(target) {
            Type::List(of) => {
                let texts = matches!(**of, Type::String | Type::Bytes);
                let element = if texts { self.element(target).cost(TRAVERSAL).saturating_add(1) } else { 1 };
                size.max.saturating_mul(element)
            }
            _ => size.cost(TRAVERSAL),
        }
    }

    /// How large an element of a list is, by the schema.
    fn element(&self, list: &Expr) -> Size {
        let mut path = self.path(list);
        if path.is_empty() {
            return UNKNOWN;
        }
        path.push("@items".to_owned());
        self.declared(&path).unwrap_or(UNKNOWN)
    }

    fn joined(&mut self, target: Option<&Expr>, args: &[Expr]) -> Size {
        let Some(target) = target else { return UNKNOWN };
        let list = self.size_or_unknown(target);
        let size = list.times(self.element(target));
        let Some(separator) = args.first().map(|e| self.size_or_unknown(e)) else { return size };
        size.plus(separator.times(Size { min: list.min.saturating_sub(1), max: list.max.saturating_sub(1) }))
    }

    fn fold(&mut self, expr: &'a Expr, fold: &'a Fold) -> u64 {
        let before = self.cost(&fold.range).saturating_add(self.cost(&fold.init));
        let outside = self.locals.len();
        let accu = Local {
            name: &fold.accu,
            path: self.path(&fold.init),
            size: self.size(&fold.init),
            entry: self.entry(&fold.init),
        };
        self.locals.push(accu);
        let is_name = matches!(&fold.condition.kind, Kind::Literal(Value::Bool(false)));
        if is_name {
            // `optMap` only gives what is inside a name.
            let cost = before.saturating_add(self.cost(&fold.result));
            self.locals.truncate(outside);
            if let Some(size) = self.size(&fold.result) {
                self.sizes.insert(expr.id, size);
            }
            return cost;
        }
        let entry = self.entry(&fold.range);
        let is_list = entry.map_or(matches!(self.type_of(&fold.range), Type::List(_)), |entry| entry.is_list);
        let (key, value) = if is_list { ("@indices", "@items") } else { ("@keys", "@values") };
        let mut push = |name: &'a str, step: &str, size: Option<Size>| {
            let mut path = self.path(&fold.range);
            path.push(step.to_owned());
            self.locals.push(Local { name, path, size, entry: None });
        };
        match &fold.var2 {
            Some(var2) => {
                push(&fold.var, key, entry.map(|entry| entry.key));
                push(var2, value, entry.map(|entry| entry.value));
            }
            None if is_list => push(&fold.var, value, entry.map(|entry| entry.value)),
            None => push(&fold.var, key, entry.map(|entry| entry.key)),
        }
        let each = self.cost(&fold.condition).saturating_add(self.cost(&fold.step));
        self.locals.truncate(outside + 1);
        let result = self.cost(&fold.result);
        self.locals.truncate(outside);
        let count = self.size_or_unknown(&fold.range);
        let size = match &fold.init.kind {
            Kind::Literal(_) => self.size(&fold.init),
            Kind::List(_) | Kind::Map(_) => Some(count),
            _ => None,
        };
        if let Some(size) = size {
            self.sizes.insert(expr.id, size);
        }
        if let Some(entry) = self.entry(&fold.step) {
            self.entries.insert(expr.id, entry);
        }
        before.saturating_add(result).saturating_add(count.max.saturating_mul(each))
    }
}

/// What a call costs that makes a list, and how large that is.
fn allocated(factor: f64, size: Size) -> (u64, Option<Size>) {
    (size.cost(factor).saturating_add(1 + LIST), Some(size))
}

/// A number that is written out.
fn written(expr: &Expr) -> Option<u64> {
    match &expr.kind {
        Kind::Literal(Value::Int(n)) => Some(u64::try_from(*n).unwrap_or(0)),
        _ => None,
    }
}

/// How long a text is in which one text is replaced by another.
fn replaced(text: Size, old: Size, new: Size) -> Size {
    let (mut count, mut kept) = (Size::of(0), Size::of(0));
    if old.min == 0 {
        count.max = text.max.saturating_add(1);
        kept.max = text.max;
    } else if new.max <= old.min {
        kept.max = text.max;
    } else {
        count.max = text.max.div_ceil(old.min);
    }
    if old.max == 0 {
        count.min = text.min.saturating_add(1);
        kept.min = text.min;
    } else if old.max <= new.min {
        kept.min = text.min;
    } else {
        count.min = text.min.div_ceil(old.max);
    }
    count.times(new).plus(kept)
}

/// How many parts a text can have: each character is one, if there is no limit.
fn split_max(text: Size, args: &[Expr]) -> u64 {
    match args.get(1).map(|limit| &limit.kind) {
        Some(Kind::Literal(Value::Int(most))) => u64::try_from(*most).unwrap_or(u64::MAX),
        _ => text.max,
    }
}
