//! `kubectl top` (`kubectl/pkg/cmd/top`, `kubectl/pkg/metricsutil`).

use std::collections::BTreeMap;
use std::rc::Rc;

use api::Quantity;
use api::selector::{FieldSelector, LabelSelector};
use json::Value;
use simulation::{Duration, Time};

use crate::failure::{Failure, Outcome};
use crate::flags::common::{ALL_NAMESPACES, FIELD_SELECTOR, SELECTOR};
use crate::flags::{Action, Args, COMMAND, Command, Flag, HelpTo, switch, switch_on, text};
use crate::printers::tabwriter::TABLE;
use crate::rest::{Rest, with_query};
use crate::session::Session;

/// A pod that has had no metrics for longer is worth a complaint of its own (`metricsCreationDelay`).
const CREATION_DELAY: Duration = Duration::from_secs(120);

static FLAGS: &[Flag] = &[
    switch("no-headers", "Leave the header line out."),
    switch("show-swap", "Show swap memory, too."),
    text("sort-by", "", "Sort by cpu or memory."),
    switch_on("use-protocol-buffers", "Accepted; answers are JSON here."),
];
static NODE_FLAGS: &[Flag] =
    &[switch("show-capacity", "Percentages of what the node has, not of what it can give to pods.")];
static POD_FLAGS: &[Flag] =
    &[switch("containers", "A line for each container."), switch("sum", "Add a line with the sum.")];

/// `kubectl top pod`.
pub static TOP_POD: Command = Command {
    name: "pod",
    aliases: &["pods", "po"],
    usage: "[NAME | -l label]",
    short: "Display resource (CPU/memory) usage of pods",
    long: "Show how much CPU and memory pods use. A new pod has no figures for up to half a minute.",
    examples: &[
        ("Pods of this namespace", "kubectl top pod"),
        ("One pod and its containers", "kubectl top pod web-1 --containers"),
        ("Pods with a label", "kubectl top pod -l app=web"),
    ],
    flags: &[FLAGS, POD_FLAGS, ALL_NAMESPACES, FIELD_SELECTOR, SELECTOR],
    action: Action::Run(|session, args| Box::pin(pods(session, args))),
    ..COMMAND
};

/// `kubectl top node`.
pub static TOP_NODE: Command = Command {
    name: "node",
    aliases: &["nodes", "no"],
    usage: "[NAME | -l label]",
    short: "Display resource (CPU/memory) usage of nodes",
    long: "Show how much CPU and memory nodes use.",
    examples: &[("All nodes", "kubectl top node"), ("One node", "kubectl top node minikube")],
    flags: &[FLAGS, NODE_FLAGS, SELECTOR],
    action: Action::Run(|session, args| Box::pin(nodes(session, args))),
    ..COMMAND
};

/// `kubectl top`.
pub static TOP: Command = Command {
    name: "top",
    usage: "[flags]",
    short: "Display resource (CPU/memory) usage",
    long: "Show how much CPU and memory nodes or pods use. The cluster needs a metrics server for that.",
    commands: &[&TOP_NODE, &TOP_POD],
    action: Action::Group(HelpTo::Err),
    ..COMMAND
};

const ROOT: &str = "/apis/metrics.k8s.io/v1beta1";

/// What the lines are made with.
struct Printer<'a> {
    args: &'a Args,
    resources: Vec<&'static str>,
    text: String,
}

