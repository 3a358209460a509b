//! From a publication to the members of its channel: does it follow on what they have heard?

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
    /// Fan-out: one look-up for the channel and one for its position; the members get it when the hub is asked for its
    /// outputs, together with what else comes for them until then.
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
        self.put_up(id, delivery);
    }

    /// Ends the subscriptions of members to whom publications between `heard` and `next` are missing. A member that
    /// joined ahead of the audience may miss none.
    fn lose_behind(&mut self, id: AudienceId, heard: u64, next: u64) {
        self.lose(id, |member| heard.max(member.after) + 1 < next);
    }

    /// Ends the subscriptions of all members with positions: those belong to an epoch that is over. A newcomer may be
    /// the one whose position is of the new epoch.
    pub(super) fn lose_outdated(&mut self, id: AudienceId, newcomer: Option<SessionId>) {
        self.hand_out(id);
        let Some(audience) = self.audiences.get_mut(id) else { return };
        let is_outdated = |member: &Member| newcomer.is_none_or(|newcomer| newcomer.index != member.session);
        // Their offsets mean nothing any more; those without positions hear everything from now on.
        for member in audience.live_mut().filter(|member| is_outdated(member)) {
            member.after = 0;
        }
        self.lose(id, is_outdated);
    }

    fn lose(&mut self, id: AudienceId, is_lost: impl Fn(&Member) -> bool) {
        let Some(audience) = self.audiences.get(id) else { return };
        let positioned = audience.live().filter(|member| member.positioned && is_lost(member));
        let lost: Vec<_> = positioned.map(|member| self.sessions.id(member.session)).collect();
        for session in lost {
            self.lost_state(session, id);
        }
    }

    /// Tells the members who want to know that a client came or went; the client itself hears only of its coming,
    /// because by the time of its leaving it is not a member any more.
    pub(super) fn tell_members(&mut self, channel: &Channel, info: &ClientInfo, event: Event) {
        let bytes_max = self.config.limits.outbox_bytes_max;
        let Some(id) = self.audiences.find(channel.as_str()) else { return };
        self.hand_out(id);
        let Some(audience) = self.audiences.get(id) else { return };
        let mut encoded = [None, None];
        let mut slow = Vec::new();
        for member in audience.live().filter(|member| member.hears_joins) {
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
