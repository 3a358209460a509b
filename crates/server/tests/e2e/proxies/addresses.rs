//! Whose client it is: behind each proxy the server counts the client's own address, whatever the client says of itself.
//!
//! Addresses of this machine are not counted, and clients of tests have no other ones. So the proxy is told, by one more
//! word in its configuration, that each client is introduced to it by the PROXY protocol, as another proxy before it
//! would do.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::ReverseProxy;
use crate::support::http::{self, Response};
use crate::support::require;
use crate::support::secure::{Pair, shake_hands, trusting};
use crate::support::server::Server;
use crate::support::until::within;

/// A server that lets each address in once, and trusts its proxy.
async fn server(mut http_server: Value) -> Server {
    http_server["trusted_proxies"] = json!(["127.0.0.1"]);
    Server::serve(json!({ "http_server": http_server, "client": { "ip_connection_limit": 1 } })).await
}

/// TLS with a client from afar.
async fn arrive(proxy: &ReverseProxy, trusted: &Path, client: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let mut stream = TcpStream::connect(proxy.address).await.expect("the proxy accepts");
    let introduction = format!("PROXY TCP4 {client} 127.0.0.1 51000 443\r\n");
    stream.write_all(introduction.as_bytes()).await.expect("the proxy reads");
    let config = Arc::new(trusting(trusted, rustls::DEFAULT_VERSIONS));
    within("TLS, or its end", shake_hands(stream, config, "localhost")).await
}

/// The handshake of a client that lies about its address.
async fn knock(stream: &mut TlsStream<TcpStream>) -> Response {
    let request = "GET /connection/websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         X-Forwarded-For: 203.0.113.77\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("the proxy reads");
    within("an answer", http::answer(stream)).await
}

/// What the server says to three clients of two addresses, if it knows them. Each but the second stays.
async fn each_address_comes_in_once(proxy: &ReverseProxy) {
    let mut stay = Vec::new();
    for (client, status) in [("203.0.113.1", 101), ("203.0.113.1", 429), ("203.0.113.2", 101)] {
        let mut stream = arrive(proxy, &proxy.certificate, client).await.expect("the proxy is trusted");
        let answer = knock(&mut stream).await;
        assert_eq!(answer.status, status, "{client}: {answer:?}");
        let says_why = answer.body.contains("client.ip_connection_limit");
        assert_eq!(says_why, status == 429, "{answer:?}");
        stay.push(stream);
    }
}

#[tokio::test]
async fn behind_nginx_the_server_counts_each_clients_own_address() {
    let Some(nginx) = require::nginx() else { return };
    let introduced = " ssl http2 proxy_protocol; set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;";
    let server = server(json!({})).await;
    let proxy = ReverseProxy::nginx(&nginx, &server, &[(" ssl http2;", introduced)]).await;
    each_address_comes_in_once(&proxy).await;
}

#[tokio::test]
async fn behind_haproxy_the_server_counts_each_clients_own_address() {
    let Some(haproxy) = require::haproxy() else { return };
    let server = server(json!({})).await;
    let proxy = ReverseProxy::haproxy(&haproxy, &server, &[(" ssl crt", " accept-proxy ssl crt")]).await;
    each_address_comes_in_once(&proxy).await;
}

#[tokio::test]
async fn behind_haproxy_that_passes_tls_on_the_server_counts_each_clients_own_address() {
    let Some(haproxy) = require::haproxy() else { return };
    let pair = Pair::make(&["localhost"]).await;
    let mut tls = pair.files();
    tls["enabled"] = true.into();
    let server = server(json!({ "proxy_protocol": true, "tls": tls })).await;
    let introduced = [("bind :443", "bind :443 accept-proxy")];
    let proxy = ReverseProxy::haproxy_tcp(&haproxy, &server, &introduced).await;
    let authority = pair.authority();
    let mut first = arrive(&proxy, &authority, "203.0.113.1").await.expect("it is trusted");
    assert_eq!(knock(&mut first).await.status, 101);
    let again = arrive(&proxy, &authority, "203.0.113.1").await;
    assert!(again.is_err(), "its address has had enough, before TLS costs anything");
    let mut other = arrive(&proxy, &authority, "203.0.113.2").await.expect("all count as one");
    assert_eq!(knock(&mut other).await.status, 101);
}
