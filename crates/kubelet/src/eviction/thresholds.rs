//! Below what a node evicts pods at once (`evictionHard`, `parseThresholdStatement`).

use api::quantity::{Format, Quantity};

/// One threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// So much, and how it is printed.
    Amount(i64, Format),
    /// So many percent of what there is, from 0 to 100.
    Percent(f32),
}

impl Threshold {
    /// How much that is, of something of which there is `capacity`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "as upstream, and sizes of disks fit"
    )]
    pub(crate) fn of(self, capacity: i64) -> Quantity {
        match self {
            Threshold::Amount(amount, format) => Quantity::new(amount, format),
            // Upstream's percentages are numbers of 32 bits, and become bytes whatever they are of.
            Threshold::Percent(percent) => Quantity::from_bytes((capacity as f64 * f64::from(percent / 100.0)) as i64),
        }
    }

    /// None for percentages that upstream ignores.
    fn parse(signal: &str, text: &str) -> Result<Option<Threshold>, String> {
        if text.ends_with('%') {
            if matches!(text, "0%" | "100%") {
                return Ok(None);
            }
            let number = text.trim_end_matches('%');
            let percent = number.parse::<f32>().ok().filter(|percent| !percent.is_nan());
            let percent = percent.ok_or_else(|| format!("strconv.ParseFloat: parsing \"{number}\": invalid syntax"))?;
            if percent < 0.0 {
                return Err(format!("eviction percentage threshold {signal} must be >= 0%: {text}"));
            }
            if percent > 100.0 {
                return Err(format!("eviction percentage threshold {signal} must be <= 100%: {text}"));
            }
            return Ok(Some(Threshold::Percent(percent)));
        }
        let amount = Quantity::parse(text).map_err(|error| error.to_string())?;
        if amount.value() <= 0 {
            return Err(format!("eviction threshold {signal} must be positive: {text}"));
        }
        Ok(Some(Threshold::Amount(amount.value(), amount.format())))
    }
}

/// The thresholds of one node. None is never.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EvictionHard {
    /// `memory.available`
    pub memory: Option<Threshold>,
    /// `nodefs.available`
    pub nodefs: Option<Threshold>,
    /// `nodefs.inodesFree`
    pub nodefs_inodes: Option<Threshold>,
    /// `imagefs.available`: images are on the same disk.
    pub imagefs: Option<Threshold>,
    /// `imagefs.inodesFree`
    pub imagefs_inodes: Option<Threshold>,
    /// `pid.available`
    pub pids: Option<Threshold>,
}

impl EvictionHard {
    /// minikube's: its configuration names those of the disk alone, with 0 %, and so leaves no other.
    pub const MINIKUBE: EvictionHard = EvictionHard {
        memory: None,
        nodefs: None,
        nodefs_inodes: None,
        imagefs: None,
        imagefs_inodes: None,
        pids: None,
    };

    /// What a kubelet has that was told nothing (`DefaultEvictionHard`): `memory.available<100Mi,nodefs.available<10%,` and so on.
    pub const UPSTREAM: EvictionHard = EvictionHard {
        memory: Some(Threshold::Amount(100 << 20, Format::Binary)),
        nodefs: Some(Threshold::Percent(10.0)),
        nodefs_inodes: Some(Threshold::Percent(5.0)),
        imagefs: Some(Threshold::Percent(15.0)),
        imagefs_inodes: Some(Threshold::Percent(5.0)),
        pids: None,
    };

    /// Reads what the kubelet's flag `--eviction-hard` takes: `memory.available<100Mi,nodefs.available<10%`. What is not named is
    /// never met.
    ///
    /// # Errors
    /// Which of it is wrong, as upstream says it.
    pub fn parse(text: &str) -> Result<EvictionHard, String> {
        let mut hard = EvictionHard::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((signal, value)) = pair.split_once('<') else {
                return Err(format!("malformed pair, expect string<string: {pair}"));
            };
            let signal = signal.trim();
            let slot = match signal {
                "memory.available" => &mut hard.memory,
                "nodefs.available" => &mut hard.nodefs,
                "nodefs.inodesFree" => &mut hard.nodefs_inodes,
                "imagefs.available" => &mut hard.imagefs,
                "imagefs.inodesFree" => &mut hard.imagefs_inodes,
                "pid.available" => &mut hard.pids,
                other => return Err(format!("unsupported eviction signal {other}")),
            };
            *slot = Threshold::parse(signal, value.trim())?;
        }
        Ok(hard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_read_as_the_flag_of_the_kubelet_has_them() {
        let all = "memory.available<100Mi,nodefs.available<10%,nodefs.inodesFree<5%,imagefs.available<15%,imagefs.inodesFree<5%";
        assert_eq!(EvictionHard::parse(all), Ok(EvictionHard::UPSTREAM));
        let none = "nodefs.available<0%,nodefs.inodesFree<0%,imagefs.available<0%";
        assert_eq!(EvictionHard::parse(none), Ok(EvictionHard::MINIKUBE));
        let pids = EvictionHard::parse(" pid.available < 10% ").unwrap().pids;
        assert_eq!(pids, Some(Threshold::Percent(10.0)));
        let nodefs = EvictionHard::parse("nodefs.available<7.5%").unwrap().nodefs;
        assert_eq!(nodefs, Some(Threshold::Percent(7.5)));
        // 0.075 of 32 bits is a little more.
        assert_eq!(nodefs.map(|threshold| threshold.of(1 << 30).value()), Some(80_530_640));
        let wrong = |text: &str| EvictionHard::parse(text).unwrap_err();
        assert_eq!(wrong("memory.available=1Gi"), "malformed pair, expect string<string: memory.available=1Gi");
        assert_eq!(wrong("memory.free<1Gi"), "unsupported eviction signal memory.free");
        assert_eq!(wrong("memory.available<0"), "eviction threshold memory.available must be positive: 0");
        let percent = "eviction percentage threshold nodefs.available must be";
        assert_eq!(wrong("nodefs.available<100.5%"), format!("{percent} <= 100%: 100.5%"));
        assert_eq!(wrong("nodefs.available<-1%"), format!("{percent} >= 0%: -1%"));
        assert_eq!(wrong("nodefs.available<x%"), "strconv.ParseFloat: parsing \"x\": invalid syntax");
        assert!(wrong("nodefs.available<much").starts_with("quantities must match the regular expression"));
    }
}
