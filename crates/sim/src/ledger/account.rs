//! What one person's application has been told.

use std::collections::BTreeMap;

use spanwire_client_core::{CallError, Event, Key, Position};
use spanwire_wire::DisconnectCode;

use super::hearing::Hearing;
use super::stream::Stream;
use crate::channels::{Promise, promise};

/// One person's account.
#[derive(Debug, Default)]
pub(crate) struct Account {
    hearings: BTreeMap<String, Hearing>,
    questions: BTreeMap<u64, Question>,
    /// How many connections have been lost.
    losses: u64,
    connected: bool,
    /// The server tells this client where its publications went.
    extended: bool,
    pub(super) wants_connection: bool,
    pub(super) session: String,
    /// Until then there is a reason for a connection to be silent.
    pub(super) silent_until: u64,
    /// Until then there is a reason for a subscribe to stay unanswered.
    pub(super) slow_until: u64,
    /// Until then there is a reason for an answer to be late.
    pub(super) late_until: u64,
    pub(super) ordered_out: bool,
    /// The backend has ended a subscription of this person at some time: a subscribe on its way is then denied.
    pub(super) ordered_off: bool,
    /// Publications may have been lost between shards, so that subscribers lose their place.
    pub(super) holes_excused: bool,
}

/// Something that was asked and is not answered.
#[derive(Debug)]
struct Question {
    /// The channel and the number of what is to be published, if it is a publish.
    publish: Option<(String, u64)>,
    /// How many connections had been lost before; `None` if there was none.
    losses: Option<u64>,
}

impl Account {
    pub(super) fn hearing(&mut self, channel: &str) -> &mut Hearing {
        self.hearings.entry(channel.to_owned()).or_default()
    }

    /// Whether a channel is being heard, on a connection that lives.
    pub(super) fn listens(&self, channel: &str) -> bool {
        self.connected && self.hearings.get(channel).is_some_and(|hearing| hearing.live)
    }

    pub(super) fn asks(&mut self, key: u64, publish: Option<(String, u64)>) {
        let losses = self.connected.then_some(self.losses);
        self.questions.insert(key, Question { publish, losses });
    }

    pub(super) fn unanswered(&self) -> Option<u64> {
        self.questions.keys().next().copied()
    }

