//! The end of what revoked tokens have opened.

use spanwire_wire::{DisconnectCode, UnsubscribeCode};

use super::Hub;
use crate::SessionId;
use crate::audience::AudienceId;
use crate::revocation::{Revocation, Revoked};
use crate::session::{Place, Session, Subscription};
use crate::time::Now;

/// What a revocation ends of one session.
enum Ended {
    All,
    Some(Vec<AudienceId>),
}

impl Hub {
    /// What revocations have ended since this was last asked.
    pub fn take_revoked(&mut self) -> Revoked {
        std::mem::take(&mut self.revoked)
    }

    /// A connection goes with its token, and a subscription with its own. A client whose connection is closed is told
    /// what one with a bad token is told, and does not come back of itself.
    pub(super) fn revoke(&mut self, now: Now, revocation: &Revocation) {
        let found =
            self.sessions.iter().filter_map(|(id, session)| Some((id, self.ended(session, revocation)?)));
        let found: Vec<_> = found.collect();
        for (id, ended) in found {
            match ended {
                Ended::All => {
                    self.revoked.connections += 1;
                    self.close(id, DisconnectCode::InvalidToken.into());
                }
                Ended::Some(audiences) => self.end_subscriptions_of_token(now, id, audiences),
            }
        }
    }

    fn ended(&self, session: &Session, revocation: &Revocation) -> Option<Ended> {
        let client = session.client()?;
        if client.token().is_some_and(|mark| revocation.ends_connection(&client.user, mark)) {
            return Some(Ended::All);
        }
        let is_ended = |subscription: &&Subscription| {
            let Some(audience) = self.audiences.get(subscription.id.audience) else { return false };
            let mark = match subscription.place {
                Place::Live(_) | Place::Filtered(_) | Place::Patched(_) | Place::Lagging(_) => {
                    subscription.token()
                }
                Place::Joining(index) => {
                    audience.joiners.get(index as usize).and_then(|joiner| joiner.joining.token.as_ref())
                }
            };
            mark.is_some_and(|mark| {
                revocation.ends_subscription(&client.user, audience.channel.as_str(), mark)
            })
        };
        let ended = session.subscriptions.iter().filter(is_ended);
        let ended: Vec<_> = ended.map(|subscription| subscription.id.audience).collect();
        (!ended.is_empty()).then_some(Ended::Some(ended))
    }

    fn end_subscriptions_of_token(&mut self, now: Now, id: SessionId, audiences: Vec<AudienceId>) {
        for audience in audiences {
            self.revoked.subscriptions += 1;
            self.end_subscription(now, id, audience, UnsubscribeCode::Server);
        }
        self.resume(now, id);
    }
}
