//! Logs: lines with their times, bounded, readable while they grow.
//!
//! A log is rotated as the kubelet does it (`pkg/kubelet/logs/container_log_manager.go`): every ten seconds somebody looks, and a
//! file that is too large by then begins anew. Only the newest file can be read, as by `kubectl logs`. Nobody is woken for the look:
//! when it is due shows in the times of what is written and read.
//!
//! Difference: of the newest file, which counts in full, only the last [`LOG_BYTES_MAX`] are held. `kubectl logs` of a larger one
//! begins with the first line of these, as if `--tail` had been given; a trace event says so once for each container. Containers of a
//! machine's own docker have the same logs, which Docker would let grow. Who follows a log and does not keep up with it loses what is
//! dropped or rotated away.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream::{LocalBoxStream, poll_fn};
use simulation::notify::Waiters;
use simulation::{Sim, Time, TraceKind};

use crate::kernel::{PipeWriter, Sink};
use crate::limits::{
    LOG_BYTES_MAX, LOG_COMPRESSION, LOG_FILE_BYTES_MAX, LOG_FILES_MAX, LOG_LINE_BYTES_MAX, LOG_LINE_OVERHEAD_BYTES,
    LOG_LOOK_PERIOD, PIPE_BYTES_MAX,
};

/// What of a log is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on with what is written later, until the container ends.
    pub follow: bool,
    /// Only the last lines.
    pub tail_lines: Option<u64>,
    /// Only what was written at or after.
    pub since: Option<Time>,
    /// Each line begins with its time.
    pub timestamps: bool,
    /// Ends after so many bytes.
    pub limit_bytes: Option<u64>,
}

struct Line {
    time: Time,
    stream: Stream,
    text: Bytes,
}

/// One of a container's output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, and everything that is written to a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// The log of one container.
pub struct Log {
    sim: Sim,
    /// Names the container when the limit is hit.
    name: String,
    lines: RefCell<VecDeque<Line>>,
    /// Number of the first line that is still there.
    first: Cell<u64>,
    /// Bytes of the newest file, with those of its lines that are no longer held.
    bytes: Cell<usize>,
    /// Bytes of the lines that are held.
    held: Cell<usize>,
    /// Since when the file is large enough to be rotated.
    full_since: Cell<Option<Time>>,
    /// Sizes of the rotated files, oldest first.
    rotated: RefCell<VecDeque<u64>>,
    was_cut: Cell<bool>,
    /// What was printed after the last line feed, for each stream.
    unfinished: RefCell<[BytesMut; 2]>,
    /// Sessions that see the output as it comes.
    attached: RefCell<Vec<(Stream, PipeWriter)>>,
    /// What was printed before the first session came; none when no session is expected.
    early: RefCell<Option<Vec<(Stream, Bytes)>>>,
    is_closed: Cell<bool>,
    waiters: Waiters,
}

impl Log {
    /// `awaits_session`: the output up to the first attached session is kept for it, up to [`PIPE_BYTES_MAX`]. That is
    /// for `kubectl run -i`, whose session would otherwise miss what a quick program prints first.
    pub(crate) fn new(sim: &Sim, name: String, awaits_session: bool) -> Rc<Log> {
        Rc::new(Log {
            early: RefCell::new(awaits_session.then(Vec::new)),
            sim: sim.clone(),
            name,
            lines: RefCell::default(),
            first: Cell::new(0),
            bytes: Cell::new(0),
            held: Cell::new(0),
            full_since: Cell::new(None),
            rotated: RefCell::default(),
            was_cut: Cell::new(false),
            unfinished: RefCell::default(),
            attached: RefCell::default(),
            is_closed: Cell::new(false),
            waiters: Waiters::default(),
        })
    }

