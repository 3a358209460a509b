//! How a handler says no.

use std::error::Error;
use std::fmt;

use spanwire_hub::Refusal;
use spanwire_hub::backend::Renewal;
use spanwire_wire::{DisconnectCode, DisconnectReason, ErrorCode, message};

use crate::backend::{DisconnectWords, ErrorWords};
use crate::http_client::causes;

/// A handler's refusal: what the client is told, and, apart from that, what only the operator's log is told.
///
/// Every error of the standard library's kind becomes one by `?`. Then the client hears of an internal error (code 100,
/// temporary) and nothing else, and the log has the error's text: what a database says is nobody's business outside.
#[derive(Debug)]
pub struct Reject {
    refusal: Refusal,
    trouble: Option<String>,
}

impl Reject {
    /// The client may not (error 103), for this reason.
    pub fn denied(why: impl Into<String>) -> Self {
        Self::worded(ErrorCode::PermissionDenied, why)
    }

    /// What the client sent makes no sense (error 107), for this reason.
    pub fn bad_request(why: impl Into<String>) -> Self {
        Self::worded(ErrorCode::BadRequest, why)
    }

    /// The client's token has expired (error 109): it fetches a new one and comes back.
    pub fn token_expired() -> Self {
        Self { refusal: Refusal::Error(ErrorCode::TokenExpired), trouble: None }
    }

    /// An error of the application's own: a code from 400 to 1999 and a sentence, which the client's call fails with.
    /// Another code is a mistake, and becomes an internal error.
    pub fn error(code: u32, message: impl Into<String>) -> Self {
        match (400..=1999).contains(&code) {
            true => Self::of(ErrorWords { code, message: message.into(), temporary: false }.into_refusal()),
            false => Self::internal(format!("a handler rejects with error {code}, and 400 to 1999 are free")),
        }
    }

    /// Ends the connection with a code from 4000 to 4999 and a reason of at most 123 bytes; clients come back after
    /// codes up to 4499, and not after those above. Anything else is a mistake, and becomes an internal error.
    pub fn disconnect(code: u32, reason: impl Into<String>) -> Self {
        Self::of(DisconnectWords { code, reason: reason.into() }.into_refusal())
    }

    /// Ends the connection of a client whose credentials are not good (code 3500, invalid token). It does not come back.
    pub fn invalid_token() -> Self {
        Self { refusal: Refusal::Disconnect(DisconnectCode::InvalidToken), trouble: None }
    }

    /// Something went wrong that is no business of the client's: it is told of an internal error (code 100), and the
    /// log has the text.
    pub fn internal(trouble: impl fmt::Display) -> Self {
        Self { refusal: Refusal::Error(ErrorCode::Internal), trouble: Some(trouble.to_string()) }
    }

    /// Trying again may help. Only for errors: whether a client returns after a disconnect is for the code to say.
    pub fn temporary(mut self) -> Self {
        if let Refusal::Worded(error) = &mut self.refusal {
            error.temporary = true;
        }
        self
    }

    fn worded(code: ErrorCode, message: impl Into<String>) -> Self {
        let error = message::Error { message: message.into(), ..code.into() };
        Self { refusal: Refusal::Worded(Box::new(error)), trouble: None }
    }

    fn of(refusal: Result<Refusal, impl fmt::Display>) -> Self {
        refusal.map_or_else(Self::internal, |refusal| Self { refusal, trouble: None })
    }

    /// What it means for something that has expired: a disconnect is one, and an error is the end of it, unless it is
    /// temporary. Then it goes on, and is asked about again.
    pub(super) fn into_renewal(self) -> (Renewal, Option<String>) {
        let renewal = match self.refusal {
            Refusal::Error(ErrorCode::Internal) | Refusal::Later(_) => Renewal::Unknown,
            Refusal::Worded(error) if error.temporary => Renewal::Unknown,
            Refusal::Error(_) | Refusal::Worded(_) => Renewal::Over,
            end @ (Refusal::Disconnect(_) | Refusal::Ended(_)) => Renewal::Refused(end),
        };
        (renewal, self.trouble)
    }

    pub(super) fn into_parts(self) -> (Refusal, Option<String>) {
        (self.refusal, self.trouble)
    }
}

impl<E: Error> From<E> for Reject {
    fn from(error: E) -> Self {
        Self::internal(causes(&error))
    }
}

/// For the application's own tests: what a client would be told.
impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.refusal {
            Refusal::Error(code) => write!(f, "error {}: {}", code.code(), code.reason()),
            Refusal::Worded(error) => write!(f, "error {}: {}", error.code, error.message),
            Refusal::Disconnect(code) => ended(f, &(*code).into()),
            Refusal::Ended(reason) => ended(f, reason),
            Refusal::Later(wait) => write!(f, "later, in {wait:?}"),
        }
    }
}

fn ended(f: &mut fmt::Formatter<'_>, reason: &DisconnectReason) -> fmt::Result {
    write!(f, "disconnect {}: {}", reason.code(), reason.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_inside_stays_inside() {
        let table = [
            (
                Reject::from(std::io::Error::other("the password is swordfish")),
                "error 100: internal server error",
            ),
            (Reject::error(7, "no"), "error 100: internal server error"),
            (Reject::disconnect(3000, "no"), "error 100: internal server error"),
            (Reject::denied("not a member"), "error 103: not a member"),
            (Reject::error(404, "no such room"), "error 404: no such room"),
            (Reject::disconnect(4500, "banned"), "disconnect 4500: banned"),
            (Reject::invalid_token(), "disconnect 3500: invalid token"),
        ];
        for (reject, told) in table {
            assert_eq!(reject.to_string(), told);
        }
        let (_, trouble) = Reject::from(std::io::Error::other("swordfish")).into_parts();
        assert_eq!(trouble.as_deref(), Some("swordfish"), "the log has it");
    }

    #[test]
    fn what_has_expired_ends_by_a_no_and_goes_on_where_nobody_could_say() {
        let table = [
            (Reject::denied("banned"), Renewal::Over),
            (Reject::token_expired(), Renewal::Over),
            (Reject::error(404, "gone"), Renewal::Over),
            (Reject::error(503, "ask again").temporary(), Renewal::Unknown),
            (Reject::internal("the database is away"), Renewal::Unknown),
            (Reject::invalid_token(), Renewal::Refused(Refusal::Disconnect(DisconnectCode::InvalidToken))),
        ];
        for (reject, expected) in table {
            let said = reject.to_string();
            assert_eq!(reject.into_renewal().0, expected, "{said}");
        }
    }

    #[test]
    fn an_error_may_be_temporary_and_a_disconnect_speaks_by_its_code() {
        let (Refusal::Worded(error), _) = Reject::error(503, "closed").temporary().into_parts() else {
            panic!()
        };
        assert!(error.temporary);
        assert!(matches!(Reject::disconnect(4001, "bye").temporary().into_parts().0, Refusal::Ended(_)));
    }
}
