//! `kubectl run` (`kubectl/pkg/cmd/run`).

use std::rc::Rc;

use api::Object;
use json::{Map, Value, json};

use super::create::resource;
use super::{exec, expose};
use crate::failure::{Failure, Outcome};
use crate::flags::common::{DRY_RUN, FILES, PRINT, SAVE_CONFIG, field_manager};
use crate::flags::{Action, Args, COMMAND, Command, Flag, array, duration, int, switch, text};
use crate::last_applied;
use crate::printers::output::{DryRun, Reporter};
use crate::rest::{Rest, with_query};
use crate::session::Session;
use crate::targets::Named;
use crate::waiting::{self, Verdict};

static FLAGS: &[Flag] = &[
    array("annotations", "An annotation of the pod."),
    switch("attach", "Wait for the pod and attach to it."),
    text("cascade", "background", "What happens to dependents when the pod is deleted.").bare("background"),
    switch("command", "What follows is the command, not its arguments."),
    text("detach-keys", "ctrl-p,ctrl-q", "Keys that leave the container running."),
    array("env", "An environment variable, e.g. --env=A=1."),
    switch("expose", "Also make a service for the pod. Needs --port."),
    field_manager("kubectl-run"),
    switch("force", "With --rm, remove the pod at once."),
    int("grace-period", "-1", "With --rm, seconds that the pod is given to end."),
    text("image", "", "The image to run."),
    text("image-pull-policy", "", "Always, IfNotPresent or Never."),
    text("labels", "", "Labels of the pod, comma-separated.").short('l'),
    switch("leave-stdin-open", "Keep standard input open after attaching for the first time."),
    text("override-type", "merge", "How --overrides is applied: json, merge or strategic."),
    text("overrides", "", "JSON that is laid over the pod."),
    duration("pod-running-timeout", "1m0s", "How long to wait for the pod to run."),
    text("port", "", "Port that the container listens on."),
    switch("privileged", "Run the container privileged."),
    switch("quiet", "Print only what the container prints.").short('q'),
    text("restart", "Always", "Always, OnFailure or Never."),
    switch("rm", "Delete the pod after it ended. Only with --attach or -i."),
    switch("stdin", "Keep standard input of the container open.").short('i'),
    duration("timeout", "0s", "With --rm, how long to wait for the deletion."),
    switch("tty", "Give the container a terminal.").short('t'),
    switch("wait", "With --rm, wait until the pod is gone."),
];

/// The command.
pub static RUN: Command = Command {
    name: "run",
    usage: "NAME --image=image [--env=\"key=value\"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...]",
    short: "Run a particular image on the cluster",
    long: "Make one pod that runs an image.",
    examples: &[
        ("A pod", "kubectl run nginx --image=nginx"),
        ("With environment variables", "kubectl run app --image=app --env=\"DOMAIN=cluster\" --env=\"PORT=80\""),
        ("With a shell, gone when you leave it", "kubectl run -it --rm box --image=busybox --restart=Never -- sh"),
        ("Only show what would be created", "kubectl run nginx --image=nginx --dry-run=client -o yaml"),
    ],
    flags: &[FLAGS, DRY_RUN, FILES, PRINT, SAVE_CONFIG],
    required: &["image"],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let dry_run = DryRun::from_args(&session, &args).await?;
    let reporter = Reporter::new(&session, &args, dry_run)?;
    let Some(name) = args.words.first().filter(|_| args.dash_at != Some(0)).cloned() else {
        return Err(args.usage("NAME is required for run"));
    };
    validate(&args)?;
    let attach = args.on("attach") || (args.on("stdin") && !args.changed("attach"));
    if args.on("rm") && !attach {
        return Err(Failure::message("--rm should only be used for attached containers"));
    }
    if attach && dry_run != DryRun::None {
        return Err(args.usage(
            "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)",
        ));
    }
    let rest = session.rest(&args)?;
    let mut pod = pod_for(&args, &name)?;
    if rest.connection.namespace_given {
        pod["metadata"]["namespace"] = rest.namespace().into();
    }
    if args.on("save-config") {
        last_applied::annotate(&mut pod);
    }
    let mut pods = resource("", "v1", "Pod", "pods", true);
    pods.subresources = vec!["attach".to_owned()];
    if args.on("expose") {
        make_service(&rest, &args, &name, &pod, (&reporter, dry_run)).await?;
    }
    let created = if dry_run == DryRun::Client {
        pod
    } else {
        let parameters = [("dryRun", dry_run.parameter()), ("fieldManager", args.text("field-manager"))];
        rest.post(&with_query(&pods.collection(rest.namespace()), &parameters), &pod).await?
    };
    if !attach {
        return reporter.report_typed(&pods, &created, "created").await;
    }
    let named = Named { resource: Rc::new(pods), namespace: rest.namespace().to_owned(), name, manifest: None };
    attached(&rest, &args, &named).await
}

