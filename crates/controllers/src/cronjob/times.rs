//! Which time of the schedule is due, and when the next one is (`mostRecentScheduleTime`).

use std::time::Duration;

use api::Object;
use api::cron::Schedule;
use api::timezone::Zone;
use simulation::Time;

use crate::pods;

/// Looks come this long after the time of the schedule.
const DELTA: Duration = Duration::from_millis(100);
/// More missed times than this are worth a warning.
const MISSED_MAX: i64 = 100;

/// The schedule of a CronJob.
pub(super) struct Times {
    schedule: Schedule,
    pub(super) zone: Zone,
}

/// What the schedule calls for now.
pub(super) struct Due {
    /// The last time that has come, in seconds since 1970.
    pub(super) at: Option<i64>,
    /// Whether suspiciously many times have passed.
    pub(super) is_late: bool,
    earliest: i64,
    has_missed: bool,
}

impl Times {
    /// None if the schedule or the zone cannot be read.
    pub(super) fn of(cron_job: &Object) -> Option<Times> {
        let schedule = Schedule::parse(cron_job.str("spec.schedule")).ok()?;
        Some(Times { schedule, zone: Zone::named(cron_job.str("spec.timeZone"))? })
    }

    /// What is due.
    ///
    /// # Errors
    /// The schedule names no times that exist.
    pub(super) fn due(&self, cron_job: &Object, now: Time, with_deadline: bool) -> Result<Due, String> {
        let seconds = |path: &str| Time::parse_rfc3339(cron_job.str(path)).map(Time::unix_seconds);
        let created = pods::created(cron_job).map_or(0, Time::unix_seconds);
        let mut earliest = seconds("status.lastScheduleTime").unwrap_or(created);
        let now = now.unix_seconds();
        if let Some(deadline) = cron_job.int("spec.startingDeadlineSeconds").filter(|_| with_deadline) {
            earliest = earliest.max(now - deadline);
        }
        let none = Due { at: None, is_late: false, earliest, has_missed: false };
        let next = |after: i64| self.schedule.next(after, &self.zone);
        let nonsense = || "time difference between two schedules is less than 1 second".to_owned();
        let first = next(earliest).ok_or_else(nonsense)?;
        if now < first {
            return Ok(none);
        }
        let second = next(first).ok_or_else(nonsense)?;
        if now < second {
            return Ok(Due { at: Some(first), ..none });
        }
        let missed = (now - first) / (second - first) + 1;
        let mut at = None;
        let mut time = next(first + (missed - 2) * (second - first));
        while let Some(due) = time.filter(|time| *time <= now) {
            at = Some(due);
            time = next(due);
        }
        Ok(Due { at, is_late: missed > MISSED_MAX, has_missed: missed > 0, ..none })
    }

    /// How long until the next look (`nextScheduleTimeDuration`).
    pub(super) fn pause(&self, cron_job: &Object, now: Time) -> Duration {
        let from = match self.due(cron_job, now, false) {
            Ok(Due { at: Some(at), .. }) => at,
            Ok(due) if !due.has_missed => due.earliest,
            _ => now.unix_seconds(),
        };
        let next = self.schedule.next(from, &self.zone).map(Time::from_unix_seconds);
        next.map_or(Duration::MAX, |next| (next + DELTA).saturating_since(now).max(Duration::from_millis(1)))
    }
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    fn check(spec: json::Value, created: &str, now: &str) -> (Option<String>, u64) {
        let cron_job = Object::new(json!({"metadata": {"creationTimestamp": created}, "spec": spec}));
        let (times, now) = (Times::of(&cron_job).unwrap(), Time::parse_rfc3339(now).unwrap());
        let due = times.due(&cron_job, now, true).unwrap();
        let at = due.at.map(|at| Time::from_unix_seconds(at).rfc3339());
        (at, times.pause(&cron_job, now).as_secs())
    }

    #[test]
    fn the_last_time_that_has_come() {
        let every_minute = json!({"schedule": "* * * * *"});
        let created = "2026-11-21T02:44:24Z";
        assert_eq!(check(every_minute.clone(), created, "2026-11-21T02:44:30Z"), (None, 30));
        let due = |text: &str| Some(text.to_owned());
        assert_eq!(check(every_minute.clone(), created, "2026-11-21T02:45:00Z"), (due("2026-11-21T02:45:00Z"), 60));
        assert_eq!(check(every_minute, created, "2026-11-21T05:10:20Z"), (due("2026-11-21T05:10:00Z"), 40));
        let deadline = json!({"schedule": "0 * * * *", "startingDeadlineSeconds": 60});
        assert_eq!(check(deadline, created, "2026-11-21T05:10:00Z").0, None);
    }
}
