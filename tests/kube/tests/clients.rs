//! Watches, server-side apply, Leases and streams into containers, through the kube crate.

use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api, AttachParams, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::watcher::{self, Event, watcher};
use kube::runtime::{WatchStreamExt as _, reflector};
use kube::{Error, Resource, ResourceExt};
use kube_client_tests::Server;
use serde_json::{Value, from_value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

async fn soon<T>(what: &str, future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, future).await.with_context(|| format!("waited for {what}"))?
}

/// The code of a refusal.
fn code<T: Debug>(answer: Result<T, Error>) -> Result<u16> {
    match answer {
        Err(Error::Api(status)) => Ok(status.code),
        other => bail!("no refusal: {other:?}"),
    }
}

fn deployment(replicas: u32) -> Value {
    let labels = json!({"app": "web"});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels}, "spec": {"containers": [{"name": "nginx", "image": "nginx"}]},
        }},
    })
}

/// The next event that is not about a beginning.
async fn next<K: Resource>(events: &mut (impl Stream<Item = watcher::Result<Event<K>>> + Unpin)) -> Result<Event<K>> {
    loop {
        match events.next().await.context("the watch ended")?? {
            Event::Init | Event::InitDone => {}
            event => return Ok(event),
        }
    }
}

#[tokio::test]
async fn watches_see_every_change_in_order() -> Result<()> {
    let server = Server::start("watch")?;
    let client = server.client().await?;
    let deployments: Api<Deployment> = Api::default_namespaced(client.clone());
    let pods: Api<Pod> = Api::default_namespaced(client);
    // A list and then a watch, and one stream for both.
    let listed = pin!(watcher(pods.clone(), watcher::Config::default().labels("app=web")));
    let streamed = pin!(watcher(pods.clone(), watcher::Config::default().labels("app=web").streaming_lists()));
    let (reader, writer) = reflector::store();
    let mut listed = listed.reflect(writer).boxed();
    let mut streamed = streamed.boxed();
    for events in [&mut listed, &mut streamed] {
        ensure!(matches!(events.next().await.context("ended")??, Event::Init));
        ensure!(matches!(events.next().await.context("ended")??, Event::InitDone), "nothing is there yet");
    }

    deployments.create(&PostParams::default(), &from_value(deployment(2))?).await?;
    let running = await_condition(deployments.clone(), "web", conditions::is_deployment_completed());
    soon("the rollout", async { Ok(running.await?) }).await?;
    for events in [&mut listed, &mut streamed] {
        let mut ready = 0;
        let mut last = 0;
        while ready < 2 {
            let Event::Apply(pod) = soon("a pod's change", next(events)).await? else {
                bail!("nothing is deleted yet")
            };
            let version: u64 = pod.resource_version().context("a version")?.parse()?;
            ensure!(version > last, "versions go up: {last}, {version}");
            last = version;
            let conditions = pod.status.and_then(|status| status.conditions).unwrap_or_default();
            ready += usize::from(conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True"));
        }
    }
    ensure!(reader.state().len() == 2, "the store holds what the watch told");

    deployments.delete("web", &DeleteParams::background()).await?;
    for events in [&mut listed, &mut streamed] {
        let mut gone = 0;
        while gone < 2 {
            gone += usize::from(matches!(soon("the end of the pods", next(events)).await?, Event::Delete(_)));
        }
    }
    ensure!(reader.is_empty());
    Ok(())
}

#[tokio::test]
async fn server_side_apply_keeps_owners_apart() -> Result<()> {
    let server = Server::start("apply")?;
    let maps: Api<ConfigMap> = Api::default_namespaced(server.client().await?);
    let map = |data: Value| {
        Patch::Apply(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared"}, "data": data,
        }))
    };
    let (one, two) = (PatchParams::apply("one"), PatchParams::apply("two"));
    maps.patch("shared", &one, &map(json!({"a": "1", "b": "1"}))).await?;
    maps.patch("shared", &two, &map(json!({"c": "2"}))).await?;
    ensure!(code(maps.patch("shared", &two, &map(json!({"a": "2"}))).await)? == 409, "a conflict");
    let forced = maps.patch("shared", &two.clone().force(), &map(json!({"a": "2"}))).await?;
    let data: Vec<(String, String)> = forced.data.clone().unwrap_or_default().into_iter().collect();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    ensure!(data == [pair("a", "2"), pair("b", "1")], "what was applied no longer is gone: {data:?}");
    let owners: Vec<(Option<String>, Value)> = forced
        .managed_fields()
        .iter()
        .map(|entry| Ok((entry.manager.clone(), serde_json::to_value(&entry.fields_v1)?)))
        .collect::<Result<_>>()?;
    let owner = |name: &str, field: &str| (Some(name.to_owned()), json!({"f:data": {field: {}}}));
    ensure!(owners == [owner("one", "f:b"), owner("two", "f:a")], "{owners:?}");
    // A dry run of the same writes nothing.
    let dry = maps.patch("shared", &one.clone().dry_run(), &map(json!({}))).await?;
    ensure!(dry.data.unwrap_or_default().len() == 1);
    ensure!(maps.get("shared").await?.data.unwrap_or_default().len() == 2);
    Ok(())
}

/// Takes or renews a Lease, as leader election does: whoever read an older version is refused.
async fn hold(leases: &Api<Lease>, who: &str, transitions: i32) -> Result<Lease> {
    let lease = leases.get_opt("leader").await?;
    let spec = json!({
        "holderIdentity": who, "leaseDurationSeconds": 2, "leaseTransitions": transitions,
        "renewTime": "2026-01-01T00:00:00.000000Z",
    });
    let mut wanted: Lease = from_value(json!({"metadata": {"name": "leader"}, "spec": spec}))?;
    Ok(match lease {
        None => leases.create(&PostParams::default(), &wanted).await?,
        Some(lease) => {
            wanted.metadata.resource_version = lease.resource_version();
            leases.replace("leader", &PostParams::default(), &wanted).await?
        }
    })
}

