//! The parameters of a request.

use axum::extract::Query;
use bytes::Bytes;
use http::Uri;
use serde_json::{Map, Value, json};

/// The first parameter of this name; `None` if there is none, or if the query is malformed.
pub(super) fn first(uri: &Uri, name: &str) -> Option<String> {
    pairs(uri.query()?).into_iter().find_map(|(key, value)| (key == name).then_some(value))
}

/// The connect request of a client that only hears: `cf_connect` as it is, or one that names the channels of all
/// `channel` parameters, which is easier to type. `None` if there is neither.
pub(in crate::edge) fn greeting(query: Option<&str>) -> Option<Bytes> {
    let pairs = pairs(query?);
    if let Some((_, request)) = pairs.iter().find(|(key, _)| key == "cf_connect") {
        return Some(Bytes::copy_from_slice(request.as_bytes()));
    }
    let channels = pairs.into_iter().filter(|(key, _)| key == "channel");
    let subs: Map<String, Value> = channels.map(|(_, channel)| (channel, json!({}))).collect();
    (!subs.is_empty()).then(|| json!({ "subs": subs }).to_string().into())
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let uri = Uri::builder().path_and_query(format!("/?{query}")).build().unwrap_or_default();
    Query::try_from_uri(&uri).map(|Query(pairs)| pairs).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_a_connect_request_or_a_list_of_channels() {
        let table = [
            ("cf_connect=%7B%22token%22%3A%22t%22%7D&channel=x", Some(r#"{"token":"t"}"#)),
            ("channel=chat%3Alobby&channel=news", Some(r#"{"subs":{"chat:lobby":{},"news":{}}}"#)),
            ("channels=news", None),
            ("", None),
        ];
        for (query, expected) in table {
            assert_eq!(greeting(Some(query)).as_deref(), expected.map(str::as_bytes), "{query}");
        }
        assert_eq!(greeting(None), None);
    }
}
