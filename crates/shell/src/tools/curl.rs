//! `curl` for http, over the machine's simulated network. Messages and exit codes are those of curl 7.88.

mod request;
mod resolve;
mod transfer;
mod url;
mod wget;

use machine::{BrokenPipe, Ctx};

use super::Outcome;
pub(super) use wget::wget;

/// What the command line asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub method: Option<String>,
    pub data: Option<Vec<u8>>,
    pub headers: Vec<String>,
    pub user: Option<String>,
    pub user_agent: Option<String>,
    pub silent: bool,
    pub show_error: bool,
    pub include: bool,
    pub head: bool,
    pub verbose: bool,
    pub fail: bool,
    pub fail_with_body: bool,
    pub follow: bool,
    pub get: bool,
    pub write_out: Option<String>,
    pub max_time: Option<f64>,
    pub connect_timeout: Option<f64>,
    pub outputs: Vec<Output>,
    pub urls: Vec<String>,
    pub json: bool,
    pub retries: u32,
    /// `--resolve`, as given.
    pub resolves: Vec<String>,
}

/// Where the next URL's body goes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Output {
    File(String),
    RemoteName,
}

/// A failure: curl's number and sentence.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure(pub i32, pub String);

/// Options that are accepted and change nothing here.
const IGNORED: &[&str] = &[
    "k",
    "insecure",
    "4",
    "ipv4",
    "6",
    "ipv6",
    "N",
    "no-buffer",
    "g",
    "globoff",
    "compressed",
    "#",
    "progress-bar",
    "http1.1",
    "no-progress-meter",
];
const IGNORED_WITH_VALUE: &[&str] = &["cacert", "cert", "key", "noproxy", "retry-delay", "x", "proxy"];

/// Long names of the short options.
const LONG: &[(&str, &str)] = &[
    ("silent", "s"),
    ("show-error", "S"),
    ("include", "i"),
    ("head", "I"),
    ("verbose", "v"),
    ("request", "X"),
    ("data", "d"),
    ("data-ascii", "d"),
    ("header", "H"),
    ("output", "o"),
    ("remote-name", "O"),
    ("location", "L"),
    ("fail", "f"),
    ("write-out", "w"),
    ("max-time", "m"),
    ("user", "u"),
    ("user-agent", "A"),
    ("get", "G"),
    ("version", "V"),
    ("help", "h"),
];

const TRY_HELP: &str = "curl: try 'curl --help' or 'curl --manual' for more information";

enum Parsed {
    Run(Box<Options>),
    Help,
    Version,
}

struct Reader<'a> {
    ctx: &'a Ctx,
    options: Options,
}

impl Reader<'_> {
    fn takes_value(name: &str) -> bool {
        matches!(
            name,
            "X" | "d"
                | "H"
                | "o"
                | "w"
                | "m"
                | "u"
                | "A"
                | "data-raw"
                | "data-binary"
                | "data-urlencode"
                | "connect-timeout"
                | "retry"
                | "resolve"
                | "url"
                | "json"
                | "b"
                | "e"
                | "T"
                | "F"
                | "z"
                | "c"
                | "Y"
                | "y"
                | "C"
        ) || IGNORED_WITH_VALUE.contains(&name)
    }

    fn number(name: &str, value: &str) -> Result<f64, String> {
        let parsed = value.parse::<f64>().ok().filter(|v| v.is_finite() && *v >= 0.0);
        parsed.ok_or(format!("curl: option {name}: expected a proper numerical parameter\n{TRY_HELP}"))
    }

    async fn data(&mut self, value: &str, binary: bool, raw: bool) -> Result<(), String> {
        let mut bytes = match value.strip_prefix('@').filter(|_| !raw) {
            Some(path) => super::io::read(self.ctx, path)
                .await
                .map_err(|_| format!("curl: option -d: error encountered when reading a file\n{TRY_HELP}"))?,
            None => value.as_bytes().to_vec(),
        };
        if !binary && value.starts_with('@') && !raw {
            bytes.retain(|b| !matches!(b, b'\n' | b'\r'));
        }
        match &mut self.options.data {
            Some(old) => {
                old.push(b'&');
                old.extend(bytes);
            }
            None => self.options.data = Some(bytes),
        }
        Ok(())
    }

    async fn option(&mut self, shown: &str, name: &str, value: &str) -> Result<(), String> {
        let o = &mut self.options;
        match name {
            "s" => o.silent = true,
            "S" => o.show_error = true,
            "i" => o.include = true,
            "I" => o.head = true,
            "v" => o.verbose = true,
            "f" => o.fail = true,
            "fail-with-body" => o.fail_with_body = true,
            "L" => o.follow = true,
            "G" => o.get = true,
            "X" => o.method = Some(value.to_owned()),
            "H" => o.headers.push(value.to_owned()),
            "o" => o.outputs.push(Output::File(value.to_owned())),
            "O" => o.outputs.push(Output::RemoteName),
            "w" => o.write_out = Some(value.to_owned()),
            "u" => o.user = Some(value.to_owned()),
            "A" => o.user_agent = Some(value.to_owned()),
            "m" => o.max_time = Some(Self::number(shown, value)?).filter(|v| *v > 0.0),
            "connect-timeout" => o.connect_timeout = Some(Self::number(shown, value)?).filter(|v| *v > 0.0),
            "retry" => o.retries = Self::number(shown, value)? as u32,
            "url" => o.urls.push(value.to_owned()),
            "resolve" => o.resolves.push(value.to_owned()),
            "d" => self.data(value, false, false).await?,
            "data-binary" => self.data(value, true, false).await?,
            "data-raw" => self.data(value, true, true).await?,
            "data-urlencode" => {
                let encoded = match value.split_once('=') {
                    Some((key, text)) if !key.is_empty() => format!("{key}={}", url::encode(text)),
                    Some((_, text)) => url::encode(text),
                    None => url::encode(value),
                };
                self.data(&encoded, true, true).await?;
            }
            "json" => {
                o.json = true;
                self.data(value, true, false).await?;
            }
            "b" | "e" | "T" | "F" | "z" | "c" | "Y" | "y" | "C" => {
                return Err(format!("curl: option {shown}: {}", simulation::stub!("shell", "this curl option")));
            }
            _ => {}
        }
        Ok(())
    }
}

