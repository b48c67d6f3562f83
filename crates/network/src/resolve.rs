//! Names to addresses, as a C library's resolver does it: literals, the hosts file, then the name servers.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::dns::wire::{self, Answer};
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
        let conf = self.resolv();
        let known = conf.in_hosts(name);
        if !known.is_empty() {
            return Ok(known);
        }
        if conf.nameservers.is_empty() {
            // Machines without a name server of their own ask the internet's.
            let published = self.fabric().published(name);
            return if published.is_empty() { Err(NetError::NameTryAgain) } else { Ok(published) };
        }
        let mut unanswered = false;
        for candidate in conf.candidates(name) {
            match self.ask(&conf, &candidate).await {
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

    async fn ask(&self, conf: &ResolvConf, name: &str) -> Result<Vec<Ipv4Addr>, NetError> {
        for _ in 0..DNS_ATTEMPTS_MAX {
            for server in &conf.nameservers {
                match self.ask_once(*server, name).await {
                    Err(NetError::NameTryAgain) => {}
                    decided => return decided,
                }
            }
        }
        Err(NetError::NameTryAgain)
    }

    async fn ask_once(&self, server: Ipv4Addr, name: &str) -> Result<Vec<Ipv4Addr>, NetError> {
        let socket = self.udp_bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0))?;
        let id = (self.sim().random_u64() & 0xffff) as u16;
        let Some(question) = wire::query(id, name) else { return Err(NetError::NameNotFound) };
        socket.send_to(&question, SocketAddrV4::new(server, 53))?;
        let answer = self.sim().timeout(DNS_TIMEOUT, async {
            loop {
                let (bytes, _) = socket.recv_from().await?;
                if let Some(answer) = wire::read_answer(&bytes, id) {
                    return Ok::<Answer, NetError>(answer);
                }
            }
        });
        match answer.await {
            Ok(Ok(Answer::Addresses(addresses))) => Ok(addresses),
            Ok(Ok(Answer::NoSuchName)) => Err(NetError::NameNotFound),
            Ok(Ok(Answer::Failed)) | Ok(Err(_)) | Err(_) => Err(NetError::NameTryAgain),
        }
    }
}
