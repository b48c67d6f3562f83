//! sleep, usleep.

use std::time::Duration;

use crate::applet::{Fail, Io, Outcome};

/// Seconds of `5`, `1.5`, `2m`, `1h`, `1d`.
pub fn duration(text: &str) -> Result<Duration, Fail> {
    let invalid = || Fail::Message(format!("invalid number '{text}'"));
    let (digits, unit) = match text.chars().last() {
        Some('s') => (&text[..text.len() - 1], 1.0),
        Some('m') => (&text[..text.len() - 1], 60.0),
        Some('h') => (&text[..text.len() - 1], 3_600.0),
        Some('d') => (&text[..text.len() - 1], 86_400.0),
        _ => (text, 1.0),
    };
    if digits == "inf" || digits == "infinity" {
        return Ok(Duration::from_secs(u64::from(u32::MAX)));
    }
    let value: f64 = digits.parse().map_err(|_| invalid())?;
    Duration::try_from_secs_f64(value * unit).map_err(|_| invalid())
}

/// Waits for the sum of its arguments.
pub fn run(_: &mut Io<'_>, args: &[String]) -> Outcome {
    if args.len() < 2 {
        return Err(Fail::Message("missing operand".to_owned()));
    }
    let mut total = Duration::ZERO;
    for arg in &args[1..] {
        total = total.saturating_add(duration(arg)?);
    }
    std::thread::sleep(total);
    Ok(0)
}

/// Waits for microseconds.
pub fn micro(_: &mut Io<'_>, args: &[String]) -> Outcome {
    let micros = args.get(1).and_then(|a| a.parse().ok()).ok_or_else(|| Fail::Message("missing operand".to_owned()))?;
    std::thread::sleep(Duration::from_micros(micros));
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("1.5m").ok(), Some(Duration::from_secs(90)));
        assert!(duration("x").is_err() && duration("-1").is_err());
    }
}
