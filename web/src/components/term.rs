//! A word of the glossary: pointed at, entered or tapped, it explains itself.

use lesson::Definition;
use wasm_bindgen::JsValue;
use web_sys::Element;
use yew::prelude::*;

/// What a word needs.
#[derive(Properties, PartialEq)]
pub struct TermProps {
    /// Its id in the glossary.
    pub id: String,
    /// What it means.
    pub definition: Definition,
    /// The word as it stands in the sentence.
    pub children: Html,
}

/// Width of the explanation, in pixels; style.css knows it too.
const WIDTH_PX: f64 = 320.0;
/// Room that an explanation may take below its word, in pixels; with less it opens above.
const ROOM_PX: f64 = 150.0;
/// Distance from the edges of the window, in pixels.
const EDGE_PX: f64 = 10.0;

std::thread_local! {
    static COUNT: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// A number that no other word of the page has.
fn next_number() -> u32 {
    COUNT.with(|count| {
        count.set(count.get() + 1);
        count.get()
    })
}

/// The word.
#[component]
pub fn Term(props: &TermProps) -> Html {
    let place = use_node_ref();
    let number = use_memo((), |()| next_number());
    let at = use_state(|| None::<String>);
    let show = {
        let (place, at) = (place.clone(), at.setter());
        Callback::from(move |()| at.set(place.cast::<Element>().map(|word| beside(&word))))
    };
    let hide = {
        let at = at.setter();
        Callback::from(move |()| at.set(None))
    };
    let key = {
        let hide = hide.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                hide.emit(());
            }
        })
    };
    let id = format!("term-{number}");
    html! {
        <span class="term" ref={place} data-term={props.id.clone()} role="button" tabindex="0" aria-describedby={id.clone()}
            onmouseenter={show.reform(|_: MouseEvent| ())} onmouseleave={hide.reform(|_: MouseEvent| ())}
            onfocus={show.reform(|_: FocusEvent| ())} onblur={hide.reform(|_: FocusEvent| ())}
            onclick={show.reform(|_: MouseEvent| ())} onkeydown={key}>
            { props.children.clone() }
            <span class="explanation" role="tooltip" {id} hidden={at.is_none()} ~style={JsValue::from((*at).clone().unwrap_or_default())}>
                <b>{ props.definition.word.clone() }</b>{ props.definition.text.clone() }
            </span>
        </span>
    }
}

/// Where the explanation goes: below its word, or above where there is no room; always within the window.
fn beside(word: &Element) -> String {
    let rect = word.get_bounding_client_rect();
    let window = web_sys::window();
    let inner = |size: Option<Result<wasm_bindgen::JsValue, wasm_bindgen::JsValue>>| {
        size.and_then(Result::ok).and_then(|value| value.as_f64()).unwrap_or(0.0)
    };
    let width = inner(window.as_ref().map(|w| w.inner_width()));
    let height = inner(window.as_ref().map(|w| w.inner_height()));
    let left = rect.left().min(width - WIDTH_PX - EDGE_PX).max(EDGE_PX);
    if height - rect.bottom() < ROOM_PX {
        format!("left:{left:.0}px;bottom:{:.0}px", height - rect.top() + 5.0)
    } else {
        format!("left:{left:.0}px;top:{:.0}px", rect.bottom() + 5.0)
    }
}
