//! ConfigMaps, Secrets, ServiceAccounts and Namespaces.

use api::Object;
use base64::Engine;
use json::Value;

use super::write::{Text, list, text};
use super::{Context, events, policies};
use crate::age;
use crate::failure::Outcome;

fn head(out: &mut Text, object: &Object) {
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
}

fn decoded_length(value: &Value) -> usize {
    let text = value.as_str().unwrap_or("");
    base64::engine::general_purpose::STANDARD.decode(text).map_or(text.len(), |bytes| bytes.len())
}

fn entries<'a>(object: &'a Object, field: &str) -> Vec<(&'a json::Text, &'a Value)> {
    object.at(field).as_object().into_iter().flatten().collect()
}

/// `kubectl describe configmap`.
pub async fn config_map(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    head(&mut out, &object);
    out.raw("\nData\n====\n");
    for (key, value) in entries(&object, "data") {
        out.raw(&format!("{key}:\n----\n{}\n\n", value.as_str().unwrap_or("")));
    }
    out.raw("\nBinaryData\n====\n");
    for (key, value) in entries(&object, "binaryData") {
        out.raw(&format!("{key}: {} bytes\n", decoded_length(value)));
    }
    out.raw("\n");
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// `kubectl describe secret`. Values are not shown.
pub async fn secret(_: Context, object: Object) -> Outcome<String> {
    let mut out = Text::new();
    head(&mut out, &object);
    out.raw(&format!("\nType:\t{}\n", object.str("type")));
    out.raw("\nData\n====\n");
    for (key, value) in entries(&object, "data") {
        out.field(0, key, format!("{} bytes", decoded_length(value)));
    }
    Ok(out.finish())
}

/// `kubectl describe serviceaccount`.
pub async fn service_account(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    head(&mut out, &object);
    let names: Vec<String> = object.list("imagePullSecrets").iter().map(|s| text(s, "name").to_owned()).collect();
    match names.split_first() {
        None => out.field(0, "Image pull secrets", "<none>"),
        Some((first, rest)) => {
            out.field(0, "Image pull secrets", first);
            rest.iter().for_each(|name| out.line(0, format!("                   \t{name}")));
        }
    }
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// `kubectl describe namespace`.
pub async fn namespace(ctx: Context, object: Object) -> Outcome<String> {
    let quotas = in_namespace(&ctx, object.name(), "resourcequotas").await;
    let ranges = in_namespace(&ctx, object.name(), "limitranges").await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    out.field(0, "Status", object.str("status.phase"));
    conditions(&mut out, object.list("status.conditions"));
    out.line(0, "");
    policies::quotas(&mut out, &quotas);
    out.line(0, "");
    policies::limit_ranges(&mut out, &ranges);
    Ok(out.finish())
}

/// Conditions with their times, if there are any.
pub fn conditions(out: &mut Text, conditions: &[Value]) {
    if conditions.is_empty() {
        return;
    }
    out.line(0, "Conditions:");
    out.line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage");
    out.line(1, "----\t------\t------------------\t------\t-------");
    for c in conditions {
        let since = age::rfc1123(text(c, "lastTransitionTime"));
        let row = [text(c, "type"), text(c, "status"), &since, text(c, "reason"), text(c, "message")];
        out.line(1, row.join("\t"));
    }
}

async fn in_namespace(ctx: &Context, namespace: &str, plural: &str) -> Vec<Object> {
    let path = format!("/api/v1/namespaces/{namespace}/{plural}");
    let answer = ctx.rest.get(&path).await.unwrap_or_default();
    list(&answer, "items").iter().map(|item| Object::new(item.clone())).collect()
}
