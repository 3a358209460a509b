//! A few shards, a few clients, and nobody else: time moves when the test says so.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, poll};
use socket2::SockRef;
use spanwire_hub::channel::Channel;
use spanwire_hub::limits::Limits;
use spanwire_hub::namespace::{Namespace, Namespaces, Permission};
use spanwire_hub::{Authenticate, Config, Credentials, Grant, Opening, Refusal};
use spanwire_wire::{DisconnectCode, Encoding};
use spanwire_ws::{self as ws, CloseCode, CloseFrame, Event, Extensions, Opcode, Role, frame};

use super::super::{Key, Pace, Shard};
use crate::auth::{Authorize, ConnectionInfo};
use crate::engine::clock::{Clock, Reading};
use crate::engine::connection::Writing;
use crate::engine::handle::Shared;
use crate::engine::letter::Letter;
use crate::engine::mailbox::Mailbox;
use crate::engine::{
    Addresses, Agreed, Arrival, Compression, EngineConfig, EngineHandle, Link, Purpose, Visitor,
};

/// How long the system may take to carry bytes over loopback before a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes that a narrow socket is asked to buffer: less makes the kernel wait for its own timers.
const NARROW: usize = 32 << 10;

/// Lets everybody in, as who they say they are; the token `refused` is refused.
#[derive(Debug)]
pub(super) struct Doorman;

impl Authorize for Doorman {
    fn authenticate(
        &self,
        _: u64,
        request: &Authenticate,
        _: &ConnectionInfo,
    ) -> Result<Credentials, Refusal> {
        match request.token.as_str() {
            "refused" => Err(Refusal::Disconnect(DisconnectCode::InvalidToken)),
            user => Ok(Credentials { user: user.to_owned(), ..Credentials::default() }),
        }
    }

    fn refresh(&self, _: u64, token: &str) -> Result<Credentials, Refusal> {
        Ok(Credentials { user: token.to_owned(), ..Credentials::default() })
    }

    fn verify_subscription(&self, _: u64, _: &str, _: &Channel, _: &str) -> Result<Grant, Refusal> {
        Ok(Grant::default())
    }
}

pub(in crate::engine) fn config() -> EngineConfig {
    let anybody = Permission { client: true, anonymous: true, subscriber: false };
    let open = Namespace { subscribe: anybody, publish: anybody, ..Namespace::default() };
    let hub = Config {
        limits: Limits { ping_interval: Duration::ZERO, ..Limits::default() },
        namespaces: Namespaces { without_namespace: Arc::new(open), ..Namespaces::default() },
        version: "test".to_owned(),
    };
    EngineConfig {
        shards: 1,
        listen: Vec::new(),
        connections_max: 10_000,
        user_connections_max: 0,
        compression: Compression { level: 6, bytes_min: 160 },
        message_bytes_max: 64 << 10,
        write_timeout: Duration::from_secs(10),
        hub,
        auth_failure_rate: spanwire_hub::rate::Rate::NONE,
        authorize: Arc::new(Doorman),
        backend: None,
        events: None,
        onlooker: None,
        serve: Arc::new(|_| Box::pin(async {})),
        seed: [7; 32],
    }
}

pub(super) struct Scene {
    pub(super) shards: Vec<Shard>,
    shared: Arc<Shared>,
    now: Reading,
    listener: TcpListener,
}

impl Scene {
    pub(super) fn new(config: EngineConfig) -> Self {
        let shared = Arc::new(Shared::new(config.shards, &config).unwrap());
        let clock = Clock::start();
        let shard = |index| Shard::new(index, &config, shared.clone(), clock).unwrap();
        let shards = (0..config.shards).map(shard).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { shards, shared, now: clock.read(), listener }
    }

    /// Lets this much time pass, and the shards see to what is due.
    pub(super) fn pass(&mut self, time: Duration) {
        self.now.now.at = self.now.now.at + time;
        self.now.micros += time.as_micros() as u64;
        self.turns();
    }

