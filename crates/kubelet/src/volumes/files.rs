//! Writing volumes, and the files that every container gets.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use api::Object;
use bytes::Bytes;
use json::Value;
use simulation::Sim;
use vfs::{Errno, FileKind, Vfs};

use crate::spec;

/// One file of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    /// Permission bits.
    pub(super) mode: u16,
    pub(super) bytes: Bytes,
    /// Root's if none.
    pub(super) owner: Option<u32>,
}

impl File {
    pub(super) fn new(mode: u16, bytes: impl Into<Bytes>) -> File {
        File { mode, bytes: bytes.into(), owner: None }
    }
}

/// Path below the volume's root -> file.
pub(super) type Files = BTreeMap<String, File>;

/// Publishes files as upstream's atomic writer does (`pkg/volume/util/atomic_writer.go`): into a folder named after the time,
/// reached through the link `..data`, so that readers see all of the old or all of the new. Nothing happens when nothing
/// changed; whether something did is the answer.
pub(super) fn publish(sim: &Sim, tree: &Vfs, files: &Files) -> Result<bool, String> {
    write(sim, tree, files).map_err(|errno| errno.message().to_lowercase())
}

fn write(sim: &Sim, tree: &Vfs, files: &Files) -> Result<bool, Errno> {
    let previous = tree.readlink("/..data").ok();
    if let Some(folder) = &previous
        && unchanged(tree, folder, files)
    {
        return Ok(false);
    }
    let folder = folder_name(sim);
    tree.mkdir_all(&format!("/{folder}"))?;
    for (path, file) in files {
        let full = format!("/{folder}/{path}");
        if let Some((dir, _)) = full.rsplit_once('/') {
            tree.mkdir_all(dir)?;
        }
        tree.write(&full, file.bytes.clone())?;
        tree.chmod(&full, file.mode)?;
        if let Some(uid) = file.owner {
            tree.chown(&full, uid, 0)?;
        }
    }
    tree.symlink(&folder, "/..data_tmp")?;
    tree.rename("/..data_tmp", "/..data")?;
    let mut tops: Vec<&str> = files.keys().filter_map(|path| path.split('/').next()).collect();
    tops.dedup();
    for entry in tree.readdir("/")? {
        let visible = !entry.name.starts_with("..") && entry.kind == FileKind::Symlink;
        if visible && !tops.contains(&entry.name.as_str()) {
            tree.unlink(&format!("/{}", entry.name))?;
        }
    }
    for top in tops {
        if tree.lstat(&format!("/{top}")).is_err() {
            tree.symlink(&format!("..data/{top}"), &format!("/{top}"))?;
        }
    }
    match previous {
        Some(folder) => tree.remove_all(&format!("/{folder}")).map(|()| true),
        None => Ok(true),
    }
}

fn unchanged(tree: &Vfs, folder: &str, files: &Files) -> bool {
    let same =
        |(path, file): (&String, &File)| tree.read(&format!("/{folder}/{path}")).is_ok_and(|old| old == file.bytes);
    count(tree, &format!("/{folder}")) == files.len() && files.iter().all(same)
}

fn count(tree: &Vfs, dir: &str) -> usize {
    let entries = tree.readdir(dir).unwrap_or_default();
    let one = |name: &str| {
        let path = format!("{dir}/{name}");
        if tree.is_dir(&path) { count(tree, &path) } else { 1 }
    };
    entries.iter().map(|e| one(&e.name)).sum()
}

/// `..2026_11_21_03_08_21.1234567890`
fn folder_name(sim: &Sim) -> String {
    let stamp = sim.now().rfc3339().replace(['-', 'T', ':'], "_");
    format!("..{}.{:010}", stamp.trim_end_matches('Z'), sim.random_below(10_000_000_000))
}

/// Checks (or makes) what a hostPath names; gives its path on the node (`pkg/volume/hostpath`).
pub(super) fn host_path(host: &Vfs, volume: &Value) -> Result<String, String> {
    let path = spec::text(volume, "path");
    if path.split('/').any(|part| part == "..") {
        return Err(format!("invalid HostPath `{path}`: must not contain '..'"));
    }
    let made = |what: &str, result: Result<(), Errno>| {
        result.map_err(|e| format!("{what} {path}: {}", e.message().to_lowercase()))
    };
    let kind = host.stat(path).map(|meta| meta.kind).ok();
    let checked = |wanted: Option<FileKind>, what: &str| match kind {
        Some(found) if Some(found) == wanted => Ok(()),
        _ => Err(format!("hostPath type check failed: {path} is not a {what}")),
    };
    match spec::text(volume, "type") {
        // The kubelet looks at nothing; Docker makes what is missing.
        "" if kind.is_none() => made("mkdir", host.mkdir_all(path))?,
        "" => {}
        "DirectoryOrCreate" if kind.is_none() => made("mkdir", host.mkdir_all(path))?,
        "DirectoryOrCreate" | "Directory" => checked(Some(FileKind::Directory), "directory")?,
        "FileOrCreate" if kind.is_none() => made("open", host.write(path, Bytes::new()))?,
        "FileOrCreate" | "File" => checked(Some(FileKind::Regular), "file")?,
        // The files of a node know neither sockets nor block devices, so nothing is one.
        "Socket" => checked(None, "socket file")?,
        "CharDevice" => checked(Some(FileKind::CharDevice), "character device")?,
        "BlockDevice" => checked(None, "block device")?,
        other => return Err(format!("{other} is an invalid volume type")),
    }
    Ok(path.to_owned())
}

