//! `kubectl port-forward` (`kubectl/pkg/cmd/portforward`).

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::Object;
use api::http::Duplex;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use json::Value;
use network::{Listener, TcpStream};

use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, duration, slice};
use crate::pods;
use crate::rest::Rest;
use crate::session::Session;
use crate::streams::{open, send};

static FLAGS: &[Flag] = &[
    slice("address", "Addresses of this machine to listen at."),
    duration("pod-running-timeout", "1m0s", "How long to wait for a pod to run."),
];

/// The command.
pub static PORT_FORWARD: Command = Command {
    name: "port-forward",
    usage: "TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]",
    short: "Forward one or more local ports to a pod",
    long: "Listen on ports of this machine and pass what comes in on to ports of one pod.",
    examples: &[
        ("Port 5000 to port 5000 of a pod", "kubectl port-forward pod/web-1 5000"),
        ("Port 8080 to the port 80 of a service's pod", "kubectl port-forward service/web 8080:80"),
    ],
    flags: &[FLAGS],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let [word, specs @ ..] = args.words.as_slice() else { return Err(usage(&args)) };
    if specs.is_empty() {
        return Err(usage(&args));
    }
    let rest = session.rest(&args)?;
    let object = pods::object_of(&rest, word).await?;
    let pod = if object.kind() == "Pod" { object.clone() } else { pods::one(&rest, word).await? };
    let mut pairs = Vec::new();
    for spec in specs {
        pairs.push(pair(spec, &object, &pod)?);
    }
    if pod.str("status.phase") != "Running" {
        return Err(Failure::message(format!(
            "unable to forward port because pod is not running. Current status={}",
            pod.str("status.phase")
        )));
    }
    let Some(net) = session.place.net() else {
        return Err(Failure::message(simulation::stub!("kubectl port-forward", "a machine without a network")));
    };
    let mut running = Vec::new();
    for (local, remote) in pairs {
        let at = SocketAddrV4::new(Ipv4Addr::LOCALHOST, local);
        let listener = net.listen(at).map_err(|why| {
            Failure::message(format!(
                "unable to listen on port {local}: Listeners failed to create with the following errors: [unable to create listener: Error listen tcp4 {at}: bind: {why}]"
            ))
        })?;
        session.out(format!("Forwarding from {} -> {remote}\n", listener.local_addr())).await?;
        running.push(accept(&rest, &pod, listener, remote));
    }
    futures_util::future::join_all(running).await.into_iter().collect()
}

fn usage(args: &Args) -> Failure {
    args.usage("TYPE/NAME and list of ports are required for port-forward")
}

/// Local and remote port of `8080:80`, `80`, `:80` or `8080:http`.
fn pair(spec: &str, object: &Object, pod: &Object) -> Outcome<(u16, u16)> {
    let (local, remote) = spec.split_once(':').unwrap_or((spec, spec));
    let invalid = |text: &str| {
        Failure::message(format!(
            "error parsing remote port '{text}': strconv.ParseUint: parsing \"{text}\": invalid syntax"
        ))
    };
    let mut target: Option<u16> = remote.parse().ok();
    if object.kind() == "Service" {
        target = Some(target_port(remote, object, pod)?);
    } else if target.is_none() {
        target = named_port(pod, remote);
    }
    let target = target.ok_or_else(|| invalid(remote))?;
    let local = match local {
        "" => 0,
        text if text == remote => remote.parse().unwrap_or(target),
        text => text.parse().map_err(|_| {
            Failure::message(format!(
                "error parsing local port '{text}': strconv.ParseUint: parsing \"{text}\": invalid syntax"
            ))
        })?,
    };
    Ok((local, target))
}

fn named_port(pod: &Object, name: &str) -> Option<u16> {
    let ports = pod.list("spec.containers").iter().filter_map(|c| c.get("ports")?.as_array()).flatten();
    let found = ports.into_iter().find(|p| p["name"] == name)?;
    u16::try_from(found["containerPort"].as_i64()?).ok()
}

/// The pod's port behind a port of a service.
fn target_port(port: &str, service: &Object, pod: &Object) -> Outcome<u16> {
    let ports = service.list("spec.ports");
    let found = ports.iter().find(|p| p["name"] == port || p["port"].as_i64().is_some_and(|n| n.to_string() == port));
    let Some(found) = found else {
        return Err(Failure::message(format!("Service {} does not have a service port {port}", service.name())));
    };
    let number = |v: &Value| u16::try_from(v.as_i64()?).ok();
    let target = match &found["targetPort"] {
        Value::String(name) => named_port(pod, name),
        value => number(value).or_else(|| number(&found["port"])),
    };
    target.ok_or_else(|| {
        Failure::message(format!("Pod '{}' does not have a named port '{}'", pod.name(), found["targetPort"]))
    })
}

async fn accept(rest: &Rest, pod: &Object, listener: Listener, remote: u16) -> Outcome {
    let mut running: Vec<simulation::Task<()>> = Vec::new();
    let local = listener.local_addr().port();
    while let Ok(stream) = listener.accept().await {
        rest.session.out(format!("Handling connection for {local}\n")).await?;
        running.retain(|task| !task.is_finished());
        let (rest, pod) = (rest.clone(), pod.clone());
        running.push(rest.session.sim.clone().spawn(async move {
            if let Err(failure) = connection(&rest, &pod, &stream, remote).await {
                rest.session.err(format!("error: {}\n", failure.bare())).await;
            }
            stream.close();
        }));
    }
    Ok(())
}

/// Carries one connection. Data is channel 0, errors channel 1; each begins with a frame that names the port.
async fn connection(rest: &Rest, pod: &Object, stream: &TcpStream, remote: u16) -> Outcome {
    let path = format!("/api/v1/namespaces/{}/pods/{}/portforward?ports={remote}", pod.namespace(), pod.name());
    let mut peer = open(rest, &path).await?;
    carry(&mut peer, stream).await
}

async fn carry(peer: &mut Duplex, stream: &TcpStream) -> Outcome {
    const CLOSE: u8 = 255;
    let mut heads = 2;
    let mut open = true;
    loop {
        let reading = open;
        let local = async move { if reading { stream.read().await } else { futures_util::future::pending().await } };
        let local = std::pin::pin!(local);
        match select(peer.recv.next(), local).await {
            Either::Left((None, _)) => return Ok(()),
            Either::Left((Some(frame), _)) => {
                let Some((channel, payload)) = frame.split_first() else { continue };
                match channel {
                    _ if heads > 0 && payload.len() == 2 && *channel < 2 => heads -= 1,
                    0 => drop(stream.write_all(payload).await),
                    1 => return Err(Failure::message(String::from_utf8_lossy(payload).into_owned())),
                    &CLOSE if payload.first() == Some(&0) => {
                        stream.shutdown_write();
                        if !open {
                            return Ok(());
                        }
                    }
                    _ => {}
                }
            }
            Either::Right((Ok(bytes), _)) if !bytes.is_empty() => send(peer, 0, &bytes).await,
            Either::Right(_) => {
                open = false;
                send(peer, CLOSE, &[0]).await;
            }
        }
    }
}
