//! A certificate with its key, and what is written in it.

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{ASN1Time, FromDer as _, X509Certificate};

use crate::config::CertificateFiles;

/// Largest file of certificates or keys that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A certificate that can be shown.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    /// The chain, and the key that proves that it is ours.
    pub(super) key: Arc<CertifiedKey>,
    /// The names that it is for, in lower case; one may begin with `*.`.
    pub(super) names: Vec<String>,
    /// From when until when it is good.
    pub(super) validity: Range<SystemTime>,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("{0}: {1}")]
    Unreadable(PathBuf, io::Error),
    /// A file is too long to be what it should be.
    #[error("{0} has more than {FILE_BYTES_MAX} bytes, which no certificate has")]
    TooLong(PathBuf),
    /// There is none in the file.
    #[error("{0} holds no certificate in PEM; it should have a line -----BEGIN CERTIFICATE-----")]
    NoCertificate(PathBuf),
    /// There is no key in the file.
    #[error("{0} holds no private key in PEM; it should have a line -----BEGIN PRIVATE KEY-----")]
    NoKey(PathBuf),
    /// What is in the file cannot be understood.
    #[error("{0} holds a certificate that is not understood: {1}")]
    Malformed(PathBuf, String),
    /// They are no pair.
    #[error("the key in {key} does not fit the certificate in {certificate}: {trouble}")]
    NoPair {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// What does not fit.
        trouble: String,
    },
    /// It ended already.
    #[error("the certificate in {0} has expired")]
    Expired(PathBuf),
    /// It cannot be ordered, or not be kept.
    #[error("certificates cannot be ordered: {0}")]
    Unordered(String),
    /// The library of cryptography does not work.
    #[error("TLS cannot be set up: {0}")]
    Library(#[from] rustls::Error),
}

impl Certificate {
    /// Reads a pair of files.
    ///
    /// # Errors
    /// See [`CertificateError`].
    pub(super) fn load(
        files: &CertificateFiles,
        provider: &CryptoProvider,
    ) -> Result<Self, CertificateError> {
        Self::from_pem(files, &read(&files.certificate)?, &read(&files.key)?, provider)
    }

    /// Understands what the files hold, or are about to hold.
    ///
    /// # Errors
    /// See [`CertificateError`].
    pub(super) fn from_pem(
        files: &CertificateFiles,
        chain: &[u8],
        key: &[u8],
        provider: &CryptoProvider,
    ) -> Result<Self, CertificateError> {
        let path = &files.certificate;
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| CertificateError::Malformed(path.clone(), error.to_string()))?;
        let leaf = chain.first().ok_or_else(|| CertificateError::NoCertificate(path.clone()))?;
        let (names, validity) =
            read_leaf(leaf).map_err(|trouble| CertificateError::Malformed(path.clone(), trouble))?;
        let key =
            PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::NoKey(files.key.clone()))?;
        let key = CertifiedKey::from_der(chain, key, provider).map_err(|error| CertificateError::NoPair {
            certificate: path.clone(),
            key: files.key.clone(),
            trouble: error.to_string(),
        })?;
        Ok(Self { key: Arc::new(key), names, validity })
    }
}

/// Reads a pair of files that is to be shown to servers.
///
/// # Errors
/// See [`CertificateError`].
pub(crate) fn pair(
    files: &CertificateFiles,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), CertificateError> {
    let certificate = Certificate::load(files, &super::provider())?;
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?);
    let key = key.map_err(|_| CertificateError::NoKey(files.key.clone()))?;
    Ok((certificate.key.cert.clone(), key))
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let unreadable = |error| CertificateError::Unreadable(path.to_owned(), error);
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(CertificateError::TooLong(path.to_owned()));
    }
    Ok(bytes)
}

/// For whom a certificate is, and when (RFC 5280, sections 4.1.2.5 and 4.2.1.6).
fn read_leaf(der: &CertificateDer<'_>) -> Result<(Vec<String>, Range<SystemTime>), String> {
    let (_, leaf) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
    let names = leaf.subject_alternative_name().map_err(|error| error.to_string())?;
    let names = names.iter().flat_map(|names| &names.value.general_names);
    let names = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    let time = |time: ASN1Time| UNIX_EPOCH + Duration::from_secs(time.timestamp().try_into().unwrap_or(0));
    let validity = leaf.validity();
    Ok((names.collect(), time(validity.not_before)..time(validity.not_after)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::provider;
    use crate::tls::testing::{Folder, issue};
    use std::fs;

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_name() {
        let folder = Folder::new("wrong-files");
        let good = folder.pair("good", &issue(&["a.test"]));
        let other = folder.pair("other", &issue(&["a.test"]));
        let rubbish = folder.path("rubbish");
        fs::write(&rubbish, "rubbish").unwrap();
        let broken = folder.path("broken");
        fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        let long = folder.path("long");
        fs::write(&long, vec![b' '; FILE_BYTES_MAX as usize + 1]).unwrap();
        let missing = folder.path("missing");
        for (certificate, key, expected) in [
            (&good.certificate, &good.key, "no trouble"),
            (&missing, &good.key, "missing: No such file"),
            (&good.certificate, &missing, "missing: No such file"),
            (&rubbish, &good.key, "rubbish holds no certificate"),
            (&broken, &good.key, "broken holds a certificate that is not understood"),
            (&long, &good.key, "long has more than"),
            (&good.certificate, &rubbish, "rubbish holds no private key"),
            (&good.certificate, &other.key, "does not fit the certificate"),
        ] {
            let files = CertificateFiles { certificate: certificate.clone(), key: key.clone() };
            let found = Certificate::load(&files, &provider());
            let found = found.map_or_else(|error| error.to_string(), |_| "no trouble".to_owned());
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn the_names_and_the_end_of_a_certificate_are_read() {
        let folder = Folder::new("names-and-end");
        let files = folder.pair("pair", &issue(&["A.test", "*.b.test"]));
        let certificate = Certificate::load(&files, &provider()).unwrap();
        assert_eq!(certificate.names, ["a.test", "*.b.test"]);
        // The end that rcgen gives unless told otherwise: the year 4096.
        assert_eq!(certificate.validity.end.duration_since(UNIX_EPOCH).unwrap().as_secs(), 67_090_118_400);
    }
}
