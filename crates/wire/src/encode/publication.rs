//! The one message that is encoded by hand, because almost everything that a server encodes is this.

use bytes::Bytes;
use prost::Message as _;

use crate::Encoding;
use crate::envelope::{Envelope, Field};
use crate::json::{member, splice, write};
use crate::message::{ClientInfo, Publication};

/// The push of a publication in a channel; the same bytes as
/// [`encode_push`](crate::encode_push) makes, without a [`Push`](crate::Push) to be built first.
///
/// `id` is the number that stands for the channel if one was negotiated, else 0; then `channel` is empty.
pub fn encode_publication(encoding: Encoding, id: i64, channel: &str, publication: &Publication) -> Bytes {
    let envelope = Envelope::Push { id, channel };
    let field = Field(4, "pub");
    match encoding {
        Encoding::Json => envelope.json(publication.encoded_len(), |out| {
            member(out, field.1);
            write_publication(out, publication);
        }),
        // Prost's code for this is already what one would write by hand.
        Encoding::Protobuf => envelope.around(encoding, field, publication),
    }
}

fn write_publication(out: &mut Vec<u8>, publication: &Publication) {
    let Publication { data, info, offset, tags, delta, time, .. } = publication;
    let Publication { channel, key, removed, score, epoch, prev_data, version, .. } = publication;
    out.push(b'{');
    if !data.is_empty() {
        member(out, "data");
        splice(out, data);
    }
    if let Some(info) = info {
        member(out, "info");
        write_info(out, info);
    }
    if *offset != 0 {
        member(out, "offset");
        write(out, offset);
    }
    if !tags.is_empty() {
        member(out, "tags");
        write(out, tags);
    }
    if *delta {
        member(out, "delta");
        write(out, delta);
    }
    if *time != 0 {
        member(out, "time");
        write(out, time);
    }
    if !channel.is_empty() {
        member(out, "channel");
        write(out, channel);
    }
    if !key.is_empty() {
        member(out, "key");
        write(out, key);
    }
    if *removed {
        member(out, "removed");
        write(out, removed);
    }
    if *score != 0 {
        member(out, "score");
        write(out, score);
    }
    if !epoch.is_empty() {
        member(out, "epoch");
        write(out, epoch);
    }
    if !prev_data.is_empty() {
        member(out, "prev_data");
        splice(out, prev_data);
    }
    if *version != 0 {
        member(out, "version");
        write(out, version);
    }
    out.push(b'}');
}

fn write_info(out: &mut Vec<u8>, info: &ClientInfo) {
    out.push(b'{');
    member(out, "user");
    write(out, &info.user);
    member(out, "client");
    write(out, &info.client);
    if !info.conn_info.is_empty() {
        member(out, "conn_info");
        splice(out, &info.conn_info);
    }
    if !info.chan_info.is_empty() {
        member(out, "chan_info");
        splice(out, &info.chan_info);
    }
    out.push(b'}');
}
