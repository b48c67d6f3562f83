//! Port forwarding as kubectl asks for it: SPDY/3.1 in the frames of a WebSocket (KEP-4006).
//!
//! A client opens two streams for each connection it has accepted, one for errors and one for data, and both name the
//! port and the connection. The kubelet speaks an older protocol, with the ports in the request; so each connection becomes
//! a request of its own, over which only frames of channel 0 (data) and 1 (errors) go.

mod frame;
mod headers;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;

use super::bridge::{AnswerBody, Bridge, Inward};
use frame::{Reader, Said, Writer};

/// The protocol of the WebSocket.
pub(super) const PROTOCOL: &str = "SPDY/3.1+portforward.k8s.io";

/// Connections of one client at once; the kubelet is asked for each.
const CONNECTIONS_MAX: usize = 1_024;
/// Pieces that wait in one direction of a connection, and for the client in all.
const PIECES_WAITING_MAX: usize = 64;
/// How long a pod may take nothing of what is sent to it before its connection ends.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Bytes of one data frame.
const PIECE_BYTES_MAX: usize = 32 * 1024;

/// Channels of the kubelet's protocol.
const DATA: u8 = 0;
const ERROR: u8 = 1;
const CLOSE: u8 = 255;

/// What a client tells a pod.
enum ToPod {
    Data(Bytes),
    /// It says no more, but listens.
    End,
}

/// A connection: its two streams, as far as they are open, and who carries it.
#[derive(Default)]
struct Connection {
    error: Option<u32>,
    data: Option<u32>,
    /// Dropping it ends the connection.
    to_pod: Option<mpsc::Sender<ToPod>>,
}

/// One client.
struct Tunnel {
    bridge: Bridge,
    /// The client's request: those for single connections are like it.
    request: http::request::Parts,
    writer: Writer,
    /// Of streams: the connection they belong to.
    streams: BTreeMap<u32, String>,
    connections: BTreeMap<String, Connection>,
    to_client: mpsc::Sender<Bytes>,
}

