//! What minikube remembers: `~/.minikube/config/config.json`.

use machine::Ctx;
use serde_json::{Map, Value};

fn path(ctx: &Ctx) -> String {
    let home = ctx.var("MINIKUBE_HOME").or(ctx.var("HOME")).unwrap_or("/home/learner");
    format!("{}/.minikube/config/config.json", home.trim_end_matches('/'))
}

fn load(ctx: &Ctx) -> Map<String, Value> {
    let text = ctx.fs.read_to_string(&path(ctx)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// The cluster that is meant without `-p`: `$MINIKUBE_PROFILE`, what `minikube profile` chose, `minikube`.
pub(crate) fn profile(ctx: &Ctx) -> String {
    if let Some(name) = ctx.var("MINIKUBE_PROFILE").filter(|name| !name.is_empty()) {
        return name.to_owned();
    }
    load(ctx).get("profile").and_then(Value::as_str).unwrap_or(crate::DEFAULT_PROFILE).to_owned()
}

/// Remembers a cluster as the one that is meant.
pub(crate) fn set_profile(ctx: &Ctx, name: &str) -> Result<(), String> {
    let mut settings = load(ctx);
    settings.insert("profile".into(), name.into());
    let text = serde_json::to_string_pretty(&settings).map_err(|e| e.to_string())?;
    let path = path(ctx);
    let made = ctx.fs.mkdir_all(vfs::path::dirname(&path)).and_then(|()| ctx.fs.write(&path, text));
    made.map_err(|e| format!("{path}: {e}"))
}
