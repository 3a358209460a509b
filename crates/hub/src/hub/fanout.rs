//! From a publication to the outboxes of its channel's members.

use std::sync::Arc;

use bytes::Bytes;
use spanwire_wire::message::{ClientInfo, Join, Leave};
use spanwire_wire::{DisconnectCode, Encoding, Push, PushEvent, encode_push};

use super::Hub;
use crate::SessionId;
use crate::audience::{Audience, AudienceId, Member};
use crate::channel::{Channel, Position};
use crate::delivery::{Delivery, json_info};

/// What there is to tell about a client in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Join,
    Leave,
}

/// How a publication follows on what an audience has heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It is the next one, or the channel has no positions.
    Next,
    /// It was heard before.
    Repeat,
    /// Something between this offset and the publication was not heard.
    Hole { heard: u64 },
    /// It belongs to another life of the stream.
    NewEpoch,
}

impl Hub {
    /// Fan-out: one look-up for the channel, then one push of shared bytes for each member.
    pub(super) fn publication(&mut self, channel: &Channel, delivery: Arc<Delivery>) {
        let Some(id) = self.audiences.find(channel.as_str()) else { return };
        let Some(audience) = self.audiences.get_mut(id) else { return };
        // A joiner's position is not known yet, so what others have heard may be new to it.
        for joiner in &mut audience.joiners {
            joiner.keep(&delivery, &self.config.limits);
        }
        match hear(&mut audience.heard, &delivery) {
            Step::Repeat => return,
            Step::Hole { heard } => self.lose_behind(id, heard, delivery.publication.offset),
            Step::NewEpoch => self.lose_outdated(id, None),
            Step::Next => {}
        }
        self.deliver(id, &delivery);
    }

    fn deliver(&mut self, audience: AudienceId, delivery: &Delivery) {
        let bytes_max = self.config.limits.outbox_bytes_max;
        let Some(audience) = self.audiences.get(audience) else { return };
        let offset = delivery.publication.offset;
        let mut messages = Messages::new(delivery, audience);
        let mut fallen = Vec::new();
        for member in &audience.members {
            if offset != 0 && offset <= member.after {
                continue;
            }
            let encoding = self.sessions.lane(member.session).encoding;
            let Some(message) = messages.get(encoding) else {
                fallen.push((member.session, DisconnectCode::InappropriateProtocol));
                continue;
            };
            if self.sessions.send(member.session, message.clone(), bytes_max).is_err() {
                fallen.push((member.session, DisconnectCode::Slow));
            }
        }
        for (session, code) in fallen {
            self.close(self.sessions.id(session), code.into());
        }
    }

    /// Gives a publication to one member: one that waited while it joined.
    pub(super) fn deliver_to(&mut self, id: SessionId, audience: AudienceId, delivery: &Delivery) {
        let Some(channel) = self.audiences.get(audience).map(|audience| &audience.channel) else { return };
        match delivery.push(channel, self.sessions.lane(id.index).encoding) {
            Some(message) => self.send(id, message.clone()),
            None => self.close(id, DisconnectCode::InappropriateProtocol.into()),
        }
    }

    /// Ends the subscriptions of members to whom publications between `heard` and `next` are missing. A member that
    /// joined ahead of the audience may miss none.
    fn lose_behind(&mut self, id: AudienceId, heard: u64, next: u64) {
        self.lose(id, |member| heard.max(member.after) + 1 < next);
    }

    /// Ends the subscriptions of all members with positions: those belong to an epoch that is over. A newcomer may be
    /// the one whose position is of the new epoch.
    pub(super) fn lose_outdated(&mut self, id: AudienceId, newcomer: Option<SessionId>) {
        let Some(audience) = self.audiences.get_mut(id) else { return };
        let is_outdated = |member: &Member| newcomer.is_none_or(|newcomer| newcomer.index != member.session);
        // Their offsets mean nothing any more; those without positions hear everything from now on.
        for member in audience.members.iter_mut().filter(|member| is_outdated(member)) {
            member.after = 0;
        }
        self.lose(id, is_outdated);
    }

