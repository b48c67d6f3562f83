//! GET of an object and of a collection.

use api::selector::{FieldSelector, LabelSelector};
use api::status::Status;
use api::{Object, ObjectList};
use base64::Engine as _;
use json::{Value, json};

use super::{Context, key};
use crate::custom::{self, selectable};
use crate::failure;
use crate::request::Query;
use crate::strategy::Strategy;

/// Which objects a list or a watch wants.
#[derive(Clone)]
pub struct Selection {
    strategy: &'static Strategy,
    labels: Option<LabelSelector>,
    fields: Option<FieldSelector>,
    /// Fields that a custom kind selects by.
    selectable: Vec<&'static str>,
}

impl Selection {
    /// Everything of a kind.
    pub fn everything(strategy: &'static Strategy) -> Self {
        Selection { strategy, labels: None, fields: None, selectable: Vec::new() }
    }

    /// Reads `labelSelector` and `fieldSelector`.
    pub fn from_query(strategy: &'static Strategy, query: &Query) -> Result<Self, Status> {
        let (labels, fields) = (query.get("labelSelector"), query.get("fieldSelector"));
        let mut selection = Self::everything(strategy);
        let refuse = |why: String| Status::bad_request(why);
        if !labels.is_empty() {
            selection.labels = Some(LabelSelector::parse(labels).map_err(refuse)?);
        }
        if !fields.is_empty() {
            let selector = FieldSelector::parse(fields).map_err(refuse)?;
            if let Some(custom) = custom::of(strategy.kind) {
                selection.selectable = selectable::names(&custom.added.version).collect();
            }
            for requirement in selector.requirements() {
                if !selection.knows(&requirement.field) {
                    return Err(refuse(selection.unknown(&requirement.field)));
                }
            }
            selection.fields = Some(selector);
        }
        Ok(selection)
    }

    /// The rules of the kind.
    pub fn strategy(&self) -> &'static Strategy {
        self.strategy
    }

    fn knows(&self, field: &str) -> bool {
        field == "metadata.name"
            || (field == "metadata.namespace" && self.strategy.kind.namespaced)
            || (self.strategy.fields)(&Value::Null).iter().any(|(name, _)| *name == field)
            || self.selectable.contains(&field)
    }

    /// How a kind says that it does not know a field: those with fields of their own name the field alone.
    fn unknown(&self, field: &str) -> String {
        let kind = self.strategy.kind;
        let is_custom = custom::of(kind).is_some();
        if is_custom || kind.group.is_empty() && !(self.strategy.fields)(&Value::Null).is_empty() {
            return format!("field label not supported: {field}");
        }
        let known = if kind.namespaced { "\"metadata.name\", \"metadata.namespace\"" } else { "\"metadata.name\"" };
        format!("{field:?} is not a known field selector: only {known}")
    }

    /// Whether everything matches.
    pub fn is_everything(&self) -> bool {
        self.labels.is_none() && self.fields.is_none()
    }

    /// The only lane of the kind from which something can match.
    pub fn lane(&self) -> Option<&str> {
        let (field, _) = self.strategy.lane?;
        self.fields.as_ref()?.exact(field)
    }

    /// Whether an object matches.
    pub fn matches(&self, object: &Object) -> bool {
        if let Some(labels) = &self.labels
            && !labels.matches_object(object)
        {
            return false;
        }
        let Some(fields) = &self.fields else { return true };
        let own = (self.strategy.fields)(object.value());
        fields.matches(|field| match field {
            "metadata.name" => object.name().to_owned(),
            "metadata.namespace" => object.namespace().to_owned(),
            other if self.selectable.contains(&other) => selectable::value(object.value(), other),
            other => own.iter().find(|(name, _)| *name == other).map(|(_, v)| v.clone()).unwrap_or_default(),
        })
    }
}

