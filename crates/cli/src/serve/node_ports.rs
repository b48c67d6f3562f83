//! `--publish-node-ports`: each node port of a Service is a port of this machine, too, on 127.0.0.1, as if the node were
//! forwarded there (kind's `extraPortMappings`). Each connection becomes one of the learner's machine to the cluster's first node.
//!
//! A connection is taken before it is known whether somebody answers it, so a node that refuses shows as a reset.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::bridge::{AnswerBody, Bridge, Dialled, Inward, Piece};
use super::watching::Events;

const PATH: &str = "/api/v1/services";
/// Before a watch that has ended is begun anew, and before a port that was taken is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// Bytes of one piece on its way in.
const PIECE_BYTES_MAX: usize = 32 * 1024;

/// A node port: its number and whose it is, `namespace/name`.
type Port = (u16, String);

/// The node ports of the Services that there are.
#[derive(Default)]
struct Wanted {
    services: BTreeMap<String, Vec<(u16, bool)>>,
}

impl Wanted {
    /// Takes note of a Service.
    fn put(&mut self, service: &Value) {
        let ports = service["spec"]["ports"].as_array().into_iter().flatten().filter_map(|port| {
            let number = u16::try_from(port["nodePort"].as_u64()?).ok().filter(|number| *number != 0)?;
            Some((number, port["protocol"].as_str().is_none_or(|protocol| protocol == "TCP")))
        });
        self.services.insert(name(service), ports.collect());
    }

    /// The node ports, those for TCP or the others.
    fn ports(&self, is_tcp: bool) -> BTreeSet<Port> {
        let all = self.services.iter().flat_map(|(name, ports)| ports.iter().map(move |port| (port, name)));
        all.filter(|((_, tcp), _)| *tcp == is_tcp).map(|((number, _), name)| (*number, name.clone())).collect()
    }
}

/// `namespace/name`.
fn name(object: &Value) -> String {
    let part = |field: &str| object["metadata"][field].as_str().unwrap_or("").to_owned();
    format!("{}/{}", part("namespace"), part("name"))
}

/// The ports that are open now.
struct Published {
    bridge: Bridge,
    open: BTreeMap<Port, JoinHandle<()>>,
    refused: BTreeSet<Port>,
}

impl Published {
    /// Opens what is new and closes what is gone. Connections go on, as they do on a node.
    fn follow(&mut self, wanted: &Wanted) {
        let ports = wanted.ports(true);
        self.open.retain(|port, work| {
            let stays = ports.contains(port);
            if !stays {
                work.abort();
            }
            stays
        });
        for port in ports {
            let bridge = &self.bridge;
            self.open.entry(port).or_insert_with_key(|port| tokio::spawn(serve(bridge.clone(), port.clone())));
        }
        let others = wanted.ports(false);
        for (number, service) in others.difference(&self.refused) {
            let refusal = simulation::stub!("kubonsai serve", "node ports for other protocols than TCP");
            eprintln!("kubonsai: {service}: node port {number}: {refusal}");
        }
        self.refused = others;
    }
}

/// Listens on the node ports of Services for as long as there is a world.
pub(super) async fn publish(bridge: Bridge) {
    let mut published = Published { bridge: bridge.clone(), open: BTreeMap::new(), refused: BTreeSet::new() };
    while follow(&bridge, &mut published).await.is_some() {
        tokio::time::sleep(PAUSE).await;
    }
}

/// One list and its watch to the end; nothing if the world has ended.
async fn follow(bridge: &Bridge, published: &mut Published) -> Option<()> {
    let AnswerBody::Whole(bytes) = get(bridge, PATH).await? else { return Some(()) };
    let Ok(list) = json::from_slice::<Value>(&bytes) else { return Some(()) };
    let Some(items) = list["items"].as_array() else { return Some(()) };
    let mut wanted = Wanted::default();
    items.iter().for_each(|service| wanted.put(service));
    published.follow(&wanted);
    let version = list["metadata"]["resourceVersion"].as_str().unwrap_or("");
    let watch = get(bridge, &format!("{PATH}?watch=1&resourceVersion={version}")).await?;
    let AnswerBody::Stream(pieces) = watch else { return Some(()) };
    let mut events = Events::of(pieces);
    while let Some(event) = events.next().await {
        match event["type"].as_str() {
            Some("ADDED" | "MODIFIED") => wanted.put(&event["object"]),
            Some("DELETED") => drop(wanted.services.remove(&name(&event["object"]))),
            // The watch is too old, or something else went wrong.
            _ => return Some(()),
        }
        published.follow(&wanted);
    }
    Some(())
}

