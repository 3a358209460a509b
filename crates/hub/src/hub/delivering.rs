//! From publications to the outboxes of those who get them.
//!
//! Under load several publications of a channel come in one turn. Its members get them as one message: joined once, so
//! that each member costs one reference and one frame, however many there are. When nothing else comes, a publication
//! goes out alone and just as soon. Publications that are *put up* are *handed out* before anything else is said in
//! their channel, and before anybody joins or leaves it: joining them changes no order.

use std::sync::Arc;

use bytes::Bytes;
use spanwire_wire::{Batch, DisconnectCode, Encoding};

use super::Hub;
use super::lagging::Behind;
use crate::SessionId;
use crate::audience::{Audience, AudienceId, Member};
use crate::delivery::Delivery;
use crate::limits::Limits;
use crate::session::Place;
use crate::sessions::Sessions;
use crate::weight;

/// Most bytes that are joined into one message: a frame that clients of all kinds take, and that is cheap to copy.
/// More publications than that are handed out in several.
const JOINED_BYTES_MAX: usize = 16 << 10;

/// From this many members on, a copy of the shard's own costs less than what the sharing would ([`Messages`]).
pub(super) const COPIED_FOR: usize = 8;

impl Hub {
    /// Keeps a publication until the turn's end, or until there is enough for one message.
    pub(super) fn put_up(&mut self, id: AudienceId, delivery: Arc<Delivery>) {
        let bytes = weight::of_publication(&delivery.publication);
        let Some(audience) = self.audiences.get_mut(id) else { return };
        if !audience.waiting.is_empty() && audience.waiting_bytes + bytes > JOINED_BYTES_MAX {
            self.hand_out(id);
        }
        let Some(audience) = self.audiences.get_mut(id) else { return };
        if audience.waiting.is_empty() {
            self.stirred.push(id);
        }
        audience.waiting_bytes += bytes;
        audience.waiting.push(delivery);
    }

    /// Hands out all that was put up.
    pub(super) fn hand_out_all(&mut self) {
        for id in std::mem::take(&mut self.stirred) {
            self.hand_out(id);
        }
    }

    /// Hands out what was put up in one channel.
    pub(super) fn hand_out(&mut self, id: AudienceId) {
        let Some(audience) = self.audiences.get_mut(id) else { return };
        audience.waiting_bytes = 0;
        let waiting = std::mem::take(&mut audience.waiting);
        if waiting.is_empty() {
            return;
        }
        // Those with an offset are in its order.
        let first = waiting.iter().map(|delivery| delivery.publication.offset).find(|offset| *offset != 0);
        let Some(audience) = self.audiences.get(id) else { return };
        let Limits { outbox_bytes_max: bytes_max, .. } = self.config.limits;
        let (may_lag, high_water) = (audience.may_lag(), self.config.limits.high_water());
        let mut messages = Messages::new(&waiting, audience);
        let mut fallen = Vec::new();
        let mut behind = Vec::new();
        for (place, member) in audience.members.iter().enumerate() {
            if may_lag && member.may_lag && self.sessions.unread(member.session) > high_water {
                behind.push(Behind { place, given: 0 });
                continue;
            }
            if first.is_some_and(|first| first <= member.after) {
                match hand_out_new(&mut self.sessions, audience, *member, &waiting, bytes_max) {
                    Ok(()) => {}
                    Err((given, DisconnectCode::Slow)) if may_lag && member.may_lag => {
                        behind.push(Behind { place, given });
                    }
                    Err((_, code)) => fallen.push((member.session, code)),
                }
                continue;
            }
            let encoding = self.sessions.lane(member.session).encoding;
            let Some(message) = messages.get(encoding) else {
                fallen.push((member.session, DisconnectCode::InappropriateProtocol));
                continue;
            };
            if self.sessions.send(member.session, message.clone(), bytes_max).is_err() {
                match may_lag && member.may_lag {
                    true => behind.push(Behind { place, given: 0 }),
                    false => fallen.push((member.session, DisconnectCode::Slow)),
                }
            }
        }
        hand_out_filtered(&mut self.sessions, audience, &waiting, bytes_max, &mut fallen);
        if may_lag || audience.lot.is_some() {
            self.begin_to_lag(id, behind);
            self.park(id, &waiting);
        }
        self.hand_out_patched(id, &waiting, first, &mut fallen);
        for (session, code) in fallen {
            self.close(self.sessions.id(session), code.into());
        }
    }

