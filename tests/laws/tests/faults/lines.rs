//! The lines from the parts of a cluster to its API server, and how they fail.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use api::Object;
use api::http::{Body, Chunk, Method, Request, Response, Transport, TransportError};
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{LocalBoxStream, Stream, StreamExt as _};
use json::json;
use simulation::notify::Waiters;
use simulation::{Duration, Sim, Time};

use crate::scenario::Party;

/// A request on a dead line is given up after so long.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);
/// A watch on a dead line is noticed to be dead after so long (HTTP/2: a ping after 30 s, 15 s for its answer).
const SILENCE_MAX: Duration = Duration::from_secs(45);

/// What is wrong with the lines of one party.
#[derive(Default)]
pub struct Line {
    /// Nothing passes, since then.
    cut: Cell<Option<Time>>,
    /// What the slowest watches bring comes so much later; others are faster, some not slow at all: what a part knows of one
    /// kind is older than what it knows of another.
    delay: Cell<Duration>,
    /// Watches that were opened.
    watches: Cell<u32>,
    /// Grows with every order to all watches to list again.
    expiries: Cell<u32>,
    /// Grows with every end of all watches.
    closings: Cell<u32>,
    /// So many writes are carried out, but the answers get lost.
    lost_answers: Cell<u32>,
    changed: Waiters,
}

impl Line {
    pub fn cut(&self, since: Option<Time>) {
        self.cut.set(since);
        self.changed.wake_all();
    }

    pub fn slow(&self, delay: Duration) {
        self.delay.set(delay);
        self.changed.wake_all();
    }

    pub fn expire(&self) {
        self.expiries.set(self.expiries.get() + 1);
        self.changed.wake_all();
    }

    pub fn close(&self) {
        self.closings.set(self.closings.get() + 1);
        self.changed.wake_all();
    }

    pub fn lose_answers(&self, count: u32) {
        self.lost_answers.set(count);
    }

    /// What the watch with that number takes longer.
    fn delay_of(&self, watch: u32) -> Duration {
        self.delay.get() * (watch % 4) / 3
    }

    /// Nothing is wrong any more. What watches have not delivered yet still comes.
    pub fn heal(&self) {
        self.lost_answers.set(0);
        self.delay.set(Duration::ZERO);
        self.cut(None);
    }

    async fn passable(&self, sim: &Sim) -> Result<(), TransportError> {
        let free = std::future::poll_fn(|cx| {
            if self.cut.get().is_none() {
                return Poll::Ready(());
            }
            self.changed.register(cx);
            Poll::Pending
        });
        sim.timeout(REQUEST_TIME_MAX, free).await.map_err(|_| TransportError::Timeout)
    }
}

/// The lines of all parties. The simulation comes in once the world is there.
#[derive(Default)]
pub struct Lines {
    lines: RefCell<BTreeMap<Party, Rc<Line>>>,
    sim: Rc<RefCell<Option<Sim>>>,
}

impl Lines {
    pub fn set_sim(&self, sim: &Sim) {
        *self.sim.borrow_mut() = Some(sim.clone());
    }

    pub fn of(&self, party: Party) -> Rc<Line> {
        Rc::clone(self.lines.borrow_mut().entry(party).or_default())
    }

    pub fn heal_all(&self) {
        let lines: Vec<Rc<Line>> = self.lines.borrow().values().cloned().collect();
        lines.iter().for_each(|line| line.heal());
    }

    /// Lays the line of `part`, which is named as `cluster::Leads` says.
    pub fn lead(&self, part: &str, way: Rc<dyn Transport>) -> Rc<dyn Transport> {
        let Some(party) = Party::of_part(part) else { return way };
        Rc::new(Faulty { line: self.of(party), sim: Rc::clone(&self.sim), way })
    }
}

struct Faulty {
    line: Rc<Line>,
    sim: Rc<RefCell<Option<Sim>>>,
    way: Rc<dyn Transport>,
}

