//! `kubectl explain` (`kubectl/pkg/explain/v2`): types and structure from the schema table.
//!
//! Difference: the prose about fields is not part of the table yet, so descriptions are said to be empty, in the words
//! that kubectl has for that.

use std::rc::Rc;

use api::schema::{self, Definition, Property};

use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, switch, text};
use crate::session::Session;

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
        let known = "plaintext,plaintext-openapiv2";
        return Err(Failure::message(format!("unrecognized format: {}, expected one of {known}", args.text("output"))));
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
    let Some(root) = schema::definition_of(&resource.api_version(), &resource.kind) else {
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
    text.push_str(&body(root, path, args.on("recursive"))?);
    session.out(text + "\n").await
}

fn body(root: &'static Definition, path: &str, recursive: bool) -> Outcome<String> {
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
    text.push_str("DESCRIPTION:\n    <empty>\n");
    if let Some(definition) = resolved.definition().filter(|d| !d.properties.is_empty()) {
        text.push_str("FIELDS:\n");
        fields(&mut text, definition, recursive, 1, &mut Vec::new());
    }
    text.push('\n');
    Ok(text)
}

/// Values shown in a list of fields.
const ENUM_SHOWN: usize = 4;

fn value(text: &str) -> &str {
    if text.is_empty() { "\"\"" } else { text }
}

fn fields(
    out: &mut String,
    definition: &'static Definition,
    recursive: bool,
    level: usize,
    seen: &mut Vec<&'static str>,
) {
    if seen.contains(&definition.name) {
        return;
    }
    seen.push(definition.name);
    for property in &definition.properties {
        field(out, property, recursive, level);
        if let (true, Some(inner)) = (recursive, property.ty.definition()) {
            fields(out, inner, recursive, level + 1, seen);
        }
    }
    seen.pop();
}

fn field(out: &mut String, property: &Property, short: bool, level: usize) {
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
    if !short {
        out.push_str(&format!("{indent}  <no description>\n\n"));
    }
}
