//! One transfer: resolve, connect, send, receive, follow, write out.

use std::net::SocketAddrV4;
use std::time::Duration;

use api::http::{Body, Response};
use bytes::Bytes;
use futures_util::StreamExt;
use machine::{BrokenPipe, Ctx, Writer};
use network::NetError;
use network::http1::{self, HttpError};
use simulation::Time;
use vfs::OpenOptions;

use super::request::{Prepared, prepare};
use super::url::{self, Url};
use super::{Failure, Options, Output};
use crate::streams::Fd;

/// Redirects that `-L` follows.
const REDIRECTS_MAX: u32 = 50;
/// The first SYN of a connection is repeated for about this long before Linux gives up.
const CONNECT_LIMIT: Duration = Duration::from_secs(300);

/// What is known about a transfer, for `-w` and the meter.
#[derive(Default)]
struct Facts {
    code: u16,
    received: u64,
    sent: u64,
    redirects: u32,
    host: String,
    remote: String,
    remote_port: u16,
    content_type: String,
    url: String,
    started: Time,
    meter: bool,
}

enum Problem {
    Failure(Failure),
    Broken(BrokenPipe),
}

impl From<BrokenPipe> for Problem {
    fn from(broken: BrokenPipe) -> Self {
        Problem::Broken(broken)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Problem::Failure(failure)
    }
}

/// Runs one transfer to its end.
pub(super) async fn run(
    ctx: &Ctx,
    options: &Options,
    text: &str,
    output: Option<Output>,
) -> Result<Result<(), Failure>, BrokenPipe> {
    let mut facts = Facts { started: ctx.sim.now(), ..Facts::default() };
    let limit = options.max_time.map_or(Duration::from_secs(u32::MAX.into()), Duration::from_secs_f64);
    let work = go(ctx, options, text, output, &mut facts);
    let result = match ctx.sim.timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => {
            let millis = limit.as_millis();
            let received = facts.received;
            let message = if facts.remote.is_empty() {
                format!("Connection timed out after {millis} milliseconds")
            } else {
                format!("Operation timed out after {millis} milliseconds with {received} bytes received")
            };
            Err(Problem::Failure(Failure(28, message)))
        }
    };
    let result = match result {
        Ok(()) => Ok(()),
        Err(Problem::Broken(broken)) => return Err(broken),
        Err(Problem::Failure(failure)) => Err(failure),
    };
    if facts.meter {
        ctx.err(meter_line(&facts, ctx.sim.now())).await;
    }
    if let Some(format) = &options.write_out {
        let text = write_out(format, &facts, ctx.sim.now(), result.as_ref().err());
        ctx.out(text).await?;
    }
    Ok(result)
}

async fn go(
    ctx: &Ctx,
    options: &Options,
    text: &str,
    output: Option<Output>,
    facts: &mut Facts,
) -> Result<(), Problem> {
    facts.url = text.to_owned();
    let mut url = url::parse(text)?;
    let name = match &output {
        Some(Output::RemoteName) if url.file_name().is_empty() => {
            ctx.err("curl: Remote file name has no length!\n").await;
            return Err(Failure(23, "Failed writing received data to disk/application".into()).into());
        }
        Some(Output::RemoteName) => Some(url.file_name().to_owned()),
        Some(Output::File(name)) if name != "-" => Some(name.clone()),
        _ => None,
    };
    facts.meter = !options.silent && (name.is_some() || !ctx.stdout.is_tty());
    if facts.meter {
        ctx.err(METER_HEAD).await;
    }
    let mut method: Option<&str> = None;
    let mut with_body = true;
    loop {
        let prepared = prepare(options, &url, method, with_body);
        let response = exchange(ctx, options, &url, &prepared, facts).await?;
        facts.code = response.status().as_u16();
        let location = response.headers().get("location").and_then(|v| v.to_str().ok()).map(str::to_owned);
        let redirect = options.follow && (300..400).contains(&facts.code);
        if let Some(location) = location.filter(|_| redirect) {
            facts.redirects += 1;
            if facts.redirects > REDIRECTS_MAX {
                return Err(Failure(47, format!("Maximum ({REDIRECTS_MAX}) redirects followed")).into());
            }
            if options.include || options.head {
                ctx.out(head_lines(&response, "\r\n", "")).await?;
            }
            if matches!(facts.code, 301..=303) {
                with_body = false;
                method = (facts.code == 303 && !options.head).then_some("GET");
            }
            url = url::parse(&url.join(&location))?;
            facts.url = url.join(&url.target);
            continue;
        }
        return finish(ctx, options, response, name.as_deref(), facts).await;
    }
}

async fn verbose(ctx: &Ctx, options: &Options, text: String) {
    if options.verbose {
        ctx.err(text).await;
    }
}

