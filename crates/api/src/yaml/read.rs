//! Reading YAML to JSON.

use std::collections::BTreeSet;

use base64::Engine;
use granit_parser::{Event, Options, Parser, ScalarStyle, Span};
use json::{Map, Value};

use super::check::{Verdict, check};
use super::resolve::{Scalar, resolve};
use super::{DOCUMENT_NODES_MAX, YamlError};

/// Reads every document of a text; empty documents (nothing but comments) are left out.
///
/// # Errors
/// The first complaint, with its line counted within its document as kubectl shows it.
pub fn parse(text: &str) -> Result<Vec<Value>, YamlError> {
    parse_documents(text).into_iter().filter(|r| !matches!(r, Ok(Value::Null))).collect()
}

/// Reads each document by itself: a broken one does not hide those before it, and empty ones are null.
pub fn parse_documents(text: &str) -> Vec<Result<Value, YamlError>> {
    documents(text).into_iter().map(|(first_line, document)| parse_at(document, first_line)).collect()
}

/// Reads one document; null if it is empty.
///
/// # Errors
/// As [`parse`].
pub fn parse_document(text: &str) -> Result<Value, YamlError> {
    parse_at(text, 0)
}

/// Reads one document, and says of each key that its map had before where that is, in go-yaml's words:
/// `line 5: key "name" already set in map`. The line is that of the value.
///
/// # Errors
/// As [`parse`].
pub fn parse_document_strict(text: &str) -> Result<(Value, Vec<String>), YamlError> {
    parse_all(text, 0)
}

/// Splits a text at lines that start with `---`, as `YAMLReader` does: each document with the line of its start in the
/// whole text, from 0. A marker before which there is nothing is part of its document, and counts as a line of it.
pub fn documents(text: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let (mut start, mut start_line, mut offset) = (0, 0, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let marker = line.strip_prefix("---").map(str::trim);
        if offset > start && marker.is_some_and(|rest| rest.is_empty() || rest.starts_with('#')) {
            out.push((start_line, &text[start..offset]));
            (start, start_line) = (offset + line.len(), number + 1);
        }
        offset += line.len();
    }
    if text.len() > start || out.is_empty() {
        out.push((start_line, &text[start..]));
    }
    out
}

fn parse_at(text: &str, first_line: usize) -> Result<Value, YamlError> {
    parse_all(text, first_line).map(|(value, _)| value)
}

fn parse_all(text: &str, first_line: usize) -> Result<(Value, Vec<String>), YamlError> {
    // The parser is kinder to tabs than go-yaml in some places, and stricter in others.
    let early = text.contains('\t').then(|| check(text));
    if let Some(Verdict::Fault(fault)) = early {
        return Err(YamlError::from_fault(fault, first_line, None));
    }
    let error = match read(text, first_line, true) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    match early.unwrap_or_else(|| check(text)) {
        Verdict::Fault(fault) => Err(YamlError::from_fault(fault, first_line, Some(&error))),
        Verdict::Fine(text) => read(&text, first_line, false),
        Verdict::TooDeep => Err(error),
    }
}

