//! Plays a recording with the real kubectl, against `kubonsai serve`.
//!
//! The server keeps the wall clock, and so do `sleep` and `timeout` in the recorded lines: a recording takes as long as
//! it took when it was made, with its pauses. The server's clock stands still while it computes and while the first client of
//! a line starts, because a busy machine needs longer for both than the recorded one did; how long a command took and when
//! the next one is due is told by that clock. Even so, which steps of something are seen depends on milliseconds, and two
//! runs do not agree on every command.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use regex_lite::Regex;
use simulation::Duration;

use crate::outcome::{Answer, Outcome};
use crate::recording::{HALF_SECOND, Recorded, Recording};
use crate::registry;

/// A command that takes longer hangs, and is ended.
const COMMAND_SECONDS_MAX: &str = "120";
/// What `timeout` ends with when it had to end a command.
const TIMED_OUT: i32 = 124;
/// What stands for the working folder in the recordings.
const FOLDER: &str = "/WORKDIR";
/// Where the recorded API server listened.
const RECORDED_ADDRESS: &str = "127.0.0.1:16443";
/// A file of the recorded working folder that belonged to the machine: the certificate of the server's authority.
const AUTHORITY: &str = "ca.crt";

/// One recording after the other has the recorded address.
static ADDRESS: Mutex<()> = Mutex::new(());

/// client-go logs this when a deadline ends a watch in the moment between two reads, and does not a moment later.
static RACE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?m)^E[0-9]{4} [0-9:.]+ +[0-9]+ reflector\.go:[0-9]+\] "Failed to watch" err="context deadline exceeded".*\n"#)
        .expect("a pattern")
});

/// The programs that play.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The real kubectl.
    pub kubectl: PathBuf,
    /// The real helm.
    pub helm: PathBuf,
    /// Our native command.
    pub kubonsai: PathBuf,
}

impl Programs {
    /// `KUBONSAI_KUBECTL`, `KUBONSAI_HELM` and `KUBONSAI_NATIVE`; without them what is on PATH, and what cargo has built.
    ///
    /// # Errors
    /// One is missing.
    pub fn find() -> Result<Programs> {
        let built = std::env::current_exe()?.ancestors().nth(2).map(|folder| folder.join("kubonsai"));
        let programs = Programs {
            kubectl: named("KUBONSAI_KUBECTL").or_else(|| on_path("kubectl")).context("no kubectl")?,
            helm: named("KUBONSAI_HELM").or_else(|| on_path("helm")).context("no helm")?,
            kubonsai: named("KUBONSAI_NATIVE").or(built).context("no kubonsai")?,
        };
        for program in [&programs.kubectl, &programs.helm, &programs.kubonsai] {
            ensure!(program.is_file(), "{} is not there", program.display());
        }
        Ok(programs)
    }
}

fn named(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}

fn on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Plays a recording on a fresh cluster.
///
/// # Errors
/// The server does not come up, or a command hangs.
pub fn play(programs: &Programs, recording: &Recording) -> Result<Outcome> {
    let mut bench = Bench::new(programs, recording)?;
    let mut outcome = Outcome::new(&recording.name);
    for recorded in &recording.commands {
        let answer = bench.answer(recording, recorded)?;
        outcome.compare(recorded, &answer);
    }
    Ok(outcome)
}

/// A served cluster, and a user with a folder, a home and the programs on the path. All of it goes when it is dropped.
pub struct Place {
    server: Child,
    /// What the server reads and says, if its clock is paced.
    pace: Option<(ChildStdin, BufReader<ChildStdout>)>,
    root: PathBuf,
    path: OsString,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// How a cluster is served.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serving {
    /// At the recorded address instead of at a free port.
    pub is_at_recorded_address: bool,
    /// With a clock that [`Place::hold`] and [`Place::go`] pace.
    pub is_paced: bool,
}

impl Place {
    /// Serves a cluster like the recorded one.
    ///
    /// # Errors
    /// It does not come up, for example because somebody else has its address.
    pub fn new(programs: &Programs, name: &str, serving: Serving) -> Result<Place> {
        let root = std::env::temp_dir().join(format!("kubonsai-real-{}-{name}", std::process::id()));
        if root.exists() {
            std::fs::remove_dir_all(&root)?;
        }
        for folder in ["work", "home", "bin"] {
            std::fs::create_dir_all(root.join(folder))?;
        }
        registry::write(&root.join("registry"))?;
        link(&programs.kubectl, &root.join("bin/kubectl"))?;
        link(&programs.helm, &root.join("bin/helm"))?;
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([root.join("bin")].into_iter().chain(std::env::split_paths(&inherited)))?;
        let mut command = Command::new(&programs.kubonsai);
        command.args(["serve", "--profile", "recorded", "--seed", &seed(), "--registry"]).arg(root.join("registry"));
        command.arg("--kubeconfig").arg(root.join("kubeconfig")).stdin(Stdio::piped()).stdout(Stdio::piped());
        if serving.is_at_recorded_address {
            command.args(["--listen", RECORDED_ADDRESS]);
        }
        if serving.is_paced {
            command.arg("--paced");
        }
        let server = command.spawn().with_context(|| programs.kubonsai.display().to_string())?;
        let mut place = Place { server, pace: None, root, path };
        let streams = place.server.stdin.take().zip(place.server.stdout.take());
        let (stdin, stdout) = streams.context("both were asked for")?;
        let mut stdout = BufReader::new(stdout);
        let line = read_line(&mut stdout)?;
        ensure!(line.starts_with("Serving"), "the server does not come up: {line:?}");
        if serving.is_paced {
            // The second line names the kubeconfig.
            read_line(&mut stdout)?;
            place.pace = Some((stdin, stdout));
        }
        Ok(place)
    }

