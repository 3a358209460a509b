//! A proxy: one way in which the backend is asked.

use std::collections::HashMap;
use std::time::Duration;

use http::{HeaderName, StatusCode};
use spanwire_hub::backend::{Matter, ProxyId};
use spanwire_hub::{Authenticate, Refusal};
use spanwire_wire::ErrorCode;

use super::admission::AdmissionLimits;
use super::handler::Handler;
use super::headers::Wanted;
use super::question::Form;
use crate::http_client::Service;

/// How the backend is asked about one kind of thing, from the configuration.
#[derive(Clone, Debug)]
pub struct ProxySettings {
    /// What it is called in logs and metrics.
    pub name: String,
    /// Who is asked.
    pub respondent: Respondent,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Which of a client's headers are forwarded.
    pub headers: Wanted,
    /// Payloads travel as base64.
    pub binary_encoding: bool,
    /// What the backend said of a client is told to it again.
    pub include_connection_meta: bool,
    /// What an HTTP status other than 200 means to the client.
    pub transforms: Vec<(StatusCode, Refusal)>,
    /// What may be under way, and what may wait.
    pub limits: AdmissionLimits,
}

impl ProxySettings {
    pub(super) fn form(&self) -> Form {
        Form { binary: self.binary_encoding, meta: self.include_connection_meta }
    }

    /// What a status other than 200 means to the client, if anything was said of it.
    pub(super) fn meaning_of(&self, status: StatusCode) -> Option<Refusal> {
        self.transforms.iter().find(|(known, _)| *known == status).map(|(_, meant)| meant.clone())
    }

    /// What becomes of it while the server runs, if a later configuration describes it like this: all but what lasts.
    pub(super) fn changed_to(&self, later: &Self) -> Self {
        let Self { name, headers, limits, .. } = self.clone();
        Self { name, headers, limits, ..later.clone() }
    }

    /// Whether a later configuration says the same of what lasts as long as the server runs: the headers that are kept
    /// with each connection for it, and what it may cost.
    pub(crate) fn lasts_as(&self, later: &Self) -> bool {
        self.name == later.name && self.headers == later.headers && self.limits == later.limits
    }
}

/// Who answers for the backend.
#[derive(Clone, Debug)]
pub enum Respondent {
    /// A service that is asked by HTTP.
    Service(Service),
    /// A function of the application that this server is a part of.
    Handler(Handler),
}

/// Every proxy, and which of them are asked about what is not a channel's.
#[derive(Clone, Debug, Default)]
pub struct BackendSettings {
    /// In the order of their [`ProxyId`]s.
    pub proxies: Vec<ProxySettings>,
    /// Whom clients without a token are to be known by.
    pub connect: Option<ProxyId>,
    /// Those who show a token too: what it is worth is for the backend to say.
    pub reads_tokens: bool,
    /// Who is asked whether such a client's connection goes on when it has expired.
    pub refresh: Option<ProxyId>,
    /// Who answers calls.
    pub rpc: RpcProxies,
}

/// Who answers calls, by their method's name.
#[derive(Clone, Debug, Default)]
pub struct RpcProxies {
    /// Methods without a namespace.
    pub without_namespace: Option<ProxyId>,
    /// Methods by what stands before the first `:` of their names.
    pub named: Vec<(String, Option<ProxyId>)>,
    /// Methods by their whole names; these come first.
    pub methods: HashMap<String, ProxyId>,
}

impl RpcProxies {
    pub(super) fn of(&self, method: &str) -> Option<ProxyId> {
        if let Some(proxy) = self.methods.get(method) {
            return Some(*proxy);
        }
        match method.split_once(':') {
            None => self.without_namespace,
            Some((namespace, _)) => self.named.iter().find(|(name, _)| name == namespace)?.1,
        }
    }
}

impl BackendSettings {
    /// How many connections to the backend there may be at a time, each of which takes a descriptor.
    pub fn connections_max(&self) -> usize {
        let services = self.proxies.iter().filter(|proxy| matches!(proxy.respondent, Respondent::Service(_)));
        services.map(|proxy| proxy.limits.in_flight_max).sum()
    }

    /// Whether nobody wants to see a client's headers once it has connected.
    pub fn forgets_headers(&self) -> bool {
        let connect = self.connect.map(|connect| usize::from(connect.0));
        let others = self.proxies.iter().enumerate().filter(|(place, _)| Some(*place) != connect);
        connect.is_some() && others.into_iter().all(|(_, proxy)| proxy.headers == Wanted::default())
    }

    /// Whom a client that connects is to be known by; `None` leaves it to tokens and the rule for strangers.
    pub fn of_connect(&self, request: &Authenticate) -> Option<ProxyId> {
        self.connect.filter(|_| request.token.is_empty() || self.reads_tokens)
    }

    /// Whom to ask about a matter; `None` if nobody is configured.
    pub fn of_matter(&self, matter: &Matter) -> Option<ProxyId> {
        match matter {
            Matter::Refresh => self.refresh,
            Matter::Subscribe { proxy, .. }
            | Matter::SubRefresh { proxy, .. }
            | Matter::Publish { proxy, .. } => Some(*proxy),
            Matter::Rpc { method, .. } => self.rpc.of(method),
        }
    }

    /// What a caller is told of a method that nobody answers.
    pub fn no_such_method(&self) -> ErrorCode {
        match self.rpc.methods.is_empty() {
            true => ErrorCode::NotAvailable,
            false => ErrorCode::MethodNotFound,
        }
    }

    /// Every header that any proxy wants to see.
    pub fn wanted(&self) -> Wanted {
        let mut all = Wanted::default();
        let add = |all: &mut Vec<HeaderName>, some: &[HeaderName]| {
            for name in some {
                if !all.contains(name) {
                    all.push(name.clone());
                }
            }
        };
        for proxy in &self.proxies {
            add(&mut all.real, &proxy.headers.real);
            add(&mut all.emulated, &proxy.headers.emulated);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_belongs_to_the_namespace_before_its_first_boundary() {
        let proxies = RpcProxies {
            without_namespace: Some(ProxyId(1)),
            named: vec![("math".to_owned(), Some(ProxyId(2))), ("shut".to_owned(), None)],
            methods: HashMap::from([("shut:up".to_owned(), ProxyId(3))]),
        };
        let table = [
            ("shut:up", Some(ProxyId(3))),
            ("add", Some(ProxyId(1))),
            ("", Some(ProxyId(1))),
            ("math:add", Some(ProxyId(2))),
            ("math:add:all", Some(ProxyId(2))),
            ("shut:x", None),
            ("other:x", None),
        ];
        for (method, expected) in table {
            assert_eq!(proxies.of(method), expected, "{method}");
        }
    }
}
