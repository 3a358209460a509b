//! Deltas: what a subscriber is told who has agreed to hear only what is different in a publication.
//!
//! A *patch* makes a publication's payload of its *base*: the payload of the publication with the offset before, and of no
//! other. Whoever takes deltas has a position, so that it has heard of each offset or is told of a gap. What is left to know
//! of it is one bit: whether it has the base of what comes next.

use std::sync::OnceLock;

use bytes::Bytes;
use spanwire_wire::message::Publication;
use spanwire_wire::{Encoding, delta};

use crate::delivery::json_publication;

/// Bytes of payloads that subscribers were told who take deltas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeltaBytes {
    /// Of those told whole.
    pub whole: u64,
    /// Of the patches told instead of payloads.
    pub patches: u64,
    /// By which those payloads were longer than their patches.
    pub saved: u64,
}

impl std::ops::AddAssign for DeltaBytes {
    fn add_assign(&mut self, more: Self) {
        self.whole += more.whole;
        self.patches += more.patches;
        self.saved += more.saved;
    }
}

/// What is told of one publication with deltas: each form is made when somebody needs it, once for all subscribers of the
/// node.
#[derive(Debug, Default)]
pub(crate) struct Forms {
    /// The push of the whole payload in JSON; in Protobuf it is that of everybody. `None` if the payload is not JSON.
    pub(crate) whole_json: OnceLock<Option<Bytes>>,
    /// The push of the patch, by encoding; `None` if the whole payload is told.
    pub(crate) patches: [OnceLock<Option<Patch>>; Encoding::ALL.len()],
}

/// The push of a patch.
#[derive(Debug)]
pub(crate) struct Patch {
    pub(crate) push: Bytes,
    /// How long the patch in it is.
    pub(crate) bytes: usize,
}

/// A publication as told whole to a subscriber who takes deltas; `None` if its payload is not JSON and the subscriber
/// speaks JSON.
pub(crate) fn whole(publication: &Publication, encoding: Encoding) -> Option<Publication> {
    match encoding {
        Encoding::Json => {
            let data = delta::to_json(&publication.data)?;
            Some(Publication { data, ..json_publication(publication)?.into_owned() })
        }
        Encoding::Protobuf => Some(publication.clone()),
    }
}

/// A publication as told by a patch of its base, and how long the patch is; `None` if that is no gain, or as for [`whole`].
pub(crate) fn patched(
    publication: &Publication,
    base: &[u8],
    encoding: Encoding,
) -> Option<(Publication, usize)> {
    let patch = delta::patch(encoding, base, &publication.data)?;
    let bytes = patch.len();
    let publication = match encoding {
        Encoding::Json => {
            let data = delta::to_json(&patch)?;
            Publication { data, delta: true, ..json_publication(publication)?.into_owned() }
        }
        Encoding::Protobuf => Publication { data: patch.into(), delta: true, ..publication.clone() },
    };
    Some((publication, bytes))
}

/// What somebody missed who takes deltas: each publication whole; `None` as for [`whole`]. Everybody who comes back has missed
/// something else, so patches of it would be made for one client alone, and that whenever it asks.
pub(crate) fn recalled(publications: &[Publication], encoding: Encoding) -> Option<Vec<Publication>> {
    publications.iter().map(|publication| whole(publication, encoding)).collect()
}
