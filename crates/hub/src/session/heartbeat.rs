//! Pings and pongs: how a client that vanished is noticed.

use std::time::Duration;

use crate::limits::Limits;
use crate::time::Instant;

/// Where the pinging of one client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heartbeat {
    /// It is not pinged.
    Off,
    /// The next ping goes out at this time.
    Quiet {
        /// When.
        ping_at: Instant,
    },
    /// A ping is out.
    Pinged {
        /// By when the pong must be here.
        pong_by: Instant,
        /// When the next ping goes out.
        ping_at: Instant,
    },
}

/// What a heartbeat wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Nothing is due.
    Nothing,
    /// Send a ping.
    Ping,
    /// The pong did not come.
    Missed,
}

impl Heartbeat {
    /// Begins; `chance` spreads the first pings of clients that came together over half an interval.
    pub(crate) fn start(now: Instant, limits: &Limits, chance: u64) -> Self {
        let half = limits.ping_interval.as_millis() as u64 / 2;
        if half == 0 {
            return Self::Off;
        }
        Self::Quiet { ping_at: now + Duration::from_millis(half + chance % half) }
    }

    pub(crate) fn due(self) -> Option<Instant> {
        match self {
            Self::Off => None,
            Self::Quiet { ping_at } => Some(ping_at),
            Self::Pinged { pong_by, .. } => Some(pong_by),
        }
    }

    /// Takes one step if one is due. `answered` says whether the client answers pings at all.
    pub(crate) fn beat(&mut self, now: Instant, limits: &Limits, answered: bool) -> Beat {
        match *self {
            Self::Quiet { ping_at } if ping_at <= now => {
                let ping_at = now + limits.ping_interval;
                *self = if limits.pong_timeout.is_zero() || !answered {
                    Self::Quiet { ping_at }
                } else {
                    Self::Pinged { pong_by: now + limits.pong_timeout, ping_at }
                };
                Beat::Ping
            }
            Self::Pinged { pong_by, .. } if pong_by <= now => Beat::Missed,
            _ => Beat::Nothing,
        }
    }

    /// Gives the client until `pong_by`: its pong may be among frames that we have not looked at yet.
    pub(crate) fn forgive(&mut self, until: Instant) {
        if let Self::Pinged { pong_by, .. } = self {
            *pong_by = until;
        }
    }

    /// A pong came. Whether one was due.
    pub(crate) fn pong(&mut self, limits: &Limits) -> bool {
        match *self {
            Self::Pinged { ping_at, .. } => {
                *self = Self::Quiet { ping_at };
                true
            }
            Self::Off | Self::Quiet { .. } => limits.pong_timeout.is_zero(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn the_first_ping_comes_in_the_second_half_of_an_interval() {
        let limits = Limits::default();
        for chance in [0, 1, 12_499, 12_500, u64::MAX] {
            let due = Heartbeat::start(at(100), &limits, chance).due().unwrap().as_millis();
            assert!((112_500..125_000).contains(&due), "{chance} gave {due}");
        }
    }

    #[test]
    fn a_pong_is_wanted_once_for_each_ping() {
        let limits = Limits::default();
        let mut heartbeat = Heartbeat::start(at(0), &limits, 0);
        assert!(!heartbeat.pong(&limits), "a pong before any ping");
        assert_eq!(heartbeat.beat(at(12), &limits, true), Beat::Nothing);
        assert_eq!(heartbeat.beat(at(13), &limits, true), Beat::Ping);
        assert!(heartbeat.pong(&limits));
        assert!(!heartbeat.pong(&limits), "a second pong for the same ping");
        assert_eq!(heartbeat.beat(at(37), &limits, true), Beat::Nothing);
        assert_eq!(heartbeat.beat(at(38), &limits, true), Beat::Ping);
        assert_eq!(heartbeat.beat(at(45), &limits, true), Beat::Nothing);
        assert_eq!(heartbeat.beat(at(46), &limits, true), Beat::Missed);
    }

    #[test]
    fn without_a_pong_timeout_pings_go_on_and_pongs_do_not_matter() {
        let limits = Limits { pong_timeout: Duration::ZERO, ..Limits::default() };
        let mut heartbeat = Heartbeat::start(at(0), &limits, 0);
        assert_eq!(heartbeat.beat(at(13), &limits, true), Beat::Ping);
        assert_eq!(heartbeat.beat(at(38), &limits, true), Beat::Ping);
        assert!(heartbeat.pong(&limits));
    }

    #[test]
    fn without_an_interval_nobody_is_pinged() {
        let limits = Limits { ping_interval: Duration::ZERO, ..Limits::default() };
        assert_eq!(Heartbeat::start(at(0), &limits, 7), Heartbeat::Off);
    }
}
