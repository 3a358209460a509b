//! What the backend is asked: one JSON object by `POST`, as Centrifugo's proxies are asked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use spanwire_hub::backend::{Matter, Petition};
use spanwire_hub::{Answer, AskId, Authenticate, SessionId};
use spanwire_wire::Encoding;

use super::admission::Weigh;
use crate::auth::ConnectionInfo;
use crate::engine::{ShardHandle, Transport};

/// A question on its way to the backend, with the way back for its answer.
#[derive(Debug)]
pub struct Question {
    /// What is asked.
    pub what: What,
    /// How the client is connected.
    pub transport: Transport,
    /// What its transport knows of it.
    pub connection: ConnectionInfo,
    /// Who asks.
    pub asker: Asker,
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum What {
    /// Who is this?
    Connect(Box<Authenticate>),
    /// Something about a client that is connected.
    Petition(Box<Petition>),
}

/// Where the answer goes.
#[derive(Debug)]
pub struct Asker {
    /// The shard of the session.
    pub shard: ShardHandle,
    /// The session.
    pub session: SessionId,
    /// The question, as the shard's hub knows it.
    pub ask: AskId,
}

impl What {
    fn encoding(&self) -> Encoding {
        match self {
            Self::Connect(request) => request.encoding,
            Self::Petition(petition) => petition.encoding,
        }
    }
}

impl Asker {
    pub(super) fn answer(&self, answer: Answer) {
        self.shard.answer(self.session, self.ask, answer);
    }
}

impl Weigh for Question {
    fn weight(&self) -> usize {
        let payload = match &self.what {
            What::Connect(request) => {
                let names = request.channels.iter().map(String::len).sum::<usize>();
                let headers = request.headers.iter().map(|(name, value)| name.len() + value.len());
                request.data.len() + names + headers.sum::<usize>()
            }
            What::Petition(petition) => {
                petition.meta.len()
                    + match &petition.matter {
                        Matter::Subscribe { data, .. } | Matter::Publish { data, .. } => data.len(),
                        Matter::Rpc { method, data } => method.len() + data.len(),
                        Matter::Refresh | Matter::SubRefresh { .. } => 0,
                    }
            }
        };
        size_of::<Self>() + payload
    }
}

/// A client sent what is not JSON, and the proxy wants JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotJson;

/// What a proxy wants to see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// Payloads as base64 (`binary_encoding`).
    pub(super) binary: bool,
    /// What the backend said of the client before (`include_connection_meta`).
    pub(super) meta: bool,
}

/// The body of a request. Fields without a value are left out.
#[derive(Debug, Default, Serialize)]
struct Body<'a> {
    client: &'a str,
    transport: &'a str,
    protocol: &'a str,
    encoding: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b64data: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    channels: &'a [String],
}

impl Question {
    /// The request's body.
    ///
    /// # Errors
    /// A payload is not JSON where JSON is wanted.
    pub(super) fn body(&self, form: Form) -> Result<Bytes, NotJson> {
        let common = Body {
            transport: self.transport.name(),
            protocol: match self.what.encoding() {
                Encoding::Json => "json",
                Encoding::Protobuf => "protobuf",
            },
            encoding: if form.binary { "binary" } else { "json" },
            ..Body::default()
        };
        let body = match &self.what {
            What::Connect(request) => Body {
                client: &request.client,
                name: &request.name,
                version: &request.version,
                channels: &request.channels,
                ..common
            }
            .with_data(&request.data, form)?,
            What::Petition(petition) => common.about(petition, form)?,
        };
        // Strings and raw JSON always serialize.
        serde_json::to_vec(&body).map(Bytes::from).map_err(|_| NotJson)
    }
}

impl<'a> Body<'a> {
    fn about(self, petition: &'a Petition, form: Form) -> Result<Self, NotJson> {
        let meta = if form.meta { raw(&petition.meta)? } else { None };
        let body = Self { client: &petition.client, user: Some(&petition.user), meta, ..self };
        match &petition.matter {
            Matter::Refresh => Ok(body),
            Matter::SubRefresh { channel, .. } => Ok(Self { channel: Some(channel.as_str()), ..body }),
            Matter::Subscribe { channel, data, .. } | Matter::Publish { channel, data, .. } => {
                Self { channel: Some(channel.as_str()), ..body }.with_data(data, form)
            }
            Matter::Rpc { method, data } => Self { method: Some(method), ..body }.with_data(data, form),
        }
    }

    fn with_data(self, data: &'a Bytes, form: Form) -> Result<Self, NotJson> {
        match form.binary {
            true => Ok(Self { b64data: (!data.is_empty()).then(|| STANDARD.encode(data)), ..self }),
            false => Ok(Self { data: raw(data)?, ..self }),
        }
    }
}

/// Bytes as the JSON that they are; nothing if there are none.
fn raw(bytes: &Bytes) -> Result<Option<&RawValue>, NotJson> {
    if bytes.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(bytes).map(Some).map_err(|_| NotJson)
}
