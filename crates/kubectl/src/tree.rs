//! The tree of commands, in the groups of `kubectl --help`.

use crate::describe;
use crate::flags::help::{self, Group};
use crate::flags::parse;
use crate::flags::{Action, COMMAND, Command, HelpTo};
use crate::verbs::{
    apply, auth, autoscale, certificate, cluster_info, config, cp, create, debug, delete, diff, edit, events, exec,
    explain, expose, get, kustomize, label, logs, nodes, partly, patch, plugin, port_forward, proxy, replace, rollout,
    run, scale, set, taint, top, version, wait,
};

/// The groups of `kubectl --help`.
pub static GROUPS: &[Group] = &[
    Group {
        title: "Basic Commands (Beginner)",
        commands: &[&create::from_files::CREATE, &expose::EXPOSE, &run::RUN, &set::SET],
    },
    Group {
        title: "Basic Commands (Intermediate)",
        commands: &[&explain::EXPLAIN, &get::GET, &edit::EDIT, &delete::DELETE],
    },
    Group { title: "Deploy Commands", commands: &[&rollout::ROLLOUT, &scale::SCALE, &autoscale::AUTOSCALE] },
    Group {
        title: "Cluster Management Commands",
        commands: &[
            &certificate::CERTIFICATE,
            &cluster_info::CLUSTER_INFO,
            &top::TOP,
            &nodes::CORDON,
            &nodes::UNCORDON,
            &nodes::DRAIN,
            &taint::TAINT,
        ],
    },
    Group {
        title: "Troubleshooting and Debugging Commands",
        commands: &[
            &describe::DESCRIBE,
            &logs::LOGS,
            &exec::ATTACH,
            &exec::EXEC,
            &port_forward::PORT_FORWARD,
            &proxy::PROXY,
            &cp::CP,
            &auth::AUTH,
            &debug::DEBUG,
            &events::EVENTS,
        ],
    },
    Group {
        title: "Advanced Commands",
        commands: &[&diff::DIFF, &apply::APPLY, &patch::PATCH, &replace::REPLACE, &wait::WAIT, &kustomize::KUSTOMIZE],
    },
    Group { title: "Settings Commands", commands: &[&label::LABEL, &label::ANNOTATE, &partly::COMPLETION] },
    Group {
        title: "Other Commands",
        commands: &[
            &cluster_info::API_RESOURCES,
            &cluster_info::API_VERSIONS,
            &config::CONFIG,
            &plugin::PLUGIN,
            &version::VERSION,
        ],
    },
];

/// kubectl itself. Suggestions for mistyped commands come in this order.
pub static ROOT: Command = Command {
    name: "kubectl",
    usage: "[flags]",
    short: "Controls a Kubernetes cluster",
    long: "kubectl controls the Kubernetes cluster manager.

 Find more information at: https://kubernetes.io/docs/reference/kubectl/",
    commands: &[
        &create::from_files::CREATE,
        &expose::EXPOSE,
        &run::RUN,
        &set::SET,
        &explain::EXPLAIN,
        &get::GET,
        &edit::EDIT,
        &delete::DELETE,
        &rollout::ROLLOUT,
        &scale::SCALE,
        &autoscale::AUTOSCALE,
        &certificate::CERTIFICATE,
        &cluster_info::CLUSTER_INFO,
        &top::TOP,
        &nodes::CORDON,
        &nodes::UNCORDON,
        &nodes::DRAIN,
        &taint::TAINT,
        &describe::DESCRIBE,
        &logs::LOGS,
        &exec::ATTACH,
        &exec::EXEC,
        &port_forward::PORT_FORWARD,
        &proxy::PROXY,
        &cp::CP,
        &auth::AUTH,
        &debug::DEBUG,
        &events::EVENTS,
        &diff::DIFF,
        &apply::APPLY,
        &patch::PATCH,
        &replace::REPLACE,
        &wait::WAIT,
        &kustomize::KUSTOMIZE,
        &label::LABEL,
        &label::ANNOTATE,
        &partly::COMPLETION,
        &cluster_info::API_RESOURCES,
        &cluster_info::API_VERSIONS,
        &config::CONFIG,
        &plugin::PLUGIN,
        &version::VERSION,
        &OPTIONS,
        &HELP,
    ],
    action: Action::Group(HelpTo::Out),
    ..COMMAND
};

static OPTIONS: Command = Command {
    name: "options",
    short: "Print the list of flags inherited by all commands",
    long: "Print the list of flags inherited by all commands",
    action: Action::Run(|session, _| Box::pin(async move { session.out(help::globals()).await })),
    ..COMMAND
};

static HELP: Command = Command {
    name: "help",
    usage: "[command]",
    short: "Help about any command",
    long: "Print the help of any command.",
    action: Action::Run(|session, args| {
        Box::pin(async move {
            let (command, path, rest) = parse::find(&ROOT, &args.words);
            let mut text = crate::program::help_of(command, &path);
            if !rest.is_empty() {
                text = format!("Unknown help topic [`{}`]\n\n\n{text}", args.words.join(" "));
            }
            session.out(text).await
        })
    }),
    ..COMMAND
};
