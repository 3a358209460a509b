//! The audience of a channel on this shard: who is subscribed, who is about to be, and how far they have heard.

use std::sync::Arc;

use hashbrown::HashMap;
use spanwire_wire::message::Publication;

use crate::channel::{Channel, Position};
use crate::delivery::Delivery;
use crate::limits::Limits;
use crate::namespace::Namespace;
use crate::session::{Joining, Place};
use crate::tags_filter::TagsFilter;
use crate::weight;

/// Names an audience within its hub.
pub(crate) type AudienceId = u32;

/// One channel's subscribers on this shard. It exists as long as it has any.
#[derive(Debug)]
pub(crate) struct Audience {
    pub(crate) channel: Channel,
    pub(crate) namespace: Arc<Namespace>,
    /// How far the stream has come here: every live member has heard everything up to it. `None` until a position
    /// is known, and for good in a channel without history.
    pub(crate) heard: Option<Position>,
    pub(crate) members: Vec<Member>,
    /// The members who want only some publications: apart, so that all others cost nothing more for them.
    pub(crate) filtered: Vec<Filtered>,
    pub(crate) joiners: Vec<Joiner>,
    /// Publications of this turn that the members have not been given yet.
    pub(crate) waiting: Vec<Arc<Delivery>>,
    /// About how many bytes those are.
    pub(crate) waiting_bytes: usize,
}

/// A live subscriber.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    /// The index of its session.
    pub(crate) session: u32,
    /// It keeps a position: a hole in the stream must end its subscription, not pass unseen.
    pub(crate) positioned: bool,
    /// It is told who comes and goes.
    pub(crate) hears_joins: bool,
    /// It has heard everything up to this offset before it went live; only later ones are for it.
    pub(crate) after: u64,
}

/// A live subscriber that wants only the publications that pass its filter. The others move its position all the same.
#[derive(Debug)]
pub(crate) struct Filtered {
    pub(crate) member: Member,
    pub(crate) filter: Arc<TagsFilter>,
}

impl Filtered {
    /// Whether a publication is for it.
    pub(crate) fn wants(&self, publication: &Publication) -> bool {
        let is_new = publication.offset == 0 || publication.offset > self.member.after;
        is_new && self.filter.passes(&publication.tags)
    }
}

/// A subscriber to be: its subscribe is not answered yet, so what is published meanwhile waits here.
#[derive(Debug)]
pub(crate) struct Joiner {
    /// The index of its session.
    pub(crate) session: u32,
    /// Where its subscribe stands.
    pub(crate) joining: Box<Joining>,
    /// Publications that came before the answer, in the order of their coming.
    pub(crate) early: Vec<Arc<Delivery>>,
    /// About how many bytes those will take in its outbox.
    early_bytes: usize,
    /// Some more came than may be kept: it cannot join without a hole.
    pub(crate) overflowed: bool,
}

impl Joiner {
    pub(crate) fn new(session: u32, joining: Joining) -> Self {
        let joining = Box::new(joining);
        Self { session, joining, early: Vec::new(), early_bytes: 0, overflowed: false }
    }

    /// Keeps a publication for later: all of them go to the outbox at once, so more than that takes is too much.
    pub(crate) fn keep(&mut self, delivery: &Arc<Delivery>, limits: &Limits) {
        let bytes = self.early_bytes + weight::of_publication(&delivery.publication);
        if self.overflowed
            || self.early.len() >= limits.joining_publications_max
            || bytes > limits.outbox_bytes_max
        {
            self.overflowed = true;
            return;
        }
        self.early_bytes = bytes;
        self.early.push(Arc::clone(delivery));
    }
}

impl Audience {
    fn new(channel: Channel, namespace: Arc<Namespace>) -> Self {
        Self {
            channel,
            namespace,
            heard: None,
            members: Vec::new(),
            filtered: Vec::new(),
            joiners: Vec::new(),
            waiting: Vec::new(),
            waiting_bytes: 0,
        }
    }

