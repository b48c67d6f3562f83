//! Waiting for several descriptors at once.

use std::io;
use std::time::Duration;

use crate::sys::{self, Subscription};

/// One descriptor to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Until there is something to read, or the end.
    Read(u32),
    /// Until there is room to write.
    Write(u32),
}

/// What a wait ended with: the indexes of what is ready; none if the time was up.
pub type Ready = Vec<usize>;

/// Waits until at least one descriptor is ready, or for a time at most.
///
/// # Errors
/// `EINTR` if a caught signal came first.
pub fn wait(what: &[Wait], at_most: Option<Duration>) -> io::Result<Ready> {
    let mut subscriptions: Vec<Subscription> = what
        .iter()
        .map(|wait| match wait {
            Wait::Read(fd) => Subscription::Read(*fd),
            Wait::Write(fd) => Subscription::Write(*fd),
        })
        .collect();
    if let Some(time) = at_most {
        subscriptions.push(Subscription::After(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)));
    }
    let mut ready = sys::poll(&subscriptions)?;
    ready.retain(|index| *index < what.len());
    Ok(ready)
}
