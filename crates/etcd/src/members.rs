//! The members of an etcd cluster: which of them are up, who leads, in which term, and how far each has got (raft, as etcd has it).
//!
//! The data is kept once, because every member that is up has the same of it; what differs is how much one has missed while it was
//! down. Nothing is committed without a leader and more than half of the members, and who has missed a write of the others cannot
//! come to lead them. Upstream: go.etcd.io/raft, server/etcdserver.
//!
//! Left out: members that are up and cannot reach each other, learners, taking a member away.

use std::task::Poll;

use simulation::{Duration, Sim, Task};

use crate::store::{Etcd, Revision};

/// A follower that hears nothing for so long wants to lead, and up to once more as long by chance (`--election-timeout`).
pub const ELECTION_TIMEOUT: Duration = Duration::from_secs(1);
/// The term of the first leader.
const TERM_FIRST: u64 = 2;

/// A member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name: that of its node.
    pub name: String,
    /// Whether it runs.
    pub is_up: bool,
    /// The last write that it has.
    pub revision: Revision,
    /// The newest term of which it knows.
    pub term: u64,
}

/// The members of one cluster. Without any there is one store that needs nobody.
#[derive(Default)]
pub(crate) struct Members {
    all: Vec<Member>,
    /// The place of the member that leads.
    leader: Option<usize>,
    term: u64,
}

impl Members {
    fn has_quorum(&self) -> bool {
        self.all.iter().filter(|member| member.is_up).count() * 2 > self.all.len()
    }

    pub(crate) fn can_commit(&self) -> bool {
        self.all.is_empty() || (self.leader.is_some() && self.has_quorum())
    }

    /// The leader has written, and everyone who is up has it.
    pub(crate) fn committed(&mut self, revision: Revision) {
        for member in self.all.iter_mut().filter(|member| member.is_up) {
            member.revision = revision;
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.all.iter().position(|member| member.name == name)
    }

    fn campaign(&mut self, place: usize) -> bool {
        let candidate = &mut self.all[place];
        if !candidate.is_up {
            return false;
        }
        candidate.term += 1;
        let (term, revision) = (candidate.term, candidate.revision);
        let mut votes = 0;
        for (other, member) in self.all.iter_mut().enumerate().filter(|(_, member)| member.is_up) {
            // A vote goes to a term not heard of before, and to nobody who has missed a write.
            let is_new = term > member.term || other == place;
            member.term = member.term.max(term);
            if is_new && revision >= member.revision {
                votes += 1;
            }
        }
        let has_won = votes * 2 > self.all.len();
        if has_won {
            (self.leader, self.term) = (Some(place), term);
            self.committed(revision);
        }
        has_won
    }
}

impl Etcd {
    /// Starts a member; one that is not known yet is added, for which there must be a leader. Tells whether it is up now.
    pub fn start_member(&self, name: &str) -> bool {
        let is_up = {
            let mut state = self.state_mut();
            let revision = state.revision;
            let members = &mut state.members;
            let can_commit = members.can_commit();
            let is_first = members.all.is_empty();
            match members.place(name) {
                Some(place) => {
                    members.all[place].is_up = true;
                    if can_commit {
                        // The leader sends what it has missed.
                        members.all[place].revision = revision;
                        members.all[place].term = members.term;
                    }
                }
                None if can_commit => {
                    let term = members.term;
                    members.all.push(Member { name: name.to_owned(), is_up: true, revision, term });
                }
                None => {}
            }
            if is_first {
                (members.leader, members.term) = (Some(0), TERM_FIRST);
                members.all[0].term = TERM_FIRST;
            }
            members.place(name).is_some()
        };
        self.elections().wake_all();
        is_up
    }

    /// Stops a member, as if the plug were pulled.
    pub fn stop_member(&self, name: &str) {
        {
            let mut state = self.state_mut();
            let members = &mut state.members;
            if let Some(place) = members.place(name) {
                members.all[place].is_up = false;
                if members.leader == Some(place) || !members.has_quorum() {
                    // A leader that does not hear from a quorum steps down.
                    members.leader = None;
                }
            }
        }
        self.elections().wake_all();
    }

    /// A member asks the others to be led by it, in a new term; tells whether they are.
    pub fn campaign(&self, name: &str) -> bool {
        let has_won = {
            let mut state = self.state_mut();
            let members = &mut state.members;
            members.place(name).is_some_and(|place| members.campaign(place))
        };
        self.elections().wake_all();
        has_won
    }

    /// The members, in the order in which they joined.
    pub fn members(&self) -> Vec<Member> {
        self.state().members.all.clone()
    }

    /// The name of the member that leads.
    pub fn leader(&self) -> Option<String> {
        let state = self.state();
        state.members.leader.map(|place| state.members.all[place].name.clone())
    }

