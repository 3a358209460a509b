//! From publications to the outboxes of those who take deltas.
//!
//! Two members who speak the same, and both have the base of what comes, or both do not, are told the same of all
//! publications of a turn, and are alike again after it. So there are at most four messages, each made once. The members who
//! take no deltas are not touched by any of this.

use std::sync::Arc;

use bytes::Bytes;
use spanwire_wire::{Batch, DisconnectCode, Encoding};

use super::Hub;
use super::delivering::COPIED_FOR;
use crate::SessionId;
use crate::audience::{Audience, AudienceId};
use crate::channel::Channel;
use crate::delivery::Delivery;
use crate::delta::DeltaBytes;

/// What members are told of some publications.
struct Told {
    message: Bytes,
    bytes: DeltaBytes,
    /// Whether they have the base of what comes next.
    has_base: bool,
}

impl Hub {
    /// Gives each member who takes deltas what was put up, of which `first` is the first offset; pushes who is to be let go,
    /// and why.
    pub(super) fn hand_out_patched(
        &mut self,
        id: AudienceId,
        waiting: &[Arc<Delivery>],
        first: Option<u64>,
        fallen: &mut Vec<(u32, DisconnectCode)>,
    ) {
        let bytes_max = self.config.limits.outbox_bytes_max;
        let Some(Audience { channel, patched, .. }) = self.audiences.get_mut(id) else { return };
        if patched.is_empty() {
            return;
        }
        let copies = patched.len() >= COPIED_FOR;
        let mut shared = <[[Option<Option<Told>>; 2]; Encoding::ALL.len()]>::default();
        for one in patched {
            let session = one.member.session;
            let encoding = self.sessions.lane(session).encoding;
            let own;
            let told = if first.is_some_and(|first| first <= one.member.after) {
                let is_new = |delivery: &&Delivery| one.member.is_new(&delivery.publication);
                let new: Vec<_> = waiting.iter().map(Arc::as_ref).filter(is_new).collect();
                if new.is_empty() {
                    continue;
                }
                own = tell(&new, channel, encoding, one.has_base);
                own.as_ref()
            } else {
                let tell = || tell_all(waiting, channel, encoding, one.has_base, copies);
                shared[encoding as usize][usize::from(one.has_base)].get_or_insert_with(tell).as_ref()
            };
            let Some(Told { message, bytes, has_base }) = told else {
                fallen.push((session, DisconnectCode::InappropriateProtocol));
                continue;
            };
            one.has_base = *has_base;
            self.delta_bytes += *bytes;
            if self.sessions.send(session, message.clone(), bytes_max).is_err() {
                fallen.push((session, DisconnectCode::Slow));
            }
        }
    }

    /// Gives a publication to the one member who takes deltas in this place: one that waited while it joined.
    pub(super) fn deliver_patched(
        &mut self,
        id: SessionId,
        audience: AudienceId,
        index: u32,
        delivery: &Delivery,
    ) {
        let encoding = self.sessions.lane(id.index).encoding;
        let Some(Audience { channel, patched, .. }) = self.audiences.get_mut(audience) else { return };
        let Some(one) = patched.get_mut(index as usize) else { return };
        let Some(Told { message, bytes, has_base }) = tell(&[delivery], channel, encoding, one.has_base)
        else {
            return self.close(id, DisconnectCode::InappropriateProtocol.into());
        };
        one.has_base = has_base;
        self.delta_bytes += bytes;
        self.send(id, message);
    }
}

/// What many are told; a copy of the shard's own, as in `delivering`, if they are enough of them.
fn tell_all(
    waiting: &[Arc<Delivery>],
    channel: &Channel,
    encoding: Encoding,
    has_base: bool,
    copies: bool,
) -> Option<Told> {
    let deliveries: Vec<_> = waiting.iter().map(Arc::as_ref).collect();
    let told = tell(&deliveries, channel, encoding, has_base)?;
    let message = if copies { Bytes::copy_from_slice(&told.message) } else { told.message };
    Some(Told { message, ..told })
}

/// What somebody is told who has the base of the first of these, or has not; `None` if one of them cannot be said.
///
/// A client takes whatever it was told last for the base. So what lies outside the stream, without an offset, leaves it
/// without the base of what comes next.
fn tell(deliveries: &[&Delivery], channel: &Channel, encoding: Encoding, mut has_base: bool) -> Option<Told> {
    let mut bytes = DeltaBytes::default();
    let mut pushes = Vec::with_capacity(deliveries.len());
    for delivery in deliveries {
        let (push, told) = delivery.push_delta(channel, encoding, has_base)?;
        has_base = delivery.publication.offset != 0;
        bytes += told;
        pushes.push(push);
    }
    if let [push] = *pushes {
        return Some(Told { message: push.clone(), bytes, has_base });
    }
    let mut batch = Batch::new(encoding);
    pushes.iter().for_each(|push| batch.add(push));
    Some(Told { message: batch.take(), bytes, has_base })
}
