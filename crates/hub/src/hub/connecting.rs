//! From a connect command to its reply: who is it, and what is it subscribed to by the server?

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand::Rng;
use spanwire_wire::extension;
use spanwire_wire::message::{ConnectRequest, ConnectResult, SubscribeRequest, SubscribeResult};
use spanwire_wire::{
    DisconnectCode, Encoding, ErrorCode, Outcome, PushEvent, UnsubscribeCode, decode_connect,
};

use super::subscribing::is_known_delta;
use super::{Hub, Purpose};
use crate::audience::AudienceId;
use crate::channel::Channel;
use crate::delivery::is_json_or_nothing;
use crate::happening::What;
use crate::namespace::Namespace;
use crate::session::uuid::ClientId;
use crate::session::{
    Client, Connecting, Heartbeat, Joining, Known, Life, Session, Stage, Traits, Wanted, Wishes,
};
use crate::time::{Instant, Now};
use crate::{Authenticate, Credentials, Grant, Order, Output, Question, Refusal, SessionId, Upstream};

impl Hub {
    /// Hears who a unidirectional client is. Nobody listens to anything else that it may say.
    pub(super) fn greet(&mut self, id: SessionId, frame: &[u8]) {
        let Some(Session { life: Life::Fresh { .. }, .. }) = self.sessions.get(id) else { return };
        let too_long = frame.len() > self.config.limits.commands.message_bytes_max;
        match decode_connect(frame).ok().filter(|_| !too_long) {
            Some(request) => self.connect(id, 0, request),
            None => self.close(id, DisconnectCode::BadRequest.into()),
        }
    }

