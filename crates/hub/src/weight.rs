//! About how many bytes things will take on the wire: so that a reply too large for an outbox is never made.

use spanwire_wire::message::{ClientInfo, Publication};

/// Names of fields, numbers and punctuation of one entry in a list.
const FRAMING_BYTES: usize = 128;

/// What stands around a tag in a push, where it is known better.
const TAG_BYTES: usize = 8;

/// About what a publication takes in a reply, in bytes.
pub(crate) fn of_publication(publication: &Publication) -> usize {
    with_tags(publication, FRAMING_BYTES)
}

/// About what a publication takes in a push of its own, in bytes.
pub(crate) fn of_push(publication: &Publication) -> usize {
    with_tags(publication, TAG_BYTES)
}

/// The same, with so many bytes around each tag.
fn with_tags(publication: &Publication, around: usize) -> usize {
    let tags = publication.tags.iter().map(|(key, value)| key.len() + value.len() + around);
    FRAMING_BYTES
        + publication.data.len()
        + publication.info.as_ref().map_or(0, of_client)
        + tags.sum::<usize>()
        + publication.channel.len()
        + publication.key.len()
}

/// About what a client takes in a reply, in bytes.
pub(crate) fn of_client(info: &ClientInfo) -> usize {
    FRAMING_BYTES + info.user.len() + info.client.len() + info.conn_info.len() + info.chan_info.len()
}
