//! What the hub wants, done; and what it is told of that.

use spanwire_hub::broker::{BrokerAnswer, BrokerError, BrokerEvent, BrokerRequest, Ticket};
use spanwire_hub::channel::Channel;
use spanwire_hub::presence::PresenceRequest;
use spanwire_hub::{Answer, AskId, Credentials, Deed, Grant, Input, Output, Question, Refusal};
use spanwire_wire::ErrorCode;

use super::Shard;
use crate::bug::Bug;
use crate::channels::SERVED;
use crate::node::letter::Letter;
use crate::scene::Scene;

impl Shard {
    /// Carries out what the hub wants, and reads letters, until there is nothing to do in this turn.
    pub(super) fn carry_out(&mut self, scene: &mut Scene) {
        loop {
            while let Some(output) = self.hub.poll_output() {
                self.carry_out_one(scene, output);
            }
            if let Some((ask, answer)) = self.office.take(scene.now) {
                self.answer(scene, ask, answer);
                continue;
            }
            if let Some(ticket) = self.refused.pop() {
                let refusal = BrokerAnswer::Refused(BrokerError::Unavailable);
                self.hear(scene, Letter::event(BrokerEvent::Answer(ticket, refusal)));
                continue;
            }
            let Some((from, letter)) = self.inbox.take(scene.now) else { return };
            self.hear_from(scene, from, letter);
        }
    }

    fn carry_out_one(&mut self, scene: &mut Scene, output: Output) {
        match output {
            Output::Ask(ask, Question::Broker(channel, request)) => {
                self.submit(scene, Ticket(ask.0), channel, Deed::Broker(request));
            }
            Output::Ask(ask, Question::Presence(channel, request)) => {
                self.submit(scene, Ticket(ask.0), channel, Deed::Presence(request));
            }
            Output::Ask(ask, Question::Authenticate(question)) => {
                let credentials = credentials(scene, &question.token);
                self.office.authenticate(scene, ask, credentials);
            }
            Output::Ask(ask, Question::Refresh { token, .. }) => {
                let credentials = credentials(scene, &token);
                self.office.authenticate(scene, ask, credentials);
            }
            Output::Ask(ask, Question::VerifySubscription { .. }) => {
                let denied = Err(Refusal::Error(ErrorCode::PermissionDenied));
                self.answer(scene, ask, Answer::Grant(denied));
            }
            // Who may subscribe is all that the backend decides here.
            Output::Ask(ask, Question::Decide(_)) => self.office.admit(scene, ask),
            Output::Tell(channel, deed) => {
                if !loses(scene, &deed) {
                    self.submit(scene, Ticket::NOBODY, channel, deed);
                }
            }
            Output::Lags(..) => scene.ledger.count("lags"),
            Output::MayLag(_) => {}
            Output::Denied(_) | Output::Limited(_) | Output::Expired(_) | Output::Refreshed(..) => {}
            Output::Order(_) => unreachable!("no user has a personal channel"),
            Output::Close(id, reason) => self.let_go(scene, id, &reason),
            // Nobody has asked for any.
            Output::Happened(_) => {}
            Output::Resume(id) => {
                if scene.saboteur.strikes(Bug::LostResume) {
                    return;
                }
                if let Some(peer) = self.peer_of(id) {
                    peer.paused = false;
                }
            }
        }
    }

    /// Tells the hub what the owner of a channel says.
    pub(super) fn hear(&mut self, scene: &mut Scene, letter: Letter) {
        let input = match letter {
            Letter::Event(event) => match *event {
                BrokerEvent::Answer(ticket, answer) => Input::Answer(AskId(ticket.0), Answer::Broker(answer)),
                BrokerEvent::Publication(channel, delivery) => Input::Publication(channel, delivery),
                BrokerEvent::Join(channel, info) => Input::Join(channel, info),
                BrokerEvent::Leave(channel, info) => Input::Leave(channel, info),
            },
            Letter::Presence(ticket, answer) => Input::Answer(AskId(ticket.0), Answer::Presence(answer)),
            Letter::Request(_) | Letter::Call(..) => return,
        };
        self.hub.handle(scene.clocks(), input);
    }

    fn answer(&mut self, scene: &Scene, ask: AskId, answer: Answer) {
        self.hub.handle(scene.clocks(), Input::Answer(ask, answer));
    }
}

/// Whether a deed that nobody waits for is lost on its way.
fn loses(scene: &mut Scene, deed: &Deed) -> bool {
    let bug = match deed {
        Deed::Broker(BrokerRequest::Unsubscribe) => Bug::LostUnsubscribe,
        Deed::Broker(BrokerRequest::Leave(_)) => Bug::ForgottenLeave,
        Deed::Presence(PresenceRequest::Remove(_)) => Bug::ForgottenPresence,
        _ => return false,
    };
    scene.saboteur.strikes(bug)
}

/// What the tokens of these runs say.
fn credentials(scene: &Scene, token: &str) -> Result<Credentials, Refusal> {
    let mut parts = token.split('|');
    let (user, served) = (parts.next().unwrap_or_default(), parts.next() == Some("served"));
    let expire_at: Option<u64> = parts.next().and_then(|expiry| expiry.parse().ok());
    if expire_at.is_some_and(|at| at <= scene.unix_ms() / 1000) {
        return Err(Refusal::Error(ErrorCode::TokenExpired));
    }
    let channels = served.then(|| (Channel::new(SERVED), Grant::default()));
    Ok(Credentials {
        user: user.to_owned(),
        expire_at,
        channels: channels.into_iter().collect(),
        ..Credentials::default()
    })
}
