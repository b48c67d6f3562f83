//! Carries a preemption out (`framework/preemption/executor.go`).
//!
//! Differences from upstream: one request comes after the other, and the next pod's turn after all of them. When one
//! fails, the pod is tried again after its pause and not at once, as nothing else slows that down here.

use api::{Object, kinds};
use client::{DeleteOptions, Error, PatchType};
use json::json;

use crate::State;

impl State {
    /// Ends the victims; the pod gets its turn when they are gone.
    pub(crate) async fn end_victims(&self, pod: &Object, node: &str, victims: &[Object]) {
        let victims: Vec<&Object> = victims.iter().filter(|victim| !victim.is_deleting()).collect();
        if victims.is_empty() {
            return;
        }
        // Less important pods that were to come here may find another place sooner than here.
        let displaced = self.cluster.borrow().nominated_after(pod, node);
        for other in displaced {
            let patch = json!({ "metadata": { "uid": other.uid() }, "status": { "nominatedNodeName": null } });
            // It counts for nothing on this node anyway: what was refused does no harm.
            let _ = self.patch_status(&other, &patch).await;
        }
        for victim in victims {
            if self.end(pod, node, victim).await.is_err() {
                self.queue.borrow_mut().again(&pod.key(), self.sim.now());
                return self.changed.wake_all();
            }
        }
    }

    async fn end(&self, pod: &Object, node: &str, victim: &Object) -> Result<(), Error> {
        let message = format!("{}: preempting to accommodate a higher priority pod", self.options.name);
        let condition = json!({
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "PreemptionByScheduler",
            "message": message,
            "lastProbeTime": null,
            "lastTransitionTime": self.sim.now().rfc3339(),
            "observedGeneration": victim.generation(),
        });
        let patch = json!({ "metadata": { "uid": victim.uid() }, "status": { "conditions": [condition] } });
        let options = DeleteOptions { precondition_uid: Some(victim.uid().to_owned()), ..DeleteOptions::default() };
        let result = match self.patch_status(victim, &patch).await {
            Ok(_) => self.client.delete(&kinds::PODS, victim.namespace(), victim.name(), &options).await,
            refused => refused,
        };
        match result {
            Ok(_) => {}
            Err(error) if error.is_not_found() => return Ok(()), // it went by itself
            Err(error) => return Err(error),
        }
        let message = format!("Preempted by pod {} on node {node}", pod.uid());
        self.recorder.event(victim, Some(pod), "Normal", "Preempted", "Preempting", &message).await;
        Ok(())
    }

    /// Patches a pod's status.
    pub(crate) async fn patch_status(&self, pod: &Object, patch: &json::Value) -> Result<Object, Error> {
        self.client.patch(&kinds::PODS, pod.namespace(), pod.name(), "status", PatchType::Strategic, patch).await
    }
}
