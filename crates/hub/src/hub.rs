//! The hub of one shard: its sessions, the channels they are in, and the way of a publication to all of them.
//!
//! This file holds the tables, the one entrance and the one exit. What happens in between is told by subject:
//! `commands` (which command goes where, and which must wait), `connecting`, `subscribing` (may it?), `positioning` (where
//! does the stream stand, and what was missed?), `going_live`, `leaving`, `requests` (publish, history, presence),
//! `deciding` (what the backend is asked), `refreshing`, `renewing`, `expiring`, `revoking`, `regulating`, `fanout`,
//! `delivering`, `lagging`, `timing`, `orders`. `asking` and `speaking` are how any of them turns to the world and to a client.

mod asking;
mod census;
mod commands;
mod connecting;
mod deciding;
mod delivering;
mod expiring;
mod fanout;
mod going_live;
mod lagging;
mod leaving;
pub(crate) mod limiting;
mod orders;
mod patching;
mod positioning;
mod refreshing;
mod regulating;
mod renewing;
mod requests;
mod revoking;
mod speaking;
mod subscribing;
mod timing;

use std::collections::VecDeque;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng};
use spanwire_wire::{DisconnectCode, DisconnectReason};

use self::asking::{Asker, Purpose};
pub use self::census::Census;
use crate::asks::Asks;
use crate::audiences::Audiences;
use crate::delta::DeltaBytes;
use crate::expiries::Expiries;
use crate::happening::{Happening, Reports, What};
use crate::limits::Limits;
use crate::namespace::Namespaces;
use crate::outbox::Outbox;
use crate::revocation::Revoked;
use crate::session::{Client, Life, Session, Subscriptions};
use crate::sessions::Sessions;
use crate::skipped::Skipped;
use crate::time::{Instant, Now};
use crate::wheel::Wheel;
use crate::{Input, Opening, Output, SessionId, Upstream};

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
    connections_expire: Expiries,
    subscriptions_expire: Expiries,
    /// Numbers the subscriptions that are begun.
    subscribed: u32,
    /// Numbers the subscriptions that begin to lag.
    lags_begun: u64,
    /// About how many bytes are held for what is parked, of all channels.
    parked_bytes: usize,
    /// What revocations have ended, since somebody asked.
    revoked: Revoked,
    /// What those were told who take deltas, since somebody asked.
    delta_bytes: DeltaBytes,
    /// What was left out for those who lag, since somebody asked.
    skipped: Skipped,
    draining: bool,
    reports: Reports,
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
            connections_expire: Expiries::default(),
            subscriptions_expire: Expiries::default(),
            subscribed: 0,
            lags_begun: 0,
            parked_bytes: 0,
            revoked: Revoked::default(),
            delta_bytes: DeltaBytes::default(),
            skipped: Skipped::default(),
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
            Input::Drained(id) => self.catch_up_lagging(id),
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
        if matches!(session.life, Life::Closed) {
            // What was handed out in one of its channels was more than its outbox takes, and has ended it.
            return false;
        }
        if let Life::Connected(client) = std::mem::replace(&mut session.life, Life::Closed) {
            self.clients -= 1;
            self.connections_expire.moves(client.close_at(), None);
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

    /// Sends everybody away. Each who understands it is told another moment to come back at: whoever takes them in is not
    /// to have all of them at once.
    fn drain(&mut self) {
        self.draining = true;
        let returns_ms = match self.config.limits.drain_returns_per_second {
            0 => 0,
            rate => self.clients as u64 * 1000 / u64::from(rate),
        };
        for id in self.sessions.ids() {
            let client = self.sessions.get(id).and_then(|session| session.client());
            let reason = match client.is_some_and(|client| client.extended) {
                true => DisconnectReason::shutdown(Duration::from_millis(
                    self.chance.random_range(0..=returns_ms),
                )),
                false => DisconnectCode::Shutdown.into(),
            };
            self.close(id, reason);
        }
    }
}