    /// The server's clock stands still until the next request; gives how long it has run.
    ///
    /// # Errors
    /// The server has ended, or its clock is not paced.
    pub fn hold(&mut self) -> Result<Duration> {
        self.tell("hold")
    }

    /// The server's clock runs; gives how long it has run.
    ///
    /// # Errors
    /// The server has ended, or its clock is not paced.
    pub fn go(&mut self) -> Result<Duration> {
        self.tell("go")
    }

    fn tell(&mut self, what: &str) -> Result<Duration> {
        let (stdin, stdout) = self.pace.as_mut().context("the clock is not paced")?;
        writeln!(stdin, "{what}")?;
        let line = read_line(stdout)?;
        Ok(Duration::from_millis(line.trim().parse().with_context(|| format!("no time: {line:?}"))?))
    }

    /// The folder in which commands run.
    pub fn folder(&self) -> PathBuf {
        self.root.join("work")
    }

    /// The kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.root.join("kubeconfig")
    }

    /// Runs a line for bash.
    ///
    /// # Errors
    /// It hangs.
    pub fn run(&self, script: &str, stdin: &str) -> Result<Answer> {
        let folder = self.folder();
        let mut child = Command::new("timeout")
            .args(["-k", "1", COMMAND_SECONDS_MAX, "bash", "-c", script])
            .current_dir(&folder)
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", self.root.join("home"))
            .env("KUBECONFIG", self.kubeconfig())
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // A command that reads nothing closes its end.
            let _ = input.write_all(stdin.as_bytes());
        }
        let begun = Instant::now();
        let output = child.wait_with_output()?;
        let exit = output.status.code().unwrap_or(-1);
        if exit == TIMED_OUT && begun.elapsed().as_secs().to_string() == COMMAND_SECONDS_MAX {
            bail!("never ends: {script}");
        }
        let folder = folder.to_string_lossy().into_owned();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&folder, FOLDER);
        let stderr = RACE.replace_all(&text(&output.stderr), "").into_owned();
        Ok(Answer { stdout: text(&output.stdout), stderr, exit })
    }

    /// Writes a file into the folder.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder().join(name);
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        Ok(std::fs::write(path, text)?)
    }
}

/// What two runs of a real cluster do not agree on is drawn here; `ORACLE_SEED` tries another.
fn seed() -> String {
    std::env::var("ORACLE_SEED").unwrap_or_else(|_| "2".to_owned())
}

fn read_line(from: &mut impl std::io::BufRead) -> Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    Ok(line)
}

fn link(program: &Path, to: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(std::fs::canonicalize(program)?, to)?)
}

struct Bench {
    place: Place,
    written: BTreeSet<String>,
    /// When the first command was due, by the server's clock.
    begun: Duration,
    /// The next command begins at the earliest then, by the same clock.
    next: Duration,
    /// Held while the recorded address is used.
    _address: Option<MutexGuard<'static, ()>>,
}

impl Bench {
    fn new(programs: &Programs, recording: &Recording) -> Result<Bench> {
        let is_at_recorded_address = recording.names(RECORDED_ADDRESS);
        let address = is_at_recorded_address.then(|| ADDRESS.lock().unwrap_or_else(PoisonError::into_inner));
        let serving = Serving { is_at_recorded_address, is_paced: true };
        let mut place = Place::new(programs, &recording.name, serving)?;
        // As in the other player: between two recordings, everything was deleted, events too.
        place.run("kubectl delete events --all", "")?;
        if recording.names(AUTHORITY) {
            let held = "{.clusters[0].cluster.certificate-authority-data}";
            place.run(&format!("kubectl config view --raw -o jsonpath='{held}' | base64 -d > {AUTHORITY}"), "")?;
        }
        let next = place.go()?;
        let mut bench = Bench { place, written: BTreeSet::new(), begun: next, next, _address: address };
        for name in recording.first_files() {
            bench.write(recording, name)?;
        }
        Ok(bench)
    }

    fn write(&mut self, recording: &Recording, name: &str) -> Result<()> {
        self.written.insert(name.to_owned());
        self.place.write(name, recording.files.get(name).map_or("", String::as_str))
    }

    fn answer(&mut self, recording: &Recording, recorded: &Recorded) -> Result<Answer> {
        for name in &recorded.files {
            if !self.written.contains(name) {
                self.write(recording, name)?;
            }
        }
        let since = recording.commands.first().map_or(Duration::ZERO, |first| recorded.at.saturating_since(first.at));
        self.wait_until(self.next.max(self.begun + since.saturating_sub(HALF_SECOND)))?;
        // A line that sleeps first sleeps by the wall clock.
        let is_client_first = recorded.command.starts_with("kubectl ");
        let begun = if is_client_first { self.place.hold()? } else { self.place.go()? };
        let answer = self.place.run(&recorded.command, &recorded.stdin)?;
        let ended = self.place.go()?;
        self.next = ended.max(begun + recorded.took) + recording.pause_after(recorded);
        Ok(answer)
    }

    /// Waits until the server's clock has run so long.
    fn wait_until(&mut self, due: Duration) -> Result<()> {
        loop {
            let left = due.saturating_sub(self.place.go()?);
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left);
        }
    }
}
