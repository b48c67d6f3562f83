//! The cluster's clock and its pace.

use gloo_timers::callback::Interval;
use yew::prelude::*;

use crate::state::Clock;
use crate::text::{Language, T};

/// What the clock needs.
#[derive(Properties, PartialEq)]
pub struct ClockProps {
    /// As the worker tells it.
    pub clock: Clock,
    /// There is a cluster whose time it is. Without one the face stands: nothing would be seen to happen in that time,
    /// and a page that draws each second is not idle.
    pub runs: bool,
    /// Language.
    pub language: Language,
    /// Sets the pace: paused, factor.
    pub pace: Callback<(bool, f64)>,
    /// Runs the next event.
    pub step: Callback<()>,
}

/// Speeds that are offered.
const FACTORS: [f64; 2] = [1.0, 10.0];

/// Real time between two looks at the clock, in milliseconds.
const FACE_MS: u32 = 1_000;

/// `00:04:12`.
pub fn clock_face(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Virtual milliseconds since the worker last told its clock: it only does so when something is due, so the face goes
/// on by itself in between.
#[hook]
fn use_since_told(clock: Clock, runs: bool) -> u64 {
    let since = use_state(|| 0);
    let told = use_memo(clock, |_| real_ms());
    let setter = since.setter();
    use_effect_with((clock, runs), move |(clock, runs)| {
        let (told, factor) = (*told, clock.factor);
        let moves = !clock.paused && !clock.loading && !clock.lagging;
        let look = move || setter.set(if moves { ((real_ms() - told) * factor).max(0.0) as u64 } else { 0 });
        look();
        let timer = (*runs && moves).then(|| Interval::new(FACE_MS, look));
        move || drop(timer)
    });
    *since
}

fn real_ms() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now())
}

/// Time, pause, step and speed.
#[component]
pub fn ClockControl(props: &ClockProps) -> Html {
    let ClockProps { clock, runs, language, pace, step } = props;
    let since = use_since_told(*clock, *runs);
    let toggle = {
        let (pace, clock) = (pace.clone(), *clock);
        Callback::from(move |_: MouseEvent| pace.emit((!clock.paused, clock.factor)))
    };
    let step = {
        let step = step.clone();
        Callback::from(move |_: MouseEvent| step.emit(()))
    };
    let pause_text = if clock.paused { T::Resume } else { T::Pause }.get(*language);
    html! {
        <div class="clock" role="group" aria-label={T::Elapsed.get(*language)}>
            <time class={classes!(clock.lagging.then_some("lagging"))}
                title={if clock.lagging { T::Lagging } else { T::Elapsed }.get(*language)}>
                { clock_face(clock.elapsed_ms + since) }
                if clock.lagging { <span aria-hidden="true">{ " ◔" }</span> }
            </time>
            <button type="button" onclick={toggle} title={pause_text} aria-label={pause_text} aria-pressed={clock.paused.to_string()}>
                { if clock.paused { "▶" } else { "❚❚" } }
            </button>
            <button type="button" onclick={step} disabled={!clock.paused} title={T::StepEvent.get(*language)}
                aria-label={T::StepEvent.get(*language)}>{ "▶❙" }</button>
            { for FACTORS.iter().map(|factor| {
                let (pace, value) = (pace.clone(), *factor);
                let on = !clock.paused && (clock.factor - value).abs() < f64::EPSILON;
                let choose = Callback::from(move |_: MouseEvent| pace.emit((false, value)));
                html! {
                    <button type="button" class={classes!("factor", on.then_some("on"))} onclick={choose}
                        aria-pressed={on.to_string()} title={T::Speed.get(*language)}>{ format!("{value}×") }</button>
                }
            }) }
        </div>
    }
}
