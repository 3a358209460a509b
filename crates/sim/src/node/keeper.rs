//! The owner of channels: its broker and its presence, with the outages and the lies that are put on them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use spanwire_hub::Deed;
use spanwire_hub::broker::{
    Broker, BrokerAnswer, BrokerError, BrokerEvent, BrokerRequest, Draft, HistoryQuery, Listener,
    MemoryBroker, MemoryLimits, MemoryUsage, Recall, Ticket,
};
use spanwire_hub::channel::{Channel, Position};
use spanwire_hub::delivery::Delivery;
use spanwire_hub::presence::{MemoryPresence, Presence, PresenceAnswer, PresenceRequest};
use spanwire_wire::message::Publication;

use super::letter::{CALLERS, Letter};
use crate::bug::Bug;
use crate::chance::Chance;
use crate::channels::{history, tags};
use crate::ledger::id_of;
use crate::scene::Scene;

/// A broker has fewer memories than this in one life of its node.
const MEMORIES_MAX: u32 = 1000;

/// What one shard owns.
#[derive(Debug)]
pub(super) struct Keeper {
    /// Which life of the broker it is: one of the node, and within it one memory.
    life: u32,
    epochs: Chance,
    broker: MemoryBroker,
    presence: MemoryPresence,
    broker_out_until: u64,
    presence_out_until: u64,
    /// Who listens and with how many subscribers, which is all that a broker remembers that has lost its memory: it is
    /// not its own to forget.
    listeners: BTreeMap<(Channel, Listener), usize>,
    /// An answer that waits for another one to change places with.
    held: Option<(Listener, Ticket, BrokerAnswer)>,
}

impl Keeper {
    pub(super) fn new(life: u32, mut epochs: Chance) -> Self {
        Self {
            life: life * MEMORIES_MAX,
            broker: MemoryBroker::new(MemoryLimits::default(), epochs.seed()),
            epochs,
            presence: MemoryPresence::new(),
            broker_out_until: 0,
            presence_out_until: 0,
            listeners: BTreeMap::new(),
            held: None,
        }
    }

    /// From now on until then, the broker refuses everything, or presence, or both.
    pub(super) fn go_out(&mut self, scene: &mut Scene, until: u64) {
        let who = scene.chance.below(3);
        if who != 0 {
            self.broker_out_until = until;
        }
        if who != 1 {
            self.presence_out_until = until;
        }
    }

    /// The broker loses its memory.
    pub(super) fn forget(&mut self, scene: &Scene) {
        self.life += 1;
        self.broker = MemoryBroker::new(MemoryLimits::default(), self.epochs.seed());
        for ((channel, listener), subscribers) in &self.listeners {
            for _ in 0..*subscribers {
                let listen = BrokerRequest::Subscribe {
                    history: None,
                    recall: Recall::Nothing,
                    subscribers_max: None,
                };
                self.broker.submit(scene.clocks(), *listener, Ticket::NOBODY, channel, listen);
            }
        }
    }

    /// Does what is asked; the result is what is to be told to whom.
    pub(super) fn submit(
        &mut self,
        scene: &mut Scene,
        from: Listener,
        ticket: Ticket,
        channel: &Channel,
        deed: Deed,
    ) -> Vec<(Listener, Letter)> {
        // What nobody waits for must be done sometime, so an outage does not swallow it.
        let out_until = match deed {
            Deed::Broker(_) => self.broker_out_until,
            Deed::Presence(_) => self.presence_out_until,
        };
        if scene.now < out_until && ticket != Ticket::NOBODY {
            return self.refuse(scene, from, ticket, channel, deed);
        }
        self.carry_out(scene, from, ticket, channel, deed)
    }

    /// The backend publishes.
    pub(super) fn call(&mut self, scene: &mut Scene, channel: &str, id: u64) -> Vec<(Listener, Letter)> {
        let mut tags = tags(channel, id);
        if scene.saboteur.strikes(Bug::LostTags) {
            tags.clear();
        }
        let publication = Publication { data: payload(id, 40), tags, ..Publication::default() };
        let draft = Draft {
            publication,
            history: history(channel),
            idempotency_key: None,
            rate: Default::default(),
            delta: true,
        };
        let deed = Deed::Broker(BrokerRequest::Publish(draft));
        self.submit(scene, CALLERS, Ticket(id), &Channel::new(channel), deed)
    }

