//! Connections as they come in: over TLS, with certificates made for this run, or plain.
//!
//! Clients say who they are over TLS alone: kubectl sends no token and no certificate over plain HTTP. A certificate says whose
//! it is, that of the kubeconfig or one that was asked for and approved; who shows none and has no token is nobody.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use api::http::Certified;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::signing::{self, Signer};

/// Connections that have said hello and wait to be taken.
const WAITING_MAX: usize = 64;

/// Certificates as DER: of the authority, and the client's with its key.
pub(super) struct Papers {
    pub(super) authority: Vec<u8>,
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
}

/// Who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// There is no TLS, and everyone is minikube's user.
    Plain,
    /// It has shown a certificate of our authority.
    Known(Certified),
    /// It has shown none.
    Unknown,
}

/// Both kinds of stream.
pub(super) trait Both: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Both for T {}

/// Where clients come in.
pub(super) struct Doors {
    arrived: mpsc::Receiver<(Box<dyn Both>, Peer)>,
}

impl Doors {
    /// Takes connections from now on; with TLS if there is a configuration for it.
    pub(super) fn open(listener: TcpListener, tls: Option<Arc<ServerConfig>>) -> Doors {
        let (tell, arrived) = mpsc::channel(WAITING_MAX);
        let acceptor = tls.map(TlsAcceptor::from);
        tokio::spawn(async move {
            let mut listener = listener;
            loop {
                // The trait's own way to accept: it waits out what can be waited out.
                let (stream, _) = Listener::accept(&mut listener).await;
                tokio::spawn(greet(stream, acceptor.clone(), tell.clone()));
            }
        });
        Doors { arrived }
    }
}

/// Shakes hands; whoever does not is gone.
async fn greet(stream: TcpStream, acceptor: Option<TlsAcceptor>, tell: mpsc::Sender<(Box<dyn Both>, Peer)>) {
    // Answers are short and someone waits for them.
    let _ = stream.set_nodelay(true);
    let arrival: (Box<dyn Both>, Peer) = match acceptor {
        None => (Box::new(stream), Peer::Plain),
        Some(acceptor) => {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            // One without a common name is nobody's.
            let peer = shown.and_then(|der| signing::holder(der)).map_or(Peer::Unknown, Peer::Known);
            (Box::new(stream), peer)
        }
    };
    let _ = tell.send(arrival).await;
}

impl Listener for Doors {
    type Io = Box<dyn Both>;
    type Addr = Peer;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.arrived.recv().await {
            Some(arrival) => arrival,
            // The task that tells ends with the process.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        // Nobody asks: who is at the other end takes an address's place.
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

impl Connected<IncomingStream<'_, Doors>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Doors>) -> Self {
        stream.remote_addr().clone()
    }
}

/// What the server shows, what the kubeconfig's user shows, and the authority that signed both.
pub(super) fn papers(address: SocketAddr) -> anyhow::Result<(Arc<ServerConfig>, Papers, Signer)> {
    let named = |names: Vec<String>, common: &str, organization: &str| -> anyhow::Result<CertificateParams> {
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, common);
        if !organization.is_empty() {
            params.distinguished_name.push(DnType::OrganizationName, organization);
        }
        Ok(params)
    };
    let mut params = named(Vec::new(), "minikubeCA", "")?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate()?;
    let authority = params.self_signed(&key)?;
    let issuer = Issuer::new(params, key);

    let names = vec![address.ip().to_string(), "localhost".into(), "kubernetes.default.svc".into()];
    let server_key = KeyPair::generate()?;
    let server = named(names, "minikube", "")?.signed_by(&server_key, &issuer)?;
    let client_key = KeyPair::generate()?;
    let client = named(Vec::new(), "minikube-user", "system:masters")?.signed_by(&client_key, &issuer)?;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone())?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .context("the authority cannot be used")?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![server.der().clone()], private)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let papers = Papers {
        authority: authority.der().to_vec(),
        certificate: client.der().to_vec(),
        key: client_key.serialize_der(),
    };
    Ok((Arc::new(config), papers, Signer(issuer)))
}
