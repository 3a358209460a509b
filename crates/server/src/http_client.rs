//! The HTTP client with which this server asks others: proxies of the backend, the endpoint of events, and whoever
//! publishes keys.

mod service;
mod trust;

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

pub(crate) use self::service::Service;
pub(crate) use self::trust::Trust;
pub(crate) use self::trust::distrust;

/// How long a connection is kept that nobody uses: shorter than what servers commonly allow, so that it is us who close
/// it.
const IDLE: Duration = Duration::from_secs(30);

/// Asks one server, on connections that are kept and used again.
pub(crate) type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client that connects within this time and keeps so many idle connections at most.
///
/// # Errors
/// `https` is to be spoken, and nobody is to be trusted: this machine has no authorities, or a file of `trust` is not as
/// it should be.
pub(crate) fn build(
    is_https: bool,
    trust: &Trust,
    connect_timeout: Duration,
    idle_max: usize,
) -> io::Result<HttpClient> {
    let config = if is_https { trust.config()? } else { trust::in_nobody()? };
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    http.enforce_http(false);
    http.set_connect_timeout(Some(connect_timeout));
    let builder = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http();
    let builder = match &trust.server_name {
        Some(name) => builder.with_server_name_resolver(FixedServerNameResolver::new(name.clone())),
        None => builder,
    };
    let client = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(idle_max)
        .build(builder.enable_http1().wrap_connector(http));
    Ok(client)
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
