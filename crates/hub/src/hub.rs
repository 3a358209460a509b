//! The hub of one shard: its sessions, the channels they are in, and the way of a publication to all of them.
//!
//! This file holds the tables, the one entrance and the one exit. What happens in between is told by subject:
//! `commands` (which command goes where, and which must wait), `connecting`, `subscribing` (recovery lives there),
//! `leaving`, `requests` (publish, history, presence), `deciding` (what the backend is asked), `refreshing`, `renewing`,
//! `expiring`, `revoking`, `regulating`, `fanout`, `delivering`, `timing`, `orders`.

mod commands;
mod connecting;
mod deciding;
mod delivering;
mod expiring;
mod fanout;
mod leaving;
pub(crate) mod limiting;
mod orders;
mod refreshing;
mod regulating;
mod renewing;
mod requests;
mod revoking;
mod subscribing;
mod timing;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use rand::SeedableRng;
use rand::rngs::StdRng;
use spanwire_wire::message::PublishRequest;
use spanwire_wire::{
    DisconnectCode, DisconnectReason, ErrorCode, Outcome, Push, PushEvent, Reply, encode_push, encode_reply,
};

use crate::asks::Asks;
use crate::audience::Audiences;
use crate::broker::BrokerRequest;
use crate::channel::Channel;
use crate::happening::{Happening, Reports, What};
use crate::limits::Limits;
use crate::namespace::Namespaces;
use crate::outbox::Outbox;
use crate::presence::PresenceRequest;
use crate::revocation::Revoked;
use crate::session::{Client, Life, Session, SubscriptionId, Subscriptions};
use crate::sessions::Sessions;
use crate::time::{Instant, Now};
use crate::wheel::Wheel;
use crate::{Answer, AskId, Deed, Input, Opening, Output, Question, Refusal, SessionId, Upstream};

/// What a hub is told once.
#[derive(Clone, Debug)]
pub struct Config {
    /// What anything may cost.
    pub limits: Limits,
    /// What clients may do where.
    pub namespaces: Namespaces,
    /// The version text of the connect reply.
    pub version: String,
}

/// How much there is in a hub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Open sessions, connected or not.
    pub sessions: usize,
    /// Sessions that have connected.
    pub clients: usize,
    /// Subscriptions of all sessions, those on their way included.
    pub subscriptions: usize,
    /// Channels with at least one subscription here.
    pub channels: usize,
    /// Questions that are not answered yet.
    pub asks: usize,
}

/// The sessions of one shard and the channels they are in: a value that takes one step at a time.
///
/// Four kinds of method carry everything: [`open`](Self::open) and [`handle`](Self::handle) put in what happened;
/// [`poll_output`](Self::poll_output) takes out what the hub asks of the world; [`poll_dirty`](Self::poll_dirty) and
/// [`outbox_mut`](Self::outbox_mut) take out what clients are to be sent; [`next_deadline`](Self::next_deadline) says
/// when to come back without cause. After each turn drain `poll_output`, then `poll_dirty`.
#[derive(Debug)]
pub struct Hub {
    config: Config,
    chance: StdRng,
    sessions: Sessions,
    audiences: Audiences,
    asks: Asks<Asker>,
    wheel: Wheel,
    outputs: VecDeque<Output>,
    /// Audiences with publications that are not handed out yet.
    stirred: Vec<crate::audience::AudienceId>,
    clients: usize,
    subscriptions: usize,
    /// Numbers the subscriptions that are begun.
    subscribed: u32,
    /// What revocations have ended, since somebody asked.
    revoked: Revoked,
    draining: bool,
    reports: Reports,
}

/// Who waits for an answer, and what for.
#[derive(Debug)]
struct Asker {
    session: SessionId,
    purpose: Purpose,
}

/// What an answer is for.
#[derive(Debug)]
enum Purpose {
    /// The connect command that is being answered.
    Connect,
    /// The refresh command of this id.
    Refresh { command: u32 },
    /// The token of a subscribe command.
    VerifySubscription(SubscriptionId),
    /// The token of the sub_refresh command of this id.
    SubRefresh { command: u32, subscription: SubscriptionId },
    /// The broker's word on a subscribe.
    Subscribe(SubscriptionId),
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
            | Self::Subscribe(subscription)
            | Self::Appear(subscription) => Some(*subscription),
            _ => None,
        }
    }
}

