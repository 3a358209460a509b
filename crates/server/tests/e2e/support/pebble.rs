//! Pebble: an authority to practise with, by those who run Let's Encrypt.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::http::{self, Response};
use super::secure::{Pair, shake_hands, trusting};
use super::server::scratch;
use super::until::{until, within};

/// An authority that runs, and ends with this value.
pub(crate) struct Pebble {
    _process: Child,
    /// Where its directory is.
    pub(crate) address: SocketAddr,
    /// Vouches for the directory.
    pub(crate) directory_ca: PathBuf,
    /// Vouches for the certificates that it gives.
    pub(crate) root: PathBuf,
}

impl Pebble {
    /// Starts an authority that looks for hosts at this port of the machine.
    pub(crate) async fn run(program: &Path, hosts_port: u16) -> Self {
        let pair = Pair::make(&["localhost"]).await;
        let (files, config, root) = (pair.files(), scratch("pebble.json"), scratch("pebble-root.pem"));
        let (address, management) = (free_address(), free_address());
        let settings = json!({ "pebble": {
            "listenAddress": address.to_string(),
            "managementListenAddress": management.to_string(),
            "certificate": files["cert_pem_file"],
            "privateKey": files["key_pem_file"],
            "tlsPort": hosts_port,
            "httpPort": 0,
        }});
        std::fs::write(&config, settings.to_string()).expect("a file can be written");
        let process = Command::new(program)
            .arg("-config")
            .arg(&config)
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("Pebble can be started");
        for place in [address, management] {
            until("Pebble to listen", async || TcpStream::connect(place).await.ok()).await;
        }
        let answer = get(management, &pair.authority(), "/roots/0").await.expect("it is trusted");
        std::fs::write(&root, answer.body).expect("a file can be written");
        Self { _process: process, address, directory_ca: pair.authority(), root }
    }

    /// What a server needs to order here by way of this address.
    pub(crate) fn autocert(&self, by_way_of: SocketAddr, cache_dir: &Path) -> Value {
        json!({
            "enabled": true,
            "host_whitelist": ["localhost"],
            "cache_dir": cache_dir,
            "directory_url": format!("https://localhost:{}/dir", by_way_of.port()),
            "directory_ca_pem_file": self.directory_ca,
        })
    }
}

/// GET over TLS, from a server that is called `localhost`.
///
/// # Errors
/// It is not trusted, or went away.
pub(crate) async fn get(address: SocketAddr, authority: &Path, path: &str) -> std::io::Result<Response> {
    let client = Arc::new(trusting(authority, rustls::DEFAULT_VERSIONS));
    let stream = TcpStream::connect(address).await?;
    let mut stream = shake_hands(stream, client, "localhost").await?;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n", address.port());
    stream.write_all(request.as_bytes()).await?;
    Ok(within("an HTTP answer", http::answer(&mut stream)).await)
}

/// Where nobody listens: neither Pebble says which port it was given, nor do a server and its authority know each
/// other's before both run.
pub(crate) fn free_address() -> SocketAddr {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.expect("there is a free port")
}
