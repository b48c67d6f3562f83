//! Which objects a command line means: `TYPE/NAME`, `TYPE NAME...`, `TYPE -l ...`, `-f FILE` (`cli-runtime/pkg/resource`).

use std::rc::Rc;

use api::Object;
use json::Value;

use crate::discovery::Resource;
use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::manifests::{self, Document};
use crate::rest::{Rest, with_query};
use crate::session::Session;

/// One thing that a command line names.
#[derive(Clone, Debug)]
pub enum Target {
    /// One object.
    Named(Named),
    /// All objects of a type that match the selectors.
    Selected {
        /// The type.
        resource: Rc<Resource>,
        /// Namespace; empty for all.
        namespace: String,
    },
}

/// One object by name, possibly with its manifest.
#[derive(Clone, Debug)]
pub struct Named {
    /// The type.
    pub resource: Rc<Resource>,
    /// Namespace; empty for cluster-scoped types.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The manifest that named it.
    pub manifest: Option<Document>,
}

impl Named {
    /// Its path.
    pub fn path(&self) -> String {
        self.resource.object(&self.namespace, &self.name)
    }

    /// The path of a subresource, or of the object itself when its name is empty.
    pub fn path_of(&self, subresource: &str) -> String {
        match subresource {
            "" => self.path(),
            subresource => format!("{}/{subresource}", self.path()),
        }
    }

    /// `deployment.apps/web`: how messages begin.
    pub fn title(&self) -> String {
        format!("{}/{}", self.resource.group_kind_lower(), self.name)
    }
}

/// How words and flags are to be understood.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Words: types and names.
    pub words: Vec<String>,
    /// `-l`; `Some("")` selects everything.
    pub labels: Option<String>,
    /// `--field-selector`.
    pub fields: String,
    /// `-A`.
    pub all_namespaces: bool,
    /// A lone type means all its objects.
    pub type_alone_is_all: bool,
    /// Objects of manifests.
    pub documents: Vec<Document>,
    /// `--subresource`: what is read of each object; empty for the object itself.
    pub subresource: String,
}

impl Query {
    /// The query that the usual flags describe; `words` are types and names.
    ///
    /// # Errors
    /// Those of reading `-f`.
    pub async fn from_args(rest: &Rest, args: &Args, words: &[String]) -> Outcome<Query> {
        let selector = args.text("selector");
        let mut query = Query {
            words: words.to_vec(),
            labels: (!selector.is_empty()).then(|| selector.to_owned()),
            fields: args.text("field-selector").to_owned(),
            all_namespaces: args.on("all-namespaces"),
            type_alone_is_all: false,
            documents: Vec::new(),
            subresource: args.text("subresource").to_owned(),
        };
        if args.on("all") {
            query.labels = Some(selector.to_owned());
        }
        if has_files(args) {
            query.documents = manifests::load(&rest.session, args).await?;
            if query.documents.is_empty() {
                query.documents.push(Document { value: Value::Null, source: String::new(), refused: None });
            }
        }
        Ok(query)
    }

    /// As [`Query::from_args`], where a lone type means all its objects.
    pub fn all_of_type(mut self) -> Query {
        self.type_alone_is_all = true;
        self
    }

    /// The namespace in which selectors work.
    fn scope(&self, rest: &Rest) -> String {
        if self.all_namespaces { String::new() } else { rest.namespace().to_owned() }
    }
}

/// Whether `-f` or `-k` was given.
pub fn has_files(args: &Args) -> bool {
    args.changed("filename") || args.changed("kustomize")
}

/// The sentence for a command line that names nothing.
pub const NOTHING_NAMED: &str = "You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'";

const IN_ALL_NAMESPACES: &str = "a resource cannot be retrieved by name across all namespaces";

