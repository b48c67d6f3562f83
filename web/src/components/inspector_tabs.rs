//! The tabs of the inspector.

use cluster::LogPiece;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::components::inspector::reference;
use crate::protocol::{Decision, Inspection, NodeVerdict, PreemptionVerdict, Subject};
use crate::state::State;
use crate::text::{T, fill};

/// Facts, relations and the scheduler's reasons.
pub fn summary(state: &State, object: &Inspection, inspect: &Callback<Subject>) -> Html {
    let owned = match object.subject.kind.as_str() {
        "Node" => T::RunsHere,
        "Service" => T::LeadsTo,
        _ => T::Owns,
    };
    html! {
        <div class="summary">
            <dl class="facts" lang="en">
                { for object.facts.iter().map(|(label, value)| html! {
                    <><dt>{ label.clone() }</dt><dd>{ for value.lines().map(|line| html! { <div>{ line.to_owned() }</div> }) }</dd></>
                }) }
            </dl>
            <div class="relations">
                { relation(state, T::OwnedBy, &object.owners, inspect) }
                { relation(state, owned, &object.owned, inspect) }
                if let Some(decision) = &object.decision { { why(state, decision) } }
            </div>
        </div>
    }
}

fn relation(state: &State, title: T, list: &[Subject], inspect: &Callback<Subject>) -> Html {
    if list.is_empty() {
        return html! {};
    }
    html! {
        <>
            <h3>{ state.t(title) }</h3>
            <ul class="objects">{ for list.iter().map(|subject| html! { <li>{ reference(subject, inspect) }</li> }) }</ul>
        </>
    }
}

/// What the scheduler said about each node.
fn why(state: &State, decision: &Decision) -> Html {
    let title = if decision.node.is_some() { T::WhyThisNode } else { T::WhyPending };
    html! {
        <div class={classes!("why-node", decision.node.is_none().then_some("pending"))}>
            <h3>{ state.t(title) }</h3>
            if let Some(message) = &decision.message { <p class="message" lang="en">{ message.clone() }</p> }
            <ul>{ for decision.nodes.iter().map(|node| verdict(state, decision, node)) }</ul>
            if decision.nodes_left_out > 0 { <p class="muted">{ fill(state.t(T::MoreNodes), decision.nodes_left_out, "") }</p> }
        </div>
    }
}

fn verdict(state: &State, decision: &Decision, node: &NodeVerdict) -> Html {
    let chosen = decision.node.as_deref() == Some(node.name.as_str());
    let refusal = node.filters.iter().find(|filter| !filter.passed);
    let scores: Vec<String> = node
        .scores
        .iter()
        .filter(|score| score.score > 0)
        .map(|score| format!("{} {}×{}", score.plugin, score.score, score.weight))
        .collect();
    let (class, word) = match refusal {
        Some(filter) => ("refused", fill(state.t(T::RefusedBy), &filter.plugin, "")),
        None if chosen => ("chosen", state.t(T::NodeChosen).to_owned()),
        None => ("fits", state.t(T::NodeFits).to_owned()),
    };
    html! {
        <li class={class}>
            <b lang="en">{ node.name.clone() }</b>{ " " }<span>{ word }</span>
            if let Some(total) = node.total.filter(|_| refusal.is_none()) { { " " }<span class="muted">{ fill(state.t(T::Points), total, "") }</span> }
            if let Some(filter) = refusal { <small lang="en">{ filter.reasons.join("; ") }</small> }
            if !scores.is_empty() { <small lang="en">{ scores.join(" + ") }</small> }
            if let Some(preemption) = &node.preemption { { room(state, decision.nominated.as_ref() == Some(&node.name), preemption) } }
        </li>
    }
}

/// Who makes room on a node, or could.
fn room(state: &State, is_nominated: bool, preemption: &PreemptionVerdict) -> Html {
    let word = if is_nominated { T::MakesRoom } else { T::CouldMakeRoom };
    html! {
        <small>
            { fill(state.t(word), preemption.victims.join(", "), "") }
            if preemption.violations > 0 { { " " }{ fill(state.t(T::AgainstBudget), preemption.violations, "") } }
        </small>
    }
}

/// The object's events, newest last.
pub fn events(state: &State, object: &Inspection) -> Html {
    if object.events.is_empty() {
        return html! { <p class="muted">{ state.t(T::NoEvents) }</p> };
    }
    html! {
        <ul class="events" lang="en">
            { for object.events.iter().map(|event| html! {
                <li class={event.level.to_lowercase()}>
                    <span class="age">{ event.age.clone() }{ if event.count > 1 { format!(" (x{})", event.count) } else { String::new() } }</span>
                    <b>{ event.reason.clone() }</b>
                    <span>{ event.message.clone() }{ " " }<small>{ event.from.clone() }</small></span>
                </li>
            }) }
        </ul>
    }
}

/// The object as YAML.
pub fn yaml(object: &Inspection) -> Html {
    html! { <pre class="yaml" lang="en" tabindex="0">{ for object.yaml.lines().map(yaml_line) }</pre> }
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

/// What the pod's program wrote.
pub fn log(state: &State, object: &Inspection, piece: &LogPiece, container: &UseStateHandle<Option<String>>) -> Html {
    let choose = {
        let container = container.setter();
        Callback::from(move |event: Event| {
            container.set(event.target_dyn_into::<HtmlSelectElement>().map(|select| select.value()));
        })
    };
    html! {
        <>
            if object.containers.len() > 1 {
                <label class="containers">
                    { state.t(T::Container) }{ " " }
                    <select onchange={choose}>
                        { for object.containers.iter().map(|name| html! { <option value={name.clone()}>{ name.clone() }</option> }) }
                    </select>
                </label>
            }
            <pre class="log" lang="en" tabindex="0">{ piece.text.clone() }</pre>
            if piece.ended {
                <p class="muted">{ state.t(T::LogEnded) }</p>
            } else if piece.text.is_empty() {
                <p class="muted">{ state.t(T::LogEmpty) }</p>
            }
        </>
    }
}
