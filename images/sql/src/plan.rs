//! How a query is answered: where its rows come from, and what is computed of them.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use crate::ast::{self, Expr, Item, Join, Query, Select};
use crate::bind::{Aggregate, Binder, Bound, Having, Node, Scope, ScopeColumn, common, converted};
use crate::catalog::{SYSTEM_DATABASES, Table};
use crate::error::{Error, Result};
use crate::session::Env;
use crate::system;
use crate::types::Type;
use crate::value::{Row, Value};

/// A column of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct OutColumn {
    /// Its title.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// The table that it comes from, if it is a column of one.
    pub table: String,
    /// That table's database.
    pub db: String,
}

#[derive(Clone, Debug)]
pub(crate) enum SourcePlan {
    /// One row without columns.
    One,
    /// A table, and a row of it if a unique key is given: the index and the key.
    Table {
        table: Rc<Table>,
        lookup: Option<(usize, Vec<Node>)>,
    },
    Rows(Rc<Vec<Row>>),
    Derived(Rc<Plan>),
    Join {
        left: Box<SourcePlan>,
        right: Box<SourcePlan>,
        kind: Join,
        on: Option<Node>,
        widths: (usize, usize),
    },
}

#[derive(Clone, Debug)]
pub(crate) struct SelectPlan {
    pub(crate) source: SourcePlan,
    pub(crate) filter: Option<Node>,
    pub(crate) grouped: bool,
    pub(crate) group: Vec<Node>,
    pub(crate) aggregates: Vec<Aggregate>,
    pub(crate) having: Option<Node>,
    pub(crate) items: Vec<Node>,
    pub(crate) order: Vec<(Node, bool)>,
    pub(crate) distinct: bool,
    /// Whether it looks at the row of a query around it.
    pub(crate) correlated: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) selects: Vec<(SelectPlan, bool)>,
    pub(crate) columns: Vec<OutColumn>,
    /// The order of a UNION, by its columns.
    pub(crate) order: Vec<(usize, bool)>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: u64,
    /// Its rows, once they are known and the same for every row around it. A plan lives as long as its statement.
    pub(crate) once: OnceCell<Rc<Vec<Row>>>,
}

/// Plans a query inside another one, or none.
///
/// # Errors
/// What is wrong with its names.
pub(crate) fn query(env: &Env<'_>, query: &Query, parent: Option<Rc<Scope>>) -> Result<Plan> {
    let union = !query.unions.is_empty();
    let order: &[(Expr, bool)] = if union { &[] } else { &query.order };
    let (first, mut columns) = select(env, &query.first, order, parent.clone())?;
    let mut selects = vec![(first, true)];
    let mut types: Vec<Vec<Type>> = vec![columns.iter().map(|c| c.ty.clone()).collect()];
    for (other, all) in &query.unions {
        let (plan, more) = select(env, other, &[], parent.clone())?;
        if more.len() != columns.len() {
            let text = "The used SELECT statements have a different number of columns";
            return Err(Error::new(1222, "21000", text));
        }
        types.push(more.iter().map(|c| c.ty.clone()).collect());
        for (column, other) in columns.iter_mut().zip(more) {
            column.ty = common(&column.ty, &other.ty);
            column.nullable |= other.nullable;
        }
        selects.push((plan, *all));
    }
    for ((select, _), types) in selects.iter_mut().zip(types) {
        for ((item, from), column) in select.items.iter_mut().zip(types).zip(&columns) {
            let node = std::mem::replace(item, Node::Const(Value::Null));
            *item = converted(node, &from, &column.ty);
        }
    }
    let mut by = Vec::new();
    if union {
        for (expr, down) in &query.order {
            by.push((union_column(&columns, expr)?, *down));
        }
    }
    Ok(Plan { selects, columns, order: by, limit: query.limit, offset: query.offset, once: OnceCell::new() })
}

fn union_column(columns: &[OutColumn], expr: &Expr) -> Result<usize> {
    match expr {
        Expr::Literal(Value::Int(n)) => position(*n, columns.len(), "order clause"),
        Expr::Column { table: None, name } => columns
            .iter()
            .position(|column| column.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| Error::unknown_column(name, "order clause")),
        _ => Err(Error::refused("kubonsai does not support expressions in ORDER BY of a UNION (mysql) yet")),
    }
}

/// A column by its number, counted from 1.
fn position(n: i64, count: usize, place: &str) -> Result<usize> {
    match usize::try_from(n) {
        Ok(at) if (1..=count).contains(&at) => Ok(at - 1),
        _ => Err(Error::unknown_column(&n.to_string(), place)),
    }
}

