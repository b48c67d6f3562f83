//! What happens in one played world, drawn from a seed before anything happens, so that it can be printed and replayed.

use std::collections::BTreeSet;
use std::fmt;

use simulation::Duration;

/// The namespaces of the scenarios. The last one is not there at the beginning.
pub const NAMESPACES: [&str; 3] = ["law-a", "law-b", "law-c"];
/// Machines of the cluster.
pub const NODES: u32 = 3;

/// How a scenario goes: by its seed, in turn.
struct Temper {
    /// Steps, without the ends of faults.
    steps: usize,
    /// Of twelve waits: so many of milliseconds, then so many of seconds, then so many of half a minute; the rest is minutes.
    waits: [u32; 3],
    /// Of ten steps, so many break something.
    faults: u32,
}

const TEMPERS: [Temper; 3] = [
    Temper { steps: 22, waits: [4, 4, 3], faults: 4 },
    // In a hurry: the next comes before the last is dealt with.
    Temper { steps: 40, waits: [8, 4, 0], faults: 6 },
    // Long outages.
    Temper { steps: 18, waits: [2, 2, 3], faults: 5 },
];

/// A generator of its own: the world's belongs to the world.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x6B75_626F_6E73_6169)
    }

    /// `splitmix64`
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound)).expect("less than a u32")
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.next() as usize % all.len()]
    }
}

/// Who reaches the API server over a line of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    Controllers,
    Scheduler,
    Node(u32),
}

impl Party {
    /// The party of a part, as `cluster::Leads` names it.
    pub fn of_part(part: &str) -> Option<Party> {
        if let Some(machine) = part.strip_prefix("node/") {
            let number = machine.rsplit_once("-m").map_or(Some(1), |(_, number)| number.parse().ok());
            return number.map(|number: u32| Party::Node(number - 1));
        }
        match part.split('/').next() {
            Some("kube-controller-manager") => Some(Party::Controllers),
            Some("kube-scheduler") => Some(Party::Scheduler),
            _ => None,
        }
    }
}

/// What the scenarios make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
    Service,
    ConfigMap,
}

/// One object of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    pub what: What,
    pub namespace: &'static str,
    pub name: String,
}

/// How an object is to be. What does not concern its kind is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub replicas: u32,
    /// 1 to 3: tag of the image, or the data of a ConfigMap.
    pub version: u32,
    /// Chooses between strategies: Recreate, Parallel, minReadySeconds, ...
    pub variant: u32,
}

/// One thing that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    CreateNamespace(&'static str),
    DeleteNamespace(&'static str),
    Create(Item, Shape),
    Scale(Item, u32),
    Update(Item, u32),
    Delete {
        item: Item,
        foreground: bool,
    },
    KillPod {
        nth: u32,
        at_once: bool,
    },
    StopMachine(u32),
    StartMachine(u32),
    /// A machine is off for good: its Node is deleted too.
    LoseMachine(u32),
    Cut(Party),
    Heal(Party),
    SlowWatches(Party, u32),
    ExpireWatches(Party),
    CloseWatches(Party),
    LoseAnswers(Party, u32),
    Storm {
        kind: &'static str,
        seconds: u32,
    },
    RestartControllers,
    RestartScheduler,
    Observe,
}

/// An act, and what is waited for before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Virtual time that passes first.
    pub after: Duration,
    /// Tasks that are polled then: the act comes in the midst of things.
    pub polls: u32,
    pub act: Act,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {:?} and {} polls: {:?}", self.after, self.polls, self.act)
    }
}

/// The scenario of a seed.
pub fn draw(seed: u64) -> Vec<Step> {
    let temper = &TEMPERS[(seed % 3) as usize];
    let (present, steps, ends) = Default::default();
    let mut author = Author { dice: Dice::new(seed), temper, present, steps, ends, jobs: 0 };
    for namespace in &NAMESPACES[..2] {
        author.add(Act::CreateNamespace(namespace));
    }
    // Something to break.
    for _ in 0..3 {
        author.use_object();
    }
    for at in 0..temper.steps {
        author.end_faults(at);
        if author.dice.below(10) < temper.faults { author.break_something(at) } else { author.use_object() }
    }
    author.end_faults(usize::MAX);
    author.steps
}

struct Author {
    dice: Dice,
    temper: &'static Temper,
    /// What should be there; what a deleted namespace held is not taken out, so some acts meet nothing.
    present: BTreeSet<Item>,
    steps: Vec<Step>,
    /// Faults that end, and before which step.
    ends: Vec<(usize, Act)>,
    jobs: u32,
}