async fn get(bridge: &Bridge, path: &str) -> Option<AnswerBody> {
    let request = http::Request::builder().uri(path).header("user-agent", "kubonsai-serve");
    let (parts, ()) = request.body(()).ok()?.into_parts();
    Some(bridge.ask(parts, Bytes::new()).await?.body)
}

/// Takes connections on one port.
async fn serve(bridge: Bridge, (number, service): Port) {
    let listener = listen(number, &service).await;
    eprintln!("kubonsai: 127.0.0.1:{number} leads to {service}");
    loop {
        match listener.accept().await {
            Ok((client, _)) => drop(tokio::spawn(carry(client, bridge.clone(), number))),
            // No descriptor is free, say: that passes.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// The port, as soon as nobody else has it.
async fn listen(number: u16, service: &str) -> TcpListener {
    let mut is_told = false;
    loop {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, number)).await {
            Ok(listener) => return listener,
            Err(error) if !is_told => {
                eprintln!("kubonsai: cannot listen on 127.0.0.1:{number} for {service}, trying again: {error}");
                is_told = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Carries one connection.
async fn carry(client: TcpStream, bridge: Bridge, number: u16) {
    // Answers are short and someone waits for them.
    let _ = client.set_nodelay(true);
    let Some(Ok(Dialled { inward, pieces })) = bridge.dial(number).await else { return reset(&client) };
    let (from_client, to_client) = client.into_split();
    // The way in is let go of when both directions have ended, or one was broken off; not before.
    let _ = tokio::try_join!(say(from_client, &inward), hear(to_client, pieces));
}

/// Either end has broken the connection off.
struct BrokenOff;

/// Passes on what the client says.
async fn say(mut client: OwnedReadHalf, inward: &Inward) -> Result<(), BrokenOff> {
    let mut buffer = vec![0; PIECE_BYTES_MAX];
    loop {
        let count = client.read(&mut buffer).await.map_err(|_| BrokenOff)?;
        // Nothing is the end, for the peer too.
        inward.send(Bytes::copy_from_slice(&buffer[..count])).await;
        if count == 0 {
            return Ok(());
        }
    }
}

/// Passes on what the Service says.
async fn hear(mut client: OwnedWriteHalf, mut pieces: mpsc::Receiver<Piece>) -> Result<(), BrokenOff> {
    while let Some(piece) = pieces.recv().await {
        match piece {
            Piece::Data(bytes) => client.write_all(&bytes).await.map_err(|_| BrokenOff)?,
            Piece::Reset => {
                reset(client.as_ref());
                return Err(BrokenOff);
            }
        }
    }
    client.shutdown().await.map_err(|_| BrokenOff)
}

/// Lets the client see a reset when its connection is dropped.
fn reset(client: &TcpStream) {
    // Without waiting, so nothing can block; without it, the client sees a plain end.
    let _ = client.set_zero_linger();
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    #[test]
    fn node_ports_are_those_of_the_services_that_are_there() {
        let mut wanted = Wanted::default();
        wanted.put(&json!({
            "metadata": { "namespace": "default", "name": "web" },
            "spec": { "ports": [
                { "port": 80, "nodePort": 30080, "protocol": "TCP" }, { "port": 53, "nodePort": 30053, "protocol": "UDP" },
            ] },
        }));
        wanted.put(&json!({
            "metadata": { "namespace": "default", "name": "inner" }, "spec": { "ports": [{ "port": 80, "protocol": "TCP" }] },
        }));
        let web = || "default/web".to_owned();
        assert_eq!(wanted.ports(true), BTreeSet::from([(30_080, web())]));
        assert_eq!(wanted.ports(false), BTreeSet::from([(30_053, web())]));
        wanted.put(&json!({ "metadata": { "namespace": "default", "name": "web" }, "spec": { "ports": [] } }));
        assert!(wanted.ports(true).is_empty());
    }
}
