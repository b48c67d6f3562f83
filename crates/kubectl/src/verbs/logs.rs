//! `kubectl logs` (`kubectl/pkg/cmd/logs`, `polymorphichelpers/logsforobject.go`).

use std::rc::Rc;

use api::Object;
use api::http::{Body, Method};
use futures_util::StreamExt;

use crate::failure::{Failure, Outcome};
use crate::flags::common::SELECTOR;
use crate::flags::{Action, Args, COMMAND, Command, Flag, duration, int, switch, text};
use crate::pods;
use crate::podspec;
use crate::rest::{Rest, with_query};
use crate::session::Session;

static FLAGS: &[Flag] = &[
    switch("all-containers", "The logs of all containers of the pod."),
    switch("all-pods", "The logs of all pods of the workload, each line with its source."),
    text("container", "", "The container.").short('c'),
    switch("follow", "Go on printing what is logged.").short('f'),
    switch("ignore-errors", "Go on when a log cannot be read."),
    switch("insecure-skip-tls-verify-backend", "Do not check the kubelet's certificate."),
    int("limit-bytes", "0", "Most bytes to print; 0 prints all."),
    int("max-log-requests", "5", "Most logs to follow at the same time."),
    duration("pod-running-timeout", "20s", "How long to wait for a pod to run."),
    switch("prefix", "Begin each line with the pod and the container."),
    switch("previous", "The log of the container before it was restarted.").short('p'),
    duration("since", "0s", "Only lines newer than this, e.g. 5s, 2m or 3h."),
    text("since-time", "", "Only lines after this moment (RFC 3339)."),
    int("tail", "-1", "Only this many of the newest lines; -1 prints all, or 10 with a selector."),
    switch("timestamps", "Begin each line with its time."),
];

/// The command.
pub static LOGS: Command = Command {
    name: "logs",
    usage: "[-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]",
    short: "Print the logs for a container in a pod",
    long: "Print what a container wrote to its standard output and standard error.",
    examples: &[
        ("The log of a pod with one container", "kubectl logs web-1"),
        ("A pod of a deployment, as it goes on", "kubectl logs -f deployment/web"),
        ("One container of several", "kubectl logs web-1 -c sidecar"),
        ("The log of the container that crashed", "kubectl logs -p web-1"),
        ("The newest 20 lines", "kubectl logs --tail=20 web-1"),
        ("All pods with a label", "kubectl logs -l app=web --all-containers=true"),
    ],
    flags: &[FLAGS, SELECTOR],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

const USAGE: &str = "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command";

/// One log to print.
struct Source {
    pod: Object,
    container: String,
}

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let selector = args.text("selector");
    match args.words.len() {
        0 if selector.is_empty() => return Err(args.usage(USAGE)),
        0 => {}
        1 if !selector.is_empty() => return Err(args.usage("only a selector (-l) or a POD name is allowed")),
        1 | 2 => {}
        _ => return Err(args.usage(USAGE)),
    }
    validate(&args)?;
    let rest = session.rest(&args)?;
    let container = match args.words.get(1) {
        Some(inline) => inline.clone(),
        None => args.text("container").to_owned(),
    };
    let sources = if selector.is_empty() {
        let (pods, many) = pods_of(&rest, &args).await?;
        let mut sources = Vec::new();
        for pod in pods {
            sources.extend(containers(&session, &args, &pod, &container, many).await?);
        }
        sources
    } else {
        let pods = pods::by_labels(&rest, selector).await?;
        if pods.is_empty() {
            session.err(format!("No resources found in {} namespace.\n", rest.namespace())).await;
        }
        let mut sources = Vec::new();
        for pod in pods {
            sources.extend(containers(&session, &args, &pod, &container, true).await?);
        }
        sources
    };
    print_all(&rest, &args, sources).await
}

fn validate(args: &Args) -> Outcome {
    if args.changed("since") && args.changed("since-time") {
        return Err(Failure::message("at most one of `sinceTime` or `sinceSeconds` may be specified"));
    }
    if args.on("all-containers") && args.changed("container") {
        let name = args.text("container");
        return Err(Failure::message(format!(
            "--all-containers=true should not be specified with container name {name}"
        )));
    }
    if args.changed("container") && args.words.len() == 2 {
        return Err(Failure::message("only one of -c or an inline [CONTAINER] arg is allowed"));
    }
    if args.int("limit-bytes") < 0 {
        return Err(Failure::message("--limit-bytes must be greater than 0"));
    }
    if args.duration("since") < 0 {
        return Err(Failure::message("--since must be greater than 0"));
    }
    if args.int("tail") < -1 {
        return Err(Failure::message("--tail must be greater than or equal to -1"));
    }
    Ok(())
}

