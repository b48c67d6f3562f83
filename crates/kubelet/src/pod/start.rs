//! Starting one container (`startContainer`).

use std::net::Ipv4Addr;
use std::rc::Rc;

use api::Object;
use api::quantity::Quantity;
use futures_util::StreamExt as _;
use json::Value;
use network::ResolvConf;
use simulation::Time;
use vfs::Vfs;

use super::{Record, Worker};
use crate::cri::{ContainerConfig, LogOptions, Mount, State};
use crate::env::{self, Facts};
use crate::images::Wanted;
use crate::limits::{
    CRASH_SHOWN, TERMINATION_LOG_TAIL_BYTES_MAX, TERMINATION_LOG_TAIL_LINES_MAX, TERMINATION_MESSAGE_BYTES_MAX,
};
use crate::probes::Target;
use crate::spec;
use crate::volumes::{groups, hosts_file, one_file};

/// Why a container was not started, as its status shows it.
pub(super) struct Failure {
    pub(super) reason: String,
    pub(super) message: String,
    /// When to try again, if not at the usual time.
    pub(super) again: Option<Time>,
}

impl Failure {
    fn new(reason: &str, message: impl Into<String>) -> Failure {
        Failure { reason: reason.to_owned(), message: message.into(), again: None }
    }
}

impl Worker {
    /// Pulls, creates and starts a container, and runs its postStart hook.
    pub(super) async fn start(self: &Rc<Self>, container: &Value) -> Result<(), Failure> {
        let name = spec::name(container);
        self.check_back_off(container)?;
        let pod = self.pod();
        let failed = |reason: &str, message: String| {
            self.container_event(name, "Warning", "Failed", &format!("Error: {message}"));
            Failure::new(reason, message)
        };
        let wanted = Wanted::of(container);
        if let Err((reason, message)) = self.shared.images.ensure(&pod, &wanted, &self.ending).await {
            if reason == "ContainerCreating" {
                return Err(Failure::new(&reason, "")); // the pod is going
            }
            self.container_event(name, "Warning", "Failed", &format!("Error: {reason}"));
            return Err(Failure::new(&reason, message));
        }
        self.pull_image_volumes(&pod, container).await?;
        let message_file = one_file(&self.shared.sim, "termination-log", "");
        let config = self.config(&pod, container, &message_file).await;
        let config = config.map_err(|message| failed("CreateContainerConfigError", message))?;
        let Some(sandbox) = self.sandbox() else { return Err(Failure::new("ContainerCreating", "")) };
        let attempt = config.attempt;
        let runtime = Rc::clone(&self.shared.runtime);
        let created = runtime.create_container(&sandbox.id, config).await;
        let id = created.map_err(|message| failed("CreateContainerError", message))?;
        self.shared.owners.borrow_mut().insert(id.clone(), self.uid.clone());
        self.records.borrow_mut().push(Record {
            name: name.to_owned(),
            id: id.clone(),
            attempt,
            spec_image: spec::text(container, "image").to_owned(),
            resources: container["resources"].clone(),
            message_file: Some(message_file),
            message: None,
        });
        self.container_event(name, "Normal", "Created", "Container created");
        self.trace(name, "created");
        self.forget_old(name);
        let started = runtime.start_container(&id).await;
        started.map_err(|message| failed("RunContainerError", message))?;
        self.container_event(name, "Normal", "Started", "Container started");
        self.trace(name, "started");
        self.start_probes(&pod, container, &id, sandbox.ip);
        self.post_start(&pod, container, &id, sandbox.ip).await
    }

