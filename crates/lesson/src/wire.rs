//! How the network of a world is: how long its wires take, and how much they lose. As `setup.yaml` and command lines say it.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest latency: beyond it nothing that has a time-out of its own would work.
const LATENCY_MAX: Duration = Duration::from_secs(10);
/// A loss of everything.
const ALL: u32 = 1_000_000;

/// How the wires between pods, nodes and machines are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wire {
    /// How long one way takes; none: as long as between good machines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// How much is lost; none: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
}

/// A time, written as `20ms`, `500us` or `1s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency(pub Duration);

/// How many of a million packets are lost, written as a share: `1%`, `0.5%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss(pub u32);

impl std::str::FromStr for Latency {
    type Err = String;

    fn from_str(text: &str) -> Result<Latency, String> {
        let wrong =
            || format!("{text:?}: a time such as 20ms, 500us or 1s is due, of {} at most", written(LATENCY_MAX));
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let micros: u64 = match unit {
            "us" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            _ => return Err(wrong()),
        };
        let micros = number.parse::<u64>().ok().and_then(|number| number.checked_mul(micros));
        let time = micros.map(Duration::from_micros).filter(|time| *time <= LATENCY_MAX);
        time.map(Latency).ok_or_else(wrong)
    }
}

impl std::str::FromStr for Loss {
    type Err = String;

    fn from_str(text: &str) -> Result<Loss, String> {
        let wrong = || format!("{text:?}: a share such as 1% or 0.5% is due");
        let (whole, fraction) =
            text.strip_suffix('%').map(|n| n.split_once('.').unwrap_or((n, "0"))).ok_or_else(wrong)?;
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) || fraction.len() > 4 {
            return Err(wrong());
        }
        // A percent is ten thousand of a million.
        let parts: u32 = format!("{fraction:0<4}").parse().map_err(|_| wrong())?;
        let whole = whole.parse::<u32>().ok().and_then(|whole| whole.checked_mul(10_000));
        whole.and_then(|whole| whole.checked_add(parts)).filter(|loss| *loss <= ALL).map(Loss).ok_or_else(wrong)
    }
}

fn written(time: Duration) -> String {
    match time.as_micros() {
        micros if micros % 1_000_000 == 0 => format!("{}s", micros / 1_000_000),
        micros if micros % 1_000 == 0 => format!("{}ms", micros / 1_000),
        micros => format!("{micros}us"),
    }
}

impl std::fmt::Display for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&written(self.0))
    }
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, parts) = (self.0 / 10_000, format!("{:04}", self.0 % 10_000));
        match parts.trim_end_matches('0') {
            "" => write!(f, "{whole}%"),
            parts => write!(f, "{whole}.{parts}%"),
        }
    }
}

macro_rules! as_text {
    ($name:ty) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
                String::deserialize(from)?.parse().map_err(D::Error::custom)
            }
        }
    };
}

as_text!(Latency);
as_text!(Loss);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_shares_are_read_and_written() {
        for (text, micros) in [("20ms", 20_000), ("500us", 500), ("1s", 1_000_000), ("0s", 0)] {
            let latency: Latency = text.parse().expect("a time");
            assert_eq!((latency.0, latency.to_string()), (Duration::from_micros(micros), text.to_owned()));
        }
        for (text, loss) in [("1%", 10_000), ("0.5%", 5_000), ("100%", 1_000_000), ("0.0001%", 1), ("0%", 0)] {
            let parsed: Loss = text.parse().expect("a share");
            assert_eq!((parsed.0, parsed.to_string()), (loss, text.to_owned()));
        }
        for text in ["", "20", "ms", "-1ms", "1.5ms", "11s", "99999999999999999999s", "1m"] {
            assert!(text.parse::<Latency>().is_err(), "{text}");
        }
        for text in ["", "1", "%", "101%", "-1%", "0.00001%", "1.%", "99999999999%", "+1%"] {
            assert!(text.parse::<Loss>().is_err(), "{text}");
        }
    }
}
