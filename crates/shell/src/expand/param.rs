//! Parameter expansion: `$x`, `${x:-y}`, `${x#p}`, `${x/p/s}`, `${a[@]}` and their kin.

use std::collections::BTreeMap;

use super::{Fields, pattern};
use crate::exec::Flow;
use crate::shell::Shell;
use crate::syntax::ast::{Param, ParamOp, Part, Word};
use crate::vars::Value;

/// What a parameter stands for.
#[derive(Clone, Debug, PartialEq)]
enum Found {
    Unset,
    One(String),
    /// The elements, and whether `@` (rather than `*`) asked for them.
    Many(Vec<String>, bool),
}

/// Negative subscripts count from the end.
pub(crate) fn wrap_index(map: &BTreeMap<i64, String>, index: i64) -> i64 {
    if index >= 0 {
        return index;
    }
    map.keys().next_back().map_or(0, |last| last + 1) + index
}

impl Shell {
    /// `$@` (also `${a[@]}`) when it has no elements.
    pub(super) fn is_empty_at(&self, part: &Part) -> bool {
        let Part::Param(param) = part else { return false };
        if param.op != ParamOp::Plain || param.indirect {
            return false;
        }
        match (param.name.as_str(), param.index.as_ref().and_then(Word::as_literal)) {
            ("@", None) => self.positional.is_empty(),
            (name, Some("@")) => match self.vars.get(name).map(|v| &v.value) {
                None | Some(Value::Unset) => true,
                Some(Value::Array(map)) => map.is_empty(),
                Some(Value::Assoc(map)) => map.is_empty(),
                Some(Value::Scalar(_)) => false,
            },
            _ => false,
        }
    }

    pub(super) async fn expand_param(&mut self, param: &Param, quoted: bool, fields: &mut Fields) -> Result<(), Flow> {
        let found = self.lookup(param).await?;
        let found = match &param.op {
            ParamOp::Plain => self.checked(param, found).await?,
            ParamOp::Bad => return self.fail(&format!("{}: bad substitution", param.text)).await,
            ParamOp::Default(op, colon, word) => {
                let missing = match &found {
                    Found::Unset => true,
                    Found::One(text) => *colon && text.is_empty(),
                    Found::Many(list, _) => list.is_empty() || (*colon && list.iter().all(String::is_empty)),
                };
                if missing == (*op == '+') {
                    if *op == '+' { Found::One(String::new()) } else { found }
                } else {
                    return self.default_word(param, (*op, *colon), word, quoted, fields).await;
                }
            }
            ParamOp::Length => {
                let found = self.checked(param, found).await?;
                Found::One(
                    match found {
                        Found::Unset => 0,
                        Found::One(text) => text.chars().count(),
                        Found::Many(list, _) => list.len(),
                    }
                    .to_string(),
                )
            }
            ParamOp::Names => Found::Many(self.names(param), true),
            ParamOp::Slice(offset, length) => {
                let found = self.checked(param, found).await?;
                self.slice(param, found, offset, length.as_ref()).await?
            }
            other => {
                let found = self.checked(param, found).await?;
                self.each(found, other).await?
            }
        };
        self.emit(found, quoted, fields);
        Ok(())
    }

    fn emit(&self, found: Found, quoted: bool, fields: &mut Fields) {
        match found {
            Found::Unset => {}
            Found::One(text) if quoted => fields.quoted(&text),
            Found::One(text) => fields.unquoted(&text),
            Found::Many(list, at) => {
                if quoted && (!at || !fields.splits()) {
                    let ifs = self.ifs();
                    let separator =
                        if at { " ".into() } else { ifs.chars().next().map(String::from).unwrap_or_default() };
                    fields.quoted(&list.join(&separator));
                    return;
                }
                for (i, text) in list.iter().enumerate() {
                    if i > 0 {
                        fields.end_field();
                    }
                    if quoted { fields.quoted(text) } else { fields.unquoted(text) }
                }
            }
        }
    }

    async fn fail<T>(&mut self, message: &str) -> Result<T, Flow> {
        self.complain(message).await;
        Err(Flow::Fail(1))
    }

    /// `set -u`.
    async fn checked(&mut self, param: &Param, found: Found) -> Result<Found, Flow> {
        if found == Found::Unset && self.options.nounset && !matches!(param.name.as_str(), "@" | "*") {
            let index = param.index.as_ref().and_then(Word::as_literal).map(|i| format!("[{i}]")).unwrap_or_default();
            self.complain(&format!("{}{index}: unbound variable", param.name)).await;
            return Err(self.unset_error());
        }
        Ok(found)
    }

    /// A missing parameter ends a script, but only the line at the prompt.
    fn unset_error(&self) -> Flow {
        if self.interactive { Flow::Fail(1) } else { Flow::Exit(127) }
    }

