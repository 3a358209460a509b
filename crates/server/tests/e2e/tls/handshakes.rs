use std::process::Stdio;
use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, ProtocolVersion};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::support::secure::{Pair, Secure, shake_hands, trusting};
use crate::support::until::{until, within};
use crate::support::{http, require};

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_and_whoever_comes_back_resumes() {
    let secure = Secure::serve(json!({})).await;
    for (version, expected, name) in
        [(&TLS12, ProtocolVersion::TLSv1_2, "1.2"), (&TLS13, ProtocolVersion::TLSv1_3, "1.3")]
    {
        let client = Arc::new(trusting(&secure.authority(), &[version]));
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let stream = TcpStream::connect(secure.server.address).await.expect("the server accepts");
            let mut stream = shake_hands(stream, client.clone(), "localhost").await.expect("it is trusted");
            let request = format!("GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", secure.server.address);
            stream.write_all(request.as_bytes()).await.expect("the server reads");
            // The ticket of TLS 1.3 comes with what is read after the handshake.
            assert_eq!(within("an answer", http::answer(&mut stream)).await.status, 200);
            assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
            assert_eq!(stream.get_ref().1.handshake_kind(), Some(kind));
        }
        let labels = format!("{{version=\"{name}\",resumed=\"true\"}}");
        assert_eq!(secure.metric(&format!("spanwire_tls_handshakes_total{labels}")).await, 1.0);
    }
}

#[tokio::test]
async fn openssl_is_let_in_with_tls_1_2_and_1_3_and_not_with_less() {
    let Some(openssl) = require::openssl() else { return };
    let secure = Secure::serve(json!({})).await;
    for (version, is_let_in) in [("-tls1_3", true), ("-tls1_2", true), ("-tls1_1", false)] {
        let mut command = Command::new(&openssl);
        command.args(["s_client", "-connect", &secure.server.address.to_string(), version]);
        command.args(["-verify_return_error", "-alpn", "http/1.1", "-CAfile"]).arg(secure.authority());
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
        let output = within("openssl to end", output).await.expect("it can be started");
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.success(), is_let_in, "{version}: {said}");
        assert_eq!(said.contains("ALPN protocol: http/1.1"), is_let_in, "{version}: {said}");
    }
    let refused = "spanwire_tls_handshake_failures_total{reason=\"nothing_in_common\"}";
    assert_eq!(secure.metric(refused).await, 1.0);
}

#[tokio::test]
async fn each_client_is_shown_the_certificate_of_the_name_that_it_asks_for() {
    let (a, b) = (Pair::make(&["a.test"]).await, Pair::make(&["b.test", "*.c.test"]).await);
    let secure = Secure::serve_with(json!({ "certificates": [a.files(), b.files()] }), json!({})).await;
    for (name, pair, is_trusted) in [
        ("localhost", &secure.pair, true),
        ("a.test", &a, true),
        ("b.test", &b, true),
        ("x.c.test", &b, true),
        ("a.test", &b, false),
        // Nobody is called so, and the first of all says who is here instead.
        ("d.test", &secure.pair, false),
    ] {
        let client = trusting(&pair.authority(), rustls::DEFAULT_VERSIONS);
        let stream = TcpStream::connect(secure.server.address).await.expect("the server accepts");
        let outcome = shake_hands(stream, Arc::new(client), name).await;
        assert_eq!(outcome.is_ok(), is_trusted, "{name}: {:?}", outcome.err());
    }
}

#[tokio::test]
async fn a_client_that_stalls_in_the_handshake_is_cut() {
    let secure = Secure::serve_with(json!({ "handshake_timeout": "1s" }), json!({})).await;
    // The header of a record of the handshake, 512 bytes long, and the first of them.
    for begun in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01"] {
        let mut stream = TcpStream::connect(secure.server.address).await.expect("the server accepts");
        stream.write_all(begun).await.expect("the server reads");
        let mut rest = Vec::new();
        // Whether it is a FIN or a RST says nothing to somebody who said nothing.
        let _ = within("the server to hang up", stream.read_to_end(&mut rest)).await;
    }
    let timeouts = "spanwire_tls_handshake_failures_total{reason=\"timeout\"}";
    until("the timeouts to be counted", async || (secure.metric(timeouts).await == 3.0).then_some(())).await;
}

#[tokio::test]
async fn whoever_speaks_http_without_tls_is_told_what_to_write() {
    let secure = Secure::serve(json!({})).await;
    let answer = http::get(secure.server.address, "/health").await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("https://"), "{answer:?}");
}

#[tokio::test]
async fn what_is_no_tls_at_all_is_refused_and_counted() {
    let secure = Secure::serve(json!({})).await;
    let mut stream = TcpStream::connect(secure.server.address).await.expect("the server accepts");
    stream.write_all(&[0; 64]).await.expect("the server reads");
    let mut rest = Vec::new();
    let _ = within("the server to hang up", stream.read_to_end(&mut rest)).await;
    let refused = "spanwire_tls_handshake_failures_total{reason=\"not_tls\"}";
    until("it to be counted", async || (secure.metric(refused).await == 1.0).then_some(())).await;
}
