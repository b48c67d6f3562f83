//! F6 and Shift+F6 go from one part of the page to the next, as in programs of the desktop: lesson, map, dock.

use gloo_events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast as _;
use web_sys::{Document, Element, HtmlElement, KeyboardEvent, window};
use yew::prelude::*;

/// The parts in order, and what takes the focus in each.
const PARTS: [(&str, &str); 3] =
    [(".lesson", "h1"), (".map", ".object"), (".terminals", ".view, .screen:not(.hidden) .xterm-helper-textarea")];

/// Listens for as long as the page lives.
#[hook]
pub fn use_shortcuts() {
    use_effect_with((), |()| {
        // Before the terminal, which would send the key to its program.
        let options = EventListenerOptions { phase: gloo_events::EventListenerPhase::Capture, passive: false };
        let listener = window().map(|window| {
            EventListener::new_with_options(window.unchecked_ref(), "keydown", options, |event| {
                let Some(key) = event.dyn_ref::<KeyboardEvent>() else { return };
                if key.key() == "F6" && go(key.shift_key()) {
                    event.prevent_default();
                    event.stop_propagation();
                }
            })
        });
        move || drop(listener)
    });
}

/// Moves the focus on; false where there are no parts.
fn go(back: bool) -> bool {
    let Some(document) = window().and_then(|window| window.document()) else { return false };
    let here = document
        .active_element()
        .and_then(|element| PARTS.iter().position(|(part, _)| element.closest(part).ok().flatten().is_some()));
    let order = next_parts(here, back);
    order.into_iter().any(|part| enter(&document, part))
}

/// The parts to try, the nearest first.
fn next_parts(here: Option<usize>, back: bool) -> Vec<usize> {
    let count = PARTS.len();
    let step = if back { count - 1 } else { 1 };
    let from = here.unwrap_or(if back { 0 } else { count - 1 });
    (1..=count).map(|n| (from + n * step) % count).collect()
}

fn enter(document: &Document, part: usize) -> bool {
    let (part, inside) = PARTS[part];
    let found = document.query_selector(part).ok().flatten();
    let target = found.and_then(|part: Element| part.query_selector(inside).ok().flatten());
    let Some(target) = target.and_then(|target| target.dyn_into::<web_sys::Element>().ok()) else { return false };
    if !target.has_attribute("tabindex") && target.tag_name() != "TEXTAREA" {
        // Headings and views take the focus only when they are sent it.
        let _ = target.set_attribute("tabindex", "-1");
    }
    target.unchecked_ref::<HtmlElement>().focus().is_ok()
        && document.active_element().is_some_and(|active| active == target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_round_both_ways() {
        for (here, back, expected) in [
            (Some(0), false, [1, 2, 0]),
            (Some(2), false, [0, 1, 2]),
            (Some(0), true, [2, 1, 0]),
            (None, false, [0, 1, 2]),
            (None, true, [2, 1, 0]),
        ] {
            assert_eq!(next_parts(here, back), expected, "{here:?} {back}");
        }
    }
}
