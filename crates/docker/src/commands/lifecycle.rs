//! `docker create`, `start`, `stop`, `restart`, `kill`, `rm`, `rename`, `wait`, `commit`, `container prune`.

use std::rc::Rc;

use runtime::kernel::signals;
use simulation::Duration;

use super::run;
use crate::command::{Call, Command, Flag, Outcome, Wants, switch, value};
use crate::{Daemon, text};

/// Before a container is killed, unless told otherwise.
const GRACE_SECONDS: u64 = 10;

static TIME: Flag = value("timeout", Some('t'), "Seconds to wait before killing the container");

/// Does something to each container that is named; those that were fine are printed.
async fn each<F>(call: &Call, act: impl Fn(Daemon, String) -> F) -> Outcome
where
    F: Future<Output = Result<(), String>>,
{
    let mut errors = Vec::new();
    for name in &call.parsed.args {
        match act(call.daemon.clone(), name.clone()).await {
            Ok(()) => call.line(name).await,
            Err(why) => errors.push(why),
        }
    }
    if errors.is_empty() { Ok(0) } else { Err(errors.join("\n").into()) }
}

fn grace(call: &Call) -> Duration {
    let seconds = call.parsed.get("timeout").or(call.parsed.get("time")).and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(GRACE_SECONDS))
}

pub(crate) static CREATE: Command = Command {
    names: &["create", "container create"],
    usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    help: "Create a new container",
    wants: Wants::AtLeast(1),
    flags: run::FLAGS,
    ends_at_argument: true,
    run: |call| {
        Box::pin(async move {
            let container = run::create(&call, "create").await?;
            call.line(&container.id).await;
            Ok(0)
        })
    },
};

