//! The key of the server API.

use axum::extract::Query;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};
use serde::Deserialize;

use crate::config::Secret;

/// The scheme of the `Authorization` header.
const SCHEME: &str = "apikey ";

#[derive(Deserialize)]
struct Shown {
    api_key: String,
}

/// Whether a request shows the key: in `X-API-Key`, as `Authorization: apikey …`, or as `api_key` in the query.
/// Without a key the API is closed.
pub(super) fn is_shown(key: Option<&Secret>, headers: &HeaderMap, uri: &Uri) -> bool {
    let Some(key) = key else { return false };
    if let Some(shown) = headers.get("x-api-key") {
        return key.is(shown.as_bytes());
    }
    if let Some(shown) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) {
        let (scheme, guess) = shown.split_at_checked(SCHEME.len()).unwrap_or_default();
        return scheme.eq_ignore_ascii_case(SCHEME) && key.is(guess.as_bytes());
    }
    Query::<Shown>::try_from_uri(uri).is_ok_and(|Query(shown)| key.is(shown.api_key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;

    #[test]
    fn the_key_is_shown_in_one_of_three_ways() {
        let key = Secret::new("a b+c");
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
            assert_eq!(is_shown(Some(&key), &headers, &uri), expected, "{header:?} {uri}");
            assert!(!is_shown(None, &headers, &uri));
        }
    }
}
