//! The line editor of the prompt: keys in, what to draw out, and the finished line. After readline's emacs mode.
//!
//! It never waits: who owns the terminal feeds it keys and does what its [`Action`]s say.

mod buffer;
pub(crate) mod complete;
mod history;
mod keys;
pub(crate) mod paste;
mod render;

pub use buffer::{Buffer, LINE_CHARS_MAX};
pub use history::{HISTORY_LINES_MAX, History};
pub use keys::{Key, next as next_key};
pub use render::{Screen, Spot};

/// What a key led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Draw again.
    Draw,
    /// Nothing to see.
    Nothing,
    /// The bell.
    Bell,
    /// The line is finished.
    Accept,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D on an empty line.
    End,
    /// Tab; true when it was pressed twice.
    Complete(bool),
    /// Ctrl-L.
    Clear,
}

/// Ctrl-R.
#[derive(Clone, Debug, Default)]
struct Search {
    pattern: String,
    /// Index of the line that is shown.
    at: Option<usize>,
    failed: bool,
    /// The text before the search began.
    saved: String,
}

/// One line being edited.
#[derive(Clone, Debug, Default)]
pub struct Editor {
    /// The text and the cursor.
    pub buffer: Buffer,
    /// Index into the history; none for the new line.
    place: Option<usize>,
    /// The new line while an old one is shown.
    fresh: String,
    search: Option<Search>,
    tabbed: bool,
}

impl Editor {
    /// Begins a new line; what was killed can still be yanked.
    pub fn reset(&mut self) {
        self.buffer.set("");
        self.place = None;
        self.fresh.clear();
        self.search = None;
        self.tabbed = false;
    }

    /// The prompt: that of a search while one is on.
    pub fn prompt(&self, prompt: &str) -> String {
        match &self.search {
            Some(s) => format!("({}reverse-i-search)`{}': ", if s.failed { "failed " } else { "" }, s.pattern),
            None => prompt.to_owned(),
        }
    }

    /// What a key does.
    pub fn key(&mut self, key: Key, history: &History) -> Action {
        if self.search.is_some()
            && let Some(action) = self.search_key(&key, history)
        {
            return action;
        }
        let tabbed = std::mem::take(&mut self.tabbed);
        match key {
            Key::Char(c) => {
                let mut utf8 = [0; 4];
                return if self.buffer.insert(c.encode_utf8(&mut utf8)) { Action::Draw } else { Action::Bell };
            }
            Key::Paste(text) => {
                return if self.buffer.insert(&paste::clean(&text)) { Action::Draw } else { Action::Bell };
            }
            Key::Enter | Key::Ctrl('j' | 'm') => {
                self.buffer.end();
                return Action::Accept;
            }
            Key::Tab => {
                self.tabbed = true;
                return Action::Complete(tabbed);
            }
            Key::Ctrl('c') => return Action::Interrupt,
            Key::Ctrl('d') if self.buffer.is_empty() => return Action::End,
            Key::Ctrl('l') => return Action::Clear,
            Key::Ctrl('r') => {
                self.search = Some(Search { saved: self.buffer.text(), ..Search::default() });
            }
            Key::Up | Key::Ctrl('p') => return self.older(history),
            Key::Down | Key::Ctrl('n') => return self.newer(history),
            Key::Ctrl('y') if !self.buffer.yank() => return Action::Bell,
            Key::Ctrl('y') => {}
            Key::Backspace | Key::Ctrl('h') if self.buffer.before().is_empty() => return Action::Bell,
            Key::Unknown => return Action::Nothing,
            other => return self.move_or_cut(&other),
        }
        Action::Draw
    }

    fn move_or_cut(&mut self, key: &Key) -> Action {
        let buffer = &mut self.buffer;
        match key {
            Key::Left | Key::Ctrl('b') => buffer.left(),
            Key::Right | Key::Ctrl('f') => buffer.right(),
            Key::Home | Key::Ctrl('a') => buffer.home(),
            Key::End | Key::Ctrl('e') => buffer.end(),
            Key::WordLeft | Key::Alt('b') => buffer.word_left(),
            Key::WordRight | Key::Alt('f') => buffer.word_right(),
            Key::Backspace | Key::Ctrl('h') => buffer.backspace(),
            Key::Delete | Key::Ctrl('d') => buffer.delete(),
            Key::Ctrl('k') => buffer.kill_to_end(),
            Key::Ctrl('u') => buffer.kill_to_start(),
            Key::Ctrl('w') => buffer.kill_word(),
            Key::Alt('\x08') => buffer.kill_word_left(),
            Key::Alt('d') => buffer.kill_word_right(),
            Key::Ctrl('t') => buffer.transpose(),
            _ => return Action::Nothing,
        }
        Action::Draw
    }

    fn older(&mut self, history: &History) -> Action {
        let lines = history.lines();
        let next = match self.place {
            None if lines.is_empty() => return Action::Bell,
            None => {
                self.fresh = self.buffer.text();
                lines.len() - 1
            }
            Some(0) => return Action::Bell,
            Some(at) => at - 1,
        };
        self.place = Some(next);
        self.buffer.set(&lines[next]);
        Action::Draw
    }

    fn newer(&mut self, history: &History) -> Action {
        let Some(at) = self.place else { return Action::Bell };
        match history.lines().get(at + 1) {
            Some(line) => {
                self.place = Some(at + 1);
                self.buffer.set(line);
            }
            None => {
                self.place = None;
                let fresh = std::mem::take(&mut self.fresh);
                self.buffer.set(&fresh);
            }
        }
        Action::Draw
    }

    /// A key during a search; none if the search ends and the key means what it always means.
    fn search_key(&mut self, key: &Key, history: &History) -> Option<Action> {
        let search = self.search.as_mut()?;
        match key {
            Key::Char(c) => search.pattern.push(*c),
            Key::Backspace => {
                search.pattern.pop();
                search.at = None;
            }
            Key::Ctrl('r') => search.at = search.at.map(|at| at.wrapping_sub(1)),
            Key::Ctrl('g' | 'c') => {
                let saved = search.saved.clone();
                self.search = None;
                self.buffer.set(&saved);
                return Some(if *key == Key::Ctrl('c') { Action::Interrupt } else { Action::Draw });
            }
            _ => {
                self.search = None;
                return None;
            }
        }
        let lines = history.lines();
        let from = search.at.map_or(lines.len(), |at| if at == usize::MAX { 0 } else { at + 1 });
        let found = lines[..from.min(lines.len())].iter().rposition(|l| l.contains(search.pattern.as_str()));
        search.failed = found.is_none() && !search.pattern.is_empty();
        match found.filter(|_| !search.pattern.is_empty()) {
            Some(at) => {
                search.at = Some(at);
                let line = lines[at].clone();
                self.buffer.set(&line);
            }
            None => search.at = search.at.filter(|at| *at < lines.len()),
        }
        Some(if self.search.as_ref().is_some_and(|s| s.failed) { Action::Bell } else { Action::Draw })
    }
}
