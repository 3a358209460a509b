//! The last step of a subscribe: the reply is written, what waited follows it, and the subscriber is a member.

use std::sync::Arc;

use bytes::Bytes;

use super::Hub;
use super::connecting::end_of;
use crate::audience::{AudienceId, Filtered, Joiner, Member, Patched};
use crate::broker::BrokerRequest;
use crate::channel::Position;
use crate::delivery::Delivery;
use crate::happening::{Subscribed, What};
use crate::revocation::TokenMark;
use crate::session::{Joining, Place, Stage, Traits};
use crate::tags_filter::TagsFilter;
use crate::time::Now;
use crate::{Deed, Output, SessionId};

impl Hub {
    /// The reply is written. What waited follows it, and from here on publications go straight to the outbox.
    pub(super) fn go_live(&mut self, now: Now, id: SessionId, audience: AudienceId) {
        let subscription = self.sessions.get(id).and_then(|session| session.subscriptions.get(audience));
        let Some(place @ Place::Joining(_)) = subscription.map(|subscription| subscription.place) else {
            return;
        };
        self.hand_out(audience);
        let Some(Joiner { joining, early, overflowed, .. }) = self.vacate(audience, place) else { return };
        let Joining { traits, filter, stage: Stage::Ready { top, has_base }, info, expire_at, token, .. } =
            *joining
        else {
            return;
        };
        let after = top.as_ref().map_or(0, |top| top.offset);
        let Traits { positioned, hears_joins, .. } = traits;
        let may_lag =
            top.is_some() && filter.is_none() && !traits.delta && self.tells_what_is_left_out(id, traits);
        let member = Member { session: id.index, positioned, hears_joins, may_lag, after };
        let Some(members) = self.audiences.get_mut(audience) else { return };
        if may_lag && members.may_lag() {
            self.outputs.push_back(Output::MayLag(id));
        }
        let place = match &filter {
            None if traits.delta => members.add_patched(Patched { member, has_base }),
            None => members.add_member(member),
            Some(filter) => members.add_filtered(Filtered { member, filter: Arc::clone(filter) }),
        };
        let lasting = Lasting { place, info: info.clone(), expire_at, token };
        self.keep_subscription(now, id, audience, lasting);
        self.announce(id, audience, traits, info);
        let caught_up = CatchUp { positioned, filter, early, overflowed };
        if !self.catch_up(id, audience, top, caught_up) && positioned {
            self.lost_state(id, audience);
        }
    }

    /// Notes what of a subscription outlives its joining.
    fn keep_subscription(&mut self, now: Now, id: SessionId, audience: AudienceId, lasting: Lasting) {
        let Lasting { place, info, expire_at, token } = lasting;
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(subscription) = session.subscriptions.get_mut(audience) else { return };
        let renewed_by_backend = subscription.traits.renewed_by_backend;
        subscription.place = place;
        if !info.is_empty() {
            subscription.extra.get_or_insert_default().info = info;
        }
        subscription.opened_by(token);
        let end_at = end_of(now, expire_at, self.config.limits.expired_sub_close_delay);
        session.subscriptions.expires(&mut self.subscriptions_expire, audience, expire_at, end_at);
        if renewed_by_backend {
            session.subscriptions.renews(audience, expire_at.map(|at| now.instant_of(at)));
        }
        if end_at.is_some() {
            self.rearm(id);
        }
    }

    /// Tells the members of the channel, and whoever wants reports, that somebody is there.
    fn announce(&mut self, id: SessionId, audience: AudienceId, traits: Traits, info: Bytes) {
        let Some(channel) = self.audiences.get(audience).map(|audience| audience.channel.clone()) else {
            return;
        };
        let Some(client) = self.sessions.get(id).and_then(|session| session.client()) else { return };
        let description = traits.announced.then(|| client.describe(info.clone()));
        let reported = self.reports.subscriptions.then(|| client.clone());
        if let Some(description) = description {
            self.tell(&channel, Deed::Broker(BrokerRequest::Join(description)));
        }
        if let Some(client) = reported {
            self.report(&client, What::Subscribed(Subscribed { channel, info }));
        }
    }

    /// Sends what waited. Whether that, and what the reply told, is all that there was.
    ///
    /// A subscriber with a position gets nothing from behind a hole: it would take the offset of that for its
    /// position, and never ask for what is missing.
    fn catch_up(
        &mut self,
        id: SessionId,
        audience: AudienceId,
        top: Option<Position>,
        what: CatchUp,
    ) -> bool {
        let mut reached = top.as_ref().map_or(0, |top| top.offset);
        for delivery in &what.early {
            let offset = delivery.publication.offset;
            if offset != 0 {
                let same_epoch = top.as_ref().map(|top| &top.epoch) == delivery.epoch.as_ref();
                if same_epoch && offset <= reached {
                    continue;
                }
                if what.positioned && !(same_epoch && offset == reached + 1) {
                    return false;
                }
                reached = offset;
            }
            let tags = &delivery.publication.tags;
            if what.filter.as_ref().is_none_or(|filter| filter.passes(tags)) {
                self.deliver_to(id, audience, delivery);
            }
        }
        !what.overflowed && self.meet_audience(id, audience, top, reached)
    }

    /// Brings a new member's position and the audience's together. Whether nothing lies between them.
    fn meet_audience(
        &mut self,
        id: SessionId,
        audience: AudienceId,
        top: Option<Position>,
        reached: u64,
    ) -> bool {
        let Some(top) = top else { return true };
        let Some(place) = self.audiences.get_mut(audience) else { return true };
        match &place.heard {
            Some(heard) if heard.epoch == top.epoch => return heard.offset <= reached,
            Some(_) => {
                // The stream began anew, and the newcomer is the first to know: the others' positions are worth nothing.
                place.heard = Some(top);
                self.lose_outdated(audience, Some(id));
            }
            None => place.heard = Some(top),
        }
        true
    }
}

/// What of a joining its subscription keeps.
struct Lasting {
    place: Place,
    info: Bytes,
    expire_at: Option<u64>,
    token: Option<TokenMark>,
}

/// What a subscriber must be given when it goes live.
struct CatchUp {
    /// It keeps a position.
    positioned: bool,
    /// Which publications it wants; `None` is all.
    filter: Option<Arc<TagsFilter>>,
    /// What was published before its reply.
    early: Vec<Arc<Delivery>>,
    /// More than that was.
    overflowed: bool,
}
