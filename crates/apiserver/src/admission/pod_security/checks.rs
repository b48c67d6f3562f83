//! The checks of the Pod Security Standards (pod-security-admission/policy), a row each.
//!
//! Difference: for versions before 1.19, profiles of seccomp are read from their fields only.

use std::collections::BTreeSet;

use json::Value;

use super::Level;
use crate::value::{at, fields, list, text};

/// What is forbidden, in a word and in full.
pub struct Violation {
    pub reason: String,
    pub detail: String,
}

fn violation(reason: &str, detail: String) -> Option<Violation> {
    Some(Violation { reason: reason.to_owned(), detail })
}

/// A pod as checks see it.
struct Pod<'a> {
    metadata: &'a Value,
    spec: &'a Value,
    minor: u32,
}

/// A check: its level, the first minor version that has it, the check that it stands for as well.
struct Check {
    id: &'static str,
    level: Level,
    since: u32,
    overrides: &'static str,
    run: fn(&Pod<'_>) -> Option<Violation>,
}

const fn baseline(id: &'static str, since: u32, run: fn(&Pod<'_>) -> Option<Violation>) -> Check {
    Check { id, level: Level::Baseline, since, overrides: "", run }
}

const fn restricted(
    id: &'static str,
    since: u32,
    overrides: &'static str,
    run: fn(&Pod<'_>) -> Option<Violation>,
) -> Check {
    Check { id, level: Level::Restricted, since, overrides, run }
}

/// By level, then by name.
static CHECKS: &[Check] = &[
    baseline("appArmorProfile", 0, app_armor),
    baseline("capabilities_baseline", 0, capabilities),
    baseline("hostNamespaces", 0, host_namespaces),
    baseline("hostPathVolumes", 0, host_paths),
    baseline("hostPorts", 0, host_ports),
    baseline("hostProbesAndHostLifecycle", 34, host_probes),
    baseline("privileged", 0, privileged),
    baseline("procMount", 0, |pod| if pod.minor >= 35 && pod.has_own_users() { None } else { proc_mount(pod) }),
    baseline("seLinuxOptions", 0, se_linux),
    baseline("seccompProfile_baseline", 0, |pod| seccomp(pod, false)),
    baseline("sysctls", 0, sysctls),
    baseline("windowsHostProcess", 0, windows_host_process),
    restricted("allowPrivilegeEscalation", 8, "", privilege_escalation),
    restricted("capabilities_restricted", 22, "capabilities_baseline", all_capabilities),
    restricted("procMount_restricted", 35, "procMount", proc_mount),
    restricted("restrictedVolumes", 0, "hostPathVolumes", volumes),
    restricted("runAsNonRoot", 0, "", run_as_non_root),
    restricted("runAsUser", 23, "", run_as_user),
    restricted("seccompProfile_restricted", 19, "seccompProfile_baseline", |pod| {
        if pod.is_windows() { None } else { seccomp(pod, true) }
    }),
];

/// What a level at a minor version forbids of a pod.
pub fn run(level: Level, minor: u32, pod: &Value) -> Vec<Violation> {
    let pod = Pod { metadata: at(pod, "metadata"), spec: at(pod, "spec"), minor };
    let due = || CHECKS.iter().filter(move |check| check.level <= level && check.since <= minor);
    let is_overridden = |check: &&Check| due().any(|other| other.overrides == check.id);
    due().filter(|check| !is_overridden(check)).filter_map(|check| (check.run)(&pod)).collect()
}

impl<'a> Pod<'a> {
    fn containers(&self) -> impl Iterator<Item = &'a Value> {
        ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(|field| list(self.spec, field))
    }

    /// Names of the containers for which something holds.
    fn containers_that(&self, holds: impl Fn(&Value) -> bool) -> Vec<&'a str> {
        self.containers().filter(|c| holds(c)).map(|c| text(c, "name")).collect()
    }

    fn has_own_users(&self) -> bool {
        self.spec["hostUsers"] == false
    }

    fn is_windows(&self) -> bool {
        text(self.spec, "os.name") == "windows" && self.minor >= 25
    }

    /// Who says something in its security context: `pod`, `container "a"`, `containers "a", "b"`.
    fn setters(&self, holds: impl Fn(&Value) -> bool) -> Vec<String> {
        let mut found = Vec::new();
        if holds(at(self.spec, "securityContext")) {
            found.push("pod".to_owned());
        }
        let containers = self.containers_that(|c| holds(at(c, "securityContext")));
        if !containers.is_empty() {
            found.push(named("container", &containers));
        }
        found
    }

    /// What containers say somewhere in their security contexts, of which something holds; sorted.
    fn values(&self, path: &str, holds: impl Fn(&Value) -> bool) -> BTreeSet<String> {
        let contexts = self.containers().map(|c| at(c, "securityContext"));
        let all = std::iter::once(at(self.spec, "securityContext")).chain(contexts).map(|context| at(context, path));
        all.filter(|v| holds(v)).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect()
    }
}

