//! What the backend is asked about what clients do: may this be published, and what is the result of that call?
//!
//! Publishes of one client are decided one after the other, so that they are published in the order in which it sent
//! them, however long each decision takes. Calls do not wait for each other.

use bytes::Bytes;
use spanwire_wire::message::{PublishRequest, PublishResult, RpcRequest, RpcResult};
use spanwire_wire::{DisconnectCode, Encoding, Outcome};

use super::{Hub, Purpose};
use crate::backend::{Approval, Matter, Petition, ProxyId};
use crate::broker::BrokerRequest;
use crate::delivery::is_json_or_nothing;
use crate::right::Right;
use crate::{Question, Refusal, SessionId};

impl Hub {
    /// Asks the backend on behalf of a client.
    pub(super) fn petition(&mut self, id: SessionId, purpose: Purpose, matter: Matter) {
        let encoding = self.sessions.lane(id.index).encoding;
        let Some(client) = self.sessions.get(id).and_then(|session| session.client()) else { return };
        let petition = Petition {
            session: id,
            client: client.id.to_string(),
            encoding,
            user: client.user.as_ref().to_owned(),
            meta: client.extra.as_ref().map(|extra| extra.meta.clone()).unwrap_or_default(),
            matter,
        };
        self.ask(id, purpose, Question::Decide(Box::new(petition)));
    }

    pub(super) fn ask_for_approval(
        &mut self,
        id: SessionId,
        command: u32,
        request: PublishRequest,
        proxy: ProxyId,
    ) {
        let matter =
            Matter::Publish { proxy, channel: self.channel(&request.channel), data: request.data.clone() };
        if let Some(session) = self.sessions.get_mut(id) {
            session.awaits_approval = true;
        }
        self.petition(id, Purpose::Approve { command, request: Box::new(request) }, matter);
    }

    pub(super) fn approved(
        &mut self,
        id: SessionId,
        command: u32,
        mut request: PublishRequest,
        outcome: Result<Approval, Refusal>,
    ) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.awaits_approval = false;
        }
        let Approval { data, tags, skip_history, delta, idempotency_key, is_dropped } = match outcome {
            Ok(approval) => approval,
            Err(refusal) => return self.deny(id, command, refusal),
        };
        if is_dropped {
            return self.reply(id, command, Outcome::Publish(PublishResult::default()));
        }
        request.data = data.unwrap_or(request.data);
        match self.draft(id, &request) {
            Err(objection) => self.refuse_for(id, command, Right::Publish, &request.channel, objection),
            Ok((mut draft, _)) => {
                draft.publication.tags = tags;
                draft.history = draft.history.filter(|_| !skip_history);
                let namespace = self.config.namespaces.of(&request.channel);
                draft.delta = namespace.is_ok_and(|namespace| namespace.tells_by_patch(delta));
                draft.idempotency_key = idempotency_key.or(draft.idempotency_key);
                let channel = self.channel(&request.channel);
                self.ask_broker(id, Purpose::Publish { command }, channel, BrokerRequest::Publish(draft));
            }
        }
    }

    pub(super) fn call(&mut self, id: SessionId, command: u32, request: RpcRequest) {
        let RpcRequest { method, data } = request;
        self.petition(id, Purpose::Rpc { command }, Matter::Rpc { method, data });
    }

    pub(super) fn called(&mut self, id: SessionId, command: u32, outcome: Result<Bytes, Refusal>) {
        match outcome {
            Err(refusal) => self.deny(id, command, refusal),
            Ok(data)
                if self.sessions.lane(id.index).encoding == Encoding::Json && !is_json_or_nothing(&data) =>
            {
                self.close(id, DisconnectCode::InappropriateProtocol.into());
            }
            Ok(data) => self.reply(id, command, Outcome::Rpc(RpcResult { data })),
        }
    }
}
