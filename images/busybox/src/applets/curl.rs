//! curl: what tutorials use of it.

use std::time::{Duration, Instant};

use net::http::{Answer, ClientError, Patience, Url, request_within};

use crate::applet::{Fail, Io, Options, Outcome};

/// Redirections that are followed with -L.
const REDIRECTS_MAX: usize = 50;
/// The version that it claims in its User-Agent.
const AGENT: &str = "curl/8.10.1";

const LONG: [(&str, char); 21] = [
    ("silent", 's'),
    ("show-error", 'S'),
    ("include", 'i'),
    ("head", 'I'),
    ("verbose", 'v'),
    ("output", 'o'),
    ("write-out", 'w'),
    ("request", 'X'),
    ("data", 'd'),
    ("data-raw", 'd'),
    ("header", 'H'),
    ("location", 'L'),
    ("fail", 'f'),
    ("max-time", 'm'),
    ("connect-timeout", 't'),
    ("user-agent", 'A'),
    ("insecure", 'k'),
    ("retry", 'r'),
    ("no-progress-meter", 's'),
    ("remote-name", 'O'),
    ("url", 'u'),
];

/// curl's status and words for a failure after so many milliseconds.
fn failure(error: &ClientError, url: &Url, ms: u128) -> (i32, String) {
    match error {
        ClientError::Scheme(scheme) => (1, format!("kubonsai does not support {scheme} (curl) yet")),
        ClientError::Url => (3, "URL rejected: Malformed input to a URL function".to_owned()),
        ClientError::Resolve(_) => (6, format!("Could not resolve host: {}", url.host)),
        ClientError::Connect(e) => {
            let why = match proc::Errno::from_io(e) {
                proc::Errno::TIMEDOUT => {
                    return (
                        28,
                        format!(
                            "Failed to connect to {} port {} after 130000 ms: Could not connect to server",
                            url.host, url.port
                        ),
                    );
                }
                _ => "Could not connect to server",
            };
            (7, format!("Failed to connect to {} port {} after 0 ms: {why}", url.host, url.port))
        }
        ClientError::TimedOut { bytes: None, .. } => (28, format!("Connection timed out after {ms} milliseconds")),
        ClientError::TimedOut { bytes: Some(bytes), .. } => {
            (28, format!("Operation timed out after {ms} milliseconds with {bytes} bytes received"))
        }
        ClientError::Broken(_) => (56, "Recv failure: Connection reset by peer".to_owned()),
        ClientError::Empty => (52, "Empty reply from server".to_owned()),
    }
}

struct Call<'o> {
    options: &'o Options,
    method: String,
    body: Vec<u8>,
    began: Instant,
    patience: Patience,
}

/// Reads a number of seconds, which may have a fraction. Zero stands for no limit.
fn seconds(options: &Options, letter: char, name: &str) -> Result<Option<Duration>, Fail> {
    let Some(text) = options.value(letter) else { return Ok(None) };
    let time = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let Some(time) = time else {
        let message = format!("option {name}: expected a proper numerical parameter");
        return Err(Fail::Status(2, format!("{message}\ncurl: try 'curl --help' for more information")));
    };
    Ok(Some(time).filter(|time| !time.is_zero()))
}

impl Call<'_> {
    fn headers(&self, url: &Url) -> Vec<(String, String)> {
        let host = if url.port == 80 { url.host.clone() } else { format!("{}:{}", url.host, url.port) };
        let mut headers = vec![
            ("Host".to_owned(), host),
            ("User-Agent".to_owned(), self.options.value('A').unwrap_or(AGENT).to_owned()),
            ("Accept".to_owned(), "*/*".to_owned()),
        ];
        if !self.body.is_empty() {
            headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        }
        for own in self.options.values('H') {
            let Some((name, value)) = own.split_once(':') else { continue };
            headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        headers
    }

    fn run(&self, io: &mut Io<'_>, url: &Url) -> Result<Answer, Fail> {
        let headers = self.headers(url);
        if self.options.has('v') {
            writeln!(io.err, "*   Trying {}:{}...", url.host, url.port)?;
        }
        let fail = |error: &ClientError| {
            let (status, message) = failure(error, url, self.began.elapsed().as_millis());
            let silent = self.options.has('s') && !self.options.has('S');
            Fail::Status(status, if silent { String::new() } else { format!("({status}) {message}") })
        };
        let answer =
            request_within(url, &self.method, &headers, &self.body, &self.patience).map_err(|error| fail(&error))?;
        if self.options.has('v') {
            writeln!(io.err, "* Connected to {} ({}) port {}", url.host, answer.address.ip(), url.port)?;
            writeln!(io.err, "> {} {} HTTP/1.1", self.method, url.target)?;
            for (name, value) in &headers {
                writeln!(io.err, "> {name}: {value}")?;
            }
            writeln!(io.err, "> \n< {}", answer.status_line)?;
            for (name, value) in &answer.headers {
                writeln!(io.err, "< {name}: {value}")?;
            }
            writeln!(io.err, "< ")?;
        }
        Ok(answer)
    }
}