    fn refuse(
        &mut self,
        scene: &mut Scene,
        from: Listener,
        ticket: Ticket,
        channel: &Channel,
        deed: Deed,
    ) -> Vec<(Listener, Letter)> {
        scene.ledger.count("refused by the broker");
        let refusal = match &deed {
            Deed::Broker(_) => {
                Letter::event(BrokerEvent::Answer(ticket, BrokerAnswer::Refused(BrokerError::Unavailable)))
            }
            Deed::Presence(_) => Letter::Presence(ticket, PresenceAnswer::Refused(BrokerError::Unavailable)),
        };
        let mut told = Vec::new();
        // Who refuses a publish may have done it all the same: that is what losing an answer looks like.
        if matches!(deed, Deed::Broker(BrokerRequest::Publish(_))) && scene.chance.one_in(2) {
            told = self.carry_out(scene, from, ticket, channel, deed);
            told.retain(|(_, letter)| letter.publication().is_some());
        }
        told.push((from, refusal));
        told
    }

    fn carry_out(
        &mut self,
        scene: &mut Scene,
        from: Listener,
        ticket: Ticket,
        channel: &Channel,
        deed: Deed,
    ) -> Vec<(Listener, Letter)> {
        match deed {
            Deed::Presence(request) => {
                self.presence.submit(scene.clocks(), from, ticket, channel, request);
                let answers = std::iter::from_fn(|| self.presence.poll());
                answers.map(|(to, ticket, answer)| (to, Letter::Presence(ticket, answer))).collect()
            }
            Deed::Broker(request) => self.ask_broker(scene, from, ticket, channel, request),
        }
    }

    fn ask_broker(
        &mut self,
        scene: &mut Scene,
        from: Listener,
        ticket: Ticket,
        channel: &Channel,
        mut request: BrokerRequest,
    ) -> Vec<(Listener, Letter)> {
        let published = match &mut request {
            BrokerRequest::Publish(draft) => {
                draft.idempotency_key.take_if(|_| scene.saboteur.has(Bug::ForgottenKey));
                if scene.saboteur.strikes(Bug::EarlyAck) {
                    let top = Some(Position { offset: 1, epoch: spanwire_hub::channel::Epoch::new("early") });
                    let answer = BrokerAnswer::Published(draft.history.and(top));
                    return vec![(from, Letter::event(BrokerEvent::Answer(ticket, answer)))];
                }
                id_of(&draft.publication.data)
            }
            _ => None,
        };
        let forgets = matches!(request, BrokerRequest::Subscribe { .. })
            && scene.saboteur.strikes(Bug::ForgottenListener);
        if matches!(request, BrokerRequest::Unsubscribe)
            && let Some(subscribers) = self.listeners.get_mut(&(channel.clone(), from))
        {
            *subscribers = subscribers.saturating_sub(1);
        }
        let stale = matches!(request, BrokerRequest::Subscribe { recall: Recall::Latest { .. }, .. })
            && scene.saboteur.strikes(Bug::StaleLatest);
        let stale = if stale { self.before_latest(scene, channel) } else { None };
        self.broker.submit(scene.clocks(), from, ticket, channel, request);
        if forgets {
            self.broker.submit(scene.clocks(), from, Ticket::NOBODY, channel, BrokerRequest::Unsubscribe);
        }
        let mut told = Vec::new();
        while let Some((to, mut event)) = self.broker.poll() {
            if let BrokerEvent::Answer(_, BrokerAnswer::Subscribed { recalled: Some(recalled), .. }) =
                &mut event
                && let Some(stale) = &stale
            {
                *recalled = vec![stale.clone()];
            }
            self.account(scene, to, channel, published, &event);
            self.tell(scene, to, event, &mut told);
        }
        told
    }

