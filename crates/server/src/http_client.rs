//! The HTTP client with which this server asks others: proxies of the backend, and whoever publishes keys.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::builderstates::WantsSchemes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};

/// How long a connection is kept that nobody uses: shorter than what servers commonly allow, so that it is us who close
/// it.
const IDLE: Duration = Duration::from_secs(30);

/// Asks one server, on connections that are kept and used again.
pub(crate) type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client that connects within this time and keeps so many idle connections at most.
///
/// # Errors
/// `https` is to be spoken, and this machine has no certificates to trust.
pub(crate) fn build(is_https: bool, connect_timeout: Duration, idle_max: usize) -> io::Result<HttpClient> {
    if !is_https {
        // Reading what the system trusts takes time, and here nobody is to be trusted.
        return with_roots(RootCertStore::empty(), connect_timeout, idle_max).map_err(io::Error::other);
    }
    let builder = HttpsConnectorBuilder::new().with_provider_and_native_roots(default_provider())?;
    Ok(client(builder, connect_timeout, idle_max))
}

/// The same, for servers that these authorities vouch for.
///
/// # Errors
/// The library of cryptography does not speak TLS.
pub(crate) fn with_roots(
    roots: RootCertStore,
    connect_timeout: Duration,
    idle_max: usize,
) -> Result<HttpClient, rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(client(HttpsConnectorBuilder::new().with_tls_config(config), connect_timeout, idle_max))
}

fn client(
    builder: HttpsConnectorBuilder<WantsSchemes>,
    connect_timeout: Duration,
    idle_max: usize,
) -> HttpClient {
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    http.enforce_http(false);
    http.set_connect_timeout(Some(connect_timeout));
    let connector = builder.https_or_http().enable_http1().wrap_connector(http);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(idle_max)
        .build(connector)
}

/// An error and what led to it: the outermost alone says no more than that there was one.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
