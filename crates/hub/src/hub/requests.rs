//! What a connected client asks about channels: publish, history, presence.

use std::sync::Arc;

use bytes::Bytes;
use spanwire_wire::message::{
    HistoryRequest, HistoryResult, PresenceResult, PresenceStatsResult, Publication, PublishRequest,
    PublishResult,
};
use spanwire_wire::{DisconnectCode, Encoding, ErrorCode, Outcome};

use super::{Hub, Purpose};
use crate::backend::ProxyId;
use crate::broker::{BrokerAnswer, BrokerError, BrokerRequest, Draft, HistoryQuery};
use crate::channel::{Channel, Epoch, Position};
use crate::delivery::{json_info, json_publications};
use crate::denial::Denial;
use crate::namespace::Namespace;
use crate::permission::{Applicant, Objection};
use crate::presence::{PresenceAnswer, PresenceRequest};
use crate::right::Right;
use crate::session::{Session, Subscription};
use crate::weight;
use crate::{Output, RateLimit, Refusal, SessionId};

/// Longest idempotency key of a publish command (`sw_key`), in bytes: a UUID or a hash in hex fits.
const KEY_BYTES_MAX: usize = 64;

impl Hub {
    pub(super) fn publish(&mut self, id: SessionId, command: u32, request: PublishRequest) {
        match self.draft(id, &request) {
            Err(objection) => self.refuse_for(id, command, Right::Publish, &request.channel, objection),
            Ok((_, Some(proxy))) => self.ask_for_approval(id, command, request, proxy),
            Ok((draft, None)) => {
                let channel = self.channel(&request.channel);
                self.ask_broker(id, Purpose::Publish { command }, channel, BrokerRequest::Publish(draft));
            }
        }
    }

    /// What is to be published, and whom to ask before.
    pub(super) fn draft(
        &self,
        id: SessionId,
        request: &PublishRequest,
    ) -> Result<(Draft, Option<ProxyId>), Objection> {
        let (namespace, session) = self.may(id, &request.channel, Right::Publish)?;
        let client = session.client().ok_or(ErrorCode::Internal)?;
        if !namespace.data_format.allows(&request.data)
            || request.r#type != 0
            || request.sw_key.len() > KEY_BYTES_MAX
        {
            return Err(ErrorCode::BadRequest.into());
        }
        let chan_info =
            self.subscription(session, &request.channel).map(Subscription::info).unwrap_or_default();
        let publication = Publication {
            data: request.data.clone(),
            info: Some(client.describe(chan_info)),
            ..Publication::default()
        };
        // Keys of different users do not meet, so that nobody can suppress what somebody else publishes.
        let key = || Bytes::from(format!("{}\0{}", client.user, request.sw_key));
        let idempotency_key = (client.extended && !request.sw_key.is_empty()).then(key);
        let draft = Draft {
            publication,
            history: namespace.history,
            idempotency_key,
            rate: namespace.publish_rate,
            delta: namespace.tells_by_patch(false),
        };
        Ok((draft, namespace.deciders.publish))
    }

    pub(super) fn published(&mut self, id: SessionId, command: u32, answer: BrokerAnswer) {
        let position = match answer {
            BrokerAnswer::Published(position) => position,
            BrokerAnswer::Refused(BrokerError::TooMany(wait)) => {
                self.outputs.push_back(Output::Limited(RateLimit::Publishes));
                return self.deny(id, command, Refusal::Later(wait));
            }
            _ => return self.refuse(id, command, ErrorCode::Internal),
        };
        let extended = self.sessions.get(id).and_then(Session::client).is_some_and(|client| client.extended);
        let result = match position.filter(|_| extended) {
            Some(Position { offset, epoch }) => {
                PublishResult { sw_offset: offset, sw_epoch: epoch.as_str().to_owned() }
            }
            None => PublishResult::default(),
        };
        self.reply(id, command, Outcome::Publish(result));
    }

    pub(super) fn read_history(&mut self, id: SessionId, command: u32, request: HistoryRequest) {
        match self.history_query(id, &request) {
            Err(objection) => self.refuse_for(id, command, Right::History, &request.channel, objection),
            Ok(query) => {
                let channel = self.channel(&request.channel);
                self.ask_broker(id, Purpose::History { command }, channel, query);
            }
        }
    }

    fn history_query(&self, id: SessionId, request: &HistoryRequest) -> Result<BrokerRequest, Objection> {
        let (namespace, _) = self.may(id, &request.channel, Right::History)?;
        let history = namespace.history.ok_or(ErrorCode::NotAvailable)?;
        if request.reverse && request.since.as_ref().is_some_and(|since| since.offset == 0) {
            return Err(ErrorCode::BadRequest.into());
        }
        let most = self.config.limits.history_publications_max;
        let limit = usize::try_from(request.limit).map_or(most, |limit| limit.min(most));
        let since = request.since.as_ref();
        let since = since.map(|since| Position { offset: since.offset, epoch: Epoch::new(&since.epoch) });
        let query = HistoryQuery { limit: Some(limit), since, reverse: request.reverse };
        Ok(BrokerRequest::History { history, query })
    }

