//! `bash` and `sh` as programs: `-c`, a script file, or standard input.

use std::cell::Cell;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use machine::{Ctx, Program};

use crate::exec::script_shell;
use crate::shell::{BASH_VERSION, Place};
use crate::{Processes, Shell};

pub(super) const NAMES: &[&str] = &["bash", "sh"];

/// Shells that run inside each other or beside each other as programs; one more is refused as a failing fork is.
const SHELLS_MAX: u32 = 64;

/// `bash`. Its processes are its own: the shell that started it sees one program.
#[derive(Default)]
pub(super) struct Bash {
    running: Rc<Cell<u32>>,
}

/// Counts a shell while it runs.
struct Counted(Rc<Cell<u32>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Program for Bash {
    fn names(&self) -> &[&str] {
        NAMES
    }

    fn run(self: Rc<Self>, ctx: Ctx, args: Vec<String>) -> LocalBoxFuture<'static, i32> {
        Box::pin(async move {
            if self.running.get() >= SHELLS_MAX {
                ctx.err(format!("{}: fork: retry: Resource temporarily unavailable\n", args[0])).await;
                return 254;
            }
            self.running.set(self.running.get() + 1);
            let _counted = Counted(Rc::clone(&self.running));
            run(ctx, Processes::default(), &args).await
        })
    }
}

async fn run(ctx: Ctx, processes: Processes, args: &[String]) -> i32 {
    let mut flags = vec!["set".to_owned()];
    let mut command = false;
    let mut i = 1;
    while let Some(arg) = args.get(i).filter(|a| a.len() > 1 && (a.starts_with('-') || a.starts_with('+'))) {
        i += 1;
        match arg.as_str() {
            "--" => break,
            "--version" => {
                let text =
                    format!("GNU bash, version {BASH_VERSION} (kubonsai)\nA shell of Kubonsai that follows bash.\n");
                return ctx.out(text).await.map_or(141, |()| 0);
            }
            "--norc" | "--noprofile" | "--login" | "-l" | "-i" | "--posix" | "-s" => {}
            "-o" | "+o" => {
                flags.push(arg.clone());
                flags.extend(args.get(i).cloned());
                i += 1;
            }
            long if long.starts_with("--") => {
                ctx.err(format!("{}: {long}: invalid option\n", args[0])).await;
                return 2;
            }
            short => {
                let letters: String = short.chars().filter(|c| !matches!(c, 'c' | 'l' | 'i')).collect();
                command |= short.contains('c');
                if letters.len() > 1 {
                    flags.push(letters);
                }
            }
        }
    }
    let rest = &args[i.min(args.len())..];
    let stderr = ctx.stderr.clone();
    let (mut shell, text) = if command {
        let Some(text) = rest.first().cloned() else {
            ctx.err(format!("{}: -c: option requires an argument\n", args[0])).await;
            return 2;
        };
        let name = rest.get(1).cloned().unwrap_or(args[0].clone());
        let mut shell = Shell::new(ctx, processes);
        shell.set_arguments(&name, rest.iter().skip(2).cloned().collect());
        shell.set_place(Place::Script { name, origin: "-c: " });
        (shell, text)
    } else if let Some(path) = rest.first() {
        let text = match ctx.fs.read_to_string(&ctx.path(path)) {
            Ok(text) => text,
            Err(errno) => {
                let _ = stderr.print(format!("{}: {path}: {errno}\n", args[0])).await;
                return if errno == vfs::Errno::NotFound { 127 } else { 126 };
            }
        };
        (script_shell(ctx, processes, path, rest), text)
    } else {
        if ctx.stdin.is_tty() {
            return crate::terminal::inner(ctx, processes).await;
        }
        let text = ctx.stdin.read_to_string().await;
        let mut shell = Shell::new(ctx, processes);
        shell.set_place(Place::Script { name: args[0].clone(), origin: "" });
        (shell, text)
    };
    if flags.len() > 1 && shell.set_options(&flags).await != 0 {
        return 2;
    }
    shell.run_script(&text).await
}
