//! Commands that are known but not built: they refuse by name.

use crate::flags::{Action, COMMAND, Command};

macro_rules! refused {
    ($($id:ident $name:literal $aliases:tt $short:literal $path:literal;)*) => {
        $(
            #[doc = $short]
            pub static $id: Command = Command {
                name: $name,
                aliases: &$aliases,
                short: $short,
                long: $short,
                action: Action::Refuse(simulation::stub!("kubectl", $path)),
                ..COMMAND
            };
        )*
    };
}

refused! {
    CREATE_CLUSTER_ROLE "clusterrole" [] "Create a cluster role" "create clusterrole";
    CREATE_CLUSTER_ROLE_BINDING "clusterrolebinding" [] "Create a cluster role binding for a particular cluster role" "create clusterrolebinding";
    CREATE_CRON_JOB "cronjob" ["cj"] "Create a cron job with the specified name" "create cronjob";
    CREATE_INGRESS "ingress" ["ing"] "Create an ingress with the specified name" "create ingress";
    CREATE_JOB "job" [] "Create a job with the specified name" "create job";
    CREATE_PDB "poddisruptionbudget" ["pdb"] "Create a pod disruption budget with the specified name" "create poddisruptionbudget";
    CREATE_PRIORITY_CLASS "priorityclass" ["pc"] "Create a priority class with the specified name" "create priorityclass";
    CREATE_QUOTA "quota" ["resourcequota"] "Create a quota with the specified name" "create quota";
    CREATE_ROLE "role" [] "Create a role with single rule" "create role";
    CREATE_ROLE_BINDING "rolebinding" [] "Create a role binding for a particular role or cluster role" "create rolebinding";
    CREATE_TOKEN "token" [] "Request a service account token" "create token";
    CREATE_SECRET_DOCKER "docker-registry" [] "Create a secret for use with a Docker registry" "create secret docker-registry";
    CREATE_SECRET_TLS "tls" [] "Create a TLS secret" "create secret tls";
    SET_SUBJECT "subject" [] "Update the user, group, or service account in a role binding or cluster role binding" "set subject";
    APPLY_EDIT "edit-last-applied" [] "Edit latest last-applied-configuration annotations of a resource/object" "apply edit-last-applied";
    APPLY_SET "set-last-applied" [] "Set the last-applied-configuration annotation on a live object to match the contents of a file" "apply set-last-applied";
    CLUSTER_INFO_DUMP "dump" [] "Dump relevant information for debugging and diagnosis" "cluster-info dump";
    EXPLAIN "explain" [] "Get documentation for a resource" "explain";
    EDIT "edit" [] "Edit a resource on the server" "edit";
    AUTOSCALE "autoscale" [] "Auto-scale a deployment, replica set, stateful set, or replication controller" "autoscale";
    CERTIFICATE "certificate" [] "Modify certificate resources" "certificate";
    TOP "top" [] "Display resource (CPU/memory) usage" "top";
    CORDON "cordon" [] "Mark node as unschedulable" "cordon";
    UNCORDON "uncordon" [] "Mark node as schedulable" "uncordon";
    DRAIN "drain" [] "Drain node in preparation for maintenance" "drain";
    TAINT "taint" [] "Update the taints on one or more nodes" "taint";
    PORT_FORWARD "port-forward" [] "Forward one or more local ports to a pod" "port-forward";
    CP "cp" [] "Copy files and directories to and from containers" "cp";
    AUTH "auth" [] "Inspect authorization" "auth";
    DEBUG "debug" [] "Create debugging sessions for troubleshooting workloads and nodes" "debug";
    DIFF "diff" [] "Diff the live version against a would-be applied version" "diff";
    REPLACE "replace" [] "Replace a resource by file name or stdin" "replace";
    KUSTOMIZE "kustomize" [] "Build a kustomization target from a directory or URL" "kustomize";
    COMPLETION "completion" [] "Output shell completion code for the specified shell (bash, zsh, fish, or powershell)" "completion";
    PLUGIN "plugin" [] "Provides utilities for interacting with plugins" "plugin";
}
