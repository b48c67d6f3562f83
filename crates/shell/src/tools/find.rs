//! `find`: tests by name, type, depth, size and time; `-print`, `-print0`, `-delete`, `-exec`.

use machine::Ctx;
use vfs::{FileKind, Metadata};

use super::Outcome;
use super::environment::run_command;
use super::io::complain;
use crate::expand::pattern;

/// Directories inside each other that are visited.
const DEPTH_MAX: usize = 128;
/// Words of an expression.
const TERMS_MAX: usize = 200;

enum Test {
    Name(String, bool),
    Path(String),
    Kind(char),
    Empty,
    Not(Box<Test>),
    Or(Box<Test>, Box<Test>),
    And(Vec<Test>),
    Newer(simulation::Time),
    Size(char, u64),
    Print(&'static str),
    Delete,
    Exec(Vec<String>, bool),
    Prune,
    Always,
}

struct Parser<'a> {
    ctx: &'a Ctx,
    words: &'a [String],
    at: usize,
    acts: bool,
    max_depth: usize,
    min_depth: usize,
}

impl Parser<'_> {
    fn value(&mut self, name: &str) -> Result<String, String> {
        self.at += 1;
        self.words.get(self.at - 1).cloned().ok_or(format!("missing argument to `{name}'"))
    }

    fn or(&mut self) -> Result<Test, String> {
        let mut left = self.and()?;
        while self.words.get(self.at).is_some_and(|w| w == "-o" || w == "-or") {
            self.at += 1;
            left = Test::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Test, String> {
        let mut all = Vec::new();
        while let Some(word) = self.words.get(self.at) {
            match word.as_str() {
                "-o" | "-or" | ")" => break,
                "-a" | "-and" => self.at += 1,
                _ => all.push(self.term()?),
            }
        }
        Ok(Test::And(all))
    }

    fn term(&mut self) -> Result<Test, String> {
        let word = self.words[self.at].clone();
        self.at += 1;
        if self.at > TERMS_MAX {
            return Err(format!("more than {TERMS_MAX} words of expression"));
        }
        Ok(match word.as_str() {
            "!" | "-not" => {
                if self.at >= self.words.len() {
                    return Err("expected an expression after '!'".into());
                }
                Test::Not(Box::new(self.term()?))
            }
            "(" => {
                let inner = self.or()?;
                if self.words.get(self.at).is_none_or(|w| w != ")") {
                    return Err(
                        "invalid expression; I was expecting to find a ')' somewhere but did not see one.".into()
                    );
                }
                self.at += 1;
                inner
            }
            "-name" => Test::Name(self.value(&word)?, false),
            "-iname" => Test::Name(self.value(&word)?.to_lowercase(), true),
            "-path" | "-wholename" => Test::Path(self.value(&word)?),
            "-type" => Test::Kind(self.value(&word)?.chars().next().unwrap_or('f')),
            "-empty" => Test::Empty,
            "-newer" => {
                let path = self.value(&word)?;
                let meta = self.ctx.fs.stat(&self.ctx.path(&path)).map_err(|e| format!("'{path}': {e}"))?;
                Test::Newer(meta.modified)
            }
            "-size" => {
                let text = self.value(&word)?;
                let sign = text.chars().next().filter(|c| matches!(c, '+' | '-')).unwrap_or('=');
                let digits = text.trim_start_matches(['+', '-']);
                let unit = match digits.chars().last() {
                    Some('c') => 1,
                    Some('k') => 1024,
                    Some('M') => 1024 * 1024,
                    _ => 512,
                };
                let number = digits.trim_end_matches(|c: char| c.is_alphabetic()).parse::<u64>();
                Test::Size(sign, number.map_err(|_| format!("invalid -size type `{text}'"))? * unit)
            }
            "-maxdepth" | "-mindepth" => {
                let text = self.value(&word)?;
                let depth = text
                    .parse()
                    .map_err(|_| format!("Expected a positive decimal integer argument to {word}, but got '{text}'"))?;
                if word == "-maxdepth" {
                    self.max_depth = depth
                } else {
                    self.min_depth = depth
                }
                Test::Always
            }
            "-print" | "-print0" | "-delete" | "-exec" => return self.action(&word),
            "-prune" => Test::Prune,
            "-true" => Test::Always,
            other if other.starts_with('-') => return Err(format!("unknown predicate `{other}'")),
            other => return Err(format!("paths must precede expression: `{other}'")),
        })
    }

    /// A term that does something.
    fn action(&mut self, word: &str) -> Result<Test, String> {
        self.acts = true;
        Ok(match word {
            "-print" => Test::Print("\n"),
            "-print0" => Test::Print("\0"),
            "-delete" => Test::Delete,
            _ => {
                let end = self.words[self.at..].iter().position(|w| w == ";" || w == "+");
                let Some(end) = end else { return Err("missing argument to `-exec'".into()) };
                let words = self.words[self.at..self.at + end].to_vec();
                let each = self.words[self.at + end] == ";";
                self.at += end + 1;
                Test::Exec(words, each)
            }
        })
    }
}

struct Visit {
    path: String,
    depth: usize,
    meta: Metadata,
    prune: bool,
}

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let first = args[1..].iter().position(|a| a.starts_with('-') || a == "!" || a == "(").map_or(args.len(), |i| i + 1);
    let mut roots = args[1..first].to_vec();
    if roots.is_empty() {
        roots.push(".".into());
    }
    let mut parser =
        Parser { ctx: &ctx, words: &args[first..], at: 0, acts: false, max_depth: DEPTH_MAX, min_depth: 0 };
    let test = match parser.or() {
        Ok(test) if parser.at >= parser.words.len() => test,
        Ok(_) => {
            complain(&ctx, "find", "you have too many ')'").await;
            return Ok(1);
        }
        Err(message) => {
            complain(&ctx, "find", message).await;
            return Ok(1);
        }
    };
    let (acts, max_depth, min_depth) = (parser.acts, parser.max_depth, parser.min_depth);
    let mut code = 0;
    let mut deleted = Vec::new();
    let mut collected: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for root in roots {
        let mut stack = vec![(root, 0)];
        while let Some((path, depth)) = stack.pop() {
            let meta = match ctx.fs.lstat(&ctx.path(&path)) {
                Ok(meta) => meta,
                Err(errno) => {
                    complain(&ctx, "find", format!("'{path}': {errno}")).await;
                    code = 1;
                    continue;
                }
            };
            let is_dir = meta.is_dir();
            let mut visit = Visit { path: path.clone(), depth, meta, prune: false };
            if depth >= min_depth {
                let mut todo = Vec::new();
                if matches(&ctx, &test, &mut visit, &mut todo) && !acts {
                    todo.push(Act::Print("\n"));
                }
                for act in todo {
                    match act {
                        Act::Print(end) => ctx.out(format!("{path}{end}")).await?,
                        Act::Delete => deleted.push(path.clone()),
                        Act::Exec(words, true) => {
                            let words = words.iter().map(|w| w.replace("{}", &path)).collect::<Vec<_>>();
                            if run_command(ctx.clone(), words.clone()).await.is_none() {
                                complain(&ctx, "find", format!("'{}': No such file or directory", words[0])).await;
                                code = 1;
                            }
                        }
                        Act::Exec(words, false) => match collected.iter_mut().find(|(w, _)| *w == words) {
                            Some((_, paths)) => paths.push(path.clone()),
                            None => collected.push((words, vec![path.clone()])),
                        },
                    }
                }
            }
            if is_dir && depth < max_depth && !visit.prune {
                let entries = ctx.fs.readdir(&ctx.path(&path)).unwrap_or_default();
                for entry in entries.into_iter().rev() {
                    stack.push((format!("{}/{}", path.trim_end_matches('/'), entry.name), depth + 1));
                }
            }
        }
    }
    for (words, paths) in collected {
        let words = words.iter().flat_map(|w| if w == "{}" { paths.clone() } else { vec![w.clone()] }).collect();
        code = run_command(ctx.clone(), words).await.unwrap_or(1).max(code);
    }
    for path in deleted.into_iter().rev() {
        let full = ctx.path(&path);
        let result =
            if ctx.fs.lstat(&full).is_ok_and(|m| m.is_dir()) { ctx.fs.rmdir(&full) } else { ctx.fs.unlink(&full) };
        if let Err(errno) = result {
            complain(&ctx, "find", format!("cannot delete '{path}': {errno}")).await;
            code = 1;
        }
    }
    Ok(code)
}