    /// Fetches the images that the container mounts as volumes (`getImageVolumes`).
    async fn pull_image_volumes(&self, pod: &Object, container: &Value) -> Result<(), Failure> {
        let name = spec::name(container);
        let mounted = |volume: &&Value| {
            spec::items(container, "volumeMounts").iter().any(|mount| spec::name(mount) == spec::name(volume))
        };
        for volume in pod.list("spec.volumes").iter().filter(|v| !v["image"].is_null()).filter(mounted) {
            let reference = spec::text(&volume["image"], "reference");
            let wanted =
                Wanted { image: reference, policy: spec::text(&volume["image"], "pullPolicy"), container: None };
            if let Err((reason, message)) = self.shared.images.ensure(pod, &wanted, &self.ending).await {
                if reason != "ContainerCreating" {
                    self.container_event(name, "Warning", "Failed", &format!("Error: {reason}"));
                }
                return Err(Failure::new(&reason, message));
            }
            if let Some(files) = self.shared.runtime.image_files(reference) {
                self.volumes.put_image(spec::name(volume), files);
            }
        }
        Ok(())
    }

    fn check_back_off(&self, container: &Value) -> Result<(), Failure> {
        let name = spec::name(container);
        let existing = self.existing();
        let ended = existing.containers.iter().find(|v| v.name == name && v.status.state == State::Exited);
        let Some(view) = ended else { return Ok(()) };
        let (finished, now) = (view.status.finished_at, self.shared.sim.now());
        let key = format!("{}_{name}", self.uid);
        let pod = spec::full_name(&self.pod.borrow());
        match self.shared.restarts.since(&key, finished, now) {
            Some(pause) => {
                // Told when it comes to the eye, not while the crash itself is shown.
                if now >= finished + CRASH_SHOWN {
                    let event = format!("Back-off restarting failed container {name} in pod {pod}");
                    self.container_event(name, "Warning", "BackOff", &event);
                }
                let pause_text = crate::images::go_millis(pause);
                let message = format!("back-off {pause_text} restarting failed container={name} pod={pod}");
                let again = Some(finished + pause);
                Err(Failure { reason: "CrashLoopBackOff".into(), message, again })
            }
            None => {
                self.shared.restarts.next(&key, finished, now);
                Ok(())
            }
        }
    }

    /// Keeps the newest container of a name and the one before it.
    fn forget_old(&self, name: &str) {
        let mut records = self.records.borrow_mut();
        let own: Vec<usize> = (0..records.len()).filter(|i| records[*i].name == name).collect();
        if let [old, _, _, ..] = own[..] {
            let record = records.remove(old);
            self.shared.owners.borrow_mut().remove(&record.id);
            self.shared.runtime.remove_container(&record.id);
        }
    }

    fn start_probes(self: &Rc<Self>, pod: &Object, container: &Value, id: &str, pod_ip: Ipv4Addr) {
        let target = Target { pod: pod.clone(), container: container.clone(), id: id.to_owned(), pod_ip };
        let weak = Rc::downgrade(self);
        let changed = Rc::new(move || {
            if let Some(worker) = weak.upgrade() {
                worker.wake();
            }
        });
        if let Some(probing) = self.shared.prober.start(&target, &self.shared.results, changed) {
            self.probing.borrow_mut().insert(id.to_owned(), probing);
        }
    }