    pub(crate) fn write(&self, stream: Stream, bytes: &[u8]) {
        self.forward(stream, bytes);
        let complete = {
            let mut unfinished = self.unfinished.borrow_mut();
            let buffer = &mut unfinished[stream as usize];
            let mut complete = Vec::new();
            for piece in bytes.split_inclusive(|b| *b == b'\n') {
                let mut rest = piece;
                while !rest.is_empty() {
                    let room = LOG_LINE_BYTES_MAX.saturating_sub(buffer.len()).max(1);
                    let (now, later) = rest.split_at(rest.len().min(room));
                    buffer.extend_from_slice(now);
                    rest = later;
                    if buffer.ends_with(b"\n") || buffer.len() >= LOG_LINE_BYTES_MAX {
                        complete.push(buffer.split().freeze());
                    }
                }
            }
            complete
        };
        if complete.is_empty() {
            return;
        }
        for text in complete {
            self.add(stream, text);
        }
        self.waiters.wake_all();
    }

    fn add(&self, stream: Stream, text: Bytes) {
        self.rotate_if_due();
        let (mut lines, now) = (self.lines.borrow_mut(), self.sim.now());
        let bytes = text.len() + LOG_LINE_OVERHEAD_BYTES;
        self.bytes.set(self.bytes.get().saturating_add(bytes));
        self.held.set(self.held.get() + bytes);
        lines.push_back(Line { time: now, stream, text });
        if self.bytes.get() >= LOG_FILE_BYTES_MAX && self.full_since.get().is_none() {
            self.full_since.set(Some(now));
        }
        while self.held.get() > LOG_BYTES_MAX
            && let Some(oldest) = lines.pop_front()
        {
            if !self.was_cut.replace(true) {
                self.sim.trace(TraceKind::Limit { limit: "LOG_BYTES_MAX".into(), what: self.name.clone() });
            }
            self.held.set(self.held.get() - oldest.text.len() - LOG_LINE_OVERHEAD_BYTES);
            self.first.set(self.first.get() + 1);
        }
    }

    /// Begins a new file if the old one was too large at the last look. The log of a container that has ended stays as it is.
    fn rotate_if_due(&self) {
        let Some(full_since) = self.full_since.get().filter(|_| !self.is_closed.get()) else { return };
        let period = i64::try_from(LOG_LOOK_PERIOD.as_nanos()).unwrap_or(i64::MAX);
        let looks = |time: Time| time.as_nanos().div_euclid(period);
        if looks(self.sim.now()) == looks(full_since) {
            return;
        }
        let mut rotated = self.rotated.borrow_mut();
        rotated.push_back(self.bytes.replace(0) as u64);
        if rotated.len() >= LOG_FILES_MAX {
            rotated.pop_front();
        }
        let lines = std::mem::take(&mut *self.lines.borrow_mut());
        self.held.set(0);
        self.first.set(self.first.get() + lines.len() as u64);
        self.full_since.set(None);
    }

    /// A session that does not keep up loses output rather than stopping the container.
    fn forward(&self, stream: Stream, bytes: &[u8]) {
        if let Some(early) = &mut *self.early.borrow_mut() {
            let kept: usize = early.iter().map(|(_, b)| b.len()).sum();
            let room = PIPE_BYTES_MAX.saturating_sub(kept).min(bytes.len());
            if room > 0 {
                early.push((stream, Bytes::copy_from_slice(&bytes[..room])));
            }
        }
        let mut attached = self.attached.borrow_mut();
        attached.retain(|(_, pipe)| !pipe.is_broken());
        for (wanted, pipe) in &*attached {
            if *wanted == stream && !matches!(pipe.try_write(bytes), Some(Ok(n)) if n == bytes.len()) {
                let what = format!("session attached to {}", self.name);
                self.sim.trace(TraceKind::Limit { limit: "PIPE_BYTES_MAX".into(), what });
            }
        }
    }

    pub(crate) fn attach(&self, stdout: PipeWriter, stderr: PipeWriter) {
        if self.is_closed.get() {
            return;
        }
        for (stream, bytes) in self.early.borrow_mut().take().unwrap_or_default() {
            let pipe = if stream == Stream::Stdout { &stdout } else { &stderr };
            let _ = pipe.try_write(&bytes); // there is room for all that was kept
        }
        self.attached.borrow_mut().extend([(Stream::Stdout, stdout), (Stream::Stderr, stderr)]);
    }

