//! From commands back to text: what a subshell is started with.

use super::ast::{Command, Compound, Item, List, Param, Part, Pipeline, Redirect, Target, Word};

/// A script that does the same as a list.
pub fn list(list: &List) -> String {
    list.iter().map(item).collect::<Vec<_>>().join("\n")
}

fn item(item: &Item) -> String {
    let mut out = pipeline(&item.first);
    for (and, next) in &item.rest {
        out.push_str(if *and { " && " } else { " || " });
        out.push_str(&pipeline(next));
    }
    if item.background {
        out.push_str(" &");
    }
    out
}

fn pipeline(pipeline: &Pipeline) -> String {
    let stages: Vec<String> = pipeline.commands.iter().map(command).collect();
    format!("{}{}", if pipeline.negated { "! " } else { "" }, stages.join(" | "))
}

/// One command.
pub fn command(command: &Command) -> String {
    match command {
        Command::Simple { assigns, words, redirects } => {
            let mut out: Vec<String> = assigns.iter().map(|(name, value)| format!("{name}={}", word(value))).collect();
            out.extend(words.iter().map(word));
            out.extend(redirects.iter().map(redirect));
            out.join(" ")
        }
        Command::Compound { kind, redirects } => {
            let mut out = compound(kind);
            for r in redirects {
                out.push(' ');
                out.push_str(&redirect(r));
            }
            out
        }
        Command::Function { name, body } => format!("{name}() {}", self::command(body)),
    }
}

fn compound(kind: &Compound) -> String {
    match kind {
        Compound::Brace(body) => format!("{{\n{}\n}}", list(body)),
        Compound::Subshell(body) => format!("(\n{}\n)", list(body)),
        Compound::If(arms, otherwise) => {
            let mut out = String::new();
            for (i, (condition, body)) in arms.iter().enumerate() {
                let word = if i == 0 { "if" } else { "elif" };
                out.push_str(&format!("{word} {}\nthen {}\n", list(condition), list(body)));
            }
            if let Some(body) = otherwise {
                out.push_str(&format!("else {}\n", list(body)));
            }
            out + "fi"
        }
        Compound::Loop(until, condition, body) => {
            let word = if *until { "until" } else { "while" };
            format!("{word} {}\ndo {}\ndone", list(condition), list(body))
        }
        Compound::For(name, None, body) => format!("for {name}\ndo {}\ndone", list(body)),
        Compound::For(name, Some(words), body) => {
            let words: Vec<String> = words.iter().map(word).collect();
            format!("for {name} in {}\ndo {}\ndone", words.join(" "), list(body))
        }
        Compound::Case(subject, arms) => {
            let mut out = format!("case {} in\n", word(subject));
            for (patterns, body) in arms {
                let patterns: Vec<String> = patterns.iter().map(word).collect();
                out.push_str(&format!("({}) {}\n;;\n", patterns.join("|"), list(body)));
            }
            out + "esac"
        }
    }
}

/// Text in quotes that mean it as it is.
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn word(word: &Word) -> String {
    word.0.iter().map(|p| part(p, false)).collect()
}

fn part(part: &Part, double: bool) -> String {
    match part {
        Part::Text(text) if double => text
            .chars()
            .map(|c| if matches!(c, '$' | '`' | '"' | '\\') { format!("\\{c}") } else { c.to_string() })
            .collect(),
        Part::Text(text) => text.clone(),
        Part::Quoted(text) if double => part_text_in_double(text),
        Part::Quoted(text) => quote(text),
        Part::Double(parts) => format!("\"{}\"", parts.iter().map(|p| self::part(p, true)).collect::<String>()),
        Part::Param(param) => parameter(param),
        Part::Command(body) => format!("$(\n{}\n)", list(body)),
        Part::Arith(expression) => {
            format!("$(({}))", expression.0.iter().map(|p| self::part(p, false)).collect::<String>())
        }
    }
}

fn part_text_in_double(text: &str) -> String {
    part(&Part::Text(text.to_owned()), true)
}

fn parameter(param: &Param) -> String {
    let length = if param.length { "#" } else { "" };
    match &param.op {
        None => format!("${{{length}{}}}", param.name),
        Some((op, operand)) => format!("${{{length}{}{op}{}}}", param.name, operand_text(operand)),
    }
}

fn operand_text(operand: &Word) -> String {
    let one = |p: &Part| match p {
        Part::Text(text) => text.replace('\\', "\\\\").replace('}', "\\}"),
        other => part(other, false),
    };
    operand.0.iter().map(one).collect()
}

fn redirect(redirect: &Redirect) -> String {
    let fd = redirect.fd;
    if redirect.both
        && let Target::Write(to) = &redirect.target
    {
        return format!("&>{}", word(to));
    }
    match &redirect.target {
        Target::Read(from) => format!("{fd}<{}", word(from)),
        Target::Write(to) => format!("{fd}>{}", word(to)),
        Target::Append(to) => format!("{fd}>>{}", word(to)),
        Target::ReadWrite(file) => format!("{fd}<>{}", word(file)),
        Target::Dup(from) => format!("{fd}>&{}", word(from)),
        Target::HereString(text) => format!("{fd}<<<{}", word(text)),
        // A here-string adds the newline that ends the body.
        Target::Here(body) => format!("{fd}<<<{}", word(&without_last_newline(&body.borrow()))),
    }
}

fn without_last_newline(body: &Word) -> Word {
    let mut body = body.clone();
    let last = match body.0.last_mut() {
        Some(Part::Double(parts)) => parts.last_mut(),
        other => other,
    };
    if let Some(Part::Text(text) | Part::Quoted(text)) = last {
        text.truncate(text.strip_suffix('\n').map_or(text.len(), str::len));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;

    #[test]
    fn what_is_printed_parses_to_the_same() {
        for script in [
            "a=1 b='x y' cmd \"$a ${b:-z} $(c | d)\" 2>&1 >file &",
            "if a; then b; elif c; then d; else e; fi && ! f || g",
            "for i in 1 2 'a b'; do echo $i; done | while read x; do echo \"$x\"; done",
            "case $x in a|b*) echo 1;; *) echo \"\\$2\";; esac",
            "f() { echo $((1 + (2 * $n))); }; ( f; f ) < in",
            "until false; do break; done; echo `echo \\`x\\``",
            "echo ${#a} ${a%.*} ${a##*/} ${1} $@ \"$@\" &> out",
        ] {
            let first = parse(script).expect(script);
            let printed = super::list(&first);
            assert_eq!(parse(&printed).expect(&printed), first, "{printed}");
        }
    }

    #[test]
    fn here_documents_become_here_strings() {
        let list = parse("cat <<EOF\na $x \"q\"\nEOF\necho done\n").expect("a script");
        let printed = super::list(&list);
        assert_eq!(printed, "cat 0<<<\"a ${x} \\\"q\\\"\"\necho done");
    }
}
