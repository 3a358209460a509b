//! Stands in the place of ACME in a server that was built without it.

use std::convert::Infallible;
use std::sync::Arc;

use super::{CertificateError, Certificates, Identity};
use crate::config::Autocert;
use crate::metrics::EdgeCounters;

/// There is none.
pub(crate) enum Acme {}

impl Acme {
    /// # Errors
    /// Always. The configuration has refused it already, with the way out.
    pub(crate) fn open(_: &Autocert, _: Arc<EdgeCounters>, _: [u8; 32]) -> Result<Self, CertificateError> {
        Err(CertificateError::Unordered("this server was built without the feature acme".to_owned()))
    }

    pub(crate) fn certificates(&self) -> Arc<Certificates> {
        match *self {}
    }

    pub(crate) fn identity(&self) -> Identity {
        match *self {}
    }

    pub(crate) async fn run(self) -> Infallible {
        match self {}
    }
}
