//! Clients that read more slowly than their channels are published to.

use spanwire_hub::channel::Channel;
use spanwire_hub::{Input, Quoted, SessionId};

use super::Shard;
use crate::engine::limits::LAGGING_UNSENT_BYTES_MAX;

impl Shard {
    /// Something of a session's outbox was written. If the client lags, it may go on.
    #[inline]
    pub(super) fn tell_drained(&mut self, id: SessionId) {
        if self.hub.may_catch_up(id) {
            self.hub.handle(self.reading.now, Input::Drained(id));
            self.unheard = true;
        }
    }

    /// A client may lag from now on. What it is sent is not to grow old in the kernel. The kernel is told before there is much
    /// to send: a buffer that is full when it is made small takes nothing for long, and its client seems to read nothing.
    pub(super) fn may_lag(&mut self, id: SessionId) {
        if let Some(connection) = self.connections.session_mut(id) {
            let socket = socket2::SockRef::from(&connection.link);
            // Without it, the client only hears later what is newest.
            let _ = socket.set_tcp_notsent_lowat(LAGGING_UNSENT_BYTES_MAX);
        }
    }

    /// A client lags for the first time, and whoever runs the server may want to know.
    pub(super) fn tell_lag(&mut self, channel: &Channel) {
        let line = format_args!(
            "a client reads more slowly than {} is published to; it is given what the namespace's option \"delivery\" \
             leaves it, and told of gaps. If many do, publish less often, or less at a time, or let them subscribe with a \
             filter by tags",
            Quoted(channel.as_str())
        );
        self.laggards.say(self.reading.now.at, line);
    }
}
