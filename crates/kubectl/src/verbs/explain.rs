//! `kubectl explain` (`kubectl/pkg/explain/v2`): types and structure from the schema table, the prose from the server's
//! OpenAPI document.

use std::rc::Rc;

use api::schema::{self, Definition, Property, Resolved};
use json::Value;

use crate::discovery::Resource;
use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, switch, text};
use crate::rest::Rest;
use crate::session::Session;
use crate::wordwrap::{indent, wrap};

static FLAGS: &[Flag] = &[
    text("api-version", "", "Explain this version of the type, as group/version."),
    text("output", "plaintext", "plaintext or plaintext-openapiv2.").short('o'),
    switch("recursive", "Show the fields of fields, too.").short('R'),
];

/// The command.
pub static EXPLAIN: Command = Command {
    name: "explain",
    usage: "TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext|plaintext-openapiv2]",
    short: "Get documentation for a resource",
    long: "Show the fields of a type, with their types. A field is named by its path: TYPE.field.field.

Use \"kubectl api-resources\" for a complete list of supported resources.",
    examples: &[
        ("The fields of a pod", "kubectl explain pods"),
        ("One field", "kubectl explain pods.spec.containers"),
        ("All fields below", "kubectl explain deployment.spec --recursive"),
    ],
    flags: &[FLAGS],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let word = match args.words.as_slice() {
        [] => {
            return Err(Failure::message(
                "You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of supported resources.",
            ));
        }
        [word] => word,
        _ => return Err(Failure::message("We accept only this format: explain RESOURCE")),
    };
    if !matches!(args.text("output"), "plaintext" | "plaintext-openapiv2") {
        return Err(Failure::message(format!("unrecognized format: {}", args.text("output"))));
    }
    let rest = session.rest(&args)?;
    let (kind, path) = word.split_once('.').unwrap_or((word, ""));
    let found = rest.resource(kind).await.map_err(|failure| match failure {
        Failure::Message(text) => Failure::Plain(text),
        other => other,
    })?;
    let wanted = args.text("api-version");
    let resource = if wanted.is_empty() || wanted == found.api_version() {
        found
    } else {
        let all = rest.discovery().await?;
        let same = all.resources.iter().find(|r| r.plural == found.plural && r.api_version() == wanted).cloned();
        same.ok_or_else(|| {
            Failure::message(format!("couldn't find resource for \"{wanted}, Resource={}\"", found.plural))
        })?
    };
    let document = document(&rest, &resource).await;
    let known = schema::definition_of(&resource.api_version(), &resource.kind).map(|d| (d, Prose::of_table(&document)));
    let Some((root, prose)) = known.or_else(|| of_document(&document, &resource)) else {
        return Err(Failure::message(format!(
            "GVR ({}/{}, Resource={}) not found in OpenAPI schema",
            resource.group, resource.version, resource.plural
        )));
    };
    let mut text = String::new();
    if !resource.group.is_empty() {
        text.push_str(&format!("GROUP:      {}\n", resource.group));
    }
    text.push_str(&format!("KIND:       {}\nVERSION:    {}\n\n", resource.kind, resource.version));
    // What comes before a field that does not exist has been said by then.
    let (body, outcome) = match body(root, path, args.on("recursive"), &prose) {
        Ok(body) => (body + "\n", Ok(())),
        Err(failure) => (String::new(), Err(failure)),
    };
    session.out(text + &body).await?;
    outcome
}

/// Columns of a line of prose.
const PROSE_COLUMNS: usize = 76;
/// How far descriptions are moved to the right.
const PROSE_INDENT: usize = 4;

/// The schemas of the server's OpenAPI document; none if it has no such document: then nothing is described.
async fn document(rest: &Rest, resource: &Resource) -> Value {
    let root = if resource.group.is_empty() { "api/v1".to_owned() } else { format!("apis/{}", resource.api_version()) };
    let document = rest.get(&format!("/openapi/v3/{root}")).await;
    document.map(|mut d| d["components"]["schemas"].take()).unwrap_or_default()
}

/// The definition of a kind that only the server knows, such as a custom one.
fn of_document(schemas: &Value, resource: &Resource) -> Option<(&'static Definition, Prose)> {
    let is_it = |schema: &&Value| {
        let kinds = schema["x-kubernetes-group-version-kind"].as_array();
        kinds.into_iter().flatten().any(|gvk| {
            gvk["group"] == *resource.group && gvk["version"] == *resource.version && gvk["kind"] == *resource.kind
        })
    };
    let found = schemas.as_object()?.values().find(is_it)?;
    let root = schema::describe((&resource.group, &resource.version, &resource.kind), found);
    let mut prose = Prose::of_table(schemas);
    prose.add(root.name, found);
    Some((root, prose))
}

