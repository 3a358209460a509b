//! A client of the protocol, whatever carries it. It thinks in JSON; its carrier may speak Protobuf.

use std::collections::VecDeque;
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::carrier::{Carried, Carrier, Heard, opening, poll};
use crate::support::until::within;

/// One client.
pub(crate) struct Client {
    carrier: Carrier,
    address: SocketAddr,
    carried: Carried,
    /// What came before it was wanted.
    inbox: VecDeque<Value>,
    rest: Vec<u8>,
    last_id: u64,
    session: String,
    node: String,
    /// Whether pings are answered. One that does not is one that has died without a word.
    pub(crate) answers_pings: bool,
}

/// The next thing that a client hears.
#[derive(Debug)]
enum Next {
    Message(Value),
    /// The session has ended with this code.
    Closed(u64, String),
    /// The carrier has ended without saying why.
    End,
}

impl Client {
    /// Connects without a token.
    pub(crate) async fn connect(address: SocketAddr, carrier: Carrier) -> Self {
        Self::connect_as(address, carrier, json!({})).await
    }

    /// Connects with this request, which must be granted.
    pub(crate) async fn connect_as(address: SocketAddr, carrier: Carrier, request: Value) -> Self {
        let mut client = Self::open(address, carrier, request).await;
        let result = client.reply(1, "connect").await["connect"].take();
        assert!(result["client"].is_string(), "{result}");
        client.session = result["session"].as_str().unwrap_or_default().to_owned();
        client.node = result["node"].as_str().unwrap_or_default().to_owned();
        assert_eq!(!client.session.is_empty(), carrier.is_emulated(), "{result}");
        assert_eq!(!client.node.is_empty(), carrier.is_emulated(), "{result}");
        client
    }

    /// Sends a connect request and waits for nothing.
    pub(crate) async fn open(address: SocketAddr, carrier: Carrier, request: Value) -> Self {
        Self::open_with(address, carrier, &carrier.encode(&json!({ "id": 1, "connect": request }))).await
    }

    /// Opens a session with these bytes as its first frame.
    pub(crate) async fn open_with(address: SocketAddr, carrier: Carrier, first: &[u8]) -> Self {
        let first = tokio_tungstenite::tungstenite::Bytes::copy_from_slice(first);
        let carried = carrier.open(address, &first).await;
        let mut client = Self {
            carrier,
            address,
            carried,
            inbox: VecDeque::new(),
            rest: Vec::new(),
            last_id: 1,
            session: String::new(),
            node: String::new(),
            answers_pings: true,
        };
        if let Carried::Poll { stream, last } = &mut client.carried {
            let (status, batch, replies) = within("a poll", poll(stream, address, &opening(&first))).await;
            assert_eq!((status, batch), (200, 1));
            (*last, client.inbox) = (batch, replies);
        }
        client
    }

    /// Connects and subscribes.
    pub(crate) async fn subscribe(address: SocketAddr, carrier: Carrier, channel: &str) -> Self {
        let mut client = Self::connect(address, carrier).await;
        client.call("subscribe", json!({ "channel": channel })).await;
        client
    }

    /// The session id that the client was told; empty if its transport needs none.
    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    /// Sends a command and returns its id.
    pub(crate) async fn say(&mut self, method: &str, request: Value) -> u64 {
        self.last_id += 1;
        self.send(&json!({ "id": self.last_id, method: request })).await;
        self.last_id
    }

    /// Sends commands in one frame.
    pub(crate) async fn send_all(&mut self, commands: &[Value]) {
        let encoded: Vec<_> = commands.iter().map(|command| self.carrier.encode(command)).collect();
        let separator = self.carrier.encoding().separator();
        self.frame(encoded.join(separator).into()).await;
    }

    async fn send(&mut self, command: &Value) {
        self.frame(self.carrier.encode(command)).await;
    }

    async fn frame(&mut self, frame: tokio_tungstenite::tungstenite::Bytes) {
        if self.carrier.is_emulated() {
            let status = self.carrier.emulate(self.address, &self.session, &self.node, frame).await;
            assert_eq!(status, 204);
        } else {
            self.carried.say(self.carrier, frame).await;
        }
    }

    /// Sends a command which must succeed, and returns its result.
    pub(crate) async fn call(&mut self, method: &str, request: Value) -> Value {
        let id = self.say(method, request.clone()).await;
        let mut reply = self.reply(id, method).await;
        assert!(reply["error"].is_null() && reply[method].is_object(), "{method} {request}: {reply}");
        reply[method].take()
    }

