//! A configuration that is read again while a server runs by it: what has changed, and what of that can hold at once.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Layer, Settings};

/// What holds as soon as it has been read again, with all that is below it. Everything else is built into what a running server is made of.
const READ_AGAIN: &[&str] = &[
    "channel.history_meta_ttl",
    "channel.namespaces",
    "channel.without_namespace",
    "client.allow_anonymous_connect_without_token",
    "client.disallow_anonymous_connection_tokens",
    "client.subscription_token",
    "client.token",
    "events.endpoint",
    "events.http.static_headers",
    "events.http.tls",
    "events.secret",
    "events.timeout",
    "http_api.key",
    "http_api.keys",
    "http_api.rate_limit",
    "log.level",
];

/// Where proxies are described.
const PROXIES: &[&str] = &[
    "channel.proxy.publish",
    "channel.proxy.sub_refresh",
    "channel.proxy.subscribe",
    "client.proxy.connect",
    "client.proxy.refresh",
    "rpc.proxy",
];

/// What of each proxy is read again, as far as one by one can be told apart; `proxies` is one value.
const READ_AGAIN_OF_PROXIES: [&str; 7] = [
    "binary_encoding",
    "endpoint",
    "http.static_headers",
    "http.status_to_code_transforms",
    "http.tls",
    "include_connection_meta",
    "timeout",
];

/// A configuration as it was read at one time.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) settings: Settings,
    /// What somebody says about each key: values that must not be shown are among them.
    said: BTreeMap<String, Value>,
}

/// Keys whose values are others than before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Those that hold at once.
    pub(crate) at_once: Vec<String>,
    /// Those that hold after a restart.
    pub(crate) after_restart: Vec<String>,
}

impl Reading {
    /// The settings that were read from these layers.
    pub(crate) fn new(settings: Settings, layers: &[Layer]) -> Self {
        let mut said = BTreeMap::new();
        for layer in layers {
            collect(&mut said, "", layer.values());
        }
        Self { settings, said }
    }

    /// What is different in a later one.
    pub(crate) fn changes(&self, later: &Self) -> Changes {
        let keys: std::collections::BTreeSet<_> = self.said.keys().chain(later.said.keys()).collect();
        let changed = keys.into_iter().filter(|key| self.said.get(*key) != later.said.get(*key)).cloned();
        let (at_once, after_restart) = changed.partition(|key| is_read_again(key));
        Changes { at_once, after_restart }
    }
}

/// The first layer that says something about a key decides.
fn collect(said: &mut BTreeMap<String, Value>, place: &str, values: &Map<String, Value>) {
    for (key, value) in values {
        match value {
            Value::Object(inner) => collect(said, &format!("{place}{key}."), inner),
            value => {
                said.entry(format!("{place}{key}")).or_insert_with(|| value.clone());
            }
        }
    }
}

fn is_read_again(key: &str) -> bool {
    let of_proxy = PROXIES.iter().find_map(|proxy| below(proxy, key)?.strip_prefix('.'));
    is_among(READ_AGAIN, key)
        || key == "proxies"
        || of_proxy.is_some_and(|option| is_among(&READ_AGAIN_OF_PROXIES, option))
}

fn is_among(known: &[&str], key: &str) -> bool {
    known.iter().any(|known| below(known, key).is_some())
}

/// What of a key is left behind a table that it is below, with its dot; nothing if it is that itself.
fn below<'a>(table: &str, key: &'a str) -> Option<&'a str> {
    key.strip_prefix(table).filter(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a key says something of a proxy.
pub(crate) fn is_of_proxies(key: &str) -> bool {
    key == "proxies" || is_among(PROXIES, key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    fn reading(toml: &str) -> Reading {
        let layers = [Layer::from_toml("t", toml).unwrap()];
        Reading::new(Settings::read(Profile::Secure, &layers).unwrap(), &layers)
    }

    #[test]
    fn what_has_changed_is_named_by_when_it_holds_and_never_by_its_value() {
        let before =
            reading("client.token.hmac_secret_key = \"one\"\nhttp_server.port = 1\nlog.level = \"info\"");
        let after = reading(
            "client.token.hmac_secret_key = \"two\"\nhttp_server.port = 2\nlog.level = \"info\"\n\
             [[channel.namespaces]]\nname = \"chat\"",
        );
        let at_once = ["channel.namespaces", "client.token.hmac_secret_key"].map(str::to_owned);
        let expected =
            Changes { at_once: at_once.to_vec(), after_restart: vec!["http_server.port".to_owned()] };
        assert_eq!(before.changes(&after), expected);
        assert_eq!(after.changes(&before), expected, "what is taken out has changed too");
        assert_eq!(before.changes(&before), Changes::default());
    }

    #[test]
    fn only_the_layer_that_decides_can_change_anything() {
        let environment = Layer::from_toml("environment", "log.level = \"warn\"").unwrap();
        let reading = |file: &str| {
            let layers = [environment.clone(), Layer::from_toml("file", file).unwrap()];
            Reading::new(Settings::read(Profile::Secure, &layers).unwrap(), &layers)
        };
        let changes = reading("log.level = \"info\"").changes(&reading("log.level = \"error\""));
        assert_eq!(changes, Changes::default());
    }

    #[test]
    fn every_key_that_is_read_again_is_an_option() {
        let catalogue = Settings::catalogue();
        let of_proxies =
            PROXIES.iter().flat_map(|proxy| READ_AGAIN_OF_PROXIES.map(|option| format!("{proxy}.{option}")));
        for known in READ_AGAIN.iter().map(|known| (*known).to_owned()).chain(of_proxies) {
            assert!(catalogue.iter().any(|entry| below(&known, &entry.key).is_some()), "{known}");
        }
    }
}
