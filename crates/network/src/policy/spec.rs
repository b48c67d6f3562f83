//! A NetworkPolicy as the judgement reads it (`staging/src/k8s.io/api/networking/v1`).

use std::net::Ipv4Addr;

use api::Object;
use api::selector::LabelSelector;
use json::Value;

use crate::nat::Protocol;

/// One policy, taken apart once.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The namespace it is of, whose pods it can select.
    pub namespace: String,
    /// The pods it is about.
    pub pods: LabelSelector,
    /// What may come in; none if it says nothing about that. An empty list lets nothing in.
    pub ingress: Option<Vec<Rule>>,
    /// What may go out, in the same way.
    pub egress: Option<Vec<Rule>>,
}

/// Lets through what is with one of the peers and for one of the ports. An empty list means all of them.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Who is at the other end.
    pub peers: Vec<Peer>,
    /// What the packet is for.
    pub ports: Vec<Port>,
}

/// Who may be at the other end.
#[derive(Clone, Debug)]
pub enum Peer {
    /// Addresses, pods' too.
    Block {
        /// Within this,
        cidr: Cidr,
        /// and within none of these.
        except: Vec<Cidr>,
    },
    /// Pods.
    Pods {
        /// Of these namespaces; none stands for the policy's own.
        namespaces: Option<LabelSelector>,
        /// With these labels.
        pods: LabelSelector,
    },
}

/// Ports of one protocol.
#[derive(Clone, Debug)]
pub struct Port {
    /// None is one of which there are no sockets here (SCTP): the rule matches nothing.
    pub protocol: Option<Protocol>,
    /// Which of them.
    pub which: Which,
}

/// A choice of ports.
#[derive(Clone, Debug)]
pub enum Which {
    /// Every one.
    Every,
    /// From the first to the last.
    Range(u16, u16),
    /// What the container ports of the receiving pod call so.
    Named(String),
}

/// A network of IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    base: u32,
    mask: u32,
}

impl Cidr {
    /// Reads `10.0.0.0/8`. None for what is not that, such as networks of IPv6, which have no addresses here.
    pub fn parse(text: &str) -> Option<Cidr> {
        let (base, bits) = text.split_once('/')?;
        let (base, bits) = (base.parse::<Ipv4Addr>().ok()?, bits.parse::<u32>().ok()?);
        let mask = if bits == 0 { 0 } else { u32::MAX.checked_shl(32_u32.checked_sub(bits)?)? };
        Some(Cidr { base: base.to_bits() & mask, mask })
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        address.to_bits() & self.mask == self.base
    }
}

impl Policy {
    /// Reads an object that the API server has let in: types are there, selectors are well-formed.
    pub fn read(object: &Object) -> Policy {
        let types: Vec<&str> = object.list("spec.policyTypes").iter().filter_map(Value::as_str).collect();
        let rules = |kind: &str, list: &str, peers: &str| {
            let rules = object.at("spec").get(list).and_then(Value::as_array).into_iter().flatten();
            types.contains(&kind).then(|| rules.map(|rule| Rule::read(rule, peers)).collect())
        };
        Policy {
            namespace: object.namespace().to_owned(),
            pods: selector(object.at("spec.podSelector")).unwrap_or_else(LabelSelector::everything),
            ingress: rules("Ingress", "ingress", "from"),
            egress: rules("Egress", "egress", "to"),
        }
    }
}

impl Rule {
    fn read(rule: &Value, peers: &str) -> Rule {
        let list = |name: &str| rule[name].as_array().into_iter().flatten();
        Rule { peers: list(peers).map(Peer::read).collect(), ports: list("ports").map(Port::read).collect() }
    }
}

impl Peer {
    fn read(peer: &Value) -> Peer {
        if let Some(block) = peer.get("ipBlock").filter(|block| !block.is_null()) {
            let cidr = |text: &Value| text.as_str().and_then(Cidr::parse);
            let except = block["except"].as_array().into_iter().flatten().filter_map(cidr).collect();
            // A network of IPv6 has no address of ours in it.
            let nowhere = Cidr { base: 0, mask: u32::MAX };
            return Peer::Block { cidr: cidr(&block["cidr"]).unwrap_or(nowhere), except };
        }
        let (namespaces, pods) = (selector(&peer["namespaceSelector"]), selector(&peer["podSelector"]));
        // A peer that says nothing is not let in by validation; it would be nobody.
        let otherwise = if namespaces.is_some() { LabelSelector::everything() } else { LabelSelector::nothing() };
        Peer::Pods { namespaces, pods: pods.unwrap_or(otherwise) }
    }
}

impl Port {
    fn read(port: &Value) -> Port {
        let number = |value: &Value| value.as_u64().and_then(|number| u16::try_from(number).ok());
        let protocol = match port["protocol"].as_str().unwrap_or("TCP") {
            "TCP" => Some(Protocol::Tcp),
            "UDP" => Some(Protocol::Udp),
            _ => None,
        };
        let which = match (&port["port"], number(&port["port"])) {
            (Value::String(name), _) => Which::Named(name.to_string()),
            (_, Some(first)) => Which::Range(first, number(&port["endPort"]).unwrap_or(first)),
            (_, None) => Which::Every,
        };
        Port { protocol, which }
    }
}

/// None if there is none; one that is malformed selects nothing.
fn selector(value: &Value) -> Option<LabelSelector> {
    (!value.is_null()).then(|| LabelSelector::from_value(value).unwrap_or_else(|_| LabelSelector::nothing()))
}
