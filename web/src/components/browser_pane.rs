//! The browser of the learner's machine: an address, the page that came back, and who answered.
//!
//! A page comes from a pod, so it is content of strangers: it is shown on a stage without any rights, or as plain text.

use cluster::{Answer, Input, NoAnswer, Visit};
use wasm_bindgen::JsValue;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::components::icons::{ReloadIcon, RepeatIcon};
use crate::components::stage::Stage;
use crate::components::strip::{Strip, status, took};
use crate::protocol::ToWorker;
use crate::state::{Action, State};
use crate::text::T;
use crate::visits::{Seen, VISITS_MAX, addresses};

/// Virtual time between two repeated visits, in milliseconds.
const EVERY_MS: u64 = 1_000;

/// What the pane needs.
#[derive(Properties, PartialEq)]
pub struct BrowserPaneProps {
    /// The page.
    pub state: UseReducerHandle<State>,
    /// Sends to the worker.
    pub send: Callback<ToWorker>,
}

/// The pane.
#[component]
pub fn BrowserPane(props: &BrowserPaneProps) -> Html {
    let BrowserPaneProps { state, send } = props;
    let history = state.history.clone();
    let typed = use_state(|| None::<String>);
    let address = (*typed).clone().unwrap_or_else(|| history.url.clone());
    let ask = {
        let (state, send, typed) = (state.clone(), send.clone(), typed.setter());
        Callback::from(move |(url, repeats): (String, bool)| {
            let url = url.trim().to_owned();
            if url.is_empty() {
                return;
            }
            state.dispatch(Action::Ask { url: url.clone(), repeats });
            let every_ms = repeats.then_some(EVERY_MS);
            send.emit(ToWorker::Input { input: Input::Visit { url, every_ms } });
            typed.set(None);
        })
    };
    let stop = {
        let (state, send) = (state.clone(), send.clone());
        Callback::from(move |_: MouseEvent| {
            state.dispatch(Action::StopAsking);
            send.emit(ToWorker::Input { input: Input::StopVisits });
        })
    };
    let go = |repeats: bool| {
        let (ask, address) = (ask.clone(), address.clone());
        Callback::from(move |_: MouseEvent| ask.emit((address.clone(), repeats)))
    };
    let submit = {
        let (ask, address) = (ask.clone(), address.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            ask.emit((address.clone(), false));
        })
    };
    let input = {
        let typed = typed.setter();
        Callback::from(move |event: InputEvent| {
            typed.set(event.target_dyn_into::<HtmlInputElement>().map(|input| input.value()));
        })
    };
    let t = |text: T| state.t(text);
    let nowhere = address.trim().is_empty();
    html! {
        <div class="browser view" role="region" aria-label={t(T::Browser)}>
            <form class="address" onsubmit={submit}>
                <button type="button" class="icon" onclick={go(false)} disabled={nowhere} title={t(T::Reload)} aria-label={t(T::Reload)}>
                    <ReloadIcon />
                </button>
                <input type="text" inputmode="url" autocapitalize="off" autocomplete="off" spellcheck="false" lang="en" aria-label={t(T::Address)}
                    placeholder="http://192.168.49.2:30080" value={address.clone()} oninput={input} list="addresses" />
                <datalist id="addresses">
                    { for addresses(&state.picture).into_iter().map(|a| html! { <option value={a.url}>{ a.name }</option> }) }
                </datalist>
                <button type="submit" class="open" disabled={nowhere}>{ t(T::Open) }</button>
                if history.repeats {
                    <button type="button" class="repeat on" onclick={stop}><span aria-hidden="true">{ "■ " }</span>{ t(T::RepeatStop) }</button>
                } else {
                    <button type="button" class="repeat" onclick={go(true)} disabled={nowhere} title={t(T::RepeatTitle)}>
                        <RepeatIcon />{ t(T::Repeat) }
                    </button>
                }
            </form>
            { match history.last() {
                None => empty(state, &ask),
                Some(seen) => answered(state, seen),
            } }
        </div>
    }
}