impl Printer<'_> {
    fn new(args: &Args) -> Printer<'_> {
        let mut resources = vec!["cpu", "memory"];
        if args.on("show-swap") {
            resources.push("swap");
        }
        Printer { args, resources, text: String::new() }
    }

    fn cells<'t>(&mut self, cells: impl IntoIterator<Item = &'t str>) {
        for cell in cells {
            self.text.push_str(cell);
            self.text.push('\t');
        }
    }

    fn header(&mut self, first: &[&str], shares: bool) {
        if self.args.on("no-headers") {
            return;
        }
        self.cells(first.iter().copied());
        for (resource, amount, share) in [
            ("cpu", "CPU(cores)", "CPU(%)"),
            ("memory", "MEMORY(bytes)", "MEMORY(%)"),
            ("swap", "SWAP(bytes)", "SWAP(%)"),
        ] {
            if self.resources.contains(&resource) {
                self.cells([amount].into_iter().chain(shares.then_some(share)));
            }
        }
        self.text.push('\n');
    }

    /// Name and amounts; shares of what there is, if that is known.
    fn line(&mut self, name: &str, usage: &dyn Fn(&str) -> Quantity, available: Option<&Value>) {
        self.cells([name]);
        for resource in self.resources.clone() {
            let used = usage(resource);
            if resource == "swap" && available.is_some() {
                self.cells(["<unknown>", "<unknown>"]);
                continue;
            }
            let amount = match resource {
                "cpu" => format!("{}m", used.milli_value()),
                _ => format!("{}Mi", used.value() / (1024 * 1024)),
            };
            self.cells([amount.as_str()]);
            if let Some(total) = available.and_then(|a| a.get(resource)) {
                self.cells([share(used, quantity(total)).as_str()]);
            }
        }
        self.text.push('\n');
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a percentage, cut as upstream cuts it"
)]
fn share(used: Quantity, total: Quantity) -> String {
    let fraction = if total.is_zero() { 0.0 } else { used.milli_value() as f64 / total.milli_value() as f64 * 100.0 };
    format!("{}%", fraction as i64)
}

fn quantity(value: &Value) -> Quantity {
    Quantity::from_value(value).unwrap_or(Quantity::ZERO)
}

fn str_at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn items(list: &Value) -> Vec<Value> {
    list["items"].as_array().cloned().unwrap_or_default().into()
}

/// The name, if there is one; complaints as upstream has them.
fn checked<'a>(args: &'a Args, usage: &str, selector: &str) -> Outcome<&'a str> {
    let name = match args.words.as_slice() {
        [] => "",
        [name] => name,
        _ => return Err(args.usage(usage)),
    };
    if !matches!(args.text("sort-by"), "" | "cpu" | "memory") {
        return Err(Failure::message("--sort-by accepts only cpu or memory"));
    }
    if !name.is_empty() && (!args.text("selector").is_empty() || !args.text("field-selector").is_empty()) {
        return Err(Failure::message(format!("only one of NAME or {selector} can be provided")));
    }
    LabelSelector::parse(args.text("selector")).map_err(Failure::message)?;
    FieldSelector::parse(args.text("field-selector")).map_err(Failure::message)?;
    Ok(name)
}

/// What metrics-server says: one object or all that are selected.
async fn ask(rest: &Rest, args: &Args, collection: &str, resource: &str, name: &str) -> Outcome<Vec<Value>> {
    let group_versions = &rest.discover().await?.group_versions;
    if !group_versions.iter().any(|v| v == "metrics.k8s.io/v1beta1") {
        return Err(Failure::message("Metrics API not available"));
    }
    let path = match name {
        "" => with_query(collection, &[("labelSelector", args.text("selector"))]),
        name => format!("{collection}/{name}"),
    };
    match rest.get(&path).await {
        Ok(one) if !name.is_empty() => Ok(vec![one]),
        Ok(list) => Ok(items(&list)),
        // An answer that is no Status says nothing of what was asked for: client-go does.
        Err(Failure::Status(mut status, doing)) if status["kind"].is_null() => {
            let of = if name.is_empty() { String::new() } else { format!(" {name}") };
            let message = format!("{} (get {resource}.metrics.k8s.io{of})", str_at(&status, "/message"));
            status["message"] = message.into();
            Err(Failure::Status(status, doing))
        }
        Err(other) => Err(other),
    }
}

/// Greatest first by what was asked for, otherwise by name.
fn sort(all: &mut [Value], args: &Args, usage: fn(&Value, &str) -> Quantity) {
    match args.text("sort-by") {
        "" => all.sort_by(|a, b| {
            let key = |v: &Value| {
                let namespace = if args.on("all-namespaces") { str_at(v, "/metadata/namespace") } else { "" };
                let name = v["name"].as_str().unwrap_or_else(|| str_at(v, "/metadata/name"));
                (namespace.to_owned(), name.to_owned())
            };
            key(a).cmp(&key(b))
        }),
        "cpu" => all.sort_by_key(|v| std::cmp::Reverse(usage(v, "cpu").milli_value())),
        resource => all.sort_by_key(|v| std::cmp::Reverse(usage(v, resource).value())),
    }
}

