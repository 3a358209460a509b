//! Who a connection is, and until when.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::backend::Backend;
use crate::support::http;
use crate::support::peer::Peer;
use crate::support::server::{Server, scratch, spanwire};
use crate::support::token::{seconds_from_now, signed};
use crate::support::until::until;

#[tokio::test]
async fn a_token_says_who_is_there() {
    let server = Server::serve(json!({})).await;
    let token = signed(json!({ "sub": "ana", "info": { "name": "Ana" } }));
    let mut ana = Peer::connect_as(server.address, json!({ "token": token })).await;
    ana.call("subscribe", json!({ "channel": "square" })).await;
    let presence = ana.call("presence", json!({ "channel": "square" })).await;
    let cards: Vec<_> = presence["presence"].as_object().expect("a map").values().collect();
    let [card] = cards[..] else { panic!("{presence}") };
    assert_eq!((&card["user"], &card["conn_info"]), (&json!("ana"), &json!({ "name": "Ana" })));
    ana.call("publish", json!({ "channel": "square", "data": 1 })).await;
    assert_eq!(ana.push("pub").await["pub"]["info"]["user"], "ana");
}

#[tokio::test]
async fn nobody_is_let_in_without_a_token_unless_the_server_is_told_so() {
    let server = Server::serve(json!({ "client": { "allow_anonymous_connect_without_token": false } })).await;
    let mut peer = Peer::open(server.address).await;
    peer.text(r#"{"id":1,"connect":{}}"#).await;
    assert_eq!(peer.closed().await.0, 3501);
    let token = signed(json!({ "sub": "ana" }));
    Peer::connect_as(server.address, json!({ "token": token })).await;
}

#[tokio::test]
async fn an_expired_token_is_told_apart_from_a_forged_one() {
    let server = Server::serve(json!({})).await;
    let expired = signed(json!({ "sub": "ana", "exp": seconds_from_now(-60) }));
    let mut peer = Peer::open(server.address).await;
    assert_eq!(peer.refusal("connect", json!({ "token": expired })).await, 109);
    // A connection whose connect was refused is of no use any more.
    peer.text(r#"{"id":2,"connect":{}}"#).await;
    assert_eq!(peer.closed().await.0, 3501);
    for forged in
        [format!("{expired}x"), "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbmEifQ.".to_owned(), "x".to_owned()]
    {
        let mut peer = Peer::open(server.address).await;
        peer.text(&json!({ "id": 1, "connect": { "token": forged } }).to_string()).await;
        assert_eq!(peer.closed().await, (3500, "invalid token".to_owned()));
    }
}

#[tokio::test]
async fn a_connection_ends_with_its_token_unless_it_is_renewed() {
    let server = Server::serve(json!({ "client": { "expired_close_delay": "1s" } })).await;
    let short = || signed(json!({ "sub": "ana", "exp": seconds_from_now(2) }));
    let mut careless = Peer::open(server.address).await;
    let result = careless.call("connect", json!({ "token": short() })).await;
    assert_eq!(result["expires"], true);
    assert!(result["ttl"].as_u64().is_some_and(|ttl| (1..=2).contains(&ttl)), "{result}");
    let mut careful = Peer::connect_as(server.address, json!({ "token": short() })).await;
    let long = signed(json!({ "sub": "ana", "exp": seconds_from_now(600) }));
    let result = careful.call("refresh", json!({ "token": long })).await;
    assert_eq!(result["expires"], true);
    assert!(result["ttl"].as_u64().is_some_and(|ttl| (598..=600).contains(&ttl)), "{result}");
    assert_eq!(careless.closed().await, (3005, "connection expired".to_owned()));
    // Both tokens expired in the same second; by now the other connection would be gone as well.
    careful.call("subscribe", json!({ "channel": "square" })).await;
}

#[tokio::test]
async fn a_connection_cannot_be_renewed_with_the_token_of_somebody_else() {
    let server = Server::serve(json!({})).await;
    for (claims, code) in [
        (json!({ "sub": "ben", "exp": seconds_from_now(600) }), 3500),
        (json!({ "sub": "ana", "exp": seconds_from_now(-60) }), 3005),
    ] {
        let token = signed(json!({ "sub": "ana", "exp": seconds_from_now(60) }));
        let mut ana = Peer::connect_as(server.address, json!({ "token": token })).await;
        ana.text(&json!({ "id": 9, "refresh": { "token": signed(claims) } }).to_string()).await;
        assert_eq!(ana.closed().await.0, code);
    }
}

#[tokio::test]
async fn channels_of_the_token_need_no_permission_and_no_command() {
    let server = Server::serve(json!({})).await;
    let token = signed(json!({ "sub": "ana", "channels": ["closed:news", "square"] }));
    let mut ana = Peer::open(server.address).await;
    let result = ana.call("connect", json!({ "token": token })).await;
    let subs = result["subs"].as_object().expect("a map");
    assert_eq!(subs.keys().collect::<Vec<_>>(), ["closed:news", "square"]);
    assert_eq!(subs["square"]["recoverable"], true);
    http::api(server.address, "publish", &json!({ "channel": "closed:news", "data": "extra" })).await;
    let push = ana.push("pub").await;
    assert_eq!((&push["channel"], &push["pub"]["data"]), (&json!("closed:news"), &json!("extra")));
    assert_eq!(ana.refusal("subscribe", json!({ "channel": "square" })).await, 105);
}

#[tokio::test]
async fn a_token_for_a_namespace_that_does_not_exist_opens_nothing() {
    let server = Server::serve(json!({})).await;
    let token = signed(json!({ "sub": "ana", "channels": ["nowhere:news"] }));
    let mut ana = Peer::open(server.address).await;
    assert_eq!(ana.refusal("connect", json!({ "token": token })).await, 102);
}

/// A key of a backend that publishes the public half of it.
struct Signer {
    kid: &'static str,
    key: EncodingKey,
    public: String,
}

impl Signer {
    fn new(kid: &'static str) -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new());
        let pkcs8 = pkcs8.expect("the system has chance");
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("it has just been made");
        let public = URL_SAFE_NO_PAD.encode(pair.public_key());
        Self { kid, key: EncodingKey::from_ed_der(pkcs8.as_ref()), public }
    }

    fn published(&self) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": self.public, "kid": self.kid, "use": "sig" })
    }

    fn sign(&self, user: &str) -> String {
        self.sign_claims(&json!({ "sub": user }))
    }

    fn sign_claims(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.kid.to_owned()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &self.key).expect("it signs anything")
    }
}

