//! Options from environment variables: `SPANWIRE_CLIENT_PING_INTERVAL=25s`, and Centrifugo's names for the same.

use std::collections::BTreeMap;

use serde_json::Value;

use super::catalogue::{Entry, Kind};
use super::{Layer, suggest, unsupported};

/// What the names of variables begin with; what stands first wins over what stands later.
const PREFIXES: [&str; 2] = ["SPANWIRE_", "CENTRIFUGO_"];

/// Variables of ours that are no options of the server: the command line and the tests read them.
const NOT_OPTIONS: &[&str] = &[
    "SPANWIRE_API_KEY",
    "SPANWIRE_CA_FILE",
    "SPANWIRE_BLESS",
    "SPANWIRE_FUZZ_SEED",
    "SPANWIRE_REQUIRE",
    "SPANWIRE_TOKEN",
    "SPANWIRE_TOKEN_SECRET",
    "SPANWIRE_URL",
];

/// What the environment says.
#[derive(Debug, Default)]
pub struct Environment {
    /// One layer for each variable that names an option, so that its name is what people are told.
    pub layers: Vec<Layer>,
    /// A sentence for each variable that looks as if it were meant for us, and names nothing. They are no mistakes:
    /// an orchestrator makes variables of its own out of the name of a service.
    pub strangers: Vec<String>,
}

impl Environment {
    /// Looks for the options of this catalogue among these variables.
    pub fn read(catalogue: &[Entry], variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut variables: BTreeMap<String, String> = variables
            .into_iter()
            .filter(|(name, _)| PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
            .filter(|(name, _)| !NOT_OPTIONS.contains(&name.as_str()))
            .collect();
        let mut layers = Vec::new();
        for prefix in PREFIXES {
            for entry in catalogue.iter().filter(|entry| !entry.key.contains("[]")) {
                let name = format!("{prefix}{}", shouted(&entry.key));
                let Some(text) = variables.remove(&name) else { continue };
                let value = match &entry.kind {
                    Kind::Tables => elements(catalogue, &entry.key, &name, &text, &mut variables),
                    kind => kind.value_of(&text),
                };
                let mut layer = Layer::new(name);
                layer.set(&entry.key, value);
                layers.push(layer);
            }
        }
        layers.extend(variables.keys().filter_map(|name| unsupported_layer(name)));
        let known = |name: &&String| unsupported_layer(name).is_none();
        let strangers = variables.keys().filter(known).map(|name| stranger(catalogue, name)).collect();
        Self { layers, strangers }
    }
}

/// The variable's name for a key, without its prefix.
pub(super) fn shouted(key: &str) -> String {
    key.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' })
        .collect()
}

/// A list of tables: all of it as JSON, or the names of its elements with a space between them; the options of an
/// element have variables of their own then, `SPANWIRE_CHANNEL_NAMESPACES_CHAT_HISTORY_SIZE`.
fn elements(
    catalogue: &[Entry],
    key: &str,
    variable: &str,
    text: &str,
    variables: &mut BTreeMap<String, String>,
) -> Value {
    let whole = Kind::Tables.value_of(text);
    if whole.is_array() {
        return whole;
    }
    let inside = format!("{key}[].");
    let tables = text.split_whitespace().map(|name| {
        let mut table = Layer::new(name);
        table.set("name", name);
        for entry in catalogue {
            let Some(option) = entry.key.strip_prefix(&inside).filter(|option| *option != "name") else {
                continue;
            };
            let own = format!("{variable}_{}_{}", shouted(name), shouted(option));
            if let Some(text) = variables.remove(&own) {
                table.set(option, entry.kind.value_of(&text));
            }
        }
        Value::Object(table.into_values())
    });
    tables.collect()
}

/// A layer with an option of Centrifugo that is known and does nothing here, so that it is refused like in a file.
fn unsupported_layer(name: &str) -> Option<Layer> {
    let rest = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix))?;
    let key = unsupported::keys().find(|key| {
        let known = shouted(key);
        rest.strip_prefix(&known).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    })?;
    let mut layer = Layer::new(name);
    // What it says may be a secret, and does not matter.
    layer.set(key, true);
    Some(layer)
}

