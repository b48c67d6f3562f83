//! Loaded modules, shared by everything that runs the same bytes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;

use crate::engine::{Engine, LoadError, Module};
use crate::limits::{MODULES_CACHED_MAX, PROGRAM_BYTES_MAX};

struct Cached {
    bytes: Bytes,
    module: Rc<dyn Module>,
    last_use: u64,
}

/// The engine and what it has loaded. Share one between all nodes of a world.
pub struct Loader {
    engine: Rc<dyn Engine>,
    cache: RefCell<Vec<Cached>>,
    uses: Cell<u64>,
}

impl Loader {
    /// A loader with nothing in it.
    pub fn new(engine: Rc<dyn Engine>) -> Rc<Self> {
        Rc::new(Loader { engine, cache: RefCell::default(), uses: Cell::new(0) })
    }

    /// The module of these bytes.
    ///
    /// # Errors
    /// When they are no program.
    pub fn load(&self, bytes: &Bytes) -> Result<Rc<dyn Module>, LoadError> {
        let now = self.uses.get() + 1;
        self.uses.set(now);
        {
            let mut cache = self.cache.borrow_mut();
            // Files of a layer are slices of one archive, so usually the addresses are equal; comparing the bytes of a
            // copied executable is still far cheaper than loading it.
            let same = |c: &&mut Cached| {
                c.bytes.len() == bytes.len() && (c.bytes.as_ptr() == bytes.as_ptr() || c.bytes == *bytes)
            };
            if let Some(found) = cache.iter_mut().find(same) {
                found.last_use = now;
                return Ok(Rc::clone(&found.module));
            }
        }
        if bytes.len() > PROGRAM_BYTES_MAX {
            return Err(LoadError::Invalid(format!("larger than {PROGRAM_BYTES_MAX} bytes")));
        }
        let module = self.engine.load(bytes)?;
        let mut cache = self.cache.borrow_mut();
        if cache.len() >= MODULES_CACHED_MAX
            && let Some(oldest) = (0..cache.len()).min_by_key(|i| cache[*i].last_use)
        {
            cache.swap_remove(oldest);
        }
        cache.push(Cached { bytes: bytes.clone(), module: Rc::clone(&module), last_use: now });
        Ok(module)
    }
}
