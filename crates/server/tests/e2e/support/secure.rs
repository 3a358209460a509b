//! A server that speaks TLS, with a certificate of its own making, and clients that trust it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::http::{self, Response};
use super::peer::Peer;
use super::server::{Server, scratch, spanwire};
use super::until::within;

/// A client of the protocol over TLS.
pub(crate) type SecurePeer = Peer<TlsStream<TcpStream>>;

/// What `spanwire dev-cert` has written.
#[derive(Clone)]
pub(crate) struct Pair(PathBuf);

impl Pair {
    /// A certificate for these names, in a directory of its own.
    pub(crate) async fn make(names: &[&str]) -> Self {
        let pair = Self(scratch("certificate"));
        pair.renew(names).await;
        pair
    }

    /// Replaces it, and the authority that vouches for it.
    pub(crate) async fn renew(&self, names: &[&str]) {
        let mut command = spanwire(&["dev-cert", "--force", "--dir"]);
        let output = within("a certificate", command.arg(&self.0).args(names).output()).await;
        let output = output.expect("the binary can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.0.join("dev-ca.pem")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.0.join("dev-cert.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.0.join("dev-key.pem")
    }

    pub(crate) fn files(&self) -> Value {
        json!({ "cert_pem_file": self.certificate(), "key_pem_file": self.key() })
    }
}

/// A server that speaks TLS.
pub(crate) struct Secure {
    pub(crate) server: Server,
    pub(crate) pair: Pair,
}

impl Secure {
    /// Starts it with these changes to its configuration.
    pub(crate) async fn serve(changes: Value) -> Self {
        Self::serve_with(json!({}), changes).await
    }

    /// The same with more options of TLS.
    pub(crate) async fn serve_with(mut tls: Value, mut changes: Value) -> Self {
        let pair = Pair::make(&["localhost", "127.0.0.1"]).await;
        for (key, file) in pair.files().as_object().expect("a table of files") {
            tls[key] = file.clone();
        }
        tls["enabled"] = json!(true);
        changes["http_server"] = json!({ "tls": tls });
        Self { server: Server::serve(changes).await, pair }
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.pair.authority()
    }

    /// A client that trusts it.
    pub(crate) fn client(&self) -> ClientConfig {
        trusting(&self.authority(), rustls::DEFAULT_VERSIONS)
    }

    /// A connection that has shaken hands.
    pub(crate) async fn dial(&self) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.server.address).await.expect("the server accepts");
        shake_hands(stream, Arc::new(self.client()), "localhost").await.expect("it is trusted")
    }

    /// Opens a WebSocket, connects and subscribes.
    pub(crate) async fn subscribe(&self, channel: &str) -> SecurePeer {
        let place = format!("{}/connection/websocket", self.server.address);
        let mut peer = Peer::open_over(self.dial().await, &place).await;
        peer.call("connect", json!({})).await;
        peer.call("subscribe", json!({ "channel": channel })).await;
        peer
    }

    /// GET.
    pub(crate) async fn get(&self, path: &str) -> Response {
        let mut stream = self.dial().await;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.server.address);
        stream.write_all(request.as_bytes()).await.expect("the server reads");
        within("an HTTP answer", http::answer(&mut stream)).await
    }

    /// The value of a metric, by its name and labels as they are written; zero if it is not there.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let metrics = self.get("/metrics").await.body;
        let figure = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
        metrics.lines().find_map(figure).unwrap_or(0.0)
    }
}

/// A client that trusts one authority, and speaks these versions.
pub(crate) fn trusting(authority: &Path, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(authority).expect("a certificate was written");
    roots.add(certificate).expect("it is an authority's");
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_protocol_versions(versions).expect("the provider speaks them");
    config.with_root_certificates(roots).with_no_client_auth()
}

/// Shakes hands over a stream with a server of this name.
///
/// # Errors
/// The server is not trusted, or went away.
pub(crate) async fn shake_hands(
    stream: TcpStream,
    client: Arc<ClientConfig>,
    name: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(name.to_owned()).expect("a name of a server");
    within("the TLS handshake", TlsConnector::from(client).connect(name, stream)).await
}