/// The pods that the words mean, and whether there may be several.
async fn pods_of(rest: &Rest, args: &Args) -> Outcome<(Vec<Object>, bool)> {
    let word = &args.words[0];
    let not_found = |failure: Failure| match failure.is_not_found() {
        true => Failure::message(format!(
            "error from server (NotFound): {} in namespace \"{}\"",
            failure.bare(),
            rest.namespace()
        )),
        false => failure,
    };
    let object = pods::object_of(rest, word).await.map_err(not_found)?;
    if object.kind() == "Pod" {
        return Ok((vec![object], false));
    }
    let mut all = pods::of_workload(rest, &object).await?;
    if all.is_empty() {
        return Err(Failure::message(format!(
            "timed out waiting for the condition: no pods for {}/{}",
            object.kind().to_lowercase(),
            object.name()
        )));
    }
    if args.on("all-pods") {
        return Ok((all, true));
    }
    pods::by_readiness(&mut all);
    if all.len() > 1 {
        rest.session.err(format!("Found {} pods, using pod/{}\n", all.len(), all[0].name())).await;
    }
    all.truncate(1);
    Ok((all, false))
}

async fn containers(session: &Session, args: &Args, pod: &Object, wanted: &str, quiet: bool) -> Outcome<Vec<Source>> {
    let source = |name: &str| Source { pod: pod.clone(), container: name.to_owned() };
    if args.on("all-containers") {
        let names = |field: &str| pod.list(field).iter().map(|c| podspec::name(c).to_owned()).collect::<Vec<_>>();
        let mut all = names("spec.initContainers");
        all.extend(names("spec.containers"));
        return Ok(all.iter().map(|n| source(n)).collect());
    }
    let name = pods::container(session, pod, wanted, quiet).await?;
    Ok(vec![source(&name)])
}

async fn print_all(rest: &Rest, args: &Args, sources: Vec<Source>) -> Outcome {
    if !args.on("follow") || sources.len() < 2 {
        for source in &sources {
            print(rest, args, source).await?;
        }
        return Ok(());
    }
    let most = args.int("max-log-requests");
    if sources.len() as i64 > most {
        return Err(Failure::message(format!(
            "you are attempting to follow {} log streams, but maximum allowed concurrency is {most}, use --max-log-requests to increase the limit",
            sources.len()
        )));
    }
    let all = sources.iter().map(|source| print(rest, args, source));
    futures_util::future::join_all(all).await.into_iter().collect()
}

fn path(args: &Args, source: &Source) -> String {
    let path = format!("/api/v1/namespaces/{}/pods/{}/log", source.pod.namespace(), source.pod.name());
    let flag = |name: &str| if args.on(name) { "true" } else { "" };
    let tail = match (args.int("tail"), args.changed("selector")) {
        (-1, true) if !args.changed("tail") => "10".to_owned(),
        (-1, _) => String::new(),
        (lines, _) => lines.to_string(),
    };
    let limit = if args.int("limit-bytes") > 0 { args.text("limit-bytes") } else { "" };
    let since = args.duration("since");
    let since = if since > 0 { (since + 500_000_000) / 1_000_000_000 } else { 0 };
    let since = if since > 0 { since.to_string() } else { String::new() };
    with_query(
        &path,
        &[
            ("container", &source.container),
            ("follow", flag("follow")),
            ("limitBytes", limit),
            ("previous", flag("previous")),
            ("sinceSeconds", &since),
            ("sinceTime", args.text("since-time")),
            ("tailLines", &tail),
            ("timestamps", flag("timestamps")),
        ],
    )
}

async fn print(rest: &Rest, args: &Args, source: &Source) -> Outcome {
    let answer = rest.call(Method::GET, &path(args, source), "application/json, */*", None).await;
    let answer = match answer {
        Err(failure) if args.on("ignore-errors") => {
            return rest.session.out(format!("error: {}\n", failure.bare())).await;
        }
        other => other?,
    };
    let prefix = match args.on("prefix") || args.on("all-pods") {
        true => format!("[pod/{}/{}] ", source.pod.name(), source.container),
        false => String::new(),
    };
    let mut lines = Lines { rest: Vec::new(), prefix };
    match answer.into_body() {
        Body::Stream(mut stream) => {
            while let Some(chunk) = stream.next().await {
                rest.session.out_bytes(lines.take(&chunk.into_bytes())).await?;
            }
        }
        whole => {
            let bytes = whole.into_bytes().unwrap_or_default();
            rest.session.out_bytes(lines.take(&bytes)).await?;
        }
    }
    rest.session.out_bytes(lines.end()).await
}

/// Whole lines of a stream, each with a prefix.
struct Lines {
    rest: Vec<u8>,
    prefix: String,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.prefix.is_empty() {
            return bytes.to_vec();
        }
        self.rest.extend_from_slice(bytes);
        let mut out = Vec::new();
        while let Some(end) = self.rest.iter().position(|b| *b == b'\n') {
            out.extend_from_slice(self.prefix.as_bytes());
            out.extend(self.rest.drain(..=end));
        }
        out
    }

    fn end(&mut self) -> Vec<u8> {
        if self.rest.is_empty() {
            return Vec::new();
        }
        let mut out = self.prefix.clone().into_bytes();
        out.append(&mut self.rest);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_whole_lines() {
        let mut lines = Lines { rest: Vec::new(), prefix: "> ".into() };
        assert_eq!(lines.take(b"a\nb"), b"> a\n");
        assert_eq!(lines.take(b"c\n"), b"> bc\n");
        assert_eq!(lines.end(), b"");
    }
}
