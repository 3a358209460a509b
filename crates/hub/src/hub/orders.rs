//! What a backend orders about the sessions of a user.

use bytes::Bytes;
use spanwire_wire::message::{Refresh, Subscribe, SubscribeResult};
use spanwire_wire::{DisconnectCode, ErrorCode, PushEvent, UnsubscribeCode};

use super::Hub;
use super::connecting::{end_of, time_to_live};
use crate::audience::AudienceId;
use crate::channel::{Channel, Epoch, Position};
use crate::delivery::Delivery;
use crate::session::{Joining, Life, Purpose, Session, Stage, Traits, Wishes};
use crate::time::{Instant, Now};
use crate::{Expiry, Grant, Order, SessionId, Whom};

impl Hub {
    pub(super) fn order(&mut self, now: Now, order: Order) {
        match order {
            Order::Disconnect { whom, spared, disconnect } => {
                for id in self.sessions_of(&whom, &spared) {
                    self.close(id, disconnect.clone());
                }
            }
            Order::Unsubscribe { whom, channel, code } => {
                for id in self.sessions_of(&whom, &[]) {
                    let Some(session) = self.sessions.get(id) else { continue };
                    let audiences: Vec<_> = match &channel {
                        Some(channel) => self.audiences.find(channel.as_str()).into_iter().collect(),
                        None => session
                            .subscriptions
                            .iter()
                            .map(|subscription| subscription.id.audience)
                            .collect(),
                    };
                    for audience in audiences {
                        self.end_subscription(now, id, audience, code);
                    }
                    self.resume(now, id);
                }
            }
            Order::Alone { user, client, since } => {
                for id in self.older_than(&user, &client, since) {
                    self.close(id, DisconnectCode::ConnectionLimit.into());
                }
            }
            Order::Subscribe { whom, channel, grant, since } => {
                for id in self.sessions_of(&whom, &[]) {
                    self.order_subscription(now, id, &channel, &grant, since.clone());
                }
            }
            Order::Revoke(revocation) => self.revoke(now, &revocation),
            Order::Refresh { whom, expiry, info } => {
                for id in self.sessions_of(&whom, &[]) {
                    self.order_expiry(now, id, expiry, info.clone());
                }
            }
        }
    }

    fn order_subscription(
        &mut self,
        now: Now,
        id: SessionId,
        channel: &Channel,
        grant: &Grant,
        since: Option<Position>,
    ) {
        let limits = &self.config.limits;
        let Ok(namespace) = self.config.namespaces.of(channel.as_str()).cloned() else { return };
        let Some(session) = self.sessions.get(id) else { return };
        let audience = self.audiences.find(channel.as_str());
        let is_subscribed = audience.is_some_and(|audience| session.subscriptions.get(audience).is_some());
        // One that is connecting has not been told yet who it is; what it is to have comes with its token.
        let is_connected = matches!(session.life, Life::Connected(_));
        if is_subscribed || !is_connected || grant.expire_at.is_some_and(|at| at <= now.unix_seconds()) {
            return;
        }
        if session.subscriptions.len() >= limits.channels_per_client_max {
            return self.close(id, DisconnectCode::ChannelLimit.into());
        }
        let traits = Traits::decide(&namespace, grant, Wishes::default());
        let joining = Joining {
            purpose: Purpose::Order,
            since,
            reject_unrecovered: false,
            filter: None,
            traits: Traits { server_side: true, ..traits },
            info: grant.info.clone(),
            data: grant.data.clone(),
            expire_at: grant.expire_at,
            token: grant.token.clone(),
            stage: Stage::Verifying(Wishes::default()),
        };
        let subscription = self.begin_joining(id, channel.as_str(), &namespace, joining);
        self.read_stream(id, subscription.audience);
    }

