//! `docker ps` and `docker port` (`cli/command/container/list.go`).

use crate::command::{Call, Command, Outcome, Wants, switch, value, values};
use crate::format::{Row, list};
use crate::text;

pub(crate) static COMMAND: Command = Command {
    names: &["ps", "container ls", "container list", "container ps"],
    usage: "[OPTIONS]",
    help: "List containers",
    wants: Wants::Exactly(0),
    flags: &[
        switch("all", Some('a'), "Show all containers (default shows just running)"),
        values("filter", Some('f'), "Filter output based on conditions provided: id, name, status, ancestor, label"),
        value("format", None, "Format output using a custom template: table, json, or a Go template"),
        value("last", Some('n'), "Show n last created containers (includes all states)"),
        switch("latest", Some('l'), "Show the latest created container (includes all states)"),
        switch("no-trunc", None, "Don't truncate output"),
        switch("quiet", Some('q'), "Only display container IDs"),
    ],
    ends_at_argument: false,
    run: |call| Box::pin(ps(call)),
};

async fn ps(call: Call) -> Outcome {
    let mut all = call.daemon.shown();
    let last: Option<usize> = call.parsed.get("last").and_then(|n| n.parse().ok());
    let last = if call.parsed.is_on("latest") { Some(1) } else { last };
    let by_status = call.parsed.all("filter").iter().any(|f| f.starts_with("status="));
    if !(call.parsed.is_on("all") || last.is_some() || by_status) {
        all.retain(|container| container.is_running());
    }
    for filter in call.parsed.all("filter") {
        let (key, wanted) = filter
            .split_once('=')
            .ok_or("invalid argument for \"-f, --filter\" flag: invalid filter format (should be name=value)")?;
        match key {
            "id" => all.retain(|c| c.id.starts_with(wanted)),
            "name" => all.retain(|c| c.name.contains(wanted.trim_start_matches(['^', '/']).trim_end_matches('$'))),
            "status" => all.retain(|c| c.state() == wanted),
            "ancestor" => all.retain(|c| c.image == wanted || c.image == format!("{wanted}:latest")),
            "label" => all.retain(|c| {
                let (label, value) = wanted.split_once('=').map_or((wanted, None), |(l, v)| (l, Some(v)));
                c.labels.iter().any(|(l, v)| l == label && value.is_none_or(|value| v == value))
            }),
            _ => return Err(format!("Error response from daemon: invalid filter '{key}'").into()),
        }
    }
    all.truncate(last.unwrap_or(all.len()));
    let now = call.daemon.sim().now();
    let full = call.parsed.is_on("no-trunc");
    let row = |c: &crate::daemon::Shown| -> Row {
        let command = format!("{:?}", c.argv.join(" "));
        let command = if full { command } else { short_command(&c.argv.join(" ")) };
        vec![
            ("ID", if full { c.id.clone() } else { text::short(&c.id) }),
            ("Image", c.image.clone()),
            ("Command", command),
            ("RunningFor", text::ago(c.created, now)),
            ("CreatedAt", c.created.rfc3339().replace('T', " ").replace('Z', " +0000 UTC")),
            ("Status", c.status_words(now)),
            ("State", c.state().to_owned()),
            ("Ports", c.ports.clone()),
            ("Names", c.name.clone()),
            ("Labels", c.labels.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(",")),
        ]
    };
    let rows: Vec<Row> = all.iter().map(row).collect();
    let columns = [
        ("ID", "CONTAINER ID"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("RunningFor", "CREATED"),
        ("Status", "STATUS"),
        ("Ports", "PORTS"),
        ("Names", "NAMES"),
    ];
    let format = if call.parsed.is_on("quiet") { Some("{{.ID}}") } else { call.parsed.get("format") };
    let _ = call.ctx.out(list(&rows, &columns, format)?).await;
    Ok(0)
}

/// At most twenty characters between quotes.
fn short_command(command: &str) -> String {
    format!("\"{}\"", text::ellipsis(command, 20))
}

pub(crate) static PORT: Command = Command {
    names: &["port", "container port"],
    usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
    help: "List port mappings or a specific mapping for the container",
    wants: Wants::Between(1, 2),
    flags: &[],
    ends_at_argument: false,
    run: |call| {
        Box::pin(async move {
            let shown = call.daemon.container(&call.parsed.args[0])?;
            let own = call.daemon.own(&shown.id);
            let wanted = call.parsed.args.get(1).map(|port| port.trim_end_matches("/tcp").to_owned());
            let mut any = false;
            for port in own.iter().flat_map(|container| container.published()) {
                let inside = port.container.to_string();
                if wanted.as_ref().is_none_or(|wanted| *wanted == inside) {
                    any = true;
                    let head = if wanted.is_some() { String::new() } else { format!("{inside}/tcp -> ") };
                    call.line(format!("{head}{}:{}", port.address, port.host)).await;
                }
            }
            match wanted.filter(|_| !any) {
                Some(wanted) => {
                    Err(format!("Error: No public port '{wanted}/tcp' published for {}", call.parsed.args[0]).into())
                }
                None => Ok(0),
            }
        })
    },
};
