//! `kubectl autoscale` (`kubectl/pkg/cmd/autoscale`).
//!
//! Difference: where the server refuses the object of autoscaling/v2, kubectl tries one of autoscaling/v1, which this
//! server would refuse for the same reason; that reason is told.

use std::rc::Rc;

use api::Quantity;
use json::{Value, json};

use super::create::resource;
use crate::failure::{Failure, Outcome};
use crate::flags::common::{DRY_RUN, FILES, PRINT, SAVE_CONFIG, field_manager};
use crate::flags::{Action, Args, COMMAND, Command, Flag, int, text};
use crate::last_applied;
use crate::printers::output::{DryRun, Reporter};
use crate::rest::with_query;
use crate::session::Session;
use crate::targets::{self, Info, Query};

static FLAGS: &[Flag] = &[
    text("cpu", "", "CPU that the pods should use on average: 70% of what they request, or an amount such as 500m."),
    int("cpu-percent", "-1", "CPU that the pods should use on average, in percent of what they request.").hidden(),
    field_manager("kubectl-autoscale"),
    int("max", "-1", "Most pods. Required."),
    text(
        "memory",
        "",
        "Memory that the pods should use on average: 60% of what they request, or an amount such as 200Mi.",
    ),
    int("min", "-1", "Fewest pods; the server decides when left out."),
    text("name", "", "Name of the new object; that of what is scaled when left out."),
];

/// The command.
pub static AUTOSCALE: Command = Command {
    name: "autoscale",
    usage: "(-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU] [--memory=MEMORY]",
    short: "Auto-scale a deployment, replica set, stateful set, or replication controller",
    long: "Make a HorizontalPodAutoscaler: it sets how many pods run by how much they use. The cluster needs a metrics server for that.",
    examples: &[
        ("Between two and ten pods", "kubectl autoscale deployment web --min=2 --max=10"),
        ("So many that each uses 80% of the CPU it requests", "kubectl autoscale deployment web --max=5 --cpu=80%"),
    ],
    flags: &[FLAGS, DRY_RUN, FILES, PRINT, SAVE_CONFIG],
    required: &["max"],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    if args.changed("cpu-percent") {
        let why = "Use --cpu with percentage or resource quantity format (e.g., '70%' for utilization or '500m' for milliCPU).";
        session.err(format!("Flag --cpu-percent has been deprecated, {why}\n")).await;
    }
    let dry_run = DryRun::from_args(&session, &args).await?;
    let reporter = Reporter::new(&session, &args, dry_run)?.each_alone();
    let (min, max) = (args.int("min"), args.int("max"));
    let refuse = |why: String| Err(Failure::message(why));
    if max < 1 {
        return refuse(format!("--max=MAXPODS is required and must be at least 1, max: {max}"));
    }
    if max < min {
        return refuse(format!("--max=MAXPODS must be larger or equal to --min=MINPODS, max: {max}, min: {min}"));
    }
    if args.int("cpu-percent") > 0 && !args.text("cpu").is_empty() {
        return refuse("--cpu-percent and --cpu are mutually exclusive".to_owned());
    }
    let metrics = metrics(&args)?;
    let rest = session.rest(&args)?;
    let query = Query::from_args(&rest, &args, &args.words).await?;
    let found = targets::fetch(&rest, &query).await?;
    let scalers = resource("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true);
    let any = !found.infos.is_empty();
    for info in &found.infos {
        let kind = &info.named.resource;
        if !kind.subresources.iter().any(|s| s == "scale") {
            let why = format!(
                "could not find scale subresource for {}/{}, Resource={} in discovery information",
                kind.group, kind.version, kind.plural
            );
            return refuse(format!("cannot autoscale a {}: {why}", kind.kind));
        }
        let mut scaler = scaler(&args, info, &metrics);
        if rest.connection.namespace_given {
            scaler["metadata"]["namespace"] = rest.namespace().into();
        }
        if dry_run == DryRun::Client {
            reporter.report_typed(&scalers, &scaler, "created").await?;
            continue;
        }
        if args.on("save-config") {
            last_applied::annotate(&mut scaler);
        }
        let path = with_query(
            &scalers.collection(rest.namespace()),
            &[("dryRun", dry_run.parameter()), ("fieldManager", args.text("field-manager"))],
        );
        let created = rest.post(&path, &scaler).await.map_err(|failure| or_incompatible(&args, failure))?;
        reporter.report_typed(&scalers, &created, "autoscaled").await?;
    }
    Failure::several(found.failures)?;
    if any { Ok(()) } else { refuse("no objects passed to autoscale".to_owned()) }
}

/// What is told when the object was refused: the refusal, where the older version could say the same.
fn or_incompatible(args: &Args, failure: Failure) -> Failure {
    let why = match target("cpu", args.text("cpu")) {
        Err(why) => why,
        Ok(_)
            if args.text("memory").is_empty() && (args.int("cpu-percent") >= 0 || args.text("cpu").ends_with('%')) =>
        {
            return failure;
        }
        Ok(_) => "%!w(<nil>)".to_owned(),
    };
    let head = "failed to create autoscaling/v2 HPA and the configuration is incompatible with autoscaling/v1";
    Failure::message(format!("{head}: {why}"))
}

fn scaler(args: &Args, info: &Info, metrics: &[Value]) -> Value {
    let kind = &info.named.resource;
    let name = match args.text("name") {
        "" => info.object.name(),
        name => name,
    };
    let target = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "name": info.object.name()});
    let mut scaler = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
        "spec": {"scaleTargetRef": target, "maxReplicas": args.int("max")},
        "status": {"currentMetrics": null, "desiredReplicas": 0},
    });
    if args.int("min") > 0 {
        scaler["spec"]["minReplicas"] = args.int("min").into();
    }
    if !metrics.is_empty() {
        scaler["spec"]["metrics"] = metrics.into();
    }
    scaler
}

fn metrics(args: &Args) -> Outcome<Vec<Value>> {
    let mut metrics = Vec::new();
    let metric = |name: &str, target: Value| json!({"type": "Resource", "resource": {"name": name, "target": target}});
    if args.int("cpu-percent") > 0 {
        metrics.push(metric("cpu", json!({"type": "Utilization", "averageUtilization": args.int("cpu-percent")})));
    }
    for name in ["cpu", "memory"] {
        let given = args.text(name);
        if !given.is_empty() {
            metrics.push(metric(name, target(name, given).map_err(Failure::Message)?));
        }
    }
    Ok(metrics)
}

/// `70%`, `500m`, or a bare number in the unit of the resource.
fn target(name: &str, given: &str) -> Result<Value, String> {
    let given = given.trim();
    if given.is_empty() {
        return Err("empty input".to_owned());
    }
    if let Some(percent) = given.strip_suffix('%') {
        let number: Option<i32> = percent.parse().ok().filter(|n| *n >= 0);
        let number = number.ok_or_else(|| format!("invalid percentage value: {percent}"))?;
        return Ok(json!({"type": "Utilization", "averageUtilization": number}));
    }
    let unit = if name == "cpu" { "m" } else { "Mi" };
    let text = if given.parse::<f64>().is_ok() { format!("{given}{unit}") } else { given.to_owned() };
    let quantity = text.parse::<Quantity>().map_err(|_| format!("invalid resource {name} value: {given}"))?;
    Ok(json!({"type": "AverageValue", "averageValue": quantity.to_string()}))
}
