//! One object: its YAML and its events.

use yew::prelude::*;

use crate::protocol::Inspection;
use crate::state::State;
use crate::text::T;

/// What the inspector needs.
#[derive(Properties, PartialEq)]
pub struct InspectorProps {
    /// The page.
    pub state: UseReducerHandle<State>,
    /// Closes it.
    pub close: Callback<()>,
}

/// The inspector.
#[component]
pub fn Inspector(props: &InspectorProps) -> Html {
    let state = &props.state;
    let place = use_node_ref();
    {
        let place = place.clone();
        use_effect_with((), move |()| {
            if let Some(element) = place.cast::<web_sys::HtmlElement>() {
                // Focus moves in, so that Escape and the screen reader find it.
                let _ = element.focus();
            }
        });
    }
    let close = {
        let close = props.close.clone();
        Callback::from(move |_: MouseEvent| close.emit(()))
    };
    let key = {
        let close = props.close.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                close.emit(());
            }
        })
    };
    let title = match &state.inspection {
        Some(Some(inspection)) => format!("{} {}", inspection.kind, inspection.name),
        _ => state.t(T::Inspector).to_owned(),
    };
    html! {
        <section ref={place} class="inspector" role="dialog" aria-label={title.clone()} tabindex="-1" onkeydown={key}>
            <div class="bar">
                <h2>{ title }</h2>
                <button type="button" class="icon" onclick={close} aria-label={state.t(T::Close)}>{ "✕" }</button>
            </div>
            { match &state.inspection {
                Some(Some(inspection)) => content(state, inspection),
                _ => html! { <p class="muted">{ state.t(T::Gone) }</p> },
            } }
        </section>
    }
}

fn content(state: &State, inspection: &Inspection) -> Html {
    html! {
        <div class="content">
            <h3>{ state.t(T::Events) }</h3>
            if inspection.events.is_empty() {
                <p class="muted">{ state.t(T::NoEvents) }</p>
            } else {
                <ul class="events" lang="en">
                    { for inspection.events.iter().map(|event| html! {
                        <li class={event.level.to_lowercase()}>
                            <span class="age">{ event.age.clone() }{ if event.count > 1 { format!(" (x{})", event.count) } else { String::new() } }</span>
                            <b>{ event.reason.clone() }</b>
                            <span>{ event.message.clone() }</span>
                            <small>{ event.from.clone() }</small>
                        </li>
                    }) }
                </ul>
            }
            <h3>{ "YAML" }</h3>
            <pre class="yaml" lang="en" tabindex="0">{ for inspection.yaml.lines().map(yaml_line) }</pre>
        </div>
    }
}

/// A line with its key set apart.
fn yaml_line(line: &str) -> Html {
    let body = line.trim_start_matches([' ', '-']);
    let indent = &line[..line.len() - body.len()];
    match body.split_once(':') {
        Some((key, rest)) if !key.contains([' ', '"', '\'']) && (rest.is_empty() || rest.starts_with(' ')) => html! {
            <>{ indent }<span class="key">{ key }</span>{ ":" }<span class="value">{ rest }</span>{ "\n" }</>
        },
        _ => html! { <>{ line }{ "\n" }</> },
    }
}
