//! `sessionAffinity: ClientIP`: which client had which endpoint, and when last (the module `recent` of iptables).

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use simulation::Time;

use crate::limits::AFFINITIES_MAX;
use crate::nat::{Protocol, ServiceRule};

/// The clients that are remembered.
#[derive(Debug, Default)]
pub(crate) struct Affinities(BTreeMap<(String, Protocol, Ipv4Addr), (SocketAddrV4, Time)>);

impl Affinities {
    /// One of the candidates for a client: the one it had, or one by chance. None without candidates. The second value says
    /// whether it is the one it had.
    pub(crate) fn choose(
        &mut self,
        rule: &ServiceRule,
        candidates: &[SocketAddrV4],
        client: Ipv4Addr,
        random: u64,
        now: Time,
    ) -> (Option<SocketAddrV4>, bool) {
        if candidates.is_empty() {
            return (None, false);
        }
        let index = usize::try_from(random % candidates.len() as u64).unwrap_or(0);
        let by_chance = candidates.get(index).copied();
        let Some(timeout) = rule.affinity else { return (by_chance, false) };
        let key = (rule.service.clone(), rule.protocol, client);
        let known =
            self.0.get(&key).filter(|(had, last)| candidates.contains(had) && now.saturating_since(*last) <= timeout);
        let chosen = known.map(|(had, _)| *had);
        if let Some(endpoint) = chosen.or(by_chance) {
            self.0.insert(key, (endpoint, now));
            if self.0.len() > AFFINITIES_MAX {
                let oldest = self.0.iter().min_by_key(|(_, (_, last))| *last).map(|(key, _)| key.clone());
                if let Some(key) = oldest {
                    self.0.remove(&key);
                }
            }
        }
        (chosen.or(by_chance), chosen.is_some())
    }
}