impl Transport for Faulty {
    fn call(&self, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        let Some(sim) = self.sim.borrow().clone() else { return self.way.call(request) };
        let (line, way) = (Rc::clone(&self.line), Rc::clone(&self.way));
        Box::pin(async move {
            line.passable(&sim).await?;
            let is_write = *request.method() != Method::GET;
            let answer = way.call(request).await;
            // Cut while the server was at work: the answer waits at the gap, and may be late.
            line.passable(&sim).await?;
            if is_write && line.lost_answers.get() > 0 {
                line.lost_answers.set(line.lost_answers.get() - 1);
                return Err(TransportError::Closed);
            }
            Ok(answer?.map(|body| match body {
                Body::Stream(chunks) => Body::Stream(Watch::new(&sim, &line, chunks).boxed_local()),
                other => other,
            }))
        })
    }
}

/// A watch as it arrives at the end of a line.
struct Watch {
    sim: Sim,
    line: Rc<Line>,
    chunks: LocalBoxStream<'static, Chunk>,
    /// What has left the server, and when it arrives.
    under_way: VecDeque<(Time, Chunk)>,
    /// Which of the line's watches it is.
    number: u32,
    timer: Option<LocalBoxFuture<'static, ()>>,
    expiries: u32,
    closings: u32,
    /// The server has said its last word.
    is_over: bool,
    ended: bool,
}

impl Watch {
    fn new(sim: &Sim, line: &Rc<Line>, chunks: LocalBoxStream<'static, Chunk>) -> Watch {
        let number = line.watches.get();
        line.watches.set(number + 1);
        Watch {
            sim: sim.clone(),
            chunks,
            number,
            under_way: VecDeque::new(),
            timer: None,
            expiries: line.expiries.get(),
            closings: line.closings.get(),
            line: Rc::clone(line),
            is_over: false,
            ended: false,
        }
    }

    fn wait_until(&mut self, at: Time, cx: &mut Context<'_>) -> Poll<Option<Chunk>> {
        let mut timer: LocalBoxFuture<'static, ()> = Box::pin(self.sim.sleep_until(at));
        let is_due = timer.as_mut().poll(cx).is_ready();
        self.timer = Some(timer);
        if is_due {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn end(&mut self, last: Option<Chunk>) -> Poll<Option<Chunk>> {
        self.ended = true;
        Poll::Ready(last)
    }

    fn take_in(&mut self, cx: &mut Context<'_>) {
        while !self.is_over {
            match self.chunks.poll_next_unpin(cx) {
                Poll::Ready(Some(chunk)) => {
                    let due = self.sim.now() + self.line.delay_of(self.number);
                    // One never overtakes another.
                    let due = self.under_way.back().map_or(due, |(last, _)| due.max(*last));
                    self.under_way.push_back((due, chunk));
                }
                Poll::Ready(None) => self.is_over = true,
                Poll::Pending => break,
            }
        }
    }
}

impl Stream for Watch {
    type Item = Chunk;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Chunk>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let line = Rc::clone(&self.line);
        line.changed.register(cx);
        if let Some(since) = line.cut.get() {
            let noticed = since + SILENCE_MAX;
            return if self.sim.now() >= noticed { self.end(None) } else { self.wait_until(noticed, cx) };
        }
        if self.expiries != line.expiries.get() {
            let gone = Object::new(json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 410,
                "reason": "Expired", "message": "too old resource version: by order of a test",
            }));
            return self.end(Some(Chunk::Event { event: "ERROR", object: gone }));
        }
        if self.closings != line.closings.get() {
            return self.end(None);
        }
        self.take_in(cx);
        match self.under_way.front().map(|(due, _)| *due) {
            Some(due) if due <= self.sim.now() => Poll::Ready(self.under_way.pop_front().map(|(_, chunk)| chunk)),
            Some(due) => self.wait_until(due, cx),
            None if self.is_over => self.end(None),
            None => Poll::Pending,
        }
    }
}
