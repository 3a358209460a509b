//! Subscribers whose clients read more slowly than their channel is published to, where something may be left out.
//!
//! From the [high water](crate::limits::Limits::high_water) of its outbox on, a member of such a channel *lags*: what
//! comes is parked in the channel's [lot](crate::lot). When its outbox has drained to the low water, it is given what is
//! parked for it, all at once and in order, and is a member like any other again. So its offsets only grow, and nothing
//! is older than what was parked at that moment: with some at a time, a key that changes all the time would be moved
//! behind the others for ever, and never told. What was left out shows by a hole in the offsets.
//!
//! Replies, pings, joins and leaves are never parked. They pass what is.

use std::sync::Arc;

use spanwire_wire::DisconnectCode;

use super::Hub;
use crate::audience::{Audience, AudienceId, Member};
use crate::channel::Channel;
use crate::delivery::Delivery;
use crate::lot::{Lagging, Lot, Room};
use crate::namespace::name_of;
use crate::session::{Place, Session, Subscription, Traits};
use crate::sessions::Sessions;
use crate::{Output, SessionId};

/// A member for whom its outbox has no room.
pub(super) struct Behind {
    /// Where it is among the members.
    pub(super) place: usize,
    /// How many it needs no more of the publications that are about to be parked, from the first on.
    pub(super) given: u64,
}

impl Hub {
    /// Whether a client lags and has read so much that [`Input::Drained`](crate::Input::Drained) helps it on.
    #[inline]
    pub fn may_catch_up(&self, id: SessionId) -> bool {
        self.sessions.lags(id, self.config.limits.low_water())
    }

    /// Whether a subscriber gets all that it was promised, or word of the rest, if publications are left out.
    pub(super) fn tells_what_is_left_out(&self, id: SessionId, traits: Traits) -> bool {
        let client = self.sessions.get(id).and_then(Session::client);
        !traits.promises_all() || client.is_some_and(|client| client.extended)
    }

    /// These members, by their places in ascending order, begin to lag. If nothing more may be parked, the first in a
    /// channel cannot, and are let go.
    pub(super) fn begin_to_lag(&mut self, id: AudienceId, behind: Vec<Behind>) {
        let has_room = self.parked_bytes < self.config.limits.parked_bytes_total_max();
        let Some(audience) = self.audiences.get(id) else { return };
        if audience.lot.is_none() && !has_room {
            let slow: Vec<_> = behind.iter().map(|one| audience.members[one.place].session).collect();
            return self.let_go_slow(slow);
        }
        for Behind { place, given } in behind.into_iter().rev() {
            let Some(audience) = self.audiences.get_mut(id) else { return };
            let Some(member) = audience.members.get(place).copied() else { continue };
            let lot = match audience.lot.take() {
                Some(lot) => lot,
                None => match Lot::new(&audience.channel, &audience.namespace.delivery) {
                    Some(lot) => Box::new(lot),
                    None => return,
                },
            };
            let lot = audience.lot.insert(lot);
            let since = lot.last() + given;
            lot.lagging.push(Lagging { member, since, turn: self.lags_begun });
            self.lags_begun += 1;
            let lagging = Place::Lagging((lot.lagging.len() - 1) as u32);
            let channel = audience.channel.clone();
            self.vacate(id, Place::Live(place as u32));
            let session = self.sessions.id(member.session);
            self.moves(session, id, lagging);
            if self.sessions.lag_mut(member.session).begin() {
                self.outputs.push_back(Output::Lags(session, channel));
            }
        }
    }

    /// Parks what has come for those who lag, if anybody does.
    pub(super) fn park(&mut self, id: AudienceId, waiting: &[Arc<Delivery>]) {
        let in_outbox = self.config.limits.parked_bytes_max();
        let total_max = self.config.limits.parked_bytes_total_max();
        let mut slow = Vec::new();
        for delivery in waiting {
            let Some(lot) = self.audiences.get_mut(id).and_then(|audience| audience.lot.as_mut()) else {
                break;
            };
            let others = self.parked_bytes - lot.held();
            let places = lot.park(delivery, Room { in_outbox, held: total_max.saturating_sub(others) });
            self.parked_bytes = others + lot.held();
            slow.extend(places.into_iter().map(|place| lot.lagging[place as usize].member.session));
        }
        self.let_go_slow(slow);
    }

