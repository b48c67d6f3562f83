//! Preferences in localStorage. A browser that denies it gets defaults, each time.

use web_sys::{Storage, window};

use crate::state::{Preferences, Theme};
use crate::text::Language;

const KEY: &str = "kubonsai.preferences";

fn storage() -> Option<Storage> {
    window()?.local_storage().ok().flatten()
}

/// What was saved, or what the browser suggests.
pub fn load() -> Preferences {
    let saved = storage().and_then(|s| s.get_item(KEY).ok().flatten());
    saved.and_then(|text| json::from_str(&text).ok()).unwrap_or_else(|| Preferences {
        language: window().and_then(|w| w.navigator().language()).map_or(Language::En, |tag| Language::from_tag(&tag)),
        theme: if prefers_dark() { Theme::Dark } else { Theme::Light },
        lesson_percent: 38.0,
        terminal_percent: 38.0,
        reached: Default::default(),
        steps: Default::default(),
        toured: false,
        screen_reader: false,
        answers: Default::default(),
    })
}

fn prefers_dark() -> bool {
    let query = window().and_then(|w| w.match_media("(prefers-color-scheme: dark)").ok().flatten());
    query.is_some_and(|q| q.matches())
}

/// Saves; a browser that refuses is not asked twice for the same thing.
pub fn save(preferences: &Preferences) {
    if let (Some(storage), Ok(text)) = (storage(), json::to_string(preferences)) {
        let _ = storage.set_item(KEY, &text);
    }
}