    /// All is known of an ordered subscription: the client is told, and gets what it missed.
    pub(super) fn joined_by_order(
        &mut self,
        now: Now,
        id: SessionId,
        audience: AudienceId,
        result: SubscribeResult,
    ) {
        let Some(channel) = self.audiences.get(audience).map(|audience| audience.channel.clone()) else {
            return;
        };
        let SubscribeResult { recoverable, epoch, offset, positioned, data, publications, .. } = result;
        let of_stream = positioned.then(|| Epoch::new(&epoch));
        // What follows must lie behind the position that is told, or a client takes it for something that it has heard: the
        // latest publication comes with the top of the stream, which is its own offset.
        let offset = publications.first().map_or(offset, |first| first.offset.saturating_sub(1));
        let told = Subscribe { recoverable, epoch, offset, positioned, data };
        self.push(id, &channel, PushEvent::Subscribe(told));
        for publication in publications {
            self.deliver_to(id, audience, &Delivery::new(publication, of_stream.clone()));
        }
        self.go_live(now, id, audience);
    }

    fn order_expiry(&mut self, now: Now, id: SessionId, expiry: Expiry, info: Option<Bytes>) {
        let expire_at = match expiry {
            Expiry::Now => return self.end_expired_connection(id),
            Expiry::At(at) if at <= now.unix_seconds() => {
                return self.end_expired_connection(id);
            }
            Expiry::At(at) => Some(at),
            Expiry::Never => None,
        };
        let delay = self.config.limits.expired_close_delay;
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Life::Connected(client) = &mut session.life else { return };
        let close_at = end_of(now, expire_at, delay);
        self.connections_expire.moves(client.close_at(), close_at);
        client.closes(close_at);
        if let Some(info) = info {
            client.info = info;
        }
        if let Some(extra) = client.extra.as_mut().filter(|extra| extra.renew_at.is_some()) {
            extra.renew_at = expire_at.map(|at| now.instant_of(at));
        }
        self.rearm(id);
        let ttl = expire_at.map_or(0, |at| time_to_live(now, at));
        let told = Refresh { expires: expire_at.is_some(), ttl };
        self.push(id, &Channel::new(""), PushEvent::Refresh(told));
    }

    /// Ends a subscription however far it has come. The client cannot be put out of one that is not live yet: the
    /// command that waits for it is answered instead.
    pub(super) fn end_subscription(
        &mut self,
        now: Now,
        id: SessionId,
        audience: AudienceId,
        code: UnsubscribeCode,
    ) {
        match self.joiner_mut(id, audience).map(|joiner| joiner.joining.purpose) {
            None => self.expel(id, audience, code),
            Some(Purpose::Command(command)) => {
                self.leave(id, audience, code);
                // An error that is temporary brings the client back, as a code that resubscribes would.
                let error =
                    if code.resubscribe() { ErrorCode::Internal } else { ErrorCode::PermissionDenied };
                self.refuse(id, command, error);
            }
            Some(Purpose::Connect) => self.leave_out_server_side(now, id, audience),
            // The client has not heard of it yet, and will not.
            Some(Purpose::Order) => drop(self.leave(id, audience, code)),
        }
    }

    /// The connections of a user before this one. Of two that came in the same moment, the larger id counts as newer,
    /// so that one of them stays.
    fn older_than(&self, user: &str, client: &str, since: Instant) -> Vec<SessionId> {
        let is_older = |session: &Session| match &session.life {
            Life::Connected(other) if *other.user == *user => {
                let connected_at = other.extra.as_ref().and_then(|extra| extra.connected_at);
                (connected_at, other.id.to_string().as_str()) < (Some(since), client)
            }
            _ => false,
        };
        self.sessions.iter().filter(|(_, session)| is_older(session)).map(|(id, _)| id).collect()
    }

    fn sessions_of(&self, whom: &Whom, spared: &[String]) -> Vec<SessionId> {
        let meant = self.sessions.iter().filter(|(_, session)| is_meant(session, whom, spared));
        meant.map(|(id, _)| id).collect()
    }
}

fn is_meant(session: &Session, whom: &Whom, spared: &[String]) -> bool {
    let Some(client) = session.client() else { return false };
    let is_narrowed = whom.client.is_some() || whom.session.is_some();
    let user_fits = *client.user == *whom.user || (whom.user.is_empty() && is_narrowed);
    if !user_fits || (!is_narrowed && spared.is_empty()) {
        return user_fits;
    }
    let session = client.extra.as_ref().map_or("", |extra| &*extra.session);
    if whom.session.as_ref().is_some_and(|wanted| wanted.is_empty() || *wanted != session) {
        return false;
    }
    let id = client.id.to_string();
    whom.client.as_ref().is_none_or(|wanted| *wanted == id) && !spared.contains(&id)
}
