//! `test` and `[`; also the operators of `[[ ]]`.

use crate::exec::Exec;
use crate::shell::Shell;

/// A unary operator; none if there is no such operator.
pub(crate) fn unary(sh: &Shell, op: &str, text: &str) -> Option<bool> {
    let view = sh.fs.at(&sh.cwd);
    let meta = || view.stat(text);
    Some(match op {
        "-n" => !text.is_empty(),
        "-z" => text.is_empty(),
        "-e" | "-a" => meta().is_ok(),
        "-f" => meta().is_ok_and(|m| m.is_file()),
        "-d" => meta().is_ok_and(|m| m.is_dir()),
        "-s" => meta().is_ok_and(|m| m.size > 0),
        "-L" | "-h" => view.lstat(text).is_ok_and(|m| m.is_symlink()),
        "-c" => meta().is_ok_and(|m| m.kind == vfs::FileKind::CharDevice),
        "-b" | "-p" | "-S" => false,
        "-r" => view.access(text, 4).is_ok(),
        "-w" => view.access(text, 2).is_ok(),
        "-x" => view.access(text, 1).is_ok(),
        "-u" => meta().is_ok_and(|m| m.mode & 0o4000 != 0),
        "-g" => meta().is_ok_and(|m| m.mode & 0o2000 != 0),
        "-k" => meta().is_ok_and(|m| m.mode & 0o1000 != 0),
        "-O" | "-G" => meta().is_ok_and(|m| m.uid == view.credentials().uid),
        "-t" => match text.parse::<u32>().ok().and_then(|fd| sh.fds.get(&fd)) {
            Some(fd) => fd.read.as_ref().is_some_and(|r| r.is_tty()) || fd.write.as_ref().is_some_and(|w| w.is_tty()),
            None => false,
        },
        "-v" => {
            let name = text.split_once('[').map_or(text, |(name, _)| name);
            sh.vars.get(name).is_some_and(|v| v.value != crate::vars::Value::Unset) || sh.dynamic(text).is_some()
        }
        "-o" => false,
        _ => return None,
    })
}

/// A numeric comparison.
pub(crate) fn numbers(op: &str, a: i64, b: i64) -> bool {
    match op {
        "-eq" => a == b,
        "-ne" => a != b,
        "-lt" => a < b,
        "-le" => a <= b,
        "-gt" => a > b,
        _ => a >= b,
    }
}

fn is_binary(op: &str) -> bool {
    matches!(op, "=" | "==" | "!=" | "<" | ">" | "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" | "-nt" | "-ot" | "-ef")
}

/// A binary operator on texts; the error is bash's sentence.
pub(crate) fn binary(sh: &Shell, left: &str, op: &str, right: &str) -> Result<bool, String> {
    let view = sh.fs.at(&sh.cwd);
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| format!("{text}: integer expression expected"));
    Ok(match op {
        "=" | "==" => left == right,
        "!=" => left != right,
        "<" => left < right,
        ">" => left > right,
        "-nt" | "-ot" | "-ef" => {
            let (a, b) = (view.stat(left).ok(), view.stat(right).ok());
            match (op, a, b) {
                ("-nt", Some(a), Some(b)) => a.modified > b.modified,
                ("-ot", Some(a), Some(b)) => a.modified < b.modified,
                ("-ef", Some(a), Some(b)) => (a.dev, a.ino) == (b.dev, b.ino),
                ("-nt", Some(_), None) | ("-ot", None, Some(_)) => true,
                _ => false,
            }
        }
        _ => numbers(op, number(left)?, number(right)?),
    })
}

pub(crate) async fn run(sh: &mut Shell, args: &[String]) -> Exec {
    let name = args[0].as_str();
    let mut words = &args[1..];
    if name == "[" {
        match words.split_last() {
            Some((last, rest)) if last == "]" => words = rest,
            _ => return sh.failed("[: missing `]'", 2).await,
        }
    }
    match evaluate(sh, words) {
        Ok(truth) => Ok(i32::from(!truth)),
        Err(message) => sh.failed(&format!("{name}: {message}"), 2).await,
    }
}

/// POSIX decides by the number of arguments up to four; beyond that the grammar with `-a` and `-o` is used.
fn evaluate(sh: &Shell, words: &[String]) -> Result<bool, String> {
    match words {
        [] => Ok(false),
        [one] => Ok(!one.is_empty()),
        [not, one] if not == "!" => Ok(one.is_empty()),
        [op, one] => unary(sh, op, one).ok_or(format!("{op}: unary operator expected")),
        [left, op, right] if is_binary(op) => binary(sh, left, op, right),
        [left, op, right] if op == "-a" => Ok(!left.is_empty() && !right.is_empty()),
        [left, op, right] if op == "-o" => Ok(!left.is_empty() || !right.is_empty()),
        [not, rest @ ..] if not == "!" && words.len() <= 4 => evaluate(sh, rest).map(|t| !t),
        [open, one, close] if open == "(" && close == ")" => Ok(!one.is_empty()),
        [_, op, _] => Err(format!("{op}: binary operator expected")),
        [open, inner @ .., close] if open == "(" && close == ")" && words.len() == 4 => evaluate(sh, inner),
        _ => {
            let mut expression = Expression { sh, words, at: 0, depth: 0 };
            let truth = expression.or()?;
            if expression.at < words.len() {
                return Err("too many arguments".into());
            }
            Ok(truth)
        }
    }
}

struct Expression<'a> {
    sh: &'a Shell,
    words: &'a [String],
    at: usize,
    depth: u32,
}

/// Parentheses and negations inside each other.
const DEPTH_MAX: u32 = 100;

impl Expression<'_> {
    fn peek(&self, ahead: usize) -> Option<&str> {
        self.words.get(self.at + ahead).map(String::as_str)
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut truth = self.and()?;
        while self.peek(0) == Some("-o") {
            self.at += 1;
            truth |= self.and()?;
        }
        Ok(truth)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut truth = self.term()?;
        while self.peek(0) == Some("-a") {
            self.at += 1;
            truth &= self.term()?;
        }
        Ok(truth)
    }

    fn term(&mut self) -> Result<bool, String> {
        if self.depth >= DEPTH_MAX {
            return Err("too many arguments".into());
        }
        self.depth += 1;
        let truth = self.term_inner();
        self.depth -= 1;
        truth
    }

    fn term_inner(&mut self) -> Result<bool, String> {
        let Some(first) = self.peek(0).map(str::to_owned) else { return Err("argument expected".into()) };
        if first == "!" {
            self.at += 1;
            return self.term().map(|t| !t);
        }
        if first == "(" {
            self.at += 1;
            let truth = self.or()?;
            if self.peek(0) != Some(")") {
                return Err("`)' expected".into());
            }
            self.at += 1;
            return Ok(truth);
        }
        if let (Some(op), Some(right)) = (self.peek(1).map(str::to_owned), self.peek(2).map(str::to_owned))
            && is_binary(&op)
        {
            self.at += 3;
            return binary(self.sh, &first, &op, &right);
        }
        if let Some(operand) = self.peek(1)
            && let Some(truth) = unary(self.sh, &first, operand)
        {
            self.at += 2;
            return Ok(truth);
        }
        self.at += 1;
        if self.peek(0).is_none_or(|w| matches!(w, "-a" | "-o" | ")")) {
            return Ok(!first.is_empty());
        }
        Err("too many arguments".into())
    }
}
