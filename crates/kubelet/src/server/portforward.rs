//! Port forwarding: for the i-th `ports` (or `port`) parameter, channel 2i carries data and channel 2i+1 errors. Both
//! begin with a frame that holds the port as two bytes, low byte first (`portforward`'s `v4.channel.k8s.io`).

use std::net::SocketAddrV4;
use std::rc::Rc;

use api::http::{Body, Duplex, Response, StatusCode, duplex};
use bytes::Bytes;
use futures_channel::mpsc::Sender;
use futures_util::StreamExt as _;
use network::{NetError, NetNs, TcpStream};

use super::streams::{channel, frame, send};
use super::{Query, Refusal};
use crate::Kubelet;
use crate::pod::Worker;

/// Ports of one request.
const FORWARDED_PORTS_MAX: usize = 64;

/// `is_tunnel`: a request without ports is a session that comes before requests for single connections.
pub(super) fn answer(
    kubelet: &Kubelet,
    worker: &Rc<Worker>,
    query: &Query,
    is_tunnel: bool,
) -> Result<Response, Refusal> {
    let texts = query.all("ports").into_iter().chain(query.all("port"));
    let mut ports = Vec::new();
    for text in texts.flat_map(|t| t.split(',').map(str::to_owned).collect::<Vec<_>>()) {
        let port = text.parse::<u16>().ok().filter(|p| *p > 0);
        ports.push(port.ok_or_else(|| Refusal::bad(format!("invalid port \"{text}\"")))?);
    }
    if (ports.is_empty() && !is_tunnel) || ports.len() > FORWARDED_PORTS_MAX {
        return Err(Refusal::bad("query parameter \"port\" is required"));
    }
    let sandbox = worker.sandbox().ok_or_else(|| Refusal::not_found("pod not found"))?;
    let (near, far) = duplex();
    let what = Forward { net: sandbox.net, pod: worker.uid.clone(), sandbox: sandbox.id };
    kubelet.0.sim.spawn(carry(kubelet.clone(), what, ports, near));
    let mut response = Response::new(Body::Upgrade(far));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    Ok(response)
}

struct Forward {
    net: NetNs,
    pod: String,
    sandbox: String,
}

async fn carry(kubelet: Kubelet, what: Forward, ports: Vec<u16>, peer: Duplex) {
    let Duplex { send: mut to_peer, mut recv } = peer;
    let mut streams: Vec<Option<TcpStream>> = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let (data, error) = channels(index);
        for channel in [data, error] {
            send(&mut to_peer, frame(channel, &port.to_le_bytes())).await;
        }
        // The connection is made from inside the pod, as upstream does, so it reaches what listens on 127.0.0.1.
        let to = SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, *port);
        match what.net.connect(to).await {
            Ok(stream) => {
                kubelet.0.sim.spawn(back(stream.clone(), data, to_peer.clone()));
                streams.push(Some(stream));
            }
            Err(failure) => {
                let message = sentence(&what, *port, failure);
                send(&mut to_peer, frame(error, message.as_bytes())).await;
                send(&mut to_peer, frame(channel::CLOSE, &[data])).await;
                streams.push(None);
            }
        }
    }
    while let Some(message) = recv.next().await {
        let Some((kind, payload)) = message.split_first() else { continue };
        if *kind == channel::CLOSE {
            let index = payload.first().map_or(usize::MAX, |c| usize::from(*c) / 2);
            if let Some(stream) = streams.get(index).and_then(Option::as_ref) {
                stream.shutdown_write();
            }
        } else if kind.is_multiple_of(2)
            && let Some(stream) = streams.get(usize::from(*kind) / 2).and_then(Option::as_ref)
        {
            let _ = stream.write_all(payload).await;
        }
    }
    streams.iter().flatten().for_each(TcpStream::close);
}

fn channels(index: usize) -> (u8, u8) {
    let data = u8::try_from(index * 2).unwrap_or(0);
    (data, data + 1)
}

/// From the pod to the peer.
async fn back(stream: TcpStream, data: u8, mut to_peer: Sender<Bytes>) {
    while let Ok(bytes) = stream.read().await {
        if bytes.is_empty() || !send(&mut to_peer, frame(data, &bytes)).await {
            break;
        }
    }
    send(&mut to_peer, frame(channel::CLOSE, &[data])).await;
}

fn sentence(what: &Forward, port: u16, error: NetError) -> String {
    let error = match error {
        NetError::Refused => {
            format!(
                "IPv4: dial tcp4 127.0.0.1:{port}: connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found"
            )
        }
        other => other.to_string(),
    };
    format!(
        "error forwarding port {port} to pod {}, uid : failed to execute portforward in network namespace \
         \"/var/run/netns/{}\": failed to connect to localhost:{port} inside namespace \"{}\", {error}",
        what.sandbox, what.pod, what.sandbox
    )
}