fn write_out(format: &str, answer: &Answer, url: &Url) -> String {
    let size = answer.body.len().to_string();
    format
        .replace("%{http_code}", &format!("{:03}", answer.status))
        .replace("%{response_code}", &format!("{:03}", answer.status))
        .replace("%{size_download}", &size)
        .replace("%{content_type}", answer.header("content-type").unwrap_or(""))
        .replace("%{remote_ip}", &answer.address.ip().to_string())
        .replace("%{url}", &format!("http://{}:{}{}", url.host, url.port, url.target))
        .replace("\\n", "\n")
        .replace("\\t", "\t")
}

fn print(io: &mut Io<'_>, options: &Options, url: &Url, answer: &Answer) -> Result<(), Fail> {
    let mut bytes = Vec::new();
    if options.has('i') || options.has('I') {
        bytes.extend_from_slice(format!("{}\r\n", answer.status_line).as_bytes());
        for (name, value) in &answer.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(&answer.body);
    let own_name = url.target.split('?').next().and_then(|p| p.rsplit('/').next()).filter(|n| !n.is_empty());
    let file = if options.has('O') { own_name } else { options.value('o') };
    match file {
        None | Some("-") => io.out.write_all(&bytes)?,
        Some(file) => std::fs::write(file, &bytes)
            .map_err(|e| Fail::Status(23, format!("(23) Failed to open {file}: {}", proc::Errno::from_io(&e))))?,
    }
    if let Some(format) = options.value('w') {
        io.out.write_all(write_out(format, answer, url).as_bytes())?;
    }
    io.out.flush()?;
    Ok(())
}

/// Fetches a URL.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    if args.iter().any(|a| a == "--version" || a == "-V") {
        writeln!(io.out, "{} (wasm32-wasip1) Kubonsai stand-in\nProtocols: http", AGENT.replace('/', " "))?;
        return Ok(0);
    }
    let options = Options::parse(&args[1..], "sSiIvo:w:X:d:H:Lfm:A:kr:Ou:x:4t:", &LONG).map_err(|fail| match fail {
        Fail::Message(message) => Fail::Status(2, format!("{message}\ncurl: try 'curl --help' for more information")),
        other => other,
    })?;
    let urls: Vec<&str> = options.values('u').chain(options.operands.iter().map(String::as_str)).collect();
    if urls.is_empty() {
        return Err(Fail::Status(2, "(2) no URL specified".to_owned()));
    }
    let data: Vec<&str> = options.values('d').collect();
    let default = if options.has('I') {
        "HEAD"
    } else if data.is_empty() {
        "GET"
    } else {
        "POST"
    };
    let method = options.value('X').unwrap_or(default).to_owned();
    let mut call = Call {
        options: &options,
        method,
        body: data.join("&").into_bytes(),
        began: Instant::now(),
        patience: Patience { connect: seconds(&options, 't', "--connect-timeout")?, ..Patience::default() },
    };
    let at_most = seconds(&options, 'm', "-m")?;
    for text in urls {
        call.began = Instant::now();
        call.patience.until = at_most.map(|time| call.began + time);
        let nowhere = Url { host: String::new(), port: 0, target: String::new() };
        let mut url = Url::parse(text).map_err(|error| {
            let (status, message) = failure(&error, &nowhere, 0);
            Fail::Status(status, format!("({status}) {message}"))
        })?;
        let mut answer = call.run(io, &url)?;
        let mut redirects = 0;
        while let Some(location) =
            answer.header("location").filter(|_| options.has('L') && (300..400).contains(&answer.status))
        {
            redirects += 1;
            if redirects > REDIRECTS_MAX {
                return Err(Fail::Status(47, format!("(47) Maximum ({REDIRECTS_MAX}) redirects followed")));
            }
            let next = if location.starts_with('/') {
                format!("http://{}:{}{location}", url.host, url.port)
            } else {
                location.to_owned()
            };
            url = Url::parse(&next).map_err(|_| Fail::Status(3, "(3) URL rejected".to_owned()))?;
            answer = call.run(io, &url)?;
        }
        if options.has('f') && answer.status >= 400 {
            let message = format!("(22) The requested URL returned error: {}", answer.status);
            return Err(Fail::Status(22, if options.has('s') && !options.has('S') { String::new() } else { message }));
        }
        print(io, &options, &url, &answer)?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use net::http::reason;

    use super::*;
    use crate::applet::testing;

    #[test]
    fn formats_and_failures() {
        let url = Url::parse("http://web:8080/x").expect("a URL");
        let answer = Answer {
            status_line: format!("HTTP/1.1 200 {}", reason(200)),
            status: 200,
            headers: Vec::new(),
            body: b"hi".to_vec(),
            address: std::net::SocketAddrV4::new([10, 0, 0, 1].into(), 8080),
        };
        assert_eq!(write_out("%{http_code}\\n", &answer, &url), "200\n");
        let (status, _, err) = testing::run("curl", &["https://x"], "");
        assert_eq!((status, err.as_str()), (1, "curl: (1) kubonsai does not support https (curl) yet\n"));
        assert_eq!(failure(&ClientError::Empty, &url, 0).0, 52);
    }
}
