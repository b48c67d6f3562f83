//! Keeps the numbered pods of a StatefulSet, one after another or all at once (`pkg/controller/statefulset`).

mod controller;
mod pod;
mod reconcile;
mod retention;
mod status;
#[cfg(test)]
mod tests;

pub(crate) use controller::CONTROLLER;
