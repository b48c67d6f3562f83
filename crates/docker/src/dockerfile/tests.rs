use super::*;

fn error(text: &str) -> String {
    Dockerfile::parse(text).unwrap_err().words()
}

#[test]
fn stages_comments_and_continuations() {
    let file = Dockerfile::parse(
        "# syntax=docker/dockerfile:1\nARG V=1\nFROM alpine:$V AS Build\nRUN echo a && \\\n  # not this\n  echo b\n\nFROM scratch\nCOPY --from=build --chown=1:2 /a /b /c/\nCMD [\"/c\", \"x\"]\n",
    )
    .unwrap();
    assert_eq!(file.args, [("V".to_owned(), Some("1".to_owned()))]);
    let [build, last] = &file.stages[..] else { panic!("two stages") };
    assert_eq!((build.base.as_str(), build.name.as_deref()), ("alpine:$V", Some("build")));
    assert_eq!(build.steps[0].what, Instruction::Run(Form::Shell("echo a &&   echo b".into())));
    assert_eq!(build.steps[0].lines, (4, 6));
    let copy = Copy {
        is_add: false,
        from: Some("build".into()),
        chown: Some("1:2".into()),
        chmod: None,
        sources: vec!["/a".into(), "/b".into()],
        to: "/c/".into(),
    };
    assert_eq!(last.steps[0].what, Instruction::Copy(copy));
    assert_eq!(last.steps[1].what, Instruction::Cmd(Form::Exec(vec!["/c".into(), "x".into()])));
    assert_eq!(
        (file.stage("build", 1), file.stage("BUILD", 1), file.stage("0", 1), file.stage("1", 1)),
        (Some(0), Some(0), Some(0), None)
    );
}

#[test]
fn errors_have_the_builders_words() {
    assert_eq!(
        error("FROM alpine\nFOO bar"),
        "dockerfile parse error on line 2: unknown instruction: FOO (did you mean FROM?)"
    );
    assert_eq!(
        error("FROM alpine\nCOPPY a b"),
        "dockerfile parse error on line 2: unknown instruction: COPPY (did you mean COPY?)"
    );
    assert_eq!(error("RUN x"), "dockerfile parse error on line 1: no build stage in current context");
    assert_eq!(error(""), "the Dockerfile cannot be empty");
    assert_eq!(error("# nothing\n"), "file with no instructions");
    assert_eq!(error("FROM a b"), "dockerfile parse error on line 1: FROM requires either one or three arguments");
    assert_eq!(
        error("FROM a\nCOPY x"),
        "dockerfile parse error on line 2: COPY requires at least two arguments, but only one was provided. Destination could not be determined"
    );
    assert_eq!(error("FROM a\nRUN"), "dockerfile parse error on line 2: RUN requires at least one argument");
    assert_eq!(error("FROM a\nCOPY --form=x a b"), "dockerfile parse error on line 2: unknown flag: --form");
    assert_eq!(
        error("FROM a\nENV a=1 b"),
        "dockerfile parse error on line 2: Syntax error - can't find = in \"b\". Must be of the form: name=value"
    );
    assert_eq!(error("FROM a\nENV a"), "dockerfile parse error on line 2: ENV must have two arguments");
    assert!(error("FROM a\nHEALTHCHECK CMD x").contains("does not support HEALTHCHECK"));
}

#[test]
fn words_are_expanded_like_a_shells() {
    let scope = |name: &str| match name {
        "A" => Some("1".to_owned()),
        "E" => Some(String::new()),
        _ => None,
    };
    for (text, expected) in [
        ("$A/${A}x", "1/1x"),
        ("'$A' \"$A\" \\$A", "$A 1 $A"),
        ("${N:-d$A}${E:-e}${A:+y}${N:+z}", "d1ey"),
        ("a$", "a$"),
    ] {
        assert_eq!(expand(text, &scope).as_deref(), Ok(expected), "{text}");
    }
    assert!(expand("${A", &scope).is_err());
    assert_eq!(words::split("a=\"b c\" d='e f' g\\ h"), ["a=\"b c\"", "d='e f'", "g\\ h"]);
}

#[test]
fn words_that_are_like_nothing_get_no_advice() {
    assert_eq!(error("FROM alpine\nNOTHING x"), "dockerfile parse error on line 2: unknown instruction: NOTHING");
}
