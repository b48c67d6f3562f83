//! Requests to an API server, `%%` between them: `METHOD /path`, headers, an empty line, the body.
#![no_main]

use api::http::{Body, Request, Transport as _};
use apiserver::{ApiServer, Config};
use libfuzzer_sys::fuzz_target;
use simulation::{Sim, SimConfig, StepLimits, Time};

const START: Time = Time::from_unix_seconds(1_795_230_000);
/// Requests of one input, at most.
const REQUESTS_MAX: usize = 16;
/// Steps for each of them, at most.
const STEPS_MAX: u32 = 200;

fuzz_target!(|data: &[u8]| {
    let sim = Sim::new(SimConfig { seed: 1, start: START });
    let server = ApiServer::new(sim.clone(), Config::default());
    for request in fuzz::parts(data).take(REQUESTS_MAX).filter_map(request) {
        let answer = server.call(request);
        sim.spawn(async move {
            let _ = answer.await;
        });
        for _ in 0..STEPS_MAX {
            if sim.step(sim.now(), StepLimits::default()) != simulation::Step::Busy {
                break;
            }
        }
    }
    // Tasks hold the server, which holds its tasks.
    sim.shut_down();
});

fn request(text: &str) -> Option<Request> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, path) = lines.next()?.split_once(' ')?;
    let mut builder = http::Request::builder().method(method).uri(path);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        builder = builder.header(name, value);
    }
    let body = if body.is_empty() { Body::Empty } else { Body::Bytes(body.to_owned().into()) };
    builder.body(body).ok()
}
