//! Keys that somebody publishes at a URL (RFC 7517 section 5), fetched when they are needed.
//!
//! What was fetched last holds until something newer is: a publisher that is down locks nobody out whose key is known.
//! A token that names an unknown key may wait for one fetch; there is never more than one under way, and not one for
//! each token of whoever makes up names.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};

use super::jwk::keys_of_set;
use super::jws::Jws;
use super::key::Key;
use crate::http_client::{self, HttpClient, Trust, causes};

/// Longest set that is read, in bytes.
const SET_BYTES_MAX: usize = 256 << 10;
/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(1);
/// How often a fetch is attempted before it has failed.
const ATTEMPTS: usize = 2;
/// How long keys hold before they are fetched again, in seconds.
const LIFETIME_SECONDS: u64 = 3600;
/// How long after a fetch the next one may be made for an unknown key, in seconds: a new key is good within this time,
/// and made-up names cost the publisher no more than a request in it.
const REST_SECONDS: u64 = 5;
/// Most tokens that wait for a fetch; further ones are judged by what is known.
const WAITING_MAX: usize = 10_000;

/// What to do when a fetch has ended, however it did.
pub(crate) type Then = Box<dyn FnOnce() + Send>;

/// The keys at one URL. Cheap to clone.
#[derive(Clone)]
pub struct Jwks(Arc<Shared>);

struct Shared {
    url: Uri,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Arc<[Key]>,
    /// When they were fetched, in Unix seconds; `None` as long as they never were.
    fetched: Option<u64>,
    /// When a fetch has last begun.
    begun: Option<u64>,
    /// How often a fetch has ended well, and how often it has not.
    fetches: FetchCounts,
    /// Whom to call when the fetch that is under way has ended.
    waiting: Option<Vec<Then>>,
}

/// What became of the fetches from one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FetchCounts {
    /// Those that brought keys.
    pub done: u64,
    /// Those that brought none, however often they were attempted.
    pub failed: u64,
}

impl Jwks {
    /// The keys at this URL, of which nothing is known yet.
    pub fn at(url: Uri) -> Self {
        Self(Arc::new(Shared { url, state: Mutex::default() }))
    }

    pub(super) fn url(&self) -> &Uri {
        &self.0.url
    }

    /// The URL without what may be secret in it: a password, and what follows the path.
    pub(crate) fn name(&self) -> String {
        let url = self.url();
        let host = url.authority().map_or("", |authority| {
            authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, host)| host)
        });
        format!("{}://{host}{}", url.scheme_str().unwrap_or_default(), url.path())
    }

    /// When keys were fetched last, in Unix seconds, and how often they were.
    pub(crate) fn fetches(&self) -> (Option<u64>, FetchCounts) {
        let state = self.state();
        (state.fetched, state.fetches)
    }

    /// What is known.
    pub(super) fn keys(&self) -> Arc<[Key]> {
        self.state().keys.clone()
    }

    /// Whether anything was ever fetched. Before that, no token can be called invalid.
    pub(super) fn is_known(&self) -> bool {
        self.state().fetched.is_some()
    }

    /// Whether the key of a token is not known and worth a fetch, or all are so old that they are.
    pub(super) fn lacks(&self, jws: &Jws<'_>, now_unix: u64) -> bool {
        let state = self.state();
        let is_resting = state.begun.is_some_and(|begun| now_unix < begun.saturating_add(REST_SECONDS));
        let named = |key: &Key| jws.kid.as_deref().is_none_or(|kid| key.kid() == Some(kid));
        let is_unknown = !state.keys.iter().any(named);
        // While a fetch is under way, those who need it wait for it.
        (is_unknown || state.is_old(now_unix)) && (!is_resting || state.waiting.is_some())
    }

    /// Has the keys fetched, unless that is under way, and calls `then` when it has ended. It is called at once if too
    /// many wait.
    pub fn fetch(&self, now_unix: u64, then: Then) {
        let mut state = self.state();
        match &mut state.waiting {
            Some(waiting) if waiting.len() < WAITING_MAX => waiting.push(then),
            Some(_) => {
                drop(state);
                then();
            }
            None => {
                (state.waiting, state.begun) = (Some(vec![then]), Some(now_unix));
                drop(state);
                self.begin(now_unix);
            }
        }
    }

    /// A fetch is rare, so that a thread of its own is cheaper than one that waits for it.
    fn begin(&self, now_unix: u64) {
        let jwks = self.clone();
        let spawned = thread::Builder::new().name("jwks".to_owned()).spawn(move || {
            let outcome = jwks.fetched();
            jwks.end(now_unix, outcome);
        });
        if let Err(error) = spawned {
            self.end(now_unix, Err(error.to_string()));
        }
    }

    fn fetched(&self) -> Result<Vec<Key>, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| error.to_string())?.block_on(async {
            let is_https = self.0.url.scheme_str() == Some("https");
            let client = http_client::build(is_https, &Trust::default(), TIMEOUT, 0);
            let client = client.map_err(|error| error.to_string())?;
            let mut outcome = Err(String::new());
            for _ in 0..ATTEMPTS {
                outcome = tokio::time::timeout(TIMEOUT, get(&client, self.0.url.clone()))
                    .await
                    .unwrap_or_else(|_| Err(format!("no answer within {TIMEOUT:?}")));
                if outcome.is_ok() {
                    break;
                }
            }
            outcome
        })
    }

    fn end(&self, now_unix: u64, outcome: Result<Vec<Key>, String>) {
        let mut state = self.state();
        match outcome {
            Ok(keys) => {
                tracing::info!(url = %self.name(), keys = keys.len(), "keys of tokens are fetched");
                (state.keys, state.fetched) = (keys.into(), Some(now_unix));
                state.fetches.done += 1;
            }
            Err(error) => {
                tracing::warn!(url = %self.name(), %error, "keys of tokens cannot be fetched; those known go on");
                state.fetches.failed += 1;
            }
        }
        let waiting = state.waiting.take().unwrap_or_default();
        drop(state);
        waiting.into_iter().for_each(|then| then());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_old(&self, now_unix: u64) -> bool {
        self.fetched.is_none_or(|fetched| now_unix >= fetched.saturating_add(LIFETIME_SECONDS))
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Jwks").field(&self.name()).finish()
    }
}

async fn get(client: &HttpClient, url: Uri) -> Result<Vec<Key>, String> {
    let mut request = Request::new(Full::<Bytes>::default());
    *request.uri_mut() = url;
    let response = client.request(request).await.map_err(|error| causes(&error))?;
    if !response.status().is_success() {
        return Err(format!("status {}", response.status()));
    }
    let body = Limited::new(response.into_body(), SET_BYTES_MAX).collect().await;
    let body = body.map_err(|error| causes(&*error))?.to_bytes();
    keys_of_set(&body).ok_or_else(|| "what is there is no set of keys (RFC 7517 section 5)".to_owned())
}
