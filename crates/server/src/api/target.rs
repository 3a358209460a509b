//! Whose sessions an order is about.

use serde::Deserialize;
use spanwire_hub::Whom;
use spanwire_wire::ErrorCode;

/// How `disconnect` and `unsubscribe` say whom they mean.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Target {
    user: Option<String>,
    client: String,
    session: String,
}

impl Target {
    /// The sessions meant. The empty user is everybody anonymous, so it must have been said, not forgotten.
    pub(super) fn whom(self) -> Result<Whom, ErrorCode> {
        if !self.session.is_empty() {
            // Only transports that are yet to come have session ids.
            return Err(ErrorCode::NotAvailable);
        }
        if self.user.is_none() && self.client.is_empty() {
            return Err(ErrorCode::BadRequest);
        }
        let client = (!self.client.is_empty()).then_some(self.client);
        Ok(Whom { user: self.user.unwrap_or_default(), client })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::failure::parse;

    #[test]
    fn whoever_is_meant_must_be_named() {
        let whom = |user: &str, client: Option<&str>| {
            Ok(Whom { user: user.to_owned(), client: client.map(str::to_owned) })
        };
        let table = [
            (r#"{"user":"ann"}"#, whom("ann", None)),
            (r#"{"user":""}"#, whom("", None)),
            (r#"{"client":"c1"}"#, whom("", Some("c1"))),
            (r#"{"user":"ann","client":"c1"}"#, whom("ann", Some("c1"))),
            (r#"{}"#, Err(ErrorCode::BadRequest)),
            (r#"{"user":"ann","session":"s1"}"#, Err(ErrorCode::NotAvailable)),
        ];
        for (body, expected) in table {
            assert_eq!(parse::<Target>(body.as_bytes()).unwrap().whom(), expected, "{body}");
        }
    }
}
