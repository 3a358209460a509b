//! What is published and answered: values that serde knows, or bytes.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use spanwire_client_core::Encoding;

/// A payload as it travels, for whoever wants to look at it later, or speaks something else than JSON.
///
/// A client that speaks JSON can only send what is JSON; one that speaks Protobuf can send any bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raw(pub Bytes);

/// What can be sent: every [`Serialize`], as JSON, and [`Raw`] bytes as they are.
pub trait ToPayload {
    /// The bytes that are sent on a connection of this encoding.
    ///
    /// # Errors
    /// It cannot be JSON, or is not.
    fn to_payload(&self, encoding: Encoding) -> Result<Bytes, serde_json::Error>;
}

/// What can be received: every [`DeserializeOwned`], from JSON, and [`Raw`] bytes as they are.
pub trait FromPayload: Sized {
    /// Reads what was received. An empty payload is read as `null`.
    ///
    /// # Errors
    /// It is no JSON, or another value than this.
    fn from_payload(payload: &Bytes) -> Result<Self, serde_json::Error>;
}

impl<T: Serialize + ?Sized> ToPayload for T {
    fn to_payload(&self, _: Encoding) -> Result<Bytes, serde_json::Error> {
        serde_json::to_vec(self).map(Bytes::from)
    }
}

impl ToPayload for Raw {
    fn to_payload(&self, encoding: Encoding) -> Result<Bytes, serde_json::Error> {
        if encoding == Encoding::Json {
            // It is put into a message as it is, so anything else would break the message.
            serde_json::from_slice::<&RawValue>(&self.0)?;
        }
        Ok(self.0.clone())
    }
}

impl<T: DeserializeOwned> FromPayload for T {
    fn from_payload(payload: &Bytes) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(if payload.is_empty() { b"null" } else { payload })
    }
}

impl FromPayload for Raw {
    fn from_payload(payload: &Bytes) -> Result<Self, serde_json::Error> {
        Ok(Self(payload.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_sent_and_read_as_json() {
        let sent = (1, "two").to_payload(Encoding::Json).unwrap();
        assert_eq!(sent, r#"[1,"two"]"#);
        assert_eq!(<(u8, String)>::from_payload(&sent).unwrap(), (1, "two".to_owned()));
        assert_eq!("text".to_payload(Encoding::Protobuf).unwrap(), r#""text""#);
        assert_eq!(<Option<u8>>::from_payload(&Bytes::new()).unwrap(), None);
        assert!(u8::from_payload(&sent).is_err());
    }

    #[test]
    fn bytes_are_sent_as_they_are_where_that_breaks_nothing() {
        let binary = Raw(Bytes::from_static(&[0, 255]));
        assert_eq!(binary.to_payload(Encoding::Protobuf).unwrap(), binary.0);
        assert!(binary.to_payload(Encoding::Json).is_err());
        assert!(Raw::default().to_payload(Encoding::Json).is_err());
        let json = Raw(Bytes::from_static(br#"{ "a": 1 }"#));
        assert_eq!(json.to_payload(Encoding::Json).unwrap(), json.0);
        assert_eq!(Raw::from_payload(&binary.0).unwrap(), binary);
    }
}
