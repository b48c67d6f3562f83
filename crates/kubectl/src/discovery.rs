//! What a server serves, and which resource a typed word means (`client-go/restmapper`, `apimachinery/pkg/api/meta`).

use std::collections::BTreeSet;
use std::rc::Rc;

use api::http::Method;
use json::Value;

use crate::failure::{Failure, Outcome};
use crate::rest::{self, Rest};

/// Asks for aggregated discovery and accepts the older form.
const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// One resource of one version of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// Group, empty for the core group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Plural name, as in paths.
    pub plural: String,
    /// Singular name.
    pub singular: String,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Short names.
    pub short_names: Vec<String>,
    /// Categories, e.g. `all`.
    pub categories: Vec<String>,
    /// Verbs, sorted.
    pub verbs: Vec<String>,
    /// Subresources.
    pub subresources: Vec<String>,
}

impl Resource {
    /// As the client knows it, without having asked a server.
    pub fn of(kind: &api::Kind) -> Resource {
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
        Resource {
            group: kind.group.to_owned(),
            version: kind.version.to_owned(),
            kind: kind.kind.to_owned(),
            plural: kind.plural.to_owned(),
            singular: kind.singular.to_owned(),
            namespaced: kind.namespaced,
            short_names: texts(kind.short_names),
            categories: texts(kind.categories),
            verbs: Vec::new(),
            subresources: texts(kind.subresources),
        }
    }

    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `deployments.apps` or `pods`.
    pub fn group_resource(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `deployment.apps` or `pod`: how messages name an object's type.
    pub fn group_kind_lower(&self) -> String {
        let kind = self.kind.to_lowercase();
        if self.group.is_empty() { kind } else { format!("{kind}.{}", self.group) }
    }

    /// The path of a collection.
    pub fn collection(&self, namespace: &str) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        if self.namespaced && !namespace.is_empty() {
            format!("{root}/namespaces/{namespace}/{}", self.plural)
        } else {
            format!("{root}/{}", self.plural)
        }
    }

    /// The path of one object.
    pub fn object(&self, namespace: &str, name: &str) -> String {
        format!("{}/{}", self.collection(namespace), rest::escape(name))
    }

    /// Whether the server offers the verb.
    pub fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|v| v == verb)
    }
}

/// Everything that a server serves, core group first, in the server's order.
#[derive(Debug, Default)]
pub struct Discovery {
    /// Resources.
    pub resources: Vec<Rc<Resource>>,
    /// Group versions, as `v1` and `apps/v1`.
    pub group_versions: Vec<String>,
}

impl Discovery {
    /// Asks the server.
    pub async fn fetch(rest: &Rest) -> Outcome<Discovery> {
        let mut found = Discovery::default();
        for path in ["/api", "/apis"] {
            let response = rest.call(Method::GET, path, ACCEPT, None).await?;
            let answer = rest::json(response.into_body()).await?;
            match text(&answer, "kind") {
                "APIGroupDiscoveryList" => found.add_aggregated(&answer),
                _ => found.add_legacy(rest, &answer).await?,
            }
        }
        Ok(found)
    }

    /// Reads an `APIGroupDiscoveryList`.
    pub fn add_aggregated(&mut self, answer: &Value) {
        for group in list(answer, "items") {
            let name = api::Object::new(group.clone()).name().to_owned();
            // Of a version whose server does not answer, client-go knows nothing.
            for version in list(group, "versions").iter().filter(|v| text(v, "freshness") != "Stale") {
                let number = text(version, "version");
                self.group_versions.push(group_version(&name, number));
                for entry in list(version, "resources") {
                    let mut resource = Resource {
                        group: name.clone(),
                        version: number.to_owned(),
                        kind: entry.get("responseKind").map_or("", |k| text(k, "kind")).to_owned(),
                        plural: text(entry, "resource").to_owned(),
                        singular: text(entry, "singularResource").to_owned(),
                        namespaced: text(entry, "scope") == "Namespaced",
                        short_names: strings(entry, "shortNames"),
                        categories: strings(entry, "categories"),
                        verbs: strings(entry, "verbs"),
                        subresources: list(entry, "subresources")
                            .iter()
                            .map(|s| text(s, "subresource").to_owned())
                            .collect(),
                    };
                    resource.verbs.sort();
                    self.resources.push(Rc::new(resource));
                }
            }
        }
    }

    async fn add_legacy(&mut self, rest: &Rest, answer: &Value) -> Outcome {
        let mut group_versions: Vec<String> = strings(answer, "versions");
        for group in list(answer, "groups") {
            group_versions.extend(list(group, "versions").iter().map(|v| text(v, "groupVersion").to_owned()));
        }
        for group_version in group_versions {
            let root = if group_version.contains('/') { "/apis" } else { "/api" };
            let resources = rest.get(&format!("{root}/{group_version}")).await?;
            self.add_legacy_version(&group_version, &resources);
        }
        Ok(())
    }