fn validate(args: &Args) -> Outcome {
    if !matches!(args.text("restart"), "" | "Always" | "OnFailure" | "Never") {
        return Err(args.usage(format!("invalid restart policy: {}", args.text("restart"))));
    }
    let policy = args.text("image-pull-policy");
    if !matches!(policy, "" | "Always" | "IfNotPresent" | "Never") {
        return Err(args.usage(format!("invalid image pull policy: {policy}")));
    }
    let image = args.text("image");
    if image.is_empty() {
        return Err(Failure::message("--image is required"));
    }
    if !is_reference(image) {
        return Err(Failure::message(format!("Invalid image name \"{image}\": invalid reference format")));
    }
    if args.on("tty") && !args.on("stdin") {
        return Err(args.usage("-i/--stdin is required for containers with -t/--tty=true"));
    }
    if args.on("expose") && args.text("port").is_empty() {
        return Err(args.usage("--port must be set when exposing a service"));
    }
    Ok(())
}

/// Whether a text can name an image (`distribution/reference`).
pub fn is_reference(image: &str) -> bool {
    let (rest, digest) = image.split_once('@').map_or((image, None), |(r, d)| (r, Some(d)));
    let (path, tag) = match rest.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (rest, None),
    };
    let component = |c: &str| {
        !c.is_empty()
            && c.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-'))
            && c.starts_with(|c: char| c.is_ascii_alphanumeric())
            && c.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    let mut parts: Vec<&str> = path.split('/').collect();
    if parts.len() > 1 && (parts[0].contains(['.', ':']) || parts[0] == "localhost") {
        let host = parts.remove(0);
        if !host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':')) {
            return false;
        }
    }
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    parts.iter().all(|p| component(p))
        && tag.is_none_or(|t| !t.is_empty() && t.len() <= 128 && t.chars().all(word) && !t.starts_with(['.', '-']))
        && digest.is_none_or(|d| d.contains(':'))
}

