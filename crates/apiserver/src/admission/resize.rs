//! A pod cannot be resized beyond its node (plugin/pkg/admission/podresize).

use api::kinds::{NODES, PODS};
use api::pod_resources::{Counted, requests};
use api::quantity::Quantity;
use api::status::{Cause, Status};
use json::Value;

use crate::failure;
use crate::registry::Context;
use crate::value::{at, int, text};

/// The label of a node that says its operating system.
const OS: &str = "kubernetes.io/os";

/// Refuses what the node could never give.
pub fn admit(cx: &Context<'_>, new: &Value, old: &Value) -> Result<(), Status> {
    let (name, node) = (text(new, "metadata.name"), text(new, "spec.nodeName"));
    if node.is_empty() || int(new, "metadata.generation") == int(old, "metadata.generation") {
        return Ok(());
    }
    let refused = |why: &str| failure::forbidden(&PODS, name, why);
    let found = cx.find(&NODES, "", node).ok_or_else(|| refused(&format!("node \"{node}\" not found")))?;
    if let Some(os) = found.value.at("metadata.labels").get(OS).and_then(Value::as_str).filter(|os| *os != "linux") {
        let why = format!("pod resize is only supported on linux nodes, node \"{node}\" is \"{os}\"");
        return Err(with_cause(refused(&why), "UnsupportedPlatform"));
    }
    let asked = requests(new, Counted::default());
    let allocatable = found.value.at("status.allocatable");
    let amount = |resource: &str| {
        let value = at(allocatable, resource);
        Quantity::from_value(value).ok().filter(|_| !value.is_null()).unwrap_or(Quantity::ZERO)
    };
    let mut missing = Vec::new();
    for (resource, is_milli) in [("cpu", true), ("memory", false)] {
        let (asked, there) = (asked.get(resource).copied().unwrap_or(Quantity::ZERO), amount(resource));
        if asked > there {
            let number = |q: Quantity| if is_milli { q.milli_value() } else { q.value() };
            missing.push(format!("{resource}, requested: {}, allocatable: {}", number(asked), number(there)));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(with_cause(
        refused(&format!("node didn't have enough allocatable resources: {}", missing.join("; "))),
        "NodeCapacity",
    ))
}

fn with_cause(mut status: Status, reason: &str) -> Status {
    if let Some(details) = &mut status.details {
        details.causes.push(Cause { reason: reason.into(), message: String::new(), field: String::new() });
    }
    status
}
