//! The HTTP server: bytes in, bytes out, WebSockets for upgraded connections.

use axum::Router;
use axum::body::Body;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{ConnectInfo, FromRequestParts as _, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;

use super::bridge::{Answer, AnswerBody, Bridge, Inward};
use super::doors::Peer;
use super::tunnel;

/// Bytes of one request body; the API server has limits of its own below this.
const REQUEST_BODY_BYTES_MAX: usize = 3 * 1024 * 1024;

/// The channel protocols for exec, attach and port-forward that are spoken, the preferred one first.
const CHANNEL_PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/// Everything goes to the API server.
pub(super) fn router(bridge: Bridge) -> Router {
    Router::new().fallback(handle).with_state(bridge)
}

async fn handle(State(bridge): State<Bridge>, ConnectInfo(peer): ConnectInfo<Peer>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    match peer {
        Peer::Known(certified) => {
            parts.extensions.insert(certified);
        }
        Peer::Unknown if !parts.headers.contains_key(header::AUTHORIZATION) => make_anonymous(&mut parts.headers),
        Peer::Unknown | Peer::Plain => {}
    }
    let Ok(body) = axum::body::to_bytes(body, REQUEST_BODY_BYTES_MAX).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "request body too large").into_response();
    };
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &bridge).await.ok();
    let request = parts.clone();
    match bridge.ask(parts, body).await {
        None => (StatusCode::SERVICE_UNAVAILABLE, "the cluster has ended").into_response(),
        Some(answer) => respond(bridge, request, upgrade, answer),
    }
}

/// Who has not said who it is, is nobody, and cannot be anyone else either: to the API server, whose own users all have a
/// name, that is the administrator acting as nobody.
fn make_anonymous(headers: &mut HeaderMap) {
    let claims: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("impersonate-")).cloned().collect();
    for claim in claims {
        headers.remove(claim);
    }
    headers.insert("impersonate-user", HeaderValue::from_static("system:anonymous"));
    headers.insert("impersonate-group", HeaderValue::from_static("system:unauthenticated"));
}

fn respond(
    bridge: Bridge,
    request: axum::http::request::Parts,
    upgrade: Option<WebSocketUpgrade>,
    answer: Answer,
) -> Response {
    match answer.body {
        AnswerBody::Failed(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
        AnswerBody::Whole(bytes) => Response::from_parts(answer.parts, Body::from(bytes)),
        AnswerBody::Stream(pieces) => {
            let stream = futures_util::stream::unfold(pieces, |mut pieces| async move {
                pieces.recv().await.map(|piece| (Ok::<Bytes, std::convert::Infallible>(piece), pieces))
            });
            Response::from_parts(answer.parts, Body::from_stream(stream))
        }
        AnswerBody::Upgrade { inward, frames } => match upgrade {
            Some(upgrade) if is_tunnel(&request) => upgrade
                .protocols([tunnel::PROTOCOL])
                .on_upgrade(move |socket| tunnel::carry(bridge, request, inward, socket, frames)),
            Some(upgrade) => {
                upgrade.protocols(CHANNEL_PROTOCOLS).on_upgrade(move |socket| carry(inward, socket, frames))
            }
            None => (StatusCode::BAD_REQUEST, refused_upgrade(&request)).into_response(),
        },
    }
}

/// Why a connection is not upgraded: there was no such request, or it was that of clients before Kubernetes 1.30.
fn refused_upgrade(request: &axum::http::request::Parts) -> &'static str {
    let wanted = request.headers.get(header::UPGRADE).map_or(&b""[..], HeaderValue::as_bytes);
    match wanted.starts_with(b"SPDY/") {
        true => {
            simulation::stub!("kubonsai serve", "connections upgraded to SPDY: take a client that speaks WebSocket")
        }
        false => "Upgrade request required",
    }
}

/// Whether a client wants to forward ports over SPDY in the WebSocket.
fn is_tunnel(request: &axum::http::request::Parts) -> bool {
    let offered =
        request.headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    offered.flat_map(|value| value.split(',')).any(|protocol| protocol.trim() == tunnel::PROTOCOL)
}

/// Carries frames in both directions until either end closes.
async fn carry(inward_end: Inward, socket: WebSocket, mut frames: mpsc::Receiver<Bytes>) {
    let (mut to_client, mut from_client) = socket.split();
    let outward = async {
        while let Some(frame) = frames.recv().await {
            if to_client.send(Message::Binary(frame)).await.is_err() {
                break;
            }
        }
        // Without a status, client-go takes the end for a failure.
        let normal = CloseFrame { code: close_code::NORMAL, reason: "".into() };
        let _ = to_client.send(Message::Close(Some(normal))).await;
    };
    let inward = async move {
        while let Some(Ok(message)) = from_client.next().await {
            match message {
                Message::Binary(frame) => inward_end.send(frame).await,
                Message::Text(text) => inward_end.send(Bytes::copy_from_slice(text.as_bytes())).await,
                Message::Close(_) => break,
                Message::Ping(_) | Message::Pong(_) => {}
            }
        }
        drop(inward_end);
    };
    tokio::join!(outward, inward);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_cannot_be_anyone_else() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("impersonate-user", "root"), ("impersonate-group", "system:masters"), ("accept", "*/*")]
        {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers.append("impersonate-extra-scopes", HeaderValue::from_static("all"));
        make_anonymous(&mut headers);
        let names: std::collections::BTreeSet<&str> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["accept", "impersonate-group", "impersonate-user"].into());
        assert_eq!(headers["impersonate-user"], "system:anonymous");
        assert_eq!(headers.get_all("impersonate-group").iter().collect::<Vec<_>>(), ["system:unauthenticated"]);
    }
}
