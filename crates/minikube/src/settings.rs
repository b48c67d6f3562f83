//! What minikube remembers: `~/.minikube/config/config.json`, and of each cluster
//! `~/.minikube/profiles/NAME/config.json`.

use json::{Map, Value};
use machine::Ctx;

fn path(ctx: &Ctx, of: &str) -> String {
    let home = ctx.var("MINIKUBE_HOME").or(ctx.var("HOME")).unwrap_or("/home/learner");
    format!("{}/.minikube/{of}/config.json", home.trim_end_matches('/'))
}

fn load(ctx: &Ctx, of: &str) -> Map {
    let text = ctx.fs.read_to_string(&path(ctx, of)).unwrap_or_default();
    json::from_str(&text).unwrap_or_default()
}

fn store(ctx: &Ctx, of: &str, settings: &Map) -> Result<(), String> {
    let text = json::to_string_pretty(settings).map_err(|e| e.to_string())?;
    let path = path(ctx, of);
    let made = ctx.fs.mkdir_all(vfs::path::dirname(&path)).and_then(|()| ctx.fs.write(&path, text));
    made.map_err(|e| format!("{path}: {e}"))
}

fn of_profile(profile: &str) -> String {
    format!("profiles/{profile}")
}

/// Whether an add-on of a cluster is on.
pub(crate) fn is_on(ctx: &Ctx, profile: &str, addon: &str) -> bool {
    load(ctx, &of_profile(profile)).get("Addons").is_some_and(|addons| addons[addon] == true)
}

/// Remembers whether an add-on of a cluster is on.
pub(crate) fn switch(ctx: &Ctx, profile: &str, addon: &str, is_on: bool) -> Result<(), String> {
    let mut settings = load(ctx, &of_profile(profile));
    settings.entry("Addons").or_insert_with(|| Map::new().into())[addon] = is_on.into();
    store(ctx, &of_profile(profile), &settings)
}

/// Forgets a cluster.
pub(crate) fn forget(ctx: &Ctx, profile: &str) {
    // Of most clusters nothing was remembered.
    let _ = ctx.fs.remove_all(vfs::path::dirname(&path(ctx, &of_profile(profile))));
}

/// The cluster that is meant without `-p`: `$MINIKUBE_PROFILE`, what `minikube profile` chose, `minikube`.
pub(crate) fn profile(ctx: &Ctx) -> String {
    if let Some(name) = ctx.var("MINIKUBE_PROFILE").filter(|name| !name.is_empty()) {
        return name.to_owned();
    }
    load(ctx, "config").get("profile").and_then(Value::as_str).unwrap_or(crate::DEFAULT_PROFILE).to_owned()
}

/// Remembers a cluster as the one that is meant.
pub(crate) fn set_profile(ctx: &Ctx, name: &str) -> Result<(), String> {
    let mut settings = load(ctx, "config");
    settings.insert("profile".into(), name.into());
    store(ctx, "config", &settings)
}
