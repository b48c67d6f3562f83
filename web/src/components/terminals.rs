//! Terminal tabs with their screens.

use cluster::Input;
use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlElement;
use yew::prelude::*;

use crate::components::phone_keys::PhoneKeys;
use crate::protocol::ToWorker;
use crate::screens::Screens;
use crate::state::{Action, Notice, State, TERMINALS_MAX, Theme, View};
use crate::text::{T, fill};

/// What the terminals need.
#[derive(Properties, PartialEq)]
pub struct TerminalsProps {
    /// The page.
    pub state: UseReducerHandle<State>,
    /// The screens.
    pub screens: Screens,
    /// Sends to the worker.
    pub send: Callback<ToWorker>,
}

/// The tabs of the terminals.
#[component]
pub fn TerminalTabs(props: &TerminalsProps) -> Html {
    let state = &props.state;
    let add = {
        let state = state.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(free) = (1..=TERMINALS_MAX).find(|id| !state.terminals.contains(id)) {
                state.dispatch(Action::ShowTerminal(free));
            }
        })
    };
    let full = state.terminals.len() >= usize::from(TERMINALS_MAX);
    html! {
        <>
            <div class="terminal-tabs" role="tablist" aria-label={state.t(T::Terminal)}>
                { for state.terminals.iter().map(|id| tab(props, *id)) }
            </div>
            <button type="button" class="add" onclick={add} disabled={full} title={state.t(T::NewTerminal)}
                aria-label={state.t(T::NewTerminal)}>{ "＋" }</button>
            { close_button(props) }
        </>
    }
}

fn tab(props: &TerminalsProps, id: u8) -> Html {
    let state = &props.state;
    let on = state.terminal == id && state.view == View::Terminals;
    let show = {
        let (state, screens) = (state.clone(), props.screens.clone());
        Callback::from(move |_: MouseEvent| {
            state.dispatch(Action::ShowTerminal(id));
            screens.focus(id);
        })
    };
    html! {
        <span class={classes!("tab", on.then_some("on"))} role="presentation" key={id.to_string()}>
            <button type="button" role="tab" aria-selected={on.to_string()} onclick={show}>{ fill(state.t(T::TerminalN), id, "") }</button>
        </span>
    }
}

/// Closes the terminal that is seen, unless it is the only one.
fn close_button(props: &TerminalsProps) -> Html {
    let (state, id) = (&props.state, props.state.terminal);
    if state.terminals.len() < 2 || state.view != View::Terminals {
        return html! {};
    }
    let close = {
        let (state, screens, send) = (state.clone(), props.screens.clone(), props.send.clone());
        Callback::from(move |_: MouseEvent| {
            screens.close(id);
            send.emit(ToWorker::Input { input: Input::CloseTerminal { id } });
            state.dispatch(Action::CloseTerminal(id));
        })
    };
    let name = fill(state.t(T::CloseTerminal), id, "");
    html! { <button type="button" class="close" onclick={close} title={name.clone()} aria-label={name}>{ "✕" }</button> }
}

