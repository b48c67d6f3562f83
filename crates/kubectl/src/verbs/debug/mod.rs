//! `kubectl debug` (`kubectl/pkg/cmd/debug`): an ephemeral container in a pod, a changed copy of a pod, or a pod on a node.

mod make;
mod profiles;

use std::rc::Rc;

use api::Object;
use api::http::Method;
use json::{Value, json};

use super::exec::{self, Attach};
use super::run::is_reference;
use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, slice, switch, switch_on, text};
use crate::manifests;
use crate::rest::{Rest, STRATEGIC_PATCH, bytes_of, escape};
use crate::session::Session;
use crate::targets::{self, Named, Query};
use crate::waiting::{self, Verdict};
use profiles::Profile;

static FLAGS: &[Flag] = &[
    switch("arguments-only", "What follows -- are arguments, not the command."),
    switch("attach", "Wait for the container and attach to it. On by default with -i."),
    text("container", "", "Name of the new container.").short('c'),
    text("copy-to", "", "Make a copy of the pod with this name."),
    text("custom", "", "File with a part of a container, laid over what the profile makes."),
    slice("env", "Environment variables, as NAME=value."),
    slice("filename", "File that names what to debug.").short('f'),
    text("image", "", "Image of the new container."),
    text("image-pull-policy", "", "Always, IfNotPresent or Never."),
    switch("keep-annotations", "With --copy-to, keep the pod's annotations."),
    switch_on("keep-init-containers", "With --copy-to, keep the init containers."),
    switch("keep-labels", "With --copy-to, keep the pod's labels."),
    switch("keep-liveness", "With --copy-to, keep the liveness probes."),
    switch("keep-readiness", "With --copy-to, keep the readiness probes."),
    switch("keep-startup", "With --copy-to, keep the startup probes."),
    text("profile", "general", "What the container may do: general, baseline, restricted, netadmin or sysadmin."),
    switch("quiet", "Print only what the container prints.").short('q'),
    switch("replace", "With --copy-to, delete the original pod."),
    switch("same-node", "With --copy-to, put the copy on the same node."),
    slice("set-image", "With --copy-to, new images, as NAME=image; the name * means all."),
    switch_on("share-processes", "With --copy-to, the copy's containers see each other's processes."),
    switch("stdin", "Keep standard input open.").short('i'),
    text("target", "", "Container whose processes are to be seen."),
    switch("tty", "Give it a terminal.").short('t'),
];

/// The command.
pub static DEBUG: Command = Command {
    name: "debug",
    usage: "(POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ]",
    short: "Create debugging sessions for troubleshooting workloads and nodes",
    long: "Look into a pod or a node with a container of your own: added to a pod while it runs, in a changed copy of the pod, or in a new pod on the node.",
    examples: &[
        ("A shell beside the containers of a pod", "kubectl debug mypod -it --image=busybox"),
        (
            "A copy of a pod in which one container runs something else",
            "kubectl debug mypod -it --copy-to=my-debugger --container=mycontainer -- sh",
        ),
        ("A copy of a pod with other images", "kubectl debug mypod --copy-to=my-debugger --set-image=*=busybox"),
        ("A shell on a node, its files below /host", "kubectl debug node/mynode -it --image=busybox"),
    ],
    flags: &[FLAGS],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

/// What was asked for.
struct Debug {
    rest: Rest,
    args: Args,
    profile: Profile,
    /// A part of a container to lay over the new one.
    custom: Option<Value>,
}

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let profile = Profile::parse(args.text("profile"))?;
    let custom = custom(&session, &args)?;
    validate(&session, &args, custom.as_ref()).await?;
    let rest = session.rest(&args)?;
    let debug = Debug { rest, args, profile, custom };
    for named in debug.targets().await? {
        let object = Object::new(debug.rest.get(&named.path()).await?);
        let (pod, container) = match (named.resource.group.as_str(), named.resource.kind.as_str()) {
            ("", "Pod") if debug.args.text("copy-to").is_empty() => debug.ephemeral(&object).await?,
            ("", "Pod") => debug.copy(&object).await?,
            ("", "Node") => debug.node(&object).await?,
            _ => {
                let resource = &named.resource;
                let why = format!("\"{}, Kind={}\" not supported by debug", resource.api_version(), resource.kind);
                return Err(Failure::message(why));
            }
        };
        if debug.attaches() && !container.is_empty() {
            debug.attach(&pod, &container).await?;
        }
    }
    Ok(())
}

