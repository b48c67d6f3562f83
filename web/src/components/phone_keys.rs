//! Keys that a phone's keyboard lacks, in a row above it; only where fingers point.

use cluster::Input;
use yew::prelude::*;

use crate::protocol::ToWorker;
use crate::text::{Language, T};

/// A key: what stands on it, what a terminal sends for it, and its name for a screen reader.
const KEYS: [(&str, &str, &str); 9] = [
    ("Tab", "\t", "Tab"),
    ("^C", "\u{3}", "Control C"),
    ("^D", "\u{4}", "Control D"),
    ("Esc", "\u{1b}", "Escape"),
    ("↑", "\u{1b}[A", "Up"),
    ("↓", "\u{1b}[B", "Down"),
    ("-", "-", "-"),
    ("/", "/", "/"),
    ("|", "|", "|"),
];

/// What the keys need.
#[derive(Properties, PartialEq)]
pub struct PhoneKeysProps {
    /// The terminal that they type into.
    pub terminal: u8,
    /// Language.
    pub language: Language,
    /// Sends to the worker.
    pub send: Callback<ToWorker>,
}

/// The row.
#[component]
pub fn PhoneKeys(props: &PhoneKeysProps) -> Html {
    // Who presses them keeps the keyboard open.
    let keep = Callback::from(|event: PointerEvent| event.prevent_default());
    html! {
        <div class="phone-keys" role="group" aria-label={T::PhoneKeys.get(props.language)} lang="en" onpointerdown={keep}>
            { for KEYS.iter().map(|(face, text, name)| {
                let (send, id) = (props.send.clone(), props.terminal);
                let press = Callback::from(move |_: MouseEvent| {
                    send.emit(ToWorker::Input { input: Input::Keys { id, text: (*text).to_owned() } });
                });
                html! { <button type="button" onclick={press} aria-label={*name}>{ *face }</button> }
            }) }
        </div>
    }
}
