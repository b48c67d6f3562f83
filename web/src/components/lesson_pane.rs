//! The text of the open lesson, step by step.

use std::rc::Rc;

use lesson::Document;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use crate::components::blocks::{Around, blocks};
use crate::components::tour::TourOffer;
use crate::state::{Action, OpenLesson, Route, State};
use crate::text::{Language, T, fill};

/// What the pane needs.
#[derive(Properties, PartialEq)]
pub struct LessonPaneProps {
    /// The page.
    pub state: UseReducerHandle<State>,
    /// Types a command into a terminal.
    pub run: Callback<(u8, String)>,
    /// Copies text.
    pub copy: Callback<String>,
    /// Begins the step again.
    pub again: Callback<()>,
}

/// The pane.
#[component]
pub fn LessonPane(props: &LessonPaneProps) -> Html {
    let state = &props.state;
    let place = use_node_ref();
    let step = state.open.as_ref().map_or(0, |o| o.step);
    {
        let place = place.clone();
        let seen = use_mut_ref(|| None::<u32>);
        use_effect_with(state.open.as_ref().map(|open| (open.opening, open.step)), move |at| {
            let (Some((opening, _)), Some(element)) = (at, place.cast::<Element>()) else { return };
            element.set_scroll_top(0);
            // Who turned the page reads on at its top; who just came is not taken from the terminal.
            let turned = seen.borrow_mut().replace(*opening) == Some(*opening);
            let heading = element.query_selector("h1").ok().flatten().filter(|_| turned);
            if let Some(heading) = heading.and_then(|heading| heading.dyn_into::<HtmlElement>().ok()) {
                let _ = heading.focus();
            }
        });
    }
    let language = state.preferences.language;
    let Some(open) = &state.open else { return html! { <article class="lesson" /> } };
    let Some(document) = open.lesson.text.get(language.code()) else { return html! { <article class="lesson" /> } };
    let around = Around {
        language,
        checks: open.checks.clone(),
        run: props.run.clone(),
        copy: props.copy.clone(),
        live: open.live,
        terms: Rc::new(document.terms.clone()),
        answers: state.preferences.answers.get(&open.key()).cloned().unwrap_or_default(),
        answer: {
            let state = state.clone();
            Callback::from(move |(quiz, chosen)| state.dispatch(Action::Answer { quiz, chosen }))
        },
    };
    html! {
        <article class="lesson" ref={place} lang={language.code()}>
            { heading(open, document, language, &props.again) }
            if step == 0 && open.live { <TourOffer state={state.clone()} /> }
            { match step {
                0 => blocks(&document.intro, &around),
                n => document.steps.get(n - 1).map(|s| blocks(&s.blocks, &around)).unwrap_or_default(),
            } }
            { footer(state, open, document) }
        </article>
    }
}

fn heading(open: &OpenLesson, document: &Document, language: Language, again: &Callback<()>) -> Html {
    let again = {
        let again = again.clone();
        Callback::from(move |_: MouseEvent| again.emit(()))
    };
    let total = document.steps.len();
    let about = fill(T::AboutMinutes.get(language), open.lesson.minutes, "");
    match open.step {
        0 => html! {
            <>
                <h1 tabindex="-1">{ open.lesson.title.get(language.code()).to_owned() }</h1>
                <p class="sub">{ T::Intro.get(language) }{ " · " }{ about }</p>
            </>
        },
        n => html! {
            <>
                <h1 tabindex="-1">{ document.steps.get(n - 1).map(|s| s.title.clone()).unwrap_or_default() }</h1>
                <p class="sub">
                    { fill(T::StepOf.get(language), n, total) }
                    <button type="button" class="again" onclick={again} disabled={!open.live}>{ T::StepAgain.get(language) }</button>
                </p>
            </>
        },
    }
}

fn footer(state: &UseReducerHandle<State>, open: &OpenLesson, document: &Document) -> Html {
    let language = state.preferences.language;
    let go = |step: usize| {
        let state = state.clone();
        Callback::from(move |_: MouseEvent| state.dispatch(Action::Step(step)))
    };
    let total = document.steps.len();
    let next = next_route(state, open);
    html! {
        <nav class="steps">
            if open.step > 0 {
                <button type="button" class="quiet" onclick={go(open.step - 1)}>{ T::Previous.get(language) }</button>
            }
            <span class="spring" />
            if open.step < total {
                <button type="button" class="next" onclick={go(open.step + 1)}>
                    { if open.step == 0 { T::Start } else { T::Next }.get(language) }
                </button>
            } else if let Some((route, title)) = next {
                <a class="next" href={route.hash()}>{ title }</a>
            } else {
                <a class="next" href="#/">{ T::AllLessons.get(language) }</a>
            }
        </nav>
    }
}

/// What comes after the lesson: the next one, or the first page of the course.
fn next_route(state: &State, open: &OpenLesson) -> Option<(Route, String)> {
    let language = state.preferences.language;
    let course = state.courses.iter().flatten().find(|c| c.id == open.course)?;
    let index = course.lessons.iter().position(|l| l.id == open.lesson.id)?;
    if let Some(lesson) = course.lessons.get(index + 1) {
        let route = Route::Lesson { course: course.id.clone(), lesson: lesson.id.clone() };
        return Some((route, T::NextLesson.get(language).to_owned()));
    }
    let page = course.pages.first()?;
    let route = Route::Page { course: course.id.clone(), page: page.id.clone() };
    Some((route, page.title.get(language.code()).to_owned()))
}
