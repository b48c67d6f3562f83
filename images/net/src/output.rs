//! What a connection has still to be sent, so that a client that does not read holds up nobody but itself.

use std::io::{self, ErrorKind, Write};

/// Bytes that a connection keeps for a client that does not read, as the original's limit for listeners
/// (`client-output-buffer-limit pubsub 32mb`). One that leaves more lying is closed: memory belongs to all.
pub const OUTPUT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bytes written at once: the host copies what it is given, also when there is room for little of it.
const WRITE_BYTES: usize = 64 * 1024;

/// Bytes in their order, and how many of them are written.
#[derive(Debug, Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    written: usize,
}

impl Output {
    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes bytes; false if there would be too many.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        if self.bytes.len() - self.written + bytes.len() > OUTPUT_BYTES_MAX {
            return false;
        }
        // Moved seldom, so that a long answer in small pieces is not copied for each of them.
        if self.written > self.bytes.len() / 2 {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
        self.bytes.extend_from_slice(bytes);
        true
    }

    /// Writes as much as there is room for, and waits for none.
    ///
    /// # Errors
    /// The connection is gone.
    pub(crate) fn write_to(&mut self, stream: &mut impl Write) -> io::Result<()> {
        while self.written < self.bytes.len() {
            let end = self.bytes.len().min(self.written + WRITE_BYTES);
            match stream.write(&self.bytes[self.written..end]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.written += count,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        *self = Output::default();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes some bytes and then none.
    struct Narrow {
        room: usize,
        got: Vec<u8>,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.room);
            if count == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.room -= count;
            self.got.extend_from_slice(&bytes[..count]);
            Ok(count)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_has_no_room_waits_in_order() {
        let (mut output, mut stream) = (Output::default(), Narrow { room: 4, got: Vec::new() });
        assert!(output.push(b"abcdef"));
        output.write_to(&mut stream).expect("no error");
        assert!(output.push(b"gh") && !output.is_empty());
        stream.room = 10;
        output.write_to(&mut stream).expect("no error");
        assert!(output.is_empty() && stream.got == b"abcdefgh");
    }

    #[test]
    fn a_client_that_never_reads_reaches_the_limit() {
        let mut output = Output::default();
        assert!(output.push(&vec![0; OUTPUT_BYTES_MAX]) && !output.push(b"x"));
        let mut stream = Narrow { room: 1, got: Vec::new() };
        output.write_to(&mut stream).expect("no error");
        assert!(output.push(b"x") && !output.push(b"x"));
    }
}
