//! The world on the stage: one hub, its broker and presence, and the clients with their networks. It takes one step at
//! a time, and whatever an application must decide is handed out.

use std::collections::{BTreeMap, VecDeque};

use spanwire_client_core::{Input as ClientInput, Output as ClientOutput};
use spanwire_hub::backend::{Petition, ProxyId};
use spanwire_hub::broker::{
    Broker, BrokerAnswer, BrokerError, BrokerEvent, BrokerRequest, Listener, MemoryBroker, MemoryLimits,
    Ticket,
};
use spanwire_hub::channel::Channel;
use spanwire_hub::happening::{Happening, Reports};
use spanwire_hub::presence::{MemoryPresence, Presence, PresenceAnswer, PresenceRequest};
use spanwire_hub::time::{Instant, Now};
use spanwire_hub::{
    Answer, AskId, Authenticate, Census, Deed, Hub, Input, Opening, Order, Output, Question, SessionId,
};
use spanwire_wire::{DisconnectCode, DisconnectReason, Encoding};

use super::figure::{Figure, Line, Network, at};
use crate::auth::{Authorize as _, Gate};
use crate::backend::{Asked, BackendSettings, What, nobody_decides};
use crate::config::Settings;
use crate::engine::Transport;

/// Noon of 2030-01-01, in seconds since 1970.
const NOON: u64 = 1_893_499_200;
/// The one hub, as broker and presence know it.
const HUB: Listener = Listener(0);
/// The application.
const APPLICATION: Listener = Listener(1);

/// What happens on the stage.
pub(super) struct World {
    hub: Hub,
    broker: MemoryBroker,
    presence: MemoryPresence,
    gate: Gate,
    backend: BackendSettings,
    figures: Vec<Figure>,
    now: Now,
    questions: VecDeque<Asking>,
    /// What happened to clients, and the application was not told yet.
    happened: VecDeque<Happening>,
}

/// A question for the application.
pub(super) struct Asking {
    pub(super) ask: AskId,
    pub(super) proxy: ProxyId,
    pub(super) asked: Asked,
}

impl World {
    pub(super) fn new(settings: &Settings) -> Self {
        let reports = Reports { connections: true, ..Reports::default() };
        Self {
            hub: Hub::new(settings.hub(), [1; 32]).reporting(reports),
            broker: MemoryBroker::new(MemoryLimits::default(), [2; 32]),
            presence: MemoryPresence::new(),
            gate: Gate::of(settings),
            backend: settings.backend.clone(),
            figures: Vec::new(),
            now: Now { at: Instant::from_millis(0), unix_ms: NOON * 1000 },
            questions: VecDeque::new(),
            happened: VecDeque::new(),
        }
    }

    pub(super) fn now(&self) -> Now {
        self.now
    }

    pub(super) fn enter(&mut self, figure: Figure) -> usize {
        self.figures.push(figure);
        self.figures.len() - 1
    }

    pub(super) fn figure(&mut self, place: usize) -> &mut Figure {
        &mut self.figures[place]
    }

    pub(super) fn tell(&mut self, place: usize, input: ClientInput<'_>) {
        self.figures[place].handle(self.now, input);
    }

    /// What the client had before is worth nothing any more: it comes from another place, so to speak.
    pub(super) fn find_network(&mut self, place: usize) {
        let figure = &mut self.figures[place];
        figure.network = Network::There;
        if let Some(line) = figure.line.take() {
            let lost = spanwire_client_core::Event::CODE_LOST;
            figure.lose(self.now, line.connection, lost, String::new());
            self.hub.handle(self.now, Input::Gone(line.session));
        }
    }

    pub(super) fn next_happening(&mut self) -> Option<Happening> {
        self.happened.pop_front()
    }

    pub(super) fn answer(&mut self, ask: AskId, answer: Answer) {
        self.hub.handle(self.now, Input::Answer(ask, answer));
    }

    pub(super) fn order(&mut self, order: Order) {
        self.hub.handle(self.now, Input::Order(order));
    }

    pub(super) fn channels(&self) -> BTreeMap<String, usize> {
        self.hub.channels().map(|(channel, subscribers)| (channel.to_owned(), subscribers)).collect()
    }

    pub(super) fn census(&self) -> Census {
        self.hub.census()
    }

    /// Has everything happen that is due now, up to the next question that the application must answer.
    pub(super) fn settle(&mut self) -> Option<Asking> {
        while self.let_clients_act() | self.carry_frames() | self.carry_out() | self.deliver() {}
        self.questions.pop_front()
    }