    /// Gives a publication to one member: one that waited while it joined.
    pub(super) fn deliver_to(&mut self, id: SessionId, audience: AudienceId, delivery: &Delivery) {
        if let Some(Place::Patched(index)) = self.place_of(id, audience) {
            return self.deliver_patched(id, audience, index, delivery);
        }
        let Some(channel) = self.audiences.get(audience).map(|audience| &audience.channel) else { return };
        match delivery.push(channel, self.sessions.lane(id.index).encoding) {
            Some(message) => self.send(id, message.clone()),
            None => self.close(id, DisconnectCode::InappropriateProtocol.into()),
        }
    }

    fn place_of(&self, id: SessionId, audience: AudienceId) -> Option<Place> {
        let subscription = self.sessions.get(id)?.subscriptions.get(audience)?;
        Some(subscription.place)
    }
}

/// Gives a member who has heard some of these publications the others. An error is why it cannot be given all, and how many
/// it needs no more from the first on.
fn hand_out_new(
    sessions: &mut Sessions,
    audience: &Audience,
    member: Member,
    waiting: &[Arc<Delivery>],
    bytes_max: usize,
) -> Result<(), (u64, DisconnectCode)> {
    let encoding = sessions.lane(member.session).encoding;
    for (given, delivery) in (0..).zip(waiting) {
        if !member.is_new(&delivery.publication) {
            continue;
        }
        let Some(message) = delivery.push(&audience.channel, encoding) else {
            return Err((given, DisconnectCode::InappropriateProtocol));
        };
        if sessions.send(member.session, message.clone(), bytes_max).is_err() {
            return Err((given, DisconnectCode::Slow));
        }
    }
    Ok(())
}

/// Gives each member with a filter what passes it. What passes is another for each, so it goes out as it is: joining it
/// would cost a copy for each member.
fn hand_out_filtered(
    sessions: &mut Sessions,
    audience: &Audience,
    waiting: &[Arc<Delivery>],
    bytes_max: usize,
    fallen: &mut Vec<(u32, DisconnectCode)>,
) {
    for filtered in &audience.filtered {
        let session = filtered.member.session;
        let encoding = sessions.lane(session).encoding;
        for delivery in waiting.iter().filter(|delivery| filtered.wants(&delivery.publication)) {
            let code = match delivery.push(&audience.channel, encoding) {
                Some(message) if sessions.send(session, message.clone(), bytes_max).is_ok() => continue,
                Some(_) => DisconnectCode::Slow,
                None => DisconnectCode::InappropriateProtocol,
            };
            fallen.push((session, code));
            break;
        }
    }
}

/// What the members of an audience are sent of some publications.
///
/// References to bytes are counted, and all shards of a node share what was encoded once. To many members, each shard
/// sends a copy of its own: cores that count one another's references wait for each other, at 70 ns for each member
/// where two of them do.
struct Messages<'a> {
    deliveries: &'a [Arc<Delivery>],
    audience: &'a Audience,
    /// By encoding, once looked for.
    found: [Option<Option<Bytes>>; Encoding::ALL.len()],
}

impl<'a> Messages<'a> {
    fn new(deliveries: &'a [Arc<Delivery>], audience: &'a Audience) -> Self {
        Self { deliveries, audience, found: [const { None }; Encoding::ALL.len()] }
    }

    /// The message in this encoding; `None` if something in it cannot be said so.
    fn get(&mut self, encoding: Encoding) -> Option<&Bytes> {
        let Self { deliveries, audience, found } = self;
        found[encoding as usize].get_or_insert_with(|| join(deliveries, audience, encoding)).as_ref()
    }
}

fn join(deliveries: &[Arc<Delivery>], audience: &Audience, encoding: Encoding) -> Option<Bytes> {
    if let [delivery] = deliveries {
        let message = delivery.push(&audience.channel, encoding)?;
        let copies = audience.members.len() >= COPIED_FOR;
        return Some(if copies { Bytes::copy_from_slice(message) } else { message.clone() });
    }
    let mut batch = Batch::new(encoding);
    for delivery in deliveries {
        batch.add(delivery.push(&audience.channel, encoding)?);
    }
    Some(batch.take())
}
