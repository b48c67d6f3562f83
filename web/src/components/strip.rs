//! The last answers as a row of small squares, coloured as the pods that gave them.

use std::rc::Rc;

use cluster::Answer;
use yew::prelude::*;

use crate::text::{Language, T, fill};
use crate::visits::{History, Seen};

/// What the strip needs.
#[derive(Properties, PartialEq)]
pub struct StripProps {
    /// The visits.
    pub history: Rc<History>,
    /// How many of the newest.
    pub newest: usize,
    /// Language.
    pub language: Language,
    /// What a press on an answer does with the number of its request.
    #[prop_or_default]
    pub choose: Option<Callback<u64>>,
}

/// The strip; nothing before the first answer.
#[component]
pub fn Strip(props: &StripProps) -> Html {
    let StripProps { history, newest, language, choose } = props;
    let count = history.seen().len();
    if count == 0 {
        return html! {};
    }
    let shown = history.seen().skip(count.saturating_sub(*newest));
    html! {
        <span class="strip-answers" role="img" aria-label={fill(T::LastAnswers.get(*language), count.min(*newest), "")}>
            { for shown.map(|seen| square(seen, *language, choose.as_ref())) }
        </span>
    }
}

fn square(seen: &Seen, language: Language, choose: Option<&Callback<u64>>) -> Html {
    let class = match (seen.is_good(), seen.by.pod.is_empty()) {
        (false, _) => "failed".to_owned(),
        (true, true) => "other".to_owned(),
        (true, false) => format!("colour-{}", seen.by.colour),
    };
    let title = format!("{} {} {}", status(seen), seen.by.pod, took(language, seen));
    let press = choose
        .cloned()
        .zip(seen.visit.journey)
        .map(|(choose, journey)| Callback::from(move |_: MouseEvent| choose.emit(journey)));
    html! { <i key={seen.number.to_string()} class={class} {title} onclick={press} /> }
}

/// How long it took. The simulated wire is often faster than a millisecond.
pub fn took(language: Language, seen: &Seen) -> String {
    let milliseconds = match seen.visit.took_ms {
        0 => "<1".to_owned(),
        n => n.to_string(),
    };
    fill(T::TookMs.get(language), milliseconds, "")
}

/// The HTTP status, or a dash where none came.
pub fn status(seen: &Seen) -> String {
    match &seen.visit.answer {
        Answer::Page { status, .. } => status.to_string(),
        Answer::None { .. } => "—".to_owned(),
    }
}