#[tokio::test]
async fn published_keys_are_fetched_once_for_all_who_wait_and_outlive_their_publisher() {
    let (signer, stranger) = (Signer::new("one"), Signer::new("two"));
    let set = json!({ "keys": [signer.published()] });
    let publisher = Backend::start(move |_| (200, set.clone())).await;
    let url = format!("http://{}/keys", publisher.address);
    let token = json!({ "jwks_public_endpoint": url, "hmac_secret_key": null });
    let server = Server::serve(json!({ "client": { "token": token } })).await;
    let tokens: Vec<_> = (0..20).map(|number| signer.sign(&format!("user{number}"))).collect();
    let connecting = tokens.iter().map(|token| Peer::connect_as(server.address, json!({ "token": token })));
    let _all = futures_util::future::join_all(connecting).await;
    assert_eq!(publisher.take_asked("/keys").len(), 1);
    let mut forger = Peer::open(server.address).await;
    forger.text(&json!({ "id": 1, "connect": { "token": stranger.sign("eve") } }).to_string()).await;
    assert_eq!(forger.closed().await.0, 3500);
    drop(publisher);
    Peer::connect_as(server.address, json!({ "token": signer.sign("late") })).await;
}

#[tokio::test]
async fn whoever_checks_a_token_fetches_the_published_keys_as_a_server_would() {
    let signer = Signer::new("one");
    let set = json!({ "keys": [signer.published()] });
    let publisher = Backend::start(move |_| (200, set.clone())).await;
    let url = format!("http://{}/keys", publisher.address);
    let config = json!({ "client": { "token": { "jwks_public_endpoint": url } } });
    let file = scratch("checked.json");
    std::fs::write(&file, config.to_string()).expect("a file can be written");
    let file = file.to_str().expect("our paths are UTF-8");
    for (token, is_good, step) in [
        (signer.sign("ana"), true, "ok     signature"),
        (Signer::new("two").sign("eve"), false, "FAILED signature"),
    ] {
        let output = spanwire(&["token", "check", "-c", file, &token]).output().await.expect("it runs");
        let said = String::from_utf8(output.stdout).expect("it says text");
        assert_eq!(output.status.success(), is_good, "{said}");
        assert!(said.contains(&format!("ok     keys: fetched from {url}")) && said.contains(step), "{said}");
    }
}

