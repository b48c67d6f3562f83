//! From names to places: expressions that can be computed, with their types.

use std::cell::Cell;
use std::rc::Rc;

use crate::ast::{Expr, Op};
use crate::error::{Error, Result};
use crate::functions::{self, Function};
use crate::plan::{self, Plan};
use crate::session::Env;
use crate::types::{ANY_TEXT, BIGINT, Type};
use crate::value::Value;
use crate::variables;

/// A column that a name may mean.
#[derive(Clone, Debug)]
pub(crate) struct ScopeColumn {
    pub(crate) db: String,
    /// The table's alias or name.
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) nullable: bool,
    /// Whether it is of the table's primary key.
    pub(crate) key: bool,
    /// Not shown by `*`: the right one of a pair of USING.
    pub(crate) hidden: bool,
}

/// The columns of a query, and those of the query around it.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub(crate) columns: Vec<ScopeColumn>,
    pub(crate) parent: Option<Rc<Scope>>,
    /// Whether something below looked past this scope.
    pub(crate) passed: Cell<bool>,
}

/// What is computed for each row.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Const(Value),
    /// How many queries outwards, and which column.
    Column(usize, usize),
    Aggregate(usize),
    Variable(String),
    Not(Box<Node>),
    Negative(Box<Node>),
    Binary(Op, Box<Node>, Box<Node>),
    IsNull(Box<Node>, bool),
    IsTrue(Box<Node>, bool, bool),
    In(Box<Node>, Vec<Node>, bool),
    Like(Box<Node>, Box<Node>, bool),
    Call(&'static Function, Vec<Node>),
    Case(Option<Box<Node>>, Vec<(Node, Node)>, Option<Box<Node>>),
    Cast(Box<Node>, Type),
    Interval(Box<Node>, Box<Node>, String, bool),
    /// A query that gives one value.
    Scalar(Rc<Plan>),
    Exists(Rc<Plan>),
    InQuery(Box<Node>, Rc<Plan>, bool),
    /// The value that was to be inserted.
    Inserted(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) node: Node,
    pub(crate) ty: Type,
    pub(crate) nullable: bool,
}

/// COUNT and its like, over the rows of a group.
#[derive(Clone, Debug)]
pub(crate) struct Aggregate {
    pub(crate) kind: Kind,
    pub(crate) args: Vec<Node>,
    pub(crate) distinct: bool,
    pub(crate) separator: String,
    pub(crate) order: Vec<(Node, bool)>,
    pub(crate) ty: Type,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Count,
    CountAll,
    Sum,
    Average,
    Min,
    Max,
    Concat,
}

/// What names mean in HAVING: places of columns.
#[derive(Clone, Debug)]
pub(crate) struct Having {
    /// Of GROUP BY.
    pub(crate) group: Vec<usize>,
    /// Shown as they are.
    pub(crate) items: Vec<usize>,
}

/// Binds the expressions of one query.
pub(crate) struct Binder<'a> {
    pub(crate) env: &'a Env<'a>,
    pub(crate) scope: Rc<Scope>,
    pub(crate) aggregates: Vec<Aggregate>,
    /// Whether aggregates may stand here.
    pub(crate) aggregating: bool,
    /// Names of results that an expression may use.
    pub(crate) aliases: Vec<(String, Expr)>,
    /// Set in HAVING, but not within its aggregates.
    pub(crate) having: Option<Having>,
    /// The place that complaints name.
    pub(crate) place: &'static str,
    /// Columns that VALUES() may name.
    pub(crate) inserted: Vec<String>,
}

