//! `docker logs` (`cli/command/container/logs.go`).

use futures_util::StreamExt as _;
use runtime::cri::{LogOptions, Stream};
use simulation::{Duration, Time};

use crate::command::{Call, Command, Outcome, Wants, switch, value};

pub(crate) static COMMAND: Command = Command {
    names: &["logs", "container logs"],
    usage: "[OPTIONS] CONTAINER",
    help: "Fetch the logs of a container",
    wants: Wants::Exactly(1),
    flags: &[
        switch("follow", Some('f'), "Follow log output"),
        value(
            "since",
            None,
            "Show logs since timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 minutes)",
        ),
        value("tail", Some('n'), "Number of lines to show from the end of the logs (default \"all\")"),
        switch("timestamps", Some('t'), "Show timestamps"),
    ],
    ends_at_argument: false,
    run: |call| Box::pin(logs(call)),
};

/// `42m`, `1h30m`, a moment.
fn since(text: &str, now: Time) -> Option<Time> {
    if let Some(at) = Time::parse_rfc3339(text) {
        return Some(at);
    }
    let (mut seconds, mut number) = (0_u64, String::new());
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        let count = std::mem::take(&mut number).parse::<u64>().ok()?;
        seconds = count.checked_mul(unit).and_then(|more| seconds.checked_add(more))?;
    }
    number.is_empty().then(|| now - Duration::from_secs(seconds))
}

async fn logs(call: Call) -> Outcome {
    let shown = call.daemon.container(&call.parsed.args[0])?;
    let tail = call.parsed.get("tail").filter(|tail| *tail != "all");
    let since = match call.parsed.get("since") {
        None => None,
        Some(text) => {
            let at = since(text, call.daemon.sim().now());
            Some(at.ok_or_else(|| {
                format!("invalid value for \"since\": failed to parse value as time or duration: \"{text}\"")
            })?)
        }
    };
    let options = LogOptions {
        follow: call.parsed.is_on("follow"),
        tail_lines: tail.and_then(|tail| tail.parse().ok()),
        since,
        timestamps: call.parsed.is_on("timestamps"),
        limit_bytes: None,
    };
    let mut pieces = call.daemon.runtime().logs_by_stream(&shown.id, options)?;
    while let Some((stream, bytes)) = pieces.next().await {
        let to = if stream == Stream::Stderr { &call.ctx.stderr } else { &call.ctx.stdout };
        if to.write_all(&bytes).await.is_err() {
            break;
        }
    }
    Ok(0)
}
