//! find.

use std::fs::Metadata;
use std::time::SystemTime;

use crate::applet::{Fail, Io, Outcome, about};
use crate::pattern::Pattern;

enum Test {
    Name(Pattern, bool),
    Path(Pattern),
    Type(char),
    Empty,
    Size(i64, i64, char),
    Minutes(i64, char),
    Newer(SystemTime),
    Not(Box<Test>),
    And(Vec<Test>),
    Or(Vec<Test>),
    Print(&'static str),
    Exec(Vec<String>),
    Delete,
    Prune,
}

struct Finder {
    test: Test,
    min_depth: i64,
    max_depth: i64,
    status: i32,
}

struct Parser<'a> {
    words: &'a [String],
    at: usize,
    min_depth: i64,
    max_depth: i64,
    acts: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.at).map(String::as_str)
    }

    fn argument(&mut self, of: &str) -> Result<String, Fail> {
        self.at += 1;
        let word = self.words.get(self.at - 1).cloned();
        word.ok_or_else(|| Fail::Message(format!("missing argument to '{of}'")))
    }

    fn or(&mut self) -> Result<Test, Fail> {
        let mut all = vec![self.and()?];
        while matches!(self.peek(), Some("-o" | "-or")) {
            self.at += 1;
            all.push(self.and()?);
        }
        Ok(Test::Or(all))
    }

    fn and(&mut self) -> Result<Test, Fail> {
        let mut all = Vec::new();
        while let Some(word) = self.peek() {
            if matches!(word, "-o" | "-or" | ")") {
                break;
            }
            if matches!(word, "-a" | "-and") {
                self.at += 1;
                continue;
            }
            all.extend(self.primary()?);
        }
        Ok(Test::And(all))
    }

    /// A number with the sign in front of it.
    fn counted(&mut self, of: &str) -> Result<(i64, char, String), Fail> {
        let text = self.argument(of)?;
        let sign = text.chars().next().filter(|c| matches!(c, '+' | '-')).unwrap_or('=');
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let unit = text.trim_start_matches(['+', '-']).trim_start_matches(|c: char| c.is_ascii_digit()).to_owned();
        let value = digits.parse().map_err(|_| Fail::Message(format!("invalid number '{text}'")))?;
        Ok((value, sign, unit))
    }

    fn primary(&mut self) -> Result<Option<Test>, Fail> {
        let word = self.argument("find")?;
        Ok(Some(match word.as_str() {
            "!" | "-not" => match self.primary()? {
                Some(test) => Test::Not(Box::new(test)),
                None => return Ok(None),
            },
            "(" => {
                let inner = self.or()?;
                if self.argument("(")? != ")" {
                    return Err(Fail::Message("missing ')'".to_owned()));
                }
                inner
            }
            "-name" => Test::Name(Pattern::parse(&self.argument(&word)?), false),
            "-iname" => Test::Name(Pattern::parse(&self.argument(&word)?.to_lowercase()), true),
            "-path" | "-wholename" => Test::Path(Pattern::parse(&self.argument(&word)?)),
            "-type" => Test::Type(self.argument(&word)?.chars().next().unwrap_or('f')),
            "-empty" => Test::Empty,
            "-size" => {
                let (value, sign, unit) = self.counted(&word)?;
                let unit = match unit.as_str() {
                    "c" => 1,
                    "k" => 1024,
                    "M" => 1 << 20,
                    "G" => 1 << 30,
                    _ => 512,
                };
                Test::Size(value, unit, sign)
            }
            "-mmin" => {
                let (value, sign, _) = self.counted(&word)?;
                Test::Minutes(value, sign)
            }
            "-mtime" => {
                let (value, sign, _) = self.counted(&word)?;
                Test::Minutes(value * 1440, sign)
            }
            "-newer" => {
                let file = self.argument(&word)?;
                let modified = std::fs::metadata(&file).and_then(|m| m.modified());
                Test::Newer(modified.map_err(|e| Fail::Message(about(&file, &e)))?)
            }
            "-maxdepth" => {
                self.max_depth = self.counted(&word)?.0;
                return Ok(None);
            }
            "-mindepth" => {
                self.min_depth = self.counted(&word)?.0;
                return Ok(None);
            }
            "-depth" | "-xdev" | "-mount" | "-follow" => return Ok(None),
            "-print" => self.acting(Test::Print("\n")),
            "-print0" => self.acting(Test::Print("\0")),
            "-delete" => self.acting(Test::Delete),
            "-prune" => Test::Prune,
            "-exec" => {
                let mut command = Vec::new();
                loop {
                    let word = self.argument("-exec")?;
                    if word == ";" || word == "+" {
                        break;
                    }
                    command.push(word);
                }
                self.acting(Test::Exec(command))
            }
            other => return Err(Fail::Message(format!("unrecognized: {other}"))),
        }))
    }

    fn acting(&mut self, test: Test) -> Test {
        self.acts = true;
        test
    }
}

