//! What a debugging container may do (`kubectl/pkg/cmd/debug/profiles.go`).

use json::{Value, json};

use crate::failure::{Failure, Outcome};

/// `--profile`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// As it was before there were profiles.
    Legacy,
    /// Traces processes.
    General,
    /// Nothing that the baseline policy forbids.
    Baseline,
    /// Nothing that the restricted policy forbids.
    Restricted,
    /// Changes the network.
    Netadmin,
    /// May do everything.
    Sysadmin,
}

/// Where the container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Added to a pod.
    Ephemeral,
    /// In a copy of a pod.
    Copy,
    /// In a pod on a node.
    Node,
}

impl Profile {
    /// Reads the flag.
    pub fn parse(text: &str) -> Outcome<Profile> {
        Ok(match text {
            "legacy" => Profile::Legacy,
            "general" => Profile::General,
            "baseline" => Profile::Baseline,
            "restricted" => Profile::Restricted,
            "netadmin" => Profile::Netadmin,
            "sysadmin" => Profile::Sysadmin,
            other => return Err(Failure::message(format!("unknown profile: {other}"))),
        })
    }

    /// Sets what the container may do.
    pub fn secure(self, container: &mut Value, style: Style) {
        let clears = matches!(self, Profile::Baseline | Profile::Restricted)
            || (self == Profile::General && style == Style::Node);
        if clears && let Some(map) = container.as_object_mut() {
            map.remove("securityContext");
        }
        match self {
            Profile::Legacy | Profile::Baseline => {}
            Profile::General if style == Style::Node => {}
            Profile::General => add_capability(container, "SYS_PTRACE"),
            Profile::Restricted => {
                container["securityContext"] = json!({
                    "allowPrivilegeEscalation": false,
                    "capabilities": {"drop": ["ALL"]},
                    "runAsNonRoot": true,
                    "seccompProfile": {"type": "RuntimeDefault"},
                });
            }
            Profile::Netadmin => {
                add_capability(container, "NET_ADMIN");
                add_capability(container, "NET_RAW");
            }
            Profile::Sysadmin => container["securityContext"]["privileged"] = true.into(),
        }
    }

    /// Whether a pod on a node is in the node's namespaces.
    pub fn uses_host(self) -> bool {
        !matches!(self, Profile::Baseline | Profile::Restricted)
    }

    /// Whether a pod on a node has the node's files below /host.
    pub fn mounts_root(self) -> bool {
        matches!(self, Profile::Legacy | Profile::General | Profile::Sysadmin)
    }
}

fn add_capability(container: &mut Value, name: &str) {
    let capabilities = &mut container["securityContext"]["capabilities"];
    match capabilities["add"].as_array_mut() {
        Some(all) => all.push(name.into()),
        None => capabilities["add"] = json!([name]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_grant_what_they_say() {
        let secured = |profile: &str, style| {
            let mut container = json!({"name": "c", "securityContext": {"runAsUser": 5}});
            Profile::parse(profile).expect("known").secure(&mut container, style);
            container["securityContext"].to_string()
        };
        assert_eq!(secured("general", Style::Ephemeral), r#"{"capabilities":{"add":["SYS_PTRACE"]},"runAsUser":5}"#);
        assert_eq!(secured("general", Style::Node), "null");
        assert_eq!(secured("baseline", Style::Copy), "null");
        assert_eq!(secured("sysadmin", Style::Node), r#"{"privileged":true,"runAsUser":5}"#);
        assert!(secured("restricted", Style::Ephemeral).contains(r#""drop":["ALL"]"#));
        assert!(Profile::parse("mine").is_err());
    }
}