    pub(super) fn connect(&mut self, id: SessionId, command: u32, request: ConnectRequest) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Life::Fresh { stale_at, upstream } = &mut session.life else { return };
        let (stale_at, upstream) = (*stale_at, std::mem::take(upstream));
        let extended = extension::is_wanted(&request);
        let ConnectRequest { token, data, subs, name, version, headers, .. } = request;
        // A stranger may name any number of channels, at any length: kept is what a client can have been subscribed to.
        let channels_max = self.config.limits.channels_per_client_max;
        let asked: Vec<_> = match session.unidirectional {
            // One more than it may have is refused, and not left out.
            true => subs.iter().take(channels_max + 1).map(asked_for).collect(),
            false => Vec::new(),
        };
        if !subs.values().all(|request| is_known_delta(&request.delta)) {
            return self.close(id, DisconnectCode::BadRequest.into());
        }
        // Whoever only hears is a program that reads lines; it is told what everybody is told.
        let takes_deltas = !session.unidirectional;
        let wanted = subs.into_iter().map(|(channel, request)| (channel, Wanted::of(&request, takes_deltas)));
        let wanted = wanted.filter(|(_, wanted)| *wanted != Wanted::default());
        let wanted: BTreeMap<_, _> = wanted.take(channels_max).collect();
        let channels = match session.unidirectional {
            true => asked.iter().map(|request| request.channel.clone()).collect(),
            false => recovering(&wanted).cloned().collect(),
        };
        let reach = match upstream {
            Upstream::Connection | Upstream::Nothing(_) => None,
            Upstream::Requests(reach) => Some(reach),
        };
        let client = ClientId::from_random(self.chance.random());
        let connecting =
            Connecting { stale_at, command, client, wanted, asked, extended, reach, known: None };
        session.life = Life::Connecting(Box::new(connecting));
        let (client, encoding) = (client.to_string(), self.sessions.lane(id.index).encoding);
        let question =
            Authenticate { session: id, client, encoding, token, data, name, version, channels, headers };
        self.ask(id, Purpose::Connect, Question::Authenticate(question));
    }

    pub(super) fn authenticated(&mut self, now: Now, id: SessionId, outcome: Result<Credentials, Refusal>) {
        match outcome.and_then(|credentials| self.with_personal_channel(credentials)) {
            Err(refusal) => self.refuse_connect(id, refusal),
            Ok(credentials) if credentials.expire_at.is_some_and(|at| at <= now.unix_seconds()) => {
                self.refuse_connect(id, Refusal::Error(ErrorCode::Expired));
            }
            Ok(credentials) if credentials.channels.len() > self.config.limits.channels_per_client_max => {
                self.close(id, DisconnectCode::ChannelLimit.into());
            }
            Ok(credentials) if !self.can_say(id, &credentials.data) => {
                self.close(id, DisconnectCode::InappropriateProtocol.into());
            }
            Ok(credentials) => self.welcome(now, id, credentials),
        }
    }

    /// The credentials, with the channel that the user has of its own among the server-side subscriptions.
    pub(super) fn with_personal_channel(&self, mut credentials: Credentials) -> Result<Credentials, Refusal> {
        let personal = self.config.namespaces.personal.as_ref().filter(|_| !credentials.user.is_empty());
        if let Some(personal) = personal {
            let own = personal.of(&credentials.user).map_err(|why| Refusal::Error(why.code()))?;
            if credentials.channels.iter().all(|(channel, _)| *channel != own) {
                credentials.channels.push((own, Grant::default()));
            }
        }
        Ok(credentials)
    }

    /// If users may have one connection each, this one stays and older ones end.
    fn replace_older(&mut self, now: Now, client: &mut Client) {
        let personal = self.config.namespaces.personal.as_ref();
        if client.user.is_empty() || !personal.is_some_and(|personal| personal.single_connection) {
            return;
        }
        client.extra.get_or_insert_default().connected_at = Some(now.at);
        let (user, client) = (client.user.as_ref().to_owned(), client.id.to_string());
        self.outputs.push_back(Output::Order(Order::Alone { user, client, since: now.at }));
    }

    /// It is known who this is; what is left are the server-side subscriptions.
    fn welcome(&mut self, now: Now, id: SessionId, credentials: Credentials) {
        let mut channels: BTreeMap<Channel, (Arc<Namespace>, Grant)> = BTreeMap::new();
        for (channel, grant) in &credentials.channels {
            if grant.expire_at.is_some_and(|at| at <= now.unix_seconds()) {
                return self.refuse_connect(id, Refusal::Error(ErrorCode::Expired));
            }
            match self.config.namespaces.of(channel.as_str()) {
                Ok(namespace) => channels.insert(channel.clone(), (Arc::clone(namespace), grant.clone())),
                Err(code) => return self.refuse_connect(id, Refusal::Error(code)),
            };
        }
        let Some(connecting) = self.connecting_mut(id) else { return };
        let client = Client::new(connecting.client, &credentials, connecting.extended);
        let mut asked = std::mem::take(&mut connecting.asked);
        asked.retain(|request| !channels.contains_key(request.channel.as_str()));
        let pending = channels.len() + asked.len();
        let Credentials { data, expire_at, renewed_by_backend, .. } = credentials;
        let made = BTreeMap::new();
        connecting.known = Some(Known { client, data, expire_at, renewed_by_backend, pending, made });
        for (channel, (namespace, grant)) in channels {
            self.join_server_side(id, &channel, &namespace, grant);
        }
        for request in asked {
            if let Err(code) = self.begin_subscribing(now, id, crate::session::Purpose::Connect, request) {
                return self.refuse_connect(id, Refusal::Error(code));
            }
        }
        if pending == 0 {
            self.connected(now, id);
        }
    }

    fn join_server_side(
        &mut self,
        id: SessionId,
        channel: &Channel,
        namespace: &Arc<Namespace>,
        grant: Grant,
    ) {
        let wanted =
            self.connecting_mut(id).and_then(|connecting| connecting.wanted.remove(channel.as_str()));
        let Wanted { since, delta } = wanted.unwrap_or_default();
        let wishes = Wishes { delta, ..Wishes::default() };
        let traits = Traits::decide(namespace, &grant, wishes);
        let joining = Joining {
            purpose: crate::session::Purpose::Connect,
            since,
            reject_unrecovered: false,
            filter: None,
            traits: Traits { server_side: true, ..traits },
            info: grant.info,
            data: grant.data,
            expire_at: grant.expire_at,
            token: grant.token,
            stage: Stage::Verifying(wishes),
        };
        let subscription = self.begin_joining(id, channel.as_str(), namespace, joining);
        self.read_stream(id, subscription.audience);
    }

    /// One server-side subscription is made; the last one completes the reply.
    pub(super) fn joined_server_side(
        &mut self,
        now: Now,
        id: SessionId,
        audience: AudienceId,
        result: SubscribeResult,
    ) {
        let Some(channel) = self.audiences.get(audience).map(|audience| audience.channel.clone()) else {
            return;
        };
        let Some(known) = self.connecting_mut(id).and_then(|connecting| connecting.known.as_mut()) else {
            return;
        };
        known.made.insert(channel.as_str().to_owned(), result);
        known.pending -= 1;
        if known.pending == 0 {
            self.connected(now, id);
        }
    }

    /// A server-side subscription is ended before the reply could tell of it: the reply goes without it.
    pub(super) fn leave_out_server_side(&mut self, now: Now, id: SessionId, audience: AudienceId) {
        let Some(channel) = self.audiences.get(audience).map(|audience| audience.channel.clone()) else {
            return;
        };
        self.leave(id, audience, UnsubscribeCode::Server);
        let Some(known) = self.connecting_mut(id).and_then(|connecting| connecting.known.as_mut()) else {
            return;
        };
        if known.made.remove(channel.as_str()).is_none() {
            known.pending -= 1;
            if known.pending == 0 {
                self.connected(now, id);
            }
        }
    }

    /// The connect command cannot be granted: nothing remains of it, and the client is expected to go.
    pub(super) fn refuse_connect(&mut self, id: SessionId, refusal: Refusal) {
        let Some(connecting) = self.connecting_mut(id) else { return };
        let (command, stale_at) = (connecting.command, connecting.stale_at);
        let error = match refusal.into_error(connecting.extended) {
            Ok(error) => error,
            Err(reason) => return self.close(id, reason),
        };
        if self.is_unidirectional(id) {
            return self.close(id, disconnect_for(error.code).into());
        }
        self.leave_all(id);
        if let Some(session) = self.sessions.get_mut(id) {
            session.life = Life::Refused { stale_at };
        }
        self.reply(id, command, Outcome::Error(error));
    }

    /// Everything is known: reply, and let the server-side subscriptions go live behind the reply.
    fn connected(&mut self, now: Now, id: SessionId) {
        let limits = &self.config.limits;
        let Some(session) = self.sessions.get_mut(id) else { return };
        let unidirectional = session.unidirectional;
        let Life::Connecting(connecting) = std::mem::replace(&mut session.life, Life::Closed) else { return };
        let Connecting { command, reach, known: Some(known), .. } = *connecting else { return };
        let Known { mut client, data, expire_at, renewed_by_backend, made, .. } = known;
        if !session.transport_pings {
            client.heartbeat = Heartbeat::start(now.at, limits, self.chance.random());
        }
        let close_at = end_of(now, expire_at, limits.expired_close_delay);
        client.closes(close_at);
        let pings = client.heartbeat != Heartbeat::Off;
        if let Some(at) = expire_at.filter(|_| renewed_by_backend) {
            client.extra.get_or_insert_default().renew_at = Some(now.instant_of(at));
        }
        let ttl = expire_at.filter(|_| !renewed_by_backend).map(|at| time_to_live(now, at));
        if let Some(reach) = &reach {
            client.extra.get_or_insert_default().session = reach.session.as_str().into();
        }
        let (session_secret, node) = reach.map(|reach| (reach.session, reach.node)).unwrap_or_default();
        let result = ConnectResult {
            client: client.id.to_string(),
            version: self.config.version.clone(),
            expires: ttl.is_some(),
            ttl: ttl.unwrap_or_default(),
            data,
            subs: made,
            ping: if pings { whole_seconds(limits.ping_interval) } else { 0 },
            pong: pings && !unidirectional && !limits.pong_timeout.is_zero(),
            session: session_secret,
            node,
            sw_ext: if client.extended { vec![extension::IDEMPOTENT_PUBLISH.to_owned()] } else { Vec::new() },
            ..ConnectResult::default()
        };
        self.replace_older(now, &mut client);
        let Some(session) = self.sessions.get_mut(id) else { return };
        let reported = self.reports.connections.then(|| client.clone());
        session.life = Life::Connected(client);
        self.clients += 1;
        self.connections_expire.moves(None, close_at);
        if let Some(client) = reported {
            self.report(&client, What::Connected);
        }
        self.rearm(id);
        match unidirectional {
            true => self.push(id, &Channel::new(""), PushEvent::Connect(result.into())),
            false => self.reply(id, command, Outcome::Connect(result)),
        }
        self.go_live_server_side(now, id);
    }

    fn go_live_server_side(&mut self, now: Now, id: SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        let made: Vec<_> =
            session.subscriptions.iter().map(|subscription| subscription.id.audience).collect();
        for audience in made {
            self.go_live(now, id, audience);
        }
    }

    /// Whether a payload can be said in the client's encoding.
    fn can_say(&self, id: SessionId, payload: &Bytes) -> bool {
        self.sessions.lane(id.index).encoding == Encoding::Protobuf || is_json_or_nothing(payload)
    }

    pub(super) fn connecting_mut(&mut self, id: SessionId) -> Option<&mut Connecting> {
        match &mut self.sessions.get_mut(id)?.life {
            Life::Connecting(connecting) => Some(connecting),
            _ => None,
        }
    }
}

