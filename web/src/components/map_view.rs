//! The map as SVG.

use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use yew::prelude::*;

use crate::components::dot::Dot;
use crate::map::{
    Anchor, Move, MoveKind, NodeRoom, Part, PodBox, Rect, Scene, ServiceRail, Shape, WorkloadPill, short_image,
    short_name,
};
use crate::picture::PodState;
use crate::protocol::Subject;
use crate::state::{Action, State};
use crate::text::{Language, T, fill};

/// Delay between dots that came together, in milliseconds.
const DOT_STAGGER_MS: usize = 140;

/// Time that a dot takes from one thing to the next, in milliseconds.
const DOT_LEG_MS: usize = 240;

/// Most delays that a dot waits before it starts.
const DOT_ORDER_MAX: usize = 12;

/// Time that a part glows (style.css), in milliseconds.
const GLOW_MS: usize = 900;

/// Time after which what has ended is taken off the map, in milliseconds.
const SETTLE_MS: usize = 200;

/// Letters on a tile above which they are drawn smaller.
const TILE_LETTERS: usize = 8;

/// What the map needs.
#[derive(Properties, PartialEq)]
pub struct MapViewProps {
    /// The page.
    pub state: UseReducerHandle<State>,
    /// Opens the inspector.
    pub inspect: Callback<Subject>,
}

/// The map.
#[component]
pub fn MapView(props: &MapViewProps) -> Html {
    let state = &props.state;
    let language = state.preferences.language;
    let shape = use_shape();
    use_arrivals(state);
    if !state.picture.cluster {
        return html! {
            <div class="map empty" role="status">
                <svg width="72" height="72" viewBox="0 0 24 24" fill="none" aria-hidden="true">
                    <path d="M5 18h14l-1.6 3H6.6z" class="logo-pot" />
                    <path d="M12 18v-4" class="logo-branch" />
                </svg>
                <p>{ T::EmptyMap.get(language) }</p>
            </div>
        };
    }
    let scene = Scene::lay_out(&state.picture, &state.places, shape);
    let focus = state.focus();
    let draw = Draw { scene: &scene, language, inspect: &props.inspect, state, focus: &focus };
    html! {
        <div class={classes!("map", (shape == Shape::Narrow).then_some("narrow"))}>
            // Things of a kind are alone in their group: only then their keys say which is which when one more comes.
            <svg viewBox={format!("0 0 {} {}", shape.width(), scene.height)} preserveAspectRatio="xMidYMin meet" role="group"
                aria-label={T::Map.get(language)}>
                { draw.control_plane() }
                <g>{ for scene.workloads.iter().map(|pill| draw.workload(pill)) }</g>
                <g>{ for scene.services.iter().map(|rail| draw.service(rail)) }</g>
                { draw.waiting() }
                <g>{ for scene.rooms.iter().map(|room| draw.room(room)) }</g>
                <g>{ for scene.pods.iter().map(|pod| draw.pod(pod)) }</g>
                { draw.legend() }
                { draw.way() }
                <g>{ for state.motion.moves.iter().map(|m| draw.dot(m)) }</g>
            </svg>
        </div>
    }
}

/// Takes what has arrived and gone out off the map, all at once and when nothing moves any more: what has ended would
/// be drawn, unseen, with every picture of the page.
#[hook]
fn use_arrivals(state: &UseReducerHandle<State>) {
    let dispatcher = state.dispatcher();
    let longest = state.motion.moves.iter().map(|moving| delay_ms(moving) + duration_ms(moving)).max();
    let rest_ms = longest.unwrap_or_default().max(GLOW_MS) + SETTLE_MS;
    use_effect_with(state.motion.newest(), move |newest| {
        let settle = |seq| Timeout::new(rest_ms as u32, move || dispatcher.dispatch(Action::Arrived(seq)));
        let timer = newest.map(settle);
        move || drop(timer)
    });
}

fn delay_ms(moving: &Move) -> usize {
    DOT_STAGGER_MS * moving.order.min(DOT_ORDER_MAX)
}

fn duration_ms(moving: &Move) -> usize {
    DOT_LEG_MS * moving.path.len().max(2)
}

