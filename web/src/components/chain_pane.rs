//! The chain of the last command: its stations, and its steps one by one.

use web_sys::Element;
use yew::prelude::*;

use crate::chain::{Chain, Station, Step};
use crate::state::{Action, State};
use crate::text::{Language, T, fill};

/// What the pane needs.
#[derive(Properties, PartialEq)]
pub struct ChainPaneProps {
    /// The page.
    pub state: UseReducerHandle<State>,
}

/// The pane.
#[component]
pub fn ChainPane(props: &ChainPaneProps) -> Html {
    let state = &props.state;
    let chain = &state.chain;
    let language = state.preferences.language;
    let list = use_node_ref();
    let newest = chain.steps.len().saturating_sub(1);
    let at = state.chain_at.unwrap_or(newest);
    {
        let list = list.clone();
        use_effect_with((at, chain.number), move |(at, _)| {
            let step = list.cast::<Element>().and_then(|list| list.children().item(*at as u32));
            if let (Some(list), Some(step)) = (list.cast::<Element>(), step) {
                // Into sight within the list; the page itself must not move.
                let (low, high) = (list.get_bounding_client_rect(), step.get_bounding_client_rect());
                let by = if high.top() < low.top() {
                    high.top() - low.top()
                } else {
                    (high.bottom() - low.bottom()).max(0.0)
                };
                list.set_scroll_top(list.scroll_top() + by as i32);
            }
        });
    }
    let Some(step) = chain.steps.get(at) else {
        return html! {
            <div class="chain view" role="region" aria-label={state.t(T::Chain)}>
                { stations(None, language) }
                <p class="lead">{ state.t(T::ChainLead) }</p>
            </div>
        };
    };
    html! {
        <div class="chain view" role="region" aria-label={state.t(T::Chain)}>
            { stations(Some(step), language) }
            <div class="chain-bar">
                { controls(state, at, newest) }
                <code lang="en">{ "$ " }{ chain.command.clone() }</code>
            </div>
            <ol class="steps-list" ref={list}>
                { for chain.steps.iter().enumerate().map(|(index, step)| line(state, index, step, index == at)) }
            </ol>
            { more(chain, language) }
        </div>
    }
}

fn stations(step: Option<&Step>, language: Language) -> Html {
    html! {
        <ol class="stations" aria-label={T::ChainStations.get(language)}>
            { for Station::ALL.iter().map(|station| {
                let on = step.is_some_and(|step| lights(step, *station));
                html! {
                    <li class={classes!(on.then_some("on"))} aria-current={on.then_some("step")}>{ name(*station, language) }</li>
                }
            }) }
        </ol>
    }
}

/// What is stored passes through the API server; all others act alone.
fn lights(step: &Step, station: Station) -> bool {
    step.station == station || (step.station == Station::Etcd && station == Station::ApiServer)
}

fn name(station: Station, language: Language) -> &'static str {
    match station {
        Station::Command => "kubectl",
        Station::ApiServer => "API server",
        Station::Etcd => "etcd",
        Station::Controllers => T::ChainController.get(language),
        Station::Scheduler => "scheduler",
        Station::Kubelet => "kubelet",
    }
}

fn controls(state: &UseReducerHandle<State>, at: usize, newest: usize) -> Html {
    let go = |to: Option<usize>| {
        let state = state.clone();
        Callback::from(move |_: MouseEvent| state.dispatch(Action::ChainAt(to)))
    };
    html! {
        <div class="chain-controls">
            <button type="button" onclick={go(Some(at.saturating_sub(1)))} disabled={at == 0} title={state.t(T::Previous)} aria-label={state.t(T::Previous)}>{ "◀" }</button>
            <span role="status">{ fill(state.t(T::ChainStep), at + 1, newest + 1) }</span>
            <button type="button" onclick={go(Some(at + 1))} disabled={at >= newest} title={state.t(T::Next)} aria-label={state.t(T::Next)}>{ "▶" }</button>
            <button type="button" onclick={go(None)} disabled={state.chain_at.is_none()}>{ state.t(T::ChainNewest) }</button>
        </div>
    }
}

fn line(state: &UseReducerHandle<State>, index: usize, step: &Step, on: bool) -> Html {
    let choose = {
        let state = state.clone();
        Callback::from(move |_: MouseEvent| state.dispatch(Action::ChainAt(Some(index))))
    };
    html! {
        <li key={step.seq.to_string()} class={classes!(on.then_some("on"))}>
            <button type="button" onclick={choose} aria-current={on.then_some("step")}>
                <time>{ after(step.after_ms) }</time>
                <span>{ step.sentence(state.preferences.language) }</span>
            </button>
        </li>
    }
}

/// `+35 ms`, `+1.2 s`.
fn after(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("+{milliseconds} ms"),
        _ => format!("+{:.1} s", milliseconds as f64 / 1_000.0),
    }
}

fn more(chain: &Chain, language: Language) -> Html {
    if chain.more == 0 {
        return html! {};
    }
    html! { <p class="muted">{ fill(T::ChainMore.get(language), chain.more, "") }</p> }
}
