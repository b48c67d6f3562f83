//! Addresses and ranges of them (k8s.io/apiserver/pkg/cel/library/{ip,cidr}.go).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::Found;
use crate::value::Value;

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// An address in it.
    pub address: IpAddr,
    /// How many bits all of them share.
    pub bits: u8,
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl Cidr {
    fn masked(self) -> Cidr {
        Cidr { address: mask(self.address, self.bits), bits: self.bits }
    }

    fn contains(self, ip: IpAddr) -> bool {
        ip.is_ipv4() == self.address.is_ipv4() && mask(ip, self.bits) == mask(self.address, self.bits)
    }
}

fn mask(ip: IpAddr, bits: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::from((u32::from(ip) & mask).to_be_bytes())
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::from((u128::from(ip) & mask).to_be_bytes())
        }
    }
}

fn is_mapped(ip: &IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some())
}

fn parse_ip(text: &str) -> Result<IpAddr, String> {
    if let Some((address, _)) = text.split_once('%')
        && address.parse::<Ipv6Addr>().is_ok()
    {
        return Err(format!("IP address {text:?} with zone value is not allowed"));
    }
    let ip: IpAddr = text.parse().map_err(|_| {
        let why = format!("ParseAddr({text:?}): unable to parse IP");
        format!("IP Address {text:?} parse error during conversion from string: {why}")
    })?;
    match is_mapped(&ip) {
        true => Err(format!("IPv4-mapped IPv6 address {text:?} is not allowed")),
        false => Ok(ip),
    }
}

fn parse_cidr(text: &str) -> Result<Cidr, String> {
    let fail = |why: &str| {
        let why = format!("netip.ParsePrefix({text:?}): {why}");
        format!("network address parse error during conversion from string: {why}")
    };
    let (address, bits) = text.rsplit_once('/').ok_or_else(|| fail("no '/'"))?;
    let address: IpAddr = address.parse().map_err(|_| fail("unable to parse IP"))?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let is_plain = bits == "0" || !bits.starts_with(['0', '+']);
    let bits = bits.parse().ok().filter(|bits| is_plain && *bits <= most);
    let bits = bits.ok_or_else(|| fail("prefix length out of range"))?;
    match is_mapped(&address) {
        true => Err(format!("IPv4-mapped IPv6 address {text:?} is not allowed")),
        false => Ok(Cidr { address, bits }),
    }
}

pub(super) fn call(name: &str, args: &[Value]) -> Option<Found> {
    let found = match (name, args) {
        ("isIP", [Value::String(text)]) => Value::Bool(parse_ip(text).is_ok()),
        ("isCIDR", [Value::String(text)]) => Value::Bool(parse_cidr(text).is_ok()),
        ("ip", [Value::String(text)]) => return Some(parse_ip(text).map(Value::Ip)),
        ("cidr", [Value::String(text)]) => return Some(parse_cidr(text).map(Value::Cidr)),
        ("ip.isCanonical", [Value::String(text)]) => {
            return Some(parse_ip(text).map(|ip| Value::Bool(ip.to_string() == **text)));
        }
        ("ip", [Value::Cidr(cidr)]) => Value::Ip(cidr.address),
        ("prefixLength", [Value::Cidr(cidr)]) => Value::Int(i64::from(cidr.bits)),
        ("masked", [Value::Cidr(cidr)]) => Value::Cidr(cidr.masked()),
        ("containsIP", [Value::Cidr(cidr), Value::Ip(ip)]) => Value::Bool(cidr.contains(*ip)),
        ("containsIP", [Value::Cidr(cidr), Value::String(text)]) => {
            return Some(parse_ip(text).map(|ip| Value::Bool(cidr.contains(ip))));
        }
        ("containsCIDR", [Value::Cidr(cidr), Value::Cidr(inner)]) => Value::Bool(contains_range(*cidr, *inner)),
        ("containsCIDR", [Value::Cidr(cidr), Value::String(text)]) => {
            return Some(parse_cidr(text).map(|inner| Value::Bool(contains_range(*cidr, inner))));
        }
        (_, [Value::Ip(ip)]) => return about(name, *ip).map(Ok),
        _ => return None,
    };
    Some(Ok(found))
}

fn contains_range(outer: Cidr, inner: Cidr) -> bool {
    inner.bits >= outer.bits && outer.contains(inner.address)
}

fn about(name: &str, ip: IpAddr) -> Option<Value> {
    let link_local_unicast = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.segments()[0] & 0xffc0 == 0xfe80,
    };
    let holds = match name {
        "family" => return Some(Value::Int(if ip.is_ipv4() { 4 } else { 6 })),
        "isUnspecified" => ip.is_unspecified(),
        "isLoopback" => ip.is_loopback(),
        "isLinkLocalUnicast" => link_local_unicast,
        "isLinkLocalMulticast" => match ip {
            IpAddr::V4(ip) => matches!(ip.octets(), [224, 0, 0, _]),
            IpAddr::V6(ip) => ip.segments()[0] & 0xff0f == 0xff02,
        },
        "isGlobalUnicast" => {
            let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
            !(ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || link_local_unicast || is_broadcast)
        }
        _ => return None,
    };
    Some(Value::Bool(holds))
}