/// What a unidirectional client asks for in its connect request: of each channel, what a subscribe command would say, but
/// for deltas.
fn asked_for((channel, request): (&String, &SubscribeRequest)) -> SubscribeRequest {
    SubscribeRequest { channel: channel.clone(), delta: String::new(), ..request.clone() }
}

/// The channels in which somebody wants to recover.
fn recovering(wanted: &BTreeMap<String, Wanted>) -> impl Iterator<Item = &String> {
    wanted.iter().filter(|(_, wanted)| wanted.since.is_some()).map(|(channel, _)| channel)
}

/// What a client is told by the end of its session that gets no replies.
fn disconnect_for(error: u32) -> DisconnectCode {
    match ErrorCode::try_from(error) {
        Ok(ErrorCode::TokenExpired | ErrorCode::Expired) => DisconnectCode::ConnectionExpired,
        Ok(ErrorCode::TooManyRequests) => DisconnectCode::TooManyRequests,
        Ok(ErrorCode::PermissionDenied) => DisconnectCode::PermissionDenied,
        _ => DisconnectCode::InternalServerError,
    }
}

/// Seconds until something expires, at least one: zero would say that it never does.
pub(super) fn time_to_live(now: Now, expire_at: u64) -> u32 {
    u32::try_from(expire_at.saturating_sub(now.unix_seconds())).unwrap_or(u32::MAX).max(1)
}

/// When something is ended that may outlive its expiry by `delay`.
pub(super) fn end_of(now: Now, expire_at: Option<u64>, delay: Duration) -> Option<Instant> {
    expire_at.map(|at| now.instant_of(at) + delay)
}

/// The ping interval as the protocol tells it, in whole seconds, at least one.
fn whole_seconds(interval: Duration) -> u32 {
    u32::try_from(interval.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}
