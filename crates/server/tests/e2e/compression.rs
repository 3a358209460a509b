//! permessage-deflate, as stock clients, a browser and a stranger with a bomb speak it.

use serde_json::{Value, json};
use spanwire_ws::deflate::Deflater;
use spanwire_ws::{Header, Opcode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::stock_sdks::{self, NODE, PYTHON};
use crate::support::chromium::Chromium;
use crate::support::peer::Peer;
use crate::support::server::Server;
use crate::support::until::within;
use crate::support::{http, require, script};

/// What `e2e/node/deflate.mjs` proves.
const DEFLATE: &[&str] =
    &["every offer is met, and says what was offered", "everybody hears every publication once and in order"];

/// How many windows there are.
const WINDOWS: f64 = 7.0;

fn compressing(takeover: bool) -> Value {
    json!({
        "client": stock_sdks::pings(),
        "websocket": {
            "compression": true,
            "compression_min_size": 0,
            "compression_context_takeover": takeover,
        },
    })
}

async fn figure(server: &Server, name: &str) -> f64 {
    let metrics = http::get(server.address, "/metrics").await.body;
    let found = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    found.unwrap_or_else(|| panic!("no {name} in {metrics}"))
}

async fn has_compressed(server: &Server) {
    assert!(figure(server, "spanwire_compressions_total").await > 0.0, "nothing was compressed");
    assert!(figure(server, "spanwire_compression_saved_bytes_total").await > 0.0, "nothing was saved");
}

#[tokio::test]
async fn the_stock_javascript_client_works_with_compression() {
    let Some(node) = require::node_with("e2e/node", "node_modules/centrifuge") else { return };
    for takeover in [false, true] {
        let server = Server::serve(compressing(takeover)).await;
        stock_sdks::run(&node, "e2e/node/main.mjs", "json", NODE, &server).await;
        has_compressed(&server).await;
    }
}

#[tokio::test]
async fn the_stock_python_client_works_with_compression() {
    let Some(python) = require::python() else { return };
    for takeover in [false, true] {
        let server = Server::serve(compressing(takeover)).await;
        stock_sdks::run(&python, "e2e/python/main.py", "json", PYTHON, &server).await;
        has_compressed(&server).await;
    }
}

#[tokio::test]
async fn members_with_every_window_and_without_compression_share_a_channel() {
    let Some(node) = require::node_with("e2e/node", "node_modules/ws") else { return };
    for (how, takeover) in [("none", false), ("takeover", true)] {
        let server = Server::serve(compressing(takeover)).await;
        let mut command = Command::new(&node);
        command.arg(require::repository().join("e2e/node/deflate.mjs")).arg(how);
        script::run(command, &server, DEFLATE).await;
        has_compressed(&server).await;
    }
}

#[tokio::test]
async fn a_publication_is_compressed_once_for_each_window_however_many_members_there_are() {
    let config = json!({ "engine": { "shards": 1 }, "websocket": { "compression": true } });
    let server = Server::serve(config).await;
    let mut members = Vec::new();
    for number in 0..30 {
        members.push(Stranger::join(&server, 9 + number % 7).await);
    }
    let mut plain = Peer::subscribe(server.address, "plain:room").await;
    let before = figure(&server, "spanwire_compressions_total").await;
    let data = "the same words for everybody ".repeat(20);
    http::api(server.address, "publish", &json!({ "channel": "plain:room", "data": data })).await;
    assert_eq!(plain.publication().await, json!(data));
    for member in &mut members {
        member.frame().await;
    }
    let compressions = figure(&server, "spanwire_compressions_total").await - before;
    assert!(compressions == WINDOWS, "{compressions} times");
}

#[tokio::test]
async fn a_bomb_ends_its_sender_with_1009_and_nobody_else() {
    let server = Server::serve(json!({ "websocket": { "compression": true } })).await;
    let mut bystander = Peer::subscribe(server.address, "room").await;
    // Made before anybody waits for it.
    let bomb = compressed(&vec![b' '; 16 << 20]);
    let before = server.resident_bytes();
    for _ in 0..20 {
        let mut stranger = Stranger::open(&server, 15).await;
        stranger.stream.write_all(&bomb).await.expect("the server reads");
        let (opcode, payload) = stranger.frame().await;
        assert_eq!((opcode, &payload[..2]), (0x88, &1009_u16.to_be_bytes()[..]));
    }
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < 8 << 20, "twenty bombs of 16 MiB have cost {grown} bytes");
    http::api(server.address, "publish", &json!({ "channel": "room", "data": 1 })).await;
    assert_eq!(bystander.publication().await, json!(1));
}

