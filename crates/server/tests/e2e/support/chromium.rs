//! A real browser, driven over its DevTools protocol: a process, one socket, commands and events as plain JSON.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::page::Page;
use super::server::scratch;
use super::until::within;

/// No window, no sandbox (CI is root), nothing that talks to anyone by itself, and no page put to sleep because
/// another one is in front.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--remote-debugging-port=0",
];

/// A browser with a profile of its own. Both end with this value.
pub(crate) struct Chromium {
    /// Killed when dropped.
    _process: Child,
    _profile: Profile,
    devtools: Arc<DevTools>,
}

impl Chromium {
    /// Starts a browser and waits until it can be driven.
    pub(crate) async fn launch(program: &Path) -> Self {
        Self::launch_with(program, &[]).await
    }

    /// The same for pages over TLS, whoever vouches for their certificates.
    pub(crate) async fn launch_trusting_anybody(program: &Path) -> Self {
        Self::launch_with(program, &["--ignore-certificate-errors"]).await
    }

    async fn launch_with(program: &Path, flags: &[&str]) -> Self {
        let profile = Profile(scratch("chromium"));
        let mut process = Command::new(program)
            .args(FLAGS)
            .args(flags)
            .arg(format!("--user-data-dir={}", profile.0.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the browser can be started");
        let stderr = process.stderr.take().expect("stderr is piped");
        let address = within("the browser to be ready", announced(stderr)).await;
        let devtools = DevTools::connect(&address).await;
        Self { _process: process, _profile: profile, devtools }
    }

    /// Opens a page as a person of its own: nothing is shared with the other pages, neither storage nor cookies.
    pub(crate) async fn page(&self) -> Page {
        let context = self.command("Target.createBrowserContext", json!({ "disposeOnDetach": true })).await;
        self.tab_in(text(&context["browserContextId"])).await
    }

    /// Opens another page of the same person.
    pub(crate) async fn tab_beside(&self, page: &Page) -> Page {
        self.tab_in(page.person.clone()).await
    }

    async fn tab_in(&self, person: String) -> Page {
        let request = json!({ "url": "about:blank", "browserContextId": person });
        let target = self.command("Target.createTarget", request).await;
        let request = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.command("Target.attachToTarget", request).await;
        let devtools = self.devtools.clone();
        Page::attach(devtools, text(&session["sessionId"]), text(&target["targetId"]), person).await
    }

    async fn command(&self, method: &str, parameters: Value) -> Value {
        self.devtools.command(None, method, parameters).await
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("DevTools names things with text").to_owned()
}

/// Reads what the browser says until it says where it can be driven; afterwards it is read and forgotten, so that it
/// never waits for us.
async fn announced(stderr: tokio::process::ChildStderr) -> String {
    let mut lines = BufReader::new(stderr).lines();
    let mut said = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(address) = line.strip_prefix("DevTools listening on ") {
            let address = address.to_owned();
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return address;
        }
        said.push_str(&line);
        said.push('\n');
    }
    panic!("the browser ended instead of getting ready:\n{said}");
}

/// The folder of a profile, removed when the browser is gone.
struct Profile(PathBuf);

impl Drop for Profile {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What hears the events of one page: their names, such as `Page.loadEventFired`, and what they say.
type Listener = Box<dyn FnMut(&str, &Value) + Send>;

type Socket = WebSocketStream<TcpStream>;
type Answer = Result<Value, String>;

/// The line to a browser. Commands are numbered, and so find their answers; events go to the page they are about.
pub(crate) struct DevTools {
    sink: tokio::sync::Mutex<SplitSink<Socket, Message>>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    last_id: u64,
    answers: HashMap<u64, oneshot::Sender<Answer>>,
    pages: HashMap<String, Listener>,
}

impl DevTools {
    async fn connect(address: &str) -> Arc<Self> {
        let host =
            address.strip_prefix("ws://").and_then(|rest| rest.split('/').next()).expect("a ws address");
        let stream = TcpStream::connect(host).await.expect("the browser listens");
        // Screenshots are long messages.
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let handshake = tokio_tungstenite::client_async_with_config(address, stream, Some(config)).await;
        let (sink, stream) = handshake.expect("the browser shakes hands").0.split();
        let devtools = Arc::new(Self { sink: sink.into(), waiting: Mutex::default() });
        tokio::spawn(read(stream, Arc::downgrade(&devtools)));
        devtools
    }

    /// Sends a command, to the browser or to one page, and returns its result.
    pub(crate) async fn command(&self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        let (sender, answer) = oneshot::channel();
        let id = {
            let mut waiting = self.waiting.lock().expect("nobody panics while holding it");
            waiting.last_id += 1;
            let id = waiting.last_id;
            waiting.answers.insert(id, sender);
            id
        };
        let mut command = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        self.sink.lock().await.send(Message::text(command.to_string())).await.expect("the browser is there");
        let answer = within(method, answer).await.expect("the browser is there");
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// From now on, this hears the events of a page: each before the answer to any command sent after it happened.
    pub(crate) fn listen(&self, session: &str, listener: impl FnMut(&str, &Value) + Send + 'static) {
        let mut waiting = self.waiting.lock().expect("nobody panics while holding it");
        waiting.pages.insert(session.to_owned(), Box::new(listener));
    }

    fn deliver(&self, mut message: Value) {
        let mut waiting = self.waiting.lock().expect("nobody panics while holding it");
        if let Some(id) = message["id"].as_u64() {
            let answer = match message.get("error") {
                Some(error) => Err(error.to_string()),
                None => Ok(message["result"].take()),
            };
            if let Some(sender) = waiting.answers.remove(&id) {
                let _ = sender.send(answer);
            }
        } else if let Some(session) = message["sessionId"].as_str()
            && let Some(listener) = waiting.pages.get_mut(session)
        {
            listener(message["method"].as_str().unwrap_or_default(), &message["params"]);
        }
    }
}

async fn read(mut stream: SplitStream<Socket>, devtools: std::sync::Weak<DevTools>) {
    while let Some(Ok(message)) = stream.next().await {
        let Some(devtools) = devtools.upgrade() else { return };
        if let Message::Text(text) = message {
            devtools.deliver(serde_json::from_str(&text).expect("DevTools speaks JSON"));
        }
    }
}