    /// Turns until no shard has anything left to do.
    pub(super) fn turns(&mut self) {
        loop {
            let mut again = false;
            for shard in &mut self.shards {
                again |= shard.turn(self.now).unwrap() == Pace::Again;
            }
            if !again && !self.something_happened(Duration::ZERO, None) {
                return;
            }
        }
    }

    /// One turn of one shard, while the others sleep.
    pub(super) fn turn_one(&mut self, shard: usize) -> Pace {
        self.shards[shard].turn(self.now).unwrap()
    }

    pub(super) fn owner(&self, channel: &Channel) -> usize {
        self.shared.ownership.owner(channel)
    }

    /// Waits until a poller, or a client's socket, has something.
    fn something_happened(&self, patience: Duration, client: Option<&TcpStream>) -> bool {
        let descriptors: Vec<_> =
            self.shards.iter().map(|shard| shard.poller_descriptor().unwrap()).collect();
        let mut watched: Vec<_> = descriptors.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
        watched.extend(client.map(|client| PollFd::new(client, PollFlags::IN)));
        poll(&mut watched, Some(&patience.try_into().unwrap())).unwrap() > 0
    }

    /// Goes on until the client has heard what the test is waiting for.
    pub(super) fn until(&mut self, client: &mut Client, what: impl Fn(&Client) -> bool) {
        loop {
            self.turns();
            client.listen();
            if what(client) {
                return;
            }
            let happened = self.something_happened(PATIENCE, (!client.over).then_some(&client.socket));
            assert!(happened, "nothing happens any more; {}", client.story());
        }
    }

    /// Goes on until the shards are as the test wants them.
    pub(super) fn settle(&mut self, what: impl Fn(&Self) -> bool) {
        loop {
            self.turns();
            if what(self) {
                return;
            }
            assert!(self.something_happened(PATIENCE, None), "nothing happens any more");
        }
    }

    /// Says something on a client's behalf, and goes on until its shard, the first one, has read it.
    pub(super) fn said(&mut self, client: &mut Client, opcode: Opcode, payload: &[u8]) {
        let read = |scene: &Self| scene.shared.stats[0].snapshot().bytes_in;
        let bytes = frame::Header::size(payload.len() as u64, true) + payload.len();
        let before = read(self);
        client.send(opcode, payload);
        self.settle(|scene| read(scene) >= before + bytes as u64);
    }

