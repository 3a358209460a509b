//! Authorities that may vouch for others, from a file.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::CertificateError;
use super::certificate::read as read_file;

/// Reads the certificates of authorities, in PEM.
///
/// # Errors
/// There are none in the file, or one is not understood.
pub(crate) fn read(path: &Path) -> Result<RootCertStore, CertificateError> {
    let malformed =
        |error: &dyn std::fmt::Display| CertificateError::Malformed(path.to_owned(), error.to_string());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&read_file(path)?) {
        roots.add(certificate.map_err(|error| malformed(&error))?).map_err(|error| malformed(&error))?;
    }
    if roots.is_empty() { Err(CertificateError::NoCertificate(path.to_owned())) } else { Ok(roots) }
}
