//! The lines of the server's and of the entrypoint's log.

use std::time::{SystemTime, UNIX_EPOCH};

use net::http::civil;

/// Microseconds since 1970.
pub fn now_micros() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
}

/// A line of mysqld: `2026-11-22T23:59:59.123456Z 0 [System] [MY-010931] [Server] text`.
pub fn server(level: &str, number: u32, text: &str) {
    let now = SystemTime::now();
    let c = civil(now);
    let micros = now.duration_since(UNIX_EPOCH).map_or(0, |d| d.subsec_micros());
    let stamp =
        format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{micros:06}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
    eprintln!("{stamp} 0 [{level}] [MY-{number:06}] [Server] {text}");
}

fn entrypoint_line(level: &str, text: &str) -> String {
    let c = civil(SystemTime::now());
    let stamp =
        format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02}+00:00", c.year, c.month, c.day, c.hour, c.minute, c.second);
    format!("{stamp} [{level}] [Entrypoint]: {text}")
}

/// A note of the entrypoint.
pub fn note(text: &str) {
    println!("{}", entrypoint_line("Note", text));
}

/// A warning or an error of the entrypoint.
pub fn complain(level: &str, text: &str) {
    eprintln!("{}", entrypoint_line(level, text));
}