    /// Subscribers, live or about to be.
    pub(crate) fn len(&self) -> usize {
        self.members.len() + self.filtered.len() + self.joiners.len()
    }

    /// Live subscribers.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().chain(self.filtered.iter().map(|filtered| &filtered.member))
    }

    pub(crate) fn live_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.members.iter_mut().chain(self.filtered.iter_mut().map(|filtered| &mut filtered.member))
    }

    /// Adds somebody who is about to subscribe.
    pub(crate) fn add_joiner(&mut self, joiner: Joiner) -> Place {
        self.joiners.push(joiner);
        Place::Joining((self.joiners.len() - 1) as u32)
    }

    /// Adds a live member.
    pub(crate) fn add_member(&mut self, member: Member) -> Place {
        if self.members.len() < 4 {
            self.members.reserve_exact(1);
        }
        self.members.push(member);
        Place::Live((self.members.len() - 1) as u32)
    }

    /// Adds a live member who wants only some publications.
    pub(crate) fn add_filtered(&mut self, filtered: Filtered) -> Place {
        self.filtered.push(filtered);
        Place::Filtered((self.filtered.len() - 1) as u32)
    }

    /// Frees a place. The results are who was there, if it was a joiner, and the session that has the place now, if
    /// one was moved into it.
    pub(crate) fn vacate(&mut self, place: Place) -> (Option<Joiner>, Option<u32>) {
        match place {
            Place::Joining(index) => {
                let joiner = self.joiners.swap_remove(index as usize);
                let moved = self.joiners.get(index as usize).map(|moved| moved.session);
                if self.joiners.is_empty() {
                    // Most audiences have members for a long time, and joiners for a moment.
                    self.joiners = Vec::new();
                }
                (Some(joiner), moved)
            }
            Place::Live(index) => {
                self.members.swap_remove(index as usize);
                (None, self.members.get(index as usize).map(|moved| moved.session))
            }
            Place::Filtered(index) => {
                self.filtered.swap_remove(index as usize);
                (None, self.filtered.get(index as usize).map(|moved| moved.member.session))
            }
        }
    }
}

/// All audiences of a shard, by channel.
#[derive(Debug, Default)]
pub(crate) struct Audiences {
    /// Channel names are chosen by strangers: the default hasher is seeded by chance, and nothing depends on its order.
    by_channel: HashMap<Channel, AudienceId, foldhash::quality::RandomState>,
    places: Vec<Option<Audience>>,
    free: Vec<AudienceId>,
}

impl Audiences {
    pub(crate) fn find(&self, channel: &str) -> Option<AudienceId> {
        self.by_channel.get(channel).copied()
    }

    pub(crate) fn get_mut(&mut self, id: AudienceId) -> Option<&mut Audience> {
        self.places.get_mut(id as usize)?.as_mut()
    }

    pub(crate) fn get(&self, id: AudienceId) -> Option<&Audience> {
        self.places.get(id as usize)?.as_ref()
    }

    /// The audience of a channel, made if there is none.
    pub(crate) fn find_or_insert(&mut self, channel: &str, namespace: &Arc<Namespace>) -> AudienceId {
        if let Some(id) = self.find(channel) {
            return id;
        }
        let channel = Channel::new(channel);
        let audience = Audience::new(channel.clone(), Arc::clone(namespace));
        let id = match self.free.pop() {
            Some(id) => {
                self.places[id as usize] = Some(audience);
                id
            }
            None => {
                self.places.push(Some(audience));
                (self.places.len() - 1) as AudienceId
            }
        };
        self.by_channel.insert(channel, id);
        id
    }

    /// Forgets an audience that has nobody left.
    pub(crate) fn remove(&mut self, id: AudienceId) {
        if let Some(audience) = self.places[id as usize].take() {
            self.by_channel.remove(&audience.channel);
            self.free.push(id);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Audience> {
        self.places.iter().flatten()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = AudienceId> + use<> {
        (0..self.places.len()).map(|place| place as AudienceId)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_channel.len()
    }
}