impl Author {
    fn add(&mut self, act: Act) {
        let [short, middling, long] = self.temper.waits;
        let wait = self.dice.below(12);
        let after = if wait < short {
            Duration::from_millis(u64::from(self.dice.below(40)))
        } else if wait < short + middling {
            Duration::from_millis(u64::from(self.dice.below(4_000)))
        } else if wait < short + middling + long {
            Duration::from_secs(u64::from(self.dice.below(30)))
        } else {
            Duration::from_secs(u64::from(60 + self.dice.below(340)))
        };
        let polls = if self.dice.below(2) == 0 { 0 } else { self.dice.below(60) };
        self.steps.push(Step { after, polls, act });
    }

    fn end_faults(&mut self, at: usize) {
        let (due, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.ends).into_iter().partition(|(end, _)| *end <= at);
        self.ends = rest;
        for (_, act) in due {
            self.add(act);
        }
    }

    fn item(&mut self) -> Item {
        let what = self.dice.of(&[
            What::Deployment,
            What::Deployment,
            What::Deployment,
            What::StatefulSet,
            What::StatefulSet,
            What::DaemonSet,
            What::Job,
            What::Service,
            What::ConfigMap,
        ]);
        let namespace = self.dice.of(&NAMESPACES[..2]);
        let name = match what {
            What::Deployment | What::Service => self.dice.of(&["web", "api"]).to_owned(),
            What::StatefulSet => "db".to_owned(),
            What::DaemonSet => "agent".to_owned(),
            What::ConfigMap => "settings".to_owned(),
            What::Job => {
                self.jobs += 1;
                format!("batch-{}", self.jobs)
            }
        };
        Item { what, namespace, name }
    }

    fn use_object(&mut self) {
        match self.dice.below(14) {
            0 => {
                let namespace = self.dice.of(&NAMESPACES);
                return self.add(Act::DeleteNamespace(namespace));
            }
            1 => {
                let namespace = self.dice.of(&NAMESPACES);
                return self.add(Act::CreateNamespace(namespace));
            }
            _ => {}
        }
        let item = self.item();
        if self.present.insert(item.clone()) {
            let shape =
                Shape { replicas: self.dice.below(5), version: 1 + self.dice.below(3), variant: self.dice.below(4) };
            return self.add(Act::Create(item, shape));
        }
        let is_scaled = matches!(item.what, What::Deployment | What::StatefulSet);
        match self.dice.below(8) {
            0 => {
                self.present.remove(&item);
                let foreground = self.dice.below(2) == 0;
                self.add(Act::Delete { item, foreground });
            }
            1..5 if is_scaled => {
                let replicas = self.dice.below(6);
                self.add(Act::Scale(item, replicas));
            }
            _ => {
                let version = 1 + self.dice.below(3);
                self.add(Act::Update(item, version));
            }
        }
    }

    fn party(&mut self) -> Party {
        let node = self.dice.below(NODES);
        self.dice.of(&[Party::Controllers, Party::Scheduler, Party::Node(node), Party::Node(node)])
    }

    fn break_something(&mut self, at: usize) {
        let node = self.dice.below(NODES);
        let end = at + 1 + self.dice.below(6) as usize;
        let party = self.party();
        match self.dice.below(15) {
            0 => self.passing(Act::StopMachine(node), end, Act::StartMachine(node)),
            1 => {
                // So fast that nobody notices that the machine was away: only its containers are gone.
                self.add(Act::StopMachine(node));
                self.steps.push(Step { after: Duration::from_secs(1), polls: 0, act: Act::StartMachine(node) });
            }
            2 => self.passing(Act::LoseMachine(node), end, Act::StartMachine(node)),
            3 | 4 => self.passing(Act::Cut(party), end, Act::Heal(party)),
            5 | 12 => {
                let millis = 100 + self.dice.below(8_000);
                self.passing(Act::SlowWatches(party, millis), end, Act::Heal(party));
            }
            6 => self.add(Act::ExpireWatches(party)),
            7 => self.add(Act::CloseWatches(party)),
            8 => {
                let count = 1 + self.dice.below(4);
                self.passing(Act::LoseAnswers(party, count), end, Act::Heal(party));
            }
            9 => {
                let kind = self.dice.of(&["deployments", "replicasets", "statefulsets", "daemonsets", "jobs", "pods"]);
                let seconds = 2 + self.dice.below(8);
                self.add(Act::Storm { kind, seconds });
            }
            10 => self.add(Act::RestartControllers),
            11 => self.add(Act::RestartScheduler),
            _ => {
                let (nth, at_once) = (self.dice.below(20), self.dice.below(2) == 0);
                self.add(if nth < 3 { Act::Observe } else { Act::KillPod { nth, at_once } });
            }
        }
    }

    fn passing(&mut self, fault: Act, end: usize, act: Act) {
        self.add(fault);
        self.ends.push((end, act));
    }
}
