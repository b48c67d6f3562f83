//! `kubonsai sh`: scripts, and an interactive terminal.

use std::io::{IsTerminal as _, Read as _, Write as _};

use anyhow::Context as _;
use clap::Args;
use cluster::{Output, Stream, World};
use simulation::Time;

use kubonsai::drive;
use kubonsai::engine::Engine;

use crate::trace::Requests;
use crate::wire::Wire;

#[derive(Args)]
pub(crate) struct Options {
    /// A cluster of this profile is running from the start; without it `minikube start` makes one.
    #[arg(long)]
    profile: Option<String>,
    /// Nodes of that cluster.
    #[arg(long, default_value_t = 1)]
    nodes: u32,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Virtual time at the beginning (RFC 3339); the wall clock's if left out. Same seed, same start: same bytes.
    #[arg(long)]
    start: Option<String>,
    /// What runs the programs of containers. CPU time is counted differently, so compare bytes on one engine only.
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    #[command(flatten)]
    wire: Wire,
    /// When the script has ended, print what became of each request on the network (as `kubonsai trace` does) to standard error.
    #[arg(long)]
    trace_requests: bool,
    /// The script; otherwise it is read from standard input.
    #[arg(short = 'c', value_name = "SCRIPT")]
    script: Option<String>,
}

/// Runs the shell; the value is its exit code.
pub(crate) fn run(options: &Options) -> anyhow::Result<u8> {
    let start = match &options.start {
        Some(text) => Time::parse_rfc3339(text).with_context(|| format!("--start {text}: not RFC 3339"))?,
        None => drive::begin_now(),
    };
    let mut world =
        drive::new_world_on(options.engine, options.seed, start, options.profile.as_deref(), options.nodes)?;
    world.set_wire(&options.wire.said());
    if options.profile.is_some() {
        drive::run_until(&mut world, |world| world.is_ready());
    }
    let (script, stdin) = match &options.script {
        Some(script) => (script.clone(), read_stdin_if_piped()?),
        None => {
            if std::io::stdin().is_terminal() {
                return interactive::run(world);
            }
            let mut script = String::new();
            std::io::stdin().read_to_string(&mut script)?;
            (script, Vec::new())
        }
    };
    let mut requests = Requests::default();
    let code = play(&mut world, &script, stdin, options.seed, |world| {
        pass_on(world.take_output());
        if options.trace_requests {
            requests.collect(world);
        }
    });
    if options.trace_requests {
        eprint!("{}", requests.table(None, false));
    }
    code
}

/// Plays a script to its end; `look` is called between slices and once after it. The value is its exit code.
pub(crate) fn play(
    world: &mut World,
    script: &str,
    stdin: Vec<u8>,
    seed: u64,
    mut look: impl FnMut(&mut World),
) -> anyhow::Result<u8> {
    let run = world.run_script(script, stdin);
    let finished = drive::run_until(world, |world| {
        look(world);
        run.exit_code().is_some()
    });
    look(world);
    if !finished {
        anyhow::bail!("the script waits for something that can no longer happen (seed={seed} step={})", world.steps());
    }
    Ok(u8::try_from(run.exit_code().unwrap_or(1) & 0xff).unwrap_or(1))
}

pub(crate) fn read_stdin_if_piped() -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut stdin = std::io::stdin();
    if !stdin.is_terminal() {
        stdin.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn pass_on(output: Vec<Output>) {
    for piece in output {
        // A closed pipe behind us is no reason to stop: the exit code still counts.
        let _ = match piece.stream {
            Stream::Stderr => std::io::stderr().write_all(&piece.bytes),
            Stream::Stdout | Stream::Terminal(_) => std::io::stdout().write_all(&piece.bytes),
        };
    }
    let _ = std::io::stdout().flush();
}

mod interactive {
    //! The same line editor as in the page, on the terminal that `kubonsai` was started in.

    use std::io::Read as _;
    use std::process::{Command, Stdio};
    use std::sync::mpsc;
    use std::time::Duration;

    use cluster::{Effect, Input, World};
    use simulation::{Step, Time};

    use kubonsai::drive;

    /// Puts the terminal into raw mode for as long as it lives. `stty` does it, so no unsafe code is needed here.
    struct RawMode(String);

    impl RawMode {
        fn enter() -> anyhow::Result<RawMode> {
            let saved = stty(&["-g"])?;
            stty(&["raw", "-echo"])?;
            Ok(RawMode(saved.trim().to_owned()))
        }
    }

    impl Drop for RawMode {
        fn drop(&mut self) {
            let _ = stty(&[&self.0]);
        }
    }

    fn stty(arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new("stty").args(arguments).stdin(Stdio::inherit()).output()?;
        anyhow::ensure!(output.status.success(), "stty {arguments:?} failed");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn size() -> (u16, u16) {
        let text = stty(&["size"]).unwrap_or_default();
        let mut numbers = text.split_whitespace().filter_map(|n| n.parse().ok());
        let rows = numbers.next().unwrap_or(24);
        (numbers.next().unwrap_or(80), rows)
    }

    /// Nothing here can show a window beside the terminal; what asked for one is told. Whether there was any.
    fn refuse_windows(world: &mut World, at: Time) -> bool {
        let mut any = false;
        for effect in world.take_effects() {
            if let Effect::Edit { id, .. } = effect {
                world.input(at, Input::RefuseEdit { id });
                any = true;
            }
        }
        any
    }

    /// Virtual time follows the wall clock, so that waiting feels as it is.
    pub(super) fn run(mut world: World) -> anyhow::Result<u8> {
        let _raw = RawMode::enter()?;
        let (keys_tx, keys) = mpsc::channel::<String>();
        std::thread::spawn(move || {
            let mut buffer = [0_u8; 1024];
            while let Ok(count @ 1..) = std::io::stdin().read(&mut buffer) {
                if keys_tx.send(String::from_utf8_lossy(&buffer[..count]).into_owned()).is_err() {
                    break;
                }
            }
        });
        let (cols, rows) = size();
        let begun = drive::wall_clock();
        let offset = world.now();
        let now = || offset + drive::wall_clock().saturating_since(begun);
        world.input(now(), Input::OpenTerminal { id: 1, cols, rows });
        loop {
            let step = drive::step(&mut world, now());
            super::pass_on(world.take_output());
            if refuse_windows(&mut world, now()) {
                continue;
            }
            if !world.has_terminal(1) {
                return Ok(0);
            }
            let wait = match step {
                Step::Busy | Step::Waiting => Duration::ZERO,
                Step::Idle { wake_at: Some(at) } => at.saturating_since(now()).min(Duration::from_secs(3600)),
                Step::Idle { wake_at: None } => Duration::from_secs(3600),
            };
            match keys.recv_timeout(wait) {
                Ok(text) => {
                    let at = now();
                    while drive::step(&mut world, at) == Step::Busy {}
                    world.input(at, Input::Keys { id: 1, text });
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
    }
}
