//! Names to addresses, as a C library's resolver does it: literals, the hosts file, then the name servers.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::dns::wire::{self, Answer, NAME_BYTES_MAX};
use crate::journey::{self as told, Kind, Outcome, Tracer, What};
use crate::limits::{DNS_ATTEMPTS_MAX, DNS_TIMEOUT};
use crate::{NetError, NetNs};

/// A namespace's resolver settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvConf {
    /// Name servers, asked in order on port 53.
    pub nameservers: Vec<Ipv4Addr>,
    /// Domains to complete short names with.
    pub search: Vec<String>,
    /// A name with at least this many dots is tried as it is first.
    pub ndots: usize,
    /// Lines of the hosts file: address and names.
    pub hosts: Vec<(Ipv4Addr, Vec<String>)>,
}

impl Default for ResolvConf {
    fn default() -> Self {
        let hosts = vec![(Ipv4Addr::LOCALHOST, vec!["localhost".to_owned()])];
        ResolvConf { nameservers: Vec::new(), search: Vec::new(), ndots: 1, hosts }
    }
}

impl ResolvConf {
    /// What the kubelet gives pods with `dnsPolicy: ClusterFirst`.
    pub fn cluster_first(nameserver: Ipv4Addr, namespace: &str, domain: &str) -> ResolvConf {
        let search = vec![format!("{namespace}.svc.{domain}"), format!("svc.{domain}"), domain.to_owned()];
        ResolvConf { nameservers: vec![nameserver], search, ndots: 5, ..ResolvConf::default() }
    }

    /// As /etc/resolv.conf is written.
    pub fn to_file(&self) -> String {
        let mut text = String::new();
        for server in &self.nameservers {
            text += &format!("nameserver {server}\n");
        }
        if !self.search.is_empty() {
            text += &format!("search {}\n", self.search.join(" "));
        }
        if self.ndots != 1 {
            text += &format!("options ndots:{}\n", self.ndots);
        }
        text
    }

    /// The names to ask for, in order.
    pub fn candidates(&self, name: &str) -> Vec<String> {
        if let Some(absolute) = name.strip_suffix('.') {
            return vec![absolute.to_owned()];
        }
        let searched = self.search.iter().map(|domain| format!("{name}.{domain}"));
        let mut names: Vec<String> = searched.collect();
        if name.matches('.').count() >= self.ndots {
            names.insert(0, name.to_owned());
        } else {
            names.push(name.to_owned());
        }
        names
    }

    fn in_hosts(&self, name: &str) -> Vec<Ipv4Addr> {
        let wanted = name.trim_end_matches('.');
        let lines = self.hosts.iter().filter(|(_, names)| names.iter().any(|n| n.eq_ignore_ascii_case(wanted)));
        lines.map(|(address, _)| *address).collect()
    }
}

impl NetNs {
    /// The addresses of a host name, through this namespace's settings. Questions travel over the fabric, so they fail
    /// when the name server cannot be reached.
    ///
    /// Errors: `NameNotFound`, `NameTryAgain`, `Down`.
    pub async fn resolve(&self, name: &str) -> Result<Vec<Ipv4Addr>, NetError> {
        if let Ok(literal) = name.parse::<Ipv4Addr>() {
            return Ok(vec![literal]);
        }
        // No name server has such a name, and the trace would have to keep it.
        if name.len() > NAME_BYTES_MAX + 1 {
            return Err(NetError::NameNotFound);
        }
        let conf = self.resolv();
        let tracer = Tracer::begin(self.0.fabric(), self.name(), Kind::Name, self.is_routine());
        tracer.change(|journey| journey.name = Some(name.to_owned()));
        let found = self.look_up(&conf, name, &tracer).await;
        match &found {
            Ok(addresses) => {
                tracer.end(Outcome::Resolved);
                self.0.lookups.borrow_mut().note(tracer.id(), addresses, self.sim().now());
            }
            Err(NetError::NameNotFound) => tracer.end(Outcome::NoSuchName),
            Err(_) if conf.nameservers.is_empty() => tracer.end(Outcome::NoSuchName),
            Err(_) => tracer.end(Outcome::NoNameServer),
        }
        found
    }

    async fn look_up(&self, conf: &ResolvConf, name: &str, tracer: &Tracer) -> Result<Vec<Ipv4Addr>, NetError> {
        let known = conf.in_hosts(name);
        let knows = |hosts_file: bool, addresses: &[Ipv4Addr]| {
            tracer.pass(What::Known { name: name.to_owned(), hosts_file, addresses: addresses.to_vec() });
        };
        if !known.is_empty() {
            knows(true, &known);
            return Ok(known);
        }
        if conf.nameservers.is_empty() {
            // Machines without a name server of their own ask the internet's.
            let published = self.fabric().published(name);
            knows(false, &published);
            return if published.is_empty() { Err(NetError::NameTryAgain) } else { Ok(published) };
        }
        let mut unanswered = false;
        for candidate in conf.candidates(name) {
            match self.ask(conf, &candidate, tracer).await {
                Ok(addresses) if !addresses.is_empty() => return Ok(addresses),
                Ok(_) | Err(NetError::NameNotFound) => {}
                Err(NetError::Down) => return Err(NetError::Down),
                Err(_) => {
                    unanswered = true;
                    break;
                }
            }
        }
        Err(if unanswered { NetError::NameTryAgain } else { NetError::NameNotFound })
    }

    async fn ask(&self, conf: &ResolvConf, name: &str, tracer: &Tracer) -> Result<Vec<Ipv4Addr>, NetError> {
        for _ in 0..DNS_ATTEMPTS_MAX {
            for server in &conf.nameservers {
                match self.ask_once(*server, name, tracer).await {
                    Err(NetError::NameTryAgain) => {}
                    decided => return decided,
                }
            }
        }
        Err(NetError::NameTryAgain)
    }

    async fn ask_once(&self, server: Ipv4Addr, name: &str, tracer: &Tracer) -> Result<Vec<Ipv4Addr>, NetError> {
        let socket = self.udp_bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0))?;
        let id = (self.sim().random_u64() & 0xffff) as u16;
        let Some(question) = wire::query(id, name) else { return Err(NetError::NameNotFound) };
        socket.0.exchanges.lookup.set(Some(tracer.id()));
        socket.send_to(&question, SocketAddrV4::new(server, 53))?;
        let end = socket.0.exchanges.last_end.get();
        let by = end.map_or(String::new(), |end| self.0.fabric().name_at(*end.ip()));
        let begun = self.sim().now();
        let asked = |answer| tracer.asked(Some(begun), server, by, name.to_owned(), answer);
        let answer = self.sim().timeout(DNS_TIMEOUT, async {
            loop {
                let (bytes, _) = socket.recv_from().await?;
                if let Some(answer) = wire::read_answer(&bytes, id) {
                    return Ok::<_, NetError>((answer, bytes));
                }
            }
        });
        let answer = match answer.await {
            Ok(Ok((answer, bytes))) => {
                asked(wire::read_records(&bytes).unwrap_or(told::Answer::Failed));
                answer
            }
            Ok(Err(_)) | Err(_) => {
                asked(told::Answer::Silence);
                Answer::Failed
            }
        };
        match answer {
            Answer::Addresses(addresses) => Ok(addresses),
            Answer::NoSuchName => Err(NetError::NameNotFound),
            Answer::Failed => Err(NetError::NameTryAgain),
        }
    }
}
