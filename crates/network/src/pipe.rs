//! One direction of a stream: bytes that arrive after a delay, in order, within a bounded buffer.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use simulation::notify::Waiters;
use simulation::{Sim, Time};

use crate::NetError;
use crate::limits::STREAM_BUFFER_BYTES_MAX;

enum Segment {
    Data(Bytes),
    Fin,
    Reset,
}

#[derive(Default)]
struct State {
    flight: VecDeque<(Time, Segment)>,
    arrived: VecDeque<Bytes>,
    /// Of `flight` and `arrived` together.
    bytes: usize,
    fin_sent: bool,
    fin_arrived: bool,
    reset_arrived: bool,
    reader_closed: bool,
    /// A task is carrying `flight` over.
    delivering: bool,
}

pub(crate) struct Pipe {
    sim: Sim,
    delay: Duration,
    state: RefCell<State>,
    pub(crate) readable: Waiters,
    pub(crate) writable: Waiters,
}

impl Pipe {
    pub(crate) fn new(sim: &Sim, delay: Duration) -> Rc<Pipe> {
        Rc::new(Pipe {
            sim: sim.clone(),
            delay,
            state: RefCell::default(),
            readable: Waiters::default(),
            writable: Waiters::default(),
        })
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
        None
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
            self.push(self.delay, Segment::Data(Bytes::copy_from_slice(&bytes[..take])));
        }
        Some(Ok(take))
    }

    pub(crate) fn send_fin(self: &Rc<Self>) {
        if !std::mem::replace(&mut self.state.borrow_mut().fin_sent, true) {
            self.push(self.delay, Segment::Fin);
        }
    }

    /// A reset that arrives after `trips` one-way delays.
    pub(crate) fn send_reset(self: &Rc<Self>, trips: u32) {
        self.state.borrow_mut().fin_sent = true;
        self.push(self.delay * trips, Segment::Reset);
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

    pub(crate) fn is_readable(&self) -> bool {
        let state = self.state.borrow();
        !state.arrived.is_empty() || state.fin_arrived || state.reset_arrived || state.reader_closed
    }

    pub(crate) fn is_writable(&self) -> bool {
        let state = self.state.borrow();
        state.fin_sent || state.reader_closed || state.bytes < STREAM_BUFFER_BYTES_MAX
    }

    fn push(self: &Rc<Self>, delay: Duration, segment: Segment) {
        let mut state = self.state.borrow_mut();
        state.flight.push_back((self.sim.now() + delay, segment));
        if !std::mem::replace(&mut state.delivering, true) {
            drop(state);
            self.sim.spawn(Rc::clone(self).deliver());
        }
    }

    async fn deliver(self: Rc<Self>) {
        loop {
            let next = self.state.borrow().flight.front().map(|(at, _)| *at);
            let Some(at) = next else { break };
            self.sim.sleep_until(at).await;
            self.arrive();
        }
        self.state.borrow_mut().delivering = false;
    }

    fn arrive(&self) {
        let now = self.sim.now();
        let mut state = self.state.borrow_mut();
        while state.flight.front().is_some_and(|(at, _)| *at <= now) {
            match state.flight.pop_front() {
                Some((_, Segment::Data(bytes))) if !state.reader_closed => state.arrived.push_back(bytes),
                Some((_, Segment::Fin)) => state.fin_arrived = true,
                Some((_, Segment::Reset)) => state.reset_arrived = true,
                _ => {}
            }
        }
        drop(state);
        self.readable.wake_all();
        self.writable.wake_all();
    }
}
