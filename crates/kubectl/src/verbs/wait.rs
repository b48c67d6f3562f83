//! `kubectl wait` (`kubectl/pkg/cmd/wait`).

use std::rc::Rc;

use json::Value;

use crate::discovery::Resource;
use crate::failure::{Failure, Outcome};
use crate::flags::common::{ALL_NAMESPACES, FIELD_SELECTOR, FILES, PRINT, SELECTOR};
use crate::flags::parse::go_quote;
use crate::flags::{Action, Args, COMMAND, Command, Flag, array, duration, switch};
use crate::jsonpath::{self, Template};
use crate::printers::output::{DryRun, Reporter};
use crate::rest::Rest;
use crate::session::Session;
use crate::targets::{self, Info, Named, Query, Target};
use crate::waiting::{self, Verdict};

static FLAGS: &[Flag] = &[
    switch("all", "All objects of the given types in the namespace."),
    array("for", "What to wait for: create, delete, condition=NAME[=VALUE] or jsonpath='{PATH}'[=VALUE]."),
    switch("local", "Work on the file alone, without the server."),
    duration("timeout", "30s", "How long to wait; 0 looks once, a negative value waits a week."),
];

/// The command.
pub static WAIT: Command = Command {
    name: "wait",
    usage: "([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]",
    short: "Experimental: Wait for a specific condition on one or many resources",
    long: "Wait until objects are in a certain state, exist or no longer exist.",
    examples: &[
        ("Until a pod is ready", "kubectl wait --for=condition=Ready pod/web-1"),
        ("Until a deployment has all its pods", "kubectl wait --for=condition=Available deployment/web --timeout=60s"),
        ("Until a pod runs", "kubectl wait --for=jsonpath='{.status.phase}'=Running pod/web-1"),
        ("Until a pod is gone", "kubectl wait --for=delete pod/web-1 --timeout=60s"),
    ],
    flags: &[FLAGS, ALL_NAMESPACES, FIELD_SELECTOR, FILES, PRINT, SELECTOR],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

/// What is waited for.
enum Wish {
    Create,
    Delete,
    Condition { name: String, value: String },
    Path { template: Template, value: Option<String> },
}

fn wish(text: &str) -> Outcome<Wish> {
    let lower = text.to_lowercase();
    if lower == "delete" {
        return Ok(Wish::Delete);
    }
    if lower == "create" {
        return Ok(Wish::Create);
    }
    if let Some(rest) = text.strip_prefix("condition=") {
        let (name, value) = rest.split_once('=').unwrap_or((rest, "true"));
        return Ok(Wish::Condition { name: name.to_owned(), value: value.to_owned() });
    }
    if let Some(rest) = text.strip_prefix("jsonpath=") {
        let split = rest.find("}=").map(|at| at + 1);
        let (path, value) = match split {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => rest.split_once('=').filter(|_| !rest.contains('{')).map_or((rest, None), |(p, v)| (p, Some(v))),
        };
        if value == Some("") {
            return Err(Failure::message("jsonpath wait has to have a value after equal sign"));
        }
        let unquote = |t: &str| t.trim_matches(['\'', '"']).to_owned();
        let path = jsonpath::relaxed(&unquote(path)).map_err(Failure::Message)?;
        let template = Template::parse(&path).map_err(Failure::Message)?;
        return Ok(Wish::Path { template, value: value.map(unquote) });
    }
    Err(Failure::message(format!("unrecognized condition: {}", go_quote(text))))
}

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let reporter = Reporter::new(&session, &args, DryRun::None)?;
    let wishes = args.list("for");
    if wishes.is_empty() {
        return Err(Failure::message("unrecognized condition: []"));
    }
    let wishes: Vec<Wish> = wishes.iter().map(|w| wish(w)).collect::<Outcome<_>>()?;
    let rest = session.rest(&args)?;
    let time = match args.duration("timeout") {
        time if time < 0 => waiting::FOREVER_NANOS,
        time => time,
    };
    let query = Query::from_args(&rest, &args, &args.words).await?;
    let mut failures = Vec::new();
    for wish in &wishes {
        let outcome = match wish {
            Wish::Create => created(&rest, &query, time, &reporter).await,
            Wish::Delete => gone(&rest, &query, time, &reporter).await,
            _ => changed(&rest, &query, wish, time, &reporter).await,
        };
        failures.extend(outcome.err());
    }
    Failure::several(failures)
}

async fn report(reporter: &Reporter, info: &Info) -> Outcome {
    reporter.report(&info.named.resource, info.object.value(), "condition met").await
}