fn quoted<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    items.into_iter().map(|item| format!("\"{}\"", item.as_ref())).collect::<Vec<_>>().join(", ")
}

fn plural(word: &str, count: usize) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

fn named(word: &str, names: &[&str]) -> String {
    format!("{} {}", plural(word, names.len()), quoted(names))
}

fn uses(count: usize) -> &'static str {
    if count == 1 { "uses" } else { "use" }
}

fn app_armor(pod: &Pod<'_>) -> Option<Violation> {
    const PREFIX: &str = "container.apparmor.security.beta.kubernetes.io/";
    let is_bad = |kind: &Value| !kind.is_null() && !matches!(kind.as_str(), Some("RuntimeDefault" | "Localhost"));
    let mut setters = pod.setters(|context| is_bad(at(context, "appArmorProfile.type")));
    let mut bad: Vec<String> = pod.values("appArmorProfile.type", is_bad).into_iter().collect();
    let allowed = |v: &str| v.is_empty() || v == "runtime/default" || v.starts_with("localhost/");
    let annotations: Vec<String> = fields(at(pod.metadata, "annotations"))
        .filter_map(|(name, value)| Some((name, value.as_str()?)))
        .filter(|(name, value)| name.starts_with(PREFIX) && !allowed(value))
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    if !annotations.is_empty() {
        setters.push(plural("annotation", annotations.len()));
        bad.extend(annotations);
    }
    if setters.is_empty() {
        return None;
    }
    let detail = format!("{} must not set AppArmor profile type to {}", setters.join(" and "), quoted(&bad));
    violation(&plural("forbidden AppArmor profile", bad.len()), detail)
}

/// What may be added to the capabilities of a container.
const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Capabilities that a container adds and that are not among the allowed.
fn added<'a>(container: &'a Value, allowed: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let added = list(container, "securityContext.capabilities.add").iter().filter_map(Value::as_str);
    added.filter(move |capability| !allowed.contains(capability))
}

fn capabilities(pod: &Pod<'_>) -> Option<Violation> {
    let containers = pod.containers_that(|c| added(c, &CAPABILITIES).next().is_some());
    if containers.is_empty() {
        return None;
    }
    let names: BTreeSet<&str> = pod.containers().flat_map(|c| added(c, &CAPABILITIES)).collect();
    let who = named("container", &containers);
    let detail = format!("{who} must not include {} in securityContext.capabilities.add", quoted(names));
    violation("non-default capabilities", detail)
}

