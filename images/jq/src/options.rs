//! The command line.

use jaq_json::{Val, read};

/// What a command line asks for.
#[derive(Debug, Default)]
pub struct Options {
    /// The filter.
    pub program: String,
    /// `-f`: the file with the filter.
    pub from_file: Option<String>,
    /// Files to read.
    pub files: Vec<String>,
    /// `--arg` and its like: `$name` and value. `$ENV`, `$__prog_args` are not among them; `$named` is `$ARGS.named`.
    pub variables: Vec<(String, Val)>,
    /// `-n`
    pub null_input: bool,
    /// `-r`
    pub raw_output: bool,
    /// `-j`
    pub join_output: bool,
    /// `-R`
    pub raw_input: bool,
    /// `-s`
    pub slurp: bool,
    /// `-e`
    pub exit_status: bool,
    /// `-S`
    pub sort_keys: bool,
    /// `-C`
    pub colors: bool,
    /// Indentation; none for `-c`.
    pub indent: Option<String>,
}

/// A command line that was understood.
pub enum Parsed {
    /// Run.
    Run(Box<Options>),
    /// Print this and end.
    Say(String),
}

const HELP: &str = "Usage:\tjq [OPTIONS] FILTER [FILES...]
\tjq [OPTIONS] -n FILTER

A stand-in for jq, made for Kubonsai. Options:
  -n, --null-input      use `null` as the single input value
  -R, --raw-input       read each line as a string
  -s, --slurp           read all inputs into an array
  -c, --compact-output  one line for each value
  -r, --raw-output      print strings without quotes
  -j, --join-output     as -r, without newlines
  -S, --sort-keys       sort the keys of objects
  -C, --color-output    colours
  -M, --monochrome-output  no colours
      --tab             indent by tabs
      --indent N        indent by N blanks
  -e, --exit-status     exit with 1 if the last output is false or null, 4 if there is none
  -f, --from-file FILE  read the filter from a file
      --arg NAME VALUE  set $NAME to a string
      --argjson NAME JSON   set $NAME to a value
  -V, --version         show the version
";

/// Reads the words after `jq`.
pub fn parse(args: &[String]) -> Result<Parsed, String> {
    let mut options = Options { indent: Some("  ".to_owned()), ..Options::default() };
    let mut words: Vec<String> = Vec::new();
    let mut named: Vec<(Val, Val)> = Vec::new();
    let mut rest = args.iter();
    let mut only_words = false;
    while let Some(arg) = rest.next() {
        if only_words || !arg.starts_with('-') || arg == "-" {
            words.push(arg.clone());
            continue;
        }
        let mut next = |what: &str| rest.next().cloned().ok_or_else(|| format!("{arg} takes {what}"));
        match arg.as_str() {
            "--" => only_words = true,
            "--arg" | "--argjson" => {
                let takes = "two parameters (e.g. --arg varname value)";
                let (name, text) = (next(takes)?, next(takes)?);
                let value = if arg == "--arg" {
                    Val::from(text)
                } else {
                    read::parse_single(text.as_bytes())
                        .map_err(|_| "Invalid JSON text passed to --argjson".to_owned())?
                };
                named.push((Val::from(name.clone()), value.clone()));
                options.variables.push((format!("${name}"), value));
            }
            "--indent" => {
                let count: usize = next("one parameter")?.parse().map_err(|_| "--indent takes a number".to_owned())?;
                if count > 7 {
                    return Err("Cannot indent more than 7 characters".to_owned());
                }
                options.indent = (count > 0).then(|| " ".repeat(count));
            }
            "--tab" => options.indent = Some("\t".to_owned()),
            "--from-file" => options.from_file = Some(next("a file")?),
            "--help" => return Ok(Parsed::Say(HELP.to_owned())),
            "--version" => return Ok(Parsed::Say("jq-1.7.1\n".to_owned())),
            long if long.starts_with("--") => {
                let letter = LONG.iter().find(|(name, _)| long == *name).map(|(_, letter)| *letter);
                switch(&mut options, letter.ok_or_else(|| format!("Unknown arguments: {long}"))?)?;
            }
            short => {
                for letter in short.chars().skip(1) {
                    match letter {
                        'h' => return Ok(Parsed::Say(HELP.to_owned())),
                        'V' => return Ok(Parsed::Say("jq-1.7.1\n".to_owned())),
                        'f' => options.from_file = Some(next("a file")?),
                        letter => switch(&mut options, letter)?,
                    }
                }
            }
        }
    }
    let mut words = words.into_iter();
    if options.from_file.is_none() {
        options.program = words.next().ok_or("no filter given")?;
    }
    options.files = words.collect();
    let all = Val::obj(named.into_iter().collect());
    let args = [(Val::from("named".to_owned()), all), (Val::from("positional".to_owned()), Val::from_iter([]))];
    options.variables.push(("$ARGS".to_owned(), Val::obj(args.into_iter().collect())));
    let env = std::env::vars().map(|(name, value)| (Val::from(name), Val::from(value)));
    options.variables.push(("$ENV".to_owned(), Val::obj(env.collect())));
    Ok(Parsed::Run(Box::new(options)))
}

const LONG: &[(&str, char)] = &[
    ("--null-input", 'n'),
    ("--raw-input", 'R'),
    ("--slurp", 's'),
    ("--compact-output", 'c'),
    ("--raw-output", 'r'),
    ("--join-output", 'j'),
    ("--sort-keys", 'S'),
    ("--color-output", 'C'),
    ("--monochrome-output", 'M'),
    ("--exit-status", 'e'),
    ("--unbuffered", 'u'),
];

fn switch(options: &mut Options, letter: char) -> Result<(), String> {
    match letter {
        'n' => options.null_input = true,
        'R' => options.raw_input = true,
        's' => options.slurp = true,
        'c' => options.indent = None,
        'r' => options.raw_output = true,
        'j' => (options.raw_output, options.join_output) = (true, true),
        'S' => options.sort_keys = true,
        'C' => options.colors = true,
        'M' => options.colors = false,
        'e' => options.exit_status = true,
        'u' => {}
        other => return Err(format!("Unknown arguments: -{other}")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        match parse(&words)? {
            Parsed::Run(options) => Ok(*options),
            Parsed::Say(text) => Err(text),
        }
    }

    #[test]
    fn letters_may_be_joined_and_words_follow() {
        let options = read("-rc .a x.json y.json").expect("fine");
        assert!(options.raw_output && options.indent.is_none());
        assert_eq!((options.program.as_str(), options.files.len()), (".a", 2));
        assert_eq!(read("--arg n v .").expect("fine").variables[0].0, "$n");
        assert!(read("--nope .").is_err_and(|e| e == "Unknown arguments: --nope"));
        assert!(read("--indent 9 .").is_err());
    }
}
