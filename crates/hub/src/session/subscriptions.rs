//! What one client is subscribed to.

use bytes::Bytes;

use crate::Grant;
use crate::audience::AudienceId;
use crate::expiries::Expiries;
use crate::namespace::{Namespace, RecoveryMode};
use crate::revocation::TokenMark;
use crate::right::{Right, Rights};
use crate::time::Instant;

use super::Recovery;

/// What a token or the backend changes of a namespace's options for one subscription; `None` leaves an option alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionOptions {
    /// Count this subscriber in presence.
    pub presence: Option<bool>,
    /// Tell others when it comes and goes.
    pub join_leave: Option<bool>,
    /// Tell it who comes and goes.
    pub force_push_join_leave: Option<bool>,
    /// Give it positions.
    pub force_positioning: Option<bool>,
    /// Let it recover.
    pub force_recovery: Option<bool>,
}

/// What a subscription does beyond hearing publications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Made by the server, not by a command of the client.
    pub(crate) server_side: bool,
    /// It is counted in presence.
    pub(crate) present: bool,
    /// Others are told when it comes and goes.
    pub(crate) announced: bool,
    /// It is told who comes and goes.
    pub(crate) hears_joins: bool,
    /// It keeps a position, and a hole ends it.
    pub(crate) positioned: bool,
    /// What it is given when it comes back.
    pub(crate) recovery: Recovery,
    /// It takes deltas.
    pub(crate) delta: bool,
    /// The backend is asked when it expires, not the client.
    pub(crate) renewed_by_backend: bool,
    /// What the subscriber may do beyond what the namespace permits.
    pub(crate) rights: Rights,
}

/// What a client asked for in its subscribe command.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) positioned: bool,
    pub(crate) recoverable: bool,
    pub(crate) join_leave: bool,
    pub(crate) delta: bool,
    /// It showed a subscription token, which decides alone.
    pub(crate) has_token: bool,
    /// Whether it may read the channel's history, and so may have positions for the asking.
    pub(crate) reads_history: bool,
    /// Whether it may see presence, and so may hear joins for the asking.
    pub(crate) sees_presence: bool,
}

impl Traits {
    /// What comes of the namespace's options, what a token changes of them, and what the client wishes.
    pub(crate) fn decide(namespace: &Namespace, grant: &Grant, wishes: Wishes) -> Self {
        let (options, rights) = (grant.options, grant.rights);
        let keeps_history = namespace.history.is_some();
        let reads_history = wishes.reads_history || rights.has(Right::History);
        let sees_presence = wishes.sees_presence || rights.has(Right::Presence);
        let recoverable = options.force_recovery.unwrap_or(namespace.force_recovery)
            || (wishes.recoverable && (namespace.allow_recovery || reads_history))
            || grant.cache_recover;
        let recovery = match namespace.force_recovery_mode {
            _ if !keeps_history || !recoverable => Recovery::None,
            _ if grant.cache_recover => Recovery::LatestAlways,
            RecoveryMode::Stream => Recovery::Whole,
            RecoveryMode::Cache if namespace.auto_cache_recover => Recovery::LatestAlways,
            RecoveryMode::Cache => Recovery::Latest,
        };
        let positioned = options.force_positioning.unwrap_or(namespace.force_positioning)
            || (wishes.positioned && (namespace.allow_positioning || reads_history));
        let positioned = keeps_history && (positioned || recoverable);
        let announced = options.join_leave.unwrap_or(namespace.join_leave);
        Self {
            server_side: false,
            present: options.presence.unwrap_or(namespace.presence),
            announced,
            hears_joins: options.force_push_join_leave.unwrap_or(namespace.force_push_join_leave)
                || (wishes.join_leave && announced && sees_presence),
            positioned,
            recovery,
            // Without positions nobody could tell whether a client has what a patch is made of.
            delta: wishes.delta && positioned && namespace.has_deltas(),
            renewed_by_backend: namespace.deciders.sub_refresh.is_some(),
            rights,
        }
    }
}

impl Traits {
    /// Whether the subscriber was promised each publication. Who comes back for the latest only, or has no position, was not.
    pub(crate) fn promises_all(self) -> bool {
        self.positioned && matches!(self.recovery, Recovery::None | Recovery::Whole)
    }
}

/// Names one subscription for good. A client may leave a channel and come back, or the audience's id may be used again
/// for another channel, while an answer about the earlier subscription is still on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SubscriptionId {
    pub(crate) audience: AudienceId,
    /// Counts the subscriptions of a hub.
    pub(crate) number: u32,
}

/// One subscription.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) id: SubscriptionId,
    pub(crate) place: Place,
    pub(crate) traits: Traits,
    /// What only few subscriptions have.
    pub(crate) extra: Option<Box<Extra>>,
}

