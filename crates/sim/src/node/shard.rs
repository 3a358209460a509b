//! One shard: a real hub, and around it what the engine's shard does with sockets and mailboxes.

use std::collections::{BTreeMap, BTreeSet};

use spanwire_hub::broker::{BrokerAnswer, BrokerError, BrokerEvent, BrokerRequest, Listener, Ticket};
use spanwire_hub::channel::Channel;
use spanwire_hub::limits::Limits;
use spanwire_hub::presence::PresenceRequest;
use spanwire_hub::{
    Answer, AskId, Config, Credentials, Deed, Grant, Hub, Input, Opening, Output, Question, Refusal,
    SessionId,
};
use spanwire_wire::{DisconnectCode, DisconnectReason, Encoding, ErrorCode};
use spanwire_ws::{self as ws, CloseCode, CloseFrame, Event};

use super::Remains;
use super::inbox::{INBOX_BYTES_MAX, Inbox, Way};
use super::keeper::Keeper;
use super::letter::{CALLERS, Letter};
use super::peer::Peer;
use crate::bug::Bug;
use crate::channels::{SERVED, namespaces};
use crate::net::LinkId;
use crate::plot::Plot;
use crate::scene::Scene;

/// Most bytes that a client may leave unread: little, so that it happens.
pub(crate) const OUTBOX_BYTES_MAX: usize = 16 << 10;

/// How long we wait for the other side's part of an end, in milliseconds.
const CLOSE_PATIENCE: u64 = 5_000;

/// How much later an answer may be than a publication, if they travel apart, in milliseconds.
const APART_MAX: u64 = 300;

/// One thread's part of the node.
#[derive(Debug)]
pub(crate) struct Shard {
    index: usize,
    shards: usize,
    answers_apart: bool,
    pub(crate) hub: Hub,
    keeper: Keeper,
    inbox: Inbox,
    /// Letters are not read before this time.
    slow_until: u64,
    peers: BTreeMap<LinkId, Peer>,
    /// Which link is in which of the hub's places.
    places: BTreeMap<u32, LinkId>,
    /// Those to write to.
    unwritten: BTreeSet<LinkId>,
    /// Publishes that full mailboxes gave back.
    refused: Vec<Ticket>,
    posts: Vec<(usize, Letter)>,
    permits_back: usize,
}

impl Shard {
    pub(super) fn new(index: usize, plot: &Plot, seed: [u8; 32], keeper: Keeper) -> Self {
        let limits = Limits {
            outbox_bytes_max: OUTBOX_BYTES_MAX,
            asks_per_client_max: 6,
            joining_publications_max: if plot.narrow { 12 } else { 1024 },
            ..Limits::default()
        };
        let config = Config { limits, namespaces: namespaces(), version: "sim".to_owned() };
        Self {
            index,
            shards: plot.shards,
            answers_apart: plot.answers_apart,
            hub: Hub::new(config, seed),
            keeper,
            inbox: Inbox::default(),
            slow_until: 0,
            peers: BTreeMap::new(),
            places: BTreeMap::new(),
            unwritten: BTreeSet::new(),
            refused: Vec::new(),
            posts: Vec::new(),
            permits_back: 0,
        }
    }

    pub(super) fn open(&mut self, scene: &Scene, link: LinkId, encoding: Encoding) {
        let session = self.hub.open(scene.clocks(), Opening::new(encoding));
        self.places.insert(session.index, link);
        self.peers.insert(link, Peer::new(link, session, encoding));
    }

    /// Takes what is there, lets the hub decide, and writes what came of it. The result are letters to other shards.
    pub(super) fn turn(&mut self, scene: &mut Scene) -> Vec<(usize, Letter)> {
        self.read(scene);
        if self.hub.next_deadline().is_some_and(|at| at.as_millis() <= scene.now) {
            self.hub.handle(scene.clocks(), Input::Tick);
        }
        self.lose_patience(scene);
        self.carry_out(scene);
        self.flush(scene);
        std::mem::take(&mut self.posts)
    }

    /// When the shard has something to do next.
    pub(super) fn next_due(&self, scene: &Scene) -> Option<u64> {
        let arrivals = self
            .peers
            .values()
            .filter(|peer| !peer.paused)
            .filter_map(|peer| scene.net.links.get(&peer.link).and_then(|link| link.up.next_arrival()));
        let patience = self.peers.values().filter_map(|peer| peer.patience);
        let others = [self.inbox.next_due(), self.hub.next_deadline().map(|at| at.as_millis())];
        arrivals.chain(patience).chain(others.into_iter().flatten()).min()
    }

