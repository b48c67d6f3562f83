//! Saved sessions, in IndexedDB. Denied or full storage is an answer, never a crash: the session goes on unsaved.
//!
//! A session's log only grows, so only what is new of it is written: its full pieces, each a record beside the session's
//! own, lie there already. The session's own record holds the rest of the log.

use std::cell::RefCell;
use std::rc::Rc;

use cluster::LogEntry;
use idb::{Database, DatabaseEvent as _, Factory, KeyRange, ObjectStoreParams, Transaction, TransactionMode};
use wasm_bindgen::JsValue;

use crate::saved::SavedSession;
use crate::session::Seed;

const DATABASE: &str = "kubonsai";
const STORE: &str = "sessions";
const DATABASE_VERSION: u32 = 1;
/// Inputs in a full piece of a log.
const PIECE_ENTRIES: usize = 128;

/// The browser's storage.
#[derive(Clone, Default)]
pub struct Storage(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    /// Opening takes longer than all the rest, so it stays open.
    database: Option<Rc<Database>>,
    kept: Option<Kept>,
}

/// What lies in the store of the session that was saved last.
#[derive(PartialEq)]
struct Kept {
    seed: Seed,
    pieces: usize,
    /// The last input of the last piece: a log that has another one there is not the one that was saved.
    last: Option<LogEntry>,
}

impl Storage {
    /// The saved session of a lesson; none if there is none.
    ///
    /// # Errors
    /// The browser's words when storage is denied.
    pub async fn load(&self, course: &str, lesson: &str) -> Result<Option<SavedSession>, String> {
        let transaction = self.transaction(TransactionMode::ReadOnly).await?;
        let store = transaction.object_store(STORE).map_err(words)?;
        let key = key(course, lesson);
        // Both before one is waited for: a transaction that nothing is asked of ends.
        let session = store.get(JsValue::from_str(&key)).map_err(words)?;
        let pieces = store.get_all(Some(pieces_of(&key)?.into()), None).map_err(words)?;
        let session = session.await.map_err(words)?.and_then(|value| value.as_string());
        let pieces = pieces.await.map_err(words)?;
        Ok(session.and_then(|session| whole(&session, &pieces)))
    }

    /// Saves a session over the one that was there.
    ///
    /// # Errors
    /// The browser's words when storage is denied or full.
    pub async fn save(&self, mut session: SavedSession) -> Result<(), String> {
        let full = session.log.len() / PIECE_ENTRIES;
        let tail = session.log.split_off(full * PIECE_ENTRIES);
        let log = std::mem::replace(&mut session.log, tail);
        let begun =
            self.0.borrow().kept.as_ref().filter(|kept| kept.is_of(&session.seed, &log)).map(|kept| kept.pieces);
        let key = key(&session.seed.course, &session.seed.lesson);
        let text = json::to_string(&session).expect("sessions are plain data");

        let transaction = self.transaction(TransactionMode::ReadWrite).await?;
        let store = transaction.object_store(STORE).map_err(words)?;
        if begun.is_none() {
            store.delete(pieces_of(&key)?).map_err(words)?;
        }
        for (index, piece) in log.chunks(PIECE_ENTRIES).enumerate().skip(begun.unwrap_or_default()) {
            let text = json::to_string(piece).expect("inputs are plain data");
            let key = JsValue::from_str(&format!("{key}#{index:06}"));
            store.put(&JsValue::from_str(&text), Some(&key)).map_err(words)?;
        }
        let written = store.put(&JsValue::from_str(&text), Some(&JsValue::from_str(&key))).map_err(words)?;
        written.await.map_err(words)?;
        transaction.commit().map_err(words)?.await.map_err(words)?;
        self.0.borrow_mut().kept = Some(Kept { seed: session.seed, pieces: full, last: log.last().cloned() });
        Ok(())
    }

    /// Forgets what of a session lies in the store: what is saved next may be another one of the same lesson.
    pub fn forget(&self) {
        self.0.borrow_mut().kept = None;
    }

    async fn transaction(&self, mode: TransactionMode) -> Result<Transaction, String> {
        let open = self.0.borrow().database.clone();
        // One that the browser has closed meanwhile is opened again.
        if let Some(transaction) = open.and_then(|database| database.transaction(&[STORE], mode).ok()) {
            return Ok(transaction);
        }
        let database = Rc::new(open_database().await?);
        let transaction = database.transaction(&[STORE], mode).map_err(words)?;
        self.0.borrow_mut().database = Some(database);
        Ok(transaction)
    }
}

impl Kept {
    /// Whether the full pieces of a log begin with what is kept.
    fn is_of(&self, seed: &Seed, log: &[LogEntry]) -> bool {
        let last = (self.pieces * PIECE_ENTRIES).checked_sub(1);
        self.seed == *seed && last.and_then(|last| log.get(last)) == self.last.as_ref()
    }
}

/// A session with all of its log; none if a part of it cannot be read.
fn whole(session: &str, pieces: &[JsValue]) -> Option<SavedSession> {
    let mut session: SavedSession = json::from_str(session).ok()?;
    let mut log = Vec::new();
    for piece in pieces {
        log.extend(json::from_str::<Vec<LogEntry>>(&piece.as_string()?).ok()?);
    }
    log.append(&mut session.log);
    session.log = log;
    Some(session)
}

fn key(course: &str, lesson: &str) -> String {
    format!("{course}/{lesson}")
}

/// The keys of the pieces of a session's log.
fn pieces_of(key: &str) -> Result<KeyRange, String> {
    let (first, behind) = (JsValue::from_str(&format!("{key}#")), JsValue::from_str(&format!("{key}$")));
    KeyRange::bound(&first, &behind, None, None).map_err(words)
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands errors over by value")]
fn words(error: idb::Error) -> String {
    error.to_string()
}

async fn open_database() -> Result<Database, String> {
    let factory = Factory::new().map_err(words)?;
    let mut request = factory.open(DATABASE, Some(DATABASE_VERSION)).map_err(words)?;
    request.on_upgrade_needed(|event| {
        let made = event.database().and_then(|database| {
            database.create_object_store(STORE, ObjectStoreParams::new())?;
            Ok(())
        });
        if let Err(error) = made {
            web_sys::console::error_1(&JsValue::from_str(&error.to_string()));
        }
    });
    let mut database = request.await.map_err(words)?;
    // A later build that keeps sessions otherwise must not wait for this tab.
    database.on_version_change(|event| {
        if let Ok(database) = event.database() {
            database.close();
        }
    });
    Ok(database)
}
