//! `docker login`, `logout`, `pull`, `push` (`cli/command/registry`, `cli/command/image/{pull,push}.go`).
//!
//! Any name with any password is an account of a registry here: there is nobody else in this world. What a registry holds to is
//! that only `NAME` may push to `NAME/...`, and outside of Docker Hub pull from there.

use base64::Engine as _;
use json::{Value, json};
use runtime::image::{Image, Login, PullError, Reference, is_known};
use simulation::Duration;

use crate::Daemon;
use crate::command::{Call, Command, Failure, Outcome, Wants, switch, value};
use crate::text;

/// Docker Hub's name in the file with the logins.
const HUB: &str = "https://index.docker.io/v1/";
/// Virtual time of a push of a layer, besides that of its bytes.
const PUSH_TIME: Duration = Duration::from_millis(120);

fn config_path(call: &Call) -> String {
    let folder = call.ctx.var("DOCKER_CONFIG").map(str::to_owned);
    let home = call.ctx.var("HOME").unwrap_or("/root");
    format!("{}/config.json", folder.unwrap_or_else(|| format!("{home}/.docker")))
}

fn config(call: &Call) -> Value {
    let text = call.ctx.fs.read(&config_path(call)).unwrap_or_default();
    // What is no object holds no logins.
    json::from_slice(&text).ok().filter(Value::is_object).unwrap_or_else(|| json!({}))
}

fn store(call: &Call, config: &Value) -> Result<(), String> {
    let path = config_path(call);
    let text = json::to_string_pretty(config).map_err(|why| why.to_string())?.replace("  ", "\t");
    let fs = &call.ctx.fs;
    let written = fs.mkdir_all(vfs::path::dirname(&path)).and_then(|()| fs.write(&path, text));
    written
        .and_then(|()| fs.chmod(&path, 0o600))
        .map_err(|why| format!("open {path}: {}", why.message().to_lowercase()))
}

fn key(registry: &str) -> &str {
    if matches!(registry, "docker.io" | "index.docker.io" | "registry-1.docker.io" | "") { HUB } else { registry }
}

/// Who is logged in to a registry.
fn user(call: &Call, registry: &str) -> Option<String> {
    login_to(call, registry).map(|login| login.user)
}

/// What a registry is shown, if one has logged in to it.
fn login_to(call: &Call, registry: &str) -> Option<Login> {
    read_login(&config(call)["auths"][key(registry)])
}

/// Every registry that one has logged in to, with what it is shown.
pub(crate) fn logins(call: &Call) -> Vec<(String, Login)> {
    let config = config(call);
    let all = config["auths"].as_object().into_iter().flatten();
    all.filter_map(|(place, entry)| Some((place.to_string(), read_login(entry)?))).collect()
}

fn read_login(entry: &Value) -> Option<Login> {
    let text = base64::engine::general_purpose::STANDARD.decode(entry["auth"].as_str()?).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Login { user: user.to_owned(), password: password.to_owned() })
}

pub(crate) static LOGIN: Command = Command {
    names: &["login"],
    usage: "[OPTIONS] [SERVER]",
    help: "Authenticate to a registry",
    wants: Wants::AtMost(1),
    flags: &[
        value("password", Some('p'), "Password or Personal Access Token (PAT)"),
        switch("password-stdin", None, "Take the Password or Personal Access Token (PAT) from stdin"),
        value("username", Some('u'), "Username"),
    ],
    ends_at_argument: false,
    run: |call| Box::pin(login(call)),
};

async fn line_of(call: &Call) -> String {
    let mut line = Vec::new();
    loop {
        let byte = call.ctx.stdin.read(1).await;
        if byte.is_empty() || byte[0] == b'\n' || byte[0] == b'\r' {
            return String::from_utf8_lossy(&line).into_owned();
        }
        line.extend_from_slice(&byte);
    }
}

async fn login(call: Call) -> Outcome {
    let server =
        call.parsed.args.first().map_or("", String::as_str).trim_start_matches("https://").trim_end_matches('/');
    let mut name = call.parsed.get("username").unwrap_or_default().to_owned();
    let mut password = call.parsed.get("password").unwrap_or_default().to_owned();
    if call.parsed.is_on("password-stdin") {
        if !password.is_empty() {
            return Err("--password and --password-stdin are mutually exclusive".into());
        }
        if name.is_empty() {
            return Err("the --password-stdin option requires --username to be set".into());
        }
        password = call.ctx.stdin.read_to_string().await.trim_end_matches(['\n', '\r']).to_owned();
        if password.is_empty() {
            return Err("password is empty".into());
        }
    } else if !password.is_empty() {
        call.ctx.err("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n").await;
    }
    if (name.is_empty() || password.is_empty()) && !call.ctx.stdin.is_tty() {
        return Err("Error: Cannot perform an interactive login from a non TTY device".into());
    }
    if name.is_empty() {
        let _ = call.ctx.out("Username: ").await;
        name = line_of(&call).await.trim().to_owned();
        if name.is_empty() {
            return Err("Error: Non-null Username Required".into());
        }
    }
    if password.is_empty() {
        let _ = call.ctx.out("Password: ").await;
        password = line_of(&call).await;
        let _ = call.ctx.out("\n").await;
        if password.is_empty() {
            return Err("Error: Password Required".into());
        }
    }
    call.daemon.sim().sleep(call.daemon.images().pace().registry).await;
    if key(server) != HUB {
        exists(server)?;
    }
    let mut config = config(&call);
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    if !config["auths"].is_object() {
        config["auths"] = json!({});
    }
    config["auths"][key(server)] = json!({ "auth": auth });
    store(&call, &config)?;
    let path = config_path(&call);
    let warning = format!(
        "\nWARNING! Your credentials are stored unencrypted in '{path}'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n\n"
    );
    call.ctx.err(warning).await;
    call.line("Login Succeeded").await;
    Ok(0)
}