#[tokio::test]
async fn a_lease_has_one_holder() -> Result<()> {
    let server = Server::start("lease")?;
    let leases: Api<Lease> = Api::default_namespaced(server.client().await?);
    let first = hold(&leases, "a", 0).await?;
    ensure!(code(leases.create(&PostParams::default(), &Lease { spec: None, ..first.clone() }).await)? == 409);
    let mut events = pin!(watcher(leases.clone(), watcher::Config::default()));
    let holder = |lease: &Lease| lease.spec.as_ref().and_then(|spec| spec.holder_identity.clone());
    let Event::InitApply(seen) = soon("the lease", next(&mut events)).await? else { bail!("it is there") };
    ensure!(holder(&seen).as_deref() == Some("a"));
    let second = hold(&leases, "b", 1).await?;
    // Who read before that has lost.
    ensure!(code(leases.replace("leader", &PostParams::default(), &first).await)? == 409, "a conflict");
    let Event::Apply(seen) = soon("the new holder", next(&mut events)).await? else { bail!("it is changed") };
    ensure!(holder(&seen).as_deref() == Some("b") && seen.resource_version() == second.resource_version());
    // The cluster's own parts hold theirs.
    let heartbeats: Api<Lease> = Api::namespaced(server.client().await?, "kube-node-lease");
    ensure!(holder(&heartbeats.get("minikube").await?).as_deref() == Some("minikube"));
    Ok(())
}

#[tokio::test]
async fn lists_come_in_pages() -> Result<()> {
    let server = Server::start("pages")?;
    let maps: Api<ConfigMap> = Api::default_namespaced(server.client().await?);
    for number in 0..5 {
        let map = from_value(json!({"metadata": {"name": format!("page-{number}"), "labels": {"of": "book"}}}))?;
        maps.create(&PostParams::default(), &map).await?;
    }
    let (mut names, mut pages) = (Vec::new(), 0);
    let mut params = ListParams::default().labels("of=book").limit(2);
    loop {
        let page = maps.list(&params).await?;
        pages += 1;
        names.extend(page.items.iter().map(ResourceExt::name_any));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    ensure!(pages == 3 && names.len() == 5 && names.is_sorted(), "{pages} pages: {names:?}");
    let metadata = maps.list_metadata(&ListParams::default().labels("of=book")).await?;
    ensure!(metadata.items.len() == 5 && metadata.items.iter().all(|m| m.metadata.labels.is_some()));
    maps.delete_collection(&DeleteParams::default(), &ListParams::default().labels("of=book")).await?;
    ensure!(maps.list(&ListParams::default().labels("of=book")).await?.items.is_empty());
    Ok(())
}

#[tokio::test]
async fn streams_reach_containers() -> Result<()> {
    let server = Server::start("streams")?;
    let pods: Api<Pod> = Api::default_namespaced(server.client().await?);
    pods.create(
        &PostParams::default(),
        &from_value(json!({
            "metadata": {"name": "web"}, "spec": {"containers": [{
                "name": "nginx", "image": "nginx", "readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 1},
            }]},
        }))?,
    )
    .await?;
    // A container that runs does not listen yet.
    let is_ready = |pod: Option<&Pod>| {
        let conditions = pod.and_then(|p| p.status.as_ref()?.conditions.as_ref());
        conditions.into_iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True")
    };
    let ready = await_condition(pods.clone(), "web", is_ready);
    soon("the pod", async { Ok(ready.await?) }).await?;

    let params = AttachParams::default().stdin(true).stderr(false);
    let mut process = pods.exec("web", ["cat"], &params).await?;
    let (mut stdin, mut stdout) = process.stdin().zip(process.stdout()).context("both streams")?;
    stdin.write_all(b"hello\n").await?;
    let mut answer = [0; 6];
    soon("the echo", async { Ok(stdout.read_exact(&mut answer).await?) }).await?;
    ensure!(&answer == b"hello\n");
    process.abort();

    let mut failing = pods.exec("web", ["sh", "-c", "exit 3"], &AttachParams::default()).await?;
    let status = failing.take_status().context("a status")?.await.context("it ended")?;
    ensure!(status.reason.as_deref() == Some("NonZeroExitCode"), "{status:?}");

    let mut forwarder = pods.portforward("web", &[80]).await?;
    let mut port = forwarder.take_stream(80).context("a stream")?;
    port.write_all(b"GET / HTTP/1.0\r\nHost: web\r\n\r\n").await?;
    let mut page = String::new();
    soon("the page", async { Ok(port.read_to_string(&mut page).await?) }).await?;
    if page.is_empty() {
        let error = forwarder.take_error(80).context("an error stream")?;
        bail!("no page: {:?}", soon("the reason", async { Ok(error.await) }).await?);
    }
    ensure!(page.starts_with("HTTP/1.1 200 OK") && page.contains("Welcome to nginx!"), "{page}");

    let lines = pods.log_stream("web", &Default::default()).await?;
    let log: Vec<String> =
        soon("the log", async { Ok(futures_util::AsyncBufReadExt::lines(lines).try_collect().await?) }).await?;
    ensure!(log.iter().any(|line| line.contains("GET / HTTP/1.0")), "{log:?}");
    Ok(())
}