/// The file that `--custom` names.
fn custom(session: &Session, args: &Args) -> Outcome<Option<Value>> {
    let file = args.text("custom");
    if file.is_empty() {
        return Ok(None);
    }
    let bytes = session.place.read_file(&session.absolute(file)).map_err(|why| {
        Failure::message(format!("must pass a container spec json file for custom profile: open {file}: {why}"))
    })?;
    let found = api::yaml::parse(&String::from_utf8_lossy(&bytes)).ok().and_then(|all| all.into_iter().next());
    match found.filter(Value::is_object) {
        Some(container) => Ok(Some(container)),
        None => Err(Failure::message(format!("{file} does not contain a valid container spec"))),
    }
}

async fn validate(session: &Session, args: &Args, custom: Option<&Value>) -> Outcome {
    let refuse = |why: &str| Err(Failure::message(why));
    let given = |name: &str| !args.text(name).is_empty();
    let image = args.text("image");
    if args.on("attach") && image.is_empty() && !given("container") {
        return refuse("you must specify --container or create a new container using --image in order to attach.");
    }
    if given("copy-to") {
        if image.is_empty() && !args.changed("set-image") && args.after_dash().is_empty() {
            return refuse("you must specify --image, --set-image or command arguments.");
        }
        if !args.after_dash().is_empty() && !given("container") && image.is_empty() {
            return refuse("you must specify an existing container or a new image when specifying args.");
        }
    } else {
        for only in ["replace", "same-node", "set-image"] {
            if args.on(only) || (only == "set-image" && args.changed(only)) {
                return Err(Failure::message(format!("--{only} may only be used with --copy-to.")));
            }
        }
        if image.is_empty() {
            return refuse("you must specify --image when not using --copy-to.");
        }
    }
    if !image.is_empty() && !is_reference(image) {
        return Err(Failure::message(format!("invalid image name \"{image}\": invalid reference format")));
    }
    if args.before_dash().is_empty() && !args.changed("filename") {
        return refuse("NAME or filename is required for debug");
    }
    let policy = args.text("image-pull-policy");
    if !matches!(policy, "" | "Always" | "IfNotPresent" | "Never") {
        return Err(Failure::message(format!("invalid image pull policy: {policy}")));
    }
    for (name, image) in make::pairs(args, "set-image")? {
        if !is_reference(&image) {
            let why = format!("invalid image name \"{image}\" for container \"{name}\": invalid reference format");
            return Err(Failure::message(why));
        }
    }
    make::pairs(args, "env")?;
    if given("target") {
        if given("copy-to") {
            return refuse("--target is incompatible with --copy-to. Use --share-processes instead.");
        }
        if !args.on("quiet") {
            let target = args.text("target");
            let text = "If you don't see processes from this container it may be because the container runtime doesn't support this feature.";
            session.out(format!("Targeting container \"{target}\". {text}\n")).await?;
        }
    }
    if args.on("tty") && !args.on("stdin") {
        return refuse("-i/--stdin is required for containers with -t/--tty=true");
    }
    if custom
        .is_some_and(|c| ["name", "command", "image", "lifecycle", "volumeDevices"].iter().any(|f| !c[*f].is_null()))
    {
        return refuse("name, command, image, lifecycle and volume devices are not modifiable via custom profile");
    }
    if args.text("profile") == "legacy" {
        let text = "--profile=legacy is deprecated and planned to be removed in v1.39. It is recommended to specify other profile, for example \"--profile=general\".\n";
        session.err(text).await;
    }
    Ok(())
}