pub(crate) static LOGOUT: Command = Command {
    names: &["logout"],
    usage: "[SERVER]",
    help: "Log out from a registry",
    wants: Wants::AtMost(1),
    flags: &[],
    ends_at_argument: false,
    run: |call| {
        Box::pin(async move {
            let server = call.parsed.args.first().map_or("", String::as_str).to_owned();
            let mut config = config(&call);
            let is_in = user(&call, &server).is_some();
            if !is_in {
                call.line(format!("Not logged in to {}", key(&server))).await;
                return Ok(0);
            }
            if let Some(auths) = config["auths"].as_object_mut() {
                auths.remove(key(&server));
            }
            store(&call, &config)?;
            call.line(format!("Removing login credentials for {}", key(&server))).await;
            Ok(0)
        })
    },
};

pub(crate) static PULL: Command = Command {
    names: &["pull", "image pull"],
    usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
    help: "Download an image from a registry",
    wants: Wants::Exactly(1),
    flags: &[
        switch("all-tags", Some('a'), "Download all tagged images in the repository"),
        value("platform", None, "Accepted; there is one platform"),
        switch("quiet", Some('q'), "Suppress verbose output"),
    ],
    ends_at_argument: false,
    run: |call| Box::pin(pull(call)),
};

async fn pull(call: Call) -> Outcome {
    if call.parsed.is_on("all-tags") {
        return Err(simulation::stub!("docker", "docker pull --all-tags").into());
    }
    let name = &call.parsed.args[0];
    let reference = Daemon::reference(name)?;
    let quiet = call.parsed.is_on("quiet");
    let has_tag = name.rsplit('/').next().is_some_and(|last| last.contains([':', '@']));
    if !has_tag && !quiet {
        call.line("Using default tag: latest").await;
    }
    for line in fetch(&call, &reference).await? {
        if !quiet {
            call.line(line).await;
        }
    }
    call.line(reference.to_string()).await;
    Ok(0)
}

/// Pulls; what is said about it.
async fn fetch(call: &Call, reference: &Reference) -> Result<Vec<String>, String> {
    let images = call.daemon.images();
    let before = images.image(&reference.to_string());
    let had: Vec<String> =
        images.entries().iter().flat_map(|s| s.image.layers.iter().map(|l| l.digest.clone())).collect();
    let logins: Vec<Login> = login_to(call, &reference.domain).into_iter().collect();
    images.pull(&reference.to_string(), &logins).await.map_err(|why| why.to_string())?;
    let image = images.image(&reference.to_string()).ok_or("the image has gone")?;
    let is_same = before.is_some_and(|old| old.id == image.id);
    let from = match reference.domain.as_str() {
        "docker.io" => reference.path.clone(),
        _ => reference.familiar_repository().split_once('/').map_or_else(String::new, |(_, path)| path.to_owned()),
    };
    let what = reference.tag.as_deref().or(reference.digest.as_deref()).unwrap_or("latest");
    let mut lines = vec![format!("{what}: Pulling from {from}")];
    if !is_same {
        for layer in &image.layers {
            let id = text::short(&layer.digest);
            match had.contains(&layer.digest) {
                true => lines.push(format!("{id}: Already exists")),
                false if call.ctx.stdout.is_tty() => lines.push(format!("{id}: Pull complete")),
                false => lines.extend(
                    ["Pulling fs layer", "Verifying Checksum", "Download complete", "Pull complete"]
                        .map(|did| format!("{id}: {did}")),
                ),
            }
        }
    }
    if let Some(digest) = &image.digest {
        lines.push(format!("Digest: {digest}"));
    }
    let status = if is_same { "Image is up to date for" } else { "Downloaded newer image for" };
    lines.push(format!("Status: {status} {}", reference.familiar()));
    Ok(lines)
}

