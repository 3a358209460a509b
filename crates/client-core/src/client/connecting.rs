//! One connection after another: when to try, how to begin, and what each way of ending means.

use std::collections::BTreeMap;
use std::time::Duration;

use spanwire_wire::code::{reconnects, told_to_retry_in};
use spanwire_wire::message::{ConnectRequest, ConnectResult, Error, RefreshRequest, RefreshResult};
use spanwire_wire::{DisconnectCode, ErrorCode, Request, extension};

use super::{Client, Pending};
use crate::backoff::Told;
use crate::link::{Link, Live};
use crate::renewal::Renewal;
use crate::time::Instant;
use crate::{CallError, ConnectionId, Credentials, Event, Output, TokenFailure, TokenFor};

/// The close code of WebSocket for a message that is larger than the server takes (RFC 6455 section 7.4.1).
const TOO_BIG: u32 = 1009;

impl Client {
    pub(super) fn connect(&mut self, now: Instant) {
        if matches!(self.link, Link::Idle) {
            self.begin(now);
        }
    }

    /// The application wishes it: for good, until it wishes otherwise.
    pub(super) fn disconnect(&mut self) {
        if !matches!(self.link, Link::Idle) {
            self.flush();
            self.end(Event::CODE_WISH, "disconnect".to_owned());
        }
    }

    /// Begins a try: with a token, if one is needed.
    pub(super) fn begin(&mut self, now: Instant) {
        if self.config.credentials == Credentials::Provider && self.token.is_none() {
            self.link = Link::AskingToken { until: now + self.config.limits.connect_within };
            self.outputs.push_back(Output::AskToken(TokenFor::Connection));
            return;
        }
        let connection = self.next_connection();
        let transport = self.ladder.begin(now);
        self.link = Link::Opening { connection, until: now + self.ladder.patience(&self.config.limits) };
        self.outputs.push_back(Output::Open(connection, transport));
    }

    pub(super) fn next_connection(&mut self) -> ConnectionId {
        self.last_connection += 1;
        ConnectionId(self.last_connection)
    }

    pub(super) fn connection_token(&mut self, now: Instant, token: Result<String, TokenFailure>) {
        match (&self.link, token) {
            (Link::Idle, _) => {}
            (_, Err(TokenFailure::Unauthorized)) => {
                self.end(Event::CODE_NO_TOKEN, "unauthorized".to_owned());
            }
            (Link::AskingToken { .. }, Ok(token)) => {
                self.token = Some(token);
                self.begin(now);
            }
            (Link::AskingToken { .. }, Err(TokenFailure::Temporary)) => {
                self.lost(now, Event::CODE_NO_TOKEN, "no token".to_owned());
            }
            (Link::Live(_), Ok(token)) => {
                self.token = Some(token.clone());
                self.command(Request::Refresh(RefreshRequest { token }), Pending::Refresh);
            }
            // A refresh that fails is left alone: the server will close with 3005, and connecting asks again.
            (_, Err(TokenFailure::Temporary)) => {}
            (_, Ok(token)) => self.token = Some(token),
        }
    }

    /// The connection is open: we introduce ourselves, and say in the same breath which channels we want.
    pub(super) fn opened(&mut self, now: Instant, opened: ConnectionId) {
        let Link::Opening { connection, .. } = self.link else { return };
        if connection != opened {
            return;
        }
        self.link = Link::Greeting { connection, until: now + self.ladder.patience(&self.config.limits) };
        self.last_command = 0;
        let request = self.introduction();
        self.command(Request::Connect(request), Pending::Connect);
        self.join_all(now);
    }

    fn introduction(&self) -> ConnectRequest {
        let token = match &self.config.credentials {
            Credentials::None => String::new(),
            Credentials::Token(token) => token.clone(),
            Credentials::Provider => self.token.clone().unwrap_or_default(),
        };
        let mut headers = BTreeMap::new();
        if self.config.extensions {
            headers.insert(extension::HEADER.to_owned(), extension::VERSION.to_owned());
        }
        let subs = self.server_side.iter().map(|(channel, one)| (channel.clone(), one.request(channel)));
        ConnectRequest {
            token,
            data: self.config.data.clone(),
            subs: subs.filter(|(_, request)| request.recover).collect(),
            name: self.config.name.clone(),
            version: self.config.version.clone(),
            headers,
            ..ConnectRequest::default()
        }
    }

    pub(super) fn connected(&mut self, now: Instant, result: ConnectResult) {
        let Link::Greeting { connection, .. } = self.link else { return };
        let live = Live::new(now, connection, &result, &self.config.limits);
        let idempotent = live.idempotent;
        self.link = Link::Live(live);
        self.ladder.worked(now, &self.config.limits, &mut self.chance);
        self.tell(Event::Connected { client: result.client, data: result.data, idempotent });
        self.server_subscriptions(now, result.subs);
        if self.is_connected() {
            self.send_waiting_calls(idempotent);
        }
    }