    pub(super) fn told(
        &mut self,
        now: u64,
        event: &Event,
        streams: &BTreeMap<String, Stream>,
        note: &mut impl FnMut(&'static str),
    ) -> Result<(), String> {
        note_of(event).into_iter().for_each(note);
        match event {
            Event::Connected { client, idempotent, .. } => {
                (self.connected, self.extended) = (true, *idempotent);
                self.session.clone_from(client);
                Ok(())
            }
            Event::Disconnected { code, reason, will_retry_at } => {
                self.disconnected(now, *code, reason, will_retry_at.is_some())
            }
            Event::Subscribed { channel, .. }
            | Event::Publication { channel, .. }
            | Event::Gap { channel, .. }
            | Event::Join { channel, .. }
            | Event::Leave { channel, .. } => {
                let told = self.hearing(channel).told(event, promise(channel), streams.get(channel));
                told.map_err(|what| format!("{channel}: {what}"))
            }
            Event::Unsubscribed { channel, code, will_retry_at, .. } => {
                self.unsubscribed(channel, *code, will_retry_at.is_some())
            }
            // No person keeps a list.
            Event::Presence { .. } | Event::NoPresence { .. } => Ok(()),
            Event::PublishAcked { key, position } => self.acked(*key, position.as_ref(), streams),
            Event::PublishFailed { key, error } | Event::Failed { key, error } => {
                self.failed(now, *key, error)
            }
            Event::Answered { key, .. } => self.take(*key).map(|_| ()),
            Event::Message(_) => Err("is told what nobody said".to_owned()),
        }
    }

    fn unsubscribed(&mut self, channel: &str, code: u32, retries: bool) -> Result<(), String> {
        self.hearing(channel).ended(!retries);
        match code {
            0 | 100 => Ok(()),
            2500 if self.ordered_off || self.holes_excused => Ok(()),
            103 | 2000 if self.ordered_off => Ok(()),
            _ => Err(format!("{channel}: unsubscribed with code {code}")),
        }
    }

    fn disconnected(&mut self, now: u64, code: u32, reason: &str, retries: bool) -> Result<(), String> {
        self.connected = false;
        self.losses += 1;
        for hearing in self.hearings.values_mut() {
            hearing.live = false;
        }
        let ordered_out = std::mem::take(&mut self.ordered_out);
        if !retries {
            self.wants_connection = false;
        }
        let silent = [DisconnectCode::NoPong.code(), DisconnectCode::Stale.code()];
        let expected = match code {
            // A refresh also finds out that a subscription is gone which the token grants.
            _ if code == DisconnectCode::InsufficientState.code() => self.holes_excused || self.ordered_off,
            Event::CODE_SILENT => now <= self.slow_until,
            // Nobody has said in time who it is, or whether it may go on.
            _ if code == DisconnectCode::InternalServerError.code() => now <= self.slow_until,
            _ if silent.contains(&code) => now <= self.silent_until,
            _ if code == DisconnectCode::ForceNoReconnect.code() => ordered_out,
            Event::CODE_WISH | Event::CODE_LOST | Event::CODE_REFUSED | Event::CODE_NO_TOKEN => true,
            _ => [
                DisconnectCode::Shutdown,
                DisconnectCode::ConnectionExpired,
                DisconnectCode::Slow,
                DisconnectCode::ForceReconnect,
            ]
            .iter()
            .any(|expected| expected.code() == code),
        };
        if expected { Ok(()) } else { Err(format!("is disconnected for no reason: {code} {reason}")) }
    }

    fn take(&mut self, key: Key) -> Result<Question, String> {
        self.questions.remove(&key.0).ok_or_else(|| format!("an answer to {}, which nobody asked", key.0))
    }

    fn acked(
        &mut self,
        key: Key,
        position: Option<&Position>,
        streams: &BTreeMap<String, Stream>,
    ) -> Result<(), String> {
        let Question { publish: Some((channel, id)), .. } = self.take(key)? else {
            return Err("a question is acknowledged like a publish".to_owned());
        };
        let stream = streams.get(&channel).filter(|stream| stream.has(id));
        let stream =
            stream.ok_or_else(|| format!("{id} is acknowledged in {channel}, and was not published"))?;
        match position {
            None if self.extended && promise(&channel) != Promise::Order => {
                Err(format!("{id} is acknowledged without its position"))
            }
            Some(position) if stream.at(&position.epoch, position.offset) != Some(id) => {
                Err(format!("{id} is acknowledged at {position:?}, where it is not"))
            }
            _ => Ok(()),
        }
    }

    fn failed(&mut self, now: u64, key: Key, error: &CallError) -> Result<(), String> {
        let question = self.take(key)?;
        match error {
            CallError::Unacknowledged | CallError::Expired
                if question.losses == Some(self.losses) && self.connected && now > self.late_until =>
            {
                Err(format!("what was asked under {} is unanswered, on a connection that lives", key.0))
            }
            CallError::Nonsense => Err("a question is answered with another answer".to_owned()),
            CallError::Refused(error) if error.code != 100 && error.code != 112 => {
                Err(format!("what was asked under {} is refused with {}", key.0, error.code))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn settle(&self, streams: &BTreeMap<String, Stream>) -> Result<(), String> {
        if self.connected != self.wants_connection {
            let is = if self.connected { "is connected" } else { "is not connected" };
            return Err(format!("{is}, and wants otherwise"));
        }
        if !self.connected {
            return Ok(());
        }
        for (channel, hearing) in self.hearings.iter().filter(|(_, hearing)| hearing.is_wanted()) {
            let settled = hearing.settle(promise(channel), streams.get(channel));
            settled.map_err(|what| format!("{channel}: {what}"))?;
        }
        Ok(())
    }
}

/// What is counted of an event.
fn note_of(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::Connected { .. } => "connected",
        Event::Disconnected { code, .. } => name_of(*code),
        Event::Subscribed { was_recovering: true, recovered: true, .. } => "recovered",
        Event::Subscribed { was_recovering: true, recovered: false, .. } => "unrecovered",
        Event::Subscribed { .. } => "subscribed",
        Event::Unsubscribed { code: 0, .. } => "unsubscribed by wish",
        Event::Unsubscribed { code: 100, .. } => "subscribe refused for now",
        Event::Unsubscribed { code: 103 | 2000, .. } => "unsubscribed by the server",
        Event::Unsubscribed { code: 2500, .. } => "insufficient state",
        Event::Unsubscribed { .. } => "unsubscribed otherwise",
        Event::Publication { recovered: true, .. } => "heard late",
        Event::Publication { .. } => "heard",
        Event::Gap { .. } => "gap",
        Event::PublishAcked { .. } => "acknowledged",
        Event::PublishFailed { error, .. } | Event::Failed { error, .. } => failure(error),
        Event::Answered { .. } => "answered",
        _ => return None,
    })
}

fn name_of(code: u32) -> &'static str {
    match code {
        Event::CODE_WISH => "disconnected by wish",
        Event::CODE_SILENT => "silence",
        Event::CODE_REFUSED => "connect refused",
        3001 => "shutdown",
        3005 => "expired",
        3008 => "slow",
        3010 => "insufficient state, server-side",
        3011 => "told to reconnect",
        3012 => "no pong",
        3503 => "told to go",
        _ => "connection lost",
    }
}

fn failure(error: &CallError) -> &'static str {
    match error {
        CallError::Refused(_) => "refused",
        CallError::Unacknowledged => "unacknowledged",
        CallError::Expired => "call expired",
        CallError::Full => "queue full",
        CallError::Offline => "offline",
        CallError::Closed => "client closed",
        CallError::Nonsense => "nonsense",
    }
}