    /// A connected pair of sockets: ours without waiting, and the client's.
    fn sockets(&self) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
        let (ours, _) = self.listener.accept().unwrap();
        ours.set_nonblocking(true).unwrap();
        client.set_nonblocking(true).unwrap();
        (ours, client)
    }

    /// A client of that shard whose sockets take little, so that a test can fill them.
    pub(super) fn narrow(&mut self, shard: usize, purpose: Purpose) -> Client {
        self.narrow_with(shard, purpose, Extensions::None)
    }

    /// The same, with extensions.
    pub(super) fn narrow_with(&mut self, shard: usize, purpose: Purpose, extensions: Extensions) -> Client {
        let (ours, client) = self.sockets();
        for socket in [SockRef::from(&ours), SockRef::from(&client)] {
            socket.set_send_buffer_size(NARROW).unwrap();
            socket.set_recv_buffer_size(NARROW).unwrap();
        }
        self.adopt(shard, ours, client, purpose, extensions, &[])
    }

    pub(super) fn client(&mut self, shard: usize, purpose: Purpose) -> Client {
        self.client_of(shard, purpose, Extensions::None)
    }

    /// A client whose handshake agreed on extensions.
    pub(super) fn client_of(&mut self, shard: usize, purpose: Purpose, extensions: Extensions) -> Client {
        let (ours, client) = self.sockets();
        self.adopt(shard, ours, client, purpose, extensions, &[])
    }

    /// A client of the first shard, of which the edge has read this much already.
    pub(super) fn client_with(&mut self, leftover: &[u8]) -> Client {
        let (ours, client) = self.sockets();
        self.adopt(0, ours, client, session(), Extensions::None, leftover)
    }

    fn adopt(
        &mut self,
        shard: usize,
        socket: TcpStream,
        client: TcpStream,
        purpose: Purpose,
        extensions: Extensions,
        leftover: &[u8],
    ) -> Client {
        let permit = self.shared.permits.acquire().unwrap();
        let link = Link::plain(socket);
        let context = extensions.has_takeover().then(|| self.shared.permits.acquire().unwrap());
        let agreed = Agreed { extensions, context };
        let leftover = Bytes::copy_from_slice(leftover);
        let arrival = Arrival { link, leftover, purpose, agreed, permit };
        self.shared.mailboxes[shard].put(Letter::Adopt(Box::new(arrival))).unwrap();
        self.turns();
        Client::new(client, extensions)
    }

    /// A client that is connected.
    pub(super) fn connected(&mut self, shard: usize, purpose: Purpose) -> Client {
        let mut client = self.client(shard, purpose);
        client.say(r#"{"id":1,"connect":{}}"#);
        self.until(&mut client, |client| client.texts().count() == 1);
        client.heard.clear();
        client
    }

    /// A client that is connected and subscribed to a channel.
    pub(super) fn member(&mut self, shard: usize, channel: &str) -> Client {
        let client = self.connected(shard, session());
        self.subscribe(client, channel)
    }

    /// The same, with a socket that takes little.
    pub(super) fn narrow_member(&mut self, shard: usize, channel: &str) -> Client {
        let mut client = self.narrow(shard, session());
        client.say(r#"{"id":1,"connect":{}}"#);
        self.subscribe(client, channel)
    }

    pub(super) fn subscribe(&mut self, mut client: Client, channel: &str) -> Client {
        client.say(&format!(r#"{{"id":2,"subscribe":{{"channel":"{channel}"}}}}"#));
        self.until(&mut client, |client| client.texts().any(|text| text.contains(r#""id":2"#)));
        client.heard.clear();
        client
    }

    pub(super) fn shared_mailbox(&self, shard: usize) -> &Mailbox {
        &self.shared.mailboxes[shard]
    }

    /// Whether the socket of that session of the first shard is full.
    pub(super) fn is_blocked(&self, session: u32) -> bool {
        let connection = self.shards[0].connections.get(Key::Session(session));
        connection.is_some_and(|connection| connection.writing == Writing::Blocked)
    }

    /// While the shards sleep, a client reads until the socket of that session of the first shard has room.
    pub(super) fn make_room(&self, client: &mut Client, session: u32) {
        let connection = self.shards[0].connections.get(Key::Session(session)).expect("it is there");
        let room = PollFd::new(&connection.link, PollFlags::OUT);
        let patience = PATIENCE.try_into().unwrap();
        loop {
            client.listen();
            let more = PollFd::new(&client.socket, PollFlags::IN);
            let mut watched = [room.clone(), more];
            assert!(poll(&mut watched, Some(&patience)).unwrap() > 0, "nothing moves; {}", client.story());
            if watched[0].revents().contains(PollFlags::OUT) {
                return;
            }
        }
    }

    pub(super) fn handle(&self) -> EngineHandle {
        EngineHandle::new(self.shared.clone())
    }

    /// How many connections all shards have.
    pub(super) fn connections(&self) -> usize {
        self.shards.iter().map(|shard| shard.connections.len()).sum()
    }
}

/// Somebody on this machine.
pub(super) fn visitor() -> Visitor {
    let client = SocketAddr::from(([127, 0, 0, 1], 1));
    Addresses::new(0).enter(ConnectionInfo::new(client)).expect("there is no limit")
}

pub(super) fn session() -> Purpose {
    session_in(Encoding::Json)
}

pub(super) fn session_in(encoding: Encoding) -> Purpose {
    Purpose::Session { opening: Opening::new(encoding), visitor: visitor() }
}

/// What a client has heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Text(String),
    Binary(Vec<u8>),
    Ping,
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    /// The server has hung up.
    End,
}

/// The other side of a WebSocket.
pub(super) struct Client {
    pub(super) socket: TcpStream,
    ws: ws::Connection,
    pub(super) heard: Vec<Heard>,
    over: bool,
}

impl Client {
    fn new(socket: TcpStream, extensions: Extensions) -> Self {
        let ws = ws::Connection::with_extensions(Role::Client, extensions);
        Self { socket, ws, heard: Vec::new(), over: false }
    }

    pub(super) fn say(&mut self, text: &str) {
        self.send(Opcode::Text, text.as_bytes());
    }

    pub(super) fn send(&mut self, opcode: Opcode, payload: &[u8]) {
        let mut bytes = Vec::new();
        frame::client_frame_into(&mut bytes, opcode, payload, [1, 2, 3, 4]);
        self.socket.write_all(&bytes).unwrap();
    }

    pub(super) fn close(&mut self, code: u16) {
        let mut bytes = Vec::new();
        let frame = self.ws.close(CloseFrame::new(CloseCode::new(code).unwrap(), "")).unwrap();
        frame.encode_into(&mut bytes, Some([9, 9, 9, 9]));
        self.socket.write_all(&bytes).unwrap();
    }

    pub(super) fn publish(&mut self, id: u32, channel: &str, data: &str) {
        self.say(&format!(r#"{{"id":{id},"publish":{{"channel":"{channel}","data":{data}}}}}"#));
    }

    /// Reads what is there.
    pub(super) fn listen(&mut self) {
        let mut bytes = vec![0; 256 << 10];
        while !self.over {
            match self.socket.read(&mut bytes) {
                Ok(0) => self.end(),
                Ok(count) => self.understand(&mut bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => self.end(),
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn end(&mut self) {
        self.over = true;
        self.heard.push(Heard::End);
    }

    fn understand(&mut self, bytes: &mut [u8]) {
        let limits = ws::Limits {
            frame_bytes_max: 32 << 20,
            message_bytes_max: 32 << 20,
            fragments_max: 1,
            ..ws::Limits::default()
        };
        let mut input = ws::Input::new(bytes);
        while let Some(event) = self.ws.next(&mut input, &limits).expect("the server keeps to the protocol") {
            self.heard.push(match event {
                Event::Text(text) => Heard::Text(text.to_owned()),
                Event::Binary(bytes) => Heard::Binary(bytes.to_owned()),
                Event::Ping(_) => Heard::Ping,
                Event::Pong(payload) => Heard::Pong(payload.to_owned()),
                Event::Close(frame) => {
                    Heard::Close(frame.code().map(CloseCode::number), frame.reason().to_owned())
                }
            });
        }
    }

    /// The lines of the text messages that it got: one message may bring several.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> + Clone {
        let texts = self.heard.iter().filter_map(|heard| match heard {
            Heard::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.flat_map(|text| text.split('\n'))
    }

    /// The data of the publications that it got, as JSON.
    pub(super) fn publications(&self) -> Vec<&str> {
        self.texts().filter_map(data_of).collect()
    }

    /// What it has heard, cut to what a person reads.
    fn story(&self) -> String {
        let last = self.heard.iter().rev().take(3).map(|heard| format!("{heard:.200?}"));
        let last: Vec<_> = last.map(|heard| heard.chars().take(200).collect::<String>()).collect();
        format!("heard {} times, last {last:?}", self.heard.len())
    }

    pub(super) fn has_ended(&self) -> bool {
        self.over
    }

    /// The code of the close frame, if there was one.
    pub(super) fn close_code(&self) -> Option<u16> {
        self.heard.iter().find_map(|heard| match heard {
            Heard::Close(code, _) => *code,
            _ => None,
        })
    }
}

/// What follows `"data":` in a push, if it is a number or a string without quotes in it.
fn data_of(push: &str) -> Option<&str> {
    let (_, data) = push.split_once(r#""pub":{"data":"#)?;
    let end = data.find([',', '}'])?;
    Some(&data[..end])
}
