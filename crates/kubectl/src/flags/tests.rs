//! How command lines are read. The errors are those of kubectl 1.36.3.

use super::parse::{Parsed, parse, suggestions};
use crate::tree::ROOT;

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn run(line: &str) -> super::Args {
    match parse(&ROOT, &words(line)) {
        Ok(Parsed::Run(_, args)) => args,
        Ok(Parsed::Help(..)) => panic!("{line}: help"),
        Err(failure) => panic!("{line}: {}", failure.bare()),
    }
}

#[track_caller]
fn fails(line: &str, expected: &str) {
    match parse(&ROOT, &words(line)) {
        Err(failure) => assert_eq!(failure.render().0, expected, "{line}"),
        Ok(_) => panic!("{line}: no failure"),
    }
}

#[test]
fn values_may_be_written_in_several_ways() {
    for line in
        ["get pods -oyaml", "get pods -o=yaml", "get pods -o yaml", "get -o yaml pods", "-n x get pods --output=yaml"]
    {
        let args = run(line);
        assert_eq!(args.text("output"), "yaml", "{line}");
        assert_eq!(args.words, ["pods"], "{line}");
        assert_eq!(args.path, "kubectl get");
    }
    let args = run("exec -it web -- ls -l");
    assert!(args.on("stdin") && args.on("tty"));
    assert_eq!((args.before_dash(), args.after_dash()), (&["web".to_owned()][..], &words("ls -l")[..]));
    let args = run("delete pods a --dry-run --cascade=orphan --wait=false");
    assert_eq!((args.text("dry-run"), args.text("cascade"), args.on("wait")), ("unchanged", "orphan", false));
    assert_eq!(args.words, ["pods", "a"]);
    assert_eq!(run("apply -f a,b -f c").list("filename"), ["a", "b", "c"]);
    assert_eq!(run("create deploy x --image=a").path, "kubectl create deployment");
}

#[test]
fn errors() {
    fails("get po --foo", "error: unknown flag: --foo\nSee 'kubectl get --help' for usage.\n");
    fails("get po -z", "error: unknown shorthand flag: 'z' in -z\nSee 'kubectl get --help' for usage.\n");
    fails("get po -o", "error: flag needs an argument: 'o' in -o\nSee 'kubectl get --help' for usage.\n");
    fails("get po --namespace", "error: flag needs an argument: --namespace\nSee 'kubectl get --help' for usage.\n");
    fails(
        "get po -A=x",
        "error: invalid argument \"x\" for \"-A, --all-namespaces\" flag: strconv.ParseBool: parsing \"x\": invalid syntax\nSee 'kubectl get --help' for usage.\n",
    );
    fails("--foo", "error: unknown flag: --foo\nSee 'kubectl --help' for usage.\n");
    fails("create deployment x", "error: required flag(s) \"image\" not set\n");
    fails("gett", "error: unknown command \"gett\" for \"kubectl\"\n\nDid you mean this?\n\tset\n\tget\n");
}

#[test]
fn suggestions_come_in_kubectls_order() {
    assert_eq!(suggestions(&ROOT, "ge"), ["set", "get", "cp"]);
    assert_eq!(suggestions(&ROOT, "foo"), ["top"]);
}

#[test]
fn help_has_kubectls_layout() {
    let Ok(Parsed::Help(command, path)) = parse(&ROOT, &words("create service nodeport --help")) else {
        panic!("no help")
    };
    let text = crate::program::help_of(command, &path);
    for part in [
        "\nExamples:\n  # ",
        "\nOptions:\n    --allow-missing-template-keys=true:\n\t",
        "\n    --dry-run='none':\n\t",
        "\n    -o, --output='':\n\t",
        "\nUsage:\n  kubectl create service nodeport NAME [--tcp=port:targetPort] [--dry-run=server|client|none] [options]\n\n",
        "\nUse \"kubectl options\" for a list of global command-line options (applies to all commands).\n",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
}

/// Every row of the tree is well-formed: names differ among siblings, shorthands within a command.
#[test]
fn rows_do_not_clash() {
    fn check(command: &'static super::Command) {
        let mut names: Vec<&str> =
            command.commands.iter().flat_map(|c| std::iter::once(c.name).chain(c.aliases.iter().copied())).collect();
        names.sort_unstable();
        let before = names.len();
        names.dedup();
        assert_eq!(names.len(), before, "commands of {}", command.name);
        let mut flags: Vec<&str> = command.own_flags().map(|f| f.name).collect();
        flags.sort_unstable();
        let before = flags.len();
        flags.dedup();
        assert_eq!(flags.len(), before, "flags of {}", command.name);
        let mut shorts: Vec<char> = command.own_flags().filter_map(|f| f.short).collect();
        shorts.sort_unstable();
        let before = shorts.len();
        shorts.dedup();
        assert_eq!(shorts.len(), before, "shorthands of {}", command.name);
        assert!(command.required.iter().all(|r| command.flag(r).is_some()), "required flags of {}", command.name);
        command.commands.iter().for_each(|c| check(c));
    }
    check(&ROOT);
}
