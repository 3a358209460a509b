//! The client: what must outlive its connections, the one entrance and the one exit.
//!
//! What happens in between is told by subject: `connecting` (one connection after another), `climbing` (to a
//! better transport), `waking` (after a sleep), `subscribing` (channels, and recovery), `renewing` (their tokens),
//! `presence` (who is there), `calling` (what is asked and may be asked again), `hearing` (what the server says), `timing`.

mod calling;
mod climbing;
mod connecting;
mod hearing;
mod presence;
mod renewing;
mod subscribing;
mod timing;
mod waking;

use std::collections::{BTreeMap, VecDeque};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use spanwire_wire::{Batch, Command, Request, encode_command, encode_ping};

use self::climbing::Scout;
use crate::backoff::Backoff;
use crate::calls::{CallId, Calls};
use crate::ladder::Ladder;
use crate::link::Link;
use crate::subscription::Subscription;
use crate::time::Instant;
use crate::{Config, ConnectionId, Event, Input, Output, TokenFor};

/// One client, through all its connections: a value that takes one step at a time.
///
/// Three kinds of method carry everything: [`handle`](Self::handle) puts in what happened;
/// [`poll_output`](Self::poll_output) takes out what is to be done, and is to be drained after each step;
/// [`next_deadline`](Self::next_deadline) says when to come back without cause. The same inputs and the same seed give
/// the same outputs.
#[derive(Debug)]
pub struct Client {
    config: Config,
    chance: StdRng,
    /// What makes this client's idempotency keys different from everybody else's.
    key_prefix: String,
    link: Link,
    ladder: Ladder,
    scout: Option<Scout>,
    backoff: Backoff,
    /// The connection token, if a provider gave one that is not known to be stale.
    token: Option<String>,
    subscriptions: BTreeMap<String, Subscription>,
    /// Subscriptions that the server made for us.
    server_side: BTreeMap<String, Subscription>,
    calls: Calls,
    /// What the commands of this connection were for that are not answered yet.
    pending: BTreeMap<u32, Pending>,
    last_command: u32,
    last_connection: u64,
    /// Commands of this step.
    batch: Batch,
    outputs: VecDeque<Output>,
}

/// How much a client keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Channels subscribed to, or about to be, those by the server included.
    pub subscriptions: usize,
    /// Calls and publishes that are not answered.
    pub calls: usize,
    /// Bytes of their names and payloads.
    pub call_bytes: usize,
    /// Commands of this connection that are not answered.
    pub pending: usize,
}

/// What a command was for.
#[derive(Clone, Debug)]
enum Pending {
    Connect,
    Refresh,
    Subscribe(String),
    Unsubscribe(String),
    SubRefresh(String),
    Members(String),
    Call(CallId),
    Probe,
}

impl Client {
    /// A client that is not connected and does not want to be. All its chance (waits, keys) comes from `seed`, which no
    /// other client may share: its idempotency keys would be taken for the other's.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let mut chance = StdRng::from_seed(seed);
        Self {
            key_prefix: format!("{:032x}", chance.random::<u128>()),
            batch: Batch::new(config.encoding),
            ladder: Ladder::new(config.transports.clone()),
            scout: None,
            config,
            chance,
            link: Link::Idle,
            backoff: Backoff::default(),
            token: None,
            subscriptions: BTreeMap::new(),
            server_side: BTreeMap::new(),
            calls: Calls::default(),
            pending: BTreeMap::new(),
            last_command: 0,
            last_connection: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Takes one step. Inputs about connections that are over are ignored.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Connect => self.connect(now),
            Input::Disconnect => self.disconnect(),
            Input::Wake => self.wake(now),
            Input::Subscribe { channel, options } => self.subscribe(now, channel, options),
            Input::Unsubscribe { channel } => self.unsubscribe(&channel),
            Input::Call(key, call) => self.call(now, key, call),
            Input::Token(TokenFor::Connection, token) => self.connection_token(now, token),
            Input::Token(TokenFor::Channel(channel), token) => self.channel_token(now, &channel, token),
            Input::Opened(connection) if self.is_scout(connection) => self.scout_arrived(now),
            Input::Opened(connection) => self.opened(now, connection),
            Input::Frame(connection, frame) => self.frame(now, connection, frame),
            Input::Lost { connection, code, reason } if self.is_current(connection) => {
                self.lost(now, code, reason);
            }
            Input::Lost { connection, .. } if self.is_scout(connection) => self.scout_lost(now),
            Input::Busy { connection, code, reason, retry_after } if self.is_current(connection) => {
                self.turned_away(now, code, reason, retry_after);
            }
            Input::Busy { connection, .. } if self.is_scout(connection) => self.scout_lost(now),
            Input::Lost { .. } | Input::Busy { .. } => {}
            Input::Tick => self.tick(now),
        }
        self.flush();
    }

    /// The next thing that the client asks of the world.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Tick`] is due, if nothing else happens.
    pub fn next_deadline(&self) -> Option<Instant> {
        let of_subscriptions = self.subscriptions.values().filter_map(Subscription::due).min();
        let of_link = [self.link.times_out_at(), self.link.due(), self.climbing_due()];
        of_link.into_iter().chain([of_subscriptions, self.calls.next_due()]).flatten().min()
    }

    /// Whether the server has let us in, on a connection that still seems to live.
    pub fn is_connected(&self) -> bool {
        matches!(self.link, Link::Live(_))
    }

    /// How much there is. Once everything is answered and unsubscribed, all of it is zero.
    pub fn load(&self) -> Load {
        Load {
            subscriptions: self.subscriptions.len() + self.server_side.len(),
            calls: self.calls.len(),
            call_bytes: self.calls.bytes(),
            pending: self.pending.len(),
        }
    }

    fn is_current(&self, connection: ConnectionId) -> bool {
        self.link.connection() == Some(connection)
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Sends a command of this connection; the result is its id.
    fn command(&mut self, request: Request, purpose: Pending) -> u32 {
        // Ids begin anew on each connection, and 0 is for what has no answer.
        self.last_command = self.last_command.wrapping_add(1).max(1);
        self.pending.insert(self.last_command, purpose);
        let command = Command { id: self.last_command, request };
        self.send(&encode_command(self.config.encoding, &command));
        self.last_command
    }

    fn pong(&mut self) {
        self.send(&encode_ping(self.config.encoding));
    }

    fn send(&mut self, message: &[u8]) {
        let separator = self.config.encoding.separator().len();
        if self.batch.len() + separator + message.len() > self.config.limits.frame_bytes_max {
            self.flush();
        }
        self.batch.add(message);
    }

    /// What was said in this step goes out.
    fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let frame = self.batch.take();
        if let Some(connection) = self.link.connection() {
            self.outputs.push_back(Output::Send(connection, frame));
        }
    }
}
