//! A learner's machine for tests.
#![allow(dead_code, reason = "each test file uses its part")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use api::http::{Transport, TransportError};
use machine::{Ctx, Host, Programs, Reader, Writer};
use network::{Fabric, Ipv4Addr};
use simulation::notify::Signal;
use simulation::{Sim, SimConfig, Step, StepLimits, Time};
use vfs::Vfs;

struct NoCluster;
impl Host for NoCluster {
    fn api(&self, _: &str) -> Result<Rc<dyn Transport>, TransportError> {
        Err(TransportError::Refused)
    }
}

pub struct Machine {
    pub ctx: Ctx,
    pub fabric: Fabric,
}

impl Machine {
    pub fn new() -> Machine {
        let sim = Sim::new(SimConfig { seed: 7, start: Time::from_unix_seconds(1_795_230_501) });
        let fabric = Fabric::new(sim.clone());
        let net = fabric.attach("learner", &[Ipv4Addr::new(192, 168, 49, 1)]);
        let fs = Vfs::new(sim.clone());
        fs.mkdir_all("/home/learner").expect("a new tree");
        fs.mkdir_all("/tmp").expect("a new tree");
        vfs::device::install(&fs, &sim).expect("a new tree");
        let mut programs = Programs::new();
        shell::install(&mut programs);
        let env = [
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("HOME", "/home/learner"),
            ("USER", "learner"),
            ("LANG", "C.UTF-8"),
        ];
        let ctx = Ctx {
            sim,
            fs,
            cwd: "/home/learner".into(),
            env: env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>(),
            stdin: Reader::empty(),
            stdout: Writer::null(),
            stderr: Writer::null(),
            tty: None,
            interrupt: Signal::new(),
            net,
            host: Rc::new(NoCluster),
            programs: Rc::new(programs),
        };
        Machine { ctx, fabric }
    }

    /// Runs `bash -c script`: standard output, standard error, exit code.
    pub fn bash(&self, script: &str) -> (String, String, i32) {
        let (out, err) = (Rc::new(RefCell::new(Vec::new())), Rc::new(RefCell::new(Vec::new())));
        let ctx = Ctx {
            stdout: Writer::into_buffer(Rc::clone(&out)),
            stderr: Writer::into_buffer(Rc::clone(&err)),
            ..self.ctx.clone()
        };
        let code = Rc::new(RefCell::new(None));
        let (slot, script) = (Rc::clone(&code), script.to_owned());
        let sim = self.ctx.sim.clone();
        sim.spawn(async move {
            let value = shell::run_script(ctx, script).await;
            *slot.borrow_mut() = Some(value);
        });
        self.settle(Duration::from_secs(3600));
        let text = |bytes: Rc<RefCell<Vec<u8>>>| String::from_utf8_lossy(&bytes.borrow()).into_owned();
        (text(out), text(err), code.take().unwrap_or(-1))
    }

    /// Lets at most this much time pass.
    pub fn settle(&self, at_most: Duration) {
        let until = self.ctx.sim.now() + at_most;
        for _ in 0..2_000 {
            match self.ctx.sim.step(until, StepLimits::default()) {
                Step::Busy => {}
                Step::Idle { .. } => return,
                Step::Waiting => panic!("nothing here asks the platform"),
            }
        }
        panic!("the world does not come to rest");
    }
}