    async fn default_word(
        &mut self,
        param: &Param,
        (op, colon): (char, bool),
        word: &Word,
        quoted: bool,
        fields: &mut Fields,
    ) -> Result<(), Flow> {
        match op {
            '=' => {
                let text = self.expand_text(word).await?;
                let index = match &param.index {
                    Some(index) => Some(self.expand_text(index).await?),
                    None => None,
                };
                if let Err(message) = self.assign_element(&param.name, index.as_deref(), text.clone(), false) {
                    return self.fail(&message).await;
                }
                if quoted {
                    fields.quoted(&text)
                } else {
                    fields.unquoted(&text)
                }
                Ok(())
            }
            '?' => {
                let text = self.expand_text(word).await?;
                let text = match (text.is_empty(), colon) {
                    (false, _) => text,
                    (true, true) => "parameter null or not set".to_owned(),
                    (true, false) => "parameter not set".to_owned(),
                };
                self.complain(&format!("{}: {text}", param.name)).await;
                Err(self.unset_error())
            }
            _ if quoted => self.expand_parts(&word.0, true, fields).await,
            _ => {
                // Unquoted text of the word is split as the value would have been.
                for part in &word.0 {
                    match part {
                        Part::Literal(text) => fields.unquoted(text),
                        other => self.expand_parts(std::slice::from_ref(other), false, fields).await?,
                    }
                }
                Ok(())
            }
        }
    }

    async fn lookup(&mut self, param: &Param) -> Result<Found, Flow> {
        if param.op == ParamOp::Names {
            return Ok(Found::Unset);
        }
        if param.indirect {
            let target = match self.value_of(&param.name, param.index.as_ref()).await? {
                Found::One(name) if !name.is_empty() => name,
                _ => return self.fail(&format!("{}: invalid indirect expansion", param.name)).await,
            };
            let (name, index) = match target.split_once('[') {
                Some((name, rest)) => (name.to_owned(), Some(Word::literal(rest.trim_end_matches(']')))),
                None => (target, None),
            };
            return self.value_of(&name, index.as_ref()).await;
        }
        self.value_of(&param.name, param.index.as_ref()).await
    }

    async fn value_of(&mut self, name: &str, index: Option<&Word>) -> Result<Found, Flow> {
        if let Some(index) = index {
            return self.indexed(name, index).await;
        }
        Ok(match name {
            "@" => Found::Many(self.positional.clone(), true),
            "*" => Found::Many(self.positional.clone(), false),
            "0" => Found::One(self.name.clone()),
            _ if name.chars().all(|c| c.is_ascii_digit()) => {
                let at = name.parse::<usize>().unwrap_or(usize::MAX).saturating_sub(1);
                self.positional.get(at).cloned().map_or(Found::Unset, Found::One)
            }
            _ => match self.dynamic(name).or_else(|| self.vars.scalar(name).map(str::to_owned)) {
                Some(text) => Found::One(text),
                None => Found::Unset,
            },
        })
    }

    async fn indexed(&mut self, name: &str, index: &Word) -> Result<Found, Flow> {
        let value = self.vars.get(name).map_or(Value::Unset, |v| v.value.clone());
        if let Some(all @ ("@" | "*")) = index.as_literal() {
            let list: Vec<String> = match value {
                Value::Unset => Vec::new(),
                Value::Scalar(text) => vec![text],
                Value::Array(map) => map.into_values().collect(),
                Value::Assoc(map) => map.into_values().collect(),
            };
            return Ok(Found::Many(list, all == "@"));
        }
        let text = match value {
            Value::Assoc(map) => {
                let key = self.expand_text(index).await?;
                map.get(&key).cloned()
            }
            Value::Array(map) => {
                let at = self.expand_arith(index).await?;
                let at = wrap_index(&map, at);
                if at < 0 {
                    return self.fail(&format!("{name}: bad array subscript")).await;
                }
                map.get(&at).cloned()
            }
            Value::Scalar(text) => (self.expand_arith(index).await? == 0).then_some(text),
            Value::Unset => None,
        };
        Ok(text.map_or(Found::Unset, Found::One))
    }

    fn names(&self, param: &Param) -> Vec<String> {
        match (&param.index, self.vars.get(&param.name).map(|v| &v.value)) {
            (Some(_), Some(Value::Array(map))) => map.keys().map(i64::to_string).collect(),
            (Some(_), Some(Value::Assoc(map))) => map.keys().cloned().collect(),
            (Some(_), Some(Value::Scalar(_))) => vec!["0".into()],
            (Some(_), _) => Vec::new(),
            (None, _) => {
                self.vars.iter().map(|(n, _)| n).filter(|n| n.starts_with(&param.name)).map(str::to_owned).collect()
            }
        }
    }

