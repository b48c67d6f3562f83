//! `kubonsai`: the native shell around the same core that runs in the page.
//!
//! This crate and `web` are the only ones that touch a platform: clocks, files, threads and sockets live here.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "the native shell is where the platform is")]

mod bench;
mod check;
mod dev;
mod new;
mod serve;
mod sh;
mod trace;
mod wire;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Objects are many small pieces: a fifth of the time went into handing out and taking back memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A Kubernetes cluster for learning, in one process.
#[derive(Parser)]
#[command(name = "kubonsai", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A shell on the learner's machine. Virtual time runs as fast as it can.
    Sh(sh::Options),
    /// Plays a script in a cluster and prints what became of each of its requests on the network, hop by hop.
    Trace(trace::Options),
    /// Serves the API of a cluster over HTTP for real clients, at the speed of the wall clock.
    Serve(serve::Options),
    /// Plays a scenario as fast as it can and prints how fast that was.
    #[command(hide = true)]
    Bench(bench::Options),
    /// Reads lessons and plays their solutions: each check must fail before and hold after.
    Check(check::Options),
    /// Begins a new lesson: a small one that is whole.
    New(new::Options),
    /// Serves the built page with the lessons of a folder, and reloads it when they change.
    Dev(dev::Options),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Sh(options) => sh::run(&options),
        Command::Trace(options) => trace::run(&options),
        Command::Serve(options) => serve::run(&options).map(|()| 0),
        Command::Bench(options) => bench::run(&options),
        Command::Check(options) => check::run(&options),
        Command::New(options) => new::run(&options),
        Command::Dev(options) => dev::run(&options),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("kubonsai: {error:#}");
            ExitCode::FAILURE
        }
    }
}
