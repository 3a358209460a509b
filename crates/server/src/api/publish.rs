//! `publish`: one publication to one channel.

use std::collections::BTreeMap;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use spanwire_hub::broker::{BrokerAnswer, BrokerRequest, Draft};
use spanwire_hub::channel::Position;
use spanwire_hub::namespace::Namespace;
use spanwire_hub::rate::Rate;
use spanwire_wire::ErrorCode;
use spanwire_wire::message::Publication;

use super::call::Call;
use super::failure::Failure;
use super::place::Place;
use super::whole;
use super::{World, payload};

/// Longest idempotency key, in bytes. Keys are kept for a while after their publication.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 256;

/// What to publish, wherever it goes.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct What {
    /// What to publish: any JSON. It, or `b64data`, must be there.
    #[serde(deserialize_with = "payload::present")]
    data: Option<Box<RawValue>>,
    /// The same in base64, for what is not JSON; it wins over `data`. Clients that speak JSON are disconnected by it
    /// (code 3506).
    b64data: Option<String>,
    /// What goes beside the data.
    tags: BTreeMap<String, String>,
    /// Publishes once, however often it is said with the same key within a few minutes; 256 bytes at most.
    #[schemars(length(max = 256))]
    idempotency_key: String,
    /// Whether the publication is left out of the channel's history.
    skip_history: bool,
    /// Whether subscribers who take deltas may be told it by a patch of the publication before. Those of a namespace with
    /// `delta_publish` are told all publications so.
    delta: bool,
    /// Only 0: publications are not compared by versions (error 108).
    #[schemars(range(max = 0))]
    #[serde(deserialize_with = "whole::read")]
    version: u64,
}

/// One publication to one channel.
#[derive(Debug, PartialEq)]
pub struct Publish {
    /// The name of the channel.
    pub channel: String,
    /// What to publish there.
    pub article: Article,
}

/// A publication that has been read and waits for a channel.
#[derive(Debug, PartialEq)]
pub struct Article {
    /// What is published: a payload that is not empty, and tags.
    pub publication: Publication,
    /// The key under which it may be repeated, of [`IDEMPOTENCY_KEY_BYTES_MAX`] bytes at most.
    pub idempotency_key: Option<Bytes>,
    /// Whether it is left out of the channel's history.
    pub skip_history: bool,
    /// Whether it may be told by a patch of the publication before.
    pub delta: bool,
}

/// Where a publication ended up. Both are left out in a channel without history.
#[derive(Serialize, JsonSchema)]
pub(super) struct Published {
    /// The publication's place in the stream, if the channel has a history.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    /// The epoch of the stream, if the channel has a history.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<String>,
}

impl Call for Publish {
    type Body = (Place, What);
    type Result = Published;

    fn understand((Place { channel }, what): Self::Body) -> Result<Self, Failure> {
        Ok(Self { channel, article: Article::of(what)? })
    }

    async fn answer(self, world: World<'_>) -> Result<Published, Failure> {
        self.article.publish(world, &self.channel).await
    }
}

impl Article {
    pub(super) fn of(what: What) -> Result<Self, Failure> {
        if what.version != 0 {
            // Who sends a version relies on older ones being dropped.
            return Err(ErrorCode::NotAvailable.into());
        }
        if what.idempotency_key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
            return Err(ErrorCode::BadRequest.into());
        }
        let data = payload::of(what.data, what.b64data)?;
        Ok(Self {
            publication: Publication { data, tags: what.tags, ..Publication::default() },
            idempotency_key: (!what.idempotency_key.is_empty()).then(|| what.idempotency_key.into()),
            skip_history: what.skip_history,
            delta: what.delta,
        })
    }

    /// Publishes it to one channel.
    pub(super) async fn publish(&self, world: World<'_>, channel: &str) -> Result<Published, Failure> {
        let (channel, namespace) = world.channel(channel)?;
        if !namespace.data_format.allows(&self.publication.data) {
            return Err(ErrorCode::BadRequest.into());
        }
        let request = BrokerRequest::Publish(self.draft(namespace));
        match world.engine.broker(channel, request).await? {
            BrokerAnswer::Published(position) => Ok(position.into()),
            BrokerAnswer::Refused(error) => Err(error.into()),
            _ => Err(ErrorCode::Internal.into()),
        }
    }

    fn draft(&self, namespace: &Namespace) -> Draft {
        Draft {
            publication: self.publication.clone(),
            history: namespace.history.filter(|_| !self.skip_history),
            idempotency_key: self.idempotency_key.clone(),
            // The server API has rates of its own.
            rate: Rate::NONE,
            delta: namespace.tells_by_patch(self.delta),
        }
    }
}

impl From<Option<Position>> for Published {
    fn from(position: Option<Position>) -> Self {
        match position {
            Some(Position { offset, epoch }) => {
                Self { offset: Some(offset), epoch: Some(epoch.as_str().to_owned()) }
            }
            None => Self { offset: None, epoch: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use spanwire_hub::broker::HistoryOptions;

    use super::*;
    use crate::api::call::Fields as _;

    fn article(body: &[u8]) -> Result<Article, Failure> {
        Article::of(<(What,)>::read(body)?.0)
    }

    #[test]
    fn a_body_says_what_to_publish() {
        let body =
            br#"{"channel":"a","data":{"x": 1},"tags":{"k":"v"},"idempotency_key":"i","skip_history":true}"#;
        let article = article(body).unwrap();
        let second = std::time::Duration::from_secs(1);
        let history = Some(HistoryOptions { size: 1, ttl: second, meta_ttl: second });
        let namespace = Namespace { history, ..Namespace::default() };
        let draft = article.draft(&namespace);
        assert_eq!(&draft.publication.data[..], br#"{"x": 1}"#);
        assert_eq!(draft.publication.tags["k"], "v");
        assert_eq!(draft.idempotency_key.as_deref(), Some(b"i".as_slice()));
        assert!(draft.history.is_none() && !draft.delta);
    }

    #[test]
    fn a_publication_is_told_by_a_patch_if_it_or_its_namespace_says_so_and_subscribers_may_take_that() {
        let asked = r#","delta":true"#;
        for (body, allow_delta, delta_publish, expected) in [
            ("", true, false, false),
            (asked, true, false, true),
            ("", true, true, true),
            (asked, false, false, false),
            ("", false, true, false),
        ] {
            let article = article(format!(r#"{{"data":1{body}}}"#).as_bytes()).unwrap();
            let namespace = Namespace { allow_delta, delta_publish, ..Namespace::default() };
            assert_eq!(article.draft(&namespace).delta, expected, "{body} {allow_delta} {delta_publish}");
        }
    }

    #[test]
    fn null_is_data_and_nothing_is_not() {
        assert_eq!(&article(br#"{"data":null}"#).unwrap().publication.data[..], b"null");
        let table = [
            (r#"{}"#.to_owned(), ErrorCode::BadRequest),
            (r#"{"b64data":"%"}"#.to_owned(), ErrorCode::BadRequest),
            (r#"{"data":1,"version":2}"#.to_owned(), ErrorCode::NotAvailable),
            (format!(r#"{{"data":1,"idempotency_key":"{}"}}"#, "x".repeat(257)), ErrorCode::BadRequest),
        ];
        for (body, code) in table {
            assert_eq!(article(body.as_bytes()).err(), Some(Failure::Refused(code)), "{body}");
        }
    }
}
