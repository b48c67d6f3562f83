//! Simple and compound commands, functions and redirections.

use std::cell::OnceCell;
use std::rc::Rc;

use super::ast::{
    Arg, Assign, AssignValue, CaseArm, CaseEnd, Command, Compound, Part, Redirect, RedirectKind, Simple, Word,
};
use super::error::{Incomplete, SyntaxError};
use super::parser::{CLOSERS, Parsed, Parser, PendingHereDoc, is_meta, is_name};

/// Commands whose arguments may be assignments with arrays.
const DECLARERS: &[&str] = &["declare", "typeset", "local", "export", "readonly"];

/// `|&` is `2>&1 |`.
pub(super) fn with_stderr_to_pipe(command: Command) -> Command {
    let redirect = Redirect { fd: Some(2), kind: RedirectKind::Duplicate(Word::literal("1"), true) };
    match command {
        Command::Simple(mut simple) => {
            simple.redirects.push(redirect);
            Command::Simple(simple)
        }
        Command::Compound(compound, mut redirects) => {
            redirects.push(redirect);
            Command::Compound(compound, redirects)
        }
        function @ Command::Function(..) => function,
    }
}

impl Parser<'_> {
    pub(super) fn command_here(&mut self) -> Parsed<Command> {
        let compound = match self.keyword() {
            Some("if") => Some(self.if_command()?),
            Some("for") => Some(self.for_command()?),
            Some(word @ ("while" | "until")) => Some(self.while_command(word)?),
            Some("case") => Some(self.case_command()?),
            Some("{") => {
                self.pos += 1;
                let list = self.list_until(&["}"])?;
                self.expect_keyword("}")?;
                Some(Compound::Brace(list))
            }
            Some("[[") => Some(self.cond_command()?),
            Some("function") => return self.function_keyword(),
            Some("select") => {
                let line = self.line();
                return Err(SyntaxError::Message(simulation::stub!("shell", "the select command").into(), line));
            }
            Some(word) if CLOSERS.contains(&word) => return Err(self.unexpected()),
            _ if self.looking_at("((") => match self.arith_command()? {
                Some(found) => Some(found),
                None => Some(self.subshell()?),
            },
            _ if self.peek() == Some('(') => Some(self.subshell()?),
            _ => None,
        };
        match compound {
            Some(compound) => Ok(Command::Compound(compound, self.redirects()?)),
            None => self.simple_command(),
        }
    }

    fn redirects(&mut self) -> Parsed<Vec<Redirect>> {
        let mut found = Vec::new();
        loop {
            self.skip_blank();
            match self.redirect()? {
                Some(redirect) => found.push(redirect),
                None => return Ok(found),
            }
        }
    }

    fn subshell(&mut self) -> Parsed<Compound> {
        self.pos += 1;
        let list = self.list_until(&[")"])?;
        self.pos += 1;
        Ok(Compound::Subshell(list))
    }

    fn arith_command(&mut self) -> Parsed<Option<Compound>> {
        let start = self.pos;
        self.pos += 2;
        match self.arith_word()? {
            Some(word) => Ok(Some(Compound::Arith(word))),
            None => {
                self.second_try()?;
                self.pos = start;
                Ok(None)
            }
        }
    }

    fn if_command(&mut self) -> Parsed<Compound> {
        self.pos += 2;
        let mut branches = Vec::new();
        let mut otherwise = None;
        loop {
            let test = self.list_until(&["then"])?;
            self.expect_keyword("then")?;
            let body = self.list_until(&["elif", "else", "fi"])?;
            branches.push((test, body));
            if self.eat_keyword("elif") {
                continue;
            }
            if self.eat_keyword("else") {
                otherwise = Some(self.list_until(&["fi"])?);
            }
            self.expect_keyword("fi")?;
            return Ok(Compound::If { branches, otherwise });
        }
    }

    fn do_body(&mut self) -> Parsed<super::ast::List> {
        self.skip_newlines()?;
        if self.at_end() {
            return Err(SyntaxError::Incomplete(Incomplete::End));
        }
        self.expect_keyword("do")?;
        let body = self.list_until(&["done"])?;
        self.expect_keyword("done")?;
        Ok(body)
    }

    fn while_command(&mut self, word: &str) -> Parsed<Compound> {
        self.pos += word.len();
        let test = self.list_until(&["do"])?;
        let body = self.do_body()?;
        Ok(Compound::While { until: word == "until", test, body })
    }

    fn for_command(&mut self) -> Parsed<Compound> {
        self.pos += 3;
        self.skip_blank();
        if self.eat("((") {
            return self.arith_for();
        }
        let start = self.pos;
        while self.peek().is_some_and(|c| !is_meta(c)) {
            self.pos += 1;
        }
        let name = self.slice(start);
        let line = self.line();
        if name.is_empty() {
            return Err(self.unexpected());
        }
        if !is_name(&name) {
            return Err(SyntaxError::Message(format!("`{name}': not a valid identifier"), line));
        }
        self.skip_newlines()?;
        let mut words = None;
        if self.eat_keyword("in") {
            let mut list = Vec::new();
            loop {
                self.skip_blank();
                match self.peek() {
                    None | Some('\n' | ';') => break,
                    Some(c) if is_meta(c) => return Err(self.unexpected()),
                    _ => list.push(self.word()?),
                }
            }
            words = Some(list);
        }
        self.skip_blank();
        if self.peek() == Some(';') {
            self.pos += 1;
        }
        let body = self.do_body()?;
        Ok(Compound::For { name, words, body })
    }

    fn arith_for(&mut self) -> Parsed<Compound> {
        let init = self.arith_part(';')?;
        let test = self.arith_part(';')?;
        let step = self.arith_part(')')?;
        if !self.eat(")") {
            return Err(self.unexpected());
        }
        self.skip_blank();
        if self.peek() == Some(';') {
            self.pos += 1;
        }
        let body = self.do_body()?;
        Ok(Compound::ArithFor { parts: [init, test, step], body })
    }

    fn case_command(&mut self) -> Parsed<Compound> {
        self.pos += 4;
        self.skip_blank();
        if self.peek().is_none_or(is_meta) {
            return Err(self.unexpected());
        }
        let word = self.word()?;
        self.skip_newlines()?;
        if self.at_end() {
            return Err(SyntaxError::Incomplete(Incomplete::End));
        }
        self.expect_keyword("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.at_end() {
                return Err(SyntaxError::Incomplete(Incomplete::End));
            }
            if self.eat_keyword("esac") {
                return Ok(Compound::Case { word, arms });
            }
            arms.push(self.case_arm()?);
        }
    }

    fn case_arm(&mut self) -> Parsed<CaseArm> {
        self.eat("(");
        let mut patterns = Vec::new();
        loop {
            self.skip_blank();
            if self.peek().is_none_or(is_meta) {
                return Err(self.unexpected());
            }
            patterns.push(self.word()?);
            self.skip_blank();
            if self.eat("|") {
                continue;
            }
            if !self.eat(")") {
                return Err(self.unexpected());
            }
            break;
        }
        let body = self.maybe_empty_list(&["esac", ";;"])?;
        let end = if self.eat(";;&") {
            CaseEnd::Continue
        } else if self.eat(";;") {
            CaseEnd::Break
        } else if self.eat(";&") {
            CaseEnd::FallThrough
        } else {
            CaseEnd::Break
        };
        Ok(CaseArm { patterns, body, end })
    }

    fn function_keyword(&mut self) -> Parsed<Command> {
        self.pos += "function".len();
        self.skip_blank();
        let start = self.pos;
        while self.peek().is_some_and(|c| !is_meta(c)) {
            self.pos += 1;
        }
        let name = self.slice(start);
        if name.is_empty() {
            return Err(self.unexpected());
        }
        self.skip_blank();
        if self.eat("(") {
            self.skip_blank();
            if !self.eat(")") {
                return Err(self.unexpected());
            }
        }
        self.function_body(name)
    }

    fn function_body(&mut self, name: String) -> Parsed<Command> {
        self.skip_newlines()?;
        if self.at_end() {
            return Err(SyntaxError::Incomplete(Incomplete::End));
        }
        match self.command_here()? {
            body @ Command::Compound(..) => Ok(Command::Function(name, Rc::new(body))),
            _ => Err(self.unexpected()),
        }
    }

    fn simple_command(&mut self) -> Parsed<Command> {
        let mut simple = Simple { line: self.line(), ..Simple::default() };
        let mut may_alias = true;
        loop {
            self.skip_blank();
            if let Some(redirect) = self.redirect()? {
                simple.redirects.push(redirect);
                continue;
            }
            match self.peek() {
                None => break,
                Some('<' | '>') if self.peek_at(1) == Some('(') => {}
                Some(c) if is_meta(c) => break,
                _ => {}
            }
            if may_alias && self.expand_alias() {
                continue;
            }
            if simple.words.is_empty() {
                if let Some(assign) = self.assignment()? {
                    simple.assigns.push(assign);
                    continue;
                }
            } else if self.is_declarer(&simple)
                && let Some(assign) = self.assignment()?
            {
                simple.words.push(Arg::Assign(assign));
                continue;
            }
            let word = self.word()?;
            if simple.words.is_empty() && simple.assigns.is_empty() && simple.redirects.is_empty() {
                self.skip_blank();
                if self.peek() == Some('(')
                    && let Some(name) = word.as_literal().map(str::to_owned)
                {
                    self.pos += 1;
                    self.skip_blank();
                    if !self.eat(")") {
                        return Err(self.unexpected());
                    }
                    return self.function_body(name);
                }
            }
            may_alias = std::mem::take(&mut self.alias_reaches_on);
            simple.words.push(Arg::Word(word));
        }
        if simple.words.is_empty() && simple.assigns.is_empty() && simple.redirects.is_empty() {
            return Err(self.unexpected());
        }
        Ok(Command::Simple(simple))
    }

    fn is_declarer(&self, simple: &Simple) -> bool {
        match simple.words.first() {
            Some(Arg::Word(word)) => word.as_literal().is_some_and(|w| DECLARERS.contains(&w)),
            _ => false,
        }
    }

    /// Replaces an alias at the cursor by its text. If that ends in a blank, the next word may be an alias too.
    fn expand_alias(&mut self) -> bool {
        let Some(aliases) = self.aliases else { return false };
        let start = self.pos;
        let mut end = start;
        while self.src.get(end).is_some_and(|c| !is_meta(*c) && !matches!(c, '\'' | '"' | '\\' | '$' | '`' | '=')) {
            end += 1;
        }
        if self.src.get(end).is_some_and(|c| !is_meta(*c)) {
            return false;
        }
        let name: String = self.src[start..end].iter().collect();
        let left = self.src.len() - start;
        self.alias_guard.retain(|(_, after)| left > *after);
        let Some(text) = aliases.get(&name) else { return false };
        if self.alias_guard.iter().any(|(n, _)| *n == name) {
            return false;
        }
        let after = self.src.len() - end;
        self.src.splice(start..end, text.chars());
        self.alias_guard.push((name, after));
        self.alias_reaches_on = text.ends_with([' ', '\t']);
        true
    }

    /// `name=`, `name+=` or `name[...]=` at the cursor.
    fn assignment(&mut self) -> Parsed<Option<Assign>> {
        let start = self.pos;
        while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.pos += 1;
        }
        let name = self.slice(start);
        if !is_name(&name) {
            self.pos = start;
            return Ok(None);
        }
        let mut index = None;
        if self.peek() == Some('[') {
            if !self.index_is_assigned() {
                self.pos = start;
                return Ok(None);
            }
            self.pos += 1;
            index = Some(self.param_word(&[']'], false)?);
            self.pos += 1;
        }
        let append = self.looking_at("+=");
        if !append && self.peek() != Some('=') {
            self.pos = start;
            return Ok(None);
        }
        self.pos += if append { 2 } else { 1 };
        let value = if self.peek() == Some('(') {
            AssignValue::Array(self.array_value()?)
        } else {
            AssignValue::Scalar(self.assigned_word()?)
        };
        Ok(Some(Assign { name, index, append, value }))
    }

    /// Whether `[...]` at the cursor is followed by `=` or `+=`.
    fn index_is_assigned(&self) -> bool {
        let mut depth = 0;
        let mut at = self.pos;
        while let Some(c) = self.src.get(at) {
            match c {
                '[' => depth += 1,
                ']' => {
                    depth -= 1;
                    if depth == 0 {
                        let next = (self.src.get(at + 1), self.src.get(at + 2));
                        return matches!(next, (Some('='), _) | (Some('+'), Some('=')));
                    }
                }
                '\n' => return false,
                _ => {}
            }
            at += 1;
        }
        false
    }

    fn array_value(&mut self) -> Parsed<Vec<(Option<Word>, Word)>> {
        let line = self.line();
        self.pos += 1;
        let mut values = Vec::new();
        loop {
            self.skip_newlines()?;
            match self.peek() {
                None => return Err(SyntaxError::Incomplete(Incomplete::Quote(')', line))),
                Some(')') => {
                    self.pos += 1;
                    return Ok(values);
                }
                Some('[') if self.index_is_assigned() => {
                    self.pos += 1;
                    let index = self.param_word(&[']'], false)?;
                    self.pos += 2;
                    values.push((Some(index), self.assigned_word()?));
                }
                Some(c) if is_meta(c) => return Err(self.unexpected()),
                _ => values.push((None, self.word()?)),
            }
        }
    }

    /// The right side of an assignment: a word, possibly empty, with `~` after `=` and `:`.
    fn assigned_word(&mut self) -> Parsed<Word> {
        if self.peek().is_none_or(is_meta) {
            return Ok(Word::default());
        }
        self.word_with_tildes()
    }

    /// A redirection at the cursor.
    pub(super) fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        let start = self.pos;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.pos += 1;
        }
        let number = self.slice(start);
        let op = match self.operator() {
            Some(op @ ("<" | ">" | ">>" | "<<" | "<<-" | "<<<" | "<&" | ">&" | "<>" | ">|")) => op,
            Some(op @ ("&>" | "&>>")) if number.is_empty() => op,
            _ => {
                self.pos = start;
                return Ok(None);
            }
        };
        if matches!(op, "<" | ">") && self.peek_at(1) == Some('(') {
            self.pos = start; // a process substitution, not a redirection
            return Ok(None);
        }
        let fd = number.parse().ok();
        let line = self.line();
        self.pos += op.len();
        self.skip_blank();
        if self.peek().is_none_or(is_meta) {
            return Err(self.unexpected());
        }
        let target = self.word()?;
        let kind = match op {
            "<" => RedirectKind::Read(target),
            ">" => RedirectKind::Write(target, false),
            ">|" => RedirectKind::Write(target, true),
            ">>" => RedirectKind::Append(target),
            "<>" => RedirectKind::ReadWrite(target),
            "<&" => RedirectKind::Duplicate(target, false),
            ">&" => RedirectKind::Duplicate(target, true),
            "&>" => RedirectKind::Both(target, false),
            "&>>" => RedirectKind::Both(target, true),
            "<<<" => RedirectKind::HereString(target),
            _ => RedirectKind::HereDoc(self.here_doc(&target, op == "<<-", line)),
        };
        Ok(Some(Redirect { fd, kind }))
    }

    fn here_doc(&mut self, target: &Word, strip_tabs: bool, line: usize) -> Rc<OnceCell<Word>> {
        let slot = Rc::new(OnceCell::new());
        let quoted = target.0.iter().any(|p| !matches!(p, Part::Literal(_)));
        let delimiter = plain_text(&target.0);
        self.here_docs.push(PendingHereDoc { delimiter, strip_tabs, quoted, line, slot: Rc::clone(&slot) });
        slot
    }
}

fn plain_text(parts: &[Part]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(t) | Part::Quoted(t) => t.clone(),
            Part::Double(inner) => plain_text(inner),
            Part::Tilde(user) => format!("~{user}"),
            Part::Param(p) => p.text.clone(),
            Part::Command(_) | Part::Arith(_) | Part::Process(_) => String::new(),
        })
        .collect()
}
