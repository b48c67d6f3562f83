//! A stand-in for `node server.js` of the Kubernetes Basics tutorial's image: an HTTP server on port 8080 that says
//! where it runs. The version in its answer is that of the script in the image, so one program serves both.

use std::time::{Instant, SystemTime};

use net::http::{Response, Server, http_date, iso_millis};

/// Where the image has the script.
const SCRIPT: &str = "/server.js";
/// What `node --version` prints; NODE_VERSION in image.json is the same.
const NODE_VERSION: &str = "v6.3.1";
/// The port of the original.
const PORT: u16 = 8080;

fn main() {
    proc::start();
    let script = std::env::args().nth(1).unwrap_or_else(|| SCRIPT.to_owned());
    if matches!(script.as_str(), "-v" | "--version") {
        println!("{NODE_VERSION}");
        return;
    }
    let text = match std::fs::read_to_string(&script) {
        Ok(text) => text,
        Err(_) => {
            eprintln!("module.js:457\n    throw err;\n    ^\n\nError: Cannot find module '{script}'");
            std::process::exit(1);
        }
    };
    let version = version(&text).unwrap_or("1").to_owned();
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| proc::hostname());
    // No handler for SIGTERM, like the original: as a container's first process it ignores the signal, serves through the
    // whole grace period and is killed at its end. A rolling update therefore loses no request.
    let mut server = match Server::bind(PORT) {
        Ok(server) => server,
        Err(_) => {
            eprintln!(
                "events.js:160\n      throw er; // Unhandled 'error' event\n      ^\n\nError: listen EADDRINUSE :::{PORT}"
            );
            std::process::exit(1);
        }
    };
    let started = Instant::now();
    let now = iso_millis(SystemTime::now());
    println!("Kubernetes Bootcamp App Started At: {now} | Running On:  {host} \n");
    let mut requests = 0u64;
    let stopped = server.run(|_, _| {
        requests += 1;
        let uptime = uptime(started.elapsed().as_millis());
        let now = SystemTime::now();
        println!(
            "Running On: {host} | Total Requests: {requests} | App Uptime: {uptime} seconds | Log Time: {}",
            iso_millis(now)
        );
        answer(&host, &version).header("Date", http_date(now))
    });
    std::process::exit(match stopped {
        Ok(signal) => 128 + signal.0.cast_signed(),
        Err(_) => 1,
    });
}

/// The number in the script's ` | v=1`.
fn version(script: &str) -> Option<&str> {
    let rest = &script[script.find("v=")? + 2..];
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    if end == 0 { None } else { Some(&rest[..end]) }
}

/// Milliseconds as JavaScript prints seconds.
fn uptime(millis: u128) -> String {
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn answer(host: &str, version: &str) -> Response {
    let pieces = ["Hello Kubernetes bootcamp! | Running on: ".to_owned(), host.to_owned(), format!(" | v={version}\n")];
    let body = pieces.map(String::into_bytes).into();
    let headers = vec![("Content-Type".to_owned(), "text/plain".to_owned())];
    Response { status: 200, headers, body, chunked: true, words: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_that_of_the_original() {
        let body = answer("pod-1", "2").body.concat();
        assert_eq!(String::from_utf8(body), Ok("Hello Kubernetes bootcamp! | Running on: pod-1 | v=2\n".to_owned()));
        assert_eq!(version("response.end(\" | v=2\\n\");"), Some("2"));
        assert_eq!(version("nothing"), None);
        assert_eq!([uptime(12_340), uptime(1_000), uptime(5)], ["12.34", "1", "0.005"]);
    }
}
