//! What the hub asks of the world, carried out.

use spanwire_hub::backend::{Matter, Renewal};
use spanwire_hub::broker::{BrokerEvent, Ticket};
use spanwire_hub::{Answer, AskId, Authenticate, Credentials, Deed, Input, Output, Question, Refusal};
use spanwire_wire::{DisconnectCode, ErrorCode};

use super::Shard;
use crate::engine::bus::Heard;
use crate::engine::connection::Purpose;
use crate::engine::letter::Born;

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
            Output::Ask(ask, Question::Authenticate(request)) => {
                let credentials = self.authenticate(&request);
                self.answer(ask, Answer::Credentials(credentials));
            }
            Output::Ask(ask, Question::Refresh { token }) => {
                let credentials = self.authorize.refresh(now.unix_seconds(), &token);
                self.answer(ask, Answer::Credentials(credentials));
            }
            Output::Ask(ask, Question::VerifySubscription { token, channel, user }) => {
                let grant = self.authorize.verify_subscription(now.unix_seconds(), &token, &channel, &user);
                self.answer(ask, Answer::Grant(grant));
            }
            Output::Ask(ask, Question::Decide(petition)) => {
                self.answer(ask, nobody_decides(&petition.matter))
            }
            Output::Tell(channel, deed) => self.bus.ask(now, Ticket::NOBODY, channel, deed),
            Output::Close(id, reason) => self.let_go(id, &reason),
            Output::Resume(id) => {
                self.resume(id.into());
                self.resume_pipe(id);
            }
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

    fn authenticate(&mut self, request: &Authenticate) -> Result<Credentials, Refusal> {
        let connection = self.connections.session_mut(request.session);
        let info = match connection.map(|connection| &connection.purpose) {
            Some(Purpose::Session { visitor, .. }) => Some(&visitor.info),
            Some(Purpose::Echo) => None,
            None => self.pipes.get_mut(request.session).map(|piped| &piped.visitor.info),
        };
        match info {
            Some(info) => {
                let credentials =
                    self.authorize.authenticate(self.reading.now.unix_seconds(), request, info)?;
                match self.users.enter(request.session, &credentials.user) {
                    true => Ok(credentials),
                    false => Err(Refusal::Disconnect(DisconnectCode::ConnectionLimit)),
                }
            }
            // It went away between its command and this question: whatever we answer, nobody hears it.
            None => Err(Refusal::Disconnect(DisconnectCode::ConnectionClosed)),
        }
    }
}

/// The answer where no backend is configured that could be asked.
fn nobody_decides(matter: &Matter) -> Answer {
    let unavailable = Refusal::Error(ErrorCode::NotAvailable);
    match matter {
        Matter::Refresh | Matter::SubRefresh { .. } => Answer::Renewal(Renewal::Over),
        Matter::Subscribe { .. } => Answer::Grant(Err(unavailable)),
        Matter::Publish { .. } => Answer::Approval(Err(unavailable)),
        Matter::Rpc { .. } => Answer::Rpc(Err(unavailable)),
    }
}
