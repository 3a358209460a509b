//! Everybody talks, and accidents happen.

use std::convert::Infallible;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::time::{Instant, MissedTickBehavior};

use super::crowd::Crowd;
use super::order::Order;
use super::publisher::Publisher;

/// How often a storm looks whether something is due.
const TICK: Duration = Duration::from_millis(10);

/// Longest time that a client reads nothing.
const STALL_MAX: Duration = Duration::from_millis(1500);

/// Everybody talks, and accidents happen to some. What happens to whom follows from the seed; when the server and the
/// network let it happen does not.
#[derive(Debug)]
pub struct Storm {
    chance: StdRng,
    publishes: Pace,
    accidents: Pace,
}

impl Storm {
    /// So many publications a second in all, and so many accidents.
    pub fn new(seed: u64, publications_per_second: f64, accidents_per_second: f64) -> Self {
        Self {
            chance: StdRng::seed_from_u64(seed),
            publishes: Pace::new(publications_per_second),
            accidents: Pace::new(accidents_per_second),
        }
    }

    /// Goes on until it is dropped.
    pub async fn rage(&mut self, crowd: &Crowd, publisher: &Publisher) -> Infallible {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut last = Instant::now();
        loop {
            let passed = ticks.tick().await.saturating_duration_since(last);
            last += passed;
            for _ in 0..self.publishes.due(passed) {
                let client = self.chance.random_range(0..crowd.clients());
                publisher.publish(crowd, client, &mut self.chance);
            }
            for _ in 0..self.accidents.due(passed) {
                let client = self.chance.random_range(0..crowd.clients());
                let accident = self.accident(crowd.channels_of(client));
                // To a client that is too busy it does not happen.
                crowd.order(client, accident);
            }
        }
    }

    fn accident(&mut self, channels: &[usize]) -> Order {
        match self.chance.random_range(0..8) {
            0..3 => Order::Reset,
            3..5 => Order::HangUp,
            5 => Order::Reconnect,
            6 => Order::Stall(self.chance.random_range(Duration::ZERO..STALL_MAX)),
            _ => Order::Rejoin(channels[self.chance.random_range(0..channels.len())]),
        }
    }
}

/// How much of something is due as time passes.
#[derive(Debug)]
struct Pace {
    per_second: f64,
    /// The part of the next one that is due already.
    owed: f64,
}

impl Pace {
    fn new(per_second: f64) -> Self {
        Self { per_second, owed: 0.0 }
    }

    /// How many are due. What a long pause would have brought is not made up for, beyond a tenth of a second.
    fn due(&mut self, passed: Duration) -> u32 {
        let passed = passed.as_secs_f64().min(0.1);
        self.owed += self.per_second * passed;
        let due = self.owed.floor();
        self.owed -= due;
        due as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_adds_up_and_a_pause_is_not_made_up_for() {
        let mut pace = Pace::new(30.0);
        let due: u32 = (0..100).map(|_| pace.due(Duration::from_millis(10))).sum();
        assert!((29..=30).contains(&due), "{due}");
        assert!(pace.due(Duration::from_secs(3600)) <= 4);
        assert_eq!(Pace::new(0.0).due(Duration::from_secs(1)), 0);
    }

    #[test]
    fn the_same_seed_brings_the_same_accidents() {
        let accidents = |seed| {
            let mut storm = Storm::new(seed, 1.0, 1.0);
            (0..50).map(|_| storm.accident(&[1, 2, 3])).collect::<Vec<_>>()
        };
        assert_eq!(accidents(7), accidents(7));
        assert_ne!(accidents(7), accidents(8));
    }
}
