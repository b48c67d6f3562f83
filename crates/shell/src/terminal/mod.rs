//! A terminal with a shell in it: keys in, bytes for the screen out.
//!
//! While a line is edited the keys go to the editor. While a command runs they go through the line discipline (echo,
//! whole lines, Ctrl-C, Ctrl-D), or straight to the program if it switched the terminal to raw.

mod device;
mod inner;
mod prompt;
mod session;

use std::rc::Rc;

use machine::{Ctx, Tty, TtySize, Writer};
use simulation::Task;

use device::Device;
pub(crate) use inner::inner;

/// A terminal. Dropping it leaves the shell running; [`Terminal::hang_up`] ends it.
pub struct Terminal {
    device: Rc<Device>,
    tasks: Vec<Task<()>>,
}

impl Terminal {
    /// Starts a shell. `screen` takes what is shown; the streams of `ctx` are replaced by the terminal's.
    pub fn start(ctx: Ctx, screen: Writer, size: TtySize) -> Terminal {
        let tty = Tty::new(size);
        let device = Rc::new(Device::new(ctx.sim.clone(), tty.clone()));
        let sim = ctx.sim.clone();
        let pump = sim.spawn(Rc::clone(&device).pump(screen));
        let session = sim.spawn(session::run(Rc::clone(&device), ctx, tty));
        Terminal { device, tasks: vec![pump, session] }
    }

    /// Keys that were pressed, as a terminal sends them (UTF-8, escape sequences, bracketed paste).
    pub fn keys(&self, bytes: &[u8]) {
        self.device.keys(bytes);
    }

    /// The screen has a new size.
    pub fn resize(&self, size: TtySize) {
        self.device.tty.resize(size);
    }

    /// Sets and exports a variable of the shell, as if `export` had been typed between two command lines. What runs already
    /// keeps its environment.
    pub fn export(&self, name: &str, value: &str) {
        self.device.export(name, value);
    }

    /// Whether the shell has ended (`exit`, Ctrl-D) and everything has been shown.
    pub fn has_ended(&self) -> bool {
        self.device.has_ended()
    }

    /// Whether someone waits for keys: the shell, or a program in the foreground that reads.
    pub fn waits_for_keys(&self) -> bool {
        self.device.waits_for_keys()
    }

    /// Closes the terminal: the shell and what it runs in the foreground end.
    pub fn hang_up(&self) {
        for task in &self.tasks {
            task.abort();
        }
        self.device.end();
    }
}