fn all_capabilities(pod: &Pod<'_>) -> Option<Violation> {
    if pod.is_windows() {
        return None;
    }
    let keeps = |c: &Value| !list(c, "securityContext.capabilities.drop").iter().any(|d| d == "ALL");
    let mut details = Vec::new();
    let containers = pod.containers_that(keeps);
    if !containers.is_empty() {
        details
            .push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", named("container", &containers)));
    }
    let allowed = &["NET_BIND_SERVICE"];
    let containers = pod.containers_that(|c| added(c, allowed).next().is_some());
    if !containers.is_empty() {
        let names: BTreeSet<&str> = pod.containers().flat_map(|c| added(c, allowed)).collect();
        let who = named("container", &containers);
        details.push(format!("{who} must not include {} in securityContext.capabilities.add", quoted(names)));
    }
    if details.is_empty() { None } else { violation("unrestricted capabilities", details.join("; ")) }
}

fn host_namespaces(pod: &Pod<'_>) -> Option<Violation> {
    let used = ["hostNetwork", "hostPID", "hostIPC"].into_iter().filter(|field| pod.spec[field] == true);
    let used: Vec<String> = used.map(|field| format!("{field}=true")).collect();
    if used.is_empty() { None } else { violation("host namespaces", used.join(", ")) }
}

fn host_paths(pod: &Pod<'_>) -> Option<Violation> {
    let volumes = list(pod.spec, "volumes").iter().filter(|v| !v["hostPath"].is_null());
    let names: Vec<&str> = volumes.map(|v| text(v, "name")).collect();
    if names.is_empty() { None } else { violation("hostPath volumes", named("volume", &names)) }
}

fn host_ports(pod: &Pod<'_>) -> Option<Violation> {
    let of = |c: &Value| -> Vec<i64> {
        list(c, "ports").iter().filter_map(|p| p["hostPort"].as_i64()).filter(|p| *p != 0).collect()
    };
    let containers = pod.containers_that(|c| !of(c).is_empty());
    if containers.is_empty() {
        return None;
    }
    let ports: BTreeSet<String> = pod.containers().flat_map(of).map(|p| p.to_string()).collect();
    let (who, word) = (named("container", &containers), plural("hostPort", ports.len()));
    let ports: Vec<String> = ports.into_iter().collect();
    violation("hostPort", format!("{who} {} {word} {}", uses(containers.len()), ports.join(", ")))
}

fn host_probes(pod: &Pod<'_>) -> Option<Violation> {
    const PLACES: [&str; 5] =
        ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop"];
    let of = |c: &Value| -> Vec<String> {
        let handlers =
            PLACES.iter().flat_map(|place| ["httpGet.host", "tcpSocket.host"].map(|h| text(at(c, place), h)));
        handlers.filter(|host| !host.is_empty()).map(str::to_owned).collect()
    };
    let containers: BTreeSet<&str> = pod.containers_that(|c| !of(c).is_empty()).into_iter().collect();
    if containers.is_empty() {
        return None;
    }
    let containers: Vec<&str> = containers.into_iter().collect();
    let hosts: BTreeSet<String> = pod.containers().flat_map(of).collect();
    let word = plural("probe or lifecycle host", hosts.len());
    let detail = format!("{} {} {word} {}", named("container", &containers), uses(containers.len()), quoted(hosts));
    violation("probe or lifecycle host", detail)
}

fn privileged(pod: &Pod<'_>) -> Option<Violation> {
    let containers = pod.containers_that(|c| *at(c, "securityContext.privileged") == true);
    if containers.is_empty() {
        return None;
    }
    violation("privileged", format!("{} must not set securityContext.privileged=true", named("container", &containers)))
}

fn proc_mount(pod: &Pod<'_>) -> Option<Violation> {
    let is_bad = |v: &Value| !v.is_null() && *v != "Default";
    let containers = pod.containers_that(|c| is_bad(at(c, "securityContext.procMount")));
    if containers.is_empty() {
        return None;
    }
    let who = named("container", &containers);
    let detail = format!("{who} must not set securityContext.procMount to {}", quoted(pod.values("procMount", is_bad)));
    violation("procMount", detail)
}

