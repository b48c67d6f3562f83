//! The catalogue.

use lesson::{CourseOutline, LessonOutline, Page};
use wasm_bindgen::JsValue;
use yew::prelude::*;

use crate::components::icons::Mark;
use crate::state::{Route, State};
use crate::text::{Language, T, fill};

/// What the catalogue needs.
#[derive(Properties, PartialEq)]
pub struct HomeProps {
    /// The page.
    pub state: UseReducerHandle<State>,
}

/// Courses and lessons with progress.
#[component]
pub fn Home(props: &HomeProps) -> Html {
    let state = &props.state;
    let language = state.preferences.language;
    html! {
        <main class="home">
            <section class="hero">
                <h1>{ T::Tagline.get(language) }</h1>
                <p>{ T::Lead.get(language) }</p>
            </section>
            { match &state.courses {
                None => html! { <p class="muted" role="status">{ T::Loaded.get(language) }</p> },
                Some(courses) => courses.iter().map(|course| course_card(state, course, language)).collect::<Html>(),
            } }
            <p class="muted note">{ T::SimulatedNote.get(language) }</p>
        </main>
    }
}

fn course_card(state: &State, course: &CourseOutline, language: Language) -> Html {
    let finished = course.lessons.iter().filter(|lesson| Standing::of(state, course, lesson).is_done()).count();
    let total = course.lessons.len();
    let share = format!("width:{:.0}%", 100.0 * finished as f64 / total.max(1) as f64);
    html! {
        <section class="course">
            <h2>{ course.title.get(language.code()).to_owned() }</h2>
            <p>{ course.summary.get(language.code()).to_owned() }</p>
            <div class="course-progress">
                <span class="gauge" aria-hidden="true"><i ~style={JsValue::from(share)} /></span>
                <small>{ fill(T::CourseProgress.get(language), finished, total) }</small>
            </div>
            <ol>{ for course.lessons.iter().enumerate().map(|(index, lesson)| lesson_card(state, course, index, lesson, language)) }</ol>
            if !course.pages.is_empty() {
                <ul class="pages">{ for course.pages.iter().map(|page| page_link(course, page, language)) }</ul>
            }
        </section>
    }
}

/// How far a lesson is.
struct Standing {
    done: usize,
    total: usize,
}

impl Standing {
    fn of(state: &State, course: &CourseOutline, lesson: &LessonOutline) -> Standing {
        let reached = state.preferences.reached.get(&format!("{}/{}", course.id, lesson.id));
        let done = lesson.checks.iter().filter(|id| reached.is_some_and(|r| r.contains(*id))).count();
        Standing { done, total: lesson.checks.len() }
    }

    fn is_done(&self) -> bool {
        self.total > 0 && self.done == self.total
    }
}

fn lesson_card(
    state: &State,
    course: &CourseOutline,
    index: usize,
    lesson: &LessonOutline,
    language: Language,
) -> Html {
    let route = Route::Lesson { course: course.id.clone(), lesson: lesson.id.clone() };
    let standing = Standing::of(state, course, lesson);
    let word = match standing.done {
        0 => T::Start,
        _ if standing.is_done() => T::Again,
        _ => T::Continue,
    };
    let checks = fill(T::Checks.get(language), standing.done, standing.total);
    html! {
        <li>
            <a class="lesson-card" href={route.hash()} data-lesson={lesson.id.clone()}>
                if standing.is_done() { <Mark reached={true} /> } else { <span class="number">{ index + 1 }</span> }
                <span class="words">
                    <b>{ lesson.title.get(language.code()).to_owned() }</b>
                    <span>{ lesson.summary.get(language.code()).to_owned() }</span>
                    <small>{ fill(T::AboutMinutes.get(language), lesson.minutes, "") }{ " · " }{ checks }</small>
                </span>
                <span class={classes!("go", (standing.done > 0 && !standing.is_done()).then_some("current"))}>{ word.get(language) }</span>
            </a>
        </li>
    }
}

fn page_link(course: &CourseOutline, page: &Page, language: Language) -> Html {
    let route = Route::Page { course: course.id.clone(), page: page.id.clone() };
    html! {
        <li>
            <a class="page-link" href={route.hash()}>
                <b>{ page.title.get(language.code()).to_owned() }</b>
                <span>{ page.summary.get(language.code()).to_owned() }</span>
            </a>
        </li>
    }
}
