//! Calls that become loops (cel-go/parser/macro.go, ext/comprehensions.go, cel/library.go).

use crate::ast::{Expr, Fold, Kind};
use crate::parser::Parser;
use crate::value::Value;

/// The name of what a loop accumulates, which no text can say.
const ACCU: &str = "@result";

/// A call without a receiver: `has(a.b)` or a function.
pub(crate) fn global(p: &mut Parser, at: usize, name: String, mut args: Vec<Expr>) -> Expr {
    if name == "has" && args.len() == 1 {
        let arg = args.remove(0);
        if let Kind::Select { operand, field, test: false } = arg.kind {
            return p.node(at, Kind::Select { operand, field, test: true });
        }
        p.complain(arg.at, "invalid argument to has() macro");
        return p.node(at, Kind::Literal(Value::Bool(false)));
    }
    p.node(at, Kind::Call { target: None, function: name, args })
}

/// A call with a receiver: a macro or a method.
pub(crate) fn member(p: &mut Parser, at: usize, name: String, target: Expr, mut args: Vec<Expr>) -> Expr {
    let vars = match (name.as_str(), args.len()) {
        ("all" | "exists" | "exists_one" | "existsOne" | "filter" | "optMap" | "optFlatMap", 2) => 1,
        ("map", 2 | 3) | ("sortBy", 2) => 1,
        ("all" | "exists" | "exists_one" | "existsOne", 3) => 2,
        ("transformList" | "transformMap" | "transformMapEntry", 3 | 4) => 2,
        _ => {
            let target = Some(Box::new(target));
            return p.node(at, Kind::Call { target, function: name, args });
        }
    };
    if name == "sortBy" {
        return sort_by(p, at, target, args);
    }
    let rest = args.split_off(vars);
    let mut names = Vec::new();
    for arg in args {
        match arg.kind {
            Kind::Ident(name) if name != ACCU => names.push(name),
            _ => {
                let what = match name.as_str() {
                    "optMap" => "optMap() variable name must be a simple identifier",
                    "optFlatMap" => "optFlatMap() variable name must be a simple identifier",
                    _ => "argument must be a simple name",
                };
                p.complain(arg.at, what);
                return p.node(at, Kind::Literal(Value::Bool(false)));
            }
        }
    }
    if name.starts_with("opt") {
        return optional(p, at, name == "optMap", target, (names.remove(0), rest));
    }
    let var2 = (vars == 2).then(|| names.remove(1));
    let (init, condition, step, result) = parts(p, at, (&name, names[0].clone()), rest);
    let var = names.remove(0);
    let fold = Fold { range: target, var, var2, accu: ACCU.into(), init, condition, step, result };
    p.node(at, Kind::Fold(Box::new(fold)))
}

/// The four parts of a loop: at first, whether to go on, each time, in the end.
fn parts(p: &mut Parser, at: usize, (name, var): (&str, String), mut rest: Vec<Expr>) -> (Expr, Expr, Expr, Expr) {
    let accu = |p: &mut Parser| p.node(at, Kind::Ident(ACCU.into()));
    let literal = |p: &mut Parser, value: Value| p.node(at, Kind::Literal(value));
    let last = rest.pop().expect("every macro has an argument after its names");
    let filter = rest.pop();
    match name {
        "all" => {
            let init = literal(p, Value::Bool(true));
            let now = accu(p);
            let condition = p.call(at, "@not_strictly_false", vec![now]);
            let now = accu(p);
            (init, condition, p.call(at, "_&&_", vec![now, last]), accu(p))
        }
        "exists" => {
            let init = literal(p, Value::Bool(false));
            let now = accu(p);
            let not = p.call(at, "!_", vec![now]);
            let condition = p.call(at, "@not_strictly_false", vec![not]);
            let now = accu(p);
            (init, condition, p.call(at, "_||_", vec![now, last]), accu(p))
        }
        "exists_one" | "existsOne" => {
            let (init, condition) = (literal(p, Value::Int(0)), literal(p, Value::Bool(true)));
            let args = vec![accu(p), literal(p, Value::Int(1))];
            let more = p.call(at, "_+_", args);
            let same = accu(p);
            let step = p.call(at, "_?_:_", vec![last, more, same]);
            let args = vec![accu(p), literal(p, Value::Int(1))];
            (init, condition, step, p.call(at, "_==_", args))
        }
        "transformMap" | "transformMapEntry" => {
            let (init, condition) = (p.node(at, Kind::Map(Vec::new())), literal(p, Value::Bool(true)));
            let mut args = vec![accu(p)];
            if name == "transformMap" {
                args.push(p.node(at, Kind::Ident(var)));
            }
            args.push(last);
            let more = p.call(at, "cel.@mapInsert", args);
            (init, condition, filtered(p, at, filter, more), accu(p))
        }
        // map, filter, transformList
        _ => {
            let (init, condition) = (p.node(at, Kind::List(Vec::new())), literal(p, Value::Bool(true)));
            let (filter, item) = match name {
                "filter" => (Some(last), p.node(at, Kind::Ident(var))),
                _ => (filter, last),
            };
            let item = p.node(at, Kind::List(vec![(item, false)]));
            let args = vec![accu(p), item];
            let more = p.call(at, "_+_", args);
            (init, condition, filtered(p, at, filter, more), accu(p))
        }
    }
}

