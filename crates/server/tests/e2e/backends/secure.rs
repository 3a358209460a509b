//! A backend that speaks TLS, for which an authority of the team's own vouches.

use std::path::{Path, PathBuf};

use rcgen::generate_simple_self_signed;
use serde_json::{Value, json};

use crate::support::backend::{Asked, Backend};
use crate::support::http::get;
use crate::support::peer::Peer;
use crate::support::secure::Pair;
use crate::support::server::{Server, merged, scratch, spanwire};
use crate::support::tls_listener::TlsListener;
use crate::support::until::{until, within};

/// Lets everybody in as Ann, and takes every event.
fn friendly(asked: &Asked) -> (u16, Value) {
    match asked.path.as_str() {
        "/connect" => (200, json!({ "result": { "user": "ann" } })),
        _ => (204, json!({})),
    }
}

/// The configuration of a server that asks this backend, and tells it, with these options of TLS.
fn asking(backend: &Backend, tls: &Value) -> Value {
    let with = |path: &str| {
        let mut proxy = backend.secure_proxy(path);
        proxy["http"] = json!({ "tls": tls });
        proxy
    };
    let mut connect = with("/connect");
    connect["enabled"] = true.into();
    let mut events = with("/events");
    events["max_retry_wait"] = "100ms".into();
    json!({ "client": { "proxy": { "connect": connect } }, "events": events })
}

fn trusting(authority: &Path) -> Value {
    json!({ "server_ca_pem_file": authority })
}

/// A certificate that vouches for itself, and its key, as files.
fn own_identity(name: &str) -> (PathBuf, PathBuf) {
    let made = generate_simple_self_signed([name.to_owned()]).expect("a name is all that it takes");
    let (certificate, key) = (scratch("client.crt"), scratch("client.key"));
    std::fs::write(&certificate, made.cert.pem()).expect("a file can be written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file can be written");
    (certificate, key)
}

/// Whether it is asked by the server, and told of its clients.
async fn is_heard(backend: &Backend, server: &Server) {
    let mut ann = Peer::open(server.address).await;
    ann.call("connect", json!({})).await;
    assert_eq!(backend.take_asked("/connect").len(), 1);
    until("the backend to be told of her", async || {
        let told = backend.take_asked("/events");
        told.iter().any(|asked| asked.body.to_string().contains("\"user\":\"ann\"")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_backend_is_asked_and_told_over_tls_if_our_authority_vouches_for_it() {
    let pair = Pair::make(&["localhost"]).await;
    let backend = Backend::start_behind(TlsListener::showing(&pair).await, friendly);
    let server = Server::serve(asking(&backend, &trusting(&pair.authority()))).await;
    is_heard(&backend, &server).await;
}

#[tokio::test]
async fn a_backend_for_which_another_authority_vouches_is_told_nothing_and_the_log_says_why() {
    let (pair, other) = (Pair::make(&["localhost"]).await, Pair::make(&["localhost"]).await);
    let backend = Backend::start_behind(TlsListener::showing(&pair).await, friendly);
    let server = Server::serve(asking(&backend, &trusting(&other.authority()))).await;
    let mut ann = Peer::open(server.address).await;
    assert_eq!(ann.refusal("connect", json!({})).await, 100);
    for sample in [
        "spanwire_proxy_questions_total{proxy=\"connect\",outcome=\"untrusted\"} 1",
        "spanwire_events_requests_total{outcome=\"untrusted\"} ",
        "spanwire_events_delivered_total 0",
    ] {
        until(sample, async || {
            let metrics = get(server.address, "/metrics").await.body;
            metrics.lines().any(|line| line.starts_with(sample)).then_some(())
        })
        .await;
    }
    for teller in ["proxy connect: ", "events: "] {
        until("the log to say why", async || {
            let said = server.said();
            let line = said.lines().find(|line| line.contains(teller))?;
            let reason = "its certificate is not trusted: invalid peer certificate: ";
            (line.contains(reason) && line.contains("http.tls.server_ca_pem_file")).then_some(())
        })
        .await;
    }
    assert_eq!(backend.answered(), 0);
}

#[tokio::test]
async fn the_name_in_a_certificate_counts_and_may_be_another_than_in_the_address() {
    let pair = Pair::make(&["backend.test"]).await;
    let backend = Backend::start_behind(TlsListener::showing(&pair).await, friendly);
    let mut tls = trusting(&pair.authority());
    let server = Server::serve(asking(&backend, &tls)).await;
    assert_eq!(Peer::open(server.address).await.refusal("connect", json!({})).await, 100);
    until("the log to say for whom it is", async || {
        server.said().contains("not valid for name \"localhost\"").then_some(())
    })
    .await;
    tls["server_name"] = "backend.test".into();
    let server = Server::serve(asking(&backend, &tls)).await;
    is_heard(&backend, &server).await;
}

#[tokio::test]
async fn a_backend_that_asks_who_we_are_is_shown_our_certificate() {
    let pair = Pair::make(&["localhost"]).await;
    let (certificate, key) = own_identity("spanwire.test");
    let backend = Backend::start_behind(TlsListener::demanding(&pair, &certificate).await, friendly);
    let mut tls = trusting(&pair.authority());
    let nobody = Server::serve(asking(&backend, &tls)).await;
    assert_eq!(Peer::open(nobody.address).await.refusal("connect", json!({})).await, 100);
    assert_eq!(backend.answered(), 0);
    tls["cert_pem_file"] = json!(certificate);
    tls["key_pem_file"] = json!(key);
    let server = Server::serve(asking(&backend, &tls)).await;
    is_heard(&backend, &server).await;
}

#[tokio::test]
async fn a_server_does_not_start_with_an_authority_that_it_cannot_read() {
    let pair = Pair::make(&["localhost"]).await;
    let backend = Backend::start_behind(TlsListener::showing(&pair).await, friendly);
    let rubbish = scratch("rubbish.pem");
    std::fs::write(&rubbish, "rubbish").expect("a file can be written");
    let missing = scratch("missing.pem");
    let table = [(&missing, "No such file"), (&rubbish, "holds no certificate in PEM")];
    for (authority, expected) in table {
        let file = scratch("config.json");
        let config = merged(asking(&backend, &trusting(authority))).to_string();
        std::fs::write(&file, config).expect("a config file can be written");
        let output = within("the refusal", spanwire(&["serve", "-c"]).arg(&file).output()).await;
        let output = output.expect("the binary can be started");
        let said = String::from_utf8_lossy(&output.stderr);
        let name = authority.file_name().expect("it has one").to_string_lossy();
        assert!(!output.status.success() && said.contains(&*name) && said.contains(expected), "{said}");
    }
}
