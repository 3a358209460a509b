//! What the backend is asked, and what each of its answers does.

use serde_json::{Value, json};

use crate::support::backend::{Asked, Backend};
use crate::support::http::get;
use crate::support::peer::Peer;
use crate::support::server::{API_KEY, Server};
use crate::support::token::signed;
use crate::support::until::until;

/// A server whose every decision is this backend's.
async fn decided_by(backend: &Backend) -> Server {
    let mut connect = backend.proxy("/connect");
    connect["enabled"] = true.into();
    connect["http_headers"] = json!(["Cookie", "X-Forwarded-For"]);
    connect["emulated_headers"] = json!(["Authorization"]);
    connect["http"] = json!({
        "static_headers": { "X-Backend-Key": "a key of the backend" },
        "status_to_code_transforms": [
            { "status_code": 403, "to_disconnect": { "code": 4503, "reason": "not you" } },
        ],
    });
    let mut refresh = backend.proxy("/refresh");
    refresh["enabled"] = true.into();
    let meta = |path: &str| {
        let mut proxy = backend.proxy(path);
        proxy["include_connection_meta"] = true.into();
        proxy["emulated_headers"] = json!(["Authorization"]);
        proxy
    };
    let mut math = meta("/math");
    math["name"] = "math".into();
    Server::serve(json!({
        "client": { "proxy": { "connect": connect, "refresh": refresh }, "expired_close_delay": "25s" },
        "channel": {
            "proxy": {
                "subscribe": meta("/subscribe"),
                "publish": meta("/publish"),
                "sub_refresh": meta("/sub_refresh"),
            },
            "namespaces": [{
                "name": "room", "subscribe_proxy_enabled": true, "publish_proxy_enabled": true,
                "sub_refresh_proxy_enabled": true, "history_size": 10, "history_ttl": "60s",
            }],
        },
        "proxies": [math],
        "rpc": {
            "proxy": meta("/rpc"),
            "without_namespace": { "proxy_enabled": true },
            "namespaces": [{ "name": "math", "proxy_enabled": true, "proxy_name": "math" }],
        },
    }))
    .await
}

/// Lets everybody in as Ann, and allows everything.
fn friendly(asked: &Asked) -> (u16, Value) {
    let answer = match asked.path.as_str() {
        "/connect" => json!({ "result": {
            "user": "ann", "info": { "name": "Ann" }, "data": { "hello": 1 }, "meta": { "plan": "gold" },
        }}),
        "/rpc" => json!({ "result": { "data": asked.body["data"] } }),
        _ => json!({ "result": {} }),
    };
    (200, answer)
}

#[tokio::test]
async fn a_connect_is_told_with_headers_and_answered_with_a_user() {
    let backend = Backend::start(friendly).await;
    let server = decided_by(&backend).await;
    let mut ann = Peer::open(server.address).await;
    let request = json!({
        "name": "test", "version": "1", "data": { "ticket": 7 },
        "headers": { "authorization": "Bearer claimed", "cookie": "forged=1", "x-other": "no" },
    });
    let result = ann.call("connect", request).await;
    assert_eq!(result["data"], json!({ "hello": 1 }));
    let asked = backend.take_asked("/connect").remove(0);
    let expected = json!({
        "client": result["client"], "transport": "websocket", "protocol": "json", "encoding": "json",
        "data": { "ticket": 7 }, "name": "test", "version": "1",
    });
    assert_eq!(asked.body, expected);
    let header = |name: &str| asked.headers.get(name).and_then(|value| value.to_str().ok());
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("x-backend-key"), Some("a key of the backend"));
    assert_eq!(header("authorization"), Some("Bearer claimed"));
    assert_eq!(
        (header("cookie"), header("x-other")),
        (None, None),
        "only what is named, from where it is named"
    );
    let mut said = ann.call("rpc", json!({ "method": "echo", "data": [1, 2] })).await;
    assert_eq!(said["data"].take(), json!([1, 2]));
    let asked = backend.take_asked("/rpc").remove(0);
    assert_eq!((&asked.body["user"], &asked.body["method"]), (&json!("ann"), &json!("echo")));
    assert_eq!(asked.body["meta"], json!({ "plan": "gold" }));
    assert!(asked.headers.contains_key("authorization"), "kept from the connect command");
    ann.call("rpc", json!({ "method": "math:add" })).await;
    assert_eq!(backend.take_asked("/math").len(), 1, "by the proxy that is named");
    assert_eq!(ann.refusal("rpc", json!({ "method": "other:x" })).await, 108);
}

#[tokio::test]
async fn a_token_needs_no_backend_and_an_unknown_client_is_a_stranger() {
    let backend = Backend::start(|_| (200, json!({}))).await;
    let server = decided_by(&backend).await;
    Peer::connect_as(server.address, json!({ "token": signed(json!({ "sub": "bob" })) })).await;
    assert_eq!(backend.answered(), 0);
    // Anonymous clients are let in by the configuration of these scenes.
    Peer::connect(server.address).await;
    assert_eq!(backend.answered(), 1);
}