/// Where the subscription is in its audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Among the joiners, at this index.
    Joining(u32),
    /// Among the members, at this index.
    Live(u32),
    /// Among the members who want only some publications, at this index.
    Filtered(u32),
    /// Among the members who lag, at this index.
    Lagging(u32),
    /// Among the members who take deltas, at this index.
    Patched(u32),
}

impl Place {
    /// Whether publications go to it.
    pub(crate) fn is_live(self) -> bool {
        !matches!(self, Self::Joining(_))
    }
}

/// What only few subscriptions have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extra {
    /// `chan_info`; empty is nothing.
    pub(crate) info: Bytes,
    /// When the subscription expires, in seconds since 1970.
    pub(crate) expire_at: Option<u64>,
    /// When it is ended for that.
    pub(crate) end_at: Option<Instant>,
    /// When the backend is asked whether it goes on.
    pub(crate) renew_at: Option<Instant>,
    /// The token that has opened it, if one of its own did.
    pub(crate) token: Option<TokenMark>,
}

/// Subscriptions whose time has come.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// To be ended.
    pub(crate) over: Vec<AudienceId>,
    /// To be asked about.
    pub(crate) to_renew: Vec<AudienceId>,
}

impl Subscription {
    pub(crate) fn info(&self) -> Bytes {
        self.extra.as_ref().map(|extra| extra.info.clone()).unwrap_or_default()
    }

    /// When it is ended because it has expired.
    pub(crate) fn end_at(&self) -> Option<Instant> {
        self.extra.as_ref()?.end_at
    }

    /// The token that has opened it, if one of its own did.
    pub(crate) fn token(&self) -> Option<&TokenMark> {
        self.extra.as_ref()?.token.as_ref()
    }

    /// It is open by this token from now on.
    pub(crate) fn opened_by(&mut self, token: Option<TokenMark>) {
        if token.is_some() || self.extra.is_some() {
            self.extra.get_or_insert_default().token = token;
        }
    }
}

/// All subscriptions of one client, sorted by audience: one costs one entry, and thousands are found by halving.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    sorted: Vec<Subscription>,
    /// When to look for some that have expired: not after the first of them does. It may be before, when that one was
    /// prolonged or left; then looking puts it right.
    pub(crate) expire_at: Option<Instant>,
}

impl Subscriptions {
    pub(crate) fn len(&self) -> usize {
        self.sorted.len()
    }

    pub(crate) fn get(&self, audience: AudienceId) -> Option<&Subscription> {
        self.index(audience).ok().map(|index| &self.sorted[index])
    }

    pub(crate) fn get_mut(&mut self, audience: AudienceId) -> Option<&mut Subscription> {
        self.index(audience).ok().map(|index| &mut self.sorted[index])
    }

    /// Whether this very subscription is still there.
    pub(crate) fn has(&self, id: SubscriptionId) -> bool {
        self.get(id.audience).is_some_and(|subscription| subscription.id == id)
    }

    pub(crate) fn insert(&mut self, subscription: Subscription) {
        if let Err(index) = self.index(subscription.id.audience) {
            if self.sorted.len() < 4 {
                self.sorted.reserve_exact(1);
            }
            self.sorted.insert(index, subscription);
        }
    }

    pub(crate) fn remove(&mut self, audience: AudienceId) -> Option<Subscription> {
        let removed = self.sorted.remove(self.index(audience).ok()?);
        if self.sorted.is_empty() {
            self.sorted = Vec::new();
        }
        Some(removed)
    }

