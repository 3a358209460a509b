//! TLS: where certificates and their keys come from.

use std::path::PathBuf;
use std::time::Duration;

use super::autocert::{self, Autocert};
use super::reader::Reader;

/// How the server proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tls {
    pub(crate) source: CertificateSource,
    /// How long a client may take from its first byte to the end of the handshake.
    pub(crate) handshake_timeout: Duration,
}

/// Who brings certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CertificateSource {
    /// The operator, as files: at least one pair; the first is for whoever names none of the others.
    Files(Vec<CertificateFiles>),
    /// The server, from an authority.
    Authority(Autocert),
}

/// A certificate and its key, as files of PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, and behind it those that lead to a root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Reads what stands below `http_server.tls` and `http_server.tls_autocert`; `None` if neither is enabled.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Tls> {
    let (files, handshake_timeout) = reader.table("http_server.tls", read_files);
    let autocert = reader.table("http_server.tls_autocert", autocert::read);
    if files.is_some() && autocert.is_some() {
        reader.conflict(
            "http_server.tls_autocert.enabled",
            "excludes http_server.tls.enabled: certificates come from files or from an authority",
        );
    }
    let source = files.map(CertificateSource::Files).or(autocert.map(CertificateSource::Authority))?;
    Some(Tls { source, handshake_timeout })
}

/// The pairs of files, if they are to be used, and how long a handshake may take, whose certificate it ever shows.
fn read_files(reader: &mut Reader<'_>) -> (Option<Vec<CertificateFiles>>, Duration) {
    let enabled = reader.flag("enabled", "whether clients speak TLS: https and wss", false);
    let main = files(reader);
    let others = reader.tables(
        "certificates",
        "further certificates, chosen by the name that a client asks for",
        |number, _| number.to_string(),
        |reader| {
            let files = files(reader);
            if files.is_none() {
                reader.conflict("cert_pem_file", "is needed, and key_pem_file");
            }
            files
        },
    );
    let handshake_timeout = reader.duration(
        "handshake_timeout",
        "how long a client may take to shake hands",
        Duration::from_secs(10),
        Duration::from_secs(1)..=Duration::from_secs(600),
    );
    let certificates: Vec<_> = main.into_iter().chain(others.into_iter().flatten()).collect();
    if enabled && certificates.is_empty() {
        reader.conflict(
            "enabled",
            "needs cert_pem_file and key_pem_file; `spanwire dev-cert` makes a pair to try",
        );
    }
    (enabled.then_some(certificates), handshake_timeout)
}

/// A pair of files. One without the other is a mistake.
pub(super) fn files(reader: &mut Reader<'_>) -> Option<CertificateFiles> {
    let certificate =
        reader.text("cert_pem_file", "a file with the certificate and those that lead to a root", "");
    let key = reader.text("key_pem_file", "a file with the certificate's private key", "");
    match (certificate.is_empty(), key.is_empty()) {
        (true, true) => return None,
        (true, false) => reader.conflict("key_pem_file", "needs cert_pem_file"),
        (false, true) => reader.conflict("cert_pem_file", "needs key_pem_file"),
        (false, false) => {}
    }
    Some(CertificateFiles { certificate: certificate.into(), key: key.into() })
}
