//! `wget URL`: the same network as curl, with wget's words.

use std::net::SocketAddrV4;

use api::http::Body;
use futures_util::StreamExt;
use machine::Ctx;
use network::NetError;
use network::http1;
use vfs::OpenOptions;

use super::super::Outcome;
use super::super::io::complain;
use super::super::options::{Spec, parse};
use super::url;
use crate::streams::Fd;

fn stamp(ctx: &Ctx) -> String {
    ctx.sim.now().rfc3339().replace('T', " ").trim_end_matches('Z').to_owned()
}

/// Basic `wget`: `-q`, `-O`, one URL after the other.
pub(crate) async fn wget(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "qO:nvT:t:S",
        long: &[
            ("quiet", 'q'),
            ("output-document=", 'O'),
            ("no-verbose", 'n'),
            ("timeout=", 'T'),
            ("tries=", 't'),
            ("spider", 'P'),
            ("no-check-certificate", 'K'),
        ],
        permute: true,
    };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "wget", message).await;
            return Ok(2);
        }
    };
    if parsed.operands.is_empty() {
        ctx.err("wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n").await;
        return Ok(1);
    }
    let mut code = 0;
    for text in &parsed.operands {
        match one(&ctx, text, parsed.value('O'), parsed.has('q')).await {
            Ok(()) => {}
            Err((number, message)) => {
                if !parsed.has('q') || number == 1 {
                    ctx.err(message).await;
                }
                code = number;
            }
        }
    }
    Ok(code)
}

async fn one(ctx: &Ctx, text: &str, output: Option<&str>, quiet: bool) -> Result<(), (i32, String)> {
    let url = url::parse(text).map_err(|failure| (1, format!("{text}: {}.\n", failure.1)))?;
    let say = async |text: String| {
        if !quiet {
            ctx.err(text).await;
        }
    };
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}/") };
    say(format!("--{}--  {full}\n", stamp(ctx))).await;
    let literal = url.host.parse::<std::net::Ipv4Addr>().is_ok();
    let address = match ctx.net.resolve(&url.host).await.ok().and_then(|a| a.first().copied()) {
        Some(address) => address,
        None => {
            say(format!("Resolving {0} ({0})... failed: Name or service not known.\n", url.host)).await;
            return Err((4, format!("wget: unable to resolve host address ‘{}’\n", url.host)));
        }
    };
    let place = if literal {
        format!("{address}:{}", url.port)
    } else {
        say(format!("Resolving {0} ({0})... {address}\n", url.host)).await;
        format!("{0} ({0})|{address}|:{1}", url.host, url.port)
    };
    say(format!("Connecting to {place}... ")).await;
    let stream = ctx.net.connect(SocketAddrV4::new(address, url.port)).await.map_err(|error| {
        let word = match error {
            NetError::Refused => "Connection refused",
            NetError::TimedOut => "Connection timed out",
            _ => "No route to host",
        };
        (4, format!("failed: {word}.\n"))
    })?;
    say("connected.\nHTTP request sent, awaiting response... ".into()).await;
    let builder = http::Request::builder().uri(url.target.as_str());
    let builder = builder.header("Host", url.authority()).header("User-Agent", "Wget/1.21.3").header("Accept", "*/*");
    let request = builder.body(Body::Empty).map_err(|_| (1, format!("{text}: Invalid URL.\n")))?;
    let response = http1::request(stream, request).await.map_err(|_| (4, "No data received.\n".to_owned()))?;
    let status = response.status();
    say(format!("{} {}\n", status.as_u16(), status.canonical_reason().unwrap_or_default())).await;
    if !status.is_success() {
        let reason = status.canonical_reason().unwrap_or_default();
        return Err((8, format!("{} ERROR {}: {reason}.\n", stamp(ctx), status.as_u16())));
    }
    let kind = response.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let mut bytes = Vec::new();
    match response.into_body() {
        Body::Stream(mut chunks) => {
            while let Some(chunk) = chunks.next().await {
                bytes.extend_from_slice(&chunk.into_bytes());
            }
        }
        body => bytes.extend_from_slice(&body.into_bytes().unwrap_or_default()),
    }
    let kind = kind.split(';').next().unwrap_or_default();
    say(format!("Length: {} [{kind}]\n", bytes.len())).await;
    let name = match (output, url.file_name()) {
        (Some(name), _) => name,
        (None, "") => "index.html",
        (None, name) => name,
    };
    if name == "-" {
        say("Saving to: ‘STDOUT’\n\n".into()).await;
        return ctx.stdout.write_all(&bytes).await.map_err(|_| (3, String::new()));
    }
    say(format!("Saving to: ‘{name}’\n\n")).await;
    let handle = ctx.fs.open(&ctx.path(name), OpenOptions::CREATE).map_err(|e| (3, format!("{name}: {e}\n")))?;
    let fd = Fd::file(handle);
    if let Some(writer) = &fd.write
        && writer.write_all(&bytes).await.is_err()
    {
        return Err((3, format!("Cannot write to ‘{name}’.\n")));
    }
    say(format!("{} - ‘{name}’ saved [{1}/{1}]\n\n", stamp(ctx), bytes.len())).await;
    Ok(())
}
