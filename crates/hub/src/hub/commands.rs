//! Frames of commands: which command goes where, and which must wait.

use bytes::Bytes;
use spanwire_wire::{Command, DisconnectCode, Request, commands};

use super::Hub;
use crate::session::{Life, Place};
use crate::time::Now;
use crate::{Output, SessionId};

/// How far a frame was taken.
enum Taken {
    /// To its end.
    Whole,
    /// Up to a command that must wait; this many bytes are left, that command first.
    Upto(usize),
}

impl Hub {
    /// Commands are begun in the order in which they came. One that depends on an answer which is not here yet makes
    /// everything behind it wait; publications and questions do not wait for each other.
    pub(super) fn frame(&mut self, now: Now, id: SessionId, frame: &[u8]) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if matches!(session.life, Life::Closed) {
            return;
        }
        if session.unidirectional {
            return self.greet(id, frame);
        }
        if session.backlog.is_some() {
            return self.defer(id, frame);
        }
        if let Taken::Upto(rest) = self.take(now, id, frame) {
            self.defer(id, &frame[frame.len() - rest..]);
        }
    }

    /// Goes on with what waited, as far as that is possible now.
    pub(super) fn resume(&mut self, now: Now, id: SessionId) {
        loop {
            let Some(session) = self.sessions.get_mut(id) else { return };
            let Some(backlog) = &mut session.backlog else { return };
            let Some(frame) = backlog.pop() else {
                session.backlog = None;
                self.outputs.push_back(Output::Resume(id));
                return;
            };
            if let Taken::Upto(rest) = self.take(now, id, &frame) {
                return self.put_back(id, frame.slice(frame.len() - rest..));
            }
        }
    }

    fn take(&mut self, now: Now, id: SessionId, frame: &[u8]) -> Taken {
        let Some(session) = self.sessions.get(id) else { return Taken::Whole };
        let mut reader = commands(session.encoding, frame, &self.config.limits.commands);
        loop {
            let rest = reader.rest().len();
            match reader.next() {
                None => return Taken::Whole,
                Some(Err(_)) => self.close(id, DisconnectCode::BadRequest.into()),
                Some(Ok(command)) if self.must_wait(id, &command) => return Taken::Upto(rest),
                Some(Ok(command)) => {
                    let bytes = rest - reader.rest().len();
                    if self.is_within_rates(now, id, &command, bytes) {
                        self.command(now, id, command);
                    }
                }
            }
            if self.sessions.get(id).is_none_or(|session| matches!(session.life, Life::Closed)) {
                return Taken::Whole;
            }
        }
    }

    fn defer(&mut self, id: SessionId, frame: &[u8]) {
        let bytes_max = self.config.limits.backlog_bytes_max;
        let Some(session) = self.sessions.get_mut(id) else { return };
        if session.backlog.get_or_insert_default().push(frame, bytes_max).is_err() {
            self.close(id, DisconnectCode::TooManyRequests.into());
        }
    }

    fn put_back(&mut self, id: SessionId, rest: Bytes) {
        if let Some(backlog) = self.sessions.get_mut(id).and_then(|session| session.backlog.as_mut()) {
            backlog.put_back(rest);
        }
    }

    /// Whether a command depends on an answer that is not here yet.
    fn must_wait(&self, id: SessionId, command: &Command) -> bool {
        let Some(session) = self.sessions.get(id) else { return false };
        if matches!(session.life, Life::Connecting(_))
            || session.asks >= self.config.limits.asks_per_client_max as u32
            || (session.awaits_approval && matches!(command.request, Request::Publish(_)))
        {
            return true;
        }
        let joining = |channel: &str| {
            let audience = self.audiences.find(channel);
            let subscription = audience.and_then(|audience| session.subscriptions.get(audience));
            subscription.is_some_and(|subscription| matches!(subscription.place, Place::Joining(_)))
        };
        channel_of(&command.request).is_some_and(joining)
    }

    fn command(&mut self, now: Now, id: SessionId, command: Command) {
        let Some(session) = self.sessions.get(id) else { return };
        match (&session.life, command.request) {
            (Life::Fresh { .. }, Request::Connect(request)) => self.connect(id, command.id, request),
            (Life::Connected(_), request) => self.request(now, id, command.id, request),
            // What was said in the same breath as the connect that was refused.
            (Life::Refused { .. }, request) if !matches!(request, Request::Connect(_)) => {}
            // Anything before connect, and another connect.
            _ => self.close(id, DisconnectCode::BadRequest.into()),
        }
    }

    fn request(&mut self, now: Now, id: SessionId, command: u32, request: Request) {
        if channel_of(&request).is_some_and(str::is_empty) {
            return self.close(id, DisconnectCode::BadRequest.into());
        }
        match request {
            Request::Pong => self.pong(id),
            Request::Subscribe(request) => self.subscribe(now, id, command, request),
            Request::Unsubscribe(request) => self.unsubscribe(id, command, &request.channel),
            Request::Publish(request) => self.publish(id, command, request),
            Request::Presence(request) => self.read_presence(id, command, &request.channel),
            Request::PresenceStats(request) => self.read_presence_stats(id, command, &request.channel),
            Request::History(request) => self.read_history(id, command, request),
            Request::Rpc(request) => self.call(id, command, request),
            Request::Send(_) => self.close(id, DisconnectCode::NotAvailable.into()),
            Request::Refresh(request) => self.refresh(id, command, request),
            Request::SubRefresh(request) => self.refresh_subscription(id, command, request),
            Request::Connect(_) | Request::Ping(_) | Request::Unknown => {
                self.close(id, DisconnectCode::BadRequest.into());
            }
        }
    }
}

/// The channel that a command is about.
fn channel_of(request: &Request) -> Option<&str> {
    match request {
        Request::Subscribe(request) => Some(&request.channel),
        Request::Unsubscribe(request) => Some(&request.channel),
        Request::Publish(request) => Some(&request.channel),
        Request::Presence(request) => Some(&request.channel),
        Request::PresenceStats(request) => Some(&request.channel),
        Request::History(request) => Some(&request.channel),
        Request::SubRefresh(request) => Some(&request.channel),
        _ => None,
    }
}
