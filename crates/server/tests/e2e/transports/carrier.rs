//! The ways in which a client's frames and the server's get through.

use std::collections::VecDeque;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use spanwire_wire::message::EmulationRequest;
use spanwire_wire::{Encoding, Limits, commands, encode_command, encode_emulation, encode_server_message};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::over_http2;
use super::streaming::{Streaming, post, request_head};
use crate::support::http;
use crate::support::until::within;

/// What a client asks the kernel to buffer for it: little, so that one that does not read is noticed.
pub(crate) const RECEIVE_BYTES: u32 = 32 << 10;

/// A way to carry a session, and the encoding that is spoken over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    WebSocketJson,
    WebSocketProtobuf,
    Http2WebSocketJson,
    Http2WebSocketProtobuf,
    HttpStreamJson,
    HttpStreamProtobuf,
    Sse,
    Poll,
}

/// A session as it is carried.
pub(crate) enum Carried {
    WebSocket(WebSocketStream<Wire>),
    Stream(Streaming),
    /// The connection for polls, and the last batch.
    Poll {
        stream: TcpStream,
        last: u64,
    },
}

/// Whatever brings the bytes of a WebSocket.
pub(crate) type Wire = Box<dyn Duplex>;

pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// What has come from the server.
#[derive(Debug)]
pub(crate) enum Heard {
    Messages(Vec<Value>),
    /// A WebSocket's close frame.
    Closed(u64, String),
    /// The carrier has ended.
    End,
}

impl Carrier {
    pub(crate) fn encoding(self) -> Encoding {
        match self {
            Self::WebSocketProtobuf | Self::Http2WebSocketProtobuf | Self::HttpStreamProtobuf => {
                Encoding::Protobuf
            }
            _ => Encoding::Json,
        }
    }

    /// Whether commands take another way than replies.
    pub(crate) fn is_emulated(self) -> bool {
        matches!(self, Self::HttpStreamJson | Self::HttpStreamProtobuf | Self::Sse | Self::Poll)
    }

    /// Opens a session with this frame as the first.
    pub(crate) async fn open(self, address: SocketAddr, first: &Bytes) -> Carried {
        match self {
            Self::WebSocketJson => Carried::WebSocket(websocket(address, None, first).await),
            Self::WebSocketProtobuf => {
                Carried::WebSocket(websocket(address, Some("centrifuge-protobuf"), first).await)
            }
            Self::Http2WebSocketJson => Carried::WebSocket(on_http2(address, None, first).await),
            Self::Http2WebSocketProtobuf => {
                Carried::WebSocket(on_http2(address, Some("centrifuge-protobuf"), first).await)
            }
            Self::HttpStreamJson => Carried::Stream(
                Streaming::post(address, "/connection/http_stream", "application/json", first).await,
            ),
            Self::HttpStreamProtobuf => {
                let octets = "application/octet-stream";
                Carried::Stream(Streaming::post(address, "/connection/http_stream", octets, first).await)
            }
            Self::Sse => {
                let path = format!("/connection/sse?cf_connect={}", percent_encoded(first));
                Carried::Stream(Streaming::get(address, &path).await)
            }
            Self::Poll => Carried::Poll { stream: narrow(address).await, last: 0 },
        }
    }

    /// A command in the form in which its frames hold it.
    pub(crate) fn encode(self, command: &Value) -> Bytes {
        let text = command.to_string();
        match self.encoding() {
            Encoding::Json => text.into(),
            Encoding::Protobuf => {
                let mut read = commands(Encoding::Json, text.as_bytes(), &Limits::COMMANDS);
                encode_command(Encoding::Protobuf, &read.next().expect("one").expect("a command"))
            }
        }
    }

    /// The messages of a frame.
    pub(crate) fn decode(self, frame: &[u8]) -> Vec<Value> {
        let as_json = |message| {
            let text = encode_server_message(Encoding::Json, &message);
            serde_json::from_slice(&text).expect("it was made just now")
        };
        match self.encoding() {
            Encoding::Json => {
                let lines = frame.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
                lines.map(|line| serde_json::from_slice(line).expect("the server speaks JSON")).collect()
            }
            Encoding::Protobuf => {
                let messages = spanwire_wire::server_messages(Encoding::Protobuf, frame, &Limits::REPLIES);
                messages.map(|message| as_json(message.expect("the server speaks Protobuf"))).collect()
            }
        }
    }

    /// Sends a frame to a session that hears elsewhere.
    pub(crate) async fn emulate(self, address: SocketAddr, session: &str, node: &str, frame: Bytes) -> u16 {
        let request = EmulationRequest { node: node.to_owned(), session: session.to_owned(), data: frame };
        let body = encode_emulation(self.encoding(), &request);
        let content_type = match self.encoding() {
            Encoding::Json => "application/json",
            Encoding::Protobuf => "application/octet-stream",
        };
        post(address, "/emulation", content_type, &body).await.0
    }
}

