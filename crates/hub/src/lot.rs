//! A lot: what of a channel is parked for members whose clients read more slowly than it is published to.
//!
//! They all need the same, from another point on each. So it is kept once for all of them: a publication costs one
//! entry however many lag, and of each of them only how far it has come is known.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use spanwire_wire::Encoding;

use crate::audience::Member;
use crate::channel::Channel;
use crate::delivery::Delivery;
use crate::namespace::DeliveryProfile;
use crate::outbox::MESSAGE_BYTES;
use crate::weight;

/// What is parked of one channel. It exists as long as somebody lags there.
#[derive(Debug)]
pub(crate) struct Lot {
    /// Whom it is for.
    pub(crate) lagging: Vec<Lagging>,
    profile: DeliveryProfile,
    /// What is parked, by its number. That of a key's latest publication is the latest, so the order is that of their
    /// coming, and offsets only grow.
    parked: BTreeMap<u64, Arc<Delivery>>,
    /// The number of the latest of each key, if only that is kept.
    keys: Option<Keys>,
    /// The number of the last one that came.
    last: u64,
    /// About how many bytes those take in an outbox.
    bytes: usize,
    /// About how many bytes the node holds for them, at most.
    held: usize,
    /// What a publication takes in an outbox beside what it says.
    around: usize,
}

/// How many bytes a lot may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// As they are in an outbox.
    pub(crate) in_outbox: usize,
    /// Those that the node holds.
    pub(crate) held: usize,
}

/// A member that lags.
#[derive(Debug)]
pub(crate) struct Lagging {
    pub(crate) member: Member,
    /// The number of the last one that was parked when it began to lag, or that it was given since.
    pub(crate) since: u64,
    /// Counts those who ever began to lag in this hub. Of the channels in which a client lags, the one that has waited
    /// longest goes on first.
    pub(crate) turn: u64,
}

/// Which publications say the same of the same thing.
#[derive(Debug)]
struct Keys {
    /// The tag whose value is the key; `None` is one key for all.
    tag: Option<Arc<str>>,
    latest: HashMap<Box<str>, u64>,
}

impl Lot {
    /// An empty lot; `None` where nobody may lag.
    pub(crate) fn new(channel: &Channel, profile: &DeliveryProfile) -> Option<Self> {
        let keys = match profile {
            DeliveryProfile::Disconnect => return None,
            DeliveryProfile::DropOldest => None,
            DeliveryProfile::Conflate { by } => Some(Keys { tag: by.clone(), latest: HashMap::new() }),
        };
        Some(Self {
            lagging: Vec::new(),
            profile: profile.clone(),
            parked: BTreeMap::new(),
            keys,
            last: 0,
            bytes: 0,
            held: 0,
            around: MESSAGE_BYTES + channel.as_str().len(),
        })
    }

    /// By which something is left out here.
    pub(crate) fn profile(&self) -> &DeliveryProfile {
        &self.profile
    }

    /// The number of the last publication that came.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// About how many bytes the node holds for what is parked, at most.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Parks a publication; the latest one always has room. The result are the places of members who cannot be given the
    /// latest of each key any more: more keys have changed since they were given something than there is room for.
    pub(crate) fn park(&mut self, delivery: &Arc<Delivery>, room: Room) -> Vec<u32> {
        self.last += 1;
        if let Some(keys) = &mut self.keys
            && let Some(superseded) = keys.renew(delivery, self.last)
        {
            self.remove(superseded);
        }
        self.bytes += self.cost(delivery);
        self.held += self.holds(delivery);
        self.parked.insert(self.last, Arc::clone(delivery));
        let mut lost = 0;
        while (self.bytes > room.in_outbox || self.held > room.held) && self.parked.len() > 1 {
            lost = self.forget_oldest();
        }
        if self.keys.is_none() || lost == 0 {
            return Vec::new();
        }
        let places = self.lagging.iter().enumerate();
        places.filter(|(_, lagging)| lagging.since < lost).map(|(place, _)| place as u32).collect()
    }

    /// What is parked for a member that has come so far, with the number of each, in order.
    pub(crate) fn since(&self, number: u64) -> impl Iterator<Item = (u64, &Arc<Delivery>)> {
        self.parked.range(number + 1..).map(|(number, delivery)| (*number, delivery))
    }

    /// Makes room. Returns the number of what is gone.
    fn forget_oldest(&mut self) -> u64 {
        let Some((number, oldest)) = self.parked.pop_first() else { return 0 };
        self.bytes -= self.cost(&oldest);
        self.held -= self.holds(&oldest);
        if let Some(keys) = &mut self.keys {
            keys.forget(&oldest);
        }
        number
    }

    /// About what a publication takes in an outbox when its turn comes.
    fn cost(&self, delivery: &Delivery) -> usize {
        self.around + weight::of_push(&delivery.publication)
    }

    /// About what the node holds for a publication until then, at most: what was published, a push in each encoding, and
    /// its base.
    fn holds(&self, delivery: &Delivery) -> usize {
        (1 + Encoding::ALL.len()) * self.cost(delivery) + delivery.base_bytes()
    }

    fn remove(&mut self, number: u64) {
        if let Some(removed) = self.parked.remove(&number) {
            self.bytes -= self.cost(&removed);
            self.held -= self.holds(&removed);
        }
    }
}

impl Keys {
    fn key_of<'a>(&self, delivery: &'a Delivery) -> &'a str {
        let tagged = self.tag.as_ref().and_then(|tag| delivery.publication.tags.get(&**tag));
        tagged.map_or("", String::as_str)
    }

    /// The latest of its key is the one of this number. Returns which one was before.
    fn renew(&mut self, delivery: &Delivery, number: u64) -> Option<u64> {
        let key = self.key_of(delivery);
        match self.latest.get_mut(key) {
            Some(latest) => Some(std::mem::replace(latest, number)),
            None => {
                self.latest.insert(key.into(), number);
                None
            }
        }
    }

    fn forget(&mut self, delivery: &Delivery) {
        let key = self.key_of(delivery);
        self.latest.remove(key);
    }
}
