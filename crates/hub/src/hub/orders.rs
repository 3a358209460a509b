//! What a backend orders about the sessions of a user.

use super::Hub;
use crate::session::Session;
use crate::{Order, SessionId, Whom};

impl Hub {
    pub(super) fn order(&mut self, order: Order) {
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
                        self.expel(id, audience, code);
                    }
                }
            }
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
