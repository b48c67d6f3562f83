//! `metadata.managedFields` of what requests write (k8s.io/apiserver/pkg/endpoints/handlers/fieldmanager).
//!
//! Difference from upstream: a scale keeps the time of entries that own the replicas.

use std::rc::Rc;
use std::sync::Arc;

use api::managed::{ANY, Applied, Applier, Atom, Entry, ManagedFields, Reach, Refusal, Set, Text, Writer, zero};
use api::status::{Cause, FieldError, FieldErrors, Status};
use api::{Kind, Object, schema};
use json::{Value, json};

use crate::registry::Context;
use crate::registry::update::Part;
use crate::request::Head;
use crate::strategy::Strategy;
use crate::value::metadata_mut;

/// The longest name of a manager, in bytes (`FieldManagerMaxLength`).
const MANAGER_BYTES_MAX: usize = 128;

/// An object as a request wants it, and who then owns what if that is known already.
pub struct Changed {
    /// The object.
    pub value: Value,
    /// Set by server-side apply.
    pub managed: Option<Arc<ManagedFields>>,
}

impl From<Value> for Changed {
    fn from(value: Value) -> Self {
        Changed { value, managed: None }
    }
}

/// Who writes: the parameter `fieldManager`, or what comes before the slash of the user agent.
pub fn manager(head: &Head, agent: &str) -> Result<String, Status> {
    let given = head.query.get("fieldManager");
    let mut errors = FieldErrors::new();
    if given.len() > MANAGER_BYTES_MAX {
        errors.push(FieldError::too_long("fieldManager", MANAGER_BYTES_MAX));
    }
    for (i, c) in given.char_indices().filter(|(_, c)| c.is_control()) {
        let why = format!("invalid character U+{:04X} (at position {i})", c as u32);
        errors.push(FieldError::invalid("fieldManager", given, &why));
    }
    if !errors.is_empty() {
        return Err(Status::invalid("meta.k8s.io", options_kind(head), "", &errors));
    }
    if !given.is_empty() {
        return Ok(given.to_owned());
    }
    let name = agent.split('/').next().unwrap_or("");
    let mut end = name.len().min(MANAGER_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    Ok(name[..end].chars().filter(|c| !c.is_control()).collect())
}

/// The kind of options that messages about parameters name.
pub fn options_kind(head: &Head) -> &'static str {
    match head.method.as_str() {
        "POST" => "CreateOptions",
        "PUT" => "UpdateOptions",
        "PATCH" => "PatchOptions",
        _ => "DeleteOptions",
    }
}

/// Takes `metadata.managedFields` out of an object.
pub fn take(object: &mut Value) -> Option<Value> {
    metadata_mut(object).remove("managedFields")
}

/// What a write to a part of an object can change: nobody comes to own anything else by it.
fn reach(strategy: &Strategy, part: Part) -> Reach<'static> {
    match part {
        Part::Status => Reach::Without(strategy.status_reset),
        Part::Resize => Reach::Only(&[
            &["spec", "containers", ANY, "resources"],
            &["spec", "containers", ANY, "resizePolicy"],
            &["spec", "initContainers", ANY, "resources"],
            &["spec", "initContainers", ANY, "resizePolicy"],
        ]),
        Part::EphemeralContainers => Reach::Only(&[&["spec", "ephemeralContainers"]]),
        _ if strategy.has_status => Reach::Without(&[&["status"]]),
        _ => Reach::Without(&[]),
    }
}

