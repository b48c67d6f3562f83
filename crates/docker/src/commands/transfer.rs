//! `docker save` and `docker load` (`cli/command/image/save.go`, `load.go`).

use bytes::Bytes;
use runtime::image::{Reference, StoredImage};

use crate::command::{Call, Command, Outcome, Wants, switch, value};
use crate::daemon::archive;

/// Bytes read from standard input at once.
const READ_BYTES_MAX: usize = 64 * 1024;

pub(crate) static SAVE: Command = Command {
    names: &["save", "image save"],
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    help: "Save one or more images to a tar archive (streamed to STDOUT by default)",
    wants: Wants::AtLeast(1),
    flags: &[value("output", Some('o'), "Write to a file, instead of STDOUT")],
    ends_at_argument: false,
    run: |call| Box::pin(save(call)),
};

async fn save(call: Call) -> Outcome {
    if call.parsed.get("output").is_none() && call.ctx.stdout.is_tty() {
        return Err("cowardly refusing to save to a terminal. Use the -o flag or redirect".into());
    }
    let mut images: Vec<(StoredImage, Vec<String>)> = Vec::new();
    for name in &call.parsed.args {
        let stored = call.daemon.image(name)?;
        let by_name = call.daemon.images().image(name).is_some();
        let tag = Reference::parse(name).ok().filter(|_| by_name).map(|r| r.familiar());
        let tags = tag.into_iter().filter(|tag| stored.tags.contains(tag)).collect::<Vec<_>>();
        match images.iter_mut().find(|(other, _)| other.image.id == stored.image.id) {
            Some((_, all)) => all.extend(tags),
            None => images.push((stored, tags)),
        }
    }
    let packed = archive::pack(&archive::layout(&images)).map_err(|why| why.to_string())?;
    match call.parsed.get("output") {
        Some(path) => {
            let written = call.ctx.fs.write(&call.ctx.path(path), packed);
            written.map_err(|why| format!("failed to save image: open {path}: {}", why.message().to_lowercase()))?;
        }
        None => drop(call.ctx.stdout.write_all(&packed).await),
    }
    Ok(0)
}

pub(crate) static LOAD: Command = Command {
    names: &["load", "image load"],
    usage: "[OPTIONS]",
    help: "Load an image from a tar archive or STDIN",
    wants: Wants::Exactly(0),
    flags: &[
        value("input", Some('i'), "Read from tar archive file, instead of STDIN"),
        switch("quiet", Some('q'), "Suppress the load output"),
    ],
    ends_at_argument: false,
    run: |call| Box::pin(load(call)),
};

/// Standard input up to its end.
async fn input(call: &Call) -> Result<Bytes, String> {
    let mut all = Vec::new();
    loop {
        let bytes = call.ctx.stdin.read(READ_BYTES_MAX).await;
        if bytes.is_empty() {
            return Ok(all.into());
        }
        if all.len() + bytes.len() > archive::ARCHIVE_BYTES_MAX {
            return Err(archive::no_room());
        }
        all.extend_from_slice(&bytes);
    }
}

async fn load(call: Call) -> Outcome {
    let bytes = match call.parsed.get("input") {
        Some(path) => {
            let read = call.ctx.fs.read(&call.ctx.path(path));
            read.map_err(|why| format!("open {path}: {}", why.message().to_lowercase()))?
        }
        None if call.ctx.stdin.is_tty() => {
            return Err("requested load from stdin, but stdin is empty".into());
        }
        None => input(&call).await?,
    };
    for loaded in call.daemon.load(bytes)? {
        for name in &loaded.names {
            call.line(format!("Loaded image: {name}")).await;
        }
        if loaded.names.is_empty() {
            call.line(format!("Loaded image ID: {}", loaded.id)).await;
        }
    }
    Ok(0)
}