async fn gone(rest: &Rest, query: &Query, time: i64, reporter: &Reporter) -> Outcome {
    let found = targets::fetch(rest, query).await?;
    let mut failures: Vec<Failure> = found.failures.into_iter().filter(|f| !f.is_not_found()).collect();
    for info in &found.infos {
        match waiting::deleted(rest, &info.named, info.object.uid(), time).await {
            Ok(()) => report(reporter, info).await?,
            Err(failure) => failures.push(failure),
        }
    }
    Failure::several(failures)
}

async fn created(rest: &Rest, query: &Query, time: i64, reporter: &Reporter) -> Outcome {
    let (wanted, failures) = targets::resolve(rest, query).await?;
    Failure::several(failures)?;
    for target in wanted {
        let named = match target {
            Target::Named(named) => named,
            Target::Selected { resource, namespace } => {
                for info in selected(rest, query, &resource, &namespace, time).await? {
                    report(reporter, &info).await?;
                }
                continue;
            }
        };
        let mut seen = Value::Null;
        let outcome = waiting::until(rest, &named, time, |object| {
            let Some(object) = object else { return Ok(Verdict::NotYet) };
            seen = object.clone();
            Ok(Verdict::Met)
        })
        .await;
        outcome.map_err(|f| match f {
            Failure::Message(m) if m.starts_with("timed out") => {
                Failure::message("timed out waiting for the condition")
            }
            other => other,
        })?;
        let info = targets::info(seen, &named.resource);
        report(reporter, &info).await?;
    }
    Ok(())
}

/// Waits until a selector finds something.
async fn selected(
    rest: &Rest,
    query: &Query,
    resource: &Rc<Resource>,
    namespace: &str,
    time: i64,
) -> Outcome<Vec<Info>> {
    let time = std::time::Duration::from_nanos(u64::try_from(time).unwrap_or(0));
    let find = async {
        loop {
            let found = targets::list(rest, query, resource, namespace).await?;
            if !found.is_empty() {
                return Ok(found);
            }
            rest.session.sim.sleep(LOOK_AGAIN).await;
        }
    };
    match rest.session.sim.timeout(time, find).await {
        Ok(found) => found,
        Err(_) => Err(Failure::message("timed out waiting for the condition")),
    }
}

/// Pause between two looks for something that does not exist yet.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(500);

async fn changed(rest: &Rest, query: &Query, wish: &Wish, time: i64, reporter: &Reporter) -> Outcome {
    let found = targets::fetch(rest, query).await?;
    if found.infos.is_empty() && found.failures.is_empty() {
        return Err(Failure::message("no matching resources found"));
    }
    let mut failures = found.failures;
    for info in &found.infos {
        match one(rest, &info.named, wish, time).await {
            Ok(()) => report(reporter, info).await?,
            Err(failure) => failures.push(failure),
        }
    }
    Failure::several(failures)
}

async fn one(rest: &Rest, named: &Named, wish: &Wish, time: i64) -> Outcome {
    waiting::until(rest, named, time, |object| {
        let Some(object) = object else {
            let what = named.resource.group_resource();
            return Err(Failure::Status(
                Box::new(
                    json::json!({"reason": "NotFound", "message": format!("{what} \"{}\" not found", named.name)}),
                ),
                String::new(),
            ));
        };
        let met = match wish {
            Wish::Condition { name, value } => condition(object, name, value),
            Wish::Path { template, value } => path(object, template, value.as_deref())?,
            Wish::Create | Wish::Delete => true,
        };
        Ok(if met { Verdict::Met } else { Verdict::NotYet })
    })
    .await
}

fn condition(object: &Value, name: &str, value: &str) -> bool {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let text = |c: &Value, field: &str| c.get(field).and_then(Value::as_str).unwrap_or("").to_lowercase();
    let found = conditions.into_iter().flatten().find(|c| text(c, "type") == name.to_lowercase());
    let Some(found) = found else { return false };
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
    let observed = found.get("observedGeneration").or_else(|| object.pointer("/status/observedGeneration"));
    if let (Some(observed), Some(generation)) = (observed.and_then(Value::as_i64), generation)
        && observed < generation
    {
        return false;
    }
    text(found, "status") == value.to_lowercase()
}

fn path(object: &Value, template: &Template, value: Option<&str>) -> Outcome<bool> {
    let found: Vec<Value> = template.results(object).unwrap_or_default().into_iter().flatten().collect();
    match (found.as_slice(), value) {
        ([], _) => Ok(false),
        ([_, ..], None) => Ok(true),
        ([one], Some(value)) => match one {
            Value::Object(_) | Value::Array(_) => {
                Err(Failure::message("jsonpath leads to a nested object or list which is not supported"))
            }
            one => Ok(jsonpath::text_of(one).trim() == value.trim()),
        },
        _ => Err(Failure::message("given jsonpath expression matches more than one value")),
    }
}
