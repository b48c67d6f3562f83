//! cp, mv.

use std::fs;
use std::path::{Path, PathBuf};

use crate::applet::{Fail, Io, Options, Outcome, about};

fn fail(path: &Path) -> impl Fn(std::io::Error) -> Fail + '_ {
    move |error| Fail::Message(about(&path.to_string_lossy(), &error))
}

fn copy(from: &Path, to: &Path, recursive: bool, keep_links: bool) -> Result<(), Fail> {
    let meta = if keep_links { fs::symlink_metadata(from) } else { fs::metadata(from) };
    let meta =
        meta.map_err(|e| Fail::Message(format!("can't stat '{}': {}", from.display(), proc::Errno::from_io(&e))))?;
    if meta.is_dir() {
        if !recursive {
            return Err(Fail::Message(format!("omitting directory '{}'", from.display())));
        }
        if !to.is_dir() {
            fs::create_dir(to).map_err(fail(to))?;
        }
        for entry in fs::read_dir(from).map_err(fail(from))? {
            let entry = entry.map_err(fail(from))?;
            copy(&entry.path(), &to.join(entry.file_name()), recursive, keep_links)?;
        }
        return Ok(());
    }
    if meta.file_type().is_symlink() {
        let target = fs::read_link(from).map_err(fail(from))?;
        let _ = fs::remove_file(to);
        return super::ln::symlink(&target.to_string_lossy(), &to.to_string_lossy());
    }
    let bytes = fs::read(from).map_err(fail(from))?;
    fs::write(to, bytes)
        .map_err(|e| Fail::Message(format!("can't create '{}': {}", to.display(), proc::Errno::from_io(&e))))?;
    if let Ok((mode, ..)) = proc::mode(&from.to_string_lossy(), true) {
        let _ = proc::chmod(&to.to_string_lossy(), mode & 0o7777);
    }
    Ok(())
}

/// Where each source goes: into the last operand if that is a folder.
fn targets(operands: &[String], no_folder: bool) -> Result<Vec<(PathBuf, PathBuf)>, Fail> {
    let Some((last, sources)) = operands.split_last().filter(|(_, s)| !s.is_empty()) else {
        return Err(Fail::Message("missing operand".to_owned()));
    };
    let folder = Path::new(last).is_dir() && !no_folder;
    if sources.len() > 1 && !folder {
        return Err(Fail::Message(format!("target '{last}': Not a directory")));
    }
    let to = |source: &Path| {
        if folder { Path::new(last).join(source.file_name().unwrap_or_default()) } else { PathBuf::from(last) }
    };
    Ok(sources.iter().map(|s| (PathBuf::from(s), to(Path::new(s)))).collect())
}

/// Copies files.
pub fn cp(_: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "aRrfpdLPivTu", &[("recursive", 'r'), ("archive", 'a')])?;
    let recursive = ['a', 'R', 'r'].into_iter().any(|l| options.has(l));
    for (from, to) in targets(&options.operands, options.has('T'))? {
        if from == to || (from.exists() && fs::canonicalize(&from).ok() == fs::canonicalize(&to).ok()) {
            return Err(Fail::Message(format!("'{}' and '{}' are the same file", from.display(), to.display())));
        }
        copy(&from, &to, recursive, options.has('a') || options.has('d') || options.has('P'))?;
    }
    Ok(0)
}

/// Renames files; across mounts it copies and removes.
pub fn mv(_: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "fivnTu", &[("force", 'f')])?;
    for (from, to) in targets(&options.operands, options.has('T'))? {
        if options.has('n') && to.exists() {
            continue;
        }
        if let Err(error) = fs::rename(&from, &to) {
            if proc::Errno::from_io(&error) != proc::Errno::XDEV {
                return Err(Fail::Message(format!(
                    "can't rename '{}': {}",
                    from.display(),
                    proc::Errno::from_io(&error)
                )));
            }
            copy(&from, &to, true, true)?;
            if from.is_dir() { fs::remove_dir_all(&from)? } else { fs::remove_file(&from)? }
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::{check, run};

    #[test]
    fn files_are_made_copied_moved_and_removed() {
        let root = std::env::temp_dir().join(format!("kubonsai-files-{}", std::process::id()));
        let path = |name: &str| root.join(name).to_string_lossy().into_owned();
        check("mkdir", &["-p", &path("a/b")], "", "");
        check("touch", &[&path("a/f")], "", "");
        check("tee", &[&path("a/b/g")], "text\n", "text\n");
        check("cp", &["-r", &path("a"), &path("c")], "", "");
        check("cat", &[&path("c/b/g")], "", "text\n");
        check("mv", &[&path("c/f"), &path("c/b")], "", "");
        check("ls", &[&path("c/b")], "", "f\ng\n");
        check("find", &[&path("c"), "-type", "f", "-name", "g"], "", &format!("{}\n", path("c/b/g")));
        check("ln", &["-s", "b/g", &path("c/link")], "", "");
        check("readlink", &[&path("c/link")], "", "b/g\n");
        assert_eq!(run("cp", &[&path("a"), &path("x")], "").2, format!("cp: omitting directory '{}'\n", path("a")));
        assert_eq!(run("rmdir", &[&path("a")], "").0, 1);
        assert_eq!(
            run("rm", &[&path("none")], "").2,
            format!("rm: can't remove '{}': No such file or directory\n", path("none"))
        );
        check("rm", &["-rf", &root.to_string_lossy(), "none"], "", "");
        assert!(!root.exists());
    }
}
