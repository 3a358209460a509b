//! Certificates that the server orders itself, by ACME (RFC 8555), and renews before they end.
//!
//! One task orders, one certificate for each host. What comes is kept as a file, from which it is shown as any other
//! is; so a restart orders nothing, and an order that fails changes nothing.

mod authority;
mod challenges;
mod http;
mod schedule;
mod storage;

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::time::sleep;

use self::authority::{Authority, OrderError};
use self::challenges::{Challenges, Resolver};
use self::http::Http;
use self::schedule::Schedule;
use self::storage::Storage;
use super::{CertificateError, Certificates, Identity};
use crate::config::Autocert;
use crate::http_client::{self, HttpClient, Trust};
use crate::metrics::EdgeCounters;

/// How long to wait for a connection to the authority.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to sleep at most: the wall clock may jump, and another process may have put a certificate here.
const NAP_MAX: Duration = Duration::from_secs(3600);

/// Orders certificates for a node.
pub(crate) struct Acme {
    hosts: Vec<String>,
    /// One for each host.
    schedules: Vec<Schedule>,
    authority: Authority,
    certificates: Arc<Certificates>,
    challenges: Arc<Challenges>,
    counters: Arc<EdgeCounters>,
    chance: StdRng,
}

impl Acme {
    /// Reads the certificates that are there already. Nobody is asked for others before [`run`](Self::run).
    ///
    /// # Errors
    /// The directory cannot be made, or nobody is known who could vouch for the authority.
    pub(crate) fn open(
        settings: &Autocert,
        counters: Arc<EdgeCounters>,
        seed: [u8; 32],
    ) -> Result<Self, CertificateError> {
        let storage = Storage::open(&settings.cache_dir, &settings.directory_url)?;
        let files = settings.hosts.iter().map(|host| storage.files(host)).collect();
        let nameless = settings.hosts.iter().position(|host| Some(host) == settings.server_name.as_ref());
        let mut chance = StdRng::from_seed(seed);
        Ok(Self {
            hosts: settings.hosts.clone(),
            schedules: settings.hosts.iter().map(|_| Schedule::new(chance.random())).collect(),
            authority: Authority {
                directory_url: settings.directory_url.clone(),
                email: settings.email.clone(),
                http: Http(client(settings.directory_ca.as_deref())?),
                storage,
            },
            certificates: Arc::new(Certificates::load_those_there(files, nameless)),
            challenges: Arc::default(),
            counters,
            chance,
        })
    }

    /// What is shown, for who looks after the files.
    pub(crate) fn certificates(&self) -> Arc<Certificates> {
        self.certificates.clone()
    }

    /// Who we are: to clients by our certificates, and to the authority by our answers.
    pub(crate) fn identity(&self) -> Identity {
        let resolver = Resolver { certificates: self.certificates(), challenges: self.challenges.clone() };
        Identity { resolver: Arc::new(resolver), answers_challenges: true }
    }

    /// Orders what is missing, and renews what ends.
    pub(crate) async fn run(mut self) -> Infallible {
        loop {
            let (index, due) = self.next();
            match due.duration_since(SystemTime::now()) {
                Ok(wait) if !wait.is_zero() => sleep(wait.min(NAP_MAX)).await,
                _ => self.order(index).await,
            }
        }
    }

    /// Whose turn it is, and when.
    fn next(&self) -> (usize, SystemTime) {
        let validities = self.certificates.validities();
        let due = self.schedules.iter().zip(&validities).map(|(one, validity)| one.due(validity.as_ref()));
        due.enumerate().min_by_key(|(_, due)| *due).expect("the configuration names at least one host")
    }

    async fn order(&mut self, index: usize) {
        let (host, authority) = (&self.hosts[index], &self.authority.directory_url);
        tracing::info!("ordering a certificate for {host} from {authority}");
        let ordered = self.authority.order(host, &self.challenges).await;
        let now = SystemTime::now();
        let shown = ordered.and_then(|()| self.certificates.reload(index, now).map_err(OrderError::from));
        self.counters.certificate_ordered(shown.is_ok());
        match shown {
            Ok(()) => self.schedules[index].succeeded(now),
            Err(error) => {
                let pause = self.schedules[index].failed(now, self.chance.random()).as_secs();
                tracing::error!(
                    "no certificate for {host} from {authority}: {error}; tried again in {pause} seconds"
                );
            }
        }
    }
}

/// Asks an authority for which these may vouch, or those whom the system trusts.
fn client(directory_ca: Option<&Path>) -> Result<HttpClient, CertificateError> {
    let trust = Trust { authorities: directory_ca.map(Path::to_owned), ..Trust::default() };
    http_client::build(true, &trust, CONNECT_TIMEOUT, 1)
        .map_err(|error| CertificateError::Unordered(error.to_string()))
}
