//! Requests on the network as the page tells them: which name, which rule, which Pod, what policies said, how long it took.
//!
//! The worker makes rows of the packet trace (`cluster::journey`), so the page knows sentences and places on the map alone.

use std::collections::VecDeque;

use cluster::journey::{Answer, Choice, Hop, Journey, Outcome, Verdict, Via, What};
use serde::{Deserialize, Serialize};

use crate::map::{Anchor, place};
use crate::text::{Language, T, fill};

/// Requests that the page keeps, and that it is told of at once.
pub const REQUESTS_MAX: usize = 40;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Its number; that of the dot on the map, too.
    pub id: u64,
    /// Who asks, as [`Row::n`] names things.
    pub from: String,
    /// The name or address that was asked for.
    pub goal: String,
    /// How it stands.
    pub end: End,
    /// HTTP status of the last answer; 0 without one.
    pub status: u16,
    /// Virtual microseconds until it ended, or so far.
    pub took_us: u64,
    /// What happened, in order.
    pub rows: Vec<Row>,
    /// The things on the map that it passed, in order.
    pub path: Vec<Anchor>,
}

/// One thing that happened on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Virtual microseconds since the request began.
    pub after_us: u64,
    /// The sentence, with its places `{n}` and `{m}`.
    pub says: Says,
    /// What stands at `{n}`.
    pub n: String,
    /// What stands at `{m}`.
    pub m: String,
}

macro_rules! says {
    ($($key:ident: $who:ident, $bad:literal;)*) => {
        /// What a row says. The sentences are those of [`T`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[allow(missing_docs, reason = "the texts themselves say what they are")]
        pub enum Says { $($key),* }

        impl Says {
            fn text(self) -> T {
                match self { $(Says::$key => T::$key),* }
            }

            /// Who acts.
            pub fn who(self, language: Language) -> &'static str {
                match self { $(Says::$key => $who),* }.unwrap_or(T::Network.get(language))
            }

            /// Whether it went wrong here.
            pub fn is_bad(self) -> bool {
                match self { $(Says::$key => $bad),* }
            }
        }
    };
}

/// Those who have names of their own.
const DNS: Option<&str> = Some("DNS");
const PROXY: Option<&str> = Some("kube-proxy");
const POLICY: Option<&str> = Some("NetworkPolicy");
const RESOLVER: Option<&str> = Some("resolver");
const PORTMAP: Option<&str> = Some("portmap");
const WIRE: Option<&str> = None;
const HTTP: Option<&str> = Some("HTTP");

says! {
    WayHosts: RESOLVER, false;
    WayInternet: RESOLVER, false;
    WayNotOnInternet: RESOLVER, true;
    WayAnswered: DNS, false;
    WayNoName: DNS, true;
    WayNoRecord: DNS, true;
    WayFailed: DNS, true;
    WaySilent: DNS, true;
    WayRule: PROXY, false;
    WayChance: PROXY, false;
    WayOnly: PROXY, false;
    WayAffinity: PROXY, false;
    WayNoEndpoints: PROXY, true;
    WayNoneHere: PROXY, true;
    WayHostPort: PORTMAP, false;
    WayAllowed: POLICY, false;
    WayDenied: POLICY, true;
    WayNoPolicy: POLICY, false;
    WayStays: WIRE, false;
    WayGoes: WIRE, false;
    WayLost: WIRE, true;
    WayLostAgain: WIRE, false;
    WayArrived: WIRE, false;
    WayRefused: WIRE, true;
    WayNobody: WIRE, true;
    WayClosed: WIRE, true;
    WayHttp: HTTP, false;
    WayHttpWaits: HTTP, false;
    WayHttpNever: HTTP, true;
}

/// How a request stands, or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the texts themselves say what they are")]
pub enum End {
    Waiting,
    Going,
    Good,
    NoName,
    Refused,
    Lost,
    Dropped,
}

impl End {
    fn text(self) -> T {
        match self {
            End::Waiting => T::EndWaiting,
            End::Going => T::EndGoing,
            End::Good => T::EndGood,
            End::NoName => T::EndNoName,
            End::Refused => T::EndRefused,
            End::Lost => T::EndLost,
            End::Dropped => T::EndDropped,
        }
    }
}

impl Request {
    /// Whether what was asked for came.
    pub fn is_good(&self) -> bool {
        matches!(self.end, End::Good | End::Going | End::Waiting) && self.status < 400
    }

