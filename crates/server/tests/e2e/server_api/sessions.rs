//! Clients that are meant by the session id which they were told, because their commands come by requests.

use serde_json::json;

use crate::support::http::api;
use crate::support::server::Server;
use crate::transports::carrier::Carrier;
use crate::transports::client::Client;

#[tokio::test]
async fn the_server_api_means_one_session_by_its_id() {
    let server = Server::serve(json!({})).await;
    for carrier in [Carrier::HttpStreamJson, Carrier::Sse, Carrier::Poll] {
        let mut meant = Client::connect(server.address, carrier).await;
        let mut other = Client::connect(server.address, carrier).await;
        let subscribe = json!({ "session": meant.session(), "channel": "square" });
        assert_eq!(api(server.address, "subscribe", &subscribe).await["result"], json!({}));
        meant.push("subscribe").await;
        let disconnect =
            json!({ "session": meant.session(), "disconnect": { "code": 4001, "reason": "bye" } });
        assert_eq!(api(server.address, "disconnect", &disconnect).await["result"], json!({}));
        assert_eq!(meant.closed().await, (4001, "bye".to_owned()));
        other.call("subscribe", json!({ "channel": "square" })).await;
    }
}
