//! The images of ingress-nginx: the controller, which answers requests as nginx does there, and `kube-webhook-certgen`.
//!
//! The half of the controller that reads the API and writes statuses and Events is played by the simulated machine; see [`link`].

mod access;
mod connection;
mod exchange;
mod forward;
mod klog;
mod link;
mod pages;
mod pattern;
mod server;
mod site;

use std::io;
use std::time::{Duration, Instant};

use net::Wait;

use crate::link::Link;
use crate::server::Nginx;
use crate::site::Site;

/// The release, as the controller says it.
const RELEASE: &str = "v1.15.1";
/// After how many seconds the machine is asked again when it does not answer.
const RETRY_SECONDS: u64 = 1;
/// Seconds that the machine has for tidying up when the controller ends.
const FAREWELL_SECONDS: u64 = 10;

fn main() {
    proc::start();
    let args: Vec<String> = std::env::args().collect();
    let name = |word: &String| word.rsplit('/').next().unwrap_or("").to_owned();
    let mut words: Vec<String> = args.clone();
    // dumb-init runs what follows the two dashes.
    if words.first().map(name).as_deref() == Some("dumb-init") {
        words.remove(0);
        words.retain(|word| word != "--");
    }
    let code = match words.first().map(name).as_deref() {
        Some("nginx-ingress-controller") => controller(&words[1..]),
        Some("kube-webhook-certgen") => certgen(&words[1..]),
        Some("wait-shutdown") => wait_shutdown(),
        Some(_) => proc::exec(&words, "[dumb-init] "),
        None => {
            eprintln!("Usage: dumb-init [option] program [args]");
            1
        }
    };
    std::process::exit(code);
}

/// A line of nginx's error log.
fn error_line(text: &str) {
    let c = net::http::civil(std::time::SystemTime::now());
    let pid = proc::id();
    eprintln!(
        "{:04}/{:02}/{:02} {:02}:{:02}:{:02} [error] {pid}#{pid}: {text}",
        c.year, c.month, c.day, c.hour, c.minute, c.second
    );
}

/// An error as nginx writes it on Linux.
fn linux_error(error: &io::Error) -> String {
    let errno = proc::Errno::from_io(error);
    format!("{}: {}", errno.linux_number(), errno.libc_words())
}

/// `/wait-shutdown`: the hook before the container's end tells the controller and waits for it.
fn wait_shutdown() -> i32 {
    let told = proc::kill(1, proc::SIGTERM);
    std::thread::sleep(Duration::from_secs(FAREWELL_SECONDS));
    i32::from(told.is_err())
}

fn banner() {
    let line = "-".repeat(79);
    println!(
        "{line}\nNGINX Ingress controller\n  Release:       {RELEASE}\n  Build:         made for Kubonsai, with nothing of the original in it\n  Repository:    https://github.com/kubernetes/ingress-nginx\n{line}\n"
    );
}

/// The controller, until it is told to end.
fn controller(args: &[String]) -> i32 {
    banner();
    if args.iter().any(|arg| arg == "--version") {
        return 0;
    }
    for signal in [proc::SIGTERM, proc::SIGINT, proc::SIGQUIT] {
        let _ = proc::on_signal(signal, proc::Disposition::Catch);
    }
    let nginx = match Nginx::bind() {
        Ok(nginx) => nginx,
        Err((port, error)) => {
            error_line(&format!("bind() to 0.0.0.0:{port} failed ({})", linux_error(&error)));
            return 1;
        }
    };
    klog::line("I", "nginx.go:273", "\"Starting NGINX Ingress controller\"");
    let mut running = Running { nginx, link: None, next: None, retry_at: None, has_complained: false };
    let result = running.serve();
    klog::line("I", "nginx.go:395", "\"Shutting down controller queues\"");
    running.farewell();
    klog::line("I", "nginx.go:411", "\"Stopping NGINX process\"");
    klog::line("I", "nginx.go:424", "\"NGINX process has stopped\"");
    klog::line("I", "sigterm.go:44", "Exiting code=0");
    match result {
        Ok(()) => 0,
        Err(error) => {
            error_line(&format!("poll() failed ({})", linux_error(&error)));
            1
        }
    }
}

struct Running {
    nginx: Nginx,
    link: Option<Link>,
    /// The configuration that is coming.
    next: Option<Site>,
    retry_at: Option<Instant>,
    has_complained: bool,
}

