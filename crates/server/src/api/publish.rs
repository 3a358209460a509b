//! `publish`: one publication to one channel.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use spanwire_hub::broker::{BrokerAnswer, BrokerRequest, Draft, HistoryOptions};
use spanwire_hub::channel::Position;
use spanwire_wire::ErrorCode;
use spanwire_wire::message::Publication;

use super::failure::{Failure, parse, write};
use super::place::Place;
use super::{World, payload};

/// Longest idempotency key, in bytes. Keys are kept for a while after their publication.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 256;

/// What to publish, wherever it goes.
#[derive(Default, Deserialize)]
#[serde(default)]
struct What {
    #[serde(deserialize_with = "payload::present")]
    data: Option<Box<RawValue>>,
    b64data: Option<String>,
    tags: BTreeMap<String, String>,
    idempotency_key: String,
    skip_history: bool,
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
}

/// Where a publication ended up. Both are left out in a channel without history.
#[derive(Serialize)]
pub(super) struct Published {
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<String>,
}

impl Publish {
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        let Place { channel } = parse(body)?;
        Ok(Self { channel, article: Article::read(body)? })
    }

    pub(super) async fn answer(self, world: World<'_>) -> Result<String, Failure> {
        write(&self.article.publish(world, &self.channel).await?)
    }
}

impl Article {
    /// Reads what to publish from a body that also says where.
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        let what: What = parse(body)?;
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
        })
    }

    /// Publishes it to one channel.
    pub(super) async fn publish(&self, world: World<'_>, channel: &str) -> Result<Published, Failure> {
        let (channel, namespace) = world.channel(channel)?;
        let request = BrokerRequest::Publish(self.draft(namespace.history));
        match world.engine.broker(channel, request).await? {
            BrokerAnswer::Published(position) => Ok(position.into()),
            BrokerAnswer::Refused(error) => Err(error.into()),
            _ => Err(ErrorCode::Internal.into()),
        }
    }

    fn draft(&self, history: Option<HistoryOptions>) -> Draft {
        Draft {
            publication: self.publication.clone(),
            history: history.filter(|_| !self.skip_history),
            idempotency_key: self.idempotency_key.clone(),
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
    use super::*;

    #[test]
    fn a_body_says_what_to_publish() {
        let body =
            br#"{"channel":"a","data":{"x": 1},"tags":{"k":"v"},"idempotency_key":"i","skip_history":true}"#;
        let article = Article::read(body).unwrap();
        let draft = article.draft(Some(HistoryOptions {
            size: 1,
            ttl: std::time::Duration::from_secs(1),
            meta_ttl: std::time::Duration::from_secs(1),
        }));
        assert_eq!(&draft.publication.data[..], br#"{"x": 1}"#);
        assert_eq!(draft.publication.tags["k"], "v");
        assert_eq!(draft.idempotency_key.as_deref(), Some(b"i".as_slice()));
        assert!(draft.history.is_none());
    }

    #[test]
    fn null_is_data_and_nothing_is_not() {
        assert_eq!(&Article::read(br#"{"data":null}"#).unwrap().publication.data[..], b"null");
        let table = [
            (r#"{}"#.to_owned(), ErrorCode::BadRequest),
            (r#"{"b64data":"%"}"#.to_owned(), ErrorCode::BadRequest),
            (r#"{"data":1,"version":2}"#.to_owned(), ErrorCode::NotAvailable),
            (format!(r#"{{"data":1,"idempotency_key":"{}"}}"#, "x".repeat(257)), ErrorCode::BadRequest),
        ];
        for (body, code) in table {
            assert_eq!(Article::read(body.as_bytes()).err(), Some(Failure::Refused(code)), "{body}");
        }
    }
}
