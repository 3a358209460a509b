//! Where the stream stands that somebody subscribes to, and what it is told of that.

use spanwire_wire::message::{Publication, SubscribeResult};
use spanwire_wire::{DisconnectCode, Encoding, ErrorCode, Outcome};

use super::Hub;
use super::asking::Purpose;
use super::connecting::time_to_live;
use crate::audience::{AudienceId, Joiner};
use crate::broker::{BrokerAnswer, BrokerError, BrokerRequest};
use crate::channel::Position;
use crate::delivery::{is_json_or_nothing, json_publications};
use crate::delta;
use crate::denial::Why;
use crate::presence::{PresenceAnswer, PresenceRequest};
use crate::right::Right;
use crate::session::{Joining, Purpose as JoinPurpose, Recovered, Recovery, Stage};
use crate::time::Now;
use crate::weight;
use crate::{Refusal, SessionId};

impl Hub {
    /// Asks where the stream stands, and whether there is room for one more.
    pub(super) fn read_stream(&mut self, id: SessionId, audience: AudienceId) {
        let limit = self.config.limits.recovery_publications_max;
        let Some(place) = self.audiences.get(audience) else { return };
        let channel = place.channel.clone();
        let (history, subscribers_max) = (place.namespace.history, place.namespace.subscribers_max);
        let Some(Joiner { joining, .. }) = self.joiner_mut(id, audience) else { return };
        let traits = joining.traits;
        let recall = traits.recovery.recall(joining.since.as_ref(), limit, joining.filter.as_ref());
        joining.stage = Stage::Reading;
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(subscription) = session.subscriptions.get_mut(audience) else { return };
        subscription.traits = traits;
        let purpose = Purpose::Subscribe(subscription.id, channel.clone());
        let request = BrokerRequest::Subscribe { history, recall, subscribers_max };
        self.ask_broker(id, purpose, channel, request);
    }

    pub(super) fn broker_listens(
        &mut self,
        now: Now,
        id: SessionId,
        audience: AudienceId,
        answer: BrokerAnswer,
    ) {
        let Some(Joiner { joining, .. }) = self.joiner_mut(id, audience) else { return };
        match answer {
            BrokerAnswer::Subscribed { top, recalled } => {
                joining.stage = Stage::Appearing { top, recalled };
                self.appear(now, id, audience);
            }
            BrokerAnswer::Refused(BrokerError::Full) => self.find_no_room(id, audience),
            _ => self.cannot_join(id, audience, Refusal::Error(ErrorCode::Internal)),
        }
    }

    /// The channel has as many subscribers as it may have.
    fn find_no_room(&mut self, id: SessionId, audience: AudienceId) {
        let Some(place) = self.audiences.get(audience) else { return };
        let channel = place.channel.clone();
        let code = self.object(id, Right::Subscribe, channel.as_str(), Why::Full.into());
        self.cannot_join(id, audience, Refusal::Error(code));
    }

    /// Makes the subscriber present before anybody is told that it is here.
    fn appear(&mut self, now: Now, id: SessionId, audience: AudienceId) {
        let Some(Joiner { joining, .. }) = self.joiner_mut(id, audience) else { return };
        let (is_present, info) = (joining.traits.present, joining.info.clone());
        let Some(place) = self.audiences.get(audience) else { return };
        let channel = place.channel.clone();
        let Some(session) = self.sessions.get(id) else { return };
        let subscription = session.subscriptions.get(audience).map(|subscription| subscription.id);
        match (session.client(), subscription) {
            (Some(client), Some(subscription)) if is_present => {
                let appear = PresenceRequest::Add(client.describe(info));
                self.ask_presence(id, Purpose::Appear(subscription), channel, appear);
            }
            _ => self.settle(now, id, audience),
        }
    }

    pub(super) fn appeared(&mut self, now: Now, id: SessionId, audience: AudienceId, answer: PresenceAnswer) {
        match answer {
            PresenceAnswer::Refused(_) => {
                self.cannot_join(id, audience, Refusal::Error(ErrorCode::Internal));
            }
            _ => self.settle(now, id, audience),
        }
    }

