//! `[[ ]]`.

use futures_util::future::LocalBoxFuture;
use regex_lite::Regex;
use std::collections::BTreeMap;

use super::Flow;
use crate::builtins::test;
use crate::expand::pattern;
use crate::shell::Shell;
use crate::syntax::ast::{Cond, Part, Word};
use crate::text::quote;
use crate::vars::Value;

impl Shell {
    /// 0 true, 1 false, 2 error.
    pub(super) fn cond<'a>(&'a mut self, cond: &'a Cond) -> LocalBoxFuture<'a, Result<i32, Flow>> {
        Box::pin(async move {
            match cond {
                Cond::Not(inner) => Ok(match self.cond(inner).await? {
                    0 => 1,
                    1 => 0,
                    error => error,
                }),
                Cond::And(left, right) => match self.cond(left).await? {
                    0 => self.cond(right).await,
                    other => Ok(other),
                },
                Cond::Or(left, right) => match self.cond(left).await? {
                    1 => self.cond(right).await,
                    other => Ok(other),
                },
                Cond::Unary(op, word) => {
                    let text = self.expand_text(word).await?;
                    if self.options.xtrace {
                        self.trace_line(&format!("[[ {op} {} ]]", quote(&text))).await;
                    }
                    match test::unary(self, op, &text) {
                        Some(truth) => Ok(i32::from(!truth)),
                        None => {
                            self.complain(&format!("[[: {op}: unary operator expected")).await;
                            Ok(2)
                        }
                    }
                }
                Cond::Binary(left, op, right) => self.compare(left, op, right).await,
            }
        })
    }

    async fn compare(&mut self, left: &Word, op: &str, right: &Word) -> Result<i32, Flow> {
        let text = self.expand_text(left).await?;
        if op == "=~" {
            return self.regex_match(&text, right).await;
        }
        if matches!(op, "=" | "==" | "!=") {
            let pat = self.expand_pattern(right).await?;
            if self.options.xtrace {
                self.trace_line(&format!("[[ {} {op} {pat} ]]", quote(&text))).await;
            }
            return Ok(i32::from(pattern::matches(&pat, &text) != (op != "!=")));
        }
        let other = self.expand_text(right).await?;
        if self.options.xtrace {
            self.trace_line(&format!("[[ {} {op} {} ]]", quote(&text), quote(&other))).await;
        }
        if matches!(op, "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge") {
            let (a, b) = (self.arith(&text).await?, self.arith(&other).await?);
            return Ok(i32::from(!test::numbers(op, a, b)));
        }
        Ok(match test::binary(self, &text, op, &other) {
            Ok(truth) => i32::from(!truth),
            Err(_) => 2,
        })
    }

    async fn regex_match(&mut self, text: &str, right: &Word) -> Result<i32, Flow> {
        let mut source = String::new();
        for part in &right.0 {
            let piece = self.expand_text(&Word(vec![part.clone()])).await?;
            match part {
                Part::Quoted(_) | Part::Double(_) => source.push_str(&regex_lite::escape(&piece)),
                _ => source.push_str(&piece),
            }
        }
        if self.options.xtrace {
            self.trace_line(&format!("[[ {} =~ {source} ]]", quote(text))).await;
        }
        let Ok(regex) = Regex::new(&crate::regexes::extended(&source)) else { return Ok(2) };
        let Some(found) = regex.captures(text) else {
            self.vars.entry("BASH_REMATCH").value = Value::Array(BTreeMap::new());
            return Ok(1);
        };
        let groups = found.iter().map(|m| m.map(|m| m.as_str().to_owned()).unwrap_or_default());
        self.vars.entry("BASH_REMATCH").value = Value::Array((0..).zip(groups).collect());
        Ok(0)
    }
}
