//! What a lesson's checks ask by themselves over HTTP, from a place beside the learner's machine.
//!
//! They are asked inside the world and woken by its own changes. So a replay asks the same at the same virtual times, and
//! who looks at the answers from outside, and when, changes nothing. A probe ends with the first answer that it hoped for.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use api::Object;
use futures_util::FutureExt as _;
use lesson::{Checks, Facts, HttpClause};
use machine::{Ctx, Reader, Writer, pipe};

use crate::lifecycle::Clusters;
use crate::revision::Revision;

/// Time between a change and the question: what changed has to reach the nodes first.
const SETTLING: Duration = Duration::from_millis(500);
/// Seconds after which nobody will answer any more, for curl.
const TIMEOUT_SECONDS: &str = "5";
/// Bytes of an answer that are looked at.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The program that asks.
const CURL: &str = "curl";

/// The probes of the open lesson, by what they ask.
#[derive(Default)]
pub(crate) struct Probes(BTreeMap<String, Rc<Cell<bool>>>);

struct Seen<'a>(&'a Clusters);

impl Facts for Seen<'_> {
    fn objects(&self, api_version: &str, kind: &str, namespace: &str) -> Vec<Object> {
        self.0.objects(api_version, kind, namespace)
    }
}

impl Probes {
    /// Starts one for each HTTP clause. `ctx` is what its curl is given.
    pub(crate) fn start(&mut self, checks: &Checks, ctx: &Ctx, clusters: &Clusters, revision: &Revision) {
        for clause in checks.http_clauses() {
            let answered = Rc::new(Cell::new(false));
            if self.0.insert(clause.key(), Rc::clone(&answered)).is_some() {
                continue;
            }
            let (ctx, clusters, revision, clause) = (ctx.clone(), clusters.clone(), revision.clone(), clause.clone());
            let sim = ctx.sim.clone();
            sim.spawn(async move {
                loop {
                    let before = revision.get();
                    if ask(&ctx, &clusters, &clause).await {
                        break;
                    }
                    if revision.get() == before {
                        revision.next().await;
                    }
                    ctx.sim.sleep(SETTLING).await;
                }
                answered.set(true);
                revision.raise();
            });
        }
    }

    /// Whether the hoped-for answer came.
    pub(crate) fn answered(&self, clause: &HttpClause) -> bool {
        self.0.get(&clause.key()).is_some_and(|answered| answered.get())
    }
}

/// Asks once; false also when there is nobody to ask yet.
async fn ask(ctx: &Ctx, clusters: &Clusters, clause: &HttpClause) -> bool {
    let Some(url) = clause.url_now(&Seen(clusters)) else { return false };
    let Some(curl) = ctx.programs.find(CURL) else { return false };
    let (reader, writer) = pipe();
    let ctx = Ctx { stdin: Reader::empty(), stdout: writer, stderr: Writer::null(), ..ctx.clone() };
    let args = [CURL, "-s", "-i", "--max-time", TIMEOUT_SECONDS, &url].map(str::to_owned);
    let asking = curl.run(ctx, args.to_vec());
    let mut asking = asking.fuse();
    let mut listening = std::pin::pin!(read(&reader).fuse());
    // curl ends with the answer; a longer answer than is looked at ends with the reader.
    let text = loop {
        futures_util::select_biased! {
            text = listening => break text,
            _ = asking => {}
        }
    };
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    status.is_some_and(|status| clause.accepts(status, body))
}

async fn read(reader: &Reader) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER_BYTES_MAX {
        let chunk = reader.read(ANSWER_BYTES_MAX - bytes.len()).await;
        if chunk.is_empty() {
            break;
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
