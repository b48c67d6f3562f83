//! `kubonsai image build`: an image of a folder, as an OCI layout on disk. What builds it is docker of the learner's machine, in a
//! world of its own whose clock stands at a fixed moment, so that the same files give the same digests.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::{Args, Subcommand};
use cluster::World;
use runtime::image::{Reference, digest_of};
use simulation::Time;

use kubonsai::drive;
use kubonsai::engine::Engine;

/// When an image says that it was made, as those of the project do: 2026-01-01T00:00:00Z.
const CREATED: Time = Time::from_unix_seconds(1_767_225_600);
/// Bytes of all files of a folder.
const CONTEXT_BYTES_MAX: u64 = 256 << 20;

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds a folder with a Dockerfile, or with nothing but one .wasm program, into an OCI layout.
    Build(Build),
}

#[derive(Args)]
struct Build {
    /// The folder.
    folder: PathBuf,
    /// The image's name, e.g. `me/app:v1`; otherwise the folder's.
    #[arg(short, long)]
    tag: Option<String>,
    /// Where the layout goes.
    #[arg(short, long, default_value = "image")]
    out: PathBuf,
}

/// Runs a command; the value is its exit code.
pub(crate) fn run(options: &Options) -> anyhow::Result<u8> {
    match &options.command {
        Command::Build(options) => build(options),
    }
}

/// A file of the folder: its path below it, its bytes, and whether it may be executed.
type File = (String, Bytes, bool);

fn read_below(folder: &Path, prefix: &str, files: &mut Vec<File>, left: &mut u64) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        let meta = std::fs::symlink_metadata(&path).with_context(|| path.display().to_string())?;
        if meta.is_dir() {
            read_below(&path, &format!("{name}/"), files, left)?;
        } else if meta.is_file() {
            *left = left.checked_sub(meta.len()).context("the folder holds more than 256 MiB")?;
            let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
            files.push((name, bytes.into(), is_program(&path, &meta)));
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_program(_: &Path, meta: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    meta.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_program(path: &Path, _: &std::fs::Metadata) -> bool {
    path.extension().is_some_and(|extension| extension == "wasm" || extension == "sh")
}

/// The Dockerfile of a folder that has none: its one program and nothing else.
fn dockerfile_for(files: &[File]) -> anyhow::Result<String> {
    let mut programs = files.iter().filter(|(name, ..)| name.ends_with(".wasm"));
    match (programs.next(), programs.next()) {
        (Some((name, ..)), None) => {
            let base = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".wasm");
            Ok(format!("FROM scratch\nCOPY --chmod=755 {name} /{base}\nENTRYPOINT [\"/{base}\"]\n"))
        }
        _ => bail!("the folder has neither a Dockerfile nor exactly one .wasm file"),
    }
}

fn build(options: &Build) -> anyhow::Result<u8> {
    let mut files = Vec::new();
    read_below(&options.folder, "", &mut files, &mut CONTEXT_BYTES_MAX.clone())?;
    if !files.iter().any(|(name, ..)| name == "Dockerfile") {
        files.push(("Dockerfile".to_owned(), dockerfile_for(&files)?.into(), false));
    }
    let folder = options.folder.canonicalize()?;
    let own_name = folder.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let tag = options.tag.clone().unwrap_or(own_name);
    let reference = Reference::parse(&tag).with_context(|| format!("{tag:?}"))?;
    let mut world = drive::new_world_on(Engine::default(), 1, CREATED, None, 1)?;
    let mut all = Vec::new();
    for (name, bytes, is_program) in files {
        all.extend(format!("{} {name} {is_program}\n", digest_of(&bytes)).into_bytes());
        world.put_bytes(&format!("context/{name}"), bytes, is_program).map_err(anyhow::Error::msg)?;
    }
    let labels = [
        ("org.opencontainers.image.title", reference.familiar_repository()),
        ("org.opencontainers.image.ref.name", reference.familiar()),
        ("dev.kubonsai.builder", format!("kubonsai {}", env!("CARGO_PKG_VERSION"))),
        ("dev.kubonsai.context", digest_of(&all)),
    ];
    let labels: String = labels.iter().map(|(name, value)| format!(" --label {name}='{value}'")).collect();
    let name = reference.familiar();
    let script = format!("cd context && docker build{labels} -t {name} . && docker save -o ../image.tar {name}");
    let code = crate::sh::play(&mut world, &script, Vec::new(), 1, |world| crate::sh::pass_on(world.take_output()))?;
    if code == 0 {
        write(&world, &reference, &options.out)?;
        println!("{}: {reference}", options.out.display());
    }
    Ok(code)
}

/// Lays the archive down as a folder that can be a registry of the page and of the command: `references` are their catalogue.
fn write(world: &World, reference: &Reference, out: &Path) -> anyhow::Result<()> {
    let archive = world.file("image.tar").map_err(anyhow::Error::msg)?;
    for entry in tar::Archive::new(&archive[..]).entries()? {
        let mut entry = entry?;
        let path = out.join(entry.path()?);
        std::fs::create_dir_all(path.parent().unwrap_or(out))?;
        std::io::copy(&mut entry, &mut std::fs::File::create(&path)?).with_context(|| path.display().to_string())?;
    }
    let path = out.join("index.json");
    let mut index: json::Value = json::from_slice(&std::fs::read(&path)?)?;
    let digest = index["manifests"][0]["digest"].clone();
    index["references"] = json::json!({});
    index["references"][reference.to_string().as_str()] = digest;
    std::fs::write(&path, format!("{index}\n"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_one_program_needs_no_dockerfile() {
        let file = |name: &str| (name.to_owned(), Bytes::new(), true);
        assert_eq!(
            dockerfile_for(&[file("README"), file("bin/app.wasm")]).expect("one program"),
            "FROM scratch\nCOPY --chmod=755 bin/app.wasm /app\nENTRYPOINT [\"/app\"]\n"
        );
        assert!(dockerfile_for(&[file("a.wasm"), file("b.wasm")]).is_err());
        assert!(dockerfile_for(&[]).is_err());
    }

    #[test]
    fn the_same_folder_gives_the_same_layout() {
        let root = std::env::temp_dir().join(format!("kubonsai-image-{}", std::process::id()));
        let folder = root.join("app");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("app.wasm"), b"\0asm\x01\0\0\0").expect("written");
        let make = |out: &str| {
            let out = root.join(out);
            let options = Build { folder: folder.clone(), tag: Some("me/app:v1".into()), out: out.clone() };
            assert_eq!(build(&options).expect("it builds"), 0);
            std::fs::read_to_string(out.join("index.json")).expect("a layout")
        };
        let first = make("one");
        assert_eq!(first, make("two"));
        let index: json::Value = json::from_str(&first).expect("an index");
        let digest = index["references"]["docker.io/me/app:v1"].as_str().expect("a reference").to_owned();
        let manifest = root.join("one/blobs").join(digest.replace(':', "/"));
        let manifest: json::Value = json::from_slice(&std::fs::read(manifest).expect("a blob")).expect("a manifest");
        let config = manifest["config"]["digest"].as_str().expect("a digest").replace(':', "/");
        let config = std::fs::read_to_string(root.join("one/blobs").join(config)).expect("a blob");
        assert!(
            config.contains("\"dev.kubonsai.context\":\"sha256:") && config.contains("\"Entrypoint\":[\"/app\"]"),
            "{config}"
        );
        std::fs::remove_dir_all(&root).expect("it was there");
    }
}
