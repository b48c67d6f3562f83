//! Lesson text as DOM nodes. Nothing here makes HTML from strings.

use lesson::{Block, CalloutKind, CodeBlock, Inline};
use yew::prelude::*;

use crate::components::checks::CheckLine;
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
}

/// Blocks one after another.
pub fn blocks(list: &[Block], around: &Around) -> Html {
    list.iter().map(|b| block(b, around)).collect()
}

fn block(block: &Block, around: &Around) -> Html {
    match block {
        Block::Paragraph { text } => html! { <p>{ inlines(text) }</p> },
        Block::Heading { level: 3, text } => html! { <h3>{ inlines(text) }</h3> },
        Block::Heading { text, .. } => html! { <h4>{ inlines(text) }</h4> },
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
pub fn inlines(list: &[Inline]) -> Html {
    list.iter()
        .map(|inline| match inline {
            Inline::Text { text } => html! { { text.clone() } },
            Inline::Code { text } => html! { <code>{ text.clone() }</code> },
            Inline::Emphasis { text } => html! { <em>{ inlines(text) }</em> },
            Inline::Strong { text } => html! { <strong>{ inlines(text) }</strong> },
            Inline::Link { href, text } => html! {
                <a href={href.clone()} target="_blank" rel="noopener noreferrer">{ inlines(text) }</a>
            },
            Inline::Break => html! { <br /> },
        })
        .collect()
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
        Callback::from(move |_: MouseEvent| run.emit((terminal, text.clone())))
    };
    let copy = {
        let (copy, text, copied) = (around.copy.clone(), code.code.clone(), copied.clone());
        Callback::from(move |_: MouseEvent| {
            copy.emit(text.clone());
            copied.set(true);
        })
    };
    let run_label = if code.terminal > 1 {
        fill(T::RunIn.get(language), code.terminal, "")
    } else {
        T::Run.get(language).to_owned()
    };
    html! {
        <div class="command" lang="en">
            <pre tabindex="0"><code>{ code.code.clone() }</code></pre>
            if code.copy {
                <button type="button" class="quiet" onclick={copy} lang={language.code()}>
                    { if *copied { T::Copied } else { T::Copy }.get(language) }
                </button>
            }
            if code.exec {
                <button type="button" class="run" onclick={run} disabled={!around.live} lang={language.code()}
                    data-terminal={code.terminal.to_string()}>
                    <span aria-hidden="true">{ "▶ " }</span>{ run_label }
                </button>
            }
        </div>
    }
}
