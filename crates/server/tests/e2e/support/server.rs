//! The server as its users start it: a process, a config file, a port of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::until::within;

/// The key of the HTTP API of every server that a scene starts with a configuration.
pub(crate) const API_KEY: &str = "key of the scenes, too long to be guessed";

/// The secret of its connection tokens.
pub(crate) const TOKEN_SECRET: &str = "secret of the scenes, long enough for HS256";

/// A running server. It dies with this value, and then, if a scene has failed, says what it had to say.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    said: Said,
}

impl Server {
    /// Starts the secure profile with [`open_config`] and these changes to it.
    pub(crate) async fn serve(changes: Value) -> Self {
        Self::serve_file("json", &merged(changes).to_string()).await
    }

    /// Starts the secure profile with this text as its configuration file.
    pub(crate) async fn serve_file(extension: &str, text: &str) -> Self {
        let path = scratch(&format!("config.{extension}"));
        std::fs::write(&path, text).expect("a config file can be written");
        Self::serve_from(&path).await
    }

    /// Starts the secure profile with this configuration file, which may be another by and by.
    pub(crate) async fn serve_from(path: &Path) -> Self {
        Self::start(spanwire(&["serve", "-c", path.to_str().expect("our paths are UTF-8")])).await
    }

    /// The same as [`serve`](Self::serve), with these environment variables.
    pub(crate) async fn serve_with(environment: &[(&str, String)], changes: Value) -> Self {
        Self::serve_text_with(environment, "json", &merged(changes).to_string()).await
    }

    /// The same as [`serve_file`](Self::serve_file), with these environment variables.
    pub(crate) async fn serve_text_with(environment: &[(&str, String)], extension: &str, text: &str) -> Self {
        let path = scratch(&format!("config.{extension}"));
        std::fs::write(&path, text).expect("a config file can be written");
        let mut command = spanwire(&["serve", "-c", path.to_str().expect("our paths are UTF-8")]);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        Self::start(command).await
    }

    /// Starts the secure profile under limits that the shell sets, such as `ulimit -n 64`.
    pub(crate) async fn serve_under(limits: &str, changes: Value) -> Self {
        let path = scratch("config.json");
        std::fs::write(&path, merged(changes).to_string()).expect("a config file can be written");
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{limits} && exec \"$0\" serve -c \"$1\""));
        shell.arg(env!("CARGO_BIN_EXE_spanwire")).arg(path);
        Self::start(alone(shell)).await
    }

    /// Starts the dev profile, on a free port.
    pub(crate) async fn dev() -> Self {
        Self::start(spanwire(&["--port", "0"])).await
    }

    /// Starts the dev profile on a free port, with these options on its command line.
    pub(crate) async fn dev_with(options: &[&str]) -> Self {
        let mut command = spanwire(&["--port", "0"]);
        command.args(options);
        Self::start(command).await
    }

    /// Starts the dev profile with the pages of this directory, as a user whose private files are in the other.
    pub(crate) async fn dev_with_pages(directory: &Path, runtime: &Path) -> Self {
        let mut command = spanwire(&["--port", "0"]);
        command.arg(directory).env("XDG_RUNTIME_DIR", runtime);
        Self::start(command).await
    }

    /// Starts the dev profile as a user whose private files are in this directory.
    pub(crate) async fn dev_of(runtime: &Path) -> Self {
        let mut command = spanwire(&["--port", "0"]);
        command.env("XDG_RUNTIME_DIR", runtime);
        Self::start(command).await
    }

    /// Starts an example of the library, on a free port.
    pub(crate) async fn example(name: &str) -> Self {
        let binaries = Path::new(env!("CARGO_BIN_EXE_spanwire")).parent().expect("a folder");
        let example = binaries.join("examples").join(name);
        assert!(example.exists(), "{} is not built; `cargo test` does that", example.display());
        let mut command = Command::new(example);
        command.arg("127.0.0.1:0");
        Self::start_until(alone(command), "http://").await
    }

    async fn start(command: Command) -> Self {
        Self::start_until(command, "ready in ").await
    }

    /// Starts what says `ready` when clients can connect.
    async fn start_until(mut command: Command, ready: &str) -> Self {
        let mut child = command.spawn().expect("the binary can be started");
        let said = Said::default();
        tokio::spawn(said.clone().listen(lines(child.stderr.take().expect("stderr is piped"))));
        let mut stdout = lines(child.stdout.take().expect("stdout is piped"));
        let address = within("the server to be ready", announced(&mut stdout, &said, ready)).await;
        tokio::spawn(said.clone().listen(stdout));
        Self { child, address, said }
    }

    /// The address of the WebSocket endpoint.
    pub(crate) fn websocket(&self) -> String {
        format!("ws://{}/connection/websocket", self.address)
    }

    /// Whether it speaks TLS: it says so beside its address.
    pub(crate) fn speaks_tls(&self) -> bool {
        self.said().contains("wss://")
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it has not been awaited yet")
    }

    /// User memory it holds right now, in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most address space that it has ever reserved, in bytes.
    pub(crate) fn reserved_bytes(&self) -> u64 {
        self.memory("VmPeak:")
    }

    /// A figure of `/proc/PID/status`, in bytes.
    fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let figure = status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        let kib: u64 = figure.and_then(|figure| figure.parse().ok()).expect("Linux tells it, in kB");
        kib * 1024
    }

    /// Asks it to end, as an init system does.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid() as i32).expect("a process id is not zero");
        kill_process(pid, signal).expect("it is ours to signal");
    }

    /// Ends it as a crash would, in the middle of whatever it does.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("it is ours to end");
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        within("the server to end", self.child.wait()).await.expect("a child can be awaited")
    }

    /// Everything it has said so far, on both streams.
    pub(crate) fn said(&self) -> String {
        self.said.text()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the server at {} said:\n{}---", self.address, self.said());
        }
    }
}