impl Context<'_> {
    /// Writers are told apart by what they write to.
    fn subresource(part: Part) -> &'static str {
        match part {
            Part::Scale | Part::Binding => "",
            part => part.subresource(),
        }
    }

    /// Who owns what of a new object; `sent` are the managed fields that came with it.
    pub(crate) fn managed_of_new(
        &self,
        strategy: &Strategy,
        object: &Value,
        sent: Option<Value>,
    ) -> Arc<ManagedFields> {
        let base = sent.and_then(|s| ManagedFields::from_value(&s)).unwrap_or_default();
        self.updated(strategy, Part::Main, &Arc::new(base), &self.zero(strategy.kind), object)
    }

    /// An object of a kind of which nothing is set.
    fn zero(&self, kind: &Kind) -> Rc<Value> {
        let mut zeros = self.server.zeros.borrow_mut();
        Rc::clone(zeros.entry(kind.schema).or_insert_with(|| Rc::new(zero(schema::definition(kind.schema)))))
    }

    /// Who owns what after an object has become `new`; `sent` are the managed fields that came with it.
    pub(crate) fn managed_of_change(
        &self,
        strategy: &Strategy,
        part: Part,
        old: &Object,
        new: &Value,
        sent: Option<Value>,
    ) -> Arc<ManagedFields> {
        let live = || old.managed().cloned().unwrap_or_default();
        let base = match sent {
            _ if part == Part::Binding => return live(),
            Some(sent) if part == Part::Main && ManagedFields::is_reset(&sent) => return Arc::default(),
            Some(sent) if part == Part::Main => match ManagedFields::from_value(&sent) {
                Some(sent) if old.managed().is_some_and(|live| **live == sent) => live(),
                Some(sent) if !sent.is_empty() => Arc::new(sent),
                _ => live(),
            },
            _ => live(),
        };
        // Objects of which nobody keeps account stay so until somebody applies.
        if base.is_empty() {
            return base;
        }
        self.updated(strategy, part, &base, old.value(), new)
    }

    fn updated(
        &self,
        strategy: &Strategy,
        part: Part,
        base: &Arc<ManagedFields>,
        old: &Value,
        new: &Value,
    ) -> Arc<ManagedFields> {
        let (api_version, time) = (strategy.kind.api_version(), self.now());
        let writer = Writer {
            manager: self.manager,
            api_version: &api_version,
            subresource: Self::subresource(part),
            time: &time,
            reach: reach(strategy, part),
        };
        let managed = base.update(Atom::of(schema::definition(strategy.kind.schema)), old, new, &writer);
        self.server.owned.borrow_mut().share(strategy.kind.schema, managed)
    }

    /// Applies a configuration to an object of a kind; `None` if there is none yet.
    pub(crate) fn apply(
        &self,
        strategy: &Strategy,
        part: Part,
        old: Option<&Object>,
        config: &Value,
        force: bool,
    ) -> Result<Changed, Status> {
        let kind = strategy.kind;
        let definition = schema::definition(kind.schema);
        let nothing = self.zero(kind);
        let live = old.map_or(&*nothing, Object::value);
        let (api_version, time) = (kind.api_version(), self.now());
        let writer = Writer {
            manager: self.manager,
            api_version: &api_version,
            subresource: Self::subresource(part),
            time: &time,
            reach: reach(strategy, part),
        };
        let managed = old.and_then(Object::managed).cloned().unwrap_or_default();
        let applied = Applier { atom: Atom::of(definition), writer, force }.apply(live, &nothing, &managed, config);
        let Applied { object, managed } = applied.map_err(|refusal| refused(kind, config, refusal))?;
        Ok(Changed { value: object.unwrap_or_else(|| live.clone()), managed: Some(managed) })
    }
}

/// The answer to a configuration that is not applied.
pub fn refused(kind: &Kind, config: &Value, refusal: Refusal) -> Status {
    let message = refusal.message();
    match refusal {
        Refusal::Untyped(_) => {
            let text = |field: &str| config["metadata"][field].as_str().unwrap_or("");
            let object = match text("namespace") {
                "" => format!("/{}", text("name")),
                namespace => format!("{namespace}/{}", text("name")),
            };
            let version = kind.api_version();
            let version = if kind.group.is_empty() { format!("/{version}") } else { version };
            Status::failure(
                500,
                "",
                format!("failed to create typed patch object ({object}; {version}, Kind={}): {message}", kind.kind),
            )
        }
        Refusal::Conflicts(conflicts) => {
            let cause = |c: api::managed::Conflict| Cause {
                reason: "FieldManagerConflict".into(),
                message: format!("conflict with {}", c.owner),
                field: c.field,
            };
            Status::apply_conflict(conflicts.into_iter().map(cause).collect(), message)
        }
    }
}

