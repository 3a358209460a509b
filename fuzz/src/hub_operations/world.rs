//! A hub with a broker and presence in memory, clients who hold a model of what they should hear, and a clock.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use spanwire_hub::backend::Matter;
use spanwire_hub::broker::{
    Broker, BrokerEvent, BrokerRequest, Draft, HistoryOptions, Listener, MemoryBroker, MemoryLimits, Ticket,
};
use spanwire_hub::channel::Channel;
use spanwire_hub::happening::{Happening, Reports};
use spanwire_hub::limits::Limits;
use spanwire_hub::namespace::{DeliveryProfile, Namespace, Namespaces, Permission};
use spanwire_hub::presence::{MemoryPresence, Presence};
use spanwire_hub::time::{Instant, Now};
use spanwire_hub::{
    Answer, AskId, Census, Config, Credentials, Deed, Grant, Hub, Input, Opening, Order, Output, Question,
    SessionId, Whom,
};
use spanwire_wire::message::{
    ConnectRequest, FilterNode, HistoryRequest, PresenceRequest, Publication, PublishRequest,
    SubscribeRequest, UnsubscribeRequest,
};
use spanwire_wire::{
    Command, DisconnectCode, Encoding, Request, ServerMessage, UnsubscribeCode, encode_command,
    server_messages,
};

use super::model::{Client, Count, Published};

const HERE: Listener = Listener(0);
const ELSEWHERE: Listener = Listener(1);
const ALL: Permission = Permission { client: true, subscriber: true, anonymous: true };
const CHANNELS: [&str; 5] = ["open:a", "kept:a", "chat:a", "ticks:a", "score:a"];
const USERS: [&str; 3] = ["ann", "bob", ""];
/// Most sessions at a time.
const SESSIONS_MAX: usize = 6;
/// Small, so that a client that does not read is let go before a sequence ends.
const OUTBOX_BYTES_MAX: usize = 64 << 10;
/// Far more than one step has a reason for.
const OUTPUTS_PER_STEP_MAX: usize = 2_000;

pub(crate) struct World {
    hub: Hub,
    broker: MemoryBroker,
    presence: MemoryPresence,
    now: Now,
    clients: Vec<(SessionId, Encoding, Client)>,
    published: Published,
    /// Answers that have not arrived yet.
    answers: VecDeque<(AskId, Answer)>,
    holding: bool,
    outputs: usize,
    /// What was reported, until somebody asks.
    happened: Vec<Happening>,
}

/// What is published: a number, and enough around it to make a slow client slow.
fn payload(number: u64, padding: usize) -> Bytes {
    format!("[{number},\"{}\"]", "x".repeat(padding * 100)).into()
}

/// What is published past the history is counted by itself.
fn payload_past(number: u64) -> Bytes {
    format!("{{\"past\":{number}}}").into()
}

/// Every second publication passes it.
fn even() -> FilterNode {
    let [key, cmp, val] = ["number", "eq", "even"].map(str::to_owned);
    FilterNode { key, cmp, val, ..FilterNode::default() }
}

fn namespaces() -> Namespaces {
    let history =
        HistoryOptions { size: 5, ttl: Duration::from_secs(36_000), meta_ttl: Duration::from_secs(360_000) };
    let open = Namespace { subscribe: ALL, publish: ALL, allow_tags_filter: true, ..Namespace::default() };
    let kept = Namespace { history: Some(history), force_recovery: true, read_history: ALL, ..open.clone() };
    let chat = Namespace {
        presence: true,
        join_leave: true,
        force_push_join_leave: true,
        see_presence: ALL,
        ..kept.clone()
    };
    let delivery = DeliveryProfile::Conflate { by: Some("number".into()) };
    let ticks = Namespace { delivery, ..kept.clone() };
    let score =
        Namespace { allow_delta: true, delta_publish: true, allow_tags_filter: false, ..kept.clone() };
    let named = [("open", open), ("kept", kept), ("chat", chat), ("ticks", ticks), ("score", score)];
    let named = named.into_iter().map(|(name, namespace)| (name.to_owned(), Arc::new(namespace)));
    Namespaces { without_namespace: Arc::default(), named: HashMap::from_iter(named), personal: None }
}

