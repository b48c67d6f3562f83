//! What this machine is and who uses it: `hostname`, `uname`, `whoami`, `id`, `nproc`.

use machine::Ctx;

use super::Outcome;
use super::io::complain;

const HOST_NAME: &str = "kubonsai";

fn user(ctx: &Ctx) -> String {
    match ctx.fs.credentials().uid {
        0 if ctx.var("USER").is_none_or(|u| u == "root") => "root".into(),
        _ => ctx.var("USER").unwrap_or("learner").to_owned(),
    }
}

pub(super) async fn hostname(ctx: Ctx, args: Vec<String>) -> Outcome {
    match args.get(1).map(String::as_str) {
        // On another machine (`minikube ssh`) the environment has its name.
        None | Some("-f" | "-s") => ctx.out(format!("{}\n", ctx.var("HOSTNAME").unwrap_or(HOST_NAME))).await?,
        Some("-i" | "-I") => {
            let all: Vec<String> = ctx.net.addresses().iter().map(ToString::to_string).collect();
            ctx.out(format!("{}\n", all.join(" "))).await?;
        }
        Some(_) => {
            complain(&ctx, "hostname", "you must be root to change the host name").await;
            return Ok(1);
        }
    }
    Ok(0)
}

pub(super) async fn whoami(ctx: Ctx, _: Vec<String>) -> Outcome {
    ctx.out(format!("{}\n", user(&ctx))).await?;
    Ok(0)
}

pub(super) async fn nproc(ctx: Ctx, _: Vec<String>) -> Outcome {
    ctx.out("2\n").await?;
    Ok(0)
}

pub(super) async fn id(ctx: Ctx, args: Vec<String>) -> Outcome {
    let (name, who) = (user(&ctx), ctx.fs.credentials().clone());
    let flags: String = args[1..].concat();
    let text = match (flags.contains('u'), flags.contains('g'), flags.contains('n')) {
        (true, _, false) => who.uid.to_string(),
        (_, true, false) => who.gid.to_string(),
        (true, _, true) | (_, true, true) => name,
        _ => format!("uid={}({name}) gid={}({name}) groups={}({name})", who.uid, who.gid, who.gid),
    };
    ctx.out(format!("{text}\n")).await?;
    Ok(0)
}

pub(super) async fn uname(ctx: Ctx, args: Vec<String>) -> Outcome {
    // The kernel is that of the node's status (crates/kubelet/src/node.rs) and of `uname` in a container
    // (images/busybox/src/applets/uname.rs): they share it.
    let fields = [
        ('s', "Linux"),
        ('n', ctx.var("HOSTNAME").unwrap_or(HOST_NAME)),
        ('r', "6.6.87-kubonsai"),
        ('v', "#1 SMP PREEMPT_DYNAMIC Kubonsai"),
        ('m', "x86_64"),
        ('o', "GNU/Linux"),
    ];
    let mut flags: String = args[1..].iter().map(|a| a.trim_start_matches('-')).collect();
    if let Some(bad) = flags.chars().find(|c| !"asnrvmopi".contains(*c)) {
        complain(&ctx, "uname", format!("invalid option -- '{bad}'\nTry 'uname --help' for more information.")).await;
        return Ok(1);
    }
    if flags.is_empty() {
        flags.push('s');
    }
    let wanted = |letter: char| flags.contains(letter) || flags.contains('a');
    let shown: Vec<&str> = fields.iter().filter(|(l, _)| wanted(*l)).map(|(_, v)| *v).collect();
    ctx.out(format!("{}\n", shown.join(" "))).await?;
    Ok(0)
}