fn se_linux(pod: &Pod<'_>) -> Option<Violation> {
    let minor = pod.minor;
    let is_bad_type = move |kind: &Value| match kind.as_str() {
        None | Some("" | "container_t" | "container_init_t" | "container_kvm_t") => false,
        Some("container_engine_t") => minor < 31,
        Some(_) => true,
    };
    let sets = |context: &Value, field: &str| !text(at(context, "seLinuxOptions"), field).is_empty();
    let setters = pod.setters(|context| {
        is_bad_type(at(context, "seLinuxOptions.type")) || sets(context, "user") || sets(context, "role")
    });
    if setters.is_empty() {
        return None;
    }
    let mut what = Vec::new();
    let types = pod.values("seLinuxOptions.type", is_bad_type);
    if !types.is_empty() {
        what.push(format!("{} {}", plural("type", types.len()), quoted(types)));
    }
    for field in ["user", "role"] {
        if !pod.setters(|context| sets(context, field)).is_empty() {
            what.push(format!("{field} may not be set"));
        }
    }
    let detail = format!("{} set forbidden securityContext.seLinuxOptions: {}", setters.join(" and "), what.join("; "));
    violation("seLinuxOptions", detail)
}

/// Profiles that are set to something else; and, if one must be set, those who set none.
fn seccomp(pod: &Pod<'_>, must_set: bool) -> Option<Violation> {
    let is_bad = |kind: &Value| !kind.is_null() && !matches!(kind.as_str(), Some("RuntimeDefault" | "Localhost"));
    let setters = pod.setters(|context| is_bad(at(context, "seccompProfile.type")));
    if !setters.is_empty() {
        let bad = quoted(pod.values("seccompProfile.type", is_bad));
        let detail = format!("{} must not set securityContext.seccompProfile.type to {bad}", setters.join(" and "));
        return violation("seccompProfile", detail);
    }
    if !must_set || at(pod.spec, "securityContext.seccompProfile").is_object() {
        return None;
    }
    let containers = pod.containers_that(|c| !at(c, "securityContext.seccompProfile").is_object());
    if containers.is_empty() {
        return None;
    }
    let who = named("container", &containers);
    let detail =
        format!("pod or {who} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"");
    violation("seccompProfile", detail)
}

/// Kernel parameters that a pod may set, and the minor version since which.
const SYSCTLS: [(&str, u32); 12] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
];

fn sysctls(pod: &Pod<'_>) -> Option<Violation> {
    let is_allowed = |name: &str| SYSCTLS.iter().any(|(known, since)| *known == name && *since <= pod.minor);
    let all = list(pod.spec, "securityContext.sysctls").iter().map(|s| text(s, "name"));
    let bad: Vec<&str> = all.filter(|name| !is_allowed(name)).collect();
    if bad.is_empty() { None } else { violation("forbidden sysctls", bad.join(", ")) }
}

fn windows_host_process(pod: &Pod<'_>) -> Option<Violation> {
    let setters = pod.setters(|context| *at(context, "windowsOptions.hostProcess") == true);
    if setters.is_empty() {
        return None;
    }
    let detail = format!("{} must not set securityContext.windowsOptions.hostProcess=true", setters.join(" and "));
    violation("hostProcess", detail)
}

fn privilege_escalation(pod: &Pod<'_>) -> Option<Violation> {
    let containers = pod.containers_that(|c| *at(c, "securityContext.allowPrivilegeEscalation") != false);
    if containers.is_empty() || pod.is_windows() {
        return None;
    }
    let detail = format!("{} must set securityContext.allowPrivilegeEscalation=false", named("container", &containers));
    violation("allowPrivilegeEscalation != false", detail)
}

fn volumes(pod: &Pod<'_>) -> Option<Violation> {
    const ALLOWED: [&str; 9] = [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ];
    let source = |volume: &Value| -> String {
        fields(volume).map(|(name, _)| name.as_str()).find(|name| *name != "name").unwrap_or("unknown").to_owned()
    };
    let bad: Vec<&Value> =
        list(pod.spec, "volumes").iter().filter(|v| !ALLOWED.contains(&source(v).as_str())).collect();
    if bad.is_empty() {
        return None;
    }
    let names: Vec<&str> = bad.iter().map(|v| text(v, "name")).collect();
    let types: BTreeSet<String> = bad.iter().map(|v| source(v)).collect();
    let word = plural("restricted volume type", types.len());
    let detail = format!("{} {} {word} {}", named("volume", &names), uses(names.len()), quoted(types));
    violation("restricted volume types", detail)
}

