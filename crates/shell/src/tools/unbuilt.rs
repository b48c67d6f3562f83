//! Programs that people will look for and that are not built: each refuses by name.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use machine::{Ctx, Program};
use simulation::stub;

/// Name and refusal.
const UNBUILT: &[(&str, &str)] = &[
    ("apt", stub!("shell", "apt")),
    ("apt-get", stub!("shell", "apt-get")),
    ("eksctl", stub!("shell", "eksctl")),
    ("emacs", stub!("shell", "emacs")),
    ("git", stub!("shell", "git")),
    ("helm", stub!("shell", "helm")),
    ("man", stub!("shell", "man")),
    ("microk8s", stub!("shell", "microk8s")),
    ("mysql", stub!("shell", "mysql")),
    ("openssl", stub!("shell", "openssl")),
    ("ping", stub!("shell", "ping")),
    ("python3", stub!("shell", "python3")),
    ("ssh", stub!("shell", "ssh")),
    ("systemctl", stub!("shell", "systemctl")),
    ("tar", stub!("shell", "tar")),
    ("tmux", stub!("shell", "tmux")),
];

const NAMES: &[&str] = &{
    let mut names = [""; UNBUILT.len()];
    let mut i = 0;
    while i < UNBUILT.len() {
        names[i] = UNBUILT[i].0;
        i += 1;
    }
    names
};

/// The programs that are refused.
pub(super) struct Unbuilt;

/// Whether the name is one of them.
pub(super) fn is_system(name: &str) -> bool {
    NAMES.contains(&name)
}

impl Program for Unbuilt {
    fn names(&self) -> &[&str] {
        NAMES
    }

    fn run(self: Rc<Self>, ctx: Ctx, args: Vec<String>) -> LocalBoxFuture<'static, i32> {
        Box::pin(async move {
            let refusal = UNBUILT.iter().find(|(name, _)| *name == args[0]).map_or("not supported", |(_, text)| *text);
            ctx.err(format!("{}: {refusal}\n", args[0])).await;
            1
        })
    }
}
