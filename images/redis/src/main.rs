//! A stand-in for Redis: `redis-server`, `redis-cli` and the image's `docker-entrypoint.sh` in one program.

mod cli;
mod commands;
mod config;
mod core;
mod defaults;
mod disk;
mod format;
mod info;
mod refused;
mod resp;
mod saving;
mod server;
mod session;
mod shutdown;
mod snapshot;
mod store;

fn main() {
    proc::start();
    let args: Vec<String> = std::env::args().collect();
    let version = std::env::var("REDIS_VERSION").unwrap_or_else(|_| "8.0.2".to_owned());
    let name = args.first().map_or("", |a| a.rsplit('/').next().unwrap_or(a));
    let rest = args.get(1..).unwrap_or(&[]);
    std::process::exit(match name {
        "redis-cli" => cli::run(rest, &version),
        "docker-entrypoint.sh" => entrypoint(rest, &version),
        _ => server::run(rest, &version),
    });
}

/// The entrypoint of the image: options and a configuration file alone are the server's.
fn entrypoint(command: &[String], version: &str) -> i32 {
    match command.first().map(String::as_str) {
        None => 0,
        Some(first) if first.starts_with('-') || first.ends_with(".conf") => server::run(command, version),
        Some("redis-server") => server::run(&command[1..], version),
        Some(_) => proc::exec(command, "/usr/local/bin/docker-entrypoint.sh: 25: exec"),
    }
}