/// Serves a client until it leaves, or until `session` ends: the kubelet's end of the request itself.
pub(super) async fn carry(
    bridge: Bridge,
    request: http::request::Parts,
    inward: Inward,
    socket: WebSocket,
    mut session: mpsc::Receiver<Bytes>,
) {
    let (mut to_socket, mut from_socket) = socket.split();
    let (to_client, mut outgoing) = mpsc::channel::<Bytes>(PIECES_WAITING_MAX);
    let mut tunnel = Tunnel {
        bridge,
        request,
        writer: Writer::new(),
        streams: BTreeMap::new(),
        connections: BTreeMap::new(),
        to_client,
    };
    // Of its own, so that a client which reads slowly holds up nothing but what it is to read.
    let writing = tokio::spawn(async move {
        while let Some(frame) = outgoing.recv().await {
            if to_socket.send(Message::Binary(frame)).await.is_err() {
                return;
            }
        }
        let normal = CloseFrame { code: close_code::NORMAL, reason: "".into() };
        let _ = to_socket.send(Message::Close(Some(normal))).await;
    });
    let mut reader = Reader::new();
    loop {
        let message = tokio::select! {
            message = from_socket.next() => message,
            frame = session.recv() => match frame {
                Some(_) => continue,
                None => break,
            },
        };
        match message {
            Some(Ok(Message::Binary(bytes))) => reader.push(&bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            _ => break,
        }
        if !tunnel.take(&mut reader).await {
            break;
        }
    }
    drop(inward);
    // Dropping the connections ends them; the writer closes when the last has ended.
    drop(tunnel);
    let _ = writing.await;
}

impl Tunnel {
    /// What has arrived whole; false when the client leaves or does not speak the protocol.
    async fn take(&mut self, reader: &mut Reader) -> bool {
        loop {
            match reader.next() {
                Ok(None) => return true,
                Ok(Some(Said::Leave)) | Err(_) => return false,
                Ok(Some(said)) => {
                    if !self.hear(said).await {
                        return false;
                    }
                }
            }
        }
    }

    async fn hear(&mut self, said: Said) -> bool {
        match said {
            Said::Open { stream, headers } => {
                let reply = self.writer.reply(stream);
                self.open(stream, &headers);
                self.to_client.send(reply).await.is_ok()
            }
            Said::Data { stream, bytes, is_last } => {
                self.data(stream, bytes, is_last).await;
                true
            }
            Said::Reset { stream } => {
                self.reset(stream);
                true
            }
            Said::Ping { number } => self.to_client.send(Writer::pong(number)).await.is_ok(),
            Said::Leave => false,
        }
    }

    fn open(&mut self, stream: u32, headers: &headers::Headers) {
        let text = |name: &str| headers.get(name).map_or("", String::as_str);
        let name = text("requestid").to_owned();
        self.connections.retain(|_, c| c.to_pod.as_ref().is_none_or(|to_pod| !to_pod.is_closed()));
        if self.connections.len() >= CONNECTIONS_MAX && !self.connections.contains_key(&name) {
            return;
        }
        let connection = self.connections.entry(name.clone()).or_default();
        match text("streamtype") {
            "error" => connection.error = Some(stream),
            "data" => connection.data = Some(stream),
            _ => return,
        }
        self.streams.insert(stream, name);
        if let (Some(error), Some(data), None) = (connection.error, connection.data, &connection.to_pod) {
            let (to_pod, from_client) = mpsc::channel(PIECES_WAITING_MAX);
            connection.to_pod = Some(to_pod);
            let request = single(&self.request, text("port"));
            let streams = Streams { error, data, to_client: self.to_client.clone() };
            tokio::spawn(forward(self.bridge.clone(), request, from_client, streams));
        }
    }

    async fn data(&mut self, stream: u32, bytes: Bytes, is_last: bool) {
        let Some(name) = self.streams.get(&stream) else { return };
        let Some(connection) = self.connections.get(name) else { return };
        let (true, Some(to_pod)) = (connection.data == Some(stream), &connection.to_pod) else { return };
        let data = (!bytes.is_empty()).then_some(ToPod::Data(bytes));
        for said in data.into_iter().chain(is_last.then_some(ToPod::End)) {
            // A connection that has ended takes no more. One that only does not listen ends here: others wait behind it.
            if tokio::time::timeout(SILENCE_MAX, to_pod.send(said)).await.is_err() {
                self.connections.remove(&name.clone());
                return;
            }
        }
    }

    fn reset(&mut self, stream: u32) {
        let Some(name) = self.streams.remove(&stream) else { return };
        let is_data = self.connections.get(&name).is_some_and(|c| c.data == Some(stream));
        if is_data {
            self.connections.remove(&name);
        }
    }
}

/// The request for one connection.
fn single(request: &http::request::Parts, port: &str) -> http::request::Parts {
    let mut request = request.clone();
    let port: u16 = port.parse().unwrap_or(0);
    let target = format!("{}?ports={port}", request.uri.path());
    request.uri = target.parse().expect("a path and a number");
    request.headers.remove(http::header::SEC_WEBSOCKET_PROTOCOL);
    request
}

/// The client's end of a connection.
struct Streams {
    error: u32,
    data: u32,
    to_client: mpsc::Sender<Bytes>,
}

impl Streams {
    async fn send(&self, stream: u32, bytes: &[u8], is_last: bool) -> bool {
        let mut pieces = bytes.chunks(PIECE_BYTES_MAX).peekable();
        while let Some(piece) = pieces.next() {
            let is_last = is_last && pieces.peek().is_none();
            if self.to_client.send(Writer::data(stream, piece, is_last)).await.is_err() {
                return false;
            }
        }
        !(bytes.is_empty() && is_last) || self.to_client.send(Writer::data(stream, &[], true)).await.is_ok()
    }
}

/// Carries one connection until the pod or the client ends it.
async fn forward(
    bridge: Bridge,
    request: http::request::Parts,
    mut from_client: mpsc::Receiver<ToPod>,
    streams: Streams,
) {
    let answer = bridge.ask(request, Bytes::new()).await;
    let mut why = Bytes::new();
    match answer.map(|answer| answer.body) {
        Some(AnswerBody::Upgrade { inward, frames }) => exchange(inward, frames, &mut from_client, &streams).await,
        Some(AnswerBody::Whole(words)) => why = words,
        _ => why = Bytes::from_static(b"the cluster does not answer"),
    }
    // As upstream: first the data ends, then there is nothing more to say about it.
    streams.send(streams.data, &[], true).await;
    streams.send(streams.error, &why, true).await;
}

/// Both directions at once: a pod that answers while it is asked must not wait for itself.
async fn exchange(
    inward: Inward,
    mut frames: mpsc::Receiver<Bytes>,
    from_client: &mut mpsc::Receiver<ToPod>,
    streams: &Streams,
) {
    let to_pod = async {
        while let Some(said) = from_client.recv().await {
            match said {
                ToPod::Data(bytes) => inward.send(framed(DATA, &bytes)).await,
                ToPod::End => inward.send(framed(CLOSE, &[DATA])).await,
            }
        }
    };
    let to_client = async {
        // Both channels begin with the port.
        let mut has_begun = [false; 2];
        while let Some(frame) = frames.recv().await {
            let Some((channel, payload)) = frame.split_first() else { continue };
            let is_port = has_begun.get_mut(usize::from(*channel)).is_some_and(|b| !std::mem::replace(b, true));
            let has_client = match *channel {
                _ if is_port => true,
                DATA => streams.send(streams.data, payload, false).await,
                ERROR => streams.send(streams.error, payload, false).await,
                other => other != CLOSE,
            };
            if !has_client {
                return;
            }
        }
    };
    tokio::select! {
        () = to_pod => {}
        () = to_client => {}
    }
}

fn framed(channel: u8, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(payload.len() + 1);
    frame.put_u8(channel);
    frame.put_slice(payload);
    frame.freeze()
}
