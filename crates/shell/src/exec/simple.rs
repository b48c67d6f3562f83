//! Simple commands: expansion, assignments, redirections, and then a function, a builtin or a program.

use std::collections::BTreeMap;

use super::{Exec, Flow};
use crate::builtins;
use crate::shell::Shell;
use crate::syntax::ast::{Arg, Assign, AssignValue, Simple, Word};
use crate::text::quote;
use crate::vars::{Value, Var};

impl Shell {
    pub(super) async fn run_simple(&mut self, simple: &Simple) -> Exec {
        self.line = simple.line;
        self.substituted = None;
        let mut args = Vec::new();
        for arg in &simple.words {
            match arg {
                Arg::Word(word) => self.expand_word(word, &mut args).await?,
                Arg::Assign(assign) => self.declaration_argument(assign, &mut args).await?,
            }
        }
        let saved = (!simple.redirects.is_empty()).then(|| self.fds.clone());
        let redirected = self.redirect(&simple.redirects).await;
        let result = match redirected {
            Err(ended) => ended,
            Ok(()) if args.is_empty() => self.assign_all(&simple.assigns).await,
            Ok(()) => self.run_args(args.clone(), &simple.assigns).await,
        };
        let name = args.first().map_or("bash", String::as_str);
        let failed = saved.is_some() && self.report_failures(name).await;
        if let Some(saved) = saved
            && (args.len() != 1 || args[0] != "exec" || result != Ok(0))
        {
            self.fds = saved;
        }
        let code = match result {
            // A file that could not be written broke the pipe; the message has been given.
            Ok(_) | Err(Flow::Exit(141)) if failed => 1,
            other => other?,
        };
        self.status = code;
        Ok(code)
    }

    /// `a=1 b=2` without a command.
    async fn assign_all(&mut self, assigns: &[Assign]) -> Exec {
        for assign in assigns {
            self.assign_here(assign).await?;
        }
        Ok(self.substituted.unwrap_or(0))
    }

    async fn fail_assign(&mut self, message: &str) -> Flow {
        self.complain(message).await;
        Flow::Fail(1)
    }

    /// An assignment that stays.
    pub(crate) async fn assign_here(&mut self, assign: &Assign) -> Result<(), Flow> {
        match &assign.value {
            AssignValue::Scalar(word) => {
                let value = self.expand_text(word).await?;
                if self.options.xtrace {
                    let op = if assign.append { "+=" } else { "=" };
                    self.trace_line(&format!("{}{op}{}", assign.name, quote(&value))).await;
                }
                let index = match &assign.index {
                    Some(index) => Some(self.index_text(&assign.name, index).await?),
                    None => None,
                };
                match self.assign_element(&assign.name, index.as_deref(), value, assign.append) {
                    Ok(()) => Ok(()),
                    Err(message) => Err(self.fail_assign(&message).await),
                }
            }
            AssignValue::Array(items) => self.assign_array(&assign.name, items, assign.append).await,
        }
    }

    /// A subscript: a key for associative arrays, otherwise a number.
    async fn index_text(&mut self, name: &str, index: &Word) -> Result<String, Flow> {
        match self.vars.get(name).map(|v| &v.value) {
            Some(Value::Assoc(_)) => self.expand_text(index).await,
            _ => Ok(self.expand_arith(index).await?.to_string()),
        }
    }

    async fn assign_array(&mut self, name: &str, items: &[(Option<Word>, Word)], append: bool) -> Result<(), Flow> {
        if self.vars.get(name).is_some_and(|v| v.readonly) {
            return Err(self.fail_assign(&format!("{name}: readonly variable")).await);
        }
        let assoc = matches!(self.vars.get(name).map(|v| &v.value), Some(Value::Assoc(_)));
        let old = self.vars.get(name).map(|v| v.value.clone());
        let mut keyed = BTreeMap::new();
        let mut map = BTreeMap::new();
        match old {
            Some(Value::Assoc(m)) if append => keyed = m,
            Some(Value::Array(m)) if append => map = m,
            Some(Value::Scalar(text)) if append => {
                map.insert(0, text);
            }
            _ => {}
        }
        let mut next = map.keys().next_back().map_or(0, |last| last + 1);
        for (index, word) in items {
            match index {
                Some(index) if assoc => {
                    let key = self.expand_text(index).await?;
                    keyed.insert(key, self.expand_text(word).await?);
                }
                Some(index) => {
                    next = self.expand_arith(index).await?;
                    map.insert(next, self.expand_text(word).await?);
                    next += 1;
                }
                None => {
                    let mut values = Vec::new();
                    self.expand_word(word, &mut values).await?;
                    for value in values {
                        map.insert(next, value);
                        next += 1;
                    }
                }
            }
        }
        self.vars.entry(name).value = if assoc { Value::Assoc(keyed) } else { Value::Array(map) };
        Ok(())
    }