/// A revision in a parameter; 0 if absent.
pub fn revision(text: &str) -> Result<u64, Status> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| {
        let why = format!("strconv.ParseUint: parsing {text:?}: invalid syntax");
        Status::bad_request(format!("resourceVersion: Invalid value: {text:?}: {why}"))
    })
}

/// Where the next page of a list begins.
struct Continue {
    /// The revision of the first page; `None` for whatever is there now.
    revision: Option<u64>,
    start: String,
}

impl Continue {
    fn encode(&self) -> String {
        let token =
            json!({"v": "meta.k8s.io/v1", "rv": self.revision.map_or(json!(-1), Value::from), "start": self.start});
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(token.to_string())
    }

    fn decode(token: &str) -> Result<Self, Status> {
        let read = || {
            let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token).ok()?;
            let value: Value = json::from_slice(&bytes).ok()?;
            let revision = if value["rv"] == -1 { None } else { Some(value["rv"].as_u64()?) };
            Some(Continue { revision, start: value["start"].as_str()?.to_owned() })
        };
        read().ok_or_else(|| Status::bad_request("continue key is not valid: encoding problem"))
    }
}

/// Words of a 410 on a continued list whose revision is gone.
const CONTINUE_TOO_OLD: &str = "The provided continue parameter is too old to display a consistent list result. You can \
    start a new list without the continue parameter, or use the continue token in this response to retrieve the \
    remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were \
    created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

impl Context<'_> {
    /// A page of a collection.
    pub fn list(&self, strategy: &'static Strategy, namespace: &str, query: &Query) -> Result<ObjectList, Status> {
        super::options::check_list(query, false)?;
        let selection = Selection::from_query(strategy, query)?;
        let limit = query.get("limit").parse::<usize>().ok().filter(|l| *l > 0);
        let asked = revision(query.get("resourceVersion"))?;
        let current = self.server.etcd.revision();
        let token = match query.get("continue") {
            "" => None,
            _ if asked != 0 => {
                return Err(Status::bad_request("specifying resource version is not allowed when using continue"));
            }
            token => Some(Continue::decode(token)?),
        };
        if asked > current {
            return Err(failure::too_large_resource_version(asked, current));
        }
        // Before there were matches, a limit meant an exact one.
        let exact = match query.get("resourceVersionMatch") {
            "" => limit.is_some(),
            matched => matched == "Exact",
        };
        let (at, start) = match &token {
            Some(token) => (token.revision.unwrap_or(0), token.start.as_str()),
            None if exact => (asked, ""),
            None => (0, ""),
        };
        let range = self.server.etcd.range(&key(strategy.kind, namespace, ""), at).map_err(|_| {
            if token.is_none() {
                return Status::expired(format!("The resourceVersion for the provided list is too old: {at}"));
            }
            let mut status = Status::expired(CONTINUE_TOO_OLD);
            status.continue_token = Continue { revision: None, start: start.to_owned() }.encode();
            status
        })?;
        let as_of = if at == 0 { current } else { at };
        let mut items = Vec::new();
        let mut remaining = 0;
        let mut next = None;
        for kv in range.iter().filter(|kv| start.is_empty() || &*kv.key >= start) {
            if limit.is_some_and(|l| items.len() == l) {
                next.get_or_insert_with(|| Continue { revision: Some(as_of), start: kv.key.to_string() }.encode());
                remaining += 1;
                continue;
            }
            let object = strategy.present(&kv.value);
            if selection.matches(&object) {
                items.push(object);
            }
        }
        Ok(ObjectList {
            api_version: strategy.kind.api_version(),
            kind: crate::custom::of(strategy.kind)
                .map_or_else(|| format!("{}List", strategy.kind.kind), |custom| custom.added.list_kind.clone()),
            resource_version: as_of.to_string(),
            remaining_item_count: (next.is_some() && selection.is_everything()).then_some(remaining),
            continue_token: next.unwrap_or_default(),
            items,
        })
    }
}
