//! Plays a recording with the real kubectl, against `kubonsai serve`.
//!
//! The server keeps the wall clock, and so do `sleep` and `timeout` in the recorded lines: a recording takes as long as
//! it took when it was made, with its pauses. Which steps of something are seen depends on milliseconds, so two runs do
//! not agree on every command.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
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

impl Place {
    /// Serves a cluster like the recorded one.
    ///
    /// # Errors
    /// It does not come up.
    pub fn new(programs: &Programs, name: &str) -> Result<Place> {
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
        let server = Command::new(&programs.kubonsai)
            .args(["serve", "--profile", "recorded", "--seed", "2", "--registry"])
            .arg(root.join("registry"))
            .arg("--kubeconfig")
            .arg(root.join("kubeconfig"))
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| programs.kubonsai.display().to_string())?;
        let mut place = Place { server, root, path };
        let mut line = String::new();
        let stdout = place.server.stdout.take().context("standard output was asked for")?;
        BufReader::new(stdout).read_line(&mut line)?;
        ensure!(line.starts_with("Serving"), "the server does not come up: {line:?}");
        Ok(place)
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

fn link(program: &Path, to: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(std::fs::canonicalize(program)?, to)?)
}

struct Bench {
    place: Place,
    written: BTreeSet<String>,
    begun: Instant,
    /// The next command begins at the earliest so long after the beginning.
    next: Duration,
}

impl Bench {
    fn new(programs: &Programs, recording: &Recording) -> Result<Bench> {
        let place = Place::new(programs, &recording.name)?;
        // As in the other player: between two recordings, everything was deleted, events too.
        place.run("kubectl delete events --all", "")?;
        let mut bench = Bench { place, written: BTreeSet::new(), begun: Instant::now(), next: Duration::ZERO };
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
        let due = self.next.max(since.saturating_sub(HALF_SECOND));
        std::thread::sleep(due.saturating_sub(self.begun.elapsed()));
        let earliest = self.begun.elapsed() + recorded.took;
        let answer = self.place.run(&recorded.command, &recorded.stdin)?;
        self.next = earliest.max(self.begun.elapsed()) + recording.pause_after(recorded);
        Ok(answer)
    }
}