/// The screens, one above the other; those that are not seen keep their size.
#[component]
pub fn Terminals(props: &TerminalsProps) -> Html {
    let state = &props.state;
    let opening = state.open.as_ref().filter(|o| o.live).map(|o| o.opening);
    {
        let (screens, theme) = (props.screens.clone(), state.preferences.theme);
        use_effect_with(theme, move |theme| screens.set_theme(&colours(*theme)));
    }
    {
        let (screens, reader) = (props.screens.clone(), state.preferences.screen_reader);
        use_effect_with(reader, move |reader| screens.set_screen_reader(*reader));
    }
    let seen = state.view == View::Terminals;
    html! {
        <div class={classes!("screens", (!seen).then_some("behind"))}>
            { for state.terminals.iter().map(|id| html! {
                <TerminalScreen key={id.to_string()} id={*id} shown={seen && state.terminal == *id} {opening} state={state.clone()}
                    screens={props.screens.clone()} send={props.send.clone()} />
            }) }
            // It has a key as the screens have: otherwise a new screen would take the place of an old one.
            <PhoneKeys key="keys" terminal={state.terminal} language={state.preferences.language} send={props.send.clone()} />
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct ScreenProps {
    id: u8,
    shown: bool,
    /// The opening of the lesson that is live.
    opening: Option<u32>,
    state: UseReducerHandle<State>,
    screens: Screens,
    send: Callback<ToWorker>,
}

/// One screen. It exists from the moment the session lives until its tab is closed.
#[component]
fn TerminalScreen(props: &ScreenProps) -> Html {
    let place = use_node_ref();
    {
        let place = place.clone();
        let (id, screens, send, state) = (props.id, props.screens.clone(), props.send.clone(), props.state.clone());
        use_effect_with(props.opening, move |opening| {
            if let (Some(_), Some(element)) = (opening, place.cast::<HtmlElement>()) {
                spawn_local(async move { open(id, element, screens, send, state).await });
            }
        });
    }
    {
        let (id, screens) = (props.id, props.screens.clone());
        use_effect_with((), move |()| move || screens.close(id));
    }
    html! { <div class={classes!("screen", (!props.shown).then_some("hidden"))} ref={place} data-terminal={props.id.to_string()} /> }
}

async fn open(
    id: u8,
    element: HtmlElement,
    screens: Screens,
    send: Callback<ToWorker>,
    state: UseReducerHandle<State>,
) {
    let (keys, resized) = (send.clone(), send.clone());
    let opened = screens
        .open(
            id,
            element,
            colours(state.preferences.theme),
            move |text| keys.emit(ToWorker::Input { input: Input::Keys { id, text } }),
            move |cols, rows| resized.emit(ToWorker::Input { input: Input::Resize { id, cols, rows } }),
        )
        .await;
    match opened {
        Ok((cols, rows)) => {
            // One that runs already only learns its size.
            match screens.command_waiting(id) {
                Some(command) => send.emit(ToWorker::Run { terminal: id, command, size: Some((cols, rows)) }),
                None => send.emit(ToWorker::Input { input: Input::OpenTerminal { id, cols, rows } }),
            }
            state.dispatch(Action::Started(id));
            if state.terminal == id && state.view == View::Terminals {
                screens.focus(id);
            }
        }
        Err(error) => {
            let detail = crate::site::error_words(&error);
            state.dispatch(Action::Notice(Notice { text: T::Problem, detail }));
        }
    }
}

/// Colours tuned to each theme; all text colours have a contrast of at least 4.5:1 on the background.
fn colours(theme: Theme) -> JsValue {
    let table: [(&str, &str); 20] = match theme {
        Theme::Light => [
            ("background", "#20262a"),
            ("foreground", "#e6e9e4"),
            ("cursor", "#8fd6a9"),
            ("selectionBackground", "#41525a"),
            ("black", "#3a4247"),
            ("red", "#f0907b"),
            ("green", "#8fd6a9"),
            ("yellow", "#e8c36c"),
            ("blue", "#8dbbee"),
            ("magenta", "#cbaadd"),
            ("cyan", "#86cfd0"),
            ("white", "#e6e9e4"),
            ("brightBlack", "#99a5a8"),
            ("brightRed", "#f7a893"),
            ("brightGreen", "#a9e3bf"),
            ("brightYellow", "#f2d48d"),
            ("brightBlue", "#a9cdf5"),
            ("brightMagenta", "#dabfe8"),
            ("brightCyan", "#a4dfdf"),
            ("brightWhite", "#ffffff"),
        ],
        Theme::Dark => [
            ("background", "#0d1012"),
            ("foreground", "#dfe4df"),
            ("cursor", "#77c596"),
            ("selectionBackground", "#2d3a40"),
            ("black", "#2a3137"),
            ("red", "#f08770"),
            ("green", "#77c596"),
            ("yellow", "#e2b152"),
            ("blue", "#7fb3ea"),
            ("magenta", "#c3a0d6"),
            ("cyan", "#74c3c4"),
            ("white", "#dfe4df"),
            ("brightBlack", "#8b979c"),
            ("brightRed", "#f59d89"),
            ("brightGreen", "#95d8ae"),
            ("brightYellow", "#ecc579"),
            ("brightBlue", "#9fc7f2"),
            ("brightMagenta", "#d4b8e3"),
            ("brightCyan", "#95d7d7"),
            ("brightWhite", "#ffffff"),
        ],
    };
    let object = Object::new();
    for (name, value) in table {
        // Setting a property of a plain object cannot fail.
        let _ = Reflect::set(&object, &name.into(), &value.into());
    }
    object.into()
}
