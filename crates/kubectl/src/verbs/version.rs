//! `kubectl version`.

use std::rc::Rc;

use json::{Value, json};

use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, switch, text};
use crate::session::Session;

static FLAGS: &[Flag] = &[
    switch("client", "Only the version of kubectl itself; no server is needed."),
    text("output", "", "One of 'yaml' or 'json'.").short('o'),
];

/// The command.
pub static VERSION: Command = Command {
    name: "version",
    usage: "[flags]",
    short: "Print the client and server version information",
    long: "Print the versions of kubectl and of the server that it talks to.",
    examples: &[("Both versions", "kubectl version")],
    flags: &[FLAGS],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

/// Version of the built-in kustomize.
const KUSTOMIZE: &str = "v5.8.1";

/// The fields in the order in which Go prints them.
const FIELDS: &[&str] = &[
    "major",
    "minor",
    "emulationMajor",
    "emulationMinor",
    "minCompatibilityMajor",
    "minCompatibilityMinor",
    "gitVersion",
    "gitCommit",
    "gitTreeState",
    "buildDate",
    "goVersion",
    "compiler",
    "platform",
];

fn client() -> Value {
    json!({
        "major": "1", "minor": "36", "gitVersion": "v1.36.3",
        "gitCommit": "0f29094e5b73085e3802ecc1298ecae13866bfe6", "gitTreeState": "clean",
        "buildDate": "2026-07-22T18:10:35Z", "goVersion": "go1.26.5", "compiler": "gc", "platform": "linux/amd64",
    })
}

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    if !args.words.is_empty() {
        return Err(Failure::message(format!("extra arguments: [{}]", args.words.join(" "))));
    }
    if !matches!(args.text("output"), "" | "yaml" | "json") {
        return Err(Failure::message("--output must be 'yaml' or 'json'"));
    }
    let (server, failure) = if args.on("client") {
        (None, None)
    } else {
        match ask(&session, &args).await {
            Ok(version) => (Some(version), None),
            Err(failure) => (None, Some(failure)),
        }
    };
    session.out(print(args.text("output"), server.as_ref())).await?;
    failure.map_or(Ok(()), Err)
}

async fn ask(session: &Rc<Session>, args: &Args) -> Outcome<Value> {
    session.rest(args)?.get("/version").await
}

fn print(output: &str, server: Option<&Value>) -> String {
    match output {
        "yaml" => {
            let mut all = json!({"clientVersion": client(), "kustomizeVersion": KUSTOMIZE});
            if let Some(server) = server {
                all["serverVersion"] = server.clone();
            }
            api::yaml::emit(&all) + "\n"
        }
        "json" => {
            let mut parts = vec![
                format!("  \"clientVersion\": {}", fields(&client())),
                format!("  \"kustomizeVersion\": \"{KUSTOMIZE}\""),
            ];
            parts.extend(server.map(|s| format!("  \"serverVersion\": {}", fields(s))));
            format!("{{\n{}\n}}\n", parts.join(",\n"))
        }
        _ => {
            let mut text = format!("Client Version: v1.36.3\nKustomize Version: {KUSTOMIZE}\n");
            if let Some(server) = server {
                text.push_str(&format!("Server Version: {}\n", server["gitVersion"].as_str().unwrap_or("")));
            }
            text
        }
    }
}

fn fields(version: &Value) -> String {
    let line = |field: &&str| Some(format!("    \"{field}\": {}", version.get(*field)?));
    let lines: Vec<String> = FIELDS.iter().filter_map(line).collect();
    format!("{{\n{}\n  }}", lines.join(",\n"))
}
