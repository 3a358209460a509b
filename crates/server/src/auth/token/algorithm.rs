//! The signature algorithms of tokens (RFC 7518 section 3.1, RFC 8037 section 3.1).

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, VerificationAlgorithm,
};

/// How a token is signed. There is no `none`: a token without a signature cannot even be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
    EdDsa,
}

/// The keys that an algorithm takes. A key belongs to one family for good, so that a stranger cannot have a public key
/// used as a shared secret, or one curve's point as another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Secret,
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
}

impl Algorithm {
    const ALL: [(&str, Self); 13] = [
        ("HS256", Self::Hs256),
        ("HS384", Self::Hs384),
        ("HS512", Self::Hs512),
        ("RS256", Self::Rs256),
        ("RS384", Self::Rs384),
        ("RS512", Self::Rs512),
        ("PS256", Self::Ps256),
        ("PS384", Self::Ps384),
        ("PS512", Self::Ps512),
        ("ES256", Self::Es256),
        ("ES384", Self::Es384),
        ("ES512", Self::Es512),
        ("EdDSA", Self::EdDsa),
    ];

    /// The algorithm of this name, as `alg` says it. Names are compared exactly: "hs256" is none.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// The keys it takes.
    pub(super) fn family(self) -> Family {
        match self {
            Self::Hs256 | Self::Hs384 | Self::Hs512 => Family::Secret,
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => Family::Rsa,
            Self::Es256 => Family::P256,
            Self::Es384 => Family::P384,
            Self::Es512 => Family::P521,
            Self::EdDsa => Family::Ed25519,
        }
    }

    /// Whether `signature` is what this key makes of `message`; never for a key of another family.
    pub(super) fn verifies(self, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        match self.means() {
            // The comparison takes the same time whatever differs.
            Means::Hmac(digest) => hmac::verify(&hmac::Key::new(digest, key), message, signature).is_ok(),
            Means::PublicKey(algorithm) => algorithm.verify_sig(key, message, signature).is_ok(),
        }
    }

    fn means(self) -> Means {
        match self {
            Self::Hs256 => Means::Hmac(hmac::HMAC_SHA256),
            Self::Hs384 => Means::Hmac(hmac::HMAC_SHA384),
            Self::Hs512 => Means::Hmac(hmac::HMAC_SHA512),
            Self::Rs256 => Means::PublicKey(&RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Means::PublicKey(&RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Means::PublicKey(&RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Means::PublicKey(&RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Means::PublicKey(&RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Means::PublicKey(&RSA_PSS_2048_8192_SHA512),
            Self::Es256 => Means::PublicKey(&ECDSA_P256_SHA256_FIXED),
            Self::Es384 => Means::PublicKey(&ECDSA_P384_SHA384_FIXED),
            Self::Es512 => Means::PublicKey(&ECDSA_P521_SHA512_FIXED),
            Self::EdDsa => Means::PublicKey(&ED25519),
        }
    }
}

/// What does the arithmetic.
enum Means {
    Hmac(hmac::Algorithm),
    PublicKey(&'static dyn VerificationAlgorithm),
}
