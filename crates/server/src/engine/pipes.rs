//! The piped sessions of a shard, from the shard's side.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use spanwire_hub::SessionId;
use spanwire_hub::outbox::Outbox;
use spanwire_hub::time::Instant;
use spanwire_wire::DisconnectReason;
use tokio::sync::mpsc;

use super::limits::PARCEL_BYTES;
use super::pipe::{Bell, Parcel, PipeArrival};
use super::{Permit, Transport, Visitor};

/// Piped sessions by the hub's index for them. Nobody else pays for there being some.
#[derive(Debug, Default)]
pub(super) struct Pipes(HashMap<u32, Piped>);

/// One piped session.
#[derive(Debug)]
pub(super) struct Piped {
    pub(super) id: SessionId,
    pub(super) visitor: Visitor,
    pub(super) transport: Transport,
    pub(super) frames: mpsc::Receiver<Bytes>,
    pub(super) bell: Arc<Bell>,
    parcels: mpsc::Sender<Parcel>,
    pub(super) ending: Ending,
    /// When a task that took nothing since then is given up.
    pub(super) blocked_until: Option<Instant>,
    /// The earliest entry of this session in the shard's list of deadlines.
    pub(super) armed: Option<Instant>,
    _permit: Permit,
}

/// How far the end of a piped session has come.
#[derive(Debug, Default)]
pub(super) enum Ending {
    /// Nobody ends anything.
    #[default]
    No,
    /// The reason waits behind the outbox.
    Untold { reason: DisconnectReason, until: Instant },
    /// The task knows, and is to drop the pipe.
    Told { until: Instant },
}

/// What came of pouring an outbox into a pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Poured {
    pub(super) messages: usize,
    pub(super) bytes: usize,
    /// The task has not come for the last parcel, and there is more.
    pub(super) blocked: bool,
    /// The task is gone.
    pub(super) gone: bool,
}

impl Pipes {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn insert(&mut self, id: SessionId, arrival: PipeArrival) {
        let PipeArrival { visitor, transport, parcels, frames, bell, permit, .. } = arrival;
        let piped = Piped {
            id,
            visitor,
            transport,
            frames,
            bell,
            parcels,
            ending: Ending::No,
            blocked_until: None,
            armed: None,
            _permit: permit,
        };
        self.0.insert(id.index, piped);
    }

    /// The piped session of this id, and none that had or will have its place.
    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut Piped> {
        self.0.get_mut(&id.index).filter(|piped| piped.id == id)
    }

    /// The piped session in this place.
    pub(super) fn at(&mut self, index: u32) -> Option<&mut Piped> {
        self.0.get_mut(&index)
    }

    pub(super) fn remove(&mut self, id: SessionId) -> Option<Piped> {
        self.get_mut(id)?;
        self.0.remove(&id.index)
    }
}

impl Piped {
    /// Whether nobody is there to take parcels.
    pub(super) fn is_gone(&self) -> bool {
        self.parcels.is_closed()
    }

    pub(super) fn is_ending(&self) -> bool {
        !matches!(self.ending, Ending::No)
    }

    /// Hands over as much of the outbox as the task takes: one parcel, until it comes for that. Behind the last message
    /// follows the reason, if the session ends.
    pub(super) fn pour(&mut self, outbox: &mut Outbox) -> Poured {
        let mut poured = Poured::default();
        while !outbox.is_empty() || matches!(self.ending, Ending::Untold { .. }) {
            let Some(permit) = reserve(&self.parcels, &self.bell) else {
                poured.gone = self.is_gone();
                poured.blocked = !poured.gone;
                break;
            };
            if let Ending::Untold { reason, until } = &mut self.ending
                && outbox.is_empty()
            {
                permit.send(Parcel::Close(reason.clone()));
                self.ending = Ending::Told { until: *until };
            } else {
                let messages = parcel(outbox);
                poured.messages += messages.len();
                poured.bytes += messages.iter().map(Bytes::len).sum::<usize>();
                outbox.consume(messages.len());
                permit.send(Parcel::Messages(messages));
            }
        }
        poured
    }

    /// The next moment at which something must be done about this session.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let end = match self.ending {
            Ending::No => None,
            Ending::Untold { until, .. } | Ending::Told { until } => Some(until),
        };
        [end, self.blocked_until].into_iter().flatten().min()
    }

    /// Whether the patience with the end is over.
    pub(super) fn end_is_due(&self, now: Instant) -> bool {
        match self.ending {
            Ending::No => false,
            Ending::Untold { until, .. } | Ending::Told { until } => until <= now,
        }
    }
}

/// Room for a parcel. Without any, the task rings when there is some; and since it may have made some just before it
/// knew that somebody wants it, there is a second look.
fn reserve<'a>(parcels: &'a mpsc::Sender<Parcel>, bell: &Bell) -> Option<mpsc::Permit<'a, Parcel>> {
    parcels.try_reserve().ok().or_else(|| {
        bell.wants_room.store(true, Ordering::SeqCst);
        parcels.try_reserve().ok()
    })
}

/// The messages that one parcel carries.
fn parcel(outbox: &Outbox) -> Vec<Bytes> {
    let mut bytes = 0;
    let fits = |message: &&Bytes| {
        let is_first = bytes == 0;
        bytes += message.len();
        is_first || bytes <= PARCEL_BYTES
    };
    outbox.iter().take_while(fits).cloned().collect()
}
