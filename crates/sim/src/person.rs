//! A person: the real client, its WebSocket, and an application that wants things.

use spanwire_client_core::time::Instant;
use spanwire_client_core::{
    Call, Client, Config, ConnectionId, Credentials, Event, Input, Key, Output, SubscribeOptions,
    TokenFailure, TokenFor,
};
use spanwire_wire::{Command, Encoding, Limits, Request, commands, encode_command};
use spanwire_ws::{self as ws, CloseCode, CloseFrame, Connection, Opcode, Role, frame};

use crate::agenda::Due;
use crate::bug::Bug;
use crate::chance::Chance;
use crate::net::LinkId;
use crate::node::payload;
use crate::plot::{CALM_AT, Plot};
use crate::scene::Scene;
use crate::words;

/// How long it takes to open a connection, or to get a token, in milliseconds.
const OPENING_MAX: u64 = 400;

/// The most that a client of these runs may keep.
const CALLS_MAX: usize = 8;

/// One of the people in a run.
#[derive(Debug)]
pub(crate) struct Person {
    index: usize,
    pub(crate) client: Client,
    pub(crate) encoding: Encoding,
    /// How long this person's tokens live, in seconds; `None` for one without an end.
    token_lifetime: Option<u64>,
    /// This person takes deltas.
    delta: bool,
    /// The server subscribes this person to a channel of its choice.
    served: bool,
    transport: Option<Transport>,
    /// The connection that is being opened.
    dialing: Option<ConnectionId>,
    /// Nothing is read before this time.
    blind_until: u64,
    keys: u64,
    chance: Chance,
}

/// A WebSocket, as the client sees it.
#[derive(Debug)]
struct Transport {
    connection: ConnectionId,
    link: LinkId,
    ws: Connection,
    /// What the pipe has not taken yet.
    lead: Vec<u8>,
}

impl Person {
    pub(crate) fn new(seed: u64, index: usize) -> Self {
        let mut chance = Chance::of(seed, "person", index as u64);
        let encoding = Encoding::ALL[chance.index(2)];
        let expiring = chance.one_in(3);
        let name = Plot::name(index);
        let served = chance.one_in(3);
        let credentials = match expiring {
            true => Credentials::Provider,
            false => Credentials::Token(token(name, served, None)),
        };
        let limits = spanwire_client_core::Limits { calls_max: CALLS_MAX, ..Default::default() };
        // Most have clients that know our extensions; the others speak the common protocol.
        let extensions = !chance.one_in(4);
        let delta = chance.one_in(2);
        let config = Config { encoding, credentials, extensions, limits, ..Config::default() };
        Self {
            index,
            client: Client::new(config, chance.seed()),
            encoding,
            served,
            delta,
            token_lifetime: expiring.then(|| chance.between(15, 60)),
            transport: None,
            dialing: None,
            blind_until: 0,
            keys: 0,
            chance,
        }
    }

    pub(crate) fn connect(&mut self, scene: &mut Scene, wants: bool) {
        scene.ledger.wants_connection(self.index, wants);
        self.handle(scene, if wants { Input::Connect } else { Input::Disconnect });
    }

    pub(crate) fn subscribe(&mut self, scene: &mut Scene, channel: &str) {
        scene.ledger.wants(self.index, channel);
        let options = SubscribeOptions { delta: self.delta, ..SubscribeOptions::default() };
        self.handle(scene, Input::Subscribe { channel: channel.to_owned(), options });
    }

    pub(crate) fn unsubscribe(&mut self, scene: &mut Scene, channel: &str) {
        self.handle(scene, Input::Unsubscribe { channel: channel.to_owned() });
    }

    pub(crate) fn publish(&mut self, scene: &mut Scene, channel: &str, id: u64) {
        let key = self.next_key();
        scene.ledger.publishes(self.index, key.0, channel, id);
        let size = self.chance.index(100);
        let call = Call::Publish { channel: channel.to_owned(), data: payload(id, size), queue: true };
        self.handle(scene, Input::Call(key, call));
    }

    pub(crate) fn ask(&mut self, scene: &mut Scene, call: Call) {
        let key = self.next_key();
        scene.ledger.asks(self.index, key.0);
        self.handle(scene, Input::Call(key, call));
    }

    fn next_key(&mut self) -> Key {
        self.keys += 1;
        Key(self.keys)
    }

    pub(crate) fn stop_reading(&mut self, until: u64) {
        self.blind_until = self.blind_until.max(until);
    }

    /// The link of this person, if there is one.
    pub(crate) fn link(&self) -> Option<LinkId> {
        self.transport.as_ref().map(|transport| transport.link)
    }