fn pod_for(args: &Args, name: &str) -> Outcome<Value> {
    let labels: Map = match args.text("labels") {
        "" => [("run".to_owned(), name.into())].into_iter().collect(),
        text => expose::parse_labels(text)?,
    };
    let mut container = json!({"name": name, "image": args.text("image"), "resources": {}});
    if !args.text("image-pull-policy").is_empty() {
        container["imagePullPolicy"] = args.text("image-pull-policy").into();
    }
    let words: Vec<String> = args.words[1..].to_vec();
    if !words.is_empty() && args.dash_at.is_some() {
        container[if args.on("command") { "command" } else { "args" }] = json!(words);
    } else if !words.is_empty() && args.on("command") {
        container["command"] = json!(words);
    }
    let mut env = Vec::new();
    for pair in args.list("env") {
        let Some((key, value)) = pair.split_once('=').filter(|(k, _)| !k.is_empty()) else {
            return Err(Failure::message(format!("invalid env: {pair}")));
        };
        env.push(json!({"name": key, "value": value}));
    }
    if !env.is_empty() {
        container["env"] = Value::Array(env.into());
    }
    if !args.text("port").is_empty() {
        let port: i64 = args.text("port").parse().map_err(|_| {
            let text = crate::flags::parse::go_quote(args.text("port"));
            Failure::message(format!("strconv.Atoi: parsing {text}: invalid syntax"))
        })?;
        container["ports"] = json!([{"containerPort": port}]);
    }
    for (flag, field) in [("stdin", "stdin"), ("tty", "tty")] {
        if args.on(flag) {
            container[field] = true.into();
        }
    }
    if args.on("stdin") && !args.on("leave-stdin-open") {
        container["stdinOnce"] = true.into();
    }
    if args.on("privileged") {
        container["securityContext"] = json!({"privileged": true});
    }
    let restart = if args.text("restart").is_empty() { "Always" } else { args.text("restart") };
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart}, "status": {},
    });
    if !labels.is_empty() {
        pod["metadata"]["labels"] = Value::Object(labels);
    }
    for pair in args.list("annotations") {
        if let Some((key, value)) = pair.split_once('=') {
            pod["metadata"]["annotations"][key] = value.into();
        }
    }
    overridden(pod, args)
}

/// Lays `--overrides` over an object.
pub fn overridden(object: Value, args: &Args) -> Outcome<Value> {
    let text = args.text("overrides");
    if text.is_empty() {
        return Ok(object);
    }
    let patch = api::yaml::parse(text).ok().and_then(|v| v.into_iter().next());
    let patch = patch.ok_or_else(|| Failure::message("Invalid JSON Patch"))?;
    let definition = api::schema::definition_of("v1", object["kind"].as_str().unwrap_or(""));
    let why = |e: api::patch::PatchError| Failure::message(e.to_string());
    match args.text("override-type") {
        "json" => api::patch::json_patch(&object, &patch).map_err(why),
        "strategic" => api::patch::strategic_merge(&object, &patch, definition).map_err(why),
        _ => Ok(api::patch::merge_patch(&object, &patch)),
    }
}

async fn make_service(
    rest: &Rest,
    args: &Args,
    name: &str,
    pod: &Value,
    (reporter, dry_run): (&Reporter, DryRun),
) -> Outcome {
    let port: i64 = args.text("port").parse().unwrap_or(0);
    let labels = pod["metadata"]["labels"].clone();
    if labels.is_null() {
        return Err(Failure::message("selector must be specified"));
    }
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"ports": [{"port": port, "protocol": "TCP", "targetPort": port}], "selector": labels},
        "status": {"loadBalancer": {}},
    });
    let services = resource("", "v1", "Service", "services", true);
    let object = if dry_run == DryRun::Client {
        service
    } else {
        let path = with_query(
            &services.collection(rest.namespace()),
            &[("dryRun", dry_run.parameter()), ("fieldManager", args.text("field-manager"))],
        );
        rest.post(&path, &service).await?
    };
    reporter.report_typed(&services, &object, "created").await
}

/// Waits for the pod, attaches, and with `--rm` deletes it.
async fn attached(rest: &Rest, args: &Args, named: &Named) -> Outcome {
    let outcome = attach(rest, args, named).await;
    if args.on("rm") {
        let mut options = json!({"kind": "DeleteOptions", "apiVersion": "v1"});
        if args.int("grace-period") >= 0 {
            options["gracePeriodSeconds"] = args.int("grace-period").into();
        }
        rest.delete(&named.path(), &options).await?;
        if !args.on("quiet") {
            let text = format!("pod \"{}\" deleted from {} namespace\n", named.name, named.namespace);
            rest.session.out(text).await?;
        }
    }
    outcome
}

