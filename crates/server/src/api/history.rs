//! `history`: what a channel has kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use spanwire_hub::broker::{BrokerAnswer, BrokerRequest, HistoryQuery};
use spanwire_hub::channel::{Epoch, Position};
use spanwire_wire::ErrorCode;
use spanwire_wire::message::Publication;

use super::failure::{Failure, parse, write};
use super::payload::{self, Client};
use super::{World, history_remove};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    channel: String,
    limit: i64,
    since: Option<Since>,
    reverse: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Since {
    offset: u64,
    epoch: String,
}

/// What a channel has kept.
#[derive(Debug, PartialEq)]
pub struct History {
    /// The name of the channel.
    pub channel: String,
    /// Which part of it.
    pub query: HistoryQuery,
}

#[derive(Serialize)]
struct Kept {
    publications: Vec<Item>,
    epoch: String,
    offset: u64,
}

#[derive(Serialize)]
struct Item {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b64data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<Client>,
    offset: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
}

impl History {
    /// A limit of 0 asks for the position only, a negative one for everything: the backend is trusted to mean it.
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        let Wanted { channel, limit, since, reverse } = parse(body)?;
        if reverse && since.as_ref().is_some_and(|since| since.offset == 0) {
            return Err(ErrorCode::BadRequest.into());
        }
        let since = since.map(|since| Position { offset: since.offset, epoch: Epoch::new(&since.epoch) });
        Ok(Self { channel, query: HistoryQuery { limit: usize::try_from(limit).ok(), since, reverse } })
    }

    pub(super) async fn answer(self, world: World<'_>) -> Result<String, Failure> {
        let (channel, history) = history_remove::kept(world, &self.channel)?;
        match world.engine.broker(channel, BrokerRequest::History { history, query: self.query }).await? {
            BrokerAnswer::History { publications, top } => write(&Kept {
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
    use bytes::Bytes;

    fn query(body: &str) -> Result<HistoryQuery, Failure> {
        Ok(History::read(body.as_bytes())?.query)
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
        assert_eq!(write(&Item::from(json)).unwrap(), r#"{"data":{"a": 1},"offset":4}"#);
        let binary = Publication { data: Bytes::from_static(&[0, 1]), offset: 5, ..Publication::default() };
        assert_eq!(write(&Item::from(binary)).unwrap(), r#"{"b64data":"AAE=","offset":5}"#);
    }
}
