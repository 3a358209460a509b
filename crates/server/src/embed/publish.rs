//! One publication, from the application.

use std::collections::BTreeMap;
use std::future::IntoFuture;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Serialize;
use spanwire_hub::broker::{BrokerAnswer, BrokerRequest, Draft};
use spanwire_hub::channel::Position;
use spanwire_wire::ErrorCode;
use spanwire_wire::message::Publication;

use super::{CallError, Hub};
use crate::api::IDEMPOTENCY_KEY_BYTES_MAX;

/// A publication on its way: `.await` publishes it.
#[derive(Debug)]
#[must_use = "nothing is published before it is awaited"]
pub struct Publish<'a> {
    hub: &'a Hub,
    channel: &'a str,
    data: Result<Bytes, CallError>,
    tags: BTreeMap<String, String>,
    key: Option<Bytes>,
    skips_history: bool,
    delta: bool,
}

/// Where a publication ended up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its offset in the channel's stream; `None` in a channel without history.
    pub offset: Option<u64>,
    /// The life of the stream that the offset belongs to.
    pub epoch: Option<String>,
}

impl Hub {
    /// Publishes to a channel, whoever may publish there: `hub.publish("news", json!({"text": "hi"})).await?`.
    ///
    /// When the answer is here, the publication has its offset and is in the history, if the channel has one, and is on
    /// its way to every subscriber.
    pub fn publish<'a>(&'a self, channel: &'a str, data: impl Serialize) -> Publish<'a> {
        let data = serde_json::to_vec(&data).map(Bytes::from).map_err(|_| CallError(ErrorCode::BadRequest));
        Publish {
            hub: self,
            channel,
            data,
            tags: BTreeMap::new(),
            key: None,
            skips_history: false,
            delta: false,
        }
    }
}

impl Publish<'_> {
    /// A second publication under this key is not published, but answered with the position of the first, as long as
    /// the key is remembered (five minutes). At most 256 bytes; a longer one is a bad request.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into().into());
        self
    }

    /// Adds a tag, which subscribers get with it.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }

    /// Leaves it out of the channel's history: for what is stale a moment later.
    pub fn skip_history(mut self) -> Self {
        self.skips_history = true;
        self
    }

    /// Tells it by a patch to subscribers who take deltas, as in a namespace with
    /// [`deltas`](super::Namespace::deltas) everything is.
    pub fn delta(mut self) -> Self {
        self.delta = true;
        self
    }

    async fn send(self) -> Result<Published, CallError> {
        let Self { hub, channel, data, tags, key, skips_history, delta } = self;
        let (channel, namespace) = hub.channel(channel)?;
        if key.as_ref().is_some_and(|key| key.len() > IDEMPOTENCY_KEY_BYTES_MAX) {
            return Err(CallError(ErrorCode::BadRequest));
        }
        let draft = Draft {
            publication: Publication { data: data?, tags, ..Publication::default() },
            history: namespace.history.filter(|_| !skips_history),
            // The application itself speaks.
            rate: spanwire_hub::rate::Rate::NONE,
            idempotency_key: key,
            delta: namespace.tells_by_patch(delta),
        };
        match hub.0.house.broker(channel, BrokerRequest::Publish(draft)).await? {
            BrokerAnswer::Published(position) => Ok(position.into()),
            BrokerAnswer::Refused(error) => Err(error.into()),
            _ => Err(CallError(ErrorCode::Internal)),
        }
    }
}

impl<'a> IntoFuture for Publish<'a> {
    type Output = Result<Published, CallError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.send().boxed()
    }
}

impl From<Option<Position>> for Published {
    fn from(position: Option<Position>) -> Self {
        let (offset, epoch) = position.map(|at| (at.offset, at.epoch.as_str().to_owned())).unzip();
        Self { offset, epoch }
    }
}
