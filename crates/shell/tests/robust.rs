//! Whatever is typed, the shell answers: no panic, no endless loop, and always the same answer.

mod common;

/// A small generator, so that a failure names its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

const PIECES: &[&str] = &[
    "echo",
    "a",
    "$x",
    "${x",
    "}",
    "${x:-",
    "${#x}",
    "${x/a/b}",
    "${a[@]}",
    "$(",
    ")",
    "`",
    "\"",
    "'",
    "\\",
    "\n",
    " ",
    ";",
    "&",
    "&&",
    "||",
    "|",
    ">",
    "<",
    ">>",
    "<<E",
    "E",
    "<<<",
    "2>&1",
    "if",
    "then",
    "else",
    "fi",
    "for",
    "in",
    "do",
    "done",
    "while",
    "until",
    "false",
    "true",
    "case",
    "esac",
    ";;",
    "{",
    "(",
    "[[",
    "]]",
    "[",
    "]",
    "((",
    "))",
    "$((",
    "1+",
    "=~",
    "==",
    "x=1",
    "a=(",
    "f()",
    "function",
    "!",
    "time",
    "*",
    "?",
    "{a,b}",
    "{1..3}",
    "~",
    "#c",
    "日本",
    "$'",
    "$\"",
    "-f",
    "-n",
    "break",
    "return",
    "exit",
    "set -e",
    "local x",
    "read y",
    "test",
    "eval",
    "shift",
    "cat",
    "grep",
    "sed",
    "s/a/b/",
    "é",
    "\t",
    "$@",
    "$*",
    "$#",
    "$?",
    "$$",
    "$!",
    "${!x}",
    "${x^^}",
    "${x:1:2}",
    "%",
    "^",
    "0x",
    "9999999999999999999",
];

fn script(seed: u64) -> String {
    let mut dice = Dice(seed);
    (0..dice.roll(24) + 1)
        .map(|_| {
            let piece = PIECES[dice.roll(PIECES.len())];
            if dice.roll(3) > 0 { format!("{piece} ") } else { piece.to_owned() }
        })
        .collect()
}

#[test]
fn random_scripts_end() {
    for seed in 0..3_000 {
        let text = script(seed);
        // `while true` may be among them: Ctrl-C ends it, and time is bounded.
        let first = run(&text);
        if seed % 10 == 0 {
            assert_eq!(first, run(&text), "seed={seed} {text:?}");
        }
    }
}

fn run(text: &str) -> (String, String, i32) {
    let machine = common::Machine::new();
    let interrupt = machine.ctx.interrupt.clone();
    let sim = machine.ctx.sim.clone();
    machine.ctx.sim.spawn(async move {
        sim.sleep(std::time::Duration::from_millis(200)).await;
        interrupt.raise();
    });
    machine.bash(text)
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [
        ("(", ")"),
        ("$(", ")"),
        ("{ ", "; }"),
        ("\"$(", ")\""),
        ("${x:-", "}"),
        ("$((", "))"),
        ("if true; then ", "; fi"),
    ] {
        let text = format!("echo {}x{}", open.repeat(2_000), close.repeat(2_000));
        let (_, _, code) = common::Machine::new().bash(&text);
        assert_ne!(code, -1, "{open} ends");
        let (_, _, code) = common::Machine::new().bash(text.trim_start_matches("echo "));
        assert_ne!(code, -1, "{open} ends");
    }
    let machine = common::Machine::new();
    let (_, stderr, code) = machine.bash("f() { f; }; f");
    assert!(stderr.contains("maximum function nesting level exceeded"), "{stderr}");
    assert_eq!(code, 1);
    let (_, stderr, _) = machine.bash("echo 'bash s' > s; bash s");
    assert_eq!(stderr, "bash: fork: retry: Resource temporarily unavailable\n");
}

#[test]
fn big_outputs_are_bounded() {
    let machine = common::Machine::new();
    let (stdout, stderr, _) = machine.bash("x=$(yes | head -c 20000000); echo ${#x}");
    assert!(stdout.trim().parse::<usize>().is_ok_and(|n| n <= 16 * 1024 * 1024), "{stdout}");
    assert!(stderr.contains("output is longer than"), "{stderr}");
    let (stdout, _, code) = machine.bash("yes | head -100000 | wc -l");
    assert_eq!((stdout.as_str(), code), ("100000\n", 0));
}
