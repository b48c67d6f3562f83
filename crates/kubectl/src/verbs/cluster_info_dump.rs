//! `kubectl cluster-info dump`: nodes, what lives in namespaces, and logs, on standard output or as files.

use std::rc::Rc;

use api::http::Method;
use json::Value;

use crate::failure::{Failure, Outcome};
use crate::flags::common::{ALL_NAMESPACES, PRINT};
use crate::flags::{Action, Args, COMMAND, Command, Flag, duration, slice, text};
use crate::podspec;
use crate::printers::output::{self, FORMATS, Format, Printer};
use crate::rest::{Rest, bytes_of, escape};
use crate::session::Session;

static FLAGS: &[Flag] = &[
    slice("namespaces", "The namespaces to dump."),
    text("output-directory", "", "Where to write files; - or nothing means standard output."),
    duration("pod-running-timeout", "20s", "How long to wait for a pod to run."),
];

/// The command.
pub static DUMP: Command = Command {
    name: "dump",
    usage: "[flags]",
    short: "Dump relevant information for debugging and diagnosis",
    long: "Print what is needed to find out what is wrong with a cluster: nodes, the objects of kube-system and of the current namespace, and the logs of their pods.",
    examples: &[
        ("On standard output", "kubectl cluster-info dump"),
        ("As files", "kubectl cluster-info dump --output-directory=/tmp/cluster-state"),
    ],
    flags: &[FLAGS, ALL_NAMESPACES, PRINT],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

/// What is listed of each namespace: the file, the path before and after the namespace.
const LISTS: &[(&str, &str, &str)] = &[
    ("events", "/api/v1", "events"),
    ("replication-controllers", "/api/v1", "replicationcontrollers"),
    ("services", "/api/v1", "services"),
    ("daemonsets", "/apis/apps/v1", "daemonsets"),
    ("deployments", "/apis/apps/v1", "deployments"),
    ("replicasets", "/apis/apps/v1", "replicasets"),
    ("pods", "/api/v1", "pods"),
];

struct Dump {
    rest: Rest,
    printer: Printer,
    /// Empty for standard output.
    directory: String,
    extension: &'static str,
}

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let rest = session.rest(&args)?;
    let printer = match output::format(&session, &args, FORMATS)? {
        Format::Objects(printer) => printer,
        Format::Human | Format::Wide => Printer::Json,
    };
    let directory = Some(args.text("output-directory")).filter(|d| *d != "-").unwrap_or("").to_owned();
    let extension = match args.text("output") {
        "yaml" => ".yaml",
        "json" | "" => ".json",
        _ => ".txt",
    };
    let dump = Dump { rest, printer, directory, extension };
    let nodes = dump.rest.get("/api/v1/nodes").await?;
    dump.object("nodes", nodes).await?;
    let namespaces = if args.on("all-namespaces") {
        let all = dump.rest.get("/api/v1/namespaces").await?;
        let names = all["items"].as_array().into_iter().flatten();
        names.filter_map(|n| n["metadata"]["name"].as_str().map(str::to_owned)).collect()
    } else if args.changed("namespaces") {
        args.list("namespaces")
    } else {
        vec!["kube-system".to_owned(), dump.rest.namespace().to_owned()]
    };
    for namespace in &namespaces {
        dump.namespace(namespace).await?;
    }
    match dump.directory.as_str() {
        "" => Ok(()),
        directory => session.out(format!("Cluster info dumped to {directory}\n")).await,
    }
}

impl Dump {
    async fn namespace(&self, namespace: &str) -> Outcome {
        let mut pods = Value::Null;
        for (file, root, plural) in LISTS {
            let list = match self.rest.get(&format!("{root}/namespaces/{namespace}/{plural}")).await {
                // A type that the server does not have has no objects.
                Err(failure) if failure.is_not_found() => continue,
                list => list?,
            };
            self.object(&format!("{namespace}/{file}"), list.clone()).await?;
            if *plural == "pods" {
                pods = list;
            }
        }
        for pod in pods["items"].as_array().into_iter().flatten() {
            self.logs(namespace, pod).await?;
        }
        Ok(())
    }

    async fn logs(&self, namespace: &str, pod: &Value) -> Outcome {
        let name = pod["metadata"]["name"].as_str().unwrap_or("");
        let mut text = String::new();
        for field in ["initContainers", "containers"] {
            for container in pod["spec"][field].as_array().into_iter().flatten().map(podspec::name) {
                let title = format!("logs for container {container} of pod {namespace}/{name} ====\n");
                text += &format!("==== START {title}");
                let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/log?container={}", escape(container));
                match self.rest.call(Method::GET, &path, "*/*", None).await {
                    Ok(log) => text += &String::from_utf8_lossy(&bytes_of(log.into_body()).await),
                    Err(failure) => text += &format!("Request log error: {}\n", failure.bare()),
                }
                text += &format!("==== END {title}");
            }
        }
        self.write(&format!("{namespace}/{name}/logs.txt"), text).await
    }

    async fn object(&self, file: &str, mut object: Value) -> Outcome {
        output::hide_managed_fields(&mut object);
        // What a typed client has read: only the list says what its items are.
        for item in object["items"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            item.remove("kind");
            item.remove("apiVersion");
        }
        let (text, outcome) = self.printer.print_typed(&object);
        self.write(&format!("{file}{}", self.extension), text).await?;
        outcome
    }

    async fn write(&self, file: &str, text: String) -> Outcome {
        let session = &self.rest.session;
        if self.directory.is_empty() {
            return session.out(text).await;
        }
        let path = session.absolute(&format!("{}/{file}", self.directory.trim_end_matches('/')));
        session.place.write_file(&path, text.as_bytes()).map_err(Failure::message)
    }
}
