//! The project's own commands: `cargo xtask help` lists them.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::main()
}
