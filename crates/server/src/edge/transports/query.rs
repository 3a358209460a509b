//! The parameters of a request.

use axum::extract::Query;
use http::Uri;

/// The first parameter of this name; `None` if there is none, or if the query is malformed.
pub(super) fn first(uri: &Uri, name: &str) -> Option<String> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
    pairs.into_iter().find_map(|(key, value)| (key == name).then_some(value))
}
