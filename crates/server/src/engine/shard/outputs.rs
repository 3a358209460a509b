//! What the hub asks of the world, carried out.

use spanwire_hub::backend::Petition;
use spanwire_hub::broker::{BrokerEvent, Ticket};
use spanwire_hub::channel::Channel;
use spanwire_hub::{
    Answer, AskId, Authenticate, Credentials, Deed, Grant, Input, Output, Question, Refusal, SessionId,
};
use spanwire_wire::{DisconnectCode, ErrorCode};

use super::Shard;
use crate::auth::{ConnectionInfo, Revoked, TokenPurpose};
use crate::backend::{self, Asker, BackendSettings, What, nobody_decides};
use crate::engine::bus::Heard;
use crate::engine::connection::Purpose;
use crate::engine::letter::Born;
use crate::engine::{EngineHandle, Transport};

impl Shard {
    /// Carries out what the hub asks for and brings it the answers that are there at once, until it is quiet. Each
    /// answer ends a question, and a client's questions come from commands it has sent: there is an end to it.
    pub(super) fn carry_out(&mut self) {
        loop {
            while let Some(output) = self.hub.poll_output() {
                self.carry_out_one(output);
            }
            let Some(heard) = self.bus.hear(self.reading) else { break };
            self.hear(heard);
            // All of it, before the hub is asked again: publications that are heard together go out together.
            while let Some(heard) = self.bus.hear(self.reading) {
                self.hear(heard);
            }
        }
        self.unheard = false;
    }

    fn carry_out_one(&mut self, output: Output) {
        let now = self.reading.now;
        match output {
            Output::Ask(ask, Question::Broker(channel, request)) => {
                self.bus.ask(now, Ticket(ask.0), channel, Deed::Broker(request));
            }
            Output::Ask(ask, Question::Presence(channel, request)) => {
                self.bus.ask(now, Ticket(ask.0), channel, Deed::Presence(request));
            }
            Output::Ask(ask, Question::Decide(petition)) => self.decide(ask, petition),
            Output::Ask(ask, question) => self.judge_or_learn(ask, question),
            Output::Tell(channel, deed) => self.bus.ask(now, Ticket::NOBODY, channel, deed),
            Output::Limited(limit) => self.stats().limited.count(limit.name()),
            Output::MayLag(id) => self.may_lag(id),
            Output::Lags(_, channel) => self.tell_lag(&channel),
            Output::Expired(what) => self.stats().expired.count(what.name()),
            Output::Refreshed(what, how) => self.stats().refreshed.count((what.name(), how.name())),
            Output::Order(order) => EngineHandle::new(self.shared.clone()).order(&order),
            Output::Denied(denial) => {
                self.stats().denials.count(denial.why.name());
                self.denials.say(now.at, format_args!("denied: {denial}"));
            }
            Output::Close(id, reason) => self.let_go(id, &reason),
            Output::Happened(happening) => self.happened.push(*happening),
            Output::Resume(id) => {
                self.resume(id.into());
                self.resume_pipe(id);
            }
        }
    }

    /// Judges a token, at once if its key is known; else when the keys were fetched.
    fn judge_or_learn(&mut self, ask: AskId, question: Question) {
        if let Some(later) = self.not_before(&question) {
            return self.answer(ask, later);
        }
        let now_unix = self.reading.now.unix_seconds();
        let lacking = shown(&question)
            .and_then(|(token, purpose)| self.authorize.lacks_key_of(now_unix, token, purpose))
            .cloned();
        let Some(jwks) = lacking else { return self.judge(ask, question) };
        let shard = EngineHandle::new(self.shared.clone()).shard(self.index);
        jwks.fetch(now_unix, Box::new(move || shard.judge(ask, Box::new(question))));
    }

