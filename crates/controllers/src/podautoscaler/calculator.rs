//! How many pods a metric calls for (`replica_calculator.go`, `metrics/client.go`, `metrics/utilization.go`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use api::selector::LabelSelector;
use api::{Object, Quantity, kinds};
use json::Value;
use simulation::Time;

use crate::pods::condition;
use crate::view::View;

/// So long after its start, a pod's CPU counts only once a whole window was measured since it became ready
/// (`--horizontal-pod-autoscaler-cpu-initialization-period`).
const CPU_INITIALIZATION_PERIOD: Duration = Duration::from_secs(300);
/// A pod whose readiness has not changed since so long after its start has never been ready
/// (`--horizontal-pod-autoscaler-initial-readiness-delay`).
const INITIAL_READINESS_DELAY: Duration = Duration::from_secs(30);

/// What a pod uses, in thousandths.
struct Sample {
    value: i64,
    at: Time,
    window: Duration,
}

/// By the names of pods.
type Samples = BTreeMap<String, Sample>;

/// What a metric is to be on average.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    /// In percent of what the pods request.
    Utilization(i64),
    /// In thousandths.
    Value(i64),
}

/// What is measured.
pub(super) struct Question<'a> {
    pub(super) view: &'a View<'a>,
    pub(super) namespace: &'a str,
    pub(super) selector: &'a LabelSelector,
    pub(super) resource: &'a str,
    /// One container of each pod; empty for all of them.
    pub(super) container: &'a str,
    /// Pods that are wanted now.
    pub(super) current: i64,
    /// How far from the goal is near enough, below and above.
    pub(super) tolerances: (f64, f64),
}

/// The answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proposal {
    pub(super) replicas: i64,
    /// In percent of requests, if that is the goal.
    pub(super) utilization: Option<i64>,
    /// In thousandths.
    pub(super) average: i64,
}

/// Pods by what their samples are worth.
#[derive(Default)]
struct Groups {
    ready: usize,
    unready: BTreeSet<String>,
    missing: BTreeSet<String>,
    ignored: BTreeSet<String>,
}

fn milli(value: &Value) -> Option<i64> {
    Quantity::from_value(value).ok().filter(|_| !value.is_null()).map(Quantity::milli_value)
}

