//! A stand-in for `stress`: uses CPU and memory, so that limits can be seen at work.

use std::time::{Duration, Instant};

/// Bytes of a page that is touched.
const PAGE_BYTES: usize = 4096;

/// What to do.
#[derive(Debug, Default, PartialEq, Eq)]
struct Load {
    cpus: usize,
    workers: usize,
    bytes: usize,
    /// Seconds to hold the memory; 0 for ever, none to take and give back without a pause.
    hang_seconds: Option<u64>,
    timeout_seconds: Option<u64>,
}

fn main() {
    proc::start();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let load = match parse(&args) {
        Ok(load) => load,
        Err(message) => {
            eprintln!("stress: FAIL: [{}] {message}", proc::id());
            std::process::exit(1);
        }
    };
    println!("stress: info: [{}] dispatching hogs: {} cpu, 0 io, {} vm, 0 hdd", proc::id(), load.cpus, load.workers);
    // One process plays all the workers: CPU and memory are the container's, not theirs.
    let started = Instant::now();
    let done = |started: Instant| load.timeout_seconds.is_some_and(|t| started.elapsed() >= Duration::from_secs(t));
    // Taken once: freed memory would not go back to the machine, and taking it again might not find it.
    let mut memory = vec![0u8; load.workers.saturating_mul(load.bytes)];
    while !done(started) {
        touch(&mut memory);
        match load.hang_seconds {
            _ if load.cpus > 0 => spin(),
            Some(0) => std::thread::sleep(Duration::from_secs(u64::from(u32::MAX))),
            Some(seconds) => std::thread::sleep(Duration::from_secs(seconds)),
            None => {}
        }
    }
    println!("stress: info: [{}] successful run completed in {}s", proc::id(), started.elapsed().as_secs());
}

/// Writes to every page.
fn touch(memory: &mut [u8]) {
    for page in memory.iter_mut().step_by(PAGE_BYTES) {
        *page = std::hint::black_box(b'Z');
    }
}

/// Square roots for a while.
fn spin() {
    let mut value = 2.0f64;
    for _ in 0..1_000_000 {
        value = std::hint::black_box(value.sqrt() + 1.0);
    }
}

/// Bytes of `250M`, seconds of `10m`.
fn sized(text: &str, units: &[(char, u64)]) -> Option<u64> {
    let last = text.chars().last()?;
    let unit = units.iter().find(|(letter, _)| last.eq_ignore_ascii_case(letter));
    let digits = if unit.is_some() { &text[..text.len() - 1] } else { text };
    digits.parse::<u64>().ok()?.checked_mul(unit.map_or(1, |(_, scale)| *scale))
}

fn parse(args: &[String]) -> Result<Load, String> {
    const BYTES: &[(char, u64)] = &[('b', 1), ('k', 1 << 10), ('m', 1 << 20), ('g', 1 << 30)];
    const SECONDS: &[(char, u64)] = &[('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let mut load = Load { bytes: 256 << 20, ..Load::default() };
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let mut value = |units| {
            let text = rest.next().ok_or_else(|| format!("{arg} requires an argument"))?;
            sized(text, units).ok_or_else(|| format!("invalid number: {text}"))
        };
        let narrow = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        match arg.as_str() {
            "-c" | "--cpu" => load.cpus = narrow(value(&[])?),
            "-m" | "--vm" => load.workers = narrow(value(&[])?),
            "--vm-bytes" => load.bytes = narrow(value(BYTES)?),
            "--vm-hang" => load.hang_seconds = Some(value(SECONDS)?),
            "--vm-keep" => load.hang_seconds = Some(0),
            "-t" | "--timeout" => load.timeout_seconds = Some(value(SECONDS)?),
            "-v" | "--verbose" | "-q" | "--quiet" => {}
            "-i" | "--io" | "-d" | "--hdd" => return Err(format!("kubonsai does not support {arg} (stress) yet")),
            other => return Err(format!("unrecognized option: {other}")),
        }
    }
    Ok(load)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_are_read() {
        let words: Vec<String> = "--vm 1 --vm-bytes 150M --vm-hang 1 -t 2m".split(' ').map(str::to_owned).collect();
        let load = Load { cpus: 0, workers: 1, bytes: 150 << 20, hang_seconds: Some(1), timeout_seconds: Some(120) };
        assert_eq!(parse(&words), Ok(load));
        assert!(parse(&["--hdd".to_owned(), "1".to_owned()]).is_err());
        let mut memory = vec![0; 10_000];
        touch(&mut memory);
        assert_eq!(memory.iter().filter(|b| **b != 0).count(), 3);
    }
}
