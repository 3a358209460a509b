//! A server that is asked, as the configuration describes it.

use std::io;
use std::time::Duration;

use http::{HeaderMap, Uri};

use super::{HttpClient, Trust, build};

/// Where requests go, what each of them says, and whom it may reach.
#[derive(Clone, Debug)]
pub struct Service {
    /// An address of `http` or `https`. It may hold a password.
    pub endpoint: Uri,
    /// Headers of every request; they may hold secrets.
    pub static_headers: HeaderMap,
    /// How the server is known, if the address is one of `https`.
    pub trust: Trust,
}

impl Service {
    /// A client for it, as [`build`] makes it.
    ///
    /// # Errors
    /// As for [`build`].
    pub(crate) fn client(&self, connect_timeout: Duration, idle_max: usize) -> io::Result<HttpClient> {
        build(self.is_https(), &self.trust, connect_timeout, idle_max)
    }

    /// Whether an address is one that can be asked.
    pub(crate) fn is_at(uri: &Uri) -> bool {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    }

    /// Whether TLS is spoken with it.
    pub(crate) fn is_https(&self) -> bool {
        self.endpoint.scheme_str() == Some("https")
    }
}
