//! Below what a node evicts pods at once (`evictionHard`, `parseThresholdStatement`).

use api::quantity::{Format, Quantity};

/// One threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// So much, and how it is printed.
    Amount(i64, Format),
    /// So many percent of what there is.
    Percent(u8),
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
            Threshold::Percent(percent) => {
                Quantity::from_bytes((capacity as f64 * f64::from(f32::from(percent) / 100.0)) as i64)
            }
        }
    }

    /// None for percentages that upstream ignores.
    fn parse(text: &str) -> Result<Option<Threshold>, String> {
        if let Some(number) = text.strip_suffix('%') {
            let percent = number.parse::<u8>().ok().filter(|percent| *percent <= 100);
            let percent = percent.ok_or_else(|| format!("{text}: a whole number of percent from 0 to 100 is due"))?;
            return Ok((percent != 0 && percent != 100).then_some(Threshold::Percent(percent)));
        }
        let amount = Quantity::parse(text).map_err(|error| error.to_string())?;
        if amount.value() <= 0 {
            return Err(format!("must be positive: {text}"));
        }
        Ok(Some(Threshold::Amount(amount.value(), amount.format())))
    }
}

/// The thresholds of one node. None is never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
        nodefs: Some(Threshold::Percent(10)),
        nodefs_inodes: Some(Threshold::Percent(5)),
        imagefs: Some(Threshold::Percent(15)),
        imagefs_inodes: Some(Threshold::Percent(5)),
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
            let slot = match signal.trim() {
                "memory.available" => &mut hard.memory,
                "nodefs.available" => &mut hard.nodefs,
                "nodefs.inodesFree" => &mut hard.nodefs_inodes,
                "imagefs.available" => &mut hard.imagefs,
                "imagefs.inodesFree" => &mut hard.imagefs_inodes,
                "pid.available" => &mut hard.pids,
                other => return Err(format!("unsupported eviction signal {other}")),
            };
            let value = Threshold::parse(value.trim());
            *slot = value.map_err(|why| format!("eviction threshold {signal}: {why}"))?;
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
        assert_eq!(pids, Some(Threshold::Percent(10)));
        let wrong = |text: &str| EvictionHard::parse(text).unwrap_err();
        assert_eq!(wrong("memory.available=1Gi"), "malformed pair, expect string<string: memory.available=1Gi");
        assert_eq!(wrong("memory.free<1Gi"), "unsupported eviction signal memory.free");
        assert_eq!(wrong("memory.available<0"), "eviction threshold memory.available: must be positive: 0");
        assert!(wrong("nodefs.available<101%").starts_with("eviction threshold nodefs.available: 101%: "));
        assert!(wrong("nodefs.available<much").starts_with("eviction threshold nodefs.available: "));
    }
}
