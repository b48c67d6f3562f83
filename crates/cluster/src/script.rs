//! A script that runs on the learner's machine.

use std::cell::Cell;
use std::rc::Rc;

/// A running script; see [`crate::World::run_script`].
#[derive(Clone, Default)]
pub struct ScriptRun(pub(crate) Rc<Cell<Option<i32>>>);

impl ScriptRun {
    /// Its exit code, once it has ended.
    pub fn exit_code(&self) -> Option<i32> {
        self.0.get()
    }
}
