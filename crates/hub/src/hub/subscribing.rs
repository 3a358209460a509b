//! From a subscribe to a live subscriber, with nothing lost and nothing doubled on the way.
//!
//! The race that every such server must settle: publications go on while a subscriber's position is being read. It
//! is settled by construction. A subscriber to be is in its channel's audience from before the broker is asked, and
//! what is published meanwhile waits with it. The broker's answer names the position `top`. The reply tells what the
//! client missed up to `top`, and of what waited exactly the publications behind `top` follow the reply. If
//! there is a hole among those, the subscription ends in "insufficient state": a gap is told, never papered over.

use std::sync::Arc;

use spanwire_wire::message::{Publication, SubscribeRequest, SubscribeResult};
use spanwire_wire::{DisconnectCode, Encoding, ErrorCode, Outcome, UnsubscribeCode};

use super::connecting::{end_of, time_to_live};
use super::{Hub, Purpose};
use crate::audience::{AudienceId, Joiner, Member};
use crate::backend::Matter;
use crate::broker::{BrokerAnswer, BrokerRequest};
use crate::channel::Position;
use crate::delivery::{Delivery, is_json_or_nothing, json_publications};
use crate::denial::Why;
use crate::happening::{Subscribed, What};
use crate::io::wanted_position;
use crate::namespace::Namespace;
use crate::permission::{Applicant, Decider, Objection};
use crate::presence::{PresenceAnswer, PresenceRequest};
use crate::right::{Right, Rights};
use crate::session::{
    Joining, Place, Purpose as JoinPurpose, Stage, Subscription, SubscriptionId, Traits, Wishes,
};
use crate::time::Now;
use crate::weight;
use crate::{Deed, Grant, Question, Refusal, SessionId};

/// `SubscribeRequest.delta`: the one kind of delta that the protocol knows.
const DELTA_FOSSIL: &str = "fossil";

