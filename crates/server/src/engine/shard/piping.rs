//! Sessions that a task serves: between its pipe and the hub.

use std::sync::atomic::Ordering;

use spanwire_hub::time::Instant;
use spanwire_hub::{Input, SessionId};
use spanwire_wire::{DisconnectCode, DisconnectReason};

use super::Shard;
use crate::engine::connections::Key;
use crate::engine::limits::CLOSE_PATIENCE;
use crate::engine::pipe::{Bell, PipeArrival};
use crate::engine::pipes::Ending;

impl Shard {
    /// Takes a piped session in.
    pub(super) fn open_pipe(&mut self, arrival: PipeArrival) {
        let id = self.hub.open(self.reading.now, arrival.opening.clone());
        // Nobody else sets it.
        let _ = arrival.bell.session.set(id);
        self.stats().connections_opened.one();
        self.stats().opened[arrival.transport as usize].one();
        self.pipes.insert(id, arrival);
        self.piped.push_back(id);
    }

    /// A task has rung: it brings frames, has room, or is gone.
    pub(super) fn hear_bell(&mut self, bell: &Bell) {
        bell.is_rung.store(false, Ordering::SeqCst);
        if let Some(id) = bell.session.get() {
            self.piped.push_back(*id);
        }
    }

    /// Looks after each pipe that has rung, as far as this round goes.
    pub(super) fn serve_pipes(&mut self) {
        for _ in 0..self.piped.len() {
            if !self.round.may_read() {
                return;
            }
            let Some(id) = self.piped.pop_front() else { return };
            self.take_frames(id);
            self.write_to(id.into());
        }
    }

    /// Gives the hub what the client says, as long as the hub is not busy with what it has said before.
    fn take_frames(&mut self, id: SessionId) {
        let Some(piped) = self.pipes.get_mut(id) else { return };
        if piped.is_gone() {
            let verdict = piped.bell.verdict.get().copied();
            return self.pipe_gone(id, verdict);
        }
        while !self.hub.is_busy(id)
            && let Some(piped) = self.pipes.get_mut(id)
            && let Ok(frame) = piped.frames.try_recv()
        {
            self.stats().bytes_in.add(frame.len() as u64);
            self.stats().messages_in.one();
            self.round.spend_read(frame.len());
            self.hub.handle(self.reading.now, Input::Frame(id, &frame));
        }
    }

    /// The hub takes frames again.
    pub(super) fn resume_pipe(&mut self, id: SessionId) {
        if self.pipes.get_mut(id).is_some() {
            self.piped.push_back(id);
        }
    }

    /// The hub lets a piped session go. What its outbox holds goes first, unless it is what the client could not keep
    /// up with.
    pub(super) fn let_pipe_go(&mut self, id: SessionId, reason: &DisconnectReason) {
        let until = self.reading.now.at + CLOSE_PATIENCE;
        let Some(piped) = self.pipes.get_mut(id) else { return };
        if piped.is_ending() {
            return;
        }
        piped.frames.close();
        piped.ending = Ending::Untold { reason: reason.clone(), until };
        self.count_end(reason.code());
        if reason.code() == DisconnectCode::Slow.code()
            && let Some(outbox) = self.hub.outbox_mut(id)
        {
            outbox.clear();
        }
        self.unwritten.push_back(id.into());
        self.arm_pipe(id);
    }

    /// Offers the outbox of the piped session in this place to its task.
    pub(super) fn pour(&mut self, index: u32) {
        let patience = self.reading.now.at + self.rules.write_timeout;
        let Some(piped) = self.pipes.at(index) else { return };
        let id = piped.id;
        let Some(outbox) = self.hub.outbox_mut(id) else { return };
        let poured = piped.pour(outbox);
        if !poured.blocked || piped.transport.is_asked_for() {
            piped.blocked_until = None;
        } else if poured.messages > 0 || piped.blocked_until.is_none() {
            piped.blocked_until = Some(patience);
        }
        let stats = &self.shared.stats[self.index];
        stats.writes.add(u64::from(poured.messages > 0));
        stats.bytes_out.add(poured.bytes as u64);
        stats.messages_out.add(poured.messages as u64);
        if poured.gone {
            self.pipe_gone(id, None);
        } else {
            self.arm_pipe(id);
            self.tell_drained(id);
        }
    }

    /// What is due for the piped session in this place although nothing has happened.
    pub(super) fn look_after_pipe(&mut self, at: Instant, index: u32) {
        let now = self.reading.now.at;
        let Some(piped) = self.pipes.at(index) else { return };
        if piped.armed != Some(at) {
            return;
        }
        piped.armed = None;
        let id = piped.id;
        if piped.end_is_due(now) {
            self.remove_pipe(id);
        } else if piped.blocked_until.is_some_and(|until| until <= now) {
            self.pipe_gone(id, Some(DisconnectCode::WriteError.code()));
        } else {
            self.arm_pipe(id);
        }
    }

    /// The task is gone, or is given up. One that left while it took nothing had a client who read nothing.
    fn pipe_gone(&mut self, id: SessionId, verdict: Option<u32>) {
        let Some(piped) = self.pipes.get_mut(id) else { return };
        if !piped.is_ending() {
            let unread = piped.blocked_until.is_some();
            let code = if unread { DisconnectCode::WriteError } else { DisconnectCode::ConnectionClosed };
            self.count_end(verdict.unwrap_or(code.code()));
        }
        self.remove_pipe(id);
    }

    fn remove_pipe(&mut self, id: SessionId) {
        let Some(piped) = self.pipes.remove(id) else { return };
        self.stats().connections_closed.one();
        self.stats().closed[piped.transport as usize].one();
        self.users.leave(id);
        self.hub.handle(self.reading.now, Input::Gone(id));
        self.unheard = true;
    }

    /// Makes sure that the session is looked after at its next deadline.
    fn arm_pipe(&mut self, id: SessionId) {
        let Some(piped) = self.pipes.get_mut(id) else { return };
        let Some(at) = piped.deadline() else { return };
        if piped.armed.is_none_or(|armed| at < armed) {
            piped.armed = Some(at);
            self.deadlines.remind(at, Key::from(id));
        }
    }
}