impl Question<'_> {
    /// Reads the answer of the metrics API.
    fn samples(&self, answer: &Result<Value, String>) -> Result<Samples, String> {
        let list =
            answer.as_ref().map_err(|why| format!("unable to fetch metrics from resource metrics API: {why}"))?;
        let items = list["items"].as_array().map_or(&[][..], json::Array::as_slice);
        if items.is_empty() {
            return Err("no metrics returned from resource metrics API".to_owned());
        }
        let one = |pod: &Value| {
            let containers = pod["containers"].as_array()?.iter();
            let wanted = containers.filter(|c| self.container.is_empty() || c["name"] == self.container);
            let values: Option<Vec<i64>> = wanted.map(|c| milli(&c["usage"][self.resource])).collect();
            let values = values.filter(|values| !values.is_empty())?;
            let at = Time::parse_rfc3339(pod["timestamp"].as_str()?)?;
            let window = api::duration::parse_go(pod["window"].as_str()?).ok()?;
            let window = Duration::from_nanos(u64::try_from(window).ok()?);
            let name = pod["metadata"]["name"].as_str()?.to_owned();
            Some((name, Sample { value: values.iter().sum(), at, window }))
        };
        Ok(items.iter().filter_map(one).collect())
    }

    fn group(&self, pods: &[&Object], samples: &Samples) -> Groups {
        let mut groups = Groups::default();
        for pod in pods {
            let name = pod.name().to_owned();
            match (pod.str("status.phase"), samples.get(&name)) {
                ("Failed", _) => _ = groups.ignored.insert(name),
                _ if pod.is_deleting() => _ = groups.ignored.insert(name),
                ("Pending", _) => _ = groups.unready.insert(name),
                (_, None) => _ = groups.missing.insert(name),
                (_, Some(sample)) if self.resource == "cpu" && is_unready(pod, sample, self.view.now) => {
                    groups.unready.insert(name);
                }
                _ => groups.ready += 1,
            }
        }
        groups
    }

    /// What a pod requests of the resource, in thousandths.
    fn request(&self, pod: &Object) -> Result<i64, String> {
        let (resource, name) = (self.resource, pod.name());
        if self.container.is_empty()
            && let Some(request) = pod.at("spec.resources.requests").get(resource).and_then(milli)
        {
            return Ok(request);
        }
        let sidecars = pod.list("spec.initContainers").iter().filter(|c| c["restartPolicy"] == "Always");
        let mut sum = None;
        for container in pod.list("spec.containers").iter().chain(sidecars) {
            let own = container["name"].as_str().unwrap_or("");
            if !self.container.is_empty() && own != self.container {
                continue;
            }
            let request = milli(&container["resources"]["requests"][resource])
                .ok_or_else(|| format!("missing request for {resource} in container {own} of Pod {name}"))?;
            sum = Some(sum.unwrap_or(0) + request);
        }
        sum.ok_or_else(|| format!("container {} not found in Pod {name}", self.container))
    }

    fn requests(&self, pods: &[&Object], goal: Goal) -> Result<BTreeMap<String, i64>, String> {
        match goal {
            Goal::Value(_) => Ok(BTreeMap::new()),
            Goal::Utilization(_) => pods.iter().map(|pod| Ok((pod.name().to_owned(), self.request(pod)?))).collect(),
        }
    }

    /// How many pods there should be (`GetResourceReplicas`, `GetRawResourceReplicas`).
    ///
    /// # Errors
    /// Upstream's sentence on why nobody can tell.
    pub(super) fn replicas(&self, answer: &Result<Value, String>, goal: Goal) -> Result<Proposal, String> {
        let mut samples = self
            .samples(answer)
            .map_err(|why| format!("unable to get metrics for resource {}: {why}", self.resource))?;
        let all = self.view.of(&kinds::PODS).in_namespace(self.namespace);
        let pods: Vec<&Object> = all.filter(|pod| self.selector.matches_object(pod)).collect();
        if pods.is_empty() {
            return Err("no pods returned by selector while calculating replica count".to_owned());
        }
        let groups = self.group(&pods, &samples);
        samples.retain(|name, _| !groups.ignored.contains(name) && !groups.unready.contains(name));
        if samples.is_empty() {
            return Err("did not receive metrics for targeted pods (pods might be unready)".to_owned());
        }
        let requests = self.requests(&pods, goal)?;
        let (ratio, utilization, average) = measure(&samples, &requests, goal)?;
        let answer = |replicas: i64| Ok(Proposal { replicas, utilization, average });
        let up_with_unready = !groups.unready.is_empty() && ratio > 1.0;
        if !up_with_unready && groups.missing.is_empty() {
            return answer(if self.is_near(ratio) { self.current } else { times(ratio, groups.ready) });
        }
        let now = self.view.now;
        let mut suppose = |name: &str, value: i64| {
            samples.insert(name.to_owned(), Sample { value, at: now, window: Duration::ZERO });
        };
        for name in &groups.missing {
            match goal {
                _ if ratio > 1.0 => suppose(name, 0),
                _ if ratio == 1.0 => {}
                Goal::Utilization(percent) => {
                    suppose(name, requests.get(name).copied().unwrap_or(0) * percent.max(100) / 100);
                }
                Goal::Value(wanted) => suppose(name, wanted),
            }
        }
        if up_with_unready {
            groups.unready.iter().for_each(|name| suppose(name, 0));
        }
        let (supposed, ..) = measure(&samples, &requests, goal)?;
        let turns = (ratio < 1.0 && supposed > 1.0) || (ratio > 1.0 && supposed < 1.0);
        if self.is_near(supposed) || turns {
            return answer(self.current);
        }
        let replicas = times(supposed, samples.len());
        let turns = (supposed < 1.0 && replicas > self.current) || (supposed > 1.0 && replicas < self.current);
        answer(if turns { self.current } else { replicas })
    }

    fn is_near(&self, ratio: f64) -> bool {
        let (down, up) = self.tolerances;
        (1.0 - down..=1.0 + up).contains(&ratio)
    }
}

/// Whether the CPU of a pod says nothing yet about its load.
fn is_unready(pod: &Object, sample: &Sample, now: Time) -> bool {
    let started = Time::parse_rfc3339(pod.str("status.startTime"));
    let (Some(ready), Some(started)) = (condition(pod, "Ready"), started) else { return true };
    let since = ready["lastTransitionTime"].as_str().and_then(Time::parse_rfc3339).unwrap_or_default();
    if started + CPU_INITIALIZATION_PERIOD > now {
        ready["status"] == "False" || sample.at < since + sample.window
    } else {
        ready["status"] == "False" && started + INITIAL_READINESS_DELAY > since
    }
}

/// The share of the goal that is used, the utilization in percent, the average.
#[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 53 bits")]
fn measure(samples: &Samples, requests: &BTreeMap<String, i64>, goal: Goal) -> Result<(f64, Option<i64>, i64), String> {
    let percent = match goal {
        Goal::Value(wanted) => {
            let total: i64 = samples.values().map(|sample| sample.value).sum();
            let average = total / i64::try_from(samples.len()).unwrap_or(1);
            return Ok((average as f64 / wanted as f64, None, average));
        }
        Goal::Utilization(percent) => percent,
    };
    let (mut used, mut requested, mut count) = (0, 0, 0);
    for (name, sample) in samples {
        let Some(request) = requests.get(name) else { continue };
        used += sample.value;
        requested += request;
        count += 1;
    }
    if requested == 0 {
        return Err("no metrics returned matched known pods".to_owned());
    }
    let utilization = used * 100 / requested;
    Ok((utilization as f64 / percent as f64, Some(utilization), used / count))
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "numbers of pods")]
fn times(ratio: f64, count: usize) -> i64 {
    (ratio * count as f64).ceil() as i64
}