/// The pull of `docker run` for an image that is not there.
pub(super) async fn pull_for_run(call: &Call, name: &str, is_wanted: bool) -> Result<(), String> {
    let reference = Daemon::reference(name)?;
    let quiet = call.parsed.is_on("quiet");
    if !is_wanted && !quiet {
        call.ctx.err(format!("Unable to find image '{}' locally\n", reference.familiar())).await;
    }
    for line in fetch(call, &reference).await? {
        if !quiet {
            call.ctx.err(format!("{line}\n")).await;
        }
    }
    Ok(())
}

pub(crate) static PUSH: Command = Command {
    names: &["push", "image push"],
    usage: "[OPTIONS] NAME[:TAG]",
    help: "Upload an image to a registry",
    wants: Wants::Exactly(1),
    flags: &[
        switch("all-tags", Some('a'), "Push all tags of an image to the repository"),
        switch("quiet", Some('q'), "Suppress verbose output"),
    ],
    ends_at_argument: false,
    run: |call| Box::pin(push(call)),
};

async fn push(call: Call) -> Outcome {
    if call.parsed.is_on("all-tags") {
        return Err(simulation::stub!("docker", "docker push --all-tags").into());
    }
    let name = &call.parsed.args[0];
    let reference = Daemon::reference(name)?;
    let quiet = call.parsed.is_on("quiet");
    let say = |text: String| {
        let call = &call;
        async move {
            if !quiet {
                call.line(text).await;
            }
        }
    };
    if !name.rsplit('/').next().is_some_and(|last| last.contains(':')) {
        say("Using default tag: latest".to_owned()).await;
    }
    say(format!("The push refers to repository [{}]", reference.repository())).await;
    let Some(image) = call.daemon.images().image(&reference.to_string()) else {
        let repository = reference.familiar_repository();
        return Err(format!("An image does not exist locally with the tag: {repository}").into());
    };
    reachable(&call, &reference).await?;
    let ids: Vec<String> = image.layers.iter().rev().map(|layer| text::short(layer.diff_id())).collect();
    for id in &ids {
        say(format!("{id}: Preparing")).await;
    }
    let owner = reference.path.split('/').next().unwrap_or_default();
    // The official images are nobody's account.
    let is_officials = reference.domain == "docker.io" && owner == "library";
    if is_officials || !reference.path.contains('/') || user(&call, &reference.domain).as_deref() != Some(owner) {
        return Err("denied: requested access to the resource is denied".into());
    }
    upload(&call, &reference, &image, &ids, quiet).await?;
    if quiet {
        call.line(reference.to_string()).await;
    }
    Ok(0)
}

/// Whether there is a registry, in the engine's words if there is none.
fn exists(domain: &str) -> Result<(), String> {
    if is_known(domain) {
        return Ok(());
    }
    let at = if is_here(domain) { refused(domain) } else { PullError::NoSuchRegistry(domain.to_owned()).to_string() };
    Err(if at.starts_with("Error response") { at } else { format!("Error response from daemon: {at}") })
}

fn is_here(domain: &str) -> bool {
    domain.starts_with("localhost") || domain.starts_with("127.")
}

/// The words for a registry on the machine itself: there is none.
fn refused(domain: &str) -> String {
    let (scheme, port) = domain.split_once(':').map_or(("https", "443"), |(_, port)| ("http", port));
    format!("Get \"{scheme}://{domain}/v2/\": dial tcp 127.0.0.1:{port}: connect: connection refused")
}

async fn reachable(call: &Call, reference: &Reference) -> Result<(), Failure> {
    call.daemon.sim().sleep(call.daemon.images().pace().registry).await;
    let domain = &reference.domain;
    if is_here(domain) {
        return Err(refused(domain).into());
    }
    if !is_known(domain) {
        let words = PullError::NoSuchRegistry(domain.clone()).to_string();
        return Err(words.trim_start_matches("Error response from daemon: ").into());
    }
    Ok(())
}

async fn upload(call: &Call, reference: &Reference, image: &Image, ids: &[String], quiet: bool) -> Result<(), Failure> {
    let images = call.daemon.images();
    let registry = images.registry();
    let repository = reference.repository();
    for (layer, id) in image.layers.iter().rev().zip(ids) {
        let did = if registry.has_layer(&repository, &layer.digest) {
            "Layer already exists".to_owned()
        } else {
            let nanos = u128::from(layer.size) * 1_000_000_000 / u128::from(images.pace().pull_bytes_per_second.max(1));
            call.daemon.sim().sleep(PUSH_TIME + Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))).await;
            "Pushed".to_owned()
        };
        if !quiet {
            call.line(format!("{id}: {did}")).await;
        }
    }
    let pushed = registry.push(reference, image);
    let (digest, size) =
        pushed.map_err(|why| why.to_string().trim_start_matches("Error response from daemon: ").to_owned())?;
    images.note_digest(reference, &image.id, &digest);
    if !quiet {
        let tag = reference.tag.as_deref().unwrap_or("latest");
        call.line(format!("{tag}: digest: {digest} size: {size}")).await;
    }
    Ok(())
}
