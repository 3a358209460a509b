//! From what an application says to settings that an engine understands: handlers take the place of proxies.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::FutureExt as _;
use spanwire_hub::backend::ProxyId;
use spanwire_hub::namespace::{self, Namespaces};
use spanwire_hub::{Answer, Refusal};
use spanwire_wire::ErrorCode;
use tokio::runtime;

use super::builder::Handlers;
use super::farewells::Farewell;
use super::replies::Reply;
use super::{BuildError, Builder, HandlerLimits, Own};
use crate::backend::{BackendSettings, Handler, ProxySettings, Respondent, Said, Wanted};
use crate::config::Settings;
use crate::profile::Profile;

/// Options that say how a process of its own listens and is watched. An application does that itself.
const NOT_OURS: [&str; 9] = [
    "http_server.address",
    "http_server.port",
    "http_server.http2.",
    "http_server.tls",
    "http_server.proxy_protocol",
    "http_api.",
    "health.",
    "prometheus.",
    "log.",
];

/// Stands for all channels that no other handler decides about.
const ALL: &str = "*";

/// All that a hub needs to begin.
pub(crate) struct Blueprint {
    pub(crate) settings: Settings,
    pub(crate) own: Own,
    pub(crate) farewell: Option<Farewell>,
}

/// Puts handlers in the place of proxies.
struct Installer<'a> {
    settings: &'a mut Settings,
    runtime: runtime::Handle,
    limits: HandlerLimits,
    own: Own,
}

impl Blueprint {
    pub(crate) fn draw(builder: Builder) -> Result<Self, BuildError> {
        let runtime = runtime::Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        let headers = Wanted { real: builder.header_names()?, emulated: Vec::new() };
        let Builder { below, above, namespaces, mut handlers, limits, .. } = builder;
        let farewell = handlers.disconnect.take();
        let mut layers = vec![above];
        for layer in below {
            layers.push(layer?);
        }
        let (settings, entries) = Settings::explain(Profile::Secure, &layers);
        if let Some(entry) = entries.into_iter().find(|entry| entry.said.is_some() && is_not_ours(&entry.key))
        {
            return Err(BuildError::NotOurs(entry.key));
        }
        let mut settings = settings?;
        for (name, options) in namespaces {
            let trouble = options.trouble().or_else(|| trouble_of_name(&name));
            if let Some(trouble) = trouble {
                return Err(BuildError::Namespace { name, trouble });
            }
            let options = Arc::new(options.into_inner());
            match name.is_empty() {
                true => settings.namespaces.without_namespace = options,
                false => drop(settings.namespaces.named.insert(name, options)),
            }
        }
        let own = Own::default();
        Installer { settings: &mut settings, runtime, limits, own: own.clone() }
            .install(handlers, headers)?;
        let client = &settings.client;
        if settings.backend.connect.is_none() && !client.anonymous && client.tokens.trusts_nobody() {
            return Err(BuildError::Closed);
        }
        Ok(Self { settings, own, farewell })
    }
}

impl Installer<'_> {
    fn install(mut self, handlers: Handlers, headers: Wanted) -> Result<(), BuildError> {
        let Handlers { connect, refresh, subscribe, sub_refresh, publish, rpc, .. } = handlers;
        if let Some(reply) = connect {
            let proxy = self.add("on_connect".to_owned(), reply, headers);
            self.backend().connect = Some(proxy);
            self.backend().reads_tokens = true;
        }
        if let Some(reply) = refresh {
            let proxy = self.add("on_refresh".to_owned(), reply, Wanted::default());
            self.backend().refresh = Some(proxy);
        }
        self.decide("on_subscribe", subscribe, |namespace, proxy| {
            namespace.deciders.subscribe = Some(proxy)
        })?;
        self.decide("on_sub_refresh", sub_refresh, |namespace, proxy| {
            namespace.deciders.sub_refresh = Some(proxy)
        })?;
        self.decide("on_publish", publish, |namespace, proxy| namespace.deciders.publish = Some(proxy))?;
        for (method, reply) in rpc {
            let proxy = self.add(format!("rpc {method}"), reply, Wanted::default());
            if self.backend().rpc.methods.insert(method.clone(), proxy).is_some() {
                return Err(BuildError::Twice { handler: "rpc", pattern: method });
            }
        }
        Ok(())
    }

    /// Has handlers decide about the channels of their patterns.
    fn decide(
        &mut self,
        kind: &'static str,
        handlers: Vec<(String, Reply)>,
        set: fn(&mut namespace::Namespace, ProxyId),
    ) -> Result<(), BuildError> {
        let mut decided = HashSet::new();
        // The one for all the rest comes last, whenever it was said.
        let (rest, named): (Vec<_>, Vec<_>) = handlers.into_iter().partition(|(pattern, _)| pattern == ALL);
        for (pattern, reply) in named.into_iter().chain(rest) {
            let names = self.meant(kind, &pattern)?;
            let is_new = |name: &String| decided.insert(name.clone());
            let names: Vec<_> = names.into_iter().filter(is_new).collect();
            if names.is_empty() && pattern != ALL {
                return Err(BuildError::Twice { handler: kind, pattern });
            }
            let proxy = self.add(format!("{kind} {pattern}"), reply, Wanted::default());
            for name in names {
                if let Some(namespace) = namespace_mut(&mut self.settings.namespaces, &name) {
                    set(Arc::make_mut(namespace), proxy);
                }
            }
        }
        Ok(())
    }

    /// The namespaces that a pattern means; the empty name is that of channels without one.
    fn meant(&self, handler: &'static str, pattern: &str) -> Result<Vec<String>, BuildError> {
        let named = &self.settings.namespaces.named;
        if pattern == ALL {
            return Ok(named.keys().cloned().chain([String::new()]).collect());
        }
        let trouble = match pattern.strip_suffix(":*") {
            Some(name) if named.contains_key(name) => return Ok(vec![name.to_owned()]),
            Some(_) => "there is no such namespace; add it with namespace(...)",
            None => "a namespace's channels are wanted, as \"chat:*\", or \"*\" for all that are left",
        };
        Err(BuildError::Pattern { handler, pattern: pattern.to_owned(), trouble })
    }

    fn add(&mut self, name: String, reply: Reply, headers: Wanted) -> ProxyId {
        let own = self.own.clone();
        let handler = Handler::new(self.runtime.clone(), move |asked| match own.hub() {
            Some(hub) => reply(asked, hub),
            // The hub has ended, and whoever asks is about to hear of it.
            None => std::future::ready(gone()).boxed(),
        });
        let proxies = &mut self.backend().proxies;
        // Nobody writes more handlers than that.
        let proxy = ProxyId(proxies.len() as u16);
        let limits = self.limits;
        self.backend().proxies.push(ProxySettings {
            name,
            respondent: Respondent::Handler(handler),
            timeout: limits.timeout,
            headers,
            binary_encoding: false,
            include_connection_meta: true,
            transforms: Vec::new(),
            limits: limits.admission(),
        });
        proxy
    }

    fn backend(&mut self) -> &mut BackendSettings {
        &mut self.settings.backend
    }
}

