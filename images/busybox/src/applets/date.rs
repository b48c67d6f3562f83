//! date.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::applet::{Fail, Io, Options, Outcome};

/// A moment by a format of `strftime`, in UTC.
pub fn format(time: SystemTime, format: &str) -> String {
    let c = net::http::civil(time);
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let nanos = time.duration_since(UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
    let long_month = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let long_day = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    let hour12 = match c.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(ch) = chars.next() {
        if ch != '%' {
            out.push(ch);
            continue;
        }
        match chars.next() {
            Some('Y') => out.push_str(&format!("{:04}", c.year)),
            Some('y') => out.push_str(&format!("{:02}", c.year % 100)),
            Some('m') => out.push_str(&format!("{:02}", c.month)),
            Some('d') => out.push_str(&format!("{:02}", c.day)),
            Some('e') => out.push_str(&format!("{:2}", c.day)),
            Some('H') => out.push_str(&format!("{:02}", c.hour)),
            Some('I') => out.push_str(&format!("{hour12:02}")),
            Some('M') => out.push_str(&format!("{:02}", c.minute)),
            Some('S') => out.push_str(&format!("{:02}", c.second)),
            Some('p') => out.push_str(if c.hour < 12 { "AM" } else { "PM" }),
            Some('j') => out.push_str(&format!("{:03}", c.day_of_year)),
            Some('a') => out.push_str(c.day_name()),
            Some('A') => out.push_str(long_day[c.weekday % 7]),
            Some('b' | 'h') => out.push_str(c.month_name()),
            Some('B') => out.push_str(long_month[c.month - 1]),
            Some('u') => out.push_str(&(if c.weekday == 0 { 7 } else { c.weekday }).to_string()),
            Some('w') => out.push_str(&c.weekday.to_string()),
            Some('s') => out.push_str(&seconds.to_string()),
            Some('N') => out.push_str(&format!("{nanos:09}")),
            Some('Z') => out.push_str("UTC"),
            Some('z') => out.push_str("+0000"),
            Some('F') => out.push_str(&format!("{:04}-{:02}-{:02}", c.year, c.month, c.day)),
            Some('T') => out.push_str(&format!("{:02}:{:02}:{:02}", c.hour, c.minute, c.second)),
            Some('R') => out.push_str(&format!("{:02}:{:02}", c.hour, c.minute)),
            Some('D') => out.push_str(&format!("{:02}/{:02}/{:02}", c.month, c.day, c.year % 100)),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('%') => out.push('%'),
            Some(other) => {
                out.push('%');
                out.push(other);
            }
            None => out.push('%'),
        }
    }
    out
}

/// Prints the time. Containers have UTC.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "ud:s:RI", &[("date", 'd'), ("utc", 'u')])?;
    if options.value('s').is_some() {
        return Err(Fail::Message("can't set date: Operation not permitted".to_owned()));
    }
    let time = match options.value('d') {
        None => SystemTime::now(),
        Some(text) => match text.strip_prefix('@').and_then(|s| s.parse().ok()) {
            Some(seconds) => UNIX_EPOCH + Duration::from_secs(seconds),
            None => return Err(Fail::Message(format!("invalid date '{text}'"))),
        },
    };
    let default = if options.has('R') {
        "%a, %d %b %Y %T +0000"
    } else if options.has('I') {
        "%F"
    } else {
        "%a %b %e %T UTC %Y"
    };
    let wanted = options.operands.iter().find_map(|o| o.strip_prefix('+')).unwrap_or(default);
    writeln!(io.out, "{}", format(time, wanted))?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::{check, run};

    #[test]
    fn date() {
        check("date", &["-d", "@1795228719"], "", "Sat Nov 21 02:38:39 UTC 2026\n");
        check("date", &["-d", "@1795228719", "+%F %H:%M %s %j %%"], "", "2026-11-21 02:38 1795228719 325 %\n");
        assert_eq!(run("date", &["-d", "tomorrow"], "").2, "date: invalid date 'tomorrow'\n");
    }
}
