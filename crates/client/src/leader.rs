//! One of several leads: who holds a Lease, and renews it (`k8s.io/client-go/tools/leaderelection`, with its resource lock).
//!
//! Left out: giving the Lease up on the way out, coordinated election.

use api::{Object, kinds};
use json::{Value, json};
use simulation::{Duration, Sim, Time};

use crate::{Client, Error, EventRecorder};

/// Others wait so long after the last renewal that they have seen (`--leader-elect-lease-duration`).
pub const LEASE_SECONDS: u64 = 15;
/// Who leads gives up when it could not renew for so long (`--leader-elect-renew-deadline`).
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// Between two tries (`--leader-elect-retry-period`).
const RETRY_PERIOD: Duration = Duration::from_secs(2);
/// How much longer a pause between tries to become leader may be, as a share (`JitterFactor`).
const JITTER: f64 = 1.2;
const NAMESPACE: &str = "kube-system";

/// Somebody who wants to lead.
pub struct LeaderElection {
    sim: Sim,
    client: Client,
    recorder: EventRecorder,
    /// Name of the Lease.
    name: &'static str,
    identity: String,
    /// The Lease as it was seen last.
    lease: Option<Object>,
    /// When its holder or its times were last seen to change.
    observed: Time,
}

impl LeaderElection {
    /// `name` names the Lease and is the source of its events; `node` is where this one runs.
    pub fn new(sim: &Sim, client: &Client, name: &'static str, node: &str) -> LeaderElection {
        LeaderElection {
            sim: sim.clone(),
            client: client.with_user_agent(&format!("{name}/leader-election")),
            recorder: EventRecorder::new(client, sim, name, ""),
            name,
            identity: format!("{node}_{}", sim.uid()),
            lease: None,
            observed: Time::default(),
        }
    }

    /// Completes when this one leads.
    pub async fn acquire(&mut self) {
        while !self.acquire_or_renew().await {
            self.sim.sleep(self.sim.jitter(RETRY_PERIOD, JITTER)).await;
        }
        self.tell("became leader");
    }

    /// Renews until that has not been possible for too long: then another one may lead.
    pub async fn renew(&mut self) {
        let sim = self.sim.clone();
        loop {
            let renewed = sim.timeout(RENEW_DEADLINE, async {
                while !self.acquire_or_renew().await {
                    self.sim.sleep(RETRY_PERIOD).await;
                }
            });
            if renewed.await.is_err() {
                break;
            }
            sim.sleep(RETRY_PERIOD).await;
        }
        self.tell("stopped leading");
    }

    fn tell(&self, what: &str) {
        if let Some(lease) = &self.lease {
            self.recorder.event(lease, "Normal", "LeaderElection", &format!("{} {what}", self.identity));
        }
    }

    fn is_leader(&self) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.str("spec.holderIdentity") == self.identity)
    }

    /// Whether the Lease, as it was seen, is still somebody's.
    fn is_valid(&self) -> bool {
        let seconds = self.lease.as_ref().and_then(|lease| lease.at("spec.leaseDurationSeconds").as_u64()).unwrap_or(0);
        self.observed + Duration::from_secs(seconds) > self.sim.now()
    }

    async fn acquire_or_renew(&mut self) -> bool {
        self.try_once().await.unwrap_or(false)
    }

    /// One try; false when somebody else leads.
    async fn try_once(&mut self) -> Result<bool, Error> {
        // Who leads writes over what it wrote last, and looks only if that was refused.
        if self.is_leader()
            && self.is_valid()
            && let Some(lease) = self.lease.clone()
            && let Ok(written) = self.write(lease, true).await
        {
            self.observe(written);
            return Ok(true);
        }
        let found = match self.client.get(&kinds::LEASES, NAMESPACE, self.name).await {
            Ok(found) => found,
            Err(error) if error.is_not_found() => {
                let created = self.client.create(&kinds::LEASES, NAMESPACE, self.fresh()).await?;
                self.observe(created);
                return Ok(true);
            }
            Err(error) => return Err(error),
        };
        if self.lease.as_ref().is_none_or(|lease| lease.at("spec") != found.at("spec")) {
            self.observe(found.clone());
        }
        let is_held = !found.str("spec.holderIdentity").is_empty() && self.is_valid();
        if is_held && !self.is_leader() {
            return Ok(false);
        }
        let is_ours = self.is_leader();
        let written = self.write(found, is_ours).await?;
        self.observe(written);
        Ok(true)
    }

    fn observe(&mut self, lease: Object) {
        self.lease = Some(lease);
        self.observed = self.sim.now();
    }

    fn now(&self) -> Value {
        self.sim.now().rfc3339_micro().into()
    }

    fn fresh(&self) -> Object {
        Object::new(json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": { "name": self.name, "namespace": NAMESPACE },
            "spec": {
                "holderIdentity": self.identity,
                "leaseDurationSeconds": LEASE_SECONDS,
                "acquireTime": self.now(),
                "renewTime": self.now(),
                "leaseTransitions": 0,
            },
        }))
    }

    /// Takes the Lease, or keeps it.
    async fn write(&self, mut lease: Object, is_ours: bool) -> Result<Object, Error> {
        if !is_ours {
            let transitions = lease.at("spec.leaseTransitions").as_u64().unwrap_or(0);
            lease.set("spec.holderIdentity", self.identity.as_str());
            lease.set("spec.acquireTime", self.now());
            lease.set("spec.leaseTransitions", transitions + 1);
        }
        lease.set("spec.leaseDurationSeconds", LEASE_SECONDS);
        lease.set("spec.renewTime", self.now());
        self.client.update(&kinds::LEASES, lease).await
    }
}
