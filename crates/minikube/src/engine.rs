//! The container engines of machines, as minikube uses them: by docker, on the machine itself (`pkg/minikube/cruntime/docker.go`).

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::rc::Rc;

use machine::{Ctx, Reader, Writer};

use crate::program::Call;

/// The port of the engine of a machine.
pub(crate) const PORT: u16 = 2376;
/// The variable that names an engine.
pub(crate) const HOST: &str = "DOCKER_HOST";

/// What came of a docker command.
pub(crate) struct Answer {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Answer {
    /// What it printed.
    ///
    /// # Errors
    /// What it complained of.
    pub(crate) fn checked(self) -> Result<Vec<u8>, String> {
        if self.code == 0 { Ok(self.stdout) } else { Err(self.stderr.trim().to_owned()) }
    }
}

/// The addresses of the machines of the cluster that run.
pub(crate) fn machines(call: &Call) -> Vec<Ipv4Addr> {
    let status = call.host.status(call.profile());
    let nodes = status.map(|status| status.nodes).unwrap_or_default();
    nodes.into_iter().filter(|node| node.running).map(|node| node.address).collect()
}

fn context(call: &Call, machine: Option<Ipv4Addr>) -> Ctx {
    let mut ctx = call.ctx.clone();
    if let Some(address) = machine {
        ctx.env.insert(HOST.to_owned(), format!("tcp://{address}:{PORT}"));
    }
    ctx
}

/// Runs docker on a machine of the cluster, or (none) where this is typed; what it prints is kept.
pub(crate) async fn docker(call: &Call, machine: Option<Ipv4Addr>, words: &[&str], input: Vec<u8>) -> Answer {
    let (out, err) = (Rc::new(RefCell::new(Vec::new())), Rc::new(RefCell::new(Vec::new())));
    let ctx = Ctx {
        stdin: Reader::from_bytes(input),
        stdout: Writer::into_buffer(Rc::clone(&out)),
        stderr: Writer::into_buffer(Rc::clone(&err)),
        tty: None,
        ..context(call, machine)
    };
    let code = run(ctx, words).await;
    let stderr = String::from_utf8_lossy(&err.take()).into_owned();
    Answer { stdout: out.take(), stderr, code }
}

/// Runs docker on a machine of the cluster before the eyes of whoever typed this.
pub(crate) async fn docker_shown(call: &Call, machine: Ipv4Addr, words: &[&str]) -> i32 {
    run(context(call, Some(machine)), words).await
}

async fn run(ctx: Ctx, words: &[&str]) -> i32 {
    let Some(program) = ctx.programs.find("docker") else {
        ctx.err("exec: \"docker\": executable file not found in $PATH\n").await;
        return 127;
    };
    let words = ["docker"].iter().chain(words).map(|word| (*word).to_owned()).collect();
    program.run(ctx, words).await
}