impl Hub {
    /// A hub without sessions. All its chance (client ids, the spread of heartbeats) comes from `seed`.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        Self {
            config,
            chance: StdRng::from_seed(seed),
            sessions: Sessions::default(),
            audiences: Audiences::default(),
            asks: Asks::new(),
            wheel: Wheel::new(),
            outputs: VecDeque::new(),
            stirred: Vec::new(),
            clients: 0,
            subscriptions: 0,
            subscribed: 0,
            revoked: Revoked::default(),
            draining: false,
            reports: Reports::default(),
        }
    }

    /// The hub tells this of the lives of its clients from now on.
    pub fn reporting(self, reports: Reports) -> Self {
        Self { reports, ..self }
    }

    /// A connection is there. Until it is [`Input::Gone`] the id names its session, also after it was closed.
    pub fn open(&mut self, now: Now, opening: Opening) -> SessionId {
        let Opening { encoding, transport_pings, mut upstream } = opening;
        let unidirectional = matches!(upstream, Upstream::Nothing(_));
        let greeting = match &mut upstream {
            Upstream::Nothing(greeting) => greeting.take(),
            Upstream::Connection | Upstream::Requests(_) => None,
        };
        let session = Session {
            encoding,
            transport_pings,
            unidirectional,
            life: Life::Fresh { stale_at: now.at + self.config.limits.stale_close_delay, upstream },
            subscriptions: Subscriptions::default(),
            backlog: None,
            awaits_approval: false,
            asks: 0,
            spent: None,
        };
        let id = self.sessions.insert(session);
        self.rearm(id);
        if self.draining {
            self.close(id, DisconnectCode::Shutdown.into());
        } else if let Some(greeting) = greeting {
            self.greet(id, &greeting);
        }
        id
    }

    /// Takes one step. Inputs for a session that is closed or gone are ignored.
    pub fn handle(&mut self, now: Now, input: Input<'_>) {
        match input {
            Input::Frame(id, frame) => self.frame(now, id, frame),
            Input::Gone(id) => self.gone(id),
            Input::Close(id, reason) => self.close(id, reason),
            Input::Answer(ask, answer) => self.answer(now, ask, answer),
            Input::Publication(channel, delivery) => self.publication(&channel, delivery),
            Input::Join(channel, info) => self.tell_members(&channel, &info, fanout::Event::Join),
            Input::Leave(channel, info) => self.tell_members(&channel, &info, fanout::Event::Leave),
            Input::Order(order) => self.order(now, order),
            Input::Namespaces(namespaces) => self.regulate(namespaces),
            Input::Tick => self.tick(now),
            Input::Drain => self.drain(),
        }
    }

    /// The next thing that the hub asks of the world. When there is nothing more, publications that have come since
    /// are handed out to the outboxes.
    pub fn poll_output(&mut self) -> Option<Output> {
        if self.outputs.is_empty() {
            self.hand_out_all();
        }
        self.outputs.pop_front()
    }

    /// When [`Input::Tick`] is due, if nothing else happens.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.wheel.next_due()
    }

    /// Whether frames of this client would have to wait: the transport had better leave them in the socket until
    /// [`Output::Resume`].
    pub fn is_busy(&self, id: SessionId) -> bool {
        self.sessions.get(id).is_some_and(|session| session.backlog.is_some())
    }

    /// Whether a client only hears, and that as bare pushes.
    pub fn is_unidirectional(&self, id: SessionId) -> bool {
        self.sessions.get(id).is_some_and(|session| session.unidirectional)
    }

    /// The next session whose outbox got something since it was last polled here.
    pub fn poll_dirty(&mut self) -> Option<SessionId> {
        self.sessions.poll_dirty()
    }

    /// What a client has not been sent yet; `None` once the session is gone.
    pub fn outbox_mut(&mut self, id: SessionId) -> Option<&mut Outbox> {
        self.sessions.outbox_mut(id)
    }

    /// How much there is. Once everybody is gone and everything answered, all of it is zero.
    pub fn census(&self) -> Census {
        Census {
            sessions: self.sessions.len(),
            clients: self.clients,
            subscriptions: self.subscriptions,
            channels: self.audiences.len(),
            asks: self.asks.len(),
        }
    }

    /// The user of each connected client; a user with several clients comes several times, anonymous ones as the empty
    /// user.
    pub fn users(&self) -> impl Iterator<Item = &Arc<str>> {
        let lives = self.sessions.iter().map(|(_, session)| &session.life);
        lives.filter_map(|life| match life {
            Life::Connected(client) => Some(&client.user),
            _ => None,
        })
    }

    /// Channels with subscribers here, and how many.
    pub fn channels(&self) -> impl Iterator<Item = (&str, usize)> {
        self.audiences.iter().map(|audience| (audience.channel.as_str(), audience.len()))
    }

    /// Every answer comes in here and goes to whoever asked, if that session is still there.
    fn answer(&mut self, now: Now, ask: AskId, answer: Answer) {
        let Some(Asker { session: id, purpose }) = self.asks.take(ask) else { return };
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.asks -= 1;
        if matches!(session.life, Life::Closed) {
            return;
        }
        match purpose.subscription().filter(|subscription| !session.subscriptions.has(*subscription)) {
            None => self.answered(now, id, purpose, answer),
            Some(_) => self.answered_too_late(id, &purpose),
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
            (Purpose::Subscribe(subscription), Answer::Broker(answer)) => {
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
    fn answered_too_late(&mut self, id: SessionId, purpose: &Purpose) {
        if let Purpose::SubRefresh { command, .. } = purpose {
            self.refuse(id, *command, ErrorCode::PermissionDenied);
        }
    }

    /// Asks the world on behalf of a session.
    fn ask(&mut self, id: SessionId, purpose: Purpose, question: Question) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.asks += 1;
        let ask = self.asks.insert(Asker { session: id, purpose });
        self.outputs.push_back(Output::Ask(ask, question));
    }

    fn ask_broker(&mut self, id: SessionId, purpose: Purpose, channel: Channel, request: BrokerRequest) {
        self.ask(id, purpose, Question::Broker(channel, request));
    }

    fn ask_presence(&mut self, id: SessionId, purpose: Purpose, channel: Channel, request: PresenceRequest) {
        self.ask(id, purpose, Question::Presence(channel, request));
    }

    fn tell(&mut self, channel: &Channel, deed: Deed) {
        self.outputs.push_back(Output::Tell(channel.clone(), deed));
    }

    fn reply(&mut self, id: SessionId, command: u32, outcome: Outcome) {
        let encoding = self.sessions.lane(id.index).encoding;
        self.send(id, encode_reply(encoding, &Reply { id: command, outcome }));
    }

    fn refuse(&mut self, id: SessionId, command: u32, code: ErrorCode) {
        self.reply(id, command, Outcome::Error(code.into()));
    }

    /// Lets somebody know that it is not let in, by an error reply or by the end of the connection.
    fn deny(&mut self, id: SessionId, command: u32, refusal: Refusal) {
        let extended = self.sessions.get(id).and_then(Session::client).is_some_and(|client| client.extended);
        match refusal.into_error(extended) {
            Ok(error) => self.reply(id, command, Outcome::Error(error)),
            Err(reason) => self.close(id, reason),
        }
    }

    fn push(&mut self, id: SessionId, channel: &Channel, event: PushEvent) {
        let encoding = self.sessions.lane(id.index).encoding;
        self.send(id, encode_push(encoding, &Push::new(channel.as_str(), event)));
    }

    /// How many bytes the next message to a client may have.
    fn room(&self, id: SessionId) -> usize {
        self.sessions.room(id.index, self.config.limits.outbox_bytes_max)
    }

    /// Puts a message into a client's outbox; if it cannot take more, the client is let go.
    fn send(&mut self, id: SessionId, message: Bytes) {
        if self.sessions.send(id.index, message, self.config.limits.outbox_bytes_max).is_err() {
            self.close(id, DisconnectCode::Slow.into());
        }
    }

    /// The one way in which a life ends from our side: the session leaves everything, and the connection is told.
    fn close(&mut self, id: SessionId, reason: DisconnectReason) {
        if self.end(id, &reason) {
            self.outputs.push_back(Output::Close(id, reason));
        }
    }

    /// The connection is gone, whoever ended it.
    fn gone(&mut self, id: SessionId) {
        self.end(id, &DisconnectCode::ConnectionClosed.into());
        self.sessions.remove(id);
    }

    /// Leaves everything, once. Whether there was something to leave.
    fn end(&mut self, id: SessionId, reason: &DisconnectReason) -> bool {
        let Some(session) = self.sessions.get_mut(id) else { return false };
        if matches!(session.life, Life::Closed) {
            return false;
        }
        session.backlog = None;
        self.leave_all(id);
        let Some(session) = self.sessions.get_mut(id) else { return false };
        if let Life::Connected(client) = std::mem::replace(&mut session.life, Life::Closed) {
            self.clients -= 1;
            if self.reports.connections {
                self.report(&client, What::Disconnected(reason.clone()));
            }
        }
        self.sessions.shut(id);
        self.wheel.cancel(id.index);
        true
    }

    /// Tells what happened to a client.
    fn report(&mut self, client: &Client, what: What) {
        let Client { id, user, info, .. } = client;
        let happening = Happening { client: id.to_string(), user: user.clone(), info: info.clone(), what };
        self.outputs.push_back(Output::Happened(Box::new(happening)));
    }

    fn drain(&mut self) {
        self.draining = true;
        for id in self.sessions.ids() {
            self.close(id, DisconnectCode::Shutdown.into());
        }
    }
}