/// Connects, sends, and reads the head of the answer.
async fn exchange(
    ctx: &Ctx,
    options: &Options,
    url: &Url,
    prepared: &Prepared,
    facts: &mut Facts,
) -> Result<Response, Problem> {
    let given = super::resolve::find(&options.resolves, &url.host, url.port)?;
    let resolved = match given {
        Some(addresses) => {
            verbose(ctx, options, format!("* Hostname {} was found in DNS cache\n", url.host)).await;
            Ok(addresses)
        }
        None => ctx.net.resolve(&url.host).await,
    };
    let addresses = match resolved {
        Ok(addresses) if !addresses.is_empty() => addresses,
        _ => {
            verbose(ctx, options, format!("* Could not resolve host: {}\n* Closing connection 0\n", url.host)).await;
            return Err(Failure(6, format!("Could not resolve host: {}", url.host)).into());
        }
    };
    let start = ctx.sim.now();
    let limit = options.connect_timeout.map_or(CONNECT_LIMIT, Duration::from_secs_f64);
    let mut stream = Err(NetError::Refused);
    for address in addresses {
        verbose(ctx, options, format!("*   Trying {address}:{}...\n", url.port)).await;
        let connecting = ctx.net.connect(SocketAddrV4::new(address, url.port));
        stream = ctx.sim.timeout(limit, connecting).await.unwrap_or(Err(NetError::TimedOut));
        if stream.is_ok() {
            facts.host = url.host.clone();
            facts.remote = address.to_string();
            facts.remote_port = url.port;
            break;
        }
        if let Err(error) = &stream {
            let word = match error {
                NetError::Refused => "Connection refused",
                NetError::Unreachable => "No route to host",
                NetError::TimedOut => "Connection timed out",
                _ => "Network is unreachable",
            };
            let text = format!("* connect to {address} port {} failed: {word}\n", url.port);
            verbose(ctx, options, text).await;
        }
    }
    let stream = match stream {
        Ok(stream) => stream,
        Err(error) => {
            let millis = ctx.sim.now().saturating_since(start).as_millis();
            let code = if error == NetError::TimedOut { 28 } else { 7 };
            let reason = if code == 28 { "Connection timed out" } else { "Couldn't connect to server" };
            let message = format!("Failed to connect to {} port {} after {millis} ms: {reason}", url.host, url.port);
            verbose(ctx, options, format!("* {message}\n* Closing connection 0\n")).await;
            return Err(Failure(code, message).into());
        }
    };
    let connected = format!("* Connected to {} ({}) port {} (#0)\n", url.host, facts.remote, url.port);
    verbose(ctx, options, connected + &prepared.shown()).await;
    facts.sent = prepared.body.as_ref().map_or(0, |b| b.len() as u64);
    if facts.sent > 0 {
        verbose(ctx, options, format!("}} [{} bytes data]\n", facts.sent)).await;
    }
    let response = http1::request(stream, prepared.build()?).await.map_err(|error| Problem::Failure(broken(&error)))?;
    facts.content_type =
        response.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    verbose(ctx, options, head_lines(&response, "\n", "< ")).await;
    Ok(response)
}

fn broken(error: &HttpError) -> Failure {
    match error {
        HttpError::Closed => Failure(52, "Empty reply from server".into()),
        HttpError::Net(_) => Failure(56, "Recv failure: Connection reset by peer".into()),
        HttpError::Malformed(_) => Failure(1, "Received HTTP/0.9 when not allowed".into()),
        HttpError::TooLarge(limit) => Failure(63, format!("Message exceeds {limit}")),
        HttpError::Upgrade => Failure(1, error.to_string()),
    }
}

/// Status line and headers; names are written as Go and most servers do.
fn head_lines(response: &Response, end: &str, prefix: &str) -> String {
    let status = response.status();
    let mut text =
        format!("{prefix}HTTP/1.1 {} {}{end}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    for (name, value) in response.headers() {
        let name: Vec<String> = name
            .as_str()
            .split('-')
            .map(|part| {
                part.chars().enumerate().map(|(i, c)| if i == 0 { c.to_ascii_uppercase() } else { c }).collect()
            })
            .collect();
        text.push_str(&format!("{prefix}{}: {}{end}", name.join("-"), String::from_utf8_lossy(value.as_bytes())));
    }
    text.push_str(prefix);
    text.push_str(end);
    text
}

