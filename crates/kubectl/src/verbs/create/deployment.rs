//! `kubectl create deployment`.

use std::rc::Rc;

use json::{Value, json};

use super::{COMMON, create, name, resource};
use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, int32, slice};
use crate::session::Session;

static FLAGS: &[Flag] = &[
    slice("image", "Image to run; may be given several times for several containers."),
    int32("port", "-1", "Port that the container listens on."),
    int32("replicas", "1", "How many pods to run.").short('r'),
];

/// The command.
pub static DEPLOYMENT: Command = Command {
    name: "deployment",
    aliases: &["deploy"],
    usage: "NAME --image=image -- [COMMAND] [args...]",
    short: "Create a deployment with the specified name",
    long: "Create a deployment: it keeps a number of identical pods running.",
    examples: &[
        ("One pod of the nginx image", "kubectl create deployment web --image=nginx"),
        ("Three of them, with a declared port", "kubectl create deployment web --image=nginx --replicas=3 --port=80"),
        ("A command of your own", "kubectl create deployment clock --image=busybox -- date"),
        ("Only show what would be created", "kubectl create deployment web --image=nginx --dry-run=client -o yaml"),
    ],
    flags: &[FLAGS, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    required: &["image"],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let name = name(&args)?;
    let images = args.list("image");
    let command = args.after_dash().to_vec();
    if images.len() > 1 && !command.is_empty() {
        return Err(Failure::message("cannot specify multiple --image options and command"));
    }
    let suffix = || session.sim.name_suffix(5);
    let containers: Vec<Value> = images
        .iter()
        .enumerate()
        .map(|(i, image)| {
            container(image, &command, (i == 0 && args.changed("port")).then(|| args.int("port")), suffix)
        })
        .collect();
    let labels = json!({"app": name});
    let object = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": args.int("replicas"),
            "selector": {"matchLabels": labels},
            "strategy": {},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
        "status": {},
    });
    create(session, args, resource("apps", "v1", "Deployment", "deployments", true), object, "deployment").await
}

fn container(image: &str, command: &[String], port: Option<i64>, suffix: impl Fn() -> String) -> Value {
    let mut container = json!({"image": image, "name": container_name(image, suffix), "resources": {}});
    if !command.is_empty() {
        container["command"] = json!(command);
    }
    if let Some(port) = port.filter(|p| *p >= 0) {
        container["ports"] = json!([{"containerPort": port}]);
    }
    container
}

/// The last part of the image's name, without tag and digest.
fn container_name(image: &str, suffix: impl Fn() -> String) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let name = last.split([':', '@']).next().unwrap_or(last);
    if name.contains(['_', '.']) { format!("{}-{}", name.replace(['_', '.'], "-"), suffix()) } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_named_after_their_image() {
        let name = |image: &str| container_name(image, || "abcde".into());
        assert_eq!(name("gcr.io/google-samples/kubernetes-bootcamp:v1"), "kubernetes-bootcamp");
        assert_eq!(name("busybox@sha256:01"), "busybox");
        assert_eq!(name("my_app.v2"), "my-app-v2-abcde");
        assert_eq!(name("bad image"), "bad image");
    }
}
