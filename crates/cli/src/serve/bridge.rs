//! Carries requests from the HTTP server's thread to the world's, and answers back.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use api::http::{Body, Chunk, Duplex, Request, Transport};
use bytes::Bytes;
use cluster::World;
use futures_util::{SinkExt as _, StreamExt as _};
use network::{NetError, TcpStream};
use simulation::Step;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc as async_mpsc, oneshot};

use kubonsai::assets::Files;
use kubonsai::drive;
use kubonsai::engine::Engine;

use super::clock::Clock;

/// Chunks of one answer that wait for a slow client.
const CHUNKS_WAITING_MAX: usize = 1_024;
/// Frames of one upgraded connection that wait for a slow server; clients write pieces of up to 32 KiB.
const FRAMES_WAITING_MAX: usize = 64;
/// How long a full queue to a slow client is left alone before it is tried again.
const SLOW_CLIENT_PAUSE: Duration = Duration::from_millis(10);
/// The world begins so long ago, so that what its coming up takes by its own clock is over now.
const LEAD: Duration = Duration::from_secs(30);
/// How long a world that nothing is due in waits before it looks again.
const IDLE: Duration = Duration::from_secs(3_600);

/// A request in a form that can cross threads.
pub(super) struct Ask {
    pub(super) parts: ::http::request::Parts,
    pub(super) body: Bytes,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// An answer in a form that can cross threads.
pub(super) struct Answer {
    pub(super) parts: ::http::response::Parts,
    pub(super) body: AnswerBody,
}

/// What follows the head of an answer.
pub(super) enum AnswerBody {
    /// Everything at once.
    Whole(Bytes),
    /// Piece by piece.
    Stream(async_mpsc::Receiver<Bytes>),
    /// Frames in both directions.
    Upgrade {
        /// The way to the server.
        inward: Inward,
        /// Frames from the server.
        frames: async_mpsc::Receiver<Bytes>,
    },
    /// Nothing answered.
    Failed(String),
}

/// The client's end of an upgraded connection; dropping it closes that.
pub(super) struct Inward {
    id: u64,
    commands: mpsc::Sender<Command>,
    room: Arc<Semaphore>,
}

impl Inward {
    fn new(id: u64, commands: mpsc::Sender<Command>) -> Inward {
        Inward { id, commands, room: Arc::new(Semaphore::new(FRAMES_WAITING_MAX)) }
    }

    /// Passes a frame on, when there is room for it.
    pub(super) async fn send(&self, frame: Bytes) {
        // Nobody closes the semaphore, and the world ends only with the process.
        let Ok(room) = Arc::clone(&self.room).acquire_owned().await else { return };
        let _ = self.commands.send(Command::Frame { id: self.id, frame: Frame { bytes: frame, _room: room } });
    }
}

impl Drop for Inward {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Close { id: self.id });
    }
}

/// A connection to a port of a node.
pub(super) struct Dialled {
    /// The way to the cluster; an empty frame says that nothing more comes.
    pub(super) inward: Inward,
    /// What comes back; its end is that of what the peer says.
    pub(super) pieces: async_mpsc::Receiver<Piece>,
}

/// What comes back on a connection to a node.
pub(super) enum Piece {
    Data(Bytes),
    /// The connection was broken off.
    Reset,
}

/// A frame on its way in, with the room that it takes.
struct Frame {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

enum Command {
    Ask(Box<Ask>),
    Frame { id: u64, frame: Frame },
    Close { id: u64 },
    Dial { port: u16, answer: oneshot::Sender<Result<Dialled, NetError>> },
    Ready(oneshot::Sender<()>),
    Pace { is_held: bool, passed: mpsc::Sender<Duration> },
}

/// The HTTP server's end.
#[derive(Clone)]
pub(super) struct Bridge(mpsc::Sender<Command>);

impl Bridge {
    /// Sends a request into the world.
    pub(super) async fn ask(&self, parts: ::http::request::Parts, body: Bytes) -> Option<Answer> {
        let (answer, receive) = oneshot::channel();
        self.0.send(Command::Ask(Box::new(Ask { parts, body, answer }))).ok()?;
        receive.await.ok()
    }

    /// Connects to a port of the cluster's first node; nothing if the world has ended.
    pub(super) async fn dial(&self, port: u16) -> Option<Result<Dialled, NetError>> {
        let (answer, receive) = oneshot::channel();
        self.0.send(Command::Dial { port, answer }).ok()?;
        receive.await.ok()
    }

    /// Completes when the cluster is ready.
    pub(super) async fn ready(&self) -> anyhow::Result<()> {
        let (tx, rx) = oneshot::channel();
        self.0.send(Command::Ready(tx)).map_err(|_| anyhow::anyhow!("the world has ended"))?;
        Ok(rx.await?)
    }

