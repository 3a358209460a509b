//! What the application asked of the server, from the wish to the answer; bounded in number, bytes and age.

use std::collections::BTreeMap;

use spanwire_wire::message::{
    HistoryRequest, PresenceRequest, PresenceStatsRequest, PublishRequest, RpcRequest, StreamPosition,
};
use spanwire_wire::{Outcome, Request};

use crate::backoff::Backoff;
use crate::time::Instant;
use crate::{Answer, Call, CallError, Event, Key, Limits, Position};

/// Names a call within the client; in the order of asking.
pub(crate) type CallId = u64;

/// Calls that are not answered yet, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    entries: BTreeMap<CallId, Entry>,
    next: CallId,
    bytes: usize,
}

/// One call on its way.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) call: Call,
    pub(crate) expires_at: Instant,
    pub(crate) stage: Stage,
    pub(crate) backoff: Backoff,
    /// It was sent at least once, under the idempotency key of its id if it is a publish that may be repeated.
    pub(crate) was_sent: bool,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It waits for a connection.
    Waiting,
    /// It was refused for now, and is sent again then.
    Resting { until: Instant },
    /// It is on its way.
    Sent,
}

/// Whether a call may be sent again when its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    /// It only reads.
    Always,
    /// The server would know it by its key.
    Keyed,
    /// It could be done twice.
    Never,
}

impl Calls {
    /// Keeps a call.
    ///
    /// # Errors
    /// Too much waits already.
    pub(crate) fn add(
        &mut self,
        now: Instant,
        key: Key,
        call: Call,
        limits: &Limits,
    ) -> Result<CallId, CallError> {
        let bytes = self.bytes + weight(&call);
        if self.entries.len() >= limits.calls_max || bytes > limits.calls_bytes_max {
            return Err(CallError::Full);
        }
        let patience =
            if matches!(call, Call::Publish { .. }) { limits.publish_within } else { limits.call_within };
        let entry = Entry {
            key,
            call,
            expires_at: now + patience,
            stage: Stage::Waiting,
            backoff: Backoff::default(),
            was_sent: false,
        };
        let id = self.next;
        self.next += 1;
        self.bytes = bytes;
        self.entries.insert(id, entry);
        Ok(id)
    }

    pub(crate) fn get_mut(&mut self, id: CallId) -> Option<&mut Entry> {
        self.entries.get_mut(&id)
    }

    /// Takes a call out: it has come to its end.
    pub(crate) fn take(&mut self, id: CallId) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        self.bytes -= weight(&entry.call);
        Some(entry)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The calls for which this holds, oldest first.
    pub(crate) fn ids(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<CallId> {
        self.entries.iter().filter(|(_, entry)| wanted(entry)).map(|(id, _)| *id).collect()
    }

    /// When the next call is due: to be sent again, or to be given up. Whoever waits for a connection is not due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let due = |entry: &Entry| match entry.stage {
            Stage::Resting { until } => until.min(entry.expires_at),
            Stage::Waiting | Stage::Sent => entry.expires_at,
        };
        self.entries.values().map(due).min()
    }
}

impl Call {
    /// Whether it may wait for a connection.
    pub(crate) fn waits(&self) -> bool {
        !matches!(self, Self::Publish { queue: false, .. })
    }
}

impl Entry {
    /// Whether sending it again can do no harm, on a server that does or does not know keys.
    pub(crate) fn may_repeat(&self, idempotent: bool) -> bool {
        match repeat(&self.call) {
            Repeat::Always => true,
            Repeat::Keyed => idempotent,
            Repeat::Never => false,
        }
    }

    /// What goes out for it.
    pub(crate) fn request(&self, idempotency_key: String) -> Request {
        match self.call.clone() {
            Call::Publish { channel, data, .. } => Request::Publish(PublishRequest {
                channel,
                data,
                sw_key: idempotency_key,
                ..Default::default()
            }),
            Call::Presence { channel } => Request::Presence(PresenceRequest { channel }),
            Call::PresenceStats { channel } => Request::PresenceStats(PresenceStatsRequest { channel }),
            Call::History { channel, limit, since, reverse } => Request::History(HistoryRequest {
                channel,
                limit: limit.map_or(-1, |limit| i32::try_from(limit).unwrap_or(i32::MAX)),
                since: since.map(|Position { offset, epoch }| StreamPosition { offset, epoch }),
                reverse,
            }),
            Call::Rpc { method, data } => Request::Rpc(RpcRequest { method, data }),
        }
    }

    /// What the application hears when the server has answered.
    pub(crate) fn answered(self, outcome: Outcome) -> Event {
        let answer = match (self.call, outcome) {
            (Call::Publish { .. }, Outcome::Publish(result)) => {
                let position = (result.sw_offset != 0)
                    .then_some(Position { offset: result.sw_offset, epoch: result.sw_epoch });
                return Event::PublishAcked { key: self.key, position };
            }
            (Call::Presence { .. }, Outcome::Presence(result)) => Answer::Presence(result.presence),
            (Call::PresenceStats { .. }, Outcome::PresenceStats(result)) => {
                Answer::PresenceStats { clients: result.num_clients, users: result.num_users }
            }
            (Call::History { .. }, Outcome::History(result)) => Answer::History {
                publications: result.publications,
                top: Position { offset: result.offset, epoch: result.epoch },
            },
            (Call::Rpc { .. }, Outcome::Rpc(result)) => Answer::Rpc(result.data),
            (call, Outcome::Error(error)) => return failed(&call, self.key, CallError::Refused(error)),
            (call, _) => return failed(&call, self.key, CallError::Nonsense),
        };
        Event::Answered { key: self.key, answer }
    }

    /// What the application hears when it came to nothing.
    pub(crate) fn failed(self, error: CallError) -> Event {
        failed(&self.call, self.key, error)
    }

    /// What it comes to when nobody will answer it any more.
    pub(crate) fn given_up(self, unsent: CallError) -> Event {
        let unknown = self.was_sent && repeat(&self.call) != Repeat::Always;
        self.failed(if unknown { CallError::Unacknowledged } else { unsent })
    }
}

pub(crate) fn failed(call: &Call, key: Key, error: CallError) -> Event {
    match call {
        Call::Publish { .. } => Event::PublishFailed { key, error },
        _ => Event::Failed { key, error },
    }
}

fn repeat(call: &Call) -> Repeat {
    match call {
        Call::Publish { queue: true, .. } => Repeat::Keyed,
        Call::Presence { .. } | Call::PresenceStats { .. } | Call::History { .. } => Repeat::Always,
        Call::Publish { queue: false, .. } | Call::Rpc { .. } => Repeat::Never,
    }
}

fn weight(call: &Call) -> usize {
    match call {
        Call::Publish { channel, data, .. } => channel.len() + data.len(),
        Call::Presence { channel } | Call::PresenceStats { channel } | Call::History { channel, .. } => {
            channel.len()
        }
        Call::Rpc { method, data } => method.len() + data.len(),
    }
}
