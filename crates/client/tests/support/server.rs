// A server that says what it is told to: the other side of a scene, over real sockets. Examples of the documentation
// include this file, which is why no attribute stands here.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};
use spanwire_ws::handshake::head::parse_request;
use spanwire_ws::handshake::server::{OriginVerdict, Policy, accept};
use spanwire_ws::{CloseCode, CloseFrame, Connection, Event, HeadLimits, Input, Limits, Opcode, Role, frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How long a scene waits for anything before it calls it missing. It is no part of any expectation.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for a future, and says what was missing when it does not come.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} for {what}"),
    }
}

/// Listens on a free port of loopback.
pub struct Server {
    listener: TcpListener,
    pub url: String,
}

/// The server's end of one WebSocket.
pub struct Peer {
    stream: TcpStream,
    connection: Connection,
    /// Commands that were heard and not asked for yet.
    heard: VecDeque<Value>,
    /// The commands that were asked for, for their ids.
    commands: Vec<Value>,
    closed: Option<u16>,
}

impl Server {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        Self { listener, url: format!("ws://{address}/connection/websocket") }
    }

    /// The beginning of a client of it, which takes WebSockets only, and has as much patience as the scene.
    pub fn client(&self) -> spanwire_client::Builder {
        let limits =
            spanwire_client::Limits { connect_within: PATIENCE, ..spanwire_client::Limits::default() };
        spanwire_client::Client::builder(&self.url)
            .transports([spanwire_client::Transport::WebSocket])
            .limits(limits)
    }

    /// The next connection that is opened, as a stream of bytes.
    pub async fn stream(&self) -> TcpStream {
        within("a connection", self.listener.accept()).await.expect("it can be accepted").0
    }

    /// The next WebSocket that is opened.
    pub async fn peer(&self) -> Peer {
        Peer::greet(self.stream().await).await
    }

    /// The next WebSocket, whose connect command is answered.
    pub async fn welcomed(&self) -> Peer {
        let mut peer = self.peer().await;
        peer.hears("connect").await;
        peer.answers("connect", json!({ "client": "me", "version": "t" })).await;
        peer
    }
}

impl Peer {
    async fn greet(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        let mut head = Vec::new();
        while head.is_empty() {
            let count = within("a request", stream.read_buf(&mut bytes)).await.expect("bytes");
            assert_ne!(count, 0, "the client hung up in the middle of a handshake");
            if let Some(request) = parse_request(&bytes, &HeadLimits::default()).expect("HTTP") {
                let policy = Policy { origin: &|_| OriginVerdict::Allow, subprotocols: &[], deflate: None };
                accept(&request.request, &policy).expect("a handshake").encode_into(&mut head);
            }
        }
        stream.write_all(&head).await.expect("the client reads");
        Self {
            stream,
            connection: Connection::new(Role::Server),
            heard: VecDeque::new(),
            commands: Vec::new(),
            closed: None,
        }
    }

    /// The parameters of the next command, which must be of this method. Pongs are passed over.
    pub async fn hears(&mut self, method: &str) -> Value {
        let command =
            within(method, self.next()).await.unwrap_or_else(|| panic!("it hung up before {method}"));
        assert!(command.get(method).is_some(), "expected {method}, heard {command}");
        self.commands.push(command.clone());
        command[method].clone()
    }

    /// Answers the last command of this method.
    pub async fn answers(&mut self, method: &str, result: Value) {
        let id = self.id(method);
        self.says(&json!({ "id": id, method: result }).to_string()).await;
    }

    /// Refuses the last command of this method.
    pub async fn refuses(&mut self, method: &str, code: u32, temporary: bool) {
        let id = self.id(method);
        let error = json!({ "code": code, "message": "no", "temporary": temporary });
        self.says(&json!({ "id": id, "error": error }).to_string()).await;
    }

    /// The id of the last command of this method.
    pub fn id(&self, method: &str) -> Value {
        let command = self.commands.iter().rfind(|command| command.get(method).is_some());
        command.unwrap_or_else(|| panic!("no {method} was heard"))["id"].clone()
    }

    /// Hears a subscribe command for this channel, and answers it with these members.
    pub async fn lets_in(&mut self, channel: &str, result: Value) -> Value {
        let asked = self.hears("subscribe").await;
        assert_eq!(asked["channel"], channel);
        self.answers("subscribe", result).await;
        asked
    }

    /// Publishes these offsets to a channel, with themselves as data.
    pub async fn publishes(&mut self, channel: &str, offsets: impl IntoIterator<Item = u64>) {
        for offset in offsets {
            let publication = json!({ "data": offset, "offset": offset });
            self.says(&json!({ "push": { "channel": channel, "pub": publication } }).to_string()).await;
        }
    }

    /// Sends a text, which may be several messages.
    pub async fn says(&mut self, text: &str) {
        let mut out = Vec::new();
        frame::server_frame_into(&mut out, Opcode::Text, text.as_bytes());
        self.stream.write_all(&out).await.expect("the client reads");
    }

    /// Sends a close frame, and hangs up.
    pub async fn closes(mut self, code: u16, reason: &str) {
        let mut out = Vec::new();
        let code = CloseCode::new(code).expect("a code that may travel");
        CloseFrame::new(code, reason).encode_into(&mut out, None);
        self.stream.write_all(&out).await.expect("the client reads");
    }

    /// Waits until the client closes; the result is its code.
    pub async fn closed(mut self) -> Option<u16> {
        while within("the close", self.next()).await.is_some() {}
        self.closed
    }

    /// The next command; `None` when the client has closed.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(command) = self.heard.pop_front() {
                return Some(command);
            }
            let mut bytes = vec![0; 16 << 10];
            let count = self.stream.read(&mut bytes).await.ok().filter(|count| *count > 0)?;
            let mut input = Input::new(&mut bytes[..count]);
            let limits = Limits { frame_bytes_max: 4 << 20, message_bytes_max: 4 << 20, ..Limits::default() };
            while let Some(event) = self.connection.next(&mut input, &limits).expect("RFC 6455") {
                match event {
                    Event::Text(text) => {
                        let commands = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
                        self.heard.extend(commands.filter(|command: &Value| command.get("id").is_some()));
                    }
                    Event::Close(close) => self.closed = close.code().map(|code| code.number()),
                    _ => {}
                }
            }
            if self.closed.is_some() && self.heard.is_empty() {
                return None;
            }
        }
    }
}
