//! Who we are to clients that shake hands.

use std::sync::Arc;

use rustls::server::ResolvesServerCert;

use super::Certificates;

/// Who brings the certificate for a handshake.
pub(crate) struct Identity {
    pub(super) resolver: Arc<dyn ResolvesServerCert>,
    /// Whether authorities may come and see if a host is ours (RFC 8737).
    pub(super) answers_challenges: bool,
}

impl From<Arc<Certificates>> for Identity {
    fn from(resolver: Arc<Certificates>) -> Self {
        Self { resolver, answers_challenges: false }
    }
}