/// Reads the first document. `whole` makes sure that what follows is well formed.
fn read(text: &str, first_line: usize, whole: bool) -> Result<(Value, Vec<String>), YamlError> {
    let mut options = Options::default();
    options.emit_unresolved_aliases = true;
    let parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { parser, anchors: Vec::new(), nodes: 0, first_line, repeated: Vec::new() };
    loop {
        match reader.next()? {
            None | Some((Event::StreamEnd, _)) => return Ok((Value::Null, Vec::new())),
            Some((Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _)) => {}
            Some((event, span)) => {
                let value = reader.node(event, span)?;
                while whole && reader.next()?.is_some() {}
                return Ok((value, reader.repeated));
            }
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    /// Values of anchors, by the parser's number, and how many nodes each holds.
    anchors: Vec<(usize, Value, usize)>,
    nodes: usize,
    first_line: usize,
    /// Complaints about keys that their map had before.
    repeated: Vec<String>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, YamlError> {
        self.parser.next_event().transpose().map_err(|e| YamlError::from_scan(&e, self.first_line))
    }

    fn need(&mut self) -> Result<(Event<'a>, Span), YamlError> {
        self.next()?.ok_or_else(|| YamlError::plain("unknown problem parsing YAML content"))
    }

    /// What is wrong with a value: go-yaml names no line then.
    fn at(&self, span: Span, problem: String) -> YamlError {
        YamlError { problem, go_line: 0, line: self.first_line + span.start.line(), column: span.start.col() + 1 }
    }

    fn count(&mut self, span: Span, nodes: usize) -> Result<(), YamlError> {
        self.nodes += nodes;
        if self.nodes > DOCUMENT_NODES_MAX {
            return Err(self.at(span, "document contains excessive aliasing".to_owned()));
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Value, YamlError> {
        let before = self.nodes;
        self.count(span, 1)?;
        let (value, anchor) = match event {
            Event::Alias(id) => {
                let known = self.anchors.iter().rev().find(|(known, ..)| *known == id);
                let Some((_, value, nodes)) = known.cloned() else {
                    return Err(self.at(span, "anchor value contains itself".to_owned()));
                };
                self.count(span, nodes)?;
                return Ok(value);
            }
            Event::UnresolvedAlias(name) => {
                return Err(self.at(span, format!("unknown anchor '{name}' referenced")));
            }
            Event::Scalar(text, style, anchor, tag) => {
                (self.scalar(&text, style, tag.as_deref().map(suffix), span)?, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.sequence()?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(span)?, anchor),
            _ => return Err(self.at(span, "did not find expected node content".to_owned())),
        };
        if anchor > 0 {
            self.anchors.push((anchor, value.clone(), self.nodes - before));
        }
        Ok(value)
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&str>, span: Span) -> Result<Value, YamlError> {
        let plain = matches!(style, ScalarStyle::Plain);
        match tag {
            Some("str") => return Ok(text.into()),
            Some("binary") => {
                let compact: String = text.split_whitespace().collect();
                let bytes = base64::engine::general_purpose::STANDARD
                    .decode(compact)
                    .map_err(|_| self.at(span, "!!binary value contains invalid base64 data".to_owned()))?;
                return Ok(String::from_utf8_lossy(&bytes).into_owned().into());
            }
            Some(_) => {}
            None if !plain => return Ok(text.into()),
            None => {}
        }
        match resolve(text) {
            Scalar::Value(value) => Ok(value),
            Scalar::NotFinite(name) => Err(self.at(span, format!("unsupported value: {name}"))),
            Scalar::Text | Scalar::Timestamp | Scalar::Merge => Ok(text.into()),
        }
    }

    fn sequence(&mut self) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.need()? {
                (Event::SequenceEnd, _) => return Ok(Value::Array(items.into())),
                (event, span) => items.push(self.node(event, span)?),
            }
        }
    }

    fn mapping(&mut self, start: Span) -> Result<Value, YamlError> {
        let (mut fields, mut names) = (Vec::new(), BTreeSet::new());
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.need()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let merge = matches!(&event, Event::Scalar(t, ScalarStyle::Plain, _, None) if t == "<<");
            let key = self.node(event, span)?;
            let (event, span) = self.need()?;
            let value = self.node(event, span)?;
            if merge {
                merged.push(value);
            } else {
                let is_text = key.is_string();
                let invalid = |key: Value| self.at(start, format!("invalid map key: {}", go_syntax(&key)));
                let name = key_text(key).map_err(invalid)?;
                if !names.insert(name.clone()) {
                    let shown = if is_text { format!("{name:?}") } else { name.clone() };
                    let line = self.first_line + span.start.line();
                    self.repeated.push(format!("line {line}: key {shown} already set in map"));
                }
                fields.push((name, value));
            }
        }
        let mut map: Map = fields.into_iter().collect();
        for source in merged.into_iter().flat_map(|m| if let Value::Array(all) = m { all } else { vec![m].into() }) {
            let Value::Object(source) = source else {
                return Err(self.at(start, "map merge requires map or sequence of maps as the value".to_owned()));
            };
            for (key, value) in source {
                map.entry(key).or_insert(value);
            }
        }
        Ok(Value::Object(map))
    }
}

/// The part of a core tag after its prefix.
fn suffix(tag: &granit_parser::Tag) -> &str {
    tag.suffix()
}

/// JSON keys are text: numbers and booleans become theirs. Others come back.
fn key_text(key: Value) -> Result<String, Value> {
    match key {
        Value::String(text) => Ok(text.into()),
        Value::Null => Ok("null".to_owned()),
        Value::Bool(_) | Value::Number(_) => Ok(key.to_string()),
        Value::Array(_) | Value::Object(_) => Err(key),
    }
}

/// A value as Go's `%#v` prints it: what a template's `{{ .Values.image }}` without quotes is taken for.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Array(items) => {
            format!("[]interface {{}}{{{}}}", items.iter().map(go_syntax).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let pairs: Vec<_> = map.iter().map(|(key, value)| format!("{key:?}:{}", go_syntax(value))).collect();
            format!("map[interface {{}}]interface {{}}{{{}}}", pairs.join(", "))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}
