//! Plays recordings of real Kubernetes with our kubectl against our control plane, with a stand-in for the nodes, and
//! counts how many commands answer identically once what must vary is masked.

#![allow(
    clippy::disallowed_methods,
    reason = "a native test reads recordings from disk and a switch from the environment"
)]

mod bench;
mod mask;
mod nodes;
mod shell;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use bench::Bench;

/// One recorded command.
struct Recorded {
    index: i64,
    command: String,
    stdin: Option<String>,
    stdout: String,
    stderr: String,
    exit: i64,
}

struct Recording {
    files: BTreeMap<String, String>,
    commands: Vec<Recorded>,
}

fn load(sequence: &str) -> Recording {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle");
    let name = std::fs::read_dir(&folder)
        .expect("the recordings are in the repository")
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .find(|n| n.starts_with(sequence))
        .expect("the recording exists");
    let text = std::fs::read_to_string(folder.join(name)).expect("the recording can be read");
    let mut recording = Recording { files: BTreeMap::new(), commands: Vec::new() };
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("a recording is JSON lines");
        let text = |field: &str| line[field].as_str().unwrap_or("").to_owned();
        if line["i"] == -1 {
            for (name, content) in line["files"].as_object().into_iter().flatten() {
                recording.files.insert(name.clone(), content.as_str().unwrap_or("").to_owned());
            }
            continue;
        }
        recording.commands.push(Recorded {
            index: line["i"].as_i64().unwrap_or(0),
            command: text("cmd"),
            stdin: line["stdin"].as_str().map(str::to_owned),
            stdout: text("stdout"),
            stderr: text("stderr"),
            exit: line["exit"].as_i64().unwrap_or(0),
        });
    }
    recording
}

/// Plays a sequence; the share of identical answers must not fall below `percent`.
fn play(sequence: &str, percent: usize) {
    let recording = load(sequence);
    let mut bench = Bench::new(&recording.files);
    let (mut same, mut played) = (0, 0);
    let mut different = Vec::new();
    for recorded in &recording.commands {
        let Some(answer) = shell::run(&mut bench, &recorded.command, recorded.stdin.as_deref()) else { continue };
        played += 1;
        let wanted = mask::answer(&recorded.stdout, &recorded.stderr, recorded.exit);
        let got = mask::answer(&answer.stdout, &answer.stderr, i64::from(answer.exit));
        if wanted == got {
            same += 1;
            continue;
        }
        different.push(format!("[{}] {}", recorded.index, recorded.command));
        if std::env::var("ORACLE_SHOW").is_ok() {
            println!("\n$$$ [{}] {}", recorded.index, recorded.command);
            println!("{}", mask::difference(&wanted, &got));
            if std::env::var("ORACLE_RAW").is_ok() {
                println!("{}\n--- stderr\n{}", answer.stdout, answer.stderr);
            }
        }
    }
    let share = same * 100 / played.max(1);
    println!("recording {sequence}: {same} of {played} identical ({share} %)");
    println!("different:\n  {}", different.join("\n  "));
    assert!(share >= percent, "recording {sequence}: {share} % identical, at least {percent} % expected");
}

#[test]
fn recording_01_deploy_and_get() {
    play("01", 80);
}

#[test]
fn recording_03_services() {
    play("03", 90);
}

#[test]
fn recording_04_scale_and_set() {
    play("04", 85);
}

#[test]
fn recording_05_rollout() {
    play("05", 70);
}

#[test]
fn recording_06_labels() {
    play("06", 95);
}

#[test]
fn recording_07_apply() {
    play("07", 45);
}

#[test]
fn recording_08_patch() {
    play("08", 88);
}

#[test]
fn recording_09_pods() {
    play("09", 55);
}

#[test]
fn recording_10_generators() {
    play("10", 50);
}

#[test]
fn recording_18_delete_and_wait() {
    play("18", 95);
}

#[test]
fn recording_22_command_line_errors() {
    play("22", 97);
}

#[test]
fn recording_25_config() {
    play("25", 100);
}

#[test]
fn recording_26_tutorial() {
    play("26", 70);
}

#[test]
fn recording_02_watch() {
    play("02", 80);
}

#[test]
fn recording_14_nodes() {
    play("14", 60);
}

#[test]
fn recording_15_cluster_info() {
    play("15", 33);
}

#[test]
fn recording_16_explain() {
    play("16", 36);
}

#[test]
fn recording_21_bad_manifests() {
    play("21", 80);
}
