//! `docker run` (`cli/command/container/run.go`).

use std::rc::Rc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use machine::Ctx;
use runtime::kernel::signals;
use simulation::stub;

use super::registry::pull_for_run;
use crate::command::{Call, Command, Failure, Flag, Outcome, Parsed, Wants, switch, value, values};
use crate::daemon::{Container, NewContainer, Publish};
use crate::{Daemon, streams};

/// CPUs that can be asked for: more than any machine has, and few enough to count in billionths.
const CPUS_MAX: f64 = 65_536.0;

/// What a container can be made with.
pub(super) static FLAGS: &[Flag] = &[
    values("attach", Some('a'), "Accepted; standard streams are attached unless it is detached"),
    value("cpus", None, "Number of CPUs"),
    switch("detach", Some('d'), "Run container in background and print container ID"),
    value("entrypoint", None, "Overwrite the default ENTRYPOINT of the image"),
    values("env", Some('e'), "Set environment variables"),
    values("env-file", None, "Read in a file of environment variables"),
    values("expose", None, "Accepted; ports of containers can be reached among themselves"),
    value("hostname", Some('h'), "Container host name"),
    switch("init", None, "Accepted; processes are reaped"),
    switch("interactive", Some('i'), "Keep STDIN open even if not attached"),
    values("label", Some('l'), "Set meta data on a container"),
    value("memory", Some('m'), "Memory limit"),
    values("mount", None, "Attach a filesystem mount to the container"),
    value("name", None, "Assign a name to the container"),
    value("network", None, "Connect a container to a network"),
    value("platform", None, "Accepted; there is one platform"),
    switch("privileged", None, "Give extended privileges to this container"),
    values("publish", Some('p'), "Publish a container's port(s) to the host"),
    switch("publish-all", Some('P'), "Publish all exposed ports to random ports"),
    value("pull", None, "Pull image before running (\"always\", \"missing\", \"never\")"),
    switch("quiet", Some('q'), "Suppress the pull output"),
    switch("read-only", None, "Mount the container's root filesystem as read only"),
    value("restart", None, "Restart policy to apply when a container exits"),
    switch("rm", None, "Automatically remove the container when it exits"),
    switch("tty", Some('t'), "Allocate a pseudo-TTY"),
    value("user", Some('u'), "Username or UID (format: <name|uid>[:<group|gid>])"),
    values("volume", Some('v'), "Bind mount a volume"),
    value("workdir", Some('w'), "Working directory inside the container"),
];

pub(crate) static COMMAND: Command = Command {
    names: &["run", "container run"],
    usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    help: "Create and run a new container from an image",
    wants: Wants::AtLeast(1),
    flags: FLAGS,
    ends_at_argument: true,
    run: |call| Box::pin(run(call)),
};

/// An error of the engine, with its exit code.
pub(super) fn failed(command: &str, why: &str) -> Failure {
    // Only what the engine says of the program is about the program.
    let has = |texts: &[&str]| why.starts_with("Error response") && texts.iter().any(|text| why.contains(text));
    let code = if has(&["executable file not found", "no such file or directory"]) {
        127
    } else if has(&["permission denied", "is a directory"]) {
        126
    } else {
        125
    };
    Failure { text: format!("docker: {why}\n\nRun 'docker {command} --help' for more information"), code }
}

/// `64m`, `1g`, `1048576`.
fn bytes(text: &str) -> Option<i64> {
    let lower = text.to_lowercase();
    let lower = lower.trim_end_matches('b');
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &lower[digits.len()..] {
        "" => 1.0,
        "k" | "ki" => 1024.0,
        "m" | "mi" => 1024.0 * 1024.0,
        "g" | "gi" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "memory of containers is below an exabyte")]
    digits.parse::<f64>().ok().map(|n| (n * unit) as i64)
}

fn refusals(parsed: &Parsed) -> Result<(), String> {
    let network = parsed.get("network").is_some_and(|network| !matches!(network, "bridge" | "default"));
    let restart = parsed.get("restart").is_some_and(|policy| policy != "no");
    for (is_asked, refusal) in [
        (!parsed.all("volume").is_empty() || !parsed.all("mount").is_empty(), stub!("docker", "volumes of containers")),
        (network, stub!("docker", "networks beside the default one")),
        (restart, stub!("docker", "restart policies")),
        (parsed.is_on("privileged"), stub!("docker", "privileged containers")),
    ] {
        if is_asked {
            return Err(refusal.to_owned());
        }
    }
    Ok(())
}

