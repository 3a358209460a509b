//! A node: one process that serves clients, from its settings to its end.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::api::CurrentAccess;
use crate::assembly::Assembly;
use crate::chance::Chance;
use crate::config::{Address, CertificateSource, Settings, Tls};
use crate::dev_feeds;
use crate::engine::{Engine, EngineConfig, ShardFailed};
use crate::events::{Courier, Engaged};
use crate::metrics::EdgeCounters;
use crate::profile::Profile;
use crate::reload::{Reload, Source};
use crate::tls::{Acceptor, Acme, CertificateError, Certificates, Identity, LOOK_INTERVAL, Watch};

/// A running node.
pub struct Node {
    engine: Engine,
    access: CurrentAccess,
    counters: Arc<EdgeCounters>,
    /// Reads the configuration again, if that can be done.
    reload: Option<Reload>,
    /// Tells the backend what happens, if it wants to know.
    courier: Option<Courier>,
    /// Looks after certificates, if there are any.
    certificates: Option<Watch>,
    signals: Signals,
    /// Where the node waits.
    runtime: Runtime,
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address is taken or not ours, or the system has nothing left to give.
    #[error("{0}")]
    System(#[from] io::Error),
    /// There is no certificate to show.
    #[error("{0}")]
    Certificate(#[from] CertificateError),
}

/// Why a node that was running has ended, other than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A shard is lost, and with it its clients and channels.
    #[error("{0}")]
    Shard(#[from] ShardFailed),
    /// The node was told to end a second time.
    #[error("told to end at once")]
    Impatience,
}

impl Node {
    /// Starts what the settings describe. When it returns, clients can connect.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(settings: &Settings, chance: &mut Chance) -> Result<Self, StartError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let counters = Arc::new(EdgeCounters::new(SystemTime::now()));
        let tls = settings.http_server.tls.as_ref();
        let tls = tls.map(|tls| shake_hands(tls, settings, &counters, &runtime, chance)).transpose()?;
        let (acceptor, certificates) = tls.unzip();
        let signals = {
            let _entered = runtime.enter();
            Signals::heed(certificates.is_some() || settings.profile == Profile::Secure)?
        };
        let Assembly { access, edge, courier, engine } =
            Assembly::new(settings, acceptor, counters.clone(), chance)?;
        let dev_proxy = edge.dev_proxy();
        let engine = Engine::start(EngineConfig {
            listen: addresses(settings.http_server.address, settings.http_server.port)?,
            serve: edge.into_serve(),
            ..engine
        })?;
        if let Some(address) = engine.addresses().first() {
            dev_proxy.lead_to(*address);
        }
        let courier = courier.map(Engaged::start).transpose()?;
        if settings.profile.shows_demos() {
            runtime.spawn(dev_feeds::publish(engine.handle(), settings.namespaces.clone(), counters.clone()));
        }
        Ok(Self { engine, access, counters, reload: None, courier, certificates, signals, runtime })
    }

    /// Where the node listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.engine.addresses()
    }

    /// From here on, the node reads its configuration again at SIGHUP.
    pub(crate) fn reads_again(&mut self, source: Source) {
        self.reload = Some(Reload {
            source,
            engine: self.engine.handle(),
            access: self.access.clone(),
            counters: self.counters.clone(),
        });
    }

    /// Waits for SIGTERM or SIGINT; then closes every client with code 3001, waits for `grace` at most until they are
    /// gone and the backend is told of it, and ends. A second signal ends the waiting.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn run(self, grace: Duration) -> Result<(), RunError> {
        let Self { mut engine, courier, certificates, reload, signals, runtime, .. } = self;
        let Signals { hangup, mut end } = signals;
        let (deadline, outcome) = runtime.block_on(async {
            tokio::select! {
                outcome = until_drained(&mut engine, &mut end, grace) => outcome,
                never = look_after(certificates, reload, hangup) => match never {},
            }
        });
        // From here on nobody has anything to tell.
        engine.stop();
        match (outcome, courier) {
            (Err(RunError::Impatience), _) => Err(RunError::Impatience),
            (outcome, Some(courier)) => {
                let last_events = courier.finish(deadline);
                runtime.block_on(unless_impatient(&mut end, last_events)).and(outcome)
            }
            (outcome, None) => outcome,
        }
    }
}

