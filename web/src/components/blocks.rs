//! Lesson text as DOM nodes. Nothing here makes HTML from strings.

use std::collections::BTreeMap;
use std::rc::Rc;

use lesson::{Block, CalloutKind, CodeBlock, Definition, Inline};
use yew::prelude::*;

use crate::components::checks::CheckLine;
use crate::components::icons::CopyIcon;
use crate::components::quiz::Question;
use crate::components::term::Term;
use crate::protocol::CheckState;
use crate::text::{Language, T, fill};

/// What blocks need from around them.
#[derive(Clone, PartialEq)]
pub struct Around {
    /// Language.
    pub language: Language,
    /// How the checks stand.
    pub checks: Vec<CheckState>,
    /// Types a command into a terminal.
    pub run: Callback<(u8, String)>,
    /// Copies text.
    pub copy: Callback<String>,
    /// Commands can be run.
    pub live: bool,
    /// The words of the glossary that the text marks.
    pub terms: Rc<BTreeMap<String, Definition>>,
    /// Answers given to questions, by their ids.
    pub answers: BTreeMap<String, Vec<usize>>,
    /// Gives an answer to a question.
    pub answer: Callback<(String, Vec<usize>)>,
}

/// Blocks one after another.
pub fn blocks(list: &[Block], around: &Around) -> Html {
    list.iter().map(|b| block(b, around)).collect()
}

fn block(block: &Block, around: &Around) -> Html {
    match block {
        Block::Paragraph { text } => html! { <p>{ inlines(text, around) }</p> },
        Block::Heading { level: 3, text } => html! { <h3>{ inlines(text, around) }</h3> },
        Block::Heading { text, .. } => html! { <h4>{ inlines(text, around) }</h4> },
        Block::Code(code) => html! { <Command code={code.clone()} around={around.clone()} /> },
        Block::Checks { ids } => ids
            .iter()
            .filter_map(|id| around.checks.iter().find(|c| c.id == *id))
            .map(|check| html! { <CheckLine check={check.clone()} language={around.language} /> })
            .collect(),
        Block::List { start: None, items } => {
            html! { <ul>{ for items.iter().map(|item| html! { <li>{ blocks(item, around) }</li> }) }</ul> }
        }
        Block::List { start: Some(start), items } => html! {
            <ol start={start.to_string()}>{ for items.iter().map(|item| html! { <li>{ blocks(item, around) }</li> }) }</ol>
        },
        Block::Callout { kind, blocks: inner } => callout(*kind, inner, around),
        Block::Reveal { title, blocks: inner } => html! {
            <details class="reveal"><summary>{ inlines(title, around) }</summary>{ blocks(inner, around) }</details>
        },
        Block::Quiz(quiz) => html! { <Question key={quiz.id.clone()} quiz={quiz.clone()} around={around.clone()} /> },
        Block::Focus(_) | Block::Clock(_) => Html::default(),
        Block::Rule => html! { <hr /> },
    }
}

fn callout(kind: CalloutKind, inner: &[Block], around: &Around) -> Html {
    let (class, title) = match kind {
        CalloutKind::Quote => return html! { <blockquote>{ blocks(inner, around) }</blockquote> },
        CalloutKind::Tip => ("tip", T::Tip),
        CalloutKind::Warning => ("warning", T::Warning),
        CalloutKind::Why => ("why", T::Why),
        CalloutKind::Important => ("important", T::Important),
    };
    html! {
        <aside class={classes!("callout", class)}>
            <b>{ title.get(around.language) }</b>
            { blocks(inner, around) }
        </aside>
    }
}

/// Inline text.
pub fn inlines(list: &[Inline], around: &Around) -> Html {
    list.iter()
        .enumerate()
        .map(|(index, inline)| match inline {
            Inline::Text { text } => {
                let before = index.checked_sub(1).and_then(|before| last_char(&list[before]));
                html! { { counted(joined(text, before)) } }
            }
            Inline::Code { text } => html! { <code>{ text.clone() }</code> },
            Inline::Emphasis { text } => html! { <em>{ inlines(text, around) }</em> },
            Inline::Strong { text } => html! { <strong>{ inlines(text, around) }</strong> },
            Inline::Link { href, text } => html! {
                <a href={href.clone()} target="_blank" rel="noopener noreferrer">{ inlines(text, around) }</a>
            },
            Inline::Term { id, text } => match around.terms.get(id) {
                Some(definition) => html! {
                    <Term id={id.clone()} definition={definition.clone()}>{ inlines(text, around) }</Term>
                },
                None => inlines(text, around),
            },
            Inline::Break => html! { <br /> },
        })
        .collect()
}