    /// The container has ended: what was left unfinished becomes a line.
    pub(crate) fn close(&self) {
        let rest: Vec<Bytes> = self.unfinished.borrow_mut().iter_mut().map(|b| b.split().freeze()).collect();
        for (stream, text) in [Stream::Stdout, Stream::Stderr].into_iter().zip(rest).filter(|(_, t)| !t.is_empty()) {
            self.add(stream, text);
        }
        self.is_closed.set(true);
        // Sessions keep ends of their own, so these are closed, not only dropped.
        self.attached.borrow_mut().drain(..).for_each(|(_, pipe)| pipe.close());
        self.waiters.wake_all();
    }

    /// Bytes of the newest file, with what each line costs besides, and with lines that are no longer held.
    pub fn len(&self) -> usize {
        self.bytes.get()
    }

    /// Bytes that it takes on the node's disk.
    pub fn disk_bytes(&self) -> u64 {
        self.rotate_if_due();
        let rotated = self.rotated.borrow();
        let compressed: u64 = rotated.iter().rev().skip(1).map(|bytes| bytes / LOG_COMPRESSION).sum();
        self.len() as u64 + rotated.back().copied().unwrap_or(0) + compressed
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn start(&self, options: &LogOptions) -> u64 {
        self.rotate_if_due();
        let lines = self.lines.borrow();
        let first = self.first.get();
        let by_time = options.since.map_or(0, |since| lines.partition_point(|l| l.time < since) as u64);
        let by_count = options.tail_lines.map_or(0, |tail| (lines.len() as u64).saturating_sub(tail));
        first + by_time.max(by_count)
    }

    /// The lines from number `next` on that one stream has without a break, as they are shown; none when there are no more.
    fn take(&self, next: &mut u64, timestamps: bool) -> Option<(Stream, Bytes)> {
        let lines = self.lines.borrow();
        let first = self.first.get();
        let skip = usize::try_from(next.saturating_sub(first)).unwrap_or(usize::MAX);
        let stream = lines.get(skip)?.stream;
        *next = first.max(*next);
        let mut text = BytesMut::new();
        for line in lines.iter().skip(skip).take_while(|line| line.stream == stream) {
            if timestamps {
                text.extend_from_slice(timestamp(line.time).as_bytes());
            }
            text.extend_from_slice(&line.text);
            *next += 1;
        }
        Some((stream, text.freeze()))
    }

    /// The log as a stream of pieces.
    pub fn read(self: &Rc<Self>, options: LogOptions) -> LocalBoxStream<'static, Bytes> {
        self.read_streams(options).map(|(_, bytes)| bytes).boxed_local()
    }

    /// As [`Log::read`], with what each piece was written to.
    pub fn read_streams(self: &Rc<Self>, options: LogOptions) -> LocalBoxStream<'static, (Stream, Bytes)> {
        let log = Rc::clone(self);
        let mut next = log.start(&options);
        let mut left = options.limit_bytes.unwrap_or(u64::MAX);
        poll_fn(move |cx| {
            if left == 0 {
                return Poll::Ready(None);
            }
            let Some((stream, mut bytes)) = log.take(&mut next, options.timestamps) else {
                if !options.follow || log.is_closed.get() {
                    return Poll::Ready(None);
                }
                log.waiters.register(cx);
                return Poll::Pending;
            };
            bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            left -= bytes.len() as u64;
            Poll::Ready(Some((stream, bytes)))
        })
        .boxed_local()
    }
}

/// RFC 3339 with nine digits, and a space.
fn timestamp(time: Time) -> String {
    let whole = time.rfc3339();
    format!("{}.{:09}Z ", whole.trim_end_matches('Z'), time.as_nanos().rem_euclid(1_000_000_000))
}

/// One stream of a container, as its processes see it.
pub(crate) struct LogSink {
    pub(crate) log: Rc<Log>,
    pub(crate) stream: Stream,
}