/// Rows that expressions of a statement see, and where they come from; `correlated` is set if a condition looks further out.
pub(crate) fn source(
    env: &Env<'_>,
    from: Option<&ast::From>,
    parent: Option<Rc<Scope>>,
    correlated: &Cell<bool>,
) -> Result<(SourcePlan, Vec<ScopeColumn>)> {
    match from {
        None => Ok((SourcePlan::One, Vec::new())),
        Some(ast::From::Table(name, alias)) => table_source(env, name, alias.as_deref()),
        Some(ast::From::Derived(inner, alias)) => {
            let plan = query(env, inner, None)?;
            let columns = plan
                .columns
                .iter()
                .map(|c| ScopeColumn {
                    db: String::new(),
                    table: alias.clone(),
                    name: c.name.clone(),
                    ty: c.ty.clone(),
                    nullable: c.nullable,
                    key: false,
                    hidden: false,
                })
                .collect();
            Ok((SourcePlan::Derived(Rc::new(plan)), columns))
        }
        Some(ast::From::Join { left, right, kind, on, using }) => {
            let (left_plan, mut columns) = source(env, Some(left), parent.clone(), correlated)?;
            let (right_plan, mut more) = source(env, Some(right), parent.clone(), correlated)?;
            let widths = (columns.len(), more.len());
            for a in &columns {
                if more.iter().any(|b| b.table == a.table && b.db == a.db && !a.table.is_empty()) {
                    return Err(Error::new(1066, "42000", format!("Not unique table/alias: '{}'", a.table)));
                }
            }
            if *kind == Join::Left {
                more.iter_mut().for_each(|c| c.nullable = true);
            } else if *kind == Join::Right {
                columns.iter_mut().for_each(|c| c.nullable = true);
            }
            let mut condition = on.clone();
            for name in using {
                let side = |columns: &mut [ScopeColumn], hide: bool| {
                    let found = columns.iter_mut().find(|c| c.name.eq_ignore_ascii_case(name) && !c.hidden);
                    let found = found.ok_or_else(|| Error::unknown_column(name, "from clause"))?;
                    found.hidden = hide;
                    Ok(Box::new(Expr::Column { table: Some(found.table.clone()), name: found.name.clone() }))
                };
                let (a, b) = (side(&mut columns, *kind == Join::Right)?, side(&mut more, *kind != Join::Right)?);
                let equal = Expr::Binary(ast::Op::Equal, a, b);
                condition = Some(match condition {
                    Some(before) => Expr::Binary(ast::Op::And, Box::new(before), Box::new(equal)),
                    None => equal,
                });
            }
            columns.append(&mut more);
            let scope = Rc::new(Scope { columns, parent, ..Scope::default() });
            let mut binder = Binder::new(env, Rc::clone(&scope), "on clause");
            let on = condition.map(|e| binder.bind(&e)).transpose()?.map(|b| b.node);
            correlated.set(correlated.get() || scope.passed.get());
            let plan =
                SourcePlan::Join { left: Box::new(left_plan), right: Box::new(right_plan), kind: *kind, on, widths };
            Ok((plan, scope.columns.clone()))
        }
    }
}

fn table_source(env: &Env<'_>, name: &ast::Name, alias: Option<&str>) -> Result<(SourcePlan, Vec<ScopeColumn>)> {
    let db = env.session.db(name)?;
    let shown = alias.unwrap_or(&name.name).to_owned();
    let column = |name: &str, ty: &Type, nullable, key| ScopeColumn {
        db: db.clone(),
        table: shown.clone(),
        name: name.to_owned(),
        ty: ty.clone(),
        nullable,
        key,
        hidden: false,
    };
    if SYSTEM_DATABASES.contains(&db.to_ascii_lowercase().as_str()) {
        let (columns, rows) = system::table(env, &db, &name.name)?;
        let columns = columns.iter().map(|(name, ty)| column(name, ty, true, false)).collect();
        return Ok((SourcePlan::Rows(Rc::new(rows)), columns));
    }
    env.session.check(env.catalog, "SELECT", &db, Some(&name.name))?;
    let table = env.catalog.table(&db, &name.name)?;
    let primary = table.primary_columns();
    let columns = table.columns.iter().enumerate();
    let columns = columns.map(|(at, c)| column(&c.name, &c.ty, !c.not_null, primary.contains(&at))).collect();
    Ok((SourcePlan::Table { table: Rc::clone(table), lookup: None }, columns))
}

