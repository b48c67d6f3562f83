//! One instruction (`frontend/dockerfile/instructions/parse.go`).

use json::Value;
use simulation::stub;

use super::words::split;

/// A command: words, or a line for the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Exec(Vec<String>),
    Shell(String),
}

/// COPY and ADD.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copy {
    /// Archives are unpacked.
    pub(crate) is_add: bool,
    pub(crate) from: Option<String>,
    pub(crate) chown: Option<String>,
    pub(crate) chmod: Option<String>,
    pub(crate) sources: Vec<String>,
    pub(crate) to: String,
}

/// What an instruction says; texts are not expanded yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Instruction {
    Arg(Vec<(String, Option<String>)>),
    Cmd(Form),
    Copy(Copy),
    Entrypoint(Form),
    Env(Vec<(String, String)>),
    Expose(Vec<String>),
    Label(Vec<(String, String)>),
    Maintainer(String),
    Run(Form),
    Shell(Vec<String>),
    StopSignal(String),
    User(String),
    Volume(Vec<String>),
    Workdir(String),
}

/// The words that may begin a line.
const KEYWORDS: &[&str] = &[
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Names and values of flags.
pub(super) type Flags = Vec<(String, String)>;

/// Flags at the beginning of what follows a keyword, and the rest.
pub(super) fn flags<'a>(rest: &'a str, known: &[&str]) -> Result<(Flags, &'a str), String> {
    let (mut found, mut rest) = (Vec::new(), rest.trim_start());
    while let Some(flag) = rest.strip_prefix("--") {
        let (word, after) = flag.split_once(char::is_whitespace).unwrap_or((flag, ""));
        let (name, value) = word.split_once('=').unwrap_or((word, "true"));
        if !known.contains(&name) {
            return Err(format!("unknown flag: --{name}"));
        }
        found.push((name.to_owned(), value.to_owned()));
        rest = after.trim_start();
    }
    Ok((found, rest))
}

fn array(rest: &str) -> Option<Vec<String>> {
    let value: Value = json::from_str(rest.trim().strip_prefix('[').map(|_| rest.trim())?).ok()?;
    let words = value.as_array()?.iter().map(|word| word.as_str().map(str::to_owned));
    words.collect()
}

fn form(rest: &str) -> Form {
    array(rest).map_or_else(|| Form::Shell(rest.to_owned()), Form::Exec)
}

fn words(rest: &str) -> Vec<String> {
    array(rest).unwrap_or_else(|| split(rest))
}

/// `a=b c="d e"`, or the old form `a b c`.
fn pairs(keyword: &str, rest: &str) -> Result<Vec<(String, String)>, String> {
    let all = split(rest);
    let Some(first) = all.first() else { return Err(format!("{keyword} requires at least one argument")) };
    if !first.contains('=') {
        let (name, value) =
            rest.split_once(char::is_whitespace).ok_or_else(|| format!("{keyword} must have two arguments"))?;
        return Ok(vec![(name.to_owned(), value.trim().to_owned())]);
    }
    let pair = |word: &String| match word.split_once('=') {
        Some(("", _)) => Err(format!("{keyword} names can not be blank")),
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err(format!("Syntax error - can't find = in {word:?}. Must be of the form: name=value")),
    };
    all.iter().map(pair).collect()
}

fn copy(keyword: &str, rest: &str) -> Result<Instruction, String> {
    let is_add = keyword == "ADD";
    let known: &[&str] = if is_add {
        &["chown", "chmod", "link", "keep-git-dir", "checksum", "exclude"]
    } else {
        &["from", "chown", "chmod", "link", "parents", "exclude"]
    };
    let (given, rest) = flags(rest, known)?;
    if rest.contains("<<") {
        return Err(stub!("docker build", "here-documents in a Dockerfile").to_owned());
    }
    let mut copy = Copy { is_add, ..Copy::default() };
    for (name, value) in given {
        match name.as_str() {
            "from" => copy.from = Some(value),
            "chown" => copy.chown = Some(value),
            "chmod" => copy.chmod = Some(value),
            "link" => {} // a matter of how layers are stored
            _ => return Err(stub!("docker build", "--exclude, --parents, --checksum and --keep-git-dir").to_owned()),
        }
    }
    let mut all = words(rest);
    copy.to = match all.pop() {
        Some(to) if !all.is_empty() => to,
        Some(_) => {
            return Err(format!(
                "{keyword} requires at least two arguments, but only one was provided. Destination could not be determined"
            ));
        }
        None => {
            return Err(format!(
                "{keyword} requires at least two arguments, but only one was provided. Destination could not be determined"
            ));
        }
    };
    copy.sources = all;
    Ok(Instruction::Copy(copy))
}