impl Hub {
    pub(super) fn subscribe(&mut self, now: Now, id: SessionId, command: u32, request: SubscribeRequest) {
        if !request.delta.is_empty() && request.delta != DELTA_FOSSIL {
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
        let wishes = self.wishes(id, &namespace, &request);
        let joining = Joining {
            purpose,
            since: wanted_position(request.recover, request.offset, &request.epoch),
            reject_unrecovered: request.flag & SubscribeRequest::FLAG_REJECT_UNRECOVERED != 0,
            traits: Traits {
                server_side: purpose == JoinPurpose::Connect,
                ..Traits::decide(&namespace, &Grant::default(), wishes)
            },
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
        if channel.len() > limits.channel_name_bytes_max || request.tf.is_some() {
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

    /// Asks where the stream stands, and makes the subscriber present before anybody is told that it is here.
    pub(super) fn read_stream(&mut self, id: SessionId, audience: AudienceId) {
        let limit = self.config.limits.recovery_publications_max;
        let Some(place) = self.audiences.get(audience) else { return };
        let (channel, history) = (place.channel.clone(), place.namespace.history);
        let Some(Joiner { joining, .. }) = self.joiner_mut(id, audience) else { return };
        let (traits, info) = (joining.traits, joining.info.clone());
        let since = joining.since.clone().filter(|_| traits.recoverable);
        joining.stage = Stage::Reading { broker: None, presence_pending: traits.present };
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(subscription) = session.subscriptions.get_mut(audience) else { return };
        subscription.traits = traits;
        let subscription = subscription.id;
        if let Some(client) = session.client().filter(|_| traits.present) {
            let appear = PresenceRequest::Add(client.describe(info));
            self.ask_presence(id, Purpose::Appear(subscription), channel.clone(), appear);
        }
        let request = BrokerRequest::Subscribe { history, since, limit };
        self.ask_broker(id, Purpose::Subscribe(subscription), channel, request);
    }

    pub(super) fn broker_listens(
        &mut self,
        now: Now,
        id: SessionId,
        audience: AudienceId,
        answer: BrokerAnswer,
    ) {
        let joiner = self.joiner_mut(id, audience);
        let Some(Stage::Reading { broker, .. }) = joiner.map(|joiner| &mut joiner.joining.stage) else {
            return;
        };
        *broker = Some(answer);
        self.settle(now, id, audience);
    }

    pub(super) fn appeared(&mut self, now: Now, id: SessionId, audience: AudienceId, answer: PresenceAnswer) {
        let joiner = self.joiner_mut(id, audience);
        let Some(Stage::Reading { presence_pending, .. }) = joiner.map(|joiner| &mut joiner.joining.stage)
        else {
            return;
        };
        *presence_pending = false;
        if let PresenceAnswer::Refused(_) = answer {
            return self.cannot_join(id, audience, Refusal::Error(ErrorCode::Internal));
        }
        self.settle(now, id, audience);
    }

    /// Goes on as soon as the broker and presence have both answered.
    fn settle(&mut self, now: Now, id: SessionId, audience: AudienceId) {
        let encoding = self.sessions.lane(id.index).encoding;
        let room = self.room_for_missed(id);
        let Some(joiner) = self.joiner_mut(id, audience) else { return };
        let Stage::Reading { broker, presence_pending: false } = &mut joiner.joining.stage else { return };
        let (top, missed) = match broker.take() {
            None => return,
            Some(BrokerAnswer::Subscribed { top, missed }) => {
                (top, missed.filter(|missed| weigh(missed) <= room))
            }
            Some(_) => return self.cannot_join(id, audience, Refusal::Error(ErrorCode::Internal)),
        };
        match result_of(now, &joiner.joining, top.as_ref(), missed, encoding) {
            Err(refusal) => self.cannot_join(id, audience, refusal),
            Ok(result) => {
                joiner.joining.stage = Stage::Ready { top };
                match joiner.joining.purpose {
                    JoinPurpose::Connect => self.joined_server_side(now, id, audience, result),
                    JoinPurpose::Order => self.joined_by_order(now, id, audience, result),
                    JoinPurpose::Command(command) => {
                        self.reply(id, command, Outcome::Subscribe(result));
                        self.go_live(now, id, audience);
                    }
                }
            }
        }
    }

    /// How many bytes of missed publications the reply may have. A client that is owed more is told that it cannot be
    /// recovered: let go as slow, it would come back and be owed the same.
    fn room_for_missed(&mut self, id: SessionId) -> usize {
        let taken = self
            .connecting_mut(id)
            .and_then(|connecting| connecting.known.as_ref())
            .map(|known| known.made.values().map(|result| weigh(&result.publications)).sum());
        self.room(id).saturating_sub(taken.unwrap_or(0))
    }

    /// The reply is written. What waited follows it, and from here on publications go straight to the outbox.
    pub(super) fn go_live(&mut self, now: Now, id: SessionId, audience: AudienceId) {
        let subscription = self.sessions.get(id).and_then(|session| session.subscriptions.get(audience));
        let Some(place @ Place::Joining(_)) = subscription.map(|subscription| subscription.place) else {
            return;
        };
        self.hand_out(audience);
        let Some(Joiner { joining, early, overflowed, .. }) = self.vacate(audience, place) else { return };
        let Joining { traits, stage: Stage::Ready { top }, info, expire_at, token, .. } = *joining else {
            return;
        };
        let after = top.as_ref().map_or(0, |top| top.offset);
        let member = Member {
            session: id.index,
            positioned: traits.positioned,
            hears_joins: traits.hears_joins,
            after,
        };
        let Some(members) = self.audiences.get_mut(audience) else { return };
        let (place, channel) = (members.add_member(member), members.channel.clone());
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(client) = session.client() else { return };
        let description = traits.announced.then(|| client.describe(info.clone()));
        let reported = self.reports.subscriptions.then(|| {
            let subscribed = Subscribed { channel: channel.clone(), info: info.clone() };
            (client.clone(), What::Subscribed(subscribed))
        });
        let Some(subscription) = session.subscriptions.get_mut(audience) else { return };
        subscription.place = place;
        if !info.is_empty() {
            subscription.extra.get_or_insert_default().info = info;
        }
        subscription.opened_by(token);
        let end_at = end_of(now, expire_at, self.config.limits.expired_sub_close_delay);
        session.subscriptions.expires(audience, expire_at, end_at);
        if traits.renewed_by_backend {
            session.subscriptions.renews(audience, expire_at.map(|at| now.instant_of(at)));
        }
        if end_at.is_some() {
            self.rearm(id);
        }
        if let Some(description) = description {
            self.tell(&channel, Deed::Broker(BrokerRequest::Join(description)));
        }
        if let Some((client, what)) = reported {
            self.report(&client, what);
        }
        let caught_up = CatchUp { positioned: traits.positioned, early, overflowed };
        if !self.catch_up(id, audience, top, caught_up) && traits.positioned {
            self.lost_state(id, audience);
        }
    }

    /// Sends what waited. Whether that, and what the reply told, is all that there was.
    ///
    /// A subscriber with a position gets nothing from behind a hole: it would take the offset of that for its
    /// position, and never ask for what is missing.
    fn catch_up(
        &mut self,
        id: SessionId,
        audience: AudienceId,
        top: Option<Position>,
        what: CatchUp,
    ) -> bool {
        let mut reached = top.as_ref().map_or(0, |top| top.offset);
        for delivery in &what.early {
            let offset = delivery.publication.offset;
            if offset != 0 {
                let same_epoch = top.as_ref().map(|top| &top.epoch) == delivery.epoch.as_ref();
                if same_epoch && offset <= reached {
                    continue;
                }
                if what.positioned && !(same_epoch && offset == reached + 1) {
                    return false;
                }
                reached = offset;
            }
            self.deliver_to(id, audience, delivery);
        }
        !what.overflowed && self.meet_audience(id, audience, top, reached)
    }

    /// Brings a new member's position and the audience's together. Whether nothing lies between them.
    fn meet_audience(
        &mut self,
        id: SessionId,
        audience: AudienceId,
        top: Option<Position>,
        reached: u64,
    ) -> bool {
        let Some(top) = top else { return true };
        let Some(place) = self.audiences.get_mut(audience) else { return true };
        match &place.heard {
            Some(heard) if heard.epoch == top.epoch => return heard.offset <= reached,
            Some(_) => {
                // The stream began anew, and the newcomer is the first to know: the others' positions are worth nothing.
                place.heard = Some(top);
                self.lose_outdated(audience, Some(id));
            }
            None => place.heard = Some(top),
        }
        true
    }

    /// The subscription does not come about: nothing remains of it, and whoever waits is told.
    fn cannot_join(&mut self, id: SessionId, audience: AudienceId, refusal: Refusal) {
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

/// What a subscriber must be given when it goes live.
struct CatchUp {
    /// It keeps a position.
    positioned: bool,
    /// What was published before its reply.
    early: Vec<Arc<Delivery>>,
    /// More than that was.
    overflowed: bool,
}

/// About what publications take in a reply, in bytes.
fn weigh(publications: &[Publication]) -> usize {
    publications.iter().map(weight::of_publication).sum()
}

/// What a subscriber is told.
fn result_of(
    now: Now,
    joining: &Joining,
    top: Option<&Position>,
    missed: Option<Vec<Publication>>,
    encoding: Encoding,
) -> Result<SubscribeResult, Refusal> {
    if encoding == Encoding::Json && !is_json_or_nothing(&joining.data) {
        return Err(Refusal::Disconnect(DisconnectCode::InappropriateProtocol));
    }
    let told = joining.expire_at.filter(|_| !joining.traits.renewed_by_backend);
    let mut result = SubscribeResult {
        expires: told.is_some(),
        ttl: told.map_or(0, |at| time_to_live(now, at)),
        data: joining.data.clone(),
        ..SubscribeResult::default()
    };
    let Some(top) = top.filter(|_| joining.traits.positioned) else { return Ok(result) };
    result.positioned = true;
    result.recoverable = joining.traits.recoverable;
    result.epoch = top.epoch.as_str().to_owned();
    result.offset = top.offset;
    let Some(since) = joining.since.as_ref().filter(|_| joining.traits.recoverable) else {
        return Ok(result);
    };
    result.was_recovering = true;
    match missed {
        None if joining.reject_unrecovered => return Err(Refusal::Error(ErrorCode::UnrecoverablePosition)),
        None => {}
        Some(missed) => {
            let sayable = if encoding == Encoding::Json { json_publications(missed) } else { Some(missed) };
            result.publications =
                sayable.ok_or(Refusal::Disconnect(DisconnectCode::InappropriateProtocol))?;
            // The client gets to `top` by taking the publications in, one by one.
            result.recovered = true;
            result.offset = since.offset;
        }
    }
    Ok(result)
}
