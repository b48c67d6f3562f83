//! A journey as a table for people: when, how long, who acts, what happened.

use std::fmt::Write as _;

use cluster::journey::{Answer, Choice, Journey, Kind, Outcome, Verdict, Via, What};

/// One request.
pub(super) fn table(journey: &Journey) -> String {
    let mut text = heading(journey);
    let _ = writeln!(text, "  {:>10}  {:>8}  {:<10}  WHAT", "AT", "TOOK", "WHO");
    for hop in &journey.hops {
        let (who, what, took_us) = line(&hop.what);
        let took = took_us.map_or(String::new(), |us| format!("{} ms", milliseconds(us)));
        let _ = writeln!(text, "  {:>7} ms  {took:>8}  {who:<10}  {what}", milliseconds(hop.after_us));
    }
    if journey.hops_left_out > 0 {
        let _ = writeln!(text, "  ... and {} hops more", journey.hops_left_out);
    }
    text
}

fn heading(journey: &Journey) -> String {
    let protocol = match journey.kind {
        Kind::Name => "DNS",
        Kind::Tcp => "TCP",
        Kind::Udp => "UDP",
    };
    let goal = match (&journey.name, journey.to) {
        (Some(name), Some(to)) => format!("{name} ({to})"),
        (Some(name), None) => name.clone(),
        (None, to) => to.map_or(String::new(), |to| to.to_string()),
    };
    let took = journey.took_us.map_or(String::new(), |us| format!(" after {} ms", milliseconds(us)));
    let bytes = match journey.kind {
        Kind::Name => String::new(),
        Kind::Tcp | Kind::Udp => format!(", {} bytes sent, {} received", journey.sent, journey.received),
    };
    format!("#{} {protocol} {} -> {goal}: {}{took}{bytes}\n", journey.id, journey.from, outcome(journey))
}

fn outcome(journey: &Journey) -> String {
    let status = journey.hops.iter().rev().find_map(|hop| match &hop.what {
        What::Http { status, .. } => *status,
        _ => None,
    });
    let words = match journey.outcome {
        Outcome::Underway => "under way",
        Outcome::Resolved => "resolved",
        Outcome::Connected => "connected",
        Outcome::Answered if status.is_some() => "answered",
        Outcome::Answered if journey.received == 0 => "closed without an answer",
        Outcome::Answered => "answered",
        Outcome::NoSuchName => "no such name",
        Outcome::NoNameServer => "no name server answered",
        Outcome::Refused => "refused, nobody listens",
        Outcome::NoEndpoints => "rejected, the Service has no endpoints",
        Outcome::Unreachable => "no route to host",
        Outcome::TimedOut => "timed out",
        Outcome::Dropped => "dropped by NetworkPolicies",
        Outcome::GivenUp => "given up by the client",
    };
    status.map_or(words.to_owned(), |status| format!("{words} {status}"))
}

/// Who acts, what happened, and how long it took.
fn line(what: &What) -> (&'static str, String, Option<u64>) {
    match what {
        What::Known { name, hosts_file: true, addresses } => {
            ("resolver", format!("{name} is {} in the hosts file", list(addresses)), None)
        }
        What::Known { name, hosts_file: false, addresses } if addresses.is_empty() => {
            ("resolver", format!("{name} is no name of the internet"), None)
        }
        What::Known { name, hosts_file: false, addresses } => {
            ("resolver", format!("{name} is {} on the internet", list(addresses)), None)
        }
        What::Asked { server, by, name, answer, took_us } => {
            let by = if by.is_empty() { String::new() } else { format!(" ({by})") };
            ("DNS", format!("{name}? {server}{by}: {}", answer_of(answer)), Some(*took_us))
        }
        What::Rule { .. } => ("kube-proxy", rule(what), None),
        What::HostPort { address, pod } => ("portmap", format!("hostPort {address} leads to {pod}"), None),
        What::Judged(verdict) => ("policy", judged(verdict), None),
        What::NoPolicy => ("policy", "no NetworkPolicy selects either end: open".to_owned(), None),
        What::Wire { from, to, delay_us } => {
            let name = |machine: &str| if machine.is_empty() { "elsewhere".to_owned() } else { machine.to_owned() };
            let way = match from == to {
                true => format!("stays on {}", name(from)),
                false => format!("{} -> {}", name(from), name(to)),
            };
            ("wire", way, Some(*delay_us))
        }
        What::LostOnWire { again_us: None } => ("lost", "lost on the wire".to_owned(), None),
        What::LostOnWire { again_us: Some(us) } => {
            ("lost", format!("lost on the wire, sent again after {} s", us.div_ceil(1_000_000)), None)
        }
        What::Arrived { at, address, seen_as } => {
            ("arrived", format!("{at} at {address}, which sees {seen_as} as the client"), None)
        }
        What::Refused { at, address } => ("refused", format!("nobody listens at {address} of {at}"), None),
        What::Nobody { address } => ("lost", format!("nobody has the address {}", address.ip()), None),
        What::NoWay { at, address } => ("lost", format!("{} is {at}, but no way leads there", address.ip()), None),
        What::Http { method, path, status, took_us } => {
            let status = status.map_or("no answer".to_owned(), |status| status.to_string());
            let took = (status != "no answer").then_some(*took_us);
            ("HTTP", format!("{method} {path}: {status}"), took)
        }
    }
}

fn answer_of(answer: &Answer) -> String {
    match answer {
        Answer::Records(records) if records.is_empty() => "no records".to_owned(),
        Answer::Records(records) => list(records),
        Answer::NoSuchName => "NXDOMAIN".to_owned(),
        Answer::Failed => "failed".to_owned(),
        Answer::Silence => "no answer".to_owned(),
    }
}

fn rule(what: &What) -> String {
    let What::Rule { service, via, address, node, endpoints, chosen, chosen_name, by, local } = what else {
        return String::new();
    };
    let via = match via {
        Via::ClusterIp => "ClusterIP",
        Via::ExternalIp => "externalIP",
        Via::LoadBalancer => "LoadBalancer",
        Via::NodePort => "NodePort",
    };
    let node = if node.is_empty() { String::new() } else { format!(" on {node}") };
    let here = if *local { " here (traffic policy Local)" } else { "" };
    let why = match by {
        Choice::None => "no endpoints, so it rejects".to_owned(),
        Choice::NoneHere => "no endpoints here and the traffic policy is Local, so it drops".to_owned(),
        Choice::Only if *local => "its only endpoint here (traffic policy Local)".to_owned(),
        Choice::Only => "its only endpoint".to_owned(),
        Choice::Chance => format!("one of {endpoints} endpoints{here} by chance"),
        Choice::ClientIp => format!("one of {endpoints} endpoints{here} by the client's address (sessionAffinity)"),
    };
    let chosen = chosen.map_or(String::new(), |chosen| format!(": {chosen} ({chosen_name})"));
    format!("{via} {address}{node} is Service {service}, {why}{chosen}")
}

fn judged(Verdict { egress, pod, selected_by, allowed_by }: &Verdict) -> String {
    let direction = if *egress { "egress" } else { "ingress" };
    let selected = format!("{direction} of {pod} is limited by {}", list(selected_by));
    match allowed_by {
        Some(name) => format!("{selected}; {name} allows it"),
        None => format!("{selected}; none allows it: dropped"),
    }
}

fn list(items: &[impl ToString]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(", ")
}

/// Microseconds as milliseconds, with three digits.
fn milliseconds(us: u64) -> String {
    format!("{}.{:03}", us / 1_000, us % 1_000)
}