    /// Reads an `APIResourceList`.
    pub fn add_legacy_version(&mut self, group_version: &str, answer: &Value) {
        let (group, version) = group_version.split_once('/').unwrap_or(("", group_version));
        self.group_versions.push(group_version.to_owned());
        let mut found: Vec<Resource> = Vec::new();
        for entry in list(answer, "resources") {
            let name = text(entry, "name");
            if let Some((parent, sub)) = name.split_once('/') {
                if let Some(resource) = found.iter_mut().find(|r| r.plural == parent) {
                    resource.subresources.push(sub.to_owned());
                }
                continue;
            }
            let mut verbs = strings(entry, "verbs");
            verbs.sort();
            found.push(Resource {
                group: group.to_owned(),
                version: version.to_owned(),
                kind: text(entry, "kind").to_owned(),
                plural: name.to_owned(),
                singular: text(entry, "singularName").to_owned(),
                namespaced: entry.get("namespaced").and_then(Value::as_bool).unwrap_or(false),
                short_names: strings(entry, "shortNames"),
                categories: strings(entry, "categories"),
                verbs,
                subresources: Vec::new(),
            });
        }
        self.resources.extend(found.into_iter().map(Rc::new));
    }

    /// The resource that a word means: `po`, `pods`, `Pod`, `deployments.apps`, `deployments.v1.apps`.
    pub fn find(&self, word: &str) -> Option<Rc<Resource>> {
        let lower = word.to_lowercase();
        if lower.is_empty() {
            return None;
        }
        let named = |name: &str, r: &Resource| {
            r.plural == name || (!r.singular.is_empty() && r.singular == name) || r.kind.to_lowercase() == name
        };
        let (name, rest) = lower.split_once('.').unwrap_or((&lower, ""));
        let exact = |r: &&Rc<Resource>| {
            let matches_name = named(name, r);
            match rest.split_once('.') {
                _ if rest.is_empty() => matches_name,
                Some((version, group)) if r.version == version => matches_name && r.group == group,
                _ => matches_name && r.group == rest,
            }
        };
        let version_of_core = |r: &&Rc<Resource>| named(name, r) && r.group.is_empty() && r.version == rest;
        let short = |r: &&Rc<Resource>| {
            r.short_names.iter().any(|s| s == name)
                // The version of a short name is not listened to: hpa.v1.autoscaling is the preferred one.
                && (rest.is_empty() || r.group == rest || rest.split_once('.').is_some_and(|(_, group)| group == r.group))
        };
        let prefix = |r: &&Rc<Resource>| !rest.is_empty() && named(name, r) && r.group.starts_with(rest);
        let all = || self.resources.iter();
        all()
            .find(exact)
            .or_else(|| all().find(version_of_core))
            .or_else(|| all().find(short))
            .or_else(|| all().find(prefix))
            .cloned()
    }

    /// Each resource of a group in one version, the first that has it, which is the preferred one
    /// (client-go `ServerPreferredResources`).
    pub fn preferred(&self) -> impl Iterator<Item = &Resource> {
        let mut seen = BTreeSet::new();
        self.resources.iter().map(|r| &**r).filter(move |r| seen.insert((&r.group, &r.plural)))
    }

    /// The resource of a kind.
    pub fn by_kind(&self, api_version: &str, kind: &str) -> Option<Rc<Resource>> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.resources.iter().find(|r| r.group == group && r.version == version && r.kind == kind).cloned()
    }

    /// The resources of a category, in order.
    pub fn category(&self, name: &str) -> Vec<Rc<Resource>> {
        self.resources.iter().filter(|r| r.categories.iter().any(|c| c == name) && r.can("list")).cloned().collect()
    }
}

/// The failure for a word that means no resource.
pub fn unknown(word: &str) -> Failure {
    let name = word.split('.').next().unwrap_or(word);
    Failure::message(format!("the server doesn't have a resource type \"{name}\""))
}

fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or("")
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[][..], json::Array::as_slice)
}

fn strings(value: &Value, field: &str) -> Vec<String> {
    list(value, field).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

impl Rest {
    /// The resource that a word means; the server is asked again before giving up (a CRD may be new).
    pub async fn resource(&self, word: &str) -> Outcome<Rc<Resource>> {
        if let Some(found) = self.discovery().await?.find(word) {
            return Ok(found);
        }
        self.discover().await?.find(word).ok_or_else(|| unknown(word))
    }

    /// The resource of a manifest's kind.
    ///
    /// # Errors
    /// As kubectl says it: `no matches for kind "X" in version "v1"`.
    pub async fn resource_of_kind(&self, api_version: &str, kind: &str) -> Outcome<Rc<Resource>> {
        if let Some(found) = self.discovery().await?.by_kind(api_version, kind) {
            return Ok(found);
        }
        self.discover()
            .await?
            .by_kind(api_version, kind)
            .ok_or_else(|| Failure::message(format!("no matches for kind \"{kind}\" in version \"{api_version}\"")))
    }

    /// The resources of a comma-separated list of words and categories.
    pub async fn resources(&self, words: &str) -> Outcome<Vec<Rc<Resource>>> {
        let mut found: Vec<Rc<Resource>> = Vec::new();
        for word in words.split(',') {
            let category = self.discovery().await?.category(word);
            let matches = if category.is_empty() { vec![self.resource(word).await?] } else { category };
            for resource in matches {
                if !found.contains(&resource) {
                    found.push(resource);
                }
            }
        }
        Ok(found)
    }
}