impl Sink for LogSink {
    fn write(&self, bytes: &[u8]) {
        self.log.write(self.stream, bytes);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use simulation::{Duration, SimConfig};

    use super::*;

    const LINE_BYTES: usize = 16 * 1024 - LOG_LINE_OVERHEAD_BYTES;

    struct Fixture {
        sim: Sim,
        log: Rc<Log>,
        written: Cell<u32>,
    }

    impl Fixture {
        fn new() -> Fixture {
            let sim = Sim::new(SimConfig { seed: 1, start: Time::from_unix_seconds(1_000) });
            let log = Log::new(&sim, "d/p/c".into(), false);
            Fixture { sim, log, written: Cell::new(0) }
        }

        /// Writes lines that begin with their numbers and take 16 KiB each.
        fn write(&self, lines: u32) {
            for _ in 0..lines {
                let number = self.written.replace(self.written.get() + 1);
                let text = format!("{number:0>6}{}\n", "x".repeat(LINE_BYTES - 7));
                self.log.write(Stream::Stdout, text.as_bytes());
            }
        }

        fn pass(&self, seconds: u64) {
            self.sim.advance_to(self.sim.now() + Duration::from_secs(seconds));
        }

        /// How many lines can be read, and the number of the first.
        fn read(&self) -> (usize, String) {
            let pieces = self.log.read(LogOptions::default()).collect::<Vec<_>>().now_or_never().unwrap().concat();
            let text = String::from_utf8(pieces).unwrap();
            (text.lines().count(), text.chars().take(6).collect())
        }
    }

    #[test]
    fn a_large_log_begins_anew_at_the_next_look() {
        let f = Fixture::new();
        f.write(64);
        assert_eq!(f.read(), (64, "000000".into()), "all of it");
        f.write(575);
        f.pass(30);
        assert_eq!(f.read(), (64, "000575".into()), "not large enough: the newest of it");
        assert_eq!(f.log.disk_bytes(), 639 * 16 * 1024, "what is not held counts");
        f.write(1);
        f.pass(9);
        assert_eq!(f.read(), (64, "000576".into()), "nobody has looked yet");
        f.pass(1);
        assert_eq!(f.read(), (0, String::new()), "rotated, and nothing is new");
        f.write(2);
        assert_eq!(f.read(), (2, "000640".into()));
        assert_eq!(f.log.disk_bytes(), 642 * 16 * 1024, "the newest rotated file is as it was");
    }

    #[test]
    fn of_the_rotated_files_four_stay() {
        let f = Fixture::new();
        let file = 640 * 16 * 1024;
        let mut sizes = Vec::new();
        for _ in 0..6 {
            f.write(640);
            f.pass(10);
            sizes.push(f.log.disk_bytes());
        }
        let of = |compressed: u64| file + compressed * (file / LOG_COMPRESSION);
        assert_eq!(sizes, [of(0), of(1), of(2), of(3), of(3), of(3)]);
    }

    #[test]
    fn who_follows_goes_on_in_the_new_file() {
        let f = Fixture::new();
        let mut pieces = f.log.read(LogOptions { follow: true, ..LogOptions::default() });
        let mut next = || pieces.next().now_or_never().flatten().map(|bytes| bytes.len() / LINE_BYTES);
        for _ in 0..10 {
            f.write(64);
            assert_eq!((next(), next()), (Some(64), None));
        }
        f.pass(10);
        f.write(1);
        assert_eq!((next(), next()), (Some(1), None));
    }

    #[test]
    fn the_log_of_what_has_ended_stays() {
        let f = Fixture::new();
        f.write(640);
        f.log.close();
        f.pass(60);
        assert_eq!(f.read(), (64, "000576".into()));
        assert_eq!(f.log.disk_bytes(), 640 * 16 * 1024);
    }

    #[test]
    fn a_flood_is_counted_and_costs_the_oldest_lines() {
        let f = Fixture::new();
        f.write(1_000);
        assert_eq!(f.read(), (64, "000936".into()), "1 MiB");
        assert_eq!(f.log.disk_bytes(), 1_000 * 16 * 1024);
        f.write(1);
        let limits = f.sim.trace_since(0).into_iter().filter(|e| matches!(e.kind, TraceKind::Limit { .. }));
        assert_eq!(limits.count(), 1, "visible, and once");
    }
}
