//! One direction of a stream: bytes that arrive after a delay, in order, within a bounded buffer.
//!
//! What the wire loses is sent again after its time, and what comes behind it waits for it. When it was lost too often the sending
//! end gives the connection up; the other one never hears of it. Acknowledgements are not lost, nor can they be seen.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use bytes::{Buf, Bytes};
use simulation::notify::Waiters;
use simulation::{Sim, Time};

use crate::NetError;
use crate::limits::STREAM_BUFFER_BYTES_MAX;
use crate::wire::Wire;

enum Segment {
    Data(Bytes),
    Fin,
    Reset,
}

/// A segment on its way.
struct Flying {
    segment: Segment,
    /// One-way delays that it takes.
    trips: u32,
    /// When it arrives, or is sent again if it was lost.
    at: Time,
    /// How often it was lost, if it is.
    lost: Option<u32>,
}

#[derive(Default)]
struct State {
    flight: VecDeque<Flying>,
    arrived: VecDeque<Bytes>,
    /// Of `flight` and `arrived` together.
    bytes: usize,
    fin_sent: bool,
    fin_arrived: bool,
    reset_arrived: bool,
    reader_closed: bool,
    /// What the reader's own end sent was lost too often.
    given_up: bool,
    /// A task is carrying `flight` over.
    delivering: bool,
}

pub(crate) struct Pipe {
    sim: Sim,
    wire: Rc<Wire>,
    state: RefCell<State>,
    pub(crate) readable: Waiters,
    pub(crate) writable: Waiters,
    /// The other direction.
    back: Weak<Pipe>,
}

impl Pipe {
    /// Both directions of a stream.
    pub(crate) fn both_ways(sim: &Sim, wire: &Rc<Wire>) -> (Rc<Pipe>, Rc<Pipe>) {
        let one = |back: Weak<Pipe>| Pipe {
            sim: sim.clone(),
            wire: Rc::clone(wire),
            state: RefCell::default(),
            readable: Waiters::default(),
            writable: Waiters::default(),
            back,
        };
        let mut back = None;
        let there = Rc::new_cyclic(|there| {
            let made = Rc::new(one(there.clone()));
            let pipe = one(Rc::downgrade(&made));
            back = Some(made);
            pipe
        });
        (there, back.expect("the closure has run"))
    }

    /// `None` = nothing has arrived yet; empty bytes = the end.
    pub(crate) fn try_read(&self, max: usize) -> Option<Result<Bytes, NetError>> {
        let mut state = self.state.borrow_mut();
        if let Some(front) = state.arrived.front_mut() {
            let take = front.len().min(max);
            let bytes = front.split_to(take);
            if !front.has_remaining() {
                state.arrived.pop_front();
            }
            state.bytes -= bytes.len();
            drop(state);
            self.writable.wake_all();
            return Some(Ok(bytes));
        }
        if state.reset_arrived {
            return Some(Err(NetError::Reset));
        }
        if state.fin_arrived || state.reader_closed {
            return Some(Ok(Bytes::new()));
        }
        state.given_up.then_some(Err(NetError::TimedOut))
    }

    /// `None` = the buffer is full. A closed reader swallows the bytes; the caller answers with a reset.
    pub(crate) fn try_write(self: &Rc<Self>, bytes: &[u8]) -> Option<Result<usize, NetError>> {
        let mut state = self.state.borrow_mut();
        if state.fin_sent {
            return Some(Err(NetError::BrokenPipe));
        }
        if state.reader_closed {
            return Some(Ok(bytes.len()));
        }
        let room = STREAM_BUFFER_BYTES_MAX.saturating_sub(state.bytes);
        let take = bytes.len().min(room);
        if take == 0 && !bytes.is_empty() {
            return None;
        }
        if take > 0 {
            state.bytes += take;
            drop(state);
            self.push(1, Segment::Data(Bytes::copy_from_slice(&bytes[..take])));
        }
        Some(Ok(take))
    }