enum Act {
    Print(&'static str),
    Delete,
    Exec(Vec<String>, bool),
}

fn matches(ctx: &Ctx, test: &Test, visit: &mut Visit, todo: &mut Vec<Act>) -> bool {
    match test {
        Test::Always => true,
        Test::Name(pat, fold) => {
            let name = match vfs::path::basename(&visit.path) {
                "" => "/",
                name => name,
            };
            if *fold { pattern::matches(pat, &name.to_lowercase()) } else { pattern::matches(pat, name) }
        }
        Test::Path(pat) => pattern::matches(pat, &visit.path),
        Test::Kind(letter) => match visit.meta.kind {
            FileKind::Regular => *letter == 'f',
            FileKind::Directory => *letter == 'd',
            FileKind::Symlink => *letter == 'l',
            FileKind::CharDevice => *letter == 'c',
        },
        Test::Empty if visit.meta.is_dir() => ctx.fs.readdir(&ctx.path(&visit.path)).is_ok_and(|e| e.is_empty()),
        Test::Empty => visit.meta.is_file() && visit.meta.size == 0,
        Test::Not(inner) => !matches(ctx, inner, visit, todo),
        Test::Or(left, right) => matches(ctx, left, visit, todo) || matches(ctx, right, visit, todo),
        Test::And(all) => all.iter().all(|t| matches(ctx, t, visit, todo)),
        Test::Newer(time) => visit.meta.modified > *time,
        Test::Size('+', bytes) => visit.meta.size > *bytes,
        Test::Size('-', bytes) => visit.meta.size < *bytes,
        Test::Size(_, bytes) => visit.meta.size == *bytes,
        Test::Print(end) => {
            todo.push(Act::Print(end));
            true
        }
        Test::Delete => {
            if visit.depth > 0 || visit.path != "." {
                todo.push(Act::Delete);
            }
            true
        }
        Test::Exec(words, each) => {
            todo.push(Act::Exec(words.clone(), *each));
            true
        }
        Test::Prune => {
            visit.prune = true;
            true
        }
    }
}
