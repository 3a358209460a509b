//! A world around one hub: brokers in memory, a clock that moves when told, clients who speak JSON, and answers that
//! can be held back, so that every race is an order of lines in a test.
#![allow(dead_code, unreachable_pub)]

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use spanwire_hub::backend::{Deciders, Petition, ProxyId};
use spanwire_hub::broker::{
    Broker, BrokerAnswer, BrokerEvent, BrokerRequest, Draft, HistoryOptions, Listener, MemoryBroker,
    MemoryLimits, Recall, Ticket,
};
use spanwire_hub::channel::Channel;
use spanwire_hub::happening::{Happening, Reports};
use spanwire_hub::limits::Limits;
use spanwire_hub::namespace::{DeliveryProfile, Namespace, Namespaces, Permission, RecoveryMode};
use spanwire_hub::presence::{MemoryPresence, Presence, PresenceAnswer, PresenceRequest};
use spanwire_hub::time::{Instant, Now};
use spanwire_hub::{
    Answer, AskId, Census, Config, Credentials, Deed, Expirable, Expiring, Grant, Hub, Input, Opening, Order,
    Output, Question, RateLimit, Refreshed, Refusal, SessionId,
};
use spanwire_wire::message::Publication;
use spanwire_wire::{DisconnectReason, Encoding, ErrorCode};

/// Unix time at which every world begins, in seconds.
pub const DAWN: u64 = 1_800_000_000;

const HERE: Listener = Listener(0);
/// Somebody else who listens and publishes: another shard.
const ELSEWHERE: Listener = Listener(1);

pub const ALL: Permission = Permission { client: true, subscriber: true, anonymous: true };
pub const HISTORY: HistoryOptions =
    HistoryOptions { size: 10, ttl: Duration::from_secs(300), meta_ttl: Duration::from_secs(3600) };

/// The backend decides everything.
const DECIDERS: Deciders =
    Deciders { subscribe: Some(ProxyId(1)), publish: Some(ProxyId(2)), sub_refresh: Some(ProxyId(3)) };

/// The options of the channels in these tests, by namespace.
pub fn namespaces() -> Namespaces {
    let open = Namespace { subscribe: ALL, publish: ALL, ..Namespace::default() };
    let kept = Namespace { history: Some(HISTORY), force_recovery: true, read_history: ALL, ..open.clone() };
    let kept_by_all = kept.clone();
    let social = Namespace { join_leave: true, force_push_join_leave: true, ..open.clone() };
    let last = Namespace { force_recovery_mode: RecoveryMode::Cache, ..kept.clone() };
    let at_once = Namespace { auto_cache_recover: true, ..last.clone() };
    let of_each = DeliveryProfile::Conflate { by: Some("of".into()) };
    let last_kept = last.clone();
    let ticks = Namespace { delivery: of_each.clone(), ..kept.clone() };
    let newest = Namespace { delivery: DeliveryProfile::DropOldest, ..kept.clone() };
    let gauge = Namespace { delivery: DeliveryProfile::Conflate { by: None }, ..kept.clone() };
    let loose = Namespace { force_recovery: false, delivery: of_each.clone(), ..kept.clone() };
    let social_ticks =
        Namespace { join_leave: true, force_push_join_leave: true, presence: true, ..ticks.clone() };
    let chat = Namespace {
        presence: true,
        join_leave: true,
        force_push_join_leave: true,
        see_presence: ALL,
        ..kept.clone()
    };
    let few = Namespace { presence: true, subscribers_max: NonZeroU32::new(2), ..open.clone() };
    let named = [
        ("delta", Namespace { allow_delta: true, delta_publish: true, ..kept.clone() }),
        ("delta_asked", Namespace { allow_delta: true, ..kept.clone() }),
        ("delta_last", Namespace { allow_delta: true, delta_publish: true, ..last.clone() }),
        (
            "delta_slow",
            Namespace {
                allow_delta: true,
                delta_publish: true,
                delivery: DeliveryProfile::DropOldest,
                ..kept.clone()
            },
        ),
        ("delta_open", Namespace { allow_delta: true, delta_publish: true, ..open.clone() }),
        ("open", open),
        ("delta_tagged", Namespace { allow_delta: true, allow_tags_filter: true, ..kept.clone() }),
        ("kept", kept),
        ("tagged", Namespace { allow_tags_filter: true, ..kept_by_all.clone() }),
        ("tagged_open", Namespace { allow_tags_filter: true, ..social }),
        ("tagged_last", Namespace { allow_tags_filter: true, ..last.clone() }),
        ("last", last),
        ("at_once", at_once),
        ("chat", chat),
        ("tagged_ticks", Namespace { allow_tags_filter: true, ..ticks.clone() }),
        ("last_ticks", Namespace { delivery: of_each, ..last_kept }),
        ("social_ticks", social_ticks),
        ("ticks", ticks),
        ("newest", newest),
        ("gauge", gauge),
        ("loose", loose),
        ("shut", Namespace::default()),
        ("shut_kept", Namespace { presence: true, history: Some(HISTORY), ..Namespace::default() }),
        ("asked", Namespace { deciders: DECIDERS, ..Namespace::default() }),
        ("asked_kept", Namespace { deciders: DECIDERS, ..kept_by_all }),
        ("few", few),
        ("users", Namespace { allow_user_limited_channels: true, ..Namespace::default() }),
    ];
    let named = named.into_iter().map(|(name, namespace)| (name.to_owned(), Arc::new(namespace))).collect();
    Namespaces { without_namespace: Arc::default(), named, personal: None }
}

