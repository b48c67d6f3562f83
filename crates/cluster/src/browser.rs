//! The browser of the learner's machine, as the page shows it: it asks for a page, once or again and again, over the
//! machine's own network. Every visit is the doing of an input, so a replay makes the same ones.
//!
//! Left out: scripts, pictures and styles of other addresses, cookies, forms.

use std::cell::{Cell, RefCell};
use std::net::SocketAddrV4;
use std::rc::Rc;
use std::time::Duration;

use api::http::{Body, Method, Response, Uri, header};
use futures_util::StreamExt as _;
use network::http1::{self, HttpError};
use network::{NetError, NetNs};
use serde::{Deserialize, Serialize};
use simulation::{Sim, Task, Time, TraceKind};

/// Virtual time after which a visit is given up.
const VISIT_TIMEOUT: Duration = Duration::from_secs(10);
/// Redirects that are followed.
const REDIRECTS_MAX: u32 = 5;
/// Bytes of a page that are shown; more is cut off and said.
pub const PAGE_BYTES_MAX: usize = 64 * 1024;
/// Visits that one repeated request makes before it stops by itself: a forgotten browser does not fill the log's replay.
pub const REPEATS_MAX: u32 = 900;
/// Shortest virtual time between two repeated visits.
const EVERY_MIN: Duration = Duration::from_millis(100);
/// Visits that nobody has taken yet; the oldest go first.
const VISITS_WAITING_MAX: usize = 256;

/// One visit to an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Visit {
    /// The address as it was asked for.
    pub url: String,
    /// Virtual time of the request.
    pub at: Time,
    /// Virtual milliseconds until the answer.
    pub took_ms: u64,
    /// `namespace/name` of the pod that the request reached; empty when none did.
    pub pod: String,
    /// The number of its journey in the packet trace, of the last one if it was redirected; none if nothing was sent.
    pub journey: Option<u64>,
    /// What came back.
    pub answer: Answer,
    /// Visits like it follow.
    pub repeats: bool,
}

/// What came back from a visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// A page.
    #[serde(rename_all = "camelCase")]
    Page {
        /// HTTP status.
        status: u16,
        /// `Content-Type`, empty if there was none.
        content_type: String,
        /// The body as text.
        body: String,
        /// The body was longer than [`PAGE_BYTES_MAX`].
        cut: bool,
    },
    /// None came.
    None {
        /// Why.
        why: NoAnswer,
    },
}

/// Why no page came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NoAnswer {
    /// The text is no address.
    NoAddress,
    /// Only http is simulated.
    NotHttp,
    /// No such name.
    UnknownHost,
    /// Nothing listens there.
    Refused,
    /// No way leads there.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// The connection broke before the answer was whole.
    Closed,
    /// What came is not HTTP.
    NotAPage,
    /// It leads from one address to the next without an end.
    TooManyRedirects,
}

/// The browser.
#[derive(Clone)]
pub(crate) struct Browser(Rc<Inner>);

struct Inner {
    sim: Sim,
    net: NetNs,
    visits: RefCell<Vec<Visit>>,
    at_work: RefCell<Option<Task<()>>>,
    /// The journey of the connection that was made last.
    connected: Cell<Option<u64>>,
}

impl Browser {
    pub(crate) fn new(sim: &Sim, net: &NetNs) -> Browser {
        let (visits, at_work, connected) = Default::default();
        Browser(Rc::new(Inner { sim: sim.clone(), net: net.clone(), visits, at_work, connected }))
    }

    /// Asks for `url`, again `every` so often; what it asked for before is given up.
    pub(crate) fn visit(&self, url: String, every: Option<Duration>) {
        self.stop();
        self.0.sim.trace(TraceKind::Learner { what: format!("browse {url}") });
        let inner = Rc::clone(&self.0);
        let task = self.0.sim.spawn(async move {
            let every = every.map(|every| every.max(EVERY_MIN));
            for turn in 1..=REPEATS_MAX {
                let begun = inner.sim.now();
                let repeats = every.is_some() && turn < REPEATS_MAX;
                let visit = inner.visit(&url, repeats).await;
                inner.keep(visit);
                let Some(every) = every.filter(|_| repeats) else { return };
                inner.sim.sleep_until(begun + every).await;
            }
        });
        *self.0.at_work.borrow_mut() = Some(task);
    }

