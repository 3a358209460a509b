//! The server API: who may call it, and how it answers.

use super::reader::Reader;
use crate::api::{ApiKey, ErrorMode, Keyring, Scope};

/// What is set of the server API.
#[derive(Clone, Debug)]
pub(crate) struct HttpApi {
    pub(crate) keys: Keyring,
    pub(crate) error_mode: ErrorMode,
}

impl HttpApi {
    /// Reads what stands below `http_api`.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            keys: keys(reader),
            error_mode: reader.choice(
                "http_api.error_mode",
                "how errors of the server API travel: in the body under status 200, or as \"transport\", under statuses \
                 that say what happened",
                ErrorMode::Body,
                &ErrorMode::WORDS,
            ),
        }
    }
}

fn keys(reader: &mut Reader<'_>) -> Keyring {
    let key =
        reader.secret("http_api.key", "the key that the server API wants to see; without one it is closed");
    let mut keys: Vec<_> = key.map(|secret| ApiKey { secret, scope: Scope::All }).into_iter().collect();
    let more = reader.tables(
        "http_api.keys",
        "more keys of the server API, and what each opens",
        |number, table| match table.get("name").and_then(|name| name.as_str()) {
            Some(name) => name.to_owned(),
            None => number.to_string(),
        },
        |reader| {
            reader.text("name", "what people call the key", "");
            let scope = reader.choice("scope", "which methods the key opens", Scope::All, &Scope::WORDS);
            let secret = reader.secret("key", "the key itself");
            if secret.is_none() {
                reader.conflict("key", "is missing");
            }
            secret.map(|secret| ApiKey { secret, scope })
        },
    );
    keys.extend(more.into_iter().flatten());
    Keyring(keys)
}
