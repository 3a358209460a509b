//! Out of a channel, on every path: by command, by order, by expiry, by a lost position, or with the session.

use spanwire_wire::message::UnsubscribeResult;
use spanwire_wire::{DisconnectCode, Outcome, PushEvent, UnsubscribeCode};

use super::Hub;
use super::asking::Purpose;
use crate::audience::{AudienceId, Joiner};
use crate::broker::{BrokerAnswer, BrokerRequest};
use crate::happening::{Subscribed, What};
use crate::presence::PresenceRequest;
use crate::session::{Place, Subscription, Traits};
use crate::{Answer, Deed, SessionId};

impl Hub {
    /// The client leaves. That always succeeds, also if it was not there.
    pub(super) fn unsubscribe(&mut self, id: SessionId, command: u32, channel: &str) {
        if let Some(audience) = self.audiences.find(channel) {
            self.leave(id, audience, UnsubscribeCode::Client);
        }
        self.reply(id, command, Outcome::Unsubscribe(UnsubscribeResult {}));
    }

    /// The client is taken out of a channel, and told.
    pub(super) fn expel(&mut self, id: SessionId, audience: AudienceId, code: UnsubscribeCode) {
        let Some(channel) = self.audiences.get(audience).map(|audience| audience.channel.clone()) else {
            return;
        };
        if self.leave(id, audience, code).is_some() {
            self.push(id, &channel, PushEvent::Unsubscribe(code.into()));
        }
    }

    /// What the client has heard of a channel has a hole. It is told, and comes back to recover or to learn of a gap.
    pub(super) fn lost_state(&mut self, id: SessionId, audience: AudienceId) {
        let Some(session) = self.sessions.get(id) else { return };
        match session.subscriptions.get(audience) {
            Some(subscription) if subscription.traits.server_side => {
                self.close(id, DisconnectCode::InsufficientState.into());
            }
            Some(_) => self.expel(id, audience, UnsubscribeCode::Insufficient),
            None => {}
        }
    }

    pub(super) fn leave_all(&mut self, id: SessionId) {
        while let Some(audience) = self.sessions.get(id).and_then(|session| session.subscriptions.last()) {
            self.leave(id, audience, UnsubscribeCode::Disconnect);
        }
    }

    /// Takes a session out of an audience, wherever in it it is; the world is told what it must know.
    pub(super) fn leave(
        &mut self,
        id: SessionId,
        audience: AudienceId,
        code: UnsubscribeCode,
    ) -> Option<Subscription> {
        self.hand_out(audience);
        let subscription = self.sessions.get_mut(id)?.subscriptions.remove(audience)?;
        self.subscriptions -= 1;
        self.subscriptions_expire.moves(subscription.end_at(), None);
        let Traits { present, announced, .. } = subscription.traits;
        if matches!(subscription.place, Place::Lagging(_)) {
            self.sessions.lag_mut(id.index).end();
        }
        let is_live = subscription.place.is_live();
        let announced = announced && is_live;
        let session = self.sessions.get(id)?;
        let reported = session.client().filter(|_| is_live && self.reports.subscriptions).cloned();
        let told = session.client().filter(|_| present || announced);
        let description = told.map(|client| client.describe(subscription.info()));
        let channel = self.audiences.get(audience)?.channel.clone();
        let joiner = self.vacate(audience, subscription.place);
        let is_counted = joiner.is_none_or(|joiner| joiner.joining.stage.is_counted());
        if let Some(client) = reported {
            let subscribed = Subscribed { channel: channel.clone(), info: subscription.info() };
            self.report(&client, What::Unsubscribed(subscribed, code));
        }
        if let Some(description) = description {
            if present {
                let remove = PresenceRequest::Remove(description.client.clone());
                self.tell(&channel, Deed::Presence(remove));
            }
            if announced {
                self.tell(&channel, Deed::Broker(BrokerRequest::Leave(description)));
            }
        }
        if is_counted {
            self.tell(&channel, Deed::Broker(BrokerRequest::Unsubscribe));
        }
        if self.audiences.get(audience).is_some_and(|audience| audience.len() == 0) {
            self.audiences.remove(audience);
        }
        Some(subscription)
    }

    /// Gives back what an answer brings to somebody who is gone: the broker has counted a subscriber.
    pub(super) fn give_back(&mut self, purpose: Purpose, answer: &Answer) {
        if let (Purpose::Subscribe(_, channel), Answer::Broker(BrokerAnswer::Subscribed { .. })) =
            (purpose, answer)
        {
            self.tell(&channel, Deed::Broker(BrokerRequest::Unsubscribe));
        }
    }

    /// Frees the place of a session in an audience. Whoever is moved into it learns its new place.
    pub(super) fn vacate(&mut self, audience: AudienceId, place: Place) -> Option<Joiner> {
        let left = self.audiences.get_mut(audience)?;
        let before = left.parked_bytes();
        let (joiner, moved) = left.vacate(place);
        // With the last who lags goes what was parked.
        self.parked_bytes -= before - left.parked_bytes();
        if let Some(moved) = moved {
            self.moves(self.sessions.id(moved), audience, place);
        }
        joiner
    }

    /// Notes where a subscription is in its audience now.
    pub(super) fn moves(&mut self, id: SessionId, audience: AudienceId, to: Place) {
        let subscriptions = self.sessions.get_mut(id).map(|session| &mut session.subscriptions);
        if let Some(subscription) = subscriptions.and_then(|all| all.get_mut(audience)) {
            subscription.place = to;
        }
    }
}
