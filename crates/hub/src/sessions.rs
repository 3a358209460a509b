//! All sessions of a shard, and the lanes on which messages go out to them.

use std::collections::VecDeque;

use bytes::Bytes;
use spanwire_wire::{Encoding, bare_pushes};

use crate::SessionId;
use crate::lag::Lag;
use crate::outbox::{Outbox, Overflow};
use crate::session::Session;

/// Sessions in dense places. What fan-out touches is kept apart in [`Lane`]s, so that a publication to thousands
/// walks over little memory.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    places: Vec<Option<Box<Session>>>,
    lanes: Vec<Lane>,
    free: Vec<u32>,
    /// Places whose outboxes have news, each once.
    dirty: VecDeque<u32>,
    count: usize,
}

/// The way out to one client.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) outbox: Outbox,
    pub(crate) encoding: Encoding,
    generation: u32,
    /// It takes messages: the session is neither closed nor gone.
    open: bool,
    /// It is in the list of those with news.
    dirty: bool,
    /// Its client hears bare pushes.
    bare: bool,
}

impl Sessions {
    pub(crate) fn insert(&mut self, session: Session) -> SessionId {
        let (encoding, bare) = (session.encoding, session.unidirectional);
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            let lane =
                Lane { outbox: Outbox::default(), encoding, generation: 0, open: false, dirty: false, bare };
            self.lanes.push(lane);
            (self.places.len() - 1) as u32
        });
        self.places[index as usize] = Some(Box::new(session));
        let lane = &mut self.lanes[index as usize];
        (lane.encoding, lane.bare, lane.open) = (encoding, bare, true);
        self.count += 1;
        SessionId { index, generation: lane.generation }
    }

    /// The session is gone; its place may be used again, under another generation.
    pub(crate) fn remove(&mut self, id: SessionId) {
        if self.get(id).is_none() {
            return;
        }
        self.places[id.index as usize] = None;
        let lane = &mut self.lanes[id.index as usize];
        lane.outbox = Outbox::default();
        lane.open = false;
        lane.generation = lane.generation.wrapping_add(1);
        self.free.push(id.index);
        self.count -= 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<&Session> {
        let lane = self.lanes.get(id.index as usize)?;
        self.places[id.index as usize].as_deref().filter(|_| lane.generation == id.generation)
    }

    pub(crate) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        let lane = self.lanes.get(id.index as usize)?;
        self.places[id.index as usize].as_deref_mut().filter(|_| lane.generation == id.generation)
    }

    /// The id of the session that is in this place now.
    pub(crate) fn id(&self, index: u32) -> SessionId {
        SessionId { index, generation: self.lanes[index as usize].generation }
    }

    /// The ids of all sessions.
    pub(crate) fn ids(&self) -> Vec<SessionId> {
        let taken = |index: &u32| self.places[*index as usize].is_some();
        (0..self.places.len() as u32).filter(taken).map(|index| self.id(index)).collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        let present = self.places.iter().enumerate();
        present.filter_map(|(index, place)| Some((self.id(index as u32), place.as_deref()?)))
    }

    pub(crate) fn lane(&self, index: u32) -> &Lane {
        &self.lanes[index as usize]
    }

    pub(crate) fn outbox_mut(&mut self, id: SessionId) -> Option<&mut Outbox> {
        self.lanes
            .get_mut(id.index as usize)
            .filter(|lane| lane.generation == id.generation)
            .map(|lane| &mut lane.outbox)
    }

    /// How many bytes wait for the client in this place.
    #[inline]
    pub(crate) fn unread(&self, index: u32) -> usize {
        self.lanes[index as usize].outbox.bytes()
    }

    /// Whether a client lags, and has no more than `bytes` unread.
    #[inline]
    pub(crate) fn lags(&self, id: SessionId, bytes: usize) -> bool {
        let lane = self.lanes.get(id.index as usize).filter(|lane| lane.generation == id.generation);
        lane.is_some_and(|lane| lane.outbox.lag.is_any() && lane.outbox.bytes() <= bytes)
    }

    /// How many subscriptions lag of the client in this place.
    pub(crate) fn lag_mut(&mut self, index: u32) -> &mut Lag {
        &mut self.lanes[index as usize].outbox.lag
    }

    /// No message goes to this client from now on.
    pub(crate) fn shut(&mut self, id: SessionId) {
        self.lanes[id.index as usize].open = false;
    }

    /// How many bytes the next message to this client may have.
    pub(crate) fn room(&self, index: u32, bytes_max: usize) -> usize {
        self.lanes[index as usize].outbox.room(bytes_max)
    }

    /// Puts a message into the outbox of the session in this place. A shut lane swallows it.
    pub(crate) fn send(&mut self, index: u32, message: Bytes, bytes_max: usize) -> Result<(), Overflow> {
        let lane = &mut self.lanes[index as usize];
        if !lane.open {
            return Ok(());
        }
        let message = if lane.bare { bare_pushes(&message) } else { message };
        lane.outbox.push(message, bytes_max)?;
        if !lane.dirty {
            lane.dirty = true;
            self.dirty.push_back(index);
        }
        Ok(())
    }

    pub(crate) fn poll_dirty(&mut self) -> Option<SessionId> {
        while let Some(index) = self.dirty.pop_front() {
            self.lanes[index as usize].dirty = false;
            if self.places[index as usize].is_some() {
                return Some(self.id(index));
            }
        }
        None
    }
}