fn filtered(p: &mut Parser, at: usize, filter: Option<Expr>, more: Expr) -> Expr {
    let Some(filter) = filter else { return more };
    let same = p.node(at, Kind::Ident(ACCU.into()));
    p.call(at, "_?_:_", vec![filter, more, same])
}

/// `list.sortBy(e, key)`: the list gets a name and is ordered by the list of its keys (cel-go/ext/lists.go).
fn sort_by(p: &mut Parser, at: usize, target: Expr, args: Vec<Expr>) -> Expr {
    const INPUT: &str = "@__sortBy_input__";
    let input = |p: &mut Parser| p.node(at, Kind::Ident(INPUT.into()));
    let mapped = input(p);
    let keys = member(p, at, "map".into(), mapped, args);
    let list = Some(Box::new(input(p)));
    let sorted = Kind::Call { target: list, function: "@sortByAssociatedKeys".into(), args: vec![keys] };
    let fold = Fold {
        range: p.node(at, Kind::List(Vec::new())),
        var: "#unused".into(),
        var2: None,
        accu: INPUT.into(),
        init: target,
        condition: p.node(at, Kind::Literal(Value::Bool(false))),
        step: input(p),
        result: p.node(at, sorted),
    };
    p.node(at, Kind::Fold(Box::new(fold)))
}

/// `optMap` and `optFlatMap`: what is inside gets a name.
fn optional(p: &mut Parser, at: usize, wraps: bool, target: Expr, (var, mut rest): (String, Vec<Expr>)) -> Expr {
    let method = |p: &mut Parser, name: &str, of: Expr| {
        p.node(at, Kind::Call { target: Some(Box::new(of)), function: name.into(), args: Vec::new() })
    };
    if p.is_full(at) {
        return p.node(at, Kind::Literal(Value::Null));
    }
    let again = renumbered(p, &target);
    let has = method(p, "hasValue", target);
    let init = method(p, "value", again);
    let fold = Fold {
        range: p.node(at, Kind::List(Vec::new())),
        var: "#unused".into(),
        var2: None,
        accu: var.clone(),
        init,
        condition: p.node(at, Kind::Literal(Value::Bool(false))),
        step: p.node(at, Kind::Ident(var)),
        result: rest.remove(0),
    };
    let mut value = p.node(at, Kind::Fold(Box::new(fold)));
    if wraps {
        value = p.call(at, "optional.of", vec![value]);
    }
    let none = p.call(at, "optional.none", Vec::new());
    p.call(at, "_?_:_", vec![has, value, none])
}

/// The same tree once more, with numbers of its own.
fn renumbered(p: &mut Parser, expr: &Expr) -> Expr {
    let kind = match &expr.kind {
        Kind::Select { operand, field, test } => {
            Kind::Select { operand: Box::new(renumbered(p, operand)), field: field.clone(), test: *test }
        }
        Kind::Call { target, function, args } => Kind::Call {
            target: target.as_ref().map(|t| Box::new(renumbered(p, t))),
            function: function.clone(),
            args: args.iter().map(|a| renumbered(p, a)).collect(),
        },
        Kind::List(items) => Kind::List(items.iter().map(|(e, o)| (renumbered(p, e), *o)).collect()),
        Kind::Map(entries) => {
            Kind::Map(entries.iter().map(|(k, v, o)| (renumbered(p, k), renumbered(p, v), *o)).collect())
        }
        Kind::Fold(fold) => Kind::Fold(Box::new(Fold {
            range: renumbered(p, &fold.range),
            var: fold.var.clone(),
            var2: fold.var2.clone(),
            accu: fold.accu.clone(),
            init: renumbered(p, &fold.init),
            condition: renumbered(p, &fold.condition),
            step: renumbered(p, &fold.step),
            result: renumbered(p, &fold.result),
        })),
        other => other.clone(),
    };
    p.node(expr.at, kind)
}