    fn lose(&mut self, id: AudienceId, is_lost: impl Fn(&Member) -> bool) {
        let Some(audience) = self.audiences.get(id) else { return };
        let positioned = audience.members.iter().filter(|member| member.positioned && is_lost(member));
        let lost: Vec<_> = positioned.map(|member| self.sessions.id(member.session)).collect();
        for session in lost {
            self.lost_state(session, id);
        }
    }

    /// Tells the members who want to know that a client came or went; the client itself hears only of its coming,
    /// because by the time of its leaving it is not a member any more.
    pub(super) fn tell_members(&mut self, channel: &Channel, info: &ClientInfo, event: Event) {
        let bytes_max = self.config.limits.outbox_bytes_max;
        let Some(audience) = self.audiences.find(channel.as_str()).and_then(|id| self.audiences.get(id))
        else {
            return;
        };
        let mut encoded = [None, None];
        let mut slow = Vec::new();
        for member in audience.members.iter().filter(|member| member.hears_joins) {
            let encoding = self.sessions.lane(member.session).encoding;
            let message: &Bytes = encoded[encoding as usize]
                .get_or_insert_with(|| encode_event(audience, info, event, encoding));
            if self.sessions.send(member.session, message.clone(), bytes_max).is_err() {
                slow.push(member.session);
            }
        }
        for session in slow {
            self.close(self.sessions.id(session), DisconnectCode::Slow.into());
        }
    }
}

/// What the members of an audience are sent of a publication.
///
/// References to bytes are counted, and all shards of a node share what was encoded once. To many members, each shard
/// sends a copy of its own: cores that count one another's references wait for each other, at 70 ns for each member
/// where two of them do.
struct Messages<'a> {
    delivery: &'a Delivery,
    audience: &'a Audience,
    /// By encoding, once looked for.
    found: [Option<Option<Bytes>>; Encoding::ALL.len()],
}

impl<'a> Messages<'a> {
    /// From this many members on, a copy costs less than what the sharing would.
    const COPIED_FOR: usize = 8;

    fn new(delivery: &'a Delivery, audience: &'a Audience) -> Self {
        Self { delivery, audience, found: [const { None }; Encoding::ALL.len()] }
    }

    /// The message in this encoding; `None` if it cannot be said in it.
    fn get(&mut self, encoding: Encoding) -> Option<&Bytes> {
        let Self { delivery, audience, found } = self;
        let find = || {
            let message = delivery.push(&audience.channel, encoding)?;
            let copies = audience.members.len() >= Self::COPIED_FOR;
            Some(if copies { Bytes::copy_from_slice(message) } else { message.clone() })
        };
        found[encoding as usize].get_or_insert_with(find).as_ref()
    }
}

fn encode_event(audience: &Audience, info: &ClientInfo, event: Event, encoding: Encoding) -> Bytes {
    let info = Some(if encoding == Encoding::Json { json_info(info) } else { info.clone() });
    let event = match event {
        Event::Join => PushEvent::Join(Join { info }),
        Event::Leave => PushEvent::Leave(Leave { info }),
    };
    encode_push(encoding, &Push::new(audience.channel.as_str(), event))
}

/// Notes that a publication has come, and says how it follows on the last one.
fn hear(heard: &mut Option<Position>, delivery: &Delivery) -> Step {
    let offset = delivery.publication.offset;
    let Some(epoch) = delivery.epoch.as_ref().filter(|_| offset != 0) else { return Step::Next };
    match heard {
        Some(position) if position.epoch == *epoch => {
            let last = position.offset;
            if offset <= last {
                return Step::Repeat;
            }
            position.offset = offset;
            if offset == last + 1 { Step::Next } else { Step::Hole { heard: last } }
        }
        Some(position) => {
            *position = Position { offset, epoch: epoch.clone() };
            Step::NewEpoch
        }
        None => {
            *heard = Some(Position { offset, epoch: epoch.clone() });
            Step::Next
        }
    }
}
