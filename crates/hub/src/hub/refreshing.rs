//! Prolonging a connection or a subscription with a new token, before the old one runs out.

use std::collections::BTreeSet;

use spanwire_wire::message::{RefreshRequest, RefreshResult, SubRefreshRequest, SubRefreshResult};
use spanwire_wire::{DisconnectCode, ErrorCode, Outcome};

use super::connecting::{end_of, time_to_live};
use super::{Hub, Purpose};
use crate::audience::AudienceId;
use crate::session::{Life, Traits};
use crate::time::Now;
use crate::{Credentials, Expirable, Grant, Output, Question, Refreshed, Refusal, SessionId};

impl Hub {
    pub(super) fn refresh(&mut self, id: SessionId, command: u32, request: RefreshRequest) {
        if request.token.is_empty() {
            return self.close(id, DisconnectCode::BadRequest.into());
        }
        self.ask(id, Purpose::Refresh { command }, Question::Refresh { session: id, token: request.token });
    }

    pub(super) fn refreshed(
        &mut self,
        now: Now,
        id: SessionId,
        command: u32,
        outcome: Result<Credentials, Refusal>,
    ) {
        if let Err(refusal) = &outcome
            && refusal.is_temporary()
        {
            // The token was not looked at: nothing has come of it, and the client shows it again.
            return self.deny(id, command, refusal.clone());
        }
        let prolonged = self.prolong(now, id, outcome);
        let counted = prolonged.as_ref().map_or(Refreshed::Refused, |(refreshed, _)| *refreshed);
        self.outputs.push_back(Output::Refreshed(Expirable::Connection, counted));
        match prolonged {
            Ok((_, result)) => self.reply(id, command, Outcome::Refresh(result)),
            Err(DisconnectCode::ConnectionExpired) => self.end_expired_connection(id),
            Err(code) => self.close(id, code.into()),
        }
    }

    /// Lets a connection live for as long as a new token says, or tells why it has to end.
    fn prolong(
        &mut self,
        now: Now,
        id: SessionId,
        outcome: Result<Credentials, Refusal>,
    ) -> Result<(Refreshed, RefreshResult), DisconnectCode> {
        let credentials = match outcome.and_then(|credentials| self.with_personal_channel(credentials)) {
            Ok(credentials) if credentials.expire_at.is_some_and(|at| at <= now.unix_seconds()) => {
                return Err(DisconnectCode::ConnectionExpired);
            }
            Ok(credentials) => credentials,
            Err(Refusal::Error(ErrorCode::TokenExpired)) => return Err(DisconnectCode::ConnectionExpired),
            Err(_) => return Err(DisconnectCode::InvalidToken),
        };
        let delay = self.config.limits.expired_close_delay;
        let subscribed = self.server_side_channels(id);
        let client = match self.sessions.get_mut(id).map(|session| &mut session.life) {
            Some(Life::Connected(client)) if *client.user == *credentials.user => client,
            _ => return Err(DisconnectCode::InvalidToken),
        };
        let granted: BTreeSet<_> =
            credentials.channels.iter().map(|(channel, _)| channel.as_str().to_owned()).collect();
        if granted != subscribed {
            // Other server-side subscriptions than it has: a new connection gets them.
            return Err(DisconnectCode::InsufficientState);
        }
        let refreshed = Refreshed::accepted(client.close_at().is_some_and(|at| at <= now.at + delay));
        let close_at = end_of(now, credentials.expire_at, delay);
        self.connections_expire.moves(client.close_at(), close_at);
        client.closes(close_at);
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
        Ok((refreshed, result))
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
        let question = Question::VerifySubscription { session: id, token: request.token, channel, user };
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
        if let Err(refusal) = &outcome
            && refusal.is_temporary()
        {
            // The token was not looked at: nothing has come of it, and the client shows it again.
            return self.deny(id, command, refusal.clone());
        }
        let grant = match outcome {
            Ok(grant) if grant.expire_at.is_some_and(|at| at <= now.unix_seconds()) => {
                Err(Some(ErrorCode::Expired))
            }
            Ok(grant) => Ok(grant),
            Err(Refusal::Error(ErrorCode::TokenExpired)) => Err(Some(ErrorCode::TokenExpired)),
            Err(_) => Err(None),
        };
        let grant = match grant {
            Ok(grant) => grant,
            Err(error) => {
                self.outputs.push_back(Output::Refreshed(Expirable::Subscription, Refreshed::Refused));
                return match error {
                    Some(error) => self.refuse(id, command, error),
                    None => self.close(id, DisconnectCode::InvalidToken.into()),
                };
            }
        };
        let delay = self.config.limits.expired_sub_close_delay;
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(subscription) = session.subscriptions.get_mut(audience) else { return };
        let expires = subscription.extra.as_ref().and_then(|extra| extra.expire_at);
        let refreshed = Refreshed::accepted(expires.is_some_and(|at| at <= now.unix_seconds()));
        subscription.traits.rights = grant.rights;
        session.subscriptions.expires(
            &mut self.subscriptions_expire,
            audience,
            grant.expire_at,
            end_of(now, grant.expire_at, delay),
        );
        if let Some(subscription) = session.subscriptions.get_mut(audience) {
            subscription.opened_by(grant.token);
        }
        self.outputs.push_back(Output::Refreshed(Expirable::Subscription, refreshed));
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
