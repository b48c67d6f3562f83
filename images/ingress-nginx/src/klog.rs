//! Lines in klog's form, as the controller writes them: `I1122 19:40:31.123456       7 store.go:443] ...`.

use std::time::{SystemTime, UNIX_EPOCH};

use net::http::civil;

/// Writes a line to standard error. The severity is one of `I`, `W`, `E`.
pub fn line(severity: &str, place: &str, text: &str) {
    eprintln!("{}", format(SystemTime::now(), proc::id(), severity, place, text));
}

fn format(now: SystemTime, pid: u32, severity: &str, place: &str, text: &str) -> String {
    let c = civil(now);
    let micros = now.duration_since(UNIX_EPOCH).map_or(0, |d| d.subsec_micros());
    format!(
        "{severity}{:02}{:02} {:02}:{:02}:{:02}.{micros:06} {pid:7} {place}] {text}",
        c.month, c.day, c.hour, c.minute, c.second
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn lines_have_klogs_form() {
        let now = UNIX_EPOCH + Duration::from_micros(1_795_230_501_000_042);
        let line = format(now, 7, "I", "store.go:443", "\"Found valid IngressClass\"");
        assert_eq!(line, "I1121 03:08:21.000042       7 store.go:443] \"Found valid IngressClass\"", "{line}");
    }
}