async fn attach(rest: &Rest, args: &Args, named: &Named) -> Outcome {
    let pod = until(rest, args, named, |pod| {
        let ready = |c: &Value| c["type"] == "Ready" && c["status"] == "True";
        let conditions = pod["status"]["conditions"].as_array().is_some_and(|all| all.iter().any(ready));
        conditions || is_over(pod)
    })
    .await?;
    let pod = Object::new(pod);
    if is_over(pod.value()) {
        log(rest, named).await?;
        return exit_code(rest, args, named).await;
    }
    // The session that a container waits for sees everything; another one would miss what was printed before it.
    if pod.list("spec.containers").iter().all(|c| c["stdinOnce"] != true) {
        log(rest, named).await?;
    }
    match exec::attach_to(rest, &exec::Attach::of(args), &pod).await {
        // It ended before we got there, or cannot be attached to: what it said is in its log.
        Err(failure @ (Failure::Status(..) | Failure::Message(_))) => {
            let (pod, why) = (&named.name, failure.bare());
            let warning = format!("warning: couldn't attach to pod/{pod}, falling back to streaming logs: {why}\n");
            rest.session.err(warning).await;
            log(rest, named).await?;
        }
        attached => attached?,
    }
    exit_code(rest, args, named).await
}

/// Prints the log so far.
async fn log(rest: &Rest, named: &Named) -> Outcome {
    let log = rest.call(api::http::Method::GET, &format!("{}/log", named.path()), "*/*", None).await?;
    rest.session.out_bytes(crate::rest::bytes_of(log.into_body()).await).await
}

fn is_over(pod: &Value) -> bool {
    matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}

/// Waits for the pod to be as wished, as long as `--pod-running-timeout` says; the pod as it is then.
async fn until(rest: &Rest, args: &Args, named: &Named, wish: impl Fn(&Value) -> bool) -> Outcome<Value> {
    let mut last = Value::Null;
    let judge = |pod: Option<&Value>| {
        let Some(pod) = pod else { return Err(Failure::message(format!("pods \"{}\" not found", named.name))) };
        last = pod.clone();
        Ok(if wish(pod) { Verdict::Met } else { Verdict::NotYet })
    };
    let waited = waiting::until(rest, named, args.duration("pod-running-timeout"), judge).await;
    waited.map_err(|failure| match failure {
        Failure::Message(m) if m.starts_with("timed out") => Failure::message("timed out waiting for the condition"),
        other => other,
    })?;
    Ok(last)
}

/// The exit code of a container that is not restarted becomes kubectl's.
async fn exit_code(rest: &Rest, args: &Args, named: &Named) -> Outcome {
    if args.on("leave-stdin-open") || !matches!(args.text("restart"), "Never" | "OnFailure") {
        return Ok(());
    }
    let only_success = args.text("restart") == "OnFailure";
    let pod =
        until(rest, args, named, |pod| is_over(pod) && !(only_success && pod["status"]["phase"] == "Failed")).await?;
    if pod["status"]["phase"] == "Succeeded" {
        return Ok(());
    }
    let place = format!("pod {}/{}", named.namespace, named.name);
    let state = &pod["status"]["containerStatuses"][0]["state"]["terminated"];
    let code = state["exitCode"].as_i64().and_then(|code| i32::try_from(code).ok()).filter(|code| *code != 0);
    let Some(code) = code else { return Err(Failure::message(format!("{place} failed with unknown exit code"))) };
    let part = |name: &str| state[name].as_str().unwrap_or("");
    let text = format!("{place} terminated ({})\n{}", part("reason"), part("message"));
    rest.session.err(if text.ends_with('\n') { text } else { text + "\n" }).await;
    Err(Failure::Exit(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_references() {
        for good in ["nginx", "nginx:1.25", "gcr.io/a/b:v1", "localhost:5000/x", "busybox@sha256:01"] {
            assert!(is_reference(good), "{good}");
        }
        for bad in ["NGINX:Bad:Tag", "", "a b", "nginx:"] {
            assert!(!is_reference(bad), "{bad}");
        }
    }
}
