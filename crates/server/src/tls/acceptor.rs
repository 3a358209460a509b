//! Shakes hands.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::server::NoServerSessionStorage;
use rustls::{Error, HandshakeKind, ProtocolVersion, ServerConfig, ServerConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{CertificateError, Identity, provider};
use crate::metrics::EdgeCounters;

/// What can be spoken over TLS (ALPN, RFC 7301), the best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// What an authority speaks that wants to see whether a host is ours (RFC 8737, section 6.2).
pub(super) const CHALLENGE_PROTOCOL: &[u8] = b"acme-tls/1";

/// How much of a request is read that came to the wrong port, in bytes.
const STRAY_BYTES_MAX: usize = 16 << 10;

/// Makes connections secret, or lets go of them.
pub(crate) struct Acceptor {
    tls: TlsAcceptor,
    patience: Duration,
    counters: Arc<EdgeCounters>,
}

impl Acceptor {
    /// Shakes hands with the certificates of `identity`, by TLS 1.2 or 1.3, and offers HTTP/2 besides HTTP/1.1 if that
    /// is spoken. Whoever takes longer than `patience` is let go.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(crate) fn new(
        identity: Identity,
        patience: Duration,
        has_http2: bool,
        counters: Arc<EdgeCounters>,
    ) -> Result<Self, CertificateError> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(identity.resolver);
        config.alpn_protocols =
            PROTOCOLS[usize::from(!has_http2)..].iter().map(|protocol| protocol.to_vec()).collect();
        if identity.answers_challenges {
            config.alpn_protocols.push(CHALLENGE_PROTOCOL.to_vec());
        }
        // Clients keep what they need to resume, sealed by a key that changes by itself; we keep nothing for them.
        config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self { tls: TlsAcceptor::from(Arc::new(config)), patience, counters })
    }

    /// Shakes hands with a client; `None` if nothing came of it, which is counted.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        match timeout(self.patience, self.shake_hands(stream)).await {
            Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(CHALLENGE_PROTOCOL) => {
                self.dismiss(stream).await
            }
            Ok(Ok(stream)) => {
                let (version, resumed) = terms(stream.get_ref().1);
                self.counters.tls_opened(version, resumed);
                Some(stream)
            }
            Ok(Err(error)) => self.failed(reason(&error)),
            Err(_) => self.failed("timeout"),
        }
    }

    async fn shake_hands(&self, mut stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let mut first = [0];
        stream.peek(&mut first).await?;
        if first[0].is_ascii_uppercase() {
            explain(&mut stream).await?;
        }
        self.tls.accept(stream).await
    }

    /// Ends a connection on which the handshake was all that was wanted (RFC 8737, section 3).
    async fn dismiss<T>(&self, mut stream: TlsStream<TcpStream>) -> Option<T> {
        // Whether the authority waits for the end or not, it has seen what it came for.
        let _ = timeout(self.patience, stream.shutdown()).await;
        None
    }

    fn failed<T>(&self, reason: &'static str) -> Option<T> {
        self.counters.tls_failed(reason);
        None
    }
}

/// Tells somebody who speaks HTTP without TLS what is spoken here.
async fn explain(stream: &mut TcpStream) -> io::Result<()> {
    // What is left unread when a socket is closed would take the answer with it.
    let mut request = vec![0; STRAY_BYTES_MAX];
    let _ = stream.read(&mut request).await?;
    let text = "This port speaks TLS: write https:// or wss:// before its address.\n";
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{text}",
        text.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    Err(io::Error::other(Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)))
}

/// The version, and whether the client had been here before, for the metrics.
fn terms(connection: &ServerConnection) -> (&'static str, bool) {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "1.2",
        _ => "1.3",
    };
    (version, connection.handshake_kind() == Some(HandshakeKind::Resumed))
}

/// Why a handshake came to nothing, for the metrics.
fn reason(error: &io::Error) -> &'static str {
    match error.get_ref().and_then(|error| error.downcast_ref::<Error>()) {
        None => "connection_lost",
        Some(Error::InvalidMessage(_)) => "not_tls",
        Some(Error::PeerIncompatible(_)) => "nothing_in_common",
        Some(Error::NoApplicationProtocol) => "no_common_protocol",
        // What rustls says if a resolver has no certificate; it says it nowhere else.
        Some(Error::General(trouble)) if trouble.starts_with("no server certificate") => "no_certificate",
        Some(Error::AlertReceived(_)) => "refused_by_client",
        Some(_) => "broken",
    }
}
