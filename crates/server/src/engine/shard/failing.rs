//! Tokens of those who have shown too many bad ones: they are not looked at.

use std::net::IpAddr;

use spanwire_hub::{Answer, Question, Refusal, SessionId};
use spanwire_wire::{DisconnectCode, ErrorCode};

use super::Shard;

impl Shard {
    /// The answer to a question whose token is not to be judged now: when it may be.
    pub(super) fn not_before(&mut self, question: &Question) -> Option<Answer> {
        let (token, session) = match question {
            Question::Authenticate(request) => (&request.token, request.session),
            Question::Refresh { session, token } | Question::VerifySubscription { session, token, .. } => {
                (token, *session)
            }
            Question::Broker(..) | Question::Presence(..) | Question::Decide(_) => return None,
        };
        let address = self.address_of(session).filter(|_| !token.is_empty())?;
        let wait = self.shared.failures.wait(self.reading.now.at, address)?;
        self.stats().limited.count("ip_auth_failure_rate_limit");
        Some(match question {
            Question::VerifySubscription { .. } => Answer::Grant(Err(Refusal::Later(wait))),
            _ => Answer::Credentials(Err(Refusal::Later(wait))),
        })
    }

    /// Counts a token that was refused. Expired ones are not: whole offices wake up with those, and get new ones.
    pub(super) fn count_failure<T>(&mut self, session: SessionId, outcome: &Result<T, Refusal>) {
        let is_bad = matches!(
            outcome,
            Err(Refusal::Disconnect(DisconnectCode::InvalidToken)
                | Refusal::Error(ErrorCode::PermissionDenied))
        );
        if let Some(address) = self.address_of(session).filter(|_| is_bad) {
            self.shared.failures.count(self.reading.now.at, address);
        }
    }

    fn address_of(&mut self, session: SessionId) -> Option<IpAddr> {
        self.known_of(session).map(|(info, _)| info.client.ip())
    }
}