    /// Whether this connection is still wanted.
    pub(crate) fn dials(&self, connection: ConnectionId) -> bool {
        self.dialing == Some(connection)
    }

    /// A connection is open, or was refused.
    pub(crate) fn dialed(&mut self, scene: &mut Scene, connection: ConnectionId, link: Option<LinkId>) {
        self.dialing = None;
        let Some(link) = link else {
            let reason = "refused".to_owned();
            return self.handle(scene, Input::Lost { connection, code: Event::CODE_LOST, reason });
        };
        let ws = Connection::new(Role::Client);
        self.transport = Some(Transport { connection, link, ws, lead: Vec::new() });
        self.handle(scene, Input::Opened(connection));
    }

    /// The token that was asked for is there, or cannot be had now.
    pub(crate) fn token(&mut self, scene: &mut Scene, what: TokenFor) {
        let name = Plot::name(self.index);
        let expiry = self.token_lifetime.map(|seconds| scene.unix_ms() / 1000 + seconds);
        let token = token(name, self.served, expiry);
        let fails = scene.now < CALM_AT && self.chance.one_in(4);
        let token = if fails { Err(TokenFailure::Temporary) } else { Ok(token) };
        self.handle(scene, Input::Token(what, token));
    }

    /// Takes what is there, and does what the client wants.
    pub(crate) fn turn(&mut self, scene: &mut Scene) {
        self.read(scene);
        self.write(scene);
        if self.client.next_deadline().is_some_and(|at| at.as_millis() <= scene.now) {
            self.handle(scene, Input::Tick);
        }
        self.wake(scene);
    }

    fn wake(&mut self, scene: &mut Scene) {
        let arrival = self.link().and_then(|link| scene.net.links.get(&link)?.down.next_arrival());
        let arrival = arrival.map(|at| at.max(self.blind_until));
        let deadline = self.client.next_deadline().map(Instant::as_millis);
        if let Some(at) = [arrival, deadline].into_iter().flatten().min() {
            scene.wake_person(self.index, at);
        }
    }

    fn read(&mut self, scene: &mut Scene) {
        if scene.now < self.blind_until {
            return;
        }
        let Some(link) =
            self.transport.as_ref().and_then(|transport| scene.net.links.get_mut(&transport.link))
        else {
            return;
        };
        let was_full = !link.down.has_room();
        let (mut bytes, end) = link.down.read(scene.now);
        let shard = link.shard;
        if was_full {
            scene.wake_shard(shard, scene.now);
        }
        self.digest(scene, &mut bytes);
        if end {
            self.lost(scene, Event::CODE_LOST, String::new());
        }
    }

    /// Hands what arrived to the client, message by message.
    fn digest(&mut self, scene: &mut Scene, bytes: &mut [u8]) {
        let mut input = ws::Input::new(bytes);
        let limits =
            ws::Limits { frame_bytes_max: 1 << 20, message_bytes_max: 1 << 20, ..ws::Limits::default() };
        loop {
            // A message may have ended the connection.
            let Some(transport) = &mut self.transport else { return };
            let connection = transport.connection;
            let message = match transport.ws.next(&mut input, &limits) {
                Ok(Some(ws::Event::Text(text))) => text.as_bytes().to_vec(),
                Ok(Some(ws::Event::Binary(bytes))) => bytes.to_vec(),
                Ok(Some(ws::Event::Ping(_) | ws::Event::Pong(_))) => continue,
                Ok(Some(ws::Event::Close(frame))) => {
                    let code = frame.code().map_or(1005, |code| u32::from(code.number()));
                    let reason = frame.reason().to_owned();
                    return self.lost(scene, code, reason);
                }
                Ok(None) => return,
                Err(sin) => {
                    scene.ledger.blame(|| format!("the server breaks RFC 6455: {sin}"));
                    return self.lost(scene, Event::CODE_LOST, String::new());
                }
            };
            self.say_frame(scene, "<-", &message);
            self.handle(scene, Input::Frame(connection, &message));
        }
    }

    fn lost(&mut self, scene: &mut Scene, code: u32, reason: String) {
        let Some(transport) = self.transport.take() else { return };
        scene.person_leaves(transport.link);
        self.handle(scene, Input::Lost { connection: transport.connection, code, reason });
    }

    fn handle(&mut self, scene: &mut Scene, input: Input<'_>) {
        self.client.handle(Instant::from_millis(scene.now), input);
        while let Some(output) = self.client.poll_output() {
            self.carry_out(scene, output);
        }
        let load = self.client.load();
        if load.calls > CALLS_MAX || load.pending > 16 * CALLS_MAX {
            scene.ledger.blame(|| format!("a client keeps {load:?}"));
        }
        self.write(scene);
        self.wake(scene);
    }