    /// Gives up what it is at.
    pub(crate) fn stop(&self) {
        if let Some(task) = self.0.at_work.take() {
            task.abort();
        }
    }

    /// Visits since the last call.
    pub(crate) fn take(&self) -> Vec<Visit> {
        std::mem::take(&mut *self.0.visits.borrow_mut())
    }
}

impl Inner {
    fn keep(&self, visit: Visit) {
        let mut visits = self.visits.borrow_mut();
        if visits.len() == VISITS_WAITING_MAX {
            visits.remove(0);
            let what = "the browser's oldest visit".to_owned();
            self.sim.trace(TraceKind::Limit { limit: "VISITS_WAITING_MAX".to_owned(), what });
        }
        visits.push(visit);
    }

    async fn visit(&self, url: &str, repeats: bool) -> Visit {
        let (at, seen) = (self.sim.now(), self.sim.trace_last_seq());
        self.connected.set(None);
        let answer = match self.sim.timeout(VISIT_TIMEOUT, self.answer(url)).await {
            Ok(Ok(page)) => page,
            Ok(Err(why)) => Answer::None { why },
            Err(_) => Answer::None { why: NoAnswer::TimedOut },
        };
        let took = self.sim.now().saturating_since(at);
        Visit {
            url: url.to_owned(),
            at,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            pod: self.pod_reached(seen),
            journey: self.connected.take().or_else(|| self.net.fabric().newest_journey_of(self.net.name(), at)),
            answer,
            repeats,
        }
    }

    /// The pod that a connection reached since `seen`: the machine's own, or one that the API server made for a
    /// `kubectl proxy` on this machine.
    fn pod_reached(&self, seen: u64) -> String {
        let arrived = self.sim.trace_since(seen).into_iter().filter_map(|event| match event.kind {
            TraceKind::Flow { from, to, outcome, .. } if outcome == "connected" && !from.starts_with("pod/") => {
                Some((from, to.strip_prefix("pod/")?.to_owned()))
            }
            _ => None,
        });
        let arrived: Vec<(String, String)> = arrived.collect();
        let own = arrived.iter().find(|(from, _)| from == self.net.name());
        own.or(arrived.first()).map(|(_, pod)| pod.clone()).unwrap_or_default()
    }

    async fn answer(&self, url: &str) -> Result<Answer, NoAnswer> {
        let mut uri = parse(url)?;
        for _ in 0..=REDIRECTS_MAX {
            let response = self.request(&uri).await?;
            let location = response.headers().get(header::LOCATION).and_then(|v| v.to_str().ok());
            match location.filter(|_| response.status().is_redirection()) {
                Some(location) => uri = join(&uri, location)?,
                None => return page(response).await,
            }
        }
        Err(NoAnswer::TooManyRedirects)
    }

    async fn request(&self, uri: &Uri) -> Result<Response, NoAnswer> {
        let host = uri.host().ok_or(NoAnswer::NoAddress)?;
        let addresses = self.net.resolve(host).await.unwrap_or_default();
        let mut failure = NoAnswer::UnknownHost;
        for address in addresses {
            let to = SocketAddrV4::new(address, uri.port_u16().unwrap_or(80));
            match self.net.connect(to).await {
                Ok(stream) => {
                    self.connected.set(stream.journey());
                    let target = uri.path_and_query().map_or("/", |target| target.as_str());
                    let authority = uri.authority().map_or("", |authority| authority.as_str());
                    let request = http::Request::builder()
                        .method(Method::GET)
                        .uri(target)
                        .header(header::HOST, authority)
                        .header(header::USER_AGENT, "Mozilla/5.0 (kubonsai)")
                        .header(header::ACCEPT, "text/html,text/plain,*/*")
                        .body(Body::Empty)
                        .map_err(|_| NoAnswer::NoAddress)?;
                    return http1::request(stream, request).await.map_err(|error| no_answer(&error));
                }
                Err(error) => failure = not_connected(&error),
            }
        }
        Err(failure)
    }
}

