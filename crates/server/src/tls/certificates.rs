//! All certificates of a node, and which one a client gets.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::certificate::{Certificate, CertificateError};
use super::provider;
use crate::config::CertificateFiles;

/// The certificates that are shown now. A handshake looks once, and keeps what it got.
#[derive(Debug)]
pub(crate) struct Certificates {
    files: Vec<CertificateFiles>,
    shown: RwLock<Shown>,
}

#[derive(Debug)]
struct Shown {
    certificates: Vec<Certificate>,
    /// Which certificate is for a name; the first one that has it.
    by_name: HashMap<String, usize>,
}

impl Certificates {
    /// Reads the pairs of files, of which the first is for whoever asks for none of the others.
    ///
    /// # Errors
    /// One of them cannot be used. An expired one can: clients will say so, and the operator is warned.
    pub(crate) fn load(files: &[CertificateFiles]) -> Result<Self, CertificateError> {
        let provider = provider();
        let certificates =
            files.iter().map(|files| Certificate::load(files, &provider)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { files: files.to_vec(), shown: RwLock::new(Shown::new(certificates)) })
    }

    /// Reads one pair again, and shows it from the next handshake on.
    ///
    /// # Errors
    /// It cannot be used, or has expired; what was shown before goes on being shown.
    pub(super) fn reload(&self, index: usize, now: SystemTime) -> Result<(), CertificateError> {
        let certificate = Certificate::load(&self.files[index], &provider())?;
        if certificate.not_after <= now {
            return Err(CertificateError::Expired(self.files[index].certificate.clone()));
        }
        let mut certificates = self.read().certificates.clone();
        certificates[index] = certificate;
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Shown::new(certificates);
        Ok(())
    }

    /// The files that the certificates come from, in their order.
    pub(super) fn files(&self) -> &[CertificateFiles] {
        &self.files
    }

    /// When each certificate ends, in the order of their files.
    pub(super) fn ends(&self) -> Vec<SystemTime> {
        self.read().certificates.iter().map(|certificate| certificate.not_after).collect()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Shown> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn new(certificates: Vec<Certificate>) -> Self {
        let mut by_name = HashMap::new();
        for (index, certificate) in certificates.iter().enumerate() {
            for name in &certificate.names {
                by_name.entry(name.clone()).or_insert(index);
            }
        }
        Self { certificates, by_name }
    }

    /// The certificate for a name: one that has it, then one with a star in the place of its first label (RFC 6125,
    /// section 6.4.3), then the first of all.
    fn choose(&self, name: Option<&str>) -> Option<&Certificate> {
        let named = name.and_then(|name| {
            let name = name.to_ascii_lowercase();
            let starred = || self.by_name.get(&format!("*.{}", name.split_once('.')?.1));
            self.by_name.get(&name).or_else(starred)
        });
        self.certificates.get(named.copied().unwrap_or(0))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.read().choose(hello.server_name()).map(|certificate| certificate.key.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::testing::{Folder, issue};
    use std::fs;
    use std::time::Duration;

    #[test]
    fn a_client_gets_the_certificate_of_the_name_that_it_asks_for() {
        let folder = Folder::new("certificates-names");
        let first = folder.pair("first", &issue(&["a.test", "*.a.test"]));
        let second = folder.pair("second", &issue(&["b.test", "x.a.test", "a.test"]));
        let certificates = Certificates::load(&[first, second]).unwrap();
        let shown = certificates.read();
        for (name, expected) in [
            (None, 0),
            (Some("a.test"), 0),
            (Some("A.TEST"), 0),
            (Some("y.a.test"), 0),
            (Some("x.a.test"), 1),
            (Some("b.test"), 1),
            (Some("y.b.test"), 0),
            (Some("y.y.a.test"), 0),
            (Some("test"), 0),
            (Some(""), 0),
        ] {
            let chosen = &shown.choose(name).unwrap().key;
            assert!(Arc::ptr_eq(chosen, &shown.certificates[expected].key), "{name:?}");
        }
    }

    #[test]
    fn a_pair_that_cannot_be_used_leaves_the_one_before_it_in_place() {
        let folder = Folder::new("certificates-reload");
        let files = folder.pair("pair", &issue(&["a.test"]));
        let certificates = Certificates::load(std::slice::from_ref(&files)).unwrap();
        let shown = || certificates.read().choose(None).unwrap().key.clone();
        let (before, now) = (shown(), SystemTime::now());
        fs::write(&files.key, issue(&["a.test"]).signing_key.serialize_pem()).unwrap();
        assert!(matches!(certificates.reload(0, now), Err(CertificateError::NoPair { .. })));
        folder.pair("pair", &issue(&["b.test"]));
        let far = now + Duration::from_secs(100 << 30);
        assert!(matches!(certificates.reload(0, far), Err(CertificateError::Expired(_))));
        assert!(Arc::ptr_eq(&before, &shown()));
        certificates.reload(0, now).unwrap();
        assert!(!Arc::ptr_eq(&before, &shown()));
    }
}