fn stranger(catalogue: &[Entry], name: &str) -> String {
    let names: Vec<_> =
        catalogue.iter().map(|entry| format!("{}{}", PREFIXES[0], shouted(&entry.key))).collect();
    match suggest::nearest(name, names.iter().map(String::as_str)) {
        Some(meant) => format!("{name} is no option, and nothing was made of it; did you mean {meant}?"),
        None => format!("{name} is no option, and nothing was made of it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;
    use crate::config::Settings;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let variables = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Environment::read(&Settings::catalogue(), variables)
    }

    fn said(variables: &[(&str, &str)], key: &str) -> (Option<Value>, String) {
        let (settings, entries) = Settings::explain(Profile::Secure, &environment(variables).layers);
        settings.unwrap();
        let said = entries.into_iter().find(|entry| entry.key == key).unwrap().said.unwrap();
        (said.value, said.by)
    }

    #[test]
    fn a_variable_says_what_an_option_is_and_is_named_as_its_origin() {
        let (value, by) = said(&[("SPANWIRE_CLIENT_PING_INTERVAL", "9s")], "client.ping_interval");
        assert_eq!((value, by.as_str()), (Some("9s".into()), "SPANWIRE_CLIENT_PING_INTERVAL"));
        let (value, _) = said(&[("CENTRIFUGO_HTTP_SERVER_PORT", "9000")], "http_server.port");
        assert_eq!(value, Some(9000.into()));
        let (value, _) =
            said(&[("CENTRIFUGO_CLIENT_ALLOWED_ORIGINS", "https://a https://b")], "client.allowed_origins");
        assert_eq!(value, Some(serde_json::json!(["https://a", "https://b"])));
    }

    #[test]
    fn our_own_name_wins_over_centrifugos() {
        let both = [("CENTRIFUGO_HTTP_SERVER_PORT", "1"), ("SPANWIRE_HTTP_SERVER_PORT", "2")];
        assert_eq!(said(&both, "http_server.port").0, Some(2.into()));
    }

    #[test]
    fn namespaces_come_by_name_with_variables_of_their_own_or_all_as_json() {
        let by_name = [
            ("SPANWIRE_CHANNEL_NAMESPACES", "chat my-news"),
            ("SPANWIRE_CHANNEL_NAMESPACES_CHAT_PRESENCE", "true"),
            ("SPANWIRE_CHANNEL_NAMESPACES_MY_NEWS_HISTORY_SIZE", "5"),
            ("SPANWIRE_CHANNEL_NAMESPACES_MY_NEWS_HISTORY_TTL", "5s"),
        ];
        let settings = Settings::read(Profile::Secure, &environment(&by_name).layers).unwrap();
        assert!(settings.namespaces.named["chat"].presence);
        assert_eq!(settings.namespaces.named["my-news"].history.unwrap().size, 5);
        let json = [("CENTRIFUGO_CHANNEL_NAMESPACES", r#"[{"name":"chat","presence":true}]"#)];
        let settings = Settings::read(Profile::Secure, &environment(&json).layers).unwrap();
        assert!(settings.namespaces.named["chat"].presence);
    }

    #[test]
    fn a_wrong_value_is_told_with_the_variable_and_a_secret_is_not_told() {
        let wrong = environment(&[("SPANWIRE_HTTP_SERVER_PORT", "many")]);
        let error = Settings::read(Profile::Secure, &wrong.layers).unwrap_err().to_string();
        assert!(
            error.starts_with("SPANWIRE_HTTP_SERVER_PORT: http_server.port = \"many\": a whole number"),
            "{error}"
        );
        let key = environment(&[("SPANWIRE_CLIENT_TOKEN_RSA_PUBLIC_KEY", "guess-me")]);
        let error = Settings::read(Profile::Secure, &key.layers).unwrap_err().to_string();
        assert!(
            error.contains("SPANWIRE_CLIENT_TOKEN_RSA_PUBLIC_KEY") && !error.contains("guess-me"),
            "{error}"
        );
    }

    #[test]
    fn a_variable_that_names_nothing_is_told_and_one_that_we_lack_is_refused() {
        let slip = environment(&[
            ("SPANWIRE_CLIENT_PING_INTERVALL", "9s"),
            ("SPANWIRE_REQUIRE", "all"),
            ("HOME", "/"),
        ]);
        assert!(slip.layers.is_empty());
        assert_eq!(slip.strangers.len(), 1);
        assert!(
            slip.strangers[0].ends_with("did you mean SPANWIRE_CLIENT_PING_INTERVAL?"),
            "{:?}",
            slip.strangers
        );
        let lacking = environment(&[("CENTRIFUGO_ADMIN_PASSWORD", "guess-me")]);
        let error = Settings::read(Profile::Secure, &lacking.layers).unwrap_err().to_string();
        assert!(error.contains("CENTRIFUGO_ADMIN_PASSWORD: admin") && !error.contains("guess-me"), "{error}");
    }
}
