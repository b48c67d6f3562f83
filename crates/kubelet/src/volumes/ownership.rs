//! Who owns the files of a volume: `fsGroup` (`pkg/volume/volume_linux.go`) and the user of tokens (`FsUserFrom`).

use api::Object;
use json::Value;
use vfs::{Errno, Vfs};

use crate::spec;

const SET_GID: u16 = 0o2000;

/// The groups that processes of a pod have beside their own: `fsGroup`, then `supplementalGroups`.
pub(crate) fn groups(pod: &Object) -> Vec<i64> {
    let more = pod.list("spec.securityContext.supplementalGroups").iter().filter_map(Value::as_i64);
    pod.int("spec.securityContext.fsGroup").into_iter().chain(more).collect()
}

/// `spec.securityContext.fsGroup`
pub(super) fn fs_group(pod: &Object) -> Option<u32> {
    pod.int("spec.securityContext.fsGroup").and_then(|gid| u32::try_from(gid).ok())
}

/// The user that all containers run as, if they agree on one.
pub(super) fn fs_user(pod: &Object) -> Option<u32> {
    let of_pod = pod.int("spec.securityContext.runAsUser");
    let all = spec::init_containers(pod).iter().chain(spec::containers(pod)).chain(spec::ephemeral_containers(pod));
    let mut users = all.map(|container| container["securityContext"]["runAsUser"].as_i64().or(of_pod));
    let first = users.next()??;
    users.all(|user| user == Some(first)).then(|| u32::try_from(first).ok())?
}

/// Gives a volume and all that is in it to the group of the pod, if there is one.
pub(super) fn set_group(tree: &Vfs, root: &str, read_only: bool, pod: &Object) -> Result<(), String> {
    let Some(gid) = fs_group(pod) else { return Ok(()) };
    change_all(tree, root, gid, read_only).map_err(|errno| errno.message().to_lowercase())
}

/// As [`set_group`] of what may be written, but with `fsGroupChangePolicy: OnRootMismatch` not again if the root is as it should be.
pub(super) fn set_group_by_policy(tree: &Vfs, root: &str, pod: &Object) -> Result<(), String> {
    let Some(gid) = fs_group(pod) else { return Ok(()) };
    let wanted = mask(true, false);
    let fits = |meta: vfs::Metadata| meta.gid == gid && meta.is_dir() && meta.mode & wanted == wanted;
    let on_mismatch = pod.str("spec.securityContext.fsGroupChangePolicy") == "OnRootMismatch";
    if on_mismatch && tree.stat(root).is_ok_and(fits) {
        return Ok(());
    }
    set_group(tree, root, false, pod)
}

/// The bits that the group gets.
fn mask(is_dir: bool, read_only: bool) -> u16 {
    let bits = if read_only { 0o440 } else { 0o660 };
    if is_dir { bits | SET_GID | 0o110 } else { bits }
}

fn change_all(tree: &Vfs, root: &str, gid: u32, read_only: bool) -> Result<(), Errno> {
    let mut todo = vec![root.to_owned()];
    while let Some(path) = todo.pop() {
        let meta = tree.lstat(&path)?;
        tree.chown(&path, meta.uid, gid)?;
        if meta.is_symlink() {
            continue; // the file behind it comes by itself
        }
        tree.chmod(&path, meta.mode | mask(meta.is_dir(), read_only))?;
        if meta.is_dir() {
            let entries = tree.readdir(&path)?;
            todo.extend(entries.iter().map(|entry| super::join(&path, &entry.name)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use json::json;
    use simulation::Time;

    use super::*;

    fn pod(security: Value) -> Object {
        Object::new(json!({"spec": {"securityContext": security, "containers": [{"name": "a"}, {"name": "b"}]}}))
    }

    #[test]
    fn a_volume_goes_to_the_group() {
        let tree = Vfs::new(Time::from_unix_seconds(0));
        tree.mkdir_all("/v/dir").unwrap();
        tree.write("/v/dir/file", "x").unwrap();
        tree.chmod("/v/dir/file", 0o400).unwrap();
        tree.symlink("dir/file", "/v/link").unwrap();
        let shown = |path: &str| tree.lstat(path).map(|m| format!("{} {}:{}", m.mode_string(), m.uid, m.gid)).unwrap();
        set_group(&tree, "/v", true, &pod(json!({"fsGroup": 2000}))).unwrap();
        assert_eq!(shown("/v/dir/file"), "-r--r----- 0:2000");
        assert_eq!(shown("/v/link"), "lrwxrwxrwx 0:2000");
        assert_eq!(shown("/v/dir"), "drwxr-sr-x 0:2000");
        set_group(&tree, "/v", false, &pod(json!({"fsGroup": 2000}))).unwrap();
        assert_eq!(shown("/v"), "drwxrwsr-x 0:2000");
        assert_eq!(shown("/v/dir/file"), "-rw-rw---- 0:2000");
        tree.chown("/v/dir/file", 0, 7).unwrap();
        let lazy = pod(json!({"fsGroup": 2000, "fsGroupChangePolicy": "OnRootMismatch"}));
        set_group_by_policy(&tree, "/v", &lazy).unwrap();
        assert_eq!(shown("/v/dir/file"), "-rw-rw---- 0:7", "the root is as it should be");
        set_group(&tree, "/v", false, &pod(json!({}))).unwrap();
        assert_eq!(shown("/v/dir/file"), "-rw-rw---- 0:7", "no group is asked for");
    }

    #[test]
    fn users_and_groups_of_a_pod() {
        assert_eq!(groups(&pod(json!({"fsGroup": 2000, "supplementalGroups": [3, 4]}))), [2000, 3, 4]);
        assert_eq!(fs_user(&pod(json!({"runAsUser": 1000}))), Some(1000));
        assert_eq!(fs_user(&pod(json!({}))), None);
        let mut two = pod(json!({"runAsUser": 1000}));
        two.set("spec.containers", json!([{"name": "a"}, {"name": "b", "securityContext": {"runAsUser": 7}}]));
        assert_eq!(fs_user(&two), None);
    }
}
