//! Occupancy: how many subscribers each channel has on this node.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use spanwire_hub::channel::Channel;

use super::event::Event;
use super::grace::Grace;

/// The subscribers of all channels on all shards: counted here, where what the shards report comes together in one order, the
/// first and the last of a channel are the first and the last on the node.
#[derive(Debug)]
pub(super) struct Occupancy {
    subscribers: HashMap<Channel, u32>,
    vacated: Grace<Channel, Event>,
}

/// What one subscriber more makes of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entered {
    /// How many there are now.
    pub(super) subscribers: u32,
    /// It is occupied now, and was not, or its end was told.
    pub(super) occupied: bool,
}

impl Occupancy {
    pub(super) fn new(grace: Duration, held_max: usize) -> Self {
        Self { subscribers: HashMap::new(), vacated: Grace::new(grace, held_max) }
    }

    /// A subscriber has come.
    pub(super) fn enter(&mut self, channel: &Channel) -> Entered {
        let subscribers = self.subscribers.entry(channel.clone()).or_default();
        *subscribers += 1;
        let occupied = *subscribers == 1 && self.vacated.take_back(channel.as_str()).is_none();
        Entered { subscribers: *subscribers, occupied }
    }

    /// A subscriber has gone. How many are left.
    pub(super) fn leave(&mut self, channel: &Channel) -> u32 {
        let Some(subscribers) = self.subscribers.get_mut(channel.as_str()) else { return 0 };
        *subscribers -= 1;
        let left = *subscribers;
        if left == 0 {
            self.subscribers.remove(channel.as_str());
        }
        left
    }

    /// A channel has no subscribers any more. The event, unless it is held back.
    pub(super) fn vacated(&mut self, now: Instant, channel: &Channel, event: Event) -> Option<Event> {
        if !self.vacated.is_on() {
            return Some(event);
        }
        self.vacated.hold(now, channel.clone(), event);
        None
    }

    /// The next end that is to be told now.
    pub(super) fn let_go(&mut self, now: Instant) -> Option<Event> {
        self.vacated.let_go(now)
    }

    /// The next end, whether its time is over or not.
    pub(super) fn let_go_early(&mut self) -> Option<Event> {
        self.vacated.let_go_early()
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.vacated.next_due()
    }

    /// How many ends are held back.
    pub(super) fn held(&self) -> usize {
        self.vacated.len()
    }
}