    async fn config(&self, pod: &Object, container: &Value, message: &Vfs) -> Result<ContainerConfig, String> {
        let shared = &self.shared;
        shared.services.synced().await;
        let pod_ip = self.pod_ip.get().map(|ip| ip.to_string()).unwrap_or_default();
        let host_ip = shared.config.ip.to_string();
        let facts = Facts {
            pod,
            pod_ip: &pod_ip,
            host_ip: &host_ip,
            allocatable: shared.config.allocatable(),
            storage_bytes: shared.config.allocatable_storage_bytes(),
        };
        let file = |volume: &str, path: &str| self.volumes.file(pod, volume, path);
        let env = env::of_container(&shared.client, &facts, container, &shared.services.list(), &file).await?;
        let lookup = |wanted: &str| env.iter().find(|(n, _)| n == wanted).map(|(_, v)| v.clone());
        let words = |path: &str| spec::texts(container, path).iter().map(|w| env::expand(w, lookup)).collect();
        let name = spec::name(container);
        let attempt = self.existing().newest(name).map_or_else(|| self.restarts_before(name), |v| v.attempt + 1);
        let limit = |what: &str| {
            let value = &spec::api_at(container, "resources.limits")[what];
            Quantity::from_value(value).ok().filter(|_| !value.is_null())
        };
        let security = |field: &str| {
            let own = &container["securityContext"][field];
            if own.is_null() { pod.at("spec.securityContext")[field].clone() } else { own.clone() }
        };
        let run_as_user = security("runAsUser").as_i64();
        if security("runAsNonRoot").as_bool() == Some(true) && run_as_user == Some(0) {
            return Err(format!(
                "container's runAsUser breaks non-root policy (pod: \"{}\", container: {name})",
                spec::full_name(pod)
            ));
        }
        let mut mounts = self.volumes.mounts(container, &env)?;
        mounts.extend(self.own_files(pod, container, message));
        Ok(ContainerConfig {
            name: name.to_owned(),
            attempt,
            image: spec::text(container, "image").to_owned(),
            command: words("command"),
            args: words("args"),
            working_dir: spec::text(container, "workingDir").to_owned(),
            cpu_limit_milli: limit("cpu").map(Quantity::milli_value),
            memory_limit_bytes: limit("memory").map(Quantity::value),
            tty: container["tty"].as_bool() == Some(true),
            stdin: container["stdin"].as_bool() == Some(true),
            stdin_once: container["stdinOnce"].as_bool() == Some(true),
            run_as_user,
            run_as_group: security("runAsGroup").as_i64(),
            groups: groups(pod),
            memory_files: self.volumes.in_memory(pod, container),
            read_only_root: container["securityContext"]["readOnlyRootFilesystem"].as_bool() == Some(true),
            env,
            mounts,
            ..ContainerConfig::default()
        })
    }

    /// How often a container was started before this kubelet knew it.
    fn restarts_before(&self, name: &str) -> u32 {
        let status = self.status.borrow();
        let all = spec::items(&status, "initContainerStatuses").iter().chain(spec::items(&status, "containerStatuses"));
        let count = all.filter(|s| spec::name(s) == name).find_map(|s| s["restartCount"].as_u64());
        count.and_then(|c| u32::try_from(c).ok()).unwrap_or(0)
    }

    /// /etc/hosts, /etc/resolv.conf and the file of the termination message.
    fn own_files(&self, pod: &Object, container: &Value, message: &Vfs) -> Vec<Mount> {
        let shared = &self.shared;
        let ip = self.pod_ip.get().unwrap_or(shared.config.ip);
        let hosts = hosts_file(pod, ip, &spec::hostname(pod), &shared.config.cluster_domain);
        let resolv = self.resolv(pod).to_file();
        let mount = |source: Vfs, file: &str, path: &str| Mount {
            source,
            sub_path: file.to_owned(),
            path: path.to_owned(),
            read_only: false,
        };
        let message_path = match spec::text(container, "terminationMessagePath") {
            "" => "/dev/termination-log",
            path => path,
        };
        vec![
            mount(one_file(&shared.sim, "hosts", hosts), "hosts", "/etc/hosts"),
            mount(one_file(&shared.sim, "resolv.conf", resolv), "resolv.conf", "/etc/resolv.conf"),
            mount(message.clone(), "termination-log", message_path),
        ]
    }