/// A tree with one file in it, to be mounted over a path.
pub(crate) fn one_file(sim: &Sim, name: &str, content: impl Into<Bytes>) -> Vfs {
    let tree = Vfs::new(sim.clone());
    // A tree of our own takes a small file; should it not, the container just does not see one.
    let _ = tree.write(&format!("/{name}"), content);
    tree
}

/// `/etc/hosts` of a pod.
pub(crate) fn hosts_file(pod: &Object, ip: Ipv4Addr, hostname: &str, domain: &str) -> String {
    let mut text = String::from(
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n\
         fe00::\tip6-localnet\nfe00::\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n",
    );
    match pod.str("spec.subdomain") {
        "" => text += &format!("{ip}\t{hostname}\n"),
        sub => text += &format!("{ip}\t{hostname}.{sub}.{}.svc.{domain}\t{hostname}\n", pod.namespace()),
    }
    let aliases = pod.list("spec.hostAliases");
    if !aliases.is_empty() {
        text += "\n# Entries added by HostAliases.\n";
        for alias in aliases {
            text += &format!("{}\t{}\n", spec::text(alias, "ip"), spec::texts(alias, "hostnames").join("\t"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use json::json;
    use simulation::{SimConfig, Time};

    use super::*;

    fn files(entries: &[(&str, &str)]) -> Files {
        entries.iter().map(|(p, c)| ((*p).to_owned(), File::new(0o644, Bytes::copy_from_slice(c.as_bytes())))).collect()
    }

    #[test]
    fn publishing_replaces_atomically() {
        let sim = Sim::new(SimConfig { seed: 1, start: Time::from_unix_seconds(1_795_230_501) });
        let tree = Vfs::new(sim.clone());
        publish(&sim, &tree, &files(&[("a", "1"), ("dir/b", "2")])).unwrap();
        assert_eq!(tree.read_to_string("/a").unwrap(), "1");
        assert_eq!(tree.read_to_string("/dir/b").unwrap(), "2");
        assert_eq!(tree.readlink("/a").unwrap(), "..data/a");
        let first = tree.readlink("/..data").unwrap();
        assert!(first.starts_with("..2026_11_21_03_08_21."), "{first}");
        publish(&sim, &tree, &files(&[("a", "1"), ("dir/b", "2")])).unwrap();
        assert_eq!(tree.readlink("/..data").unwrap(), first, "nothing changed");
        publish(&sim, &tree, &files(&[("a", "3")])).unwrap();
        assert_eq!(tree.read_to_string("/a").unwrap(), "3");
        assert!(tree.lstat("/dir").is_err() && tree.lstat(&format!("/{first}")).is_err());
    }

    #[test]
    fn host_paths() {
        let host = Vfs::new(Time::from_unix_seconds(0));
        host.write("/file", "x").unwrap();
        host.mkdir_all("/dev").unwrap();
        host.device("/dev/null", std::rc::Rc::new(vfs::device::Null), 0o666).unwrap();
        let check = |path: &str, kind: &str| host_path(&host, &json!({"path": path, "type": kind}));
        let fails = |path: &str, what: &str| Err(format!("hostPath type check failed: {path} is not a {what}"));
        assert_eq!(check("/new", ""), Ok("/new".into()));
        assert!(host.is_dir("/new"));
        assert_eq!(check("/made-too", "DirectoryOrCreate"), Ok("/made-too".into()));
        assert_eq!(check("/file", "DirectoryOrCreate"), fails("/file", "directory"));
        assert_eq!(check("/none", "Directory"), fails("/none", "directory"));
        assert_eq!(check("/new", "Directory"), Ok("/new".into()));
        assert_eq!(check("/new", "File"), fails("/new", "file"));
        assert_eq!(check("/new", "FileOrCreate"), fails("/new", "file"));
        assert_eq!(check("/file", "File"), Ok("/file".into()));
        assert_eq!(check("/made", "FileOrCreate"), Ok("/made".into()));
        assert!(host.is_file("/made"));
        assert_eq!(check("/no/folder", "FileOrCreate"), Err("open /no/folder: no such file or directory".into()));
        assert_eq!(check("/file", "Socket"), fails("/file", "socket file"));
        assert_eq!(check("/file", "CharDevice"), fails("/file", "character device"));
        assert_eq!(check("/dev/null", "CharDevice"), Ok("/dev/null".into()));
        assert_eq!(check("/dev/null", "BlockDevice"), fails("/dev/null", "block device"));
        assert_eq!(check("/a/../b", ""), Err("invalid HostPath `/a/../b`: must not contain '..'".into()));
    }
}
