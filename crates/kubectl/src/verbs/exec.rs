//! `kubectl exec` and `kubectl attach` (`kubectl/pkg/cmd/{exec,attach}`).

use std::rc::Rc;

use api::Object;

use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, duration, slice, switch, text};
use crate::manifests;
use crate::pods;
use crate::rest::{Rest, escape};
use crate::session::Session;
use crate::streams::{self, Options};
use crate::targets;

static EXEC_FLAGS: &[Flag] = &[
    text("container", "", "The container; the first when left out.").short('c'),
    slice("filename", "File that describes the pod.").short('f'),
    duration("pod-running-timeout", "1m0s", "How long to wait for a pod to run."),
    switch("quiet", "Print only what the command prints.").short('q'),
    switch("stdin", "Pass standard input to the command.").short('i'),
    switch("tty", "The command has a terminal.").short('t'),
];

/// `kubectl exec`.
pub static EXEC: Command = Command {
    name: "exec",
    usage: "(POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
    short: "Execute a command in a container",
    long: "Run a command in a container that is running.",
    examples: &[
        ("The date in a pod", "kubectl exec web-1 -- date"),
        ("A shell with a terminal", "kubectl exec -it web-1 -- sh"),
        ("In a certain container", "kubectl exec web-1 -c sidecar -- env"),
        ("In a pod of a deployment", "kubectl exec deployment/web -- env"),
    ],
    flags: &[EXEC_FLAGS],
    action: Action::Run(|session, args| Box::pin(exec(session, args))),
    ..COMMAND
};

static ATTACH_FLAGS: &[Flag] = &[
    text("container", "", "The container; the first when left out.").short('c'),
    text("detach-keys", "ctrl-p,ctrl-q", "Keys that leave the container running."),
    duration("pod-running-timeout", "1m0s", "How long to wait for a pod to run."),
    switch("quiet", "Print only what the container prints.").short('q'),
    switch("stdin", "Pass standard input to the container.").short('i'),
    switch("tty", "Standard input is a terminal.").short('t'),
];

/// `kubectl attach`.
pub static ATTACH: Command = Command {
    name: "attach",
    usage: "(POD | TYPE/NAME) -c CONTAINER",
    short: "Attach to a running container",
    long: "Connect to the process that a container runs.",
    examples: &[("See what a pod prints from now on", "kubectl attach web-1")],
    flags: &[ATTACH_FLAGS],
    action: Action::Run(|session, args| Box::pin(attach(session, args))),
    ..COMMAND
};

async fn exec(session: Rc<Session>, args: Args) -> Outcome {
    if args.words.is_empty() && !args.changed("filename") {
        return Err(Failure::message("pod, type/name or --filename must be specified"));
    }
    let command = args.after_dash().to_vec();
    if args.before_dash().len() > 1 {
        return Err(args.usage("exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead"));
    }
    if args.before_dash().is_empty() && !args.changed("filename") {
        return Err(Failure::message("pod, type/name or --filename must be specified"));
    }
    if command.is_empty() {
        return Err(Failure::message("you must specify at least one command for the container"));
    }
    if args.changed("filename") && !args.before_dash().is_empty() {
        return Err(Failure::message("resource/name arguments cannot be provided when a path is specified"));
    }
    let rest = session.rest(&args)?;
    let word = match args.before_dash().first() {
        Some(word) => word.clone(),
        None => in_file(&rest, &args).await?,
    };
    let pod = pods::one(&rest, &word).await?;
    refuse_ended(&pod, "exec")?;
    let container = pods::container(&session, &pod, args.text("container"), args.on("quiet")).await?;
    let options = options(&session, &args).await;
    let mut path = stream_path(&pod, "exec", &container, options);
    for word in &command {
        path.push_str(&format!("&command={}", escape(word)));
    }
    streams::run(&rest, &path, options).await
}

/// The object that `--filename` names, as TYPE/NAME.
async fn in_file(rest: &Rest, args: &Args) -> Outcome<String> {
    let documents = manifests::load(&rest.session, args).await?;
    let [document] = documents.as_slice() else {
        return Err(Failure::message("expected exactly one object in the file"));
    };
    let named = targets::from_document(rest, document).await?;
    Ok(format!("{}/{}", named.resource.group_resource(), named.name))
}

