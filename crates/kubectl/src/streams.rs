//! An upgraded connection to a container: standard streams, terminal, exit code (`v5.channel.k8s.io`).

use std::task::Poll;

use api::http::{Body, Duplex, Method};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use json::{Value, json};

use crate::failure::{Failure, Outcome};
use crate::rest::{Rest, bytes_of};

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const RESIZE: u8 = 4;
const CLOSE: u8 = 255;

/// What is connected.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Standard input goes there.
    pub stdin: bool,
    /// There is a terminal.
    pub tty: bool,
}

/// Opens a connection at `path` and carries the streams until the other side ends.
///
/// # Errors
/// A non-zero exit code of the command, and what the server says.
pub async fn run(rest: &Rest, path: &str, options: Options) -> Outcome {
    let connection = open(rest, path).await?;
    if options.tty {
        rest.session.place.set_raw(true);
    }
    let guard = Raw(rest, options.tty);
    let end = carry(rest, connection, options).await;
    drop(guard);
    match end {
        End::Of(outcome) => outcome,
        End::Exit(code) => {
            // Not before the terminal is given back: a raw one does not return to the first column.
            rest.session.err(format!("command terminated with exit code {code}\n")).await;
            Err(Failure::Exit(code))
        }
    }
}

/// How a connection ended.
enum End {
    /// By itself, or with what the server said.
    Of(Outcome),
    /// With the exit code of the command.
    Exit(i32),
}

/// What came of a command whose streams are not the learner's.
#[derive(Clone, Debug, Default)]
pub struct Piped {
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it said besides.
    pub stderr: Vec<u8>,
    /// Its exit code.
    pub code: i32,
}

/// Most that a command may print.
const PIPED_BYTES_MAX: usize = 64 << 20;
/// Size of the frames in which input is sent.
const FRAME_BYTES: usize = 32 << 10;

/// Runs a command at `path` with `input` on its standard input.
///
/// # Errors
/// What the server says; that the command printed more than can be kept.
pub async fn piped(rest: &Rest, path: &str, input: Option<Vec<u8>>) -> Outcome<Piped> {
    let mut connection = open(rest, path).await?;
    let mut unsent = input.map(|bytes| {
        let mut frames: Vec<Bytes> = bytes.chunks(FRAME_BYTES).map(|chunk| frame(STDIN, chunk)).collect();
        frames.push(frame(CLOSE, &[STDIN]));
        frames.into_iter()
    });
    let mut next = unsent.as_mut().and_then(Iterator::next);
    let mut piped = Piped::default();
    loop {
        // Sending and receiving take turns: a command may print while it reads.
        let received = std::future::poll_fn(|cx| {
            while next.is_some() {
                match connection.send.poll_ready(cx) {
                    Poll::Ready(Ok(())) => {
                        if let Some(frame) = next.take() {
                            drop(connection.send.start_send(frame));
                        }
                        next = unsent.as_mut().and_then(Iterator::next);
                    }
                    Poll::Ready(Err(_)) => next = None,
                    Poll::Pending => break,
                }
            }
            connection.recv.poll_next_unpin(cx)
        })
        .await;
        let Some(bytes) = received else { return Ok(piped) };
        let Some((channel, payload)) = bytes.split_first() else { continue };
        match *channel {
            STDOUT => piped.stdout.extend_from_slice(payload),
            STDERR => piped.stderr.extend_from_slice(payload),
            ERROR => match ended(payload) {
                End::Exit(code) => {
                    piped.code = code;
                    return Ok(piped);
                }
                End::Of(outcome) => return outcome.map(|()| piped),
            },
            _ => {}
        }
        if piped.stdout.len() + piped.stderr.len() > PIPED_BYTES_MAX {
            return Err(Failure::message(format!("more than {} MiB of output", PIPED_BYTES_MAX >> 20)));
        }
    }
}

fn frame(channel: u8, payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(payload.len() + 1);
    frame.push(channel);
    frame.extend_from_slice(payload);
    frame.into()
}

