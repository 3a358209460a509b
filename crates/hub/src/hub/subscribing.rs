//! From a subscribe to a live subscriber, with nothing lost and nothing doubled on the way.
//!
//! The race that every such server must settle: publications go on while a subscriber's position is being read. It
//! is settled by construction. A subscriber to be is in its channel's audience from before the broker is asked, and
//! what is published meanwhile waits with it. The broker's answer names the position `top`. The reply tells what the
//! client missed up to `top`, and of what waited exactly the publications behind `top` follow the reply. If
//! there is a hole among those, the subscription ends in "insufficient state": a gap is told, never papered over.
//!
//! Here it is begun, and decided whether it may; `positioning` asks where the stream stands, and `going_live` ends it.

use std::sync::Arc;

use spanwire_wire::message::SubscribeRequest;
use spanwire_wire::{DisconnectCode, ErrorCode, UnsubscribeCode};

use super::Hub;
use super::asking::Purpose;
use crate::audience::{AudienceId, Joiner};
use crate::backend::Matter;
use crate::channel::Position;
use crate::denial::Why;
use crate::namespace::Namespace;
use crate::permission::{Applicant, Decider, Objection};
use crate::right::{Right, Rights};
use crate::session::{
    Joining, Place, Purpose as JoinPurpose, Stage, Subscription, SubscriptionId, Traits, Wishes,
};
use crate::tags_filter::TagsFilter;
use crate::time::Now;
use crate::{Grant, Question, Refusal, SessionId};

impl Hub {
    pub(super) fn subscribe(&mut self, now: Now, id: SessionId, command: u32, request: SubscribeRequest) {
        if !is_known_delta(&request.delta) {
            return self.close(id, DisconnectCode::BadRequest.into());
        }
        if let Err(code) = self.begin_subscribing(now, id, JoinPurpose::Command(command), request) {
            self.refuse(id, command, code);
        }
    }

    /// Begins a subscription that a client asks for, unless it can be said at once that it may not.
    pub(super) fn begin_subscribing(
        &mut self,
        now: Now,
        id: SessionId,
        purpose: JoinPurpose,
        request: SubscribeRequest,
    ) -> Result<(), ErrorCode> {
        let decided = self.may_subscribe(id, &request);
        let (namespace, decider) =
            decided.map_err(|objection| self.object(id, Right::Subscribe, &request.channel, objection))?;
        let filter = self.filter(&namespace, &request);
        let filter =
            filter.map_err(|objection| self.object(id, Right::Subscribe, &request.channel, objection))?;
        let wishes = self.wishes(id, &namespace, &request);
        let joining = Joining {
            purpose,
            since: Position::wanted(request.recover, request.offset, &request.epoch),
            reject_unrecovered: request.recover
                && request.flag & SubscribeRequest::FLAG_REJECT_UNRECOVERED != 0,
            traits: Traits {
                server_side: purpose == JoinPurpose::Connect,
                ..Traits::decide(&namespace, &Grant::default(), wishes)
            },
            filter,
            info: Default::default(),
            data: Default::default(),
            expire_at: None,
            token: None,
            stage: Stage::Verifying(wishes),
        };
        let subscription = self.begin_joining(id, &request.channel, &namespace, joining);
        let asker = Purpose::VerifySubscription(subscription);
        match decider {
            Decider::Nobody => {
                self.subscription_allowed(now, id, subscription.audience, Grant::default());
            }
            Decider::Backend(proxy) => {
                let (channel, data) = (self.channel(&request.channel), request.data);
                self.petition(id, asker, Matter::Subscribe { proxy, channel, data });
            }
            Decider::Token => {
                let client = self.sessions.get(id).and_then(|session| session.client());
                let user = client.map_or("", |client| &client.user).to_owned();
                let channel = self.channel(&request.channel);
                let question =
                    Question::VerifySubscription { session: id, token: request.token, channel, user };
                self.ask(id, asker, question);
            }
        }
        Ok(())
    }

