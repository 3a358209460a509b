//! Trust by certificates, as rustls checks them.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::ConfigError;

/// The authorities that may vouch for a server; none for one that is spoken to without TLS.
#[derive(Clone, Debug)]
pub(crate) struct Trust(Option<Arc<ClientConfig>>);

impl Trust {
    /// Trusts the authorities of this file and no other; without a file, those that the system trusts.
    pub(crate) fn new(secure: bool, ca_file: Option<&Path>) -> Result<Self, ConfigError> {
        if !secure {
            return Ok(Self(None));
        }
        let roots = match ca_file {
            Some(path) => from_file(path)?,
            None => from_system()?,
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| ConfigError::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Some(Arc::new(config))))
    }

    /// Makes sure that the other side is this host, and speaks TLS from then on.
    ///
    /// # Errors
    /// It is not, or says so in a way that we do not believe.
    pub(crate) async fn shake_hands(
        &self,
        host: &str,
        socket: TcpStream,
    ) -> io::Result<Box<TlsStream<TcpStream>>> {
        let Some(config) = &self.0 else { return Err(io::ErrorKind::Unsupported.into()) };
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        TlsConnector::from(config.clone()).connect(name, socket).await.map(Box::new)
    }
}

fn from_file(path: &Path) -> Result<RootCertStore, ConfigError> {
    let unusable = |why: &dyn std::fmt::Display| ConfigError::CaFile(path.to_owned(), why.to_string());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))? {
        roots.add(certificate.map_err(|error| unusable(&error))?).map_err(|error| unusable(&error))?;
    }
    if roots.is_empty() { Err(unusable(&"it holds no certificate in PEM")) } else { Ok(roots) }
}

fn from_system() -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(ConfigError::NoAuthorities) } else { Ok(roots) }
}
