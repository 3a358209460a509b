//! What a client is told before it begins.

use std::path::PathBuf;

use rand::rngs::{OsRng, StdRng};
use rand::{Rng as _, SeedableRng as _, TryRngCore as _};
use spanwire_client_core::{self as core, Config, Credentials, Encoding, Limits, Transport};
use tokio::sync::{mpsc, watch};

use crate::address::Address;
use crate::carrier::{Dialer, Way};
use crate::client::Client;
use crate::driver::Driver;
use crate::error::{ConfigError, Error};
use crate::payload::ToPayload;
use crate::status::Status;
use crate::token::{Provider, TokenError};
use crate::trust::Trust;

/// What a client is told before it begins.
#[derive(Debug)]
#[must_use = "nothing happens before `connect`"]
pub struct Builder {
    url: String,
    config: Config,
    provider: Option<Provider>,
    ca_file: Option<PathBuf>,
    headers: Vec<(String, String)>,
    seed: Option<[u8; 32]>,
}

impl Builder {
    pub(crate) fn new(url: String) -> Self {
        let transports = vec![Transport::WebSocket, Transport::HttpStream, Transport::Sse];
        let config = Config { transports, name: "spanwire-rust".to_owned(), ..Config::default() };
        Self { url, config, provider: None, ca_file: None, headers: Vec::new(), seed: None }
    }

    /// Connects by this token (`ConnectRequest.token`). When it has expired the client ends, for there is no other.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.config.credentials = Credentials::Token(token.into());
        self
    }

    /// Connects by tokens that are asked for when one is needed: at first, again before it expires, and when the server
    /// says that it has. An error is tried again with backoff, unless it is [`TokenError::unauthorized`].
    pub fn token_provider<F, A>(mut self, provider: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<String, TokenError>> + Send + 'static,
    {
        self.config.credentials = Credentials::Provider;
        self.provider = Some(Provider::new(provider));
        self
    }

    /// Speaks Protobuf instead of JSON: smaller, and able to carry payloads that are no JSON.
    pub fn protobuf(mut self) -> Self {
        self.config.encoding = Encoding::Protobuf;
        self
    }

    /// Data for whoever authenticates the connection (`ConnectRequest.data`), told at every connect. Choose the encoding
    /// first.
    ///
    /// # Errors
    /// It cannot be sent.
    pub fn data(mut self, data: &(impl ToPayload + ?Sized)) -> Result<Self, Error> {
        self.config.data = data.to_payload(self.config.encoding).map_err(Error::Unsendable)?;
        Ok(self)
    }

    /// What the application calls itself (`ConnectRequest.name`), at most 16 characters by convention, and its version.
    pub fn name(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        (self.config.name, self.config.version) = (name.into(), version.into());
        self
    }

    /// A header of HTTP that each connection is opened with, as `Origin` or `Cookie`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Trusts the authorities in this PEM file to vouch for the server, and no others; without it, those that the system
    /// trusts. It is read by [`connect`](Self::connect).
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// The transports that it may take, best first: all of them unless something else is said here. Where one brings no answer
    /// in time, the next is tried at once, and the one that worked is kept for a while.
    pub fn transports(mut self, transports: impl IntoIterator<Item = Transport>) -> Self {
        self.config.transports = transports.into_iter().collect();
        self
    }

    /// What it may keep, and how long it waits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.limits = limits;
        self
    }

    /// Whether to ask the server for what it can do beyond the common protocol, as publishing under keys. It does unless
    /// this says `false`; other servers do not mind the question.
    pub fn extensions(mut self, extensions: bool) -> Self {
        self.config.extensions = extensions;
        self
    }

    /// Draws all chance (waits, keys, masks) from this seed: for tests, which want the same run twice. No two clients may
    /// share one.
    pub fn seed(mut self, seed: [u8; 32]) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Begins to connect, in the background, and returns at once. From now on the client keeps itself connected until it is
    /// closed or the server does not want it back.
    ///
    /// # Errors
    /// What it was told cannot work, whatever the network does.
    ///
    /// # Panics
    /// Outside of a tokio runtime with its time and I/O drivers.
    pub fn connect(self) -> Result<Client, ConfigError> {
        let Self { url, mut config, provider, ca_file, headers, seed } = self;
        let is_possible = |transport: &Transport| match transport {
            Transport::WebSocket => true,
            // Events are text, and so is what is said by them.
            Transport::Sse => cfg!(feature = "fallback") && config.encoding == Encoding::Json,
            _ => cfg!(feature = "fallback"),
        };
        config.transports.retain(is_possible);
        let address = Address::parse(&url)?;
        let trust = Trust::new(address.secure, ca_file.as_deref())?;
        let mut chance = StdRng::from_seed(seed.map_or_else(drawn, Ok)?);
        let encoding = config.encoding;
        let message_bytes_max = config.limits.replies.message_bytes_max;
        let dialer =
            Dialer::new(Way { address, trust, encoding, headers, message_bytes_max }, chance.random());
        let (orders, orders_there) = mpsc::unbounded_channel();
        let first = *config.transports.first().ok_or(ConfigError::NoTransports)?;
        let (status_there, status) = watch::channel(Status::Connecting { transport: first });
        let core = core::Client::new(config, chance.random());
        tokio::spawn(Driver::new(core, dialer, provider, orders_there, status_there).run());
        Ok(Client::new(orders, status, encoding))
    }
}

fn drawn() -> Result<[u8; 32], ConfigError> {
    let mut seed = [0; 32];
    OsRng.try_fill_bytes(&mut seed).map_err(|error| ConfigError::NoChance(error.to_string()))?;
    Ok(seed)
}
