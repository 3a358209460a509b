//! TLS: which files hold certificates and their keys.

use std::path::PathBuf;
use std::time::Duration;

use super::reader::Reader;

/// How the server proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tls {
    /// At least one; the first is for whoever names none of the others.
    pub(crate) certificates: Vec<CertificateFiles>,
    /// How long a client may take from its first byte to the end of the handshake.
    pub(crate) handshake_timeout: Duration,
}

/// A certificate and its key, as files of PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    /// The certificate, and behind it those that lead to a root.
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Reads what stands below `http_server.tls`; `None` if it is not enabled.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Tls> {
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
    enabled.then_some(Tls { certificates, handshake_timeout })
}

/// A pair of files. One without the other is a mistake.
fn files(reader: &mut Reader<'_>) -> Option<CertificateFiles> {
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