/// The targets of a query, in order. Failures of single targets come with the others.
///
/// # Errors
/// Sentences about how the words were put together.
pub async fn resolve(rest: &Rest, query: &Query) -> Outcome<(Vec<Target>, Vec<Failure>)> {
    let words = &query.words;
    if !query.documents.is_empty() {
        if !words.is_empty() {
            return Err(Failure::message(
                "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
            ));
        }
        return from_documents(rest, &query.documents).await;
    }
    let slashes = words.iter().filter(|w| w.contains('/')).count();
    if slashes > 0 && slashes != words.len() {
        return Err(Failure::message(
            "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
        ));
    }
    let mut pairs = Vec::new();
    if slashes > 0 {
        for word in words {
            pairs.push(split_pair(word)?);
        }
    }
    let selecting = query.labels.is_some()
        || !query.fields.is_empty()
        || (query.type_alone_is_all && words.len() == 1 && slashes == 0);
    if selecting {
        return select(rest, query, slashes).await;
    }
    if !pairs.is_empty() {
        return by_pairs(rest, query, pairs).await.map(|t| (t, Vec::new()));
    }
    match words.as_slice() {
        [] => Err(Failure::message(NOTHING_NAMED)),
        [types] => {
            rest.resources(types).await?;
            Err(Failure::message("resource(s) were provided, but no name was specified"))
        }
        [types, names @ ..] => {
            let resources = rest.resources(types).await?;
            let [resource] = resources.as_slice() else {
                return Err(Failure::message("you must specify only one resource"));
            };
            if query.all_namespaces && resource.namespaced {
                return Err(Failure::message(IN_ALL_NAMESPACES));
            }
            Ok((names.iter().map(|n| Target::Named(named(rest, resource, n))).collect(), Vec::new()))
        }
    }
}

fn split_pair(word: &str) -> Outcome<(&str, &str)> {
    let parts: Vec<&str> = word.split('/').collect();
    match parts.as_slice() {
        [kind, name] if !kind.is_empty() && !name.is_empty() => Ok((kind, name)),
        [_, _] => Err(Failure::message("arguments in resource/name form must have a single resource and name")),
        _ => Err(Failure::message("arguments in resource/name form may not have more than one slash")),
    }
}

async fn select(rest: &Rest, query: &Query, slashes: usize) -> Outcome<(Vec<Target>, Vec<Failure>)> {
    if slashes > 0 {
        return Err(Failure::message("selectors and the all flag cannot be used when passing resource/name arguments"));
    }
    match query.words.as_slice() {
        [] => Err(Failure::message("at least one resource must be specified to use a selector")),
        [types] => {
            let targets = rest.resources(types).await?.into_iter().map(|resource| {
                let namespace = if resource.namespaced { query.scope(rest) } else { String::new() };
                Target::Selected { resource, namespace }
            });
            Ok((targets.collect(), Vec::new()))
        }
        _ => Err(Failure::message("name cannot be provided when a selector is specified")),
    }
}

async fn by_pairs(rest: &Rest, query: &Query, pairs: Vec<(&str, &str)>) -> Outcome<Vec<Target>> {
    let mut targets = Vec::new();
    for (kind, name) in pairs {
        let resource = rest.resource(kind).await?;
        if query.all_namespaces && resource.namespaced {
            return Err(Failure::message(IN_ALL_NAMESPACES));
        }
        targets.push(Target::Named(named(rest, &resource, name)));
    }
    Ok(targets)
}

fn named(rest: &Rest, resource: &Rc<Resource>, name: &str) -> Named {
    let namespace = if resource.namespaced { rest.namespace().to_owned() } else { String::new() };
    Named { resource: Rc::clone(resource), namespace, name: name.to_owned(), manifest: None }
}

async fn from_documents(rest: &Rest, documents: &[Document]) -> Outcome<(Vec<Target>, Vec<Failure>)> {
    let (mut targets, mut failures) = (Vec::new(), Vec::new());
    for document in documents.iter().filter(|d| !d.value.is_null()) {
        match from_document(rest, document).await {
            Ok(named) => targets.push(Target::Named(named)),
            Err(failure @ Failure::Transport(..)) => return Err(failure),
            Err(failure) => failures.push(failure),
        }
    }
    Ok((targets, failures))
}

/// The object that a manifest names, its namespace filled in.
pub async fn from_document(rest: &Rest, document: &Document) -> Outcome<Named> {
    manifests::check_shape(document)?;
    let object = Object::new(document.value.clone());
    let resource = mapping(rest, document).await?;
    let mut document = document.clone();
    let namespace = match (resource.namespaced, object.namespace()) {
        (false, _) => String::new(),
        (true, "") => rest.namespace().to_owned(),
        (true, own) if rest.connection.namespace_given && own != rest.namespace() => {
            return Err(Failure::message(format!(
                "the namespace from the provided object \"{own}\" does not match the namespace \"{}\". You must pass '--namespace={own}' to perform this operation.",
                rest.namespace()
            )));
        }
        (true, own) => own.to_owned(),
    };
    if resource.namespaced {
        api_set(&mut document.value, &namespace);
    }
    Ok(Named { resource, namespace, name: object.name().to_owned(), manifest: Some(document) })
}

