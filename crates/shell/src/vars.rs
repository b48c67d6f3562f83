//! Shell variables: scalars and arrays, attributes, and the scopes of functions.

use std::collections::BTreeMap;

/// What a variable holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Declared without a value.
    Unset,
    /// Text.
    Scalar(String),
    /// `declare -a`.
    Array(BTreeMap<i64, String>),
    /// `declare -A`. Names in byte order, not in bash's hash order.
    Assoc(BTreeMap<String, String>),
}

/// A variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Var {
    /// Its value.
    pub value: Value,
    /// Given to programs.
    pub exported: bool,
    /// Cannot be assigned.
    pub readonly: bool,
    /// Assignments are evaluated as arithmetic.
    pub integer: bool,
}

impl Default for Var {
    fn default() -> Self {
        Var { value: Value::Unset, exported: false, readonly: false, integer: false }
    }
}

impl Var {
    /// The value as a scalar: element 0 of an array.
    pub fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Unset => None,
            Value::Scalar(text) => Some(text),
            Value::Array(map) => map.get(&0).map(String::as_str),
            Value::Assoc(map) => map.get("0").map(String::as_str),
        }
    }
}

/// Variables with the values that the running functions hide.
#[derive(Clone, Debug, Default)]
pub struct Vars {
    map: BTreeMap<String, Var>,
    frames: Vec<Vec<(String, Option<Var>)>>,
}

/// An assignment to a read-only variable.
#[derive(Debug, PartialEq, Eq)]
pub struct ReadOnly;

impl Vars {
    /// The variable, if it is declared.
    pub fn get(&self, name: &str) -> Option<&Var> {
        self.map.get(name)
    }

    /// Its scalar value.
    pub fn scalar(&self, name: &str) -> Option<&str> {
        self.map.get(name).and_then(Var::scalar)
    }

    /// The variable, declared if need be.
    pub fn entry(&mut self, name: &str) -> &mut Var {
        self.map.entry(name.to_owned()).or_default()
    }

    /// Assigns a scalar (element 0 of an array).
    pub fn set(&mut self, name: &str, text: impl Into<String>) -> Result<(), ReadOnly> {
        let var = self.entry(name);
        if var.readonly {
            return Err(ReadOnly);
        }
        let text = text.into();
        match &mut var.value {
            Value::Array(map) => {
                map.insert(0, text);
            }
            Value::Assoc(map) => {
                map.insert("0".into(), text);
            }
            value => *value = Value::Scalar(text),
        }
        Ok(())
    }

    /// Removes a variable.
    pub fn unset(&mut self, name: &str) -> Result<(), ReadOnly> {
        if self.map.get(name).is_some_and(|v| v.readonly) {
            return Err(ReadOnly);
        }
        self.map.remove(name);
        Ok(())
    }

    /// All variables in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.map.iter().map(|(k, v)| (k.as_str(), v))
    }

    /// What programs are given.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let exported = self.map.iter().filter(|(_, v)| v.exported);
        exported.filter_map(|(k, v)| v.scalar().map(|t| (k.clone(), t.to_owned()))).collect()
    }

    /// Enters a function.
    pub fn push_frame(&mut self) {
        self.frames.push(Vec::new());
    }

    /// Leaves a function: what it declared `local` gets its outer value back.
    pub fn pop_frame(&mut self) {
        for (name, old) in self.frames.pop().unwrap_or_default().into_iter().rev() {
            self.restore(&name, old);
        }
    }

    /// Makes a variable local to the running function; false outside of functions.
    pub fn make_local(&mut self, name: &str) -> bool {
        let Some(frame) = self.frames.last_mut() else { return false };
        if !frame.iter().any(|(n, _)| n == name) {
            let old = self.map.remove(name);
            let exported = old.as_ref().is_some_and(|v| v.exported);
            frame.push((name.to_owned(), old));
            self.entry(name).exported = exported;
        }
        true
    }

    /// Whether a function is running.
    pub fn in_function(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Puts back a value taken before.
    pub fn restore(&mut self, name: &str, old: Option<Var>) {
        match old {
            Some(var) => self.map.insert(name.to_owned(), var),
            None => self.map.remove(name),
        };
    }
}
