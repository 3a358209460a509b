//! The end of what has expired.

use spanwire_wire::{DisconnectCode, UnsubscribeCode};

use super::Hub;
use crate::audience::AudienceId;
use crate::{Expirable, Output, SessionId};

impl Hub {
    /// The client's connection is closed; its code brings it back with a new token.
    pub(super) fn end_expired_connection(&mut self, id: SessionId) {
        self.outputs.push_back(Output::Expired(Expirable::Connection));
        self.close(id, DisconnectCode::ConnectionExpired.into());
    }

    /// The client is put out of the channel. What the server subscribed it to it cannot ask for again, but with a new
    /// connection.
    pub(super) fn end_expired_subscription(&mut self, id: SessionId, audience: AudienceId) {
        let session = self.sessions.get(id);
        let Some(subscription) = session.and_then(|session| session.subscriptions.get(audience)) else {
            return;
        };
        let server_side = subscription.traits.server_side;
        self.outputs.push_back(Output::Expired(Expirable::Subscription));
        match server_side {
            true => self.close(id, DisconnectCode::SubscriptionExpired.into()),
            false => self.expel(id, audience, UnsubscribeCode::Expired),
        }
    }
}