fn gone() -> Said {
    Said { answer: Answer::Rpc(Err(Refusal::Error(ErrorCode::Internal))), trouble: None }
}

fn is_not_ours(key: &str) -> bool {
    NOT_OURS.iter().any(|known| match known.strip_suffix('.') {
        Some(group) => {
            key.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        }
        None => key.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '_'])),
    })
}

/// A namespace's name must be told apart from the rest of a channel's name.
fn trouble_of_name(name: &str) -> Option<&'static str> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_name = name.is_empty() || (name.len() >= 2 && name.bytes().all(is_fine));
    (!is_name).then_some("the name must have at least two characters, of a-z A-Z 0-9 - _ .")
}

fn namespace_mut<'a>(
    namespaces: &'a mut Namespaces,
    name: &str,
) -> Option<&'a mut Arc<namespace::Namespace>> {
    match name.is_empty() {
        true => Some(&mut namespaces.without_namespace),
        false => namespaces.named.get_mut(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::{Allow, Hub, Namespace, Pub, PublishCtx, RpcCtx, SubscribeCtx};
    use std::time::Duration;

    fn chat() -> Builder {
        Hub::builder().anonymous().namespace("chat", Namespace::open()).namespace("news", Namespace::open())
    }

    fn trouble(builder: Builder) -> String {
        Blueprint::draw(builder).map(|_| ()).unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_handler_decides_about_its_namespace_and_the_last_one_about_the_rest() {
        let builder = chat()
            .on_subscribe("*", async |_: SubscribeCtx| Ok(Allow))
            .on_subscribe("chat:*", async |_: SubscribeCtx| Ok(Allow))
            .on_publish("chat:*", async |_: PublishCtx| Ok(Pub::Pass));
        let Blueprint { settings, .. } = Blueprint::draw(builder).unwrap();
        let of = |channel: &str| settings.namespaces.of(channel).unwrap().deciders;
        let names: Vec<_> = settings.backend.proxies.iter().map(|proxy| proxy.name.as_str()).collect();
        assert_eq!(names, ["on_subscribe chat:*", "on_subscribe *", "on_publish chat:*"]);
        assert_eq!((of("chat:x").subscribe, of("chat:x").publish), (Some(ProxyId(0)), Some(ProxyId(2))));
        assert_eq!((of("news:x").subscribe, of("news:x").publish), (Some(ProxyId(1)), None));
        assert_eq!(of("plain").subscribe, Some(ProxyId(1)));
    }

    #[tokio::test]
    async fn what_cannot_be_is_refused_with_the_way_out() {
        let day = Duration::from_secs(86_400);
        let add = async |_: RpcCtx, (): ()| Ok(());
        let table = [
            (Hub::builder(), "no client can connect"),
            (chat().option("http_server.port", 80), "http_server.port has no meaning within an application"),
            (chat().option("client.ping_intervall", "10s"), "client.ping_interval"),
            (chat().namespace("x", Namespace::open()), "at least two characters"),
            (chat().namespace("room", Namespace::open().recover()), "recover() needs history(size, ttl)"),
            (chat().namespace("room", Namespace::open().conflate("of")), "need history(size, ttl)"),
            (chat().namespace("room", Namespace::open().deltas()), "need history(size, ttl)"),
            (
                chat().namespace("room", Namespace::open().history(1, day).drop_oldest().allow_deltas()),
                "cannot be had with conflate() or drop_oldest()",
            ),
            (chat().namespace("room", Namespace::open().history(0, day)), "a size and a time above zero"),
            (chat().on_subscribe("game:*", async |_: SubscribeCtx| Ok(Allow)), "there is no such namespace"),
            (chat().on_subscribe("chat", async |_: SubscribeCtx| Ok(Allow)), "\"chat:*\""),
            (chat().rpc("add", add).rpc("add", add), "rpc(\"add\") is there twice"),
            (chat().headers(["no header"]), "is no name of a header"),
        ];
        for (builder, expected) in table {
            let trouble = trouble(builder);
            assert!(trouble.contains(expected), "{trouble}");
        }
    }

    #[test]
    fn a_hub_needs_a_runtime_for_its_handlers() {
        assert_eq!(trouble(chat()), "a hub is built within a tokio runtime");
    }
}
