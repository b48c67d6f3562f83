//! uptime.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::applet::{Io, Outcome};

/// Prints the time and how long the container has been up.
pub fn run(io: &mut Io<'_>, _: &[String]) -> Outcome {
    let now = SystemTime::now();
    let c = net::http::civil(now);
    let first = proc::processes().unwrap_or_default().into_iter().find(|p| p.pid == 1).map_or(0, |p| p.started_nanos);
    let nanos = now.duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(0));
    let minutes = nanos.saturating_sub(first) / 60_000_000_000;
    let up = if minutes < 60 { format!("{minutes} min") } else { format!("{}:{:02}", minutes / 60, minutes % 60) };
    writeln!(
        io.out,
        " {:02}:{:02}:{:02} up {up},  0 users,  load average: 0.00, 0.00, 0.00",
        c.hour, c.minute, c.second
    )?;
    Ok(0)
}
