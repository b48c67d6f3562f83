//! `kubectl events` (`kubectl/pkg/cmd/events`).

use std::rc::Rc;

use json::Value;

use crate::describe::interval;
use crate::failure::{Failure, Outcome};
use crate::flags::common::{ALL_NAMESPACES, CHUNK_SIZE};
use crate::flags::{Action, Args, COMMAND, Command, Flag, slice, switch, text};
use crate::printers::output::{self, FORMATS, Format};
use crate::printers::tabwriter::TABLE;
use crate::rest::{Rest, with_query};
use crate::session::Session;

static FLAGS: &[Flag] = &[
    text("for", "", "Only events about this object, as TYPE/NAME."),
    switch("no-headers", "Leave the header line out."),
    text("output", "", "Output format: json or yaml.").short('o'),
    slice("types", "Only events of these types: Normal, Warning."),
    switch("watch", "Go on printing events as they happen.").short('w'),
];

/// The command.
pub static EVENTS: Command = Command {
    name: "events",
    usage: "[(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]",
    short: "List events",
    long: "Show what happened, oldest first.",
    examples: &[
        ("All events of this namespace", "kubectl events"),
        ("Those of one pod, and more as they happen", "kubectl events --for pod/web-1 --watch"),
        ("Only warnings", "kubectl events --types=Warning"),
    ],
    flags: &[FLAGS, ALL_NAMESPACES, CHUNK_SIZE],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let types = args.list("types");
    if types.iter().any(|t| !matches!(t.to_lowercase().as_str(), "normal" | "warning")) {
        return Err(Failure::message("valid --types are Normal or Warning"));
    }
    let subject = match args.text("for") {
        "" => None,
        text => Some(
            text.split_once('/')
                .filter(|(k, n)| !k.is_empty() && !n.is_empty() && !n.contains('/'))
                .ok_or_else(|| Failure::message("--for must be in resource/name form"))?,
        ),
    };
    let rest = session.rest(&args)?;
    let mut fields = Vec::new();
    if let Some((kind, name)) = subject {
        let resource = rest.resource(kind).await?;
        fields.push(format!("involvedObject.kind={}", resource.kind));
        fields.push(format!("involvedObject.name={name}"));
    }
    let path = match args.on("all-namespaces") {
        true => "/api/v1/events".to_owned(),
        false => format!("/api/v1/namespaces/{}/events", rest.namespace()),
    };
    let answer = rest.get(&with_query(&path, &[("fieldSelector", &fields.join(","))])).await?;
    let mut events = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let wanted = |e: &Value| {
        types.is_empty() || types.iter().any(|t| e["type"].as_str().is_some_and(|x| x.eq_ignore_ascii_case(t)))
    };
    events.retain(wanted);
    if args.on("watch") {
        events.sort_by_key(last_seen);
        let version = answer["metadata"]["resourceVersion"].as_str().unwrap_or("");
        let parameters = [
            ("fieldSelector", fields.join(",")),
            ("resourceVersion", version.to_owned()),
            ("watch", "true".to_owned()),
        ];
        let parameters = parameters.each_ref().map(|(name, value)| (*name, value.as_str()));
        return follow(&rest, &args, events.into(), &with_query(&path, &parameters), wanted).await;
    }
    if events.is_empty() {
        let place = if args.on("all-namespaces") {
            "No events found.\n".to_owned()
        } else {
            format!("No events found in {} namespace.\n", rest.namespace())
        };
        session.err(place).await;
        return Ok(());
    }
    events.sort_by_key(last_seen);
    if let Format::Objects(printer) = output::format(&session, &args, FORMATS)? {
        let (text, outcome) = printer.print(&output::as_list(events.into()));
        session.out(text).await?;
        return outcome;
    }
    let text = heading(&args) + &events.iter().map(|event| row(&session, &args, event)).collect::<String>();
    session.out(TABLE.layout(&text)).await
}

fn heading(args: &Args) -> String {
    if args.on("no-headers") {
        return String::new();
    }
    let first = if args.on("all-namespaces") { "NAMESPACE\t" } else { "" };
    format!("{first}LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n")
}

fn row(session: &Session, args: &Args, event: &Value) -> String {
    let part = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or("");
    let first = if args.on("all-namespaces") { format!("{}\t", part("/metadata/namespace")) } else { String::new() };
    let object = format!("{}/{}", part("/involvedObject/kind"), part("/involvedObject/name"));
    let cells = [&interval(event, session.now()), part("/type"), part("/reason"), &object, part("/message").trim()];
    format!("{first}{}\n", cells.join("\t"))
}

/// Shows what there is, and then each event as it happens. Widths are those of what has been shown together.
async fn follow(rest: &Rest, args: &Args, events: Vec<Value>, path: &str, wanted: impl Fn(&Value) -> bool) -> Outcome {
    let session = &rest.session;
    let format = output::format(session, args, FORMATS)?;
    let show = |event: &Value, head: String| match &format {
        Format::Objects(printer) => printer.print(event).0,
        _ => TABLE.layout(&(head + &row(session, args, event))),
    };
    let mut head = heading(args);
    if let (Format::Human | Format::Wide, false) = (&format, events.is_empty()) {
        let rows: String = events.iter().map(|event| row(session, args, event)).collect();
        session.out(TABLE.layout(&(std::mem::take(&mut head) + &rows))).await?;
    } else {
        for event in &events {
            session.out(show(event, std::mem::take(&mut head))).await?;
        }
    }
    let mut watch = rest.watch(path, crate::rest::JSON).await?;
    while let Some((kind, event)) = watch.next().await {
        match kind.as_str() {
            "ERROR" => return Err(Failure::Status(Box::new(event), String::new())),
            "ADDED" | "MODIFIED" if wanted(&event) => session.out(show(&event, std::mem::take(&mut head))).await?,
            _ => {}
        }
    }
    Ok(())
}

/// When an event was seen last: of its series, its last time, or its only time.
fn last_seen(event: &Value) -> String {
    let part = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or("");
    let series = part("/series/lastObservedTime");
    let last = part("/lastTimestamp");
    let stamp = match (series, last) {
        ("", "") => part("/eventTime"),
        ("", last) => last,
        (series, _) => series,
    };
    // Whole seconds and fractions in one order.
    stamp.trim_end_matches('Z').to_owned()
}
