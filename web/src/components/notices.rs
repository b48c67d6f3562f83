//! What the learner has to be told, until it is read.

use yew::prelude::*;

use crate::state::{Action, State};
use crate::text::T;

/// What notices need.
#[derive(Properties, PartialEq)]
pub struct NoticesProps {
    /// The page.
    pub state: UseReducerHandle<State>,
}

/// The notices.
#[component]
pub fn Notices(props: &NoticesProps) -> Html {
    let state = &props.state;
    html! {
        <div class="notices" aria-live="polite">
            { for state.notices.iter().enumerate().map(|(index, notice)| {
                let handle = state.clone();
                let dismiss = Callback::from(move |_: MouseEvent| handle.dispatch(Action::Dismiss(index)));
                html! {
                    <div class="notice">
                        <div>
                            { state.t(notice.text) }
                            if !notice.detail.is_empty() { <pre>{ notice.detail.clone() }</pre> }
                        </div>
                        <button type="button" onclick={dismiss} aria-label={state.t(T::Dismiss)}>{ "✕" }</button>
                    </div>
                }
            }) }
        </div>
    }
}
