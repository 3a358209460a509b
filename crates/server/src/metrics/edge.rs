//! The counters of the HTTP edge.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use http::StatusCode;

use super::gauge::Gauge;
use crate::auth::Jwks;

/// What the HTTP edge has counted. Shared by all shards; the labels are from small fixed sets, never from a request.
#[derive(Debug)]
pub struct EdgeCounters {
    started_unix: u64,
    upgrades: AtomicU64,
    refusals: Tally<&'static str>,
    requests: Tally<(&'static str, u16)>,
    broken_off: Tally<&'static str>,
    api_calls: Tally<(&'static str, u32)>,
    api_turned_away: Tally<&'static str>,
    forwarded_malformed: AtomicU64,
    /// Connections that speak HTTP/2.
    pub(crate) http2_connections: Arc<Gauge>,
    /// Requests on them that are not over, WebSockets included.
    pub(crate) http2_streams: Arc<Gauge>,
    tls_handshakes: Tally<(&'static str, bool)>,
    tls_failures: Tally<&'static str>,
    certificate_reads: Tally<&'static str>,
    certificate_orders: Tally<&'static str>,
    configuration_reads: Tally<&'static str>,
    /// When the configuration was read that holds, in Unix seconds.
    configured_unix: AtomicU64,
    /// Where the keys of tokens are published.
    publishers_of_keys: Mutex<Vec<Jwks>>,
    /// When each certificate ends, by its file.
    certificates: Mutex<Vec<(String, SystemTime)>>,
}

/// Counts of things that have names.
#[derive(Debug)]
struct Tally<K>(Mutex<BTreeMap<K, u64>>);

impl<K: Ord + Clone> Tally<K> {
    fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    fn count(&self, key: K) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
    }

    fn read(&self) -> BTreeMap<K, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl EdgeCounters {
    /// Counters at zero, of a process that started at this time.
    pub fn new(started: SystemTime) -> Self {
        let started_unix = started.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self {
            started_unix,
            configured_unix: AtomicU64::new(started_unix),
            configuration_reads: Tally::new(),
            upgrades: AtomicU64::new(0),
            refusals: Tally::new(),
            requests: Tally::new(),
            broken_off: Tally::new(),
            api_calls: Tally::new(),
            api_turned_away: Tally::new(),
            forwarded_malformed: AtomicU64::new(0),
            http2_connections: Arc::default(),
            http2_streams: Arc::default(),
            tls_handshakes: Tally::new(),
            tls_failures: Tally::new(),
            certificate_reads: Tally::new(),
            certificate_orders: Tally::new(),
            publishers_of_keys: Mutex::default(),
            certificates: Mutex::default(),
        }
    }

    /// A WebSocket handshake succeeded.
    pub(crate) fn upgraded(&self) {
        self.upgrades.fetch_add(1, Ordering::Relaxed);
    }

    /// A WebSocket handshake was refused.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.refusals.count(reason);
    }

    /// A request that was no WebSocket handshake was answered.
    pub(crate) fn answered(&self, route: &'static str, status: StatusCode) {
        self.requests.count((route, status.as_u16()));
    }

    /// A connection ended in the middle of HTTP.
    pub(crate) fn broken_off(&self, reason: &'static str) {
        self.broken_off.count(reason);
    }

    /// A call of the server API was answered; code 0 is success.
    pub(crate) fn api_called(&self, method: &'static str, code: u32) {
        self.api_calls.count((method, code));
    }

    /// A call of the server API was turned away at a limit of this name.
    pub(crate) fn api_turned_away(&self, limit: &'static str) {
        self.api_turned_away.count(limit);
    }

    /// A trusted proxy has handed on a header that does not say who the client is.
    pub(crate) fn forwarded_malformed(&self) {
        self.forwarded_malformed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn malformed_forwards(&self) -> u64 {
        self.forwarded_malformed.load(Ordering::Relaxed)
    }

    /// A client has shaken hands with this version of TLS.
    pub(crate) fn tls_opened(&self, version: &'static str, resumed: bool) {
        self.tls_handshakes.count((version, resumed));
    }

    /// A TLS handshake came to nothing.
    pub(crate) fn tls_failed(&self, reason: &'static str) {
        self.tls_failures.count(reason);
    }

    /// A certificate was read again; or it could not be used, and the one before it goes on being shown.
    pub(crate) fn certificate_read(&self, usable: bool) {
        self.certificate_reads.count(if usable { "read" } else { "refused" });
    }

    /// A certificate was ordered from an authority, and came; or it did not.
    #[cfg(feature = "acme")]
    pub(crate) fn certificate_ordered(&self, came: bool) {
        self.certificate_orders.count(if came { "came" } else { "failed" });
    }

    /// The configuration was read again; or it was refused, and the one before it goes on.
    pub(crate) fn configuration_read(&self, now: SystemTime, holds: bool) {
        self.configuration_reads.count(if holds { "applied" } else { "refused" });
        if holds {
            let now_unix = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            self.configured_unix.store(now_unix, Ordering::Relaxed);
        }
    }

    pub(super) fn configuration_reads(&self) -> BTreeMap<&'static str, u64> {
        self.configuration_reads.read()
    }

    pub(super) fn configured_unix(&self) -> u64 {
        self.configured_unix.load(Ordering::Relaxed)
    }

    /// Where the keys of tokens are published, from now on.
    pub(crate) fn keys_are_published_at(&self, places: Vec<Jwks>) {
        *self.publishers_of_keys.lock().unwrap_or_else(PoisonError::into_inner) = places;
    }

    pub(super) fn publishers_of_keys(&self) -> Vec<Jwks> {
        self.publishers_of_keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When each certificate ends, by its file.
    pub(crate) fn certificates_end(&self, ends: Vec<(String, SystemTime)>) {
        *self.certificates.lock().unwrap_or_else(PoisonError::into_inner) = ends;
    }

    pub(super) fn tls_handshakes(&self) -> BTreeMap<(&'static str, bool), u64> {
        self.tls_handshakes.read()
    }

    pub(super) fn tls_failures(&self) -> BTreeMap<&'static str, u64> {
        self.tls_failures.read()
    }

    pub(crate) fn certificate_reads(&self) -> BTreeMap<&'static str, u64> {
        self.certificate_reads.read()
    }

    pub(super) fn certificate_orders(&self) -> BTreeMap<&'static str, u64> {
        self.certificate_orders.read()
    }

    pub(super) fn certificates(&self) -> Vec<(String, SystemTime)> {
        self.certificates.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn started_unix(&self) -> u64 {
        self.started_unix
    }

    pub(super) fn upgrades(&self) -> u64 {
        self.upgrades.load(Ordering::Relaxed)
    }

    pub(super) fn refusals(&self) -> BTreeMap<&'static str, u64> {
        self.refusals.read()
    }

    pub(super) fn requests(&self) -> BTreeMap<(&'static str, u16), u64> {
        self.requests.read()
    }

    pub(super) fn broken(&self) -> BTreeMap<&'static str, u64> {
        self.broken_off.read()
    }

    pub(super) fn api_turned_aways(&self) -> BTreeMap<&'static str, u64> {
        self.api_turned_away.read()
    }

    pub(super) fn api_calls(&self) -> BTreeMap<(&'static str, u32), u64> {
        self.api_calls.read()
    }
}
