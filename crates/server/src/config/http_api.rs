//! The server API: who may call it, and how it answers.

use std::sync::Arc;

use super::reader::Reader;
use crate::api::{Allowance, ApiKey, ErrorMode, Keyring, Scope};

/// Most commands a second that can be asked for.
const RATE_MAX: usize = 100_000_000;
/// Longest body that can be asked for: it is held in memory as a whole.
const BODY_BYTES_MAX: usize = 256 << 20;
/// Most calls at a time that can be asked for.
const CONCURRENCY_MAX: usize = 100_000;

/// What is set of the server API.
#[derive(Clone, Debug)]
pub(crate) struct HttpApi {
    pub(crate) keys: Keyring,
    pub(crate) error_mode: ErrorMode,
    /// Longest body of a call, in bytes.
    pub(crate) body_bytes_max: usize,
    /// Most calls that are read or done at a time.
    pub(crate) concurrency_limit: usize,
}

impl HttpApi {
    /// Reads what stands below `http_api`.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        // The range fits, so that the cast loses nothing.
        let rate = reader.count(
            "http_api.rate_limit",
            "how many commands a second each key of the server API is good for, a broadcast being one for each channel; \
             0 is no limit",
            100_000,
            0..=RATE_MAX,
        ) as u32;
        let concurrency_limit = reader.count(
            "http_api.concurrency_limit",
            "how many calls of the server API may be read or done at a time; each may bring http_api.max_request_body_size",
            512,
            1..=CONCURRENCY_MAX,
        );
        let body_bytes_max = reader.count(
            "http_api.max_request_body_size",
            "how many bytes the body of a call of the server API may have",
            4 << 20,
            1024..=BODY_BYTES_MAX,
        );
        Self {
            keys: keys(reader, rate),
            body_bytes_max,
            concurrency_limit,
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

fn keys(reader: &mut Reader<'_>, rate: u32) -> Keyring {
    let api_key = |secret, scope| ApiKey { secret, scope, allowance: Arc::new(Allowance::new(rate)) };
    let key =
        reader.secret("http_api.key", "the key that the server API wants to see; without one it is closed");
    let mut keys: Vec<_> = key.map(|secret| api_key(secret, Scope::All)).into_iter().collect();
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
            secret.map(|secret| api_key(secret, scope))
        },
    );
    keys.extend(more.into_iter().flatten());
    Keyring(keys)
}
