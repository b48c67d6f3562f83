//! What go-yaml says about a text, and where: its own order of looking, its own count of lines.
//!
//! Another reader cannot be asked for that. It notices the same mistake at another place, or a mistake that go-yaml never
//! reaches: that one stops at the end of the first document.

use super::scan::{Fault, Kind, Mark, Scanner, Token};

/// Collections inside each other that are followed; deeper ones are not judged.
const DEPTH_MAX: usize = 256;

/// How go-yaml takes a text.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It has nothing against the text, which is given with spaces for tabs that mean no more.
    Fine(String),
    /// It stops here.
    Fault(Fault),
    /// Not known.
    TooDeep,
}

/// Reads the first document of a text as go-yaml does.
pub(super) fn check(text: &str) -> Verdict {
    if text.chars().any(is_control) {
        let problem = "control characters are not allowed".to_owned();
        return Verdict::Fault(Fault { problem, at: Mark::default(), scanner: false });
    }
    let mut grammar = Grammar { scanner: Scanner::new(text), anchors: Vec::new(), depth: 0 };
    match grammar.document() {
        Ok(()) => Verdict::Fine(grammar.scanner.without_idle_tabs()),
        Err(Stop::Fault(fault)) => Verdict::Fault(fault),
        Err(Stop::TooDeep) => Verdict::TooDeep,
    }
}

fn is_control(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}')
        || matches!(c, '\u{fffe}' | '\u{ffff}')
}

enum Stop {
    Fault(Fault),
    TooDeep,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

type Checked<T = ()> = Result<T, Stop>;

struct Grammar {
    scanner: Scanner,
    anchors: Vec<String>,
    depth: usize,
}

fn fault<T>(problem: &str, at: Mark) -> Checked<T> {
    Err(Stop::Fault(Fault { problem: problem.to_owned(), at, scanner: false }))
}

impl Grammar {
    fn peek(&mut self) -> Checked<Kind> {
        Ok(self.scanner.peek()?.kind)
    }

    fn take(&mut self) -> Checked<Token> {
        let token = self.scanner.peek()?;
        self.scanner.take();
        Ok(token)
    }

    fn document(&mut self) -> Checked {
        let directives = self.peek()? == Kind::Directive;
        while self.peek()? == Kind::Directive {
            self.take()?;
        }
        if directives || self.peek()? == Kind::DocumentStart {
            let token = self.take()?;
            if token.kind != Kind::DocumentStart {
                return fault("did not find expected <document start>", token.at);
            }
            if matches!(self.peek()?, Kind::Directive | Kind::DocumentStart | Kind::DocumentEnd | Kind::StreamEnd) {
                return Ok(());
            }
        } else if self.peek()? == Kind::StreamEnd {
            return Ok(());
        }
        self.node(true, false)?;
        // The end of the document is noticed by what follows it.
        self.peek()?;
        Ok(())
    }

    fn node(&mut self, block: bool, indentless: bool) -> Checked {
        let mut token = self.scanner.peek()?;
        if token.kind == Kind::Alias {
            self.scanner.take();
            if !self.anchors.contains(&token.name) {
                return fault(&format!("unknown anchor '{}' referenced", token.name), Mark::default());
            }
            return Ok(());
        }
        let start = token.at;
        let (mut anchor, mut tag) = (false, false);
        while (token.kind == Kind::Anchor && !anchor) || (token.kind == Kind::Tag && !tag) {
            self.scanner.take();
            if token.kind == Kind::Anchor {
                anchor = true;
                self.anchors.push(token.name);
            } else if !matches!(token.name.as_str(), "" | "!" | "!!") {
                return fault("found undefined tag handle", start);
            } else {
                tag = true;
            }
            token = self.scanner.peek()?;
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Stop::TooDeep);
        }
        match token.kind {
            Kind::BlockEntry if indentless => self.indentless_sequence()?,
            Kind::Scalar => self.scanner.take(),
            Kind::FlowSequence => self.flow_sequence()?,
            Kind::FlowMapping => self.flow_mapping()?,
            Kind::BlockSequence if block => self.block_sequence()?,
            Kind::BlockMapping if block => self.block_mapping()?,
            _ if anchor || tag => {}
            _ => return fault("did not find expected node content", token.at),
        }
        self.depth -= 1;
        Ok(())
    }

    /// A node unless one of these follows: then it is empty.
    fn node_unless(&mut self, ends: &[Kind], block: bool, indentless: bool) -> Checked {
        if ends.contains(&self.peek()?) { Ok(()) } else { self.node(block, indentless) }
    }

    fn block_sequence(&mut self) -> Checked {
        self.take()?;
        loop {
            let token = self.take()?;
            match token.kind {
                Kind::BlockEntry => self.node_unless(&[Kind::BlockEntry, Kind::BlockEnd], true, false)?,
                Kind::BlockEnd => return Ok(()),
                _ => return fault("did not find expected '-' indicator", token.at),
            }
        }
    }

    fn indentless_sequence(&mut self) -> Checked {
        while self.peek()? == Kind::BlockEntry {
            self.take()?;
            self.node_unless(&[Kind::BlockEntry, Kind::Key, Kind::Value, Kind::BlockEnd], true, false)?;
        }
        Ok(())
    }

    fn block_mapping(&mut self) -> Checked {
        const ENDS: [Kind; 3] = [Kind::Key, Kind::Value, Kind::BlockEnd];
        self.take()?;
        loop {
            let token = self.take()?;
            match token.kind {
                Kind::Key => self.node_unless(&ENDS, true, true)?,
                Kind::BlockEnd => return Ok(()),
                _ => return fault("did not find expected key", token.at),
            }
            if self.peek()? == Kind::Value {
                self.take()?;
                self.node_unless(&ENDS, true, true)?;
            }
        }
    }

    fn flow_sequence(&mut self) -> Checked {
        self.take()?;
        let mut first = true;
        while self.peek()? != Kind::FlowSequenceEnd {
            self.flow_entry(&mut first, "did not find expected ',' or ']'")?;
            match self.peek()? {
                Kind::FlowSequenceEnd => break,
                Kind::Key => {
                    self.take()?;
                    self.flow_pair(Kind::FlowSequenceEnd)?;
                }
                _ => self.node(false, false)?,
            }
        }
        self.take()?;
        Ok(())
    }

    fn flow_mapping(&mut self) -> Checked {
        self.take()?;
        let mut first = true;
        while self.peek()? != Kind::FlowMappingEnd {
            self.flow_entry(&mut first, "did not find expected ',' or '}'")?;
            match self.peek()? {
                Kind::FlowMappingEnd => break,
                Kind::Key => {
                    self.take()?;
                    self.flow_pair(Kind::FlowMappingEnd)?;
                }
                _ => self.node(false, false)?,
            }
        }
        self.take()?;
        Ok(())
    }

    /// The comma before every entry but the first.
    fn flow_entry(&mut self, first: &mut bool, problem: &str) -> Checked {
        if std::mem::take(first) {
            return Ok(());
        }
        let token = self.take()?;
        if token.kind == Kind::FlowEntry { Ok(()) } else { fault(problem, token.at) }
    }

    fn flow_pair(&mut self, end: Kind) -> Checked {
        self.node_unless(&[Kind::Value, Kind::FlowEntry, end], false, false)?;
        if self.peek()? == Kind::Value {
            self.take()?;
            self.node_unless(&[Kind::FlowEntry, end], false, false)?;
        }
        Ok(())
    }
}