/// The type of what a manifest describes.
///
/// # Errors
/// The server has no such type.
pub async fn mapping(rest: &Rest, document: &Document) -> Outcome<Rc<Resource>> {
    let object = Object::new(document.value.clone());
    let found = rest.resource_of_kind(object.api_version(), object.kind()).await;
    found.map_err(|why| match why {
        Failure::Message(text) => Failure::Message(format!(
            "resource mapping not found for name: \"{}\" namespace: \"{}\" from \"{}\": {text}\nensure CRDs are installed first",
            object.name(),
            object.namespace(),
            document.source
        )),
        other => other,
    })
}

fn api_set(value: &mut Value, namespace: &str) {
    let mut object = Object::new(value.take());
    object.set("metadata.namespace", namespace);
    *value = object.into_value();
}

/// An object that was read from the server.
#[derive(Clone, Debug)]
pub struct Info {
    /// What it is.
    pub named: Named,
    /// As it is on the server.
    pub object: Object,
}

/// The objects of the files that `-f` names, as the client understands them; the server is not asked.
///
/// # Errors
/// A file cannot be read, or holds something that is no object of a known kind.
pub async fn local(session: &Rc<Session>, args: &Args) -> Outcome<Vec<Info>> {
    let mut infos = as_written(session, args).await?;
    for info in &mut infos {
        let resource = &info.named.resource;
        if let Some(definition) = api::schema::definition_of(&resource.api_version(), &resource.kind) {
            api::schema::normalize(definition, info.object.make_mut());
        }
    }
    Ok(infos)
}

/// As [`local`], the objects exactly as the files have them.
///
/// # Errors
/// Those of [`local`], and that there are no files.
pub async fn as_written(session: &Rc<Session>, args: &Args) -> Outcome<Vec<Info>> {
    if !has_files(args) {
        return Err(Failure::message(NOTHING_NAMED));
    }
    let mut infos = Vec::new();
    for document in manifests::load(session, args).await? {
        manifests::check_shape(&document)?;
        let object = Object::new(document.value.clone());
        let (api_version, kind) = (object.api_version().to_owned(), object.kind().to_owned());
        let known = api::kinds::KINDS.iter().find(|k| k.kind == kind && k.api_version() == api_version);
        let known = known.ok_or_else(|| {
            Failure::message(format!(
                "unable to decode \"{}\": no kind \"{kind}\" is registered for version \"{api_version}\" in scheme \"pkg/api/legacyscheme/scheme.go:30\"",
                document.source
            ))
        })?;
        let named = Named {
            resource: Rc::new(Resource::of(known)),
            namespace: object.namespace().to_owned(),
            name: object.name().to_owned(),
            manifest: Some(document),
        };
        infos.push(Info { named, object });
    }
    Ok(infos)
}

/// What was found.
#[derive(Default)]
pub struct Found {
    /// Objects, in order.
    pub infos: Vec<Info>,
    /// What could not be read.
    pub failures: Vec<Failure>,
    /// Whether exactly one object was named (and not a list of them).
    pub single: bool,
}

impl Found {
    /// The objects, failing when any could not be read.
    pub fn all(self) -> Outcome<Vec<Info>> {
        Failure::several(self.failures)?;
        Ok(self.infos)
    }
}

/// Reads the objects of a query.
pub async fn fetch(rest: &Rest, query: &Query) -> Outcome<Found> {
    let (targets, failures) = resolve(rest, query).await?;
    let single = targets.len() == 1 && matches!(targets[0], Target::Named(_)) && failures.is_empty();
    let mut found = Found { infos: Vec::new(), failures, single };
    for target in targets {
        let result = match target {
            Target::Named(named) => read(rest, named, &query.subresource).await.map(|info| vec![info]),
            Target::Selected { .. } if !query.subresource.is_empty() => return Err(Failure::message(NO_BULK)),
            Target::Selected { resource, namespace } => list(rest, query, &resource, &namespace).await,
        };
        match result {
            Ok(infos) => found.infos.extend(infos),
            Err(failure @ Failure::Transport(..)) => return Err(failure),
            Err(failure) => found.failures.push(failure),
        }
    }
    Ok(found)
}

