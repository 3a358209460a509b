//! Whose sessions an order is about.

use schemars::JsonSchema;
use serde::Deserialize;
use spanwire_hub::Whom;
use spanwire_wire::ErrorCode;

/// How a call says whom it means.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Target {
    /// The user. The empty text is everybody anonymous, unless `client` or `session` narrows it; one of the three must
    /// be there.
    user: Option<String>,
    /// Only the connection with this client id.
    client: String,
    /// Only the connection with this session id, which clients without a WebSocket were told when they connected.
    session: String,
}

impl Target {
    /// The sessions meant. The empty user is everybody anonymous, so it must have been said, not forgotten.
    pub(super) fn whom(self) -> Result<Whom, ErrorCode> {
        let said = |text: String| (!text.is_empty()).then_some(text);
        let (client, session) = (said(self.client), said(self.session));
        match (self.user, &client, &session) {
            (None, None, None) => Err(ErrorCode::BadRequest),
            (user, ..) => Ok(Whom { user: user.unwrap_or_default(), client, session }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::call::Fields as _;

    #[test]
    fn whoever_is_meant_must_be_named() {
        let whom = |user: &str, client: Option<&str>| {
            Ok(Whom { user: user.to_owned(), client: client.map(str::to_owned), session: None })
        };
        let table = [
            (r#"{"user":"ann"}"#, whom("ann", None)),
            (r#"{"user":""}"#, whom("", None)),
            (r#"{"client":"c1"}"#, whom("", Some("c1"))),
            (r#"{"user":"ann","client":"c1"}"#, whom("ann", Some("c1"))),
            (r#"{}"#, Err(ErrorCode::BadRequest)),
            (r#"{"client":"","session":""}"#, Err(ErrorCode::BadRequest)),
            (r#"{"session":"s1"}"#, Ok(Whom { session: Some("s1".to_owned()), ..Whom::default() })),
        ];
        for (body, expected) in table {
            assert_eq!(<(Target,)>::read(body.as_bytes()).unwrap().0.whom(), expected, "{body}");
        }
    }
}
