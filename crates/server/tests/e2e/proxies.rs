//! Reverse proxies, as `docs/proxies` says to configure them: the very files, on ports of their own.

mod addresses;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rcgen::CertifiedKey;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::support::require;
use crate::support::script;
use crate::support::server::{Server, scratch};
use crate::support::until::until;

/// What comes through all of them, by `e2e/node/proxies.mjs`.
const THROUGH_ALL: [&str; 4] = [
    "a WebSocket comes through, and its pings keep it",
    "pages come over HTTP/2",
    "HTTP-streaming is not held back, and its pings keep it",
    "server-sent events are not held back, and their pings keep them",
];

/// What comes through HAProxy besides.
const THROUGH_HAPROXY: [&str; 2] =
    ["a WebSocket of HTTP/1.1 goes on to the server by HTTP/2", "a WebSocket of HTTP/2 comes through"];

/// What happens where nobody pings.
const WHEN_SILENT: [&str; 1] = ["without pings an idle WebSocket is cut, and nothing is lost by that"];

/// A proxy that runs, and ends with this value.
struct ReverseProxy {
    _process: Child,
    address: SocketAddr,
    /// Whom its clients must trust.
    certificate: PathBuf,
}

impl ReverseProxy {
    /// Runs a configuration of the documentation, with these words of it replaced. What is to be replaced must be there.
    async fn run(mut command: Command, file: &str, words: &[(&str, &str)], paths: &Paths) -> Self {
        let configured = require::repository().join("docs/proxies").join(file);
        let mut text = std::fs::read_to_string(configured).expect("the documentation is there");
        for (word, replacement) in words {
            assert!(text.contains(word), "docs/proxies/{file} has no {word:?}");
            text = text.replace(word, replacement);
        }
        std::fs::write(&paths.config, text).expect("a file can be written");
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("the proxy can be started");
        until("the proxy to listen", async || TcpStream::connect(paths.address).await.ok()).await;
        Self { _process: process, address: paths.address, certificate: paths.certificate.clone() }
    }

    /// nginx, with these words of its configuration replaced besides.
    async fn nginx(program: &Path, server: &Server, more: &[(&str, &str)]) -> Self {
        let paths = Paths::new();
        let (folder, certificate) = (text(&paths.folder), text(&paths.certificate));
        let key = text(&paths.key);
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
            .concat();
        let words = [
            ("worker_processes auto", "worker_processes 1"),
            ("worker_rlimit_nofile 131072", "worker_rlimit_nofile 1024"),
            ("worker_connections 65536", "worker_connections 512"),
            ("http {\n", &format!("http {{\naccess_log off;\n{temporary}")),
            ("server 127.0.0.1:8000", &format!("server {}", server.address)),
            ("listen 443 ssl", &format!("listen {} ssl", paths.address)),
            ("/etc/ssl/chat.example.com.pem", certificate),
            ("/etc/ssl/chat.example.com.key", key),
            ("chat.example.com", "localhost"),
            ("75s", "3s"),
        ];
        let mut command = Command::new(program);
        command.args(["-e", "stderr", "-p", folder, "-c", text(&paths.config)]);
        command.args(["-g", &format!("daemon off; pid {folder}/nginx.pid;")]);
        Self::run(command, "nginx.conf", &[more, &words].concat(), &paths).await
    }

    /// HAProxy, with these words of its configuration replaced besides.
    async fn haproxy(program: &Path, server: &Server, more: &[(&str, &str)]) -> Self {
        let paths = Paths::new();
        let words = [
            ("maxconn 65536", "maxconn 512"),
            ("bind :443", &format!("bind {}", paths.address)),
            ("/etc/haproxy/chat.example.com.pem", text(&paths.both)),
            ("127.0.0.1:8000", &server.address.to_string()),
            ("75s", "3s"),
        ];
        Self::run(haproxy_of(program, &paths), "haproxy.cfg", &[more, &words].concat(), &paths).await
    }

    /// Caddy, which gets its certificate from us and asks no authority.
    async fn caddy(program: &Path, server: &Server) -> Self {
        let paths = Paths::new();
        let (folder, certificate, key) = (text(&paths.folder), text(&paths.certificate), text(&paths.key));
        let site = format!(
            "{{\nadmin off\nauto_https disable_redirects\nlog {{\nlevel FATAL\n}}\n}}\nlocalhost:{} {{\nbind 127.0.0.1\ntls {certificate} {key}",
            paths.address.port()
        );
        let words = [
            ("chat.example.com {", site.as_str()),
            ("127.0.0.1:8000", &server.address.to_string()),
            // The one that distributions have does not know it.
            ("stream_close_delay 5m", ""),
        ];
        let mut command = Command::new(program);
        command.args(["run", "--adapter", "caddyfile", "--config", text(&paths.config)]);
        command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
        Self::run(command, "Caddyfile", &words, &paths).await
    }