/// What a node or a container uses.
fn own_usage(of: &Value, resource: &str) -> Quantity {
    quantity(&of["usage"][resource])
}

/// What the containers of a pod use together.
fn pod_usage(pod: &Value, resource: &str) -> Quantity {
    let containers = pod["containers"].as_array().into_iter().flatten();
    containers.fold(Quantity::ZERO, |sum, container| sum + own_usage(container, resource))
}

async fn nodes(session: Rc<Session>, args: Args) -> Outcome {
    let name = checked(&args, "node [NAME | -l label]", "--selector")?;
    let rest = session.rest(&args)?;
    let mut metrics = ask(&rest, &args, &format!("{ROOT}/nodes"), "nodes", name).await?;
    if metrics.is_empty() {
        return Err(Failure::message("metrics not available yet"));
    }
    let found = match name {
        "" => items(&rest.get(&with_query("/api/v1/nodes", &[("labelSelector", args.text("selector"))])).await?),
        name => vec![rest.get(&format!("/api/v1/nodes/{name}")).await?],
    };
    let total = if args.on("show-capacity") { "capacity" } else { "allocatable" };
    let of = |node: &Value| (str_at(node, "/metadata/name").to_owned(), node["status"][total].clone());
    let mut available: BTreeMap<String, Value> = found.iter().map(of).collect();
    sort(&mut metrics, &args, own_usage);
    let mut printer = Printer::new(&args);
    printer.header(&["NAME"], true);
    for node in &metrics {
        let name = str_at(node, "/metadata/name");
        let total = available.remove(name);
        printer.line(name, &|resource| own_usage(node, resource), total.as_ref());
    }
    for name in available.keys() {
        let unknown = std::iter::repeat_n("<unknown>", printer.resources.len() * 2);
        printer.cells([name.as_str()].into_iter().chain(unknown));
        printer.text.push('\n');
    }
    session.out(TABLE.layout(&printer.text)).await
}

async fn pods(session: Rc<Session>, args: Args) -> Outcome {
    let name = checked(&args, "pod [NAME | -l label]", "selector")?;
    let rest = session.rest(&args)?;
    let everywhere = args.on("all-namespaces");
    // By name, a pod of no namespace is not to be had: upstream asks so all the same.
    let place = if everywhere { String::new() } else { format!("/namespaces/{}", rest.namespace()) };
    let mut metrics = ask(&rest, &args, &format!("{ROOT}{place}/pods"), "pods", name).await?;
    let selectors = [("labelSelector", args.text("selector")), ("fieldSelector", args.text("field-selector"))];
    if !metrics.is_empty() && !args.text("field-selector").is_empty() {
        let chosen = items(&rest.get(&with_query(&format!("/api/v1{place}/pods"), &selectors)).await?);
        let of = |v: &Value| (str_at(v, "/metadata/namespace").to_owned(), str_at(v, "/metadata/name").to_owned());
        metrics.retain(|m| chosen.iter().any(|pod| of(pod) == of(m)));
    }
    if metrics.is_empty() {
        let path = format!("/api/v1/namespaces/{}/pods", rest.namespace());
        excuse(&session, &items(&rest.get(&with_query(&path, &selectors)).await?))?;
        let place = if everywhere { String::new() } else { format!(" in {} namespace.", rest.namespace()) };
        session.err(format!("No resources found{place}\n")).await;
        return Ok(());
    }
    sort(&mut metrics, &args, pod_usage);
    session.out(TABLE.layout(&pod_lines(&args, &metrics))).await
}

