//! What came of a recording: which answers were the recorded ones.

use crate::mask;
use crate::recording::Recorded;

/// What a refusal of a part that is not built says (`simulation::stub!`).
const REFUSAL: &str = "kubonsai does not support ";

/// What a command said.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// On standard output.
    pub stdout: String,
    /// On standard error.
    pub stderr: String,
    /// Its exit code.
    pub exit: i32,
}

/// What came of a recording.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Name of the recording.
    pub name: String,
    /// Commands played whose whole answer counts.
    pub played: usize,
    /// Commands played whose output a container made up: exit code and standard error are compared, and not counted.
    pub from_containers: usize,
    /// The commands that answered differently.
    pub different: Vec<Difference>,
}

/// A command that answered differently.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Its number.
    pub index: usize,
    /// The line.
    pub command: String,
    /// Its output came from a container, and even so it differs.
    pub is_from_container: bool,
    /// A part that is not built refused it by name.
    pub is_refused: bool,
}

impl Outcome {
    /// Nothing played yet.
    pub fn new(recording: &str) -> Outcome {
        Outcome { name: recording.to_owned(), played: 0, from_containers: 0, different: Vec::new() }
    }

    /// Counts a command that was played.
    pub fn compare(&mut self, recorded: &Recorded, answer: &Answer) {
        let is_from_container = recorded.is_from_container();
        *(if is_from_container { &mut self.from_containers } else { &mut self.played }) += 1;
        let stdout = |text: &str| if is_from_container { String::new() } else { text.to_owned() };
        let wanted = mask::answer(&stdout(&recorded.stdout), &recorded.stderr, recorded.exit);
        let got = mask::answer(&stdout(&answer.stdout), &answer.stderr, i64::from(answer.exit));
        if wanted == got {
            return;
        }
        show(recorded, answer, &wanted, &got);
        let is_refused = answer.stdout.contains(REFUSAL) || answer.stderr.contains(REFUSAL);
        let (index, command) = (recorded.index, recorded.command.clone());
        self.different.push(Difference { index, command, is_from_container, is_refused });
    }

    /// Commands of the whole that a part which is not built refused by name.
    pub fn refused(&self) -> usize {
        self.different.iter().filter(|d| !d.is_from_container && d.is_refused).count()
    }

    /// Commands that answered the same.
    pub fn same(&self) -> usize {
        self.played - self.different.iter().filter(|d| !d.is_from_container).count()
    }

    /// Commands with a container's output that ended as recorded and said the same on standard error.
    pub fn same_from_containers(&self) -> usize {
        self.from_containers - self.different.iter().filter(|d| d.is_from_container).count()
    }

    /// In percent, rounded down.
    pub fn share(&self) -> usize {
        self.same() * 100 / self.played.max(1)
    }
}

fn show(recorded: &Recorded, answer: &Answer, wanted: &str, got: &str) {
    let Ok(how) = std::env::var("ORACLE_SHOW") else { return };
    let (how, only) = how.split_once(',').unwrap_or((&how, ""));
    if !only.is_empty() && only.parse() != Ok(recorded.index) {
        return;
    }
    println!("\n$$$ [{}] {}", recorded.index, recorded.command);
    if how == "raw" {
        println!("{}--- stderr\n{}--- exit {}", answer.stdout, answer.stderr, answer.exit);
    } else {
        println!("{}", mask::difference(wanted, got));
    }
}
