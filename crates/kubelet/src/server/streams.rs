//! exec and attach: a process's streams as frames of `v5.channel.k8s.io`.

use std::rc::Rc;

use api::http::{Body, Duplex, Response, StatusCode, duplex};
use bytes::{BufMut as _, Bytes, BytesMut};
use futures_channel::mpsc::Sender;
use futures_util::stream::LocalBoxStream;
use futures_util::{FutureExt as _, StreamExt as _, select_biased};
use json::{Value, json};

use super::{Query, Refusal};
use crate::Kubelet;
use crate::cri::{ExecSession, State};
use crate::pod::Worker;

/// The channels of the protocol.
pub(super) mod channel {
    pub(in crate::server) const STDIN: u8 = 0;
    pub(in crate::server) const STDOUT: u8 = 1;
    pub(in crate::server) const STDERR: u8 = 2;
    pub(in crate::server) const ERROR: u8 = 3;
    pub(in crate::server) const RESIZE: u8 = 4;
    pub(in crate::server) const CLOSE: u8 = 255;
}

pub(super) fn answer(
    kubelet: &Kubelet,
    worker: &Rc<Worker>,
    kind: &str,
    container: &str,
    query: &Query,
) -> Result<Response, Refusal> {
    let runtime = &kubelet.0.shared.runtime;
    let (newest, _) = worker.container_ids(container);
    let running = newest.filter(|id| runtime.container_status(id).is_some_and(|s| s.state == State::Running));
    let id = running.ok_or_else(|| Refusal::internal(format!("container not found (\"{container}\")")))?;
    let stdin = query.flag(&["stdin", "input"]);
    let tty = query.flag(&["tty"]);
    let session =
        if kind == "exec" { runtime.exec(&id, query.all("command"), tty, stdin) } else { runtime.attach(&id, stdin) };
    let (near, far) = duplex();
    let failure = match session {
        Ok(session) => {
            kubelet.0.sim.spawn(carry(session, near, kind == "exec"));
            None
        }
        Err(message) => Some((message, near)),
    };
    if let Some((message, mut near)) = failure {
        kubelet.0.sim.spawn(async move {
            let status = json!({
                "metadata": {},
                "status": "Failure",
                "message": message,
                "reason": "InternalError",
                "code": 500,
            });
            send(&mut near.send, frame(channel::ERROR, status.to_string().as_bytes())).await;
        });
    }
    let mut response = Response::new(Body::Upgrade(far));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    Ok(response)
}

/// A channel byte and a payload.
pub(super) fn frame(channel: u8, payload: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(payload.len() + 1);
    bytes.put_u8(channel);
    bytes.put_slice(payload);
    bytes.freeze()
}

/// Waits for room and sends; false when the peer has gone.
pub(super) async fn send(to: &mut Sender<Bytes>, message: Bytes) -> bool {
    let ready = std::future::poll_fn(|cx| to.poll_ready(cx)).await;
    ready.is_ok() && to.start_send(message).is_ok()
}

/// Carries the streams until the process ends or the peer goes.
async fn carry(session: ExecSession, peer: Duplex, ends_with_code: bool) {
    let ExecSession { stdin, stdout, stderr, exit, resize, kill } = session;
    let Duplex { send: mut back, mut recv } = peer;
    let (out, err) = (back.clone(), back.clone());
    let output = async move {
        futures_util::join!(pump(stdout, channel::STDOUT, out), pump(stderr, channel::STDERR, err));
        exit.await
    };
    let input = async move {
        let mut stdin = stdin;
        while let Some(message) = recv.next().await {
            let Some((kind, payload)) = message.split_first() else { continue };
            match *kind {
                channel::STDIN => {
                    let bytes = message.slice(1..);
                    if let Some(sink) = &mut stdin
                        && !bytes.is_empty()
                        && !sink.write(bytes).await
                    {
                        stdin = None;
                    }
                }
                channel::RESIZE => {
                    let size: Value = json::from_slice(payload).unwrap_or_default();
                    let side = |name: &str| size[name].as_u64().and_then(|n| u16::try_from(n).ok()).unwrap_or(0);
                    resize(side("Width"), side("Height"));
                }
                channel::CLOSE if payload == [channel::STDIN] => stdin = None,
                _ => {}
            }
        }
    };
    let (mut output, mut input) = (Box::pin(output.fuse()), Box::pin(input.fuse()));
    let code = select_biased! {
        code = output => code,
        () = input => {
            if ends_with_code {
                kill();
            }
            return;
        }
    };
    let status = exit_status(if ends_with_code { code } else { 0 });
    send(&mut back, frame(channel::ERROR, status.to_string().as_bytes())).await;
}

async fn pump(mut from: LocalBoxStream<'static, Bytes>, channel: u8, mut to: Sender<Bytes>) {
    while let Some(bytes) = from.next().await {
        if !send(&mut to, frame(channel, &bytes)).await {
            return;
        }
    }
}

/// The last word on an exec: how the command ended.
fn exit_status(code: i32) -> Value {
    if code == 0 {
        return json!({ "metadata": {}, "status": "Success" });
    }
    json!({
        "metadata": {},
        "status": "Failure",
        "message": format!("command terminated with non-zero exit code: exit status {code}"),
        "reason": "NonZeroExitCode",
        "details": { "causes": [{ "reason": "ExitCode", "message": code.to_string() }] },
    })
}
