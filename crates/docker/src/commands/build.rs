//! `docker build` (`docker/buildx`), and what it remembers.

use std::collections::BTreeMap;

use machine::Writer;
use simulation::stub;

use crate::Daemon;
use crate::build::{Ignore, Options, Progress, build};
use crate::command::{Call, Command, Failure, Outcome, Wants, switch, value, values};
use crate::text;

pub(crate) static BUILD: Command = Command {
    names: &["build", "image build", "buildx build", "builder build"],
    usage: "[OPTIONS] PATH | URL | -",
    help: "Build an image from a Dockerfile",
    wants: Wants::Exactly(1),
    flags: &[
        values("build-arg", None, "Set build-time variables"),
        value("file", Some('f'), "Name of the Dockerfile (default: \"PATH/Dockerfile\")"),
        values("label", None, "Set metadata for an image"),
        switch("load", None, "Accepted; images are loaded"),
        switch("no-cache", None, "Do not use cache when building the image"),
        value("platform", None, "Accepted; there is one platform"),
        value("progress", None, "Accepted; progress is plain"),
        switch("pull", None, "Always attempt to pull all referenced images"),
        switch("push", None, "Push the image to its registry"),
        switch("quiet", Some('q'), "Suppress the build output and print image ID on success"),
        switch("rm", None, "Accepted; nothing is left behind"),
        values("tag", Some('t'), "Name and optionally a tag (format: \"name:tag\")"),
        value("target", None, "Set the target build stage to build"),
    ],
    ends_at_argument: false,
    run: |call| Box::pin(run(call)),
};

fn failed(why: impl std::fmt::Display) -> Failure {
    format!("ERROR: failed to build: {why}").into()
}

/// The Dockerfile: its name as it is shown, and its path.
fn dockerfile(call: &Call, root: &str) -> (String, String) {
    match call.parsed.get("file") {
        None => ("Dockerfile".to_owned(), vfs::path::join(root, "Dockerfile")),
        Some(given) => (vfs::path::basename(given).to_owned(), call.ctx.path(given)),
    }
}

async fn run(call: Call) -> Outcome {
    let path = call.parsed.args[0].clone();
    if call.parsed.is_on("push") {
        return Err(failed(stub!("docker build", "--push")));
    }
    if path == "-" || path.contains("://") || path.starts_with("git@") {
        return Err(failed(stub!("docker build", "a context that is no folder")));
    }
    let root = call.ctx.path(&path);
    let files = call.ctx.fs.at(&call.ctx.cwd);
    if !files.is_dir(&root) {
        let why = if files.exists(&root) {
            format!("unable to prepare context: context must be a directory: {root}")
        } else {
            format!("unable to prepare context: path {path:?} not found")
        };
        return Err(failed(why));
    }
    let root = files.canonicalize(&root).map_err(failed)?;
    let mut tags = Vec::new();
    for tag in call.parsed.all("tag") {
        let parsed = Daemon::reference(tag);
        tags.push(parsed.map_err(|why| failed(format!("invalid tag {tag:?}: {why}")))?);
    }
    let quiet = call.parsed.is_on("quiet");
    let out = if quiet { Writer::null() } else { call.ctx.stderr.clone() };
    let progress = Progress::new(call.daemon.sim(), out).await;
    let (name, file) = dockerfile(&call, &root);
    let Ok(text) = files.read_to_string(&file) else {
        progress.begin(&format!("[internal] load build definition from {name}")).await;
        progress.line("transferring dockerfile: 2B done").await;
        progress.done().await;
        return Err(failed(format!(
            "failed to solve: failed to read dockerfile: open {name}: no such file or directory"
        )));
    };
    let own_ignore = files.read_to_string(&format!("{file}.dockerignore"));
    let ignore = own_ignore.or_else(|_| files.read_to_string(&vfs::path::join(&root, ".dockerignore")));
    let pair = |text: &String| match text.split_once('=') {
        Some((name, value)) => Some((name.to_owned(), value.to_owned())),
        // Without a value it is taken from the environment.
        None => call.ctx.var(text).map(|value| (text.clone(), value.to_owned())),
    };
    let options = Options {
        tags,
        file: (name.clone(), text.clone()),
        files,
        root,
        ignore: Ignore::parse(&ignore.unwrap_or_default()),
        args: call.parsed.all("build-arg").iter().filter_map(pair).collect::<BTreeMap<_, _>>(),
        labels: call.parsed.all("label").iter().filter_map(pair).collect(),
        target: call.parsed.get("target").map(str::to_owned),
        no_cache: call.parsed.is_on("no-cache"),
        pull: call.parsed.is_on("pull"),
        logins: super::registry::logins(&call),
    };
    match build(&call.daemon, &options, &progress).await {
        Ok(image) => {
            if quiet {
                call.line(&image.id).await;
            }
            Ok(0)
        }
        Err(error) => {
            if let Some(lines) = error.lines {
                progress.source(&name, &text, lines).await;
            }
            Err(failed(format!("failed to solve: {}", error.why)))
        }
    }
}

pub(crate) static PRUNE: Command = Command {
    names: &["builder prune", "buildx prune"],
    usage: "[OPTIONS]",
    help: "Remove build cache",
    wants: Wants::Exactly(0),
    flags: &[
        switch("all", Some('a'), "Remove all unused build cache, not just dangling ones"),
        switch("force", Some('f'), "Do not prompt for confirmation"),
    ],
    ends_at_argument: false,
    run: |call| {
        Box::pin(async move {
            let (_, bytes) = call.daemon.forget_steps();
            call.line(format!("Total:\t{}", text::size(bytes, 4))).await;
            Ok(0)
        })
    },
};
