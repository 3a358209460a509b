//! Public keys as text: PEM around a SubjectPublicKeyInfo (RFC 7468 section 13).

use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;

use super::algorithm::Family;
use super::key::Key;

/// What is wrong with a public key of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// Not PEM, or a private key, or a certificate.
    #[error("a public key in PEM is wanted: it begins with -----BEGIN PUBLIC KEY-----")]
    NotAPublicKey,
    /// A key that no algorithm of ours takes.
    #[error(
        "the key is of a kind that tokens are not signed with: RSA, P-256, P-384, P-521 or Ed25519 is wanted"
    )]
    UnknownKind,
}

/// The beginnings of the AlgorithmIdentifier (object identifiers in DER) that tell what kind of key follows: RFC 8017
/// appendix C, RFC 5480 section 2.1.1 and RFC 8410 section 3.
const KINDS: [(&[u8], Family); 5] = [
    (&[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01], Family::Rsa),
    (
        &[
            0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
            0x03, 0x01, 0x07,
        ],
        Family::P256,
    ),
    (
        &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
        Family::P384,
    ),
    (
        &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23],
        Family::P521,
    ),
    (&[0x06, 0x03, 0x2b, 0x65, 0x70], Family::Ed25519),
];

/// The AlgorithmIdentifier begins behind the heads of at most two sequences: four bytes each.
const IDENTIFIER_STARTS_WITHIN: usize = 8;

impl Key {
    /// The public key in this PEM.
    ///
    /// # Errors
    /// See [`PemError`].
    pub fn from_pem(pem: &str) -> Result<Self, PemError> {
        let der =
            SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).map_err(|_| PemError::NotAPublicKey)?;
        let family = KINDS.iter().find(|(identifier, _)| {
            (0..=IDENTIFIER_STARTS_WITHIN)
                .any(|at| der.get(at..).is_some_and(|rest| rest.starts_with(identifier)))
        });
        let (_, family) = family.ok_or(PemError::UnknownKind)?;
        Ok(Self::new(*family, der.to_vec()))
    }
}
