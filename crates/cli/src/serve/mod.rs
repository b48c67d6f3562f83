//! `kubonsai serve`: the API of a cluster over HTTPS, for the real kubectl, helm and client libraries.
//!
//! The world lives on a thread of its own, since nothing in it is `Send`; the HTTP server talks to it through
//! [`bridge::Bridge`].

mod bridge;
mod clock;
mod doors;
mod http;
mod kubeconfig;
mod node_ports;
mod signing;
mod tunnel;
mod watching;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use kubonsai::assets::Files;
use kubonsai::engine::Engine;

use crate::wire::Wire;

#[derive(Args)]
pub(crate) struct Options {
    /// The kind of cluster.
    #[arg(long, default_value = "minikube")]
    profile: String,
    /// Nodes, if not as many as the profile has.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    nodes: u32,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What runs the programs of containers.
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    /// A folder with an image layout (index.json, blobs): its files come before the built-in registry's.
    #[arg(long)]
    registry: Option<PathBuf>,
    #[command(flatten)]
    wire: Wire,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// No TLS: clients send no credentials, and everyone is the administrator.
    #[arg(long)]
    plain_http: bool,
    /// Where to write the kubeconfig, once the cluster is ready.
    #[arg(long)]
    kubeconfig: PathBuf,
    /// Also listen on 127.0.0.1 at each node port of a Service (NodePort and LoadBalancer): what connects there comes to the
    /// Service by the cluster's first node.
    #[arg(long)]
    publish_node_ports: bool,
    /// The clock stands still while the world computes, and standard input stops it: after the line `hold` until the next
    /// request, or until the line `go`. Each is answered with how many milliseconds it has run. For tests that play recordings.
    #[arg(long, hide = true)]
    paced: bool,
}

/// Serves until the process is ended.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let bridge = bridge::start(bridge::Wanted {
        seed: options.seed,
        engine: options.engine,
        profile: options.profile.clone(),
        nodes: options.nodes,
        wire: options.wire.said(),
        files: Files::new(options.registry.clone()),
        is_paced: options.paced,
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("cannot listen on {}", options.listen))?;
        let address = listener.local_addr()?;
        bridge.ready().await.context("the cluster ended before it was ready")?;
        let (tls, papers) = if options.plain_http {
            None
        } else {
            let (tls, papers, signer) = doors::papers(address)?;
            tokio::spawn(signer.run(bridge.clone()));
            Some((tls, papers))
        }
        .unzip();
        std::fs::write(&options.kubeconfig, kubeconfig::text(address, papers.as_ref()))
            .with_context(|| format!("cannot write {}", options.kubeconfig.display()))?;
        let scheme = if options.plain_http { "http" } else { "https" };
        let words = format!(
            "Serving the Kubernetes API on {scheme}://{address}\nkubeconfig: {}\n",
            options.kubeconfig.display()
        );
        // In one piece, and nobody has to read it: whoever waits for the first line may close the pipe after it.
        let _ = std::io::stdout().write_all(words.as_bytes());
        if options.paced {
            let bridge = bridge.clone();
            std::thread::spawn(move || pace(&bridge));
        }
        if options.publish_node_ports {
            tokio::spawn(node_ports::publish(bridge.clone()));
        }
        let router = http::router(bridge).into_make_service_with_connect_info::<doors::Peer>();
        axum::serve(doors::Doors::open(listener, tls), router).await?;
        Ok(())
    })
}

/// Does what standard input says, until it ends.
fn pace(bridge: &bridge::Bridge) -> Option<()> {
    for line in std::io::stdin().lines() {
        let passed = match line.ok()?.as_str() {
            "hold" => bridge.pace(true).ok()?,
            "go" => bridge.pace(false).ok()?,
            _ => continue,
        };
        writeln!(std::io::stdout(), "{}", passed.as_millis()).ok()?;
    }
    Some(())
}
