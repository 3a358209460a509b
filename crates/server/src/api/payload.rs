//! Payloads in calls and in results: JSON as it stands, or base64 for what is not JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use spanwire_wire::ErrorCode;
use spanwire_wire::message::ClientInfo;

/// Reads a field that is a payload. `null` is one too, unlike a field that is not there.
pub(super) fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(from).map(Some)
}

/// The payload of two fields, of which the one in base64 wins; empty if there is none.
///
/// # Errors
/// [`ErrorCode::BadRequest`] if it is not base64.
pub(super) fn maybe(json: Option<Box<RawValue>>, base64: Option<String>) -> Result<Bytes, ErrorCode> {
    match (base64, json) {
        (Some(text), _) => STANDARD.decode(text).map(Bytes::from).map_err(|_| ErrorCode::BadRequest),
        (None, Some(json)) => Ok(Bytes::from(String::from(Box::<str>::from(json)))),
        (None, None) => Ok(Bytes::new()),
    }
}

/// The payload of two fields, where there must be one.
///
/// # Errors
/// [`ErrorCode::BadRequest`] if there is none, if it is empty, or if it is not base64.
pub(super) fn of(json: Option<Box<RawValue>>, base64: Option<String>) -> Result<Bytes, ErrorCode> {
    let bytes = maybe(json, base64)?;
    if bytes.is_empty() { Err(ErrorCode::BadRequest) } else { Ok(bytes) }
}

/// A payload to be written: one of the two is set, or none if it is empty.
pub(super) struct Written {
    pub(super) json: Option<Box<RawValue>>,
    pub(super) base64: Option<String>,
}

/// How to write this payload.
pub(super) fn written(bytes: &Bytes) -> Written {
    if bytes.is_empty() {
        return Written { json: None, base64: None };
    }
    match serde_json::from_slice(bytes) {
        Ok(json) => Written { json: Some(json), base64: None },
        Err(_) => Written { json: None, base64: Some(STANDARD.encode(bytes)) },
    }
}

/// A client.
#[derive(serde::Serialize, JsonSchema)]
#[schemars(rename = "ClientInfo")]
pub(super) struct Client {
    /// The user, who is empty if anonymous.
    user: String,
    /// The client id.
    client: String,
    /// What its connection says of it, if that is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    conn_info: Option<Box<RawValue>>,
    /// What its connection says of it in base64, if that is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    b64conn_info: Option<String>,
    /// What its subscription says of it, if that is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    chan_info: Option<Box<RawValue>>,
    /// What its subscription says of it in base64, if that is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    b64chan_info: Option<String>,
}

impl From<ClientInfo> for Client {
    fn from(info: ClientInfo) -> Self {
        let (conn, chan) = (written(&info.conn_info), written(&info.chan_info));
        Self {
            user: info.user,
            client: info.client,
            conn_info: conn.json,
            b64conn_info: conn.base64,
            chan_info: chan.json,
            b64chan_info: chan.base64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Option<Box<RawValue>> {
        Some(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn json_stays_as_it_stands_and_base64_wins() {
        assert_eq!(of(raw(r#"{ "a":1}"#), None), Ok(Bytes::from_static(br#"{ "a":1}"#)));
        assert_eq!(of(raw("1"), Some("AAE=".to_owned())), Ok(Bytes::from_static(&[0, 1])));
        for empty in [of(None, None), of(None, Some(String::new())), of(None, Some("%".to_owned()))] {
            assert_eq!(empty, Err(ErrorCode::BadRequest));
        }
    }

    #[test]
    fn what_is_not_json_is_written_in_base64() {
        let json = written(&Bytes::from_static(b"[1, 2]"));
        assert_eq!((json.json.unwrap().get(), json.base64), ("[1, 2]", None));
        let binary = written(&Bytes::from_static(&[0, 1]));
        assert_eq!((binary.json.is_none(), binary.base64.as_deref()), (true, Some("AAE=")));
    }
}