/// Opens an upgraded connection.
///
/// # Errors
/// The server's Status, or the text with which a kubelet refused.
pub async fn open(rest: &Rest, path: &str) -> Outcome<Duplex> {
    let response = rest.send(Method::GET, path, "*/*", None).await?;
    let status = response.status();
    match response.into_body() {
        Body::Upgrade(connection) => Ok(connection),
        body => {
            let bytes = bytes_of(body).await;
            let value: Value = json::from_slice(&bytes).unwrap_or(Value::Null);
            if value["kind"] == "Status" {
                return Err(Failure::Status(Box::new(value), String::new()));
            }
            let text = String::from_utf8_lossy(&bytes).trim().to_owned();
            let text = if text.is_empty() { status.to_string() } else { text };
            Err(Failure::message(format!("unable to upgrade connection: {text}")))
        }
    }
}

/// Gives the terminal back, also when the program is dropped.
struct Raw<'a>(&'a Rest, bool);

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        if self.1 {
            self.0.session.place.set_raw(false);
        }
    }
}

async fn carry(rest: &Rest, mut connection: Duplex, options: Options) -> End {
    let place = &rest.session.place;
    let mut size = place.tty().filter(|_| options.tty);
    if let Some((cols, rows)) = size {
        send(&mut connection, RESIZE, json!({"Width": cols, "Height": rows}).to_string().as_bytes()).await;
    }
    let mut typing = options.stdin.then(|| place.read_in());
    let mut resizing = size.map(|known| place.resized(known));
    let never = || futures_util::future::pending::<()>();
    loop {
        let input = async {
            match typing.as_mut() {
                Some(read) => read.await,
                None => {
                    never().await;
                    Vec::new()
                }
            }
        };
        let resize = async {
            match resizing.as_mut() {
                Some(change) => change.await,
                None => {
                    never().await;
                    (0, 0)
                }
            }
        };
        let (input, resize) = (std::pin::pin!(input), std::pin::pin!(resize));
        let local = select(input, resize);
        match select(connection.recv.next(), local).await {
            Either::Left((None, _)) => return End::Of(Ok(())),
            Either::Left((Some(frame), _)) => {
                if let Some(end) = received(rest, &frame).await {
                    return end;
                }
            }
            Either::Right((Either::Left((bytes, _)), _)) => {
                if bytes.is_empty() {
                    send(&mut connection, CLOSE, &[STDIN]).await;
                    typing = None;
                } else {
                    send(&mut connection, STDIN, &bytes).await;
                    typing = Some(place.read_in());
                }
            }
            Either::Right((Either::Right((new, _)), _)) => {
                send(&mut connection, RESIZE, json!({"Width": new.0, "Height": new.1}).to_string().as_bytes()).await;
                size = Some(new);
                resizing = size.map(|known| place.resized(known));
            }
        }
    }
}

/// Handles one frame; how it ended when it was the last.
async fn received(rest: &Rest, frame: &Bytes) -> Option<End> {
    let (channel, payload) = frame.split_first()?;
    match *channel {
        STDOUT => rest.session.out_bytes(payload.to_vec()).await.err().map(|failure| End::Of(Err(failure))),
        STDERR => {
            rest.session.place.write_err(payload.to_vec()).await;
            None
        }
        ERROR => Some(ended(payload)),
        _ => None,
    }
}

/// What the error channel says: the exit code, or why there is none.
fn ended(payload: &[u8]) -> End {
    let status: Value = json::from_slice(payload).unwrap_or(Value::Null);
    if status["status"] == "Success" {
        return End::Of(Ok(()));
    }
    if status["reason"] == "NonZeroExitCode" {
        let causes = status["details"]["causes"].as_array().cloned().unwrap_or_default();
        let code = causes.iter().find(|c| c["reason"] == "ExitCode").and_then(|c| c["message"].as_str()?.parse().ok());
        return End::Exit(code.unwrap_or(1));
    }
    let message =
        status["message"].as_str().map_or_else(|| String::from_utf8_lossy(payload).into_owned(), str::to_owned);
    End::Of(Err(Failure::message(message)))
}

/// Sends a frame, waiting for room. A peer that has gone is noticed when reading.
pub async fn send(connection: &mut Duplex, channel: u8, payload: &[u8]) {
    let mut frame = Some(frame(channel, payload));
    std::future::poll_fn(|cx| match connection.send.poll_ready(cx) {
        Poll::Ready(Ok(())) => {
            if let Some(frame) = frame.take() {
                drop(connection.send.start_send(frame));
            }
            Poll::Ready(())
        }
        Poll::Ready(Err(_)) => Poll::Ready(()),
        Poll::Pending => Poll::Pending,
    })
    .await;
}