    /// The term of the newest leader; 0 without members.
    pub fn term(&self) -> u64 {
        self.state().members.term
    }

    /// Whether writes, and reads of what is newest, can be done.
    pub fn can_commit(&self) -> bool {
        self.state().members.can_commit()
    }

    /// Completes when [`Etcd::can_commit`] holds.
    pub async fn led(&self) {
        self.until(Etcd::can_commit).await;
    }

    /// Members that are up and may become leaders; none while there is one.
    fn candidates(&self) -> Vec<String> {
        let state = self.state();
        let members = &state.members;
        if members.leader.is_some() || !members.has_quorum() {
            return Vec::new();
        }
        members.all.iter().filter(|member| member.is_up).map(|member| member.name.clone()).collect()
    }

    async fn until(&self, is_so: impl Fn(&Etcd) -> bool) {
        let changed = self.elections();
        std::future::poll_fn(|cx| {
            if is_so(self) {
                return Poll::Ready(());
            }
            changed.register(cx);
            Poll::Pending
        })
        .await;
    }

    /// Has a leader elected whenever there is none and more than half of the members are up, until the task is aborted. Nothing
    /// happens while there is one.
    pub fn keep_led(&self, sim: &Sim) -> Task<()> {
        let (etcd, clock) = (self.clone(), sim.clone());
        sim.spawn(async move {
            loop {
                etcd.until(|etcd| !etcd.candidates().is_empty()).await;
                let spread = u64::try_from(ELECTION_TIMEOUT.as_millis()).unwrap_or(u64::MAX);
                let mut timeouts: Vec<(u64, String)> =
                    etcd.candidates().into_iter().map(|name| (clock.random_below(spread), name)).collect();
                timeouts.sort();
                let mut waited = 0;
                clock.sleep(ELECTION_TIMEOUT).await;
                for (timeout, name) in timeouts {
                    clock.sleep(Duration::from_millis(timeout - waited)).await;
                    waited = timeout;
                    if etcd.candidates().is_empty() || etcd.campaign(&name) {
                        break;
                    }
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use api::Object;
    use json::json;

    use super::*;
    use crate::{Expect, Refused};

    fn put(etcd: &Etcd, key: &str) -> Result<Revision, Refused> {
        etcd.put(key, Expect::Anything, |_| Object::new(json!({}))).map(|kv| kv.mod_revision)
    }

    fn three() -> Etcd {
        let etcd = Etcd::new();
        for name in ["a", "b", "c"] {
            assert!(etcd.start_member(name));
        }
        assert_eq!((etcd.leader().as_deref(), etcd.term()), (Some("a"), 2));
        etcd
    }

    #[test]
    fn a_store_without_members_needs_nobody() {
        assert_eq!(put(&Etcd::new(), "t/k"), Ok(2));
    }

    #[test]
    fn nothing_is_written_without_a_leader_and_a_quorum() {
        let etcd = three();
        assert_eq!(put(&etcd, "t/1"), Ok(2));
        etcd.stop_member("a");
        assert_eq!(put(&etcd, "t/2"), Err(Refused::NoLeader), "the leader is down");
        assert!(etcd.campaign("b"));
        assert_eq!(etcd.term(), 3);
        assert_eq!(put(&etcd, "t/2"), Ok(3));
        etcd.stop_member("c");
        assert_eq!(etcd.leader(), None, "a leader without a quorum steps down");
        assert_eq!(put(&etcd, "t/3"), Err(Refused::NoLeader));
        assert!(!etcd.campaign("b"), "one of three is not enough");
        assert_eq!(etcd.revision(), 3, "what was refused left nothing behind");
    }

    #[test]
    fn who_has_missed_a_write_does_not_lead() {
        let etcd = three();
        etcd.stop_member("c");
        assert_eq!(put(&etcd, "t/1"), Ok(2));
        for name in ["a", "b"] {
            etcd.stop_member(name);
        }
        etcd.start_member("c");
        etcd.start_member("b");
        assert!(!etcd.campaign("c"), "c has not seen the write");
        assert!(etcd.campaign("b"));
        assert_eq!(etcd.members().iter().map(|m| m.revision).collect::<Vec<_>>(), [2, 2, 2]);
        assert!(etcd.get("t/1").is_some());
        etcd.start_member("a");
        assert_eq!(put(&etcd, "t/2"), Ok(3));
    }

    #[test]
    fn nobody_joins_without_a_leader() {
        let etcd = three();
        etcd.stop_member("a");
        assert!(!etcd.start_member("d"));
        assert!(etcd.campaign("b"));
        assert!(etcd.start_member("d"));
        assert_eq!(etcd.members().len(), 4);
        etcd.stop_member("b");
        assert!(!etcd.can_commit());
        assert!(!etcd.campaign("nobody"));
    }
}