    pub(crate) fn send_fin(self: &Rc<Self>) {
        if !std::mem::replace(&mut self.state.borrow_mut().fin_sent, true) {
            self.push(1, Segment::Fin);
        }
    }

    /// A reset that arrives after `trips` one-way delays.
    pub(crate) fn send_reset(self: &Rc<Self>, trips: u32) {
        self.state.borrow_mut().fin_sent = true;
        self.push(trips, Segment::Reset);
    }

    /// The reader has gone: what is buffered is dropped. True if there was something that it had not read.
    pub(crate) fn close_reader(&self) -> bool {
        let mut state = self.state.borrow_mut();
        let unread = !state.arrived.is_empty();
        state.reader_closed = true;
        state.arrived.clear();
        state.bytes = 0;
        drop(state);
        self.writable.wake_all();
        self.readable.wake_all();
        unread
    }

    pub(crate) fn is_reader_closed(&self) -> bool {
        self.state.borrow().reader_closed
    }

    pub(crate) fn is_reset(&self) -> bool {
        self.state.borrow().reset_arrived
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.state.borrow().given_up
    }

    pub(crate) fn is_readable(&self) -> bool {
        let state = self.state.borrow();
        !state.arrived.is_empty() || state.fin_arrived || state.reset_arrived || state.reader_closed || state.given_up
    }

    pub(crate) fn is_writable(&self) -> bool {
        let state = self.state.borrow();
        state.fin_sent || state.reader_closed || state.bytes < STREAM_BUFFER_BYTES_MAX
    }

    fn push(self: &Rc<Self>, trips: u32, segment: Segment) {
        let flying = self.send(segment, trips, 0);
        let mut state = self.state.borrow_mut();
        state.flight.push_back(flying);
        if !std::mem::replace(&mut state.delivering, true) {
            drop(state);
            self.sim.spawn(Rc::clone(self).deliver());
        }
    }

    /// A segment sets out, after it was lost so often.
    fn send(&self, segment: Segment, trips: u32, lost: u32) -> Flying {
        let now = self.sim.now();
        if self.wire.loses() {
            // Whoever gives up does so after the last try's time, too.
            let after = self.wire.again_after(lost).unwrap_or_default();
            return Flying { segment, trips, at: now + after, lost: Some(lost + 1) };
        }
        Flying { segment, trips, at: now + self.wire.delay() * trips, lost: None }
    }

    async fn deliver(self: Rc<Self>) {
        loop {
            let next = self.state.borrow().flight.front().map(|flying| flying.at);
            let Some(at) = next else { break };
            self.sim.sleep_until(at).await;
            self.arrive();
        }
        self.state.borrow_mut().delivering = false;
    }

    fn arrive(&self) {
        let now = self.sim.now();
        let mut state = self.state.borrow_mut();
        while state.flight.front().is_some_and(|flying| flying.at <= now) {
            let Some(Flying { segment, trips, lost, .. }) = state.flight.pop_front() else { break };
            match lost {
                Some(lost) if self.wire.again_after(lost).is_some() => {
                    let again = self.send(segment, trips, lost);
                    state.flight.push_front(again);
                }
                Some(_) => {
                    drop(state);
                    return self.give_up();
                }
                None => match segment {
                    Segment::Data(bytes) if !state.reader_closed => state.arrived.push_back(bytes),
                    Segment::Data(_) => {}
                    Segment::Fin => state.fin_arrived = true,
                    Segment::Reset => state.reset_arrived = true,
                },
            }
        }
        drop(state);
        self.readable.wake_all();
        self.writable.wake_all();
    }

    /// Nothing that is sent here arrives: the sending end hears of it, where it reads and writes.
    fn give_up(&self) {
        let mut state = self.state.borrow_mut();
        state.flight.clear();
        state.fin_sent = true;
        drop(state);
        if let Some(back) = self.back.upgrade() {
            back.state.borrow_mut().given_up = true;
            back.readable.wake_all();
        }
        self.writable.wake_all();
    }
}
