//! Running a program.

use std::collections::BTreeMap;
use std::io::Write;

use super::parse::{Expr, Pattern, Rule, Statement};
use crate::applet::{Fail, Lines};
use crate::regex::Regex;

/// A value: a number, text, or text from the input that may be a number.
#[derive(Clone, Debug)]
enum Value {
    Number(f64),
    Text(String),
    Input(String),
}

/// What is not just going on.
enum Flow {
    Next,
    Exit,
    Break,
    Continue,
    Fail(Fail),
}

impl From<std::io::Error> for Flow {
    fn from(error: std::io::Error) -> Flow {
        Flow::Fail(Fail::Io(error))
    }
}

type Result<T> = std::result::Result<T, Flow>;

/// The leading number of a text.
fn leading(text: &str) -> f64 {
    let text = text.trim_start();
    let mut end = 0;
    for (i, _) in text.char_indices().map(|(i, c)| (i + c.len_utf8(), c)).take(40) {
        if text[..i].parse::<f64>().is_ok() && !text[..i].contains(|c: char| c.is_alphabetic() && c != 'e' && c != 'E')
        {
            end = i;
        }
    }
    text[..end].parse().unwrap_or(0.0)
}

fn is_number(text: &str) -> bool {
    let trimmed = text.trim();
    trimmed.parse::<f64>().is_ok() && !trimmed.contains(|c: char| c.is_alphabetic() && c != 'e' && c != 'E')
}