/// The `spanwire` command: silent on stdin, piped, killed when dropped, and deaf to what the person who runs these
/// scenes has set for their own servers.
pub(crate) fn spanwire(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spanwire"));
    command.args(arguments);
    alone(command)
}

fn alone(mut command: Command) -> Command {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("SPANWIRE_") || name == "XDG_RUNTIME_DIR") {
            command.env_remove(name);
        }
    }
    command
}

/// A configuration in which anyone may do anything, as often as they like: what a scene wants closed, it closes.
///
/// Channels without a namespace have everything; `plain:` has neither presence nor history; `small:` remembers two
/// publications; `closed:` lets nobody in; of `last:` only the latest counts, and of `now:` it comes with the first
/// subscribe already; `tagged:` may be filtered.
pub(crate) fn open_config() -> Value {
    let permissions = json!({
        "allow_subscribe_for_client": true, "allow_subscribe_for_anonymous": true,
        "allow_publish_for_client": true, "allow_publish_for_anonymous": true,
        "allow_presence_for_client": true, "allow_presence_for_anonymous": true,
        "allow_history_for_client": true, "allow_history_for_anonymous": true,
        "publish_rate_limit": 0,
    });
    let with = |options: Value| {
        let mut all = permissions.clone();
        merge(&mut all, options);
        all
    };
    let without_namespace = with(json!({
        "presence": true, "join_leave": true, "force_push_join_leave": true,
        "history_size": 100, "history_ttl": "300s", "force_recovery": true,
    }));
    let last = json!({
        "history_size": 10, "history_ttl": "300s", "force_recovery": true, "force_recovery_mode": "cache",
    });
    let named = |name: &str, options: &Value| {
        let mut namespace = with(options.clone());
        merge(&mut namespace, json!({ "name": name }));
        namespace
    };
    let tagged = json!({
        "history_size": 100, "history_ttl": "300s", "force_recovery": true, "allow_tags_filter": true,
    });
    let delta = json!({
        "history_size": 100, "history_ttl": "300s", "force_recovery": true,
        "allowed_delta_types": ["fossil"], "delta_publish": true,
    });
    let mut now = last.clone();
    merge(&mut now, json!({ "auto_cache_recover": true }));
    json!({
        "http_server": { "address": "127.0.0.1", "port": 0 },
        "http_api": { "key": API_KEY },
        "client": {
            "token": { "hmac_secret_key": TOKEN_SECRET },
            "allow_anonymous_connect_without_token": true,
            "command_rate_limit": 0, "byte_rate_limit": 0, "subscribe_rate_limit": 0,
        },
        "channel": {
            "without_namespace": without_namespace,
            "namespaces": [
                with(json!({ "name": "plain" })),
                with(json!({ "name": "small", "history_size": 2, "history_ttl": "300s", "force_recovery": true })),
                { "name": "closed" },
                named("last", &last),
                named("now", &now),
                named("tagged", &tagged),
                named("delta", &delta),
            ],
        },
    })
}

/// [`open_config`] with changes.
pub(crate) fn merged(changes: Value) -> Value {
    let mut config = open_config();
    merge(&mut config, changes);
    config
}

/// A path for a file of this run, in a folder which Cargo gave to tests.
pub(crate) fn scratch(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let run = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{run}-{name}"))
}

/// Puts one object of settings over another, table by table. Null takes a setting away (as in RFC 7396).
fn merge(base: &mut Value, changes: Value) {
    match (base, changes) {
        (Value::Object(base), Value::Object(changes)) => {
            for (key, value) in changes {
                if value.is_null() {
                    base.remove(&key);
                } else {
                    merge(base.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (base, changes) => *base = changes,
    }
}

/// Reads until the server has said where it is and that it is ready.
async fn announced(stdout: &mut Lines<BufReader<ChildStdout>>, said: &Said, ready: &str) -> SocketAddr {
    let mut address = None;
    while let Some(line) = stdout.next_line().await.expect("stdout is text") {
        said.add(&line);
        address = address.or_else(|| address_in(&line));
        if line.contains(ready) {
            return address.expect("a server that is ready has said where");
        }
    }
    panic!("the server ended instead of getting ready:\n{}", said.text());
}

/// The port of the first web address in a line. The host is loopback, by whatever name.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://").or_else(|| line.split_once("https://"))?;
    let (_, rest) = rest.split_once(':')?;
    let port: u16 = rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some(SocketAddr::from(([127, 0, 0, 1], port)))
}

fn lines<R: AsyncRead + Unpin>(stream: R) -> Lines<BufReader<R>> {
    BufReader::new(stream).lines()
}

/// What a process has said, kept for the moment a scene fails.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<String>>);

impl Said {
    fn add(&self, line: &str) {
        let mut text = self.0.lock().expect("nobody panics while holding it");
        text.push_str(line);
        text.push('\n');
    }

    fn text(&self) -> String {
        self.0.lock().expect("nobody panics while holding it").clone()
    }

    async fn listen<R: AsyncRead + Unpin>(self, mut lines: Lines<BufReader<R>>) {
        while let Ok(Some(line)) = lines.next_line().await {
            self.add(&line);
        }
    }
}