/// Who owns what of an object whose replicas were set through its scale (`managedfields.ScaleHandler`): of the scale, the
/// entries that own the replicas.
pub fn of_scale(managed: &ManagedFields) -> ManagedFields {
    let path = replicas();
    let owning = managed.entries().iter().filter(|e| e.fields.has(&path));
    let entry = |e: &Entry| Entry {
        api_version: Text::Static("autoscaling/v1"),
        fields: Arc::new(Set::of(&path)),
        ..e.clone()
    };
    ManagedFields::new(owning.map(entry).collect())
}

/// The way back from [`of_scale`]: who no longer owns the replicas of the scale loses those of the object.
pub fn from_scale(parent: &ManagedFields, scale: &ManagedFields, api_version: &str) -> ManagedFields {
    let path = replicas();
    let replicas = Set::of(&path);
    let same =
        |a: &Entry, b: &Entry| a.manager == b.manager && a.operation == b.operation && a.subresource == b.subresource;
    let mut entries = Vec::new();
    for entry in parent.entries() {
        let keeps = !entry.fields.has(&path) || scale.entries().iter().any(|s| same(s, entry));
        let fields = if keeps { Arc::clone(&entry.fields) } else { Arc::new(entry.fields.difference(&replicas)) };
        if !fields.is_empty() {
            entries.push(Entry { fields, ..entry.clone() });
        }
    }
    for entry in scale.entries() {
        if !parent.entries().iter().any(|p| same(p, entry) && p.fields.has(&path)) {
            // As upstream's, such an entry says no time.
            entries.push(Entry { api_version: api_version.into(), time: None, ..entry.clone() });
        }
    }
    ManagedFields::new(entries)
}

fn replicas() -> [api::managed::Element; 2] {
    ["spec", "replicas"].map(|name| api::managed::Element::Field(Text::Static(name)))
}

/// Who owns what of a scale after it was written.
pub fn scaled(
    cx: &Context<'_>,
    old: &Object,
    scales: (&Value, &Value),
    applied: Option<Arc<ManagedFields>>,
) -> Arc<ManagedFields> {
    let Some(live) = old.managed() else { return applied.unwrap_or_default() };
    let scale = applied.unwrap_or_else(|| {
        let time = cx.now();
        let definition = schema::definition("api.autoscaling.v1.Scale");
        let writer = Writer {
            manager: cx.manager,
            api_version: "autoscaling/v1",
            subresource: "scale",
            time: &time,
            reach: Reach::Without(&[&["status"], &["metadata"]]),
        };
        Arc::new(of_scale(live)).update(Atom::of(definition), scales.0, scales.1, &writer)
    });
    Arc::new(from_scale(live, &scale, old.api_version()))
}

/// What a configuration of a scale comes to.
pub fn apply_scale(
    cx: &Context<'_>,
    kind: &Kind,
    old: &Object,
    scale: &Value,
    config: &Value,
    force: bool,
) -> Result<Changed, Status> {
    let time = cx.now();
    let writer = Writer {
        manager: cx.manager,
        api_version: "autoscaling/v1",
        subresource: "scale",
        time: &time,
        reach: Reach::Without(&[&["status"], &["metadata"]]),
    };
    let live = Arc::new(old.managed().map(|m| of_scale(m)).unwrap_or_default());
    let atom = Atom::of(schema::definition(kind.schema));
    let applied = Applier { atom, writer, force }.apply(scale, &json!({}), &live, config);
    let Applied { object, managed } = applied.map_err(|refusal| refused(kind, config, refusal))?;
    Ok(Changed { value: object.unwrap_or_else(|| scale.clone()), managed: Some(managed) })
}
