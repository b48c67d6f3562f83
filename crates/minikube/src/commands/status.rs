//! `minikube status`.

use futures_util::future::LocalBoxFuture;

use crate::command::{Command, Flag};
use crate::host::{ClusterStatus, NodeStatus};
use crate::kubeconfig;
use crate::program::Call;

/// Bits of the exit code: the host, the cluster and Kubernetes are not running.
const EXIT_HOST: i32 = 1;
const EXIT_CLUSTER: i32 = 2;
const EXIT_KUBERNETES: i32 = 4;
/// minikube's exit code for a wrong value.
const EXIT_USAGE: i32 = 14;

pub(crate) static COMMAND: Command = Command {
    name: "status",
    aliases: &[],
    usage: "",
    help: "Gets the status of a local Kubernetes cluster",
    flags: &[Flag { name: "output", short: Some('o'), default: Some("text"), help: "text or json" }],
    run,
};

fn run(call: Call) -> LocalBoxFuture<'static, i32> {
    Box::pin(async move {
        let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
        let configured = kubeconfig::is_configured(&call.ctx.fs, &call.kubeconfig(), &status.name, &status.server);
        let rows: Vec<Row> = status.nodes.iter().map(|node| Row::new(&status, node, configured)).collect();
        let text = match call.parsed.value("output") {
            "text" => rows.iter().map(Row::text).collect(),
            "json" => json(&rows),
            other => {
                let message = format!("invalid output format: {other}. Valid values: 'text', 'json'");
                return call.give_up("MK_USAGE", EXIT_USAGE, message).await;
            }
        };
        // The reader may have seen enough.
        let _ = call.ctx.out(text).await;
        rows.iter().map(Row::code).fold(0, |all, code| all | code)
    })
}

struct Row {
    name: String,
    control_plane: bool,
    host: &'static str,
    kubelet: &'static str,
    api_server: &'static str,
    kubeconfig: &'static str,
}

impl Row {
    fn new(status: &ClusterStatus, node: &NodeStatus, configured: bool) -> Row {
        let word = |running: bool| if running { "Running" } else { "Stopped" };
        let kubeconfig = match (status.running, configured) {
            (true, true) => "Configured",
            (true, false) => "Misconfigured",
            (false, _) => "Stopped",
        };
        Row {
            name: node.name.clone(),
            control_plane: node.control_plane,
            host: word(node.running),
            kubelet: word(node.running && !status.paused),
            api_server: if status.paused && node.running { "Paused" } else { word(status.running && node.running) },
            kubeconfig,
        }
    }

    fn text(&self) -> String {
        let Row { name, host, kubelet, api_server, kubeconfig, .. } = self;
        if self.control_plane {
            format!(
                "{name}\ntype: Control Plane\nhost: {host}\nkubelet: {kubelet}\napiserver: {api_server}\nkubeconfig: {kubeconfig}\n\n"
            )
        } else {
            format!("{name}\ntype: Worker\nhost: {host}\nkubelet: {kubelet}\n\n")
        }
    }

    fn code(&self) -> i32 {
        match (self.host, self.kubelet) {
            ("Running", "Running") => 0,
            ("Running", _) => EXIT_CLUSTER,
            _ => EXIT_HOST | EXIT_CLUSTER | EXIT_KUBERNETES,
        }
    }

    fn value(&self) -> json::Value {
        let irrelevant = |text: &'static str| if self.control_plane { text } else { "Irrelevant" };
        json::json!({
            "Name": self.name, "Host": self.host, "Kubelet": self.kubelet, "APIServer": irrelevant(self.api_server),
            "Kubeconfig": irrelevant(self.kubeconfig), "Worker": !self.control_plane,
        })
    }
}

fn json(rows: &[Row]) -> String {
    match rows {
        [one] => format!("{}\n", one.value()),
        many => format!("{}\n", json::Value::Array(many.iter().map(Row::value).collect())),
    }
}
