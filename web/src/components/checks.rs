//! A check as the learner sees it.

use yew::prelude::*;

use crate::components::icons::Mark;
use crate::protocol::CheckState;
use crate::text::{Language, T};

/// One check.
#[derive(Properties, PartialEq)]
pub struct CheckLineProps {
    /// How it stands.
    pub check: CheckState,
    /// Language.
    pub language: Language,
}

/// The sentence, its mark, and what is missing.
#[component]
pub fn CheckLine(props: &CheckLineProps) -> Html {
    let CheckLineProps { check, language } = props;
    let (class, word) = if check.reached { ("reached", T::CheckReached) } else { ("missing", T::CheckMissing) };
    let code = language.code();
    html! {
        <div class={classes!("check", class)} role="status" data-check={check.id.clone()} data-reached={check.reached.to_string()}>
            <Mark reached={check.reached} />
            <div>
                <span class="visually-hidden">{ word.get(*language) }{ ": " }</span>
                { check.text.get(code).to_owned() }
                if let Some(hint) = &check.hint {
                    <small>{ hint.get(code).to_owned() }</small>
                }
            </div>
        </div>
    }
}
