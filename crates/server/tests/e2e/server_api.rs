//! `/api/…`: what a backend may ask, and what anyone may not.

mod errors;
mod libraries;
mod limits;
mod lines;
mod refusals;
mod sessions;

use serde_json::{Value, json};

use crate::support::http::{api, exchange, post};
use crate::support::peer::Peer;
use crate::support::server::{API_KEY, Server};
use crate::support::token::signed;

#[tokio::test]
async fn only_the_key_opens_it() {
    let server = Server::serve(json!({})).await;
    for (headers, path, status) in [
        ("".to_owned(), "/api/info", 401),
        ("X-API-Key: guess\r\n".to_owned(), "/api/info", 401),
        (format!("X-API-Key: {API_KEY} \r\n"), "/api/info", 200),
        (format!("Authorization: apikey {API_KEY}\r\n"), "/api/info", 200),
        (format!("X-API-Key: {API_KEY}\r\n"), "/api/teleport", 404),
        ("".to_owned(), "/api/teleport", 401),
    ] {
        let response = post(server.address, path, &headers, "{}").await;
        assert_eq!(response.status, status, "{path} with {headers:?}: {response:?}");
    }
    let response = post(server.address, "/api/info", "", "{}").await;
    assert_eq!(response.body, "");
}

#[tokio::test]
async fn a_server_without_a_key_opens_to_nobody() {
    let server = Server::serve(json!({ "http_api": null })).await;
    for headers in ["", "X-API-Key: \r\n", "X-API-Key: guess\r\n"] {
        assert_eq!(post(server.address, "/api/info", headers, "{}").await.status, 401, "{headers:?}");
    }
}

#[tokio::test]
async fn it_is_asked_by_post_and_in_json() {
    let server = Server::serve(json!({})).await;
    let key = format!("X-API-Key: {API_KEY}\r\n");
    let get = format!("GET /api/info HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{key}\r\n", server.address);
    assert_eq!(exchange(server.address, get.as_bytes()).await.status, 405);
    for body in ["hello", "[]", r#"{"channel":1}"#, r#"{"channel":"square","data":"#] {
        let response = post(server.address, "/api/publish", &key, body).await;
        assert_eq!(response.status, 400, "{body:?}: {response:?}");
    }
}

#[tokio::test]
async fn a_publication_is_delivered_and_answered_with_its_position() {
    let server = Server::serve(json!({})).await;
    let mut peer = Peer::subscribe(server.address, "square").await;
    let request = json!({ "channel": "square", "data": { "n": 1 }, "tags": { "lang": "en" } });
    let answer = api(server.address, "publish", &request).await;
    assert_eq!(answer["result"]["offset"], 1);
    assert!(answer["result"]["epoch"].as_str().is_some_and(|epoch| !epoch.is_empty()));
    let push = peer.push("pub").await;
    assert_eq!(push["channel"], "square");
    assert_eq!(push["pub"]["data"], json!({ "n": 1 }));
    assert_eq!(push["pub"]["offset"], 1);
    assert_eq!(push["pub"]["tags"], json!({ "lang": "en" }));
    assert!(push["pub"]["info"].is_null(), "nobody's client has published it");
    let answer = api(server.address, "publish", &json!({ "channel": "plain:square", "data": 1 })).await;
    assert_eq!(answer, json!({ "result": {} }), "without history there is no position");
}

