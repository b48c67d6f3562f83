//! Words to fields.

use super::Shell;
use super::ast::{Param, Part, Word};
use super::exec::Flow;
use crate::pattern::{Pattern, glob};

/// A field that is being built: characters, each with whether it is quoted.
type Chars = Vec<(char, bool)>;

/// The fields of one word.
#[derive(Default)]
struct Fields {
    done: Vec<Chars>,
    current: Option<Chars>,
}

impl Fields {
    fn push(&mut self, text: &str, quoted: bool) {
        self.current.get_or_insert_default().extend(text.chars().map(|c| (c, quoted)));
    }

    fn end(&mut self) {
        self.done.extend(self.current.take());
    }

    /// Adds the result of an expansion: quoted as it is, otherwise split.
    fn add(&mut self, text: &str, quoted: bool, ifs: Option<&str>) {
        let Some(ifs) = ifs.filter(|_| !quoted) else {
            self.push(text, quoted);
            return;
        };
        let mut pending_white = false;
        for c in text.chars() {
            if !ifs.contains(c) {
                if pending_white {
                    self.end();
                    pending_white = false;
                }
                self.current.get_or_insert_default().push((c, false));
            } else if c.is_whitespace() {
                pending_white = self.current.is_some();
            } else {
                self.current.get_or_insert_default();
                self.end();
                pending_white = false;
            }
        }
        if pending_white {
            self.end();
        }
    }
}

/// What may happen to the results of expansions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// They are split and matched with files.
    Fields,
    /// They stay as they are: assignments, here-documents, `case`.
    Single,
}

impl Shell {
    /// The fields of words: split, and matched with files.
    pub(super) fn fields(&mut self, words: &[Word]) -> Result<Vec<String>, Flow> {
        let mut out = Vec::new();
        for word in words {
            let mut fields = Fields::default();
            self.parts(&word.0, false, Mode::Fields, &mut fields)?;
            fields.end();
            for chars in fields.done {
                let special = chars.iter().any(|(c, quoted)| !quoted && matches!(c, '*' | '?' | '['));
                let matched = if special && !self.options.noglob { glob(&chars) } else { Vec::new() };
                if matched.is_empty() {
                    out.push(chars.into_iter().map(|c| c.0).collect());
                } else {
                    out.extend(matched);
                }
            }
        }
        Ok(out)
    }

    /// A word as one text, neither split nor matched.
    pub(super) fn text(&mut self, word: &Word) -> Result<String, Flow> {
        Ok(self.chars(word)?.into_iter().map(|c| c.0).collect())
    }

    /// A word as a pattern: what was quoted stands for itself.
    pub(super) fn pattern(&mut self, word: &Word) -> Result<Pattern, Flow> {
        Ok(Pattern::new(&self.chars(word)?))
    }

    fn chars(&mut self, word: &Word) -> Result<Chars, Flow> {
        let mut fields = Fields::default();
        self.parts(&word.0, false, Mode::Single, &mut fields)?;
        fields.end();
        let mut out = Vec::new();
        for (i, field) in fields.done.into_iter().enumerate() {
            if i > 0 {
                out.push((' ', true));
            }
            out.extend(field);
        }
        Ok(out)
    }

    fn parts(&mut self, parts: &[Part], quoted: bool, mode: Mode, out: &mut Fields) -> Result<(), Flow> {
        for (i, part) in parts.iter().enumerate() {
            match part {
                Part::Text(text) if i == 0 && !quoted && text.starts_with('~') => self.tilde(text, out),
                Part::Text(text) => out.push(text, quoted),
                Part::Quoted(text) => out.push(text, true),
                Part::Double(inner) => {
                    let lone_at =
                        inner.len() == 1 && matches!(&inner[0], Part::Param(p) if p.name == "@" && p.op.is_none());
                    if !lone_at {
                        out.push("", true);
                    }
                    self.parts(inner, true, mode, out)?;
                }
                Part::Param(param) => self.parameter(param, quoted, mode, out)?,
                Part::Command(list) => {
                    let text = self.substitute(list)?;
                    self.result(text.trim_end_matches('\n'), quoted, mode, out);
                }
                Part::Arith(expression) => {
                    let text = self.text(expression)?;
                    let value = self.arithmetic(&text)?;
                    self.result(&value.to_string(), quoted, mode, out);
                }
            }
        }
        Ok(())
    }

    fn result(&self, text: &str, quoted: bool, mode: Mode, out: &mut Fields) {
        let ifs = self.get("IFS").unwrap_or_else(|| " \t\n".to_owned());
        out.add(text, quoted, (mode == Mode::Fields).then_some(ifs.as_str()));
    }

    fn tilde(&self, text: &str, out: &mut Fields) {
        let end = text.find('/').unwrap_or(text.len());
        let home = if end == 1 { self.get("HOME") } else { None };
        match home {
            Some(home) => {
                out.push(&home, true);
                out.push(&text[end..], false);
            }
            None => out.push(text, false),
        }
    }

    pub(super) fn arithmetic(&mut self, text: &str) -> Result<i64, Flow> {
        let result = super::arith::evaluate(text, &|name| self.get(name));
        let (value, changes) = result.map_err(|message| self.fatal(&message))?;
        for (name, value) in changes {
            self.set(&name, &value.to_string())?;
        }
        Ok(value)
    }

