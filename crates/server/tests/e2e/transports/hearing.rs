//! Clients that only hear, over each transport that they have.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::carrier::{narrow, percent_encoded};
use super::scenes::metric;
use super::streaming::Streaming;
use crate::support::http::api;
use crate::support::server::Server;
use crate::support::token::signed;
use crate::support::until::{until, within};

/// A way to hear.
#[derive(Clone, Copy, Debug)]
enum Way {
    WebSocket,
    Sse,
    HttpStream,
}

/// One that hears.
enum Ear {
    WebSocket(WebSocketStream<TcpStream>),
    /// With the bytes of an event that is not whole yet.
    Stream(Streaming, Vec<u8>),
}

struct Listener {
    ear: Ear,
    inbox: std::collections::VecDeque<Value>,
    /// The close frame, for a way that has one.
    closed: Option<u16>,
}

impl Listener {
    async fn open(server: &Server, way: Way, request: &Value) -> Self {
        let query = format!("?cf_connect={}", percent_encoded(request.to_string().as_bytes()));
        let ear = match way {
            Way::Sse => Ear::Stream(
                Streaming::get(server.address, &format!("/connection/uni_sse{query}")).await,
                Vec::new(),
            ),
            Way::HttpStream => {
                let (path, body) = ("/connection/uni_http_stream", request.to_string());
                let stream = Streaming::post(server.address, path, "application/json", body.as_bytes());
                Ear::Stream(stream.await, Vec::new())
            }
            Way::WebSocket => {
                let url = format!("ws://{}/connection/uni_websocket", server.address);
                let handshake = tokio_tungstenite::client_async(url, narrow(server.address).await);
                let (mut socket, _) = within("the handshake", handshake).await.expect("it shakes hands");
                socket.send(Message::text(request.to_string())).await.expect("the server is there");
                Ear::WebSocket(socket)
            }
        };
        Self { ear, inbox: std::collections::VecDeque::new(), closed: None }
    }

    /// The next push; `None` at the end.
    async fn next(&mut self) -> Option<Value> {
        within("a push", async {
            loop {
                if let Some(push) = self.inbox.pop_front() {
                    return Some(push);
                }
                let text = match &mut self.ear {
                    Ear::WebSocket(socket) => match socket.next().await {
                        Some(Ok(Message::Text(text))) => text.to_string(),
                        Some(Ok(Message::Close(frame))) => {
                            self.closed = frame.map(|frame| frame.code.into());
                            return None;
                        }
                        Some(Ok(_)) => continue,
                        Some(Err(_)) | None => return None,
                    },
                    Ear::Stream(stream, rest) => {
                        rest.extend_from_slice(&stream.next().await?);
                        let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                        String::from_utf8(rest.drain(..whole).collect()).expect("the server speaks JSON")
                    }
                };
                let lines = text.lines().map(|line| line.strip_prefix("data: ").unwrap_or(line));
                let pushes = lines.filter(|line| !line.trim().is_empty());
                self.inbox.extend(pushes.map(|line| serde_json::from_str::<Value>(line).expect("JSON")));
            }
        })
        .await
    }

    /// The next push of this kind; others are passed over.
    async fn push(&mut self, kind: &str) -> Value {
        loop {
            let push = self.next().await.unwrap_or_else(|| panic!("the end before a {kind} push"));
            if !push[kind].is_null() {
                return push;
            }
        }
    }
}

fn open() -> Value {
    json!({
        "uni_websocket": { "enabled": true },
        "uni_sse": { "enabled": true },
        "uni_http_stream": { "enabled": true },
    })
}

async fn publish(server: &Server, channel: &str, data: u32) {
    api(server.address, "publish", &json!({ "channel": channel, "data": data })).await;
}

async fn a_listener_hears_its_channels_and_recovers_what_it_missed(way: Way) {
    let server = Server::serve(open()).await;
    let mut first =
        Listener::open(&server, way, &json!({ "subs": { "square": {}, "plain:park": {} } })).await;
    let connect = first.next().await.expect("a push")["connect"].take();
    assert!(connect["client"].is_string() && connect["pong"].is_null(), "{connect}");
    let epoch = &connect["subs"]["square"]["epoch"];
    publish(&server, "square", 1).await;
    publish(&server, "plain:park", 2).await;
    let heard = [first.push("pub").await, first.push("pub").await];
    assert_eq!((&heard[0]["channel"], &heard[0]["pub"]["data"]), (&json!("square"), &json!(1)));
    assert_eq!((&heard[1]["channel"], &heard[1]["pub"]["data"]), (&json!("plain:park"), &json!(2)));
    drop(first);
    publish(&server, "square", 3).await;
    let since = json!({ "subs": { "square": { "recover": true, "offset": 1, "epoch": epoch } } });
    let mut second = Listener::open(&server, way, &since).await;
    let result = second.next().await.expect("a push")["connect"]["subs"]["square"].take();
    assert_eq!(result["recovered"], true, "{result}");
    assert_eq!(result["publications"][0]["data"], 3, "{result}");
    publish(&server, "square", 4).await;
    assert_eq!(second.push("pub").await["pub"]["data"], 4);
}

