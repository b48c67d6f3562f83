//! `vi`, `vim`, `view` and `nano`: a file in an editor window beside the terminal.
//!
//! The window is the page's ([`machine::Desktop`]); what is saved there is written here, when it is saved. Scripts and
//! terminals without a page have no window, so there the programs refuse by name.

use machine::{Ctx, EditEvent, EditFile};
use simulation::stub;
use vfs::Errno;

use super::Outcome;
use super::io::complain;
use crate::words::{Language, Words};

/// Longest file that is opened, in bytes: a window is for manifests, not for logs.
const FILE_BYTES_MAX: u64 = 1_000_000;

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let name = args[0].as_str();
    let mut read_only = name == "view";
    let mut files = Vec::new();
    let mut only_files = false;
    for arg in &args[1..] {
        match arg.as_str() {
            "--" if !only_files => only_files = true,
            "-R" | "-v" if !only_files => read_only = true,
            "-" => {
                let text = stub!("shell", "editing standard input in an editor");
                ctx.err(format!("{name}: {text}\n")).await;
                return Ok(1);
            }
            // Where to begin and how to look: the window has its own way.
            option if !only_files && option.len() > 1 && option.starts_with(['-', '+']) => {}
            file => files.push(file.to_owned()),
        }
    }
    if files.is_empty() {
        let text = stub!("shell", "editing a text that has no file name yet");
        ctx.err(format!("{name}: {text}: say which file, for example `{name} pod.yaml`\n")).await;
        return Ok(1);
    }
    for file in files {
        match edit(&ctx, name, &file, read_only).await? {
            0 => {}
            code => return Ok(code),
        }
    }
    Ok(0)
}

/// Edits one file; the value is the exit code.
async fn edit(ctx: &Ctx, name: &str, file: &str, read_only: bool) -> Outcome {
    let path = ctx.path(file);
    let text = match read(ctx, &path) {
        Ok(text) => text,
        Err(why) => {
            complain(ctx, name, format!("{file}: {why}")).await;
            return Ok(1);
        }
    };
    let Some(desktop) = ctx.host.desktop().filter(|_| ctx.tty.is_some()) else {
        return refuse(ctx, name).await;
    };
    let mut window = desktop.edit(EditFile { path: path.clone(), text, read_only });
    let language = Language::of(|name| ctx.env.get(name).map(String::as_str));
    ctx.out(Words::EditorOpen.say(language, &[("file", file)]) + "\n").await?;
    loop {
        match window.next().await {
            EditEvent::Saved(_) if read_only => {}
            EditEvent::Saved(text) => {
                if let Err(errno) = ctx.fs.write(&path, text) {
                    complain(ctx, name, format!("{file}: {errno}")).await;
                }
            }
            EditEvent::Closed => return Ok(0),
            EditEvent::Unavailable => return refuse(ctx, name).await,
        }
    }
}

/// The text of a file; a file that is not there yet is empty.
fn read(ctx: &Ctx, path: &str) -> Result<String, String> {
    match ctx.fs.stat(path) {
        Err(Errno::NotFound) if ctx.fs.is_dir(vfs::path::dirname(path)) => return Ok(String::new()),
        Err(errno) => return Err(errno.to_string()),
        Ok(_) if ctx.fs.is_dir(path) => return Err("Is a directory".to_owned()),
        Ok(stat) if stat.size > FILE_BYTES_MAX => return Err("File too large".to_owned()),
        Ok(_) => {}
    }
    let bytes = ctx.fs.read(path).map_err(|errno| errno.to_string())?;
    String::from_utf8(bytes.to_vec()).map_err(|_| "not a text file".to_owned())
}

async fn refuse(ctx: &Ctx, name: &str) -> Outcome {
    let text = stub!("shell", "an editor where there is no page beside the terminal");
    ctx.err(format!("{name}: {text}; `cat > FILE`, `sed -i` and `tee` write files\n")).await;
    Ok(1)
}
