//! `minikube image`: the images of the machines (`cmd/minikube/cmd/image.go`, `pkg/minikube/machine/cache_images.go`).

use std::collections::BTreeMap;

use futures_util::future::LocalBoxFuture;
use json::{Value, json};

use crate::command::{Command, Flag};
use crate::commands::info::{not_running, table};
use crate::engine::{docker, docker_shown, machines};
use crate::out::Style;
use crate::program::Call;

/// minikube's exit code for a wrong command line.
const EXIT_USAGE: i32 = 14;
/// minikube's exit code for what went wrong on a machine.
const EXIT_GUEST: i32 = 80;
/// Characters of an image's ID in the table.
const ID_CHARS: usize = 13;

pub(crate) static COMMAND: Command = Command {
    name: "image",
    aliases: &[],
    usage: " COMMAND",
    help: "Manage images: build, load, ls, pull, push, rm, save, tag",
    flags: &[
        Flag { name: "format", short: None, default: Some("short"), help: "Of ls: one of: short|table|json|yaml" },
        Flag { name: "tag", short: Some('t'), default: Some(""), help: "Of build: tag to apply to the new image" },
        Flag { name: "file", short: Some('f'), default: Some(""), help: "Of build: path to the Dockerfile to use" },
        Flag { name: "push", short: None, default: None, help: "Of build: push the new image (requires tag)" },
        Flag { name: "all", short: None, default: None, help: "Of build: build on all machines" },
        Flag { name: "pull", short: None, default: None, help: "Of load: pull the remote image (no caching)" },
        Flag { name: "daemon", short: None, default: None, help: "Of load and save: the local docker daemon" },
        Flag { name: "remote", short: None, default: None, help: "Of load: from a remote registry" },
        Flag {
            name: "overwrite",
            short: None,
            default: Some("true"),
            help: "Accepted; a name is given to the new image",
        },
    ],
    run,
};

fn run(call: Call) -> LocalBoxFuture<'static, i32> {
    Box::pin(async move {
        let args = call.parsed.args.clone();
        let (name, args) = args.split_first().map_or(("", &[][..]), |(name, args)| (name.as_str(), args));
        if !matches!(
            name,
            "build" | "list" | "load" | "ls" | "pull" | "push" | "remove" | "rm" | "save" | "tag" | "unload"
        ) {
            return call
                .give_up(
                    "MK_USAGE",
                    EXIT_USAGE,
                    "Usage: minikube image COMMAND, one of: build, load, ls, pull, push, rm, save, tag",
                )
                .await;
        }
        let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
        if !status.running {
            return not_running(&call).await;
        }
        let done = match name {
            "ls" | "list" => list(&call).await,
            "load" => load(&call, args).await,
            "build" => build(&call, args).await,
            "save" => save(&call, args).await,
            "tag" => tag(&call, args).await,
            "pull" => each(&call, args, "pull", &PULL).await,
            "push" => each(&call, args, "push", &PUSH).await,
            _ => each(&call, args, "rmi", &REMOVE).await,
        };
        match done {
            Ok(()) => 0,
            Err(Why::Usage(message)) => call.give_up("MK_USAGE", EXIT_USAGE, message).await,
            Err(Why::Guest(reason, message)) => call.give_up(reason, EXIT_GUEST, message).await,
        }
    })
}

