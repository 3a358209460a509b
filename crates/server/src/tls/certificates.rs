//! All certificates of a node, and which one a client gets.

use std::collections::HashMap;
use std::ops::Range;
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
    strangers: Strangers,
    shown: RwLock<Shown>,
}

/// Which certificate is for clients that ask for nobody whom we know, if any is.
#[derive(Clone, Copy, Debug)]
struct Strangers {
    /// For those that name no host.
    nameless: Option<usize>,
    /// For those that name another host.
    unknown: Option<usize>,
}

#[derive(Debug)]
struct Shown {
    /// In the order of the files; `None` where there is none yet.
    certificates: Vec<Option<Certificate>>,
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
        let load = |files| Certificate::load(files, &provider).map(Some);
        let certificates = files.iter().map(load).collect::<Result<Vec<_>, _>>()?;
        let strangers = Strangers { nameless: Some(0), unknown: Some(0) };
        Ok(Self { files: files.to_vec(), strangers, shown: RwLock::new(Shown::new(certificates)) })
    }

    /// Reads those that there are already; who asks for none of them is turned away, and who names nobody gets the one
    /// with the number `nameless`.
    #[cfg(feature = "acme")]
    pub(super) fn load_those_there(files: Vec<CertificateFiles>, nameless: Option<usize>) -> Self {
        let provider = provider();
        let load = |files| match Certificate::load(files, &provider) {
            Ok(certificate) => Some(certificate),
            Err(CertificateError::Unreadable(_, error)) if error.kind() == std::io::ErrorKind::NotFound => {
                None
            }
            Err(error) => {
                tracing::warn!("{error}; another certificate is ordered in its place");
                None
            }
        };
        let shown = Shown::new(files.iter().map(load).collect());
        Self { files, strangers: Strangers { nameless, unknown: None }, shown: RwLock::new(shown) }
    }

    /// Reads one pair again, and shows it from the next handshake on.
    ///
    /// # Errors
    /// It cannot be used, or has expired; what was shown before goes on being shown.
    pub(super) fn reload(&self, index: usize, now: SystemTime) -> Result<(), CertificateError> {
        let certificate = Certificate::load(&self.files[index], &provider())?;
        if certificate.validity.end <= now {
            return Err(CertificateError::Expired(self.files[index].certificate.clone()));
        }
        let mut certificates = self.read().certificates.clone();
        certificates[index] = Some(certificate);
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Shown::new(certificates);
        Ok(())
    }

    /// The files that the certificates come from, in their order.
    pub(super) fn files(&self) -> &[CertificateFiles] {
        &self.files
    }

    /// When each certificate is good, in the order of their files; `None` where there is none yet.
    pub(super) fn validities(&self) -> Vec<Option<Range<SystemTime>>> {
        let validity = |certificate: &Option<Certificate>| Some(certificate.as_ref()?.validity.clone());
        self.read().certificates.iter().map(validity).collect()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Shown> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn new(certificates: Vec<Option<Certificate>>) -> Self {
        let mut by_name = HashMap::new();
        for (index, certificate) in certificates.iter().enumerate() {
            for name in certificate.iter().flat_map(|certificate| &certificate.names) {
                by_name.entry(name.clone()).or_insert(index);
            }
        }
        Self { certificates, by_name }
    }

    /// The certificate for a name: one that has it, then one with a star in the place of its first label (RFC 6125,
    /// section 6.4.3), then the one that strangers get.
    fn choose(&self, name: Option<&str>, strangers: Strangers) -> Option<&Certificate> {
        let chosen = match name {
            None => strangers.nameless,
            Some(name) => {
                let name = name.to_ascii_lowercase();
                let starred = || self.by_name.get(&format!("*.{}", name.split_once('.')?.1));
                self.by_name.get(&name).or_else(starred).copied().or(strangers.unknown)
            }
        };
        self.certificates.get(chosen?)?.as_ref()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.read().choose(hello.server_name(), self.strangers).map(|certificate| certificate.key.clone())
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
            let chosen = shown.choose(name, certificates.strangers).unwrap();
            let expected = shown.certificates[expected].as_ref().unwrap();
            assert!(Arc::ptr_eq(&chosen.key, &expected.key), "{name:?}");
        }
    }

    #[test]
    #[cfg(feature = "acme")]
    fn acme_shows_strangers_nothing_and_the_nameless_what_was_chosen_for_them() {
        let folder = Folder::new("certificates-strangers");
        let absent = folder.path("absent");
        let absent = CertificateFiles { certificate: absent.clone(), key: absent };
        let there = folder.pair("there", &issue(&["b.test"]));
        for (nameless, is_shown) in [(None, false), (Some(0), false), (Some(1), true)] {
            let files = vec![absent.clone(), there.clone()];
            let certificates = Certificates::load_those_there(files, nameless);
            let shown = certificates.read();
            let shown = |name| shown.choose(name, certificates.strangers).is_some();
            assert_eq!(shown(None), is_shown);
            assert!(shown(Some("B.test")) && !shown(Some("a.test")) && !shown(Some("x.b.test")));
        }
    }

    #[test]
    fn a_pair_that_cannot_be_used_leaves_the_one_before_it_in_place() {
        let folder = Folder::new("certificates-reload");
        let files = folder.pair("pair", &issue(&["a.test"]));
        let certificates = Certificates::load(std::slice::from_ref(&files)).unwrap();
        let shown = || certificates.read().choose(None, certificates.strangers).unwrap().key.clone();
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
