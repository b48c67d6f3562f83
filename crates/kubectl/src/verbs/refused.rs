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
    CREATE_PDB "poddisruptionbudget" ["pdb"] "Create a pod disruption budget with the specified name" "create poddisruptionbudget";
    CREATE_PRIORITY_CLASS "priorityclass" ["pc"] "Create a priority class with the specified name" "create priorityclass";
    CREATE_SECRET_DOCKER "docker-registry" [] "Create a secret for use with a Docker registry" "create secret docker-registry";
    CREATE_SECRET_TLS "tls" [] "Create a TLS secret" "create secret tls";
    SET_SUBJECT "subject" [] "Update the user, group, or service account in a role binding or cluster role binding" "set subject";
    APPLY_EDIT "edit-last-applied" [] "Edit latest last-applied-configuration annotations of a resource/object" "apply edit-last-applied";
    APPLY_SET "set-last-applied" [] "Set the last-applied-configuration annotation on a live object to match the contents of a file" "apply set-last-applied";
    CLUSTER_INFO_DUMP "dump" [] "Dump relevant information for debugging and diagnosis" "cluster-info dump";
    CERTIFICATE "certificate" [] "Modify certificate resources" "certificate";
    PLUGIN "plugin" [] "Provides utilities for interacting with plugins" "plugin";
    RECONCILE "reconcile" [] "Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding objects" "auth reconcile";
}