    /// Goes on, now that the broker and presence have both answered.
    fn settle(&mut self, now: Now, id: SessionId, audience: AudienceId) {
        let encoding = self.sessions.lane(id.index).encoding;
        let room = self.room_for_missed(id);
        let Some(joiner) = self.joiner_mut(id, audience) else { return };
        let Joining { stage: Stage::Appearing { top, recalled }, filter, .. } = &mut *joiner.joining else {
            return;
        };
        let (top, mut recalled) = (top.take(), recalled.take());
        if let (Some(filter), Some(recalled)) = (filter, &mut recalled) {
            recalled.retain(|publication| filter.passes(&publication.tags));
        }
        match result_of(now, &joiner.joining, top.as_ref(), recalled, (encoding, room)) {
            Err(refusal) => self.cannot_join(id, audience, refusal),
            Ok(result) => {
                let latest = result.publications.last().map(|latest| latest.offset);
                let has_base =
                    result.delta && latest.is_some() && latest == top.as_ref().map(|top| top.offset);
                joiner.joining.stage = Stage::Ready { top, has_base };
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
}

/// About what publications take in a reply, in bytes.
fn weigh(publications: &[Publication]) -> usize {
    publications.iter().map(weight::of_publication).sum()
}

/// What a subscriber is told who speaks `encoding` and has `room` for what it missed, in bytes.
fn result_of(
    now: Now,
    joining: &Joining,
    top: Option<&Position>,
    recalled: Option<Vec<Publication>>,
    (encoding, room): (Encoding, usize),
) -> Result<SubscribeResult, Refusal> {
    if encoding == Encoding::Json && !is_json_or_nothing(&joining.data) {
        return Err(Refusal::Disconnect(DisconnectCode::InappropriateProtocol));
    }
    let told = joining.expire_at.filter(|_| !joining.traits.renewed_by_backend);
    let mut result = SubscribeResult {
        expires: told.is_some(),
        ttl: told.map_or(0, |at| time_to_live(now, at)),
        data: joining.data.clone(),
        delta: joining.traits.delta,
        ..SubscribeResult::default()
    };
    let Some(top) = top.filter(|_| joining.traits.positioned) else { return Ok(result) };
    result.positioned = true;
    let recovery = joining.traits.recovery;
    result.recoverable = recovery != Recovery::None;
    result.epoch = top.epoch.as_str().to_owned();
    result.offset = top.offset;
    let recalled = recalled.filter(|recalled| weigh(recalled) <= room);
    let mut outcome = recovery.outcome(joining.since.as_ref(), top, recalled);
    if let Recovered::Yes { publications, .. } = &mut outcome {
        let sayable = sayable(std::mem::take(publications), joining.traits.delta, encoding);
        *publications = sayable.ok_or(Refusal::Disconnect(DisconnectCode::InappropriateProtocol))?;
        // As strings they may have become longer.
        if weigh(publications) > room {
            outcome = Recovered::No;
        }
    }
    match outcome {
        Recovered::Unasked => return Ok(result),
        Recovered::No if joining.reject_unrecovered => {
            return Err(Refusal::Error(ErrorCode::UnrecoverablePosition));
        }
        Recovered::No => {}
        Recovered::Yes { offset, publications } => {
            (result.publications, result.recovered, result.offset) = (publications, true, offset);
        }
    }
    result.was_recovering = true;
    Ok(result)
}

/// What a client that speaks `encoding` is told of what it missed; `None` if some of it cannot be said so.
fn sayable(recalled: Vec<Publication>, delta: bool, encoding: Encoding) -> Option<Vec<Publication>> {
    match encoding {
        _ if delta => delta::recalled(&recalled, encoding),
        Encoding::Json => json_publications(recalled),
        Encoding::Protobuf => Some(recalled),
    }
}
