//! TLS: who we are to whom, and how a connection becomes secret.
//!
//! `Certificates` gives each client the one that it asks for; the operator brings them, or, with the feature `acme`,
//! the server orders them. A `Watch` reads them again when their files change; connections keep what they shook hands
//! with. The `Acceptor` shakes hands. After the WebSocket upgrade, TLS is a value of the engine's
//! ([`Link`](crate::engine::Link)).

mod acceptor;
#[cfg(feature = "acme")]
mod acme;
#[cfg(not(feature = "acme"))]
mod acme_absent;
mod certificate;
mod certificates;
mod files;
mod identity;
mod roots;
#[cfg(test)]
pub(crate) mod testing;
mod watch;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;

pub(crate) use self::acceptor::Acceptor;
#[cfg(feature = "acme")]
pub(crate) use self::acme::Acme;
#[cfg(not(feature = "acme"))]
pub(crate) use self::acme_absent::Acme;
pub use self::certificate::CertificateError;
pub(crate) use self::certificate::pair;
pub(crate) use self::certificates::Certificates;
pub(crate) use self::files::write;
pub(crate) use self::identity::Identity;
pub(crate) use self::roots::read as authorities;
pub(crate) use self::watch::{LOOK_INTERVAL, Watch};

/// The one library of cryptography in the process; it signs tokens too.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}