    pub(super) fn history_read(&mut self, id: SessionId, command: u32, answer: BrokerAnswer) {
        let (mut publications, top) = match answer {
            BrokerAnswer::History { publications, top } => (publications, top),
            BrokerAnswer::Refused(BrokerError::UnrecoverablePosition) => {
                return self.refuse(id, command, ErrorCode::UnrecoverablePosition);
            }
            _ => return self.refuse(id, command, ErrorCode::Internal),
        };
        self.cut_to_fit(id, &mut publications);
        let sayable = match self.sessions.lane(id.index).encoding {
            Encoding::Json => json_publications(publications),
            Encoding::Protobuf => Some(publications),
        };
        let Some(publications) = sayable else {
            return self.close(id, DisconnectCode::InappropriateProtocol.into());
        };
        let epoch = top.epoch.as_str().to_owned();
        self.reply(id, command, Outcome::History(HistoryResult { publications, epoch, offset: top.offset }));
    }

    /// Ends a page of history before it outgrows the client's outbox, but not before it has begun: the client asks
    /// for the rest from where the page ends.
    fn cut_to_fit(&self, id: SessionId, publications: &mut Vec<Publication>) {
        let mut room = self.room(id);
        let fitting = publications.iter().take_while(|publication| {
            let bytes = weight::of_publication(publication);
            let fits = bytes <= room;
            room = room.saturating_sub(bytes);
            fits
        });
        let fitting = fitting.count().max(1);
        publications.truncate(fitting);
    }

    pub(super) fn read_presence(&mut self, id: SessionId, command: u32, channel: &str) {
        self.ask_who_is_there(id, command, channel, PresenceRequest::Get);
    }

    pub(super) fn read_presence_stats(&mut self, id: SessionId, command: u32, channel: &str) {
        self.ask_who_is_there(id, command, channel, PresenceRequest::Stats);
    }

    fn ask_who_is_there(&mut self, id: SessionId, command: u32, channel: &str, request: PresenceRequest) {
        let allowed = self.may(id, channel, Right::Presence).map(|_| ());
        match allowed {
            Err(objection) => self.refuse_for(id, command, Right::Presence, channel, objection),
            Ok(()) => {
                let channel = self.channel(channel);
                self.ask_presence(id, Purpose::Presence { command }, channel, request);
            }
        }
    }

    pub(super) fn presence_read(&mut self, id: SessionId, command: u32, answer: PresenceAnswer) {
        let outcome = match answer {
            PresenceAnswer::Clients(presence)
                if presence.values().map(weight::of_client).sum::<usize>() > self.room(id) =>
            {
                return self.refuse(id, command, ErrorCode::LimitExceeded);
            }
            PresenceAnswer::Clients(mut presence) => {
                if self.sessions.lane(id.index).encoding == Encoding::Json {
                    presence.values_mut().for_each(|info| *info = json_info(info));
                }
                Outcome::Presence(PresenceResult { presence })
            }
            PresenceAnswer::Stats { clients, users } => {
                Outcome::PresenceStats(PresenceStatsResult { num_clients: clients, num_users: users })
            }
            PresenceAnswer::Done | PresenceAnswer::Refused(_) => {
                return self.refuse(id, command, ErrorCode::Internal);
            }
        };
        self.reply(id, command, outcome);
    }

    /// Whether a client may do something in a channel; if so, the channel's namespace and the session.
    fn may(
        &self,
        id: SessionId,
        channel: &str,
        right: Right,
    ) -> Result<(&Arc<Namespace>, &Session), Objection> {
        let session = self.sessions.get(id).ok_or(ErrorCode::Internal)?;
        if channel.len() > self.config.limits.channel_name_bytes_max {
            return Err(ErrorCode::BadRequest.into());
        }
        let namespace = self.config.namespaces.find(channel)?;
        self.applicant(session, channel).may(namespace, right, channel)?;
        Ok((namespace, session))
    }

    /// What is known of a session that wants something of a channel.
    pub(super) fn applicant<'a>(&self, session: &'a Session, channel: &str) -> Applicant<'a> {
        let client = session.client();
        Applicant {
            user: client.map_or("", |client| &client.user),
            capabilities: client.and_then(|client| client.capabilities()),
            subscription: self.subscription(session, channel).map(|found| found.traits.rights),
        }
    }

    /// Refuses a command, and tells the operator if it was denied.
    pub(super) fn refuse_for(
        &mut self,
        id: SessionId,
        command: u32,
        right: Right,
        channel: &str,
        objection: Objection,
    ) {
        let code = self.object(id, right, channel, objection);
        self.refuse(id, command, code);
    }

    /// The code of an objection, of which the operator is told if it is a denial.
    pub(super) fn object(
        &mut self,
        id: SessionId,
        right: Right,
        channel: &str,
        objection: Objection,
    ) -> ErrorCode {
        let why = match objection {
            Objection::Mistake(code) => return code,
            Objection::Denied(why) => why,
        };
        if let Some(client) = self.sessions.get(id).and_then(Session::client) {
            let denial = Denial {
                session: id,
                client: client.id.to_string(),
                user: client.user.as_ref().to_owned(),
                channel: Channel::new(channel),
                right,
                why,
            };
            self.outputs.push_back(Output::Denied(Box::new(denial)));
        }
        why.code()
    }

    /// The live subscription of a session to a channel.
    fn subscription<'a>(&self, session: &'a Session, channel: &str) -> Option<&'a Subscription> {
        let subscription = session.subscriptions.get(self.audiences.find(channel)?)?;
        subscription.place.is_live().then_some(subscription)
    }

    /// The channel of this name: the one that its audience already names, if it has one.
    pub(super) fn channel(&self, name: &str) -> Channel {
        let audience = self.audiences.find(name).and_then(|id| self.audiences.get(id));
        audience.map_or_else(|| Channel::new(name), |audience| audience.channel.clone())
    }
}