    async fn slice(
        &mut self,
        param: &Param,
        found: Found,
        offset: &Word,
        length: Option<&Word>,
    ) -> Result<Found, Flow> {
        let offset = self.expand_arith(offset).await?;
        let length = match length {
            Some(word) => Some(self.expand_arith(word).await?),
            None => None,
        };
        let bounds = |count: usize| -> Result<Option<(usize, usize)>, i64> {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            let start = if offset < 0 { offset + count } else { offset };
            if start < 0 || start > count {
                return Ok(None);
            }
            let end = match length {
                None => count,
                Some(n) if n < 0 => count + n,
                Some(n) => start.saturating_add(n).min(count),
            };
            if end < start {
                return Err(length.unwrap_or(0));
            }
            Ok(Some((start as usize, end as usize)))
        };
        let result = match &found {
            Found::Unset => return Ok(Found::Unset),
            Found::One(text) => {
                let chars: Vec<char> = text.chars().collect();
                bounds(chars.len())
                    .map(|b| Found::One(b.map(|(s, e)| chars[s..e].iter().collect()).unwrap_or_default()))
            }
            Found::Many(list, at) => {
                let mut list = list.clone();
                if param.index.is_none() {
                    list.insert(0, self.name.clone()); // ${@:0} begins with $0
                }
                bounds(list.len()).map(|b| Found::Many(b.map(|(s, e)| list[s..e].to_vec()).unwrap_or_default(), *at))
            }
        };
        match result {
            Ok(found) => Ok(found),
            Err(n) => self.fail(&format!("{n}: substring expression < 0")).await,
        }
    }

    /// Applies a text operation to each element.
    async fn each(&mut self, found: Found, op: &ParamOp) -> Result<Found, Flow> {
        let (pat, with) = match op {
            ParamOp::Strip { pattern, .. } => (self.expand_pattern(pattern).await?, String::new()),
            ParamOp::Replace { pattern, with, .. } => {
                (self.expand_pattern(pattern).await?, self.expand_text(with).await?)
            }
            _ => (String::new(), String::new()),
        };
        let apply = |text: String| -> String {
            match op {
                ParamOp::Strip { suffix, longest, .. } => strip(&text, &pat, *suffix, *longest),
                ParamOp::Replace { all, anchor, .. } => replace(&text, &pat, &with, *all, *anchor),
                ParamOp::Case(upper, all) => change_case(&text, *upper, *all),
                ParamOp::Transform('Q') => format!("'{}'", text.replace('\'', "'\\''")),
                ParamOp::Transform('U') => text.to_uppercase(),
                ParamOp::Transform('L') => text.to_lowercase(),
                ParamOp::Transform('u') => change_case(&text, true, false),
                ParamOp::Transform('E') => crate::text::unescape(&text, crate::text::Escapes::AnsiC).0,
                _ => text,
            }
        };
        Ok(match found {
            Found::Unset => Found::Unset,
            Found::One(text) => Found::One(apply(text)),
            Found::Many(list, at) => Found::Many(list.into_iter().map(apply).collect(), at),
        })
    }
}

fn strip(text: &str, pat: &str, suffix: bool, longest: bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    if suffix {
        let starts: Box<dyn Iterator<Item = usize>> =
            if longest { Box::new(0..=chars.len()) } else { Box::new((0..=chars.len()).rev()) };
        for start in starts {
            let tail: String = chars[start..].iter().collect();
            if pattern::matches(pat, &tail) {
                return chars[..start].iter().collect();
            }
        }
        return text.to_owned();
    }
    match pattern::match_at(pat, &chars, 0, longest) {
        Some(end) => chars[end..].iter().collect(),
        None => text.to_owned(),
    }
}

fn replace(text: &str, pat: &str, with: &str, all: bool, anchor: Option<char>) -> String {
    let chars: Vec<char> = text.chars().collect();
    if pat.is_empty() {
        return match anchor {
            Some('#') => format!("{with}{text}"),
            Some(_) => format!("{text}{with}"),
            None => text.to_owned(),
        };
    }
    match anchor {
        Some('#') => {
            return match pattern::match_at(pat, &chars, 0, true) {
                Some(end) => format!("{with}{}", chars[end..].iter().collect::<String>()),
                None => text.to_owned(),
            };
        }
        Some(_) => {
            let kept = strip(text, pat, true, true);
            return if kept.len() == text.len() { text.to_owned() } else { format!("{kept}{with}") };
        }
        None => {}
    }
    let mut out = String::new();
    let mut at = 0;
    while at < chars.len() {
        match pattern::match_at(pat, &chars, at, true).filter(|end| *end > at) {
            Some(end) => {
                out.push_str(with);
                at = end;
                if !all {
                    break;
                }
            }
            None => {
                out.push(chars[at]);
                at += 1;
            }
        }
    }
    out.extend(&chars[at.min(chars.len())..]);
    out
}

fn change_case(text: &str, upper: bool, all: bool) -> String {
    let change = |c: char| -> String { if upper { c.to_uppercase().collect() } else { c.to_lowercase().collect() } };
    text.chars().enumerate().map(|(i, c)| if all || i == 0 { change(c) } else { c.to_string() }).collect()
}
