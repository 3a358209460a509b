//! A configuration that is read again while a server runs by it: what has changed, and what of that can hold at once.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Layer, Settings};

/// What holds as soon as it has been read again; a dot at the end stands for all that is below. Everything else is
/// built into what a running server is made of.
const READ_AGAIN: &[&str] = &[
    "channel.history_meta_ttl",
    "channel.namespaces",
    "channel.without_namespace.",
    "client.allow_anonymous_connect_without_token",
    "client.disallow_anonymous_connection_tokens",
    "client.subscription_token.",
    "client.token.",
    "http_api.key",
    "http_api.keys",
    "http_api.rate_limit",
    "log.level",
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
    READ_AGAIN.iter().any(|known| match known.ends_with('.') {
        true => key.starts_with(known),
        false => key == *known,
    })
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
        for known in READ_AGAIN {
            let is_there = catalogue.iter().any(|entry| match known.ends_with('.') {
                true => entry.key.starts_with(known),
                false => entry.key == *known,
            });
            assert!(is_there, "{known}");
        }
    }
}
