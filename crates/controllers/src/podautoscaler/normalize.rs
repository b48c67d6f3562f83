//! How fast a number of pods may change: what was recommended lately, what `spec.behavior` allows, the bounds
//! (`horizontal.go`, from `stabilizeRecommendation` on).

use std::time::Duration;

use api::Object;
use json::{Value, json};
use simulation::Time;

/// Without a behavior, pods go only when fewer have been enough for so long, and with one that does not say
/// (`--horizontal-pod-autoscaler-downscale-stabilization`).
const DOWNSCALE_STABILIZATION_SECONDS: i64 = 300;
/// Without a behavior, the number of pods may double at once.
const SCALE_UP_FACTOR: i64 = 2;
/// Without a behavior, so many pods may be there at once.
const SCALE_UP_LIMIT_MIN: i64 = 4;

/// A number and when it was: a recommendation, or a change.
type Noted = (i64, Time);

/// What is remembered of an autoscaler between two looks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Memory {
    recommendations: Vec<Noted>,
    /// Pods that were added.
    up: Vec<Noted>,
    /// Pods that were taken away.
    down: Vec<Noted>,
}

/// A condition: reason and message.
pub(super) type Why = (&'static str, &'static str);

/// The number that is allowed, with the conditions that tell of it.
pub(super) struct Allowed {
    pub(super) replicas: i64,
    /// Of `AbleToScale`.
    pub(super) able: Why,
    /// Whether the bounds or the pace allow less than was asked for.
    pub(super) is_limited: bool,
    /// Of `ScalingLimited`.
    pub(super) limit: Why,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) autoscaler: &'a Object,
    pub(super) current: i64,
    pub(super) desired: i64,
    pub(super) least: i64,
    pub(super) most: i64,
    pub(super) now: Time,
}

const READY: Why = ("ReadyForNewScale", "recommended size matches current size");
const DOWN_STABILIZED: Why = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
);
const UP_STABILIZED: Why = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
);
const TOO_FAST_UP: Why = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const TOO_FAST_DOWN: Why =
    ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");
const TOO_MANY: Why = ("TooManyReplicas", "the desired replica count is more than the maximum replica count");
const TOO_FEW: Why = ("TooFewReplicas", "the desired replica count is less than the minimum replica count");
const WITHIN: Why = ("DesiredWithinRange", "the desired count is within the acceptable range");

impl Memory {
    pub(super) fn read(value: &Value) -> Memory {
        let list = |name: &str| {
            let entries = value[name].as_array().into_iter().flatten();
            entries.filter_map(|e| Some((e[0].as_i64()?, Time::from_nanos(e[1].as_i64()?)))).collect()
        };
        Memory { recommendations: list("recommendations"), up: list("up"), down: list("down") }
    }

    pub(super) fn write(&self) -> Value {
        let list = |all: &[Noted]| all.iter().map(|(number, at)| json!([number, at.as_nanos()])).collect::<Vec<_>>();
        json!({"recommendations": list(&self.recommendations), "up": list(&self.up), "down": list(&self.down)})
    }

    /// Before anything is known, what there is counts as recommended.
    pub(super) fn begin(&mut self, current: i64, now: Time) {
        if self.recommendations.is_empty() {
            self.recommendations.push((current, now));
        }
    }

    /// Notes a change, for the policies of a behavior.
    pub(super) fn note_scale(&mut self, wish: &Wish<'_>, replicas: i64) {
        let behavior = wish.autoscaler.at("spec.behavior");
        if !behavior.is_object() {
            return;
        }
        let (notes, rules) = match replicas > wish.current {
            true => (&mut self.up, &behavior["scaleUp"]),
            false => (&mut self.down, &behavior["scaleDown"]),
        };
        let longest = policies(rules).filter_map(|p| p["periodSeconds"].as_i64()).max().unwrap_or(0);
        notes.retain(|(_, at)| *at >= before(wish.now, longest));
        notes.push(((replicas - wish.current).abs(), wish.now));
    }

    /// The number that is allowed now.
    pub(super) fn normalize(&mut self, wish: &Wish<'_>) -> Allowed {
        let behavior = wish.autoscaler.at("spec.behavior");
        let (stable, why) = match behavior.is_object() {
            false => (self.stabilize(wish), DOWN_STABILIZED),
            true => self.stabilize_with(wish, behavior),
        };
        let able = if stable == wish.desired { READY } else { why };
        let stable_wish = Wish { desired: stable, ..*wish };
        let (replicas, limit) = match behavior.is_object() {
            false => within_rules(&stable_wish),
            true => self.within_rate(&stable_wish, behavior),
        };
        Allowed { replicas, able, is_limited: replicas != stable, limit }
    }