#[tokio::test]
async fn who_is_not_let_in_is_told_in_the_backends_words() {
    let table = [
        ((200, json!({ "disconnect": { "code": 4501, "reason": "banned" } })), Err((4501, "banned"))),
        ((403, json!({})), Err((4503, "not you"))),
        ((200, json!({ "error": { "code": 1000, "message": "later", "temporary": true } })), Ok(1000)),
        ((404, json!({})), Ok(100)),
        ((200, json!([])), Ok(100)),
    ];
    for (answer, expected) in table {
        let told = answer.clone();
        let backend = Backend::start(move |_| told.clone()).await;
        let server = decided_by(&backend).await;
        let mut ann = Peer::open(server.address).await;
        match expected {
            Ok(code) => assert_eq!(ann.refusal("connect", json!({})).await, code, "{answer:?}"),
            Err((code, reason)) => {
                ann.text(r#"{"id":1,"connect":{}}"#).await;
                assert_eq!(ann.closed().await, (code, reason.to_owned()), "{answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn subscribes_and_publishes_are_decided_and_may_be_changed() {
    let backend = Backend::start(friendly).await;
    let server = decided_by(&backend).await;
    let (mut ann, mut bob) = (Peer::connect(server.address).await, Peer::connect(server.address).await);
    backend.answers(|asked| match (asked.path.as_str(), asked.body["channel"].as_str()) {
        ("/subscribe", Some("room:tea")) => (200, json!({ "result": { "data": { "topic": "tea" } } })),
        ("/subscribe", _) => (200, json!({ "error": { "code": 1003, "message": "no such room" } })),
        _ => (200, json!({ "result": { "data": { "mild": true }, "tags": { "by": "backend" } } })),
    });
    for peer in [&mut ann, &mut bob] {
        let result = peer.call("subscribe", json!({ "channel": "room:tea", "data": { "n": 1 } })).await;
        assert_eq!(result["data"], json!({ "topic": "tea" }));
    }
    assert_eq!(backend.take_asked("/subscribe")[0].body["data"], json!({ "n": 1 }));
    assert_eq!(ann.refusal("subscribe", json!({ "channel": "room:gin" })).await, 1003);
    ann.call("publish", json!({ "channel": "room:tea", "data": "rude" })).await;
    let publication = bob.push("pub").await;
    assert_eq!(publication["pub"]["data"], json!({ "mild": true }));
    assert_eq!(publication["pub"]["tags"], json!({ "by": "backend" }));
    assert_eq!(backend.take_asked("/publish")[0].body["data"], json!("rude"));
}

#[tokio::test]
async fn an_expired_connection_goes_on_if_the_backend_says_so_and_ends_if_not() {
    let unix = || std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
    let backend = Backend::start(move |asked| match asked.path.as_str() {
        "/connect" => (200, json!({ "result": { "user": "ann", "expire_at": unix() + 1 } })),
        _ => (200, json!({ "result": { "expire_at": unix() + 1 } })),
    })
    .await;
    let server = decided_by(&backend).await;
    let mut ann = Peer::open(server.address).await;
    let result = ann.call("connect", json!({})).await;
    assert!(result["expires"].is_null(), "it need not refresh: {result}");
    backend.has_answered(3).await;
    assert_eq!(backend.take_asked("/refresh")[0].body["user"], "ann");
    backend.answers(|_| (200, json!({ "result": { "expired": true } })));
    assert_eq!(ann.closed().await.0, 3005);
}

#[tokio::test]
async fn a_backend_that_is_down_opens_the_circuit_and_an_answer_closes_it() {
    let backend = Backend::start(friendly).await;
    let server = decided_by(&backend).await;
    let mut ann = Peer::connect(server.address).await;
    backend.answers(|_| (503, json!({})));
    let metric = async |sample: &str| {
        let metrics = get(server.address, "/metrics").await.body;
        metrics.lines().any(|line| line == sample)
    };
    let open = "spanwire_proxy_circuit{proxy=\"rpc\"} 2";
    until("the circuit to open", async || {
        assert_eq!(ann.refusal("rpc", json!({})).await, 100, "temporary");
        metric(open).await.then_some(())
    })
    .await;
    backend.take_asked("/rpc");
    assert_eq!(ann.refusal("rpc", json!({})).await, 100);
    assert!(backend.take_asked("/rpc").len() <= 1, "it is spared, but for a probe");
    backend.answers(friendly);
    until("the circuit to close", async || {
        ann.reply("rpc", json!({})).await["error"].is_null().then_some(())
    })
    .await;
    assert!(metric("spanwire_proxy_circuit{proxy=\"rpc\"} 0").await);
    // The log is written by a thread of its own.
    let said = until("the log to tell it", async || {
        let said = server.said();
        said.contains("the backend answers again").then_some(said)
    })
    .await;
    assert_eq!(said.matches("the backend does not answer").count(), 1, "{said}");
    assert_eq!(said.matches("the backend answers again").count(), 1, "{said}");
    assert!(!said.contains("a key of the backend") && !said.contains(API_KEY), "{said}");
}