    fn parameter(&mut self, param: &Param, quoted: bool, mode: Mode, out: &mut Fields) -> Result<(), Flow> {
        let name = param.name.as_str();
        if matches!(name, "@" | "*") && param.op.is_none() && !param.length {
            let positional = self.positional.clone();
            if name == "*" && quoted {
                let separator = self.get("IFS").map_or(Some(' '), |ifs| ifs.chars().next());
                let separator = separator.map(String::from).unwrap_or_default();
                out.push(&positional.join(&separator), true);
                return Ok(());
            }
            for (i, value) in positional.iter().enumerate() {
                if i > 0 {
                    out.end();
                }
                if quoted {
                    out.push(value, true);
                } else {
                    self.result(value, false, mode, out);
                }
            }
            return Ok(());
        }
        let value = self.get(name);
        if param.length {
            let length =
                if matches!(name, "@" | "*") { self.positional.len() } else { value.map_or(0, |v| v.chars().count()) };
            self.result(&length.to_string(), quoted, mode, out);
            return Ok(());
        }
        let Some((op, word)) = &param.op else {
            if value.is_none() && self.options.nounset {
                return Err(self.fatal(&format!("{name}: parameter not set")));
            }
            self.result(&value.unwrap_or_default(), quoted, mode, out);
            return Ok(());
        };
        let empty_counts = op.starts_with(':') && op.len() > 1;
        let present = value.as_ref().is_some_and(|v| !(empty_counts && v.is_empty()));
        match op.trim_start_matches(':') {
            "-" if !present => self.parts(&word.0, quoted, mode, out)?,
            "+" if present => self.parts(&word.0, quoted, mode, out)?,
            "+" => {}
            "=" if !present => {
                let text = self.text(word)?;
                self.set(name, &text)?;
                self.result(&text, quoted, mode, out);
            }
            "?" if !present => {
                let text = self.text(word)?;
                let text = if text.is_empty() { "parameter not set".to_owned() } else { text };
                return Err(self.fatal(&format!("{name}: {text}")));
            }
            "-" | "=" | "?" => self.result(&value.unwrap_or_default(), quoted, mode, out),
            _ => {
                let text = self.edited(&value.unwrap_or_default(), op, word)?;
                self.result(&text, quoted, mode, out);
            }
        }
        Ok(())
    }

    /// `%`, `#`, `/` and substrings.
    fn edited(&mut self, value: &str, op: &str, word: &Word) -> Result<String, Flow> {
        let ends: Vec<usize> = value.char_indices().map(|(i, _)| i).chain([value.len()]).collect();
        match op {
            "%" | "%%" => {
                let pattern = self.pattern(word)?;
                let mut cuts: Vec<usize> = ends.into_iter().filter(|i| pattern.matches(&value[*i..])).collect();
                let cut = if op == "%" { cuts.pop() } else { cuts.first().copied() };
                Ok(value[..cut.unwrap_or(value.len())].to_owned())
            }
            "#" | "##" => {
                let pattern = self.pattern(word)?;
                let mut cuts: Vec<usize> = ends.into_iter().filter(|i| pattern.matches(&value[..*i])).collect();
                let cut = if op == "##" { cuts.pop() } else { cuts.first().copied() };
                Ok(value[cut.unwrap_or(0)..].to_owned())
            }
            ":" => {
                let text = self.text(word)?;
                let (offset, length) = text.split_once(':').map_or((text.as_str(), None), |(o, l)| (o, Some(l)));
                let count = i64::try_from(value.chars().count()).unwrap_or(i64::MAX);
                let offset = self.arithmetic(offset)?;
                let start = if offset < 0 { (count + offset).max(0) } else { offset.min(count) };
                let length = match length {
                    Some(length) => self.arithmetic(length)?,
                    None => count,
                };
                let end =
                    if length < 0 { (count + length).max(start) } else { start.saturating_add(length).min(count) };
                let (start, end) = (usize::try_from(start).unwrap_or(0), usize::try_from(end).unwrap_or(0));
                Ok(value.chars().skip(start).take(end - start).collect())
            }
            _ => self.replaced(value, op == "//", word),
        }
    }

    fn replaced(&mut self, value: &str, all: bool, word: &Word) -> Result<String, Flow> {
        let chars = self.chars(word)?;
        let slash = chars.iter().position(|(c, quoted)| *c == '/' && !quoted).unwrap_or(chars.len());
        let pattern = Pattern::new(&chars[..slash]);
        let with: String = chars.get(slash + 1..).unwrap_or(&[]).iter().map(|c| c.0).collect();
        let mut out = String::new();
        let mut rest = value;
        while !rest.is_empty() {
            let mut ends: Vec<usize> = rest.char_indices().map(|(i, _)| i).skip(1).collect();
            ends.push(rest.len());
            if let Some(end) = ends.into_iter().rev().find(|end| pattern.matches(&rest[..*end])) {
                out.push_str(&with);
                rest = &rest[end..];
                if !all {
                    break;
                }
            } else {
                let next = rest.chars().next().map_or(rest.len(), char::len_utf8);
                out.push_str(&rest[..next]);
                rest = &rest[next..];
            }
        }
        Ok(out + rest)
    }
}
