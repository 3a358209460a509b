//! What handlers are told of who asks for what.

use std::net::SocketAddr;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use spanwire_hub::Authenticate;
use spanwire_hub::backend::Petition;

use super::{Hub, Reject};
use crate::auth::ConnectionInfo;
use crate::backend::Forwarded;
use crate::engine::Transport;

/// A client that wants to connect.
#[derive(Clone, Debug)]
pub struct ConnectCtx {
    /// The token of its connect command; empty if it showed none.
    pub token: String,
    /// The data of its connect command, as it sent it; empty if it sent none. [`ConnectCtx::data`] reads it.
    pub raw: Bytes,
    /// The id that it will have.
    pub client: String,
    /// What its SDK calls itself.
    pub name: String,
    /// The version of that.
    pub version: String,
    /// Where it comes from; `0.0.0.0:0` if the application's server does not tell
    /// (`into_make_service_with_connect_info`).
    pub address: SocketAddr,
    /// How it is connected: `websocket`, `sse`, and so on, as in the metrics.
    pub transport: &'static str,
    headers: Option<Box<Forwarded>>,
    hub: Hub,
}

/// A connected client, as later handlers know it.
#[derive(Clone, Debug)]
pub struct Conn {
    /// Its user; empty is anonymous.
    pub user: String,
    /// Its id.
    pub client: String,
    /// Where it comes from.
    pub address: SocketAddr,
    /// How it is connected.
    pub transport: &'static str,
    meta: Bytes,
}

/// A client that wants to subscribe.
#[derive(Clone, Debug)]
pub struct SubscribeCtx {
    /// Who.
    pub conn: Conn,
    /// To what.
    pub channel: String,
    /// The data of its subscribe command; empty if it sent none.
    pub data: Bytes,
    pub(super) hub: Hub,
}

/// A connection that has expired ([`Accept::expires_at`](super::Accept::expires_at)).
#[derive(Clone, Debug)]
pub struct RefreshCtx {
    /// Whose.
    pub conn: Conn,
    pub(super) hub: Hub,
}

/// A subscription that has expired ([`Terms::expires_at`](super::Terms::expires_at)).
#[derive(Clone, Debug)]
pub struct SubRefreshCtx {
    /// Whose.
    pub conn: Conn,
    /// To what.
    pub channel: String,
    pub(super) hub: Hub,
}

/// A client that wants to publish.
#[derive(Clone, Debug)]
pub struct PublishCtx {
    /// Who.
    pub conn: Conn,
    /// Where.
    pub channel: String,
    /// What.
    pub data: Bytes,
    pub(super) hub: Hub,
}

/// A client that calls a method.
#[derive(Clone, Debug)]
pub struct RpcCtx {
    /// Who.
    pub conn: Conn,
    /// The method's name.
    pub method: String,
    pub(super) hub: Hub,
}

impl ConnectCtx {
    pub(super) fn new(
        request: Authenticate,
        connection: ConnectionInfo,
        transport: Transport,
        hub: Hub,
    ) -> Self {
        let Authenticate { client, token, data, name, version, .. } = request;
        Self {
            token,
            raw: data,
            client,
            name,
            version,
            address: connection.client,
            transport: transport.name(),
            headers: connection.headers,
            hub,
        }
    }

    /// A header of its HTTP request: one of those that [`Builder::headers`](super::Builder::headers) names.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.as_ref()?.get(name)?.to_str().ok()
    }

    /// A cookie of its HTTP request, as it stands there (RFC 6265, section 4.2.1).
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.header("cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The data of its connect command, read as JSON.
    ///
    /// # Errors
    /// It is not what is wanted: error 107, which says what is wrong with it.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, Reject> {
        read(&self.raw)
    }

    /// The hub.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }
}

impl Conn {
    pub(super) fn new(petition: &Petition, connection: &ConnectionInfo, transport: Transport) -> Self {
        Self {
            user: petition.user.clone(),
            client: petition.client.clone(),
            address: connection.client,
            transport: transport.name(),
            meta: petition.meta.clone(),
        }
    }

    /// What `on_connect` kept of the client ([`Accept::keep`](super::Accept::keep)).
    ///
    /// # Errors
    /// It kept nothing, or something else: an internal error.
    pub fn kept<T: DeserializeOwned>(&self) -> Result<T, Reject> {
        Ok(serde_json::from_slice(&self.meta)?)
    }
}

impl SubscribeCtx {
    /// The hub.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }
}

impl RefreshCtx {
    /// The hub.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }
}

impl SubRefreshCtx {
    /// The hub.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }
}

impl PublishCtx {
    /// What is to be published, read as JSON.
    ///
    /// # Errors
    /// It is not what is wanted: error 107, which says what is wrong with it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Reject> {
        read(&self.data)
    }

    /// The hub.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }
}

impl RpcCtx {
    /// The hub.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }
}

/// Reads what a client sent; nothing is `null`.
pub(super) fn read<T: DeserializeOwned>(data: &Bytes) -> Result<T, Reject> {
    let json = if data.is_empty() { b"null" } else { &data[..] };
    serde_json::from_slice(json).map_err(|error| Reject::bad_request(error.to_string()))
}
