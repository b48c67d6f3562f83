//! A question with answers to choose from.

use lesson::Quiz;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::components::blocks::{Around, inlines};
use crate::components::icons::Mark;
use crate::text::T;

/// What a question needs.
#[derive(Properties, PartialEq)]
pub struct QuestionProps {
    /// The question.
    pub quiz: Quiz,
    /// Everything around it.
    pub around: Around,
}

/// Whether exactly the right answers are chosen.
pub fn is_right(quiz: &Quiz, chosen: &[usize]) -> bool {
    quiz.choices.iter().enumerate().all(|(index, choice)| choice.right == chosen.contains(&index))
}

/// The question. Once it is answered it says whether that is right, and why; it may be answered again.
#[component]
pub fn Question(props: &QuestionProps) -> Html {
    let QuestionProps { quiz, around } = props;
    let given = around.answers.get(&quiz.id).cloned();
    let chosen = use_state(|| given.clone().unwrap_or_default());
    let changed = given.as_ref() != Some(&*chosen);
    let t = |text: T| text.get(around.language);
    let check = {
        let (answer, id, chosen) = (around.answer.clone(), quiz.id.clone(), (*chosen).clone());
        Callback::from(move |_: MouseEvent| answer.emit((id.clone(), chosen.clone())))
    };
    let verdict = given.as_ref().filter(|_| !changed).map(|given| is_right(quiz, given));
    html! {
        <fieldset class={classes!("quiz", verdict.map(|right| if right { "right" } else { "wrong" }))} data-quiz={quiz.id.clone()}>
            <legend>{ inlines(&quiz.question, around) }</legend>
            { for quiz.choices.iter().enumerate().map(|(index, choice)| {
                let on = chosen.contains(&index);
                let (setter, before, several) = (chosen.setter(), (*chosen).clone(), quiz.several);
                let choose = Callback::from(move |event: Event| {
                    let on = event.target_dyn_into::<HtmlInputElement>().is_some_and(|input| input.checked());
                    setter.set(choice_after(&before, index, on, several));
                });
                html! {
                    <label class={classes!("choice", on.then_some("on"))}>
                        <input type={if several { "checkbox" } else { "radio" }} name={quiz.id.clone()} checked={on} onchange={choose} />
                        <span>{ inlines(&choice.text, around) }</span>
                        if on && verdict.is_some() {
                            <small class={if choice.right { "right" } else { "wrong" }}>
                                { t(if choice.right { T::AnswerRight } else { T::AnswerWrong }) }
                            </small>
                        }
                    </label>
                }
            }) }
            if verdict != Some(true) {
                <button type="button" class="answer" onclick={check} disabled={chosen.is_empty() || !changed}>{ t(T::CheckAnswer) }</button>
            }
            <div role="status">
                if let Some(right) = verdict {
                    <p class="verdict">
                        <Mark reached={right} />
                        <span>
                            <b>{ t(if right { T::QuizRight } else { T::QuizWrong }) }</b>
                            // It says which answer is right: not to one who is still thinking.
                            if right { { " " }{ inlines(&quiz.explanation, around) } }
                        </span>
                    </p>
                }
            </div>
        </fieldset>
    }
}

/// The choices after one was switched on or off.
fn choice_after(before: &[usize], index: usize, on: bool, several: bool) -> Vec<usize> {
    if !several {
        return vec![index];
    }
    let mut after: Vec<usize> = before.iter().copied().filter(|other| *other != index).collect();
    if on {
        after.push(index);
        after.sort_unstable();
    }
    after
}

#[cfg(test)]
mod tests {
    use lesson::Choice;

    use super::*;

    fn quiz(several: bool, right: &[bool]) -> Quiz {
        let choices = right.iter().map(|right| Choice { text: Vec::new(), right: *right }).collect();
        Quiz { several, choices, ..Quiz::default() }
    }

    #[test]
    fn all_the_right_answers_and_no_other() {
        let several = quiz(true, &[true, false, true]);
        for (chosen, right) in [(&[0, 2][..], true), (&[0], false), (&[0, 1, 2], false), (&[], false)] {
            assert_eq!(is_right(&several, chosen), right, "{chosen:?}");
        }
        assert!(is_right(&quiz(false, &[false, true]), &[1]));
    }

    #[test]
    fn buttons_replace_and_boxes_add() {
        assert_eq!(choice_after(&[0], 1, true, false), [1]);
        assert_eq!(choice_after(&[1], 0, true, true), [0, 1]);
        assert_eq!(choice_after(&[0, 1], 0, false, true), [1]);
    }
}
