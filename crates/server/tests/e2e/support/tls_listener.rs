//! A listener of a backend that speaks TLS, with a certificate that one authority vouches for.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::secure::Pair;

/// How long one who comes may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// Shakes hands with whoever comes, and hands on who has.
pub(crate) struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl TlsListener {
    /// Shows this pair to everybody.
    pub(crate) async fn showing(pair: &Pair) -> Self {
        Self::bind(pair, None).await
    }

    /// The same, and lets nobody in for whom this authority does not vouch.
    pub(crate) async fn demanding(pair: &Pair, of_clients: &Path) -> Self {
        Self::bind(pair, Some(of_clients)).await
    }

    async fn bind(pair: &Pair, of_clients: Option<&Path>) -> Self {
        let provider = Arc::new(default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone());
        let config = config.with_safe_default_protocol_versions().expect("the provider speaks them");
        let config = match of_clients {
            None => config.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                let authority = CertificateDer::from_pem_file(authority).expect("a certificate was written");
                roots.add(authority).expect("it is an authority's");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                config.with_client_cert_verifier(verifier.expect("it has an authority"))
            }
        };
        let chain = CertificateDer::pem_file_iter(pair.certificate()).expect("a certificate was written");
        let chain = chain.collect::<Result<_, _>>().expect("it is PEM");
        let key = PrivateKeyDer::from_pem_file(pair.key()).expect("a key was written");
        let config = config.with_single_cert(chain, key).expect("they are a pair");
        let tcp = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        Self { tcp, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (tcp, peer) = Listener::accept(&mut self.tcp).await;
            // Whoever does not like our certificate goes away, and that is what some scenes are about.
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, self.acceptor.accept(tcp)).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}