    /// How it ended, in short.
    pub fn outcome(&self, language: Language) -> String {
        match self.status {
            0 => self.end.text().get(language).to_owned(),
            status => status.to_string(),
        }
    }
}

impl Row {
    /// The sentence in a language.
    pub fn sentence(&self, language: Language) -> String {
        fill(self.says.text().get(language), named(&self.n, language), named(&self.m, language))
    }
}

/// A name in a language: the learner's machine is called by no name of its own.
pub fn named(name: &str, language: Language) -> &str {
    if name == LEARNER { T::YourMachine.get(language) } else { name }
}

const LEARNER: &str = "learner";

/// The requests that the page knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requests(VecDeque<Request>);

impl Requests {
    /// Takes in what is new or has changed.
    pub fn take_in(&mut self, news: Vec<Request>) {
        for request in news {
            // In the order in which they began: one that goes on for long stays where it is, and does not come back.
            match self.0.binary_search_by_key(&request.id, |known| known.id) {
                Ok(place) => self.0[place] = request,
                Err(0) if self.0.len() == REQUESTS_MAX => {}
                Err(place) => self.0.insert(place, request),
            }
            if self.0.len() > REQUESTS_MAX {
                self.0.pop_front();
            }
        }
    }

    /// The newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Request> {
        self.0.iter().rev()
    }

    /// The one that is chosen, or the newest; none if the chosen one is not kept.
    pub fn chosen(&self, id: Option<u64>) -> Option<&Request> {
        match id {
            Some(id) => self.0.iter().find(|request| request.id == id),
            None => self.0.back(),
        }
    }

    /// Whether a request is kept.
    pub fn has(&self, id: u64) -> bool {
        self.0.iter().any(|request| request.id == id)
    }
}

/// The newest of what changed, as rows.
pub fn tell(journeys: &[Journey], now_us: impl Fn(&Journey) -> u64) -> Vec<Request> {
    let wanted: Vec<&Journey> = journeys.iter().filter(|journey| !journey.routine).collect();
    let skip = wanted.len().saturating_sub(REQUESTS_MAX);
    wanted.into_iter().skip(skip).map(|journey| request(journey, now_us(journey))).collect()
}

fn request(journey: &Journey, so_far_us: u64) -> Request {
    let mut path: Vec<Anchor> = place(&journey.from).into_iter().collect();
    let mut status = 0;
    for hop in &journey.hops {
        path.extend(anchors(&hop.what));
        if let What::Http { status: Some(answered), .. } = &hop.what {
            status = *answered;
        }
    }
    path.dedup();
    let goal = match (&journey.name, journey.to) {
        (Some(name), Some(to)) => format!("{name}:{}", to.port()),
        (Some(name), None) => name.clone(),
        (None, to) => to.map_or(String::new(), |to| to.to_string()),
    };
    Request {
        id: journey.id,
        from: thing(&journey.from),
        goal,
        end: end(journey),
        status,
        took_us: journey.took_us.unwrap_or(so_far_us),
        rows: journey.hops.iter().flat_map(|hop| rows(hop.after_us, &hop.what, journey.took_us.is_some())).collect(),
        path,
    }
}

fn end(journey: &Journey) -> End {
    let is_unanswered = |hop: &Hop| matches!(hop.what, What::Http { status: None, .. });
    match journey.outcome {
        Outcome::Underway => End::Waiting,
        Outcome::Connected => End::Going,
        // Closed, with a request that was never answered.
        Outcome::Answered if journey.hops.iter().any(is_unanswered) => End::Lost,
        Outcome::Resolved | Outcome::Answered => End::Good,
        Outcome::NoSuchName => End::NoName,
        Outcome::Refused | Outcome::NoEndpoints => End::Refused,
        Outcome::NoNameServer | Outcome::Unreachable | Outcome::TimedOut | Outcome::GivenUp => End::Lost,
        Outcome::Dropped => End::Dropped,
    }
}

fn anchors(what: &What) -> Vec<Anchor> {
    let found = match what {
        What::Rule { service, chosen_name, .. } => [place(&format!("service/{service}")), place(chosen_name)],
        What::Arrived { at, .. } | What::Refused { at, .. } | What::NoWay { at, .. } => [place(at), None],
        _ => [None, None],
    };
    found.into_iter().flatten().collect()
}

/// What a name of the network is called: kind and name, for what is in a namespace.
fn thing(name: &str) -> String {
    match name.split_once('/') {
        Some(("pod", key)) => format!("Pod {}", key.split_once('/').map_or(key, |(_, name)| name)),
        Some((_, rest)) => rest.to_owned(),
        None => name.to_owned(),
    }
}

