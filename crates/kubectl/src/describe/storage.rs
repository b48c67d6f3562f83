//! Volumes, claims and storage classes.

use api::Object;
use json::Value;

use super::write::{Text, list, scalar, text};
use super::{Context, events};
use crate::failure::Outcome;

/// `kubectl describe pv`.
pub async fn volume(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    out.field(0, "Finalizers", plain_list(object.list("metadata.finalizers")));
    out.field(0, "StorageClass", object.str("spec.storageClassName"));
    out.field(0, "Status", phase(&ctx, &object));
    let claim = match object.at("spec.claimRef") {
        Value::Null => String::new(),
        claim => format!("{}/{}", text(claim, "namespace"), text(claim, "name")),
    };
    out.field(0, "Claim", claim);
    out.field(0, "Reclaim Policy", object.str("spec.persistentVolumeReclaimPolicy"));
    out.field(0, "Access Modes", access_modes(object.list("spec.accessModes")));
    out.field(0, "VolumeMode", object.str("spec.volumeMode"));
    out.field(0, "Capacity", scalar(object.at("spec.capacity.storage")));
    node_affinity(&mut out, object.at("spec.nodeAffinity"));
    out.field(0, "Message", object.str("status.message"));
    out.line(0, "Source:");
    let spec = object.at("spec");
    if spec["hostPath"].is_object() {
        out.line(2, "Type:\tHostPath (bare host directory volume)");
        out.line(2, format!("Path:\t{}", text(&spec["hostPath"], "path")));
        out.line(2, format!("HostPathType:\t{}", text(&spec["hostPath"], "type")));
    } else if spec["local"].is_object() {
        out.line(2, "Type:\tLocalVolume (a persistent volume backed by local storage on a node)");
        out.line(2, format!("Path:\t{}", text(&spec["local"], "path")));
    } else if spec["nfs"].is_object() {
        out.line(2, "Type:\tNFS (an NFS mount that lasts the lifetime of a pod)");
        out.line(2, format!("Server:\t{}", text(&spec["nfs"], "server")));
        out.line(2, format!("Path:\t{}", text(&spec["nfs"], "path")));
        out.line(2, format!("ReadOnly:\t{}", spec["nfs"]["readOnly"].as_bool().unwrap_or(false)));
    } else {
        out.line(1, "<unknown>");
    }
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// `kubectl describe pvc`.
pub async fn claim(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let users = users(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    out.field(0, "StorageClass", object.str("spec.storageClassName"));
    out.field(0, "Status", phase(&ctx, &object));
    out.field(0, "Volume", object.str("spec.volumeName"));
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    out.field(0, "Finalizers", plain_list(object.list("metadata.finalizers")));
    let is_bound = !object.str("spec.volumeName").is_empty();
    let (capacity, modes) = match is_bound {
        true => (scalar(object.at("status.capacity.storage")), access_modes(object.list("status.accessModes"))),
        false => Default::default(),
    };
    out.field(0, "Capacity", capacity);
    out.field(0, "Access Modes", modes);
    if !object.str("spec.volumeMode").is_empty() {
        out.field(0, "VolumeMode", object.str("spec.volumeMode"));
    }
    out.column("Used By", &users);
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// `kubectl describe sc`.
pub async fn class(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    let is_default = object.annotation("storageclass.kubernetes.io/is-default-class") == Some("true");
    out.field(0, "Name", object.name());
    out.field(0, "IsDefaultClass", if is_default { "Yes" } else { "No" });
    out.field(0, "Annotations", pairs(object.at("metadata.annotations")));
    out.field(0, "Provisioner", object.str("provisioner"));
    out.field(0, "Parameters", pairs(object.at("parameters")));
    let expansion = match object.at("allowVolumeExpansion").as_bool() {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    out.field(0, "AllowVolumeExpansion", expansion);
    let options = object.list("mountOptions");
    if options.is_empty() {
        out.field(0, "MountOptions", "<none>");
    } else {
        out.line(0, "MountOptions:");
        options.iter().for_each(|option| out.line(1, scalar(option)));
    }
    out.field(0, "ReclaimPolicy", object.str("reclaimPolicy"));
    out.field(0, "VolumeBindingMode", object.str("volumeBindingMode"));
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// `kubectl describe volumeattributesclass`.
pub async fn attributes_class(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.field(0, "Annotations", pairs(object.at("metadata.annotations")));
    out.field(0, "DriverName", object.str("driverName"));
    out.field(0, "Parameters", pairs(object.at("parameters")));
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// `kubectl describe csinode`.
pub async fn node(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    out.field(0, "CreationTimestamp", crate::age::rfc1123(object.str("metadata.creationTimestamp")));
    out.line(0, "Spec:");
    if object.at("spec.drivers").is_array() {
        out.line(1, "Drivers:");
    }
    for driver in object.list("spec.drivers") {
        out.line(2, format!("{}:", text(driver, "name")));
        out.field(3, "Node ID", text(driver, "nodeID"));
        if let Some(count) = driver["allocatable"]["count"].as_i64() {
            out.line(3, "Allocatables:");
            out.field(4, "Count", count.to_string());
        }
        let keys: Vec<String> = list(driver, "topologyKeys").iter().map(scalar).collect();
        if !keys.is_empty() {
            out.field(3, "Topology Keys", format!("[{}]", keys.join(" ")));
        }
    }
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// The claims of a stateful set.
pub fn claim_templates(out: &mut Text, templates: &[Value]) {
    if templates.is_empty() {
        return out.field(0, "Volume Claims", "<none>");
    }
    out.line(0, "Volume Claims:");
    for template in templates {
        let claim = Object::new(template.clone());
        out.field(1, "Name", claim.name());
        out.field(1, "StorageClass", claim.str("spec.storageClassName"));
        out.labels("  Labels", claim.at("metadata.labels"));
        out.annotations("  Annotations", claim.at("metadata.annotations"));
        let size = claim.at("spec.resources.requests.storage");
        out.field(1, "Capacity", if size.is_null() { "<default>".to_owned() } else { scalar(size) });
        out.field(1, "Access Modes", plain_list(claim.list("spec.accessModes")));
    }
}

/// `a=b,c=d`, or `<none>`.
pub fn pairs(map: &Value) -> String {
    let all: Vec<String> =
        map.as_object().into_iter().flatten().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or(""))).collect();
    if all.is_empty() { "<none>".to_owned() } else { all.join(",") }
}

/// `[a b]`, as Go prints a list.
pub fn plain_list(items: &[Value]) -> String {
    format!("[{}]", items.iter().map(scalar).collect::<Vec<_>>().join(" "))
}

fn phase(ctx: &Context, object: &Object) -> String {
    match object.str("metadata.deletionTimestamp") {
        "" => object.str("status.phase").to_owned(),
        since => format!("Terminating (lasts {})", crate::age::of(since, ctx.now())),
    }
}

/// Access modes in their short form.
fn access_modes(modes: &[Value]) -> String {
    let short = |mode: &str| match mode {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => "",
    };
    let all: Vec<&str> = modes.iter().filter_map(Value::as_str).map(short).filter(|s| !s.is_empty()).collect();
    all.join(",")
}

fn node_affinity(out: &mut Text, affinity: &Value) {
    let required = &affinity["required"];
    if affinity.is_null() || required.is_null() {
        return out.field(0, "Node Affinity", "<none>");
    }
    out.line(0, "Node Affinity:");
    out.line(1, "Required Terms:\t");
    for (i, term) in list(required, "nodeSelectorTerms").iter().enumerate() {
        out.raw(&format!("    Term {i}:\t"));
        for (j, e) in list(term, "matchExpressions").iter().enumerate() {
            let values: Vec<String> = list(e, "values").iter().map(scalar).collect();
            let operator = text(e, "operator").to_lowercase();
            let line = match values.is_empty() {
                true => format!("{} {operator}", text(e, "key")),
                false => format!("{} {operator} [{}]", text(e, "key"), values.join(", ")),
            };
            out.line(0, if j == 0 { line } else { format!("\t{line}") });
        }
    }
}

/// The pods that mount a claim.
async fn users(ctx: &Context, claim: &Object) -> Vec<String> {
    let path = format!("/api/v1/namespaces/{}/pods", claim.namespace());
    let answer = ctx.rest.get(&path).await.unwrap_or_default();
    let pods = list(&answer, "items").iter().map(|p| Object::new(p.clone()));
    let mounts = |pod: &Object| {
        pod.list("spec.volumes").iter().any(|v| text(&v["persistentVolumeClaim"], "claimName") == claim.name())
    };
    pods.filter(mounts).map(|pod| pod.name().to_owned()).collect()
}
