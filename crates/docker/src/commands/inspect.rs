//! `docker inspect` (`cli/command/inspect`).

use json::Value;

use crate::command::{Call, Command, Flag, Outcome, Wants, value};
use crate::format::pretty;
use crate::template;

static FORMAT: Flag = value("format", Some('f'), "Format output using a custom template: json, or a Go template");
const FLAGS: &[Flag] =
    &[value("format", Some('f'), FORMAT.help), value("type", None, "Only inspect objects of the given type")];

pub(crate) static INSPECT: Command = Command {
    names: &["inspect"],
    usage: "[OPTIONS] NAME|ID [NAME|ID...]",
    help: "Return low-level information on Docker objects",
    wants: Wants::AtLeast(1),
    flags: FLAGS,
    ends_at_argument: false,
    run: |call| {
        let kind = call.parsed.get("type").unwrap_or_default().to_owned();
        Box::pin(async move { inspect(call, &kind).await })
    },
};

pub(crate) static IMAGE: Command = Command {
    names: &["image inspect"],
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    help: "Display detailed information on one or more images",
    wants: Wants::AtLeast(1),
    flags: FLAGS,
    ends_at_argument: false,
    run: |call| Box::pin(inspect(call, "image")),
};

pub(crate) static CONTAINER: Command = Command {
    names: &["container inspect"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    help: "Display detailed information on one or more containers",
    wants: Wants::AtLeast(1),
    flags: FLAGS,
    ends_at_argument: false,
    run: |call| Box::pin(inspect(call, "container")),
};

async fn inspect(call: Call, kind: &str) -> Outcome {
    let mut found: Vec<Value> = Vec::new();
    let mut errors: Vec<String> = Vec::new();
    for name in &call.parsed.args {
        let container = if kind == "image" { None } else { call.daemon.container(name).ok() };
        let image = if kind == "container" { None } else { call.daemon.images().find(name) };
        match (container, image, kind) {
            (Some(shown), ..) => found.push(call.daemon.inspect_container(&shown)),
            (None, Some(stored), _) => found.push(call.daemon.inspect_image(&stored)),
            (None, None, "image") => errors.push(call.daemon.image(name).err().unwrap_or_default()),
            (None, None, "container") => errors.push(format!("Error response from daemon: No such container: {name}")),
            (None, None, _) => errors.push(format!("Error: No such object: {name}")),
        }
    }
    match call.parsed.get("format") {
        Some("json") => {
            let text: String = found.iter().map(|value| format!("{value}\n")).collect();
            let _ = call.ctx.out(text).await;
        }
        Some(format) => {
            for value in &found {
                let text = template::apply(format, value)?;
                call.line(text).await;
            }
        }
        None => {
            let _ = call.ctx.out(pretty(&Value::from(found))).await;
        }
    }
    if errors.is_empty() { Ok(0) } else { Err(errors.join("\n").into()) }
}
