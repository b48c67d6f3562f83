//! A page of a course without a world of its own, such as the road on.

use std::collections::BTreeMap;
use std::rc::Rc;

use lesson::Page;
use yew::prelude::*;

use crate::components::blocks::{Around, blocks};
use crate::state::State;
use crate::text::T;

/// What a page needs.
#[derive(Properties, PartialEq)]
pub struct PageViewProps {
    /// The page of the site.
    pub state: UseReducerHandle<State>,
    /// Folder of the course.
    pub course: String,
    /// Name of the page.
    pub page: String,
    /// Copies text.
    pub copy: Callback<String>,
}

/// The page.
#[component]
pub fn PageView(props: &PageViewProps) -> Html {
    let state = &props.state;
    let Some(courses) = &state.courses else {
        return html! { <main class="home"><p class="muted" role="status">{ state.t(T::Loaded) }</p></main> };
    };
    let course = courses.iter().find(|course| course.id == props.course);
    match course.and_then(|course| course.pages.iter().find(|page| page.id == props.page)) {
        Some(page) => html! { <main class="home">{ text(state, page, &props.copy) }</main> },
        None => html! {
            <main class="home"><p>{ state.t(T::NotFound) }</p><p><a class="go" href="#/">{ state.t(T::AllLessons) }</a></p></main>
        },
    }
}

fn text(state: &State, page: &Page, copy: &Callback<String>) -> Html {
    let language = state.preferences.language;
    let Some(document) = page.text.get(language.code()) else { return html! {} };
    let around = Around {
        language,
        checks: Vec::new(),
        run: Callback::noop(),
        copy: copy.clone(),
        live: false,
        terms: Rc::new(document.terms.clone()),
        answers: BTreeMap::new(),
        answer: Callback::noop(),
    };
    html! {
        <article class="lesson reading" lang={language.code()}>
            <h1>{ page.title.get(language.code()).to_owned() }</h1>
            { blocks(&document.intro, &around) }
            { for document.steps.iter().map(|step| html! {
                <section><h2>{ step.title.clone() }</h2>{ blocks(&step.blocks, &around) }</section>
            }) }
            <nav class="steps"><span class="spring" /><a class="next" href="#/">{ T::AllLessons.get(language) }</a></nav>
        </article>
    }
}
