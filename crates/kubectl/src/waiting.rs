//! Waiting for an object to change or to go (`kubectl/pkg/cmd/wait`).

use std::time::Duration;

use json::Value;

use crate::failure::{Failure, Outcome};
use crate::rest::{JSON, Rest, with_query};
use crate::targets::Named;

/// What an object is found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As wished.
    Met,
    /// Not yet.
    NotYet,
}

/// Follows one object until `judge` is content. `judge` sees `None` when the object does not exist.
///
/// # Errors
/// Those of the server and of `judge`; `timed out waiting for the condition on ...` after `nanoseconds`.
pub async fn until(
    rest: &Rest,
    named: &Named,
    nanoseconds: i64,
    judge: impl FnMut(Option<&Value>) -> Outcome<Verdict>,
) -> Outcome {
    let time = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0));
    let sim = rest.session.sim.clone();
    match sim.timeout(time, follow(rest, named, judge)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Failure::message(format!(
            "timed out waiting for the condition on {}/{}",
            named.resource.plural, named.name
        ))),
    }
}

async fn follow(rest: &Rest, named: &Named, mut judge: impl FnMut(Option<&Value>) -> Outcome<Verdict>) -> Outcome {
    let collection = named.resource.collection(&named.namespace);
    let selector = format!("metadata.name={}", named.name);
    loop {
        let list = rest.get(&with_query(&collection, &[("fieldSelector", &selector)])).await?;
        let current = list.get("items").and_then(Value::as_array).and_then(|items| items.first());
        if judge(current)? == Verdict::Met {
            return Ok(());
        }
        let version = list["metadata"]["resourceVersion"].as_str().unwrap_or("").to_owned();
        let path =
            with_query(&collection, &[("fieldSelector", &selector), ("resourceVersion", &version), ("watch", "true")]);
        let mut watch = rest.watch(&path, JSON).await?;
        while let Some((kind, object)) = watch.next().await {
            let verdict = match kind.as_str() {
                "ERROR" => break,
                "DELETED" => judge(None)?,
                "BOOKMARK" => Verdict::NotYet,
                _ => judge(Some(&object))?,
            };
            if verdict == Verdict::Met {
                return Ok(());
            }
        }
        // The server ended the watch: list again, but not at once, should it do so every time.
        rest.session.sim.sleep(RELIST).await;
    }
}

/// Pause before a list after a watch ended.
const RELIST: Duration = Duration::from_millis(500);

/// A week: what a timeout of 0 means.
pub const FOREVER_NANOS: i64 = 168 * 3_600_000_000_000;

/// Waits until an object, or the one with this uid, no longer exists.
pub async fn deleted(rest: &Rest, named: &Named, uid: &str, nanoseconds: i64) -> Outcome {
    until(rest, named, nanoseconds, |object| {
        let gone = object.is_none_or(|o| !uid.is_empty() && o["metadata"]["uid"] != uid);
        Ok(if gone { Verdict::Met } else { Verdict::NotYet })
    })
    .await
}
