//! Dockerfiles: from text to stages and their instructions (`moby/buildkit/frontend/dockerfile/{parser,instructions}`).

mod instruction;
mod lines;
mod words;

pub(crate) use instruction::{Copy, Form, Instruction};
pub(crate) use words::expand;

use instruction::parse_instruction;

/// The lines of a file that something stands on, the first and the last, from 1.
pub(crate) type Lines = (usize, usize);

/// What is wrong with a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    /// None when it is about the whole file.
    pub(crate) lines: Option<Lines>,
}

impl SyntaxError {
    /// As the builder says it.
    pub(crate) fn words(&self) -> String {
        match self.lines {
            Some((first, _)) => format!("dockerfile parse error on line {first}: {}", self.message),
            None => self.message.clone(),
        }
    }
}

/// One instruction where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) what: Instruction,
    /// As it is written, on one line.
    pub(crate) text: String,
    pub(crate) lines: Lines,
}

/// What begins with FROM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    /// An image, or an earlier stage; not yet expanded.
    pub(crate) base: String,
    pub(crate) name: Option<String>,
    pub(crate) lines: Lines,
    pub(crate) steps: Vec<Step>,
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dockerfile {
    /// ARG before the first FROM: names and defaults.
    pub(crate) args: Vec<(String, Option<String>)>,
    pub(crate) stages: Vec<Stage>,
}

impl Dockerfile {
    /// Reads a file.
    ///
    /// # Errors
    /// In the builder's words.
    pub(crate) fn parse(text: &str) -> Result<Dockerfile, SyntaxError> {
        let whole = |message: &str| SyntaxError { message: message.to_owned(), lines: None };
        if text.trim().is_empty() {
            return Err(whole("the Dockerfile cannot be empty"));
        }
        let logical = lines::split(text)?;
        if logical.is_empty() {
            return Err(whole("file with no instructions"));
        }
        let mut file = Dockerfile::default();
        for line in logical {
            let at = line.lines;
            let wrong = |message: String| SyntaxError { message, lines: Some(at) };
            let (keyword, rest) = lines::keyword(&line.text);
            let text = format!("{} {rest}", keyword.to_uppercase()).trim_end().to_owned();
            if keyword.eq_ignore_ascii_case("FROM") {
                let (base, name) = from(rest).map_err(wrong)?;
                file.stages.push(Stage { base, name, lines: at, steps: Vec::new() });
                continue;
            }
            let what = parse_instruction(keyword, rest).map_err(wrong)?;
            match (file.stages.last_mut(), what) {
                (Some(stage), what) => stage.steps.push(Step { what, text, lines: at }),
                (None, Instruction::Arg(args)) => file.args.extend(args),
                (None, _) => return Err(wrong("no build stage in current context".to_owned())),
            }
        }
        if file.stages.is_empty() {
            return Err(whole("no build stage in current context"));
        }
        Ok(file)
    }

    /// The number of a stage by its name or number, among those before `before`.
    pub(crate) fn stage(&self, name: &str, before: usize) -> Option<usize> {
        let earlier = &self.stages[..before];
        let named = earlier.iter().rposition(|s| s.name.as_deref().is_some_and(|n| n.eq_ignore_ascii_case(name)));
        named.or_else(|| name.parse().ok().filter(|number| *number < before))
    }
}

fn from(rest: &str) -> Result<(String, Option<String>), String> {
    let (flags, rest) = instruction::flags(rest, &["platform"])?;
    drop(flags); // there is one platform here
    let words: Vec<&str> = rest.split_whitespace().collect();
    match words[..] {
        [base] => Ok((base.to_owned(), None)),
        [base, word, name] if word.eq_ignore_ascii_case("as") => {
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
            let name = name.to_lowercase();
            if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(good) {
                let shown = words[2];
                return Err(format!(
                    "invalid name for build stage: {shown:?}, name can't start with a number or contain symbols"
                ));
            }
            Ok((base.to_owned(), Some(name)))
        }
        _ => Err("FROM requires either one or three arguments".to_owned()),
    }
}

#[cfg(test)]
mod tests;
