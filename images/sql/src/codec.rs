//! Changes as bytes: what the log on the disk holds.

use std::rc::Rc;

use crate::ast::Account;
use crate::catalog::{Action, Change, Column, Default, ForeignKey, Index, Table, User};
use crate::types::Type;
use crate::value::{Row, Value};

/// Writes a change at the end of some bytes.
pub(crate) fn write(change: &Change, out: &mut Vec<u8>) {
    match change {
        Change::Database(name, made) => {
            out.push(if *made { 1 } else { 2 });
            text(name, out);
        }
        Change::Table(db, name, table) => {
            out.push(if table.is_some() { 3 } else { 4 });
            text(db, out);
            text(name, out);
            if let Some(made) = table {
                write_table(made, out);
            }
        }
        Change::Row { db, table, id, new, .. } => {
            out.push(if new.is_some() { 5 } else { 6 });
            text(db, out);
            text(table, out);
            number(*id, out);
            if let Some(values) = new {
                row(values, out);
            }
        }
        Change::Auto(db, table, next) => {
            out.push(7);
            text(db, out);
            text(table, out);
            number(next.cast_unsigned(), out);
        }
        Change::User(account, user) => {
            out.push(if user.is_some() { 8 } else { 9 });
            text(&account.name, out);
            text(&account.host, out);
            if let Some(user) = user {
                write_user(user, out);
            }
        }
    }
}

fn number(n: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&n.to_le_bytes());
}

fn bytes(b: &[u8], out: &mut Vec<u8>) {
    number(b.len() as u64, out);
    out.extend_from_slice(b);
}

fn text(t: &str, out: &mut Vec<u8>) {
    bytes(t.as_bytes(), out);
}

fn list<T>(all: &[T], out: &mut Vec<u8>, mut one: impl FnMut(&T, &mut Vec<u8>)) {
    number(all.len() as u64, out);
    all.iter().for_each(|item| one(item, out));
}

fn row(values: &Row, out: &mut Vec<u8>) {
    list(values, out, value);
}

fn value(v: &Value, out: &mut Vec<u8>) {
    match v {
        Value::Null => out.push(0),
        Value::Int(n) => {
            out.push(1);
            number(n.cast_unsigned(), out);
        }
        Value::Decimal(n, scale) => {
            out.extend_from_slice(&[2, *scale]);
            out.extend_from_slice(&n.to_le_bytes());
        }
        Value::Double(n) => {
            out.push(3);
            number(n.to_bits(), out);
        }
        Value::Text(t) => {
            out.push(4);
            text(t, out);
        }
        Value::Date(days) => {
            out.push(5);
            number(i64::from(*days).cast_unsigned(), out);
        }
        Value::DateTime(micros, places) => {
            out.extend_from_slice(&[6, *places]);
            number(micros.cast_unsigned(), out);
        }
        Value::Time(micros, places) => {
            out.extend_from_slice(&[7, *places]);
            number(micros.cast_unsigned(), out);
        }
    }
}

fn write_type(ty: &Type, out: &mut Vec<u8>) {
    let (kind, a, b) = match ty {
        Type::Int(bytes, unsigned) => (0, u32::from(*bytes), u8::from(*unsigned)),
        Type::Bool => (1, 0, 0),
        Type::Decimal(precision, scale) => (2, u32::from(*precision), *scale),
        Type::Float => (3, 0, 0),
        Type::Double => (4, 0, 0),
        Type::Char(n) => (5, *n, 0),
        Type::Varchar(n) => (6, *n, 0),
        Type::Text(n) => (7, u32::from(*n), 0),
        Type::Date => (8, 0, 0),
        Type::DateTime(n) => (9, 0, *n),
        Type::Timestamp(n) => (10, 0, *n),
        Type::Time(n) => (11, 0, *n),
    };
    out.push(kind);
    out.extend_from_slice(&a.to_le_bytes());
    out.push(b);
}

fn write_table(table: &Table, out: &mut Vec<u8>) {
    list(&table.columns, out, |column, out| {
        text(&column.name, out);
        write_type(&column.ty, out);
        out.extend([column.not_null, column.auto_increment, column.on_update_now].map(u8::from));
        match &column.default {
            None => out.push(0),
            Some(Default::Now) => out.push(1),
            Some(Default::Value(v)) => {
                out.push(2);
                value(v, out);
            }
        }
        text(&column.comment, out);
    });
    list(&table.indexes, out, |index, out| {
        text(&index.name, out);
        list(&index.columns, out, |name, out| text(name, out));
        out.push(u8::from(index.unique));
    });
    list(&table.foreign, out, |key, out| {
        text(&key.name, out);
        list(&key.columns, out, |name, out| text(name, out));
        text(&key.parent, out);
        list(&key.parent_columns, out, |name, out| text(name, out));
        out.extend([key.on_delete as u8, key.on_update as u8]);
    });
    text(&table.comment, out);
    number(table.created.cast_unsigned(), out);
    number(table.counters.auto.get().cast_unsigned(), out);
    list(&table.rows(), out, |(id, values), out| {
        number(*id, out);
        row(values, out);
    });
}

