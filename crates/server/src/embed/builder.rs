//! How an application says what it wants.

use std::io;
use std::path::Path;

use http::HeaderName;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::farewells::{self, DisconnectCtx, Farewell, Farewells};
use super::replies::{self, Reply};
use super::running::Running;
use super::{
    Accept, Blueprint, ConnectCtx, HandlerLimits, House, Hub, Namespace, Pub, PublishCtx, RefreshCtx, Reject,
    Renew, RpcCtx, SubRefreshCtx, SubscribeCtx, Terms,
};
use crate::config::{ConfigError, Layer, LayerError};

/// The headers that `on_connect` sees unless somebody names others: those that say who somebody is.
const HEADERS: [&str; 2] = ["cookie", "authorization"];

/// Describes a hub. Every option of the server that makes sense within an application can be set by
/// [`option`](Self::option) or come from a [configuration file](Self::config_file); what is said here by a method of its
/// own stands above both.
#[must_use = "build() makes the hub"]
pub struct Builder {
    pub(super) below: Vec<Result<Layer, LayerError>>,
    pub(super) above: Layer,
    pub(super) namespaces: Vec<(String, Namespace)>,
    pub(super) handlers: Handlers,
    pub(super) limits: HandlerLimits,
    pub(super) headers: Vec<String>,
}

/// What the application answers.
#[derive(Default)]
pub(super) struct Handlers {
    pub(super) connect: Option<Reply>,
    pub(super) refresh: Option<Reply>,
    pub(super) sub_refresh: Vec<(String, Reply)>,
    pub(super) subscribe: Vec<(String, Reply)>,
    pub(super) publish: Vec<(String, Reply)>,
    pub(super) rpc: Vec<(String, Reply)>,
    pub(super) disconnect: Option<Farewell>,
}

