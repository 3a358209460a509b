// A server with rooms, for examples of the documentation: it answers everybody, and tells what was published.

mod server {
    include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/server.rs"));
}

/// Starts the server; the result is its address. It ends with the runtime.
#[allow(dead_code)]
pub async fn room() -> String {
    let server = server::Server::start().await;
    let url = server.url.clone();
    tokio::spawn(async move {
        loop {
            tokio::spawn(host(server.peer().await));
        }
    });
    url
}

/// Answers one client until it goes.
async fn host(mut peer: server::Peer) {
    use serde_json::json;
    let mut offset = 0;
    while let Some(command) = peer.next().await {
        let id = &command["id"];
        let answer = if command.get("connect").is_some() {
            json!({ "id": id, "connect": { "client": "me", "version": "example" } })
        } else if command.get("subscribe").is_some() {
            let position = json!({ "recoverable": true, "positioned": true, "epoch": "e", "offset": offset });
            json!({ "id": id, "subscribe": position })
        } else if let Some(publish) = command.get("publish") {
            offset += 1;
            let publication = json!({ "data": publish["data"], "offset": offset });
            let push = json!({ "push": { "channel": publish["channel"], "pub": publication } });
            peer.says(&push.to_string()).await;
            json!({ "id": id, "publish": { "sw_offset": offset, "sw_epoch": "e" } })
        } else if let Some(rpc) = command.get("rpc") {
            let numbers = rpc["data"].as_array().into_iter().flatten();
            let sum: i64 = numbers.filter_map(|number| number.as_i64()).sum();
            json!({ "id": id, "rpc": { "data": sum } })
        } else {
            json!({ "id": id, "error": { "code": 104, "message": "method not found" } })
        };
        peer.says(&answer.to_string()).await;
    }
}
