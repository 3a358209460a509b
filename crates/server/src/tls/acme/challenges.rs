//! How a host is proved to be ours: TLS-ALPN-01 (RFC 8737).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::super::acceptor::CHALLENGE_PROTOCOL;
use super::super::{Certificates, provider};

/// The answers to challenges that are open now, by their hosts.
#[derive(Debug, Default)]
pub(super) struct Challenges(RwLock<HashMap<String, Arc<CertifiedKey>>>);

/// An answer that is given until this is dropped.
pub(super) struct Answer<'a> {
    challenges: &'a Challenges,
    host: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("the certificate that answers the challenge cannot be made: {0}")]
pub(super) struct Unanswerable(String);

impl Challenges {
    /// Answers whoever asks for this host with the digest of the key authorization (RFC 8737, section 3).
    ///
    /// # Errors
    /// The library of cryptography makes no certificate for such a host.
    pub(super) fn answer(&self, host: &str, digest: &[u8]) -> Result<Answer<'_>, Unanswerable> {
        let key = certificate(host, digest).map_err(Unanswerable)?;
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned(), Arc::new(key));
        Ok(Answer { challenges: self, host: host.to_owned() })
    }

    fn find(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&host.to_ascii_lowercase()).cloned()
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        self.challenges.0.write().unwrap_or_else(PoisonError::into_inner).remove(&self.host);
    }
}

/// A certificate that vouches for itself and holds the digest, which is all that the authority looks at.
fn certificate(host: &str, digest: &[u8]) -> Result<CertifiedKey, String> {
    let text = |error: rcgen::Error| error.to_string();
    let mut params = CertificateParams::new([host.to_owned()]).map_err(text)?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate().map_err(text)?;
    let certificate = params.self_signed(&key).map_err(text)?;
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let key = provider().key_provider.load_private_key(key).map_err(|error| error.to_string())?;
    // Not checked as others are: to whoever does not know the extension, which is critical, it is no certificate.
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}

/// Gives an authority its answer, and everybody else a certificate.
#[derive(Debug)]
pub(super) struct Resolver {
    pub(super) certificates: Arc<Certificates>,
    pub(super) challenges: Arc<Challenges>,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // Only who offers this and nothing else is an authority (RFC 8737, section 3).
        let is_challenge = hello.alpn().is_some_and(|offered| offered.eq([CHALLENGE_PROTOCOL]));
        if is_challenge {
            self.challenges.find(hello.server_name()?)
        } else {
            self.certificates.resolve(hello)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_parser::prelude::{FromDer as _, X509Certificate};

    #[test]
    fn an_answer_holds_the_digest_and_is_given_for_its_host_while_it_is_wanted() {
        let challenges = Challenges::default();
        let answer = challenges.answer("a.test", &[7; 32]).unwrap();
        assert!(challenges.find("b.test").is_none());
        let shown = challenges.find("A.test").unwrap();
        let (_, certificate) = X509Certificate::from_der(shown.end_entity_cert().unwrap()).unwrap();
        let identifier = certificate.extensions().iter().find(|extension| {
            // id-pe-acmeIdentifier (RFC 8737, section 6.1)
            extension.oid.to_id_string() == "1.3.6.1.5.5.7.1.31"
        });
        let identifier = identifier.unwrap();
        // An OCTET STRING of 32 bytes.
        assert!(identifier.critical && identifier.value == [&[4, 32][..], &[7; 32]].concat());
        drop(answer);
        assert!(challenges.find("a.test").is_none());
    }
}