/// A line of the source that begins after a line break: between Japanese letters the break is no space.
fn joined(text: &str, before: Option<char>) -> &str {
    let wide = |c: char| c >= '\u{2e80}';
    match text.strip_prefix('\n') {
        Some(rest) if before.is_some_and(wide) && rest.chars().next().is_some_and(wide) => rest,
        _ => text,
    }
}

/// A number stays on the line of the Japanese word that it counts (4 つ, 30 秒).
fn counted(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let counts = |at: usize| {
        letters[at] == ' '
            && at.checked_sub(1).is_some_and(|before| letters[before].is_ascii_digit())
            && letters.get(at + 1).is_some_and(|after| *after >= '\u{3040}')
    };
    (0..letters.len()).map(|at| if counts(at) { '\u{a0}' } else { letters[at] }).collect()
}

fn last_char(inline: &Inline) -> Option<char> {
    match inline {
        Inline::Text { text } | Inline::Code { text } => text.chars().last(),
        Inline::Emphasis { text } | Inline::Strong { text } | Inline::Link { text, .. } | Inline::Term { text, .. } => {
            last_char(text.last()?)
        }
        Inline::Break => None,
    }
}

#[derive(Properties, PartialEq)]
struct CommandProps {
    code: CodeBlock,
    around: Around,
}

/// A code block with its buttons.
#[component]
fn Command(props: &CommandProps) -> Html {
    let CommandProps { code, around } = props;
    let copied = use_state(|| false);
    let language = around.language;
    let run = {
        let (run, terminal, text) = (around.run.clone(), code.terminal, code.code.clone());
        Callback::from(move |event: MouseEvent| {
            // Who double-clicks means it once.
            if event.detail() < 2 {
                run.emit((terminal, text.clone()));
            }
        })
    };
    let copy = {
        let (copy, text, copied) = (around.copy.clone(), code.code.clone(), copied.clone());
        Callback::from(move |_: MouseEvent| {
            copy.emit(text.clone());
            copied.set(true);
        })
    };
    let copy_label = if *copied { T::Copied } else { T::Copy }.get(language);
    // The code needs the room: the other terminal is a number to the eye and a word to the ear.
    let elsewhere = (code.terminal > 1).then(|| fill(T::RunIn.get(language), code.terminal, ""));
    html! {
        <div class="command" lang="en">
            <pre tabindex="0"><code>{ code.code.clone() }</code></pre>
            if code.copy {
                <button type="button" class={classes!("copy", copied.then_some("copied"))} onclick={copy} lang={language.code()}
                    title={copy_label} aria-label={copy_label}><CopyIcon done={*copied} /></button>
            }
            if code.exec {
                <button type="button" class="run" onclick={run} disabled={!around.live} lang={language.code()}
                    title={elsewhere.clone()} aria-label={elsewhere} data-terminal={code.terminal.to_string()}>
                    <span aria-hidden="true">{ "▶ " }</span>{ T::Run.get(language) }
                    if code.terminal > 1 { <small>{ code.terminal }</small> }
                </button>
            }
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stays_with_what_it_counts() {
        assert_eq!(counted("Pod が 4 つ、30 秒で v2 が 2 of 3"), "Pod が 4\u{a0}つ、30\u{a0}秒で v2\u{a0}が 2 of 3");
        assert_eq!(counted("4 "), "4 ");
    }

    #[test]
    fn lines_of_japanese_are_joined_without_a_space() {
        for (text, before, expected) in [
            ("\nノードの", Some('。'), "ノードの"),
            ("\nnode", Some('。'), "\nnode"),
            ("\nノード", Some('d'), "\nノード"),
            ("\nノード", None, "\nノード"),
            ("ノード", Some('。'), "ノード"),
        ] {
            assert_eq!(joined(text, before), expected, "{before:?} {text:?}");
        }
    }
}
