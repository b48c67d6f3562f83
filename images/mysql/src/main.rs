//! A stand-in for MySQL: `mysqld`, the clients `mysql` and `mysqladmin`, and the image's `docker-entrypoint.sh` in one
//! program. The engine is the crate `sql`.

mod admin;
mod auth;
mod client;
mod connection;
mod draw;
mod entrypoint;
mod log;
mod options;
mod protocol;
mod server;
mod wire;

/// The version where the image says none.
const VERSION: &str = "9.7.0";

/// The server's name behind its version: what stands here says that it stands in.
const COMMENT: &str = "stand-in for MySQL Community Server";

fn main() {
    proc::start();
    let args: Vec<String> = std::env::args().collect();
    let package = std::env::var("MYSQL_VERSION").unwrap_or_else(|_| VERSION.to_owned());
    let version = package.split('-').next().unwrap_or(VERSION).to_owned();
    let name = args.first().map_or("", |a| a.rsplit('/').next().unwrap_or(a));
    let rest = args.get(1..).unwrap_or(&[]);
    std::process::exit(match name {
        "mysql" => client::run(rest, &version),
        "mysqladmin" => admin::run(rest, &version),
        "mysqldump" => {
            eprintln!("kubonsai does not support mysqldump (mysql) yet");
            2
        }
        "docker-entrypoint.sh" => entrypoint::run(rest, &version, &package),
        _ => server::run(rest, &version),
    });
}
