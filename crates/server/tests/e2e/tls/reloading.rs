use std::fs;
use std::sync::Arc;

use rustix::process::Signal;
use serde_json::json;
use tokio::net::TcpStream;

use crate::support::secure::{Secure, SecurePeer, shake_hands, trusting};
use crate::support::until::until;

const READ: &str = "spanwire_tls_certificate_reads_total{outcome=\"read\"}";
const REFUSED: &str = "spanwire_tls_certificate_reads_total{outcome=\"refused\"}";

/// Whether a client that trusts what is in the file of the authority now is let in.
async fn is_shown(secure: &Secure) -> bool {
    let client = trusting(&secure.authority(), rustls::DEFAULT_VERSIONS);
    let stream = TcpStream::connect(secure.server.address).await.expect("the server accepts");
    shake_hands(stream, Arc::new(client), "localhost").await.is_ok()
}

/// Has somebody publish while everybody hears it.
async fn talk(everybody: &mut [SecurePeer], words: std::ops::Range<u64>) {
    for word in words {
        let publish = json!({ "channel": "talk", "data": word });
        everybody[0].call("publish", publish).await;
        for peer in &mut *everybody {
            assert_eq!(peer.publication().await, json!(word));
        }
    }
}

#[tokio::test]
async fn a_new_certificate_is_shown_while_everybody_talks_and_nobody_is_dropped() {
    let secure = Secure::serve(json!({})).await;
    let mut everybody = Vec::new();
    for _ in 0..20 {
        everybody.push(secure.subscribe("talk").await);
    }
    talk(&mut everybody, 0..10).await;
    secure.pair.renew(&["localhost"]).await;
    let mut word = 10;
    // By itself: the files have changed.
    while !is_shown(&secure).await {
        talk(&mut everybody, word..word + 1).await;
        word += 1;
    }
    secure.pair.renew(&["localhost"]).await;
    // And at once, to whoever cannot wait.
    secure.server.signal(Signal::HUP);
    until("the certificate after it", async || is_shown(&secure).await.then_some(())).await;
    talk(&mut everybody, word..word + 10).await;
    assert!(secure.metric(READ).await >= 2.0);
    assert_eq!(secure.metric("spanwire_connections").await, 20.0);
}

#[tokio::test]
async fn a_bad_file_keeps_the_certificate_before_it_and_the_log_says_why() {
    let secure = Secure::serve(json!({})).await;
    let good = fs::read(secure.pair.certificate()).expect("it was written");
    fs::write(secure.pair.certificate(), "rubbish").expect("it is ours to write");
    secure.server.signal(Signal::HUP);
    until("the refusal", async || (secure.metric(REFUSED).await >= 1.0).then_some(())).await;
    assert!(is_shown(&secure).await);
    // The log is written by a thread of its own.
    let is_told =
        async || secure.server.said().contains("dev-cert.pem holds no certificate in PEM").then_some(());
    until("the log to say why", is_told).await;
    fs::write(secure.pair.certificate(), good).expect("it is ours to write");
    until("the good one", async || (secure.metric(READ).await >= 1.0).then_some(())).await;
}
