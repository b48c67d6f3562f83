use super::*;

/// Runs a script in a shell whose output is kept; nothing here starts a process.
fn run(script: &str) -> (i32, String) {
    let mut shell = Shell::new("sh");
    shell.fds.insert(1, CAPTURE_FD);
    shell.fds.insert(2, CAPTURE_FD);
    shell.positional = vec!["one".to_owned(), "two words".to_owned()];
    let status = shell.run_script(script);
    let status = shell.finish(status);
    (status, String::from_utf8_lossy(&shell.capture).into_owned())
}

fn check(script: &str, expected: &str) {
    assert_eq!(run(script), (0, expected.to_owned()), "{script}");
}

#[test]
fn quoting_and_variables() {
    check("a=1; echo $a \"$a\" '$a' \\$a", "1 1 $a $a\n");
    check("a='x  y'; echo $a; echo \"$a\"", "x y\nx  y\n");
    check("echo \"$1\" $# \"$@\" $*", "one 2 one two words one two words\n");
    check("for i in \"$@\"; do echo \"<$i>\"; done", "<one>\n<two words>\n");
    check("set --; for i in \"$@\"; do echo no; done; echo $#", "0\n");
    check("echo ${u:-def} ${u-def} ${u:=set} $u ${u:+alt} ${#u}", "def def set set alt 3\n");
    check(
        "f=/a/b.tar.gz; echo ${f##*/} ${f%.*} ${f%%.*} ${f#/} ${f/b/X} ${f:1:3}",
        "b.tar.gz /a/b.tar /a/b a/b.tar.gz /a/X.tar.gz a/b\n",
    );
    check("IFS=:; v=a:b::c; for i in $v; do echo \"[$i]\"; done", "[a]\n[b]\n[]\n[c]\n");
    check("unset x; echo \"a${x}b\" ''", "ab \n");
    check("echo \"$(echo 'in  side')\" `echo back`", "in  side back\n");
    check("x=5; echo $((x * 2 + 1)) $((x++)) $x", "11 5 6\n");
}

#[test]
fn compound_commands() {
    check("if false; then echo a; elif true; then echo b; else echo c; fi", "b\n");
    check("i=0; while [ $i -lt 3 ]; do i=$((i+1)); [ $i -eq 2 ] && continue; echo $i; done", "1\n3\n");
    check("until true; do echo no; done; echo done", "done\n");
    check("for i in a b c; do for j in 1 2; do [ $i$j = b1 ] && break 2; echo $i$j; done; done", "a1\na2\n");
    check("case foo.txt in *.c) echo c;; *.txt|*.md) echo text;; esac", "text\n");
    check("case '*' in '*') echo star;; esac; case x in '*') echo no;; *) echo any;; esac", "star\nany\n");
    check("f() { local v=in; echo $v $1 $#; return 3; }; v=out; f x y; echo $? $v", "in x 2\n3 out\n");
    check("( v=inner; echo $v; exit 4 ); echo $? $v", "inner\n4\n");
    check("{ echo a; echo b; }; ! true; echo $?", "a\nb\n1\n");
    check("true && echo yes || echo no; false && echo yes || echo no", "yes\nno\n");
    check("eval 'a=1; echo $a'; : ignored; type cd", "1\ncd is a shell builtin\n");
}

#[test]
fn here_documents_and_redirections() {
    check("while read a b; do echo \"$b/$a\"; done <<EOF\n1 2 3\nx y\nEOF", "2 3/1\ny/x\n");
    check("v=ok; read l <<-END\n\t$v \"q\"\n\tEND\necho \"$l\"", "ok \"q\"\n");
    check("read l <<'E'\n$v\\n\nE\necho \"$l\"", "$vn\n");
    check("echo out 2>/dev/null >&2; echo err >&2", "err\n");
    let file = std::env::temp_dir().join(format!("kubonsai-sh-test-{}", std::process::id()));
    let file = file.to_string_lossy();
    check(
        &format!("echo a > {file}; echo b >> {file}; while read l; do echo \"got $l\"; done < {file}"),
        "got a\ngot b\n",
    );
    std::fs::remove_file(&*file).expect("the file is there");
}

#[test]
fn failures_and_exits() {
    assert_eq!(run("set -e; false; echo no"), (1, String::new()));
    assert_eq!(run("set -e; if false; then :; fi; false || true; ! true; echo yes").1, "yes\n");
    assert_eq!(run("trap 'echo bye $?' EXIT; exit 7"), (7, "bye 7\n".to_owned()));
    assert_eq!(run("nosuchcommand"), (127, "sh: nosuchcommand: not found\n".to_owned()));
    assert_eq!(run("set -u; echo $nope; echo no"), (2, "sh: nope: parameter not set\n".to_owned()));
    assert_eq!(run("readonly r=1; r=2; echo no"), (2, "sh: r: is read only\n".to_owned()));
    assert_eq!(run("if true; then"), (2, "sh: syntax error: unterminated command (expecting \"fi\")\n".to_owned()));
    assert_eq!(run("echo )").0, 2);
    assert_eq!(run("cat < /nonexistent"), (1, "sh: can't open /nonexistent: No such file or directory\n".to_owned()));
    assert_eq!(run("f() { f; }; f").0, 2);
    assert_eq!(run("echo ${x?is missing}"), (2, "sh: x: is missing\n".to_owned()));
}

#[test]
fn options_and_input() {
    check(
        "set -- -a -b val rest; while getopts ab: o; do echo $o $OPTARG; done; shift $((OPTIND-1)); echo $1",
        "a\nb val\nrest\n",
    );
    check("set -x; a=1; echo $a", "+ a=1\n+ echo 1\n1\n");
    check("export A=1; A=2 B=3; export -p", "export A='2'\n");
    check("shift; echo $1; shift 5 || echo $?", "two words\nsh: shift: can't shift that many\n1\n");
    check("printf '%s-%d\\n' a 1 b 2; echo -n x; echo -e 'a\\tb'", "a-1\nb-2\nxa\tb\n");
    check("command -v cd; command -v nope; echo $?", "cd\n127\n");
}
