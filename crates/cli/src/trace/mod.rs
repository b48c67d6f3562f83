//! `kubonsai trace`: the packet trace of a script's requests.

mod table;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use cluster::World;
use cluster::journey::Journey;
use simulation::Time;

use kubonsai::drive;

use crate::sh;
use crate::wire::Wire;

/// Requests that are kept of a script; of one that makes more, the newest.
const REQUESTS_MAX: usize = 10_000;

#[derive(Args)]
pub(crate) struct Options {
    /// The cluster in which the script is played; it runs from the start.
    #[arg(long, default_value = "minikube")]
    profile: String,
    /// Nodes of that cluster.
    #[arg(long, default_value_t = 1)]
    nodes: u32,
    /// Seed of everything random: the same one chooses the same endpoints.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Virtual time at the beginning (RFC 3339); the wall clock's if left out.
    #[arg(long)]
    start: Option<String>,
    #[command(flatten)]
    wire: Wire,
    /// Print the last so many requests only.
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    /// Print what the cluster asks by itself too, such as probes.
    #[arg(long)]
    all: bool,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    /// Commands to play, such as "curl -s $(minikube ip):30080".
    #[arg(short = 'c', long = "exec", value_name = "COMMANDS", conflicts_with = "script")]
    exec: Option<String>,
    /// A file with the script; `-` or nothing for standard input. What the script prints goes to standard error.
    script: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for each request.
    Table,
    /// A JSON list.
    Json,
}

/// Plays the script and prints; the value is the script's exit code.
pub(crate) fn run(options: &Options) -> anyhow::Result<u8> {
    let start = match &options.start {
        Some(text) => Time::parse_rfc3339(text).with_context(|| format!("--start {text}: not RFC 3339"))?,
        None => drive::begin_now(),
    };
    let (script, stdin) = match (&options.exec, &options.script) {
        (Some(commands), _) => (commands.clone(), sh::read_stdin_if_piped()?),
        (None, Some(path)) if path.as_os_str() != "-" => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            (text, sh::read_stdin_if_piped()?)
        }
        _ => {
            let mut script = String::new();
            std::io::stdin().read_to_string(&mut script)?;
            (script, Vec::new())
        }
    };
    let mut world = drive::new_world(options.seed, start, Some(&options.profile), options.nodes)?;
    world.set_wire(&options.wire.said());
    drive::run_until(&mut world, |world| world.is_ready());
    let mut requests = Requests::after(&world);
    let code = sh::play(&mut world, &script, stdin, options.seed, |world| {
        for piece in world.take_output() {
            // A closed pipe behind us is no reason to stop.
            let _ = std::io::stderr().write_all(&piece.bytes);
        }
        requests.collect(world);
    });
    let text = match options.output {
        Format::Table => requests.table(options.last, options.all),
        Format::Json => requests.json(options.last, options.all)?,
    };
    let _ = std::io::stdout().write_all(text.as_bytes());
    code
}

/// The requests of a script, as they are told.
#[derive(Default)]
pub(crate) struct Requests {
    seen: u64,
    /// By their numbers.
    kept: BTreeMap<u64, Journey>,
    left_out: usize,
}

impl Requests {
    /// Those that are not there yet.
    fn after(world: &World) -> Requests {
        let seen = world.journeys_since(0).iter().map(|journey| journey.revision).max().unwrap_or(0);
        Requests { seen, ..Requests::default() }
    }

    /// Takes in what is new.
    pub(crate) fn collect(&mut self, world: &World) {
        for journey in world.journeys_since(self.seen) {
            self.seen = self.seen.max(journey.revision);
            self.kept.insert(journey.id, journey);
        }
        while self.kept.len() > REQUESTS_MAX {
            self.kept.pop_first();
            self.left_out += 1;
        }
    }

    /// The last so many, with or without the cluster's own.
    fn chosen(&self, last: Option<usize>, all: bool) -> Vec<&Journey> {
        let wanted: Vec<&Journey> = self.kept.values().filter(|journey| all || !journey.routine).collect();
        let skip = wanted.len().saturating_sub(last.unwrap_or(usize::MAX));
        wanted.into_iter().skip(skip).collect()
    }

    /// As tables, for people.
    pub(crate) fn table(&self, last: Option<usize>, all: bool) -> String {
        let mut text = String::new();
        if self.left_out > 0 {
            text += &format!("{} older requests were not kept.\n\n", self.left_out);
        }
        let chosen = self.chosen(last, all);
        if chosen.is_empty() {
            text += "No requests travelled over the network.\n";
        }
        let tables: Vec<String> = chosen.into_iter().map(table::table).collect();
        text + &tables.join("\n")
    }

    /// As a JSON list.
    fn json(&self, last: Option<usize>, all: bool) -> anyhow::Result<String> {
        if self.left_out > 0 {
            eprintln!("{} older requests were not kept.", self.left_out);
        }
        Ok(json::to_string_pretty(&self.chosen(last, all))? + "\n")
    }
}