fn run_as_non_root(pod: &Pod<'_>) -> Option<Violation> {
    if pod.minor >= 35 && pod.has_own_users() {
        return None;
    }
    let setters = pod.setters(|context| context["runAsNonRoot"] == false);
    if !setters.is_empty() {
        let detail = format!("{} must not set securityContext.runAsNonRoot=false", setters.join(" and "));
        return violation("runAsNonRoot != true", detail);
    }
    let by_pod = *at(pod.spec, "securityContext.runAsNonRoot") == true;
    let containers = pod.containers_that(|c| !by_pod && at(c, "securityContext.runAsNonRoot").is_null());
    if containers.is_empty() {
        return None;
    }
    let detail = format!("pod or {} must set securityContext.runAsNonRoot=true", named("container", &containers));
    violation("runAsNonRoot != true", detail)
}

fn run_as_user(pod: &Pod<'_>) -> Option<Violation> {
    if pod.minor >= 35 && pod.has_own_users() {
        return None;
    }
    let setters = pod.setters(|context| context["runAsUser"] == 0);
    if setters.is_empty() {
        return None;
    }
    violation("runAsUser=0", format!("{} must not set runAsUser=0", setters.join(" and ")))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use json::json;

    use super::*;

    fn check(level: Level, minor: u32, spec: Value, expected: Expect) {
        let found = run(level, minor, &json!({"metadata": {"name": "p"}, "spec": spec}));
        let lines: Vec<String> = found.iter().map(|v| format!("{} ({})", v.reason, v.detail)).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn what_baseline_forbids() {
        let containers = json!([
            {"name": "a", "securityContext": {"privileged": true, "capabilities": {"add": ["NET_ADMIN", "CHOWN"]}}},
            {"name": "b", "ports": [{"hostPort": 80}], "securityContext": {"capabilities": {"add": ["SYS_TIME"]}}},
        ]);
        let spec = json!({"hostNetwork": true, "volumes": [{"name": "v", "hostPath": {"path": "/"}}],
            "securityContext": {"sysctls": [{"name": "net.ipv4.tcp_rmem"}, {"name": "kernel.msgmax"}]},
            "containers": containers});
        check(
            Level::Baseline,
            31,
            spec.clone(),
            expect![[r#"
                non-default capabilities (containers "a", "b" must not include "NET_ADMIN", "SYS_TIME" in securityContext.capabilities.add)
                host namespaces (hostNetwork=true)
                hostPath volumes (volume "v")
                hostPort (container "b" uses hostPort 80)
                privileged (container "a" must not set securityContext.privileged=true)
                forbidden sysctls (net.ipv4.tcp_rmem, kernel.msgmax)"#]],
        );
        check(Level::Privileged, 36, spec, expect![""]);
    }

    #[test]
    fn what_restricted_asks_for() {
        let good = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
        let mut spec = json!({"securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "a", "securityContext": good}], "volumes": [{"name": "t", "emptyDir": {}}]});
        check(Level::Restricted, 36, spec.clone(), expect![""]);
        spec["securityContext"] = json!({"runAsUser": 0});
        spec["volumes"] = json!([{"name": "h", "hostPath": {"path": "/"}}, {"name": "n", "nfs": {}}]);
        check(
            Level::Restricted,
            36,
            spec,
            expect![[r#"
                restricted volume types (volumes "h", "n" use restricted volume types "hostPath", "nfs")
                runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)
                runAsUser=0 (pod must not set runAsUser=0)
                seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")"#]],
        );
    }
}
