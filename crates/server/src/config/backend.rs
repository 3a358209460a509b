//! How the backend is asked: the proxies of clients, channels and calls, and the list that namespaces choose from.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderName, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use spanwire_hub::Refusal;
use spanwire_hub::backend::{Deciders, ProxyId};

use super::reader::Reader;
use super::service;
use crate::backend::{
    AdmissionLimits, BackendSettings, DisconnectWords, ErrorWords, ProxySettings, Respondent, RpcProxies,
    Wanted,
};

/// The name by which a namespace means the proxy of all namespaces.
const DEFAULT: &str = "default";
/// Most that may be under way to one proxy: each is a connection.
const IN_FLIGHT_MAX: usize = 4096;
/// Most that may wait for one proxy.
const WAITING_MAX: usize = 1_000_000;
/// Most bytes that may wait for one proxy.
const WAITING_BYTES_MAX: usize = 64 << 20;
/// Longest that an answer may take.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// The proxies that were read so far, and what they are called.
#[derive(Debug, Default)]
pub(super) struct BackendReader {
    all: Vec<ProxySettings>,
    named: BTreeMap<String, ProxyId>,
    subscribe: Option<ProxyId>,
    publish: Option<ProxyId>,
    sub_refresh: Option<ProxyId>,
    rpc: Option<ProxyId>,
}

impl BackendReader {
    /// Reads every proxy that namespaces may mean.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let mut proxies = Self::default();
        let listed = reader.tables(
            "proxies",
            "ways to ask the backend, for namespaces to choose from",
            |number, table| match table.get("name").and_then(Value::as_str) {
                Some(name) => name.to_owned(),
                None => number.to_string(),
            },
            |reader| {
                let name = reader.text("name", "what namespaces call it", "");
                if name.is_empty() || name == DEFAULT {
                    reader.conflict("name", "is wanted, and must not be \"default\"");
                }
                proxy(reader, &name)
            },
        );
        for proxy in listed.into_iter().flatten() {
            let name = proxy.name.clone();
            if proxies.named.contains_key(&name) {
                reader.conflict("proxies", &format!("there are two of the name \"{name}\""));
            }
            let id = proxies.add(proxy);
            proxies.named.insert(name, id);
        }
        proxies.subscribe = proxies.single(reader, "channel.proxy.subscribe", "subscribe");
        proxies.publish = proxies.single(reader, "channel.proxy.publish", "publish");
        proxies.sub_refresh = proxies.single(reader, "channel.proxy.sub_refresh", "sub_refresh");
        proxies.rpc = proxies.single(reader, "rpc.proxy", "rpc");
        proxies
    }

    /// Reads who is asked about connections and calls.
    pub(super) fn finish(mut self, reader: &mut Reader<'_>) -> BackendSettings {
        let connect = self.switched(reader, "client.proxy.connect", "connect");
        let refresh = self.switched(reader, "client.proxy.refresh", "refresh");
        if refresh.is_some() && connect.is_none() {
            reader.conflict(
                "client.proxy.refresh",
                "needs client.proxy.connect, whose connections it prolongs",
            );
        }
        let rpc = self.rpc(reader);
        BackendSettings { proxies: self.all, connect, reads_tokens: false, refresh, rpc }
    }

    /// What of a namespace's channels the backend decides.
    pub(super) fn deciders(&self, reader: &mut Reader<'_>) -> Deciders {
        Deciders {
            subscribe: self.chosen(
                reader,
                ("subscribe_proxy_enabled", "whether the backend decides who subscribes"),
                ("subscribe_proxy_name", "which of proxies is asked"),
                (self.subscribe, "channel.proxy.subscribe"),
            ),
            publish: self.chosen(
                reader,
                ("publish_proxy_enabled", "whether the backend decides who publishes what"),
                ("publish_proxy_name", "which of proxies is asked"),
                (self.publish, "channel.proxy.publish"),
            ),
            sub_refresh: self.chosen(
                reader,
                ("sub_refresh_proxy_enabled", "whether the backend decides if subscriptions go on"),
                ("sub_refresh_proxy_name", "which of proxies is asked"),
                (self.sub_refresh, "channel.proxy.sub_refresh"),
            ),
        }
    }

    fn rpc(&self, reader: &mut Reader<'_>) -> RpcProxies {
        let chosen = |reader: &mut Reader<'_>| {
            self.chosen(
                reader,
                ("proxy_enabled", "whether the backend answers these calls"),
                ("proxy_name", "which of proxies is asked"),
                (self.rpc, "rpc.proxy"),
            )
        };
        let without_namespace = reader.table("rpc.without_namespace", chosen);
        let named = reader.tables(
            "rpc.namespaces",
            "families of methods and who answers them",
            |number, table| match table.get("name").and_then(Value::as_str) {
                Some(name) => name.to_owned(),
                None => number.to_string(),
            },
            |reader| {
                let name = reader.text("name", "what methods of this family begin with, before a colon", "");
                super::check::namespace_name(reader, &name);
                (name, chosen(reader))
            },
        );
        RpcProxies { without_namespace, named, ..RpcProxies::default() }
    }

    fn chosen(
        &self,
        reader: &mut Reader<'_>,
        (enabled, enabled_doc): (&'static str, &'static str),
        (name, name_doc): (&'static str, &'static str),
        (usual, usual_key): (Option<ProxyId>, &'static str),
    ) -> Option<ProxyId> {
        let is_enabled = reader.flag(enabled, enabled_doc, false);
        let called = reader.text(name, name_doc, DEFAULT);
        if !is_enabled {
            return None;
        }
        let found = if called == DEFAULT { usual } else { self.named.get(&called).copied() };
        match found {
            None if called == DEFAULT => reader.conflict(enabled, &format!("needs {usual_key}.endpoint")),
            None => reader.conflict(name, &format!("there is no \"{called}\" among proxies")),
            Some(_) => {}
        }
        found
    }

    /// A proxy that is there if it has an endpoint.
    fn single(&mut self, reader: &mut Reader<'_>, key: &'static str, name: &str) -> Option<ProxyId> {
        let proxy = reader.table(key, |reader| proxy(reader, name))?;
        Some(self.add(proxy))
    }

    /// A proxy with a switch of its own.
    fn switched(&mut self, reader: &mut Reader<'_>, key: &'static str, name: &str) -> Option<ProxyId> {
        let proxy = reader.table(key, |reader| {
            let enabled = reader.flag("enabled", "whether the backend is asked", false);
            let proxy = proxy(reader, name);
            if enabled && proxy.is_none() {
                reader.conflict("enabled", "needs endpoint");
            }
            proxy.filter(|_| enabled)
        })?;
        Some(self.add(proxy))
    }

    fn add(&mut self, proxy: ProxySettings) -> ProxyId {
        self.all.push(proxy);
        // A configuration file is far too short for more.
        ProxyId((self.all.len() - 1) as u16)
    }
}