    fn carry_out(&mut self, scene: &mut Scene, output: Output) {
        match output {
            Output::Open(connection, _) => {
                self.dialing = Some(connection);
                scene.soon(OPENING_MAX, Due::Dial(self.index, connection));
            }
            Output::Send(connection, message) => {
                let message = self.misremember(scene, &message).unwrap_or_else(|| message.to_vec());
                self.say_frame(scene, "->", &message);
                let Some(transport) = self.transport.as_mut().filter(|one| one.connection == connection)
                else {
                    return;
                };
                let opcode = match self.encoding {
                    Encoding::Json => Opcode::Text,
                    Encoding::Protobuf => Opcode::Binary,
                };
                let key = (self.chance.next() as u32).to_le_bytes();
                frame::client_frame_into(&mut transport.lead, opcode, &message, key);
            }
            Output::Close(_) => self.close(scene),
            Output::AskToken(what) => scene.soon(OPENING_MAX, Due::Token(self.index, what)),
            Output::Event(event) => self.tell(scene, &event),
        }
    }

    /// The application is told something, as far as nobody lies about it.
    fn tell(&mut self, scene: &mut Scene, event: &Event) {
        if matches!(event, Event::Gap { .. }) && scene.saboteur.has(Bug::SilentGap) {
            return;
        }
        if matches!(event, Event::Unsubscribed { code: Event::CODE_BAD_PROTOCOL, .. }) {
            scene.ledger.blame(|| format!("a patch for {} does not fit", Plot::name(self.index)));
        }
        let twice = matches!(event, Event::Publication { .. }) && scene.saboteur.strikes(Bug::DoubledEvent);
        for _ in 0..=usize::from(twice) {
            scene.trace.say(scene.now, || format!("{} {}", Plot::name(self.index), words::told(event)));
            scene.trace.mark(scene.now, (self.index, std::mem::discriminant(event)));
            scene.ledger.told(scene.now, self.index, event);
        }
    }

    fn close(&mut self, scene: &mut Scene) {
        self.dialing = None;
        let Some(mut transport) = self.transport.take() else { return };
        if let Some(frame) = transport.ws.close(CloseFrame::new(CloseCode::NORMAL, "")) {
            frame.encode_into(&mut transport.lead, Some([1, 2, 3, 4]));
        }
        if let Some(link) = scene.net.links.get_mut(&transport.link) {
            link.up.write(scene.now, &transport.lead);
        }
        scene.person_leaves(transport.link);
    }

    fn write(&mut self, scene: &mut Scene) {
        let Some(transport) = self.transport.as_mut().filter(|transport| !transport.lead.is_empty()) else {
            return;
        };
        let Some(link) = scene.net.links.get_mut(&transport.link) else { return };
        let taken = link.up.write(scene.now, &transport.lead);
        scene.trace.mark(scene.now, &transport.lead[..taken]);
        transport.lead.drain(..taken);
        if let Some(at) = link.up.next_arrival() {
            let shard = link.shard;
            scene.wake_shard(shard, at);
        }
    }

    /// A client that is wrong about its position by one, if that bug is planted.
    fn misremember(&self, scene: &mut Scene, message: &[u8]) -> Option<Vec<u8>> {
        if !scene.saboteur.strikes(Bug::PositionTooFar) {
            return None;
        }
        let mut wrong = Vec::new();
        for command in commands(self.encoding, message, &Limits::COMMANDS) {
            let Command { id, mut request } = command.ok()?;
            if let Request::Subscribe(subscribe) = &mut request {
                subscribe.offset += u64::from(subscribe.recover);
            }
            if !wrong.is_empty() {
                wrong.extend_from_slice(self.encoding.separator());
            }
            wrong.extend_from_slice(&encode_command(self.encoding, &Command { id, request }));
        }
        Some(wrong)
    }

    fn say_frame(&self, scene: &mut Scene, way: &str, message: &[u8]) {
        let (name, encoding) = (Plot::name(self.index), self.encoding);
        scene.say(|| match way {
            "->" => format!("{name} -> {}", words::said(encoding, message)),
            _ => format!("{name} <- {}", words::answered(encoding, message)),
        });
    }
}

/// A token of these runs: a name, whether the server chooses a channel, and the second in which it expires, if it does.
fn token(name: &str, served: bool, expire_at: Option<u64>) -> String {
    let served = if served { "served" } else { "" };
    format!("{name}|{served}|{}", expire_at.map(|at| at.to_string()).unwrap_or_default())
}
