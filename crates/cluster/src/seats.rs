//! Several machines with a control plane each: on every one an etcd member, an API server, a controller manager and a scheduler. Of
//! the last two one of each leads, by a Lease; the others wait. kubeadm calls it stacked.
//!
//! Difference: a controller manager that has lost its Lease begins anew without its container being restarted.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

use apiserver::ApiServer;
use client::LeaderElection;
use controllers::ControllerManager;
use scheduler::Scheduler;
use simulation::{Duration, Sim, Task};

use crate::control_plane::{Roads, start_controllers, start_scheduler};
use crate::fronts::Fronts;
use crate::profile::Profile;

/// A process that ended is started again after so long.
const RESTART_TIME: Duration = Duration::from_secs(1);
/// An API server of which nothing is heard for so long is no endpoint any more (`--endpoint-reconciler-type=lease`).
const ENDPOINT_TIME: Duration = Duration::from_secs(15);

/// What a machine of the control plane runs.
struct Seat {
    name: String,
    tasks: Vec<Task<()>>,
    controllers: Rc<RefCell<Option<ControllerManager>>>,
    scheduler: Rc<RefCell<Option<Scheduler>>>,
}

impl Seat {
    fn stop(&self) {
        self.tasks.iter().for_each(Task::abort);
        let (controllers, scheduler) = (self.controllers.take(), self.scheduler.take());
        if let Some(controllers) = controllers {
            controllers.stop();
        }
        if let Some(scheduler) = scheduler {
            scheduler.stop();
        }
    }
}

/// What every seat is made with.
#[derive(Clone)]
pub(crate) struct Floor {
    pub(crate) sim: Sim,
    pub(crate) api: ApiServer,
    pub(crate) fronts: Fronts,
    pub(crate) profile: &'static Profile,
    pub(crate) cluster: String,
}

impl Floor {
    fn address(&self, index: u32) -> Ipv4Addr {
        (self.profile.machine)(&self.cluster, index).address
    }

    /// Tells in a while at which addresses API servers are then. If that cannot be written, the next one that comes up will.
    fn advertise(&self, after: Duration) {
        let floor = self.clone();
        self.sim.spawn(async move {
            floor.sim.sleep(after).await;
            let addresses: Vec<Ipv4Addr> = floor.fronts.open_ones().into_iter().map(|i| floor.address(i)).collect();
            if !addresses.is_empty() {
                floor.api.advertise(&addresses);
            }
        });
    }
}

/// The seats of a cluster that runs, by the number of the machine.
pub(crate) struct Seats {
    floor: Floor,
    seats: BTreeMap<u32, Seat>,
    elections: Task<()>,
}

impl Seats {
    pub(crate) fn new(floor: Floor) -> Seats {
        let elections = floor.api.store().keep_led(&floor.sim);
        Seats { floor, seats: BTreeMap::new(), elections }
    }

    /// A machine of the control plane is switched on.
    pub(crate) fn start(&mut self, index: u32, name: &str, roads: &Roads) {
        if self.seats.contains_key(&index) {
            return;
        }
        let (floor, name_too, roads) = (self.floor.clone(), name.to_owned(), roads.clone());
        let (controllers, scheduler) = (Rc::default(), Rc::default());
        let parts = (Rc::clone(&controllers), Rc::clone(&scheduler));
        let begin = floor.sim.clone().spawn(async move {
            // A member that is new waits for a leader who takes it in.
            while !floor.api.store().start_member(&name_too) {
                floor.api.store().led().await;
            }
            floor.fronts.open(index);
            floor.api.store().led().await;
            floor.advertise(Duration::ZERO);
            let (sim, profile) = (&floor.sim, floor.profile);
            let managers = lead(sim, &roads, "kube-controller-manager", &name_too, &parts.0, || {
                start_controllers(sim, &roads, profile)
            });
            let schedulers = lead(sim, &roads, "kube-scheduler", &name_too, &parts.1, || start_scheduler(sim, &roads));
            futures_util::future::join(managers, schedulers).await;
        });
        let seat = Seat { name: name.to_owned(), tasks: vec![begin], controllers, scheduler };
        self.seats.insert(index, seat);
    }

    /// A machine of the control plane is switched off, as if the plug were pulled.
    pub(crate) fn stop(&mut self, index: u32) {
        if let Some(seat) = self.seats.remove(&index) {
            seat.stop();
            self.floor.api.store().stop_member(&seat.name);
            self.floor.fronts.close(index);
            self.floor.advertise(ENDPOINT_TIME);
        }
    }

    /// Every machine is switched off.
    pub(crate) fn stop_all(&mut self) {
        let seats: Vec<u32> = self.seats.keys().copied().collect();
        seats.into_iter().for_each(|index| self.stop(index));
        self.elections.abort();
    }
}

/// Waits for the Lease, does the work while it is held, and begins anew when it is lost.
async fn lead<T: Stop>(
    sim: &Sim,
    roads: &Roads,
    name: &'static str,
    node: &str,
    running: &RefCell<Option<T>>,
    begin: impl Fn() -> T,
) {
    loop {
        let mut election = LeaderElection::new(sim, &roads.client(name), name, node);
        election.acquire().await;
        *running.borrow_mut() = Some(begin());
        election.renew().await;
        let lost = running.take();
        if let Some(lost) = lost {
            lost.end();
        }
        sim.sleep(RESTART_TIME).await;
    }
}

/// A part that can be ended.
trait Stop {
    fn end(&self);
}

impl Stop for ControllerManager {
    fn end(&self) {
        self.stop();
    }
}

impl Stop for Scheduler {
    fn end(&self) {
        self.stop();
    }
}