async fn parse(ctx: &Ctx, args: &[String]) -> Result<Parsed, String> {
    let mut reader = Reader { ctx, options: Options::default() };
    let known = |name: &str| {
        "sSiIvfLGOVh".contains(name) && name.len() == 1
            || Reader::takes_value(name)
            || IGNORED.contains(&name)
            || name == "fail-with-body"
    };
    let unknown = |shown: &str| format!("curl: option {shown}: is unknown\n{TRY_HELP}");
    let mut words = args[1..].iter();
    let mut only_urls = false;
    while let Some(word) = words.next() {
        if only_urls || !word.starts_with('-') || word == "-" {
            reader.options.urls.push(word.clone());
            continue;
        }
        if word == "--" {
            only_urls = true;
            continue;
        }
        if let Some(long) = word.strip_prefix("--") {
            let name = LONG.iter().find(|(l, _)| *l == long).map_or(long, |(_, s)| *s);
            if long.len() < 2 || !known(name) {
                return Err(unknown(word));
            }
            match name {
                "h" => return Ok(Parsed::Help),
                "V" => return Ok(Parsed::Version),
                _ => {}
            }
            let value = if Reader::takes_value(name) {
                words.next().ok_or(format!("curl: option {word}: requires parameter\n{TRY_HELP}"))?
            } else {
                ""
            };
            reader.option(word, name, value).await?;
            continue;
        }
        for (at, letter) in word[1..].char_indices() {
            let name = letter.to_string();
            if !known(&name) {
                return Err(unknown(word));
            }
            match letter {
                'h' => return Ok(Parsed::Help),
                'V' => return Ok(Parsed::Version),
                _ => {}
            }
            if !Reader::takes_value(&name) {
                reader.option(word, &name, "").await?;
                continue;
            }
            let rest = &word[1 + at + letter.len_utf8()..];
            let value = if rest.is_empty() {
                words
                    .next()
                    .map(String::as_str)
                    .ok_or(format!("curl: option {word}: requires parameter\n{TRY_HELP}"))?
            } else {
                rest
            };
            reader.option(word, &name, value).await?;
            break;
        }
    }
    Ok(Parsed::Run(Box::new(reader.options)))
}

const HELP: &str = "Usage: curl [options...] <url>
 -d, --data <data>          Send this as the body of a POST
 -f, --fail                 Fail (22) on answers of 400 and above
 -G, --get                  Put the data into the URL
 -H, --header <header>      Send this header
 -h, --help                 This text
 -i, --include              Show the answer's headers too
 -I, --head                 Ask for the headers only
 -k, --insecure             Accepted, without effect
 -L, --location             Follow redirects
 -m, --max-time <seconds>   Give up after this time
 -o, --output <file>        Write to a file
 -O, --remote-name          Write to a file named as in the URL
 -s, --silent               No meter, no errors
 -S, --show-error           With -s: show errors
 -u, --user <user:password> Basic authentication
 -v, --verbose              Show what is sent and received
 -w, --write-out <format>   Print something after the transfer
 -X, --request <method>     Use this method
Only http is simulated.
";

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let options = match parse(&ctx, &args).await {
        Ok(Parsed::Run(options)) => options,
        Ok(Parsed::Help) => {
            ctx.out(HELP).await?;
            return Ok(0);
        }
        Ok(Parsed::Version) => {
            ctx.out("curl 7.88.1 (kubonsai)\nProtocols: http\n").await?;
            return Ok(0);
        }
        Err(message) => {
            ctx.err(format!("{message}\n")).await;
            return Ok(2);
        }
    };
    if options.urls.is_empty() {
        ctx.err(format!("{TRY_HELP}\n")).await;
        return Ok(2);
    }
    let mut code = 0;
    for (i, url) in options.urls.iter().enumerate() {
        code = one(&ctx, &options, url, options.outputs.get(i).cloned()).await?;
    }
    Ok(code)
}

/// One URL, with retries.
async fn one(ctx: &Ctx, options: &Options, url: &str, output: Option<Output>) -> Result<i32, BrokenPipe> {
    let mut attempt = 0;
    loop {
        let result = transfer::run(ctx, options, url, output.clone()).await?;
        let Err(Failure(code, message)) = result else { return Ok(0) };
        if (!options.silent || options.show_error) && !message.is_empty() {
            ctx.err(format!("curl: ({code}) {message}\n")).await;
        }
        if attempt >= options.retries || !matches!(code, 6 | 28) {
            return Ok(code);
        }
        ctx.sim.sleep(std::time::Duration::from_secs(1 << attempt.min(9))).await;
        attempt += 1;
    }
}
