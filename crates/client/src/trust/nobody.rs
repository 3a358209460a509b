//! Without the feature `tls`, an address that wants it is refused before it is gone to.

use std::io;
use std::path::Path;

use tokio::net::TcpStream;

use crate::error::ConfigError;

/// Nobody is trusted.
#[derive(Clone, Debug)]
pub(crate) struct Trust(());

impl Trust {
    pub(crate) fn new(secure: bool, _: Option<&Path>) -> Result<Self, ConfigError> {
        if secure { Err(ConfigError::NoTls) } else { Ok(Self(())) }
    }

    pub(crate) async fn shake_hands(&self, _: &str, _: TcpStream) -> io::Result<Box<TcpStream>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