/// Waits until the node is told to end, or a shard has failed; and then until every client is gone, or its time is over. When
/// that is, and what came of it.
async fn until_drained(
    engine: &mut Engine,
    end: &mut EndSignals,
    grace: Duration,
) -> (Instant, Result<(), RunError>) {
    tokio::select! {
        ended = engine.ended() => return (Instant::now() + grace, ended.map_err(RunError::from)),
        () = end.next() => {}
    }
    tracing::info!("shutdown: every client is told to come back later; a second signal ends at once");
    let deadline = Instant::now() + grace;
    (deadline, unless_impatient(end, engine.handle().drain(grace)).await)
}

async fn unless_impatient(end: &mut EndSignals, work: impl Future<Output = ()>) -> Result<(), RunError> {
    tokio::select! {
        () = work => Ok(()),
        () = end.next() => Err(RunError::Impatience),
    }
}

/// Reads certificates again when their files change, and at SIGHUP those and the configuration.
async fn look_after(
    mut certificates: Option<Watch>,
    mut reload: Option<Reload>,
    hangup: Option<Signal>,
) -> Infallible {
    let Some(mut hangup) = hangup else { return std::future::pending().await };
    let mut looks = tokio::time::interval(LOOK_INTERVAL);
    loop {
        tokio::select! {
            _ = looks.tick(), if certificates.is_some() => {
                if let Some(certificates) = &mut certificates {
                    certificates.look(SystemTime::now());
                }
            }
            _ = hangup.recv() => {
                if let Some(reload) = &mut reload {
                    reload.read().await;
                }
                if let Some(certificates) = &mut certificates {
                    certificates.read_all(SystemTime::now());
                }
            }
        }
    }
}

/// Who shakes hands, and who looks after the certificates.
fn shake_hands(
    tls: &Tls,
    settings: &Settings,
    counters: &Arc<EdgeCounters>,
    runtime: &Runtime,
    chance: &mut Chance,
) -> Result<(Acceptor, Watch), CertificateError> {
    let (certificates, identity) = match &tls.source {
        CertificateSource::Files(files) => {
            let certificates = Arc::new(Certificates::load(files)?);
            (certificates.clone(), Identity::from(certificates))
        }
        CertificateSource::Authority(autocert) => {
            let acme = Acme::open(autocert, counters.clone(), chance.seed())?;
            let shown = (acme.certificates(), acme.identity());
            // It works as soon as the node runs.
            runtime.spawn(acme.run());
            shown
        }
    };
    let has_http2 = settings.http_server.http2.enabled;
    let acceptor = Acceptor::new(identity, tls.handshake_timeout, has_http2, counters.clone())?;
    Ok((acceptor, Watch::new(certificates, counters.clone())))
}

/// The signals that a node heeds, from before anybody knows that it runs.
struct Signals {
    /// Only of a node that has something to read again; any other ends with its terminal.
    hangup: Option<Signal>,
    end: EndSignals,
}

impl Signals {
    fn heed(reads_again: bool) -> io::Result<Self> {
        let end = EndSignals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        };
        let hangup = reads_again.then(|| signal(SignalKind::hangup())).transpose()?;
        Ok(Self { hangup, end })
    }
}

/// The signals that tell a node to end.
struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl EndSignals {
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Where to listen for the one address that was configured.
fn addresses(address: Address, port: u16) -> io::Result<Vec<SocketAddr>> {
    let (four, six): (IpAddr, IpAddr) = match address {
        Address::Only(address) => return Ok(vec![SocketAddr::new(address, port)]),
        Address::Everywhere => (Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()),
        Address::Localhost => (Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()),
    };
    // Containers often have no IPv6.
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return Ok(vec![SocketAddr::new(four, port)]);
    }
    let port = if port == 0 { free_port(four)? } else { port };
    Ok(vec![SocketAddr::new(four, port), SocketAddr::new(six, port)])
}

/// A port that is free now. Each address would get one of its own otherwise, and people are told one. If somebody
/// takes it before we do, or has it on IPv6, the start fails and says so.
fn free_port(address: IpAddr) -> io::Result<u16> {
    Ok(TcpListener::bind((address, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_have_one_port_also_if_any_will_do() {
        for address in [Address::Localhost, Address::Everywhere] {
            let free = addresses(address, 0).unwrap();
            assert!(free.iter().all(|each| each.port() == free[0].port()), "{free:?}");
            let chosen = addresses(address, 8000).unwrap();
            assert!(chosen.iter().all(|each| each.port() == 8000), "{chosen:?}");
            assert!(chosen[0].is_ipv4());
        }
        let only = "192.0.2.1".parse().unwrap();
        assert_eq!(addresses(Address::Only(only), 0).unwrap(), [SocketAddr::new(only, 0)]);
    }
}