impl<'a> Binder<'a> {
    pub(crate) fn new(env: &'a Env<'a>, scope: Rc<Scope>, place: &'static str) -> Binder<'a> {
        Binder {
            env,
            scope,
            aggregates: Vec::new(),
            aggregating: false,
            aliases: Vec::new(),
            having: None,
            place,
            inserted: Vec::new(),
        }
    }

    pub(crate) fn bind(&mut self, expr: &Expr) -> Result<Bound> {
        let bound = |node, ty, nullable| Ok(Bound { node, ty, nullable });
        match expr {
            Expr::Literal(value) => bound(Node::Const(value.clone()), literal_type(value), value.is_null()),
            Expr::Column { table, name } => self.column(table.as_deref(), name),
            Expr::Variable(name) => {
                let ty = self.env.session.variable(name).map_or(ANY_TEXT, |value| literal_type(&value));
                bound(Node::Variable(name.clone()), ty, true)
            }
            Expr::System(name) => {
                let value = variables::get(self.env, name)?;
                let ty = literal_type(&value);
                let nullable = value.is_null();
                bound(Node::Const(value), ty, nullable)
            }
            Expr::Not(of) => {
                let of = self.bind(of)?;
                bound(Node::Not(Box::new(of.node)), BIGINT, of.nullable)
            }
            Expr::Negative(of) => {
                let of = self.bind(of)?;
                let ty = if of.ty.is_number() { of.ty } else { Type::Double };
                bound(Node::Negative(Box::new(of.node)), ty, of.nullable)
            }
            Expr::Binary(op, a, b) => self.binary(*op, a, b),
            Expr::IsNull(of, negated) => bound(Node::IsNull(Box::new(self.bind(of)?.node), *negated), BIGINT, false),
            Expr::IsTrue(of, truth, negated) => {
                bound(Node::IsTrue(Box::new(self.bind(of)?.node), *truth, *negated), BIGINT, false)
            }
            Expr::In(of, list, negated) => {
                let of = self.bind(of)?;
                let all = list.iter().map(|e| self.bind(e)).collect::<Result<Vec<_>>>()?;
                let nullable = of.nullable || all.iter().any(|b| b.nullable);
                bound(
                    Node::In(Box::new(of.node), all.into_iter().map(|b| b.node).collect(), *negated),
                    BIGINT,
                    nullable,
                )
            }
            Expr::Between(of, low, high, negated) => {
                let low = Expr::Binary(Op::GreaterEqual, of.clone(), low.clone());
                let high = Expr::Binary(Op::LessEqual, of.clone(), high.clone());
                let both = Expr::Binary(Op::And, Box::new(low), Box::new(high));
                self.bind(&if *negated { Expr::Not(Box::new(both)) } else { both })
            }
            Expr::Like(of, pattern, negated) => {
                let (of, pattern) = (self.bind(of)?, self.bind(pattern)?);
                let nullable = of.nullable || pattern.nullable;
                bound(Node::Like(Box::new(of.node), Box::new(pattern.node), *negated), BIGINT, nullable)
            }
            Expr::CountAll => self.aggregate(Kind::CountAll, expr),
            Expr::Function { name, .. } => match aggregate_kind(name) {
                Some(kind) => self.aggregate(kind, expr),
                None => self.call(expr),
            },
            Expr::Case { of, whens, otherwise } => self.case(of.as_deref(), whens, otherwise.as_deref()),
            Expr::Cast(of, ty) => {
                let of = self.bind(of)?;
                bound(Node::Cast(Box::new(of.node), ty.clone()), ty.clone(), of.nullable || ty.is_time())
            }
            Expr::Interval { of, count, unit, negative } => self.interval(of, count, unit, *negative),
            Expr::Scalar(_) | Expr::Exists(_) | Expr::InQuery(..) => self.query(expr),
            Expr::Inserted(name) => match self.inserted.iter().position(|n| n.eq_ignore_ascii_case(name)) {
                Some(at) => {
                    let column = &self.scope.columns[at];
                    let (ty, nullable) = (column.ty.clone(), column.nullable);
                    bound(Node::Inserted(at), ty, nullable)
                }
                None => Err(Error::unknown_column(name, self.place)),
            },
            Expr::Default => Err(Error::refused("kubonsai does not support DEFAULT in expressions (mysql) yet")),
        }
    }

    /// A name in HAVING: a column of GROUP BY, else a result, else a column of the query around.
    fn having_column(&mut self, known: &Having, table: Option<&str>, name: &str) -> Result<Bound> {
        let scope = Rc::clone(&self.scope);
        let column = |all: &[usize]| {
            let at = all.iter().copied().find(|at| scope.columns.get(*at).is_some_and(|c| fits(c, table, name)))?;
            let column = &scope.columns[at];
            Some(Bound { node: Node::Column(0, at), ty: column.ty.clone(), nullable: column.nullable })
        };
        if let Some(bound) = column(&known.group) {
            return Ok(bound);
        }
        match self.alias(table, name) {
            Some(bound) => bound,
            None => column(&known.items).map_or_else(|| self.column_from(1, table, name), Ok),
        }
    }

    /// A result's name; it does not mean itself.
    fn alias(&mut self, table: Option<&str>, name: &str) -> Option<Result<Bound>> {
        let fits = |(alias, _): &&(String, Expr)| table.is_none() && alias.eq_ignore_ascii_case(name);
        let (_, expr) = self.aliases.iter().find(fits).cloned()?;
        let (aliases, having) = (std::mem::take(&mut self.aliases), self.having.take());
        let bound = self.bind(&expr);
        (self.aliases, self.having) = (aliases, having);
        Some(bound)
    }

    fn column(&mut self, table: Option<&str>, name: &str) -> Result<Bound> {
        match self.having.clone() {
            Some(known) => self.having_column(&known, table, name),
            None => self.column_from(0, table, name),
        }
    }

    /// A column of this query or of those around it, from one so many queries outwards on.
    fn column_from(&mut self, first: usize, table: Option<&str>, name: &str) -> Result<Bound> {
        let mut scope = Some(Rc::clone(&self.scope));
        let mut depth = 0;
        while let Some(here) = scope {
            if depth < first {
                scope = here.parent.clone();
                depth += 1;
                continue;
            }
            let mut found = here.columns.iter().filter(|column| fits(column, table, name));
            if let Some(column) = found.next() {
                if found.next().is_some() {
                    let name = table.map_or(name.to_owned(), |table| format!("{table}.{name}"));
                    return Err(Error::new(1052, "23000", format!("Column '{name}' in {} is ambiguous", self.place)));
                }
                let at = here.columns.iter().position(|c| std::ptr::eq(c, column)).unwrap_or(0);
                self.pass(depth);
                return Ok(Bound { node: Node::Column(depth, at), ty: column.ty.clone(), nullable: column.nullable });
            }
            if depth == 0
                && let Some(bound) = self.alias(table, name)
            {
                return bound;
            }
            scope = here.parent.clone();
            depth += 1;
        }
        let name = table.map_or(name.to_owned(), |table| format!("{table}.{name}"));
        Err(Error::unknown_column(&name, self.place))
    }

    /// Notes that this query depends on one around it.
    fn pass(&self, depth: usize) {
        let mut scope = Some(Rc::clone(&self.scope));
        for _ in 0..depth {
            if let Some(here) = scope {
                here.passed.set(true);
                scope = here.parent.clone();
            }
        }
    }

    fn binary(&mut self, op: Op, a: &Expr, b: &Expr) -> Result<Bound> {
        let (a, b) = (self.bind(a)?, self.bind(b)?);
        let mut nullable = a.nullable || b.nullable;
        let ty = match op {
            Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Modulo => {
                nullable |= matches!(op, Op::Divide | Op::Modulo);
                number_type(op, &a.ty, &b.ty)
            }
            Op::Whole => {
                nullable = true;
                BIGINT
            }
            _ => BIGINT,
        };
        nullable &= op != Op::Same;
        Ok(Bound { node: Node::Binary(op, Box::new(a.node), Box::new(b.node)), ty, nullable })
    }

    fn aggregate(&mut self, kind: Kind, expr: &Expr) -> Result<Bound> {
        if !self.aggregating {
            return Err(Error::new(1111, "HY000", "Invalid use of group function"));
        }
        let (mut args, mut by) = (Vec::new(), Vec::new());
        let (mut is_distinct, mut between) = (false, ",".to_owned());
        if let Expr::Function { args: of, distinct, separator, order, name } = expr {
            self.aggregating = false;
            let having = self.having.take();
            args = of.iter().map(|e| self.bind(e)).collect::<Result<Vec<_>>>()?;
            by = order.iter().map(|(e, down)| Ok((self.bind(e)?.node, *down))).collect::<Result<Vec<_>>>()?;
            self.aggregating = true;
            self.having = having;
            is_distinct = *distinct;
            between = separator.clone().unwrap_or(between);
            let most = if matches!(kind, Kind::Concat | Kind::Count) { usize::MAX } else { 1 };
            if args.is_empty() || args.len() > most {
                return Err(Error::new(
                    1064,
                    "42000",
                    format!(
                        "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '{name}' at line 1"
                    ),
                ));
            }
        }
        let first = args.first().map_or(BIGINT, |b| b.ty.clone());
        let ty = match kind {
            Kind::Count | Kind::CountAll => BIGINT,
            Kind::Sum => match &first {
                Type::Int(..) | Type::Bool => Type::Decimal(32, 0),
                Type::Decimal(precision, scale) => Type::Decimal(precision.saturating_add(22).min(65), *scale),
                _ => Type::Double,
            },
            Kind::Average => match &first {
                Type::Int(..) | Type::Bool => Type::Decimal(14, 4),
                Type::Decimal(precision, scale) => {
                    Type::Decimal(precision.saturating_add(4).min(65), (*scale + 4).min(30))
                }
                _ => Type::Double,
            },
            Kind::Min | Kind::Max => first,
            Kind::Concat => Type::Text(2),
        };
        let args = args.into_iter().map(|b| b.node).collect();
        self.aggregates.push(Aggregate {
            kind,
            args,
            distinct: is_distinct,
            separator: between,
            order: by,
            ty: ty.clone(),
        });
        let nullable = !matches!(kind, Kind::Count | Kind::CountAll);
        Ok(Bound { node: Node::Aggregate(self.aggregates.len() - 1), ty, nullable })
    }

    fn call(&mut self, expr: &Expr) -> Result<Bound> {
        let Expr::Function { name, args, .. } = expr else { return Err(Error::unknown_column("", self.place)) };
        let function = functions::find(name, self.env.session.database.as_deref())?;
        if args.len() < function.least || args.len() > function.most {
            let text = format!("Incorrect parameter count in the call to native function '{name}'");
            return Err(Error::new(1582, "42000", text));
        }
        let args = args.iter().map(|e| self.bind(e)).collect::<Result<Vec<_>>>()?;
        let (ty, nullable) = function.result(&args);
        let from = function.common_from().unwrap_or(args.len());
        let nodes = args.into_iter().enumerate();
        let nodes = nodes.map(|(at, b)| if at < from { b.node } else { converted(b.node, &b.ty, &ty) }).collect();
        Ok(Bound { node: Node::Call(function, nodes), ty, nullable })
    }

    fn case(&mut self, of: Option<&Expr>, whens: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Result<Bound> {
        let of = of.map(|e| self.bind(e)).transpose()?.map(|b| Box::new(b.node));
        let mut results = Vec::new();
        let mut all = Vec::new();
        for (when, then) in whens {
            let (when, then) = (self.bind(when)?, self.bind(then)?);
            results.push(then.clone());
            all.push((when.node, then.node));
        }
        let otherwise = otherwise.map(|e| self.bind(e)).transpose()?;
        let nullable = otherwise.is_none() || results.iter().chain(&otherwise).any(|b| b.nullable);
        let ty = merged(results.iter().chain(&otherwise));
        for ((_, then), result) in all.iter_mut().zip(&results) {
            *then = converted(result.node.clone(), &result.ty, &ty);
        }
        let otherwise = otherwise.map(|b| Bound { node: converted(b.node, &b.ty, &ty), ..b });
        Ok(Bound { node: Node::Case(of, all, otherwise.map(|b| Box::new(b.node))), ty, nullable })
    }

    fn interval(&mut self, of: &Expr, count: &Expr, unit: &str, negative: bool) -> Result<Bound> {
        let (of, count) = (self.bind(of)?, self.bind(count)?);
        let clock = matches!(unit, "MICROSECOND" | "SECOND" | "MINUTE" | "HOUR");
        let ty = match of.ty {
            Type::Date if !clock => Type::Date,
            Type::Date => Type::DateTime(0),
            Type::DateTime(n) | Type::Timestamp(n) => Type::DateTime(n),
            other => {
                if other.is_text() {
                    Type::Varchar(29)
                } else {
                    other
                }
            }
        };
        let node = Node::Interval(Box::new(of.node), Box::new(count.node), unit.to_owned(), negative);
        Ok(Bound { node, ty, nullable: true })
    }

    fn query(&mut self, expr: &Expr) -> Result<Bound> {
        let around = Some(Rc::clone(&self.scope));
        let one = |plan: &Plan| match plan.columns.len() {
            1 => Ok(()),
            _ => Err(Error::new(1241, "21000", "Operand should contain 1 column(s)")),
        };
        match expr {
            Expr::Scalar(query) => {
                let plan = plan::query(self.env, query, around)?;
                one(&plan)?;
                let ty = plan.columns[0].ty.clone();
                Ok(Bound { node: Node::Scalar(Rc::new(plan)), ty, nullable: true })
            }
            Expr::Exists(query) => {
                let plan = plan::query(self.env, query, around)?;
                Ok(Bound { node: Node::Exists(Rc::new(plan)), ty: BIGINT, nullable: false })
            }
            Expr::InQuery(of, query, negated) => {
                let of = self.bind(of)?;
                let plan = plan::query(self.env, query, around)?;
                one(&plan)?;
                Ok(Bound {
                    node: Node::InQuery(Box::new(of.node), Rc::new(plan), *negated),
                    ty: BIGINT,
                    nullable: true,
                })
            }
            other => self.bind(other),
        }
    }
}

/// Whether a name, perhaps with a table's, means this column.
fn fits(column: &ScopeColumn, table: Option<&str>, name: &str) -> bool {
    column.name.eq_ignore_ascii_case(name)
        && table.map_or(!column.hidden, |table| column.table.eq_ignore_ascii_case(table))
}

fn aggregate_kind(name: &str) -> Option<Kind> {
    Some(match name {
        "COUNT" => Kind::Count,
        "SUM" => Kind::Sum,
        "AVG" => Kind::Average,
        "MIN" => Kind::Min,
        "MAX" => Kind::Max,
        "GROUP_CONCAT" => Kind::Concat,
        _ => return None,
    })
}

/// The type of a constant.
pub(crate) fn literal_type(value: &Value) -> Type {
    match value {
        Value::Null => Type::Char(0),
        Value::Int(_) => BIGINT,
        Value::Decimal(n, scale) => {
            Type::Decimal(n.unsigned_abs().to_string().len().max(usize::from(*scale)) as u8, *scale)
        }
        Value::Double(_) => Type::Double,
        Value::Text(text) => Type::Varchar(text.chars().count() as u32),
        Value::Date(_) => Type::Date,
        Value::DateTime(_, n) => Type::DateTime(*n),
        Value::Time(_, n) => Type::Time(*n),
    }
}

fn exact_scale(ty: &Type) -> Option<u8> {
    match ty {
        Type::Int(..) | Type::Bool | Type::Date => Some(0),
        Type::Decimal(_, scale) => Some(*scale),
        Type::DateTime(n) | Type::Timestamp(n) | Type::Time(n) => Some(*n),
        _ => None,
    }
}

fn number_type(op: Op, a: &Type, b: &Type) -> Type {
    let (Some(x), Some(y)) = (exact_scale(a), exact_scale(b)) else { return Type::Double };
    let decimal = matches!(a, Type::Decimal(..)) || matches!(b, Type::Decimal(..));
    match op {
        Op::Divide => Type::Decimal(65, (x + 4).min(30)),
        _ if !decimal => BIGINT,
        Op::Multiply => Type::Decimal(65, (x + y).min(30)),
        _ => Type::Decimal(65, x.max(y)),
    }
}

/// The type that values of several expressions have in common.
pub(crate) fn merged<'b>(all: impl Iterator<Item = &'b Bound>) -> Type {
    let mut result: Option<Type> = None;
    for bound in all {
        if matches!(bound.node, Node::Const(Value::Null)) {
            continue;
        }
        result = Some(match result {
            None => bound.ty.clone(),
            Some(before) => common(&before, &bound.ty),
        });
    }
    result.unwrap_or(Type::Char(0))
}

/// Values of one type as values of the type that they have in common with others.
pub(crate) fn converted(node: Node, from: &Type, to: &Type) -> Node {
    let whole = |ty: &Type| matches!(ty, Type::Int(..) | Type::Bool);
    let same = from == to || from.is_text() && to.is_text() || whole(from) && whole(to);
    // A time of day has no date to become one with.
    let timeless = matches!(from, Type::Time(_)) && matches!(to, Type::DateTime(_));
    match node {
        Node::Const(Value::Null) => node,
        _ if same || timeless => node,
        _ => Node::Cast(Box::new(node), to.clone()),
    }
}

/// The type that holds values of both.
pub(crate) fn common(a: &Type, b: &Type) -> Type {
    if a == b {
        return a.clone();
    }
    match (a, b) {
        // NULL's.
        (Type::Char(0), other) | (other, Type::Char(0)) => other.clone(),
        (Type::Varchar(x) | Type::Char(x), Type::Varchar(y) | Type::Char(y)) => Type::Varchar(*x.max(y)),
        (Type::Int(..) | Type::Bool, Type::Int(..) | Type::Bool) => BIGINT,
        _ if a.is_number() && b.is_number() => match (exact_scale(a), exact_scale(b)) {
            (Some(x), Some(y)) => Type::Decimal(65, x.max(y)),
            _ => Type::Double,
        },
        (Type::Time(x), Type::Time(y)) => Type::Time(*x.max(y)),
        _ if a.is_time() && b.is_time() => {
            let places = |ty: &Type| match ty {
                Type::DateTime(n) | Type::Timestamp(n) | Type::Time(n) => *n,
                _ => 0,
            };
            Type::DateTime(places(a).max(places(b)))
        }
        _ => ANY_TEXT,
    }
}
