//! Prolonging a connection or a subscription with a new token, before the old one runs out.

use std::collections::BTreeSet;

use spanwire_wire::message::{RefreshRequest, RefreshResult, SubRefreshRequest, SubRefreshResult};
use spanwire_wire::{DisconnectCode, ErrorCode, Outcome};

use super::connecting::{end_of, time_to_live};
use super::{Hub, Purpose};
use crate::audience::AudienceId;
use crate::session::{Life, Traits};
use crate::time::Now;
use crate::{Credentials, Grant, Question, Refusal, SessionId};

impl Hub {
    pub(super) fn refresh(&mut self, id: SessionId, command: u32, request: RefreshRequest) {
        if request.token.is_empty() {
            return self.close(id, DisconnectCode::BadRequest.into());
        }
        self.ask(id, Purpose::Refresh { command }, Question::Refresh { token: request.token });
    }

    pub(super) fn refreshed(
        &mut self,
        now: Now,
        id: SessionId,
        command: u32,
        outcome: Result<Credentials, Refusal>,
    ) {
        let credentials = match outcome.and_then(|credentials| self.with_personal_channel(credentials)) {
            Ok(credentials) if credentials.expire_at.is_some_and(|at| at <= now.unix_seconds()) => {
                return self.close(id, DisconnectCode::ConnectionExpired.into());
            }
            Ok(credentials) => credentials,
            Err(Refusal::Error(ErrorCode::TokenExpired)) => {
                return self.close(id, DisconnectCode::ConnectionExpired.into());
            }
            Err(_) => return self.close(id, DisconnectCode::InvalidToken.into()),
        };
        let delay = self.config.limits.expired_close_delay;
        let subscribed = self.server_side_channels(id);
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Life::Connected(client) = &mut session.life else { return };
        if *client.user != *credentials.user {
            return self.close(id, DisconnectCode::InvalidToken.into());
        }
        let granted: BTreeSet<_> =
            credentials.channels.iter().map(|(channel, _)| channel.as_str().to_owned()).collect();
        if granted != subscribed {
            // Other server-side subscriptions than it has: a new connection gets them.
            return self.close(id, DisconnectCode::InsufficientState.into());
        }
        client.closes(end_of(now, credentials.expire_at, delay));
        client.info = credentials.info;
        client.may_do(credentials.capabilities);
        client.known_by(credentials.token);
        client.is_to_be_told(credentials.meta);
        self.rearm(id);
        let ttl = credentials.expire_at.map(|at| time_to_live(now, at));
        let result = RefreshResult {
            expires: ttl.is_some(),
            ttl: ttl.unwrap_or_default(),
            ..RefreshResult::default()
        };
        self.reply(id, command, Outcome::Refresh(result));
    }

    fn server_side_channels(&self, id: SessionId) -> BTreeSet<String> {
        let subscriptions =
            self.sessions.get(id).into_iter().flat_map(|session| session.subscriptions.iter());
        let server_side = subscriptions.filter(|subscription| subscription.traits.server_side);
        server_side
            .filter_map(|each| Some(self.audiences.get(each.id.audience)?.channel.as_str().to_owned()))
            .collect()
    }

    pub(super) fn refresh_subscription(&mut self, id: SessionId, command: u32, request: SubRefreshRequest) {
        let Some(session) = self.sessions.get(id) else { return };
        let audience = self.audiences.find(&request.channel);
        let Some(subscription) = audience.and_then(|audience| session.subscriptions.get(audience)) else {
            return self.refuse(id, command, ErrorCode::PermissionDenied);
        };
        let expires = subscription.extra.as_ref().is_some_and(|extra| extra.expire_at.is_some());
        let Traits { server_side, renewed_by_backend, .. } = subscription.traits;
        if server_side || renewed_by_backend || !expires {
            return self.close(id, DisconnectCode::BadRequest.into());
        }
        if request.token.is_empty() {
            return self.refuse(id, command, ErrorCode::BadRequest);
        }
        let purpose = Purpose::SubRefresh { command, subscription: subscription.id };
        let channel = self.channel(&request.channel);
        let user = session.client().map_or_else(String::new, |client| client.user.as_ref().to_owned());
        let question = Question::VerifySubscription { token: request.token, channel, user };
        self.ask(id, purpose, question);
    }

    pub(super) fn subscription_refreshed(
        &mut self,
        now: Now,
        id: SessionId,
        command: u32,
        audience: AudienceId,
        outcome: Result<Grant, Refusal>,
    ) {
        let grant = match outcome {
            Ok(grant) if grant.expire_at.is_some_and(|at| at <= now.unix_seconds()) => {
                return self.refuse(id, command, ErrorCode::Expired);
            }
            Ok(grant) => grant,
            Err(Refusal::Error(ErrorCode::TokenExpired)) => {
                return self.refuse(id, command, ErrorCode::TokenExpired);
            }
            Err(_) => return self.close(id, DisconnectCode::InvalidToken.into()),
        };
        let delay = self.config.limits.expired_sub_close_delay;
        let Some(session) = self.sessions.get_mut(id) else { return };
        if let Some(subscription) = session.subscriptions.get_mut(audience) {
            subscription.traits.rights = grant.rights;
        }
        session.subscriptions.expires(audience, grant.expire_at, end_of(now, grant.expire_at, delay));
        if let Some(subscription) = session.subscriptions.get_mut(audience) {
            subscription.opened_by(grant.token);
        }
        self.rearm(id);
        let ttl = grant.expire_at.map(|at| time_to_live(now, at));
        let result = SubRefreshResult {
            expires: ttl.is_some(),
            ttl: ttl.unwrap_or_default(),
            ..SubRefreshResult::default()
        };
        self.reply(id, command, Outcome::SubRefresh(result));
    }
}