async fn a_listener_hears_no_more_than_it_could_subscribe_to(way: Way) {
    let server = Server::serve(open()).await;
    let mut stranger = Listener::open(&server, way, &json!({ "subs": { "closed:door": {} } })).await;
    let disconnect = stranger.push("disconnect").await["disconnect"].take();
    assert_eq!((&disconnect["code"], &disconnect["reason"]), (&json!(3507), &json!("permission denied")));
    assert!(stranger.next().await.is_none());
    assert!(stranger.closed.is_none_or(|code| code == 3507), "{:?}", stranger.closed);
}

async fn a_listener_is_pinged_counted_and_told_when_it_must_go(way: Way, name: &str) {
    let mut config = open();
    config["client"] = json!({ "ping_interval": "1s", "pong_timeout": "500ms" });
    let mut server = Server::serve(config).await;
    let request = json!({ "token": signed(json!({ "sub": "ben" })), "subs": { "square": {} } });
    let mut ben = Listener::open(&server, way, &request).await;
    ben.push("connect").await;
    let gauge = format!("spanwire_transport_sessions{{transport=\"{name}\"}}");
    assert_eq!(metric(&server, &gauge).await, 1.0);
    let presence = api(server.address, "presence", &json!({ "channel": "square" })).await;
    let present = presence["result"]["presence"].as_object().expect("clients").values().next();
    assert_eq!(present.map(|client| &client["user"]), Some(&json!("ben")));
    // Three pings without an answer, where one would be owed after half a second.
    for _ in 0..3 {
        while ben.next().await.expect("a ping") != json!({}) {}
    }
    server.terminate();
    assert_eq!(ben.push("disconnect").await["disconnect"]["code"], 3001);
    assert!(ben.next().await.is_none());
    drop(ben);
    assert!(server.ended().await.success());
}

async fn a_listener_that_does_not_read_is_let_go(way: Way) {
    let mut config = open();
    config["client"] = json!({ "queue_max_size": 200_000 });
    let server = Server::serve(config).await;
    let mut slow = Listener::open(&server, way, &json!({ "subs": { "plain:flood": {} } })).await;
    slow.push("connect").await;
    let flood = json!({ "channel": "plain:flood", "data": "x".repeat(60_000) });
    let mut published = 0;
    while metric(&server, "spanwire_outbox_overflows_total").await == 0.0 {
        assert!(published < 400, "{way:?} takes no end of messages unread");
        api(server.address, "publish", &flood).await;
        published += 1;
    }
    assert_eq!(slow.push("disconnect").await["disconnect"]["code"], 3008);
}

macro_rules! over {
    ($($row:ident: $way:expr;)*) => { $(
        mod $row {
            use super::Way;

            #[tokio::test]
            async fn a_listener_hears_its_channels_and_recovers_what_it_missed() {
                super::a_listener_hears_its_channels_and_recovers_what_it_missed($way).await;
            }

            #[tokio::test]
            async fn a_listener_hears_no_more_than_it_could_subscribe_to() {
                super::a_listener_hears_no_more_than_it_could_subscribe_to($way).await;
            }

            #[tokio::test]
            async fn a_listener_is_pinged_counted_and_told_when_it_must_go() {
                super::a_listener_is_pinged_counted_and_told_when_it_must_go($way, stringify!($row)).await;
            }

            #[tokio::test]
            async fn a_listener_that_does_not_read_is_let_go() {
                super::a_listener_that_does_not_read_is_let_go($way).await;
            }
        }
    )* };
}

over! {
    uni_websocket: Way::WebSocket;
    uni_sse: Way::Sse;
    uni_http_stream: Way::HttpStream;
}

#[tokio::test]
async fn a_channel_in_the_query_is_enough_for_somebody_with_curl() {
    let server = Server::dev().await;
    let mut stream = Streaming::get(server.address, "/connection/uni_sse?channel=signal:x").await;
    let mut heard = String::new();
    while !heard.contains("connect") {
        heard += &String::from_utf8_lossy(&within("an event", stream.next()).await.expect("a chunk"));
    }
    assert!(heard.starts_with("\r\ndata: {\"connect\":{\"client\":\""), "{heard}");
    let mut peer = crate::support::peer::Peer::connect(server.address).await;
    peer.call("publish", json!({ "channel": "signal:x", "data": "hi" })).await;
    let event = within("an event", stream.next()).await.expect("a chunk");
    let event = String::from_utf8_lossy(&event).into_owned();
    assert!(event.starts_with("data: {\"channel\":\"signal:x\",\"pub\":{\"data\":\"hi\""), "{event}");
}

#[tokio::test]
async fn without_being_told_so_nobody_only_hears() {
    let server = Server::serve(json!({})).await;
    for path in ["uni_sse", "uni_http_stream", "uni_websocket"] {
        let response = crate::support::http::get(server.address, &format!("/connection/{path}")).await;
        assert_eq!(response.status, 404, "{path}");
    }
    until("nothing to be there", async || (metric(&server, "spanwire_sessions").await == 0.0).then_some(()))
        .await;
}