    /// The checks before anything is asked or kept, and who decides about the rest.
    fn may_subscribe(
        &self,
        id: SessionId,
        request: &SubscribeRequest,
    ) -> Result<(Arc<Namespace>, Decider), Objection> {
        let limits = &self.config.limits;
        let session = self.sessions.get(id).ok_or(ErrorCode::Internal)?;
        let channel = request.channel.as_str();
        if channel.len() > limits.channel_name_bytes_max {
            return Err(ErrorCode::BadRequest.into());
        }
        if self.audiences.find(channel).is_some_and(|audience| session.subscriptions.get(audience).is_some())
        {
            return Err(ErrorCode::AlreadySubscribed.into());
        }
        if session.subscriptions.len() >= limits.channels_per_client_max {
            return Err(ErrorCode::LimitExceeded.into());
        }
        let namespace = self.config.namespaces.find(channel)?;
        if request.r#type != 0 {
            return Err(ErrorCode::PermissionDenied.into());
        }
        let applicant = self.applicant(session, channel);
        let decider = applicant.may_subscribe(namespace, channel, !request.token.is_empty())?;
        Ok((Arc::clone(namespace), decider))
    }

    /// The filter that a client wants, if it may have one.
    fn filter(
        &self,
        namespace: &Namespace,
        request: &SubscribeRequest,
    ) -> Result<Option<Arc<TagsFilter>>, Objection> {
        let Some(sent) = &request.tf else { return Ok(None) };
        if !request.delta.is_empty() {
            return Err(Why::FilterAndDelta.into());
        }
        if !namespace.allow_tags_filter {
            return Err(Why::NoTagsFilter.into());
        }
        let filter = TagsFilter::new(sent, &self.config.limits.filter).map_err(Why::TagsFilter)?;
        Ok(Some(Arc::new(filter)))
    }

    fn wishes(&self, id: SessionId, namespace: &Namespace, request: &SubscribeRequest) -> Wishes {
        let channel = request.channel.as_str();
        // It is as good as subscribed: of all that depends on this, nothing is for those who are not.
        let applicant = self.sessions.get(id).map(|session| Applicant {
            subscription: Some(Rights::default()),
            ..self.applicant(session, channel)
        });
        let may = |right| applicant.is_some_and(|applicant| applicant.has(namespace, right, channel).is_ok());
        Wishes {
            positioned: request.positioned,
            recoverable: request.recoverable,
            join_leave: request.join_leave,
            delta: !request.delta.is_empty(),
            has_token: !request.token.is_empty(),
            reads_history: may(Right::History),
            sees_presence: may(Right::Presence),
        }
    }

    /// Makes a joiner: from now on it misses nothing.
    pub(super) fn begin_joining(
        &mut self,
        id: SessionId,
        channel: &str,
        namespace: &Arc<Namespace>,
        joining: Joining,
    ) -> SubscriptionId {
        let audience = self.audiences.find_or_insert(channel, namespace);
        let subscription = SubscriptionId { audience, number: self.subscribed };
        self.subscribed = self.subscribed.wrapping_add(1);
        let Some(session) = self.sessions.get_mut(id) else { return subscription };
        let Some(members) = self.audiences.get_mut(audience) else { return subscription };
        let traits = joining.traits;
        let place = members.add_joiner(Joiner::new(id.index, joining));
        session.subscriptions.insert(Subscription { id: subscription, place, traits, extra: None });
        self.subscriptions += 1;
        subscription
    }

    /// A session's place among those who are about to subscribe.
    pub(super) fn joiner_mut(&mut self, id: SessionId, audience: AudienceId) -> Option<&mut Joiner> {
        let subscription = self.sessions.get(id)?.subscriptions.get(audience)?;
        let Place::Joining(index) = subscription.place else { return None };
        self.audiences.get_mut(audience)?.joiners.get_mut(index as usize)
    }

    pub(super) fn subscription_verified(
        &mut self,
        now: Now,
        id: SessionId,
        audience: AudienceId,
        outcome: Result<Grant, Refusal>,
    ) {
        match outcome {
            Ok(grant) => self.subscription_allowed(now, id, audience, grant),
            Err(refusal) => {
                self.report_token(id, audience, &refusal);
                self.cannot_join(id, audience, refusal);
            }
        }
    }

    /// Tells the operator that a subscription token was refused. Why the backend refuses, it knows itself.
    fn report_token(&mut self, id: SessionId, audience: AudienceId, refusal: &Refusal) {
        let code = match refusal {
            Refusal::Error(code) => code.code(),
            Refusal::Disconnect(code) => code.code(),
            Refusal::Worded(_) | Refusal::Ended(_) | Refusal::Later(_) => return,
        };
        let stage = self.joiner_mut(id, audience).map(|joiner| &joiner.joining.stage);
        let Some(Stage::Verifying(Wishes { has_token: true, .. })) = stage else { return };
        let Some(channel) = self.audiences.get(audience).map(|audience| audience.channel.clone()) else {
            return;
        };
        self.object(id, Right::Subscribe, channel.as_str(), Why::Token(code).into());
    }

    fn subscription_allowed(&mut self, now: Now, id: SessionId, audience: AudienceId, grant: Grant) {
        if grant.expire_at.is_some_and(|at| at <= now.unix_seconds()) {
            return self.cannot_join(id, audience, Refusal::Error(ErrorCode::Expired));
        }
        let Some(place) = self.audiences.get(audience) else { return };
        let namespace = Arc::clone(&place.namespace);
        let Some(Joiner { joining, .. }) = self.joiner_mut(id, audience) else { return };
        let Stage::Verifying(wishes) = joining.stage else { return };
        let server_side = joining.traits.server_side;
        joining.traits = Traits { server_side, ..Traits::decide(&namespace, &grant, wishes) };
        (joining.info, joining.data, joining.expire_at) = (grant.info, grant.data, grant.expire_at);
        joining.token = grant.token;
        self.read_stream(id, audience);
    }

    /// The subscription does not come about: nothing remains of it, and whoever waits is told.
    pub(super) fn cannot_join(&mut self, id: SessionId, audience: AudienceId, refusal: Refusal) {
        let Some(purpose) = self.joiner_mut(id, audience).map(|joiner| joiner.joining.purpose) else {
            return;
        };
        self.leave(id, audience, UnsubscribeCode::Server);
        match purpose {
            JoinPurpose::Command(command) => self.deny(id, command, refusal),
            JoinPurpose::Connect => self.refuse_connect(id, refusal),
            // The client has not heard of it.
            JoinPurpose::Order => {}
        }
    }
}

/// Whether this is a kind of delta that the protocol knows, or none (`SubscribeRequest.delta`).
pub(super) fn is_known_delta(name: &str) -> bool {
    name.is_empty() || name == SubscribeRequest::DELTA_FOSSIL
}