/// Numbers as `%.6g` prints them.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn shown(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e16 {
        return format!("{}", number as i64);
    }
    let digits = 5 - number.abs().log10().floor() as i32;
    let places = usize::try_from(digits.clamp(0, 20)).unwrap_or(6);
    let text = format!("{number:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

impl Value {
    fn number(&self) -> f64 {
        match self {
            Value::Number(number) => *number,
            Value::Text(text) | Value::Input(text) => leading(text),
        }
    }

    fn text(&self) -> String {
        match self {
            Value::Number(number) => shown(*number),
            Value::Text(text) | Value::Input(text) => text.clone(),
        }
    }

    fn truth(&self) -> bool {
        match self {
            Value::Number(number) => *number != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::Input(text) if is_number(text) => leading(text) != 0.0,
            Value::Input(text) => !text.is_empty(),
        }
    }

    fn numeric(&self) -> bool {
        match self {
            Value::Number(_) => true,
            Value::Text(_) => false,
            Value::Input(text) => is_number(text),
        }
    }
}

fn flag(value: bool) -> Value {
    Value::Number(f64::from(u8::from(value)))
}

/// The state of a program.
pub struct Machine {
    vars: BTreeMap<String, Value>,
    arrays: BTreeMap<String, BTreeMap<String, Value>>,
    record: String,
    fields: Vec<String>,
    status: i32,
    exits: bool,
}

impl Machine {
    /// A program with a field separator.
    ///
    /// # Errors
    /// None yet; kept for separators that are no expressions.
    pub fn new(separator: &str) -> std::result::Result<Machine, Fail> {
        let separator = if separator == "\\t" { "\t" } else { separator };
        let text = |t: &str| Value::Text(t.to_owned());
        let vars = [
            ("FS", text(separator)),
            ("OFS", text(" ")),
            ("ORS", text("\n")),
            ("NR", Value::Number(0.0)),
            ("NF", Value::Number(0.0)),
        ];
        Ok(Machine {
            vars: vars.into_iter().map(|(n, v)| (n.to_owned(), v)).collect(),
            arrays: BTreeMap::new(),
            record: String::new(),
            fields: Vec::new(),
            status: 0,
            exits: false,
        })
    }

    /// Sets a variable from the command line.
    pub fn set(&mut self, name: &str, value: &str) {
        self.vars.insert(name.to_owned(), Value::Input(value.to_owned()));
    }

    /// Whether there is a rule for records or the end.
    pub fn wants_input(&self, rules: &[Rule]) -> bool {
        !self.exits && rules.iter().any(|(pattern, _)| !matches!(pattern, Pattern::Begin))
    }

    fn rules(
        &mut self,
        rules: &[Rule],
        out: &mut dyn Write,
        when: fn(&Pattern) -> bool,
    ) -> std::result::Result<(), Fail> {
        for (pattern, action) in rules.iter().filter(|(p, _)| when(p)) {
            let result = match pattern {
                Pattern::When(condition) => self.eval(condition, out).map(|v| v.truth()),
                _ => Ok(true),
            };
            let result = match (result, action) {
                (Ok(true), Some(action)) => self.statement(action, out),
                (Ok(true), None) => self.print(&[], out),
                (Ok(false), _) => Ok(()),
                (Err(flow), _) => Err(flow),
            };
            match result {
                Ok(()) | Err(Flow::Break | Flow::Continue) => {}
                Err(Flow::Next) => return Ok(()),
                Err(Flow::Exit) => {
                    self.exits = true;
                    return Ok(());
                }
                Err(Flow::Fail(fail)) => return Err(fail),
            }
        }
        Ok(())
    }

    /// The BEGIN rules.
    ///
    /// # Errors
    /// Of writing, and of what the program asks for.
    pub fn begin(&mut self, rules: &[Rule], out: &mut dyn Write) -> std::result::Result<(), Fail> {
        self.rules(rules, out, |p| matches!(p, Pattern::Begin))
    }

    /// The rules for every record of an input.
    ///
    /// # Errors
    /// As [`Machine::begin`].
    pub fn records(
        &mut self,
        rules: &[Rule],
        lines: &mut Lines<'_>,
        out: &mut dyn Write,
    ) -> std::result::Result<(), Fail> {
        while !self.exits {
            let Some(line) = lines.next()? else { break };
            let number = self.var("NR").number() + 1.0;
            self.vars.insert("NR".to_owned(), Value::Number(number));
            self.take_record(String::from_utf8_lossy(&line).into_owned());
            self.rules(rules, out, |p| matches!(p, Pattern::Always | Pattern::When(_)))?;
            out.flush()?;
        }
        Ok(())
    }

    /// The END rules, and the status.
    ///
    /// # Errors
    /// As [`Machine::begin`].
    pub fn end(&mut self, rules: &[Rule], out: &mut dyn Write) -> std::result::Result<i32, Fail> {
        let status = self.status;
        self.exits = false;
        self.rules(rules, out, |p| matches!(p, Pattern::End))?;
        Ok(self.status.max(status))
    }

    fn var(&self, name: &str) -> Value {
        self.vars.get(name).cloned().unwrap_or(Value::Input(String::new()))
    }

    fn split(&self, text: &str, separator: &str) -> Vec<String> {
        let owned = |parts: Vec<&str>| parts.into_iter().map(str::to_owned).collect();
        if separator == " " {
            return owned(text.split_whitespace().collect());
        }
        if text.is_empty() {
            return Vec::new();
        }
        if separator.chars().count() == 1 {
            return owned(text.split(separator).collect());
        }
        let Ok(regex) = Regex::new(separator, true, false) else { return vec![text.to_owned()] };
        let chars: Vec<char> = text.chars().collect();
        let (mut out, mut at, mut from) = (Vec::new(), 0, 0);
        while let Some((start, end)) = regex.find(&chars, from).and_then(|g| g[0]) {
            if end == start {
                from = end + 1;
                if from > chars.len() {
                    break;
                }
                continue;
            }
            out.push(chars[at..start].iter().collect());
            (at, from) = (end, end);
        }
        out.push(chars[at..].iter().collect());
        out
    }

    fn take_record(&mut self, record: String) {
        let separator = self.var("FS").text();
        self.fields = self.split(&record, &separator);
        self.record = record;
        self.count_fields();
    }

    #[expect(clippy::cast_precision_loss, reason = "records have fewer than 2^53 fields")]
    fn count_fields(&mut self) {
        self.vars.insert("NF".to_owned(), Value::Number(self.fields.len() as f64));
    }

    fn print(&mut self, list: &[Expr], out: &mut dyn Write) -> Result<()> {
        let mut texts = Vec::new();
        for expr in list {
            texts.push(self.eval(expr, out)?.text());
        }
        let line = if list.is_empty() { self.record.clone() } else { texts.join(&self.var("OFS").text()) };
        Ok(write!(out, "{line}{}", self.var("ORS").text())?)
    }

    fn formatted(&mut self, list: &[Expr], out: &mut dyn Write) -> Result<Vec<u8>> {
        let mut words = vec!["printf".to_owned()];
        for expr in list {
            words.push(self.eval(expr, out)?.text());
        }
        // The format's escapes were read with the program; printf would read them again.
        if let Some(format) = words.get_mut(1) {
            *format = format.replace('\\', "\\\\");
        }
        let (mut text, mut err) = (Vec::new(), Vec::new());
        let mut io = crate::applet::Io { input: &mut std::io::empty(), out: &mut text, err: &mut err };
        super::super::printf::run(&mut io, &words).map_err(Flow::Fail)?;
        Ok(text)
    }

    fn statement(&mut self, statement: &Statement, out: &mut dyn Write) -> Result<()> {
        match statement {
            Statement::Print(list) => self.print(list, out)?,
            Statement::Printf(list) => {
                let text = self.formatted(list, out)?;
                out.write_all(&text)?;
            }
            Statement::Expr(expr) => {
                self.eval(expr, out)?;
            }
            Statement::If(condition, then, otherwise) => {
                if self.eval(condition, out)?.truth() {
                    self.statement(then, out)?;
                } else if let Some(otherwise) = otherwise {
                    self.statement(otherwise, out)?;
                }
            }
            Statement::Loop(condition, after, body) => loop {
                if let Some(condition) = condition
                    && !self.eval(condition, out)?.truth()
                {
                    break;
                }
                match self.statement(body, out) {
                    Err(Flow::Break) => break,
                    Ok(()) | Err(Flow::Continue) => {}
                    Err(other) => return Err(other),
                }
                if let Some(after) = after {
                    self.statement(after, out)?;
                }
            },
            Statement::Each(key, array, body) => {
                let keys: Vec<String> = self.arrays.get(array).into_iter().flatten().map(|(k, _)| k.clone()).collect();
                for value in keys {
                    self.vars.insert(key.clone(), Value::Input(value));
                    match self.statement(body, out) {
                        Err(Flow::Break) => break,
                        Ok(()) | Err(Flow::Continue) => {}
                        Err(other) => return Err(other),
                    }
                }
            }
            Statement::Block(all) => {
                for inner in all {
                    self.statement(inner, out)?;
                }
            }
            Statement::Next => return Err(Flow::Next),
            Statement::Break => return Err(Flow::Break),
            Statement::Continue => return Err(Flow::Continue),
            Statement::Exit(code) => {
                if let Some(code) = code {
                    self.status = whole(self.eval(code, out)?.number());
                }
                return Err(Flow::Exit);
            }
            Statement::Delete(array, None) => {
                self.arrays.remove(array);
            }
            Statement::Delete(array, Some(key)) => {
                let key = self.eval(key, out)?.text();
                if let Some(array) = self.arrays.get_mut(array) {
                    array.remove(&key);
                }
            }
        }
        Ok(())
    }

    fn field(&self, number: f64) -> Value {
        match usize::try_from(whole(number)) {
            Ok(0) => Value::Input(self.record.clone()),
            Ok(n) => Value::Input(self.fields.get(n - 1).cloned().unwrap_or_default()),
            Err(_) => Value::Input(String::new()),
        }
    }

    fn assign(&mut self, target: &Expr, value: Value, out: &mut dyn Write) -> Result<Value> {
        match target {
            Expr::Var(name) => {
                self.vars.insert(name.clone(), value.clone());
            }
            Expr::Item(array, key) => {
                let key = self.eval(key, out)?.text();
                self.arrays.entry(array.clone()).or_default().insert(key, value.clone());
            }
            Expr::Field(number) => {
                let number = self.eval(number, out)?.number();
                match usize::try_from(whole(number)) {
                    Ok(0) => self.take_record(value.text()),
                    Ok(n) if n < 10_000 => {
                        if self.fields.len() < n {
                            self.fields.resize(n, String::new());
                        }
                        self.fields[n - 1] = value.text();
                        self.record = self.fields.join(&self.var("OFS").text());
                        self.count_fields();
                    }
                    _ => return Err(Flow::Fail(Fail::Message("access to negative or huge field".to_owned()))),
                }
            }
            _ => {}
        }
        Ok(value)
    }

    fn eval(&mut self, expr: &Expr, out: &mut dyn Write) -> Result<Value> {
        Ok(match expr {
            Expr::Number(number) => Value::Number(*number),
            Expr::Text(text) => Value::Text(text.clone()),
            Expr::Regex(regex) => flag(regex.is_match(&self.record)),
            Expr::Var(name) => self.var(name),
            Expr::Item(array, key) => {
                let key = self.eval(key, out)?.text();
                self.arrays.entry(array.clone()).or_default().entry(key).or_insert(Value::Input(String::new())).clone()
            }
            Expr::Field(number) => {
                let number = self.eval(number, out)?.number();
                self.field(number)
            }
            Expr::Assign(op, target, value) => {
                let mut value = self.eval(value, out)?;
                if !op.is_empty() {
                    let old = self.eval(target, out)?.number();
                    value = Value::Number(arithmetic(op, old, value.number()).map_err(Flow::Fail)?);
                }
                self.assign(target, value, out)?
            }
            Expr::Step(step, after, target) => {
                let old = self.eval(target, out)?.number();
                self.assign(target, Value::Number(old + step), out)?;
                Value::Number(if *after { old } else { old + step })
            }
            Expr::Unary('!', inner) => flag(!self.eval(inner, out)?.truth()),
            Expr::Unary('-', inner) => Value::Number(-self.eval(inner, out)?.number()),
            Expr::Unary('+', inner) => Value::Number(self.eval(inner, out)?.number()),
            Expr::Unary(_, inner) => self.eval(inner, out)?,
            Expr::Choice(condition, yes, no) => {
                let chosen = if self.eval(condition, out)?.truth() { yes } else { no };
                self.eval(chosen, out)?
            }
            Expr::In(key, array) => {
                let key = self.eval(key, out)?.text();
                flag(self.arrays.get(array).is_some_and(|a| a.contains_key(&key)))
            }
            Expr::Binary(op, left, right) => self.binary(op, left, right, out)?,
            Expr::Call(name, list) => self.call(name, list, out)?,
        })
    }

    fn regex(&mut self, expr: &Expr, out: &mut dyn Write) -> Result<Regex> {
        match expr {
            Expr::Regex(regex) => Ok(regex.clone()),
            other => {
                let text = self.eval(other, out)?.text();
                Regex::new(&text, true, false).map_err(|m| Flow::Fail(Fail::Message(m)))
            }
        }
    }

    fn binary(&mut self, op: &str, left: &Expr, right: &Expr, out: &mut dyn Write) -> Result<Value> {
        let a = self.eval(left, out)?;
        match op {
            "&&" => return Ok(flag(a.truth() && self.eval(right, out)?.truth())),
            "||" => return Ok(flag(a.truth() || self.eval(right, out)?.truth())),
            "~" | "!~" => {
                let regex = self.regex(right, out)?;
                return Ok(flag(regex.is_match(&a.text()) == (op == "~")));
            }
            _ => {}
        }
        let b = self.eval(right, out)?;
        if op == " " {
            return Ok(Value::Text(a.text() + &b.text()));
        }
        if !["<", "<=", "==", "!=", ">", ">="].contains(&op) {
            return arithmetic(op, a.number(), b.number()).map(Value::Number).map_err(Flow::Fail);
        }
        let order =
            if a.numeric() && b.numeric() { a.number().total_cmp(&b.number()) } else { a.text().cmp(&b.text()) };
        Ok(flag(match op {
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            "==" => order.is_eq(),
            "!=" => order.is_ne(),
            ">" => order.is_gt(),
            _ => order.is_ge(),
        }))
    }

    #[expect(clippy::cast_precision_loss, reason = "lengths of text are far below 2^53")]
    fn call(&mut self, name: &str, list: &[Expr], out: &mut dyn Write) -> Result<Value> {
        if let ("length", [Expr::Var(array)]) = (name, list)
            && let Some(items) = self.arrays.get(array)
        {
            return Ok(Value::Number(items.len() as f64));
        }
        if matches!(name, "sub" | "gsub") {
            return self.replace(name == "gsub", list, out);
        }
        if name == "sprintf" {
            let text = self.formatted(list, out)?;
            return Ok(Value::Text(String::from_utf8_lossy(&text).into_owned()));
        }
        let first = match list.first() {
            Some(expr) => self.eval(expr, out)?,
            None => Value::Input(self.record.clone()),
        };
        Ok(match name {
            "length" => Value::Number(first.text().chars().count() as f64),
            "toupper" => Value::Text(first.text().to_uppercase()),
            "tolower" => Value::Text(first.text().to_lowercase()),
            "int" => Value::Number(first.number().trunc()),
            "sqrt" => Value::Number(first.number().sqrt()),
            "index" => {
                let (text, part) = (first.text(), self.argument(list, 1, out)?.text());
                Value::Number(text.find(&part).map_or(0, |at| text[..at].chars().count() + 1) as f64)
            }
            "substr" => {
                let start = self.argument(list, 1, out)?.number().round();
                let length = if list.len() > 2 { self.argument(list, 2, out)?.number().round() } else { f64::INFINITY };
                let text = first.text();
                let kept = text
                    .chars()
                    .enumerate()
                    .filter(|(i, _)| (*i as f64 + 1.0) >= start && (*i as f64 + 1.0) < start + length);
                Value::Text(kept.map(|(_, c)| c).collect())
            }
            "split" => {
                let separator =
                    if list.len() > 2 { self.argument(list, 2, out)?.text() } else { self.var("FS").text() };
                let parts = self.split(&first.text(), &separator);
                let count = parts.len();
                if let Some(Expr::Var(array)) = list.get(1) {
                    let items =
                        parts.into_iter().enumerate().map(|(i, part)| ((i + 1).to_string(), Value::Input(part)));
                    self.arrays.insert(array.clone(), items.collect());
                }
                Value::Number(count as f64)
            }
            _ => {
                let regex = match list.get(1) {
                    Some(expr) => self.regex(expr, out)?,
                    None => return Ok(Value::Number(0.0)),
                };
                let chars: Vec<char> = first.text().chars().collect();
                let found = regex.find(&chars, 0).and_then(|g| g[0]);
                let (start, length) = found.map_or((0.0, -1.0), |(from, to)| (from as f64 + 1.0, (to - from) as f64));
                self.vars.insert("RSTART".to_owned(), Value::Number(start));
                self.vars.insert("RLENGTH".to_owned(), Value::Number(length));
                Value::Number(start)
            }
        })
    }

    fn argument(&mut self, list: &[Expr], index: usize, out: &mut dyn Write) -> Result<Value> {
        match list.get(index) {
            Some(expr) => self.eval(expr, out),
            None => Err(Flow::Fail(Fail::Message("Too few arguments".to_owned()))),
        }
    }

    fn replace(&mut self, all: bool, list: &[Expr], out: &mut dyn Write) -> Result<Value> {
        let [pattern, with, ..] = list else { return Err(Flow::Fail(Fail::Message("Too few arguments".to_owned()))) };
        let (regex, with) = (self.regex(pattern, out)?, self.eval(with, out)?.text());
        let record = Expr::Field(Box::new(Expr::Number(0.0)));
        let target = list.get(2).unwrap_or(&record);
        let chars: Vec<char> = self.eval(target, out)?.text().chars().collect();
        let (mut text, mut at, mut count) = (String::new(), 0, 0.0);
        while at <= chars.len() {
            let Some((from, to)) = regex.find(&chars, at).and_then(|g| g[0]) else { break };
            text.extend(&chars[at..from]);
            let matched: String = chars[from..to].iter().collect();
            text.push_str(&with.replace("\\&", "\u{0}").replace('&', &matched).replace('\u{0}', "&"));
            count += 1.0;
            at = to;
            if to == from {
                text.extend(chars.get(to));
                at += 1;
            }
            if !all {
                break;
            }
        }
        text.extend(chars.get(at..).unwrap_or(&[]));
        if count > 0.0 {
            self.assign(target, Value::Text(text), out)?;
        }
        Ok(Value::Number(count))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "as the original: what does not fit is cut")]
fn whole(number: f64) -> i32 {
    number as i32
}

fn arithmetic(op: &str, a: f64, b: f64) -> std::result::Result<f64, Fail> {
    if matches!(op, "/" | "%") && b == 0.0 {
        return Err(Fail::Message("Division by zero".to_owned()));
    }
    Ok(match op {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "%" => a % b,
        _ => a.powf(b),
    })
}
