//! What a backend orders about the sessions of a user.

use spanwire_wire::{ErrorCode, UnsubscribeCode};

use super::Hub;
use crate::audience::AudienceId;
use crate::session::{Purpose, Session};
use crate::time::Now;
use crate::{Order, SessionId, Whom};

impl Hub {
    pub(super) fn order(&mut self, now: Now, order: Order) {
        match order {
            Order::Disconnect { whom, spared, disconnect } => {
                for id in self.sessions_of(&whom, &spared) {
                    self.close(id, disconnect.clone());
                }
            }
            Order::Unsubscribe { whom, channel, code } => {
                for id in self.sessions_of(&whom, &[]) {
                    let Some(session) = self.sessions.get(id) else { continue };
                    let audiences: Vec<_> = match &channel {
                        Some(channel) => self.audiences.find(channel.as_str()).into_iter().collect(),
                        None => session
                            .subscriptions
                            .iter()
                            .map(|subscription| subscription.id.audience)
                            .collect(),
                    };
                    for audience in audiences {
                        self.end_subscription(now, id, audience, code);
                    }
                    self.resume(now, id);
                }
            }
        }
    }

    /// Ends a subscription however far it has come. The client cannot be put out of one that is not live yet: the
    /// command that waits for it is answered instead.
    fn end_subscription(&mut self, now: Now, id: SessionId, audience: AudienceId, code: UnsubscribeCode) {
        match self.joiner_mut(id, audience).map(|joiner| joiner.joining.purpose) {
            None => self.expel(id, audience, code),
            Some(Purpose::Command(command)) => {
                self.leave(id, audience);
                // An error that is temporary brings the client back, as a code that resubscribes would.
                let error =
                    if code.resubscribe() { ErrorCode::Internal } else { ErrorCode::PermissionDenied };
                self.refuse(id, command, error);
            }
            Some(Purpose::Connect) => self.leave_out_server_side(now, id, audience),
        }
    }

    fn sessions_of(&self, whom: &Whom, spared: &[String]) -> Vec<SessionId> {
        let meant = self.sessions.iter().filter(|(_, session)| is_meant(session, whom, spared));
        meant.map(|(id, _)| id).collect()
    }
}

fn is_meant(session: &Session, whom: &Whom, spared: &[String]) -> bool {
    let Some(client) = session.client() else { return false };
    let user_fits = *client.user == *whom.user || (whom.user.is_empty() && whom.client.is_some());
    if !user_fits || (whom.client.is_none() && spared.is_empty()) {
        return user_fits;
    }
    let id = client.id.to_string();
    whom.client.as_ref().is_none_or(|wanted| *wanted == id) && !spared.contains(&id)
}
