//! The catalogue.

use yew::prelude::*;

use crate::components::icons::Mark;
use crate::protocol::{CourseCard, LessonCard};
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

fn course_card(state: &State, course: &CourseCard, language: Language) -> Html {
    html! {
        <section class="course">
            <h2>{ course.title.get(language.code()).to_owned() }</h2>
            <p>{ course.summary.get(language.code()).to_owned() }</p>
            <ol>{ for course.lessons.iter().map(|lesson| lesson_card(state, course, lesson, language)) }</ol>
        </section>
    }
}

fn lesson_card(state: &State, course: &CourseCard, lesson: &LessonCard, language: Language) -> Html {
    let route = Route::Lesson { course: course.id.clone(), lesson: lesson.id.clone() };
    let reached = state.preferences.reached.get(&format!("{}/{}", course.id, lesson.id));
    let done = lesson.checks.iter().filter(|id| reached.is_some_and(|r| r.contains(*id))).count();
    let total = lesson.checks.len();
    let word = match done {
        0 => T::Start,
        n if n == total => T::Again,
        _ => T::Continue,
    };
    html! {
        <li>
            <a class="lesson-card" href={route.hash()} data-lesson={lesson.id.clone()}>
                <Mark reached={done == total && total > 0} />
                <span class="words">
                    <b>{ lesson.title.get(language.code()).to_owned() }</b>
                    <span>{ lesson.summary.get(language.code()).to_owned() }</span>
                    <small>{ fill(T::AboutMinutes.get(language), lesson.minutes, "") }{ " · " }{ fill(T::Checks.get(language), done, total) }</small>
                </span>
                <span class="go">{ word.get(language) }</span>
            </a>
        </li>
    }
}