impl Debug {
    /// What is to be debugged, in order.
    async fn targets(&self) -> Outcome<Vec<Named>> {
        let mut found = Vec::new();
        if self.args.changed("filename") {
            for document in manifests::load(&self.rest.session, &self.args).await? {
                found.push(targets::from_document(&self.rest, &document).await?);
            }
        }
        for word in self.args.before_dash() {
            let word = if word.contains('/') { word.clone() } else { format!("pods/{word}") };
            let query = Query { words: vec![word], ..Query::default() };
            for target in targets::resolve(&self.rest, &query).await?.0 {
                if let targets::Target::Named(named) = target {
                    found.push(named);
                }
            }
        }
        Ok(found)
    }

    fn attaches(&self) -> bool {
        self.args.on("attach") || (self.args.on("stdin") && !self.args.changed("attach"))
    }

    async fn say(&self, text: String) -> Outcome {
        if self.args.on("quiet") { Ok(()) } else { self.rest.session.out(text).await }
    }

    /// The name of the new container; one that was made up is said.
    async fn container_name(&self, pod: &Value) -> Outcome<String> {
        let wanted = self.args.text("container");
        if !wanted.is_empty() {
            return Ok(wanted.to_owned());
        }
        let mut name = self.made_up("debugger");
        while make::has_container(pod, &name) {
            name = self.made_up("debugger");
        }
        self.say(format!("Defaulting debug container name to {name}.\n")).await?;
        Ok(name)
    }

