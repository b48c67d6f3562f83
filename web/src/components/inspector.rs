//! One object: what it is, what happened to it, what it is made of, and what can be tried on it.

use cluster::Input;
use web_sys::HtmlElement;
use yew::prelude::*;

use crate::components::inspector_tabs::{events, log, summary, yaml};
use crate::picture::Picture;
use crate::protocol::{Inspection, Subject, ToWorker};
use crate::state::{Action, State};
use crate::text::T;

/// What the inspector needs.
#[derive(Properties, PartialEq)]
pub struct InspectorProps {
    /// The page.
    pub state: UseReducerHandle<State>,
    /// Sends to the worker.
    pub send: Callback<ToWorker>,
    /// Types a command into a terminal.
    pub run: Callback<(u8, String)>,
    /// Opens the inspector for another object.
    pub inspect: Callback<Subject>,
    /// Closes it.
    pub close: Callback<()>,
}

/// The tabs of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tab {
    #[default]
    Summary,
    Events,
    Yaml,
    Log,
}

/// The inspector.
#[component]
pub fn Inspector(props: &InspectorProps) -> Html {
    let InspectorProps { state, send, run, inspect, close } = props;
    let tab = use_state(Tab::default);
    let container = use_state(|| None::<String>);
    let inspected = state.inspected.clone().unwrap_or_default();
    let place = use_focus(inspected.subject.clone());
    // Another object has other tabs and containers.
    let subject = inspected.subject.clone();
    {
        let container = container.setter();
        use_effect_with(subject.clone(), move |_| container.set(None));
    }
    let pod = subject.as_ref().filter(|s| s.kind == "Pod").map(|s| format!("{}/{}", s.namespace, s.name));
    let shown = if *tab == Tab::Log && pod.is_none() { Tab::Summary } else { *tab };
    use_log(state, send, pod.filter(|_| shown == Tab::Log), (*container).clone());
    let close = {
        let close = close.clone();
        Callback::from(move |_: MouseEvent| close.emit(()))
    };
    let title = match &subject {
        Some(subject) => format!("{} {}", subject.kind, subject.name),
        None => state.t(T::Inspector).to_owned(),
    };
    html! {
        <section ref={place} class="inspector view" aria-label={title.clone()} tabindex="-1">
            <div class="bar">
                <h2>{ title }</h2>
                { actions(state, subject.as_ref(), run) }
                <span class="spring" />
                <button type="button" class="icon" onclick={close} title={state.t(T::Close)} aria-label={state.t(T::Close)}>{ "✕" }</button>
            </div>
            { match (&inspected.subject, &inspected.object) {
                (None, _) => overview(state, inspect),
                (Some(_), None) => html! { <p class="muted lead">{ state.t(T::Gone) }</p> },
                (Some(_), Some(object)) => html! {
                    <>
                        { tabs(state, object, shown, &tab) }
                        <div class="content" tabindex="0" key={format!("{shown:?}")}>
                            { match shown {
                                Tab::Summary => summary(state, object, inspect),
                                Tab::Events => events(state, object),
                                Tab::Yaml => yaml(object),
                                Tab::Log => log(state, object, &inspected.log, &container),
                            } }
                        </div>
                    </>
                },
            } }
        </section>
    }
}

/// Focus moves in with every object, so that Escape and the screen reader find it.
#[hook]
fn use_focus(subject: Option<Subject>) -> NodeRef {
    let place = use_node_ref();
    let element = place.clone();
    use_effect_with(subject, move |_| {
        if let Some(element) = element.cast::<HtmlElement>() {
            let _ = element.focus();
        }
    });
    place
}

/// Looks at a pod's log for as long as that is what is seen.
#[hook]
fn use_log(state: &UseReducerHandle<State>, send: &Callback<ToWorker>, pod: Option<String>, container: Option<String>) {
    let (dispatcher, send) = (state.dispatcher(), send.clone());
    use_effect_with((pod, container), move |(pod, container)| {
        if let Some(pod) = pod {
            dispatcher.dispatch(Action::ForgetLog);
            let container = container.clone().unwrap_or_default();
            send.emit(ToWorker::Input { input: Input::FollowLog { pod: pod.clone(), container } });
        }
        let looked = pod.is_some();
        move || {
            if looked {
                send.emit(ToWorker::Input { input: Input::CloseLog });
            }
        }
    });
}

fn tabs(state: &State, object: &Inspection, shown: Tab, tab: &UseStateHandle<Tab>) -> Html {
    let all = [
        (Tab::Summary, state.t(T::Summary)),
        (Tab::Events, state.t(T::Events)),
        (Tab::Yaml, "YAML"),
        (Tab::Log, state.t(T::Log)),
    ];
    let of_kind = all.into_iter().filter(|(tab, _)| *tab != Tab::Log || object.subject.kind == "Pod");
    html! {
        <div class="inspector-tabs" role="tablist">
            { for of_kind.map(|(each, name)| {
                let on = each == shown;
                let setter = tab.setter();
                let choose = Callback::from(move |_: MouseEvent| setter.set(each));
                html! {
                    <button type="button" role="tab" class={classes!(on.then_some("on"))} aria-selected={on.to_string()} onclick={choose}>
                        { name }
                        if each == Tab::Events && !object.events.is_empty() { <small>{ object.events.len() }</small> }
                    </button>
                }
            }) }
        </div>
    }
}

