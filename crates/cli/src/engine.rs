//! The engines that can be asked for (`--engine`).

use std::rc::Rc;

use clap::ValueEnum;
use runtime::engine::{WasmiEngine, WasmtimeEngine};

/// What runs the programs of containers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// The interpreter that the page has, too.
    #[default]
    Wasmi,
    /// Machine code: faster for programs that compute, slower for the first start of each image.
    Wasmtime,
}

impl Engine {
    /// A new engine.
    ///
    /// # Errors
    /// When this machine cannot run it.
    pub fn make(self) -> anyhow::Result<Rc<dyn runtime::engine::Engine>> {
        Ok(match self {
            Engine::Wasmi => Rc::new(WasmiEngine::new()),
            Engine::Wasmtime => Rc::new(WasmtimeEngine::new()?),
        })
    }
}
