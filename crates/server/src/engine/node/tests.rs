//! The whole engine on its own threads, with an edge that knows no HTTP: every connection is a WebSocket at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use spanwire_hub::channel::Channel;
use spanwire_hub::{Authenticate, Credentials, Grant, Opening, Refusal};
use spanwire_wire::Encoding;
use spanwire_ws::{CloseCode, CloseFrame, Event, Input, Limits, Opcode, Role, frame};

use super::*;
use crate::auth::{Authorize, ConnectionInfo};
use crate::engine::handle::Stopped;
use crate::engine::shard::tests::scene;
use crate::engine::{Addresses, Arrival, Incoming, Link, Purpose};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

async fn adopt(incoming: Incoming) {
    let Incoming { stream, peer, shard, permit } = incoming;
    let opening = Opening::new(Encoding::Json);
    let visitor = Addresses::new(0).enter(ConnectionInfo::new(peer)).unwrap();
    let purpose = Purpose::Session { opening, visitor };
    let socket = stream.into_std().unwrap();
    let link = Link::plain(socket);
    shard.adopt(Arrival { link, leftover: Default::default(), purpose, agreed: Default::default(), permit });
}

fn config() -> EngineConfig {
    EngineConfig {
        shards: 2,
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        serve: Arc::new(|incoming| Box::pin(adopt(incoming))),
        ..scene::config()
    }
}

struct Client {
    socket: TcpStream,
    ws: spanwire_ws::Connection,
}

impl Client {
    fn connect(engine: &Engine) -> Self {
        let socket = TcpStream::connect(engine.addresses()[0]).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Self { socket, ws: spanwire_ws::Connection::new(Role::Client) };
        client.say(r#"{"id":1,"connect":{}}"#);
        assert!(client.hear().starts_with(r#"{"id":1,"connect""#));
        client
    }

    fn say(&mut self, text: &str) {
        let mut bytes = Vec::new();
        frame::client_frame_into(&mut bytes, Opcode::Text, text.as_bytes(), [1, 2, 3, 4]);
        self.socket.write_all(&bytes).unwrap();
    }

    /// The next message; a close frame is answered, and heard as its code.
    fn hear(&mut self) -> String {
        loop {
            // One byte more at a time, so that nothing behind the message is read.
            let mut byte = [0];
            self.socket.read_exact(&mut byte).unwrap();
            let heard = match self.ws.next(&mut Input::new(&mut byte), &Limits::default()).unwrap() {
                Some(Event::Text(text)) => text.to_owned(),
                Some(Event::Close(frame)) => frame.code().map_or(0, CloseCode::number).to_string(),
                _ => continue,
            };
            if let Some(answer) = self.ws.answer() {
                self.answer(&answer);
            }
            return heard;
        }
    }

    fn answer(&mut self, frame: &CloseFrame<'_>) {
        let mut bytes = Vec::new();
        frame.encode_into(&mut bytes, Some([5, 6, 7, 8]));
        self.socket.write_all(&bytes).unwrap();
    }

    fn is_hung_up_on(&mut self) -> bool {
        matches!(self.socket.read(&mut [0; 1]), Ok(0) | Err(_))
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, future).await.expect("it takes too long") })
}

#[test]
fn clients_of_all_shards_hear_each_other() {
    let engine = Engine::start(config()).unwrap();
    let mut clients: Vec<_> = (0..16).map(|_| Client::connect(&engine)).collect();
    for client in &mut clients {
        client.say(r#"{"id":2,"subscribe":{"channel":"a"}}"#);
        assert!(client.hear().starts_with(r#"{"id":2,"subscribe""#));
    }
    clients[0].say(r#"{"id":3,"publish":{"channel":"a","data":"hello"}}"#);
    let replied = (0..2).filter(|_| clients[0].hear().contains(r#""id":3"#)).count();
    assert_eq!(replied, 1, "the publisher hears its reply and its publication");
    for client in &mut clients[1..] {
        assert!(client.hear().contains(r#""data":"hello""#));
    }
    assert_eq!(wait(engine.handle().channels()).unwrap(), [("a".to_owned(), 16)].into());
    assert_eq!(wait(engine.handle().census()).unwrap().clients, 16);
    engine.stop();
}

#[test]
fn a_drained_engine_has_told_everybody_and_accepts_nobody() {
    let mut engine = Engine::start(config()).unwrap();
    let clients: Vec<_> = (0..8).map(|_| Client::connect(&engine)).collect();
    let clients = std::thread::spawn(move || {
        for mut client in clients {
            assert_eq!(client.hear(), "3001");
            assert!(client.is_hung_up_on());
        }
    });
    wait(engine.handle().drain(PATIENCE));
    clients.join().unwrap();
    let (handle, address) = (engine.handle(), engine.addresses()[0]);
    handle.stop();
    assert_eq!(wait(engine.ended()), Ok(()));
    engine.stop();
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(wait(handle.census()), Err(Stopped));
}

#[test]
fn more_connections_than_there_may_be_are_hung_up_on() {
    let engine = Engine::start(EngineConfig { connections_max: 2, ..config() }).unwrap();
    let mut clients = [Client::connect(&engine), Client::connect(&engine)];
    let mut third = TcpStream::connect(engine.addresses()[0]).unwrap();
    third.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(matches!(third.read(&mut [0; 1]), Ok(0) | Err(_)));
    assert_eq!(engine.handle().stats().iter().map(|shard| shard.connections_refused).sum::<u64>(), 1);
    for client in &mut clients {
        client.say(r#"{"id":2,"subscribe":{"channel":"a"}}"#);
        assert!(client.hear().starts_with(r#"{"id":2,"subscribe""#));
    }
}

/// Has a mistake in it.
#[derive(Debug)]
struct Broken;

impl Authorize for Broken {
    fn authenticate(&self, _: u64, _: &Authenticate, _: &ConnectionInfo) -> Result<Credentials, Refusal> {
        panic!("a mistake");
    }

    fn refresh(&self, _: u64, _: &str) -> Result<Credentials, Refusal> {
        Ok(Credentials::default())
    }

    fn verify_subscription(&self, _: u64, _: &str, _: &Channel, _: &str) -> Result<Grant, Refusal> {
        Ok(Grant::default())
    }
}

#[test]
fn a_shard_that_panics_ends_the_node_with_its_reason() {
    let mut engine = Engine::start(EngineConfig { authorize: Arc::new(Broken), ..config() }).unwrap();
    let mut socket = TcpStream::connect(engine.addresses()[0]).unwrap();
    let mut bytes = Vec::new();
    frame::client_frame_into(&mut bytes, Opcode::Text, br#"{"id":1,"connect":{}}"#, [1, 2, 3, 4]);
    socket.write_all(&bytes).unwrap();
    let failure = wait(engine.ended()).unwrap_err();
    assert_eq!(failure.reason, "a mistake");
    assert_eq!(wait(engine.handle().census()), Err(Stopped));
    engine.stop();
}
