//! What `docker inspect` tells of a container and of an image (`api/types/container`, `api/types/image`).

use json::{Map, Value, json};
use runtime::image::StoredImage;

use super::containers::exposed_ports;
use super::{Daemon, Shown};
use crate::text;

/// The name of the default network.
const BRIDGE: &str = "bridge";

impl Daemon {
    /// An image.
    pub(crate) fn inspect_image(&self, stored: &StoredImage) -> Value {
        let (image, file) = (&stored.image, stored.image.file());
        json!({
            "Id": image.id.clone(),
            "RepoTags": stored.tags.clone(),
            "RepoDigests": stored.digests.clone(),
            "Parent": "",
            "Comment": file["history"].as_array().and_then(|h| h.last()).map(|h| h["comment"].clone()).unwrap_or_default(),
            "Created": file["created"].clone(),
            "DockerVersion": "",
            "Author": file["author"].as_str().unwrap_or(""),
            "Architecture": file["architecture"].clone(),
            "Os": file["os"].clone(),
            "Size": image.size_bytes,
            "RootFS": { "Type": "layers", "Layers": file["rootfs"]["diff_ids"].clone() },
            "Metadata": { "LastTagTime": file["created"].clone() },
            "Config": file["config"].clone(),
        })
    }

    /// A container.
    pub(crate) fn inspect_container(&self, shown: &Shown) -> Value {
        let own = self.own(&shown.id);
        let status = shown.status.as_ref();
        let time = |at: Option<simulation::Time>| match at.filter(|at| at.as_nanos() > 0) {
            Some(at) => text::nanos(at),
            None => "0001-01-01T00:00:00Z".to_owned(),
        };
        let (path, args) = shown.argv.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
        let net = own
            .as_ref()
            .map(|c| c.sandbox.borrow().net.addresses().first().map(ToString::to_string).unwrap_or_default());
        let address = net.filter(|_| shown.is_running()).unwrap_or_default();
        let config = own.as_ref().map(|c| &c.config);
        let labels: Map = shown.labels.iter().map(|(k, v)| (json::name(k), Value::from(v.as_str()))).collect();
        json!({
            "Id": shown.id.clone(),
            "Created": text::nanos(shown.created),
            "Path": path,
            "Args": args.to_vec(),
            "State": {
                "Status": shown.state(),
                "Running": shown.is_running(),
                "Paused": false,
                "Restarting": false,
                "OOMKilled": status.is_some_and(|s| s.reason == "OOMKilled"),
                "Dead": false,
                "ExitCode": status.map_or(0, |s| s.exit_code),
                "Error": "",
                "StartedAt": time(status.map(|s| s.started_at)),
                "FinishedAt": time(status.map(|s| s.finished_at)),
            },
            "Image": own.as_ref().map_or(String::new(), |c| c.image.id.clone()),
            "Name": format!("/{}", shown.name),
            "RestartCount": 0,
            "Driver": "overlay2",
            "Platform": "wasip1",
            "HostConfig": {
                "NetworkMode": BRIDGE,
                "AutoRemove": config.is_some_and(|c| c.auto_remove),
                "Memory": config.and_then(|c| c.memory_bytes).unwrap_or(0),
                "NanoCpus": config.and_then(|c| c.cpu_milli).unwrap_or(0) * 1_000_000,
                "ReadonlyRootfs": config.is_some_and(|c| c.read_only),
                "RestartPolicy": { "Name": "no", "MaximumRetryCount": 0 },
            },
            "Mounts": Vec::<Value>::new(),
            "Config": {
                "Hostname": own.as_ref().map_or(String::new(), |c| self.hostname(c)),
                "User": config.map_or("", |c| c.user.as_str()),
                "Tty": config.is_some_and(|c| c.tty),
                "OpenStdin": config.is_some_and(|c| c.stdin),
                "Env": self.runtime().environment(&shown.id),
                "Cmd": shown.argv.clone(),
                "Image": shown.image.clone(),
                "WorkingDir": config.map_or("", |c| c.working_dir.as_str()),
                "Labels": labels,
            },
            "NetworkSettings": {
                "IPAddress": address.clone(),
                "Ports": self.port_map(shown),
                "Networks": { BRIDGE: { "IPAddress": address, "IPPrefixLen": 16, "Gateway": "172.17.0.1" } },
            },
        })
    }

    fn hostname(&self, container: &super::Container) -> String {
        match container.config.hostname.as_str() {
            "" => text::short(&container.id),
            given => given.to_owned(),
        }
    }

    fn port_map(&self, shown: &Shown) -> Map {
        let mut map = Map::default();
        let Some(container) = self.own(&shown.id) else { return map };
        for port in exposed_ports(&container.image.file()) {
            map.insert(port.as_str().into(), Value::Null);
        }
        for (port, _) in &*container.ports.borrow() {
            let place = json!([{ "HostIp": port.address.to_string(), "HostPort": port.host.to_string() }]);
            map.insert(format!("{}/tcp", port.container).as_str().into(), place);
        }
        map
    }
}
