//! The bar at the top.

use yew::prelude::*;

use crate::components::clock::ClockControl;
use crate::components::icons::Logo;
use crate::components::session_menu::SessionMenu;
use crate::protocol::ToWorker;
use crate::state::{Action, State, Theme};
use crate::text::{Language, T, fill};

/// What the bar needs.
#[derive(Properties, PartialEq)]
pub struct HeaderProps {
    /// The page.
    pub state: UseReducerHandle<State>,
    /// Sets the pace.
    pub pace: Callback<(bool, f64)>,
    /// Runs the next event.
    pub step: Callback<()>,
    /// Starts the lesson over.
    pub reset: Callback<()>,
    /// Sends to the worker.
    pub send: Callback<ToWorker>,
}

/// Brand, where we are, the clock, language and theme.
#[component]
pub fn Header(props: &HeaderProps) -> Html {
    let state = &props.state;
    let language = state.preferences.language;
    let set_theme = {
        let state = state.clone();
        Callback::from(move |_: MouseEvent| {
            let theme = if state.preferences.theme == Theme::Dark { Theme::Light } else { Theme::Dark };
            state.dispatch(Action::Theme(theme));
        })
    };
    let reset = {
        let reset = props.reset.clone();
        Callback::from(move |_: MouseEvent| reset.emit(()))
    };
    html! {
        <header>
            <a class="logo" href="#/" aria-label={format!("Kubonsai: {}", T::Home.get(language))}><Logo /><span>{ "Kubonsai" }</span></a>
            { crumb(state) }
            <span class="spring" />
            if state.open.is_some() {
                <ClockControl clock={state.clock} runs={state.picture.cluster} {language} pace={props.pace.clone()} step={props.step.clone()} />
                <button type="button" class="icon" onclick={reset} title={T::Reset.get(language)} aria-label={T::Reset.get(language)}>{ "↺" }</button>
            }
            <div class="languages" role="group" aria-label={T::Language.get(language)}>
                { language_button(state, Language::Ja, "日本語") }
                { language_button(state, Language::En, "English") }
            </div>
            <button type="button" class="icon" onclick={set_theme} title={T::Theme.get(language)} aria-label={T::Theme.get(language)}>{ "◐" }</button>
            <SessionMenu state={state.clone()} send={props.send.clone()} />
        </header>
    }
}

fn language_button(state: &UseReducerHandle<State>, language: Language, name: &'static str) -> Html {
    let on = state.preferences.language == language;
    let state = state.clone();
    let choose = Callback::from(move |_: MouseEvent| state.dispatch(Action::Language(language)));
    html! {
        <button type="button" lang={language.code()} class={classes!(on.then_some("on"))} onclick={choose}
            aria-pressed={on.to_string()}>{ name }</button>
    }
}

fn crumb(state: &UseReducerHandle<State>) -> Html {
    let Some(open) = &state.open else { return html! {} };
    let language = state.preferences.language;
    let course = state.courses.iter().flatten().find(|c| c.id == open.course);
    let course = course.map(|c| c.title.get(language.code()).to_owned()).unwrap_or_default();
    let reached = open.checks.iter().filter(|c| c.reached).count();
    let progress = fill(T::Checks.get(language), reached, open.checks.len());
    html! {
        <>
            <span class="crumb">{ course }<span aria-hidden="true">{ " / " }</span>{ open.lesson.title.get(language.code()).to_owned() }</span>
            <span class="dots" role="img" aria-label={progress.clone()} title={progress}>
                { for open.checks.iter().map(|check| html! { <i class={classes!(check.reached.then_some("done"))} /> }) }
            </span>
        </>
    }
}