#[tokio::test]
async fn a_browser_agrees_to_it_and_chats() {
    let Some(chromium) = require::chromium() else { return };
    let server =
        Server::dev_with(&["--websocket.compression=true", "--websocket.compression_min_size=0"]).await;
    let browser = Chromium::launch(&chromium).await;
    let mut page = browser.page().await;
    page.navigate(&format!("http://localhost:{}/demos/chat/?panes=1&name=Ana", server.address.port())).await;
    page.until("__demo.ready && __demo.state === 'connected'").await;
    let said = "Grüße ".repeat(100);
    page.evaluate(&format!("__demo.say({})", json!(said))).await;
    page.until("__demo.messages.some(({ mark, offset }) => mark === 'sent' && offset)").await;
    let socket = format!("ws://localhost:{}/connection/websocket", server.address.port());
    page.evaluate(&format!("void (globalThis.probe = new WebSocket({}))", json!(socket))).await;
    page.until("probe.readyState === 1").await;
    let agreed = page.evaluate("probe.extensions").await;
    let agreed = agreed.as_str().unwrap_or_default();
    assert!(agreed.starts_with("permessage-deflate"), "the browser says {agreed:?}");
    has_compressed(&server).await;
}

/// A text message of a client, in compressed form.
fn compressed(message: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    Deflater::new(9, 15).deflate_into(&mut payload, message, false);
    let header = Header::new(Opcode::Text, payload.len() as u64).compressed().masked([0; 4]);
    let (header, size) = header.encode();
    [&header[..size], &payload].concat()
}

/// A client by hand, with a window of its own choice.
struct Stranger {
    stream: TcpStream,
}

impl Stranger {
    async fn open(server: &Server, window_bits: u8) -> Self {
        let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
        let request = format!(
            "GET /connection/websocket HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits={window_bits}\r\n\r\n",
            server.address
        );
        stream.write_all(request.as_bytes()).await.expect("the server reads");
        let answer = http::answer(&mut stream).await;
        let expected = format!(
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             server_max_window_bits={window_bits}"
        );
        assert_eq!(
            (answer.status, answer.header("Sec-WebSocket-Extensions")),
            (101, Some(expected.as_str()))
        );
        Self { stream }
    }

    /// Subscribes to `plain:room`, with commands in compressed form.
    async fn join(server: &Server, window_bits: u8) -> Self {
        let mut stranger = Self::open(server, window_bits).await;
        for command in [r#"{"id":1,"connect":{}}"#, r#"{"id":2,"subscribe":{"channel":"plain:room"}}"#] {
            stranger.say(command.as_bytes()).await;
            // Its own reply; nothing else is sent before a publication.
            stranger.frame().await;
        }
        stranger
    }

    async fn say(&mut self, message: &[u8]) {
        self.stream.write_all(&compressed(message)).await.expect("the server reads");
    }

    /// The first byte of the next frame, and its payload.
    async fn frame(&mut self) -> (u8, Vec<u8>) {
        within("a frame", async {
            let mut head = [0; 2];
            self.stream.read_exact(&mut head).await.expect("a head");
            let length = match head[1] {
                126 => self.stream.read_u16().await.expect("a length").into(),
                short => usize::from(short),
            };
            let mut payload = vec![0; length];
            self.stream.read_exact(&mut payload).await.expect("a payload");
            (head[0], payload)
        })
        .await
    }
}
