//! Whether a connection is alive, and whether anybody still wants something of it.

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::server::Connection;
use h2::{Ping, PingPong};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::edge::limits::PULSE;

/// Pings the peer (RFC 9113 section 6.7), and notices when a connection is left without requests.
pub(super) struct Pulse {
    ticks: Interval,
    pings: Option<PingPong>,
    /// A ping is on its way.
    pinged: bool,
    /// There was a request since the last look.
    asked: bool,
    /// The peer was told to leave.
    dismissed: bool,
}

/// What a look has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// The peer answers.
    Alive,
    /// There were no requests, and the peer is to leave.
    Idle,
    /// The peer has not answered a ping, or does not leave.
    Lost,
}

impl Pulse {
    pub(super) fn of<T>(connection: &mut Connection<T, Bytes>) -> Self
    where
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let mut ticks = interval_at(Instant::now() + PULSE, PULSE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ticks, pings: connection.ping_pong(), pinged: false, asked: false, dismissed: false }
    }

    /// There is a request.
    pub(super) fn asked(&mut self) {
        self.asked = true;
    }

    /// Waits until it is time to look. Cancel safe.
    pub(super) async fn wait(&mut self) {
        self.ticks.tick().await;
    }

    /// Looks at the peer. `has_streams`: something that was asked is not answered yet.
    pub(super) fn beat(&mut self, has_streams: bool) -> Beat {
        if self.pinged && !self.has_answered() {
            return Beat::Lost;
        }
        let wanted = std::mem::take(&mut self.asked) || has_streams;
        if !wanted {
            return match std::mem::replace(&mut self.dismissed, true) {
                true => Beat::Lost,
                false => Beat::Idle,
            };
        }
        // It is refused when the connection is ending already, and then nobody waits for the answer.
        self.pinged = self.pings.as_mut().is_some_and(|pings| pings.send_ping(Ping::opaque()).is_ok());
        Beat::Alive
    }

    /// Whether the pong is here. Nobody needs to be woken by it.
    fn has_answered(&mut self) -> bool {
        let pong = self.pings.as_mut().map(|pings| pings.poll_pong(&mut Context::from_waker(Waker::noop())));
        !matches!(pong, Some(Poll::Pending))
    }
}