/// What a command line asks for.
pub(super) fn read(ctx: &Ctx, parsed: &Parsed) -> Result<NewContainer, String> {
    refusals(parsed)?;
    let mut env: Vec<(String, String)> = Vec::new();
    let mut set = |text: &str| {
        let pair = match text.split_once('=') {
            Some((name, value)) => Some((name.to_owned(), value.to_owned())),
            None => ctx.var(text).map(|value| (text.to_owned(), value.to_owned())),
        };
        if let Some((name, value)) = pair {
            env.retain(|(n, _)| *n != name);
            env.push((name, value));
        }
    };
    for file in parsed.all("env-file") {
        let text = ctx.fs.read_to_string(&ctx.path(file));
        let text = text.map_err(|why| format!("open {file}: {}", why.message().to_lowercase()))?;
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).for_each(&mut set);
    }
    parsed.all("env").iter().for_each(|text| set(text));
    let pair = |text: &String| match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (text.clone(), String::new()),
    };
    let memory = parsed.get("memory").map(|text| {
        bytes(text)
            .ok_or_else(|| format!("invalid argument \"{text}\" for \"-m, --memory\" flag: invalid size: '{text}'"))
    });
    let cpus = parsed.get("cpus").map(|text| {
        let read = text.parse::<f64>().ok().filter(|cpus| cpus.is_finite() && (0.0..=CPUS_MAX).contains(cpus));
        read.ok_or_else(|| {
            format!("invalid argument \"{text}\" for \"--cpus\" flag: failed to parse {text} as a rational number")
        })
    });
    let is_detached = parsed.is_on("detach");
    let text = |flag: &str| parsed.get(flag).unwrap_or_default().to_owned();
    #[expect(clippy::cast_possible_truncation, reason = "a machine has a few CPUs")]
    let cpu_milli = cpus.transpose()?.map(|cpus| (cpus * 1000.0) as i64);
    Ok(NewContainer {
        name: text("name"),
        image: parsed.args[0].clone(),
        entrypoint: parsed.get("entrypoint").map(|program| vec![program.to_owned()]),
        args: parsed.args[1..].to_vec(),
        env,
        working_dir: text("workdir"),
        hostname: text("hostname"),
        user: text("user"),
        ports: parsed.all("publish").iter().map(|port| Publish::parse(port)).collect::<Result<_, _>>()?,
        tty: parsed.is_on("tty"),
        stdin: parsed.is_on("interactive"),
        is_attached: !is_detached,
        auto_remove: parsed.is_on("rm"),
        memory_bytes: memory.transpose()?,
        cpu_milli,
        read_only: parsed.is_on("read-only"),
        labels: parsed.all("label").iter().map(pair).collect(),
    })
}

/// Makes a container, with its image pulled if need be.
pub(super) async fn create(call: &Call, command: &str) -> Result<Rc<Container>, Failure> {
    let mut new = read(&call.ctx, &call.parsed).map_err(|why| failed(command, &why))?;
    let policy = call.parsed.get("pull").unwrap_or("missing");
    let is_there = call.daemon.images().find(&new.image).is_some();
    if policy == "always" || (policy == "missing" && !is_there) {
        pull_for_run(call, &new.image, policy == "always").await.map_err(|why| failed(command, &why))?;
    }
    let image = call.daemon.image(&new.image).map_err(|why| failed(command, &why))?;
    if call.parsed.is_on("publish-all") {
        let ports = image.image.file()["config"]["ExposedPorts"].as_object().cloned().unwrap_or_default();
        new.ports.extend(ports.keys().filter_map(|port| Publish::parse(port).ok()));
    }
    // Docker runs `docker run IMAGE` with the image's entrypoint emptied when it is overwritten by nothing.
    new.entrypoint = new.entrypoint.map(|words| words.into_iter().filter(|word| !word.is_empty()).collect());
    call.daemon.create(new).await.map_err(|why| failed(command, &why))
}

async fn run(call: Call) -> Outcome {
    if call.parsed.is_on("tty")
        && call.parsed.is_on("interactive")
        && !call.parsed.is_on("detach")
        && !call.ctx.stdin.is_tty()
    {
        return Err(Failure { text: "the input device is not a TTY".to_owned(), code: 1 });
    }
    let container = create(&call, "run").await?;
    if call.parsed.is_on("detach") {
        return match call.daemon.start(&container).await {
            Ok(()) => {
                call.line(&container.id).await;
                Ok(0)
            }
            Err(why) => Err(not_started(&call.daemon, &container, &why).await),
        };
    }
    if let Err(why) = call.daemon.start(&container).await {
        return Err(not_started(&call.daemon, &container, &why).await);
    }
    Ok(attached(&call.ctx, &call.daemon, &container, true).await)
}

async fn not_started(daemon: &Daemon, container: &Rc<Container>, why: &str) -> Failure {
    if container.config.auto_remove {
        daemon.forget(container).await;
    }
    failed("run", why)
}

/// Interrupts a container when its program is given up.
struct Interrupted(Option<(Daemon, String)>);

impl Drop for Interrupted {
    fn drop(&mut self) {
        if let Some((daemon, id)) = self.0.take() {
            daemon.runtime().signal(&id, signals::INT);
        }
    }
}

/// Carries the streams of a container that was started until it has ended; its exit code.
pub(super) async fn attached(ctx: &Ctx, daemon: &Daemon, container: &Rc<Container>, has_input: bool) -> i32 {
    let mut guard = Interrupted(Some((daemon.clone(), container.id.clone())));
    let code = match daemon.runtime().attach(&container.id, container.config.stdin && has_input) {
        Ok(session) => streams::carry(ctx, session, container.config.tty).await,
        Err(_) => {
            // It has ended already, as a file does that is no program.
            let logs = daemon.runtime().logs(&container.id, Default::default());
            let log: Vec<Bytes> = match logs {
                Ok(pieces) => pieces.collect().await,
                Err(_) => Vec::new(),
            };
            let _ = ctx.stderr.write_all(&log.concat()).await;
            daemon.wait(&container.id).await
        }
    };
    guard.0 = None;
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_memory() {
        assert_eq!(
            (bytes("64m"), bytes("1G"), bytes("512k"), bytes("77"), bytes("x")),
            (Some(64 << 20), Some(1 << 30), Some(512 << 10), Some(77), None)
        );
    }

    #[test]
    fn exit_codes_tell_whose_fault_it_was() {
        assert_eq!(
            failed("run", "Error response from daemon: exec: \"x\": executable file not found in $PATH").code,
            127
        );
        assert_eq!(failed("run", "Error response from daemon: exec: \"/etc\": permission denied").code, 126);
        assert_eq!(failed("run", "pull access denied").code, 125);
        assert_eq!(failed("run", "open missing: no such file or directory").code, 125);
    }
}