/// What can be tried on the object: each is a command that is typed into the terminal, for the learner to see.
fn actions(state: &State, subject: Option<&Subject>, run: &Callback<(u8, String)>) -> Html {
    let Some(subject) = subject else { return html! {} };
    let terminal = state.terminal.max(1);
    let live = state.open.as_ref().is_some_and(|open| open.live);
    let list = commands(&state.picture, subject).into_iter().map(|(text, command)| {
        let (run, typed) = (run.clone(), command.clone());
        let press = Callback::from(move |_: MouseEvent| run.emit((terminal, typed.clone())));
        html! {
            <button type="button" class="try" onclick={press} disabled={!live} title={format!("{}: {command}", state.t(T::TryCommand))}>
                <span aria-hidden="true">{ "▶ " }</span>{ state.t(text) }
            </button>
        }
    });
    html! { <div class="actions">{ for list }</div> }
}

/// The commands for a kind of object, as a learner would type them.
pub fn commands(picture: &Picture, subject: &Subject) -> Vec<(T, String)> {
    let Subject { kind, namespace, name, .. } = subject;
    let namespace =
        if ["", "default"].contains(&namespace.as_str()) { String::new() } else { format!(" -n {namespace}") };
    match kind.as_str() {
        "Pod" => vec![(T::DoDeletePod, format!("kubectl delete pod {name}{namespace} --wait=false"))],
        "Node" => match picture.nodes.iter().find(|node| node.name == *name) {
            Some(node) if node.ready => vec![(T::DoStopNode, format!("minikube node stop {name}"))],
            Some(_) => vec![(T::DoStartNode, format!("minikube node start {name}"))],
            None => Vec::new(),
        },
        "Deployment" => {
            let wanted = picture.deployments.iter().find(|d| d.name == *name && d.namespace == subject.namespace);
            let wanted = wanted.map_or(0, |d| d.desired);
            let scale = |replicas: i64| format!("kubectl scale deployment/{name}{namespace} --replicas={replicas}");
            let fewer = (wanted > 0).then(|| (T::DoScaleDown, scale(wanted - 1)));
            [(T::DoScaleUp, scale(wanted + 1))].into_iter().chain(fewer).collect()
        }
        _ => Vec::new(),
    }
}

/// Everything on the map as a list, when no object is chosen.
fn overview(state: &State, inspect: &Callback<Subject>) -> Html {
    let rows = everything(&state.picture);
    html! {
        <div class="content overview">
            <p class="muted">{ state.t(T::InspectorLead) }</p>
            <ul class="objects">
                { for rows.into_iter().map(|(subject, detail)| html! { <li>{ reference(&subject, inspect) }<small>{ detail }</small></li> }) }
            </ul>
        </div>
    }
}

/// Every object of the picture with a word about how it stands.
pub fn everything(picture: &Picture) -> Vec<(Subject, String)> {
    let row = |api_version: &str, kind: &str, namespace: &str, name: &str, detail: String| {
        let (api_version, kind) = (api_version.to_owned(), kind.to_owned());
        (Subject { api_version, kind, namespace: namespace.to_owned(), name: name.to_owned() }, detail)
    };
    let ready = |ready: bool| if ready { "Ready" } else { "NotReady" }.to_owned();
    let nodes = picture.nodes.iter().map(|n| row("v1", "Node", "", &n.name, ready(n.ready)));
    let counted = |kind: &'static str, tiles: &[crate::picture::WorkloadTile]| {
        tiles
            .iter()
            .map(|w| row("apps/v1", kind, &w.namespace, &w.name, format!("{}/{}", w.ready, w.desired)))
            .collect::<Vec<_>>()
    };
    let services = picture.services.iter().map(|s| row("v1", "Service", &s.namespace, &s.name, s.ports.join(",")));
    let pods = picture.pods.iter().map(|p| {
        let detail = if p.reason.is_empty() { format!("{:?}", p.state) } else { p.reason.clone() };
        row("v1", "Pod", &p.namespace, &p.name, detail)
    });
    nodes
        .chain(counted("Deployment", &picture.deployments))
        .chain(counted("ReplicaSet", &picture.replica_sets))
        .chain(services)
        .chain(pods)
        .collect()
}

/// An object's name as a button that opens it.
pub fn reference(subject: &Subject, inspect: &Callback<Subject>) -> Html {
    let (inspect, target) = (inspect.clone(), subject.clone());
    let open = Callback::from(move |_: MouseEvent| inspect.emit(target.clone()));
    html! {
        <button type="button" class="reference" lang="en" onclick={open}><small>{ subject.kind.clone() }</small>{ " " }{ subject.name.clone() }</button>
    }
}
