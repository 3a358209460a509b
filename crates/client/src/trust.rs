//! Whom a client believes to be the server that it was told to go to.

#[cfg(not(feature = "tls"))]
mod nobody;
#[cfg(feature = "tls")]
mod rustls;

#[cfg(not(feature = "tls"))]
pub(crate) use self::nobody::Trust;
#[cfg(feature = "tls")]
pub(crate) use self::rustls::Trust;