    /// Puts a letter in.
    ///
    /// # Errors
    /// The inbox is full, and the letter publishes.
    pub(super) fn receive(
        &mut self,
        scene: &mut Scene,
        from: Listener,
        letter: Letter,
    ) -> Result<(), Letter> {
        let delay = scene.chance.below(3);
        let received = self.put(scene, delay, from, false, letter);
        if self.inbox.dropped() > 0 {
            scene.ledger.count("letters dropped");
            scene.ledger.excuse_holes();
        }
        if self.inbox.bytes() > INBOX_BYTES_MAX * 40 {
            scene.ledger.blame(|| "a mailbox grows without bound".to_owned());
        }
        received
    }

    /// A letter came back from a full mailbox.
    pub(super) fn returned(&mut self, letter: Letter) {
        if let Letter::Request(request) = letter {
            self.refused.extend(Some(request.0).filter(|ticket| *ticket != Ticket::NOBODY));
        }
    }

    /// Letters for this shard, its own too, are late.
    pub(crate) fn slow_down(&mut self, until: u64) {
        self.slow_until = self.slow_until.max(until);
    }

    /// What this shard owns refuses everything: its broker, its presence, or both.
    pub(crate) fn go_out(&mut self, scene: &mut Scene, until: u64) {
        self.keeper.go_out(scene, until);
    }

    /// The broker of this shard loses its memory.
    pub(crate) fn forget(&mut self, scene: &Scene) {
        self.keeper.forget(scene);
    }

    pub(super) fn permits_back(&mut self) -> usize {
        std::mem::take(&mut self.permits_back)
    }

