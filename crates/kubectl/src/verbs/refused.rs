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
}
