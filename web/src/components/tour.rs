//! The first visit: an offer in the introduction, and a card that goes from part to part when it is taken.

use web_sys::HtmlElement;
use yew::prelude::*;

use crate::state::{Action, Pane, State, View};
use crate::text::{T, fill};

/// A stop of the tour: the part that stands out (as in style.css), where a narrow screen must be for it, and the words.
pub struct Stop {
    /// Name of the part.
    pub part: &'static str,
    /// The pane of narrow screens that shows it.
    pub pane: Pane,
    /// What is said.
    pub words: T,
}

/// The stops in order.
pub const STOPS: [Stop; 4] = [
    Stop { part: "lesson", pane: Pane::Lesson, words: T::TourLesson },
    Stop { part: "map", pane: Pane::Map, words: T::TourMap },
    Stop { part: "dock", pane: Pane::Terminal, words: T::TourDock },
    Stop { part: "clock", pane: Pane::Map, words: T::TourClock },
];

/// What the tour needs.
#[derive(Properties, PartialEq)]
pub struct TourProps {
    /// The page.
    pub state: UseReducerHandle<State>,
}

/// The offer. It goes when it was taken or declined, and does not come again.
#[component]
pub fn TourOffer(props: &TourProps) -> Html {
    let state = &props.state;
    if state.preferences.toured || state.tour.is_some() {
        return html! {};
    }
    html! {
        <p class="tour-offer">
            <span>{ state.t(T::TourOffer) }</span>
            <button type="button" class="yes" onclick={go(state, Some(0))}>{ state.t(T::TourTake) }</button>
            <button type="button" onclick={go(state, None)}>{ state.t(T::TourDecline) }</button>
        </p>
    }
}

fn go(state: &UseReducerHandle<State>, stop: Option<usize>) -> Callback<MouseEvent> {
    let state = state.clone();
    Callback::from(move |_: MouseEvent| state.dispatch(Action::Tour(stop)))
}

/// The card.
#[component]
pub fn TourCard(props: &TourProps) -> Html {
    let state = &props.state;
    let place = use_node_ref();
    {
        let place = place.clone();
        use_effect_with(state.tour, move |tour| {
            if let (Some(_), Some(card)) = (tour, place.cast::<HtmlElement>()) {
                let _ = card.focus();
            }
        });
    }
    let Some(at) = state.tour else { return html! {} };
    let Some(stop) = STOPS.get(at) else { return html! {} };
    let key = {
        let state = state.clone();
        Callback::from(move |event: KeyboardEvent| match event.key().as_str() {
            "Escape" => state.dispatch(Action::Tour(None)),
            "ArrowRight" if at + 1 < STOPS.len() => state.dispatch(Action::Tour(Some(at + 1))),
            "ArrowLeft" if at > 0 => state.dispatch(Action::Tour(Some(at - 1))),
            _ => {}
        })
    };
    let last = at + 1 == STOPS.len();
    html! {
        <div class={classes!("tour", format!("at-{}", stop.part))} role="dialog" aria-label={state.t(T::TourName)} tabindex="-1" ref={place} onkeydown={key}>
            <p aria-live="polite">{ state.t(stop.words) }</p>
            <div>
                <small>{ fill(state.t(T::ChainStep), at + 1, STOPS.len()) }</small>
                <span class="spring" />
                if !last { <button type="button" onclick={go(state, None)}>{ state.t(T::TourSkip) }</button> }
                if at > 0 { <button type="button" onclick={go(state, Some(at - 1))}>{ state.t(T::Previous) }</button> }
                <button type="button" class="yes" onclick={go(state, (!last).then_some(at + 1))}>
                    { state.t(if last { T::TourDone } else { T::Next }) }
                </button>
            </div>
        </div>
    }
}

/// What the state becomes at a stop: the part is in sight.
pub fn show(state: &mut State, stop: Option<usize>) {
    state.tour = stop.filter(|stop| *stop < STOPS.len());
    match state.tour.and_then(|stop| STOPS.get(stop)) {
        Some(stop) => {
            state.pane = stop.pane;
            state.view = View::Terminals;
        }
        None => {
            state.preferences.toured = true;
            state.pane = Pane::Lesson;
        }
    }
}
