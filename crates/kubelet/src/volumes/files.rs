//! Writing volumes, and the files that every container gets.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use api::Object;
use bytes::Bytes;
use json::Value;
use simulation::Sim;
use vfs::{Errno, Vfs};

use crate::spec;

/// Path below the volume's root -> mode and bytes.
pub(super) type Files = BTreeMap<String, (u16, Bytes)>;

/// Publishes files as upstream's atomic writer does: into a folder named after the time, reached through the link
/// `..data`, so that readers see all of the old or all of the new. Nothing happens when nothing changed.
pub(super) fn publish(sim: &Sim, tree: &Vfs, files: &Files) -> Result<(), String> {
    write(sim, tree, files).map_err(|errno| errno.message().to_owned())
}

fn write(sim: &Sim, tree: &Vfs, files: &Files) -> Result<(), Errno> {
    let previous = tree.readlink("/..data").ok();
    if let Some(folder) = &previous
        && unchanged(tree, folder, files)
    {
        return Ok(());
    }
    let folder = folder_name(sim);
    for (path, (mode, bytes)) in files {
        let full = format!("/{folder}/{path}");
        if let Some((dir, _)) = full.rsplit_once('/') {
            tree.mkdir_all(dir)?;
        }
        tree.write(&full, bytes.clone())?;
        tree.chmod(&full, *mode)?;
    }
    tree.mkdir_all(&format!("/{folder}"))?;
    tree.symlink(&folder, "/..data_tmp")?;
    tree.rename("/..data_tmp", "/..data")?;
    let mut tops: Vec<&str> = files.keys().filter_map(|path| path.split('/').next()).collect();
    tops.dedup();
    for entry in tree.readdir("/")? {
        let visible = !entry.name.starts_with("..");
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
        Some(folder) => tree.remove_all(&format!("/{folder}")),
        None => Ok(()),
    }
}

fn unchanged(tree: &Vfs, folder: &str, files: &Files) -> bool {
    let same = |(path, (_, bytes)): (&String, &(u16, Bytes))| {
        tree.read(&format!("/{folder}/{path}")).is_ok_and(|old| old == *bytes)
    };
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

/// Checks (or makes) what a hostPath names; gives its path on the node.
pub(super) fn host_path(host: &Vfs, volume: &Value) -> Result<String, String> {
    let path = spec::text(volume, "path");
    let failed = |what: &str| Err(format!("hostPath type check failed: {path} is not a {what}"));
    let made = |result: Result<(), Errno>| result.map_err(|e| format!("mkdir {path}: {}", e.message().to_lowercase()));
    match spec::text(volume, "type") {
        // Docker makes what is missing.
        "" if !host.exists(path) => made(host.mkdir_all(path))?,
        "DirectoryOrCreate" => made(host.mkdir_all(path))?,
        "Directory" if !host.is_dir(path) => return failed("directory"),
        "FileOrCreate" if !host.exists(path) => made(host.write(path, Bytes::new()))?,
        "File" | "FileOrCreate" if !host.is_file(path) => return failed("file"),
        "Socket" => return failed("socket file"),
        "CharDevice" => return failed("character device"),
        "BlockDevice" => return failed("block device"),
        _ => {}
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
        entries.iter().map(|(p, c)| ((*p).to_owned(), (0o644, Bytes::copy_from_slice(c.as_bytes())))).collect()
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
        let check = |path: &str, kind: &str| host_path(&host, &json!({"path": path, "type": kind}));
        assert_eq!(check("/new", ""), Ok("/new".into()));
        assert!(host.is_dir("/new"));
        assert_eq!(check("/none", "Directory"), Err("hostPath type check failed: /none is not a directory".into()));
        assert_eq!(check("/new", "File"), Err("hostPath type check failed: /new is not a file".into()));
        assert_eq!(check("/file", "File"), Ok("/file".into()));
        assert_eq!(check("/made", "FileOrCreate"), Ok("/made".into()));
        assert!(host.is_file("/made"));
    }
}
