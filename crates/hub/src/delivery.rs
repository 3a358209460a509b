//! A publication on its way to subscribers: encoded once per encoding, however many shards and subscribers.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use spanwire_wire::message::{ClientInfo, Publication};
use spanwire_wire::{Encoding, encode_publication, is_json};

use crate::channel::{Channel, Epoch};

/// A publication that a broker hands out, and the bytes that subscribers share.
#[derive(Debug)]
pub struct Delivery {
    /// The publication, with its offset (0 in a channel without history).
    pub publication: Publication,
    /// The epoch that the offset belongs to; `None` in a channel without history.
    pub epoch: Option<Epoch>,
    json: OnceLock<Option<Bytes>>,
    protobuf: OnceLock<Bytes>,
}

impl Delivery {
    /// A publication as published, not encoded yet.
    pub fn new(publication: Publication, epoch: Option<Epoch>) -> Arc<Self> {
        Arc::new(Self { publication, epoch, json: OnceLock::new(), protobuf: OnceLock::new() })
    }

    /// The push that carries this publication to a subscriber of `channel`; `None` if its payload is not JSON
    /// and the subscriber speaks JSON.
    pub fn push(&self, channel: &Channel, encoding: Encoding) -> Option<&Bytes> {
        match encoding {
            Encoding::Json => self.json.get_or_init(|| self.encode_json(channel)).as_ref(),
            Encoding::Protobuf => {
                let encode =
                    || encode_publication(Encoding::Protobuf, 0, channel.as_str(), &self.publication);
                Some(self.protobuf.get_or_init(encode))
            }
        }
    }

    fn encode_json(&self, channel: &Channel) -> Option<Bytes> {
        let publication = json_publication(&self.publication)?;
        Some(encode_publication(Encoding::Json, 0, channel.as_str(), &publication))
    }
}

/// What a JSON client can be told of a publication: nothing if its payload is binary. The encoder trusts payloads, so
/// everything that goes to a JSON client passes here or through [`json_info`].
pub(crate) fn json_publication(publication: &Publication) -> Option<Cow<'_, Publication>> {
    if !is_json(&publication.data) {
        return None;
    }
    Some(match publication.info.as_ref().filter(|info| !is_json_info(info)) {
        None => Cow::Borrowed(publication),
        Some(info) => Cow::Owned(Publication { info: Some(json_info(info)), ..publication.clone() }),
    })
}

/// Whether a payload can be embedded in JSON.
pub(crate) fn is_json_or_nothing(payload: &Bytes) -> bool {
    payload.is_empty() || is_json(payload)
}

/// What a JSON client can be told of these publications; `None` if one of them is binary.
pub(crate) fn json_publications(publications: Vec<Publication>) -> Option<Vec<Publication>> {
    publications.iter().map(|publication| json_publication(publication).map(Cow::into_owned)).collect()
}

fn is_json_info(info: &ClientInfo) -> bool {
    is_json_or_nothing(&info.conn_info) && is_json_or_nothing(&info.chan_info)
}

/// What a JSON client can be told of a client: information in binary is left out.
pub(crate) fn json_info(info: &ClientInfo) -> ClientInfo {
    let mut info = info.clone();
    for payload in [&mut info.conn_info, &mut info.chan_info] {
        if !is_json_or_nothing(payload) {
            payload.clear();
        }
    }
    info
}