/// Reads one proxy; `None` if it has no endpoint.
fn proxy(reader: &mut Reader<'_>, name: &str) -> Option<ProxySettings> {
    let service = service::read(reader);
    let second = Duration::from_secs(1);
    Some(ProxySettings {
        name: name.to_owned(),
        timeout: reader.duration(
            "timeout",
            "how long an answer may take",
            second,
            Duration::from_millis(10)..=TIMEOUT_MAX,
        ),
        headers: Wanted {
            real: names(reader, "http_headers", "which headers of a client's request are forwarded"),
            emulated: names(
                reader,
                "emulated_headers",
                "which headers that a client only claims in its connect command are forwarded",
            ),
        },
        binary_encoding: reader.flag("binary_encoding", "whether payloads travel as base64", false),
        include_connection_meta: reader.flag(
            "include_connection_meta",
            "whether meta of a connect answer is told to the backend again",
            false,
        ),
        transforms: transforms(reader),
        limits: AdmissionLimits {
            in_flight_max: reader.count(
                "max_in_flight",
                "how many requests may be under way at once",
                64,
                1..=IN_FLIGHT_MAX,
            ),
            waiting_max: reader.count(
                "max_waiting",
                "how many questions may wait for their turn",
                10_000,
                0..=WAITING_MAX,
            ),
            waiting_bytes_max: WAITING_BYTES_MAX,
            wait_max: reader.duration(
                "max_wait",
                "how long a question may wait for its turn",
                2 * second,
                Duration::ZERO..=TIMEOUT_MAX,
            ),
        },
        // Last, so that every option is known though nobody is asked.
        respondent: Respondent::Service(service?),
    })
}

fn names(reader: &mut Reader<'_>, key: &'static str, doc: &'static str) -> Vec<HeaderName> {
    let parse = |value: &Value| {
        let names = value.as_array()?.iter();
        names.map(|name| HeaderName::try_from(name.as_str()?).ok()).collect::<Option<Vec<_>>>()
    };
    reader.read(key, doc, "a list of header names in quotes", parse).unwrap_or_default()
}

/// What one HTTP status means to the client.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Transform {
    status_code: u16,
    to_error: Option<ErrorWords>,
    to_disconnect: Option<DisconnectWords>,
}

fn transforms(reader: &mut Reader<'_>) -> Vec<(StatusCode, Refusal)> {
    let parse = |value: &Value| {
        let listed = Vec::<Transform>::deserialize(value).ok()?;
        listed.into_iter().map(Transform::read).collect::<Option<Vec<_>>>()
    };
    let wanted = "a list of {status_code, and to_error {code, message, temporary} or to_disconnect {code, reason}}, \
                  with codes from 400 to 1999 for errors and from 4000 to 4999 for disconnects,";
    let doc = "what a status other than 200 means to the client";
    reader.read("http.status_to_code_transforms", doc, wanted, parse).unwrap_or_default()
}

impl Transform {
    fn read(self) -> Option<(StatusCode, Refusal)> {
        let status = StatusCode::from_u16(self.status_code).ok()?;
        let refusal = match (self.to_error, self.to_disconnect) {
            (Some(words), None) => words.into_refusal(),
            (None, Some(words)) => words.into_refusal(),
            _ => return None,
        };
        Some((status, refusal.ok()?))
    }
}
