//! The file system of a container: image, mounts, `/dev`, `/proc`, and the user that runs in it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use network::NetNs;
use simulation::Sim;
use vfs::{Credentials, Errno, Generator, MountOptions, Vfs, path};

use super::ContainerConfig;
use crate::image::Image;
use crate::limits::{CONTAINER_FILE_BYTES_MAX, CPU_MILLI_MAX, MEMORY_BYTES_MAX};

/// The words for something that cannot be laid down.
fn failed(what: &str) -> impl Fn(Errno) -> String + use<> {
    let what = what.to_owned();
    move |e| format!("error mounting {what:?} to rootfs: {}", e.message().to_lowercase())
}

/// What tells a container who it is, unless a mount stands there.
fn own_files(root: &Vfs, net: &NetNs, hostname: &str, config: &ContainerConfig) -> Result<(), String> {
    let own = [
        ("/etc/hostname", format!("{hostname}\n")),
        ("/etc/resolv.conf", net.resolv().to_file()),
        ("/etc/hosts", hosts(net, hostname)),
    ];
    for (path, text) in own {
        if !config.mounts.iter().any(|mount| mount.path == path) {
            root.mkdir_all("/etc").and_then(|()| root.write(path, text)).map_err(failed(path))?;
        }
    }
    Ok(())
}

/// Builds the root file system.
pub(super) fn build(
    (sim, processes): (&Sim, &Processes),
    net: &NetNs,
    hostname: &str,
    image: &Image,
    config: &ContainerConfig,
    working_dir: &str,
) -> Result<Vfs, String> {
    let root = match &config.files {
        // It has its devices and mounts; who it is on the network may be new.
        Some(files) => {
            own_files(files, net, hostname, config)?;
            return Ok(files.clone());
        }
        None => Vfs::with_layer(sim.clone(), Rc::clone(image.prepared(sim))),
    };
    root.set_limit(CONTAINER_FILE_BYTES_MAX);
    let read_only = MountOptions { read_only: true, sub_path: String::new() };
    let proc = processes.of(sim, config.memory_limit_bytes).map_err(failed("/proc"))?;
    root.mount("/proc", &proc, &read_only).map_err(failed("/proc"))?;
    root.mkdir_all(working_dir).map_err(failed(working_dir))?;
    own_files(&root, net, hostname, config)?;
    // Mounts inside of mounts come after those that they are in.
    let mut mounts: Vec<_> = config.mounts.iter().collect();
    mounts.sort_by_cached_key(|m| path::normalize(&m.path).matches('/').count());
    for mount in mounts {
        let options = MountOptions { read_only: mount.read_only, sub_path: mount.sub_path.clone() };
        root.mount(&mount.path, &mount.source, &options).map_err(failed(&mount.path))?;
    }
    Ok(if config.read_only_root { root.read_only_root() } else { root })
}

fn hosts(net: &NetNs, hostname: &str) -> String {
    let ip = net.addresses().first().map(ToString::to_string).unwrap_or_default();
    format!("127.0.0.1\tlocalhost\n{ip}\t{hostname}\n")
}

/// The trees of `/proc`, shared by the containers that they are alike for: nobody can write there.
#[derive(Default)]
pub(super) struct Processes(RefCell<BTreeMap<u64, Vfs>>);

/// How many different trees are kept.
const TREES_MAX: usize = 64;

impl Processes {
    fn of(&self, sim: &Sim, memory_limit_bytes: Option<i64>) -> Result<Vfs, Errno> {
        let limit = memory_limit_bytes.and_then(|b| u64::try_from(b).ok()).unwrap_or(MEMORY_BYTES_MAX);
        let mut kept = self.0.borrow_mut();
        if let Some(tree) = kept.get(&limit) {
            return Ok(tree.clone());
        }
        if kept.len() >= TREES_MAX {
            kept.clear();
        }
        let tree = tree_of_proc(sim, limit)?;
        kept.insert(limit, tree.clone());
        Ok(tree)
    }
}