impl World {
    pub(super) fn new() -> Self {
        Self::with([7; 32], Reports::default())
    }

    /// A hub with this seed that reports everything.
    pub(crate) fn reporting(seed: [u8; 32]) -> Self {
        Self::with(seed, Reports { connections: true, subscriptions: true })
    }

    fn with(seed: [u8; 32], reports: Reports) -> Self {
        let limits = Limits { outbox_bytes_max: OUTBOX_BYTES_MAX, ..Limits::default() };
        let config = Config { limits, namespaces: namespaces(), version: "model".to_owned() };
        Self {
            hub: Hub::new(config, seed).reporting(reports),
            broker: MemoryBroker::new(MemoryLimits::default(), [9; 32]),
            presence: MemoryPresence::new(),
            now: Now { at: Instant::from_millis(5_000), unix_ms: 1_800_000_000_000 },
            clients: Vec::new(),
            published: CHANNELS.iter().map(|channel| ((*channel).to_owned(), Count::default())).collect(),
            answers: VecDeque::new(),
            holding: false,
            outputs: 0,
            happened: Vec::new(),
        }
    }

    /// What was reported since this was called last.
    pub(crate) fn take_happened(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happened)
    }

    /// A client comes and says who it is.
    pub(super) fn open(&mut self, about: u8) {
        if self.clients.len() >= SESSIONS_MAX {
            return;
        }
        let encoding = Encoding::ALL[usize::from(about >> 7)];
        let id =
            self.hub.open(self.now, Opening { transport_pings: about & 64 != 0, ..Opening::new(encoding) });
        self.clients.push((id, encoding, Client::new(encoding)));
        let token = USERS[usize::from(about) % USERS.len()].to_owned();
        let extended = (about & 32 != 0).then(|| ("spanwire".to_owned(), "1".to_owned()));
        let headers = extended.into_iter().collect();
        let connect = Request::Connect(ConnectRequest { token, headers, ..ConnectRequest::default() });
        self.ask(self.clients.len() - 1, connect);
    }

    pub(super) fn subscribe(&mut self, about: u8, channel: u8, recover: bool, filters: bool) {
        let Some(place) = self.chosen(about) else { return };
        let channel = channel_of(channel).to_owned();
        let since = self.clients[place].2.position(&channel).filter(|_| recover);
        let recover = since.is_some();
        let (offset, epoch) = since.unwrap_or_default();
        // A filter and deltas are not had together.
        let takes_deltas = channel.starts_with("score");
        let tf = (filters && !takes_deltas).then(even);
        let delta = if takes_deltas { SubscribeRequest::DELTA_FOSSIL.to_owned() } else { String::new() };
        let request =
            SubscribeRequest { channel, recover, offset, epoch, tf, delta, ..SubscribeRequest::default() };
        self.ask(place, Request::Subscribe(request));
    }

    pub(super) fn unsubscribe(&mut self, about: u8, channel: u8) {
        let Some(place) = self.chosen(about) else { return };
        let channel = channel_of(channel).to_owned();
        self.ask(place, Request::Unsubscribe(UnsubscribeRequest { channel }));
    }

    pub(super) fn publish_as_client(&mut self, about: u8, channel: u8) {
        let Some(place) = self.chosen(about) else { return };
        let channel = channel_of(channel).to_owned();
        let data = Bytes::from_static(b"0");
        self.ask(place, Request::Publish(PublishRequest { channel, data, ..PublishRequest::default() }));
    }

    /// The backend publishes. Where a subscriber without a position might wait, payloads are small.
    pub(super) fn publish(&mut self, channel: u8, padding: usize, past: bool) {
        let (name, namespaces) = (channel_of(channel), namespaces());
        let namespace = namespaces.of(name).expect("each of the channels has a namespace");
        let history = namespace.history.filter(|_| !past);
        let delta = namespace.tells_by_patch(false);
        let publication =
            Publication { data: Bytes::from(vec![b'x'; padding * 100]), ..Publication::default() };
        let draft = Draft { publication, history, idempotency_key: None, rate: Default::default(), delta };
        self.submit(ELSEWHERE, Ticket::NOBODY, &Channel::new(name), BrokerRequest::Publish(draft));
        self.settle();
    }

    /// From now on answers wait.
    pub(super) fn hold(&mut self) {
        self.holding = true;
    }

    /// So many answers arrive; after the last one, nothing is held back any more.
    pub(super) fn release(&mut self, count: usize) {
        for _ in 0..count.min(self.answers.len()) {
            let Some((ask, answer)) = self.answers.pop_front() else { break };
            self.hub.handle(self.now, Input::Answer(ask, answer));
        }
        self.holding &= !self.answers.is_empty();
        self.settle();
    }

    pub(super) fn stop_or_go_on_reading(&mut self, about: u8) {
        let Some(place) = self.chosen(about) else { return };
        self.clients[place].2.reads ^= true;
        self.settle();
    }

    /// A connection is gone, without a word.
    pub(super) fn vanish(&mut self, about: u8) {
        let Some(place) = self.chosen(about) else { return };
        let (id, ..) = self.clients.swap_remove(place);
        self.hub.handle(self.now, Input::Gone(id));
        self.settle();
        assert!(self.hub.outbox_mut(id).is_none(), "a session that is gone has no outbox");
    }

    /// Time passes, up to 25 seconds, with a tick whenever the hub wants one.
    pub(crate) fn pass(&mut self, about: u8) {
        let end = self.now.at + Duration::from_millis(u64::from(about) * 100);
        while let Some(due) = self.hub.next_deadline().filter(|due| *due <= end) {
            self.move_to(due.max(self.now.at));
            self.hub.handle(self.now, Input::Tick);
            self.settle();
        }
        self.move_to(end);
        self.broker.expire(self.now);
    }

    /// The backend puts a user out of a channel, or off the server.
    pub(super) fn order(&mut self, about: u8, channel: u8) {
        let whom = Whom { user: USERS[usize::from(about) % USERS.len()].to_owned(), ..Whom::default() };
        let order = if about & 8 == 0 {
            let channel = (about & 4 == 0).then(|| Channel::new(channel_of(channel)));
            Order::Unsubscribe { whom, channel, code: UnsubscribeCode::Server }
        } else {
            Order::Disconnect { whom, spared: Vec::new(), disconnect: DisconnectCode::ForceReconnect.into() }
        };
        self.hub.handle(self.now, Input::Order(order));
        self.settle();
    }

    /// Rarer things: a client asks what changes nothing, sends a few bytes of garbage, or the node drains.
    pub(super) fn ask_or_drain(&mut self, about: u8, channel: u8) {
        if about == 255 {
            self.hub.handle(self.now, Input::Drain);
            return self.settle();
        }
        let Some(place) = self.chosen(about) else { return };
        let name = channel_of(channel).to_owned();
        match about & 7 {
            // Too short to be a command that the model would have to know of.
            0 => self.send(place, &[about, about.rotate_left(3), 0x08, 0x01][..usize::from(about >> 6) + 1]),
            1..=3 => self.ask(place, Request::Presence(PresenceRequest { channel: name })),
            _ => {
                let request = HistoryRequest { channel: name, limit: -1, ..HistoryRequest::default() };
                self.ask(place, Request::History(request));
            }
        }
    }

    /// What must hold after each step.
    pub(super) fn check(&mut self) {
        for (id, _, client) in &self.clients {
            let held = self.hub.outbox_mut(*id).map_or(0, |outbox| outbox.bytes());
            assert!(held <= OUTBOX_BYTES_MAX, "{held} bytes wait for one client");
            if client.reads && !client.closed {
                client.check(&self.published);
            }
        }
        assert!(self.outputs <= OUTPUTS_PER_STEP_MAX, "{} outputs of one step", self.outputs);
        self.outputs = 0;
        let census = self.hub.census();
        assert_eq!(census.sessions, self.clients.len());
        assert_eq!(census.asks, self.answers.len(), "what is asked is held back, or answered");
        assert!(census.clients <= census.sessions && census.channels <= census.subscriptions);
    }

    /// Everybody goes, and what was held back arrives.
    pub(crate) fn send_all_home(&mut self) {
        while !self.clients.is_empty() {
            self.vanish(0);
        }
        self.release(usize::MAX);
    }

    /// Everybody is gone: nothing may be left.
    pub(super) fn end(mut self) {
        self.send_all_home();
        assert_eq!(self.hub.census(), Census::default());
        assert_eq!(self.hub.next_deadline(), None);
        assert_eq!(self.presence.channels(), 0, "ghosts");
    }

    fn chosen(&self, about: u8) -> Option<usize> {
        usize::from(about & 15).checked_rem(self.clients.len())
    }

    fn ask(&mut self, place: usize, request: Request) {
        let (_, encoding, client) = &mut self.clients[place];
        let id = client.ask(&request, &self.published);
        let frame = encode_command(*encoding, &Command { id, request });
        self.send(place, &frame);
    }

    fn send(&mut self, place: usize, frame: &[u8]) {
        self.hub.handle(self.now, Input::Frame(self.clients[place].0, frame));
        self.settle();
    }

    fn move_to(&mut self, at: Instant) {
        self.now.unix_ms += u64::try_from(at.since(self.now.at).as_millis()).unwrap_or(u64::MAX);
        self.now.at = at;
    }

    /// A turn ends: the world does what it is asked, and clients read. Both until nothing is left to do.
    fn settle(&mut self) {
        loop {
            while let Some(output) = self.hub.poll_output() {
                self.outputs += 1;
                self.carry_out(output);
            }
            if !self.holding
                && let Some((ask, answer)) = self.answers.pop_front()
            {
                self.hub.handle(self.now, Input::Answer(ask, answer));
                continue;
            }
            if !self.read_all() {
                return;
            }
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Ask(ask, Question::Broker(channel, request)) => {
                self.submit(HERE, Ticket(ask.0), &channel, request);
            }
            Output::Tell(channel, Deed::Broker(request)) => {
                self.submit(HERE, Ticket::NOBODY, &channel, request);
            }
            Output::Ask(ask, Question::Presence(channel, request)) => {
                self.presence.submit(self.now, HERE, Ticket(ask.0), &channel, request);
                let (_, _, answer) = self.presence.poll().expect("presence in memory answers at once");
                self.answers.push_back((ask, Answer::Presence(answer)));
            }
            Output::Tell(channel, Deed::Presence(request)) => {
                self.presence.submit(self.now, HERE, Ticket::NOBODY, &channel, request);
                while self.presence.poll().is_some() {}
            }
            Output::Ask(ask, Question::Authenticate(question)) => {
                let credentials = Credentials { user: question.token, ..Credentials::default() };
                self.answers.push_back((ask, Answer::Credentials(Ok(credentials))));
            }
            Output::Ask(ask, Question::Refresh { token, .. }) => {
                let credentials = Credentials { user: token, ..Credentials::default() };
                self.answers.push_back((ask, Answer::Credentials(Ok(credentials))));
            }
            Output::Ask(ask, Question::VerifySubscription { .. }) => {
                self.answers.push_back((ask, Answer::Grant(Ok(Grant::default()))));
            }
            Output::Ask(ask, Question::Decide(petition)) => {
                let Matter::Rpc { data, .. } = petition.matter else { unreachable!("no namespace asks") };
                self.answers.push_back((ask, Answer::Rpc(Ok(data))));
            }
            Output::Close(id, _) => self.close(id),
            Output::Resume(_)
            | Output::Denied(_)
            | Output::Limited(_)
            | Output::MayLag(_)
            | Output::Lags(..)
            | Output::Expired(_)
            | Output::Refreshed(..) => {}
            Output::Happened(happening) => self.happened.push(*happening),
            Output::Order(order) => self.hub.handle(self.now, Input::Order(order)),
        }
    }

    fn close(&mut self, id: SessionId) {
        self.read(id);
        let client = self.clients.iter_mut().find(|(other, ..)| *other == id);
        let (_, _, client) = client.expect("only a session that is there is closed");
        assert!(!std::mem::replace(&mut client.closed, true), "a session is closed once");
    }

    /// Publications are numbered in the order in which the broker takes them, whoever they are from.
    fn submit(&mut self, from: Listener, ticket: Ticket, channel: &Channel, mut request: BrokerRequest) {
        if let BrokerRequest::Publish(draft) = &mut request {
            let count = self.published.get_mut(channel.as_str()).expect("one of the channels");
            let key = if draft.history.is_none() && !channel.as_str().starts_with("open") {
                count.past += 1;
                draft.publication.data = payload_past(count.past);
                "past"
            } else {
                count.stream += 1;
                let padding = if draft.history.is_some() { draft.publication.data.len() / 100 } else { 0 };
                draft.publication.data = payload(count.stream, padding);
                if count.stream.is_multiple_of(2) { "even" } else { "odd" }
            };
            draft.publication.tags = BTreeMap::from([("number".to_owned(), key.to_owned())]);
        }
        self.broker.submit(self.now, from, ticket, channel, request);
        while let Some((to, event)) = self.broker.poll() {
            let input = match event {
                _ if to != HERE => continue,
                BrokerEvent::Answer(Ticket::NOBODY, _) => continue,
                BrokerEvent::Answer(ticket, answer) => {
                    self.answers.push_back((AskId(ticket.0), Answer::Broker(answer)));
                    continue;
                }
                BrokerEvent::Publication(channel, delivery) => Input::Publication(channel, delivery),
                BrokerEvent::Join(channel, info) => Input::Join(channel, info),
                BrokerEvent::Leave(channel, info) => Input::Leave(channel, info),
            };
            self.hub.handle(self.now, input);
        }
    }

    /// Every client that reads, reads; those that were pinged answer. Whether that gave the hub something to do.
    fn read_all(&mut self) -> bool {
        while self.hub.poll_dirty().is_some() {}
        let reading: Vec<_> =
            self.clients.iter().filter(|(_, _, client)| client.reads).map(|(id, ..)| *id).collect();
        let mut more = false;
        for id in reading {
            more |= self.read(id);
        }
        more
    }

    fn read(&mut self, id: SessionId) -> bool {
        let Some(outbox) = self.hub.outbox_mut(id) else { return false };
        let messages: Vec<Bytes> = outbox.iter().cloned().collect();
        outbox.consume(usize::MAX);
        let Some((_, encoding, client)) = self.clients.iter_mut().find(|(other, ..)| *other == id) else {
            return false;
        };
        for message in messages {
            for said in server_messages(*encoding, &message, &spanwire_wire::Limits::REPLIES) {
                match said.expect("we say what we understand") {
                    ServerMessage::Ping => client.pings += 1,
                    ServerMessage::Reply(reply) => client.hear_reply(reply, &self.published),
                    ServerMessage::Push(push) => client.hear_push(&push),
                }
            }
        }
        let (pongs, encoding) = (std::mem::take(&mut client.pings), *encoding);
        for _ in 0..pongs {
            let pong = encode_command(encoding, &Command { id: 0, request: Request::Pong });
            self.hub.handle(self.now, Input::Frame(id, &pong));
        }
        let goes_on = self.hub.may_catch_up(id);
        if goes_on {
            self.hub.handle(self.now, Input::Drained(id));
        }
        pongs > 0 || goes_on
    }
}

fn channel_of(number: u8) -> &'static str {
    CHANNELS[usize::from(number) % CHANNELS.len()]
}