/// The shape that this screen has room for; style.css draws the line at the same width.
#[hook]
fn use_shape() -> Shape {
    let query =
        use_memo((), |()| web_sys::window().and_then(|window| window.match_media("(max-width: 760px)").ok().flatten()));
    let shape_of = |narrow: bool| if narrow { Shape::Narrow } else { Shape::Wide };
    let shape = use_state(|| shape_of(query.as_ref().as_ref().is_some_and(|query| query.matches())));
    {
        let shape = shape.setter();
        use_effect_with((), move |()| {
            let listener = query.as_ref().clone().map(|query| {
                let seen = query.clone();
                EventListener::new(&query, "change", move |_| shape.set(shape_of(seen.matches())))
            });
            move || drop(listener)
        });
    }
    *shape
}

struct Draw<'a> {
    scene: &'a Scene,
    language: Language,
    inspect: &'a Callback<Subject>,
    state: &'a UseReducerHandle<State>,
    /// What the eye should go to.
    focus: &'a [Anchor],
}

fn subject(api_version: &str, kind: &str, namespace: &str, name: &str) -> Subject {
    Subject {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

fn rect(at: Rect, radius: f64, class: impl Into<Classes>) -> Html {
    html! { <rect x={px(at.x)} y={px(at.y)} width={px(at.w)} height={px(at.h)} rx={px(radius)} class={class.into()} /> }
}

fn label(x: f64, y: f64, class: &'static str, text: impl Into<AttrValue>) -> Html {
    let text: AttrValue = text.into();
    html! { <text x={px(x)} y={px(y)} class={class}>{ text }</text> }
}

/// `text` cut to about `width` units.
fn fit(text: &str, width: f64) -> String {
    let max = ((width / 7.0).floor() as usize).max(4);
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let head: String = text.chars().take(max - 1).collect();
    format!("{head}…")
}

/// About how wide a text is, at so many units a letter.
fn width_of(text: &str, letter: f64) -> f64 {
    text.chars().count() as f64 * letter
}

impl Draw<'_> {
    fn t(&self, text: T) -> &'static str {
        text.get(self.language)
    }

    /// A group that can be clicked or entered to inspect an object.
    fn object(&self, key: String, subject: Subject, name: String, class: impl Into<Classes>, inner: Html) -> Html {
        let click = {
            let (inspect, subject) = (self.inspect.clone(), subject.clone());
            Callback::from(move |_: MouseEvent| inspect.emit(subject.clone()))
        };
        let enter = {
            let (inspect, subject) = (self.inspect.clone(), subject);
            Callback::from(move |event: KeyboardEvent| {
                if event.key() == "Enter" || event.key() == " " {
                    event.prevent_default();
                    inspect.emit(subject.clone());
                }
            })
        };
        let mut classes = classes!("object");
        classes.extend(class.into());
        html! {
            <g key={key} class={classes} role="button" tabindex="0" aria-label={name.clone()} onclick={click} onkeydown={enter}>
                <title>{ name }</title>
                { inner }
            </g>
        }
    }

    /// A frame that flashes once when the part worked, and stays while a step of the chain is about it.
    fn glow(&self, anchor: &Anchor, at: Rect, radius: f64) -> Html {
        let frame = |key: String, class: &'static str| {
            html! { <rect {key} {class} x={px(at.x)} y={px(at.y)} width={px(at.w)} height={px(at.h)} rx={px(radius)} /> }
        };
        let lit = self.state.motion.lit.get(anchor).map(|seq| frame(format!("glow-{seq}"), "glow"));
        let focused = self.focus.contains(anchor).then(|| frame("focus".to_owned(), "focused"));
        html! { <>{ lit }{ focused }</> }
    }

    fn control_plane(&self) -> Html {
        let strip = self.scene.strip;
        let parts = self.scene.parts.iter().map(|part| {
            let name = match part.part {
                Part::You => self.t(T::You),
                Part::ApiServer => "API server",
                Part::Etcd => "etcd",
                Part::Controllers => self.t(T::Controllers),
                Part::Scheduler => "scheduler",
            };
            let (x, middle) = part.rect.centre();
            html! {
                <g class={classes!("part", (part.part == Part::You).then_some("you"))}>
                    { rect(part.rect, 8.0, "box") }
                    { self.glow(&Anchor::Part(part.part), part.rect, 8.0) }
                    { label(x, middle + 4.5, "mid", name) }
                </g>
            }
        });
        let wires = self.scene.parts.windows(2).map(|pair| {
            let (from, to) = (pair[0].rect, pair[1].rect);
            let middle = from.centre().1;
            if from.x < to.x {
                html! { <path class="wire" d={format!("M{:.1} {middle:.1}H{:.1}", from.x + from.w, to.x)} /> }
            } else {
                html! { <path class="wire" d={format!("M{:.1} {:.1}V{:.1}", to.centre().0, to.y - 8.0, to.y)} /> }
            }
        });
        html! {
            <g class="control-plane">
                { label(strip.x + 4.0, strip.y - 8.0, "caption", self.t(T::ControlPlane)) }
                { rect(strip, 10.0, "strip") }
                { for wires }
                { for parts }
            </g>
        }
    }

    fn workload(&self, pill: &WorkloadPill) -> Html {
        let (at, tile) = (pill.rect, &pill.tile);
        let short = if pill.kind == "ReplicaSet" && !tile.owner.is_empty() {
            tile.name.strip_prefix(&format!("{}-", tile.owner)).unwrap_or(&tile.name)
        } else {
            &tile.name
        };
        let line = pill.parent.map(|parent| {
            html! { <path class="branch" d={format!("M{:.1} {:.1}V{:.1}H{:.1}", parent.x + 9.0, parent.y + parent.h, at.y + at.h / 2.0, at.x)} /> }
        });
        let count = format!("{}/{}", tile.ready, tile.desired);
        let middle = at.y + at.h / 2.0 + 4.0;
        let inner = html! {
            <>
                { line }
                { rect(at, 8.0, "box") }
                { self.glow(&Anchor::Workload(pill.kind.to_owned(), tile.namespace.clone(), tile.name.clone()), at, 8.0) }
                { label(at.x + 10.0, middle, "kind", pill.kind) }
                { label(at.x + 88.0, middle, "name", fit(short, at.w - 140.0)) }
                { label(at.x + at.w - 10.0, middle, if tile.ready >= tile.desired { "count ok" } else { "count" }, count.clone()) }
            </>
        };
        let name = format!("{} {} {count}", pill.kind, tile.name);
        let subject = subject("apps/v1", pill.kind, &tile.namespace, &tile.name);
        self.object(format!("{}-{}-{}", pill.kind, tile.namespace, tile.name), subject, name, "workload", inner)
    }

    fn service(&self, rail: &ServiceRail) -> Html {
        let (at, tile) = (rail.rect, &rail.tile);
        let middle = at.y + at.h / 2.0 + 4.0;
        let ports = tile.ports.join(",");
        let endpoints = fill(self.t(T::Endpoints), tile.endpoints.len(), "");
        // The number that one types: the node's port where there is one.
        let doors = tile.ports.iter().map(|port| port.rsplit(':').next().unwrap_or(port)).collect::<Vec<_>>().join(",");
        let words = if tile.endpoints.len() == 1 { T::ToOnePod } else { T::ToPods };
        let leads = fill(self.t(words), tile.endpoints.len(), "");
        let selects = tile.kind == "NodePort" || !tile.endpoints.is_empty();
        let leads = if selects { format!(":{doors} {leads}") } else { format!(":{doors}") };
        // The kind is the first to go where a long name needs the room: the inspector and the title tell it, too.
        let room = at.w - 72.0 - 16.0;
        let whole = format!("{} {leads}", tile.kind);
        let detail = if width_of(&tile.name, 7.2) + width_of(&whole, 6.6) + 14.0 <= room { whole } else { leads };
        let name_room = room - width_of(&detail, 6.6) - 14.0;
        let inner = html! {
            <>
                { rect(at, at.h / 2.0, "box") }
                { self.glow(&Anchor::Service(tile.namespace.clone(), tile.name.clone()), at, at.h / 2.0) }
                { label(at.x + 16.0, middle, "kind", "Service") }
                { label(at.x + 72.0, middle, "name", fit(&tile.name, name_room)) }
                { label(at.x + at.w - 16.0, middle, if selects && tile.endpoints.is_empty() { "detail warn" } else { "detail" }, detail) }
            </>
        };
        let name = format!("Service {} {} {} {ports}, {endpoints}", tile.name, tile.kind, tile.cluster_ip);
        let subject = subject("v1", "Service", &tile.namespace, &tile.name);
        self.object(format!("svc-{}-{}", tile.namespace, tile.name), subject, name, "service", inner)
    }

    fn waiting(&self) -> Html {
        match self.scene.waiting {
            None => html! {},
            Some(at) => html! {
                <g class="waiting">
                    { rect(at, 12.0, "box") }
                    { label(at.x + 14.0, at.y + 15.0, "caption", self.t(T::Unscheduled)) }
                </g>
            },
        }
    }

    fn room(&self, room: &NodeRoom) -> Html {
        let (at, tile) = (room.rect, &room.tile);
        let share = if tile.cpu_allocatable_milli > 0 {
            (tile.cpu_requested_milli as f64 / tile.cpu_allocatable_milli as f64).min(1.0)
        } else {
            0.0
        };
        let bar = Rect { x: at.x + at.w - 104.0, y: at.y + 17.0, w: 90.0, h: 6.0 };
        let used = Rect { w: bar.w * share, ..bar };
        let cpu =
            fill(self.t(T::Cpu), format!("{}m", tile.cpu_requested_milli), format!("{}m", tile.cpu_allocatable_milli));
        let word = if tile.ready { T::NodeReady } else { T::NodeNotReady };
        // Address and state stand beside the name where there is room; the state takes the place of the bar if it must.
        let beside = at.x + 24.0 + width_of(&tile.name, 8.6);
        let until = room.kubelet().map_or(bar.x - 44.0, |kubelet| kubelet.x);
        let words = [format!("{} {}", tile.address, self.t(word)), self.t(word).to_owned()];
        let words = words.into_iter().find(|words| beside + width_of(words, 6.6) <= until);
        let inner = html! {
            <>
                { rect(at, 12.0, if tile.ready { "box" } else { "box not-ready" }) }
                { self.kubelet(room) }
                { label(at.x + 14.0, at.y + 26.0, "name strong", tile.name.clone()) }
                { words.clone().map(|words| label(beside, at.y + 26.0, if tile.ready { "address" } else { "address warn" }, words)) }
                if tile.ready || words.is_some() {
                    <g>
                        <title>{ cpu.clone() }</title>
                        { label(bar.x - 8.0, at.y + 24.0, "detail", "CPU") }
                        { rect(bar, 3.0, "bar") }
                        { rect(used, 3.0, "used") }
                    </g>
                } else {
                    { label(bar.x + bar.w, at.y + 26.0, "detail warn", self.t(word)) }
                }
                if room.empty { { label(at.x + 14.0, at.y + 60.0, "caption", self.t(T::EmptyNode)) } }
            </>
        };
        let name = format!("Node {} {} {}, {cpu}", tile.name, tile.address, self.t(word));
        let subject = subject("v1", "Node", "", &tile.name);
        self.object(format!("node-{}", tile.name), subject, name, "room", inner)
    }

    /// The node's kubelet, which glows when it works; in a narrow room the room does.
    fn kubelet(&self, room: &NodeRoom) -> Html {
        let anchor = Anchor::Node(room.tile.name.clone());
        match room.kubelet() {
            None => self.glow(&anchor, room.rect, 12.0),
            Some(at) => html! {
                <g class="part">
                    { rect(at, 6.0, "box") }
                    { self.glow(&anchor, at, 6.0) }
                    { label(at.centre().0, at.y + 15.5, "mid caption", "kubelet") }
                </g>
            },
        }
    }

    fn pod(&self, pod: &PodBox) -> Html {
        let (at, tile) = (pod.rect, &pod.tile);
        let (state, word) = match tile.state {
            PodState::Pending => ("pending", T::PodPending),
            PodState::Starting => ("starting", T::PodStarting),
            PodState::NotReady => ("not-ready", T::PodNotReady),
            PodState::Ready => ("ready", T::PodReady),
            PodState::Terminating => ("terminating", T::PodTerminating),
            PodState::Failing => ("failing", T::PodFailing),
            PodState::Succeeded => ("succeeded", T::PodSucceeded),
        };
        let word = self.t(word);
        let first = match tile.state {
            PodState::Ready | PodState::NotReady => {
                let image = short_image(&tile.image);
                image.rsplit_once(':').map_or(image.clone(), |(_, tag)| tag.to_owned())
            }
            _ => word.to_owned(),
        };
        let tight = first.chars().count() > TILE_LETTERS;
        let inner = html! {
            <g transform={format!("translate({:.1} {:.1})", at.x, at.y)} class="slide">
                { rect(Rect { x: 0.0, y: 0.0, ..at }, if pod.small { 4.0 } else { 9.0 }, "tile") }
                { self.glow(&Anchor::Pod(tile.namespace.clone(), tile.name.clone()), Rect { x: 0.0, y: 0.0, ..at }, 9.0) }
                if tile.state == PodState::Terminating {
                    <path class="hatch" d={format!("M4 {0:.1}L{1:.1} 4M{2:.1} {0:.1}L{3:.1} {4:.1}", at.h - 4.0, at.w - 20.0, at.w * 0.4, at.w - 4.0, at.h * 0.25)} />
                }
                if tile.state == PodState::Failing {
                    <path class="cross" d={format!("M{0:.1} 5l8 8m0 -8l-8 8", at.w - 14.0)} />
                }
                if !pod.small {
                    { label(at.w / 2.0, at.h / 2.0 - 3.0, if tight { "mid head tight" } else { "mid head" }, fit(&first, at.w + 4.0)) }
                    { label(at.w / 2.0, at.h / 2.0 + 15.0, "mid mono", fit(&short_name(tile), at.w)) }
                    if tile.restarts > 0 {
                        <circle class="restarts" cx={px(at.w - 4.0)} cy={px(at.h - 4.0)} r="8" />
                        { label(at.w - 4.0, at.h - 0.5, "mid restarts-count", tile.restarts.to_string()) }
                    }
                }
            </g>
        };
        let mut name = format!("Pod {} {word}, {}", tile.name, tile.image);
        if !tile.reason.is_empty() {
            name = format!("{name}, {}", tile.reason);
        }
        let subject = subject("v1", "Pod", &tile.namespace, &tile.name);
        let classes = classes!("pod", state, format!("colour-{}", pod.colour));
        self.object(format!("pod-{}-{}", tile.namespace, tile.name), subject, name, classes, inner)
    }

    fn legend(&self) -> Html {
        let mut x = 20.0;
        let y = self.scene.height - 10.0;
        let items = self.scene.legend.iter().map(|(image, colour)| {
            let at = Rect { x, y: y - 10.0, w: 12.0, h: 12.0 };
            let text_x = x + 18.0;
            x += 40.0 + image.chars().count() as f64 * 6.6;
            html! {
                <g class={classes!("legend", format!("colour-{colour}"))}>
                    { rect(at, 3.0, "tile") }
                    { label(text_x, y, "caption", image.clone()) }
                </g>
            }
        });
        html! { <g>{ for items }</g> }
    }

    fn dot(&self, moving: &Move) -> Html {
        let points = self.scene.route(&moving.path);
        if points.len() < 2 {
            return html! {};
        }
        let class = match moving.kind {
            MoveKind::Read => "read",
            MoveKind::Change => "change",
            MoveKind::Traffic => "traffic",
            MoveKind::Failed => "failed",
        };
        let (delay, duration) = (delay_ms(moving), duration_ms(moving));
        let press = moving.request.filter(|id| self.state.requests.has(*id)).map(|id| {
            let state = self.state.clone();
            Callback::from(move |_: MouseEvent| state.dispatch(Action::ShowRequest(id)))
        });
        html! { <Dot key={format!("dot-{}", moving.seq)} {class} {points} {delay} {duration} {press} /> }
    }

    /// The way of the request that is looked at.
    fn way(&self) -> Html {
        let points = self.scene.route(self.state.way());
        if points.len() < 2 {
            return html! {};
        }
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        html! { <polyline class="request-way" points={points.join(" ")} /> }
    }
}
