//! `base64` and `sha256sum`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use machine::Ctx;
use sha2::{Digest, Sha256};

use super::Outcome;
use super::io::{complain, inputs, read};
use super::options::{Spec, parse};

pub(super) async fn base64(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec =
        Spec { short: "dDiw:", long: &[("decode", 'd'), ("ignore-garbage", 'i'), ("wrap=", 'w')], permute: true };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "base64", message).await;
            return Ok(1);
        }
    };
    let path = parsed.operands.first().map_or("-", String::as_str);
    let bytes = match read(&ctx, path).await {
        Ok(bytes) => bytes,
        Err(errno) => {
            complain(&ctx, "base64", format!("{path}: {errno}")).await;
            return Ok(1);
        }
    };
    if parsed.has('d') || parsed.has('D') {
        let keep = |b: &u8| {
            let known = b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
            if parsed.has('i') { known } else { !matches!(b, b'\n' | b'\r') }
        };
        let text: Vec<u8> = bytes.into_iter().filter(keep).collect();
        // What could be decoded comes out, as with coreutils, and then the complaint.
        let whole = text.len() / 4 * 4;
        let good =
            (0..=whole).rev().step_by(4).find_map(|end| STANDARD.decode(&text[..end]).ok().map(|out| (end, out)));
        let (end, out) = good.unwrap_or_default();
        ctx.stdout.write_all(&out).await?;
        if end < text.len() {
            complain(&ctx, "base64", "invalid input").await;
            return Ok(1);
        }
        return Ok(0);
    }
    let columns = match parsed.value('w').map(str::parse::<usize>) {
        None => 76,
        Some(Ok(columns)) => columns,
        Some(Err(_)) => {
            complain(&ctx, "base64", format!("invalid wrap size: '{}'", parsed.value('w').unwrap_or_default())).await;
            return Ok(1);
        }
    };
    let text = STANDARD.encode(bytes);
    if columns == 0 {
        ctx.out(text).await?;
        return Ok(0);
    }
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(columns.min(rest.len()));
        ctx.out(format!("{line}\n")).await?;
        rest = after;
    }
    Ok(0)
}

pub(super) async fn sha256sum(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec { short: "bt", long: &[], permute: true };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "sha256sum", message).await;
            return Ok(1);
        }
    };
    let mut code = 0;
    for path in inputs(&parsed.operands) {
        match read(&ctx, &path).await {
            Ok(bytes) => {
                let hex: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
                ctx.out(format!("{hex}  {path}\n")).await?;
            }
            Err(errno) => {
                complain(&ctx, "sha256sum", format!("{path}: {errno}")).await;
                code = 1;
            }
        }
    }
    Ok(code)
}
