//! Sockets that an application's own server has accepted: taken whole where that is possible, else carried.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use futures_util::FutureExt as _;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use spanwire::embed::HandlerLimits;
use spanwire::{Accept, ConnectCtx, DisconnectCtx, Hub, Namespace, Pub, PublishCtx, Reject, RpcCtx};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::peer::Peer;
use crate::support::until::{until, within};

const DAY: Duration = Duration::from_secs(86_400);

/// An application that runs in this process.
pub(super) struct Application {
    pub(super) hub: Hub,
    pub(super) address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<io::Result<()>>,
}

/// Something between HTTP and the socket, as TLS would be.
struct Wrapped(TcpStream);

struct Wrapping(TcpListener);

async fn hub() -> Hub {
    let room = Namespace::open().history(100, DAY).recover().presence().join_leave();
    Hub::builder().anonymous().namespace("chat", room).shards(2).build().await.unwrap()
}

impl Application {
    pub(super) async fn start(hub: Hub) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let app = Router::new().merge(hub.router());
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        let serving = axum::serve(listener, app).with_graceful_shutdown(hub.drain_on(stopped));
        Self { hub, address, stop, server: tokio::spawn(serving.into_future()) }
    }

    async fn wrapped(hub: Hub) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let app = Router::new().merge(hub.router());
        let serving = axum::serve(Wrapping(listener), app).with_graceful_shutdown(hub.drain_on(stopped));
        Self { hub, address, stop, server: tokio::spawn(serving.into_future()) }
    }

    pub(super) async fn end(self) {
        self.stop.send(()).unwrap();
        within("the application to end", self.server).await.unwrap().unwrap();
    }
}

/// A short text frame of a client (RFC 6455, section 5.2), with a mask of zeros.
fn masked(text: &[u8]) -> Vec<u8> {
    [&[0x81, 0x80 | text.len() as u8, 0, 0, 0, 0], text].concat()
}

async fn talk(application: &Application) {
    let mut ann = Peer::subscribe(application.address, "chat:lobby").await;
    let mut bob = Peer::subscribe(application.address, "chat:lobby").await;
    let long = "x".repeat(50_000);
    for data in ["hello", &long] {
        ann.call("publish", json!({ "channel": "chat:lobby", "data": data })).await;
        assert_eq!(bob.publication().await, data);
    }
    assert_eq!(application.hub.presence("chat:lobby").await.unwrap().len(), 2);
    bob.leave().await;
    ann.push("leave").await;
}

#[tokio::test]
async fn a_socket_is_taken_whole_and_nothing_of_it_stays_behind() {
    let application = Application::start(hub().await).await;
    talk(&application).await;
    application.end().await;
}

#[tokio::test]
async fn what_cannot_be_taken_is_carried_and_clients_notice_nothing() {
    let application = Application::wrapped(hub().await).await;
    talk(&application).await;
    let mut peers = Vec::new();
    for _ in 0..10 {
        peers.push(Peer::subscribe(application.address, "chat:lobby").await);
    }
    // One that goes without a word is missed like any other.
    drop(peers.pop());
    let hub = application.hub.clone();
    until("the crowd to be nine", async || {
        (hub.presence_stats("chat:lobby").await == Ok((9, 1))).then_some(())
    })
    .await;
    let ending = tokio::spawn(application.end());
    for peer in &mut peers {
        assert_eq!(peer.closed().await, (3001, "shutdown".to_owned()));
    }
    within("the application to end", ending).await.unwrap();
}

