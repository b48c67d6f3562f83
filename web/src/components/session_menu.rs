//! The session: undo, a link to it, a file of it, how its terminals are read, and whether it is saved.

use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, HtmlInputElement, Node};
use yew::prelude::*;

use crate::handover;
use crate::protocol::{Purpose, ToWorker};
use crate::share::LINK_CHARS_MAX;
use crate::state::{Action, Notice, State};
use crate::text::{T, fill};

/// What the menu needs.
#[derive(Properties, PartialEq)]
pub struct SessionMenuProps {
    /// The page.
    pub state: UseReducerHandle<State>,
    /// Sends to the worker.
    pub send: Callback<ToWorker>,
}

/// A button with its list; Escape and a click elsewhere close it.
#[component]
pub fn SessionMenu(props: &SessionMenuProps) -> Html {
    let SessionMenuProps { state, send } = props;
    let open = use_state(|| false);
    let (place, button, chooser) = (use_node_ref(), use_node_ref(), use_node_ref());
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    let key = {
        let (open, button) = (open.clone(), button.clone());
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" && *open {
                open.set(false);
                focus(&button);
            }
        })
    };
    let left = {
        let (open, place) = (open.clone(), place.clone());
        Callback::from(move |event: FocusEvent| {
            let to = event.related_target().and_then(|to| to.dyn_into::<Node>().ok());
            if !place.cast::<Node>().is_some_and(|place| place.contains(to.as_ref())) {
                open.set(false);
            }
        })
    };
    let choose = {
        let chooser = chooser.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(chooser) = chooser.cast::<HtmlElement>() {
                chooser.click();
            }
        })
    };
    let live = state.open.as_ref().is_some_and(|open| open.live);
    let item = |text: T, message: ToWorker| {
        let (send, open, button) = (send.clone(), open.clone(), button.clone());
        let click = Callback::from(move |_: MouseEvent| {
            send.emit(message.clone());
            open.set(false);
            focus(&button);
        });
        html! { <button type="button" onclick={click} disabled={!live}>{ state.t(text) }</button> }
    };
    let reader = state.preferences.screen_reader;
    let read = {
        let state = state.clone();
        Callback::from(move |_: MouseEvent| state.dispatch(Action::ScreenReader(!reader)))
    };
    html! {
        <div class="session-menu" ref={place} onkeydown={key} onfocusout={left}>
            <button type="button" class="icon" ref={button.clone()} onclick={toggle} aria-expanded={open.to_string()}
                title={state.t(T::Session)} aria-label={state.t(T::Session)}>{ "⋯" }</button>
            if *open {
                <div class="menu" tabindex="-1">
                    { item(T::Undo, ToWorker::Undo) }
                    { item(T::ShareLink, ToWorker::Export { purpose: Purpose::Link }) }
                    { item(T::ExportFile, ToWorker::Export { purpose: Purpose::File }) }
                    <button type="button" onclick={choose}>{ state.t(T::ImportFile) }</button>
                    <button type="button" onclick={read} aria-pressed={reader.to_string()}>
                        <span aria-hidden="true">{ if reader { "✓ " } else { "" } }</span>{ state.t(T::ScreenReader) }
                    </button>
                    if live { <p class="muted">{ state.t(saved_text(state)) }</p> }
                </div>
            }
            <input type="file" hidden=true accept=".json" ref={chooser.clone()} onchange={chosen(props, &open, chooser)}
                aria-label={state.t(T::ImportFile)} />
        </div>
    }
}

fn saved_text(state: &State) -> T {
    match (state.copy, state.unsaved) {
        (true, _) => T::CopyUnsaved,
        (_, true) => T::NotSaved,
        _ => T::SavedAsYouGo,
    }
}

fn focus(place: &NodeRef) {
    if let Some(element) = place.cast::<HtmlElement>() {
        // An element that has gone needs no focus.
        let _ = element.focus();
    }
}

/// Takes in the file that was chosen.
fn chosen(props: &SessionMenuProps, open: &UseStateHandle<bool>, chooser: NodeRef) -> Callback<Event> {
    let (state, send, open) = (props.state.clone(), props.send.clone(), open.clone());
    Callback::from(move |_: Event| {
        open.set(false);
        let Some(input) = chooser.cast::<HtmlInputElement>() else { return };
        let file = input.files().and_then(|files| files.get(0));
        // The same file may be chosen again.
        input.set_value("");
        let Some(file) = file else { return };
        let (state, send) = (state.clone(), send.clone());
        spawn_local(async move {
            match handover::import(file).await {
                Ok(session) => send.emit(ToWorker::Hand { session: Box::new(session) }),
                Err(detail) => state.dispatch(Action::Notice(Notice { text: T::SessionUnreadable, detail })),
            }
        });
    })
}

/// What a banner needs.
#[derive(Properties, PartialEq)]
pub struct BannerProps {
    /// What it says.
    pub text: AttrValue,
    /// What its button does.
    pub label: AttrValue,
    /// Called for that.
    pub act: Callback<()>,
}

/// Something that stays true until it is acted on: a line below the bar with a button.
#[component]
pub fn Banner(props: &BannerProps) -> Html {
    let act = {
        let act = props.act.clone();
        Callback::from(move |_: MouseEvent| act.emit(()))
    };
    html! {
        <div class="banner" role="status">
            <span>{ &props.text }</span>
            <button type="button" onclick={act}>{ &props.label }</button>
        </div>
    }
}

/// What the link's window needs.
#[derive(Properties, PartialEq)]
pub struct ShareDialogProps {
    /// The page.
    pub state: UseReducerHandle<State>,
    /// The link.
    pub link: AttrValue,
    /// Copies text.
    pub copy: Callback<String>,
}

/// The link to the session, to be copied.
#[component]
pub fn ShareDialog(props: &ShareDialogProps) -> Html {
    let ShareDialogProps { state, link, copy } = props;
    let copied = use_state(|| false);
    let field = use_node_ref();
    {
        let field = field.clone();
        use_effect_with((), move |()| {
            focus(&field);
            if let Some(field) = field.cast::<HtmlInputElement>() {
                field.select();
            }
        });
    }
    let close = {
        let state = state.clone();
        move || state.dispatch(Action::Shared(None))
    };
    let key = {
        let close = close.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                close();
            }
        })
    };
    let copy = {
        let (copy, link, copied) = (copy.clone(), link.clone(), copied.clone());
        Callback::from(move |_: MouseEvent| {
            copy.emit(link.to_string());
            copied.set(true);
        })
    };
    let close = Callback::from(move |_: MouseEvent| close());
    let fits = link.len() <= LINK_CHARS_MAX;
    let size = fill(state.t(T::LinkSize), link.len().div_ceil(1024), LINK_CHARS_MAX / 1024);
    html! {
        <section class="share" role="dialog" aria-label={state.t(T::ShareLink)} onkeydown={key} tabindex="-1">
            <div class="bar">
                <h2>{ state.t(T::ShareLink) }</h2>
                <button type="button" class="icon" onclick={close} aria-label={state.t(T::Close)}>{ "✕" }</button>
            </div>
            if fits {
                <p>{ state.t(T::ShareWords) }</p>
                <div class="row">
                    <input ref={field} type="text" readonly=true value={link.clone()} aria-label={state.t(T::ShareLink)} />
                    <button type="button" onclick={copy}>{ state.t(if *copied { T::Copied } else { T::Copy }) }</button>
                </div>
            } else {
                <p role="alert">{ state.t(T::LinkTooLong) }</p>
            }
            <p class="muted">{ size }</p>
        </section>
    }
}