/// Why a subresource of several objects cannot be read.
pub const NO_BULK: &str = "subresource cannot be used when bulk resources are specified";

/// Reads one object.
pub async fn read_one(rest: &Rest, named: Named) -> Outcome<Info> {
    read(rest, named, "").await
}

/// Reads one object, or a subresource of it.
async fn read(rest: &Rest, named: Named, subresource: &str) -> Outcome<Info> {
    if named.name.is_empty() {
        return Err(Failure::message("resource name may not be empty"));
    }
    match rest.get(&named.path_of(subresource)).await {
        Ok(value) => Ok(Info { named, object: Object::new(value) }),
        Err(failure) => Err(or_no_namespace(rest, &named, failure).await),
    }
}

/// Where an object was not found, that its namespace does not exist says more (`Info.Get`).
pub async fn or_no_namespace(rest: &Rest, named: &Named, failure: Failure) -> Failure {
    if !failure.is_not_found() || matches!(named.namespace.as_str(), "" | "default") {
        return failure;
    }
    match rest.get(&format!("/api/v1/namespaces/{}", named.namespace)).await {
        Err(other) if other.is_not_found() => other,
        _ => failure,
    }
}

/// Lists the objects that a query selects.
pub async fn list(rest: &Rest, query: &Query, resource: &Rc<Resource>, namespace: &str) -> Outcome<Vec<Info>> {
    let answer =
        rest.get(&list_path(query, resource, namespace)).await.map_err(|f| selector_failure(f, resource, query))?;
    Ok(items(&answer, resource))
}

/// The path of a list with the query's selectors.
pub fn list_path(query: &Query, resource: &Resource, namespace: &str) -> String {
    let labels = query.labels.as_deref().unwrap_or("");
    with_query(
        &resource.collection(namespace),
        &[("labelSelector", labels), ("fieldSelector", &query.fields), ("limit", "500")],
    )
}

/// A kind as Go's `GroupVersionKind` is printed.
pub fn gvk(resource: &Resource) -> String {
    format!("{}, Kind={}", group_version(resource), resource.kind)
}

fn group_version(resource: &Resource) -> String {
    if resource.group.is_empty() { format!("/{}", resource.version) } else { resource.api_version() }
}

/// What the client says when the server knows no such path at all.
const NO_SUCH_RESOURCE: &str = "the server could not find the requested resource";

/// Bad selectors, and lists that are not there, are reported with what was looked for (`cli-runtime` selector.go).
pub fn selector_failure(failure: Failure, resource: &Resource, query: &Query) -> Failure {
    let labels = query.labels.as_deref().unwrap_or("");
    match failure {
        Failure::Status(mut status, doing)
            if matches!(status["reason"].as_str(), Some("BadRequest"))
                && !(labels.is_empty() && query.fields.is_empty()) =>
        {
            let version = group_version(resource);
            let message = status["message"].as_str().unwrap_or("");
            if message.starts_with("Unable to find") {
                return Failure::Status(status, doing);
            }
            status["message"] = format!(
                "Unable to find \"{version}, Resource={}\" that match label selector \"{labels}\", field selector \"{}\": {message}",
                resource.plural, query.fields
            )
            .into();
            Failure::Status(status, doing)
        }
        Failure::Status(mut status, doing) if status["message"] == NO_SUCH_RESOURCE => {
            status["message"] = format!(
                "Unable to list \"{}, Resource={}\": {NO_SUCH_RESOURCE} (get {})",
                group_version(resource),
                resource.plural,
                resource.group_resource()
            )
            .into();
            Failure::Status(status, doing)
        }
        other => other,
    }
}

/// The objects of a list, each with its apiVersion and kind.
pub fn items(answer: &Value, resource: &Rc<Resource>) -> Vec<Info> {
    let items = answer.get("items").and_then(Value::as_array).map_or(&[][..], json::Array::as_slice);
    items.iter().map(|item| info(item.clone(), resource)).collect()
}

/// An object with its apiVersion and kind filled in.
pub fn info(mut item: Value, resource: &Rc<Resource>) -> Info {
    if item.get("kind").is_none() {
        item["apiVersion"] = resource.api_version().into();
        item["kind"] = resource.kind.clone().into();
    }
    let object = Object::new(item);
    let named = Named {
        resource: Rc::clone(resource),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
        manifest: None,
    };
    Info { named, object }
}