async fn finish(
    ctx: &Ctx,
    options: &Options,
    response: Response,
    name: Option<&str>,
    facts: &mut Facts,
) -> Result<(), Problem> {
    let failed = facts.code >= 400;
    if failed && options.fail {
        return Err(Failure(22, format!("The requested URL returned error: {}", facts.code)).into());
    }
    let file = match name {
        Some(name) => Some(open(ctx, name).await?),
        None => None,
    };
    let writer = file.as_ref().and_then(|f| f.write.clone()).unwrap_or_else(|| ctx.stdout.clone());
    if options.include || options.head {
        put(&writer, &file, head_lines(&response, "\r\n", "").as_bytes()).await?;
    }
    let mut shown = false;
    match response.into_body() {
        Body::Stream(mut chunks) => {
            while let Some(chunk) = chunks.next().await {
                let bytes = chunk.into_bytes();
                note(ctx, options, &bytes, &mut shown).await;
                facts.received += bytes.len() as u64;
                put(&writer, &file, &bytes).await?;
            }
        }
        body => {
            let bytes = body.into_bytes().unwrap_or_default();
            if !bytes.is_empty() {
                note(ctx, options, &bytes, &mut shown).await;
            }
            facts.received += bytes.len() as u64;
            put(&writer, &file, &bytes).await?;
        }
    }
    verbose(ctx, options, format!("* Connection #0 to host {} left intact\n", facts.host)).await;
    if failed && options.fail_with_body {
        return Err(Failure(22, format!("The requested URL returned error: {}", facts.code)).into());
    }
    Ok(())
}

async fn note(ctx: &Ctx, options: &Options, bytes: &Bytes, shown: &mut bool) {
    if options.verbose && !std::mem::replace(shown, true) {
        ctx.err(format!("{{ [{} bytes data]\n", bytes.len())).await;
    }
}

async fn open(ctx: &Ctx, name: &str) -> Result<Fd, Failure> {
    match ctx.fs.open(&ctx.path(name), OpenOptions::CREATE) {
        Ok(handle) => Ok(Fd::file(handle)),
        Err(errno) => {
            ctx.err(format!("Warning: Failed to open the file {name}: {errno}\n")).await;
            Err(Failure(23, "Failure writing output to destination".into()))
        }
    }
}

async fn put(writer: &Writer, file: &Option<Fd>, bytes: &[u8]) -> Result<(), Problem> {
    match writer.write_all(bytes).await {
        Ok(()) => Ok(()),
        Err(_) if file.is_some() => Err(Failure(23, "Failure writing output to destination".into()).into()),
        Err(_) => Err(Failure(23, "Failed writing body".into()).into()),
    }
}

const METER_HEAD: &str = "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current
                                 Dload  Upload   Total   Spent    Left  Speed
  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0";

fn meter_line(facts: &Facts, now: Time) -> String {
    let seconds = now.saturating_since(facts.started).as_secs_f64();
    let speed = |bytes: u64| if seconds > 0.0 { (bytes as f64 / seconds) as u64 } else { bytes };
    let short = |n: u64| match n {
        0..100_000 => n.to_string(),
        100_000..10_000_000 => format!("{}k", n / 1024),
        _ => format!("{}M", n / (1024 * 1024)),
    };
    let total = facts.received + facts.sent;
    let percent = if total > 0 { 100 } else { 0 };
    let sent = if facts.sent > 0 { 100 } else { 0 };
    let spent = if seconds < 1.0 {
        "--:--:--".into()
    } else {
        format!(" 0:{:02}:{:02}", seconds as u64 / 60, seconds as u64 % 60)
    };
    format!(
        "\r{percent:3} {:>5}  {:3} {:>5}  {sent:3} {:>5} {:>6} {:>6} --:--:-- {spent} --:--:-- {:>5}\n",
        short(total),
        if facts.received > 0 { 100 } else { 0 },
        short(facts.received),
        short(facts.sent),
        short(speed(facts.received)),
        short(speed(facts.sent)),
        short(speed(facts.received)),
    )
}

/// `-w`: `%{name}` and backslash escapes.
fn write_out(format: &str, facts: &Facts, now: Time, failure: Option<&Failure>) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find("%{") {
        out.push_str(&rest[..at]);
        let Some(end) = rest[at..].find('}') else { break };
        let seconds = format!("{:.6}", now.saturating_since(facts.started).as_secs_f64());
        out.push_str(&match &rest[at + 2..at + end] {
            "http_code" | "response_code" => format!("{:03}", facts.code),
            "size_download" => facts.received.to_string(),
            "size_upload" => facts.sent.to_string(),
            "time_total" | "time_starttransfer" | "time_connect" | "time_pretransfer" => seconds,
            "time_namelookup" | "time_appconnect" => "0.000000".into(),
            "num_redirects" => facts.redirects.to_string(),
            "remote_ip" => facts.remote.clone(),
            "remote_port" => facts.remote_port.to_string(),
            "content_type" => facts.content_type.clone(),
            "url_effective" | "url" => facts.url.clone(),
            "exitcode" => failure.map_or(0, |f| f.0).to_string(),
            "errormsg" => failure.map(|f| f.1.clone()).unwrap_or_default(),
            "scheme" => "HTTP".into(),
            "http_version" => "1.1".into(),
            "method" => String::new(),
            _ => String::new(),
        });
        rest = &rest[at + end + 1..];
    }
    out.push_str(rest);
    crate::text::unescape(&out.replace("%%", "%"), crate::text::Escapes::Printf).0
}
