//! The learner's machine as its programs see it: streams, terminal, files, environment and network, and the
//! [`Program`] trait that kubectl, minikube, curl and the file tools implement.
//!
//! Invariants:
//! * Programs never see the shell or each other; the shell finds them in [`Programs`].
//! * The cluster is reached only through [`Host::api`] (what a kubeconfig names) or through the network.

mod desktop;
mod program;
mod spelling;
mod stream;
mod tty;

pub use desktop::{Desktop, EditEvent, EditFile, EditWindow, Show};
pub use program::{Ctx, Host, Program, Programs};
pub use spelling::distance;
pub use stream::{BrokenPipe, PIPE_BYTES_MAX, ReadEnd, Reader, WriteEnd, Writer, pipe};
pub use tty::{Tty, TtySize};
