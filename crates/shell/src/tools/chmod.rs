//! `chmod`.

use machine::Ctx;

use super::Outcome;
use super::io::complain;

/// The mode after an octal or symbolic change; none if it is neither.
fn change(text: &str, old: u16, is_dir: bool) -> Option<u16> {
    if text.chars().all(|c| c.is_digit(8)) {
        return u16::from_str_radix(text, 8).ok().filter(|m| *m <= 0o7777);
    }
    let mut mode = old;
    for clause in text.split(',') {
        let at = clause.find(['+', '-', '='])?;
        let (who, rest) = clause.split_at(at);
        let mut mask = 0;
        for c in who.chars() {
            mask |= match c {
                'u' => 0o4700,
                'g' => 0o2070,
                'o' => 0o1007,
                'a' => 0o7777,
                _ => return None,
            };
        }
        let mask = if who.is_empty() { 0o755 | 0o022 } else { mask };
        let mut bits = 0;
        for c in rest[1..].chars() {
            bits |= match c {
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                'X' if is_dir || old & 0o111 != 0 => 0o111,
                'X' => 0,
                's' => 0o6000,
                't' => 0o1000,
                _ => return None,
            };
        }
        match &rest[..1] {
            "+" => mode |= bits & mask,
            "-" => mode &= !(bits & mask),
            _ => mode = (mode & !mask) | (bits & mask),
        }
    }
    Some(mode)
}

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let mut recursive = false;
    let mut words = Vec::new();
    for arg in &args[1..] {
        match arg.as_str() {
            "-R" | "--recursive" => recursive = true,
            "-v" | "-f" | "-c" => {}
            _ => words.push(arg.clone()),
        }
    }
    if words.len() < 2 {
        let after = words.first().map_or("missing operand".to_owned(), |w| format!("missing operand after '{w}'"));
        complain(&ctx, "chmod", format!("{after}\nTry 'chmod --help' for more information.")).await;
        return Ok(1);
    }
    let mode = words.remove(0);
    if change(&mode, 0, false).is_none() {
        let message = format!("invalid mode: '{mode}'\nTry 'chmod --help' for more information.");
        complain(&ctx, "chmod", message).await;
        return Ok(1);
    }
    let mut code = 0;
    let mut queue: Vec<String> = words.into_iter().rev().collect();
    while let Some(path) = queue.pop() {
        let full = ctx.path(&path);
        let meta = match ctx.fs.stat(&full) {
            Ok(meta) => meta,
            Err(errno) => {
                complain(&ctx, "chmod", format!("cannot access '{path}': {errno}")).await;
                code = 1;
                continue;
            }
        };
        let new = change(&mode, meta.mode, meta.is_dir()).unwrap_or(meta.mode);
        if let Err(errno) = ctx.fs.chmod(&full, new) {
            complain(&ctx, "chmod", format!("changing permissions of '{path}': {errno}")).await;
            code = 1;
        }
        if recursive && meta.is_dir() {
            for entry in ctx.fs.readdir(&full).unwrap_or_default() {
                queue.push(format!("{}/{}", path.trim_end_matches('/'), entry.name));
            }
        }
    }
    Ok(code)
}