    /// Moves the clock to what is due next, unless that is after `end`. Whether there may be more.
    pub(super) fn step(&mut self, end: Instant) -> bool {
        let clients = self.figures.iter().filter_map(|figure| figure.client.next_deadline());
        let clients = clients.map(|due| Instant::from_millis(due.as_millis()));
        let next = clients.chain(self.hub.next_deadline()).min().unwrap_or(end).clamp(self.now.at, end);
        self.now.unix_ms += u64::try_from(next.since(self.now.at).as_millis()).unwrap_or(0);
        self.now.at = next;
        self.broker.expire(self.now);
        if self.hub.next_deadline().is_some_and(|due| due <= next) {
            self.hub.handle(self.now, Input::Tick);
        }
        for figure in &mut self.figures {
            if figure.client.next_deadline().is_some_and(|due| due <= at(self.now)) {
                figure.handle(self.now, ClientInput::Tick);
            }
        }
        next < end
    }

    /// Does what clients ask of their networks. Whether there was anything.
    fn let_clients_act(&mut self) -> bool {
        let mut acted = false;
        for place in 0..self.figures.len() {
            while let Some(output) = self.figures[place].client.poll_output() {
                acted = true;
                self.act(place, output);
            }
        }
        acted
    }

    fn act(&mut self, place: usize, output: ClientOutput) {
        let figure = &mut self.figures[place];
        match output {
            // Without a network there is no answer, and the client gives up when its patience is over.
            ClientOutput::Open(..) if !figure.has_network() => {}
            ClientOutput::Open(connection, _) => {
                let session = self.hub.open(self.now, Opening::new(Encoding::Json));
                figure.line = Some(Line { session, connection });
                figure.handle(self.now, ClientInput::Opened(connection));
            }
            ClientOutput::Send(connection, frame) => {
                let is_open = figure.line.is_some_and(|line| line.connection == connection);
                if is_open && figure.has_network() {
                    figure.frames.push_back(frame);
                }
            }
            ClientOutput::Close(connection) => {
                let closed = figure.line.filter(|line| line.connection == connection && figure.has_network());
                if let Some(line) = closed {
                    figure.line = None;
                    figure.frames.clear();
                    self.hub.handle(self.now, Input::Gone(line.session));
                }
            }
            ClientOutput::AskToken(what) => figure.refuse_token(self.now, what),
            ClientOutput::Event(event) => figure.events.push_back(event),
        }
    }

    /// Brings the hub what clients say, as long as it is not busy with what they said before.
    fn carry_frames(&mut self) -> bool {
        let mut carried = false;
        for figure in &mut self.figures {
            let Some(line) = figure.line else { continue };
            while !self.hub.is_busy(line.session)
                && let Some(frame) = figure.frames.pop_front()
            {
                carried = true;
                self.hub.handle(self.now, Input::Frame(line.session, &frame));
            }
        }
        carried
    }

    /// Does what the hub asks for.
    fn carry_out(&mut self) -> bool {
        let mut carried = false;
        while let Some(output) = self.hub.poll_output() {
            carried = true;
            self.carry_out_one(output);
        }
        carried
    }

    fn carry_out_one(&mut self, output: Output) {
        match output {
            Output::Ask(ask, Question::Broker(channel, request)) => {
                self.submit(HUB, Ticket(ask.0), &channel, request);
            }
            Output::Tell(channel, Deed::Broker(request)) => {
                self.submit(HUB, Ticket::NOBODY, &channel, request);
            }
            Output::Ask(ask, Question::Presence(channel, request)) => {
                self.presence.submit(self.now, HUB, Ticket(ask.0), &channel, request);
                while let Some((_, ticket, answer)) = self.presence.poll() {
                    self.answer(AskId(ticket.0), Answer::Presence(answer));
                }
            }
            Output::Tell(channel, Deed::Presence(request)) => {
                self.presence.submit(self.now, HUB, Ticket::NOBODY, &channel, request);
                while self.presence.poll().is_some() {}
            }
            Output::Ask(ask, Question::Authenticate(request)) => self.authenticate(ask, request),
            Output::Ask(ask, Question::Refresh { token, .. }) => {
                let credentials = self.gate.refresh(self.now.unix_seconds(), &token);
                self.answer(ask, Answer::Credentials(credentials));
            }
            Output::Ask(ask, Question::VerifySubscription { token, channel, user, .. }) => {
                let now_unix = self.now.unix_seconds();
                let grant = self.gate.verify_subscription(now_unix, &token, &channel, &user);
                self.answer(ask, Answer::Grant(grant));
            }
            Output::Ask(ask, Question::Decide(petition)) => self.decide(ask, petition),
            Output::Happened(happening) => self.happened.push_back(*happening),
            Output::Close(session, reason) => self.close(session, &reason),
            // Frames are carried whenever the hub is not busy; and who was denied what, the client was told by a code.
            Output::Resume(_)
            | Output::Denied(_)
            | Output::Limited(_)
            | Output::MayLag(_)
            | Output::Lags(..)
            | Output::Expired(_)
            | Output::Refreshed(..) => {}
            Output::Order(order) => self.hub.handle(self.now, Input::Order(order)),
        }
    }