/// Before the first visit: where one could go.
fn empty(state: &State, ask: &Callback<(String, bool)>) -> Html {
    let found = addresses(&state.picture);
    let reachable = found.iter().any(|address| address.name.starts_with("Service"));
    html! {
        <div class="lead">
            <p>{ state.t(if state.history.waiting { T::WaitingAnswer } else { T::BrowserLead }) }</p>
            if !reachable { <p class="muted">{ state.t(T::BrowserNothing) }</p> }
            <ul class="places">
                { for found.into_iter().map(|address| {
                    let (ask, url) = (ask.clone(), address.url.clone());
                    let open = Callback::from(move |_: MouseEvent| ask.emit((url.clone(), false)));
                    html! { <li><button type="button" onclick={open}><b>{ address.name }</b><code lang="en">{ address.url }</code></button></li> }
                }) }
            </ul>
        </div>
    }
}

fn answered(state: &UseReducerHandle<State>, seen: &Seen) -> Html {
    let choose = {
        let state = state.clone();
        Callback::from(move |id: u64| state.dispatch(Action::ShowRequest(id)))
    };
    let way = seen.visit.journey.map(|id| {
        let choose = choose.clone();
        let press = Callback::from(move |_: MouseEvent| choose.emit(id));
        html! { <button type="button" class="show-way" onclick={press}>{ state.t(T::RequestShow) }</button> }
    });
    html! {
        <div class="answered">
            <div class="page">{ page(state, &seen.visit) }</div>
            <div class="who" tabindex="0" role="group" aria-label={state.t(T::WhoAnswered)}>
                <Strip history={state.history.clone()} newest={VISITS_MAX} language={state.preferences.language} {choose} />
                <p class={classes!("last", (!seen.is_good()).then_some("failed"))} role="status">
                    <b>{ status(seen) }</b>
                    <span>{ took(state.preferences.language, seen) }</span>
                    { way }
                </p>
                <h3>{ state.t(T::WhoAnswered) }</h3>
                <ul class="tally" lang="en">{ for tally(state, seen) }</ul>
            </div>
        </div>
    }
}

/// Each pod with its share of the answers; the one that answered last stands out.
fn tally<'a>(state: &'a State, last: &'a Seen) -> impl Iterator<Item = Html> + 'a {
    let tally = state.history.tally();
    let most = tally.iter().map(|(_, count)| *count).max().unwrap_or(1);
    tally.into_iter().map(move |(by, count)| {
        let now = by.pod == last.by.pod;
        let name = if by.pod.is_empty() { state.t(T::NobodyAnswered).to_owned() } else { by.short.clone() };
        let width = format!("width:{:.0}%", 100.0 * count as f64 / most as f64);
        let class = classes!(
            now.then_some("now"),
            if by.pod.is_empty() { "nobody".to_owned() } else { format!("colour-{}", by.colour) }
        );
        html! {
            <li {class} title={by.pod.clone()}>
                <span class="name">{ name }</span>
                <span class="image" title={by.image.clone()}>{ by.image.rsplit(':').next().unwrap_or_default().to_owned() }</span>
                <span class="gauge"><i ~style={JsValue::from(width)} /></span>
                <span class="count">{ count }</span>
            </li>
        }
    })
}

fn page(state: &State, visit: &Visit) -> Html {
    match &visit.answer {
        Answer::None { why } => html! { <p class="no-answer" role="alert">{ state.t(reason(*why)) }</p> },
        Answer::Page { content_type, body, cut, .. } => {
            let html_page = content_type.split(';').next().is_some_and(|t| t.trim().eq_ignore_ascii_case("text/html"));
            html! {
                <>
                    if html_page {
                        <Stage title={state.t(T::PageFrame)} page={body.clone()} />
                    } else {
                        <pre lang="en" tabindex="0">{ body.clone() }</pre>
                    }
                    if *cut { <p class="muted">{ state.t(T::PageCut) }</p> }
                </>
            }
        }
    }
}

fn reason(why: NoAnswer) -> T {
    match why {
        NoAnswer::NoAddress => T::NoAddress,
        NoAnswer::NotHttp => T::NotHttp,
        NoAnswer::UnknownHost => T::UnknownHost,
        NoAnswer::Refused => T::Refused,
        NoAnswer::Unreachable => T::Unreachable,
        NoAnswer::TimedOut => T::TimedOut,
        NoAnswer::Closed => T::ClosedEarly,
        NoAnswer::NotAPage => T::NotAPage,
        NoAnswer::TooManyRedirects => T::TooManyRedirects,
    }
}
