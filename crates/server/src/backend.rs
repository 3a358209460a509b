//! The backend: the application beside us, which decides what we ask it.
//!
//! A shard never waits for it. A question goes to one thread for all shards (the `desk`), which admits it,
//! asks the proxy by HTTP, and writes the answer to the shard that asked, as any other letter. What may be under way,
//! what may wait, and who is sent away is decided for each proxy by itself (`admission`): a slow endpoint for calls
//! does not hold up those who connect.

mod admission;
mod answer;
mod circuit;
mod complaints;
mod desk;
mod handler;
mod headers;
mod line;
mod pace;
mod proxy;
mod question;
mod route;
mod stats;

pub use admission::AdmissionLimits;
pub(crate) use answer::{DisconnectWords, ErrorWords};
pub use answer::{Nonsense, of_connect, of_matter};
pub(crate) use answer::{failed, nobody_decides};
pub use handler::{Asked, Handler, Said};
pub use headers::{Forwarded, Wanted};
pub use proxy::{BackendSettings, ProxySettings, Respondent, RpcProxies};
pub use question::{Asker, Question, What};
pub use stats::ProxySnapshot;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use spanwire_hub::backend::ProxyId;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::auth::Authorize;
use desk::Desk;
use line::Line;
use stats::ProxyStats;

/// Asks the backend, from any shard. Cheap to clone; the thread behind it ends with the last of the clones.
#[derive(Clone, Debug)]
pub struct Backend {
    register: Arc<Register>,
    /// What waits here is bounded: the desk does nothing but take it, and a session has few questions open.
    desk: UnboundedSender<Errand>,
}

/// What is known of the proxies outside of their thread.
struct Register {
    settings: BackendSettings,
    wanted: Wanted,
    forgets_headers: bool,
    stats: Vec<ProxyStats>,
    /// Who says who somebody is whom the backend does not know.
    authorize: Mutex<Arc<dyn Authorize>>,
}

impl Register {
    fn authorize(&self) -> Arc<dyn Authorize> {
        self.authorize.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Without the headers of proxies, in which secrets may be.
impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Register").field("stats", &self.stats).finish_non_exhaustive()
    }
}

/// What the desk is told.
#[derive(Debug)]
enum Errand {
    /// A question, and whom to ask.
    Ask { proxy: ProxyId, question: Question },
    /// How the proxies are asked from now on.
    Reconnect(Lines),
}

/// A way to each of the proxies, in their order.
#[derive(Debug)]
pub(crate) struct Lines(Vec<Line>);

impl Lines {
    /// # Errors
    /// There are no certificates that an `https` endpoint could be known by.
    fn to(proxies: impl Iterator<Item = ProxySettings>) -> io::Result<Self> {
        let line = |proxy: ProxySettings| {
            let name = proxy.name.clone();
            Line::new(proxy).map_err(|error| io::Error::other(format!("proxy {name}: {error}")))
        };
        proxies.map(line).collect::<io::Result<_>>().map(Self)
    }
}

impl Backend {
    /// Starts the thread that asks.
    ///
    /// # Errors
    /// The system has no thread left, or no certificates that an `https` endpoint could be known by.
    pub fn start(
        settings: BackendSettings,
        authorize: Arc<dyn Authorize>,
        seed: [u8; 32],
    ) -> io::Result<Self> {
        let lines = Lines::to(settings.proxies.iter().cloned())?;
        let stats = settings.proxies.iter().map(|_| ProxyStats::default()).collect();
        let register = Arc::new(Register {
            wanted: settings.wanted(),
            forgets_headers: settings.forgets_headers(),
            settings,
            stats,
            authorize: Mutex::new(authorize),
        });
        let (desk, inbox) = unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let for_desk = register.clone();
        thread::Builder::new().name("backend".to_owned()).spawn(move || {
            runtime.block_on(Desk::new(lines, &for_desk, seed).work(inbox));
        })?;
        Ok(Self { register, desk })
    }

    /// Has those whom the backend does not know judged by another one from now on.
    pub(crate) fn authorize_by(&self, authorize: Arc<dyn Authorize>) {
        *self.register.authorize.lock().unwrap_or_else(PoisonError::into_inner) = authorize;
    }

    /// Who is asked about what.
    pub fn settings(&self) -> &BackendSettings {
        &self.register.settings
    }

    /// Whether a client's headers need not be kept once it has connected.
    pub fn forgets_headers(&self) -> bool {
        self.register.forgets_headers
    }

    /// Asks. The answer comes to the shard as a letter, always.
    pub fn ask(&self, proxy: ProxyId, question: Question) {
        // The desk ends with the last handle, so that it is there.
        let _ = self.desk.send(Errand::Ask { proxy, question });
    }

    /// Ways to the same proxies as a later configuration describes them, their files read. What it says of what a proxy
    /// may cost, and of the headers that are kept for it, is left out: that lasts as long as the server runs.
    ///
    /// # Errors
    /// There are no certificates that an `https` endpoint could be known by.
    pub(crate) fn lines(&self, later: &BackendSettings) -> io::Result<Lines> {
        let both = self.register.settings.proxies.iter().zip(&later.proxies);
        Lines::to(both.map(|(proxy, later)| proxy.changed_to(later)))
    }

    /// Asks by these from now on. What is under way goes on by those before them.
    pub(crate) fn reconnect(&self, lines: Lines) {
        let _ = self.desk.send(Errand::Reconnect(lines));
    }

    /// Keeps what proxies want to see of a connect command's `headers`.
    pub fn keep_emulated(&self, kept: &mut Option<Box<Forwarded>>, said: &BTreeMap<String, String>) {
        if !said.is_empty() {
            self.register.wanted.add_emulated(kept, said);
        }
    }

    /// How each proxy is doing.
    pub fn stats(&self) -> Vec<ProxySnapshot> {
        let proxies = self.register.settings.proxies.iter().zip(&self.register.stats);
        proxies.map(|(proxy, stats)| stats.snapshot(&proxy.name)).collect()
    }
}
