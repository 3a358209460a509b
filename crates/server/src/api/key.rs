//! The keys of the server API.

use std::sync::Arc;

use axum::extract::Query;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};
use serde::Deserialize;

use super::allowance::Allowance;
use super::{Method, Request};
use crate::config::Secret;

/// The scheme of the `Authorization` header.
const SCHEME: &str = "apikey ";

#[derive(Deserialize)]
struct Shown {
    api_key: String,
}

/// The keys of the server API, and what each opens. Without any the API is closed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keyring(pub(crate) Vec<ApiKey>);

/// One key.
#[derive(Clone, Debug)]
pub(crate) struct ApiKey {
    pub(crate) secret: Secret,
    pub(crate) scope: Scope,
    /// How much its holders may ask for, all together.
    pub(crate) allowance: Arc<Allowance>,
}

/// The methods that a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of them.
    All,
    /// Those that publish.
    Publish,
    /// Those that change nothing.
    Read,
}

impl Scope {
    /// The words of the configuration.
    pub(crate) const WORDS: [(&'static str, Self); 3] =
        [("all", Self::All), ("publish", Self::Publish), ("read", Self::Read)];

    /// Whether a key of this scope may ask for this. A batch is as much as what is in it.
    pub(super) fn allows(self, request: &Request) -> bool {
        match request {
            Request::Batch(batch) => batch.requests.iter().all(|(method, _)| self.opens(*method)),
            request => self.opens(request.method()),
        }
    }

    /// Whether a key of this scope opens this method.
    pub(super) fn opens(self, method: Method) -> bool {
        match self {
            Self::All => true,
            Self::Publish => matches!(method, Method::Publish | Method::Broadcast),
            Self::Read => matches!(
                method,
                Method::Presence | Method::PresenceStats | Method::History | Method::Channels | Method::Info
            ),
        }
    }
}

impl Keyring {
    /// The key that a request shows: in `X-API-Key`, as `Authorization: apikey …`, or as `api_key` in the
    /// query. `None` if it shows none of ours.
    pub(super) fn shown(&self, headers: &HeaderMap, uri: &Uri) -> Option<&ApiKey> {
        if let Some(shown) = headers.get("x-api-key") {
            return self.opened_by(shown.as_bytes());
        }
        if let Some(shown) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) {
            let (scheme, guess) = shown.split_at_checked(SCHEME.len()).unwrap_or_default();
            return self.opened_by(guess.as_bytes()).filter(|_| scheme.eq_ignore_ascii_case(SCHEME));
        }
        let Query(shown) = Query::<Shown>::try_from_uri(uri).ok()?;
        self.opened_by(shown.api_key.as_bytes())
    }

    /// Every key is compared, whichever it is, so that the time tells nothing.
    fn opened_by(&self, guess: &[u8]) -> Option<&ApiKey> {
        self.0.iter().fold(None, |found, key| if key.secret.is(guess) { Some(key) } else { found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;

    #[test]
    fn the_key_is_shown_in_one_of_three_ways() {
        let allowance = Arc::new(Allowance::new(0));
        let key = ApiKey { secret: Secret::new("a b+c"), scope: Scope::All, allowance };
        let keys = Keyring(vec![key]);
        let table = [
            (None, "/api/info", false),
            (Some(("x-api-key", "a b+c")), "/api/info", true),
            (Some(("x-api-key", "a b+")), "/api/info", false),
            (Some(("x-api-key", "")), "/api/info?api_key=a%20b%2Bc", false),
            (Some(("authorization", "apikey a b+c")), "/api/info", true),
            (Some(("authorization", "ApiKey a b+c")), "/api/info", true),
            (Some(("authorization", "Bearer a b+c")), "/api/info", false),
            (Some(("authorization", "apikey")), "/api/info", false),
            (None, "/api/info?api_key=a%20b%2Bc", true),
            (None, "/api/info?api_key=a", false),
            (None, "/api/info?key=a%20b%2Bc", false),
        ];
        for (header, uri, expected) in table {
            let mut headers = HeaderMap::new();
            if let Some((name, value)) = header {
                headers.insert(HeaderName::from_static(name), value.parse().unwrap());
            }
            let uri = uri.parse().unwrap();
            assert_eq!(keys.shown(&headers, &uri).is_some(), expected, "{header:?} {uri}");
            assert!(Keyring::default().shown(&headers, &uri).is_none());
        }
    }

    #[test]
    fn a_key_opens_what_is_in_its_scope_and_a_batch_of_nothing_else() {
        use crate::api::Method;
        let table = [
            (Method::Publish, r#"{"channel":"a","data":1}"#, [true, true, false]),
            (Method::Broadcast, r#"{"channels":["a"],"data":1}"#, [true, true, false]),
            (Method::History, r#"{"channel":"a"}"#, [true, false, true]),
            (Method::Info, "{}", [true, false, true]),
            (Method::HistoryRemove, r#"{"channel":"a"}"#, [true, false, false]),
            (Method::Disconnect, r#"{"user":"a"}"#, [true, false, false]),
            (Method::Batch, r#"{"commands":[{"info":{}},{"channels":{}}]}"#, [true, false, true]),
            (
                Method::Batch,
                r#"{"commands":[{"info":{}},{"publish":{"channel":"a","data":1}}]}"#,
                [true, false, false],
            ),
        ];
        for (method, body, expected) in table {
            let request = Request::read(method, body.as_bytes()).unwrap();
            let allowed = [Scope::All, Scope::Publish, Scope::Read].map(|scope| scope.allows(&request));
            assert_eq!(allowed, expected, "{body}");
        }
    }
}
