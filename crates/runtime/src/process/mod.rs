//! Programs that run: processes on fuel, the jail that a container's processes share, and how executables are found.

mod cpu;
mod exec;
mod jail;
mod loader;
mod meter;
mod proc;
mod task;
#[cfg(test)]
pub(crate) mod tests;

pub use cpu::Cpu;
pub use exec::{DEFAULT_PATH, ExecError};
pub use jail::{Exit, Jail, JailConfig, SpawnRequest};
pub use loader::Loader;
pub use meter::{Meter, Reading, window_end};
pub use proc::Proc;