/// The items with `*` written out.
fn items(select: &Select, columns: &[ScopeColumn]) -> Result<Vec<(Expr, String, Option<String>)>> {
    let mut all = Vec::new();
    for item in &select.items {
        match item {
            Item::Expr(expr, written, alias) => all.push((expr.clone(), written.clone(), alias.clone())),
            Item::All(table) => {
                if select.from.is_none() {
                    return Err(Error::new(1096, "HY000", "No tables used"));
                }
                let before = all.len();
                for c in columns {
                    let fits = match table {
                        Some(table) => c.table.eq_ignore_ascii_case(table),
                        None => !c.hidden,
                    };
                    if fits {
                        all.push((
                            Expr::Column { table: Some(c.table.clone()), name: c.name.clone() },
                            c.name.clone(),
                            None,
                        ));
                    }
                }
                if let (Some(table), true) = (table, all.len() == before) {
                    return Err(Error::new(1051, "42S02", format!("Unknown table '{table}'")));
                }
            }
        }
    }
    Ok(all)
}

fn select(
    env: &Env<'_>,
    select: &Select,
    order: &[(Expr, bool)],
    parent: Option<Rc<Scope>>,
) -> Result<(SelectPlan, Vec<OutColumn>)> {
    let correlated = Cell::new(false);
    let (mut source, columns) = source(env, select.from.as_ref(), parent.clone(), &correlated)?;
    let scope = Rc::new(Scope { columns, parent, ..Scope::default() });
    let items = items(select, &scope.columns)?;
    let mut binder = Binder::new(env, Rc::clone(&scope), "where clause");
    let filter = select.filter.as_ref().map(|e| binder.bind(e)).transpose()?.map(|b| b.node);
    if let Some(filter) = &filter {
        find_key(&mut source, filter);
    }
    binder.aggregating = true;
    binder.place = "field list";
    let bound = items.iter().map(|(e, _, _)| binder.bind(e)).collect::<Result<Vec<Bound>>>()?;
    let aliases: Vec<(String, Expr)> =
        items.iter().map(|(e, written, alias)| (alias.clone().unwrap_or_else(|| written.clone()), e.clone())).collect();
    binder.aliases = aliases.clone();
    binder.place = "group statement";
    let mut group = Vec::new();
    for expr in &select.group {
        group.push(match expr {
            Expr::Literal(Value::Int(n)) => bound[position(*n, bound.len(), "group statement")?].node.clone(),
            other => binder.bind(other)?.node,
        });
    }
    binder.place = "having clause";
    let places = |nodes: &mut dyn Iterator<Item = &Node>| {
        nodes.filter_map(|node| if let Node::Column(0, at) = node { Some(*at) } else { None }).collect()
    };
    let items_there = places(&mut bound.iter().map(|b| &b.node));
    binder.having = Some(Having { group: places(&mut group.iter()), items: items_there });
    let having = select.having.as_ref().map(|e| binder.bind(e)).transpose()?.map(|b| b.node);
    binder.having = None;
    binder.place = "order clause";
    let mut by = Vec::new();
    for (expr, down) in order {
        by.push((order_key(&mut binder, expr, &bound, &aliases)?, *down));
    }
    let grouped = !group.is_empty() || !binder.aggregates.is_empty();
    if grouped {
        for (at, b) in bound.iter().enumerate() {
            full_group(&b.node, &group, &scope, ("SELECT list", at + 1))?;
        }
        // Without GROUP BY there is one row, and no order.
        for (at, (node, _)) in by.iter().enumerate().filter(|_| !group.is_empty()) {
            full_group(node, &group, &scope, ("ORDER BY", at + 1))?;
        }
    }
    let out = bound.iter().zip(&items).map(|(b, (_, written, alias))| out_column(b, written, alias.as_deref(), &scope));
    let out = out.collect();
    let plan = SelectPlan {
        source,
        filter,
        grouped,
        group,
        aggregates: binder.aggregates,
        having,
        items: bound.into_iter().map(|b| b.node).collect(),
        order: by,
        distinct: select.distinct,
        correlated: correlated.get() || scope.passed.get(),
    };
    Ok((plan, out))
}

/// What ORDER BY sorts by: a column's number, a result's name, or any expression.
fn order_key(binder: &mut Binder<'_>, expr: &Expr, bound: &[Bound], aliases: &[(String, Expr)]) -> Result<Node> {
    match expr {
        Expr::Literal(Value::Int(n)) => Ok(bound[position(*n, bound.len(), "order clause")?].node.clone()),
        Expr::Column { table: None, name } => {
            match aliases.iter().position(|(alias, _)| alias.eq_ignore_ascii_case(name)) {
                Some(at) => Ok(bound[at].node.clone()),
                None => Ok(binder.bind(expr)?.node),
            }
        }
        other => Ok(binder.bind(other)?.node),
    }
}