    /// The publication before the latest of a channel.
    fn before_latest(&mut self, scene: &Scene, channel: &Channel) -> Option<Publication> {
        let history = history(channel.as_str())?;
        let query = HistoryQuery { limit: Some(2), since: None, reverse: true };
        let request = BrokerRequest::History { history, query };
        self.broker.submit(scene.clocks(), CALLERS, Ticket(0), channel, request);
        match self.broker.poll() {
            Some((_, BrokerEvent::Answer(_, BrokerAnswer::History { publications, .. }))) => {
                publications.into_iter().nth(1)
            }
            _ => None,
        }
    }

    /// Whatever becomes of it on its way, this is what the broker said.
    fn account(
        &mut self,
        scene: &mut Scene,
        to: Listener,
        channel: &Channel,
        published: Option<u64>,
        event: &BrokerEvent,
    ) {
        if let BrokerEvent::Answer(_, BrokerAnswer::Subscribed { .. }) = event {
            *self.listeners.entry((channel.clone(), to)).or_default() += 1;
        }
        match event {
            BrokerEvent::Answer(_, BrokerAnswer::Published(position)) => {
                let Some(id) = published else { return };
                scene.ledger.published(self.life, channel.as_str(), id, position.as_ref());
            }
            BrokerEvent::Answer(_, BrokerAnswer::Subscribed { top: Some(top), .. }) => {
                scene.ledger.stands(self.life, channel.as_str(), top);
            }
            _ => {}
        }
    }

    /// Passes on what the broker says, as far as nobody lies about it.
    fn tell(
        &mut self,
        scene: &mut Scene,
        to: Listener,
        mut event: BrokerEvent,
        told: &mut Vec<(Listener, Letter)>,
    ) {
        let saboteur = &mut scene.saboteur;
        match &mut event {
            BrokerEvent::Answer(_, BrokerAnswer::Subscribed { recalled: Some(missed), .. })
                if !missed.is_empty() =>
            {
                if saboteur.strikes(Bug::RecoveryBeginsLate) {
                    missed.remove(0);
                }
                if saboteur.strikes(Bug::RecoveryEndsEarly) {
                    missed.pop();
                }
                if saboteur.strikes(Bug::RecoveryForgets) {
                    missed.clear();
                }
            }
            BrokerEvent::Publication(_, delivery) if saboteur.strikes(Bug::WrongBase) => {
                let Delivery { publication, epoch, .. } = &**delivery;
                let own = Some(publication.data.clone());
                *delivery = Delivery::with_base(publication.clone(), epoch.clone(), own);
            }
            BrokerEvent::Publication(..) if saboteur.strikes(Bug::DoubledPublication) => {
                told.push((to, Letter::event(event.clone())));
            }
            _ => {}
        }
        if let BrokerEvent::Answer(ticket, answer @ BrokerAnswer::Subscribed { .. }) = &mut event {
            if saboteur.strikes(Bug::LostAnswer) {
                return;
            }
            if saboteur.has(Bug::SwappedAnswers) {
                match self.held.take_if(|(other, ..)| *other == to) {
                    Some((_, other_ticket, other)) => {
                        let late = BrokerEvent::Answer(*ticket, other);
                        told.push((to, Letter::event(late)));
                        *ticket = other_ticket;
                    }
                    None if saboteur.strikes(Bug::SwappedAnswers) => {
                        self.held = Some((to, *ticket, answer.clone()));
                        return;
                    }
                    None => {}
                }
            }
        }
        told.push((to, Letter::event(event)));
    }

    pub(super) fn expire(&mut self, scene: &Scene) {
        self.broker.expire(scene.clocks());
    }

    pub(super) fn usage(&self) -> MemoryUsage {
        self.broker.usage()
    }

    pub(super) fn channels_attended(&self) -> usize {
        self.presence.channels()
    }

    /// Who is in a channel.
    pub(super) fn present(&mut self, scene: &Scene, channel: &str) -> BTreeSet<String> {
        let channel = Channel::new(channel);
        self.presence.submit(scene.clocks(), CALLERS, Ticket(0), &channel, PresenceRequest::Get);
        match self.presence.poll() {
            Some((_, _, PresenceAnswer::Clients(clients))) => clients.into_keys().collect(),
            _ => BTreeSet::new(),
        }
    }
}

/// A payload that begins with its number.
pub(crate) fn payload(id: u64, size: usize) -> Bytes {
    Bytes::from(format!("\"{id}.{:x<size$}\"", ""))
}