    /// The highest of the recommendations of the last minutes.
    fn stabilize(&mut self, wish: &Wish<'_>) -> i64 {
        let cutoff = before(wish.now, DOWNSCALE_STABILIZATION_SECONDS);
        self.recommendations.retain(|(_, at)| *at >= cutoff);
        let highest = self.recommendations.iter().map(|(number, _)| *number).fold(wish.desired, i64::max);
        self.recommendations.push((wish.desired, wish.now));
        highest
    }

    fn stabilize_with(&mut self, wish: &Wish<'_>, behavior: &Value) -> (i64, Why) {
        let window = |direction: &str, usual: i64| {
            let seconds = behavior[direction]["stabilizationWindowSeconds"].as_i64();
            before(wish.now, seconds.unwrap_or(usual))
        };
        let (up_cutoff, down_cutoff) = (window("scaleUp", 0), window("scaleDown", DOWNSCALE_STABILIZATION_SECONDS));
        let (mut lowest, mut highest) = (wish.desired, wish.desired);
        for (number, at) in &self.recommendations {
            if *at > up_cutoff {
                lowest = lowest.min(*number);
            }
            if *at > down_cutoff {
                highest = highest.max(*number);
            }
        }
        self.recommendations.retain(|(_, at)| *at >= up_cutoff || *at >= down_cutoff);
        self.recommendations.push((wish.desired, wish.now));
        let stable = wish.current.max(lowest).min(highest);
        (stable, if wish.desired >= wish.current { UP_STABILIZED } else { DOWN_STABILIZED })
    }

    /// The bounds, and what the policies allow in their periods.
    fn within_rate(&self, wish: &Wish<'_>, behavior: &Value) -> (i64, Why) {
        if wish.desired > wish.current {
            let limit = self.limit(wish, &behavior["scaleUp"], true).max(wish.current);
            let (most, why) = if wish.most > limit { (limit, TOO_FAST_UP) } else { (wish.most, TOO_MANY) };
            if wish.desired > most {
                return (most, why);
            }
        } else if wish.desired < wish.current {
            let limit = self.limit(wish, &behavior["scaleDown"], false).min(wish.current);
            let (least, why) = if wish.least < limit { (limit, TOO_FAST_DOWN) } else { (wish.least, TOO_FEW) };
            if wish.desired < least {
                return (least, why);
            }
        }
        (wish.desired, WITHIN)
    }

    /// How far the policies of one direction let the number go.
    fn limit(&self, wish: &Wish<'_>, rules: &Value, up: bool) -> i64 {
        let select = rules["selectPolicy"].as_str().unwrap_or("Max");
        let changed = |notes: &[Noted], seconds: i64| -> i64 {
            notes.iter().filter(|(_, at)| *at > before(wish.now, seconds)).map(|(change, _)| *change).sum()
        };
        let proposal = |policy: &Value| {
            let (value, period) =
                (policy["value"].as_i64().unwrap_or(0), policy["periodSeconds"].as_i64().unwrap_or(0));
            let start = wish.current - changed(&self.up, period) + changed(&self.down, period);
            match (policy["type"].as_str(), up) {
                (Some("Percent"), true) => (start * (100 + value) + 99).div_euclid(100),
                (Some("Percent"), false) => start * (100 - value) / 100,
                (_, true) => start + value,
                (_, false) => start - value,
            }
        };
        let proposals = policies(rules).map(proposal);
        // The greatest change is upwards the greatest number, downwards the least.
        let chosen = match (select, up) {
            ("Disabled", _) => None,
            ("Min", true) | ("Max", false) => proposals.min(),
            _ => proposals.max(),
        };
        chosen.unwrap_or(wish.current)
    }
}

fn policies(rules: &Value) -> impl Iterator<Item = &Value> {
    rules["policies"].as_array().into_iter().flatten()
}

fn before(now: Time, seconds: i64) -> Time {
    now - Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// The bounds, and never more than double at once.
fn within_rules(wish: &Wish<'_>) -> (i64, Why) {
    let limit = (SCALE_UP_FACTOR * wish.current).max(SCALE_UP_LIMIT_MIN);
    let (most, why) = if wish.most > limit { (limit, TOO_FAST_UP) } else { (wish.most, TOO_MANY) };
    if wish.desired < wish.least {
        (wish.least, TOO_FEW)
    } else if wish.desired > most {
        (most, why)
    } else {
        (wish.desired, WITHIN)
    }
}
