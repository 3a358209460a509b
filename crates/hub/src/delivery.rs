//! A publication on its way to subscribers: encoded once per encoding, however many shards and subscribers.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use spanwire_wire::message::{ClientInfo, Publication};
use spanwire_wire::{Encoding, encode_publication, is_json};

use crate::channel::{Channel, Epoch};
use crate::delta::{DeltaBytes, Forms, Patch, patched, whole};

/// A publication that a broker hands out, and the bytes that subscribers share.
#[derive(Debug)]
pub struct Delivery {
    /// The publication, with its offset (0 in a channel without history).
    pub publication: Publication,
    /// The epoch that the offset belongs to; `None` in a channel without history.
    pub epoch: Option<Epoch>,
    /// The payload of the publication with the offset before, if patches of that are to be told.
    base: Option<Bytes>,
    json: OnceLock<Option<Bytes>>,
    protobuf: OnceLock<Bytes>,
    /// In a box, because most publications are never told with deltas.
    deltas: OnceLock<Box<Forms>>,
}

impl Delivery {
    /// A publication as published, not encoded yet.
    pub fn new(publication: Publication, epoch: Option<Epoch>) -> Arc<Self> {
        Self::with_base(publication, epoch, None)
    }

    /// The same, of which patches may be told. `base` is the payload of the publication with the offset before, and of no
    /// other: subscribers apply the patch to what they have heard.
    pub fn with_base(publication: Publication, epoch: Option<Epoch>, base: Option<Bytes>) -> Arc<Self> {
        let (json, protobuf, deltas) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Arc::new(Self { publication, epoch, base, json, protobuf, deltas })
    }

    /// How long the base is that is kept for patches.
    pub(crate) fn base_bytes(&self) -> usize {
        self.base.as_ref().map_or(0, Bytes::len)
    }

    /// The push that carries this publication to a subscriber of `channel`; `None` if its payload is not JSON
    /// and the subscriber speaks JSON.
    pub fn push(&self, channel: &Channel, encoding: Encoding) -> Option<&Bytes> {
        match encoding {
            Encoding::Json => self.json.get_or_init(|| self.encode_json(channel)).as_ref(),
            Encoding::Protobuf => {
                Some(self.protobuf.get_or_init(|| encoded(channel, encoding, &self.publication)))
            }
        }
    }

    /// The same for a subscriber of `channel` who takes deltas, and may have heard the publication before this one; with it
    /// the bytes that this takes. `None` as for [`Self::push`].
    pub(crate) fn push_delta(
        &self,
        channel: &Channel,
        encoding: Encoding,
        has_base: bool,
    ) -> Option<(&Bytes, DeltaBytes)> {
        let bytes = self.publication.data.len();
        if let Some(patch) = self.base.as_ref().filter(|_| has_base).and_then(|base| {
            let make = || self.encode_patch(channel, encoding, base);
            self.forms().patches[encoding as usize].get_or_init(make).as_ref()
        }) {
            let saved = bytes - patch.bytes;
            let told = DeltaBytes { patches: patch.bytes as u64, saved: saved as u64, whole: 0 };
            return Some((&patch.push, told));
        }
        let push = match encoding {
            Encoding::Json => {
                let encode = || Some(encoded(channel, encoding, &whole(&self.publication, encoding)?));
                self.forms().whole_json.get_or_init(encode).as_ref()?
            }
            Encoding::Protobuf => self.push(channel, encoding)?,
        };
        Some((push, DeltaBytes { whole: bytes as u64, ..DeltaBytes::default() }))
    }

    fn forms(&self) -> &Forms {
        self.deltas.get_or_init(Box::default)
    }

    fn encode_patch(&self, channel: &Channel, encoding: Encoding, base: &[u8]) -> Option<Patch> {
        let (publication, bytes) = patched(&self.publication, base, encoding)?;
        Some(Patch { push: encoded(channel, encoding, &publication), bytes })
    }

    fn encode_json(&self, channel: &Channel) -> Option<Bytes> {
        let publication = json_publication(&self.publication)?;
        Some(encoded(channel, Encoding::Json, &publication))
    }
}

fn encoded(channel: &Channel, encoding: Encoding, publication: &Publication) -> Bytes {
    encode_publication(encoding, 0, channel.as_str(), publication)
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