fn out_column(bound: &Bound, written: &str, alias: Option<&str>, scope: &Scope) -> OutColumn {
    let (mut table, mut db, mut name) = (String::new(), String::new(), written.to_owned());
    if let Node::Column(0, at) = bound.node
        && let Some(column) = scope.columns.get(at)
    {
        (table, db, name) = (column.table.clone(), column.db.clone(), column.name.clone());
    }
    let name = alias.map_or(name, str::to_owned);
    OutColumn { name, ty: bound.ty.clone(), nullable: bound.nullable, table, db }
}

/// ONLY_FULL_GROUP_BY: what is shown must be the same for all rows of a group.
fn full_group(node: &Node, group: &[Node], scope: &Scope, place: (&str, usize)) -> Result<()> {
    let same = |other: &Node| format!("{other:?}") == format!("{node:?}");
    if group.iter().any(same) {
        return Ok(());
    }
    match node {
        Node::Column(0, at) => {
            let Some(column) = scope.columns.get(*at) else { return Ok(()) };
            let grouped = |at: usize| group.iter().any(|g| matches!(g, Node::Column(0, other) if *other == at));
            let mut keys =
                scope.columns.iter().enumerate().filter(|(_, c)| c.key && c.table == column.table).peekable();
            if keys.peek().is_some() && keys.all(|(at, _)| grouped(at)) {
                return Ok(());
            }
            let name = format!("{}.{}.{}", column.db, column.table, column.name);
            let (list, number) = place;
            Err(if group.is_empty() {
                Error::new(
                    1140,
                    "42000",
                    format!(
                        "In aggregated query without GROUP BY, expression #{number} of {list} contains nonaggregated column '{name}'; this is incompatible with sql_mode=only_full_group_by"
                    ),
                )
            } else {
                Error::new(
                    1055,
                    "42000",
                    format!(
                        "Expression #{number} of {list} is not in GROUP BY clause and contains nonaggregated column '{name}' which is not functionally dependent on columns in GROUP BY clause; this is incompatible with sql_mode=only_full_group_by"
                    ),
                )
            })
        }
        Node::Not(a)
        | Node::Negative(a)
        | Node::IsNull(a, _)
        | Node::IsTrue(a, ..)
        | Node::Cast(a, _)
        | Node::InQuery(a, ..) => full_group(a, group, scope, place),
        Node::Binary(_, a, b) | Node::Like(a, b, _) | Node::Interval(a, b, ..) => {
            full_group(a, group, scope, place)?;
            full_group(b, group, scope, place)
        }
        Node::Call(_, args) => args.iter().try_for_each(|a| full_group(a, group, scope, place)),
        Node::In(a, list, _) => {
            full_group(a, group, scope, place)?;
            list.iter().try_for_each(|a| full_group(a, group, scope, place))
        }
        Node::Case(of, whens, otherwise) => {
            of.iter().chain(otherwise).try_for_each(|a| full_group(a, group, scope, place))?;
            whens.iter().try_for_each(|(a, b)| {
                full_group(a, group, scope, place)?;
                full_group(b, group, scope, place)
            })
        }
        _ => Ok(()),
    }
}

/// Looks for `key = constant` in the condition on a table, so that one row is read instead of all.
pub(crate) fn find_key(source: &mut SourcePlan, filter: &Node) {
    let SourcePlan::Table { table, lookup } = source else { return };
    let mut equal = Vec::new();
    constants(filter, &mut equal);
    for (at, index) in table.indexes.iter().enumerate().filter(|(_, index)| index.unique) {
        let places = table.places(index);
        let whole = |at: &usize| matches!(table.columns[*at].ty, Type::Int(..) | Type::Bool);
        // A constant of another type may equal more than one key, or none of the same form.
        let key = |place: &usize| equal.iter().find(|(at, _)| at == place).map(|(_, node)| node.clone());
        let keys: Option<Vec<Node>> = places.iter().map(key).collect();
        if let Some(keys) = keys.filter(|keys| !keys.is_empty() && places.iter().all(whole)) {
            *lookup = Some((at, keys));
            return;
        }
    }
}

fn constants(filter: &Node, out: &mut Vec<(usize, Node)>) {
    match filter {
        Node::Binary(ast::Op::And, a, b) => {
            constants(a, out);
            constants(b, out);
        }
        Node::Binary(ast::Op::Equal, a, b) => match (&**a, &**b) {
            (Node::Column(0, at), Node::Const(value @ Value::Int(_)))
            | (Node::Const(value @ Value::Int(_)), Node::Column(0, at)) => {
                out.push((*at, Node::Const(value.clone())));
            }
            _ => {}
        },
        _ => {}
    }
}