fn write_user(user: &User, out: &mut Vec<u8>) {
    bytes(&user.digest, out);
    number(user.grants.len() as u64, out);
    for ((db, table), privileges) in &user.grants {
        for place in [db, table] {
            out.push(u8::from(place.is_some()));
            text(place.as_deref().unwrap_or(""), out);
        }
        let all: Vec<&String> = privileges.iter().collect();
        list(&all, out, |name, out| text(name, out));
    }
}

/// Reads changes; none if the bytes are not what [`write`] makes.
pub(crate) fn read(bytes: &[u8]) -> Option<Vec<Change>> {
    let mut reader = Reader(bytes);
    let mut all = Vec::new();
    while !reader.0.is_empty() {
        all.push(reader.change()?);
    }
    Some(all)
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[b]| b)
    }

    fn flag(&mut self) -> Option<bool> {
        self.byte().map(|b| b != 0)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn signed(&mut self) -> Option<i64> {
        self.number().map(u64::cast_signed)
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let count = usize::try_from(self.number()?).ok()?;
        let (first, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(first.to_vec())
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?).ok()
    }

    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        (0..count).map(|_| one(self)).collect()
    }

    fn row(&mut self) -> Option<Row> {
        self.list(Self::value).map(Row::from)
    }

    fn value(&mut self) -> Option<Value> {
        Some(match self.byte()? {
            0 => Value::Null,
            1 => Value::Int(self.signed()?),
            2 => {
                let scale = self.byte()?;
                Value::Decimal(i128::from_le_bytes(self.take()?), scale)
            }
            3 => Value::Double(f64::from_bits(self.number()?)),
            4 => Value::text(self.text()?),
            5 => Value::Date(i32::try_from(self.signed()?).ok()?),
            kind @ (6 | 7) => {
                let places = self.byte()?;
                let micros = self.signed()?;
                if kind == 6 { Value::DateTime(micros, places) } else { Value::Time(micros, places) }
            }
            _ => return None,
        })
    }

    fn ty(&mut self) -> Option<Type> {
        let kind = self.byte()?;
        let a = u32::from_le_bytes(self.take()?);
        let b = self.byte()?;
        let small = u8::try_from(a);
        Some(match kind {
            0 => Type::Int(small.ok()?, b != 0),
            1 => Type::Bool,
            2 => Type::Decimal(small.ok()?, b),
            3 => Type::Float,
            4 => Type::Double,
            5 => Type::Char(a),
            6 => Type::Varchar(a),
            7 => Type::Text(small.ok()?),
            8 => Type::Date,
            9 => Type::DateTime(b),
            10 => Type::Timestamp(b),
            11 => Type::Time(b),
            _ => return None,
        })
    }

    fn column(&mut self) -> Option<Column> {
        Some(Column {
            name: self.text()?,
            ty: self.ty()?,
            not_null: self.flag()?,
            auto_increment: self.flag()?,
            on_update_now: self.flag()?,
            default: match self.byte()? {
                0 => None,
                1 => Some(Default::Now),
                _ => Some(Default::Value(self.value()?)),
            },
            comment: self.text()?,
        })
    }

    fn action(&mut self) -> Option<Action> {
        [Action::Restrict, Action::Cascade, Action::SetNull].get(usize::from(self.byte()?)).copied()
    }

    fn table(&mut self) -> Option<Table> {
        let columns = self.list(Self::column)?;
        let indexes =
            self.list(|r| Some(Index { name: r.text()?, columns: r.list(Self::text)?, unique: r.flag()? }))?;
        let foreign = self.list(|r| {
            Some(ForeignKey {
                name: r.text()?,
                columns: r.list(Self::text)?,
                parent: r.text()?,
                parent_columns: r.list(Self::text)?,
                on_delete: r.action()?,
                on_update: r.action()?,
            })
        })?;
        let comment = self.text()?;
        let mut table = Table::new(columns, indexes, foreign, self.signed()?);
        table.comment = comment;
        table.counters.auto.set(self.signed()?);
        let width = table.columns.len();
        for (id, row) in self.list(|r| Some((r.number()?, r.row()?)))? {
            if row.len() != width {
                return None;
            }
            table.put(id, Some(row));
        }
        Some(table)
    }

    fn user(&mut self) -> Option<User> {
        let digest = self.bytes()?;
        let place = |r: &mut Self| {
            let said = r.flag()?;
            let name = r.text()?;
            Some(said.then_some(name))
        };
        let grants = self.list(|r| {
            let at = (place(r)?, place(r)?);
            Some((at, r.list(Self::text)?.into_iter().collect()))
        })?;
        Some(User { digest, grants: grants.into_iter().collect() })
    }

    fn change(&mut self) -> Option<Change> {
        Some(match self.byte()? {
            kind @ (1 | 2) => Change::Database(self.text()?, kind == 1),
            kind @ (3 | 4) => {
                let (db, name) = (self.text()?, self.text()?);
                Change::Table(db, name, if kind == 3 { Some(Rc::new(self.table()?)) } else { None })
            }
            kind @ (5 | 6) => {
                let (db, table, id) = (self.text()?, self.text()?, self.number()?);
                Change::Row { db, table, id, old: None, new: if kind == 5 { Some(self.row()?) } else { None } }
            }
            7 => Change::Auto(self.text()?, self.text()?, self.signed()?),
            kind @ (8 | 9) => {
                let account = Account { name: self.text()?, host: self.text()? };
                Change::User(account, if kind == 8 { Some(self.user()?) } else { None })
            }
            _ => return None,
        })
    }
}