fn pod_lines(args: &Args, metrics: &[Value]) -> String {
    let (everywhere, containers) = (args.on("all-namespaces"), args.on("containers"));
    let mut printer = Printer::new(args);
    let first: Vec<&str> = everywhere.then_some("NAMESPACE").into_iter().chain(containers.then_some("POD")).collect();
    printer.header(&[&first[..], &["NAME"]].concat(), false);
    for pod in metrics {
        let (namespace, name) = (str_at(pod, "/metadata/namespace"), str_at(pod, "/metadata/name"));
        if !containers {
            printer.cells(everywhere.then_some(namespace));
            printer.line(name, &|resource| pod_usage(pod, resource), None);
            continue;
        }
        let mut parts = pod["containers"].as_array().cloned().unwrap_or_default();
        sort(&mut parts, args, own_usage);
        for container in &parts {
            printer.cells(everywhere.then_some(namespace).into_iter().chain([name]));
            let own = container["name"].as_str().unwrap_or("");
            printer.line(own, &|resource| own_usage(container, resource), None);
        }
    }
    if args.on("sum") {
        // Without a header upstream forgets the columns that stand before the name.
        let before = if args.on("no-headers") { 0 } else { first.len() };
        let columns = before + 1 + printer.resources.len();
        printer.cells(std::iter::repeat_n("", columns - 2).chain(["________", "________"]));
        printer.text.push('\n');
        printer.cells(std::iter::repeat_n("", columns - 3));
        let sum = |resource: &str| metrics.iter().fold(Quantity::ZERO, |sum, pod| sum + pod_usage(pod, resource));
        printer.line("", &sum, None);
    }
    printer.text
}

/// Why pods that are there have no metrics (`verifyEmptyMetrics`).
fn excuse(session: &Session, pods: &[Value]) -> Outcome {
    for pod in pods {
        let created = Time::parse_rfc3339(str_at(pod, "/metadata/creationTimestamp")).unwrap_or_default();
        let age = session.now().saturating_since(created);
        if age > CREATION_DELAY {
            let (namespace, name) = (str_at(pod, "/metadata/namespace"), str_at(pod, "/metadata/name"));
            let age = api::duration::format_go(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
            return Err(Failure::message(format!("Metrics not available for pod {namespace}/{name}, age: {age}")));
        }
    }
    match pods {
        [] => Ok(()),
        _ => Err(Failure::message("metrics not available yet")),
    }
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    fn args(flags: &[(&str, &str)]) -> Args {
        let words = ["top", "pod"].map(str::to_owned).into_iter();
        let flags = flags.iter().map(|(name, value)| format!("--{name}={value}"));
        let words: Vec<String> = words.chain(flags).collect();
        match crate::flags::parse::parse(&crate::tree::ROOT, &words) {
            Ok(crate::flags::parse::Parsed::Run(_, args)) => args,
            _ => panic!("the flags are those of the command"),
        }
    }

    fn metrics() -> Vec<Value> {
        let container =
            |name: &str, cpu: &str, memory: &str| json!({"name": name, "usage": {"cpu": cpu, "memory": memory}});
        let pod = |name: &str, containers: Value| json!({"metadata": {"name": name, "namespace": "default"}, "containers": containers});
        vec![
            pod("b", json!([container("one", "1500001n", "1Mi"), container("two", "0", "1600Ki")])),
            pod("a", json!([container("one", "250m", "64Ki")])),
        ]
    }

    #[track_caller]
    fn check(flags: &[(&str, &str)], expected: &str) {
        let args = args(flags);
        let mut all = metrics();
        sort(&mut all, &args, pod_usage);
        assert_eq!(TABLE.layout(&pod_lines(&args, &all)), expected);
    }

    #[test]
    fn lines_are_upstreams() {
        check(
            &[],
            "NAME   CPU(cores)   MEMORY(bytes)   \na      250m         0Mi             \nb      2m           2Mi             \n",
        );
        check(
            &[("sort-by", "memory"), ("sum", "true"), ("all-namespaces", "true")],
            "NAMESPACE   NAME   CPU(cores)   MEMORY(bytes)   \ndefault     b      2m           2Mi             \n\
             default     a      250m         0Mi             \n                   ________     ________        \n\
             \x20                  252m         2Mi             \n",
        );
        check(
            &[("containers", "true"), ("no-headers", "true"), ("sort-by", "cpu")],
            "a     one   250m   0Mi   \nb     one   2m     1Mi   \nb     two   0m     1Mi   \n",
        );
    }
}