#[tokio::test]
async fn without_the_published_keys_a_client_is_told_to_come_back_and_a_new_key_is_good_at_once() {
    let (signer, next) = (Signer::new("one"), Signer::new("two"));
    let publisher = Backend::start(|_| (503, Value::Null)).await;
    let url = format!("http://{}/keys", publisher.address);
    let token = json!({ "jwks_public_endpoint": url, "hmac_secret_key": null });
    let server = Server::serve(json!({ "client": { "token": token } })).await;
    let mut early = Peer::open(server.address).await;
    assert_eq!(early.refusal("connect", json!({ "token": signer.sign("ana") })).await, 100);
    let metrics = http::get(server.address, "/metrics").await.body;
    let of_url = format!("{{url=\"{url}\"");
    assert!(
        metrics.contains(&format!("spanwire_jwks_fetches_total{of_url},outcome=\"failed\"}} 1")),
        "{metrics}"
    );
    assert!(metrics.contains(&format!("spanwire_jwks_fetched_time_seconds{of_url}}} 0\n")), "{metrics}");
    let set = json!({ "keys": [signer.published(), next.published()] });
    publisher.answers(move |_| (200, set.clone()));
    // A publisher that fails is left in peace for a while: clients come back until it is asked again.
    let token = next.sign("bob");
    until("the keys to be fetched again", async || {
        let mut peer = Peer::open(server.address).await;
        let reply = peer.reply("connect", json!({ "token": token })).await;
        (!reply["connect"].is_null()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_issuer_is_verified_by_its_own_keys_alone_and_chooses_among_those_that_are_listed() {
    // Both publish a key of the same name.
    let (red, blue) = (Signer::new("one"), Signer::new("one"));
    let sets = [("/red/keys", red.published()), ("/blue/keys", blue.published())]
        .map(|(path, key)| (path, json!({ "keys": [key] })));
    let publisher = Backend::start(move |asked| {
        let set = sets.iter().find(|(path, _)| asked.path == *path);
        set.map_or((404, Value::Null), |(_, set)| (200, set.clone()))
    })
    .await;
    let server = Server::serve(json!({ "client": { "token": {
        "jwks_public_endpoint": format!("http://{}/{{{{tenant}}}}/keys?code=hidden", publisher.address),
        "issuer_regex": "^https://(?P<tenant>red|blue)\\.test$",
        "hmac_secret_key": null,
    } } }))
    .await;
    let of = |signer: &Signer, tenant: &str| {
        signer.sign_claims(&json!({ "sub": "ana", "iss": format!("https://{tenant}.test") }))
    };
    for (signer, tenant) in [(&red, "red"), (&blue, "blue"), (&red, "red")] {
        Peer::connect_as(server.address, json!({ "token": of(signer, tenant) })).await;
    }
    for (signer, tenant) in [(&red, "blue"), (&blue, "red"), (&red, "green"), (&red, "../red")] {
        let mut forger = Peer::open(server.address).await;
        forger.text(&json!({ "id": 1, "connect": { "token": of(signer, tenant) } }).to_string()).await;
        assert_eq!(forger.closed().await.0, 3500, "{tenant}");
    }
    for tenant in ["red", "blue"] {
        assert_eq!(publisher.take_asked(&format!("/{tenant}/keys")).len(), 1, "{tenant}");
    }
    let metrics = http::get(server.address, "/metrics").await.body;
    for tenant in ["red", "blue"] {
        let url = format!("url=\"http://{}/{tenant}/keys\"", publisher.address);
        for (outcome, count) in [("done", 1), ("failed", 0)] {
            let line = format!("spanwire_jwks_fetches_total{{{url},outcome=\"{outcome}\"}} {count}");
            assert!(metrics.contains(&line), "{line}: {metrics}");
        }
        assert!(!metrics.contains(&format!("spanwire_jwks_fetched_time_seconds{{{url}}} 0\n")), "{metrics}");
    }
    assert!(!metrics.contains("hidden") && !server.said().contains("hidden"));
}

#[tokio::test]
async fn who_is_about_to_expire_is_counted_at_the_moment() {
    // It is not let go while this looks, however slow the machine.
    let server = Server::serve(json!({ "client": { "expired_close_delay": "10m" } })).await;
    let token = signed(json!({ "sub": "ana", "exp": seconds_from_now(50) }));
    let ana = Peer::connect_as(server.address, json!({ "token": token })).await;
    let counted = async |what: &str, state: &str, count: u64| {
        let line = format!("spanwire_expiring{{what=\"{what}\",state=\"{state}\"}} {count}\n");
        until(&line, async || http::get(server.address, "/metrics").await.body.contains(&line).then_some(()))
            .await;
    };
    counted("connection", "soon", 1).await;
    counted("connection", "overdue", 0).await;
    counted("subscription", "soon", 0).await;
    drop(ana);
    counted("connection", "soon", 0).await;
}
