//! The Events part of a description.

use api::Object;
use json::Value;

use super::Context;
use super::write::{Text, list, text};
use crate::age;
use crate::rest::with_query;

/// The events of an object; none when they are not wanted or cannot be read.
pub async fn search(ctx: &Context, object: &Object) -> Option<Vec<Value>> {
    if !ctx.show_events {
        return None;
    }
    let mut selector = vec![format!("involvedObject.name={}", object.name())];
    if !object.namespace().is_empty() {
        selector.push(format!("involvedObject.namespace={}", object.namespace()));
    }
    selector.push(format!("involvedObject.kind={}", object.kind()));
    // Events about nodes carry the node's name where others carry a uid.
    if object.kind() != "Node" {
        selector.push(format!("involvedObject.uid={}", object.uid()));
    }
    let path = match object.namespace() {
        "" => "/api/v1/events".to_owned(),
        namespace => format!("/api/v1/namespaces/{namespace}/events"),
    };
    let answer =
        ctx.rest.get(&with_query(&path, &[("fieldSelector", &selector.join(",")), ("limit", "500")])).await.ok()?;
    Some(list(&answer, "items").to_vec())
}

/// Writes the events, oldest first.
pub fn write(out: &mut Text, events: Option<Vec<Value>>, ctx: &Context) {
    let Some(mut events) = events else { return };
    if events.is_empty() {
        return out.field(0, "Events", "<none>");
    }
    events.sort_by(|a, b| text(a, "lastTimestamp").cmp(text(b, "lastTimestamp")));
    out.flush();
    out.line(0, "Events:");
    out.line(1, "Type\tReason\tAge\tFrom\tMessage");
    out.line(1, "----\t------\t----\t----\t-------");
    for event in &events {
        let mut message = text(event, "message").trim().to_owned();
        let part = event.get("involvedObject").map_or("", |o| text(o, "fieldPath"));
        if !part.is_empty() {
            message = format!("{part}: {message}");
        }
        let mut source = event.get("source").map_or("", |s| text(s, "component"));
        if source.is_empty() {
            source = text(event, "reportingComponent");
        }
        let row =
            [text(event, "type"), text(event, "reason"), &interval(event, ctx.now()), source, &message].join("\t");
        out.line(1, row);
    }
}

/// `6s`, or `1s (x6 over 2s)` for an event that came several times.
pub fn interval(event: &Value, now: simulation::Time) -> String {
    let first = match text(event, "eventTime") {
        "" => age::of(text(event, "firstTimestamp"), now),
        moment => age::of(moment, now),
    };
    let count = event.get("count").and_then(Value::as_i64).unwrap_or(0);
    match event.get("series").filter(|s| s.is_object()) {
        Some(series) => {
            let times = series.get("count").and_then(Value::as_i64).unwrap_or(0);
            format!("{} (x{times} over {first})", age::of(text(series, "lastObservedTime"), now))
        }
        None if count > 1 => format!("{} (x{count} over {first})", age::of(text(event, "lastTimestamp"), now)),
        None => first,
    }
}
