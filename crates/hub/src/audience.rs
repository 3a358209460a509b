//! The audience of a channel on this shard: who is subscribed, who is about to be, and how far they have heard.

use std::sync::Arc;

use spanwire_wire::message::Publication;

use crate::channel::{Channel, Position};
use crate::delivery::Delivery;
use crate::limits::Limits;
use crate::lot::Lot;
use crate::namespace::{DeliveryProfile, Namespace};
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
    /// The members who take deltas, apart for the same reason.
    pub(crate) patched: Vec<Patched>,
    pub(crate) joiners: Vec<Joiner>,
    /// The members who lag, and what is parked for them; `None` while nobody does.
    pub(crate) lot: Option<Box<Lot>>,
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
    /// If its client reads slowly, publications may be left out as the namespace's delivery profile says.
    pub(crate) may_lag: bool,
    /// It has heard everything up to this offset before it went live; only later ones are for it.
    pub(crate) after: u64,
}

impl Member {
    /// Whether a publication is for it: it did not hear it before it went live. What is past the history, without an
    /// offset, is never in what somebody was given before.
    #[inline]
    pub(crate) fn is_new(&self, publication: &Publication) -> bool {
        publication.offset == 0 || publication.offset > self.after
    }
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
        self.member.is_new(publication) && self.filter.passes(&publication.tags)
    }
}

/// A live subscriber that takes deltas. It has a position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patched {
    pub(crate) member: Member,
    /// The latest that it was told is the base of what has the next offset.
    pub(crate) has_base: bool,
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
    pub(crate) fn new(channel: Channel, namespace: Arc<Namespace>) -> Self {
        Self {
            channel,
            namespace,
            heard: None,
            members: Vec::new(),
            filtered: Vec::new(),
            patched: Vec::new(),
            joiners: Vec::new(),
            lot: None,
            waiting: Vec::new(),
            waiting_bytes: 0,
        }
    }

    /// Subscribers, live or about to be.
    pub(crate) fn len(&self) -> usize {
        let lagging = self.lot.as_ref().map_or(0, |lot| lot.lagging.len());
        self.members.len() + self.filtered.len() + self.patched.len() + self.joiners.len() + lagging
    }

    /// About how many bytes are held, at most, for what is parked.
    pub(crate) fn parked_bytes(&self) -> usize {
        self.lot.as_ref().map_or(0, |lot| lot.held())
    }

    /// Whether publications may be left out for members whose clients read slowly.
    pub(crate) fn may_lag(&self) -> bool {
        self.namespace.delivery != DeliveryProfile::Disconnect
    }

    /// Live subscribers.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Member> {
        let lagging = self.lot.iter().flat_map(|lot| &lot.lagging).map(|lagging| &lagging.member);
        let filtered = self.filtered.iter().map(|filtered| &filtered.member);
        let patched = self.patched.iter().map(|patched| &patched.member);
        self.members.iter().chain(filtered).chain(patched).chain(lagging)
    }

    pub(crate) fn live_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        let lagging = self.lot.iter_mut().flat_map(|lot| &mut lot.lagging);
        let filtered = self.filtered.iter_mut().map(|filtered| &mut filtered.member);
        let patched = self.patched.iter_mut().map(|patched| &mut patched.member);
        self.members
            .iter_mut()
            .chain(filtered)
            .chain(patched)
            .chain(lagging.map(|lagging| &mut lagging.member))
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

    /// Adds a live member who takes deltas.
    pub(crate) fn add_patched(&mut self, patched: Patched) -> Place {
        self.patched.push(patched);
        Place::Patched((self.patched.len() - 1) as u32)
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
            Place::Lagging(index) => {
                let Some(lot) = &mut self.lot else { return (None, None) };
                lot.lagging.swap_remove(index as usize);
                let moved = lot.lagging.get(index as usize).map(|moved| moved.member.session);
                if lot.lagging.is_empty() {
                    self.lot = None;
                }
                (None, moved)
            }
            Place::Patched(index) => {
                self.patched.swap_remove(index as usize);
                (None, self.patched.get(index as usize).map(|moved| moved.member.session))
            }
        }
    }
}