pub struct World {
    pub hub: Hub,
    broker: MemoryBroker,
    broker_seed: u8,
    presence: MemoryPresence,
    pub now: Now,
    /// While this is some, what the hub asks of the broker waits here.
    held: Option<VecDeque<Held>>,
    /// Publications that the broker announces from now on do not arrive.
    pub deaf: bool,
    one_turn: bool,
    frames: HashMap<u32, Vec<Vec<u8>>>,
    /// Clients that do not read, by the index of their sessions.
    stalled: BTreeSet<u32>,
    closed: HashMap<u32, DisconnectReason>,
    pub resumed: Vec<SessionId>,
    /// What the operator was told of denials.
    pub denials: Vec<String>,
    /// Who was said to be able to lag.
    pub may_lag: Vec<SessionId>,
    /// Who lags for the first time, and where.
    pub lagged: Vec<(SessionId, String)>,
    /// The rates that were exceeded.
    pub limited: Vec<RateLimit>,
    /// What was counted as ended by its expiry, and what came of refreshes.
    pub expired: Vec<Expirable>,
    pub refreshed: Vec<(Expirable, Refreshed)>,
    /// What the hub has reported.
    pub happened: Vec<Happening>,
    /// What tokens are good for.
    pub tokens: BTreeMap<&'static str, Result<Credentials, Refusal>>,
    pub grants: BTreeMap<&'static str, Result<Grant, Refusal>>,
    /// What the backend was asked and has not answered.
    pub petitions: VecDeque<(AskId, Petition)>,
}

struct Held {
    ask: Option<AskId>,
    channel: Channel,
    request: BrokerRequest,
}

impl World {
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub fn with_limits(limits: Limits) -> Self {
        Self::with(limits, namespaces())
    }

    pub fn with(limits: Limits, namespaces: Namespaces) -> Self {
        let config = Config { limits, namespaces, version: "test".to_owned() };
        Self {
            hub: Hub::new(config, [7; 32]),
            broker: MemoryBroker::new(MemoryLimits::default(), [9; 32]),
            broker_seed: 10,
            presence: MemoryPresence::new(),
            now: Now { at: Instant::from_millis(5_000), unix_ms: DAWN * 1000 },
            held: None,
            deaf: false,
            one_turn: false,
            frames: HashMap::new(),
            stalled: BTreeSet::new(),
            closed: HashMap::new(),
            resumed: Vec::new(),
            denials: Vec::new(),
            may_lag: Vec::new(),
            lagged: Vec::new(),
            limited: Vec::new(),
            expired: Vec::new(),
            refreshed: Vec::new(),
            happened: Vec::new(),
            tokens: BTreeMap::new(),
            grants: BTreeMap::new(),
            petitions: VecDeque::new(),
        }
    }