    /// Judges a token by the keys that are known.
    pub(super) fn judge(&mut self, ask: AskId, question: Question) {
        let now_unix = self.reading.now.unix_seconds();
        match question {
            Question::Authenticate(request) => self.authenticate(ask, request),
            Question::Refresh { session, token } => {
                let credentials = self.authorize.refresh(now_unix, &token);
                self.count_failure(session, &credentials);
                self.answer(ask, Answer::Credentials(self.unless_barred(credentials)));
            }
            Question::VerifySubscription { session, token, channel, user } => {
                let grant = self.authorize.verify_subscription(now_unix, &token, &channel, &user);
                self.count_failure(session, &grant);
                self.answer(ask, Answer::Grant(self.unless_revoked(grant, &user, &channel)));
            }
            // These are not about tokens, and are asked where they belong.
            Question::Broker(..) | Question::Presence(..) | Question::Decide(_) => {}
        }
    }

    /// Tells the hub what the owner of a channel says.
    pub(super) fn hear(&mut self, heard: Heard) {
        let input = match heard {
            Heard::Broker(BrokerEvent::Answer(ticket, answer), _) => {
                Input::Answer(AskId(ticket.0), Answer::Broker(answer))
            }
            Heard::Broker(BrokerEvent::Publication(channel, delivery), born) => {
                self.count_publication(born);
                Input::Publication(channel, delivery)
            }
            Heard::Broker(BrokerEvent::Join(channel, info), _) => Input::Join(channel, info),
            Heard::Broker(BrokerEvent::Leave(channel, info), _) => Input::Leave(channel, info),
            Heard::Presence(ticket, answer) => Input::Answer(AskId(ticket.0), Answer::Presence(answer)),
        };
        self.hub.handle(self.reading.now, input);
    }

    fn count_publication(&mut self, born: Born) {
        self.stats().publications.one();
        self.births.push(born);
    }

    fn answer(&mut self, ask: AskId, answer: Answer) {
        self.hub.handle(self.reading.now, Input::Answer(ask, answer));
    }

    /// Who is this? The backend says it of clients without a token, if there is one that wants to.
    fn authenticate(&mut self, ask: AskId, request: Authenticate) {
        let backend = self.shared.backend.clone();
        let Some((info, transport)) = self.known_of(request.session) else {
            // It went away between its command and this question: whatever we answer, nobody hears it.
            let gone = Err(Refusal::Disconnect(DisconnectCode::ConnectionClosed));
            return self.answer(ask, Answer::Credentials(gone));
        };
        if let Some(backend) = &backend {
            backend.keep_emulated(&mut info.headers, &request.headers);
            if let Some(proxy) = backend.settings().of_connect(&request) {
                let (connection, session) = (info.clone(), request.session);
                let what = What::Connect(Box::new(request));
                let asker = self.asker(session, ask);
                return backend.ask(proxy, backend::Question { what, transport, connection, asker });
            }
        }
        let info = info.clone();
        let credentials = self.authorize.authenticate(self.reading.now.unix_seconds(), &request, &info);
        self.count_failure(request.session, &credentials);
        let credentials = self.counted(request.session, credentials);
        self.answer(ask, Answer::Credentials(credentials));
    }

    /// The backend has answered.
    pub(super) fn answered(&mut self, session: SessionId, ask: AskId, answer: Answer) {
        let answer = match answer {
            Answer::Credentials(said) if self.known_of(session).is_some() => {
                self.forget_headers(session);
                Answer::Credentials(self.counted(session, said))
            }
            answer => answer,
        };
        self.answer(ask, answer);
    }

    /// What was kept of a client's headers was for the question who it is, unless the backend wants it again.
    fn forget_headers(&mut self, session: SessionId) {
        let forgets = self.shared.backend.as_ref().is_some_and(backend::Backend::forgets_headers);
        if forgets && let Some((info, _)) = self.known_of(session) {
            info.headers = None;
        }
    }

