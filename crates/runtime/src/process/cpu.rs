//! CPU limits: fuel for each period of 100 ms, as the kernel's CFS bandwidth control.

use std::cell::Cell;

use simulation::Time;

use crate::limits::{CPU_PERIOD, FUEL_PER_CPU_SECOND, FUEL_PER_SLICE};

/// The CPU of one container.
#[derive(Debug)]
pub struct Cpu {
    /// Fuel of one period.
    quota: Cell<u64>,
    period_start: Cell<Time>,
    used_in_period: Cell<u64>,
    used: Cell<u64>,
    throttled_periods: Cell<u64>,
}

impl Cpu {
    /// `milli` thousandths of a CPU.
    pub fn new(milli: u64) -> Self {
        Cpu {
            quota: Cell::new(per_period(milli)),
            period_start: Cell::new(Time::default()),
            used_in_period: Cell::new(0),
            used: Cell::new(0),
            throttled_periods: Cell::new(0),
        }
    }

    /// From now on `milli` thousandths of a CPU.
    pub fn set(&self, milli: u64) {
        self.quota.set(per_period(milli));
    }

    /// Fuel for the next slice, or until when there is none.
    ///
    /// # Errors
    /// The moment of the next period.
    pub fn grant(&self, now: Time) -> Result<u64, Time> {
        let quota = self.quota.get();
        if now.saturating_since(self.period_start.get()) >= CPU_PERIOD {
            // What was used beyond the quota is taken from the next periods.
            let debt = self.used_in_period.get().saturating_sub(quota);
            let periods = now.saturating_since(self.period_start.get()).as_nanos() / CPU_PERIOD.as_nanos();
            let paid = u64::try_from(periods.saturating_sub(1)).unwrap_or(u64::MAX).saturating_mul(quota);
            self.used_in_period.set(debt.saturating_sub(paid));
            self.period_start.set(now);
        }
        match quota.saturating_sub(self.used_in_period.get()) {
            0 => {
                self.throttled_periods.set(self.throttled_periods.get() + 1);
                Err(self.period_start.get() + CPU_PERIOD)
            }
            left => Ok(left.min(FUEL_PER_SLICE)),
        }
    }

    /// Notes what a slice has used.
    pub fn charge(&self, fuel: u64) {
        self.used_in_period.set(self.used_in_period.get().saturating_add(fuel));
        self.used.set(self.used.get().saturating_add(fuel));
    }

    /// Fuel used since the start.
    pub fn used(&self) -> u64 {
        self.used.get()
    }

    /// How often a process had to wait for the next period.
    pub fn throttled_periods(&self) -> u64 {
        self.throttled_periods.get()
    }
}

/// The fuel of one period.
fn per_period(milli: u64) -> u64 {
    let fuel = u128::from(milli) * u128::from(FUEL_PER_CPU_SECOND) * CPU_PERIOD.as_millis() / 1_000_000;
    u64::try_from(fuel).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn half_a_cpu_gets_half_the_fuel() {
        let cpu = Cpu::new(500);
        let mut now = Time::from_unix_seconds(10);
        let end = now + Duration::from_secs(1);
        while now < end {
            match cpu.grant(now) {
                Ok(fuel) => {
                    cpu.charge(fuel);
                    now = now + crate::kernel::fuel_time(fuel);
                }
                Err(until) => now = until,
            }
        }
        let used = cpu.used() as f64 / FUEL_PER_CPU_SECOND as f64;
        assert!((0.49..0.56).contains(&used), "{used}");
        assert!(cpu.throttled_periods() >= 9);
    }
}