    fn authenticate(&mut self, ask: AskId, request: Authenticate) {
        let Some(figure) = self.figure_of(request.session) else { return };
        let connection = figure.info.clone();
        match self.backend.of_connect(&request) {
            Some(proxy) => self.ask_application(ask, proxy, What::Connect(Box::new(request)), connection),
            None => {
                let credentials = self.gate.authenticate(self.now.unix_seconds(), &request, &connection);
                self.answer(ask, Answer::Credentials(credentials));
            }
        }
    }

    fn decide(&mut self, ask: AskId, petition: Box<Petition>) {
        let Some(figure) = self.figure_of(petition.session) else { return };
        let connection = figure.info.clone();
        match self.backend.of_matter(&petition.matter) {
            Some(proxy) => self.ask_application(ask, proxy, What::Petition(petition), connection),
            None => {
                let answer = nobody_decides(&petition.matter, self.backend.no_such_method());
                self.answer(ask, answer);
            }
        }
    }

    fn ask_application(
        &mut self,
        ask: AskId,
        proxy: ProxyId,
        what: What,
        connection: crate::auth::ConnectionInfo,
    ) {
        let asked = Asked { what, transport: Transport::WebSocket, connection };
        self.questions.push_back(Asking { ask, proxy, asked });
    }

    /// The hub lets a client go: it is told why, after everything that it was to be told before.
    fn close(&mut self, session: SessionId, reason: &DisconnectReason) {
        if reason.code() != DisconnectCode::Slow.code() {
            self.deliver_to(session);
        }
        let now = self.now;
        if let Some(figure) = self.figure_of(session).filter(|figure| figure.has_network())
            && let Some(line) = figure.line.take()
        {
            figure.lose(now, line.connection, reason.code(), reason.text().to_owned());
        }
        self.hub.handle(self.now, Input::Gone(session));
    }

    /// Brings clients what the hub says.
    fn deliver(&mut self) -> bool {
        let mut delivered = false;
        while let Some(session) = self.hub.poll_dirty() {
            delivered = true;
            self.deliver_to(session);
        }
        delivered
    }

    fn deliver_to(&mut self, session: SessionId) {
        let Some(outbox) = self.hub.outbox_mut(session) else { return };
        let messages: Vec<_> = outbox.iter().cloned().collect();
        outbox.consume(usize::MAX);
        if self.hub.may_catch_up(session) {
            self.hub.handle(self.now, Input::Drained(session));
        }
        let now = self.now;
        let Some(figure) = self.figure_of(session).filter(|figure| figure.has_network()) else { return };
        let Some(line) = figure.line else { return };
        for message in messages {
            figure.handle(now, ClientInput::Frame(line.connection, &message));
        }
    }

    fn figure_of(&mut self, session: SessionId) -> Option<&mut Figure> {
        self.figures.iter_mut().find(|figure| figure.line.is_some_and(|line| line.session == session))
    }

    pub(super) fn ask_broker(&mut self, channel: &Channel, request: BrokerRequest) -> BrokerAnswer {
        self.submit(APPLICATION, Ticket(0), channel, request)
            .unwrap_or(BrokerAnswer::Refused(BrokerError::Unavailable))
    }

    pub(super) fn ask_presence(&mut self, channel: &Channel, request: PresenceRequest) -> PresenceAnswer {
        self.presence.submit(self.now, APPLICATION, Ticket(0), channel, request);
        let answer = self.presence.poll().map(|(_, _, answer)| answer);
        answer.unwrap_or(PresenceAnswer::Refused(BrokerError::Unavailable))
    }

    /// The broker in memory answers at once: the application by the value, the hub by an input.
    fn submit(
        &mut self,
        from: Listener,
        ticket: Ticket,
        channel: &Channel,
        request: BrokerRequest,
    ) -> Option<BrokerAnswer> {
        self.broker.submit(self.now, from, ticket, channel, request);
        let mut answered = None;
        while let Some((to, event)) = self.broker.poll() {
            let input = match event {
                BrokerEvent::Answer(_, answer) if to == APPLICATION => {
                    answered = Some(answer);
                    continue;
                }
                BrokerEvent::Answer(Ticket::NOBODY, _) => continue,
                BrokerEvent::Answer(ticket, answer) => Input::Answer(AskId(ticket.0), Answer::Broker(answer)),
                BrokerEvent::Publication(channel, delivery) => Input::Publication(channel, delivery),
                BrokerEvent::Join(channel, info) => Input::Join(channel, info),
                BrokerEvent::Leave(channel, info) => Input::Leave(channel, info),
            };
            self.hub.handle(self.now, input);
        }
        answered
    }
}
