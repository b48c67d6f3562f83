//! Connections to containers, pods, services and nodes, as policies see them: what is asked for is an object of its own kind
//! (`ConnectResource` of k8s.io/apiserver/pkg/endpoints/handlers/rest.go).

use api::status::Status;
use json::{Value, json};

use super::kind_of;
use crate::admission::attributes::Attributes;
use crate::registry::Context;
use crate::request::{Head, Target};

/// Asks the policies about a connection.
///
/// # Errors
/// What a policy refuses; trying again cannot help.
pub fn ask(cx: &Context<'_>, head: &Head, target: &Target) -> Result<(), Status> {
    let options = options(head, target);
    let known = Attributes::new("CONNECT", target.kind, &target.namespace, &target.name);
    super::admit(cx, &Attributes { subresource: &target.subresource, object: Some(&options), ..known })
}

fn options(head: &Head, target: &Target) -> Value {
    let query = &head.query;
    let (_, version, kind) = kind_of(target.kind, &target.subresource);
    let mut options = json!({"kind": kind, "apiVersion": version});
    let all = |name: &str| query.pairs().filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).collect();
    match target.subresource.as_str() {
        "exec" | "attach" => {
            for flag in ["stdin", "stdout", "stderr", "tty"].into_iter().filter(|flag| query.flag(flag)) {
                options[flag] = true.into();
            }
            if !query.get("container").is_empty() {
                options["container"] = query.get("container").into();
            }
            if target.subresource == "exec" {
                let command: Vec<String> = all("command");
                options["command"] = command.into();
            }
        }
        "portforward" => {
            let ports: Vec<String> = all("ports");
            let ports: Vec<i64> = ports.iter().flat_map(|p| p.split(',')).filter_map(|p| p.parse().ok()).collect();
            if !ports.is_empty() {
                options["ports"] = ports.into();
            }
        }
        _ => {
            let mut path = target.rest.clone();
            if head.uri.path().ends_with('/') && !path.ends_with('/') {
                path.push('/');
            }
            if !path.is_empty() {
                options["path"] = path.into();
            }
        }
    }
    options
}
