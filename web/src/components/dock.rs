//! The dock below the map: terminals, the browser, the chain and the inspector, one seen at a time.

use yew::prelude::*;

use crate::components::browser_pane::BrowserPane;
use crate::components::chain_pane::ChainPane;
use crate::components::inspector::Inspector;
use crate::components::requests_pane::RequestsPane;
use crate::components::strip::Strip;
use crate::components::terminals::{TerminalTabs, Terminals};
use crate::protocol::{Subject, ToWorker};
use crate::screens::Screens;
use crate::state::{Action, State, View};
use crate::text::T;

/// Answers shown on the browser's tab.
const TAB_ANSWERS: usize = 12;

/// What the dock needs.
#[derive(Properties, PartialEq)]
pub struct DockProps {
    /// The page.
    pub state: UseReducerHandle<State>,
    /// The terminals' screens.
    pub screens: Screens,
    /// Sends to the worker.
    pub send: Callback<ToWorker>,
    /// Types a command into a terminal.
    pub run: Callback<(u8, String)>,
    /// Opens the inspector for an object.
    pub inspect: Callback<Subject>,
    /// Closes the inspector.
    pub close: Callback<()>,
}

/// Tabs, and the view that is chosen.
#[component]
pub fn Dock(props: &DockProps) -> Html {
    let DockProps { state, screens, send, run, inspect, close } = props;
    let key = {
        let (state, screens, close) = (state.clone(), screens.clone(), close.clone());
        Callback::from(move |event: KeyboardEvent| {
            // A terminal has uses of its own for Escape.
            if event.key() == "Escape" && state.view != View::Terminals {
                if state.view == View::Inspector {
                    close.emit(());
                } else {
                    state.dispatch(Action::View(View::Terminals));
                }
                screens.focus(state.terminal);
            }
        })
    };
    html! {
        <section class="terminals" aria-label={state.t(T::Dock)} onkeydown={key}>
            <div class="tabs">
                <TerminalTabs state={state.clone()} screens={screens.clone()} send={send.clone()} />
                <span class="spring" />
                <div class="views" role="group" aria-label={state.t(T::Dock)}>
                    { view_button(state, View::Browser, T::Browser, html! {
                        <Strip history={state.history.clone()} newest={TAB_ANSWERS} language={state.preferences.language} />
                    }) }
                    { view_button(state, View::Requests, T::Requests, html! {}) }
                    { view_button(state, View::Chain, T::Chain, html! {}) }
                    { inspector_button(state) }
                </div>
            </div>
            <Terminals state={state.clone()} screens={screens.clone()} send={send.clone()} />
            { match state.view {
                View::Terminals => html! {},
                View::Browser => html! { <BrowserPane state={state.clone()} send={send.clone()} /> },
                View::Chain => html! { <ChainPane state={state.clone()} /> },
                View::Requests => html! { <RequestsPane state={state.clone()} /> },
                View::Inspector => html! {
                    <Inspector state={state.clone()} send={send.clone()} run={run.clone()} inspect={inspect.clone()} close={close.clone()} />
                },
            } }
        </section>
    }
}

fn view_button(state: &UseReducerHandle<State>, view: View, text: T, more: Html) -> Html {
    let on = state.view == view;
    let toggle = {
        let state = state.clone();
        Callback::from(move |_: MouseEvent| {
            state.dispatch(Action::View(if on { View::Terminals } else { view }));
        })
    };
    html! {
        <button type="button" class={classes!("view-tab", on.then_some("on"))} aria-pressed={on.to_string()} onclick={toggle}>
            { more }{ state.t(text) }
        </button>
    }
}

/// The inspector's button opens the overview, or comes back to the object that is open.
fn inspector_button(state: &UseReducerHandle<State>) -> Html {
    if state.inspected.is_some() {
        return view_button(state, View::Inspector, T::Inspector, html! {});
    }
    let open = {
        let state = state.clone();
        Callback::from(move |_: MouseEvent| state.dispatch(Action::OpenInspector(None)))
    };
    html! {
        <button type="button" class="view-tab" aria-pressed="false" onclick={open}>{ state.t(T::Inspector) }</button>
    }
}