    /// The resolver settings of the pod (`pkg/kubelet/network/dns`).
    pub(super) fn resolv(&self, pod: &Object) -> ResolvConf {
        let config = &self.shared.config;
        let host_net = spec::host_network(pod);
        let mut resolv = match pod.str("spec.dnsPolicy") {
            "None" => ResolvConf::default(),
            "Default" => self.shared.prober.net.resolv(),
            "ClusterFirst" | "" if host_net => self.shared.prober.net.resolv(),
            _ => ResolvConf::cluster_first(config.cluster_dns, pod.namespace(), &config.cluster_domain),
        };
        let own = pod.at("spec.dnsConfig");
        resolv.nameservers.extend(spec::texts(own, "nameservers").iter().filter_map(|a| a.parse::<Ipv4Addr>().ok()));
        resolv.search.extend(spec::texts(own, "searches"));
        for option in spec::items(own, "options").iter().filter(|o| spec::name(o) == "ndots") {
            resolv.ndots = spec::text(option, "value").parse().unwrap_or(resolv.ndots);
        }
        let ip = self.pod_ip.get().unwrap_or(config.ip);
        let mut names = vec![spec::hostname(pod)];
        if let Some(sub) = pod.at("spec.subdomain").as_str().filter(|s| !s.is_empty()) {
            let domain = &config.cluster_domain;
            names.push(format!("{}.{sub}.{}.svc.{domain}", names[0], pod.namespace()));
        }
        resolv.hosts.push((ip, names));
        for alias in pod.list("spec.hostAliases") {
            if let Ok(address) = spec::text(alias, "ip").parse() {
                resolv.hosts.push((address, spec::texts(alias, "hostnames")));
            }
        }
        resolv
    }

    /// Reads the termination messages of containers that have ended since the last time.
    pub(super) async fn collect_messages(&self) {
        let ended: Vec<(String, String, Option<Vfs>)> = {
            let records = self.records.borrow();
            let new = records.iter().filter(|r| r.message.is_none());
            new.filter(|r| self.shared.runtime.container_status(&r.id).is_some_and(|s| s.state == State::Exited))
                .map(|r| (r.id.clone(), r.name.clone(), r.message_file.clone()))
                .collect()
        };
        for (id, name, file) in ended {
            let message = self.termination_message(&id, &name, file).await;
            if let Some(record) = self.records.borrow_mut().iter_mut().find(|r| r.id == id) {
                record.message = Some(message);
                record.message_file = None;
            }
            self.trace(&name, "exited");
        }
    }

    async fn termination_message(&self, id: &String, name: &str, file: Option<Vfs>) -> String {
        let bytes = file.and_then(|f| f.read("/termination-log").ok()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(TERMINATION_MESSAGE_BYTES_MAX)]).into_owned();
        let from_log = {
            let pod = self.pod.borrow();
            spec::find(&pod, name).is_some_and(|c| spec::text(c, "terminationMessagePolicy") == "FallbackToLogsOnError")
        };
        let status = self.shared.runtime.container_status(id);
        if !text.is_empty() || !from_log || status.is_none_or(|s| s.exit_code == 0) {
            return text;
        }
        let options = LogOptions { tail_lines: Some(TERMINATION_LOG_TAIL_LINES_MAX), ..LogOptions::default() };
        let Ok(mut pieces) = self.shared.runtime.logs(id, options) else { return text };
        let mut all = Vec::new();
        while let Some(piece) = pieces.next().await {
            all.extend_from_slice(&piece);
        }
        let skip = all.len().saturating_sub(TERMINATION_LOG_TAIL_BYTES_MAX);
        String::from_utf8_lossy(&all[skip..]).into_owned()
    }

    async fn post_start(
        self: &Rc<Self>,
        pod: &Object,
        container: &Value,
        id: &String,
        ip: Ipv4Addr,
    ) -> Result<(), Failure> {
        let hook = spec::api_at(container, "lifecycle.postStart");
        if hook.is_null() {
            return Ok(());
        }
        let name = spec::name(container);
        match self.run_hook(pod, container, id, ip, hook).await {
            Ok(()) => Ok(()),
            Err(message) => {
                self.container_event(name, "Warning", "FailedPostStartHook", "PostStartHook failed");
                self.kill(id, name, "FailedPostStartHook", None).await;
                Err(Failure::new("PostStartHookError", message))
            }
        }
    }
}
