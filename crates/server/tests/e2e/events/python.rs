//! The backend of `examples/backend-python`, as it stands there, behind an address that stays while it is killed.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::http::{get, post};
use crate::support::proxy::{Cut, Line, Proxy};
use crate::support::require;
use crate::support::server::{Server, scratch};
use crate::support::until::within;

/// The backend: a process that comes and goes, a ledger that stays, and the way there.
pub(super) struct Backend {
    python: PathBuf,
    ledger: PathBuf,
    pub(super) line: Proxy,
    child: Child,
}

impl Backend {
    /// Starts it; `None` if this machine has no Python.
    pub(super) async fn start() -> Option<Self> {
        let (python, ledger) = (require::plain_python()?, scratch("ledger.sqlite"));
        let (child, address) = run(&python, &ledger).await;
        Some(Self { python, ledger, line: Proxy::to(address).await, child })
    }

    /// Ends it in the middle of whatever it does.
    pub(super) async fn kill(&mut self) {
        self.line.set(Line::Refusing);
        self.child.kill().await.expect("it is ours to end");
        self.line.cut(Cut::Reset);
    }

    /// Starts it again, on the ledger that it left behind.
    pub(super) async fn revive(&mut self) {
        let (child, address) = run(&self.python, &self.ledger).await;
        self.child = child;
        self.line.lead_to(address);
        self.line.set(Line::Clear);
    }

    /// A server whose configuration is the file beside it, but for ports and what the scene changes.
    pub(super) async fn serve(&self, changes: &[(&str, Value)]) -> Server {
        let path = require::repository().join("examples/backend-python/spanwire.toml");
        let text = std::fs::read_to_string(path).expect("the example has a configuration");
        let text = text.replace("http://127.0.0.1:3000", &format!("http://{}", self.line.address));
        let mut environment = vec![("SPANWIRE_HTTP_SERVER_PORT", json!(0))];
        environment.extend_from_slice(changes);
        let environment = environment.into_iter().map(|(name, value)| (name, value.to_string()));
        Server::serve_text_with(&environment.collect::<Vec<_>>(), "toml", &text).await
    }

    /// What a login page would give a user.
    pub(super) async fn ticket_of(&self, user: &str, password: &str) -> Value {
        let body = json!({ "user": user, "password": password }).to_string();
        let ticket = post(self.line.address, "/login", "", &body).await.json();
        assert!(ticket["ticket"].is_string(), "{ticket}");
        ticket
    }

    /// Everything that is in its ledger.
    pub(super) async fn ledger(&self) -> Value {
        get(self.line.address, "/ledger").await.json()
    }
}

async fn run(python: &PathBuf, ledger: &PathBuf) -> (Child, std::net::SocketAddr) {
    let script = require::repository().join("examples/backend-python/backend.py");
    let mut command = Command::new(python);
    command.arg(script).args(["--port", "0", "--ledger"]).arg(ledger);
    let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("Python can be started");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
    let line = within("the backend to say where it is", lines.next_line()).await;
    let line = line.expect("it speaks UTF-8").expect("it says something");
    let address = line.rsplit_once("//").and_then(|(_, address)| address.parse().ok());
    (child, address.unwrap_or_else(|| panic!("{line}")))
}
