//! The one message that is encoded by hand, because almost everything that a server encodes is this.
//!
//! In JSON that takes a quarter less time than the derived code, a third less with the publisher's
//! [`ClientInfo`] (97 for 124 ns, 160 for 235 ns; 128 bytes of payload).

use bytes::Bytes;
use prost::Message as _;

use crate::Encoding;
use crate::envelope::{Envelope, Field};
use crate::json::{member, splice, write};
use crate::message::{ClientInfo, Publication};

/// Where a push holds a publication.
const FIELD: Field = Field(4, "pub");

/// The push of a publication in a channel; the same bytes as
/// [`encode_push`](crate::encode_push) makes, without a [`Push`](crate::Push) to be built first.
///
/// `id` is the number that stands for the channel if one was negotiated, else 0; then `channel` is empty.
pub fn encode_publication(encoding: Encoding, id: i64, channel: &str, publication: &Publication) -> Bytes {
    let envelope = Envelope::Push { id, channel };
    match encoding {
        Encoding::Json => envelope.json(publication.encoded_len(), |out| {
            member(out, FIELD.1);
            write_publication(out, publication);
        }),
        // Prost's code for this is already what one would write by hand.
        Encoding::Protobuf => envelope.around(encoding, FIELD, publication),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::btree_map;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn by_hand_and_by_derive_a_publication_is_the_same_bytes(
            id: i64,
            channel: String,
            publication in any_publication(),
        ) {
            for encoding in Encoding::ALL {
                let derived = Envelope::Push { id, channel: &channel }.around(encoding, FIELD, &publication);
                prop_assert_eq!(encode_publication(encoding, id, &channel, &publication), derived);
            }
        }
    }

    fn any_publication() -> impl Strategy<Value = Publication> {
        let payloads = (any_payload(), any_payload());
        let texts = (any::<String>(), any::<String>(), any::<String>());
        let numbers = (any_u64(), any_u64(), any_i64(), any_i64());
        let rest = (any::<bool>(), any::<bool>(), option::of(any_info()), any_tags());
        (payloads, texts, numbers, rest).prop_map(
            |(
                (data, prev_data),
                (channel, key, epoch),
                (offset, version, time, score),
                (delta, removed, info, tags),
            )| {
                Publication {
                    data,
                    info,
                    offset,
                    tags,
                    delta,
                    time,
                    channel,
                    key,
                    removed,
                    score,
                    epoch,
                    prev_data,
                    version,
                }
            },
        )
    }

    fn any_info() -> impl Strategy<Value = ClientInfo> {
        (any::<String>(), any::<String>(), any_payload(), any_payload()).prop_map(
            |(user, client, conn_info, chan_info)| ClientInfo { user, client, conn_info, chan_info },
        )
    }

    fn any_tags() -> impl Strategy<Value = BTreeMap<String, String>> {
        btree_map(any::<String>(), any::<String>(), 0..3)
    }

    /// What is spliced need not be JSON for this test, but it needs line breaks.
    fn any_payload() -> impl Strategy<Value = Bytes> {
        prop_oneof![Just(""), Just("1"), Just("\n"), Just("[\r\n1,\n2]\n")].prop_map(Bytes::from)
    }

    fn any_u64() -> impl Strategy<Value = u64> {
        prop_oneof![Just(0), any::<u64>()]
    }

    fn any_i64() -> impl Strategy<Value = i64> {
        prop_oneof![Just(0), any::<i64>()]
    }
}