    /// HAProxy, as it passes TLS on.
    async fn haproxy_tcp(program: &Path, server: &Server, more: &[(&str, &str)]) -> Self {
        let paths = Paths::new();
        let words = [
            ("maxconn 65536", "maxconn 512"),
            ("bind :443", &format!("bind {}", paths.address)),
            ("127.0.0.1:8443", &server.address.to_string()),
        ];
        Self::run(haproxy_of(program, &paths), "haproxy-tcp.cfg", &[more, &words].concat(), &paths).await
    }
}

fn haproxy_of(program: &Path, paths: &Paths) -> Command {
    let mut command = Command::new(program);
    command.args(["-db", "-f", text(&paths.config)]);
    command
}

/// What a proxy has of its own.
struct Paths {
    folder: PathBuf,
    config: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    /// Certificate and key in one file.
    both: PathBuf,
    address: SocketAddr,
}

impl Paths {
    fn new() -> Self {
        let folder = scratch("proxy");
        std::fs::create_dir(&folder).expect("a folder can be made");
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate can be made");
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("a file can be written");
            path
        };
        let (certificate, key) = (cert.pem(), signing_key.serialize_pem());
        // Proxies do not say which port they were given, so it is chosen for them.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        Self {
            certificate: file("certificate.pem", &certificate),
            key: file("key.pem", &key),
            both: file("both.pem", &format!("{certificate}{key}")),
            config: folder.join("config"),
            folder,
            address: free.expect("there is a free port"),
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("our paths are UTF-8")
}

/// A server that trusts its proxy, has every transport, and pings this often; it does not wait for answers, which are
/// another matter.
async fn server(ping_interval: &str) -> Server {
    Server::serve(json!({
        "http_server": { "trusted_proxies": ["127.0.0.1"] },
        "client": { "ping_interval": ping_interval, "pong_timeout": "0s" },
        "http_stream": { "enabled": true },
        "sse": { "enabled": true },
    }))
    .await
}

async fn play(
    node: &Path,
    name: &str,
    mode: &str,
    proxy: &ReverseProxy,
    server: &Server,
    sentences: &[&str],
) {
    let mut command = Command::new(node);
    command.arg(require::repository().join("e2e/node/proxies.mjs")).args([name, mode]);
    command.env("SPANWIRE_PROXY", format!("https://localhost:{}", proxy.address.port()));
    command.env("NODE_EXTRA_CA_CERTS", &proxy.certificate);
    script::run(command, server, sentences).await;
}

fn needed(program: Option<PathBuf>) -> Option<(PathBuf, PathBuf)> {
    Some((program?, require::node_with("e2e/node", "node_modules/ws")?))
}

#[tokio::test]
async fn everything_comes_through_nginx_and_pings_outlast_its_idle_timeout() {
    let Some((nginx, node)) = needed(require::nginx()) else { return };
    let server = server("1s").await;
    let proxy = ReverseProxy::nginx(&nginx, &server, &[]).await;
    play(&node, "nginx", "pinged", &proxy, &server, &THROUGH_ALL).await;
}

#[tokio::test]
async fn without_pings_nginx_cuts_an_idle_websocket() {
    let Some((nginx, node)) = needed(require::nginx()) else { return };
    let server = server("0s").await;
    let proxy = ReverseProxy::nginx(&nginx, &server, &[]).await;
    play(&node, "nginx", "silent", &proxy, &server, &WHEN_SILENT).await;
}

#[tokio::test]
async fn everything_comes_through_haproxy_and_pings_outlast_its_idle_timeout() {
    let Some((haproxy, node)) = needed(require::haproxy()) else { return };
    let server = server("1s").await;
    let proxy = ReverseProxy::haproxy(&haproxy, &server, &[]).await;
    let sentences: Vec<_> = THROUGH_ALL.into_iter().chain(THROUGH_HAPROXY).collect();
    play(&node, "haproxy", "pinged", &proxy, &server, &sentences).await;
}

#[tokio::test]
async fn without_pings_haproxy_cuts_an_idle_websocket() {
    let Some((haproxy, node)) = needed(require::haproxy()) else { return };
    let server = server("0s").await;
    let proxy = ReverseProxy::haproxy(&haproxy, &server, &[]).await;
    play(&node, "haproxy", "silent", &proxy, &server, &WHEN_SILENT).await;
}

#[tokio::test]
async fn everything_comes_through_caddy() {
    let Some((caddy, node)) = needed(require::caddy()) else { return };
    let server = server("1s").await;
    let proxy = ReverseProxy::caddy(&caddy, &server).await;
    play(&node, "caddy", "pinged", &proxy, &server, &THROUGH_ALL).await;
}