    /// An assignment as an argument of `declare` and its kin: arrays are assigned here, scalars by the builtin.
    async fn declaration_argument(&mut self, assign: &Assign, args: &mut Vec<String>) -> Result<(), Flow> {
        match &assign.value {
            AssignValue::Scalar(word) if assign.index.is_none() => {
                let value = self.expand_text(word).await?;
                args.push(format!("{}{}{value}", assign.name, if assign.append { "+=" } else { "=" }));
            }
            AssignValue::Scalar(_) => {
                self.assign_here(assign).await?;
                args.push(assign.name.clone());
            }
            AssignValue::Array(items) => {
                // `declare -A` must make the array associative before its keys are read.
                let flags = |letter: char| args.iter().any(|a| a.starts_with('-') && a.contains(letter));
                let local = args.first().is_some_and(|a| a == "local")
                    || (self.vars.in_function() && !flags('g') && args.first().is_some_and(|a| a == "declare"));
                if local {
                    self.vars.make_local(&assign.name);
                }
                if flags('A') && !matches!(self.vars.get(&assign.name).map(|v| &v.value), Some(Value::Assoc(_))) {
                    self.vars.entry(&assign.name).value = Value::Assoc(BTreeMap::new());
                }
                self.assign_array(&assign.name, items, assign.append).await?;
                args.push(assign.name.clone());
            }
        }
        Ok(())
    }

    async fn run_args(&mut self, args: Vec<String>, assigns: &[Assign]) -> Exec {
        let mut env = BTreeMap::new();
        for assign in assigns {
            if let AssignValue::Scalar(word) = &assign.value {
                let mut value = self.expand_text(word).await?;
                if assign.append {
                    value.insert_str(0, self.vars.scalar(&assign.name).unwrap_or_default());
                }
                if self.options.xtrace {
                    self.trace_line(&format!("{}={}", assign.name, quote(&value))).await;
                }
                env.insert(assign.name.clone(), value);
            }
        }
        if self.options.xtrace {
            let line = args.iter().map(|a| quote(a)).collect::<Vec<_>>().join(" ");
            self.trace_line(&line).await;
        }
        self.run_named(args, env, true).await
    }

    /// Runs a command by name with extra variables. `functions`: functions are looked at.
    pub(crate) async fn run_named(
        &mut self,
        args: Vec<String>,
        env: BTreeMap<String, String>,
        functions: bool,
    ) -> Exec {
        let function = self.functions.get(&args[0]).filter(|_| functions).cloned();
        let builtin = builtins::find(&args[0]);
        if function.is_none() && builtin.is_none() {
            return self.run_external(args, env).await;
        }
        let saved: Vec<(String, Option<Var>)> =
            env.keys().map(|name| (name.clone(), self.vars.get(name).cloned())).collect();
        for (name, value) in env {
            if let Err(message) = self.assign(&name, value) {
                return Err(self.fail_assign(&message).await);
            }
            self.vars.entry(&name).exported = true;
        }
        let result = match (function, builtin) {
            (Some(body), _) => {
                let name = args[0].clone();
                self.call_function(&name, &body, args.into_iter().skip(1).collect()).await
            }
            (None, Some(builtin)) => (builtin.run)(self, &args).await,
            (None, None) => Ok(127),
        };
        for (name, old) in saved {
            self.vars.restore(&name, old);
        }
        result
    }
}
