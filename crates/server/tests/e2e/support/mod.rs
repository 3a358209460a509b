//! What the scenes stand on: the server as its users start it, lines that can be cut, and peers that are not ours.

pub(crate) mod backend;
pub(crate) mod chromium;
pub(crate) mod descriptors;
pub(crate) mod document;
pub(crate) mod gallery;
pub(crate) mod http;
pub(crate) mod line;
pub(crate) mod page;
#[cfg(feature = "acme")]
pub(crate) mod pebble;
pub(crate) mod peer;
pub(crate) mod proxy;
pub(crate) mod require;
pub(crate) mod script;
pub(crate) mod secure;
pub(crate) mod server;
pub(crate) mod tls_listener;
pub(crate) mod token;
pub(crate) mod until;
