//! Compiling a filter and running it.

use std::io::Write;

use jaq_core::compile::Lut;
use jaq_core::data::{DataT, HasLut};
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::native::{self, Fun};
use jaq_core::{Compiler, Ctx, Native, Vars, unwrap_valr};
use jaq_json::{Val, write};
use jaq_std::input::{self, HasInputs, Inputs, RcIter};

use crate::options::Options;

/// The kind of data that filters have: values, and the inputs that are left.
struct Kind;

#[derive(Clone)]
struct Data<'a> {
    lut: &'a Lut<Native<Kind>>,
    inputs: Inputs<'a, Val>,
}

impl DataT for Kind {
    type V<'a> = Val;
    type Data<'a> = Data<'a>;
}

impl<'a> HasLut<'a, Kind> for Data<'a> {
    fn lut(&self) -> &'a Lut<Native<Kind>> {
        self.lut
    }
}

impl<'a> HasInputs<'a, Val> for Data<'a> {
    fn inputs(&self) -> Inputs<'a, Val> {
        self.inputs
    }
}

/// `input` and `inputs`.
fn inputs<D: DataT>() -> impl Iterator<Item = Fun<D>>
where
    for<'a> D::Data<'a>: HasInputs<'a, D::V<'a>>,
{
    input::funs::<D>().into_vec().into_iter().map(native::run)
}

/// A filter that can be run.
pub struct Filter {
    filter: jaq_core::compile::Filter<Native<Kind>>,
    values: Vec<Val>,
}

/// How it went.
pub struct Outcome {
    /// 0, or 5 after an error.
    pub code: i32,
    /// The last value that was printed.
    pub last: Option<Val>,
}

impl Filter {
    /// Compiles a program; `variables` are its global ones. Errors are sentences.
    pub fn compile(program: &str, variables: &[(String, Val)]) -> Result<Filter, Vec<String>> {
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()).chain(inputs::<Kind>());
        let arena = Arena::default();
        let loaded = Loader::new(defs).load(&arena, File { code: program, path: () });
        let modules = loaded.map_err(|errors| {
            errors.into_iter().flat_map(|(file, error)| syntax(file.code, &error)).collect::<Vec<_>>()
        })?;
        let names = variables.iter().map(|(name, _)| name.as_str());
        let filter = Compiler::default().with_funs(funs).with_global_vars(names).compile(modules);
        let filter = filter.map_err(|errors| {
            let one = |(name, what): (&str, jaq_core::compile::Undefined)| match what {
                jaq_core::compile::Undefined::Filter(arity) => format!("{name}/{arity} is not defined"),
                other => format!("{} {name} is not defined", other.as_str()),
            };
            let all = errors.into_iter().flat_map(|(_, errors)| errors).map(one);
            all.map(|text| format!("{text} at <top-level>:\n{program}")).collect::<Vec<_>>()
        })?;
        Ok(Filter { filter, values: variables.iter().map(|(_, value)| value.clone()).collect() })
    }

    /// Runs it on every input and prints what comes out.
    pub fn run(&self, inputs: Vec<Result<Val, String>>, options: &Options, out: &mut dyn Write) -> Outcome {
        let inputs = RcIter::new(inputs.into_iter());
        let inputs: Inputs<'_, Val> = &inputs;
        let mut outcome = Outcome { code: 0, last: None };
        let mut nothing = options.null_input.then_some(Ok(Val::Null));
        let mut rest = inputs;
        loop {
            let input = if options.null_input { nothing.take() } else { rest.next() };
            let value = match input {
                None => return outcome,
                Some(Ok(value)) => value,
                Some(Err(error)) => {
                    let _ = out.flush();
                    eprintln!("jq: error (at <stdin>): {error}");
                    outcome.code = 2;
                    return outcome;
                }
            };
            let data = Data { lut: &self.filter.lut, inputs };
            let ctx = Ctx::<Kind>::new(data, Vars::new(self.values.iter().cloned()));
            for result in self.filter.id.run((ctx, value)).map(unwrap_valr) {
                match result {
                    Ok(value) => {
                        if print(out, options, &value).is_err() {
                            return Outcome { code: 2, last: Some(value) }; // nobody reads any more
                        }
                        outcome.last = Some(value);
                    }
                    Err(error) => {
                        let _ = out.flush();
                        eprintln!("jq: error (at <stdin>): {error}");
                        outcome.code = 5;
                        break;
                    }
                }
            }
        }
    }
}

