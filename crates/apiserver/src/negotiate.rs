//! Which form an answer takes (k8s.io/apiserver/pkg/endpoints/handlers/negotiation).
//!
//! Differences: protobuf (see [`crate::protobuf`]) and CBOR answers are not built; a client that accepts nothing else gets 406, as upstream answers for
//! any media type it does not have.

use api::http::header;

use crate::request::Head;
use api::status::Status;

/// How the bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// What is made of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Nothing.
    Plain,
    /// `metav1.Table`.
    Table,
    /// `metav1.PartialObjectMetadata` or its list.
    Partial,
}

/// The outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// How the bytes are written.
    pub encoding: Encoding,
    /// What is made of the object.
    pub shape: Shape,
    /// Indented for people.
    pub pretty: bool,
}

/// What can be produced, as messages name it.
pub const PRODUCED: &[&str] = &["application/json", "application/yaml"];

/// One clause of an Accept header.
pub struct Clause<'a> {
    /// `application/json`.
    pub media_type: &'a str,
    /// Parameters except `q`.
    pub params: Vec<(&'a str, &'a str)>,
    weight: f32,
}

impl Clause<'_> {
    /// A parameter, empty if absent.
    pub fn param(&self, key: &str) -> &str {
        self.params.iter().find(|(k, _)| *k == key).map_or("", |(_, v)| v)
    }
}

/// The clauses of an Accept header, most wanted first.
pub fn clauses(accept: &str) -> Vec<Clause<'_>> {
    let mut clauses: Vec<Clause<'_>> = accept
        .split(',')
        .filter_map(|clause| {
            let mut parts = clause.split(';').map(str::trim);
            let media_type = parts.next().filter(|m| !m.is_empty())?;
            let pairs: Vec<(&str, &str)> = parts.filter_map(|p| p.split_once('=')).collect();
            let weight = pairs.iter().find(|(k, _)| *k == "q").and_then(|(_, v)| v.parse().ok()).unwrap_or(1.0);
            let params = pairs.into_iter().filter(|(k, _)| *k != "q").collect();
            Some(Clause { media_type, params, weight })
        })
        .collect();
    clauses.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    clauses
}

/// Chooses the form of an answer about resources.
pub fn resource_format(head: &Head) -> Result<Format, Status> {
    let accept = head.header(header::ACCEPT);
    let pretty = wants_pretty(head);
    if accept.is_empty() {
        return Ok(Format { encoding: Encoding::Json, shape: Shape::Plain, pretty });
    }
    for clause in clauses(accept) {
        let encoding = match clause.media_type {
            "application/json" | "application/*" | "*/*" => Encoding::Json,
            "application/yaml" => Encoding::Yaml,
            _ => continue,
        };
        let known = clause.param("g") == "meta.k8s.io" && matches!(clause.param("v"), "v1" | "v1beta1");
        let shape = match clause.param("as") {
            "" => Shape::Plain,
            "Table" if known => Shape::Table,
            "PartialObjectMetadata" | "PartialObjectMetadataList" if known => Shape::Partial,
            _ => continue,
        };
        return Ok(Format { encoding, shape, pretty: pretty || clause.param("pretty") == "1" });
    }
    Err(Status::not_acceptable(PRODUCED))
}

/// Whether a person reads the answer: asked for, or a browser or command-line tool.
pub fn wants_pretty(head: &Head) -> bool {
    if head.query.has("pretty") && !head.query.get("pretty").is_empty() {
        return head.query.flag("pretty");
    }
    let agent = head.header(header::USER_AGENT);
    ["curl", "Wget", "Mozilla/5.0"].iter().any(|prefix| agent.starts_with(prefix))
}
