//! `--latency` and `--loss`: how the network of a world is.

use lesson::{Latency, Loss};

#[derive(Clone, Copy, clap::Args)]
pub(crate) struct Wire {
    /// How long one way between two pods, nodes or machines takes, such as 20ms.
    #[arg(long, value_name = "TIME")]
    latency: Option<Latency>,
    /// How much of what goes there is lost, such as 1%. TCP sends it again after its time, datagrams are gone.
    #[arg(long, value_name = "SHARE")]
    loss: Option<Loss>,
}

impl Wire {
    /// As lessons say it.
    pub(crate) fn said(self) -> lesson::Wire {
        lesson::Wire { latency: self.latency, loss: self.loss }
    }
}