fn parse(url: &str) -> Result<Uri, NoAnswer> {
    let url = url.trim();
    let full = match url.split_once("://") {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => url.to_owned(),
        Some(_) => return Err(NoAnswer::NotHttp),
        None => format!("http://{url}"),
    };
    // What is behind # stays in the browser.
    let full = full.split('#').next().unwrap_or_default();
    let uri: Uri = full.parse().map_err(|_| NoAnswer::NoAddress)?;
    if uri.host().is_none_or(str::is_empty) { Err(NoAnswer::NoAddress) } else { Ok(uri) }
}

/// Where a `Location` leads from an address.
fn join(from: &Uri, location: &str) -> Result<Uri, NoAnswer> {
    let authority = from.authority().map_or("", |authority| authority.as_str());
    if location.contains("://") {
        return parse(location);
    }
    if let Some(rest) = location.strip_prefix("//") {
        return parse(rest);
    }
    if location.starts_with('/') {
        return parse(&format!("{authority}{location}"));
    }
    let folder = &from.path()[..=from.path().rfind('/').unwrap_or(0)];
    parse(&format!("{authority}{folder}{location}"))
}

async fn page(response: Response) -> Result<Answer, NoAnswer> {
    let (parts, body) = response.into_parts();
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mut bytes = Vec::new();
    match body {
        Body::Stream(mut chunks) => {
            while let Some(chunk) = chunks.next().await {
                bytes.extend_from_slice(&chunk.into_bytes());
                if bytes.len() > PAGE_BYTES_MAX {
                    break;
                }
            }
        }
        body => bytes.extend_from_slice(&body.into_bytes().unwrap_or_default()),
    }
    let cut = bytes.len() > PAGE_BYTES_MAX;
    bytes.truncate(PAGE_BYTES_MAX);
    Ok(Answer::Page {
        status: parts.status.as_u16(),
        content_type: content_type.to_owned(),
        body: String::from_utf8_lossy(&bytes).into_owned(),
        cut,
    })
}

fn not_connected(error: &NetError) -> NoAnswer {
    match error {
        NetError::Refused => NoAnswer::Refused,
        NetError::TimedOut => NoAnswer::TimedOut,
        _ => NoAnswer::Unreachable,
    }
}

