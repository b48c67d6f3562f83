//! Writes down what happens in a namespace, in the form of the recorded facts.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use api::{Object, kinds};
use client::{Event, Informer, ListOptions};

use crate::world::World;

/// Sections of the facts, in order.
const SECTIONS: [&str; 4] = ["Deployment", "ReplicaSet", "DeploymentEvents", "ReplicaSetEvents"];

#[derive(Default)]
struct Log {
    lines: BTreeMap<&'static str, Vec<String>>,
    last: BTreeMap<String, String>,
    /// Names of ReplicaSets in the order in which they appeared.
    sets: Vec<String>,
}

impl Log {
    fn add(&mut self, section: &'static str, dedup: &str, line: String) {
        if self.last.insert(dedup.to_owned(), line.clone()).as_ref() != Some(&line) {
            self.lines.entry(section).or_default().push(line);
        }
    }

    fn set_name(&mut self, name: &str) -> String {
        let position = self.sets.iter().position(|known| known == name).unwrap_or_else(|| {
            self.sets.push(name.to_owned());
            self.sets.len() - 1
        });
        format!("web-{}", position + 1)
    }

    /// Puts numbers in place of hashes, and `x` in place of a pod's suffix.
    fn normal(&mut self, text: &str) -> String {
        let word = |word: &str, log: &mut Log| {
            let sets = log.sets.clone();
            match sets.iter().find(|set| word.starts_with(*set)) {
                Some(set) if word == *set => log.set_name(set),
                Some(set) => format!("{}-x", log.set_name(set)),
                None => word.to_owned(),
            }
        };
        let words: Vec<String> = text.split(' ').map(|w| word(w, self)).collect();
        words.join(" ").replace("(combined from similar events): ", "")
    }

    fn deployment(&mut self, event: &Event) {
        let object = event.object();
        let revision = object.annotation("deployment.kubernetes.io/revision").unwrap_or("-");
        let condition = |c: &json::Value| format!("{}={}/{}", c["type"], c["status"], c["reason"]).replace('"', "");
        let conditions: Vec<String> = object.list("status.conditions").iter().map(condition).collect();
        let state = if matches!(event, Event::Deleted(_)) { "deleted".to_owned() } else { conditions.join(" ") };
        self.add("Deployment", "Deployment", format!("revision {revision}: {state}").trim_end().to_owned());
    }

    fn replica_set(&mut self, event: &Event) {
        let object = event.object();
        let name = self.set_name(object.name());
        let note = |key: &str| object.annotation(&format!("deployment.kubernetes.io/{key}")).unwrap_or("-").to_owned();
        let line = if matches!(event, Event::Deleted(_)) {
            format!("{name} deleted")
        } else {
            format!(
                "{name} replicas {} desired {} max {} revision {} history {}",
                object.at("spec.replicas"),
                note("desired-replicas"),
                note("max-replicas"),
                note("revision"),
                note("revision-history")
            )
        };
        self.add("ReplicaSet", object.name(), line);
    }

    fn event(&mut self, event: &Object) {
        let section = match event.str("involvedObject.kind") {
            "Deployment" => "DeploymentEvents",
            "ReplicaSet" => "ReplicaSetEvents",
            _ => return,
        };
        let name = self.normal(event.str("involvedObject.name"));
        let message = self.normal(event.str("message"));
        let kind = event.str("involvedObject.kind");
        let line = format!("{kind} {name} {} {}: {message}", event.str("type"), event.str("reason"));
        self.lines.entry(section).or_default().push(line);
    }
}

/// Follows the world's namespace.
#[derive(Clone)]
pub struct Record(Rc<RefCell<Log>>);

impl Record {
    pub fn start(world: &World) -> Record {
        let record = Record(Rc::default());
        let follow = |kind: &'static api::Kind, handler: fn(&mut Log, &Event)| {
            let informer = Informer::start(&world.sim, &world.client, kind, &world.namespace, ListOptions::default());
            let log = Rc::clone(&record.0);
            informer.on_event(move |event| handler(&mut log.borrow_mut(), event));
        };
        follow(&kinds::DEPLOYMENTS, Log::deployment);
        follow(&kinds::REPLICA_SETS, Log::replica_set);
        follow(&kinds::EVENTS, |log, event| {
            if !matches!(event, Event::Deleted(_)) {
                log.event(event.object());
            }
        });
        record
    }

    /// Marks that a command is run now.
    pub fn command(&self, line: &str) {
        let mut log = self.0.borrow_mut();
        for section in SECTIONS {
            log.lines.entry(section).or_default().push(format!("$ {line}"));
            if section == "Deployment" {
                log.last.insert(section.to_owned(), String::new());
            }
        }
    }

    pub fn text(&self) -> String {
        let log = self.0.borrow();
        let mut text = String::new();
        for section in SECTIONS {
            text += &format!("# {section}\n");
            for line in log.lines.get(section).into_iter().flatten() {
                text += &format!("{line}\n");
            }
        }
        text
    }
}