    fn let_go_slow(&mut self, sessions: Vec<u32>) {
        for session in sessions {
            self.close(self.sessions.id(session), DisconnectCode::Slow.into());
        }
    }

    /// A client has read: its subscriptions that lag go on, as far as its outbox takes it.
    pub(super) fn catch_up_lagging(&mut self, id: SessionId) {
        if !self.may_catch_up(id) {
            return;
        }
        for audience in self.lags_in(id) {
            self.hand_out(audience);
            if !self.go_on(id, audience) {
                return;
            }
        }
    }

    /// Where a client lags, and for the longest time first: channels that are always busy do not keep the others from
    /// going on.
    fn lags_in(&self, id: SessionId) -> Vec<AudienceId> {
        let subscriptions =
            self.sessions.get(id).into_iter().flat_map(|session| session.subscriptions.iter());
        let mut turns: Vec<_> = subscriptions
            .filter_map(|Subscription { id, place, .. }| {
                let Place::Lagging(index) = place else { return None };
                let lot = self.audiences.get(id.audience)?.lot.as_ref()?;
                Some((lot.lagging[*index as usize].turn, id.audience))
            })
            .collect();
        turns.sort_unstable();
        turns.into_iter().map(|(_, audience)| audience).collect()
    }

    /// Gives a member what is parked for it. Whether it has all of it, and is a member like any other again.
    fn go_on(&mut self, id: SessionId, audience: AudienceId) -> bool {
        let subscription = self.sessions.get(id).and_then(|session| session.subscriptions.get(audience));
        let Some(place @ Place::Lagging(index)) = subscription.map(|subscription| subscription.place) else {
            return true;
        };
        let bytes_max = self.config.limits.outbox_bytes_max;
        let Some(Audience { channel, lot: Some(lot), .. }) = self.audiences.get_mut(audience) else {
            return true;
        };
        let Some(given) = give(&mut self.sessions, id, channel, lot, index, bytes_max) else {
            self.close(id, DisconnectCode::InappropriateProtocol.into());
            return false;
        };
        let lagging = &mut lot.lagging[index as usize];
        lagging.since = given.reached;
        let member = lagging.member;
        if given.skipped > 0 {
            self.skipped.count(name_of(channel.as_str()), lot.profile(), given.skipped);
        }
        if given.is_all {
            self.rejoin(id, audience, place, member);
        }
        given.is_all
    }

    fn rejoin(&mut self, id: SessionId, audience: AudienceId, place: Place, member: Member) {
        self.vacate(audience, place);
        self.sessions.lag_mut(id.index).end();
        let Some(members) = self.audiences.get_mut(audience) else { return };
        let place = members.add_member(member);
        self.moves(id, audience, place);
    }
}

/// What a member that lags was given.
struct Given {
    /// The number of the last one.
    reached: u64,
    /// How many were left out.
    skipped: u64,
    /// There is no more.
    is_all: bool,
}

/// Puts what is parked for a member into its outbox, as far as that takes it; `None` if it cannot be said in its encoding.
fn give(
    sessions: &mut Sessions,
    id: SessionId,
    channel: &Channel,
    lot: &Lot,
    index: u32,
    bytes_max: usize,
) -> Option<Given> {
    let encoding = sessions.lane(id.index).encoding;
    let Lagging { member, since, .. } = lot.lagging[index as usize];
    let (mut reached, mut given) = (since, 0);
    for (number, delivery) in lot.since(since) {
        if member.is_new(&delivery.publication) {
            // Whoever is given this has not had what came before it. So it goes out whole, whatever others were sent of it.
            let message = delivery.push(channel, encoding)?;
            if sessions.send(id.index, message.clone(), bytes_max).is_err() {
                return Some(Given { reached, skipped: reached - since - given, is_all: false });
            }
        }
        (reached, given) = (number, given + 1);
    }
    Some(Given { reached: lot.last(), skipped: lot.last() - since - given, is_all: true })
}