#[tokio::test]
async fn a_payload_arrives_as_it_was_written_but_for_its_line_ends() {
    let server = Server::serve(json!({})).await;
    let mut peer = Peer::subscribe(server.address, "square").await;
    let written = "{ \"price\": 1.10,\n  \"big\": 12345678901234567890123, \"b\":1, \"a\":2 }";
    let body = format!(r#"{{"channel":"square","data":{written}}}"#);
    post(server.address, "/api/publish", &format!("X-API-Key: {API_KEY}\r\n"), &body).await;
    let frame = peer.message_with(r#""pub""#).await;
    assert!(frame.contains(&written.replace('\n', "")), "{frame}");
}

#[tokio::test]
async fn an_idempotency_key_publishes_once() {
    let server = Server::serve(json!({})).await;
    let mut peer = Peer::subscribe(server.address, "square").await;
    let request = json!({ "channel": "square", "data": "once", "idempotency_key": "k" });
    let first = api(server.address, "publish", &request).await;
    assert_eq!(api(server.address, "publish", &request).await, first);
    api(server.address, "publish", &json!({ "channel": "square", "data": "end" })).await;
    assert_eq!(peer.publications(2).await, ["once", "end"]);
}

#[tokio::test]
async fn a_broadcast_reaches_each_channel_and_answers_for_each() {
    let server = Server::serve(json!({})).await;
    let mut peer = Peer::connect(server.address).await;
    for channel in ["one", "two"] {
        peer.call("subscribe", json!({ "channel": channel })).await;
    }
    let request = json!({ "channels": ["one", "nowhere:x", "two"], "data": "all" });
    let answer = api(server.address, "broadcast", &request).await;
    let responses = answer["result"]["responses"].as_array().expect("one for each");
    assert_eq!(responses.len(), 3);
    assert_eq!(responses[0]["result"]["offset"], 1);
    assert_eq!(responses[1]["error"]["code"], 102);
    assert_eq!(responses[2]["result"]["offset"], 1);
    let mut channels = [peer.push("pub").await, peer.push("pub").await].map(|push| push["channel"].clone());
    channels.sort_by_key(Value::to_string);
    assert_eq!(channels, ["one", "two"]);
}

#[tokio::test]
async fn presence_and_channels_name_who_and_what_is_there() {
    let server = Server::serve(json!({})).await;
    let token = signed(json!({ "sub": "ana", "info": { "name": "Ana" } }));
    let mut ana = Peer::open(server.address).await;
    let client = ana.call("connect", json!({ "token": token })).await["client"].take();
    ana.call("subscribe", json!({ "channel": "square" })).await;
    ana.call("subscribe", json!({ "channel": "plain:park" })).await;
    let answer = api(server.address, "presence", &json!({ "channel": "square" })).await;
    let card = json!({ "user": "ana", "client": client, "conn_info": { "name": "Ana" } });
    assert_eq!(answer["result"]["presence"], json!({ client.as_str().expect("an id"): card }));
    let all = api(server.address, "channels", &json!({})).await;
    let expected = json!({ "plain:park": { "num_clients": 1 }, "square": { "num_clients": 1 } });
    assert_eq!(all["result"]["channels"], expected);
    let some = api(server.address, "channels", &json!({ "pattern": "plain:*" })).await;
    assert_eq!(some["result"]["channels"], json!({ "plain:park": { "num_clients": 1 } }));
}

#[tokio::test]
async fn history_pages_and_tells_the_top() {
    let server = Server::serve(json!({})).await;
    for n in 1..=5 {
        api(server.address, "publish", &json!({ "channel": "square", "data": n })).await;
    }
    let top = api(server.address, "history", &json!({ "channel": "square" })).await["result"].take();
    assert_eq!((&top["publications"], &top["offset"]), (&json!([]), &json!(5)));
    let page = async |options: Value| {
        let mut request = json!({ "channel": "square" });
        for (key, value) in options.as_object().expect("options") {
            request[key] = value.clone();
        }
        let answer = api(server.address, "history", &request).await;
        let publications = answer["result"]["publications"].as_array().expect("always there").clone();
        publications.into_iter().map(|mut publication| publication["data"].take()).collect::<Vec<_>>()
    };
    let since = |offset: u64| json!({ "offset": offset, "epoch": top["epoch"] });
    assert_eq!(page(json!({ "limit": -1 })).await, [1, 2, 3, 4, 5]);
    assert_eq!(page(json!({ "limit": 2, "since": since(2) })).await, [3, 4]);
    assert_eq!(page(json!({ "limit": 2, "reverse": true })).await, [5, 4]);
    assert_eq!(page(json!({ "limit": 9, "since": since(3), "reverse": true })).await, [2, 1]);
}

#[tokio::test]
async fn info_counts_what_is_there() {
    let server = Server::serve(json!({})).await;
    let token = signed(json!({ "sub": "ana" }));
    let mut ana = Peer::connect_as(server.address, json!({ "token": token })).await;
    ana.call("subscribe", json!({ "channel": "square" })).await;
    let _ben = Peer::subscribe(server.address, "square").await;
    let answer = api(server.address, "info", &json!({})).await;
    let [node] = &answer["result"]["nodes"].as_array().expect("nodes")[..] else { panic!("{answer}") };
    for (figure, count) in [("num_clients", 2), ("num_users", 2), ("num_subs", 2), ("num_channels", 1)] {
        assert_eq!(node[figure], count, "{figure}: {node}");
    }
    for text in ["uid", "name", "version"] {
        assert!(node[text].as_str().is_some_and(|text| !text.is_empty()), "{text}: {node}");
    }
}

#[tokio::test]
async fn a_disconnect_ends_the_connections_of_a_user_and_no_other() {
    let server = Server::serve(json!({})).await;
    let connect = async |user: &str| {
        let token = signed(json!({ "sub": user }));
        let mut peer = Peer::open(server.address).await;
        let client = peer.call("connect", json!({ "token": token })).await["client"].take();
        (peer, client)
    };
    let (mut ana, spared) = connect("ana").await;
    let (mut ana_again, _) = connect("ana").await;
    let (mut ben, _) = connect("ben").await;
    api(server.address, "disconnect", &json!({ "user": "ana", "whitelist": [spared] })).await;
    assert_eq!(ana_again.closed().await, (3503, "force disconnect".to_owned()));
    let own = json!({ "user": "ana", "disconnect": { "code": 4444, "reason": "see you" } });
    api(server.address, "disconnect", &own).await;
    assert_eq!(ana.closed().await, (4444, "see you".to_owned()));
    ben.call("subscribe", json!({ "channel": "square" })).await;
}

#[tokio::test]
async fn a_batch_is_answered_in_its_order_and_goes_on_after_an_error() {
    let server = Server::serve(json!({})).await;
    let commands = json!([
        {"publish": {"channel": "square", "data": 1}},
        {"publish": {"channel": "nowhere:square", "data": 1}},
        {"publish": {"channel": "square", "data": 2}},
        {"history": {"channel": "square", "limit": 10}},
    ]);
    let key = format!("X-API-Key: {API_KEY}\r\n");
    let body = json!({ "commands": commands }).to_string();
    let response = post(server.address, "/api/batch", &key, &body).await;
    let answer: Value = serde_json::from_str(&response.body).unwrap();
    let replies = answer["replies"].as_array().unwrap();
    assert_eq!(replies[0]["publish"]["offset"], 1);
    assert_eq!(replies[1]["error"]["code"], 102);
    assert_eq!(replies[2]["publish"]["offset"], 2);
    let kept = replies[3]["history"]["publications"].as_array().unwrap();
    assert_eq!(kept.iter().map(|each| &each["data"]).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn a_key_opens_its_scope_only() {
    let keys = json!([{"name": "billing", "key": "may-publish", "scope": "publish"}]);
    let server = Server::serve(json!({ "http_api": { "keys": keys } })).await;
    for (path, body, status) in [
        ("/api/publish", r#"{"channel":"square","data":1}"#, 200),
        ("/api/history", r#"{"channel":"square"}"#, 403),
        ("/api/batch", r#"{"commands":[{"info":{}}]}"#, 403),
    ] {
        let response = post(server.address, path, "X-API-Key: may-publish\r\n", body).await;
        assert_eq!(response.status, status, "{path}: {response:?}");
    }
}

#[tokio::test]
async fn a_backend_subscribes_a_user_and_prolongs_or_ends_its_connection() {
    let server = Server::serve(json!({})).await;
    let token = signed(json!({ "sub": "ann" }));
    let mut ann = Peer::connect_as(server.address, json!({ "token": token })).await;
    let subscribe = json!({ "user": "ann", "channel": "square", "data": { "why": "invited" } });
    assert_eq!(api(server.address, "subscribe", &subscribe).await["result"], json!({}));
    assert_eq!(ann.push("subscribe").await["subscribe"]["data"]["why"], "invited");
    api(server.address, "publish", &json!({ "channel": "square", "data": 7 })).await;
    assert_eq!(ann.publication().await, 7);
    api(server.address, "refresh", &json!({ "user": "ann", "expire_at": 4_000_000_000_u64 })).await;
    assert_eq!(ann.push("refresh").await["refresh"]["expires"], true);
    api(server.address, "refresh", &json!({ "user": "ann", "expired": true })).await;
    assert_eq!(ann.closed().await.0, 3005);
}
