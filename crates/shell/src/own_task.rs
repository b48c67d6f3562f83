//! Work in a task of its own that ends with whoever waits for it.
//!
//! Programs, pipeline stages, subshells and deep calls each get a task: the executor polls a task from the top, so how
//! deep commands are nested does not show on the stack.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::LocalBoxFuture;
use simulation::{Aborted, Sim, Task};

use crate::exec::{Exec, Flow};
use crate::shell::Shell;

/// A task that is aborted when its handle is dropped.
pub(crate) struct OwnTask<T>(Task<T>);

impl<T: 'static> OwnTask<T> {
    pub(crate) fn spawn(sim: &Sim, future: impl Future<Output = T> + 'static) -> OwnTask<T> {
        OwnTask(sim.spawn(future))
    }
}

impl<T> Future for OwnTask<T> {
    type Output = Result<T, Aborted>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<T> Drop for OwnTask<T> {
    fn drop(&mut self) {
        if !self.0.is_finished() {
            self.0.abort();
        }
    }
}

impl Shell {
    /// Runs `work` with this shell in a task of its own.
    pub(crate) async fn in_own_task(
        &mut self,
        work: impl for<'a> FnOnce(&'a mut Shell) -> LocalBoxFuture<'a, Exec> + 'static,
    ) -> Exec {
        let copy = self.clone();
        let mut shell = std::mem::replace(self, copy);
        let task = OwnTask::spawn(&self.sim, async move {
            let result = work(&mut shell).await;
            (shell, result)
        });
        match task.await {
            Ok((shell, result)) => {
                *self = shell;
                result
            }
            Err(Aborted) => Err(Flow::Interrupt),
        }
    }
}