fn no_answer(error: &HttpError) -> NoAnswer {
    match error {
        HttpError::Malformed(_) | HttpError::TooLarge(_) => NoAnswer::NotAPage,
        HttpError::Net(NetError::TimedOut) => NoAnswer::TimedOut,
        HttpError::Net(_) | HttpError::Closed | HttpError::Upgrade => NoAnswer::Closed,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use network::{Fabric, Role};
    use simulation::{SimConfig, Step, StepLimits};

    use super::*;

    /// A browser on a machine, and a pod on the same network that answers with `head` and its count of requests.
    fn beside_a_pod(head: &'static str) -> (Sim, Browser) {
        let sim = Sim::new(SimConfig { seed: 1, start: Time::from_unix_seconds(1_795_000_000) });
        let fabric = Fabric::new(sim.clone());
        let machine = fabric.attach_as("learner", &[Ipv4Addr::new(192, 168, 49, 1)], Role::Outside);
        let pod = fabric.attach("pod/default/web", &[Ipv4Addr::new(192, 168, 49, 9)]);
        let listener = pod.listen(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 80)).expect("the port is free");
        sim.spawn(async move {
            let _pod = pod;
            for count in 1.. {
                let Ok(stream) = listener.accept().await else { return };
                let _ = stream.read().await;
                let body = format!("request {count}");
                let _ =
                    stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
            }
        });
        let browser = Browser::new(&sim, &machine);
        (sim, browser)
    }

    fn run_for(sim: &Sim, duration: Duration) {
        let until = sim.now() + duration;
        while sim.step(until, StepLimits { polls_max: 100 }) == Step::Busy {}
        sim.advance_to(until);
    }

    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";

    fn bodies(visits: &[Visit]) -> Vec<&str> {
        visits.iter().map(|v| if let Answer::Page { body, .. } = &v.answer { body.as_str() } else { "" }).collect()
    }

    #[test]
    fn a_visit_tells_the_page_and_the_pod() {
        let (sim, browser) = beside_a_pod(OK);
        browser.visit("192.168.49.9/x".to_owned(), None);
        run_for(&sim, Duration::from_secs(5));
        let visits = browser.take();
        let [visit] = visits.as_slice() else { panic!("one visit: {visits:?}") };
        assert_eq!((visit.pod.as_str(), visit.repeats), ("default/web", false));
        let content_type = "text/plain".to_owned();
        let page = Answer::Page { status: 200, content_type, body: "request 1".to_owned(), cut: false };
        assert_eq!(visit.answer, page);
        assert!(browser.take().is_empty(), "a visit is told once");
    }

    #[test]
    fn visits_repeat_in_virtual_time_until_they_are_stopped() {
        let (sim, browser) = beside_a_pod(OK);
        browser.visit("http://192.168.49.9".to_owned(), Some(Duration::from_secs(1)));
        run_for(&sim, Duration::from_millis(3_500));
        let visits = browser.take();
        assert_eq!(bodies(&visits), ["request 1", "request 2", "request 3", "request 4"]);
        assert!(visits.iter().all(|visit| visit.repeats));
        browser.stop();
        run_for(&sim, Duration::from_secs(10));
        assert!(browser.take().is_empty());
    }

    #[test]
    fn forgotten_repeats_end_and_say_so() {
        let (sim, browser) = beside_a_pod(OK);
        browser.visit("http://192.168.49.9".to_owned(), Some(Duration::from_millis(1)));
        run_for(&sim, Duration::from_secs(600));
        let visits = browser.take();
        assert_eq!(visits.len(), VISITS_WAITING_MAX, "the newest are kept");
        let last = visits.last().expect("visits");
        assert_eq!(
            (bodies(std::slice::from_ref(last)), last.repeats),
            (vec![format!("request {REPEATS_MAX}").as_str()], false)
        );
    }

    #[test]
    fn what_does_not_answer_is_named() {
        let (sim, browser) = beside_a_pod("HTTP/1.1 302 Found\r\nLocation: /again\r\n");
        for (url, why) in [
            ("192.168.49.9:81", NoAnswer::Refused),
            ("nowhere.example", NoAnswer::UnknownHost),
            ("10.244.0.5", NoAnswer::TimedOut),
            ("192.168.49.9", NoAnswer::TooManyRedirects),
        ] {
            browser.visit(url.to_owned(), None);
            run_for(&sim, VISIT_TIMEOUT * 2);
            let answers: Vec<Answer> = browser.take().into_iter().map(|visit| visit.answer).collect();
            assert_eq!(answers, [Answer::None { why }], "{url}");
        }
    }

    #[test]
    fn addresses_are_read_as_browsers_read_them() {
        for (text, expected) in [
            ("192.168.49.2:31234", Ok("http://192.168.49.2:31234/")),
            (" http://localhost:8001/api/v1 ", Ok("http://localhost:8001/api/v1")),
            ("http://web/#top", Ok("http://web/")),
            ("https://192.168.49.2", Err(NoAnswer::NotHttp)),
            ("http://", Err(NoAnswer::NoAddress)),
            ("two words", Err(NoAnswer::NoAddress)),
        ] {
            assert_eq!(parse(text).map(|uri| uri.to_string()), expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn redirects_lead_on_from_where_they_were() {
        let from = parse("http://web:80/a/b?c").expect("an address");
        for (location, expected) in [
            ("/x", "http://web:80/x"),
            ("x", "http://web:80/a/x"),
            ("//other/x", "http://other/x"),
            ("http://other", "http://other/"),
        ] {
            assert_eq!(join(&from, location).map(|uri| uri.to_string()), Ok(expected.to_owned()), "{location}");
        }
        assert_eq!(join(&from, "https://other"), Err(NoAnswer::NotHttp));
    }
}
