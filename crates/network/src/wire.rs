//! What a wire does to what goes over it: everything takes time, and some is lost.
//!
//! There are two: the one inside a namespace, which loses nothing, and that between namespaces, whoever they are. What is lost is
//! drawn from the world's generator, one draw for each packet, and only while there is a loss: without one nothing is drawn, so
//! that a seed gives the same bytes as before. TCP sends again what was lost, so there it is time that is lost; a datagram is gone.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use simulation::Sim;

use crate::NetError;
use crate::limits::{RETRANSMIT_TIME, RETRANSMIT_TIME_MAX, RETRANSMITS_MAX, SYN_RETRIES_MAX};

/// Of so many packets the share that is lost is counted.
pub const LOSS_OF: u32 = 1_000_000;

/// A wire. What is open follows its changes.
pub(crate) struct Wire {
    sim: Sim,
    delay: Cell<Duration>,
    /// Of [`LOSS_OF`].
    loss: Cell<u32>,
}

impl Wire {
    pub(crate) fn new(sim: &Sim, delay: Duration) -> Rc<Wire> {
        Rc::new(Wire { sim: sim.clone(), delay: Cell::new(delay), loss: Cell::new(0) })
    }

    /// One way.
    pub(crate) fn delay(&self) -> Duration {
        self.delay.get()
    }

    pub(crate) fn set_delay(&self, delay: Duration) {
        self.delay.set(delay);
    }

    /// Loses so many of [`LOSS_OF`] packets from now on.
    pub(crate) fn set_loss(&self, loss: u32) {
        self.loss.set(loss.min(LOSS_OF));
    }

    /// Whether the packet that is sent now is lost.
    pub(crate) fn loses(&self) -> bool {
        let loss = self.loss.get();
        loss > 0 && self.sim.random_below(u64::from(LOSS_OF)) < u64::from(loss)
    }

    /// How long a sender waits for an acknowledgement of what it has sent `tries` times before: a round trip and what Linux
    /// adds, each time twice as long. None: it gives up.
    pub(crate) fn again_after(&self, tries: u32) -> Option<Duration> {
        let first = self.delay() * 2 + RETRANSMIT_TIME;
        (tries <= RETRANSMITS_MAX).then(|| first.saturating_mul(1 << tries.min(16)).min(RETRANSMIT_TIME_MAX))
    }
}

/// The packets that open a connection, each of which may be lost.
pub(crate) struct Opening<'a> {
    wire: &'a Wire,
    /// Lost so far: whichever it was, the client begins anew after its time.
    lost: u32,
}

impl Opening<'_> {
    pub(crate) fn over(wire: &Wire) -> Opening<'_> {
        Opening { wire, lost: 0 }
    }

    /// One packet goes over; `again` hears of each loss how long it is until the next try.
    ///
    /// Errors: `TimedOut`, as many tries later.
    pub(crate) async fn cross(&mut self, again: impl Fn(Option<Duration>)) -> Result<(), NetError> {
        while self.wire.loses() {
            let pause = Duration::from_secs(1 << self.lost);
            let is_last = self.lost == SYN_RETRIES_MAX;
            again((!is_last).then_some(pause));
            self.wire.sim.sleep(pause).await;
            if is_last {
                return Err(NetError::TimedOut);
            }
            self.lost += 1;
        }
        self.wire.sim.sleep(self.wire.delay()).await;
        Ok(())
    }
}
