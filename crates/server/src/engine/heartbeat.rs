//! Native pings for clients that chose them (`cf_ws_frame_ping_pong`): the same rhythm as the hub's own.

use std::time::Duration;

use spanwire_hub::time::Instant;

/// Where a connection is between two pings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heartbeat {
    /// The next ping is due then.
    Resting(Instant),
    /// A pong must come until then; the next ping is due later.
    Asking { pong_until: Instant, next: Instant },
}

/// What a heartbeat that is due wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Not due.
    Nothing,
    /// Ping now.
    Ping,
    /// There was no pong in time.
    Missed,
}

/// How often, and how long for the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rhythm {
    /// Zero never pings.
    pub(crate) interval: Duration,
    /// Zero does not ask for answers.
    pub(crate) timeout: Duration,
}

impl Heartbeat {
    /// Begins with a rest between half the interval and all of it: `share` of the second half, from 0 to 255.
    /// Connections that came together, as after a restart, are so not all pinged together.
    pub(crate) fn begin(now: Instant, rhythm: Rhythm, share: u8) -> Option<Self> {
        let half = rhythm.interval / 2;
        (!rhythm.interval.is_zero()).then(|| Self::Resting(now + half + half * u32::from(share) / 256))
    }

    /// The next moment at which [`Heartbeat::beat`] has something to say.
    pub(crate) fn due(self) -> Instant {
        match self {
            Self::Resting(at) => at,
            Self::Asking { pong_until, .. } => pong_until,
        }
    }

    /// Goes on to `now`.
    pub(crate) fn beat(&mut self, now: Instant, rhythm: Rhythm) -> Beat {
        if now < self.due() {
            return Beat::Nothing;
        }
        match *self {
            Self::Resting(_) if rhythm.timeout.is_zero() => *self = Self::Resting(now + rhythm.interval),
            Self::Resting(_) => {
                *self = Self::Asking { pong_until: now + rhythm.timeout, next: now + rhythm.interval };
            }
            Self::Asking { .. } => return Beat::Missed,
        }
        Beat::Ping
    }

    /// The peer has answered, or has sent a pong without being asked, which is fine (RFC 6455 section 5.5.3).
    pub(crate) fn pong(&mut self) {
        if let Self::Asking { next, .. } = *self {
            *self = Self::Resting(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RHYTHM: Rhythm = Rhythm { interval: Duration::from_secs(20), timeout: Duration::from_secs(5) };

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn the_first_ping_comes_in_the_second_half_of_the_interval() {
        assert_eq!(Heartbeat::begin(at(0), RHYTHM, 0).unwrap().due(), at(10));
        let latest = Heartbeat::begin(at(0), RHYTHM, 255).unwrap().due();
        assert!(latest > at(19) && latest < at(20));
        assert_eq!(Heartbeat::begin(at(0), Rhythm { interval: Duration::ZERO, ..RHYTHM }, 0), None);
    }

    #[test]
    fn a_ping_without_a_pong_is_missed() {
        let mut heartbeat = Heartbeat::begin(at(0), RHYTHM, 0).unwrap();
        assert_eq!(heartbeat.beat(at(9), RHYTHM), Beat::Nothing);
        assert_eq!(heartbeat.beat(at(10), RHYTHM), Beat::Ping);
        assert_eq!(heartbeat.beat(at(14), RHYTHM), Beat::Nothing);
        assert_eq!(heartbeat.beat(at(15), RHYTHM), Beat::Missed);
    }

    #[test]
    fn a_pong_leads_to_the_next_ping_one_interval_after_the_last() {
        let mut heartbeat = Heartbeat::begin(at(0), RHYTHM, 0).unwrap();
        heartbeat.pong();
        assert_eq!(heartbeat.beat(at(10), RHYTHM), Beat::Ping);
        heartbeat.pong();
        heartbeat.pong();
        assert_eq!(heartbeat.due(), at(30));
        assert_eq!(heartbeat.beat(at(30), RHYTHM), Beat::Ping);
    }

    #[test]
    fn without_a_timeout_pings_go_on_unanswered() {
        let rhythm = Rhythm { timeout: Duration::ZERO, ..RHYTHM };
        let mut heartbeat = Heartbeat::begin(at(0), rhythm, 0).unwrap();
        for second in [10, 30, 50] {
            assert_eq!(heartbeat.beat(at(second), rhythm), Beat::Ping);
        }
    }
}