fn run(rest: &str) -> Result<Instruction, String> {
    let (given, rest) = flags(rest, &["mount", "network", "security", "device"])?;
    if !given.is_empty() {
        return Err(stub!("docker build", "flags of RUN").to_owned());
    }
    if rest.contains("<<") {
        return Err(stub!("docker build", "here-documents in a Dockerfile").to_owned());
    }
    one("RUN", rest)?;
    Ok(Instruction::Run(form(rest)))
}

fn one(keyword: &str, rest: &str) -> Result<String, String> {
    if rest.is_empty() { Err(format!("{keyword} requires at least one argument")) } else { Ok(rest.to_owned()) }
}

fn exactly_one(keyword: &str, rest: &str) -> Result<String, String> {
    match &split(rest)[..] {
        [word] => Ok(word.clone()),
        _ => Err(format!("{keyword} requires exactly one argument")),
    }
}

fn args(rest: &str) -> Result<Instruction, String> {
    one("ARG", rest)?;
    let arg = |word: String| match word.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (word, None),
    };
    let all: Vec<_> = split(rest).into_iter().map(arg).collect();
    if all.iter().any(|(name, _)| name.is_empty()) {
        return Err("ARG names can not be blank".to_owned());
    }
    Ok(Instruction::Arg(all))
}

/// Reads what follows a keyword.
///
/// # Errors
/// In the builder's words, without the place.
pub(super) fn parse_instruction(keyword: &str, rest: &str) -> Result<Instruction, String> {
    let upper = keyword.to_uppercase();
    match upper.as_str() {
        "ADD" | "COPY" => copy(&upper, rest),
        "ARG" => args(rest),
        "CMD" => Ok(Instruction::Cmd(form(rest))),
        "ENTRYPOINT" => {
            one(&upper, rest)?;
            Ok(Instruction::Entrypoint(form(rest)))
        }
        "ENV" => pairs(&upper, rest).map(Instruction::Env),
        "EXPOSE" => {
            one(&upper, rest)?;
            Ok(Instruction::Expose(split(rest)))
        }
        "HEALTHCHECK" => Err(stub!("docker build", "HEALTHCHECK").to_owned()),
        "LABEL" => pairs(&upper, rest).map(Instruction::Label),
        "MAINTAINER" => one(&upper, rest).map(Instruction::Maintainer),
        "ONBUILD" => Err(stub!("docker build", "ONBUILD").to_owned()),
        "RUN" => run(rest),
        "SHELL" => array(rest).filter(|words| !words.is_empty()).map(Instruction::Shell).ok_or_else(|| {
            format!("SHELL requires the arguments to be in JSON form, e.g. SHELL [\"/bin/sh\", \"-c\"], not {rest}")
        }),
        "STOPSIGNAL" => exactly_one(&upper, rest).map(Instruction::StopSignal),
        "USER" => exactly_one(&upper, rest).map(Instruction::User),
        "VOLUME" => {
            one(&upper, rest)?;
            Ok(Instruction::Volume(words(rest)))
        }
        "WORKDIR" => exactly_one(&upper, rest).map(Instruction::Workdir),
        _ => Err(unknown(keyword)),
    }
}

fn unknown(keyword: &str) -> String {
    let lower = keyword.to_lowercase();
    let near = KEYWORDS.iter().map(|known| (machine::distance(&lower, &known.to_lowercase()), *known));
    let near = near.filter(|(distance, _)| *distance < 3).min_by_key(|(distance, _)| *distance);
    match near {
        Some((_, known)) => {
            let is_lower = keyword == lower;
            let known = if is_lower { known.to_lowercase() } else { known.to_owned() };
            format!("unknown instruction: {keyword} (did you mean {known}?)")
        }
        None => format!("unknown instruction: {keyword}"),
    }
}
