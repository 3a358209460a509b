//! What the operator decides: one file, read at the start and at SIGHUP, with every mistake in it named.
//!
//! Keys are those of Centrifugo v6 wherever the concept exists. Each option is told once, where it is read
//! (below `config/settings.rs`), with its sentence, default and range: that call parses it, checks it, and explains it in an
//! error. A [`Layer`] is a source of values with a name: the command line is one, the file is one, the dev
//! profile is one; the first that says something about a key decides.

mod autocert;
mod backend;
mod catalogue;
mod check;
mod client;
mod delivery;
mod deltas;
mod dev;
mod duration;
mod environment;
mod error;
mod events;
mod http_api;
mod http_server;
mod http_timeouts;
mod layer;
mod limits;
mod namespace;
mod personal;
mod rates;
mod reader;
mod reading;
mod recovery;
mod secret;
mod service;
mod settings;
mod suggest;
mod tls;
mod token;
mod transports;
mod unsupported;
mod websocket;

#[cfg(test)]
mod tests;

pub(crate) use autocert::Autocert;
pub use catalogue::{Entry, Kind, Said};
pub(crate) use duration::parse as parse_duration;
pub use environment::Environment;
pub use error::{ConfigError, Problem};
pub(crate) use http_api::HttpApi;
pub(crate) use http_server::{Address, HttpServer};
pub(crate) use http_timeouts::HttpTimeouts;
pub use layer::{Layer, LayerError};
pub(crate) use reading::{Changes, Reading, is_of_proxies};
pub use secret::Secret;
pub use settings::Settings;
pub use tls::CertificateFiles;
pub(crate) use tls::{CertificateSource, Tls};
pub(crate) use transports::{Transports, Way};
