//! Whom a command believes to be the server that it was told to go to.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::url::Server;
use super::{Exit, Failure};
use crate::tls::provider;

/// The authorities that may vouch for a server; none for one that is spoken to without TLS.
#[derive(Clone, Debug)]
pub(super) struct Trust(Option<Arc<ClientConfig>>);

impl Trust {
    /// Trusts the authorities of this file and no other; without a file, those that the system trusts.
    pub(super) fn new(server: &Server, ca_file: Option<&Path>) -> Result<Self, Failure> {
        if !server.secure {
            return Ok(Self(None));
        }
        let roots = match ca_file {
            Some(path) => from_file(path)?,
            None => from_system()?,
        };
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::new(Exit::Failed, error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Some(Arc::new(config))))
    }

    /// A connection to this host that is about to shake hands; `None` if TLS is not spoken.
    ///
    /// # Errors
    /// The host's name is none that a certificate could have.
    pub(super) fn connection(&self, host: &str) -> Result<Option<ClientConnection>, rustls::Error> {
        let Some(config) = &self.0 else { return Ok(None) };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| rustls::Error::General(format!("{host} is no name of a server")))?;
        ClientConnection::new(config.clone(), name).map(Some)
    }

    /// No TLS.
    pub(super) fn nobody() -> Self {
        Self(None)
    }
}

fn from_file(path: &Path) -> Result<RootCertStore, Failure> {
    let unusable = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::NoInput, format!("--ca-file {}: {error}", path.display()))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))? {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    if roots.is_empty() { Err(unusable(&"it holds no certificate in PEM")) } else { Ok(roots) }
}

fn from_system() -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(Failure::new(
            Exit::Failed,
            "this system has no list of authorities that vouch for servers",
        )
        .fix("install ca-certificates, or name the authority of your server with --ca-file"));
    }
    Ok(roots)
}
