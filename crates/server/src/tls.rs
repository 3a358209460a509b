//! TLS: who we are to whom, and how a connection becomes secret.
//!
//! `Certificates` gives each client the one that it asks for. A `Watch` reads them again when their files change;
//! connections keep what they shook hands with. The `Acceptor` shakes hands. After the WebSocket upgrade, TLS is a
//! value of the engine's ([`Link`](crate::engine::Link)).

mod acceptor;
mod certificate;
mod certificates;
#[cfg(test)]
pub(crate) mod testing;
mod watch;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;

pub(crate) use self::acceptor::Acceptor;
pub use self::certificate::CertificateError;
pub(crate) use self::certificates::Certificates;
pub(crate) use self::watch::{LOOK_INTERVAL, Watch};

/// The one library of cryptography in the process; it signs tokens too.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}