impl Running {
    fn serve(&mut self) -> io::Result<()> {
        loop {
            if proc::take_signal().is_some() {
                klog::line("I", "sigterm.go:36", "\"Received SIGTERM, shutting down\"");
                return Ok(());
            }
            let now = Instant::now();
            if self.link.is_none() && self.retry_at.is_none_or(|at| at <= now) {
                self.link = Link::open(&format!("controller\t{RELEASE}\n")).ok();
                self.retry_at = Some(now + Duration::from_secs(RETRY_SECONDS));
            }
            let mut what = self.nginx.interests();
            if let Some(link) = &self.link {
                what.push(if link.wants_room() { Wait::Write(link.fd()) } else { Wait::Read(link.fd()) });
            }
            let retry = self.retry_at.filter(|_| self.link.is_none()).map(|at| at.saturating_duration_since(now));
            let ready = match net::wait(&what, self.nginx.patience(now).into_iter().chain(retry).min()) {
                Ok(ready) => ready.into_iter().filter_map(|index| what.get(index).copied()).collect::<Vec<_>>(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let now = Instant::now();
            self.hear(now);
            self.nginx.accept(&ready, now);
            self.nginx.turn(now);
        }
    }

    /// Takes what the machine says.
    fn hear(&mut self, now: Instant) {
        let Some(link) = &mut self.link else { return };
        match link.turn() {
            Ok(lines) => lines.iter().for_each(|line| self.follow(line)),
            Err(error) => {
                if !self.has_complained {
                    let why = proc::Errno::from_io(&error);
                    klog::line(
                        "E",
                        "reflector.go:205",
                        &format!("\"Failed to watch\" err=\"{}: {why}\"", link::MACHINE),
                    );
                }
                self.has_complained = true;
                self.link = None;
                self.retry_at = Some(now + Duration::from_secs(RETRY_SECONDS));
            }
        }
    }

    fn follow(&mut self, line: &[String]) {
        self.has_complained = false;
        match line {
            [kind, severity, place, text] if kind == "log" => klog::line(severity, place, text),
            [kind] if kind == "config" => self.next = Some(Site::default()),
            [kind] if kind == "apply" => {
                if let Some(site) = self.next.take() {
                    site.complaints().iter().for_each(|complaint| error_line(complaint));
                    self.nginx.configure(site);
                }
            }
            line => {
                let is_read = self.next.as_mut().is_some_and(|site| site.read(line));
                if !is_read {
                    error_line(&format!("unexpected configuration: {}", line.join(" ")));
                }
            }
        }
    }

    /// Lets the machine take back what it wrote into statuses.
    fn farewell(&mut self) {
        let Some(link) = &mut self.link else { return };
        link.say("shutdown\n");
        let end = Instant::now() + Duration::from_secs(FAREWELL_SECONDS);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let what = if link.wants_room() { Wait::Write(link.fd()) } else { Wait::Read(link.fd()) };
            if left.is_zero() || net::wait(&[what], Some(left)).is_err() {
                return;
            }
            match link.turn() {
                Ok(lines) => {
                    let logs = lines.iter().filter(|line| line.first().is_some_and(|kind| kind == "log"));
                    logs.filter_map(|line| line.get(3)).for_each(|text| klog::line("I", "status.go:139", text));
                }
                Err(_) => return,
            }
        }
    }
}

/// `kube-webhook-certgen create|patch`: asks the machine to do it, since it is the API that it is done with.
fn certgen(args: &[String]) -> i32 {
    let command = args.iter().find(|arg| !arg.starts_with('-')).map_or("", String::as_str);
    if !matches!(command, "create" | "patch") {
        eprintln!("Usage:\n  kube-webhook-certgen [command]\n\nAvailable Commands:\n  create\n  patch");
        return i32::from(!command.is_empty());
    }
    let flag = |name: &str| {
        let prefix = format!("--{name}=");
        args.iter().find_map(|arg| arg.strip_prefix(&prefix)).unwrap_or("").to_owned()
    };
    let hello = format!("certgen\t{command}\t{}\t{}\n", flag("namespace"), flag("secret-name"));
    loop {
        let ended = Link::open(&hello).and_then(|mut link| {
            loop {
                let what = if link.wants_room() { Wait::Write(link.fd()) } else { Wait::Read(link.fd()) };
                net::wait(&[what], None)?;
                for line in link.turn()? {
                    match &line[..] {
                        [kind, text] if kind == "say" => println!("{text}"),
                        [kind, code] if kind == "end" => return Ok(code.parse().unwrap_or(1)),
                        _ => {}
                    }
                }
            }
        });
        match ended {
            Ok(code) => return code,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return 143,
            Err(_) => std::thread::sleep(Duration::from_secs(RETRY_SECONDS)),
        }
    }
}
