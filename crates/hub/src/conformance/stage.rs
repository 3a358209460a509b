//! Where scenes are played: asks, waits for answers, and notes what listeners hear.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use spanwire_wire::message::{ClientInfo, Publication};

use super::Harness;
use crate::broker::{
    Broker, BrokerAnswer, BrokerEvent, BrokerRequest, Draft, HistoryOptions, HistoryQuery, Listener, Recall,
    Ticket,
};
use crate::channel::{Channel, Epoch, Position};
use crate::presence::{Presence, PresenceAnswer, PresenceRequest};

/// Three listeners, for which the scenes speak.
pub(super) const ANN: Listener = Listener(0);
pub(super) const BOB: Listener = Listener(1);
pub(super) const CYD: Listener = Listener(2);
pub(super) const ALL: [Listener; 3] = [ANN, BOB, CYD];

/// Keeps so much for so long that nothing is lost while a scene is played.
pub(super) const KEEP: HistoryOptions =
    HistoryOptions { size: 100, ttl: Duration::from_secs(3600), meta_ttl: Duration::from_secs(3600) };

/// Everything behind a position, if that is at most `limit` publications.
pub(super) fn behind(position: Position, limit: usize) -> Recall {
    Recall::Since { position, limit }
}

/// One subject, and everything that was asked of it and came from it.
pub(super) struct Stage<'h, H: Harness> {
    harness: &'h mut H,
    subject: H::Subject,
    tickets: u64,
    asked: BTreeMap<Ticket, Listener>,
    answers: BTreeMap<Ticket, Answer>,
    heard: BTreeMap<Listener, Vec<(Channel, Heard)>>,
}

enum Answer {
    Broker(BrokerAnswer),
    Presence(PresenceAnswer),
}

/// What a listener heard.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Heard {
    Publication(Publication, Option<Epoch>),
    Join(ClientInfo),
    Leave(ClientInfo),
}

impl<'h, H: Harness> Stage<'h, H> {
    pub(super) fn new(harness: &'h mut H) -> Self {
        let subject = harness.fresh();
        Self {
            harness,
            subject,
            tickets: 0,
            asked: BTreeMap::new(),
            answers: BTreeMap::new(),
            heard: BTreeMap::new(),
        }
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, time: Duration) {
        self.harness.pass(time);
    }

    /// Begins anew with a fresh subject.
    pub(super) fn begin_anew(&mut self) {
        assert!(self.asked.is_empty() && self.answers.is_empty(), "a scene ends when everything is answered");
        self.subject = self.harness.fresh();
        self.heard.clear();
    }

    fn new_ticket(&mut self, from: Listener) -> Ticket {
        let ticket = Ticket(self.tickets);
        self.tickets += 1;
        self.asked.insert(ticket, from);
        ticket
    }

    fn note_answer(&mut self, to: Listener, ticket: Ticket, answer: Answer) {
        assert_eq!(self.asked.remove(&ticket), Some(to), "an answer is for the one who asked, once");
        self.answers.insert(ticket, answer);
    }

    /// Polls and settles until `done`, or until nothing comes any more; says which.
    fn wait(&mut self, poll: impl Fn(&mut Self) -> bool, done: impl Fn(&Self) -> bool) -> bool {
        loop {
            while poll(self) {}
            if done(self) {
                return true;
            }
            self.harness.settle(&mut self.subject);
            if !poll(self) {
                return false;
            }
        }
    }
}