    /// A name with a suffix as the API server makes them.
    fn made_up(&self, base: &str) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let sim = &self.rest.session.sim;
        let letter = |_| usize::try_from(sim.random_below(LETTERS.len() as u64)).map_or('b', |i| LETTERS[i] as char);
        let suffix: String = (0..5).map(letter).collect();
        format!("{base}-{suffix}")
    }

    /// Adds an ephemeral container to a pod.
    async fn ephemeral(&self, pod: &Object) -> Outcome<(Value, String)> {
        let name = self.container_name(pod.value()).await?;
        let container = make::ephemeral(&self.args, &name, self.profile, self.custom.as_ref())?;
        self.warn_of_user(pod.value(), &container).await;
        let mut order: Vec<Value> =
            pod.list("spec.ephemeralContainers").iter().map(|c| json!({"name": c["name"]})).collect();
        order.push(json!({ "name": name }));
        let patch =
            json!({"spec": {"$setElementOrder/ephemeralContainers": order, "ephemeralContainers": [container]}});
        let path = format!("/api/v1/namespaces/{}/pods/{}/ephemeralcontainers", pod.namespace(), pod.name());
        Ok((self.rest.patch(&path, STRATEGIC_PATCH, &patch).await?, name))
    }

    /// Makes a changed copy of a pod.
    async fn copy(&self, pod: &Object) -> Outcome<(Value, String)> {
        let wanted = self.args.text("container");
        let copy = make::copy(&self.args, pod.value())?;
        let is_there = make::has_container(&copy, wanted);
        let only_images = !is_there && self.args.text("image").is_empty();
        if only_images && !self.args.changed("set-image") {
            return Err(Failure::message("you must specify image when creating new container"));
        }
        let (copy, name) = if only_images {
            (copy, String::new())
        } else {
            let name = if is_there { wanted.to_owned() } else { self.container_name(&copy).await? };
            (make::changed_copy(&self.args, copy, &name, self.profile, self.custom.as_ref())?, name)
        };
        let container = make::container(&copy, &name).cloned().unwrap_or(Value::Null);
        self.warn_of_user(&copy, &container).await;
        let path = format!("/api/v1/namespaces/{}/pods", pod.namespace());
        let created = self.rest.post(&path, &copy).await?;
        if self.args.on("replace") {
            let now = json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0});
            self.rest.delete(&format!("{path}/{}", pod.name()), &now).await?;
        }
        Ok((created, name))
    }

    /// Makes a pod on a node.
    async fn node(&self, node: &Object) -> Outcome<(Value, String)> {
        let container = match self.args.text("container") {
            "" => "debugger",
            name => name,
        };
        let name = self.made_up(&format!("node-debugger-{}", node.name()));
        let text = format!("Creating debugging pod {name} with container {container} on node {}.\n", node.name());
        self.say(text).await?;
        let pod = make::on_node(&self.args, node.name(), &name, container, self.profile, self.custom.as_ref())?;
        let path = format!("/api/v1/namespaces/{}/pods", self.rest.namespace());
        Ok((self.rest.post(&path, &pod).await?, container.to_owned()))
    }

    /// What a profile grants may not work for a user who is not root.
    async fn warn_of_user(&self, pod: &Value, container: &Value) {
        let is_other = |user: &Value| user.as_i64().is_some_and(|uid| uid != 0);
        let security = &container["securityContext"];
        let is_granted = security["privileged"] == true
            || security["capabilities"]["add"].as_array().is_some_and(|all| !all.is_empty());
        if is_other(&pod["spec"]["securityContext"]["runAsUser"]) && security["runAsUser"] != 0 && is_granted {
            let text = "Warning: Non-root user is configured for the entire target Pod, and some capabilities granted by debug profile may not work. Please consider using \"--custom\" with a custom profile that specifies \"securityContext.runAsUser: 0\".\n";
            self.rest.session.err(text).await;
        }
    }

    /// Waits for the container, and attaches to it; its log when that is too late.
    async fn attach(&self, pod: &Value, container: &str) -> Outcome {
        let pod = Object::new(pod.clone());
        let state = self.wait_for(&pod, container).await?;
        if !state["terminated"].is_null() {
            return self.log(&pod, container).await;
        }
        let (quiet, stdin, tty) = (self.args.on("quiet"), self.args.on("stdin"), self.args.on("tty"));
        let attach = Attach { container: container.to_owned(), stdin, tty, quiet };
        match exec::attach_to(&self.rest, &attach, &pod).await {
            Err(failure @ (Failure::Status(..) | Failure::Message(_))) => {
                let why = failure.bare();
                let text =
                    format!("warning: couldn't attach to pod/{}, falling back to streaming logs: {why}\n", pod.name());
                self.rest.session.err(text).await;
                self.log(&pod, container).await
            }
            attached => attached,
        }
    }

    /// Waits until a container has been started; its state then.
    async fn wait_for(&self, pod: &Object, container: &str) -> Outcome<Value> {
        let resource = super::create::resource("", "v1", "Pod", "pods", true);
        let named = Named {
            resource: Rc::new(resource),
            namespace: pod.namespace().to_owned(),
            name: pod.name().to_owned(),
            manifest: None,
        };
        let mut last = Value::Null;
        let mut warnings = Vec::new();
        let judge = |pod: Option<&Value>| {
            let Some(pod) = pod else { return Err(Failure::message("pods \"\" not found")) };
            let lists = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];
            let mut all = lists.iter().flat_map(|l| pod["status"][*l].as_array().into_iter().flatten());
            last = all.find(|s| s["name"] == container).map_or(Value::Null, |s| s["state"].clone());
            if let Some(message) = last["waiting"]["message"].as_str() {
                warnings.push(format!("Warning: container {container}: {message}\n"));
            }
            let has_started = !last["running"].is_null() || !last["terminated"].is_null();
            Ok(if has_started { Verdict::Met } else { Verdict::NotYet })
        };
        let waited = waiting::until(&self.rest, &named, waiting::FOREVER_NANOS, judge).await;
        if !self.args.on("quiet") {
            self.rest.session.err(warnings.concat()).await;
        }
        waited.map(|()| last)
    }

    async fn log(&self, pod: &Object, container: &str) -> Outcome {
        let path = format!(
            "/api/v1/namespaces/{}/pods/{}/log?container={}&follow=true",
            pod.namespace(),
            pod.name(),
            escape(container)
        );
        let log = self.rest.call(Method::GET, &path, "*/*", None).await?;
        self.rest.session.out_bytes(bytes_of(log.into_body()).await).await
    }
}