    /// Sends a command which must be refused, and returns the error code.
    pub(crate) async fn refusal(&mut self, method: &str, request: Value) -> u64 {
        let id = self.say(method, request.clone()).await;
        let reply = self.reply(id, method).await;
        reply["error"]["code"].as_u64().unwrap_or_else(|| panic!("{method} {request} was granted: {reply}"))
    }

    pub(crate) async fn reply(&mut self, id: u64, method: &str) -> Value {
        self.take(&format!("the reply to {method}"), |message| message["id"] == id).await
    }

    /// The ids of the next replies.
    pub(crate) async fn ids(&mut self, count: usize) -> Vec<u64> {
        let mut ids = Vec::new();
        while ids.len() < count {
            let reply = self.take("a reply", |message| message["id"].is_u64()).await;
            ids.push(reply["id"].as_u64().expect("an id"));
        }
        ids
    }

    /// The next push of this kind, with its channel.
    pub(crate) async fn push(&mut self, kind: &str) -> Value {
        let found = |message: &Value| !message["push"][kind].is_null();
        self.take(&format!("a {kind} push"), found).await["push"].take()
    }

    /// The data of the next publications.
    pub(crate) async fn publications(&mut self, count: usize) -> Vec<Value> {
        let mut all = Vec::with_capacity(count);
        while all.len() < count {
            all.push(self.push("pub").await["pub"]["data"].take());
        }
        all
    }

    /// Waits for pings of the server, whose pongs are left to `answers_pings`.
    pub(crate) async fn pings(&mut self, count: usize) {
        let mut seen = 0;
        while seen < count {
            match within("a ping", self.next()).await {
                Next::Message(message) if is_ping(&message) => seen += 1,
                Next::Message(message) => self.inbox.push_back(message),
                over => panic!("{over:?} before a ping"),
            }
        }
    }

    /// The code with which the session ends, and its reason. What comes before that is lost.
    pub(crate) async fn closed(&mut self) -> (u64, String) {
        within("the end", async {
            loop {
                match self.next().await {
                    Next::Message(_) => {}
                    Next::Closed(code, reason) => return (code, reason),
                    Next::End => panic!("it ended without a reason"),
                }
            }
        })
        .await
    }

    async fn take(&mut self, what: &str, found: impl Fn(&Value) -> bool) -> Value {
        if let Some(index) = self.inbox.iter().position(&found) {
            return self.inbox.remove(index).expect("it was found there");
        }
        let mut before = std::mem::take(&mut self.inbox);
        let message = loop {
            match within(what, self.next()).await {
                Next::Message(message) if found(&message) => break message,
                Next::Message(message) => before.push_back(message),
                over => panic!("{over:?} before {what}; there was {before:?}"),
            }
        };
        before.append(&mut self.inbox);
        self.inbox = before;
        message
    }

    /// The next message, or the end of the session.
    async fn next(&mut self) -> Next {
        loop {
            if let Some(message) = self.inbox.pop_front() {
                if is_ping(&message) && self.answers_pings {
                    self.send(&json!({})).await;
                }
                let disconnect = &message["push"]["disconnect"];
                if let Some(code) = disconnect["code"].as_u64() {
                    assert!(self.carrier.is_emulated(), "a WebSocket has a close frame for this: {message}");
                    let reason = disconnect["reason"].as_str().unwrap_or_default();
                    return Next::Closed(code, reason.to_owned());
                }
                return Next::Message(message);
            }
            let heard = match &mut self.carried {
                Carried::Poll { stream, last } => {
                    let body = json!({ "session": self.session, "node": self.node, "ack": *last });
                    match poll(stream, self.address, &body).await {
                        (200, batch, replies) => {
                            *last = batch;
                            Heard::Messages(replies.into())
                        }
                        _ => Heard::End,
                    }
                }
                carried => carried.hear(self.carrier, &mut self.rest).await,
            };
            match heard {
                Heard::Messages(messages) => self.inbox.extend(messages),
                Heard::Closed(code, reason) => return Next::Closed(code, reason),
                Heard::End => return Next::End,
            }
        }
    }
}

fn is_ping(message: &Value) -> bool {
    message.as_object().is_some_and(serde_json::Map::is_empty)
}