impl<H: Harness<Subject: Broker>> Stage<'_, H> {
    /// Submits a request, whose answer is to be taken by [`Self::answer`].
    pub(super) fn submit(&mut self, from: Listener, channel: &str, request: BrokerRequest) -> Ticket {
        let ticket = self.new_ticket(from);
        self.subject.submit(self.harness.now(), from, ticket, &Channel::new(channel), request);
        ticket
    }

    /// Submits a request whose answer nobody waits for.
    pub(super) fn tell(&mut self, from: Listener, channel: &str, request: BrokerRequest) {
        self.subject.submit(self.harness.now(), from, Ticket::NOBODY, &Channel::new(channel), request);
    }

    /// Waits for an answer.
    pub(super) fn answer(&mut self, ticket: Ticket) -> BrokerAnswer {
        let answered = self.wait(Self::poll_broker, |stage| stage.answers.contains_key(&ticket));
        assert!(answered, "every request is answered");
        match self.answers.remove(&ticket) {
            Some(Answer::Broker(answer)) => answer,
            _ => unreachable!("a broker is asked"),
        }
    }

    /// Submits a request and waits for its answer.
    pub(super) fn ask(&mut self, from: Listener, channel: &str, request: BrokerRequest) -> BrokerAnswer {
        let ticket = self.submit(from, channel, request);
        self.answer(ticket)
    }

    /// Everything that a listener heard of a channel since this was last asked.
    pub(super) fn heard(&mut self, listener: Listener, channel: &str) -> Vec<Heard> {
        self.wait(Self::poll_broker, |_| false);
        let all = self.heard.entry(listener).or_default();
        all.extract_if(.., |(of, _)| of.as_str() == channel).map(|(_, heard)| heard).collect()
    }

    /// The same, of publications only: their offsets and payloads.
    pub(super) fn heard_publications(&mut self, listener: Listener, channel: &str) -> Vec<(u64, String)> {
        let publication = |heard| match heard {
            Heard::Publication(publication, _) => Some(brief(&publication)),
            Heard::Join(_) | Heard::Leave(_) => None,
        };
        self.heard(listener, channel).into_iter().filter_map(publication).collect()
    }

    /// Has the subject let go of what has outlived its time.
    pub(super) fn expire(&mut self) {
        self.subject.expire(self.harness.now());
    }

    /// Publishes, and gives the position.
    pub(super) fn publish(&mut self, channel: &str, history: HistoryOptions, data: &str) -> Position {
        match self.ask(ANN, channel, publish(Some(history), data, None)) {
            BrokerAnswer::Published(Some(position)) => position,
            other => panic!("a publish to a channel with history has a position: {other:?}"),
        }
    }

    /// Subscribes, and gives the top and what was missed.
    pub(super) fn subscribe(
        &mut self,
        from: Listener,
        channel: &str,
        history: HistoryOptions,
        recall: Recall,
    ) -> (Position, Option<Vec<(u64, String)>>) {
        match self.ask(
            from,
            channel,
            BrokerRequest::Subscribe { history: Some(history), recall, subscribers_max: None },
        ) {
            BrokerAnswer::Subscribed { top: Some(top), recalled } => (top, recalled.as_deref().map(briefs)),
            other => panic!("a subscribe to a channel with history has a position: {other:?}"),
        }
    }

    /// Reads the history; `None` if the position is refused.
    pub(super) fn history(
        &mut self,
        channel: &str,
        history: HistoryOptions,
        query: HistoryQuery,
    ) -> Option<(Vec<(u64, String)>, Position)> {
        use crate::broker::BrokerError::UnrecoverablePosition;
        match self.ask(CYD, channel, BrokerRequest::History { history, query }) {
            BrokerAnswer::History { publications, top } => Some((briefs(&publications), top)),
            BrokerAnswer::Refused(UnrecoverablePosition) => None,
            other => panic!("a history is told or refused for its position: {other:?}"),
        }
    }

    fn poll_broker(&mut self) -> bool {
        let Some((listener, event)) = self.subject.poll() else { return false };
        let (channel, heard) = match event {
            BrokerEvent::Answer(ticket, answer) => {
                self.note_answer(listener, ticket, Answer::Broker(answer));
                return true;
            }
            BrokerEvent::Publication(channel, delivery) => {
                (channel, Heard::Publication(delivery.publication.clone(), delivery.epoch.clone()))
            }
            BrokerEvent::Join(channel, info) => (channel, Heard::Join((*info).clone())),
            BrokerEvent::Leave(channel, info) => (channel, Heard::Leave((*info).clone())),
        };
        self.heard.entry(listener).or_default().push((channel, heard));
        true
    }
}

impl<H: Harness<Subject: Presence>> Stage<'_, H> {
    /// How often an entry must be renewed.
    pub(super) fn lease(&self) -> Option<Duration> {
        self.subject.lease()
    }

    /// Submits a request, whose answer is to be taken by [`Self::presence_answer`].
    pub(super) fn submit_presence(
        &mut self,
        from: Listener,
        channel: &str,
        request: PresenceRequest,
    ) -> Ticket {
        let ticket = self.new_ticket(from);
        self.subject.submit(self.harness.now(), from, ticket, &Channel::new(channel), request);
        ticket
    }

    /// Submits a request whose answer nobody waits for.
    pub(super) fn tell_presence(&mut self, from: Listener, channel: &str, request: PresenceRequest) {
        self.subject.submit(self.harness.now(), from, Ticket::NOBODY, &Channel::new(channel), request);
    }

    /// Waits for an answer.
    pub(super) fn presence_answer(&mut self, ticket: Ticket) -> PresenceAnswer {
        let answered = self.wait(Self::poll_presence, |stage| stage.answers.contains_key(&ticket));
        assert!(answered, "every request is answered");
        match self.answers.remove(&ticket) {
            Some(Answer::Presence(answer)) => answer,
            _ => unreachable!("a presence is asked"),
        }
    }

    /// Submits a request and waits for its answer.
    pub(super) fn ask_presence(
        &mut self,
        from: Listener,
        channel: &str,
        request: PresenceRequest,
    ) -> PresenceAnswer {
        let ticket = self.submit_presence(from, channel, request);
        self.presence_answer(ticket)
    }

    fn poll_presence(&mut self) -> bool {
        let Some((listener, ticket, answer)) = self.subject.poll() else { return false };
        self.note_answer(listener, ticket, Answer::Presence(answer));
        true
    }
}

/// A publish request.
pub(super) fn publish(
    history: Option<HistoryOptions>,
    data: &str,
    key: Option<&'static str>,
) -> BrokerRequest {
    BrokerRequest::Publish(Draft {
        publication: Publication { data: Bytes::copy_from_slice(data.as_bytes()), ..Publication::default() },
        history,
        rate: Default::default(),
        idempotency_key: key.map(|key| Bytes::from_static(key.as_bytes())),
        delta: false,
    })
}

/// What matters of a publication: where it is and what it says.
pub(super) fn brief(publication: &Publication) -> (u64, String) {
    (publication.offset, String::from_utf8_lossy(&publication.data).into_owned())
}

pub(super) fn briefs(publications: &[Publication]) -> Vec<(u64, String)> {
    publications.iter().map(brief).collect()
}
