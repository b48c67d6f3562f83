//! `date`, on virtual time, in UTC.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use machine::Ctx;
use simulation::Time;

use super::Outcome;
use super::io::complain;
use super::options::{Spec, parse};

/// What `-d` understands: `now`, `@seconds`, RFC 3339, a date, `N units` with an optional `ago`.
fn read(text: &str, now: Time) -> Option<Time> {
    let text = text.trim();
    match text {
        "" | "now" | "today" => return Some(now),
        "yesterday" => return Some(shift(now, -86_400)),
        "tomorrow" => return Some(shift(now, 86_400)),
        _ => {}
    }
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().ok().map(Time::from_unix_seconds);
    }
    if let Some(time) = Time::parse_rfc3339(text).or_else(|| Time::parse_rfc3339(&format!("{text}T00:00:00Z"))) {
        return Some(time);
    }
    if let Some(time) = text.split_once(' ').and_then(|(d, t)| Time::parse_rfc3339(&format!("{d}T{t}Z"))) {
        return Some(time);
    }
    let mut seconds = 0;
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let number: i64 = word.parse().ok()?;
        let unit = words.next()?.trim_end_matches('s');
        let scale = match unit {
            "second" | "sec" => 1,
            "minute" | "min" => 60,
            "hour" => 3600,
            "day" => 86_400,
            "week" => 7 * 86_400,
            _ => return None,
        };
        let sign = if words.peek() == Some(&"ago") { -1 } else { 1 };
        if sign < 0 {
            words.next();
        }
        seconds += sign * number.checked_mul(scale)?;
    }
    Some(shift(now, seconds))
}

fn shift(time: Time, seconds: i64) -> Time {
    Time::from_nanos(time.as_nanos().saturating_add(seconds.saturating_mul(1_000_000_000)))
}

/// `strftime`; `%N` is nine digits of nanoseconds.
fn format(time: Time, pattern: &str) -> Option<String> {
    let stamp = Timestamp::from_nanosecond(i128::from(time.as_nanos())).ok()?;
    let zoned = stamp.to_zoned(TimeZone::UTC);
    let nanos = format!("{:09}", time.as_nanos().rem_euclid(1_000_000_000));
    let pattern = pattern.replace("%3N", &nanos[..3]).replace("%6N", &nanos[..6]).replace("%N", &nanos);
    let pattern = pattern.replace("%Z", "UTC").replace("%:z", "+00:00").replace("%z", "+0000");
    jiff::fmt::strtime::format(&pattern, &zoned).ok()
}

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "ud:I::Rr:s:",
        long: &[
            ("utc", 'u'),
            ("universal", 'u'),
            ("date=", 'd'),
            ("iso-8601", 'I'),
            ("rfc-email", 'R'),
            ("rfc-3339=", '3'),
            ("set=", 's'),
        ],
        permute: true,
    };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "date", message).await;
            return Ok(1);
        }
    };
    if parsed.has('s') {
        complain(&ctx, "date", "cannot set date: Operation not permitted").await;
        return Ok(1);
    }
    let mut time = ctx.sim.now();
    if let Some(text) = parsed.value('d') {
        match read(text, time) {
            Some(read) => time = read,
            None => {
                complain(&ctx, "date", format!("invalid date '{text}'")).await;
                return Ok(1);
            }
        }
    }
    let mut pattern = "%a %b %e %H:%M:%S UTC %Y".to_owned();
    if parsed.has('R') {
        pattern = "%a, %d %b %Y %H:%M:%S +0000".into();
    }
    if parsed.has('I') || parsed.has('3') {
        pattern = match parsed.value('I').or(parsed.value('3')) {
            Some("s" | "seconds") => "%Y-%m-%dT%H:%M:%S+00:00".into(),
            Some("ns") => "%Y-%m-%dT%H:%M:%S,%N+00:00".into(),
            Some("m" | "minutes") => "%Y-%m-%dT%H:%M+00:00".into(),
            Some("h" | "hours") => "%Y-%m-%dT%H+00:00".into(),
            _ => "%Y-%m-%d".into(),
        };
    }
    match parsed.operands.first() {
        Some(operand) if operand.starts_with('+') => pattern = operand[1..].to_owned(),
        Some(operand) => {
            complain(&ctx, "date", format!("invalid date '{operand}'")).await;
            return Ok(1);
        }
        None => {}
    }
    match format(time, &pattern) {
        Some(text) => {
            ctx.out(format!("{text}\n")).await?;
            Ok(0)
        }
        None => {
            complain(&ctx, "date", format!("invalid format '{pattern}'")).await;
            Ok(1)
        }
    }
}
