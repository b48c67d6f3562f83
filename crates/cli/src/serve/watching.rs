//! The events of a watch, as the server itself follows one: JSON, line by line.

use bytes::Bytes;
use json::Value;
use tokio::sync::mpsc;

/// A watch that was answered.
pub(super) struct Events {
    pieces: mpsc::Receiver<Bytes>,
    /// What has come of the present piece and was not looked at.
    rest: Bytes,
    line: Vec<u8>,
}

impl Events {
    /// The events in what comes piece by piece.
    pub(super) fn of(pieces: mpsc::Receiver<Bytes>) -> Events {
        Events { pieces, rest: Bytes::new(), line: Vec::new() }
    }

    /// The next event; none when the watch has ended.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                self.line.extend_from_slice(&self.rest.split_to(end + 1));
                if let Ok(event) = json::from_slice(&std::mem::take(&mut self.line)) {
                    return Some(event);
                }
            }
            self.line.extend_from_slice(&self.rest);
            self.rest = self.pieces.recv().await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn events_are_lines_however_they_are_cut() {
        let (tx, pieces) = mpsc::channel(8);
        for piece in ["{\"type\":\"ADD", "ED\"}\n{\"type\"", ":\"DELETED\"}\nno event\n", "{\"type\":\"MODIFIED\"}\n{"]
        {
            tx.send(Bytes::from(piece)).await.expect("there is room");
        }
        drop(tx);
        let mut events = Events::of(pieces);
        let mut seen = Vec::new();
        while let Some(event) = events.next().await {
            seen.push(event["type"].as_str().map(str::to_owned));
        }
        assert_eq!(seen, ["ADDED", "DELETED", "MODIFIED"].map(|kind| Some(kind.to_owned())));
    }
}
