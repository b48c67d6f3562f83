//! Requests that only the platform can answer, such as the bytes of an image blob.
//!
//! While one is outstanding, virtual time stands still: how long a real download took cannot be seen from inside.
//! What is fetched is addressed by content or by build, so the answer is a function of the build and not of the day.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use futures_channel::oneshot;

/// Something that the shell is asked to supply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalRequest {
    /// Pass it back with the answer.
    pub id: u64,
    /// What is wanted: a path below the folder of static files, e.g. `images/blobs/sha256/<hex>`.
    pub path: String,
}

/// Why the platform could not supply it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExternalError {
    /// There is no such file.
    NotFound,
    /// The platform failed; may work later.
    Unavailable(String),
}

#[derive(Default)]
pub(crate) struct External {
    next_id: std::cell::Cell<u64>,
    unseen: RefCell<VecDeque<ExternalRequest>>,
    waiting: RefCell<BTreeMap<u64, oneshot::Sender<Result<Bytes, ExternalError>>>>,
}

impl External {
    pub(crate) fn ask(&self, path: String) -> oneshot::Receiver<Result<Bytes, ExternalError>> {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        let (tx, rx) = oneshot::channel();
        self.unseen.borrow_mut().push_back(ExternalRequest { id, path });
        self.waiting.borrow_mut().insert(id, tx);
        rx
    }

    pub(crate) fn take_requests(&self) -> Vec<ExternalRequest> {
        self.unseen.borrow_mut().drain(..).collect()
    }

    pub(crate) fn reply(&self, id: u64, answer: Result<Bytes, ExternalError>) {
        if let Some(tx) = self.waiting.borrow_mut().remove(&id) {
            // The asker may have given up; then nobody is interested.
            let _ = tx.send(answer);
        }
    }

    pub(crate) fn is_waiting(&self) -> bool {
        let mut waiting = self.waiting.borrow_mut();
        waiting.retain(|_, tx| !tx.is_canceled());
        !waiting.is_empty()
    }
}
