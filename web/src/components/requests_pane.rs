//! Requests on the network: those that were made, and the way of the one that is chosen.

use yew::prelude::*;

use crate::requests::{Request, Row, named};
use crate::state::{Action, State};
use crate::text::{T, fill};

/// What the pane needs.
#[derive(Properties, PartialEq)]
pub struct RequestsPaneProps {
    /// The page.
    pub state: UseReducerHandle<State>,
}

/// The pane.
#[component]
pub fn RequestsPane(props: &RequestsPaneProps) -> Html {
    let state = &props.state;
    if state.requests.chosen(None).is_none() {
        return html! {
            <div class="requests view empty" role="region" aria-label={state.t(T::Requests)}>
                <p class="lead">{ state.t(T::RequestsLead) }</p>
            </div>
        };
    }
    let chosen = state.requests.chosen(state.request);
    let is_chosen = |request: &Request| chosen.is_some_and(|chosen| chosen.id == request.id);
    html! {
        <div class="requests view" role="region" aria-label={state.t(T::Requests)}>
            <ul class="made">
                { for state.requests.newest_first().map(|request| made(state, request, is_chosen(request))) }
            </ul>
            { chosen.map_or_else(|| html! { <p class="lead">{ state.t(T::RequestGone) }</p> }, |chosen| way(state, chosen)) }
        </div>
    }
}

/// The way of a request, a line a hop.
fn way(state: &UseReducerHandle<State>, chosen: &Request) -> Html {
    html! {
        <ol class="way" tabindex="0" aria-label={fill(state.t(T::RequestWay), &chosen.goal, "")}>
            { for chosen.rows.iter().map(|row| hop(state, row)) }
        </ol>
    }
}

fn made(state: &UseReducerHandle<State>, request: &Request, on: bool) -> Html {
    let language = state.preferences.language;
    let choose = {
        let (state, id) = (state.clone(), request.id);
        Callback::from(move |_: MouseEvent| state.dispatch(Action::ShowRequest(id)))
    };
    let class = classes!(on.then_some("on"), (!request.is_good()).then_some("failed"));
    html! {
        <li key={request.id.to_string()} {class}>
            <button type="button" onclick={choose} aria-current={on.then_some("true")}>
                <b>{ request.outcome(language) }</b>
                <span>{ named(&request.from, language).to_owned() }{ " → " }{ request.goal.clone() }</span>
                <time>{ milliseconds(request.took_us) }</time>
            </button>
        </li>
    }
}

fn hop(state: &State, row: &Row) -> Html {
    html! {
        <li class={classes!(row.says.is_bad().then_some("failed"))}>
            <small>{ row.says.who(state.preferences.language) }</small>
            <span>{ row.sentence(state.preferences.language) }</span>
            <time>{ "+" }{ milliseconds(row.after_us) }</time>
        </li>
    }
}

/// `0.4 ms`, `12 ms`, `3.0 s`.
fn milliseconds(us: u64) -> String {
    match us {
        0..10_000 => format!("{:.1} ms", us as f64 / 1_000.0),
        10_000..1_000_000 => format!("{} ms", us / 1_000),
        _ => format!("{:.1} s", us as f64 / 1_000_000.0),
    }
}
