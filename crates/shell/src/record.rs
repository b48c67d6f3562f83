//! What the commands of a shell put on the screen, told to the trace when each has ended: lessons ask what was seen, never
//! how it was typed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll};

use machine::{BrokenPipe, WriteEnd, Writer};
use simulation::{Sim, TraceKind};

/// Bytes kept of the beginning of a command's output; what follows is kept up to [`TAIL_BYTES_MAX`] from its end.
pub const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Bytes kept of the end of a command's output.
pub const TAIL_BYTES_MAX: usize = 32 * 1024;

/// Takes down what passes through its writers.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Rc<RefCell<Taken>>);

#[derive(Default)]
struct Taken {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    cut: bool,
}

impl Recorder {
    /// A writer that passes everything on and takes it down.
    pub(crate) fn tee(&self, to: Writer) -> Writer {
        Writer::new(Tee { to, taken: Rc::clone(&self.0) })
    }

    /// A command begins: what came before is forgotten.
    pub(crate) fn begin(&self) {
        self.0.replace(Taken::default());
    }

    /// It has ended.
    pub(crate) fn end(&self, sim: &Sim, code: i32) {
        let taken = self.0.take();
        let mut output = String::from_utf8_lossy(&taken.head).into_owned();
        if taken.cut {
            output.push_str("\n...\n");
        }
        output.push_str(&String::from_utf8_lossy(&Vec::from(taken.tail)));
        sim.trace(TraceKind::Command { code, output });
    }
}

struct Tee {
    to: Writer,
    taken: Rc<RefCell<Taken>>,
}

impl WriteEnd for Tee {
    fn poll_write(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<Result<usize, BrokenPipe>> {
        let result = self.to.poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = &result {
            self.taken.borrow_mut().add(&bytes[..*count]);
        }
        result
    }

    fn is_tty(&self) -> bool {
        self.to.is_tty()
    }
}

impl Taken {
    fn add(&mut self, bytes: &[u8]) {
        let (first, rest) = bytes.split_at(bytes.len().min(HEAD_BYTES_MAX - self.head.len()));
        self.head.extend_from_slice(first);
        let room = TAIL_BYTES_MAX.saturating_sub(rest.len());
        if self.tail.len() > room {
            self.cut = true;
            self.tail.drain(..self.tail.len() - room);
        }
        let fits = rest.len().min(TAIL_BYTES_MAX);
        self.cut |= fits < rest.len();
        self.tail.extend(&rest[rest.len() - fits..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_and_the_end_are_kept() {
        let mut taken = Taken::default();
        for number in 0..10_000 {
            taken.add(format!("line {number}\n").as_bytes());
        }
        assert!(taken.head.starts_with(b"line 0\n") && taken.head.len() == HEAD_BYTES_MAX);
        let tail = Vec::from(taken.tail);
        assert!(tail.ends_with(b"line 9999\n") && tail.len() == TAIL_BYTES_MAX && taken.cut);

        let mut taken = Taken::default();
        taken.add(&vec![b'x'; HEAD_BYTES_MAX]);
        taken.add(b"yz");
        assert_eq!((Vec::from(taken.tail), taken.cut), (b"yz".to_vec(), false));
    }
}