#[tokio::test]
async fn a_websocket_on_a_stream_of_http_2_is_carried_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hub = hub().await;
    let service = TowerToHyperService::new(Router::<()>::new().merge(hub.router()));
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.enable_connect_protocol().serve_connection(TokioIo::new(stream), service).await
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, mut connection) = h2::client::handshake(stream).await.unwrap();
    let settings = std::future::poll_fn(|cx| {
        // The server's settings come first; until they do, it is not known whether it speaks RFC 8441.
        let _ = connection.poll_unpin(cx);
        if client.is_extended_connect_protocol_enabled() { Poll::Ready(()) } else { Poll::Pending }
    });
    within("the server's settings", settings).await;
    tokio::spawn(connection);
    let mut request = http::Request::builder()
        .method("CONNECT")
        .uri(format!("http://{address}/connection/websocket"))
        .header("sec-websocket-version", "13")
        .body(())
        .unwrap();
    request.extensions_mut().insert(h2::ext::Protocol::from_static("websocket"));
    let mut client = client.ready().await.unwrap();
    let (response, mut up) = client.send_request(request, false).unwrap();
    let response = within("the answer", response).await.unwrap();
    assert_eq!(response.status(), 200);
    up.send_data(masked(br#"{"id":1,"connect":{}}"#).into(), false).unwrap();
    let mut down = response.into_body();
    let mut heard = String::new();
    within("the reply", async {
        while !heard.contains("\"connect\":{\"client\"") {
            let bytes = down.data().await.expect("the stream goes on").unwrap();
            heard.push_str(&String::from_utf8_lossy(&bytes));
        }
    })
    .await;
    assert_eq!(hub.census().await.unwrap().clients, 1);
    // Whoever resets the stream is gone.
    up.send_reset(h2::Reason::CANCEL);
    until("the client to be missed", async || (hub.census().await.unwrap().clients == 0).then_some(())).await;
}

#[tokio::test]
async fn commands_that_came_with_the_handshake_are_not_lost() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let application = Application::start(hub().await).await;
    let command = br#"{"id":1,"connect":{}}"#;
    let mut bytes = format!(
        "GET /connection/websocket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        application.address
    )
    .into_bytes();
    bytes.extend(masked(command));
    let mut stream = TcpStream::connect(application.address).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    let mut heard = String::new();
    within("the reply", async {
        let mut bytes = [0; 4096];
        while !heard.contains("\"connect\":{\"client\"") {
            let count = stream.read(&mut bytes).await.unwrap();
            assert_ne!(count, 0, "{heard}");
            heard.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    })
    .await;
}

#[tokio::test]
async fn the_application_publishes_reads_and_orders() {
    let application = Application::start(hub().await).await;
    let hub = &application.hub;
    let mut ann = Peer::subscribe(application.address, "chat:lobby").await;
    let first =
        hub.publish("chat:lobby", json!({ "n": 1 })).key("once").tag("kind", "greeting").await.unwrap();
    assert_eq!(first.offset, Some(1));
    assert_eq!(hub.publish("chat:lobby", json!({ "n": 1 })).key("once").await.unwrap(), first);
    hub.publish("chat:lobby", json!({ "n": 2 })).skip_history().await.unwrap();
    assert_eq!(ann.publications(2).await, [json!({ "n": 1 }), json!({ "n": 2 })]);
    let everything = spanwire_hub::broker::HistoryQuery { limit: None, since: None, reverse: false };
    let history = hub.history("chat:lobby", everything).await.unwrap();
    assert_eq!((history.publications.len(), history.top.offset), (1, 1));
    assert_eq!(history.publications[0].tags["kind"], "greeting");
    assert_eq!(hub.publish("game:1", 1).await.map_err(|error| error.code()), Err(102));
    assert_eq!(hub.presence("plain").await.map_err(|error| error.code()), Err(108));
    assert_eq!(hub.channels().await.unwrap()["chat:lobby"], 1);
    assert!(hub.metrics().await.contains("spanwire_"));
    hub.unsubscribe("", "chat:lobby");
    assert_eq!(ann.push("unsubscribe").await["unsubscribe"]["code"], 2000);
    hub.subscribe("", "chat:lobby").unwrap();
    ann.push("subscribe").await;
    hub.disconnect("");
    assert_eq!(ann.closed().await.0, 3503);
}

#[tokio::test]
async fn a_handler_that_panics_or_never_answers_is_one_calls_trouble_and_nobody_elses() {
    let limits = HandlerLimits { timeout: Duration::from_millis(100), ..HandlerLimits::default() };
    let hub = Hub::builder()
        .limits(limits)
        .on_connect(async |c: ConnectCtx| match c.token.as_str() {
            "panic" => panic!("on purpose"),
            "fail" => Err(std::io::Error::other("the password is swordfish"))?,
            name => Ok(Accept::user(name)),
        })
        .rpc("panic", async |_: RpcCtx, (): ()| -> Result<(), Reject> { panic!("on purpose") })
        .rpc("hang", async |_: RpcCtx, (): ()| {
            std::future::pending::<()>().await;
            Ok(())
        })
        .rpc("echo", async |_: RpcCtx, text: String| Ok(text))
        .build()
        .await
        .unwrap();
    let application = Application::start(hub).await;
    for token in ["panic", "fail"] {
        let mut unlucky = Peer::open(application.address).await;
        let reply = unlucky.reply("connect", json!({ "token": token })).await;
        let internal = json!({ "code": 100, "message": "internal server error", "temporary": true });
        assert_eq!(reply["error"], internal, "{token}");
    }
    let mut ann = Peer::connect_as(application.address, json!({ "token": "ann" })).await;
    for method in ["panic", "hang"] {
        assert_eq!(ann.refusal("rpc", json!({ "method": method })).await, 100, "{method}");
    }
    assert_eq!(
        ann.call("rpc", json!({ "method": "echo", "data": "still here" })).await["data"],
        "still here"
    );
    let metrics = application.hub.metrics().await;
    assert!(
        metrics.contains(r#"spanwire_proxy_questions_total{proxy="rpc panic",outcome="panicked"} 1"#),
        "{metrics}"
    );
    assert!(
        metrics.contains(r#"spanwire_proxy_questions_total{proxy="rpc hang",outcome="silence"} 1"#),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_publication_is_passed_replaced_dropped_or_refused() {
    let hub = Hub::builder()
        .anonymous()
        .namespace("chat", Namespace::open())
        .on_publish("chat:*", async |p: PublishCtx| match p.json::<String>()?.as_str() {
            "pass" => Ok(Pub::Pass),
            "replace" => Pub::replace("****"),
            "drop" => Ok(Pub::Drop),
            _ => Err(Reject::denied("too long")),
        })
        .build()
        .await
        .unwrap();
    let application = Application::start(hub).await;
    let mut ann = Peer::subscribe(application.address, "chat:lobby").await;
    let publish = |data: &str| json!({ "channel": "chat:lobby", "data": data });
    for data in ["drop", "replace", "pass"] {
        ann.call("publish", publish(data)).await;
    }
    assert_eq!(ann.publications(2).await, ["****", "pass"]);
    assert_eq!(ann.refusal("publish", publish("other")).await, 103);
    assert_eq!(ann.refusal("publish", json!({ "channel": "chat:lobby", "data": 7 })).await, 107);
}

#[tokio::test]
async fn whoever_is_gone_is_told_of_once_and_before_the_application_ends() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let hub = Hub::builder()
        .on_connect(async |c: ConnectCtx| Ok(Accept::user(c.token)))
        .on_disconnect(move |gone: DisconnectCtx| {
            let tell = tell.clone();
            async move { tell.send((gone.user, gone.code)).expect("the scene listens") }
        })
        .build()
        .await
        .unwrap();
    let application = Application::start(hub).await;
    let connect = async |user: &str| Peer::connect_as(application.address, json!({ "token": user })).await;
    let (ann, bob, mut cat) = (connect("ann").await, connect("bob").await, connect("cat").await);
    drop(Peer::open(application.address).await); // Who never was anybody is nobody's loss.
    ann.leave().await;
    assert_eq!(within("news of ann", told.recv()).await, Some(("ann".to_owned(), 3000)));
    application.hub.disconnect("bob");
    let mut bob = bob;
    assert_eq!(bob.closed().await.0, 3503);
    assert_eq!(within("news of bob", told.recv()).await, Some(("bob".to_owned(), 3503)));
    let ending = tokio::spawn(application.end());
    assert_eq!(cat.closed().await.0, 3001);
    within("the application to end", ending).await.unwrap();
    assert_eq!(told.try_recv().ok(), Some(("cat".to_owned(), 3001)), "told before the end");
    assert_eq!(told.try_recv().ok(), None, "and nobody twice");
}

#[tokio::test]
async fn handlers_know_where_a_client_comes_from_and_call_their_hub() {
    let told = Arc::new(AtomicBool::new(false));
    let tell = told.clone();
    let hub = Hub::builder()
        .namespace("log", Namespace::open())
        .on_connect(move |c: ConnectCtx| {
            tell.store(c.address.ip().is_loopback() && c.address.port() != 0, Ordering::Relaxed);
            async move {
                c.hub().publish("log:all", &c.name).await?;
                Ok(Accept::anonymous().keep(json!({ "plan": "gold" })).join("log:all"))
            }
        })
        .rpc("plan", async |c: RpcCtx, (): ()| Ok(c.conn.kept::<serde_json::Value>()?["plan"].clone()))
        .build()
        .await
        .unwrap();
    let application = Application::start(hub).await;
    let mut ann = Peer::connect_as(application.address, json!({ "name": "one" })).await;
    assert!(told.load(Ordering::Relaxed));
    Peer::connect_as(application.address, json!({ "name": "two" })).await;
    assert_eq!(ann.publication().await, "two");
    assert_eq!(ann.call("rpc", json!({ "method": "plan" })).await["data"], "gold");
}

impl Listener for Wrapping {
    type Io = Wrapped;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wrapped, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        (Wrapped(stream), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl AsyncRead for Wrapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl AsyncWrite for Wrapped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