fn print(out: &mut dyn Write, options: &Options, value: &Val) -> std::io::Result<()> {
    match value {
        Val::TStr(text) if options.raw_output => out.write_all(text)?,
        value => {
            let styles = if options.colors { write::Styles::ansi() } else { write::Styles::default() };
            let indent = options.indent.clone();
            let sep_space = indent.is_some();
            write::write(out, &write::Pp { indent, sort_keys: options.sort_keys, styles, sep_space }, 0, value)?;
        }
    }
    if !options.join_output {
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// The sentences for a program that cannot be read.
fn syntax(program: &str, error: &load::Error<&str>) -> Vec<String> {
    let one = |expected: &str, found: &str| {
        let found = match found.chars().next() {
            None => "end of file".to_owned(),
            Some(_) => format!("'{}'", found.chars().take(20).collect::<String>()),
        };
        format!(
            "syntax error, unexpected {found}, expecting {expected} (Unix shell quoting issues?) at <top-level>:\n{program}"
        )
    };
    match error {
        load::Error::Io(errors) => errors.iter().map(|(path, why)| format!("{path}: {why}")).collect(),
        load::Error::Lex(errors) => errors.iter().map(|(expected, found)| one(expected.as_str(), found)).collect(),
        load::Error::Parse(errors) => errors.iter().map(|(expected, found)| one(expected.as_str(), found)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jq(line: &[&str], input: &str) -> (String, i32) {
        let words: Vec<String> = line.iter().map(|w| (*w).to_owned()).collect();
        let Ok(crate::options::Parsed::Run(options)) = crate::options::parse(&words) else { panic!("{line:?}") };
        let filter = match Filter::compile(&options.program, &options.variables) {
            Ok(filter) => filter,
            Err(problems) => return (problems.join("\n"), 3),
        };
        let inputs = crate::values(input.as_bytes());
        let mut out = Vec::new();
        let outcome = filter.run(inputs, &options, &mut out);
        (String::from_utf8_lossy(&out).into_owned(), outcome.code)
    }

    #[test]
    fn prints_as_jq_prints() {
        let pods = r#"{"items":[{"metadata":{"name":"a"},"n":1},{"metadata":{"name":"b"},"n":2}]}"#;
        for (line, expected) in [
            (&[".items[0]"][..], "{\n  \"metadata\": {\n    \"name\": \"a\"\n  },\n  \"n\": 1\n}\n"),
            (&["-r", ".items[].metadata.name"][..], "a\nb\n"),
            (&["-c", "[.items[] | select(.n > 1) | .n]"][..], "[2]\n"),
            (&["-c", "{}, []"][..], "{}\n[]\n"),
            (&["-j", ".items[].metadata.name"][..], "ab"),
            (&["-r", "--arg", "x", "b", ".items[] | select(.metadata.name == $x).n"][..], "2\n"),
            (&[".items | length"][..], "2\n"),
            (&["-r", ".items | map(.n | tostring) | join(\",\")"][..], "1,2\n"),
            (&["-r", ".items[].metadata.name | select(test(\"^b\"))"][..], "b\n"),
            (&["-cS", "{b: 1, a: 2}"][..], "{\"a\":2,\"b\":1}\n"),
            (&["-c", "-n", "[inputs | .items | length]"][..], "[2]\n"),
            (&["-c", ".items | group_by(.n > 1) | map(length)"][..], "[1,1]\n"),
            (&["-c", ".items[0] | to_entries | map(.key)"][..], "[\"metadata\",\"n\"]\n"),
            (&["-r", "\"\\(.items | length) pods\" | @base64 | @base64d"][..], "2 pods\n"),
        ] {
            assert_eq!(jq(line, pods), (expected.to_owned(), 0), "{line:?}");
        }
        assert_eq!(jq(&[".[]"], "null").1, 5);
        assert!(jq(&["."], "{\"a\": }").1 == 2);
        assert!(jq(&["nope"], "1").0.starts_with("nope/0 is not defined"), "{:?}", jq(&["nope"], "1"));
        assert!(jq(&[".a["], "1").0.starts_with("syntax error, unexpected"), "{:?}", jq(&[".a["], "1"));
    }
}