fn compares(value: i64, wanted: i64, sign: char) -> bool {
    match sign {
        '+' => value > wanted,
        '-' => value < wanted,
        _ => value == wanted,
    }
}

impl Finder {
    fn walk(&mut self, io: &mut Io<'_>, path: &str, depth: i64) -> Result<(), Fail> {
        let meta = match std::fs::symlink_metadata(path) {
            Ok(meta) => meta,
            Err(error) => {
                io.out.flush()?;
                writeln!(io.err, "find: {}", about(path, &error))?;
                self.status = 1;
                return Ok(());
            }
        };
        let mut prune = false;
        // What deletes must come after what is inside.
        let after = contains_delete(&self.test);
        if depth >= self.min_depth && !after {
            let test = std::mem::replace(&mut self.test, Test::Empty);
            let result = run_test(&test, io, path, &meta, &mut prune);
            self.test = test;
            result?;
        }
        if meta.is_dir() && depth < self.max_depth && !prune {
            let mut names: Vec<String> =
                std::fs::read_dir(path)?.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            for name in names {
                self.walk(io, &format!("{}/{name}", path.trim_end_matches('/')), depth + 1)?;
            }
        }
        if depth >= self.min_depth && after {
            run_test(&self.test, io, path, &meta, &mut prune)?;
        }
        Ok(())
    }
}

fn contains_delete(test: &Test) -> bool {
    match test {
        Test::Delete => true,
        Test::And(all) | Test::Or(all) => all.iter().any(contains_delete),
        Test::Not(inner) => contains_delete(inner),
        _ => false,
    }
}

fn run_test(test: &Test, io: &mut Io<'_>, path: &str, meta: &Metadata, prune: &mut bool) -> Result<bool, Fail> {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
    Ok(match test {
        Test::Name(pattern, false) => pattern.matches(name),
        Test::Name(pattern, true) => pattern.matches(&name.to_lowercase()),
        Test::Path(pattern) => pattern.matches(path),
        Test::Type(kind) => match kind {
            'd' => meta.is_dir(),
            'l' => meta.is_symlink(),
            'f' => meta.is_file(),
            _ => false,
        },
        Test::Empty if meta.is_dir() => std::fs::read_dir(path)?.next().is_none(),
        Test::Empty => meta.len() == 0,
        Test::Size(wanted, unit, sign) => {
            let units = i64::try_from(meta.len()).unwrap_or(i64::MAX).saturating_add(unit - 1) / unit;
            compares(units, *wanted, *sign)
        }
        Test::Minutes(wanted, sign) => {
            let age = meta
                .modified()
                .ok()
                .and_then(|t| SystemTime::now().duration_since(t).ok())
                .map_or(0, |d| d.as_secs() / 60);
            compares(i64::try_from(age).unwrap_or(i64::MAX), *wanted, *sign)
        }
        Test::Newer(than) => meta.modified().is_ok_and(|t| t > *than),
        Test::Not(inner) => !run_test(inner, io, path, meta, prune)?,
        Test::And(all) => {
            for inner in all {
                if !run_test(inner, io, path, meta, prune)? {
                    return Ok(false);
                }
            }
            true
        }
        Test::Or(all) => {
            for inner in all {
                if run_test(inner, io, path, meta, prune)? {
                    return Ok(true);
                }
            }
            false
        }
        Test::Print(end) => {
            write!(io.out, "{path}{end}")?;
            true
        }
        Test::Exec(command) => {
            io.out.flush()?;
            let argv: Vec<String> = command.iter().map(|w| w.replace("{}", path)).collect();
            let env: Vec<(String, String)> = std::env::vars().collect();
            super::which::launch(&argv, &env)? == 0
        }
        Test::Delete => {
            if meta.is_dir() {
                std::fs::remove_dir(path).is_ok()
            } else {
                std::fs::remove_file(path).is_ok()
            }
        }
        Test::Prune => {
            *prune = true;
            true
        }
    })
}

/// Walks folders and tests what is there.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let split = args[1..]
        .iter()
        .position(|a| a.starts_with('-') || matches!(a.as_str(), "(" | "!"))
        .map_or(args.len(), |i| i + 1);
    let mut paths = args[1..split].to_vec();
    if paths.is_empty() {
        paths.push(".".to_owned());
    }
    let mut parser = Parser { words: &args[split..], at: 0, min_depth: 0, max_depth: i64::MAX, acts: false };
    let mut test = parser.or()?;
    if parser.at < parser.words.len() {
        return Err(Fail::Message("unexpected ')'".to_owned()));
    }
    if !parser.acts {
        test = Test::And(vec![test, Test::Print("\n")]);
    }
    let mut finder = Finder { test, min_depth: parser.min_depth, max_depth: parser.max_depth, status: 0 };
    for path in paths {
        finder.walk(io, &path, 0)?;
    }
    Ok(finder.status)
}