fn rows(after_us: u64, what: &What, is_over: bool) -> Vec<Row> {
    let one = |says: Says, n: &str, m: &str| Row { after_us, says, n: n.to_owned(), m: m.to_owned() };
    match what {
        What::Rule { .. } => rule(after_us, what),
        What::Known { name, hosts_file: true, addresses } => vec![one(Says::WayHosts, name, &list(addresses))],
        What::Known { name, addresses, .. } if addresses.is_empty() => vec![one(Says::WayNotOnInternet, name, "")],
        What::Known { name, addresses, .. } => vec![one(Says::WayInternet, name, &list(addresses))],
        What::Asked { name, answer, took_us, .. } => {
            let (says, records) = match answer {
                Answer::Records(records) if records.is_empty() => (Says::WayNoRecord, String::new()),
                Answer::Records(records) => (Says::WayAnswered, list(records)),
                Answer::NoSuchName => (Says::WayNoName, String::new()),
                Answer::Failed => (Says::WayFailed, String::new()),
                Answer::Silence => (Says::WaySilent, String::new()),
            };
            vec![Row { after_us: after_us + took_us, says, n: name.clone(), m: records }]
        }
        What::HostPort { address, pod } => vec![one(Says::WayHostPort, &address.to_string(), &pod.to_string())],
        What::Judged(Verdict { egress, pod, selected_by, allowed_by }) => {
            let direction = if *egress { "egress" } else { "ingress" };
            let subject = format!("Pod {} ({direction})", pod.split_once('/').map_or(pod.as_str(), |(_, name)| name));
            vec![match allowed_by {
                Some(policy) => one(Says::WayAllowed, &subject, policy),
                None => one(Says::WayDenied, &subject, &list(selected_by)),
            }]
        }
        What::NoPolicy => vec![one(Says::WayNoPolicy, "", "")],
        What::Wire { from, to, .. } if from.is_empty() || to.is_empty() => Vec::new(),
        What::Wire { from, to, .. } if from == to => vec![one(Says::WayStays, from, "")],
        What::Wire { from, to, .. } => vec![one(Says::WayGoes, from, to)],
        What::LostOnWire { again_us: None } => vec![one(Says::WayLost, "", "")],
        What::LostOnWire { again_us: Some(us) } => {
            vec![one(Says::WayLostAgain, &us.div_ceil(1_000_000).to_string(), "")]
        }
        What::Arrived { at, seen_as, .. } => vec![one(Says::WayArrived, &thing(at), &seen_as.to_string())],
        What::Refused { at, address } => vec![one(Says::WayRefused, &thing(at), &address.port().to_string())],
        What::Nobody { address } => vec![one(Says::WayNobody, &address.ip().to_string(), "")],
        What::NoWay { at, .. } => vec![one(Says::WayClosed, &thing(at), "")],
        What::Http { method, path, status, took_us } => vec![match status {
            Some(status) => {
                let (n, m) = (format!("{method} {path}"), status.to_string());
                Row { after_us: after_us + took_us, says: Says::WayHttp, n, m }
            }
            None if is_over => one(Says::WayHttpNever, &format!("{method} {path}"), ""),
            None => one(Says::WayHttpWaits, &format!("{method} {path}"), ""),
        }],
    }
}

/// What a rule is for, and what it chose.
fn rule(after_us: u64, what: &What) -> Vec<Row> {
    let What::Rule { service, via, address, endpoints, chosen_name, by, .. } = what else { return Vec::new() };
    let via = match via {
        Via::ClusterIp => "ClusterIP",
        Via::ExternalIp => "externalIP",
        Via::LoadBalancer => "LoadBalancer",
        Via::NodePort => "NodePort",
    };
    let service = service.split_once('/').map_or(service.as_str(), |(_, name)| name);
    let says = match by {
        Choice::None => Says::WayNoEndpoints,
        Choice::NoneHere => Says::WayNoneHere,
        Choice::Only => Says::WayOnly,
        Choice::Chance => Says::WayChance,
        Choice::ClientIp => Says::WayAffinity,
    };
    vec![
        Row { after_us, says: Says::WayRule, n: format!("{via} {address}"), m: service.to_owned() },
        Row { after_us, says, n: thing(chosen_name), m: endpoints.to_string() },
    ]
}

fn list(items: &[impl ToString]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(", ")
}
