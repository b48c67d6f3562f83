//! Expansion: from words of the tree to the arguments of a command.
//!
//! Order as in POSIX 2.6: braces, tilde, parameters, commands and arithmetic, field splitting, pathnames, quotes.

pub mod arith;
mod fields;
mod glob;
mod param;
pub mod pattern;

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;

use crate::exec::Flow;
use crate::shell::Shell;
use crate::syntax::ast::{List, Part, Word};
use crate::syntax::expand_braces;
use crate::vars::Value;
pub use fields::{Field, Fields};
pub(crate) use param::wrap_index;

impl Shell {
    fn ifs(&self) -> String {
        match self.vars.get("IFS") {
            Some(var) => var.scalar().unwrap_or_default().to_owned(),
            None => " \t\n".into(),
        }
    }

    /// Arguments: everything happens.
    pub(crate) async fn expand_words(&mut self, words: &[Word]) -> Result<Vec<String>, Flow> {
        let mut out = Vec::new();
        for word in words {
            self.expand_word(word, &mut out).await?;
        }
        Ok(out)
    }

    /// The fields of one argument, added to `out`.
    pub(crate) async fn expand_word(&mut self, word: &Word, out: &mut Vec<String>) -> Result<(), Flow> {
        if let Some(text) = word.as_literal()
            && !text.contains(['*', '?', '[', '{', '\\'])
        {
            out.push(text.to_owned());
            return Ok(());
        }
        for word in expand_braces(word) {
            let mut fields = Fields::new(&self.ifs(), true);
            self.expand_parts(&word.0, false, &mut fields).await?;
            for field in fields.finish() {
                self.expand_path(field, out)?;
            }
        }
        Ok(())
    }

    async fn expand_one(&mut self, word: &Word) -> Result<Field, Flow> {
        let mut fields = Fields::new(&self.ifs(), false);
        self.expand_parts(&word.0, false, &mut fields).await?;
        Ok(fields.finish_one())
    }

    /// One text without splitting and pathnames: assignments, here-documents, `case`.
    pub(crate) async fn expand_text(&mut self, word: &Word) -> Result<String, Flow> {
        Ok(self.expand_one(word).await?.text)
    }

    /// One pattern: quoted characters are escaped.
    pub(crate) async fn expand_pattern(&mut self, word: &Word) -> Result<String, Flow> {
        Ok(self.expand_one(word).await?.pattern)
    }

    /// The value of an arithmetic word.
    pub(crate) async fn expand_arith(&mut self, word: &Word) -> Result<i64, Flow> {
        let text = self.expand_text(word).await?;
        self.arith(&text).await
    }

    /// The value of an arithmetic text.
    pub(crate) async fn arith(&mut self, text: &str) -> Result<i64, Flow> {
        match arith::evaluate(text, self) {
            Ok(value) => Ok(value),
            Err(message) => {
                self.complain(&message).await;
                Err(Flow::Fail(1))
            }
        }
    }

    /// Expands parts into `fields`. `quoted`: inside double quotes.
    pub(crate) fn expand_parts<'a>(
        &'a mut self,
        parts: &'a [Part],
        quoted: bool,
        fields: &'a mut Fields,
    ) -> LocalBoxFuture<'a, Result<(), Flow>> {
        Box::pin(async move {
            for part in parts {
                match part {
                    Part::Literal(text) if quoted => fields.quoted(text),
                    Part::Literal(text) => fields.literal(text),
                    Part::Quoted(text) => fields.quoted(text),
                    Part::Double(inner) => {
                        // "$@" without arguments is no field at all; "" is an empty one.
                        let only_at = inner.len() == 1 && self.is_empty_at(&inner[0]);
                        if !only_at {
                            fields.quoted("");
                        }
                        self.expand_parts(inner, true, fields).await?;
                    }
                    Part::Tilde(user) => {
                        let home = self.tilde(user);
                        fields.quoted(&home);
                    }
                    Part::Param(param) => self.expand_param(param, quoted, fields).await?,
                    Part::Command(list) => {
                        let text = self.substitute(list).await?;
                        if quoted { fields.quoted(&text) } else { fields.unquoted(&text) }
                    }
                    Part::Arith(word) => {
                        let value = self.expand_arith(word).await?.to_string();
                        if quoted { fields.quoted(&value) } else { fields.unquoted(&value) }
                    }
                    Part::Process(_) => {
                        self.complain(simulation::stub!("shell", "process substitution")).await;
                        return Err(Flow::Fail(1));
                    }
                }
            }
            Ok(())
        })
    }

    fn tilde(&self, user: &str) -> String {
        match user {
            "" => self.vars.scalar("HOME").unwrap_or("/").to_owned(),
            "+" => self.cwd.clone(),
            "-" => self.vars.scalar("OLDPWD").unwrap_or("~-").to_owned(),
            "root" => "/root".into(),
            other if self.fs.is_dir(&format!("/home/{other}")) => format!("/home/{other}"),
            other => format!("~{other}"),
        }
    }

    /// The output of a command, without the newlines at its end.
    async fn substitute(&mut self, list: &Rc<List>) -> Result<String, Flow> {
        let (code, bytes) = self.capture(list).await?;
        self.status = code;
        self.substituted = Some(code);
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        text.retain(|c| c != '\0');
        text.truncate(text.trim_end_matches('\n').len());
        Ok(text)
    }

    /// Reads a variable for arithmetic and `test -v`.
    fn element(&self, name: &str, index: Option<&str>) -> Option<String> {
        let var = self.vars.get(name);
        match (var.map(|v| &v.value), index) {
            (Some(Value::Assoc(map)), Some(key)) => map.get(key).cloned(),
            (_, Some(_)) | (None, None) => None,
            (Some(_), None) => var.and_then(|v| v.scalar()).map(str::to_owned),
        }
    }
}

impl arith::Variables for Shell {
    fn get(&self, name: &str, index: Option<&str>) -> Result<String, String> {
        if let Some(text) = self.element(name, index) {
            return Ok(text);
        }
        if let Some(index) = index {
            let at = arith::evaluate(index, &mut self.clone())?;
            let text = match self.vars.get(name).map(|v| &v.value) {
                Some(Value::Array(map)) => map.get(&crate::expand::param::wrap_index(map, at)).cloned(),
                Some(Value::Scalar(text)) if at == 0 => Some(text.clone()),
                _ => None,
            };
            return Ok(text.unwrap_or_default());
        }
        match self.dynamic(name) {
            Some(text) => Ok(text),
            None if self.options.nounset && self.vars.get(name).is_none() => Err(format!("{name}: unbound variable")),
            None => Ok(String::new()),
        }
    }

    fn set(&mut self, name: &str, index: Option<&str>, value: String) -> Result<(), String> {
        let index = match (index, self.vars.get(name).map(|v| &v.value)) {
            (Some(key), Some(Value::Assoc(_))) => Some(key.to_owned()),
            (Some(expression), _) => Some(arith::evaluate(expression, self)?.to_string()),
            (None, _) => None,
        };
        self.assign_element(name, index.as_deref(), value, false)
    }
}
