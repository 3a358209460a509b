//! Certificates that the server orders from an authority, in a server that was built with the feature `acme`.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use tokio::net::TcpStream;

use crate::support::pebble::{Pebble, free_address, get};
use crate::support::peer::Peer;
use crate::support::proxy::{Line, Proxy};
use crate::support::require;
use crate::support::secure::{SecurePeer, shake_hands, trusting};
use crate::support::server::{Server, scratch};
use crate::support::until::until;

const CAME: &str = "spanwire_tls_certificate_orders_total{outcome=\"came\"}";
const FAILED: &str = "spanwire_tls_certificate_orders_total{outcome=\"failed\"}";
const NO_CERTIFICATE: &str = "spanwire_tls_handshake_failures_total{reason=\"no_certificate\"}";

async fn serve(port: u16, autocert: Value) -> Server {
    Server::serve(json!({ "http_server": { "port": port, "tls_autocert": autocert } })).await
}

/// The value of a metric, asked by a client that trusts this authority; zero if it is not there.
async fn metric(server: &Server, authority: &Path, name: &str) -> f64 {
    let metrics = get(server.address, authority, "/metrics").await.expect("it is trusted").body;
    let figure = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    metrics.lines().find_map(figure).unwrap_or(0.0)
}

/// Why a client that asks for this name and speaks this is not let in; empty if it is.
async fn refusal(address: SocketAddr, authority: &Path, name: &str, protocol: &[u8]) -> String {
    let mut client = trusting(authority, rustls::DEFAULT_VERSIONS);
    client.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(address).await.expect("the server accepts");
    let refused = shake_hands(stream, Arc::new(client), name).await.err();
    refused.as_ref().map(io::Error::to_string).unwrap_or_default()
}

/// All certificates that are kept below a directory.
fn kept(cache_dir: &Path) -> Vec<PathBuf> {
    let below =
        |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    below(cache_dir).flat_map(|folder| below(&folder).collect::<Vec<_>>()).collect()
}

/// Puts a certificate for `localhost` that ends in ten days where the server keeps those of this directory; it
/// vouches for itself. Returns its file.
fn keep_one_near_its_end(cache_dir: &Path, directory: SocketAddr) -> PathBuf {
    let folder = cache_dir.join(format!("localhost_{}_dir", directory.port()));
    fs::create_dir_all(&folder).expect("a folder can be made");
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("it is a name");
    let now = OffsetDateTime::now_utc();
    (params.not_before, params.not_after) = (now - Duration::days(80), now + Duration::days(10));
    let key = KeyPair::generate().expect("a key can be made");
    let certificate = params.self_signed(&key).expect("a certificate can be made");
    let (kept, trusted) = (folder.join("localhost.pem"), scratch("near-its-end.pem"));
    fs::write(kept, certificate.pem() + &key.serialize_pem()).expect("a file can be written");
    fs::write(&trusted, certificate.pem()).expect("a file can be written");
    trusted
}

#[tokio::test]
async fn a_certificate_is_ordered_shown_and_kept_so_that_a_restart_orders_none() {
    let Some(program) = require::pebble() else { return };
    let (cache_dir, address) = (scratch("acme"), free_address());
    let pebble = Pebble::run(&program, address.port()).await;
    let autocert = pebble.autocert(pebble.address, &cache_dir);
    let server = serve(address.port(), autocert.clone()).await;
    until("a certificate of Pebble's", async || get(address, &pebble.root, "/health").await.ok()).await;
    assert_eq!(metric(&server, &pebble.root, CAME).await, 1.0, "{}", server.said());

    // The account, and one certificate with its key.
    let files = kept(&cache_dir);
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let mode = fs::metadata(&file).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file:?}");
    }

    // Strangers are shown nothing, and neither are those who would like to see an answer to a challenge that is over.
    assert_eq!(refusal(address, &pebble.root, "localhost", b"http/1.1").await, "");
    for (name, protocol) in [("other.test", &b"http/1.1"[..]), ("localhost", b"acme-tls/1")] {
        let refusal = refusal(address, &pebble.root, name, protocol).await;
        assert!(refusal.contains("AccessDenied"), "{name}: {refusal:?}");
    }
    assert!(metric(&server, &pebble.root, NO_CERTIFICATE).await >= 2.0);

    let root = pebble.root.clone();
    drop(pebble);
    server.kill().await;
    let server = serve(0, autocert).await;
    assert_eq!(get(server.address, &root, "/health").await.expect("it is trusted").status, 200);
    assert_eq!(metric(&server, &root, CAME).await + metric(&server, &root, FAILED).await, 0.0);
    assert!(!server.said().contains("ordering a certificate"), "{}", server.said());
}

#[tokio::test]
async fn a_certificate_near_its_end_is_renewed_and_nobody_is_dropped() {
    let Some(program) = require::pebble() else { return };
    let (cache_dir, address) = (scratch("acme"), free_address());
    let pebble = Pebble::run(&program, address.port()).await;
    let line = Proxy::to(pebble.address).await;
    line.set(Line::Silent);
    let old = keep_one_near_its_end(&cache_dir, line.address);
    let server = serve(address.port(), pebble.autocert(line.address, &cache_dir)).await;
    let mut peer = talker(&server, &old).await;
    line.set(Line::Clear);
    until("a certificate of Pebble's", async || get(address, &pebble.root, "/health").await.ok()).await;
    assert!(get(address, &old, "/health").await.is_err());
    peer.call("publish", json!({ "channel": "talk", "data": "still here" })).await;
    assert_eq!(peer.publication().await, json!("still here"));
}

#[tokio::test]
async fn a_renewal_that_fails_is_counted_and_told_and_the_certificate_before_it_goes_on_being_shown() {
    let (cache_dir, nobody) = (scratch("acme"), free_address());
    let old = keep_one_near_its_end(&cache_dir, nobody);
    let autocert = json!({
        "enabled": true,
        "host_whitelist": ["localhost", "other.test"],
        "server_name": "localhost",
        "cache_dir": cache_dir,
        "directory_url": format!("https://localhost:{}/dir", nobody.port()),
        "directory_ca_pem_file": old,
    });
    let server = serve(0, autocert).await;
    until("both failures", async || (metric(&server, &old, FAILED).await == 2.0).then_some(())).await;
    for host in ["localhost", "other.test"] {
        // What it says reaches us by another way than what it counts, and may come behind it.
        let told = until("the failure to be told", async || {
            let said = server.said();
            let mut lines = said.lines();
            lines
                .find(|line| line.contains(&format!("no certificate for {host} from https://")))
                .map(str::to_owned)
        });
        let told = told.await;
        assert!(told.contains("Connection refused") && told.contains("tried again in "), "{told}");
    }
    let refusal = refusal(server.address, &old, "other.test", b"http/1.1").await;
    assert!(refusal.contains("AccessDenied"), "{refusal}");
    assert_eq!(get(server.address, &old, "/health").await.expect("it is trusted").status, 200);
}

/// A client that trusts this authority, and listens to what is said.
async fn talker(server: &Server, authority: &Path) -> SecurePeer {
    let client = Arc::new(trusting(authority, rustls::DEFAULT_VERSIONS));
    let stream = TcpStream::connect(server.address).await.expect("the server accepts");
    let stream = shake_hands(stream, client, "localhost").await.expect("it is trusted");
    let mut peer = Peer::open_over(stream, &format!("{}/connection/websocket", server.address)).await;
    peer.call("connect", json!({})).await;
    peer.call("subscribe", json!({ "channel": "talk" })).await;
    peer
}
