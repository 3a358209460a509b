//! What shards write to each other.

use std::sync::Arc;

use spanwire_hub::Deed;
use spanwire_hub::broker::{BrokerEvent, BrokerRequest, Listener, Ticket};
use spanwire_hub::channel::Channel;
use spanwire_hub::delivery::Delivery;
use spanwire_hub::presence::PresenceAnswer;

use super::inbox::Way;

/// The name under which the backend asks. It never listens, and no shard has it.
pub(super) const CALLERS: Listener = Listener(u16::MAX);

/// One letter to a shard.
#[derive(Clone, Debug)]
pub(super) enum Letter {
    /// To the owner of a channel: a hub asks, or tells.
    Request(Box<(Ticket, Channel, Deed)>),
    /// From the owner of a channel: what its broker says.
    Event(Box<BrokerEvent>),
    /// From the owner of a channel: what its presence says.
    Presence(Ticket, PresenceAnswer),
    /// To the owner of a channel: the backend publishes.
    Call(&'static str, u64),
}

impl Letter {
    /// What a broker says.
    pub(super) fn event(event: BrokerEvent) -> Self {
        Self::Event(Box::new(event))
    }

    /// About how many bytes the letter holds.
    pub(super) fn weight(&self) -> usize {
        100 + self.publication().map_or(0, |(_, delivery)| delivery.publication.data.len())
    }

    /// Whether it asks for a publication, which can be refused.
    pub(super) fn publishes(&self) -> bool {
        match self {
            Self::Call(..) => true,
            Self::Request(request) => matches!(request.2, Deed::Broker(BrokerRequest::Publish(_))),
            _ => false,
        }
    }

    /// The way it takes, if answers travel apart from publications.
    pub(super) fn way(&self) -> Way {
        match self {
            Self::Event(event) if matches!(**event, BrokerEvent::Answer(..)) => Way::Answers,
            Self::Presence(..) => Way::Presence,
            _ => Way::Common,
        }
    }

    /// The publication, if it is one, which can be dropped.
    pub(super) fn publication(&self) -> Option<(&Channel, &Arc<Delivery>)> {
        match self {
            Self::Event(event) => match &**event {
                BrokerEvent::Publication(channel, delivery) => Some((channel, delivery)),
                _ => None,
            },
            _ => None,
        }
    }
}
