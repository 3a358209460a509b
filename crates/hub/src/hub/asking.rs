//! What the hub asks of the world on behalf of a session, and where the answers go.

use spanwire_wire::message::PublishRequest;
use spanwire_wire::{DisconnectCode, ErrorCode};

use super::Hub;
use crate::broker::BrokerRequest;
use crate::channel::Channel;
use crate::presence::PresenceRequest;
use crate::session::{Life, SubscriptionId};
use crate::time::Now;
use crate::{Answer, AskId, Deed, Output, Question, SessionId};

/// Who waits for an answer, and what for.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) session: SessionId,
    pub(super) purpose: Purpose,
}

/// What an answer is for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// The connect command that is being answered.
    Connect,
    /// The refresh command of this id.
    Refresh { command: u32 },
    /// The token of a subscribe command.
    VerifySubscription(SubscriptionId),
    /// The token of the sub_refresh command of this id.
    SubRefresh { command: u32, subscription: SubscriptionId },
    /// The broker's word on a subscribe to this channel.
    Subscribe(SubscriptionId, Channel),
    /// Presence's word on a subscribe.
    Appear(SubscriptionId),
    /// The backend's word on the connection's expiry.
    Renew,
    /// The backend's word on a subscription's expiry.
    RenewSubscription(SubscriptionId),
    /// The backend's word on the publish command of this id.
    Approve { command: u32, request: Box<PublishRequest> },
    /// The rpc command of this id.
    Rpc { command: u32 },
    /// The publish command of this id.
    Publish { command: u32 },
    /// The history command of this id.
    History { command: u32 },
    /// The presence or presence_stats command of this id.
    Presence { command: u32 },
}

impl Purpose {
    /// The subscription that the answer is about, if it is about one.
    fn subscription(&self) -> Option<SubscriptionId> {
        match self {
            Self::VerifySubscription(subscription)
            | Self::SubRefresh { subscription, .. }
            | Self::RenewSubscription(subscription)
            | Self::Subscribe(subscription, _)
            | Self::Appear(subscription) => Some(*subscription),
            _ => None,
        }
    }
}

impl Hub {
    /// Every answer comes in here and goes to whoever asked, if that session is still there.
    pub(super) fn answer(&mut self, now: Now, ask: AskId, answer: Answer) {
        let Some(Asker { session: id, purpose }) = self.asks.take(ask) else { return };
        let Some(session) = self.sessions.get_mut(id) else { return self.give_back(purpose, &answer) };
        session.asks -= 1;
        if matches!(session.life, Life::Closed) {
            return self.give_back(purpose, &answer);
        }
        match purpose.subscription().filter(|subscription| !session.subscriptions.has(*subscription)) {
            None => self.answered(now, id, purpose, answer),
            Some(_) => self.answered_too_late(id, purpose, &answer),
        }
        self.resume(now, id);
    }

    fn answered(&mut self, now: Now, id: SessionId, purpose: Purpose, answer: Answer) {
        match (purpose, answer) {
            (Purpose::Connect, Answer::Credentials(credentials)) => self.authenticated(now, id, credentials),
            (Purpose::Refresh { command }, Answer::Credentials(credentials)) => {
                self.refreshed(now, id, command, credentials);
            }
            (Purpose::VerifySubscription(subscription), Answer::Grant(grant)) => {
                self.subscription_verified(now, id, subscription.audience, grant);
            }
            (Purpose::SubRefresh { command, subscription }, Answer::Grant(grant)) => {
                self.subscription_refreshed(now, id, command, subscription.audience, grant);
            }
            (Purpose::Subscribe(subscription, _), Answer::Broker(answer)) => {
                self.broker_listens(now, id, subscription.audience, answer);
            }
            (Purpose::Appear(subscription), Answer::Presence(answer)) => {
                self.appeared(now, id, subscription.audience, answer)
            }
            (Purpose::Renew, Answer::Renewal(renewal)) => self.renewed(now, id, renewal),
            (Purpose::RenewSubscription(subscription), Answer::Renewal(renewal)) => {
                self.subscription_renewed(now, id, subscription, renewal);
            }
            (Purpose::Approve { command, request }, Answer::Approval(outcome)) => {
                self.approved(id, command, *request, outcome);
            }
            (Purpose::Rpc { command }, Answer::Rpc(outcome)) => self.called(id, command, outcome),
            (Purpose::Publish { command }, Answer::Broker(answer)) => self.published(id, command, answer),
            (Purpose::History { command }, Answer::Broker(answer)) => self.history_read(id, command, answer),
            (Purpose::Presence { command }, Answer::Presence(answer)) => {
                self.presence_read(id, command, answer)
            }
            // The driver mixed up two answers. There is no way to go on for this client but to begin anew.
            _ => self.close(id, DisconnectCode::InternalServerError.into()),
        }
    }

    /// The subscription that the answer is about has ended meanwhile. Only a refresh still waits for a reply.
    fn answered_too_late(&mut self, id: SessionId, purpose: Purpose, answer: &Answer) {
        match purpose {
            Purpose::SubRefresh { command, .. } => self.refuse(id, command, ErrorCode::PermissionDenied),
            _ => self.give_back(purpose, answer),
        }
    }

    /// Asks the world on behalf of a session.
    pub(super) fn ask(&mut self, id: SessionId, purpose: Purpose, question: Question) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.asks += 1;
        let ask = self.asks.insert(Asker { session: id, purpose });
        self.outputs.push_back(Output::Ask(ask, question));
    }

    pub(super) fn ask_broker(
        &mut self,
        id: SessionId,
        purpose: Purpose,
        channel: Channel,
        request: BrokerRequest,
    ) {
        self.ask(id, purpose, Question::Broker(channel, request));
    }

    pub(super) fn ask_presence(
        &mut self,
        id: SessionId,
        purpose: Purpose,
        channel: Channel,
        request: PresenceRequest,
    ) {
        self.ask(id, purpose, Question::Presence(channel, request));
    }

    pub(super) fn tell(&mut self, channel: &Channel, deed: Deed) {
        self.outputs.push_back(Output::Tell(channel.clone(), deed));
    }
}