/// What `-i` and `-t` come to: a terminal only where there is one.
async fn options(session: &Session, args: &Args) -> Options {
    let stdin = args.on("stdin");
    let tty = stdin && args.on("tty") && terminal(session, args.on("quiet")).await;
    Options { stdin, tty }
}

/// Whether there is a terminal; says so if there is none.
async fn terminal(session: &Session, quiet: bool) -> bool {
    let is_there = session.place.tty().is_some();
    if !is_there && !quiet {
        session.err("Unable to use a TTY - input is not a terminal or the right kind of file\n").await;
    }
    is_there
}

/// A container that has ended cannot be entered.
pub fn refuse_ended(pod: &Object, verb: &str) -> Outcome {
    match pod.str("status.phase") {
        phase @ ("Succeeded" | "Failed") => Err(Failure::message(format!(
            "cannot {verb} into a container in a completed pod; current phase is {phase}"
        ))),
        _ => Ok(()),
    }
}

/// The path of a stream to a container.
pub fn stream_path(pod: &Object, verb: &str, container: &str, options: Options) -> String {
    let mut path = format!(
        "/api/v1/namespaces/{}/pods/{}/{verb}?container={}&stdout=true",
        pod.namespace(),
        pod.name(),
        escape(container)
    );
    for (wanted, name) in [(options.stdin, "stdin"), (!options.tty, "stderr"), (options.tty, "tty")] {
        if wanted {
            path.push_str(&format!("&{name}=true"));
        }
    }
    path
}

async fn attach(session: Rc<Session>, args: Args) -> Outcome {
    let word = match args.words.as_slice() {
        [] => return Err(Failure::message("at least 1 argument is required for attach")),
        [word] => word.clone(),
        [kind, name] => format!("{kind}/{name}"),
        words => {
            return Err(Failure::message(format!(
                "expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {}: [{}]",
                words.len(),
                words.join(" ")
            )));
        }
    };
    let rest = session.rest(&args)?;
    let pod = pods::one(&rest, &word).await?;
    attach_to(&rest, &Attach::of(&args), &pod).await
}

/// How to attach.
pub struct Attach {
    /// The container; the usual one when empty.
    pub container: String,
    /// Standard input goes there.
    pub stdin: bool,
    /// A terminal is wanted.
    pub tty: bool,
    /// Nothing is said but what the container says.
    pub quiet: bool,
}

impl Attach {
    /// As the flags say.
    pub fn of(args: &Args) -> Attach {
        let container = args.text("container").to_owned();
        Attach { container, stdin: args.on("stdin"), tty: args.on("tty"), quiet: args.on("quiet") }
    }
}

const RECORDED: &str = "All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.\nIf you don't see a command prompt, try pressing enter.\n";

/// Attaches to a pod.
pub async fn attach_to(rest: &Rest, how: &Attach, pod: &Object) -> Outcome {
    if matches!(pod.str("status.phase"), "Succeeded" | "Failed") {
        let phase = pod.str("status.phase");
        return Err(Failure::message(format!(
            "cannot attach a container in a completed pod; current phase is {phase}"
        )));
    }
    let (session, quiet) = (&rest.session, how.quiet);
    let container = pods::container(session, pod, &how.container, quiet).await?;
    let is_meant = |field: &str| pod.list(field).iter().find(|c| c["name"] == container.as_str());
    let ephemeral = is_meant("spec.ephemeralContainers");
    let has_tty = is_meant("spec.containers").or(ephemeral).is_some_and(|c| c["tty"] == true);
    let mut options = Options { stdin: how.stdin, tty: false };
    if how.tty && !has_tty {
        if !quiet {
            session.err(format!("error: Unable to use a TTY - container {container} did not allocate one\n")).await;
        }
    } else if has_tty && options.stdin {
        // A container that has a terminal needs one here, whether or not it was asked for.
        options.tty = terminal(session, quiet).await;
    }
    if !quiet {
        session.err(RECORDED).await;
    }
    streams::run(rest, &stream_path(pod, "attach", &container, options), options).await?;
    if quiet || !options.tty {
        return Ok(());
    }
    let again = format!("'kubectl attach {} -c {container} -n {} -i -t'", pod.name(), pod.namespace());
    session
        .out(match ephemeral {
            None => format!("Session ended, resume using {again} command\n"),
            Some(_) => format!(
                "Session ended, the ephemeral container will not be restarted but may be reattached using {again} if it is still running\n"
            ),
        })
        .await
}
