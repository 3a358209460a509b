//! A client of the protocol's JSON, on tokio-tungstenite: no line of it is shared with the server.

use std::collections::VecDeque;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Bytes, Message};

use super::until::within;

/// The server's ping, and the pong that answers it: an empty object.
pub(crate) const EMPTY: &str = "{}";

/// One raw client.
pub(crate) struct Peer<S = TcpStream> {
    socket: WebSocketStream<S>,
    /// Messages that came in a frame with others, or before a reply that was waited for.
    inbox: VecDeque<Value>,
    last_id: u32,
    /// Whether pings are answered. A peer that does not is one that has died without a word.
    pub(crate) answers_pings: bool,
}

impl Peer {
    /// Shakes hands and says nothing yet.
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self::open_at(address, "/connection/websocket").await
    }

    /// Shakes hands at another path, or with a query.
    pub(crate) async fn open_at(address: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server accepts");
        Self::open_over(stream, &format!("{address}{path}")).await
    }

    /// Shakes hands with one more header; the status code if the server does not.
    pub(crate) async fn open_with(address: SocketAddr, name: &'static str, value: &str) -> Result<Self, u16> {
        let stream = TcpStream::connect(address).await.expect("the server accepts");
        let mut request =
            format!("ws://{address}/connection/websocket").into_client_request().expect("a URL");
        request.headers_mut().insert(name, value.parse().expect("a header"));
        match within("the handshake", tokio_tungstenite::client_async(request, stream)).await {
            Ok((socket, _)) => Ok(Self { socket, inbox: VecDeque::new(), last_id: 0, answers_pings: true }),
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("no handshake: {error}"),
        }
    }

    /// Opens and connects without a token.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::connect_as(address, json!({})).await
    }

    /// Opens and connects with this request.
    pub(crate) async fn connect_as(address: SocketAddr, request: Value) -> Self {
        let mut peer = Self::open(address).await;
        let result = peer.call("connect", request).await;
        assert!(result["client"].is_string(), "{result}");
        peer
    }

    /// Opens, connects and subscribes.
    pub(crate) async fn subscribe(address: SocketAddr, channel: &str) -> Self {
        let mut peer = Self::connect(address).await;
        peer.call("subscribe", json!({ "channel": channel })).await;
        peer
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    /// Shakes hands over a stream, at this host and path, and says nothing yet.
    pub(crate) async fn open_over(stream: S, place: &str) -> Self {
        let handshake = tokio_tungstenite::client_async(format!("ws://{place}"), stream);
        let (socket, _) = within("the handshake", handshake).await.expect("the server shakes hands");
        Self { socket, inbox: VecDeque::new(), last_id: 0, answers_pings: true }
    }

    /// Sends a text message as it is.
    pub(crate) async fn text(&mut self, text: &str) {
        self.send(Message::text(text)).await;
    }

    /// Sends a message as it is.
    pub(crate) async fn send(&mut self, message: Message) {
        self.socket.send(message).await.expect("the server is there");
    }

    /// Sends a message to a server that may have had enough already.
    pub(crate) async fn send_if_it_listens(&mut self, message: Message) {
        let _ = self.socket.send(message).await;
    }

    /// Sends a command and returns its whole reply. Pushes that come before it are kept.
    pub(crate) async fn reply(&mut self, method: &str, request: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        self.text(&json!({ "id": id, method: request }).to_string()).await;
        self.take(&format!("the reply to {method}"), |message| message["id"] == id).await
    }

    /// Sends a command which must succeed, and returns its result.
    pub(crate) async fn call(&mut self, method: &str, request: Value) -> Value {
        let mut reply = self.reply(method, request.clone()).await;
        assert!(reply["error"].is_null() && reply[method].is_object(), "{method} {request}: {reply}");
        reply[method].take()
    }

    /// Sends a command which must be refused, and returns the error code.
    pub(crate) async fn refusal(&mut self, method: &str, request: Value) -> u64 {
        let reply = self.reply(method, request.clone()).await;
        let code = reply["error"]["code"].as_u64();
        code.unwrap_or_else(|| panic!("{method} {request} was to be refused: {reply}"))
    }

    /// The next push of this kind (`pub`, `join`, `unsubscribe` ..), with its channel. Others are kept.
    pub(crate) async fn push(&mut self, kind: &str) -> Value {
        let found = |message: &Value| !message["push"][kind].is_null();
        self.take(&format!("a {kind} push"), found).await["push"].take()
    }

    /// The data of the next publication.
    pub(crate) async fn publication(&mut self) -> Value {
        self.push("pub").await["pub"]["data"].take()
    }

    /// The next replies, whatever they answer.
    pub(crate) async fn replies(&mut self, count: usize) -> Vec<Value> {
        let mut all = Vec::with_capacity(count);
        while all.len() < count {
            all.push(self.take("a reply", |message| message["id"].is_u64()).await);
        }
        all
    }

    /// The data of the next publications.
    pub(crate) async fn publications(&mut self, count: usize) -> Vec<Value> {
        let mut all = Vec::with_capacity(count);
        while all.len() < count {
            all.push(self.publication().await);
        }
        all
    }

    /// The next ping of the server, left unanswered.
    pub(crate) async fn ping(&mut self) {
        self.answers_pings = false;
        self.take("a ping", |message| message.as_object().is_some_and(serde_json::Map::is_empty)).await;
    }

    /// Reads until the server closes, answers that, waits until it has hung up, and returns its code and reason.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        within("the server to close", async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => {
                        // Reading on sends the answer, and then it is for the server to hang up.
                        while let Some(Ok(_)) = self.socket.next().await {}
                        return (frame.code.into(), frame.reason.to_string());
                    }
                    Some(Ok(Message::Close(None))) | None => panic!("closed without a code"),
                    Some(Ok(Message::Text(text))) if self.answers_pings && text.as_str() == EMPTY => {
                        self.send_if_it_listens(Message::text(EMPTY)).await;
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => panic!("cut instead of closed: {error}"),
                }
            }
        })
        .await
    }

    /// Closes in good order and waits until the server has agreed.
    pub(crate) async fn leave(mut self) {
        self.socket.close(None).await.expect("the server is there");
        within("the server to say goodbye", async { while let Some(Ok(_)) = self.socket.next().await {} })
            .await;
    }

    /// Reads one WebSocket message of any kind but ping and pong.
    pub(crate) async fn message(&mut self) -> Message {
        within("a message", async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(message)) => return message,
                    Some(Err(error)) => panic!("cut: {error}"),
                    None => panic!("ended"),
                }
            }
        })
        .await
    }

    /// Reads frames until one has this text in it, and returns the frame as it came.
    pub(crate) async fn message_with(&mut self, text: &str) -> String {
        loop {
            if let Message::Text(frame) = self.message().await
                && frame.contains(text)
            {
                return frame.to_string();
            }
        }
    }

    /// Reads the next message of any kind.
    pub(crate) async fn any_message(&mut self) -> Message {
        within("a message", self.sooner_or_later()).await
    }

    /// The same, whenever it comes: for a peer that may be told nothing for longer than anybody has patience.
    pub(crate) async fn sooner_or_later(&mut self) -> Message {
        match self.socket.next().await {
            Some(Ok(message)) => message,
            other => panic!("{other:?} instead of a message"),
        }
    }

    /// Reads a WebSocket pong, which must be the next message of any kind.
    pub(crate) async fn pong(&mut self) -> Bytes {
        match within("a pong", self.socket.next()).await {
            Some(Ok(Message::Pong(payload))) => payload,
            other => panic!("{other:?} instead of a pong"),
        }
    }

    /// The socket itself, to misuse it.
    pub(crate) fn stream(&mut self) -> &mut S {
        self.socket.get_mut()
    }

    /// Takes the first message that satisfies the condition, and leaves the others in their order.
    async fn take(&mut self, what: &str, found: impl Fn(&Value) -> bool) -> Value {
        let mut seen = 0;
        loop {
            if let Some(index) = self.inbox.iter().skip(seen).position(&found) {
                return self.inbox.remove(seen + index).expect("it was found there");
            }
            seen = self.inbox.len();
            let text = match self.message().await {
                Message::Text(text) => text,
                Message::Close(frame) => panic!("closed with {frame:?} before {what}"),
                other => panic!("{other:?} before {what}"),
            };
            for message in
                text.split('\n').map(|line| serde_json::from_str(line).expect("the server speaks JSON"))
            {
                self.file(message).await;
            }
        }
    }

    async fn file(&mut self, message: Value) {
        if self.answers_pings && message.as_object().is_some_and(serde_json::Map::is_empty) {
            self.text(EMPTY).await;
        } else {
            self.inbox.push_back(message);
        }
    }
}
