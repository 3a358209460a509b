//! A real browser over TLS: its WebSockets share the connection of the page, and the server's own record says so.

use serde_json::json;

use crate::support::chromium::Chromium;
use crate::support::require;
use crate::support::secure::Secure;

/// Opens five WebSockets, each with a session and a channel of its own. They are kept where the page can find them.
const FIVE_SOCKETS: &str = r#"
    window.sockets = [0, 1, 2, 3, 4].map((number) => {
        const it = { heard: [], socket: new WebSocket(`wss://${location.host}/connection/websocket`) };
        const begin = [{ id: 1, connect: {} }, { id: 2, subscribe: { channel: `plain:${number}` } }];
        it.socket.onopen = () => it.socket.send(begin.map((command) => JSON.stringify(command)).join("\n"));
        it.socket.onmessage = ({ data }) => {
            for (const line of data.split("\n")) {
                const message = JSON.parse(line);
                if (message.id === 2) it.subscribed = !!message.subscribe;
                if (message.push?.pub) it.heard.push(message.push.pub.data);
            }
        };
        it.socket.onclose = ({ code, reason }) => (it.closed = { code, reason });
        return it;
    });
"#;

/// Each publishes to the channel of the next one.
const EACH_TO_THE_NEXT: &str = r#"
    sockets.forEach(({ socket }, number) => {
        const next = (number + 1) % sockets.length;
        socket.send(JSON.stringify({ id: 3, publish: { channel: `plain:${next}`, data: number } }));
    });
"#;

#[tokio::test]
async fn a_page_opens_its_websockets_on_its_own_connection() {
    let Some(chromium) = require::chromium() else { return };
    let mut secure = Secure::serve(json!({})).await;
    let origin = format!("https://localhost:{}", secure.server.address.port());
    let browser = Chromium::launch_trusting_anybody(&chromium).await;
    let mut page = browser.page().await;
    page.navigate(&format!("{origin}/health")).await;
    let protocol = "performance.getEntriesByType('navigation')[0].nextHopProtocol";
    assert_eq!(page.evaluate(protocol).await, "h2", "the page came by HTTP/2");

    page.evaluate(FIVE_SOCKETS).await;
    page.until("sockets.every((it) => it.subscribed)").await;
    page.evaluate(EACH_TO_THE_NEXT).await;
    page.until("sockets.every((it) => it.heard.length === 1)").await;
    assert_eq!(page.evaluate("sockets.map((it) => it.heard)").await, json!([[4], [0], [1], [2], [3]]));

    let open = async |transport: &str| {
        secure.metric(&format!("spanwire_transport_sessions{{transport=\"{transport}\"}}")).await
    };
    assert_eq!((open("websocket_http2").await, open("websocket").await), (5.0, 0.0));
    assert_eq!(secure.metric("spanwire_http2_connections").await, 1.0, "all of them on one connection");

    secure.server.terminate();
    page.until("sockets.every((it) => it.closed)").await;
    let told = json!({ "code": 3001, "reason": "shutdown" });
    assert_eq!(page.evaluate("sockets.map((it) => it.closed)").await, json!(vec![told; 5]));
    assert!(secure.server.ended().await.success());
}
