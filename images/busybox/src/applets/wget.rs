//! wget.

use std::time::Duration;

use net::http::{Answer, ClientError, Patience, Url, request_within};

use crate::applet::{Fail, Io, Options, Outcome};

/// Redirections that are followed.
const REDIRECTS_MAX: usize = 5;

/// Seconds that `-T` stands at.
const TIMEOUT_SECONDS: u64 = 900;

/// What `-T` means: for a connection, and for each piece of the answer.
fn patience(options: &Options) -> Result<Patience, Fail> {
    let seconds = options.number('T')?.map_or(TIMEOUT_SECONDS, |given| u64::try_from(given).unwrap_or(0));
    // No time at all stands for all the time.
    let time = (seconds > 0).then(|| Duration::from_secs(seconds));
    Ok(Patience { connect: time, read: time, until: None })
}

fn fetch(io: &mut Io<'_>, text: &str, options: &Options, quiet: bool) -> Result<(Url, Answer), Fail> {
    let mut url = Url::parse(text).map_err(|error| match error {
        ClientError::Scheme(scheme) => Fail::Message(format!("kubonsai does not support {scheme} (wget) yet")),
        _ => Fail::Message(format!("bad address '{text}'")),
    })?;
    let body = options.value('b').unwrap_or("").as_bytes().to_vec();
    let method = if options.has('p') {
        "HEAD"
    } else if options.value('b').is_some() {
        "POST"
    } else {
        "GET"
    };
    let patience = patience(options)?;
    for _ in 0..=REDIRECTS_MAX {
        let host = if url.port == 80 { url.host.clone() } else { format!("{}:{}", url.host, url.port) };
        let mut headers = vec![
            ("Host".to_owned(), host.clone()),
            ("User-Agent".to_owned(), options.value('U').unwrap_or("Wget").to_owned()),
            ("Connection".to_owned(), "close".to_owned()),
        ];
        headers.extend(
            options.values('h').filter_map(|h| h.split_once(':')).map(|(n, v)| (n.to_owned(), v.trim().to_owned())),
        );
        let answer = match request_within(&url, method, &headers, &body, &patience) {
            Ok(answer) => answer,
            Err(ClientError::Resolve(_)) => return Err(Fail::Message(format!("bad address '{host}'"))),
            Err(ClientError::Connect(error)) => {
                if !quiet {
                    writeln!(io.err, "Connecting to {host} ({host})")?;
                }
                return Err(Fail::Message(format!("can't connect to remote host: {}", proc::Errno::from_io(&error))));
            }
            Err(ClientError::TimedOut { address, .. }) => {
                if !quiet {
                    writeln!(io.err, "Connecting to {host} ({address})")?;
                }
                return Err(Fail::Message("download timed out".to_owned()));
            }
            Err(_) => return Err(Fail::Message("error getting response".to_owned())),
        };
        if !quiet {
            writeln!(io.err, "Connecting to {host} ({})", answer.address)?;
        }
        if options.has('S') {
            writeln!(io.err, "  {}", answer.status_line)?;
            for (name, value) in &answer.headers {
                writeln!(io.err, "  {name}: {value}")?;
            }
        }
        match (answer.status, answer.header("location")) {
            (301 | 302 | 303 | 307 | 308, Some(location)) => {
                let next =
                    if location.starts_with('/') { format!("http://{host}{location}") } else { location.to_owned() };
                url = Url::parse(&next).map_err(|_| Fail::Message(format!("bad address '{next}'")))?;
            }
            (400.., _) => return Err(Fail::Message(format!("server returned error: {}", answer.status_line))),
            _ => return Ok((url, answer)),
        }
    }
    Err(Fail::Message("too many redirections".to_owned()))
}

/// Fetches a file.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let long = [
        ("spider", 'p'),
        ("timeout", 'T'),
        ("header", 'h'),
        ("post-data", 'b'),
        ("output-document", 'O'),
        ("quiet", 'q'),
        ("tries", 't'),
        ("server-response", 'S'),
        ("user-agent", 'U'),
        ("no-verbose", 'q'),
        ("no-check-certificate", 'n'),
    ];
    let options = Options::parse(&args[1..], "qcSO:T:t:U:Y:P:ph:b:n", &long)?;
    let Some(text) = options.operands.first() else { return Err(Fail::Message("missing URL".to_owned())) };
    let quiet = options.has('q');
    let (url, answer) = fetch(io, text, &options, quiet)?;
    if options.has('p') {
        if !quiet {
            writeln!(io.err, "remote file exists")?;
        }
        return Ok(0);
    }
    let name = url
        .target
        .split('?')
        .next()
        .and_then(|p| p.rsplit('/').next())
        .filter(|n| !n.is_empty())
        .unwrap_or("index.html");
    let file = options.value('O').unwrap_or(name);
    if file == "-" {
        if !quiet {
            writeln!(io.err, "writing to stdout")?;
        }
        io.out.write_all(&answer.body)?;
        io.out.flush()?;
    } else {
        if options.value('O').is_none() && std::fs::metadata(file).is_ok() {
            return Err(Fail::Message(format!("can't open '{file}': File exists")));
        }
        if !quiet {
            writeln!(io.err, "saving to '{file}'")?;
        }
        std::fs::write(file, &answer.body)
            .map_err(|e| Fail::Message(format!("can't open '{file}': {}", proc::Errno::from_io(&e))))?;
    }
    if !quiet {
        let shown = if file == "-" { "-" } else { file };
        writeln!(io.err, "{shown:<20} 100% |********************************| {:>5}  0:00:00 ETA", answer.body.len())?;
        if file == "-" { writeln!(io.err, "written to stdout")? } else { writeln!(io.err, "'{file}' saved")? }
    }
    Ok(0)
}
