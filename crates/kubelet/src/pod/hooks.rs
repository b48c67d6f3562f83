//! postStart and preStop (`pkg/kubelet/lifecycle/handlers.go`).

use std::net::{Ipv4Addr, SocketAddrV4};

use api::Object;
use json::Value;
use simulation::Duration;

use super::Worker;
use crate::probes::{RunError, port_of};
use crate::spec;

/// Hooks have no timeout of their own; the grace period (or the pod's end) cuts them short.
const HOOK_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

impl Worker {
    /// Runs a hook; the error is the message for the status.
    pub(super) async fn run_hook(
        &self,
        pod: &Object,
        container: &Value,
        id: &String,
        ip: Ipv4Addr,
        hook: &Value,
    ) -> Result<(), String> {
        let name = spec::name(container);
        let full = spec::full_name(pod);
        if hook["exec"].is_object() {
            let argv = spec::texts(hook, "exec.command");
            let words = format!("[{}]", argv.join(" "));
            let failed = |error: String, output: &str| {
                format!(
                    "Exec lifecycle hook ({words}) for Container \"{name}\" in Pod \"{full}\" failed - error: {error}, \
                     message: {output:?}"
                )
            };
            return match self.shared.prober.run(id, argv.clone(), HOOK_TIMEOUT).await {
                Ok((0, _)) => Ok(()),
                Ok((code, output)) => {
                    let error = format!("command '{}' exited with {code}: {output}", argv.join(" "));
                    Err(failed(error, &output))
                }
                Err(RunError::TimedOut) => Err(failed("timed out".to_owned(), "")),
                Err(RunError::Refused(error)) => Err(failed(error, "")),
            };
        }
        if hook["httpGet"].is_object() {
            let action = &hook["httpGet"];
            let path = spec::text(action, "path");
            let failed = |error: String| {
                format!(
                    "HTTP lifecycle hook ({path}) for Container \"{name}\" in Pod \"{full}\" failed - error: {error}"
                )
            };
            let port = port_of(&action["port"], container).map_err(failed)?;
            let to = SocketAddrV4::new(spec::text(action, "host").parse().unwrap_or(ip), port);
            // Any answer will do.
            return self.shared.prober.http_get(action, to, HOOK_TIMEOUT).await.map(|_| ()).map_err(failed);
        }
        if let Some(seconds) = hook["sleep"]["seconds"].as_u64() {
            self.shared.sim.sleep(Duration::from_secs(seconds)).await;
            return Ok(());
        }
        Err(format!("Cannot run handler: {}", simulation::stub!("kubelet", "lifecycle hooks of this type")))
    }
}