/// Why it did not work.
enum Why {
    Usage(&'static str),
    /// minikube's reason and message.
    Guest(&'static str, String),
}

type Done = Result<(), Why>;

/// How minikube words a command of docker that is run on every machine.
struct Wording {
    reason: &'static str,
    message: &'static str,
    what: &'static str,
}

const PULL: Wording =
    Wording { reason: "GUEST_IMAGE_PULL", message: "Failed to pull images", what: "pull image docker" };
const PUSH: Wording =
    Wording { reason: "GUEST_IMAGE_PUSH", message: "Failed to push images", what: "push image docker" };
const REMOVE: Wording =
    Wording { reason: "GUEST_IMAGE_REMOVE", message: "Failed to remove image", what: "remove image docker" };

/// What minikube says of a command on a machine that failed.
fn on_machine(what: &str, command: &str, stderr: &str) -> String {
    format!("{what}: {command}: Process exited with status 1\nstdout:\n\nstderr:\n{stderr}")
}

/// A command of docker for each image on every machine. minikube only logs what fails, but for a removal, which it warns of.
async fn each(call: &Call, args: &[String], command: &str, wording: &Wording) -> Done {
    if args.is_empty() && command == "rmi" {
        return Err(Why::Usage("requires at least 1 arg(s), only received 0"));
    }
    for machine in machines(call) {
        for image in args {
            let Err(why) = docker(call, Some(machine), &[command, image], Vec::new()).await.checked() else { continue };
            let why = on_machine(wording.what, &format!("docker {command} {image}"), &why);
            if command == "rmi" {
                let text =
                    format!("Failed to remove images for profile {} error removing images: {why}", call.profile());
                call.error(Style::Warning, text).await;
            } else {
                // Upstream keeps this in its log, which nobody sees here.
                return Err(Why::Guest(wording.reason, format!("{}: {why}", wording.message)));
            }
        }
    }
    Ok(())
}

async fn tag(call: &Call, args: &[String]) -> Done {
    let [source, target] = args else { return Err(Why::Usage("Please provide source and target image")) };
    for machine in machines(call) {
        if let Err(why) = docker(call, Some(machine), &["tag", source, target], Vec::new()).await.checked() {
            let why = on_machine("tag image docker", &format!("docker tag {source} {target}"), &why);
            return Err(Why::Guest("GUEST_IMAGE_TAG", format!("Failed to tag images: {why}")));
        }
    }
    Ok(())
}

async fn load(call: &Call, args: &[String]) -> Done {
    if args.is_empty() {
        return Err(Why::Usage(
            "Please provide an image in your local daemon to load into minikube via <minikube image load IMAGE_NAME>",
        ));
    }
    if call.parsed.is_on("pull") {
        let wording = Wording { reason: "GUEST_IMAGE_LOAD", message: "Failed to pull image", ..PULL };
        return each(call, args, "pull", &wording).await;
    }
    for image in args {
        let failed = |why: String| Why::Guest("GUEST_IMAGE_LOAD", format!("Failed to load image: {why}"));
        let path = call.ctx.path(image);
        let is_file = image.starts_with(['/', '.']) || call.ctx.fs.exists(&path);
        let archive = if image == "-" {
            call.ctx.stdin.read_to_end().await
        } else if is_file && !call.parsed.is_on("daemon") && !call.parsed.is_on("remote") {
            let read = call.ctx.fs.read(&path);
            let why =
                |errno: vfs::Errno| failed(format!("loading images: stat {image}: {}", errno.message().to_lowercase()));
            read.map_err(why)?.to_vec()
        } else {
            let local = docker(call, None, &["save", image], Vec::new()).await.checked();
            match local {
                Ok(archive) if !call.parsed.is_on("remote") => archive,
                local => {
                    // It is not here: from its registry, then.
                    let first = local.err().unwrap_or_default();
                    for machine in machines(call) {
                        let pulled = docker(call, Some(machine), &["pull", image], Vec::new()).await.checked();
                        pulled.map_err(|_| failed(format!("save to dir: caching images: caching image {image:?}: write: unable to calculate manifest: {first}")))?;
                    }
                    continue;
                }
            }
        };
        for machine in machines(call) {
            let loaded = docker(call, Some(machine), &["load"], archive.clone()).await.checked();
            loaded.map_err(|why| failed(format!("loading images: Docker load {image}: loadimage docker: {why}")))?;
        }
    }
    Ok(())
}

async fn save(call: &Call, args: &[String]) -> Done {
    let Some(image) = args.first() else {
        return Err(Why::Usage(
            "Please provide an image in the container runtime to save from minikube via <minikube image save IMAGE_NAME>",
        ));
    };
    let failed = |why: String| Why::Guest("GUEST_IMAGE_SAVE", format!("Failed to save image: {why}"));
    let Some(machine) = machines(call).first().copied() else { return Ok(()) };
    let archive = docker(call, Some(machine), &["save", image], Vec::new()).await.checked();
    let archive = archive.map_err(|_| failed(format!("saving images: image not found {image}")))?;
    match args.get(1).map(String::as_str) {
        Some("-") => drop(call.ctx.stdout.write_all(&archive).await),
        Some(path) => {
            let written = call.ctx.fs.write(&call.ctx.path(path), archive);
            written.map_err(|why| failed(format!("open {path}: {}", why.message().to_lowercase())))?;
        }
        None if call.parsed.is_on("daemon") => {
            let loaded = docker(call, None, &["load"], archive).await.checked();
            loaded.map_err(failed)?;
        }
        None => {
            // Into minikube's cache, where a name's colon is an underscore.
            let home = call.ctx.var("HOME").unwrap_or("/root");
            let path = format!("{home}/.minikube/cache/images/wasm/{}", image.replace(':', "_"));
            let fs = &call.ctx.fs;
            let written = fs.mkdir_all(vfs::path::dirname(&path)).and_then(|()| fs.write(&path, archive));
            written.map_err(|why| failed(format!("open {path}: {}", why.message().to_lowercase())))?;
        }
    }
    Ok(())
}

async fn build(call: &Call, args: &[String]) -> Done {
    let Some(path) = args.first() else { return Err(Why::Usage("Please provide a path or url to build")) };
    let mut words = vec!["build"];
    let (tag, file) = (call.parsed.value("tag"), call.parsed.value("file"));
    if !tag.is_empty() {
        words.extend(["-t", tag]);
    }
    let below = format!("{}/{file}", path.trim_end_matches('/'));
    if !file.is_empty() {
        // The file is looked for in the folder that is sent.
        words.extend(["-f", if call.ctx.fs.exists(&call.ctx.path(&below)) { &below } else { file }]);
    }
    words.push(path);
    let all = machines(call);
    let count = if call.parsed.is_on("all") { all.len() } else { 1 };
    for machine in all.into_iter().take(count) {
        if docker_shown(call, machine, &words).await != 0 {
            let why = "Failed to build image: buildimage docker: docker build: Process exited with status 1";
            return Err(Why::Guest("GUEST_IMAGE_BUILD", why.to_owned()));
        }
        if call.parsed.is_on("push") && docker_shown(call, machine, &["push", tag]).await != 0 {
            let why = "Failed to build image: push image docker: Process exited with status 1";
            return Err(Why::Guest("GUEST_IMAGE_BUILD", why.to_owned()));
        }
    }
    Ok(())
}

/// An image of some machine.
#[derive(Default)]
struct Listed {
    tags: Vec<String>,
    /// In words, and in bytes.
    size: (String, u64),
}

/// `8.31MB` in bytes.
fn bytes(size: &str) -> u64 {
    let digits = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &size[digits.len()..] {
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => 1.0,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes are below a terabyte")]
    digits.parse::<f64>().map_or(0, |number| (number * unit).round() as u64)
}

/// A name with its registry.
fn in_full(name: &str) -> String {
    match name.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
        None => format!("docker.io/library/{name}"),
    }
}

async fn listed(call: &Call) -> BTreeMap<String, Listed> {
    let mut found: BTreeMap<String, Listed> = BTreeMap::new();
    for machine in machines(call) {
        let words = ["images", "--no-trunc", "--format", "json"];
        let answer = docker(call, Some(machine), &words, Vec::new()).await;
        for line in String::from_utf8_lossy(&answer.stdout).lines() {
            let image: Value = json::from_str(line).unwrap_or_default();
            let text = |field: &str| image[field].as_str().unwrap_or_default().to_owned();
            let row = found.entry(text("ID").trim_start_matches("sha256:").to_owned()).or_default();
            let tag = in_full(&format!("{}:{}", text("Repository"), text("Tag")));
            if !row.tags.contains(&tag) {
                row.tags.push(tag);
            }
            row.size = (text("Size"), bytes(&text("Size")));
        }
    }
    found
}

async fn list(call: &Call) -> Done {
    let found = listed(call).await;
    let document = |(id, image): (&String, &Listed)| json!({ "id": id.clone(), "repoDigests": Vec::<Value>::new(), "repoTags": image.tags.clone(), "size": image.size.1.to_string() });
    let text = match call.parsed.value("format") {
        "json" => format!("{}\n", Value::from(found.iter().map(document).collect::<Vec<_>>())),
        "yaml" => {
            let documents: Vec<Value> = found.iter().map(document).collect();
            format!("{}\n", api::yaml::emit(&Value::from(documents)))
        }
        "table" => {
            let mut rows = vec![["Image", "Tag", "Image ID", "Size"].map(str::to_owned)];
            for (id, image) in &found {
                for (name, tag) in image.tags.iter().filter_map(|name| name.rsplit_once(':')) {
                    let id: String = id.chars().take(ID_CHARS).collect();
                    rows.push([name.to_owned(), tag.to_owned(), id, image.size.0.clone()]);
                }
            }
            table(&rows)
        }
        _ => {
            let mut names: Vec<&String> = found.values().flat_map(|image| &image.tags).collect();
            names.sort_by(|a, b| b.cmp(a));
            names.iter().map(|name| format!("{name}\n")).collect()
        }
    };
    let _ = call.ctx.out(text).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_sizes_are_those_of_minikube() {
        assert_eq!(in_full("app:v1"), "docker.io/library/app:v1");
        assert_eq!(in_full("me/app:v1"), "docker.io/me/app:v1");
        assert_eq!(in_full("gcr.io/k8s-minikube/storage-provisioner:v5"), "gcr.io/k8s-minikube/storage-provisioner:v5");
        assert_eq!((bytes("8.31MB"), bytes("59.6kB"), bytes("12B")), (8_310_000, 59_600, 12));
    }
}
