//! Expiry that the backend decides about: the hub asks when the time has come, and clients need do nothing.
//!
//! What has expired goes on while the answer is on its way, for as long as it could outlive its expiry anyway.

use super::connecting::end_of;
use super::{Hub, Purpose};
use crate::audience::AudienceId;
use crate::backend::{Matter, RENEWAL_RETRY, Renewal};
use crate::session::{Life, Subscription, SubscriptionId};
use crate::time::Now;
use crate::{Refusal, SessionId};

impl Hub {
    pub(super) fn ask_for_renewal(&mut self, id: SessionId) {
        self.petition(id, Purpose::Renew, Matter::Refresh);
    }

    pub(super) fn renewed(&mut self, now: Now, id: SessionId, renewal: Renewal) {
        let delay = self.config.limits.expired_close_delay;
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Life::Connected(client) = &mut session.life else { return };
        match renewal {
            Renewal::Until { expire_at: Some(at), .. } if at <= now.unix_seconds() => {
                return self.end_expired_connection(id);
            }
            Renewal::Until { expire_at, info, meta } => {
                let close_at = end_of(now, expire_at, delay);
                self.connections_expire.moves(client.close_at(), close_at);
                client.closes(close_at);
                client.info = info.unwrap_or_else(|| client.info.clone());
                let extra = client.extra.get_or_insert_default();
                extra.renew_at = expire_at.map(|at| now.instant_of(at));
                extra.meta = meta.unwrap_or_else(|| extra.meta.clone());
            }
            Renewal::Over => return self.end_expired_connection(id),
            Renewal::Refused(Refusal::Disconnect(code)) => return self.close(id, code.into()),
            Renewal::Refused(Refusal::Ended(reason)) => return self.close(id, reason),
            Renewal::Unknown | Renewal::Refused(_) => {
                let again = now.at + RENEWAL_RETRY;
                let close_at = Some(again + delay);
                self.connections_expire.moves(client.close_at(), close_at);
                client.closes(close_at);
                client.extra.get_or_insert_default().renew_at = Some(again);
            }
        }
        self.rearm(id);
    }

    pub(super) fn ask_for_subscription_renewal(&mut self, id: SessionId, audience: AudienceId) {
        let Some(place) = self.audiences.get(audience) else { return };
        let Some(proxy) = place.namespace.deciders.sub_refresh else { return };
        let channel = place.channel.clone();
        let session = self.sessions.get(id);
        let subscription = session.and_then(|session| session.subscriptions.get(audience));
        let Some(&Subscription { id: subscription, .. }) = subscription else { return };
        let purpose = Purpose::RenewSubscription(subscription);
        self.petition(id, purpose, Matter::SubRefresh { proxy, channel });
    }

    pub(super) fn subscription_renewed(
        &mut self,
        now: Now,
        id: SessionId,
        subscription: SubscriptionId,
        renewal: Renewal,
    ) {
        let audience = subscription.audience;
        let delay = self.config.limits.expired_sub_close_delay;
        let over = match &renewal {
            Renewal::Until { expire_at, .. } => expire_at.is_some_and(|at| at <= now.unix_seconds()),
            Renewal::Over => true,
            Renewal::Refused(Refusal::Disconnect(code)) => return self.close(id, (*code).into()),
            Renewal::Refused(Refusal::Ended(reason)) => return self.close(id, reason.clone()),
            Renewal::Unknown | Renewal::Refused(_) => false,
        };
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(found) = session.subscriptions.get_mut(audience) else { return };
        if over {
            return self.end_expired_subscription(id, audience);
        }
        match renewal {
            Renewal::Until { expire_at, info, .. } => {
                if let Some(info) = info {
                    found.extra.get_or_insert_default().info = info;
                }
                session.subscriptions.expires(
                    &mut self.subscriptions_expire,
                    audience,
                    expire_at,
                    end_of(now, expire_at, delay),
                );
                session.subscriptions.renews(audience, expire_at.map(|at| now.instant_of(at)));
            }
            _ => {
                let again = now.at + RENEWAL_RETRY;
                let expire_at = Some(now.unix_seconds() + RENEWAL_RETRY.as_secs());
                session.subscriptions.expires(
                    &mut self.subscriptions_expire,
                    audience,
                    expire_at,
                    Some(again + delay),
                );
                session.subscriptions.renews(audience, Some(again));
            }
        }
        self.rearm(id);
    }
}
