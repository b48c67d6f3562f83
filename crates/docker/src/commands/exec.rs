//! `docker exec` and `docker attach` (`cli/command/container/exec.go`).

use crate::command::{Call, Command, Failure, Outcome, Wants, switch, value, values};
use crate::streams;

pub(crate) static EXEC: Command = Command {
    names: &["exec", "container exec"],
    usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
    help: "Execute a command in a running container",
    wants: Wants::AtLeast(2),
    flags: &[
        switch("detach", Some('d'), "Detached mode: run command in the background"),
        values("env", Some('e'), "Set environment variables"),
        switch("interactive", Some('i'), "Keep STDIN open even if not attached"),
        switch("tty", Some('t'), "Allocate a pseudo-TTY"),
        value("user", Some('u'), "Username or UID"),
        value("workdir", Some('w'), "Working directory inside the container"),
    ],
    ends_at_argument: true,
    run: |call| Box::pin(exec(call)),
};

async fn exec(call: Call) -> Outcome {
    let (tty, stdin) = (call.parsed.is_on("tty"), call.parsed.is_on("interactive"));
    if tty && stdin && !call.ctx.stdin.is_tty() {
        return Err("the input device is not a TTY".into());
    }
    if call.parsed.get("user").is_some() || call.parsed.get("workdir").is_some() {
        return Err(simulation::stub!("docker", "--user and --workdir of docker exec").into());
    }
    let shown = call.daemon.container(&call.parsed.args[0])?;
    if !shown.is_running() {
        return Err(format!("Error response from daemon: container {} is not running", shown.id).into());
    }
    let mut argv = call.parsed.args[1..].to_vec();
    if !call.parsed.all("env").is_empty() {
        argv = ["env".to_owned()].into_iter().chain(call.parsed.all("env").iter().cloned()).chain(argv).collect();
    }
    let session = call
        .daemon
        .runtime()
        .exec(&shown.id, argv, tty, stdin)
        .map_err(|why| format!("Error response from daemon: {why}"))?;
    if call.parsed.is_on("detach") {
        return Ok(0);
    }
    let code = streams::carry(&call.ctx, session, tty).await;
    if code == 126 && !tty {
        call.ctx.err("\n").await; // after the words of runc
    }
    Ok(code)
}

pub(crate) static ATTACH: Command = Command {
    names: &["attach", "container attach"],
    usage: "[OPTIONS] CONTAINER",
    help: "Attach local standard input, output, and error streams to a running container",
    wants: Wants::Exactly(1),
    flags: &[switch("no-stdin", None, "Do not attach STDIN")],
    ends_at_argument: false,
    run: |call| {
        Box::pin(async move {
            let shown = call.daemon.container(&call.parsed.args[0])?;
            if !shown.is_running() {
                return Err(Failure {
                    text: "cannot attach to a stopped container, start it first".to_owned(),
                    code: 1,
                });
            }
            let own = call.daemon.own(&shown.id);
            let stdin = own.as_ref().is_some_and(|c| c.config.stdin) && !call.parsed.is_on("no-stdin");
            let session = call.daemon.runtime().attach(&shown.id, stdin)?;
            Ok(streams::carry(&call.ctx, session, own.is_some_and(|c| c.config.tty)).await)
        })
    },
};