/// Why there is no hub.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The configuration file cannot be read.
    #[error("{0}")]
    Layer(#[from] LayerError),
    /// Options that make no sense.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// An option of what the application does by itself.
    #[error("{0} has no meaning within an application: its own HTTP server decides that. Take it out.")]
    NotOurs(String),
    /// A namespace that cannot be.
    #[error("namespace {name:?}: {trouble}")]
    Namespace {
        /// Its name.
        name: String,
        /// What is wrong.
        trouble: &'static str,
    },
    /// A handler for channels that are not there.
    #[error("{handler}({pattern:?}): {trouble}")]
    Pattern {
        /// Which kind.
        handler: &'static str,
        /// For what.
        pattern: String,
        /// What is wrong.
        trouble: &'static str,
    },
    /// Two handlers for the same.
    #[error("{handler}({pattern:?}) is there twice")]
    Twice {
        /// Which kind.
        handler: &'static str,
        /// For what.
        pattern: String,
    },
    /// What is no name of a header.
    #[error("headers: {0:?} is no name of a header")]
    Header(String),
    /// Nobody could ever connect.
    #[error(
        "no client can connect: there is no on_connect(...), no key for tokens, and no anonymous(). Say who may"
    )]
    Closed,
    /// There is no tokio runtime here, on which handlers could run.
    #[error("a hub is built within a tokio runtime")]
    NoRuntime,
    /// The system has no thread or descriptor left.
    #[error("{0}")]
    System(#[from] io::Error),
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            below: Vec::new(),
            above: Layer::new("Hub::builder()"),
            namespaces: Vec::new(),
            handlers: Handlers::default(),
            limits: HandlerLimits::default(),
            headers: HEADERS.map(str::to_owned).to_vec(),
        }
    }

    /// Reads options from a `.toml` or `.json` file, as the server does.
    pub fn config_file(mut self, path: impl AsRef<Path>) -> Self {
        self.below.push(Layer::from_file(path.as_ref()));
        self
    }

    /// Sets an option of the server by its key in `docs/config-reference.md`, such as `client.ping_interval`, `"10s"`.
    pub fn option(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.above.set(key, value);
        self
    }

    /// Lets clients in that show no token, as nobody in particular (`client.allow_anonymous_connect_without_token`).
    /// With [`on_connect`](Self::on_connect), that decides instead.
    pub fn anonymous(self) -> Self {
        self.option("client.allow_anonymous_connect_without_token", true)
    }

    /// Lets pages of these origins connect, besides those of the application's own (`client.allowed_origins`).
    pub fn allowed_origins<T: Into<String>>(self, origins: impl IntoIterator<Item = T>) -> Self {
        let origins: Vec<Value> = origins.into_iter().map(|origin| Value::String(origin.into())).collect();
        self.option("client.allowed_origins", origins)
    }

    /// How many threads serve clients; 0, which is usual, is one per core (`engine.shards`).
    pub fn shards(self, count: usize) -> Self {
        self.option("engine.shards", count)
    }

    /// The options of the channels whose names begin with `name` and a colon. The empty name means channels without a
    /// namespace.
    pub fn namespace(mut self, name: impl Into<String>, options: Namespace) -> Self {
        self.namespaces.push((name.into(), options));
        self
    }

    /// Decides who may connect, whether they show a token or not, and as whom.
    pub fn on_connect<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(ConnectCtx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Accept, Reject>> + Send + 'static,
    {
        self.handlers.connect = Some(replies::on_connect(handler));
        self
    }

    /// Decides who may subscribe to the channels of a namespace, `"chat:*"`; `"*"` stands for all channels that no
    /// other handler decides about. What the namespace says of it does not count then.
    pub fn on_subscribe<F, Fut, A>(mut self, channels: &str, handler: F) -> Self
    where
        F: Fn(SubscribeCtx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<A, Reject>> + Send + 'static,
        A: Into<Terms>,
    {
        self.handlers.subscribe.push((channels.to_owned(), replies::on_subscribe(handler)));
        self
    }

    /// Decides whether a connection that has expired goes on ([`Accept::expires_at`]): the client notices nothing. A
    /// [`Reject`] ends it, with code 3005 unless it says another, after which the client comes back and `on_connect`
    /// decides; a temporary one, an internal error, or no answer let it go on for a minute, until this is asked again.
    /// Only who was let in by [`on_connect`](Self::on_connect) is asked about; others refresh by their tokens.
    pub fn on_refresh<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(RefreshCtx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Renew, Reject>> + Send + 'static,
    {
        self.handlers.refresh = Some(replies::on_refresh(handler));
        self
    }

    /// Decides whether a subscription that has expired goes on ([`Terms::expires_at`]), in the channels of a namespace,
    /// as for [`on_subscribe`](Self::on_subscribe). A [`Reject`] ends the subscription, as for
    /// [`on_refresh`](Self::on_refresh) the connection. Clients do not refresh subscriptions to these channels themselves.
    pub fn on_sub_refresh<F, Fut>(mut self, channels: &str, handler: F) -> Self
    where
        F: Fn(SubRefreshCtx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Renew, Reject>> + Send + 'static,
    {
        self.handlers.sub_refresh.push((channels.to_owned(), replies::on_sub_refresh(handler)));
        self
    }

    /// Decides who may publish what to the channels of a namespace, as for [`on_subscribe`](Self::on_subscribe). One
    /// client's publications are decided one after the other, so that their order stays.
    pub fn on_publish<F, Fut>(mut self, channels: &str, handler: F) -> Self
    where
        F: Fn(PublishCtx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Pub, Reject>> + Send + 'static,
    {
        self.handlers.publish.push((channels.to_owned(), replies::on_publish(handler)));
        self
    }

    /// Answers the calls of a method. Arguments are read from JSON, and what does not fit is answered with error 107;
    /// the result is written as JSON. A method that nobody answers is error 104.
    pub fn rpc<F, Fut, Args, Out>(mut self, method: impl Into<String>, handler: F) -> Self
    where
        F: Fn(RpcCtx, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Out, Reject>> + Send + 'static,
        Args: DeserializeOwned,
        Out: Serialize,
    {
        self.handlers.rpc.push((method.into(), replies::rpc(handler)));
        self
    }

    /// Is told of each client that had connected and is gone. Order is kept for as long as it is quick; while
    /// [`HandlerLimits::in_flight_max`] of them are under way, others wait.
    pub fn on_disconnect<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(DisconnectCtx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.handlers.disconnect = Some(farewells::on_disconnect(handler));
        self
    }

    /// What each handler may take.
    pub fn limits(mut self, limits: HandlerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The headers of a client's request that `on_connect` sees, instead of `cookie` and `authorization`. They are
    /// kept until it has answered.
    pub fn headers<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.headers = names.into_iter().map(Into::into).collect();
        self
    }

    /// Starts the engine.
    ///
    /// Its threads are its own; handlers run on the tokio runtime from which this is called. The process may open as
    /// many descriptors as the system allows it from then on, since each connection takes one.
    ///
    /// # Errors
    /// See [`BuildError`].
    #[expect(
        clippy::unused_async,
        reason = "a hub that restores channels from a store will have to wait for it"
    )]
    pub async fn build(self) -> Result<Hub, BuildError> {
        let limits = self.limits;
        let Blueprint { settings, own, farewell } = Blueprint::draw(self)?;
        let farewells = farewell.map(|farewell| Farewells::attend(farewell, limits, own.clone()));
        let namespaces = settings.namespaces.clone();
        let name_bytes_max = settings.limits.channel_name_bytes_max;
        let running = Running::start(&settings, farewells)?;
        Ok(Hub::new(House::Running(Box::new(running)), namespaces, name_bytes_max, &own))
    }

    pub(super) fn header_names(&self) -> Result<Vec<HeaderName>, BuildError> {
        let parsed = |name: &String| name.parse().map_err(|_| BuildError::Header(name.clone()));
        self.headers.iter().map(parsed).collect()
    }
}
