//! awk: rules, fields, variables, arrays, print and printf, the usual functions. Own functions, getline and redirected
//! output are refused by name.

mod parse;
mod run;

use crate::applet::{Fail, Io, Lines, Options, Outcome, about, cannot, open};

/// The functions of awk that are built.
const FUNCTIONS: &[&str] =
    &["length", "substr", "index", "split", "sub", "gsub", "match", "toupper", "tolower", "int", "sprintf", "sqrt"];

/// Runs a program on the lines of files.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let mut options = Options::parse(&args[1..], "+F:v:f:", &[])?;
    let text = match options.value('f') {
        Some(file) => std::fs::read_to_string(file).map_err(|e| Fail::Message(cannot("open", file, &e)))?,
        None if options.operands.is_empty() => return Err(Fail::Message("missing program".to_owned())),
        None => options.operands.remove(0),
    };
    let rules = parse::parse(&text).map_err(|m| Fail::Message(format!("cmd. line:1: {m}")))?;
    let mut machine = run::Machine::new(options.value('F').unwrap_or(" "))?;
    for (name, value) in options.values('v').filter_map(|v| v.split_once('=')) {
        machine.set(name, value);
    }
    machine.begin(&rules, io.out)?;
    let mut status = 0;
    if machine.wants_input(&rules) {
        let dash = ["-".to_owned()];
        let files = if options.operands.is_empty() { &dash[..] } else { &options.operands[..] };
        for file in files {
            if file == "-" {
                machine.records(&rules, &mut Lines::new(io.input), io.out)?;
                continue;
            }
            match open(file) {
                Ok(mut opened) => machine.records(&rules, &mut Lines::new(&mut opened), io.out)?,
                Err(error) => {
                    writeln!(io.err, "awk: {}", about(file, &error))?;
                    status = 2;
                }
            }
        }
    }
    Ok(machine.end(&rules, io.out)?.max(status))
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::{check, run};

    #[test]
    fn awk() {
        let text = "a 1 x\nb 22 y\nc 3 z\n";
        check("awk", &["{print $1}"], text, "a\nb\nc\n");
        check("awk", &["NR==2{print $2, $NF}"], text, "22 y\n");
        check("awk", &["/^b/"], text, "b 22 y\n");
        check("awk", &["{s+=$2} END{print s, NR, s/NR}"], text, "26 3 8.66667\n");
        check("awk", &["-F:", "{print $2}"], "x:y z\n", "y z\n");
        check("awk", &["$2>2{print $1 \"-\" $2+1}"], text, "b-23\nc-4\n");
        check("awk", &["BEGIN{for(i=1;i<=3;i++) printf \"%d,\", i; print \"\"}"], "", "1,2,3,\n");
        check(
            "awk",
            &["-v", "n=5", "BEGIN{print n*2, length(\"abc\"), substr(\"hello\",2,3), toupper(\"x\")}"],
            "",
            "10 3 ell X\n",
        );
        check("awk", &["{n[$1]++} END{for(k in n) print k, n[k]}"], "a\nb\na\n", "a 2\nb 1\n");
        check("awk", &["{gsub(/o/,\"0\"); print}"], "foo boo\n", "f00 b00\n");
        check("awk", &["{ if ($1 ~ /a/) print \"yes\"; else print \"no\" }"], "a\nb\n", "yes\nno\n");
        check("awk", &["{$2=\"new\"; print; print NF}"], "a b c\n", "a new c\n3\n");
        check("awk", &["NR>1 && !($1 in seen) {seen[$1]; print $1; next} {print \"-\"}"], "h\na\na\n", "-\na\n-\n");
        check(
            "awk",
            &[
                "BEGIN{n=split(\"a,b,c\",p,\",\"); print n, p[2], index(\"abc\",\"c\"); x = n > 2 ? \"big\" : \"small\"; print x}",
            ],
            "",
            "3 b 3\nbig\n",
        );
        check("awk", &["END{print $0}; {exit 3}"], "", "\n");
        assert_eq!(run("awk", &["{exit 3}"], "x\n").0, 3);
        assert_eq!(run("awk", &["{print"], "x\n").2, "awk: cmd. line:1: Unexpected end of string\n");
        assert!(run("awk", &["{print > \"f\"}"], "x\n").2.contains("does not support redirected output (awk) yet"));
    }
}
