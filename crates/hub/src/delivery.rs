//! A publication on its way to subscribers: encoded once per encoding, however many shards and subscribers.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use spanwire_wire::Encoding;
use spanwire_wire::message::Publication;

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
            Encoding::Protobuf => Some(self.protobuf.get_or_init(|| {
                spanwire_wire::encode_publication(Encoding::Protobuf, channel.as_str(), &self.publication)
            })),
        }
    }

    fn encode_json(&self, channel: &Channel) -> Option<Bytes> {
        spanwire_wire::is_json(&self.publication.data)
            .then(|| spanwire_wire::encode_publication(Encoding::Json, channel.as_str(), &self.publication))
    }
}