    /// Holds the clock until the next request, or lets it go; gives how long it has run.
    pub(super) fn pace(&self, is_held: bool) -> anyhow::Result<Duration> {
        let (passed, told) = mpsc::channel();
        self.0.send(Command::Pace { is_held, passed }).map_err(|_| anyhow::anyhow!("the world has ended"))?;
        Ok(told.recv()?)
    }
}

/// What is served, and how.
pub(super) struct Wanted {
    pub(super) engine: Engine,
    pub(super) seed: u64,
    pub(super) profile: String,
    pub(super) nodes: u32,
    pub(super) wire: lesson::Wire,
    pub(super) files: Files,
    /// Whether the clock is paced, by [`Bridge::pace`] and by the world's own work.
    pub(super) is_paced: bool,
}

/// Starts a world on a thread of its own.
pub(super) fn start(wanted: Wanted) -> anyhow::Result<Bridge> {
    let (commands, inbox) = mpsc::channel();
    let (started_tx, started) = mpsc::channel();
    let outbox = commands.clone();
    std::thread::Builder::new().name("world".into()).spawn(move || {
        let begin = drive::begin_now() - LEAD;
        match drive::new_world_on(wanted.engine, wanted.seed, begin, Some(&wanted.profile), wanted.nodes) {
            Ok(mut world) => {
                world.set_wire(&wanted.wire);
                let _ = started_tx.send(Ok(()));
                let (upgrades, waiting_for_ready) = (Rc::default(), Vec::new());
                let files = wanted.files;
                Inside { world, files, outbox, inbox, upgrades, next_upgrade: 1, waiting_for_ready }
                    .run(wanted.is_paced);
            }
            Err(error) => {
                let _ = started_tx.send(Err(error));
            }
        }
    })?;
    started.recv()??;
    Ok(Bridge(commands))
}

/// Of upgraded connections: what their frames go into. It is never longer than there is room for frames.
type Upgrades = Rc<RefCell<BTreeMap<u64, futures_channel::mpsc::UnboundedSender<Frame>>>>;

/// The world's end.
struct Inside {
    world: World,
    files: Files,
    /// Into the inbox, for connections to come.
    outbox: mpsc::Sender<Command>,
    inbox: mpsc::Receiver<Command>,
    upgrades: Upgrades,
    next_upgrade: u64,
    waiting_for_ready: Vec<oneshot::Sender<()>>,
}

impl Inside {
    fn run(mut self, is_paced: bool) {
        // Boot as fast as it can; from then on virtual time follows the wall clock.
        drive::run_until_from(&self.files, &mut self.world, |world| world.is_ready());
        let mut clock = Clock::new(self.world.now().max(drive::wall_clock()), is_paced);
        loop {
            let now = clock.now();
            let step = clock.aside(|| drive::step_from(&self.files, &mut self.world, now));
            self.tell_ready();
            let wait = match step {
                Step::Busy | Step::Waiting => Duration::ZERO,
                Step::Idle { wake_at } => wake_at.and_then(|at| clock.until(at)).unwrap_or(IDLE),
            };
            match self.inbox.recv_timeout(wait) {
                Ok(command) => {
                    let now = clock.now();
                    clock.aside(|| {
                        while drive::step_from(&self.files, &mut self.world, now) == Step::Busy {}
                        self.world.advance_to(now);
                    });
                    self.take(command, &mut clock);
                    while let Ok(more) = self.inbox.try_recv() {
                        self.take(more, &mut clock);
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn tell_ready(&mut self) {
        if self.world.is_ready() {
            for waiting in self.waiting_for_ready.drain(..) {
                let _ = waiting.send(());
            }
        }
    }

    fn take(&mut self, command: Command, clock: &mut Clock) {
        match command {
            Command::Ask(ask) => {
                // Who held it waited for this.
                clock.go();
                self.ask(*ask);
            }
            Command::Pace { is_held, passed } => {
                if is_held {
                    clock.stop()
                } else {
                    clock.go()
                }
                // Who asked has gone if it does not listen.
                let _ = passed.send(clock.passed());
            }
            Command::Ready(tell) => self.waiting_for_ready.push(tell),
            Command::Frame { id, frame } => {
                if let Some(sender) = self.upgrades.borrow().get(&id) {
                    // A connection that has ended takes no more.
                    let _ = sender.unbounded_send(frame);
                }
            }
            Command::Dial { port, answer } => self.dial(port, answer),
            Command::Close { id } => {
                self.upgrades.borrow_mut().remove(&id);
            }
        }
    }

    /// The way in for one more connection.
    fn inward(&mut self) -> Inward {
        let id = self.next_upgrade;
        self.next_upgrade += 1;
        Inward::new(id, self.outbox.clone())
    }

    fn dial(&mut self, port: u16, answer: oneshot::Sender<Result<Dialled, NetError>>) {
        let (inward, upgrades) = (self.inward(), Rc::clone(&self.upgrades));
        let (connecting, sim) = (self.world.connect_to_node(port), self.world.sim().clone());
        self.world.sim().spawn(async move {
            match connecting.await {
                Ok(stream) => connected(&sim, stream, inward, &upgrades, answer).await,
                // Whoever no longer waits for it does not mind.
                Err(error) => drop(answer.send(Err(error))),
            }
        });
    }

    fn ask(&mut self, ask: Ask) {
        let Some(transport) = self.world.transport() else {
            let (parts, ()) = ::http::Response::new(()).into_parts();
            let _ = ask.answer.send(Answer { parts, body: AnswerBody::Failed("the cluster is stopped".into()) });
            return;
        };
        let inward = self.inward();
        let upgrades = Rc::clone(&self.upgrades);
        let sim = self.world.sim().clone();
        self.world.sim().spawn(async move { answer(&sim, transport, ask, inward, upgrades).await });
    }
}

async fn answer(sim: &simulation::Sim, transport: Rc<dyn Transport>, ask: Ask, inward: Inward, upgrades: Upgrades) {
    let body = if ask.body.is_empty() { Body::Empty } else { Body::Bytes(ask.body) };
    let response = match transport.call(Request::from_parts(ask.parts, body)).await {
        Ok(response) => response,
        Err(error) => {
            let (parts, ()) = ::http::Response::new(()).into_parts();
            let _ = ask.answer.send(Answer { parts, body: AnswerBody::Failed(format!("{error:?}")) });
            return;
        }
    };
    let (parts, body) = response.into_parts();
    match body {
        Body::Stream(mut chunks) => {
            let (tx, rx) = async_mpsc::channel(CHUNKS_WAITING_MAX);
            if ask.answer.send(Answer { parts, body: AnswerBody::Stream(rx) }).is_err() {
                return;
            }
            loop {
                // A client that has gone is noticed at the next chunk; dropping `chunks` ends the watch.
                let Some(chunk) = chunks.next().await else { return };
                if !pass_on(sim, &tx, Chunk::into_bytes(chunk)).await {
                    return;
                }
            }
        }
        Body::Upgrade(Duplex { mut send, mut recv }) => {
            let (tx, rx) = async_mpsc::channel(CHUNKS_WAITING_MAX);
            let (into, mut frames) = futures_channel::mpsc::unbounded::<Frame>();
            let id = inward.id;
            upgrades.borrow_mut().insert(id, into);
            sim.spawn(async move {
                // A frame's room is free again when the peer has taken it; without frames to come the peer hears the end.
                while let Some(frame) = frames.next().await {
                    if send.send(frame.bytes).await.is_err() {
                        return;
                    }
                }
            });
            let sent = ask.answer.send(Answer { parts, body: AnswerBody::Upgrade { inward, frames: rx } });
            if sent.is_ok() {
                while let Some(frame) = recv.next().await {
                    if !pass_on(sim, &tx, frame).await {
                        break;
                    }
                }
            }
            upgrades.borrow_mut().remove(&id);
        }
        whole => {
            let bytes = whole.into_bytes().unwrap_or_default();
            let _ = ask.answer.send(Answer { parts, body: AnswerBody::Whole(bytes) });
        }
    }
}

/// Carries a connection until the client has let go of it, or the peer has broken it off.
async fn connected(
    sim: &simulation::Sim,
    stream: TcpStream,
    inward: Inward,
    upgrades: &Upgrades,
    answer: oneshot::Sender<Result<Dialled, NetError>>,
) {
    let (tx, pieces) = async_mpsc::channel(CHUNKS_WAITING_MAX);
    let (into, mut frames) = futures_channel::mpsc::unbounded::<Frame>();
    upgrades.borrow_mut().insert(inward.id, into);
    if answer.send(Ok(Dialled { inward, pieces })).is_err() {
        // Dropping the way in has closed it.
        return;
    }
    let outward = stream.clone();
    sim.spawn(async move {
        while let Some(frame) = frames.next().await {
            if frame.bytes.is_empty() {
                outward.shutdown_write();
            } else if outward.write_all(&frame.bytes).await.is_err() {
                return;
            }
        }
        // The client has let go.
        outward.close();
    });
    loop {
        let piece = match stream.read().await {
            Ok(bytes) if bytes.is_empty() => return,
            Ok(bytes) => Piece::Data(bytes),
            Err(_) => Piece::Reset,
        };
        let is_last = matches!(piece, Piece::Reset);
        if !pass_on(sim, &tx, piece).await {
            return stream.close();
        }
        if is_last {
            return;
        }
    }
}

/// Hands a piece to the client's thread; false when the client has gone.
async fn pass_on<T>(sim: &simulation::Sim, to: &async_mpsc::Sender<T>, mut piece: T) -> bool {
    loop {
        match to.try_send(piece) {
            Ok(()) => return true,
            Err(async_mpsc::error::TrySendError::Closed(_)) => return false,
            Err(async_mpsc::error::TrySendError::Full(back)) => {
                piece = back;
                sim.sleep(SLOW_CLIENT_PAUSE).await;
            }
        }
    }
}