impl Carried {
    /// What comes next. A stream of Protobuf may be cut anywhere; what is not whole yet waits in `rest`.
    pub(crate) async fn hear(&mut self, carrier: Carrier, rest: &mut Vec<u8>) -> Heard {
        match self {
            Self::WebSocket(socket) => loop {
                match socket.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return Heard::Messages(carrier.decode(text.as_bytes()));
                    }
                    Some(Ok(Message::Binary(bytes))) => return Heard::Messages(carrier.decode(&bytes)),
                    Some(Ok(Message::Close(Some(frame)))) => {
                        return Heard::Closed(u16::from(frame.code).into(), frame.reason.to_string());
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                    Some(Ok(Message::Close(None)) | Err(_)) | None => return Heard::End,
                }
            },
            Self::Stream(stream) => match stream.next().await {
                None => Heard::End,
                Some(chunk) => {
                    rest.extend_from_slice(&chunk);
                    let whole = whole(carrier, rest);
                    let taken: Vec<u8> = rest.drain(..whole).collect();
                    Heard::Messages(carrier.decode(&unframed(carrier, &taken)))
                }
            },
            Self::Poll { .. } => unreachable!("who polls is asked by Client"),
        }
    }

    /// Sends a frame on the carrier itself.
    pub(crate) async fn say(&mut self, carrier: Carrier, frame: Bytes) {
        let Self::WebSocket(socket) = self else { unreachable!("{carrier:?} takes frames by /emulation") };
        let message = match carrier.encoding() {
            Encoding::Json => Message::text(String::from_utf8_lossy(&frame).into_owned()),
            Encoding::Protobuf => Message::Binary(frame),
        };
        // A server that has had enough of us closes; the scene will read that.
        let _ = socket.send(message).await;
    }
}

/// One poll on a connection that may have been used before: the status, the number of the batch and the replies.
pub(crate) async fn poll(
    stream: &mut TcpStream,
    address: SocketAddr,
    body: &Value,
) -> (u16, u64, VecDeque<Value>) {
    let body = body.to_string();
    let head = request_head("POST", "/connection/poll", address, "text/plain", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.expect("the server reads");
    let answer = http::answer(stream).await;
    if answer.status != 200 {
        return (answer.status, 0, VecDeque::new());
    }
    let mut answer = answer.json();
    let Value::Array(replies) = answer["replies"].take() else { panic!("no replies in {answer}") };
    (200, answer["batch"].as_u64().expect("a number"), replies.into())
}

/// The body that opens a session by polling.
pub(crate) fn opening(first: &[u8]) -> Value {
    json!({ "data": String::from_utf8_lossy(first) })
}

/// A socket that takes little.
pub(crate) async fn narrow(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("there are descriptors");
    socket.set_recv_buffer_size(RECEIVE_BYTES).expect("less is always possible");
    within("a connection", socket.connect(address)).await.expect("the server accepts")
}

async fn websocket(address: SocketAddr, protocol: Option<&str>, first: &Bytes) -> WebSocketStream<Wire> {
    let url = format!("ws://{address}/connection/websocket");
    let mut request = url.into_client_request().expect("a URL");
    if let Some(protocol) = protocol {
        let value = protocol.parse().expect("a header's value");
        request.headers_mut().insert("Sec-WebSocket-Protocol", value);
    }
    let wire: Wire = Box::new(narrow(address).await);
    let handshake = tokio_tungstenite::client_async(request, wire);
    let (socket, _) = within("the handshake", handshake).await.expect("the server shakes hands");
    begin(socket, protocol, first).await
}

/// A WebSocket on a stream of HTTP/2, whose handshake has no part in the WebSocket's own bytes.
async fn on_http2(address: SocketAddr, protocol: Option<&str>, first: &Bytes) -> WebSocketStream<Wire> {
    let wire: Wire = Box::new(over_http2::open(address, protocol).await);
    let socket = WebSocketStream::from_raw_socket(wire, Role::Client, None).await;
    begin(socket, protocol, first).await
}

async fn begin(
    mut socket: WebSocketStream<Wire>,
    protocol: Option<&str>,
    first: &Bytes,
) -> WebSocketStream<Wire> {
    let message = match protocol {
        Some(_) => Message::Binary(first.clone()),
        None => Message::text(String::from_utf8_lossy(first).into_owned()),
    };
    socket.send(message).await.expect("the server is there");
    socket
}

/// How many bytes at the front are whole messages.
fn whole(carrier: Carrier, bytes: &[u8]) -> usize {
    if carrier.encoding() == Encoding::Json {
        let end = if carrier == Carrier::Sse { &b"\n\n"[..] } else { b"\n" };
        let last = bytes.windows(end.len()).rposition(|window| window == end);
        return last.map_or(0, |at| at + end.len());
    }
    let mut at = 0;
    while let Some((length, prefix)) = length_at(&bytes[at..]) {
        if at + prefix + length > bytes.len() {
            break;
        }
        at += prefix + length;
    }
    at
}

/// The LEB128 length at the front, and how many bytes it takes.
fn length_at(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0;
    for (index, byte) in bytes.iter().enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((length, index + 1));
        }
    }
    None
}

/// Events without what makes them events.
fn unframed(carrier: Carrier, bytes: &[u8]) -> Vec<u8> {
    if carrier != Carrier::Sse {
        return bytes.to_vec();
    }
    let text = String::from_utf8_lossy(bytes);
    let data: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    data.join("\n").into_bytes()
}

pub(crate) fn percent_encoded(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}