    /// Any one, for taking leave of all.
    pub(crate) fn last(&self) -> Option<AudienceId> {
        self.sorted.last().map(|subscription| subscription.id.audience)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Subscription> {
        self.sorted.iter()
    }

    /// Sets when a subscription expires, and when it is ended for that.
    pub(crate) fn expires(
        &mut self,
        expiries: &mut Expiries,
        audience: AudienceId,
        expire_at: Option<u64>,
        end_at: Option<Instant>,
    ) {
        let Some(subscription) = self.get_mut(audience) else { return };
        expiries.moves(subscription.end_at(), end_at);
        if expire_at.is_some() || subscription.extra.is_some() {
            let extra = subscription.extra.get_or_insert_default();
            (extra.expire_at, extra.end_at) = (expire_at, end_at);
        }
        self.expire_at = self.expire_at.into_iter().chain(end_at).min();
    }

    /// Sets when the backend is to be asked about a subscription that expires; behind [`Self::expires`].
    pub(crate) fn renews(&mut self, audience: AudienceId, at: Option<Instant>) {
        let Some(extra) = self.get_mut(audience).and_then(|found| found.extra.as_mut()) else { return };
        extra.renew_at = at;
        self.expire_at = self.expire_at.into_iter().chain(at).min();
    }

    /// Looks for those whose time has come; looking is due again when the time of the first of the others is.
    pub(crate) fn due(&mut self, now: Instant) -> Due {
        let mut due = Due::default();
        self.expire_at = None;
        for subscription in &mut self.sorted {
            let Some(extra) = &mut subscription.extra else { continue };
            if extra.end_at.is_some_and(|at| at <= now) {
                due.over.push(subscription.id.audience);
                continue;
            }
            if extra.renew_at.take_if(|at| *at <= now).is_some() {
                due.to_renew.push(subscription.id.audience);
            }
            self.expire_at = self.expire_at.into_iter().chain(extra.end_at).chain(extra.renew_at).min();
        }
        due
    }

    fn index(&self, audience: AudienceId) -> Result<usize, usize> {
        self.sorted.binary_search_by_key(&audience, |subscription| subscription.id.audience)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::broker::HistoryOptions;

    fn keeping() -> Namespace {
        let history =
            HistoryOptions { size: 10, ttl: Duration::from_secs(60), meta_ttl: Duration::from_secs(600) };
        Namespace { history: Some(history), ..Namespace::default() }
    }

    #[test]
    fn a_wish_for_positions_is_granted_only_to_those_who_may() {
        let wishes = Wishes { positioned: true, recoverable: true, ..Wishes::default() };
        let none = Traits::decide(&keeping(), &Grant::default(), wishes);
        assert!(!none.positioned && none.recovery == Recovery::None);
        let allowed = Namespace { allow_positioning: true, allow_recovery: true, ..keeping() };
        let granted = Traits::decide(&allowed, &Grant::default(), wishes);
        assert!(granted.positioned && granted.recovery == Recovery::Whole);
        let reader = Wishes { reads_history: true, ..wishes };
        assert!(Traits::decide(&keeping(), &Grant::default(), reader).recovery == Recovery::Whole);
    }

    #[test]
    fn without_history_there_are_no_positions_whatever_is_forced() {
        let forced = Namespace { force_recovery: true, force_positioning: true, ..Namespace::default() };
        let decided = Traits::decide(&forced, &Grant::default(), Wishes::default());
        assert!(!decided.positioned && decided.recovery == Recovery::None);
    }

    #[test]
    fn recoverable_is_always_positioned() {
        let forced = Namespace { force_recovery: true, ..keeping() };
        let decided = Traits::decide(&forced, &Grant::default(), Wishes::default());
        assert!(decided.positioned && decided.recovery == Recovery::Whole);
    }

    #[test]
    fn what_is_recovered_is_for_the_namespace_to_say_unless_the_backend_wants_the_latest() {
        use RecoveryMode::{Cache, Stream};
        // The namespace's mode, whether it holds from the first time on, whether recovery is forced, and whether the
        // backend wants it.
        let table = [
            ((Stream, false, false, false), Recovery::None),
            ((Stream, false, true, false), Recovery::Whole),
            ((Stream, false, true, true), Recovery::LatestAlways),
            ((Stream, false, false, true), Recovery::LatestAlways),
            ((Cache, false, false, false), Recovery::None),
            ((Cache, false, true, false), Recovery::Latest),
            ((Cache, true, false, false), Recovery::None),
            ((Cache, true, true, false), Recovery::LatestAlways),
            ((Cache, false, false, true), Recovery::LatestAlways),
        ];
        for (options @ (force_recovery_mode, auto_cache_recover, force_recovery, cache_recover), expected) in
            table
        {
            let namespace =
                Namespace { force_recovery_mode, auto_cache_recover, force_recovery, ..keeping() };
            let grant = Grant { cache_recover, ..Grant::default() };
            let decided = Traits::decide(&namespace, &grant, Wishes::default());
            assert_eq!(decided.recovery, expected, "{options:?}");
            assert_eq!(decided.positioned, expected != Recovery::None, "{options:?}");
            let forgetful = Namespace { history: None, ..namespace };
            assert_eq!(Traits::decide(&forgetful, &grant, Wishes::default()).recovery, Recovery::None);
        }
    }

    #[test]
    fn a_token_overrides_the_namespace_both_ways() {
        let namespace = Namespace { presence: true, ..keeping() };
        let options = SubscriptionOptions {
            presence: Some(false),
            join_leave: Some(true),
            ..SubscriptionOptions::default()
        };
        let decided = Traits::decide(&namespace, &Grant { options, ..Grant::default() }, Wishes::default());
        assert!(!decided.present && decided.announced);
    }

    #[test]
    fn subscriptions_are_found_whatever_the_order_in_which_they_came() {
        let mut subscriptions = Subscriptions::default();
        for audience in [5, 1, 9, 3, 7, 1] {
            let (traits, place) = (Traits::default(), Place::Live(0));
            let id = SubscriptionId { audience, number: 0 };
            subscriptions.insert(Subscription { id, place, traits, extra: None });
        }
        assert_eq!(subscriptions.len(), 5);
        assert!(subscriptions.get(9).is_some() && subscriptions.get(2).is_none());
        assert!(subscriptions.remove(3).is_some() && subscriptions.remove(3).is_none());
        assert_eq!(subscriptions.last(), Some(9));
    }
}
