//! `history`: what a channel has kept.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use spanwire_hub::broker::{BrokerAnswer, BrokerRequest, HistoryQuery};
use spanwire_hub::channel::Position;
use spanwire_wire::ErrorCode;
use spanwire_wire::message::Publication;

use super::call::Call;
use super::failure::Failure;
use super::payload::{self, Client};
use super::place::{Place, Since};
use super::whole;
use super::{World, history_remove};

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Part {
    /// How many publications at most: 0 asks for the position only, a negative number for everything.
    #[serde(deserialize_with = "whole::read")]
    limit: i64,
    /// The position behind which to begin, or before which with `reverse`; without it, at the end of the stream.
    since: Option<Since>,
    /// Whether the newest comes first.
    reverse: bool,
}

/// What a channel has kept.
#[derive(Debug, PartialEq)]
pub struct History {
    /// The name of the channel.
    pub channel: String,
    /// Which part of it.
    pub query: HistoryQuery,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Kept {
    /// What was asked for of the stream.
    publications: Vec<Item>,
    /// The epoch of the stream.
    epoch: String,
    /// The offset of the last publication in the stream.
    offset: u64,
}

/// A publication as it is kept.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Publication")]
struct Item {
    /// What was published, if that is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
    /// What was published in base64, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    b64data: Option<String>,
    /// Who published it, if that was a client.
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<Client>,
    /// Its place in the stream.
    offset: u64,
    /// What was published beside the data.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
}

impl Call for History {
    type Body = (Place, Part);
    type Result = Kept;

    /// A limit of 0 asks for the position only, a negative one for everything: the backend is trusted to mean it.
    fn understand((Place { channel }, Part { limit, since, reverse }): Self::Body) -> Result<Self, Failure> {
        if reverse && since.as_ref().is_some_and(|since| since.offset == 0) {
            return Err(ErrorCode::BadRequest.into());
        }
        let since = since.map(Position::from);
        Ok(Self { channel, query: HistoryQuery { limit: usize::try_from(limit).ok(), since, reverse } })
    }

    async fn answer(self, world: World<'_>) -> Result<Kept, Failure> {
        let (channel, history) = history_remove::kept(world, &self.channel)?;
        match world.engine.broker(channel, BrokerRequest::History { history, query: self.query }).await? {
            BrokerAnswer::History { publications, top } => Ok(Kept {
                publications: publications.into_iter().map(Item::from).collect(),
                epoch: top.epoch.as_str().to_owned(),
                offset: top.offset,
            }),
            BrokerAnswer::Refused(error) => Err(error.into()),
            _ => Err(ErrorCode::Internal.into()),
        }
    }
}

impl From<Publication> for Item {
    fn from(publication: Publication) -> Self {
        let data = payload::written(&publication.data);
        Self {
            data: data.json,
            b64data: data.base64,
            info: publication.info.map(Client::from),
            offset: publication.offset,
            tags: publication.tags,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::call::read;
    use bytes::Bytes;
    use spanwire_hub::channel::Epoch;

    fn query(body: &str) -> Result<HistoryQuery, Failure> {
        Ok(read::<History>(body.as_bytes())?.query)
    }

    #[test]
    fn limits_and_positions_are_read_as_the_protocol_means_them() {
        assert_eq!(query("{}").unwrap(), HistoryQuery { limit: Some(0), since: None, reverse: false });
        assert_eq!(query(r#"{"limit":-1}"#).unwrap().limit, None);
        assert_eq!(query(r#"{"limit":7}"#).unwrap().limit, Some(7));
        let since = query(r#"{"since":{"offset":3,"epoch":"abc"},"reverse":true}"#).unwrap();
        assert_eq!(since.since, Some(Position { offset: 3, epoch: Epoch::new("abc") }));
        let before_the_first = query(r#"{"since":{"offset":0},"reverse":true}"#);
        assert_eq!(before_the_first, Err(Failure::Refused(ErrorCode::BadRequest)));
    }

    #[test]
    fn a_publication_is_written_with_its_payload_as_it_stands() {
        let json =
            Publication { data: Bytes::from_static(b"{\"a\": 1}"), offset: 4, ..Publication::default() };
        assert_eq!(serde_json::to_string(&Item::from(json)).unwrap(), r#"{"data":{"a": 1},"offset":4}"#);
        let binary = Publication { data: Bytes::from_static(&[0, 1]), offset: 5, ..Publication::default() };
        assert_eq!(serde_json::to_string(&Item::from(binary)).unwrap(), r#"{"b64data":"AAE=","offset":5}"#);
    }
}