/// The files of /proc that tools read. Processes are asked for by `proc_list` instead.
fn tree_of_proc(sim: &Sim, memory_limit_bytes: u64) -> Result<Vfs, Errno> {
    let proc = Vfs::new(sim.clone());
    let text = |text: String| -> Generator {
        let bytes = Bytes::from(text);
        Rc::new(move || bytes.clone())
    };
    let clock = sim.clone();
    let uptime: Generator = Rc::new(move || {
        let seconds = clock.elapsed().as_secs_f64();
        Bytes::from(format!("{seconds:.2} {seconds:.2}\n"))
    });
    let cpus = (0..CPU_MILLI_MAX / 1000)
        .map(|n| format!("processor\t: {n}\nmodel name\t: Kubonsai virtual CPU (WebAssembly on fuel)\n\n"))
        .collect();
    let kib = memory_limit_bytes / 1024;
    let memory = format!("MemTotal:{kib:>16} kB\nMemFree:{kib:>17} kB\nMemAvailable:{kib:>12} kB\n");
    let files = [
        ("/version", text("Linux version 6.6.95 (kubonsai@simulation) #1 SMP\n".into())),
        ("/uptime", uptime),
        ("/loadavg", text("0.00 0.00 0.00 1/1 1\n".into())),
        ("/cpuinfo", text(cpus)),
        ("/meminfo", text(memory)),
    ];
    for (path, generator) in files {
        proc.generated(path, generator, 0o444)?;
    }
    Ok(proc)
}

/// Whom the first process runs as: what the pod says, else what the image says, else root.
pub(super) fn user(files: &Vfs, image_user: &str, config: &ContainerConfig) -> Result<Credentials, String> {
    let (name, group) = image_user.split_once(':').map_or((image_user, None), |(u, g)| (u, Some(g)));
    let number = |id: i64| u32::try_from(id).unwrap_or(0);
    let (mut uid, mut gid) = match name {
        "" => (0, 0),
        name => passwd(files, name)
            .or_else(|| Some((name.parse().ok()?, 0)))
            .ok_or_else(|| format!("unable to find user {name}: no matching entries in passwd file"))?,
    };
    if let Some(group) = group {
        gid = group_id(files, group)
            .ok_or_else(|| format!("unable to find group {group}: no matching entries in group file"))?;
    }
    if let Some(id) = config.run_as_user {
        uid = number(id);
        gid = passwd(files, &uid.to_string()).map_or(0, |(_, gid)| gid);
    }
    if let Some(id) = config.run_as_group {
        gid = number(id);
    }
    let mut groups = vec![gid];
    let of_user = groups_of(files, uid).into_iter();
    for group in of_user.chain(config.groups.iter().map(|id| number(*id))) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    Ok(Credentials { uid, gid, groups })
}

/// User and group of a name or number in /etc/passwd.
fn passwd(files: &Vfs, name: &str) -> Option<(u32, u32)> {
    let text = files.read_to_string("/etc/passwd").ok()?;
    let mut lines = text.lines().map(|l| l.split(':').collect::<Vec<_>>());
    let line = lines.find(|f| f.len() > 3 && (f[0] == name || f[2] == name))?;
    Some((line[2].parse().ok()?, line[3].parse().ok()?))
}

/// The groups that /etc/group puts a user in.
fn groups_of(files: &Vfs, uid: u32) -> Vec<u32> {
    let users = files.read_to_string("/etc/passwd").unwrap_or_default();
    let mut lines = users.lines().map(|l| l.split(':').collect::<Vec<_>>());
    let Some(name) = lines.find(|f| f.len() > 2 && f[2] == uid.to_string()).map(|f| f[0].to_owned()) else {
        return Vec::new();
    };
    let text = files.read_to_string("/etc/group").unwrap_or_default();
    let lines = text.lines().map(|l| l.split(':').collect::<Vec<_>>());
    let has = |f: &Vec<&str>| f.len() > 3 && f[3].split(',').any(|member| member == name);
    lines.filter(has).filter_map(|f| f[2].parse().ok()).collect()
}

fn group_id(files: &Vfs, name: &str) -> Option<u32> {
    let text = files.read_to_string("/etc/group").unwrap_or_default();
    let mut lines = text.lines().map(|l| l.split(':').collect::<Vec<_>>());
    match lines.find(|f| f.len() > 2 && f[0] == name) {
        Some(line) => line[2].parse().ok(),
        None => name.parse().ok(),
    }
}

/// HOME of a user: what /etc/passwd says, else `/root` or `/`.
pub(super) fn home(files: &Vfs, uid: u32) -> String {
    let text = files.read_to_string("/etc/passwd").unwrap_or_default();
    let mut lines = text.lines().map(|l| l.split(':').collect::<Vec<_>>());
    match lines.find(|f| f.len() > 5 && f[2] == uid.to_string()) {
        Some(line) => line[5].to_owned(),
        None if uid == 0 => "/root".to_owned(),
        None => "/".to_owned(),
    }
}