    /// From now on the hub reports everything that happens to its clients.
    pub fn reporting(mut self) -> Self {
        self.hub = self.hub.reporting(Reports { connections: true, subscriptions: true });
        self
    }

    pub fn open(&mut self) -> SessionId {
        self.open_as(Encoding::Json)
    }

    pub fn open_as(&mut self, encoding: Encoding) -> SessionId {
        self.open_with(Opening::new(encoding))
    }

    pub fn open_with(&mut self, opening: Opening) -> SessionId {
        let id = self.hub.open(self.now, opening);
        self.closed.remove(&id.index);
        self.frames.remove(&id.index);
        self.stalled.remove(&id.index);
        self.settle();
        id
    }

    /// A client that is connected by a token of this name; the reply is read and thrown away.
    pub fn connect(&mut self, user: &'static str) -> SessionId {
        let credentials = Credentials { user: user.to_owned(), ..Credentials::default() };
        self.tokens.entry(user).or_insert(Ok(credentials));
        let id = self.open();
        self.send(id, &format!(r#"{{"id":1,"connect":{{"token":"{user}"}}}}"#));
        assert!(self.read(id)[0].starts_with(r#"{"id":1,"connect":{"client":""#));
        id
    }

    /// A connected client that is subscribed; both replies are read and thrown away.
    pub fn subscriber(&mut self, user: &'static str, channel: &str) -> SessionId {
        let id = self.connect(user);
        self.send(id, &format!(r#"{{"id":2,"subscribe":{{"channel":"{channel}"}}}}"#));
        let replies = self.read(id);
        assert!(replies[0].starts_with(r#"{"id":2,"subscribe":{"#), "{replies:?}");
        id
    }

    pub fn send(&mut self, id: SessionId, frame: &str) {
        self.send_bytes(id, frame.as_bytes());
    }

    pub fn send_bytes(&mut self, id: SessionId, frame: &[u8]) {
        self.hub.handle(self.now, Input::Frame(id, frame));
        if !self.one_turn {
            self.settle();
        }
    }

    /// The backend publishes, from another shard.
    pub fn publish(&mut self, channel: &str, data: &'static str) {
        let keeps = namespaces().of(channel).unwrap().history;
        self.publish_with(channel, data, keeps);
    }

    /// The same, in this history or in none.
    pub fn publish_with(&mut self, channel: &str, data: impl Into<Bytes>, history: Option<HistoryOptions>) {
        let delta = namespaces().of(channel).unwrap().tells_by_patch(false);
        let publication = Publication { data: data.into(), ..Publication::default() };
        let draft = Draft { publication, history, idempotency_key: None, rate: Default::default(), delta };
        self.submit(ELSEWHERE, None, &Channel::new(channel), BrokerRequest::Publish(draft));
        if !self.one_turn {
            self.settle();
        }
    }

    /// The backend has the history of a channel forgotten.
    pub fn remove_history(&mut self, channel: &str) {
        self.submit(ELSEWHERE, None, &Channel::new(channel), BrokerRequest::RemoveHistory);
        if !self.one_turn {
            self.settle();
        }
    }

    /// Another shard has one more subscriber; whether there was room for it.
    pub fn crowd(&mut self, channel: &str) -> bool {
        let subscribers_max = namespaces().of(channel).unwrap().subscribers_max;
        let request = BrokerRequest::Subscribe { history: None, recall: Recall::Nothing, subscribers_max };
        self.broker.submit(self.now, ELSEWHERE, Ticket(0), &Channel::new(channel), request);
        let answer = self.broker.poll();
        matches!(answer, Some((_, BrokerEvent::Answer(_, BrokerAnswer::Subscribed { .. }))))
    }

    /// Another shard has one subscriber less.
    pub fn thin_out(&mut self, channel: &str) {
        self.submit(ELSEWHERE, None, &Channel::new(channel), BrokerRequest::Unsubscribe);
    }

    /// How many clients are in a channel, as presence has it.
    pub fn present(&mut self, channel: &str) -> usize {
        let get = PresenceRequest::Get;
        self.presence.submit(self.now, ELSEWHERE, Ticket(0), &Channel::new(channel), get);
        match self.presence.poll() {
            Some((_, _, PresenceAnswer::Clients(clients))) => clients.len(),
            other => panic!("{other:?}"),
        }
    }

    /// The same, with one tag.
    pub fn publish_tagged(&mut self, channel: &str, data: &'static str, tag: (&str, &str)) {
        let history = namespaces().of(channel).unwrap().history;
        self.publish_tagged_with(channel, data, tag, history);
    }

    /// The same, in this history or in none.
    pub fn publish_tagged_with(
        &mut self,
        channel: &str,
        data: &'static str,
        (key, value): (&str, &str),
        history: Option<HistoryOptions>,
    ) {
        let tags = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        let publication = Publication { data: data.into(), tags, ..Publication::default() };
        let draft =
            Draft { publication, history, idempotency_key: None, rate: Default::default(), delta: false };
        self.submit(ELSEWHERE, None, &Channel::new(channel), BrokerRequest::Publish(draft));
        if !self.one_turn {
            self.settle();
        }
    }

    /// Everything in `what` happens in one turn: only at its end is the hub asked what it wants.
    pub fn turn(&mut self, what: impl FnOnce(&mut Self)) {
        self.begin_turn();
        what(self);
        self.end_turn();
    }

    /// Everything until [`Self::end_turn`] happens in one turn.
    pub fn begin_turn(&mut self) {
        self.one_turn = true;
    }

    pub fn end_turn(&mut self) {
        self.one_turn = false;
        self.settle();
    }

    /// From now on the client reads nothing.
    pub fn stall(&mut self, id: SessionId) {
        self.read(id);
        self.stalled.insert(id.index);
    }

    /// The client reads on, and at its pace: everything that is there, and what comes of its having read that.
    pub fn resume_reading(&mut self, id: SessionId) {
        self.stalled.remove(&id.index);
        while self.read_some(id, usize::MAX) > 0 {}
    }

    /// A client that has stalled reads at most so many messages. The result is how many there were.
    pub fn read_some(&mut self, id: SessionId, messages: usize) -> usize {
        self.settle();
        let Some(outbox) = self.hub.outbox_mut(id) else { return 0 };
        let frames = self.frames.entry(id.index).or_default();
        let count = messages.min(outbox.len());
        frames.extend(outbox.iter().take(count).map(|message| message.to_vec()));
        outbox.consume(count);
        if self.hub.may_catch_up(id) {
            self.hub.handle(self.now, Input::Drained(id));
            self.settle();
        }
        count
    }

    /// How many bytes a client has not read.
    pub fn unread(&mut self, id: SessionId) -> usize {
        self.settle();
        self.hub.outbox_mut(id).map_or(0, |outbox| outbox.bytes())
    }

    /// What the client was sent since it was last asked, each message as JSON text. Reading empties the outbox.
    pub fn read(&mut self, id: SessionId) -> Vec<String> {
        let text = |frame: Vec<u8>| String::from_utf8_lossy(&frame).into_owned();
        self.read_bytes(id).into_iter().map(text).collect()
    }

    /// The same as it is.
    pub fn read_bytes(&mut self, id: SessionId) -> Vec<Vec<u8>> {
        self.settle();
        while let Some(dirty) = self.hub.poll_dirty() {
            if !self.stalled.contains(&dirty.index) {
                self.read_some(dirty, usize::MAX);
            }
        }
        self.frames.remove(&id.index).unwrap_or_default()
    }

    /// Payloads of the publications among what the client was sent.
    pub fn heard(&mut self, id: SessionId) -> Vec<String> {
        let lines = self.read(id).join("\n");
        lines
            .split(r#""data":"#)
            .skip(1)
            .map(|rest| rest[..rest.find([',', '}']).unwrap()].to_owned())
            .collect()
    }

    /// The code by which the client was let go.
    pub fn code(&self, id: SessionId) -> Option<u32> {
        self.closed.get(&id.index).map(DisconnectReason::code)
    }

    /// The sentence with which the client was let go.
    pub fn reason(&self, id: SessionId) -> Option<&str> {
        self.closed.get(&id.index).map(DisconnectReason::text)
    }

    pub fn gone(&mut self, id: SessionId) {
        self.hub.handle(self.now, Input::Gone(id));
        self.settle();
    }

    pub fn order(&mut self, order: Order) {
        self.hub.handle(self.now, Input::Order(order));
        self.settle();
    }

    pub fn drain(&mut self) {
        self.hub.handle(self.now, Input::Drain);
        self.settle();
    }

    /// Time passes, with a tick whenever the hub wants one.
    pub fn pass(&mut self, duration: Duration) {
        let end = self.now.at + duration;
        while let Some(due) = self.hub.next_deadline().filter(|due| *due <= end) {
            self.move_to(due.max(self.now.at));
            self.hub.handle(self.now, Input::Tick);
            self.settle();
        }
        self.move_to(end);
    }

    /// The backend answers what it was asked first.
    pub fn decide(&mut self, answer: Answer) -> Petition {
        let (ask, petition) = self.petitions.pop_front().expect("the backend was asked");
        self.answer(ask, answer);
        petition
    }

    pub fn answer(&mut self, ask: AskId, answer: Answer) {
        self.hub.handle(self.now, Input::Answer(ask, answer));
        self.settle();
    }

    fn move_to(&mut self, at: Instant) {
        self.now.unix_ms += at.since(self.now.at).as_millis() as u64;
        self.now.at = at;
    }

    /// The broker is lost with all that it kept, and another one begins. It knows who listens, and no more.
    pub fn renew_broker(&mut self) {
        self.broker = MemoryBroker::new(MemoryLimits::default(), [self.broker_seed; 32]);
        self.broker_seed += 1;
        for (channel, subscribers) in self.hub.channels() {
            for _ in 0..subscribers {
                let request = BrokerRequest::Subscribe {
                    history: None,
                    recall: Recall::Nothing,
                    subscribers_max: None,
                };
                self.broker.submit(self.now, HERE, Ticket::NOBODY, &Channel::new(channel), request);
            }
        }
    }

    /// From now on the broker is slow: what it is asked waits.
    pub fn hold(&mut self) {
        self.held = Some(VecDeque::new());
    }

    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// The broker gets what waited, in order.
    pub fn release(&mut self) {
        for Held { ask, channel, request } in self.held.take().into_iter().flatten() {
            self.submit(HERE, ask, &channel, request);
        }
        self.settle();
    }

    /// The broker has answered, but the answers are on their way while publications overtake them.
    pub fn release_with_late_answers(&mut self, meanwhile: impl FnOnce(&mut Self)) {
        let answers = self.release_without_answers();
        meanwhile(self);
        self.arrive(answers);
    }

    /// The broker has answered what waited. The answers arrive when the scene wants.
    pub fn release_without_answers(&mut self) -> Vec<(Ticket, BrokerAnswer)> {
        let mut answers = Vec::new();
        for Held { ask, channel, request } in self.held.take().into_iter().flatten() {
            self.broker.submit(self.now, HERE, ticket(ask), &channel, request);
            while let Some((to, event)) = self.broker.poll() {
                match event {
                    BrokerEvent::Answer(ticket, answer) if to == HERE => answers.push((ticket, answer)),
                    event => self.hear(to, event),
                }
            }
        }
        answers
    }

    pub fn arrive(&mut self, answers: Vec<(Ticket, BrokerAnswer)>) {
        for (ticket, answer) in answers.into_iter().filter(|(ticket, _)| *ticket != Ticket::NOBODY) {
            self.hub.handle(self.now, Input::Answer(AskId(ticket.0), Answer::Broker(answer)));
        }
        self.settle();
    }

    /// Everybody is gone: nothing may be left.
    pub fn end(mut self) {
        for index in 0..64 {
            for generation in 0..64 {
                self.hub.handle(self.now, Input::Gone(SessionId { index, generation }));
            }
        }
        self.release();
        for (ask, _) in std::mem::take(&mut self.petitions) {
            self.answer(ask, Answer::Rpc(Ok(Default::default())));
        }
        assert_eq!(self.hub.census(), Census::default());
        assert_eq!(self.hub.next_deadline(), None);
        assert_eq!(self.presence.channels(), 0, "ghosts");
        let forever = Now { at: Instant::from_millis(u64::MAX / 2), ..self.now };
        for what in [Expirable::Connection, Expirable::Subscription] {
            assert_eq!(self.hub.expiring(forever, what), Expiring::default(), "{what:?}");
        }
        assert_eq!(self.broker.usage().subscribers, 0, "places that nobody gave back");
    }

    fn settle(&mut self) {
        while let Some(output) = self.hub.poll_output() {
            match output {
                Output::Ask(ask, Question::Broker(channel, request)) => {
                    self.ask_broker(Some(ask), channel, request)
                }
                Output::Tell(channel, Deed::Broker(request)) => self.ask_broker(None, channel, request),
                Output::Ask(ask, Question::Presence(channel, request)) => {
                    self.presence.submit(self.now, HERE, ticket(Some(ask)), &channel, request);
                    let (_, _, answer) = self.presence.poll().expect("presence in memory answers at once");
                    self.hub.handle(self.now, Input::Answer(ask, Answer::Presence(answer)));
                }
                Output::Tell(channel, Deed::Presence(request)) => {
                    self.presence.submit(self.now, HERE, Ticket::NOBODY, &channel, request);
                    while self.presence.poll().is_some() {}
                }
                Output::Ask(ask, Question::Authenticate(question)) => self.credentials(ask, &question.token),
                Output::Ask(ask, Question::Refresh { token, .. }) => self.credentials(ask, &token),
                Output::Ask(ask, Question::VerifySubscription { token, .. }) => {
                    let unknown = Err(Refusal::Error(ErrorCode::PermissionDenied));
                    let grant = self.grants.get(token.as_str()).cloned().unwrap_or(unknown);
                    self.hub.handle(self.now, Input::Answer(ask, Answer::Grant(grant)));
                }
                Output::Ask(ask, Question::Decide(petition)) => self.petitions.push_back((ask, *petition)),
                Output::Close(id, reason) => {
                    let before = self.closed.insert(id.index, reason);
                    assert_eq!(before, None, "a session is closed once");
                }
                Output::Resume(id) => self.resumed.push(id),
                Output::MayLag(id) => self.may_lag.push(id),
                Output::Lags(id, channel) => self.lagged.push((id, channel.as_str().to_owned())),
                Output::Limited(limit) => self.limited.push(limit),
                Output::Expired(what) => self.expired.push(what),
                Output::Refreshed(what, how) => self.refreshed.push((what, how)),
                Output::Order(order) => self.hub.handle(self.now, Input::Order(order)),
                Output::Denied(denial) => self.denials.push(denial.to_string()),
                Output::Happened(happening) => self.happened.push(*happening),
            }
        }
    }

    fn credentials(&mut self, ask: AskId, token: &str) {
        let anonymous = Ok(Credentials::default());
        let credentials = self.tokens.get(token).cloned().unwrap_or(anonymous);
        self.hub.handle(self.now, Input::Answer(ask, Answer::Credentials(credentials)));
    }

    fn ask_broker(&mut self, ask: Option<AskId>, channel: Channel, request: BrokerRequest) {
        match &mut self.held {
            Some(held) => held.push_back(Held { ask, channel, request }),
            None => self.submit(HERE, ask, &channel, request),
        }
    }

    fn submit(&mut self, from: Listener, ask: Option<AskId>, channel: &Channel, request: BrokerRequest) {
        self.broker.submit(self.now, from, ticket(ask), channel, request);
        while let Some((to, event)) = self.broker.poll() {
            self.hear(to, event);
        }
    }

    fn hear(&mut self, to: Listener, event: BrokerEvent) {
        if to != HERE {
            return;
        }
        let input = match event {
            BrokerEvent::Answer(Ticket::NOBODY, _) => return,
            BrokerEvent::Answer(ticket, answer) => Input::Answer(AskId(ticket.0), Answer::Broker(answer)),
            BrokerEvent::Publication(..) if self.deaf => return,
            BrokerEvent::Publication(channel, delivery) => Input::Publication(channel, delivery),
            BrokerEvent::Join(channel, info) => Input::Join(channel, info),
            BrokerEvent::Leave(channel, info) => Input::Leave(channel, info),
        };
        self.hub.handle(self.now, input);
    }
}

fn ticket(ask: Option<AskId>) -> Ticket {
    ask.map_or(Ticket::NOBODY, |ask| Ticket(ask.0))
}