    pub(super) fn connect_refused(&mut self, now: Instant, error: Error) {
        let stale = error.code == ErrorCode::TokenExpired.code();
        let reason = format!("{} {}", error.code, error.message);
        if error.temporary || (stale && self.config.credentials == Credentials::Provider) {
            self.token.take_if(|_| stale);
            self.lost_and_told(now, Event::CODE_REFUSED, reason, Told::by(&error));
        } else {
            self.end(Event::CODE_REFUSED, reason);
        }
    }

    pub(super) fn refreshed(&mut self, now: Instant, result: &RefreshResult) {
        if let Link::Live(live) = &mut self.link {
            live.renewal = Renewal::new(now, result.expires, result.ttl);
        }
    }

    /// The server did not take the new token. If it cannot judge it now, another one is asked for later; else it will end
    /// the connection, and connecting asks for a token.
    pub(super) fn refresh_refused(&mut self, now: Instant, error: &Error) {
        if !error.temporary {
            self.token = None;
        } else if let Link::Live(live) = &mut self.link {
            live.renewal.put_off(now, error, &self.config.limits, &mut self.chance);
        }
    }

    /// The connection is over, could not be made, or is given up by us.
    pub(super) fn lost(&mut self, now: Instant, code: u32, reason: String) {
        let told = told_to_retry_in(&reason).map_or(Told::Nothing, Told::us);
        self.lost_and_told(now, code, reason, told);
    }

    /// There is no time for us, a server says or a box on the way to it.
    pub(super) fn turned_away(&mut self, now: Instant, code: u32, reason: String, retry_after: Duration) {
        self.lost_and_told(now, code, reason, Told::Everybody(retry_after));
    }

    /// The connection is over, and the server may have told how long to stay away.
    fn lost_and_told(&mut self, now: Instant, code: u32, reason: String, told: Told) {
        if !reconnects(code) {
            return self.end(code, reason);
        }
        if code == DisconnectCode::ConnectionExpired.code() || code == DisconnectCode::StateInvalidated.code()
        {
            self.token = None;
        }
        let (lived, idempotent) = match &self.link {
            Link::Live(live) => (now.since(live.since), live.idempotent),
            _ => (Duration::ZERO, false),
        };
        // Who alone is told when to come back has found the server. What everybody is told may come from a box on the way.
        let has_found_server = matches!(told, Told::Us(_));
        if !has_found_server && self.server_said_nothing(code) && self.ladder.down(code) {
            self.hang_up();
            self.leave_connection(false);
            return self.begin(now);
        }
        self.hang_up();
        self.leave_connection(code == DisconnectCode::StateInvalidated.code());
        let retry_at = now + self.backoff.told_or_next(told, lived, &self.config.limits, &mut self.chance);
        self.link = Link::Waiting { retry_at, told: told != Told::Nothing };
        self.tell(Event::Disconnected { code, reason, will_retry_at: Some(retry_at) });
        // A command that was too large for this server would be too large again, and end every connection.
        self.recall(code != TOO_BIG, idempotent);
    }

    /// Whether we were never let in and do not know that the server would not: perhaps it can be reached another way.
    fn server_said_nothing(&self, code: u32) -> bool {
        let is_outside = matches!(self.link, Link::Opening { .. } | Link::Greeting { .. });
        is_outside && code != Event::CODE_REFUSED && code < DisconnectCode::ConnectionClosed.code()
    }

    /// Ends it for good: nothing is tried again until the application wishes it.
    fn end(&mut self, code: u32, reason: String) {
        self.hang_up();
        self.leave_connection(false);
        self.backoff = Default::default();
        self.tell(Event::Disconnected { code, reason, will_retry_at: None });
        for id in self.calls.ids(|_| true) {
            if let Some(entry) = self.calls.take(id) {
                self.tell(entry.given_up(CallError::Closed));
            }
        }
    }

    pub(super) fn hang_up(&mut self) {
        self.recall_scout();
        if let Some(connection) = self.link.connection() {
            self.outputs.push_back(Output::Close(connection));
        }
        self.link = Link::Idle;
        self.pending.clear();
        self.batch.take();
    }

    pub(super) fn leave_connection(&mut self, invalidated: bool) {
        for subscription in self.subscriptions.values_mut().chain(self.server_side.values_mut()) {
            subscription.lost();
            if invalidated {
                subscription.invalidate();
            }
        }
    }
}
