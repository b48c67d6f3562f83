//! A stand-in for the image of the tutorial on HorizontalPodAutoscalers: a web server that has to think about every answer.

use std::hint::black_box;
use std::time::SystemTime;

use net::http::{Response, Server, log_date};

/// The port of the original.
const PORT: u16 = 80;
/// As often the original's page takes a root.
const ROUNDS: u32 = 1_000_000;

fn main() {
    proc::start();
    for signal in [proc::SIGTERM, proc::SIGINT] {
        // Without it the grace period passes: no harm.
        let _ = proc::on_signal(signal, proc::Disposition::Catch);
    }
    let mut server = match Server::bind(PORT) {
        Ok(server) => server,
        Err(why) => {
            eprintln!(
                "(98)Address already in use: AH00072: make_sock: could not bind to address 0.0.0.0:{PORT}: {why}"
            );
            std::process::exit(1);
        }
    };
    println!("AH00094: Command line: 'apache2 -D FOREGROUND'");
    let stopped = server.run(|request, peer| {
        black_box(think(ROUNDS));
        let agent = request.header("User-Agent").unwrap_or("-");
        let line = format!("{} {} HTTP/1.1", request.method, request.target);
        println!("{} - - [{}] \"{line}\" 200 3 \"-\" \"{agent}\"", peer.ip(), log_date(SystemTime::now()));
        Response::new(200, "text/html; charset=UTF-8", "OK!")
    });
    std::process::exit(i32::from(stopped.is_err()));
}

/// Keeps a CPU busy for a while.
fn think(rounds: u32) -> f64 {
    let mut x = 0.0001_f64;
    for _ in 0..=rounds {
        x += x.sqrt();
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinking_comes_to_a_result() {
        assert!(think(10) > think(1));
    }
}