    /// Counts a client as one of its user's, unless there are as many as may be.
    fn counted(
        &mut self,
        session: SessionId,
        credentials: Result<Credentials, Refusal>,
    ) -> Result<Credentials, Refusal> {
        let credentials = self.unless_barred(credentials)?;
        match self.users.enter(session, &credentials.user) {
            true => Ok(credentials),
            false => Err(Refusal::Disconnect(DisconnectCode::ConnectionLimit)),
        }
    }

    /// Whoever says who somebody is: a revoked token is none, and a blocked user does not come in.
    fn unless_barred(&self, credentials: Result<Credentials, Refusal>) -> Result<Credentials, Refusal> {
        let credentials = credentials?;
        let Credentials { user, token, .. } = &credentials;
        let now_unix = self.reading.now.unix_seconds();
        match self.shared.revocations.bars(now_unix, user, token.as_ref()) {
            None => Ok(credentials),
            Some(revoked) => {
                self.stats().revoked_refused.count(revoked.name());
                // The code that the shards close those with who are here already.
                Err(Refusal::Disconnect(match revoked {
                    Revoked::User => DisconnectCode::ForceNoReconnect,
                    Revoked::Token | Revoked::UserTokens => DisconnectCode::InvalidToken,
                }))
            }
        }
    }

    fn unless_revoked(
        &self,
        grant: Result<Grant, Refusal>,
        user: &str,
        channel: &Channel,
    ) -> Result<Grant, Refusal> {
        let grant = grant?;
        let Some(token) = &grant.token else { return Ok(grant) };
        let now_unix = self.reading.now.unix_seconds();
        match self.shared.revocations.bars_from(now_unix, user, channel.as_str(), token) {
            None => Ok(grant),
            Some(revoked) => {
                self.stats().revoked_refused.count(revoked.name());
                Err(Refusal::Error(ErrorCode::PermissionDenied))
            }
        }
    }

    /// Carries a client's question to the backend.
    fn decide(&mut self, ask: AskId, petition: Box<Petition>) {
        let backend = self.shared.backend.clone();
        let settings = backend.as_ref().map(backend::Backend::settings);
        let no_such_method = settings.map_or(ErrorCode::NotAvailable, BackendSettings::no_such_method);
        let asked =
            backend.and_then(|backend| Some((backend.settings().of_matter(&petition.matter)?, backend)));
        let asker = self.asker(petition.session, ask);
        match (asked, self.known_of(petition.session)) {
            (Some((proxy, backend)), Some((info, transport))) => {
                let connection = info.clone();
                let what = What::Petition(petition);
                backend.ask(proxy, backend::Question { what, transport, connection, asker });
            }
            _ => self.answer(ask, nobody_decides(&petition.matter, no_such_method)),
        }
    }

    fn asker(&self, session: SessionId, ask: AskId) -> Asker {
        Asker { shard: EngineHandle::new(self.shared.clone()).shard(self.index), session, ask }
    }

    /// What the transport of a session knows of its client, and what it is.
    pub(super) fn known_of(&mut self, session: SessionId) -> Option<(&mut ConnectionInfo, Transport)> {
        match self.connections.session_mut(session).map(|connection| &mut connection.purpose) {
            Some(Purpose::Session { visitor, .. }) => Some((&mut visitor.info, Transport::WebSocket)),
            Some(Purpose::Echo) => None,
            None => self.pipes.get_mut(session).map(|piped| (&mut piped.visitor.info, piped.transport)),
        }
    }
}

/// The token that a question is about, and what it is shown for.
fn shown(question: &Question) -> Option<(&str, TokenPurpose)> {
    match question {
        Question::Authenticate(Authenticate { token, .. }) | Question::Refresh { token, .. } => {
            Some((token, TokenPurpose::Connection))
        }
        Question::VerifySubscription { token, .. } => Some((token, TokenPurpose::Subscription)),
        Question::Broker(..) | Question::Presence(..) | Question::Decide(_) => None,
    }
}
