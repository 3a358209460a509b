//! Whom we take for the server that we ask, and what we show it of ourselves.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use hyper_rustls::ConfigBuilderExt as _;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

use crate::config::CertificateFiles;
use crate::tls;

/// How a server of `https` is known, and how we are known to it. By default the authorities of the system vouch for the
/// name in its address, and we show nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// A file with the only authorities that may vouch for the server, in PEM.
    pub authorities: Option<PathBuf>,
    /// For whom the server's certificate must be, if that is not the host in its address.
    pub server_name: Option<ServerName<'static>>,
    /// What we show a server that asks who we are.
    pub identity: Option<CertificateFiles>,
}

impl Trust {
    /// What TLS is spoken by. Files are read.
    ///
    /// # Errors
    /// A file is not as it should be, or the system trusts nobody.
    pub(super) fn config(&self) -> io::Result<ClientConfig> {
        let config = match &self.authorities {
            Some(path) => {
                builder()?.with_root_certificates(tls::authorities(path).map_err(io::Error::other)?)
            }
            None => builder()?.with_native_roots()?,
        };
        match &self.identity {
            Some(files) => {
                let (chain, key) = tls::pair(files).map_err(io::Error::other)?;
                config.with_client_auth_cert(chain, key).map_err(io::Error::other)
            }
            None => Ok(config.with_no_client_auth()),
        }
    }
}

/// What a client is given that speaks no TLS: reading whom the system trusts takes time, and nobody is to be trusted.
///
/// # Errors
/// The library of cryptography does not speak TLS.
pub(super) fn in_nobody() -> io::Result<ClientConfig> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn builder() -> io::Result<ConfigBuilder<ClientConfig, WantsVerifier>> {
    let builder = ClientConfig::builder_with_provider(tls::provider());
    builder.with_safe_default_protocol_versions().map_err(io::Error::other)
}

/// Why a server was reached and not believed who it is; `None` if that is not what went wrong.
pub(crate) fn distrust(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(why @ rustls::Error::InvalidCertificate(certificate)) = error.downcast_ref() {
            return Some(format!("its certificate is not trusted: {why}; {}", way_out(certificate)));
        }
        next = match error.downcast_ref::<io::Error>() {
            // What an error of I/O was made of is not its source, which is what led to that.
            Some(error) => error.get_ref().map(|within| within as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

/// What the operator can do about a certificate that is not believed.
fn way_out(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it is to be renewed there, unless the clock of this machine is fast"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the clock of this machine may be slow; else it waits for its day, or for another one there"
        }
        CertificateError::Revoked => "its authority has taken it back: it is to be replaced there",
        CertificateError::UnknownIssuer => "http.tls.server_ca_pem_file names who may vouch for it",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "http.tls.server_name says for whom it must be"
        }
        _ => {
            "http.tls.server_ca_pem_file names who may vouch for it, and http.tls.server_name for whom it must be"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_believed_is_told_of_with_a_way_out_that_fits() {
        let table = [
            (CertificateError::Expired, "renewed there"),
            (CertificateError::NotValidYet, "clock of this machine"),
            (CertificateError::Revoked, "replaced there"),
            (CertificateError::UnknownIssuer, "http.tls.server_ca_pem_file"),
            (CertificateError::NotValidForName, "http.tls.server_name"),
            (CertificateError::BadSignature, "http.tls.server_ca_pem_file"),
        ];
        for (certificate, expected) in table {
            let options = matches!(expected.split_once('.'), Some(("http", _)));
            let error = io::Error::other(rustls::Error::InvalidCertificate(certificate.clone()));
            let said = distrust(&error).unwrap();
            assert!(said.contains(expected), "{certificate:?}: {said}");
            assert_eq!(said.contains("http.tls"), options, "{certificate:?}: {said}");
        }
        assert_eq!(distrust(&io::Error::other("the line is cut")), None);
    }
}
