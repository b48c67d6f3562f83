//! Many small programs in one: the shell and the tools that images bring along. The name by which it is called tells
//! which one it is, as in the original.

mod applet;
mod applets;
mod dns;
mod pattern;
mod regex;
mod sh;

use std::io::BufWriter;

fn main() {
    proc::start();
    let mut args: Vec<String> = std::env::args().collect();
    if base(&args) == "busybox" && args.len() > 1 {
        args.remove(0);
    }
    let name = base(&args).to_owned();
    if matches!(name.trim_start_matches('-'), "sh" | "ash" | "bash") {
        std::process::exit(sh::main(&args));
    }
    std::process::exit(run(&name, &args));
}

/// The name without its folder.
fn base(args: &[String]) -> &str {
    args.first().map_or("", |a| a.rsplit('/').next().unwrap_or(a))
}

fn run(name: &str, args: &[String]) -> i32 {
    let stdout = proc::file(1);
    let mut out = BufWriter::new(&*stdout);
    let mut err = std::io::stderr();
    let mut input = std::io::stdin();
    let mut io = applet::Io { input: &mut input, out: &mut out, err: &mut err };
    match applets::find(name) {
        Some(applet) => {
            let status = applet.run(&mut io, args);
            let _ = io.out.flush();
            status
        }
        None if name == "busybox" || name.is_empty() => {
            let names: Vec<&str> = applets::names().collect();
            let _ = writeln!(
                io.out,
                "BusyBox stand-in of Kubonsai, multi-call program.\n\nCurrently defined functions:\n\t{}",
                names.join(", ")
            );
            let _ = io.out.flush();
            0
        }
        None => {
            let _ = writeln!(io.err, "{name}: applet not found");
            127
        }
    }
}
