//! HTTP/2: many requests and WebSockets over one connection, by a client in another language.

use serde_json::json;
use tokio::process::Command;

use crate::support::require;
use crate::support::script;
use crate::support::server::Server;

/// What `e2e/node/http2.mjs` proves.
const SENTENCES: &[&str] = &[
    "the server says that CONNECT may name a protocol",
    "pages and the server API come over the same connection",
    "a subprotocol is agreed upon, and no key is",
    "what opens no WebSocket is refused with the reason",
    "a hundred WebSockets of one connection hear each their own channel",
    "one that reads nothing is let go, and holds up nobody",
    "a ping is answered, and a message may come in pieces",
    "a close frame is answered with its code, and both halves end",
    "a close frame behind which the client ends its half is answered too",
    "a client that ends its half, or resets the stream, is gone",
    "broken protocol earns its code",
    "the server can end a session, with code and reason",
    "a drain tells every WebSocket, and the connection goes away",
];

#[tokio::test]
async fn websockets_share_a_connection_of_http_2() {
    let Some(node) = require::node_with("e2e/node", "node_modules/centrifuge") else { return };
    let mut server = Server::serve(json!({})).await;
    let mut command = Command::new(node);
    command.arg(require::repository().join("e2e/node/http2.mjs"));
    script::run(command, &server, SENTENCES).await;
    assert!(server.ended().await.success(), "the drain came to its end");
}
