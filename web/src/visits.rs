//! What the browser pane remembers: the last visits, each with the pod that answered and its colour on the map.

use std::collections::VecDeque;
use std::rc::Rc;

use cluster::{Answer, Visit};

use crate::map::{Places, short_image};
use crate::picture::Picture;

/// Visits kept for the strip.
pub const VISITS_MAX: usize = 60;

/// A visit as the strip shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Counts visits.
    pub number: u64,
    /// The visit.
    pub visit: Rc<Visit>,
    /// Who answered.
    pub by: Answerer,
}

/// Who answered a visit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answerer {
    /// The end of the pod's name by which replicas are told apart, empty when no pod was reached.
    pub short: String,
    /// `namespace/name` of the pod.
    pub pod: String,
    /// The pod's image without its registry, if the pod is still known.
    pub image: String,
    /// Colour of the image on the map.
    pub colour: usize,
}

impl Seen {
    /// An answer below 400 came.
    pub fn is_good(&self) -> bool {
        matches!(self.visit.answer, Answer::Page { status, .. } if status < 400)
    }
}

/// The visits of a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    seen: VecDeque<Seen>,
    count: u64,
    /// A repeated visit is under way.
    pub repeats: bool,
    /// The address that was last asked for.
    pub url: String,
    /// An answer is being waited for.
    pub waiting: bool,
}

impl History {
    /// The learner asks for an address.
    pub fn ask(&mut self, url: &str, repeats: bool) {
        self.url = url.to_owned();
        self.repeats = repeats;
        self.waiting = true;
    }

    /// The learner stops the repeated visits.
    pub fn stop(&mut self) {
        self.repeats = false;
        self.waiting = false;
    }

    /// Takes an answer in.
    pub fn take_in(&mut self, visit: Visit, picture: &Picture, places: &Places) {
        self.count += 1;
        // An answer that was under way when the learner stopped or asked for something else changes no button.
        if self.waiting || self.url.is_empty() {
            self.url.clone_from(&visit.url);
            self.repeats = visit.repeats;
            self.waiting = visit.repeats;
        }
        let by = answerer(&visit.pod, picture, places);
        self.seen.push_back(Seen { number: self.count, visit: Rc::new(visit), by });
        if self.seen.len() > VISITS_MAX {
            self.seen.pop_front();
        }
    }

    /// The visits, oldest first.
    pub fn seen(&self) -> impl DoubleEndedIterator<Item = &Seen> + ExactSizeIterator {
        self.seen.iter()
    }

    /// The newest.
    pub fn last(&self) -> Option<&Seen> {
        self.seen.back()
    }

    /// How often each pod answered among the kept visits, in the order of their names; failures come last, as "".
    pub fn tally(&self) -> Vec<(&Answerer, usize)> {
        let mut tally: Vec<(&Answerer, usize)> = Vec::new();
        for seen in &self.seen {
            match tally.iter_mut().find(|(by, _)| by.pod == seen.by.pod) {
                Some((by, count)) => {
                    // What is told last is truest, unless the pod has gone since.
                    if !seen.by.image.is_empty() {
                        *by = &seen.by;
                    }
                    *count += 1;
                }
                None => tally.push((&seen.by, 1)),
            }
        }
        tally.sort_by(|(a, _), (b, _)| (a.pod.is_empty(), &a.pod).cmp(&(b.pod.is_empty(), &b.pod)));
        tally
    }
}

fn answerer(pod: &str, picture: &Picture, places: &Places) -> Answerer {
    if pod.is_empty() {
        return Answerer::default();
    }
    let short = pod.rsplit('-').next().unwrap_or(pod).rsplit('/').next().unwrap_or(pod).to_owned();
    let tile = picture.pods.iter().find(|tile| format!("{}/{}", tile.namespace, tile.name) == pod);
    Answerer {
        short,
        pod: pod.to_owned(),
        image: tile.map(|tile| short_image(&tile.image)).unwrap_or_default(),
        colour: tile.map_or(0, |tile| places.colour(&tile.image)),
    }
}

/// An address that the learner's machine can open, and what it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub url: String,
    /// What it leads to.
    pub name: String,
}

/// The addresses that Services with node ports answer at, and the one of `kubectl proxy`.
pub fn addresses(picture: &Picture) -> Vec<Address> {
    let mut found = Vec::new();
    for service in &picture.services {
        for port in &service.ports {
            let (Some((_, node_port)), Some(node)) = (port.split_once(':'), picture.nodes.first()) else { continue };
            let url = format!("http://{}:{node_port}", node.address);
            found.push(Address { url, name: format!("Service {}", service.name) });
        }
    }
    if picture.cluster {
        found.push(Address { url: "http://localhost:8001/".to_owned(), name: "kubectl proxy".to_owned() });
    }
    found
}