    /// The shard that owns a channel.
    pub(super) fn owner(&self, channel: &str) -> usize {
        let hash = channel.bytes().fold(0u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        (hash % self.shards as u64) as usize
    }

    fn read(&mut self, scene: &mut Scene) {
        let links: Vec<_> = self.peers.values().filter(|peer| !peer.paused).map(|peer| peer.link).collect();
        for link in links {
            let Some(pipe) = scene.net.links.get_mut(&link).map(|link| &mut link.up) else { continue };
            let was_full = !pipe.has_room();
            let (mut bytes, end) = pipe.read(scene.now);
            if was_full && let Some(person) = scene.net.links.get(&link).map(|link| link.person) {
                scene.wake_person(person, scene.now);
            }
            let closed = !bytes.is_empty() && self.digest(scene, link, &mut bytes);
            if end || closed {
                self.remove(scene, link);
            }
        }
    }

    /// Hands what arrived to the hub. Whether the other side has said its last word.
    fn digest(&mut self, scene: &mut Scene, link: LinkId, bytes: &mut [u8]) -> bool {
        let clocks = scene.clocks();
        let Some(peer) = self.peers.get_mut(&link) else { return false };
        let (mut input, limits) = (ws::Input::new(bytes), ws::Limits::default());
        let closed = loop {
            let payload = match peer.ws.next(&mut input, &limits) {
                Ok(Some(Event::Text(text))) => text.as_bytes(),
                Ok(Some(Event::Binary(bytes))) => bytes,
                Ok(Some(Event::Ping(_) | Event::Pong(_))) => continue,
                Ok(Some(Event::Close(_))) => break true,
                Ok(None) => break false,
                Err(sin) => {
                    scene.ledger.blame(|| format!("the client breaks RFC 6455: {sin}"));
                    break true;
                }
            };
            if peer.patience.is_none() {
                self.hub.handle(clocks, Input::Frame(peer.session, payload));
            }
        };
        peer.paused = self.hub.is_busy(peer.session);
        closed
    }

    fn lose_patience(&mut self, scene: &mut Scene) {
        let over = |peer: &&Peer| peer.patience.is_some_and(|until| until <= scene.now);
        let over: Vec<_> = self.peers.values().filter(over).map(|peer| peer.link).collect();
        for link in over {
            self.remove(scene, link);
        }
    }

    /// Carries out what the hub wants, and reads letters, until there is nothing to do in this turn.
    fn carry_out(&mut self, scene: &mut Scene) {
        loop {
            while let Some(output) = self.hub.poll_output() {
                self.carry_out_one(scene, output);
            }
            if let Some(ticket) = self.refused.pop() {
                let refusal = BrokerAnswer::Refused(BrokerError::Unavailable);
                self.hear(scene, Letter::event(BrokerEvent::Answer(ticket, refusal)));
                continue;
            }
            let Some((from, letter)) = self.inbox.take(scene.now) else { return };
            self.hear_from(scene, from, letter);
        }
    }

    fn carry_out_one(&mut self, scene: &mut Scene, output: Output) {
        match output {
            Output::Ask(ask, Question::Broker(channel, request)) => {
                self.submit(scene, Ticket(ask.0), channel, Deed::Broker(request));
            }
            Output::Ask(ask, Question::Presence(channel, request)) => {
                self.submit(scene, Ticket(ask.0), channel, Deed::Presence(request));
            }
            Output::Ask(ask, Question::Authenticate(question)) => {
                let credentials = credentials(scene, &question.token);
                self.answer(scene, ask, Answer::Credentials(credentials));
            }
            Output::Ask(ask, Question::Refresh { token, .. }) => {
                let credentials = credentials(scene, &token);
                self.answer(scene, ask, Answer::Credentials(credentials));
            }
            Output::Ask(ask, Question::VerifySubscription { .. }) => {
                let denied = Err(Refusal::Error(ErrorCode::PermissionDenied));
                self.answer(scene, ask, Answer::Grant(denied));
            }
            Output::Ask(ask, Question::Decide(_)) => {
                let denied = Err(Refusal::Error(ErrorCode::PermissionDenied));
                self.answer(scene, ask, Answer::Rpc(denied));
            }
            Output::Tell(channel, deed) => {
                if !loses(scene, &deed) {
                    self.submit(scene, Ticket::NOBODY, channel, deed);
                }
            }
            Output::Denied(_) | Output::Limited(_) | Output::Expired(_) | Output::Refreshed(..) => {}
            Output::Order(_) => unreachable!("no user has a personal channel"),
            Output::Close(id, reason) => self.let_go(scene, id, &reason),
            // Nobody has asked for any.
            Output::Happened(_) => {}
            Output::Resume(id) => {
                if scene.saboteur.strikes(Bug::LostResume) {
                    return;
                }
                if let Some(peer) = self.peer_of(id) {
                    peer.paused = false;
                }
            }
        }
    }

    /// Sends a question or a deed to the owner of the channel.
    fn submit(&mut self, scene: &mut Scene, ticket: Ticket, channel: Channel, deed: Deed) {
        let owner = self.owner(channel.as_str());
        let letter = Letter::Request(Box::new((ticket, channel, deed)));
        self.post(scene, owner, letter);
    }

    fn post(&mut self, scene: &mut Scene, to: usize, letter: Letter) {
        if to != self.index {
            return self.posts.push((to, letter));
        }
        if let Err(letter) = self.put(scene, 0, Listener(self.index as u16), true, letter) {
            self.returned(letter);
        }
    }

    fn put(
        &mut self,
        scene: &mut Scene,
        delay: u64,
        from: Listener,
        own: bool,
        letter: Letter,
    ) -> Result<(), Letter> {
        let way = if self.answers_apart { letter.way() } else { Way::Common };
        let extra = if way == Way::Common { 0 } else { scene.chance.below(APART_MAX) };
        let due = (scene.now + delay + extra).max(self.slow_until);
        self.inbox.put(due, (from, way), own, letter, &mut scene.saboteur)
    }

    fn hear_from(&mut self, scene: &mut Scene, from: Listener, letter: Letter) {
        let told = match letter {
            Letter::Request(request) => {
                let (ticket, channel, deed) = *request;
                self.keeper.submit(scene, from, ticket, &channel, deed)
            }
            Letter::Call(channel, id) => self.keeper.call(scene, channel, id),
            heard => return self.hear(scene, heard),
        };
        for (to, letter) in told {
            if to != CALLERS {
                self.post(scene, to.0.into(), letter);
            }
        }
    }

    /// Tells the hub what the owner of a channel says.
    fn hear(&mut self, scene: &mut Scene, letter: Letter) {
        let input = match letter {
            Letter::Event(event) => match *event {
                BrokerEvent::Answer(ticket, answer) => Input::Answer(AskId(ticket.0), Answer::Broker(answer)),
                BrokerEvent::Publication(channel, delivery) => Input::Publication(channel, delivery),
                BrokerEvent::Join(channel, info) => Input::Join(channel, info),
                BrokerEvent::Leave(channel, info) => Input::Leave(channel, info),
            },
            Letter::Presence(ticket, answer) => Input::Answer(AskId(ticket.0), Answer::Presence(answer)),
            Letter::Request(_) | Letter::Call(..) => return,
        };
        self.hub.handle(scene.clocks(), input);
    }

    fn answer(&mut self, scene: &Scene, ask: AskId, answer: Answer) {
        self.hub.handle(scene.clocks(), Input::Answer(ask, answer));
    }

    fn let_go(&mut self, scene: &mut Scene, id: SessionId, reason: &DisconnectReason) {
        if scene.saboteur.strikes(Bug::LostClose) {
            return;
        }
        let until = scene.now + CLOSE_PATIENCE;
        let slow = reason.code() == DisconnectCode::Slow.code();
        let code =
            u16::try_from(reason.code()).ok().and_then(CloseCode::new).unwrap_or(CloseCode::GOING_AWAY);
        let Some(link) = self.places.get(&id.index).copied() else { return };
        let Some(peer) = self.peers.get_mut(&link).filter(|peer| peer.session == id) else { return };
        scene.trace.say(scene.now, || format!("      shard {} lets link {link} go: {reason}", self.index));
        peer.say_farewell(&CloseFrame::new(code, reason.text()), until, self.hub.outbox_mut(id), slow);
        peer.paused = false;
        self.unwritten.insert(link);
    }

    fn peer_of(&mut self, id: SessionId) -> Option<&mut Peer> {
        let link = self.places.get(&id.index)?;
        self.peers.get_mut(link).filter(|peer| peer.session == id)
    }

    /// Writes to everybody who has something to hear, as far as the pipes go.
    fn flush(&mut self, scene: &mut Scene) {
        while let Some(id) = self.hub.poll_dirty() {
            if let Some(outbox) = self.hub.outbox_mut(id)
                && outbox.bytes() > OUTBOX_BYTES_MAX
                && outbox.len() > 1
            {
                scene.ledger.blame(|| "an outbox holds more than it may".to_owned());
            }
            if scene.saboteur.strikes(Bug::LostWakeUp) {
                continue;
            }
            if let Some(link) = self.peer_of(id).map(|peer| peer.link) {
                self.unwritten.insert(link);
            }
        }
        for id in std::mem::take(&mut self.unwritten) {
            let (Some(peer), Some(link)) = (self.peers.get_mut(&id), scene.net.links.get_mut(&id)) else {
                continue;
            };
            if !peer.write(scene.now, &mut link.down, self.hub.outbox_mut(peer.session)) {
                self.unwritten.insert(id);
            }
            if let Some(at) = link.down.next_arrival() {
                let person = link.person;
                scene.wake_person(person, at);
            }
        }
    }

    /// The connection is over.
    fn remove(&mut self, scene: &mut Scene, link: LinkId) {
        let Some(peer) = self.peers.remove(&link) else { return };
        self.unwritten.remove(&link);
        self.places.remove(&peer.session.index);
        self.permits_back += if scene.saboteur.strikes(Bug::DoublePermit) { 2 } else { 1 };
        scene.shard_leaves(link);
        if !scene.saboteur.strikes(Bug::LostGone) {
            self.hub.handle(scene.clocks(), Input::Gone(peer.session));
        }
    }

    /// The shard ends without a word: the system resets its connections.
    pub(super) fn crash(&mut self, scene: &mut Scene) {
        for link in std::mem::take(&mut self.peers).into_keys() {
            if let Some(link) = scene.net.links.get_mut(&link) {
                link.down.cut(scene.now);
            }
            scene.shard_leaves(link);
        }
    }

    pub(super) fn present(&mut self, scene: &Scene, channel: &str) -> BTreeSet<String> {
        self.keeper.present(scene, channel)
    }

    pub(super) fn add_remains(&mut self, scene: &Scene, remains: &mut Remains) {
        self.keeper.expire(scene);
        let (census, usage) = (self.hub.census(), self.keeper.usage());
        remains.census.sessions += census.sessions;
        remains.census.clients += census.clients;
        remains.census.subscriptions += census.subscriptions;
        remains.census.channels += census.channels;
        remains.census.asks += census.asks;
        remains.connections += self.peers.len();
        remains.letters += self.inbox.len();
        remains.channels_kept += usage.channels;
        remains.bytes_kept += usage.history_bytes + usage.idempotency_bytes;
        remains.channels_attended += self.keeper.channels_attended();
    }
}

/// Whether a deed that nobody waits for is lost on its way.
fn loses(scene: &mut Scene, deed: &Deed) -> bool {
    let bug = match deed {
        Deed::Broker(BrokerRequest::Unsubscribe) => Bug::LostUnsubscribe,
        Deed::Broker(BrokerRequest::Leave(_)) => Bug::ForgottenLeave,
        Deed::Presence(PresenceRequest::Remove(_)) => Bug::ForgottenPresence,
        _ => return false,
    };
    scene.saboteur.strikes(bug)
}

/// What the tokens of these runs say.
fn credentials(scene: &Scene, token: &str) -> Result<Credentials, Refusal> {
    let mut parts = token.split('|');
    let (user, served) = (parts.next().unwrap_or_default(), parts.next() == Some("served"));
    let expire_at: Option<u64> = parts.next().and_then(|expiry| expiry.parse().ok());
    if expire_at.is_some_and(|at| at <= scene.unix_ms() / 1000) {
        return Err(Refusal::Error(ErrorCode::TokenExpired));
    }
    let channels = served.then(|| (Channel::new(SERVED), Grant::default()));
    Ok(Credentials {
        user: user.to_owned(),
        expire_at,
        channels: channels.into_iter().collect(),
        ..Credentials::default()
    })
}
