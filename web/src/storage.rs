//! Saved sessions, in IndexedDB. Denied or full storage is an answer, never a crash: the session goes on unsaved.

use idb::{Database, DatabaseEvent as _, Factory, ObjectStoreParams, TransactionMode};
use wasm_bindgen::JsValue;

use crate::saved::SavedSession;

const DATABASE: &str = "kubonsai";
const STORE: &str = "sessions";
const DATABASE_VERSION: u32 = 1;

/// The browser's storage.
#[derive(Clone, Default)]
pub struct Storage;

impl Storage {
    /// The saved session of a lesson; none if there is none.
    ///
    /// # Errors
    /// The browser's words when storage is denied.
    pub async fn load(&self, course: &str, lesson: &str) -> Result<Option<SavedSession>, String> {
        let database = open().await?;
        let transaction = database.transaction(&[STORE], TransactionMode::ReadOnly).map_err(words)?;
        let store = transaction.object_store(STORE).map_err(words)?;
        let key = JsValue::from_str(&key(course, lesson));
        let value = store.get(key).map_err(words)?.await.map_err(words)?;
        let text = value.and_then(|value| value.as_string());
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Saves a session over the one that was there.
    ///
    /// # Errors
    /// The browser's words when storage is denied or full.
    pub async fn save(&self, session: &SavedSession) -> Result<(), String> {
        let database = open().await?;
        let transaction = database.transaction(&[STORE], TransactionMode::ReadWrite).map_err(words)?;
        let store = transaction.object_store(STORE).map_err(words)?;
        let text = serde_json::to_string(session).expect("sessions are plain data");
        let key = JsValue::from_str(&key(&session.seed.course, &session.seed.lesson));
        store.put(&JsValue::from_str(&text), Some(&key)).map_err(words)?.await.map_err(words)?;
        transaction.commit().map_err(words)?.await.map_err(words)?;
        Ok(())
    }
}

fn key(course: &str, lesson: &str) -> String {
    format!("{course}/{lesson}")
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands errors over by value")]
fn words(error: idb::Error) -> String {
    error.to_string()
}

async fn open() -> Result<Database, String> {
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
    request.await.map_err(words)
}