/// Schemas by name, for their descriptions.
struct Prose(Value);

impl Prose {
    fn of_table(schemas: &Value) -> Prose {
        Prose(if schemas.is_object() { schemas.clone() } else { Value::Object(json::Map::new()) })
    }

    /// Takes in a schema and those inside it, by the names that `schema::describe` gives them.
    fn add(&mut self, name: &str, found: &Value) {
        self.0[format!("io.k8s.{name}")] = found.clone();
        for (field, inner) in found["properties"].as_object().into_iter().flatten() {
            let (mut inner, mut name) = (inner, format!("{name}.{field}"));
            loop {
                let (step, next) = match inner["type"].as_str() {
                    Some("array") => ("[]", &inner["items"]),
                    Some("object") if !inner["properties"].is_object() => ("{}", &inner["additionalProperties"]),
                    _ => break,
                };
                name.push_str(step);
                inner = next;
            }
            if inner["properties"].is_object() {
                self.add(&name, inner);
            }
        }
    }

    fn definition(&self, name: &str) -> Option<&str> {
        self.0.get(format!("io.k8s.{name}"))?.get("description")?.as_str()
    }

    fn field(&self, definition: &str, field: &str) -> Option<&str> {
        self.0.get(format!("io.k8s.{definition}"))?.pointer(&format!("/properties/{field}/description"))?.as_str()
    }

    /// Of the end of a path: of the field, and of what it holds.
    fn of(&self, resolved: &Resolved) -> String {
        let own = resolved.property.and_then(|p| self.field(resolved.parent.name, p.name));
        let name = match resolved.property {
            Some(property) => property.ty.definition_name(),
            None => Some(resolved.parent.name),
        };
        let inner = name.and_then(|name| self.definition(name));
        own.into_iter().chain(inner).map(|text| format!("{text}\n")).collect()
    }
}

fn paragraph(text: &str) -> String {
    indent(PROSE_INDENT, &wrap(PROSE_COLUMNS, text)) + "\n"
}

fn body(root: &'static Definition, path: &str, recursive: bool, prose: &Prose) -> Outcome<String> {
    let resolved = schema::resolve_path(&root.full_name(), path).map_err(|why| Failure::message(why.to_string()))?;
    let mut text = String::new();
    if let Some(property) = resolved.property {
        text.push_str(&format!("FIELD: {} <{}>\n", property.name, property.ty.explain_name()));
        if !property.enumeration.is_empty() {
            let values: String = property.enumeration.iter().map(|v| format!("\n    {}", value(v))).collect();
            text.push_str(&format!("ENUM:{values}"));
        }
        text.push_str("\n\n");
    }
    let description = prose.of(&resolved);
    text.push_str("DESCRIPTION:\n");
    text.push_str(&paragraph(if description.is_empty() { "<empty>" } else { &description }));
    if let Some(definition) = resolved.definition().filter(|d| !d.properties.is_empty()) {
        text.push_str("FIELDS:\n");
        fields(&mut text, (definition, prose), recursive, 1, &mut Vec::new());
    }
    Ok(text)
}

/// Values shown in a list of fields.
const ENUM_SHOWN: usize = 4;

fn value(text: &str) -> &str {
    if text.is_empty() { "\"\"" } else { text }
}

fn fields(
    out: &mut String,
    (definition, prose): (&'static Definition, &Prose),
    recursive: bool,
    level: usize,
    seen: &mut Vec<&'static str>,
) {
    if seen.contains(&definition.name) {
        return;
    }
    seen.push(definition.name);
    for property in &definition.properties {
        field(out, property, level);
        match (recursive, property.ty.definition()) {
            (true, Some(inner)) => fields(out, (inner, prose), recursive, level + 1, seen),
            (true, None) => {}
            (false, _) => {
                let text = prose.field(definition.name, property.name).unwrap_or("<no description>");
                out.push_str(&paragraph(text));
                out.push('\n');
            }
        }
    }
    seen.pop();
}

fn field(out: &mut String, property: &Property, level: usize) {
    let indent = "  ".repeat(level);
    out.push_str(&format!("{indent}{}\t<{}>", property.name, property.ty.explain_name()));
    if property.required {
        out.push_str(" -required-");
    }
    if !property.enumeration.is_empty() {
        let shown: Vec<&str> = property.enumeration.iter().take(ENUM_SHOWN).map(|v| value(v)).collect();
        let more = if property.enumeration.len() > ENUM_SHOWN { ", ...." } else { "" };
        out.push_str(&format!("\n{indent}enum: {}{more}", shown.join(", ")));
    }
    out.push('\n');
}