pub(crate) static START: Command = Command {
    names: &["start", "container start"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    help: "Start one or more stopped containers",
    wants: Wants::AtLeast(1),
    flags: &[
        switch("attach", Some('a'), "Attach STDOUT/STDERR and forward signals"),
        switch("interactive", Some('i'), "Attach container's STDIN"),
    ],
    ends_at_argument: false,
    run: |call| Box::pin(start(call)),
};

async fn start(call: Call) -> Outcome {
    let interactive = call.parsed.is_on("interactive");
    if call.parsed.is_on("attach") || interactive {
        if call.parsed.args.len() > 1 {
            return Err("you cannot start and attach multiple containers at once".into());
        }
        let shown = call.daemon.container(&call.parsed.args[0])?;
        let container = call.daemon.own(&shown.id).ok_or_else(|| of_a_pod(&shown.name))?;
        call.daemon.start(&container).await?;
        return Ok(run::attached(&call.ctx, &call.daemon, &container, interactive).await);
    }
    let (mut errors, mut failed) = (Vec::new(), Vec::new());
    for name in &call.parsed.args {
        match start_one(&call.daemon, name).await {
            Ok(()) => call.line(name).await,
            Err(why) => {
                errors.push(why);
                failed.push(name.as_str());
            }
        }
    }
    if errors.is_empty() {
        return Ok(0);
    }
    errors.push(format!("failed to start containers: {}", failed.join(", ")));
    Err(errors.join("\n").into())
}

async fn start_one(daemon: &Daemon, name: &str) -> Result<(), String> {
    let shown = daemon.container(name)?;
    let container = daemon.own(&shown.id).ok_or_else(|| of_a_pod(&shown.name))?;
    daemon.start(&container).await
}

fn of_a_pod(name: &str) -> String {
    format!(
        "Error response from daemon: {}: {name}",
        simulation::stub!("docker", "starting of a pod's container by hand")
    )
}

pub(crate) static STOP: Command = Command {
    names: &["stop", "container stop"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    help: "Stop one or more running containers",
    wants: Wants::AtLeast(1),
    flags: &[TIME_FLAG, value("time", None, "As --timeout")],
    ends_at_argument: false,
    run: |call| {
        Box::pin(async move {
            let grace = grace(&call);
            each(&call, move |daemon, name| async move {
                let shown = daemon.no_sandbox(&name)?;
                daemon.stop(&shown.id, grace).await;
                Ok(())
            })
            .await
        })
    },
};

const TIME_FLAG: Flag = value("timeout", Some('t'), TIME.help);

pub(crate) static RESTART: Command = Command {
    names: &["restart", "container restart"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    help: "Restart one or more containers",
    wants: Wants::AtLeast(1),
    flags: &[TIME_FLAG, value("time", None, "As --timeout")],
    ends_at_argument: false,
    run: |call| {
        Box::pin(async move {
            let grace = grace(&call);
            each(&call, move |daemon, name| async move {
                let shown = daemon.container(&name)?;
                let container = daemon.own(&shown.id).ok_or_else(|| of_a_pod(&shown.name))?;
                daemon.restart(&container, grace).await
            })
            .await
        })
    },
};

pub(crate) static KILL: Command = Command {
    names: &["kill", "container kill"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    help: "Kill one or more running containers",
    wants: Wants::AtLeast(1),
    flags: &[value("signal", Some('s'), "Signal to send to the container")],
    ends_at_argument: false,
    run: |call| {
        Box::pin(async move {
            let name = call.parsed.get("signal").unwrap_or("KILL").to_owned();
            let signal =
                signals::parse(&name).ok_or_else(|| format!("Error response from daemon: invalid signal: {name}"))?;
            each(&call, move |daemon, name| async move {
                let shown = daemon.no_sandbox(&name)?;
                if !shown.is_running() {
                    return Err(format!(
                        "Error response from daemon: cannot kill container: {name}: container {} is not running",
                        shown.id
                    ));
                }
                if signal == signals::KILL {
                    daemon.stop(&shown.id, Duration::ZERO).await;
                } else {
                    daemon.runtime().signal(&shown.id, signal);
                }
                Ok(())
            })
            .await
        })
    },
};

pub(crate) static RM: Command = Command {
    names: &["rm", "container rm", "container remove"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    help: "Remove one or more containers",
    wants: Wants::AtLeast(1),
    flags: &[
        switch("force", Some('f'), "Force the removal of a running container (uses SIGKILL)"),
        switch("volumes", Some('v'), "Accepted; there are no volumes"),
    ],
    ends_at_argument: false,
    run: |call| {
        Box::pin(async move {
            let force = call.parsed.is_on("force");
            let mut errors = Vec::new();
            for name in &call.parsed.args {
                match call.daemon.remove(name, force).await {
                    Ok(()) => call.line(name).await,
                    // Said, and no failure.
                    Err(why) if force && why.contains("No such container") => call.ctx.err(format!("{why}\n")).await,
                    Err(why) => errors.push(why),
                }
            }
            if errors.is_empty() { Ok(0) } else { Err(errors.join("\n").into()) }
        })
    },
};

pub(crate) static RENAME: Command = Command {
    names: &["rename", "container rename"],
    usage: "CONTAINER NEW_NAME",
    help: "Rename a container",
    wants: Wants::Exactly(2),
    flags: &[],
    ends_at_argument: false,
    run: |call| {
        Box::pin(async move {
            call.daemon.rename(&call.parsed.args[0], &call.parsed.args[1])?;
            Ok(0)
        })
    },
};

pub(crate) static WAIT: Command = Command {
    names: &["wait", "container wait"],
    usage: "CONTAINER [CONTAINER...]",
    help: "Block until one or more containers stop, then print their exit codes",
    wants: Wants::AtLeast(1),
    flags: &[],
    ends_at_argument: false,
    run: |call| {
        Box::pin(async move {
            for name in &call.parsed.args {
                let shown = call.daemon.container(name)?;
                let code = call.daemon.wait(&shown.id).await;
                if call.daemon.runtime().gone().is_raised() {
                    return Err("error waiting for container: unexpected EOF".into());
                }
                call.line(code.to_string()).await;
            }
            Ok(0)
        })
    },
};

pub(crate) static COMMIT: Command = Command {
    names: &["commit", "container commit"],
    usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
    help: "Create a new image from a container's changes",
    wants: Wants::Between(1, 2),
    flags: &[value("message", Some('m'), "Commit message")],
    ends_at_argument: false,
    run: |call| {
        Box::pin(async move {
            let shown = call.daemon.container(&call.parsed.args[0])?;
            let name = call.parsed.args.get(1).map(|name| Daemon::reference(name)).transpose()?;
            let image = call.daemon.commit(&shown.id, call.parsed.get("message"))?;
            let id = image.id.clone();
            match name {
                Some(name) => call.daemon.images().insert(&name, Rc::clone(&image)),
                None => call.daemon.images().insert_unnamed(image),
            }
            call.line(id).await;
            Ok(0)
        })
    },
};

pub(crate) static PRUNE: Command = Command {
    names: &["container prune"],
    usage: "[OPTIONS]",
    help: "Remove all stopped containers",
    wants: Wants::Exactly(0),
    flags: &[switch("force", Some('f'), "Do not prompt for confirmation")],
    ends_at_argument: false,
    run: |call| {
        Box::pin(async move {
            let ended = call.daemon.shown().into_iter().filter(|c| !c.is_running());
            let own: Vec<_> = ended.filter_map(|c| call.daemon.own(&c.id)).collect();
            let mut bytes = 0;
            if !own.is_empty() {
                call.line("Deleted Containers:").await;
            }
            for container in &own {
                bytes += call.daemon.runtime().container_stats(&container.id).map_or(0, |stats| stats.file_bytes);
                call.daemon.forget(container).await;
                call.line(&container.id).await;
            }
            if !own.is_empty() {
                call.line("").await;
            }
            call.line(format!("Total reclaimed space: {}", text::size(bytes, 4))).await;
            Ok(0)
        })
    },
};
